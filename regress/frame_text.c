/*
 * frame_text.c
 *		Shows the plugin's frames as text, for the regression tests.
 *
 * penstock_frame_lines(bytea) returns text[] reads one frame and describes it
 * line by line.  It knows the format only from the code that protoc-c generated
 * from penstock.proto, and shares nothing with the plugin, so that the two
 * check each other.  What differs from run to run (transaction IDs, positions,
 * times, OIDs) is checked for plausibility and not shown.
 *
 * Rows can be read only with the Relation record that precedes them, maybe in
 * an earlier frame.  So the function remembers relations, and how many changes
 * a transaction had, from call to call until a frame starts a new session.
 */
#include "postgres.h"

#include <inttypes.h>
#include <zstd.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "penstock.pb-c.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(penstock_frame_lines);

/* Values longer than this are shown shortened. */
#define VALUE_BYTES_MAX 64

/* One field of a Change or Row, or nothing. */
typedef struct RowReader
{
	size_t nintegers;
	const int64_t *integers;
	size_t nvalues;
	const ProtobufCBinaryData *values;
	ProtobufCBinaryData nulls;
	ProtobufCBinaryData unchanged;
	size_t integer; /* next to be read */
	size_t value;
} RowReader;

/* What is remembered from frame to frame; relations stay unpacked. */
static MemoryContext session_context = NULL;
static List *session_relations = NIL;
static bool in_transaction = false;
static uint64 changes_counted = 0;

/*
 * Transactions in progress, and their subtransactions, in the order in which
 * they were first seen: they are shown by their place in the list.
 */
typedef struct StreamState
{
	uint32 xid;
	int ordinal;
	uint64 changes_counted;
	bool ended;
	List *subxids; /* of OIDs, which are as wide */
} StreamState;

static List *session_streams = NIL;
static StreamState *current_stream = NULL; /* of the frame */

static ArrayBuildState *
add_line(ArrayBuildState *lines, const char *text)
{
	return accumArrayResult(lines, CStringGetTextDatum(text), false, TEXTOID,
							CurrentMemoryContext);
}

