/*
 * describe.c
 *		Writes definitions; see describe.h.
 *
 * A catalog is read by its index, into copies of its rows, before any of them
 * is written.  What one row says is read from the system caches.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_am.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_sequence.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "deparse.h"
#include "describe.h"
#include "publish.h"
#include "relinfo.h"
#include "wire.h"

/* ---- reading ---- */

/* What identifies rows of a catalog: leading columns of an index of it. */
typedef struct Lookup
{
	Oid catalog;
	Oid index;
	AttrNumber attnums[2]; /* the second may be 0 */
	Oid values[2];
} Lookup;

/* Copies of the rows, in the order of the index; *desc is their catalog's. */
static List *
read_rows(Lookup lookup, TupleDesc *desc)
{
	Relation catalog = table_open(lookup.catalog, AccessShareLock);
	ScanKeyData keys[2];
	int nkeys = 0;
	SysScanDesc scan;
	HeapTuple tuple;
	List *rows = NIL;

	while (nkeys < 2 && lookup.attnums[nkeys] != 0)
	{
		ScanKeyInit(&keys[nkeys], lookup.attnums[nkeys], BTEqualStrategyNumber,
					F_OIDEQ, ObjectIdGetDatum(lookup.values[nkeys]));
		nkeys++;
	}
	scan = systable_beginscan(catalog, lookup.index, true, NULL, nkeys, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		rows = lappend(rows, heap_copytuple(tuple));
	systable_endscan(scan);
	*desc = CreateTupleDescCopy(RelationGetDescr(catalog));
	table_close(catalog, AccessShareLock);
	return rows;
}

/* ---- writing ---- */

/* A field that is a name or text; empty: it is left out. */
static void
put_text(PenstockSession *session, StringInfo buf, int field, const char *text)
{
	Size bytes;
	const char *converted;

	if (text == NULL || text[0] == '\0')
		return;
	bytes = strlen(text);
	converted = penstock_session_convert(session, text, &bytes);
	if (!penstock_wire_fits(buf, bytes + 64))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("definition of an object of the schema is too "
							   "large to be sent")));
	penstock_wire_bytes(buf, field, converted, bytes);
}

static void
put_namespace(PenstockSession *session, StringInfo buf, int field,
			  Oid namespace)
{
	put_text(session, buf, field, get_namespace_name(namespace));
}

static void
put_letter(PenstockSession *session, StringInfo buf, int field, char letter)
{
	put_text(session, buf, field, (char[]){letter, '\0'});
}

/* With which the server notes, since November 2026, when a column changed. */
#define VERSION_OPTION "pg_attver="

/* Each element of an array of options. */
static void
put_options(PenstockSession *session, StringInfo buf, int field, Datum array)
{
	Datum *elements;
	int count;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		const char *option = TextDatumGetCString(elements[i]);

		if (strncmp(option, VERSION_OPTION, sizeof(VERSION_OPTION) - 1) != 0)
			put_text(session, buf, field, option);
	}
}

static void
put_attnums(StringInfo buf, int field, const int16 *attnums, int count)
{
	StringInfoData packed;

	if (count == 0)
		return;
	initStringInfo(&packed);
	for (int i = 0; i < count; i++)
	{
		char *p = penstock_wire_reserve(&packed,
										PENSTOCK_WIRE_VARINT_BYTES_MAX);

		penstock_wire_advance(&packed,
							  penstock_wire_varint(p, (uint64) attnums[i]));
	}
	penstock_wire_bytes(buf, field, packed.data, (Size) packed.len);
}

/* A collation, unless it is the type's. */
static void
put_collation(PenstockSession *session, StringInfo buf, int field,
			  Oid collation, Oid type)
{
	if (OidIsValid(collation) && collation != get_typcollation(type))
		put_text(session, buf, field, penstock_deparse_collation(collation));
}

/* ---- columns ---- */

