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
} Place;

struct Places
{
	const Placement *placement;
	Place *places; /* array indexed by the relation's number */
	size_t count;
};

Places *
places_new(const Placement *placement)
{
	Places *places = xcalloc(1, sizeof(Places));

	places->placement = placement;
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

		if (strcmp(relation->columns[column].name, rule->columns[i]) != 0)
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

static MUST_CHECK Rc
look_up(const Places *places, const Relation *relation,
		const PlacementRule **rule, Error *err)
{
	Buf place;
	Rc rc;

	*rule = placement_find(places->placement, relation->schema, relation->name);
	if (*rule == NULL)
		return refuse_unplaced(relation, err);
	if ((*rule)->kind != PLACEMENT_HASH || is_hashed_by(relation, *rule))
		return RC_OK;
	rc = error_set(err, ERR_CONFIG,
				   "rows of table \"%s\".\"%s\" come without the hash that "
				   "its placement wants",
				   relation->schema, relation->name);
	error_detail(err, "A table that is made, renamed or dropped while a "
					  "pipeline runs is not found by the beginning of its "
					  "name.");
	buf_init(&place, BUF_TEXT_MAX);
	placement_append_place(*rule, &place);
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
	if (rc != RC_OK)
		return rc;
	relation_unref(place->relation);
	place->relation = relation_ref(relation);
	place->rule = *rule;
	return RC_OK;
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