static void
reset_session(void)
{
	if (session_context == NULL)
		session_context = AllocSetContextCreate(
			TopMemoryContext, "penstock_frame_text", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(session_context);
	session_relations = NIL;
	session_streams = NIL;
	current_stream = NULL;
	in_transaction = false;
	changes_counted = 0;
}

static StreamState *
find_stream(uint32 xid)
{
	ListCell *cell;

	foreach (cell, session_streams)
	{
		StreamState *stream = lfirst(cell);

		if (stream->xid == xid && !stream->ended)
			return stream;
	}
	return NULL;
}

static StreamState *
add_stream(uint32 xid)
{
	MemoryContext outer = MemoryContextSwitchTo(session_context);
	StreamState *stream = palloc0(sizeof(StreamState));

	stream->xid = xid;
	stream->ordinal = list_length(session_streams) + 1;
	session_streams = lappend(session_streams, stream);
	MemoryContextSwitchTo(outer);
	return stream;
}

/* Which of the transaction's subtransactions it is, by first appearance. */
static int
subxid_ordinal(StreamState *stream, uint32 subxid)
{
	MemoryContext outer;

	for (int i = 0; i < list_length(stream->subxids); i++)
	{
		if (list_nth_oid(stream->subxids, i) == subxid)
			return i + 1;
	}
	outer = MemoryContextSwitchTo(session_context);
	stream->subxids = lappend_oid(stream->subxids, subxid);
	MemoryContextSwitchTo(outer);
	return list_length(stream->subxids);
}

static void
show_subxid(StringInfo text, uint32 subxid)
{
	if (subxid == 0)
		return;
	if (current_stream == NULL)
		appendStringInfoString(text, " SUBTRANSACTION OF NOTHING");
	else
		appendStringInfo(text, " in sub %d",
						 subxid_ordinal(current_stream, subxid));
}

static void
check_known(StringInfo text, const ProtobufCMessage *message)
{
	if (message->n_unknown_fields > 0)
		appendStringInfoString(text, " UNKNOWN FIELDS");
}

/*
 * protobuf-c frees what it unpacks as a whole, through an allocator; a memory
 * context does that already.
 */
static void *
allocate(void *context, size_t bytes)
{
	return MemoryContextAlloc((MemoryContext) context, bytes);
}

static void
forget(void *context, void *pointer)
{
	(void) context;
	if (pointer != NULL)
		pfree(pointer);
}

static const Penstock__Relation *
find_relation(uint32 number)
{
	ListCell *cell;

	foreach (cell, session_relations)
	{
		const Penstock__Relation *relation = lfirst(cell);

		if (relation->number == number)
			return relation;
	}
	return NULL;
}

/* Keeps a copy, in place of an older one of that number. */
static void
remember_relation(const Penstock__Relation *relation)
{
	ProtobufCAllocator allocator = {allocate, forget, session_context};
	MemoryContext outer = MemoryContextSwitchTo(session_context);
	size_t bytes = penstock__relation__get_packed_size(relation);
	uint8_t *packed = palloc(Max(bytes, 1));

	penstock__relation__pack(relation, packed);
	session_relations = lcons(
		penstock__relation__unpack(&allocator, bytes, packed),
		session_relations);
	MemoryContextSwitchTo(outer);
}

static const char *
encoding_name(Penstock__Encoding encoding)
{
	switch (encoding)
	{
		case PENSTOCK__ENCODING__ENCODING_INTEGER:
			return "integer";
		case PENSTOCK__ENCODING__ENCODING_BINARY:
			return "binary";
		case PENSTOCK__ENCODING__ENCODING_TEXT:
			return "text";
		default:
			return "INVALID";
	}
}

static const char *
identity_name(Penstock__ReplicaIdentity identity)
{
	switch (identity)
	{
		case PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_DEFAULT:
			return "default";
		case PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_NOTHING:
			return "nothing";
		case PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_FULL:
			return "full";
		case PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_INDEX:
			return "index";
		default:
			return "INVALID";
	}
}

/*
 * A name, with bytes other than ASCII escaped: it need not be in the server's
 * encoding.
 */
static void
show_name(StringInfo text, const char *name)
{
	for (; *name != '\0'; name++)
	{
		if (IS_HIGHBIT_SET(*name))
			appendStringInfo(text, "\\x%02x", (unsigned char) *name);
		else
			appendStringInfoChar(text, *name);
	}
}

static ArrayBuildState *
show_column(ArrayBuildState *lines, const Penstock__Column *column)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "    %u ", column->attnum);
	show_name(&text, column->name);
	appendStringInfoChar(&text, ' ');
	show_name(&text, column->type_name);
	if (column->type_oid == 0)
		appendStringInfoString(&text, " NO TYPE OID");
	if (column->typmod != -1)
		appendStringInfo(&text, " typmod %d", column->typmod);
	appendStringInfo(&text, " %s", encoding_name(column->encoding));
	if (column->key)
		appendStringInfoString(&text, " key");
	if (column->generated)
		appendStringInfoString(&text, " generated");
	if (column->identity == PENSTOCK__IDENTITY__IDENTITY_ALWAYS)
		appendStringInfoString(&text, " identity always");
	if (column->identity == PENSTOCK__IDENTITY__IDENTITY_BY_DEFAULT)
		appendStringInfoString(&text, " identity by default");
	check_known(&text, &column->base);
	return add_line(lines, text.data);
}

static ArrayBuildState *
show_relation(ArrayBuildState *lines, const Penstock__Relation *relation)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "  relation %u ", relation->number);
	show_name(&text, relation->schema);
	appendStringInfoChar(&text, '.');
	show_name(&text, relation->name);
	appendStringInfo(&text, " identity %s",
					 identity_name(relation->replica_identity));
	if (relation->oid == 0)
		appendStringInfoString(&text, " NO OID");
	for (size_t i = 0; i < relation->n_distribution; i++)
		appendStringInfo(&text, "%s%u", i == 0 ? " distributed by " : ", ",
						 relation->distribution[i]);
	check_known(&text, &relation->base);
	lines = add_line(lines, text.data);
	for (size_t i = 0; i < relation->n_columns; i++)
		lines = show_column(lines, relation->columns[i]);

	remember_relation(relation);
	return lines;
}

static bool
has_bit(const ProtobufCBinaryData *bitmap, int i)
{
	return (size_t) i / 8 < bitmap->len &&
		   ((bitmap->data[i / 8] >> (i % 8)) & 1) != 0;
}

static bool
is_printable(const ProtobufCBinaryData *value)
{
	for (size_t i = 0; i < value->len; i++)
	{
		if (value->data[i] < 0x20 || value->data[i] >= 0x7f)
			return false;
	}
	return true;
}

/* Text in quotes, anything else in hex. */
static void
show_bytes(StringInfo text, const ProtobufCBinaryData *value, bool is_text)
{
	size_t shown = Min(value->len, VALUE_BYTES_MAX);

	if (is_text && is_printable(value))
		appendStringInfo(text, "'%.*s'", (int) shown,
						 (const char *) value->data);
	else
	{
		appendStringInfoString(text, "\\x");
		for (size_t i = 0; i < shown; i++)
			appendStringInfo(text, "%02x", value->data[i]);
	}
	if (shown < value->len)
		appendStringInfo(text, "...(%zu)", value->len);
}