/* Expressions of defaults by attnum; NULL: none. */
static char **
read_defaults(Form_pg_class form)
{
	char **defaults = palloc0(sizeof(char *) * ((Size) form->relnatts + 1));
	TupleDesc desc;
	List *rows = read_rows((Lookup){.catalog = AttrDefaultRelationId,
									.index = AttrDefaultIndexId,
									.attnums = {Anum_pg_attrdef_adrelid},
									.values = {form->oid}},
						   &desc);
	ListCell *cell;

	foreach (cell, rows)
	{
		HeapTuple tuple = lfirst(cell);
		int attnum = ((Form_pg_attrdef) GETSTRUCT(tuple))->adnum;
		bool isnull;
		Datum value = heap_getattr(tuple, Anum_pg_attrdef_adbin, desc, &isnull);

		if (!isnull && attnum > 0 && attnum <= form->relnatts)
			defaults[attnum] = penstock_deparse_expression(value, form->oid);
	}
	return defaults;
}

/* What rows have in the column that are older than it. */
static void
put_missing_value(PenstockSession *session, StringInfo buf, HeapTuple tuple)
{
	Form_pg_attribute attr = (Form_pg_attribute) GETSTRUCT(tuple);
	int index = 1;
	bool isnull;
	Datum array;
	Datum value;
	Oid output;
	bool is_varlena;

	if (!attr->atthasmissing)
		return;
	array = SysCacheGetAttr(ATTNUM, tuple, Anum_pg_attribute_attmissingval,
							&isnull);
	if (isnull)
		return;
	value = array_get_element(array, 1, &index, -1, attr->attlen,
							  attr->attbyval, attr->attalign, &isnull);
	if (isnull)
		return;
	getTypeOutputInfo(attr->atttypid, &output, &is_varlena);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_HAS_MISSING_VALUE, true);
	put_text(session, buf, PENSTOCK_SCHEMA_COLUMN_MISSING_VALUE,
			 OidOutputFunctionCall(output, value));
}

/* As in penstock.proto. */
static int
generated_kind(char attgenerated)
{
	switch (attgenerated)
	{
		case 's':
			return 1;
		case 'v':
			return 2;
		default:
			return 0;
	}
}

static int
identity_kind(char attidentity)
{
	switch (attidentity)
	{
		case ATTRIBUTE_IDENTITY_ALWAYS:
			return 1;
		case ATTRIBUTE_IDENTITY_BY_DEFAULT:
			return 2;
		default:
			return 0;
	}
}

/* What a column of a table and one of a composite type have. */
static void
put_column_type(PenstockSession *session, StringInfo buf,
				Form_pg_attribute attr)
{
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_ATTNUM,
					   (uint64) attr->attnum);
	put_text(session, buf, PENSTOCK_SCHEMA_COLUMN_NAME, NameStr(attr->attname));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_TYPE_OID, attr->atttypid);
	penstock_wire_sint(buf, PENSTOCK_SCHEMA_COLUMN_TYPMOD, attr->atttypmod);
	put_text(session, buf, PENSTOCK_SCHEMA_COLUMN_TYPE,
			 penstock_deparse_type(attr->atttypid, attr->atttypmod));
	put_collation(session, buf, PENSTOCK_SCHEMA_COLUMN_COLLATION,
				  attr->attcollation, attr->atttypid);
}

static void
put_column_storage(PenstockSession *session, StringInfo buf, HeapTuple tuple)
{
	Form_pg_attribute attr = (Form_pg_attribute) GETSTRUCT(tuple);
	bool isnull;
	Datum options;

	if (attr->attstorage != get_typstorage(attr->atttypid))
		put_letter(session, buf, PENSTOCK_SCHEMA_COLUMN_STORAGE,
				   attr->attstorage);
	put_letter(session, buf, PENSTOCK_SCHEMA_COLUMN_COMPRESSION,
			   attcompression_compat(attr));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_STATISTICS,
					   (uint64) (attstattarget_compat(tuple) + 1));
	options = SysCacheGetAttr(ATTNUM, tuple, Anum_pg_attribute_attoptions,
							  &isnull);
	if (!isnull)
		put_options(session, buf, PENSTOCK_SCHEMA_COLUMN_OPTIONS, options);
}

