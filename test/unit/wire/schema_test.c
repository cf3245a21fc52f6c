/*
 * schema_test.c
 *    Changes of the schema are read field by field, and refused where they
 *    cannot be what they say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ddl/json.h"
#include "penstock.pb-c.h"
#include "wire/schema.h"

#define ARENA_BYTES ((size_t) 1024)
#define INVALID     "invalid frame from source: "

#define KIND(name)                                                             \
	PENSTOCK__SCHEMA_CONSTRAINT_KIND__SCHEMA_CONSTRAINT_KIND_##name

/* One of everything, as protobuf-c has it, for a test to bend. */
typedef struct Wire
{
	Penstock__SchemaChange change;
	Penstock__SchemaNamespace namespace;
	Penstock__SchemaTable table;
	Penstock__SchemaColumn columns[2];
	Penstock__SchemaColumn *column_list[2];
	Penstock__SchemaConstraint constraint;
	Penstock__SchemaConstraint *constraint_list[1];
	Penstock__SchemaIndex index;
	Penstock__SchemaIndex *index_list[1];
	Penstock__SchemaSequence sequence;
	Penstock__SchemaType type;
	Penstock__SchemaEnum enumeration;
	Penstock__SchemaEnumLabel labels[2];
	Penstock__SchemaEnumLabel *label_list[2];
	Penstock__SchemaDomain domain;
	Penstock__SchemaComposite composite;
	Penstock__Untranslated untranslated;
} Wire;

static Arena *arena;
static Wire wire;

/* protobuf-c's structures take text that may be written to. */
static char *
text(const char *string)
{
	return arena_strdup(arena, string);
}

static char nothing[] = "";

static uint32_t oids[] = {7, 8};

static void
init_columns(void)
{
	for (uint32_t i = 0; i < 2; i++)
	{
		penstock__schema_column__init(&wire.columns[i]);
		wire.columns[i].attnum = 2 * i + 1;
		wire.columns[i].name = text(i == 0 ? "id" : "note");
		wire.columns[i].type = text(i == 0 ? "integer" : "text");
		wire.columns[i].type_oid = i == 0 ? 23 : 25;
		wire.columns[i].typmod = -1;
		wire.column_list[i] = &wire.columns[i];
	}
}

static void
init_table(void)
{
	penstock__schema_table__init(&wire.table);
	wire.table.schema = text("public");
	wire.table.name = text("item");
	wire.table.replica_identity =
		PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_DEFAULT;
	wire.table.columns = wire.column_list;
	wire.table.n_columns = 2;
	penstock__schema_constraint__init(&wire.constraint);
	wire.constraint.oid = 20;
	wire.constraint.name = text("key");
	wire.constraint.kind = KIND(PRIMARY_KEY);
	wire.constraint.definition = text("PRIMARY KEY (id)");
	wire.constraint_list[0] = &wire.constraint;
	penstock__schema_index__init(&wire.index);
	wire.index.oid = 21;
	wire.index.schema = text("public");
	wire.index.name = text("key");
	wire.index.definition = text("CREATE UNIQUE INDEX …");
	wire.index_list[0] = &wire.index;
	wire.table.constraints = wire.constraint_list;
	wire.table.indexes = wire.index_list;
}

static void
init_types(void)
{
	penstock__schema_type__init(&wire.type);
	wire.type.schema = text("public");
	wire.type.name = text("kind");
	penstock__schema_enum__init(&wire.enumeration);
	penstock__schema_domain__init(&wire.domain);
	penstock__schema_composite__init(&wire.composite);
	for (uint32_t i = 0; i < 2; i++)
	{
		penstock__schema_enum_label__init(&wire.labels[i]);
		wire.labels[i].oid = 30 + i;
		wire.labels[i].label = text(i == 0 ? "small" : "large");
		wire.label_list[i] = &wire.labels[i];
	}
	wire.enumeration.labels = wire.label_list;
	wire.enumeration.n_labels = 2;
	wire.domain.base_type = text("integer");
	wire.domain.constraints = wire.constraint_list;
	wire.composite.columns = wire.column_list;
	wire.composite.n_columns = 2;
}