static bool
is_text_type(const Penstock__Column *column)
{
	static const char *const names[] = {"pg_catalog.text", "pg_catalog.varchar",
										"pg_catalog.bpchar", "pg_catalog.json",
										"pg_catalog.name"};

	if (column->encoding == PENSTOCK__ENCODING__ENCODING_TEXT)
		return true;
	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (strcmp(names[i], column->type_name) == 0)
			return true;
	}
	return false;
}

static void
show_value(StringInfo text, const Penstock__Column *column, RowReader *row,
		   int position)
{
	appendStringInfoChar(text, ' ');
	show_name(text, column->name);
	appendStringInfoChar(text, '=');
	if (has_bit(&row->nulls, position))
		appendStringInfoString(text, "null");
	else if (has_bit(&row->unchanged, position))
		appendStringInfoString(text, "unchanged");
	else if (column->encoding == PENSTOCK__ENCODING__ENCODING_INTEGER)
	{
		if (row->integer < row->nintegers)
			appendStringInfo(text, INT64_FORMAT,
							 (int64) row->integers[row->integer++]);
		else
			appendStringInfoString(text, "MISSING");
	}
	else if (row->value < row->nvalues)
		show_bytes(text, &row->values[row->value++], is_text_type(column));
	else
		appendStringInfoString(text, "MISSING");
}

static void
show_row(StringInfo text, const Penstock__Relation *relation, bool keys_only,
		 RowReader *row)
{
	int position = 0;

	for (size_t i = 0; i < relation->n_columns; i++)
	{
		if (keys_only && !relation->columns[i]->key)
			continue;
		show_value(text, relation->columns[i], row, position++);
	}
	if (row->integer != row->nintegers || row->value != row->nvalues)
		appendStringInfoString(text, " VALUES LEFT");
}

/* A hash has no business where the relation does not say what it is of. */
static void
show_hash(StringInfo text, const Penstock__Relation *relation, uint64 hash)
{
	if (relation->n_distribution > 0)
		appendStringInfo(text, " hash %016" PRIx64, hash);
	else if (hash != 0)
		appendStringInfoString(text, " HASH");
}

static void
show_change_row(StringInfo text, const Penstock__Relation *relation,
				bool keys_only, const Penstock__Change *change)
{
	RowReader row = {
		.nintegers = change->n_integers,
		.integers = change->integers,
		.nvalues = change->n_values,
		.values = change->values,
		.nulls = change->nulls,
		.unchanged = change->unchanged,
	};

	show_row(text, relation, keys_only, &row);
	show_hash(text, relation, change->hash);
}

static void
show_old_row(StringInfo text, const Penstock__Relation *relation,
			 bool keys_only, const Penstock__Row *old)
{
	RowReader row = {
		.nintegers = old->n_integers,
		.integers = old->integers,
		.nvalues = old->n_values,
		.values = old->values,
		.nulls = old->nulls,
		.unchanged = old->unchanged,
	};

	appendStringInfoString(text, " | old:");
	show_row(text, relation, keys_only, &row);
	show_hash(text, relation, old->hash);
}

static ArrayBuildState *
show_row_change(ArrayBuildState *lines, const Penstock__Change *change,
				const char *operation, uint32 number, bool is_delete)
{
	const Penstock__Relation *relation = find_relation(number);
	StringInfoData text;
	bool keys_only;

	initStringInfo(&text);
	appendStringInfo(&text, "  %s", operation);
	if (relation == NULL)
	{
		appendStringInfo(&text, " OF UNKNOWN RELATION %u", number);
		return add_line(lines, text.data);
	}

	keys_only = relation->replica_identity !=
				PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_FULL;
	appendStringInfoChar(&text, ' ');
	show_name(&text, relation->name);
	appendStringInfoChar(&text, ':');
	show_change_row(&text, relation, is_delete && keys_only, change);
	if (change->old != NULL)
		show_old_row(&text, relation, keys_only, change->old);
	show_subxid(&text, change->subxid);
	check_known(&text, &change->base);
	return add_line(lines, text.data);
}

