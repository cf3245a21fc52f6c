/*
 * followable.c
 *    What a target of some version does not know, and what nothing can alter.
 */
#include "ddl/diff/followable.h"

#include <string.h>

#include "ddl/diff/draft_table.h"
#include "ddl/diff/same_text.h"
#include "ddl/diff/text.h"

/* The first versions that know it. */
#define VERSION_COMPRESSION       140000
#define VERSION_UNLOGGED_SEQUENCE 150000
#define VERSION_NULLS_DISTINCT    150000
#define VERSION_ACCESS_METHOD     150000
#define VERSION_SET_EXPRESSION    170000
#define VERSION_VIRTUAL           180000
#define VERSION_NOT_ENFORCED      180000
#define VERSION_WITHOUT_OVERLAPS  180000

typedef struct Checking
{
	const Draft *draft;
	const DraftObject *object;
	Error *err;
} Checking;

/* Fails if the target is older than the version that knows the clause. */
static Rc
need(const Checking *checking, int version_num, const char *clause,
	 const char *member)
{
	int target = checking->draft->hints->target_version_num;
	const Definition *after = checking->object->after;
	Rc rc;

	if (target == 0 || target >= version_num)
		return RC_OK;
	rc = error_set(checking->err, ERR_CONFIG,
				   "the target cannot have %s, which \"%s\" of %s "
				   "\"%s\".\"%s\" has",
				   clause, member, definition_kind_name(after->kind),
				   after->schema, after->name);
	error_detail(checking->err,
				 "The target's version is %d; PostgreSQL has it since %d.",
				 target / 10000, version_num / 10000);
	return rc;
}

/* Fails because nothing alters this. */
static Rc
refuse(const Checking *checking, const char *what, const char *member)
{
	const Definition *after = checking->object->after;

	return error_set(checking->err, ERR_CONFIG,
					 "no statement changes %s \"%s\" of %s \"%s\".\"%s\" as "
					 "the source has changed it",
					 what, member, definition_kind_name(after->kind),
					 after->schema, after->name);
}

/* ---- Columns ---- */

static Rc
check_expression(const Checking *checking, const ColumnDefinition *now,
				 const ColumnDefinition *after)
{
	if (after->generated == GENERATED_NOT || now == NULL)
		return RC_OK;
	if (now->generated != after->generated)
		return refuse(checking, "the generated column", after->name);
	if (same_but_for_names(checking->draft, now->default_expression,
						   after->default_expression))
		return RC_OK;
	return need(checking, VERSION_SET_EXPRESSION, "SET EXPRESSION",
				after->name);
}

static Rc
check_column(const Checking *checking, const ColumnDefinition *now,
			 const ColumnDefinition *after)
{
	Rc rc = RC_OK;

	if (after->generated == GENERATED_VIRTUAL)
		rc = need(checking, VERSION_VIRTUAL, "virtual generated columns",
				  after->name);
	if (rc == RC_OK && after->compression[0] != '\0')
		rc = need(checking, VERSION_COMPRESSION, "COMPRESSION", after->name);
	if (rc == RC_OK)
		rc = check_expression(checking, now, after);
	return rc;
}

/* ---- Constraints and indexes ---- */

static Rc
check_constraint(const Checking *checking,
				 const ConstraintDefinition *constraint)
{
	static const struct
	{
		const char *word;
		int version_num;
	} clauses[] = {
		{"NOT ENFORCED", VERSION_NOT_ENFORCED},
		{"NULLS NOT DISTINCT", VERSION_NULLS_DISTINCT},
	};

	for (size_t i = 0; i < LENGTH_OF(clauses); i++)
	{
		Rc rc = RC_OK;

		if (text_find_word(constraint->definition, clauses[i].word) != NULL)
			rc = need(checking, clauses[i].version_num, clauses[i].word,
					  constraint->name);
		if (rc != RC_OK)
			return rc;
	}
	if ((constraint->kind == CONSTRAINT_PRIMARY_KEY ||
		 constraint->kind == CONSTRAINT_UNIQUE) &&
		strstr(constraint->definition, " WITHOUT OVERLAPS)") != NULL)
		return need(checking, VERSION_WITHOUT_OVERLAPS, "WITHOUT OVERLAPS",
					constraint->name);
	return RC_OK;
}

static Rc
check_index(const Checking *checking, const IndexDefinition *index)
{
	if (text_find_word(index->definition, "NULLS NOT DISTINCT") == NULL)
		return RC_OK;
	return need(checking, VERSION_NULLS_DISTINCT, "NULLS NOT DISTINCT",
				index->name);
}

/* ---- Objects ---- */

static Rc
check_table(const Checking *checking)
{
	const Definition *now = checking->object->now;
	const TableDefinition *after = &checking->object->after->table;
	Rc rc = RC_OK;

	if (now != NULL && now->table.partitioned != after->partitioned)
		return refuse(checking, "the kind", "table");
	if (now != NULL &&
		strcmp(now->table.access_method, after->access_method) != 0)
		rc = need(checking, VERSION_ACCESS_METHOD, "SET ACCESS METHOD",
				  after->access_method);
	for (int i = 0; i < after->column_count && rc == RC_OK; i++)
		rc = check_column(
			checking,
			now == NULL
				? NULL
				: definition_column(&now->table, after->columns[i].attnum),
			&after->columns[i]);
	for (int i = 0; i < after->constraint_count && rc == RC_OK; i++)
		rc = check_constraint(checking, &after->constraints[i]);
	for (int i = 0; i < after->index_count && rc == RC_OK; i++)
		rc = check_index(checking, &after->indexes[i]);
	return rc;
}

static Rc
check_sequence(const Checking *checking)
{
	const Definition *after = checking->object->after;

	if (!after->sequence.unlogged)
		return RC_OK;
	return need(checking, VERSION_UNLOGGED_SEQUENCE, "UNLOGGED", after->name);
}

static bool
has_label(const EnumDefinition *type, uint32_t oid)
{
	for (int i = 0; i < type->label_count; i++)
		if (type->labels[i].oid == oid)
			return true;
	return false;
}

static Rc
check_enum(const Checking *checking)
{
	const Definition *now = checking->object->now;

	for (int i = 0; now != NULL && i < now->enumeration.label_count; i++)
		if (!has_label(&checking->object->after->enumeration,
					   now->enumeration.labels[i].oid))
			return refuse(checking, "the label",
						  now->enumeration.labels[i].label);
	return RC_OK;
}

static Rc
check_domain(const Checking *checking)
{
	const Definition *now = checking->object->now;
	const Definition *after = checking->object->after;

	if (now == NULL ||
		same_but_for_names(checking->draft, now->domain.base_type,
						   after->domain.base_type))
		return RC_OK;
	return refuse(checking, "the type", after->domain.base_type);
}

static Rc
check_object(const Checking *checking)
{
	switch (checking->object->kind)
	{
		case DEFINITION_TABLE:
			return check_table(checking);
		case DEFINITION_SEQUENCE:
			return check_sequence(checking);
		case DEFINITION_ENUM:
			return check_enum(checking);
		case DEFINITION_DOMAIN:
			return check_domain(checking);
		case DEFINITION_NAMESPACE:
		case DEFINITION_COMPOSITE:
			return RC_OK;
	}
	check_failed("the kind of an object is known", __FILE__, __LINE__);
}

Rc
diff_check_followable(const Draft *draft, Error *err)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		Checking checking = {
			.draft = draft, .object = draft->changed[i], .err = err};
		Rc rc = RC_OK;

		if (checking.object->after != NULL)
			rc = check_object(&checking);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}