static void
init_sequence(void)
{
	penstock__schema_sequence__init(&wire.sequence);
	wire.sequence.schema = text("public");
	wire.sequence.name = text("numbers");
	wire.sequence.type = text("bigint");
	wire.sequence.increment = 1;
	wire.sequence.cache = 1;
	wire.sequence.maximum = INT64_MAX;
}

static int
set_up(void **state UNUSED)
{
	arena = arena_new(ARENA_BYTES);
	memset(&wire, 0, sizeof(wire));
	penstock__schema_change__init(&wire.change);
	penstock__schema_namespace__init(&wire.namespace);
	penstock__untranslated__init(&wire.untranslated);
	wire.change.lsn = 0x900;
	wire.change.oid = 16385;
	wire.namespace.name = text("shop");
	wire.untranslated.catalog = text("pg_proc");
	init_columns();
	init_table();
	init_types();
	init_sequence();
	return 0;
}

static int
tear_down(void **state UNUSED)
{
	arena_free(arena);
	return 0;
}

/* ---- What the change is of ---- */

static void
of_table(void)
{
	wire.change.object_case = PENSTOCK__SCHEMA_CHANGE__OBJECT_TABLE;
	wire.change.table = &wire.table;
}

static void
of_sequence(void)
{
	wire.change.object_case = PENSTOCK__SCHEMA_CHANGE__OBJECT_SEQUENCE;
	wire.change.sequence = &wire.sequence;
}

static void
of_gone(Penstock__SchemaCatalog catalog)
{
	wire.change.object_case = PENSTOCK__SCHEMA_CHANGE__OBJECT_GONE;
	wire.change.gone = catalog;
}

static void
of_untranslated(void)
{
	wire.change.object_case = PENSTOCK__SCHEMA_CHANGE__OBJECT_UNTRANSLATED;
	wire.change.untranslated = &wire.untranslated;
}

static void
of_type(Penstock__SchemaType__KindCase kind)
{
	wire.change.object_case = PENSTOCK__SCHEMA_CHANGE__OBJECT_TYPE;
	wire.change.type = &wire.type;
	wire.type.kind_case = kind;
	if (kind == PENSTOCK__SCHEMA_TYPE__KIND_ENUMERATION)
		wire.type.enumeration = &wire.enumeration;
	else if (kind == PENSTOCK__SCHEMA_TYPE__KIND_DOMAIN)
		wire.type.domain = &wire.domain;
	else if (kind == PENSTOCK__SCHEMA_TYPE__KIND_COMPOSITE)
		wire.type.composite = &wire.composite;
}

/* ---- Decoding ---- */

static Rc
decode(const SchemaChange **change, Error *err)
{
	size_t length = penstock__schema_change__get_packed_size(&wire.change);
	uint8_t *bytes = arena_alloc(arena, length);

	penstock__schema_change__pack(&wire.change, bytes);
	return schema_change_decode((Span){bytes, length}, arena, change, err);
}

static const SchemaChange *
accept(void)
{
	const SchemaChange *change = NULL;
	Error err = {0};

	if (decode(&change, &err) != RC_OK)
		fail_msg("refused: %s", err.message);
	assert_int_equal(change->lsn, 0x900);
	assert_int_equal(change->oid, 16385);
	return change;
}