static void
put_column(PenstockSession *session, StringInfo buf, HeapTuple tuple,
		   const char *default_expression)
{
	Form_pg_attribute attr = (Form_pg_attribute) GETSTRUCT(tuple);
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_TABLE_COLUMNS,
								   PENSTOCK_WIRE_LENGTH_SMALL);

	put_column_type(session, buf, attr);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_NOT_NULL, attr->attnotnull);
	if (attr->atthasdef)
		put_text(session, buf, PENSTOCK_SCHEMA_COLUMN_DEFAULT_EXPRESSION,
				 default_expression);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_GENERATED,
					   (uint64) generated_kind(attr->attgenerated));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_IDENTITY,
					   (uint64) identity_kind(attr->attidentity));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_LOCAL, attr->attislocal);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_INHERITED,
					   (uint64) attr->attinhcount);
	put_column_storage(session, buf, tuple);
	put_missing_value(session, buf, tuple);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
}

static void
put_columns(PenstockSession *session, StringInfo buf, Form_pg_class form)
{
	char **defaults = read_defaults(form);

	for (AttrNumber i = 1; i <= form->relnatts; i++)
	{
		HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(form->oid),
										  Int16GetDatum(i));

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for attribute %d of relation %u",
				 i, form->oid);
		if (!((Form_pg_attribute) GETSTRUCT(tuple))->attisdropped)
			put_column(session, buf, tuple, defaults[i]);
		ReleaseSysCache(tuple);
	}
}

/* ---- constraints and indexes ---- */

/* As in penstock.proto; 0: not a constraint that is told of. */
static int
constraint_kind(char contype)
{
	switch (contype)
	{
		case CONSTRAINT_CHECK:
			return 1;
		case CONSTRAINT_PRIMARY:
			return 2;
		case CONSTRAINT_UNIQUE:
			return 3;
		case CONSTRAINT_FOREIGN:
			return 4;
		case CONSTRAINT_EXCLUSION:
			return 5;
		case PENSTOCK_CONSTRAINT_NOT_NULL_COMPAT:
			return 6;
		default:
			return 0;
	}
}

/*
 * Of a foreign key to a partitioned table the server makes one to each
 * partition, on the same table.
 */
static bool
is_made_for_partition(Form_pg_constraint form)
{
	HeapTuple tuple;
	bool made;

	if (form->contype != CONSTRAINT_FOREIGN || !OidIsValid(form->conparentid))
		return false;
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(form->conparentid));
	if (!HeapTupleIsValid(tuple))
		return false;
	made = ((Form_pg_constraint) GETSTRUCT(tuple))->conrelid == form->conrelid;
	ReleaseSysCache(tuple);
	return made;
}

/* Whether its index is on its own table. */
static bool
has_index(Form_pg_constraint form)
{
	return form->contype == CONSTRAINT_PRIMARY ||
		   form->contype == CONSTRAINT_UNIQUE ||
		   form->contype == CONSTRAINT_EXCLUSION;
}

static void
put_constraint(PenstockSession *session, StringInfo buf, int field,
			   HeapTuple tuple, TupleDesc desc)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	int mark = penstock_wire_begin(buf, field, PENSTOCK_WIRE_LENGTH_SMALL);
	bool isnull;
	Datum attnums;

	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_OID, form->oid);
	put_text(session, buf, PENSTOCK_SCHEMA_CONSTRAINT_NAME,
			 NameStr(form->conname));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_KIND,
					   (uint64) constraint_kind(form->contype));
	put_text(session, buf, PENSTOCK_SCHEMA_CONSTRAINT_DEFINITION,
			 penstock_deparse_constraint(tuple, desc));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_VALIDATED,
					   form->convalidated);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_LOCAL, form->conislocal);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_INHERITED,
					   (uint64) form->coninhcount);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_PARENT,
					   form->conparentid);
	if (has_index(form))
		penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_INDEX,
						   form->conindid);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_REFERENCED_TABLE,
					   form->confrelid);
	attnums = heap_getattr(tuple, Anum_pg_constraint_conkey, desc, &isnull);
	if (!isnull)
	{
		ArrayType *array = DatumGetArrayTypeP(attnums);

		put_attnums(buf, PENSTOCK_SCHEMA_CONSTRAINT_ATTNUMS,
					(const int16 *) ARR_DATA_PTR(array),
					ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)));
	}
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
}

