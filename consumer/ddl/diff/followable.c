/*
 * followable.c
 *    Checks what needs a newer version, and what cannot be altered.
 */
#include "ddl/diff/followable.h"

#include <string.h>

#include "ddl/diff/draft_table.h"
#include "ddl/diff/same_text.h"
#include "ddl/diff/text.h"

/* First versions with each feature. */
#define VERSION_COMPRESSION         140000
#define VERSION_UNLOGGED_SEQUENCE   150000
#define VERSION_NULLS_DISTINCT      150000
#define VERSION_ACCESS_METHOD       150000
#define VERSION_SET_EXPRESSION      170000
#define VERSION_VIRTUAL             180000
#define VERSION_NOT_ENFORCED        180000
#define VERSION_WITHOUT_OVERLAPS    180000
#define VERSION_SET_COLUMNS         150000
#define VERSION_NOT_NULL_CONSTRAINT 180000

typedef struct Checking
{
	const Draft *draft;
	const DraftObject *object;
	Error *err;
} Checking;

/* Fails if the target's version does not support the clause. */
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
				   "the target's version does not support %s, which \"%s\" of "
				   "%s \"%s\".\"%s\" has",
				   clause, member, definition_kind_name(after->kind),
				   after->schema, after->name);
	error_detail(checking->err,
				 "The target is PostgreSQL %d; this needs version %d or later.",
				 target / 10000, version_num / 10000);
	return rc;
}

/* Fails because there is no statement for the change. */
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

/* A clause, and the first version that supports it. */
typedef struct Clause
{
	const char *word; /* occurs in the definition outside of parentheses; or
					   * NULL: */
	const char *text; /* occurs anywhere in the definition */
	const char *name;
	int version_num;
} Clause;

static const Clause constraint_clauses[] = {
	{"NOT ENFORCED", NULL, "NOT ENFORCED", VERSION_NOT_ENFORCED},
	{"NULLS NOT DISTINCT", NULL, "NULLS NOT DISTINCT", VERSION_NULLS_DISTINCT},
	{0}};

static const Clause key_clauses[] = {
	{NULL, " WITHOUT OVERLAPS)", "WITHOUT OVERLAPS", VERSION_WITHOUT_OVERLAPS},
	{0}};

static const Clause foreign_key_clauses[] = {
	{NULL, ", PERIOD ", "PERIOD", VERSION_WITHOUT_OVERLAPS},
	{NULL, " ON DELETE SET NULL (", "ON DELETE SET NULL (column)",
	 VERSION_SET_COLUMNS},
	{NULL, " ON DELETE SET DEFAULT (", "ON DELETE SET DEFAULT (column)",
	 VERSION_SET_COLUMNS},
	{0}};

/*
 * Clauses of a NOT NULL constraint.  Without them, NOT NULL is a property of
 * the column in older versions.
 */
static const Clause not_null_clauses[] = {
	{"NO INHERIT", NULL, "NOT NULL NO INHERIT", VERSION_NOT_NULL_CONSTRAINT},
	{"NOT VALID", NULL, "NOT NULL NOT VALID", VERSION_NOT_NULL_CONSTRAINT},
	{0}};

static bool
has_clause(const char *definition, const Clause *clause)
{
	if (clause->word != NULL)
		return text_find_word(definition, clause->word) != NULL;
	return strstr(definition, clause->text) != NULL;
}

static Rc
check_clauses(const Checking *checking, const Clause *clauses,
			  const char *definition, const char *member)
{
	Rc rc = RC_OK;

	for (; clauses->name != NULL && rc == RC_OK; clauses++)
		if (has_clause(definition, clauses))
			rc = need(checking, clauses->version_num, clauses->name, member);
	return rc;
}

static const Clause *
clauses_of_kind(ConstraintKind kind)
{
	static const Clause none[] = {{0}};

	switch (kind)
	{
		case CONSTRAINT_PRIMARY_KEY:
		case CONSTRAINT_UNIQUE:
			return key_clauses;
		case CONSTRAINT_FOREIGN_KEY:
			return foreign_key_clauses;
		case CONSTRAINT_NOT_NULL:
			return not_null_clauses;
		case CONSTRAINT_CHECK:
		case CONSTRAINT_EXCLUSION:
			return none;
	}
	check_failed("the kind of a constraint is known", __FILE__, __LINE__);
}

/* Whether the table already has the constraint in this form. */
static bool
has_constraint(const Definition *now, const ConstraintDefinition *constraint)
{
	for (int i = 0; now != NULL && i < now->table.constraint_count; i++)
		if (now->table.constraints[i].oid == constraint->oid &&
			strcmp(now->table.constraints[i].definition,
				   constraint->definition) == 0)
			return true;
	return false;
}

static Rc
check_constraint(const Checking *checking,
				 const ConstraintDefinition *constraint)
{
	Rc rc;

	if (has_constraint(checking->object->now, constraint))
		return RC_OK;
	rc = check_clauses(checking, constraint_clauses, constraint->definition,
					   constraint->name);
	if (rc != RC_OK)
		return rc;
	return check_clauses(checking, clauses_of_kind(constraint->kind),
						 constraint->definition, constraint->name);
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

/*
 * Fails if a table that stays inherits in the new state from one that goes: the
 * table would be dropped with its parent.
 */
static Rc
check_parents(const Draft *draft, const DraftObject *table, Error *err)
{
	const OidList *parents = &table->after->table.parents;

	for (int i = 0; i < parents->count; i++)
	{
		const DraftObject *parent = draft_table(draft, parents->oids[i]);

		if (parent != NULL && parent->after == NULL)
			return error_set(err, ERR_CONFIG,
							 "table \"%s\".\"%s\" inherits from \"%s\".\"%s\", "
							 "which is not in the new schema",
							 table->after->schema, table->after->name,
							 parent->now->schema, parent->now->name);
	}
	return RC_OK;
}

Rc
diff_check_followable(const Draft *draft, Error *err)
{
	for (int i = 0; i < draft->count; i++)
		if (draft_stays(&draft->objects[i], DEFINITION_TABLE))
		{
			Rc rc = check_parents(draft, &draft->objects[i], err);

			if (rc != RC_OK)
				return rc;
		}
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