static void
refuse(const char *message)
{
	const SchemaChange *change = NULL;
	Error err = {0};

	assert_int_equal(decode(&change, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_PROTOCOL);
	assert_string_equal(err.message, message);
	error_reset(&err);
}

/* The definition that comes of it, as JSON. */
static void
expect(DefinitionCatalog catalog, const char *expected)
{
	const SchemaChange *change = accept();
	Json json;
	Buf buf;

	assert_int_equal(change->kind, SCHEMA_DEFINED);
	assert_int_equal(change->catalog, catalog);
	buf_init(&buf, BUF_TEXT_MAX);
	json_init(&json, &buf);
	ddl_json_append(&json, change->definition);
	assert_string_equal(buf.data, expected);
	buf_release(&buf);
}

/* ---- What is read ---- */

static void
a_schema_has_a_name(void **state UNUSED)
{
	wire.change.object_case = PENSTOCK__SCHEMA_CHANGE__OBJECT_NAMESPACE;
	wire.change.namespace_ = &wire.namespace;
	expect(DEFINITION_IN_NAMESPACE,
		   "{\"kind\":\"schema\",\"oid\":16385,\"name\":\"shop\"}");
	wire.namespace.name = nothing;
	refuse(INVALID "definition of schema \"\" has no OID or no name");
}

static void
all_of_a_table_is_read(void **state UNUSED)
{
	char *options[] = {text("fillfactor=70"), text("x=y")};

	of_table();
	wire.table.partitioned = true;
	wire.table.unlogged = true;
	wire.table
		.replica_identity = PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_INDEX;
	wire.table.parents = oids;
	wire.table.n_parents = 1;
	wire.table.bound = text("DEFAULT");
	wire.table.detaching = true;
	wire.table.partition_key = text("LIST (id)");
	wire.table.of_type = text("public.row");
	wire.table.access_method = text("columnar");
	wire.table.options = options;
	wire.table.n_options = 2;
	wire.table.row_security = true;
	wire.table.force_row_security = true;
	wire.table.n_columns = 0;
	wire.table.published = true;
	wire.table.withheld = 6;
	expect(DEFINITION_IN_CLASS,
		   "{\"kind\":\"table\",\"oid\":16385,\"schema\":\"public\","
		   "\"name\":\"item\",\"partitioned\":true,\"unlogged\":true,"
		   "\"replica_identity\":\"index\",\"parents\":[7],"
		   "\"bound\":\"DEFAULT\",\"detaching\":true,"
		   "\"partition_key\":\"LIST (id)\",\"of_type\":\"public.row\","
		   "\"access_method\":\"columnar\","
		   "\"options\":[\"fillfactor=70\",\"x=y\"],\"row_security\":true,"
		   "\"force_row_security\":true,\"published\":true,"
		   "\"withheld\":6}");
}

static void
all_of_a_column_is_read(void **state UNUSED)
{
	char *options[] = {text("n_distinct=5")};
	Penstock__SchemaColumn *column = &wire.columns[0];

	of_table();
	wire.table.n_columns = 1;
	column->typmod = 24;
	column->collation = text("public.c");
	column->not_null = true;
	column->default_expression = text("1");
	column->generated = PENSTOCK__SCHEMA_GENERATED__SCHEMA_GENERATED_VIRTUAL;
	column->identity = PENSTOCK__IDENTITY__IDENTITY_BY_DEFAULT;
	column->local = true;
	column->inherited = 2;
	column->storage = text("e");
	column->compression = text("l");
	column->statistics = 501;
	column->options = options;
	column->n_options = 1;
	column->has_missing_value = true;
	expect(DEFINITION_IN_CLASS,
		   "{\"kind\":\"table\",\"oid\":16385,\"schema\":\"public\","
		   "\"name\":\"item\",\"columns\":[{\"attnum\":1,\"name\":\"id\","
		   "\"type_oid\":23,\"typmod\":24,\"type\":\"integer\","
		   "\"collation\":\"public.c\",\"not_null\":true,"
		   "\"default_expression\":\"1\",\"generated\":\"virtual\","
		   "\"identity\":\"by default\",\"local\":true,\"inherited\":2,"
		   "\"storage\":\"e\",\"compression\":\"l\",\"statistics\":500,"
		   "\"options\":[\"n_distinct=5\"],\"missing_value\":\"\"}]}");
}

static void
all_of_keys_and_indexes_is_read(void **state UNUSED)
{
	of_table();
	wire.table.n_columns = 0;
	wire.table.n_constraints = 1;
	wire.table.n_indexes = 1;
	wire.constraint.validated = true;
	wire.constraint.local = true;
	wire.constraint.inherited = 1;
	wire.constraint.parent = 5;
	wire.constraint.index = 21;
	wire.constraint.referenced_table = 6;
	wire.constraint.attnums = oids;
	wire.constraint.n_attnums = 2;
	wire.index.valid = true;
	wire.index.unique = true;
	wire.index.primary = true;
	wire.index.replica_identity = true;
	wire.index.clustered = true;
	wire.index.constraint = 20;
	wire.index.parent = 9;
	wire.index.attnums = oids;
	wire.index.n_attnums = 2;
	expect(DEFINITION_IN_CLASS,
		   "{\"kind\":\"table\",\"oid\":16385,\"schema\":\"public\","
		   "\"name\":\"item\",\"constraints\":[{\"oid\":20,\"name\":\"key\","
		   "\"kind\":\"primary key\",\"definition\":\"PRIMARY KEY (id)\","
		   "\"validated\":true,\"local\":true,\"inherited\":1,\"parent\":5,"
		   "\"index\":21,\"referenced_table\":6,\"attnums\":[7,8]}],"
		   "\"indexes\":[{\"oid\":21,\"schema\":\"public\",\"name\":\"key\","
		   "\"definition\":\"CREATE UNIQUE INDEX …\",\"valid\":true,"
		   "\"unique\":true,\"primary\":true,\"replica_identity\":true,"
		   "\"clustered\":true,\"constraint\":20,\"parent\":9,"
		   "\"attnums\":[7,8]}]}");
}

static void
all_of_a_sequence_is_read(void **state UNUSED)
{
	of_sequence();
	wire.sequence.type = text("smallint");
	wire.sequence.start = 3;
	wire.sequence.increment = -2;
	wire.sequence.minimum = INT64_MIN;
	wire.sequence.cache = 4;
	wire.sequence.cycle = true;
	wire.sequence.owner_table = 16390;
	wire.sequence.owner_attnum = 2;
	wire.sequence.identity = true;
	wire.sequence.unlogged = true;
	expect(DEFINITION_IN_CLASS,
		   "{\"kind\":\"sequence\",\"oid\":16385,\"schema\":\"public\","
		   "\"name\":\"numbers\",\"type\":\"smallint\",\"start\":3,"
		   "\"increment\":-2,\"minimum\":-9223372036854775808,"
		   "\"maximum\":9223372036854775807,\"cache\":4,\"cycle\":true,"
		   "\"owner_table\":16390,\"owner_attnum\":2,\"identity\":true,"
		   "\"unlogged\":true}");
}

static void
all_of_types_is_read(void **state UNUSED)
{
	of_type(PENSTOCK__SCHEMA_TYPE__KIND_ENUMERATION);
	expect(DEFINITION_IN_TYPE,
		   "{\"kind\":\"enum\",\"oid\":16385,\"schema\":\"public\","
		   "\"name\":\"kind\",\"labels\":[{\"oid\":30,\"label\":\"small\"},"
		   "{\"oid\":31,\"label\":\"large\"}]}");
	of_type(PENSTOCK__SCHEMA_TYPE__KIND_DOMAIN);
	wire.domain.collation = text("public.c");
	wire.domain.not_null = true;
	wire.domain.default_expression = text("5");
	wire.domain.n_constraints = 1;
	wire.constraint.kind = KIND(CHECK);
	expect(DEFINITION_IN_TYPE,
		   "{\"kind\":\"domain\",\"oid\":16385,\"schema\":\"public\","
		   "\"name\":\"kind\",\"base_type\":\"integer\","
		   "\"collation\":\"public.c\",\"not_null\":true,"
		   "\"default_expression\":\"5\",\"constraints\":[{\"oid\":20,"
		   "\"name\":\"key\",\"definition\":\"PRIMARY KEY (id)\"}]}");
	of_type(PENSTOCK__SCHEMA_TYPE__KIND_COMPOSITE);
	expect(DEFINITION_IN_TYPE,
		   "{\"kind\":\"composite\",\"oid\":16385,\"schema\":\"public\","
		   "\"name\":\"kind\",\"columns\":[{\"attnum\":1,\"name\":\"id\","
		   "\"type_oid\":23,\"type\":\"integer\"},{\"attnum\":3,"
		   "\"name\":\"note\",\"type_oid\":25,\"type\":\"text\"}]}");
}

static void
every_word_is_known(void **state UNUSED)
{
	static const Penstock__SchemaConstraintKind kinds[] = {
		KIND(CHECK),       KIND(PRIMARY_KEY), KIND(UNIQUE),
		KIND(FOREIGN_KEY), KIND(EXCLUSION),   KIND(NOT_NULL)};

	of_table();
	wire.table.n_constraints = 1;
	wire.constraint.referenced_table = 6;
	wire.columns[0].default_expression = text("1");
	for (int i = 0; i < 6; i++)
	{
		const TableDefinition *table;

		wire.constraint.kind = kinds[i];
		wire.columns[0].generated = (Penstock__SchemaGenerated) (i % 3);
		wire.columns[0].identity = (Penstock__Identity) (i % 3);
		wire.table.replica_identity = (Penstock__ReplicaIdentity) (i % 4 + 1);
		table = &accept()->definition->table;
		assert_int_equal(table->constraints[0].kind, i);
		assert_int_equal(table->columns[0].generated, i % 3);
		assert_int_equal(table->columns[0].identity, i % 3);
		assert_int_equal(table->replica_identity, i % 4);
	}
}

static void
what_is_gone_is_told_by_its_catalog(void **state UNUSED)
{
	for (int i = 0; i < 3; i++)
	{
		of_gone((Penstock__SchemaCatalog) (i + 1));
		assert_int_equal(accept()->kind, SCHEMA_GONE);
		assert_int_equal(accept()->catalog, i);
		assert_null(accept()->definition);
	}
}

static void
what_is_untranslated_is_told_in_words(void **state UNUSED)
{
	const SchemaChange *change;

	of_untranslated();
	wire.untranslated.identity = text("function f()");
	wire.untranslated.part = text("comment");
	wire.untranslated.gone = true;
	change = accept();
	assert_int_equal(change->kind, SCHEMA_UNTRANSLATED);
	assert_null(change->definition);
	assert_string_equal(change->untranslated_catalog, "pg_proc");
	assert_string_equal(change->untranslated_identity, "function f()");
	assert_string_equal(change->untranslated_part, "comment");
	assert_true(change->untranslated_gone);
	wire.untranslated.identity = nothing;
	assert_string_equal(accept()->untranslated_identity, "");
}

/* ---- What is refused ---- */

static void
a_change_is_of_something(void **state UNUSED)
{
	refuse(INVALID "schema change of a kind that is not known");
	of_type(PENSTOCK__SCHEMA_TYPE__KIND__NOT_SET);
	refuse(INVALID "type of a kind that is not known");
	of_gone(PENSTOCK__SCHEMA_CATALOG__SCHEMA_CATALOG_UNSPECIFIED);
	refuse(INVALID "object is gone of which it is not said which");
	of_gone((Penstock__SchemaCatalog) 4);
	refuse(INVALID "object is gone of which it is not said which");
	of_gone(PENSTOCK__SCHEMA_CATALOG__SCHEMA_CATALOG_TYPE);
	wire.change.oid = 0;
	refuse(INVALID "object is gone of which it is not said which");
	of_table();
	refuse(INVALID "definition of table \"item\" has no OID or no name");
	of_untranslated();
	wire.untranslated.catalog = nothing;
	refuse(INVALID "schema change of nothing");
}

static void
words_that_are_not_known_are_refused(void **state UNUSED)
{
	of_table();
	wire.table.n_constraints = 1;
	wire.constraint.kind = KIND(UNSPECIFIED);
	refuse(INVALID "constraint of a kind that is not known");
	wire.constraint.kind = (Penstock__SchemaConstraintKind) 7;
	refuse(INVALID "constraint of a kind that is not known");
	wire.columns[1].identity = (Penstock__Identity) 3;
	refuse(INVALID "column generated in a way that is not known");
	wire.columns[1].identity = 0;
	wire.columns[1].generated = (Penstock__SchemaGenerated) 3;
	refuse(INVALID "column generated in a way that is not known");
	wire.table.replica_identity = (Penstock__ReplicaIdentity) 0;
	refuse(INVALID "table with a replica identity that is not known");
}

static void
numbers_out_of_range_are_refused(void **state UNUSED)
{
	static const uint32_t attnums[] = {0, RELATION_COLUMNS_MAX + 1, 65537};

	of_table();
	for (size_t i = 0; i < LENGTH_OF(attnums); i++)
	{
		wire.columns[0].attnum = attnums[i];
		refuse(INVALID "definition of table \"item\" has a column with a "
					   "number out of range");
	}
	wire.columns[0].attnum = 1;
	wire.columns[0].statistics = UINT32_MAX;
	refuse(INVALID "definition of table \"item\" has a column with a "
				   "statistics target out of range");
	wire.columns[0].statistics = 0;
	wire.columns[0].inherited = UINT32_MAX;
	refuse(INVALID "definition of table \"item\" has a column with less than "
				   "no parents");
	of_sequence();
	wire.sequence.owner_table = 1;
	wire.sequence.owner_attnum = 65537;
	refuse(INVALID "sequence of a column with a number out of range");
}

static void
there_are_not_too_many_columns(void **state UNUSED)
{
	Penstock__SchemaColumn *many[RELATION_COLUMNS_MAX + 1];

	for (size_t i = 0; i < LENGTH_OF(many); i++)
		many[i] = &wire.columns[0];
	of_table();
	wire.table.columns = many;
	wire.table.n_columns = LENGTH_OF(many);
	refuse(INVALID "table with too many columns");
}

static void
bytes_that_are_none_are_refused(void **state UNUSED)
{
	static const uint8_t bytes[] = {0x2a, 0x05, 0x0a, 0x7f};
	const SchemaChange *change = NULL;
	Error err = {0};

	assert_int_equal(schema_change_decode((Span){bytes, sizeof(bytes)}, arena,
										  &change, &err),
					 RC_FAIL);
	assert_string_equal(err.message, INVALID "schema change cannot be read");
	error_reset(&err);
}

static void
a_change_that_is_too_long_is_refused(void **state UNUSED)
{
	const size_t length = SCHEMA_CHANGE_BYTES_MAX + 1;
	const SchemaChange *change = NULL;
	Error err = {0};

	assert_int_equal(
		schema_change_decode((Span){arena_alloc(arena, length), length}, arena,
							 &change, &err),
		RC_FAIL);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(err.message,
						"the stream has a schema change of 67108865 bytes, the "
						"limit is 67108864");
	error_reset(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_schema_has_a_name),
		TEST(all_of_a_table_is_read),
		TEST(all_of_a_column_is_read),
		TEST(all_of_keys_and_indexes_is_read),
		TEST(all_of_a_sequence_is_read),
		TEST(all_of_types_is_read),
		TEST(every_word_is_known),
		TEST(what_is_gone_is_told_by_its_catalog),
		TEST(what_is_untranslated_is_told_in_words),
		TEST(a_change_is_of_something),
		TEST(words_that_are_not_known_are_refused),
		TEST(numbers_out_of_range_are_refused),
		TEST(there_are_not_too_many_columns),
		TEST(bytes_that_are_none_are_refused),
		TEST(a_change_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