/* Those of a table or of a domain, the other being InvalidOid; by name. */
static List *
read_constraints(Oid table, Oid domain, TupleDesc *desc)
{
	return read_rows((Lookup){.catalog = ConstraintRelationId,
							  .index = ConstraintRelidTypidNameIndexId,
							  .attnums = {Anum_pg_constraint_conrelid,
										  Anum_pg_constraint_contypid},
							  .values = {table, domain}},
					 desc);
}

static void
put_constraints(PenstockSession *session, StringInfo buf, int field,
				const List *rows, TupleDesc desc)
{
	ListCell *cell;

	foreach (cell, rows)
	{
		HeapTuple tuple = lfirst(cell);
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);

		if (constraint_kind(form->contype) != 0 && !is_made_for_partition(form))
			put_constraint(session, buf, field, tuple, desc);
	}
}

/* The rows of pg_inherits that say what a table or an index inherits from. */
static List *
read_parents(Oid relid)
{
	TupleDesc desc;

	return read_rows((Lookup){.catalog = InheritsRelationId,
							  .index = InheritsRelidSeqnoIndexId,
							  .attnums = {Anum_pg_inherits_inhrelid},
							  .values = {relid}},
					 &desc);
}

/* The constraint among these that has the index; InvalidOid: none. */
static Oid
constraint_of_index(const List *constraints, Oid index)
{
	ListCell *cell;

	foreach (cell, constraints)
	{
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(
			(HeapTuple) lfirst(cell));

		if (has_index(form) && form->conindid == index)
			return form->oid;
	}
	return InvalidOid;
}

typedef struct TableIndex
{
	HeapTuple tuple; /* of pg_index */
	Oid namespace;
	NameData name;
} TableIndex;

static int
compare_indexes(const ListCell *a, const ListCell *b)
{
	const TableIndex *left = lfirst(a);
	const TableIndex *right = lfirst(b);

	return strcmp(NameStr(left->name), NameStr(right->name));
}

/* Those of a table, as TableIndex, by name. */
static List *
read_indexes(Oid table)
{
	TupleDesc desc;
	List *rows = read_rows((Lookup){.catalog = IndexRelationId,
									.index = IndexIndrelidIndexId,
									.attnums = {Anum_pg_index_indrelid},
									.values = {table}},
						   &desc);
	List *indexes = NIL;
	ListCell *cell;

	foreach (cell, rows)
	{
		HeapTuple tuple = lfirst(cell);
		Oid oid = ((Form_pg_index) GETSTRUCT(tuple))->indexrelid;
		HeapTuple class_tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
		Form_pg_class form;
		TableIndex *index;

		if (!HeapTupleIsValid(class_tuple))
			elog(ERROR, "cache lookup failed for relation %u", oid);
		form = (Form_pg_class) GETSTRUCT(class_tuple);
		index = palloc(sizeof(TableIndex));
		index->tuple = tuple;
		index->namespace = form->relnamespace;
		index->name = form->relname;
		ReleaseSysCache(class_tuple);
		indexes = lappend(indexes, index);
	}
	list_sort(indexes, compare_indexes);
	return indexes;
}

static Oid
parent_of_index(Oid index)
{
	const List *parents = read_parents(index);

	if (parents == NIL)
		return InvalidOid;
	return ((Form_pg_inherits) GETSTRUCT((HeapTuple) linitial(parents)))
		->inhparent;
}

