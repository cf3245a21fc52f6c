/*
 * enums.c
 *    CREATE TYPE … AS ENUM, ALTER TYPE … ADD VALUE, RENAME VALUE.
 *
 * ADD VALUE IF NOT EXISTS has no effect when it is repeated, so the statements
 * after it may be rolled back and all of them run again.
 */
#include "ddl/diff/enums.h"

#include <string.h>

#include "ddl/diff/text.h"

static int
find_label(const EnumDefinition *type, uint32_t oid)
{
	for (int i = 0; i < type->label_count; i++)
		if (type->labels[i].oid == oid)
			return i;
	return -1;
}

static int
find_text(const EnumDefinition *type, const char *label)
{
	for (int i = 0; i < type->label_count; i++)
		if (strcmp(type->labels[i].label, label) == 0)
			return i;
	return -1;
}

/* ---- Renaming ---- */

static DdlStatement *
rename_label(Draft *draft, DraftObject *type, int i, const char *label)
{
	const EnumLabel *now = &type->now->enumeration.labels[i];
	DdlStatement *statement = draft_say(
		draft, type, DDL_TYPE, "ALTER TYPE %s RENAME VALUE %s TO %s",
		draft_name(draft, type), text_literal(draft->arena, now->label),
		text_literal(draft->arena, label));

	draft_edit(draft, type)->enumeration.labels[i].label = label;
	return statement;
}

static void
rename_labels(Draft *draft, DraftObject *type)
{
	for (int i = 0; i < type->now->enumeration.label_count; i++)
	{
		const EnumLabel *now = &type->now->enumeration.labels[i];
		int at = find_label(&type->after->enumeration, now->oid);
		const char *label;
		int holder;

		if (at < 0)
			continue;
		label = type->after->enumeration.labels[at].label;
		if (strcmp(now->label, label) == 0)
			continue;
		holder = find_text(&type->now->enumeration, label);
		if (holder >= 0)
			rename_label(draft, type, holder, draft_spare_name(draft));
		rename_label(draft, type, i, label);
	}
}

void
diff_rename_labels(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
		if (draft_stays(draft->changed[i], DEFINITION_ENUM))
			rename_labels(draft, draft->changed[i]);
}

/* ---- Adding ---- */

/* Inserts a label into the draft at its position. */
static void
insert_label(Draft *draft, DraftObject *type, int at, const EnumLabel *label)
{
	EnumDefinition *own = &draft_edit(draft, type)->enumeration;
	EnumLabel *more = arena_calloc(draft->arena, (size_t) own->label_count + 1,
								   sizeof(EnumLabel));

	ASSERT(at >= 0 && at <= own->label_count);
	for (int i = 0; i < at; i++)
		more[i] = own->labels[i];
	more[at] = *label;
	for (int i = at; i < own->label_count; i++)
		more[i + 1] = own->labels[i];
	own->labels = more;
	own->label_count++;
}

/* Adds a label after its predecessor, or before the first label. */
static void
add_label(Draft *draft, DraftObject *type, int i)
{
	const EnumLabel *label = &type->after->enumeration.labels[i];
	const EnumDefinition *now = &type->now->enumeration;
	int before = i == 0 ? -1
						: find_label(
							  now, type->after->enumeration.labels[i - 1].oid);
	int holder = find_text(now, label->label);
	const char *place = "";

	if (holder >= 0)
		rename_label(draft, type, holder, draft_spare_name(draft))
			->commits_first = true;
	now = &type->now->enumeration;
	if (before >= 0)
		place = arena_printf(
			draft->arena, " AFTER %s",
			text_literal(draft->arena, now->labels[before].label));
	else if (now->label_count > 0)
		place = arena_printf(draft->arena, " BEFORE %s",
							 text_literal(draft->arena, now->labels[0].label));
	draft_say(draft, type, DDL_TYPE,
			  "ALTER TYPE %s ADD VALUE IF NOT EXISTS %s%s",
			  draft_name(draft, type), text_literal(draft->arena, label->label),
			  place)
		->commits_first = true;
	insert_label(draft, type, before + 1, label);
}

void
diff_add_labels(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *type = draft->changed[i];

		if (!draft_stays(type, DEFINITION_ENUM))
			continue;
		for (int k = 0; k < type->after->enumeration.label_count; k++)
			if (find_label(&type->now->enumeration,
						   type->after->enumeration.labels[k].oid) < 0)
				add_label(draft, type, k);
	}
}

/* ---- Creating ---- */

static void
create_enum(Draft *draft, DraftObject *type)
{
	const EnumDefinition *after = &type->after->enumeration;
	Buf buf;

	buf_init(&buf, TEXT_BYTES_MAX);
	for (int i = 0; i < after->label_count; i++)
	{
		buf_append_string(&buf, i > 0 ? ", " : "");
		buf_append_string(&buf,
						  text_literal(draft->arena, after->labels[i].label));
	}
	draft_say(draft, type, DDL_TYPE, "CREATE TYPE %s AS ENUM (%s)",
			  draft_name(draft, type), text_taken(draft->arena, &buf));
	draft_create(draft, type, type->after);
}

void
diff_create_enums(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
		if (draft_comes(draft->changed[i], DEFINITION_ENUM))
			create_enum(draft, draft->changed[i]);
}