static ArrayBuildState *
show_truncate(ArrayBuildState *lines, const Penstock__Truncate *truncate,
			  uint32 subxid)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "  truncate");
	for (size_t i = 0; i < truncate->n_relations; i++)
	{
		const Penstock__Relation *relation = find_relation(
			truncate->relations[i]);

		appendStringInfo(&text, " %s", relation ? relation->name : "UNKNOWN");
	}
	if (truncate->cascade)
		appendStringInfoString(&text, " cascade");
	if (truncate->restart_identity)
		appendStringInfoString(&text, " restart identity");
	show_subxid(&text, subxid);
	return add_line(lines, text.data);
}

static ArrayBuildState *
show_message(ArrayBuildState *lines, const Penstock__Message *message)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "  message%s '",
					 message->transactional ? " transactional" : "");
	show_name(&text, message->prefix);
	appendStringInfoString(&text, "' ");
	show_bytes(&text, &message->content, true);
	if (message->lsn == 0)
		appendStringInfoString(&text, " NO LSN");
	return add_line(lines, text.data);
}

/* ---- changes of the schema ---- */

/* What objects were called, to show by name what else has only an OID. */
typedef struct KnownObject
{
	uint32 oid;
	char *name;
} KnownObject;

static List *known_objects = NIL;

static const char *
object_name(uint32 oid)
{
	ListCell *cell;

	foreach (cell, known_objects)
	{
		const KnownObject *object = lfirst(cell);

		if (object->oid == oid)
			return object->name;
	}
	return NULL;
}

/* A relation that is there may have been made before anything was decoded. */
static const char *
object_name_or_unknown(uint32 oid)
{
	const char *name = object_name(oid);

	if (name == NULL)
		name = get_rel_name(oid);
	return name != NULL ? name : "unknown";
}

/* For the rest of the session of the server: each decoding starts anew. */
static void
remember_object(uint32 oid, const char *name)
{
	MemoryContext outer = MemoryContextSwitchTo(TopMemoryContext);
	KnownObject *object = palloc(sizeof(KnownObject));

	object->oid = oid;
	object->name = pstrdup(name);
	known_objects = lcons(object, known_objects);
	MemoryContextSwitchTo(outer);
}

static const char *
catalog_name(Penstock__SchemaCatalog catalog)
{
	switch (catalog)
	{
		case PENSTOCK__SCHEMA_CATALOG__SCHEMA_CATALOG_NAMESPACE:
			return "namespace";
		case PENSTOCK__SCHEMA_CATALOG__SCHEMA_CATALOG_CLASS:
			return "class";
		case PENSTOCK__SCHEMA_CATALOG__SCHEMA_CATALOG_TYPE:
			return "type";
		default:
			return "INVALID";
	}
}

static const char *
constraint_kind_name(Penstock__SchemaConstraintKind kind)
{
	static const char *const names[] = {"INVALID", "check",       "primary key",
										"unique",  "foreign key", "exclusion",
										"not null"};

	return (int) kind < (int) lengthof(names) ? names[kind] : "INVALID";
}

static void
show_flag(StringInfo text, bool flag, const char *name)
{
	if (flag)
		appendStringInfo(text, " %s", name);
}

/* Shows which operations on a table are not published. */
static void
show_withheld(StringInfo text, uint32 withheld)
{
	static const char *const names[] = {"insert", "update", "delete",
										"truncate"};

	for (int i = 0; i < lengthof(names); i++)
	{
		if ((withheld & (1U << i)) != 0)
			appendStringInfo(text, " without %s", names[i]);
	}
}

/* What is long is checked by its length. */
static void
show_sql(StringInfo text, const char *value)
{
	if (strlen(value) <= 400)
		show_name(text, value);
	else
		appendStringInfo(text, "%.40s...(%zu)", value, strlen(value));
}

static void
show_field(StringInfo text, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	appendStringInfo(text, " %s ", name);
	show_sql(text, value);
}

static void
show_fields(StringInfo text, const char *name, size_t count, char **values)
{
	for (size_t i = 0; i < count; i++)
		show_field(text, name, values[i]);
}

static void
show_attnums(StringInfo text, size_t count, const uint32_t *attnums)
{
	for (size_t i = 0; i < count; i++)
		appendStringInfo(text, "%s%u", i == 0 ? " columns " : ", ", attnums[i]);
}

static void
show_identity(StringInfo text, Penstock__Identity identity)
{
	show_flag(text, identity == PENSTOCK__IDENTITY__IDENTITY_ALWAYS,
			  "identity always");
	show_flag(text, identity == PENSTOCK__IDENTITY__IDENTITY_BY_DEFAULT,
			  "identity by default");
}

