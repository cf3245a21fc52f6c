/*
 * made.c
 *    Compares the target with the source, apart from what has not changed on
 *    the source.
 *
 * The compared state has the source's value in every field and member that has
 * not changed on the source, and the target's value in all others.  Then
 * ddl/diff decides whether anything differs.
 */
#include "ddl/made.h"

#include <string.h>

#include "ddl/align.h"
#include "ddl/diff/diff.h"
#include "ddl/stride.h"

#define ARENA_BLOCK_BYTES (16 * KB)

/*
 * Versions of an object, or of one of its columns, constraints, indexes or
 * labels.
 */
typedef struct Versions
{
	const void *before; /* NULL: the source did not have it */
	const void *after;
	const void *target; /* with the source's OIDs; NULL: the target does not
						 * have it */
} Versions;

/* ---- Members ------------------------------------------------------------ */

/*
 * Returns the first field of a member, which identifies it: an OID or an
 * attnum.
 */
static uint32_t
number_of(const DefinitionShape *shape, const void *member)
{
	const DefinitionField *field = &shape->fields[0];
	const char *at = (const char *) member + field->offset;
	uint32_t oid;
	uint16_t attnum;

	if (field->type == FIELD_UINT16)
	{
		memcpy(&attnum, at, sizeof(attnum));
		return attnum;
	}
	CHECK(field->type == FIELD_UINT32);
	memcpy(&oid, at, sizeof(oid));
	return oid;
}

/*
 * Returns the name or label of a member: its first text field other than the
 * schema of an index.
 */
static const char *
name_of(const DefinitionShape *shape, const void *member)
{
	for (int i = 0; i < shape->field_count; i++)
	{
		const DefinitionField *field = &shape->fields[i];
		const char *name;

		if (field->type != FIELD_TEXT || strcmp(field->name, "schema") == 0)
			continue;
		memcpy(&name, (const char *) member + field->offset, sizeof(name));
		return name;
	}
	check_failed("every member has a name", __FILE__, __LINE__);
}

/*
 * Finds a member by its OID or attnum; NULL: there is none, or the record is
 * NULL.
 */
static const void *
find_number(const DefinitionField *field, const void *record, uint32_t number)
{
	int count = 0;
	const char *members = record != NULL
							  ? definition_members(field, record, &count)
							  : NULL;

	for (int i = 0; i < count; i++)
	{
		const void *member = members + (size_t) i * field->member->size;

		if (number_of(field->member, member) == number)
			return member;
	}
	return NULL;
}

/* The same by its name. */
static const void *
find_name(const DefinitionField *field, const void *record, const char *name)
{
	int count = 0;
	const char *members = record != NULL
							  ? definition_members(field, record, &count)
							  : NULL;

	for (int i = 0; i < count; i++)
	{
		const void *member = members + (size_t) i * field->member->size;

		if (strcmp(name_of(field->member, member), name) == 0)
			return member;
	}
	return NULL;
}

/* Whether the target has a member that was dropped on the source. */
static bool
has_old_member(const DefinitionField *field, const Versions *versions)
{
	int count;
	const char *members = definition_members(field, versions->target, &count);

	for (int i = 0; i < count; i++)
	{
		const void *member = members + (size_t) i * field->member->size;

		if (find_number(field, versions->after,
						number_of(field->member, member)) == NULL &&
			find_name(field, versions->before,
					  name_of(field->member, member)) != NULL)
			return true;
	}
	return false;
}

/* Whether a column has the name of one that the source has not any more. */
static bool
is_made_again(const DefinitionField *field, const void *before,
			  const void *after, const void *member)
{
	const void *old;

	if (field->member->fields[0].type != FIELD_UINT16)
		return false;
	old = find_name(field, before, name_of(field->member, member));
	return old != NULL &&
		   find_number(field, after, number_of(field->member, old)) == NULL;
}

/* ---- Fields ------------------------------------------------------------- */

/*
 * Copies the target's values of fields that have changed on the source to
 * `record`, which starts as a copy of the source's.
 */
static void
take_changed(const DefinitionShape *shape, const Versions *versions,
			 void *record)
{
	for (int i = 0; i < shape->field_count; i++)
	{
		const DefinitionField *field = &shape->fields[i];

		if (field->type != FIELD_MEMBERS &&
			(versions->before == NULL ||
			 !definition_fields_equal(field, versions->before,
									  versions->after)))
			definition_copy_field(field, record, versions->target);
	}
}

/*
 * Whether a member is a NOT NULL constraint, for which servers before version
 * 18 have only a property of the column.
 */
static bool
is_said_by_column(const DefinitionField *field, const void *member)
{
	const ConstraintDefinition *constraint = member;

	return strcmp(field->name, "constraints") == 0 &&
		   constraint->kind == CONSTRAINT_NOT_NULL;
}