static void
put_index(PenstockSession *session, StringInfo buf, const TableIndex *index,
		  const List *constraints)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(index->tuple);
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_TABLE_INDEXES,
								   PENSTOCK_WIRE_LENGTH_SMALL);

	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_OID, form->indexrelid);
	put_namespace(session, buf, PENSTOCK_SCHEMA_INDEX_SCHEMA, index->namespace);
	put_text(session, buf, PENSTOCK_SCHEMA_INDEX_NAME, NameStr(index->name));
	put_text(session, buf, PENSTOCK_SCHEMA_INDEX_DEFINITION,
			 penstock_deparse_index(form->indexrelid));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_VALID, form->indisvalid);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_UNIQUE, form->indisunique);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_PRIMARY, form->indisprimary);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_REPLICA_IDENTITY,
					   form->indisreplident);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_CLUSTERED,
					   form->indisclustered);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_CONSTRAINT,
					   constraint_of_index(constraints, form->indexrelid));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_PARENT,
					   parent_of_index(form->indexrelid));
	put_attnums(buf, PENSTOCK_SCHEMA_INDEX_ATTNUMS, form->indkey.values,
				form->indkey.dim1);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
}

/* ---- objects ---- */

static int
replica_identity_kind(char relreplident)
{
	switch (relreplident)
	{
		case REPLICA_IDENTITY_NOTHING:
			return PENSTOCK_REPLICA_IDENTITY_NOTHING;
		case REPLICA_IDENTITY_FULL:
			return PENSTOCK_REPLICA_IDENTITY_FULL;
		case REPLICA_IDENTITY_INDEX:
			return PENSTOCK_REPLICA_IDENTITY_INDEX;
		default:
			return PENSTOCK_REPLICA_IDENTITY_DEFAULT;
	}
}

static void
put_parents(StringInfo buf, Oid table)
{
	const List *rows = read_parents(table);
	bool detaching = false;
	StringInfoData packed;
	ListCell *cell;

	if (rows == NIL)
		return;
	initStringInfo(&packed);
	foreach (cell, rows)
	{
		Form_pg_inherits form = (Form_pg_inherits) GETSTRUCT(
			(HeapTuple) lfirst(cell));
		char *p = penstock_wire_reserve(&packed,
										PENSTOCK_WIRE_VARINT_BYTES_MAX);

		penstock_wire_advance(&packed,
							  penstock_wire_varint(p, form->inhparent));
		detaching |= detach_pending_compat(form);
	}
	penstock_wire_bytes(buf, PENSTOCK_SCHEMA_TABLE_PARENTS, packed.data,
						(Size) packed.len);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_DETACHING, detaching);
}

static void
put_partitioning(PenstockSession *session, StringInfo buf, HeapTuple tuple)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
	bool isnull;
	Datum bound;

	put_parents(buf, form->oid);
	bound = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relpartbound, &isnull);
	if (!isnull)
		put_text(session, buf, PENSTOCK_SCHEMA_TABLE_BOUND,
				 penstock_deparse_expression(bound, form->oid));
	if (form->relkind == RELKIND_PARTITIONED_TABLE)
		put_text(session, buf, PENSTOCK_SCHEMA_TABLE_PARTITION_KEY,
				 penstock_deparse_partition_key(form->oid));
}

static void
put_table_options(PenstockSession *session, StringInfo buf, HeapTuple tuple)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
	bool isnull;
	Datum options;

	if (OidIsValid(form->reloftype))
		put_text(session, buf, PENSTOCK_SCHEMA_TABLE_OF_TYPE,
				 penstock_deparse_type(form->reloftype, -1));
	if (OidIsValid(form->relam) && form->relam != HEAP_TABLE_AM_OID)
		put_text(session, buf, PENSTOCK_SCHEMA_TABLE_ACCESS_METHOD,
				 get_am_name(form->relam));
	options = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_reloptions, &isnull);
	if (!isnull)
		put_options(session, buf, PENSTOCK_SCHEMA_TABLE_OPTIONS, options);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_ROW_SECURITY,
					   form->relrowsecurity);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_FORCE_ROW_SECURITY,
					   form->relforcerowsecurity);
}

static void
put_constraints_and_indexes(PenstockSession *session, StringInfo buf, Oid table)
{
	TupleDesc desc;
	const List *constraints = read_constraints(table, InvalidOid, &desc);
	const List *indexes = read_indexes(table);
	ListCell *cell;

	put_constraints(session, buf, PENSTOCK_SCHEMA_TABLE_CONSTRAINTS,
					constraints, desc);
	foreach (cell, indexes)
		put_index(session, buf, lfirst(cell), constraints);
}

