/*
 * made.c
 *    The target's definitions, but for what has not changed on the source, must
 *    not differ from the source's.
 *
 * What has not changed is taken from the source, field by field and member by
 * member; then it is left to ddl/diff whether there is anything to be done.
 */
#include "ddl/made.h"

#include <string.h>

#include "ddl/align.h"
#include "ddl/diff/diff.h"
#include "ddl/stride.h"

#define ARENA_BLOCK_BYTES (16 * KB)

/* One object, or one of its columns, constraints, indexes or labels. */
typedef struct Versions
{
	const void *before; /* NULL: the source did not have it */
	const void *after;
	const void *target; /* told by the source's OIDs */
} Versions;

/* ---- Members ------------------------------------------------------------ */

/* Each kind of member is known by its first field: an OID, or an attnum. */
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

/* A name or a label: the first that is text, but for an index' schema, which
 * is that of its table. */
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

/* NULL: the record is NULL, or has no such member. */
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

static bool
has_name(const DefinitionField *field, const void *record, const char *name)
{
	int count = 0;
	const char *members = record != NULL
							  ? definition_members(field, record, &count)
							  : NULL;

	for (int i = 0; i < count; i++)
		if (strcmp(name_of(field->member,
						   members + (size_t) i * field->member->size),
				   name) == 0)
			return true;
	return false;
}

/* Whether the target still has a member that the source has not any more. */
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
			has_name(field, versions->before, name_of(field->member, member)))
			return true;
	}
	return false;
}

/* ---- Fields ------------------------------------------------------------- */

/* Those of the target that have changed on the source, in `record`, which is as
 * the source's is. */
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

/* Targets before 18 have no constraint for NOT NULL; the column says it. */
static bool
is_said_by_column(const DefinitionField *field, const void *member)
{
	const ConstraintDefinition *constraint = member;

	return strcmp(field->name, "constraints") == 0 &&
		   constraint->kind == CONSTRAINT_NOT_NULL;
}

/* The same of members; false: the target lacks one. */
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
		if (inner.target == NULL)
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

/* Whether nothing has a name any more that an object of the source had: it is
 * gone, or has another. */
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

/* Puts what the target has of what changed in the place of the source's; false:
 * it lacks something. */
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

/* What no statement can change is not the same. */
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