static ArrayBuildState *
show_schema_column(ArrayBuildState *lines, const Penstock__SchemaColumn *column)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "    %u ", column->attnum);
	show_name(&text, column->name);
	appendStringInfoChar(&text, ' ');
	show_name(&text, column->type);
	show_flag(&text, column->type_oid == 0, "NO TYPE OID");
	if (column->typmod != -1)
		appendStringInfo(&text, " typmod %d", column->typmod);
	show_field(&text, "collation", column->collation);
	show_flag(&text, column->not_null, "not null");
	show_field(&text,
			   column->generated ==
					   PENSTOCK__SCHEMA_GENERATED__SCHEMA_GENERATED_UNSPECIFIED
				   ? "default"
				   : "generated",
			   column->default_expression);
	show_flag(&text,
			  column->generated ==
				  PENSTOCK__SCHEMA_GENERATED__SCHEMA_GENERATED_VIRTUAL,
			  "virtual");
	show_identity(&text, column->identity);
	if (column->inherited > 0)
		appendStringInfo(&text, " inherited %u%s", column->inherited,
						 column->local ? " local" : "");
	show_field(&text, "storage", column->storage);
	show_field(&text, "compression", column->compression);
	if (column->statistics != 0)
		appendStringInfo(&text, " statistics %u", column->statistics - 1);
	show_fields(&text, "option", column->n_options, column->options);
	if (column->has_missing_value)
		appendStringInfo(&text, " missing '%s'", column->missing_value);
	check_known(&text, &column->base);
	return add_line(lines, text.data);
}

static ArrayBuildState *
show_constraint(ArrayBuildState *lines,
				const Penstock__SchemaConstraint *constraint)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "    %s ", constraint_kind_name(constraint->kind));
	show_name(&text, constraint->name);
	appendStringInfoString(&text, ": ");
	show_sql(&text, constraint->definition);
	show_flag(&text, constraint->oid == 0, "NO OID");
	show_flag(&text, !constraint->validated, "not validated");
	if (constraint->inherited > 0)
		appendStringInfo(&text, " inherited %u%s", constraint->inherited,
						 constraint->local ? " local" : "");
	show_flag(&text, constraint->parent != 0, "of the parent's");
	if (constraint->index != 0)
		appendStringInfo(&text, " index %s",
						 object_name_or_unknown(constraint->index));
	if (constraint->referenced_table != 0)
		appendStringInfo(&text, " to %s",
						 object_name_or_unknown(constraint->referenced_table));
	show_attnums(&text, constraint->n_attnums, constraint->attnums);
	check_known(&text, &constraint->base);
	return add_line(lines, text.data);
}

static ArrayBuildState *
show_index(ArrayBuildState *lines, const Penstock__SchemaIndex *index)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "    index ");
	show_name(&text, index->schema);
	appendStringInfoChar(&text, '.');
	show_name(&text, index->name);
	appendStringInfoString(&text, ": ");
	show_sql(&text, index->definition);
	show_flag(&text, index->oid == 0, "NO OID");
	show_flag(&text, !index->valid, "not valid");
	show_flag(&text, index->unique, "unique");
	show_flag(&text, index->primary, "primary");
	show_flag(&text, index->replica_identity, "replica identity");
	show_flag(&text, index->clustered, "clustered");
	show_flag(&text, index->constraint != 0, "of a constraint");
	show_flag(&text, index->parent != 0, "of the parent's");
	show_attnums(&text, index->n_attnums, index->attnums);
	check_known(&text, &index->base);
	remember_object(index->oid, index->name);
	return add_line(lines, text.data);
}

static ArrayBuildState *
show_table(ArrayBuildState *lines, StringInfo text, uint32 oid,
		   const Penstock__SchemaTable *table)
{
	appendStringInfoString(text, table->partitioned ? "partitioned table "
													: "table ");
	show_name(text, table->schema);
	appendStringInfoChar(text, '.');
	show_name(text, table->name);
	show_flag(text, table->unlogged, "unlogged");
	if (table->replica_identity !=
		PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_DEFAULT)
		appendStringInfo(text, " identity %s",
						 identity_name(table->replica_identity));
	for (size_t i = 0; i < table->n_parents; i++)
		appendStringInfo(text, "%s%s", i == 0 ? " parents " : ", ",
						 object_name_or_unknown(table->parents[i]));
	show_field(text, "bound", table->bound);
	show_flag(text, table->detaching, "detaching");
	show_field(text, "by", table->partition_key);
	show_field(text, "of", table->of_type);
	show_field(text, "using", table->access_method);
	show_fields(text, "option", table->n_options, table->options);
	show_flag(text, table->row_security, "row security");
	show_flag(text, table->force_row_security, "forced");
	show_flag(text, table->published, "published");
	show_withheld(text, table->withheld);
	check_known(text, &table->base);
	remember_object(oid, table->name);
	lines = add_line(lines, text->data);
	for (size_t i = 0; i < table->n_columns; i++)
		lines = show_schema_column(lines, table->columns[i]);
	for (size_t i = 0; i < table->n_constraints; i++)
		lines = show_constraint(lines, table->constraints[i]);
	for (size_t i = 0; i < table->n_indexes; i++)
		lines = show_index(lines, table->indexes[i]);
	return lines;
}