/* Does the same for members; returns false if the target lacks one. */
static bool
take_members(const DefinitionField *field, const Versions *versions,
			 void *record)
{
	int count;
	char *members = definition_members(field, record, &count);

	for (int i = 0; i < count; i++)
	{
		char *member = members + (size_t) i * field->member->size;
		uint32_t number = number_of(field->member, member);
		const Versions inner = {
			.before = find_number(field, versions->before, number),
			.after = find_number(field, versions->after, number),
			.target = find_number(field, versions->target, number)};

		if (inner.before != NULL &&
			definition_records_equal(field->member, inner.before, inner.after))
			continue;
		if (inner.target == NULL && is_said_by_column(field, member))
			continue;
		if (inner.target == NULL ||
			is_made_again(field, versions->before, versions->after, member))
			return false;
		take_changed(field->member, &inner, member);
	}
	return !has_old_member(field, versions);
}

static bool
take_object(const Versions *versions, Definition *record)
{
	const DefinitionShape *shape = definition_shape(record->kind);

	take_changed(shape, versions, record);
	for (int i = 0; i < shape->field_count; i++)
		if (shape->fields[i].type == FIELD_MEMBERS &&
			!take_members(&shape->fields[i], versions, record))
			return false;
	return true;
}

/* ---- Objects ------------------------------------------------------------ */

static const Definition *
find_same(const DefinitionSet *set, const Definition *definition)
{
	return definition_set_find(set, definition_catalog(definition->kind),
							   definition->oid);
}

static bool
has_name_of(const Definition *definition, const Definition *other)
{
	return strcmp(definition->schema, other->schema) == 0 &&
		   strcmp(definition->name, other->name) == 0;
}

static bool
has_named(const DefinitionSet *set, const Definition *like)
{
	for (size_t i = 0; i < definition_set_count(set); i++)
	{
		const Definition *definition = definition_set_at(set, i);

		if (definition->kind == like->kind && has_name_of(definition, like))
			return true;
	}
	return false;
}

/*
 * Whether no object of the target has the former name of an object that was
 * dropped or renamed on the source.
 */
static bool
is_rid(const DefinitionSet *before, const DefinitionSet *after,
	   const DefinitionSet *target)
{
	for (size_t i = 0; i < definition_set_count(before); i++)
	{
		const Definition *was = definition_set_at(before, i);
		const Definition *is = find_same(after, was);

		if ((is == NULL || !has_name_of(is, was)) && has_named(target, was) &&
			!has_named(after, was))
			return false;
	}
	return true;
}

/*
 * Replaces changed objects in `merged` by mixtures of source and target;
 * returns false if the target lacks an object or member.
 */
static bool
put_changed(const DefinitionSet *before, const DefinitionSet *after,
			const DefinitionSet *target, DefinitionSet *merged, Arena *arena)
{
	for (size_t i = 0; i < definition_set_count(after); i++)
	{
		const Definition *definition = definition_set_at(after, i);
		const Versions versions = {.before = find_same(before, definition),
								   .after = definition,
								   .target = find_same(target, definition)};
		Definition *record;

		if (versions.before != NULL &&
			definition_equal(versions.before, definition))
			continue;
		if (versions.target == NULL)
			return false;
		record = definition_copy(definition, arena);
		if (!take_object(&versions, record))
			return false;
		definition_set_put(merged, record);
		arena_reset(arena);
	}
	return true;
}

/*
 * Whether ddl/diff finds no difference; a difference without a statement
 * counts.
 */
static bool
is_same(const DefinitionSet *target, const DefinitionSet *source,
		int target_version_num, Arena *arena)
{
	const DdlHints hints = {.target_version_num = target_version_num};
	Error ignored = {0};
	DdlPlan *plan = NULL;

	if (ddl_diff(target, source, &hints, arena, &plan, &ignored) == RC_OK)
		return plan->count == 0;
	error_reset(&ignored);
	return false;
}

bool
ddl_is_made(const DefinitionSet *before, const DefinitionSet *after,
			const DefinitionSet *target, int target_version_num, int stride)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	DefinitionSet *merged = definition_set_copy(after);
	DdlAlignment alignment;
	bool made;

	ddl_align(&alignment, after, target, target_version_num);
	ddl_undo_stride(alignment.target, after, stride);
	made = is_rid(before, after, target) &&
		   put_changed(before, after, alignment.target, merged, arena) &&
		   is_same(merged, after, target_version_num, arena);
	ddl_alignment_release(&alignment);
	definition_set_free(merged);
	arena_free(arena);
	return made;
}

static bool
has_column_made_again(const Definition *was, const Definition *is)
{
	const DefinitionShape *shape = definition_shape(is->kind);

	for (int i = 0; i < shape->field_count; i++)
	{
		const DefinitionField *field = &shape->fields[i];
		int count;
		const char *members;

		if (field->type != FIELD_MEMBERS)
			continue;
		members = definition_members(field, is, &count);
		for (int k = 0; k < count; k++)
			if (is_made_again(field, was, is,
							  members + (size_t) k * field->member->size))
				return true;
	}
	return false;
}

bool
ddl_makes_columns_again(const DefinitionSet *before, const DefinitionSet *after)
{
	for (size_t i = 0; i < definition_set_count(after); i++)
	{
		const Definition *is = definition_set_at(after, i);
		const Definition *was = find_same(before, is);

		if (was != NULL && was->kind == is->kind &&
			has_column_made_again(was, is))
			return true;
	}
	return false;
}