static void
put_table(PenstockSession *session, StringInfo buf, HeapTuple tuple)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_CHANGE_TABLE,
								   PENSTOCK_WIRE_LENGTH_MEDIUM);

	put_namespace(session, buf, PENSTOCK_SCHEMA_TABLE_SCHEMA,
				  form->relnamespace);
	put_text(session, buf, PENSTOCK_SCHEMA_TABLE_NAME, NameStr(form->relname));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_PARTITIONED,
					   form->relkind == RELKIND_PARTITIONED_TABLE);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_UNLOGGED,
					   form->relpersistence == RELPERSISTENCE_UNLOGGED);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_REPLICA_IDENTITY,
					   (uint64) replica_identity_kind(form->relreplident));
	put_partitioning(session, buf, tuple);
	put_table_options(session, buf, tuple);
	put_columns(session, buf, form);
	put_constraints_and_indexes(session, buf, form->oid);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_PUBLISHED,
					   form->relpersistence == RELPERSISTENCE_PERMANENT &&
						   penstock_publications_have(session, form->oid,
													  form->relispartition));
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
}

/* Says which column a sequence belongs to, if it does. */
static void
put_sequence_owner(StringInfo buf, Oid sequence)
{
	TupleDesc desc;
	const List *rows = read_rows(
		(Lookup){.catalog = DependRelationId,
				 .index = DependDependerIndexId,
				 .attnums = {Anum_pg_depend_classid, Anum_pg_depend_objid},
				 .values = {RelationRelationId, sequence}},
		&desc);
	ListCell *cell;

	foreach (cell, rows)
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(
			(HeapTuple) lfirst(cell));

		if (form->objsubid != 0 || form->refclassid != RelationRelationId ||
			form->refobjsubid <= 0 ||
			(form->deptype != DEPENDENCY_AUTO &&
			 form->deptype != DEPENDENCY_INTERNAL))
			continue;
		penstock_wire_uint(buf, PENSTOCK_SCHEMA_SEQUENCE_OWNER_TABLE,
						   form->refobjid);
		penstock_wire_uint(buf, PENSTOCK_SCHEMA_SEQUENCE_OWNER_ATTNUM,
						   (uint64) form->refobjsubid);
		penstock_wire_uint(buf, PENSTOCK_SCHEMA_SEQUENCE_IDENTITY,
						   form->deptype == DEPENDENCY_INTERNAL);
		return;
	}
}

static void
put_sequence(PenstockSession *session, StringInfo buf, HeapTuple class_tuple)
{
	Form_pg_class class = (Form_pg_class) GETSTRUCT(class_tuple);
	HeapTuple tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(class->oid));
	Form_pg_sequence form;
	int mark;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for sequence %u", class->oid);
	form = (Form_pg_sequence) GETSTRUCT(tuple);
	mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_CHANGE_SEQUENCE,
							   PENSTOCK_WIRE_LENGTH_MEDIUM);
	put_namespace(session, buf, PENSTOCK_SCHEMA_SEQUENCE_SCHEMA,
				  class->relnamespace);
	put_text(session, buf, PENSTOCK_SCHEMA_SEQUENCE_NAME,
			 NameStr(class->relname));
	put_text(session, buf, PENSTOCK_SCHEMA_SEQUENCE_TYPE,
			 penstock_deparse_type(form->seqtypid, -1));
	penstock_wire_sint(buf, PENSTOCK_SCHEMA_SEQUENCE_START, form->seqstart);
	penstock_wire_sint(buf, PENSTOCK_SCHEMA_SEQUENCE_INCREMENT,
					   form->seqincrement);
	penstock_wire_sint(buf, PENSTOCK_SCHEMA_SEQUENCE_MINIMUM, form->seqmin);
	penstock_wire_sint(buf, PENSTOCK_SCHEMA_SEQUENCE_MAXIMUM, form->seqmax);
	penstock_wire_sint(buf, PENSTOCK_SCHEMA_SEQUENCE_CACHE, form->seqcache);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_SEQUENCE_CYCLE, form->seqcycle);
	put_sequence_owner(buf, class->oid);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_SEQUENCE_UNLOGGED,
					   class->relpersistence == RELPERSISTENCE_UNLOGGED);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
	ReleaseSysCache(tuple);
}