static ArrayBuildState *
show_sequence(ArrayBuildState *lines, StringInfo text, uint32 oid,
			  const Penstock__SchemaSequence *sequence)
{
	appendStringInfoString(text, "sequence ");
	show_name(text, sequence->schema);
	appendStringInfoChar(text, '.');
	show_name(text, sequence->name);
	show_flag(text, sequence->unlogged, "unlogged");
	appendStringInfo(text,
					 " as %s start " INT64_FORMAT " increment " INT64_FORMAT
					 " from " INT64_FORMAT " to " INT64_FORMAT
					 " cache " INT64_FORMAT,
					 sequence->type, sequence->start, sequence->increment,
					 sequence->minimum, sequence->maximum, sequence->cache);
	show_flag(text, sequence->cycle, "cycle");
	if (sequence->owner_table != 0)
		appendStringInfo(text, " owned by %s.%u",
						 object_name_or_unknown(sequence->owner_table),
						 sequence->owner_attnum);
	show_flag(text, sequence->identity, "identity");
	check_known(text, &sequence->base);
	remember_object(oid, sequence->name);
	return add_line(lines, text->data);
}

static ArrayBuildState *
show_enum(ArrayBuildState *lines, StringInfo text,
		  const Penstock__SchemaEnum *type)
{
	appendStringInfoString(text, " enum");
	for (size_t i = 0; i < type->n_labels; i++)
	{
		show_field(text, i == 0 ? "of" : ",", type->labels[i]->label);
		show_flag(text, type->labels[i]->oid == 0, "NO OID");
	}
	return add_line(lines, text->data);
}

static ArrayBuildState *
show_domain(ArrayBuildState *lines, StringInfo text,
			const Penstock__SchemaDomain *type)
{
	appendStringInfo(text, " domain of %s", type->base_type);
	show_field(text, "collation", type->collation);
	show_flag(text, type->not_null, "not null");
	show_field(text, "default", type->default_expression);
	lines = add_line(lines, text->data);
	for (size_t i = 0; i < type->n_constraints; i++)
		lines = show_constraint(lines, type->constraints[i]);
	return lines;
}

static ArrayBuildState *
show_composite(ArrayBuildState *lines, StringInfo text,
			   const Penstock__SchemaComposite *type)
{
	appendStringInfoString(text, " composite");
	lines = add_line(lines, text->data);
	for (size_t i = 0; i < type->n_columns; i++)
		lines = show_schema_column(lines, type->columns[i]);
	return lines;
}

static ArrayBuildState *
show_type(ArrayBuildState *lines, StringInfo text, uint32 oid,
		  const Penstock__SchemaType *type)
{
	appendStringInfoString(text, "type ");
	show_name(text, type->schema);
	appendStringInfoChar(text, '.');
	show_name(text, type->name);
	check_known(text, &type->base);
	remember_object(oid, type->name);
	switch (type->kind_case)
	{
		case PENSTOCK__SCHEMA_TYPE__KIND_ENUMERATION:
			return show_enum(lines, text, type->enumeration);
		case PENSTOCK__SCHEMA_TYPE__KIND_DOMAIN:
			return show_domain(lines, text, type->domain);
		case PENSTOCK__SCHEMA_TYPE__KIND_COMPOSITE:
			return show_composite(lines, text, type->composite);
		default:
			return add_line(lines, "  UNKNOWN KIND OF TYPE");
	}
}

