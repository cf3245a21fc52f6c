/*
 * places.c
 *    Looks up the placement rule once for each Relation.
 */
#include "route/places.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

typedef struct Place
{
	Relation *relation; /* a reference; NULL: no change of this table has come
						 * yet */
	const PlacementRule *rule;
	const char *column; /* of PLACEMENT_DIRECTORY: name of the key's column;
						 * borrowed from the relation */
} Place;

struct Places
{
	const Placement *placement;
	const PlacedColumnsList *columns; /* may be NULL */
	Place *places; /* array indexed by the relation's number */
	size_t count;
};

Places *
places_new(const Placement *placement, const PlacedColumnsList *columns)
{
	Places *places = xcalloc(1, sizeof(Places));

	ASSERT(placement != NULL);
	places->placement = placement;
	places->columns = columns;
	return places;
}

void
places_free(Places *places)
{
	if (places == NULL)
		return;
	for (size_t i = 0; i < places->count; i++)
		relation_unref(places->places[i].relation);
	free(places->places);
	free(places);
}

static bool
is_hashed_by(const Relation *relation, const PlacementRule *rule)
{
	if (relation->distribution_count != rule->column_count)
		return false;
	for (int i = 0; i < rule->column_count; i++)
	{
		int column = relation->distribution[i];
		ASSERT(column >= 0 && column < relation->column_count);

		if (!placement_rule_is_named(rule, i, relation->columns[column].name))
			return false;
	}
	return true;
}

/* Adds a hint with the line that the placement lacks. */
static void
hint_at_line(const Relation *relation, const char *place, Error *err)
{
	Buf name;

	buf_init(&name, BUF_TEXT_MAX);
	relation_append_name(relation, &name);
	error_hint(err, "Write a line \"%s = %s\" into section [placement].",
			   name.data, place);
	buf_release(&name);
}

static MUST_CHECK Rc
refuse_unplaced(const Relation *relation, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG, "table \"%s\".\"%s\" is not placed",
					  relation->schema, relation->name);

	hint_at_line(relation, "...", err);
	return rc;
}

/*
 * Returns the column with the key of the directory: the one with the attnum, if
 * that is known, or else the first of its names that the table has.  NULL:
 * there is none.
 */
static const RelationColumn *
find_key_column(const Places *places, const Relation *relation,
				const PlacementRule *rule)
{
	const PlacedColumns *known = placed_columns_find(places->columns,
													 relation->oid);

	ASSERT(rule->kind == PLACEMENT_DIRECTORY);
	for (const char *const *name = rule->names[0]; *name != NULL; name++)
		for (int i = 0; i < relation->column_count; i++)
			if (strcmp(relation->columns[i].name, *name) == 0 &&
				(known == NULL ||
				 relation->columns[i].attnum == known->attnums[0]))
				return &relation->columns[i];
	return NULL;
}

/* Returns the column number `i` by which rows of the table are placed. */
static const RelationColumn *
placed_column(const Places *places, const Relation *relation,
			  const PlacementRule *rule, int i)
{
	if (rule->kind == PLACEMENT_DIRECTORY)
		return find_key_column(places, relation, rule);
	ASSERT(rule->kind == PLACEMENT_HASH);
	ASSERT(i >= 0 && i < relation->distribution_count);
	return &relation->columns[relation->distribution[i]];
}

/*
 * Returns how many columns of the table have one of the names of the
 * directory's key.
 */
static int
count_named(const Relation *relation, const PlacementRule *rule)
{
	int count = 0;

	ASSERT(rule->kind == PLACEMENT_DIRECTORY);
	for (int i = 0; i < relation->column_count; i++)
		if (placement_rule_is_named(rule, 0, relation->columns[i].name))
			count++;
	return count;
}

/*
 * Fails if the table lacks the column with the key of the directory: its rows
 * would have no key, and go to the default.  Also fails if two columns could be
 * it, of a table that the source does not have any more.
 */
static MUST_CHECK Rc
require_key_column(const Places *places, const Relation *relation,
				   const PlacementRule *rule, Error *err)
{
	Rc rc;

	ASSERT(rule->kind == PLACEMENT_DIRECTORY);
	if (find_key_column(places, relation, rule) != NULL)
	{
		if (placed_columns_find(places->columns, relation->oid) != NULL ||
			count_named(relation, rule) == 1)
			return RC_OK;
		rc = error_set(
			err, ERR_CONFIG,
			"by which column table \"%s\".\"%s\" is placed cannot be "
			"told: it has two with names that section [placement] "
			"gives",
			relation->schema, relation->name);
		error_hint(err, "Leave out the name of the other one.");
		return rc;
	}
	rc = error_set(err, ERR_CONFIG,
				   "table \"%s\".\"%s\" has no column \"%s\", by which it is "
				   "placed",
				   relation->schema, relation->name, rule->columns[0]);
	hint_at_line(relation, "directory(NEW formerly OLD)", err);
	return rc;
}

/*
 * Fails if a table was placed by another column before: a column that has taken
 * the name of the one in the rule.
 */
