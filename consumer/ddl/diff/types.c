/*
 * types.c
 *    CREATE DOMAIN and CREATE TYPE in the order of dependencies; ALTER DOMAIN.
 */
#include "ddl/diff/types.h"

#include <string.h>

#include "ddl/diff/column_text.h"
#include "ddl/diff/composites.h"
#include "ddl/diff/text.h"
#include "model/identifier.h"

/* ---- Creating ---- */

static void
create_domain(Draft *draft, DraftObject *domain)
{
	const DomainDefinition *after = &domain->after->domain;
	Definition now = *domain->after;
	Buf buf;

	buf_init(&buf, TEXT_BYTES_MAX);
	if (after->collation[0] != '\0')
		buf_printf(&buf, " COLLATE %s", after->collation);
	if (after->default_expression[0] != '\0')
		buf_printf(&buf, " DEFAULT %s", after->default_expression);
	if (after->not_null)
		buf_append_string(&buf, " NOT NULL");
	draft_say(draft, domain, DDL_TYPE, "CREATE DOMAIN %s AS %s%s",
			  draft_name(draft, domain), after->base_type,
			  text_taken(draft->arena, &buf));
	now.domain.constraint_count = 0;
	draft_create(draft, domain, &now);
}

/* Whether a type's name in SQL is that of this type, or of an array of it. */
static bool
is_named(const char *type, const Definition *definition)
{
	char schema[IDENTIFIER_SIZE];
	char name[IDENTIFIER_SIZE];
	const char *rest = identifier_read(type, schema);

	return rest != NULL && *rest == '.' &&
		   identifier_read(rest + 1, name) != NULL &&
		   strcmp(schema, definition->schema) == 0 &&
		   strcmp(name, definition->name) == 0;
}

static bool
consists_of(const DraftObject *type, const DraftObject *part)
{
	const CompositeDefinition *composite = &type->after->composite;

	if (type->kind == DEFINITION_DOMAIN)
		return is_named(type->after->domain.base_type, part->after);
	for (int i = 0; i < composite->column_count; i++)
		if (is_named(composite->columns[i].type, part->after))
			return true;
	return false;
}

static bool
comes(const DraftObject *object)
{
	return draft_comes(object, DEFINITION_DOMAIN) ||
		   draft_comes(object, DEFINITION_COMPOSITE);
}

static void
create_type(Draft *draft, DraftObject *type)
{
	type->visited = true;
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *part = draft->changed[i];

		if (!part->visited && comes(part) && consists_of(type, part))
			create_type(draft, part);
	}
	type->visited = false;
	if (type->kind == DEFINITION_DOMAIN)
		create_domain(draft, type);
	else
		create_composite(draft, type);
}

void
diff_create_types(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
		if (comes(draft->changed[i]))
			create_type(draft, draft->changed[i]);
}

/* ---- Constraints of domains ---- */

static const ConstraintDefinition *
find_check(const DomainDefinition *domain, uint32_t oid)
{
	for (int i = 0; i < domain->constraint_count; i++)
		if (domain->constraints[i].oid == oid)
			return &domain->constraints[i];
	return NULL;
}

/* Drops checks, and renames others, which may get the name of a dropped one. */
static void
leave_checks(Draft *draft, DraftObject *domain)
{
	const DomainDefinition *after = &domain->after->domain;
	DomainDefinition *own = &draft_edit(draft, domain)->domain;

	for (int i = 0; i < own->constraint_count; i++)
		if (own->constraints[i].kind == CONSTRAINT_CHECK &&
			find_check(after, own->constraints[i].oid) == NULL)
			draft_say(draft, domain, DDL_CONSTRAINT,
					  "ALTER DOMAIN %s DROP CONSTRAINT IF EXISTS %s",
					  draft_name(draft, domain),
					  text_quoted(draft->arena, own->constraints[i].name));
}

static void
rename_check(Draft *draft, const DraftObject *domain,
			 ConstraintDefinition *check, const char *name)
{
	draft_say(draft, domain, DDL_RENAME,
			  "ALTER DOMAIN %s RENAME CONSTRAINT %s TO %s",
			  draft_name(draft, domain), text_quoted(draft->arena, check->name),
			  text_quoted(draft->arena, name));
	check->name = name;
}

static void
rename_checks(Draft *draft, DraftObject *domain)
{
	DomainDefinition *own = &draft_edit(draft, domain)->domain;

	for (int i = 0; i < own->constraint_count; i++)
	{
		const ConstraintDefinition *check = find_check(&domain->after->domain,
													   own->constraints[i].oid);

		if (check == NULL || strcmp(own->constraints[i].name, check->name) == 0)
			continue;
		for (int k = 0; k < own->constraint_count; k++)
			if (strcmp(own->constraints[k].name, check->name) == 0 &&
				find_check(&domain->after->domain, own->constraints[k].oid) !=
					NULL)
				rename_check(draft, domain, &own->constraints[k],
							 draft_spare_name(draft));
		rename_check(draft, domain, &own->constraints[i], check->name);
	}
}

static void
get_checks(Draft *draft, const DraftObject *domain)
{
	const DomainDefinition *after = &domain->after->domain;

	for (int i = 0; i < after->constraint_count; i++)
	{
		const ConstraintDefinition *check = &after->constraints[i];
		const ConstraintDefinition *now = find_check(&domain->now->domain,
													 check->oid);

		if (check->kind != CONSTRAINT_CHECK)
			continue;
		if (now == NULL)
			draft_say(draft, domain, DDL_CONSTRAINT,
					  "ALTER DOMAIN %s ADD CONSTRAINT %s %s",
					  draft_name(draft, domain),
					  text_quoted(draft->arena, check->name),
					  check->definition);
		else if (check->validated && !now->validated)
			draft_say(draft, domain, DDL_CONSTRAINT,
					  "ALTER DOMAIN %s VALIDATE CONSTRAINT %s",
					  draft_name(draft, domain),
					  text_quoted(draft->arena, check->name));
	}
}

/* ---- Altering ---- */

static void
alter_domain(Draft *draft, DraftObject *domain)
{
	const DomainDefinition *now = &domain->now->domain;
	const DomainDefinition *after = &domain->after->domain;
	const char *name = draft_name(draft, domain);

	if (strcmp(now->default_expression, after->default_expression) != 0)
		draft_say(draft, domain, DDL_TYPE, "ALTER DOMAIN %s %s%s", name,
				  after->default_expression[0] != '\0' ? "SET DEFAULT "
													   : "DROP DEFAULT",
				  after->default_expression);
	if (now->not_null != after->not_null)
		draft_say(draft, domain, DDL_CONSTRAINT, "ALTER DOMAIN %s %s NOT NULL",
				  name, after->not_null ? "SET" : "DROP");
	leave_checks(draft, domain);
	rename_checks(draft, domain);
	get_checks(draft, domain);
}

void
diff_alter_types(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		if (draft_stays(draft->changed[i], DEFINITION_DOMAIN))
			alter_domain(draft, draft->changed[i]);
		if (draft_stays(draft->changed[i], DEFINITION_COMPOSITE))
			alter_composite(draft, draft->changed[i]);
	}
}