static ArrayBuildState *
show_schema_change(ArrayBuildState *lines, const Penstock__SchemaChange *change,
				   uint32 subxid)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "  schema: ");
	show_flag(&text, change->lsn == 0, "NO LSN");
	if (subxid != 0)
	{
		show_subxid(&text, subxid);
		appendStringInfoString(&text, ": ");
	}
	check_known(&text, &change->base);
	switch (change->object_case)
	{
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_GONE:
			appendStringInfo(&text,
							 "gone from %s: ", catalog_name(change->gone));
			show_name(&text, object_name_or_unknown(change->oid));
			return add_line(lines, text.data);
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_NAMESPACE:
			appendStringInfoString(&text, "namespace ");
			show_name(&text, change->namespace_->name);
			remember_object(change->oid, change->namespace_->name);
			return add_line(lines, text.data);
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_TABLE:
			return show_table(lines, &text, change->oid, change->table);
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_SEQUENCE:
			return show_sequence(lines, &text, change->oid, change->sequence);
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_TYPE:
			return show_type(lines, &text, change->oid, change->type);
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_UNTRANSLATED:
			appendStringInfo(
				&text, "not described: %s: ", change->untranslated->catalog);
			show_name(&text, change->untranslated->identity);
			show_field(&text, "part", change->untranslated->part);
			show_flag(&text, change->untranslated->gone, "gone");
			check_known(&text, &change->untranslated->base);
			return add_line(lines, text.data);
		default:
			return add_line(lines, "  UNKNOWN SCHEMA CHANGE");
	}
}

static ArrayBuildState *
show_rewrite(ArrayBuildState *lines, uint32 number, uint32 subxid)
{
	const Penstock__Relation *relation = find_relation(number);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "  rewrite %s",
					 relation != NULL ? relation->name : "UNKNOWN");
	show_subxid(&text, subxid);
	return add_line(lines, text.data);
}

static ArrayBuildState *
show_change(ArrayBuildState *lines, const Penstock__Change *change)
{
	switch (change->operation_case)
	{
		case PENSTOCK__CHANGE__OPERATION_INSERT:
			return show_row_change(lines, change, "insert", change->insert,
								   false);
		case PENSTOCK__CHANGE__OPERATION_UPDATE:
			return show_row_change(lines, change, "update", change->update,
								   false);
		case PENSTOCK__CHANGE__OPERATION_DELETE:
			return show_row_change(lines, change, "delete", change->delete_,
								   true);
		case PENSTOCK__CHANGE__OPERATION_RELATION:
			return show_relation(lines, change->relation);
		case PENSTOCK__CHANGE__OPERATION_TRUNCATE:
			return show_truncate(lines, change->truncate, change->subxid);
		case PENSTOCK__CHANGE__OPERATION_MESSAGE:
			return show_message(lines, change->message);
		case PENSTOCK__CHANGE__OPERATION_SCHEMA_CHANGE:
			return show_schema_change(lines, change->schema_change,
									  change->subxid);
		case PENSTOCK__CHANGE__OPERATION_REWRITE:
			return show_rewrite(lines, change->rewrite, change->subxid);
		default:
			return add_line(lines, "  UNKNOWN OPERATION");
	}
}

static ArrayBuildState *
show_session(ArrayBuildState *lines, const Penstock__Session *session)
{
	StringInfoData text;
	/* The server's that runs; we may be built for another minor version. */
	const char *server_version_num = GetConfigOption("server_version_num",
													 false, false);

	reset_session();
	initStringInfo(&text);
	appendStringInfo(&text, "session version %u, %s to %s",
					 session->proto_version, session->server_encoding,
					 session->client_encoding);
	if (session->server_version_num != strtoul(server_version_num, NULL, 10))
		appendStringInfoString(&text, " WRONG SERVER VERSION");
	if (session->plugin_version[0] == '\0')
		appendStringInfoString(&text, " NO PLUGIN VERSION");
	check_known(&text, &session->base);
	return add_line(lines, text.data);
}

static ArrayBuildState *
show_begin(ArrayBuildState *lines, const Penstock__Begin *begin)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "begin");
	if (begin->origin[0] != '\0')
		appendStringInfo(&text, " origin %s%s", begin->origin,
						 begin->origin_lsn == 0 ? "" : " with position");
	if (begin->xid == 0 || begin->commit_lsn == 0 ||
		begin->end_lsn <= begin->commit_lsn || begin->commit_time == 0)
		appendStringInfoString(&text, " IMPLAUSIBLE");
	if (in_transaction)
		appendStringInfoString(&text, " IN TRANSACTION");
	if (current_stream != NULL && current_stream->xid != begin->xid)
		appendStringInfoString(&text, " OF ANOTHER TRANSACTION");
	check_known(&text, &begin->base);
	in_transaction = true;
	changes_counted = current_stream ? current_stream->changes_counted : 0;
	return add_line(lines, text.data);
}