static MUST_CHECK Rc
require_same_columns(const Places *places, const Relation *was,
					 const Relation *is, const PlacementRule *rule, Error *err)
{
	ASSERT(was->oid == is->oid && was->number == is->number);
	for (int i = 0; i < rule->column_count; i++)
	{
		const RelationColumn *before = placed_column(places, was, rule, i);
		const RelationColumn *now = placed_column(places, is, rule, i);
		Rc rc;

		ASSERT(before != NULL && now != NULL);
		if (before->attnum == now->attnum)
			continue;
		rc = error_set(err, ERR_CONFIG,
					   "table \"%s\".\"%s\" was placed by another column than "
					   "\"%s\" before",
					   is->schema, is->name, now->name);
		error_detail(err,
					 "The column that was called \"%s\" has another name now, "
					 "and another column has the name that section [placement] "
					 "gives.",
					 before->name);
		error_hint(err, "Give section [placement] the name that the column has "
						"now, followed by \"formerly\" and its old name; or "
						"clone again.");
		return rc;
	}
	return RC_OK;
}

/*
 * Fails if rows come with a hash of other columns than those that the placement
 * means in the table that the source has now: names were swapped since these
 * rows were written, or a column got the name of another one.
 */
static MUST_CHECK Rc
require_known_columns(const Places *places, const Relation *relation,
					  const PlacementRule *rule, Error *err)
{
	const PlacedColumns *known = placed_columns_find(places->columns,
													 relation->oid);

	ASSERT(rule->kind == PLACEMENT_HASH);
	ASSERT(relation->distribution_count == rule->column_count);
	for (int i = 0; known != NULL && i < rule->column_count; i++)
	{
		const RelationColumn
			*column = &relation->columns[relation->distribution[i]];
		Rc rc;

		if (column->attnum == known->attnums[i])
			continue;
		rc = error_set(err, ERR_CONFIG,
					   "column \"%s\", by which table \"%s\".\"%s\" is placed, "
					   "is not the one that has this name now",
					   column->name, relation->schema, relation->name);
		error_hint(err, "Give section [placement] the name that the column has "
						"now, followed by \"formerly\" and its old name.");
		return rc;
	}
	return RC_OK;
}

static MUST_CHECK Rc
look_up(const Places *places, const Relation *relation,
		const PlacementRule **rule, Error *err)
{
	Buf place;
	Rc rc;

	*rule = placement_find(places->placement, relation->schema, relation->name);
	if (*rule == NULL)
		return refuse_unplaced(relation, err);
	if ((*rule)->kind == PLACEMENT_DIRECTORY)
		return require_key_column(places, relation, *rule, err);
	if ((*rule)->kind != PLACEMENT_HASH)
		return RC_OK;
	if (is_hashed_by(relation, *rule))
		return require_known_columns(places, relation, *rule, err);
	rc = error_set(err, ERR_CONFIG,
				   "rows of table \"%s\".\"%s\" come without the hash that "
				   "its placement wants",
				   relation->schema, relation->name);
	error_detail(err, "A table that is made, renamed or dropped while a "
					  "pipeline runs is not found by the beginning of its "
					  "name.");
	buf_init(&place, BUF_TEXT_MAX);
	placement_append_line(*rule, &place);
	hint_at_line(relation, place.data, err);
	buf_release(&place);
	return rc;
}

/* Enlarges the array for a relation with the number `number`. */
static void
reserve(Places *places, size_t number)
{
	size_t count = 2 * number + 1;

	if (number < places->count)
		return;
	places->places = xrealloc_array(places->places, count, sizeof(Place));
	memset(places->places + places->count, 0,
		   (count - places->count) * sizeof(Place));
	places->count = count;
	ASSERT(number < places->count);
}

Rc
places_find(Places *places, Relation *relation, const PlacementRule **rule,
			Error *err)
{
	Place *place;
	Rc rc;

	reserve(places, relation->number);
	place = &places->places[relation->number];
	if (place->relation == relation)
	{
		ASSERT(place->rule != NULL);
		*rule = place->rule;
		return RC_OK;
	}
	rc = look_up(places, relation, rule, err);
	if (rc == RC_OK && place->relation != NULL && place->rule == *rule &&
		place->relation->oid == relation->oid)
		rc = require_same_columns(places, place->relation, relation, *rule,
								  err);
	if (rc != RC_OK)
		return rc;
	ASSERT(*rule != NULL);
	place->column = (*rule)->kind == PLACEMENT_DIRECTORY
						? find_key_column(places, relation, *rule)->name
						: NULL;
	relation_unref(place->relation);
	place->relation = relation_ref(relation);
	place->rule = *rule;
	return RC_OK;
}

const char *
places_key_column(const Places *places, const Relation *relation)
{
	const Place *place;

	ASSERT(relation->number < places->count);
	place = &places->places[relation->number];
	ASSERT(place->relation == relation && place->column != NULL);
	return place->column;
}

Rc
places_check_defined(const Places *places, const Definition *definition,
					 bool *nowhere, Error *err)
{
	const Relation relation = {.schema = definition->schema,
							   .name = definition->name};
	const PlacementRule *rule;

	*nowhere = false;
	if (definition->kind != DEFINITION_TABLE)
		return RC_OK;
	rule = placement_find(places->placement, relation.schema, relation.name);
	if (rule == NULL && definition->table.published &&
		!definition->table.unlogged)
		return refuse_unplaced(&relation, err);
	*nowhere = rule != NULL && rule->kind == PLACEMENT_NONE;
	return RC_OK;
}