static int
compare_labels(const ListCell *a, const ListCell *b)
{
	Form_pg_enum left = (Form_pg_enum) GETSTRUCT((HeapTuple) lfirst(a));
	Form_pg_enum right = (Form_pg_enum) GETSTRUCT((HeapTuple) lfirst(b));

	return left->enumsortorder < right->enumsortorder
			   ? -1
			   : left->enumsortorder > right->enumsortorder;
}

static void
put_enum(PenstockSession *session, StringInfo buf, Oid type)
{
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_TYPE_ENUMERATION,
								   PENSTOCK_WIRE_LENGTH_MEDIUM);
	TupleDesc desc;
	List *rows = read_rows((Lookup){.catalog = EnumRelationId,
									.index = EnumTypIdLabelIndexId,
									.attnums = {Anum_pg_enum_enumtypid},
									.values = {type}},
						   &desc);
	ListCell *cell;

	list_sort(rows, compare_labels);
	foreach (cell, rows)
	{
		Form_pg_enum form = (Form_pg_enum) GETSTRUCT((HeapTuple) lfirst(cell));
		int label = penstock_wire_begin(buf, PENSTOCK_SCHEMA_ENUM_LABELS,
										PENSTOCK_WIRE_LENGTH_SMALL);

		penstock_wire_uint(buf, PENSTOCK_SCHEMA_ENUM_LABEL_OID, form->oid);
		put_text(session, buf, PENSTOCK_SCHEMA_ENUM_LABEL_LABEL,
				 NameStr(form->enumlabel));
		penstock_wire_end(buf, label, PENSTOCK_WIRE_LENGTH_SMALL);
	}
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
}

static void
put_domain(PenstockSession *session, StringInfo buf, HeapTuple tuple)
{
	Form_pg_type form = (Form_pg_type) GETSTRUCT(tuple);
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_TYPE_DOMAIN,
								   PENSTOCK_WIRE_LENGTH_MEDIUM);
	TupleDesc desc;
	const List *constraints = read_constraints(InvalidOid, form->oid, &desc);
	bool isnull;
	Datum value;

	put_text(session, buf, PENSTOCK_SCHEMA_DOMAIN_BASE_TYPE,
			 penstock_deparse_type(form->typbasetype, form->typtypmod));
	put_collation(session, buf, PENSTOCK_SCHEMA_DOMAIN_COLLATION,
				  form->typcollation, form->typbasetype);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_DOMAIN_NOT_NULL, form->typnotnull);
	value = SysCacheGetAttr(TYPEOID, tuple, Anum_pg_type_typdefaultbin,
							&isnull);
	if (!isnull)
		put_text(session, buf, PENSTOCK_SCHEMA_DOMAIN_DEFAULT_EXPRESSION,
				 penstock_deparse_expression(value, InvalidOid));
	put_constraints(session, buf, PENSTOCK_SCHEMA_DOMAIN_CONSTRAINTS,
					constraints, desc);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
}

static int
count_columns(Oid relid)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	int count;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	count = ((Form_pg_class) GETSTRUCT(tuple))->relnatts;
	ReleaseSysCache(tuple);
	return count;
}

static void
put_composite(PenstockSession *session, StringInfo buf, Oid relid)
{
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_TYPE_COMPOSITE,
								   PENSTOCK_WIRE_LENGTH_MEDIUM);
	int count = count_columns(relid);

	for (AttrNumber i = 1; i <= count; i++)
	{
		HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid),
										  Int16GetDatum(i));
		Form_pg_attribute attr;
		int column;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for attribute %d of relation %u",
				 i, relid);
		attr = (Form_pg_attribute) GETSTRUCT(tuple);
		if (!attr->attisdropped)
		{
			column = penstock_wire_begin(buf, PENSTOCK_SCHEMA_COMPOSITE_COLUMNS,
										 PENSTOCK_WIRE_LENGTH_SMALL);
			put_column_type(session, buf, attr);
			penstock_wire_end(buf, column, PENSTOCK_WIRE_LENGTH_SMALL);
		}
		ReleaseSysCache(tuple);
	}
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
}

