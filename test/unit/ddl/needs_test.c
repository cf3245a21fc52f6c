/*
 * needs_test.c
 *    What definitions need, by the names in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ddl/needs.h"

/* OIDs of the objects of a database. */
enum
{
	APP = 1, /* schema */
	OTHER,   /* schema */
	MOOD,    /* enum other."Mood" */
	AMOUNT,  /* domain app.amount AS other."Mood" */
	LONE,    /* sequence app.lone */
	OWNED,   /* sequence of a column of `item` */
	LOG,     /* partitioned table */
	LOG_1,   /* partition of it */
	ITEM,    /* table */
};

static void
put(DefinitionSet *set, Definition definition)
{
	Definition changed = definition;

	changed.apart = true;
	definition_set_put(set, &changed);
}

static Definition
make(DefinitionKind kind, uint32_t oid, const char *schema, const char *name)
{
	Definition definition = {.kind = kind};

	definition_set_usual(definition_shape(kind), &definition);
	definition.oid = oid;
	definition.schema = schema;
	definition.name = name;
	return definition;
}

static void
put_tables(DefinitionSet *set)
{
	ColumnDefinition columns[] = {
		{.attnum = 1,
		 .name = "amounts",
		 .type = "app.amount[]",
		 .collation = "",
		 .default_expression = "",
		 .storage = "",
		 .compression = ""},
		{.attnum = 2,
		 .name = "number",
		 .type = "integer",
		 .collation = "",
		 .default_expression = "nextval('app.lone'::regclass)",
		 .storage = "",
		 .compression = ""},
	};
	uint32_t parents[] = {LOG};
	Definition item = make(DEFINITION_TABLE, ITEM, "app", "item");
	Definition log = make(DEFINITION_TABLE, LOG, "app", "log");
	Definition log_1 = make(DEFINITION_TABLE, LOG_1, "app", "log_1");

	item.table.columns = columns;
	item.table.column_count = LENGTH_OF(columns);
	log.table.partitioned = true;
	log_1.table.parents = (OidList){.count = 1, .oids = parents};
	put(set, item);
	put(set, log);
	put(set, log_1);
}

/* Returns the database, where everything is apart. */
static DefinitionSet *
make_database(void)
{
	DefinitionSet *set = definition_set_new();
	Definition amount = make(DEFINITION_DOMAIN, AMOUNT, "app", "amount");
	Definition owned = make(DEFINITION_SEQUENCE, OWNED, "app", "item_id_seq");

	put(set, make(DEFINITION_NAMESPACE, APP, "", "app"));
	put(set, make(DEFINITION_NAMESPACE, OTHER, "", "other"));
	put(set, make(DEFINITION_ENUM, MOOD, "other", "Mood"));
	amount.domain.base_type = "other.\"Mood\"";
	put(set, amount);
	put(set, make(DEFINITION_SEQUENCE, LONE, "app", "lone"));
	owned.sequence.owner_table = ITEM;
	put(set, owned);
	put_tables(set);
	return set;
}

static bool
is_apart(const DefinitionSet *set, DefinitionCatalog catalog, uint32_t oid)
{
	const Definition *definition = definition_set_find(set, catalog, oid);

	assert_non_null(definition);
	return definition->apart;
}

static void
join(DefinitionSet *set, uint32_t table)
{
	Definition changed = *definition_set_find(set, DEFINITION_IN_CLASS, table);

	changed.apart = false;
	definition_set_put(set, &changed);
	ddl_join_all_needed(set);
}

static void
a_table_needs_types_sequences_and_schemas(void **state UNUSED)
{
	DefinitionSet *set = make_database();

	join(set, ITEM);
	assert_false(is_apart(set, DEFINITION_IN_TYPE, AMOUNT));
	assert_false(is_apart(set, DEFINITION_IN_TYPE, MOOD));
	assert_false(is_apart(set, DEFINITION_IN_CLASS, LONE));
	assert_false(is_apart(set, DEFINITION_IN_CLASS, OWNED));
	assert_false(is_apart(set, DEFINITION_IN_NAMESPACE, APP));
	assert_false(is_apart(set, DEFINITION_IN_NAMESPACE, OTHER));
	assert_true(is_apart(set, DEFINITION_IN_CLASS, LOG));
	definition_set_free(set);
}

static void
a_partition_needs_its_table_and_not_the_other_way(void **state UNUSED)
{
	DefinitionSet *set = make_database();

	join(set, LOG);
	assert_true(is_apart(set, DEFINITION_IN_CLASS, LOG_1));
	definition_set_free(set);
	set = make_database();
	join(set, LOG_1);
	assert_false(is_apart(set, DEFINITION_IN_CLASS, LOG));
	assert_true(is_apart(set, DEFINITION_IN_TYPE, MOOD));
	definition_set_free(set);
}

static void
what_nothing_else_needs_parts_with_a_table(void **state UNUSED)
{
	DefinitionSet *set = make_database();
	DefinitionSet *before;
	DefinitionList left = {0};
	Definition item;

	join(set, ITEM);
	join(set, LOG);
	before = definition_set_copy(set);
	item = *definition_set_find(before, DEFINITION_IN_CLASS, ITEM);
	item.apart = true;
	definition_set_put(set, &item);
	definition_list_add(&left, &item);
	ddl_part_unneeded(set, &left);
	assert_true(is_apart(set, DEFINITION_IN_TYPE, MOOD));
	assert_true(is_apart(set, DEFINITION_IN_CLASS, OWNED));
	assert_true(is_apart(set, DEFINITION_IN_NAMESPACE, OTHER));
	assert_false(is_apart(set, DEFINITION_IN_NAMESPACE, APP));
	assert_false(is_apart(set, DEFINITION_IN_CLASS, LOG));
	definition_list_release(&left);
	definition_set_free(before);
	definition_set_free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_needs_types_sequences_and_schemas),
		cmocka_unit_test(a_partition_needs_its_table_and_not_the_other_way),
		cmocka_unit_test(what_nothing_else_needs_parts_with_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