/* The first frame of a transaction in progress, and no other, says so. */
static ArrayBuildState *
show_stream(ArrayBuildState *lines, const Penstock__Stream *message)
{
	StringInfoData text;

	current_stream = find_stream(message->xid);
	initStringInfo(&text);
	appendStringInfoString(&text, "stream");
	if ((current_stream == NULL) != message->first || message->xid == 0 ||
		message->decoded_lsn == 0)
		appendStringInfoString(&text, " IMPLAUSIBLE");
	if (current_stream == NULL)
		current_stream = add_stream(message->xid);
	appendStringInfo(&text, " %d%s", current_stream->ordinal,
					 message->first ? " first" : "");
	if (in_transaction)
		appendStringInfoString(&text, " IN TRANSACTION");
	check_known(&text, &message->base);
	return add_line(lines, text.data);
}

static ArrayBuildState *
show_stream_abort(ArrayBuildState *lines, const Penstock__StreamAbort *message)
{
	StreamState *stream = find_stream(message->xid);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "abort");
	if (stream == NULL)
		appendStringInfoString(&text, " OF NOTHING");
	else
	{
		appendStringInfo(&text, " stream %d", stream->ordinal);
		if (message->subxid != 0)
			appendStringInfo(&text, " sub %d",
							 subxid_ordinal(stream, message->subxid));
		stream->ended = message->subxid == 0;
	}
	if (message->abort_lsn == 0)
		appendStringInfoString(&text, " NO LSN");
	check_known(&text, &message->base);
	return add_line(lines, text.data);
}

static ArrayBuildState *
show_commit(ArrayBuildState *lines, const Penstock__Commit *commit)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "commit " UINT64_FORMAT,
					 (uint64) commit->change_count);
	if (commit->change_count != changes_counted)
		appendStringInfo(&text, " BUT COUNTED " UINT64_FORMAT, changes_counted);
	for (size_t i = 0; i < commit->n_gone; i++)
	{
		const Penstock__Relation *relation = find_relation(commit->gone[i]);

		appendStringInfo(&text, "%s %s", i == 0 ? " gone:" : ",",
						 relation->name);
	}
	if (!in_transaction)
		appendStringInfoString(&text, " WITHOUT BEGIN");
	in_transaction = false;
	if (current_stream != NULL)
		current_stream->ended = true;
	return add_line(lines, text.data);
}

static Penstock__Frame *
unpack_frame(ProtobufCAllocator *allocator, const void *data, size_t bytes)
{
	Penstock__Frame *frame = penstock__frame__unpack(allocator, bytes, data);

	if (frame == NULL)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("could not unpack frame")));
	return frame;
}

static Penstock__Frame *
decompress_frame(ProtobufCAllocator *allocator, const ProtobufCBinaryData *zstd)
{
	unsigned long long bytes = ZSTD_getFrameContentSize(zstd->data, zstd->len);
	char *content;

	if (bytes >= MaxAllocSize)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("compressed frame does not say its size")));
	content = palloc(bytes);
	if (ZSTD_decompress(content, bytes, zstd->data, zstd->len) != bytes)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("could not decompress frame")));
	return unpack_frame(allocator, content, bytes);
}

Datum
penstock_frame_lines(PG_FUNCTION_ARGS)
{
	ProtobufCAllocator allocator = {allocate, forget, CurrentMemoryContext};
	bytea *data = PG_GETARG_BYTEA_PP(0);
	ArrayBuildState *lines = NULL;
	Penstock__Frame *frame;

	if (session_context == NULL)
		reset_session();
	frame = unpack_frame(&allocator, VARDATA_ANY(data),
						 VARSIZE_ANY_EXHDR(data));
	if (frame->zstd.len > 0)
	{
		lines = add_line(lines, "zstd");
		if (frame->n_changes > 0 || frame->session || frame->begin ||
			frame->commit || frame->stream || frame->stream_abort)
			lines = add_line(lines, "INVALID FRAME");
		frame = decompress_frame(&allocator, &frame->zstd);
	}
	if (frame->session != NULL)
		lines = show_session(lines, frame->session);
	current_stream = NULL;
	if (frame->stream != NULL)
		lines = show_stream(lines, frame->stream);
	if (frame->begin != NULL)
		lines = show_begin(lines, frame->begin);
	for (size_t i = 0; i < frame->n_changes; i++)
		lines = show_change(lines, frame->changes[i]);
	if (current_stream != NULL)
		current_stream->changes_counted += frame->n_changes;
	else
		changes_counted += frame->n_changes;
	if (frame->commit != NULL)
		lines = show_commit(lines, frame->commit);
	if (frame->stream_abort != NULL)
		lines = show_stream_abort(lines, frame->stream_abort);
	if (lines == NULL || frame->base.n_unknown_fields > 0)
		lines = add_line(lines, "INVALID FRAME");

	PG_RETURN_DATUM(makeArrayResult(lines, CurrentMemoryContext));
}