static void
put_type(PenstockSession *session, StringInfo buf, Oid oid)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(oid));
	Form_pg_type form;
	int mark;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", oid);
	form = (Form_pg_type) GETSTRUCT(tuple);
	mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_CHANGE_TYPE,
							   PENSTOCK_WIRE_LENGTH_MEDIUM);
	put_namespace(session, buf, PENSTOCK_SCHEMA_TYPE_SCHEMA,
				  form->typnamespace);
	put_text(session, buf, PENSTOCK_SCHEMA_TYPE_NAME, NameStr(form->typname));
	switch (form->typtype)
	{
		case TYPTYPE_ENUM:
			put_enum(session, buf, oid);
			break;
		case TYPTYPE_DOMAIN:
			put_domain(session, buf, tuple);
			break;
		default:
			put_composite(session, buf, form->typrelid);
	}
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
	ReleaseSysCache(tuple);
}

static void
put_schema(PenstockSession *session, StringInfo buf, Oid oid)
{
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_CHANGE_NAMESPACE,
								   PENSTOCK_WIRE_LENGTH_SMALL);

	put_namespace(session, buf, PENSTOCK_SCHEMA_NAMESPACE_NAME, oid);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
}

static void
put_relation(PenstockSession *session, StringInfo buf, Oid oid)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", oid);
	if (((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_SEQUENCE)
		put_sequence(session, buf, tuple);
	else
		put_table(session, buf, tuple);
	ReleaseSysCache(tuple);
}

static void
put_untranslated(PenstockSession *session, StringInfo buf,
				 const PenstockSchemaObject *object)
{
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_CHANGE_UNTRANSLATED,
								   PENSTOCK_WIRE_LENGTH_SMALL);
	ObjectAddress address = {.classId = object->catalog,
							 .objectId = object->oid,
							 .objectSubId = object->column};
	const char *identity = object->name;

	if (!object->gone && OidIsValid(object->oid))
		identity = describe_object_compat(&address);
	put_text(session, buf, PENSTOCK_UNTRANSLATED_CATALOG,
			 get_rel_name(object->catalog));
	put_text(session, buf, PENSTOCK_UNTRANSLATED_IDENTITY, identity);
	penstock_wire_uint(buf, PENSTOCK_UNTRANSLATED_GONE, object->gone);
	put_text(session, buf, PENSTOCK_UNTRANSLATED_PART, object->part);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
}

/* As in penstock.proto. */
static int
catalog_kind(Oid catalog)
{
	switch (catalog)
	{
		case NamespaceRelationId:
			return 1;
		case RelationRelationId:
			return 2;
		default:
			Assert(catalog == TypeRelationId);
			return 3;
	}
}

static void
put_definition(PenstockSession *session, StringInfo buf,
			   const PenstockSchemaObject *object)
{
	switch (object->catalog)
	{
		case NamespaceRelationId:
			put_schema(session, buf, object->oid);
			break;
		case RelationRelationId:
			put_relation(session, buf, object->oid);
			break;
		default:
			put_type(session, buf, object->oid);
	}
}

void
penstock_describe(PenstockSession *session, StringInfo buf,
				  const PenstockSchemaObject *object)
{
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CHANGE_LSN, object->lsn);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CHANGE_OID, object->oid);
	switch (object->form)
	{
		case PENSTOCK_SCHEMA_DEFINED:
			put_definition(session, buf, object);
			break;
		case PENSTOCK_SCHEMA_GONE:
			penstock_wire_uint(buf, PENSTOCK_SCHEMA_CHANGE_GONE,
							   (uint64) catalog_kind(object->catalog));
			break;
		case PENSTOCK_SCHEMA_UNTRANSLATED:
			put_untranslated(session, buf, object);
			break;
	}
}
