/*
 * places.c
 *    Looks up the placement rule once for each Relation.
 */
#include "route/places.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* A bit for each target. */
typedef uint64_t TargetSet;

typedef struct Place
{
	Relation *relation; /* a reference; NULL: no change of this table has come
						 * yet */
	const PlacementRule *rule;
	PlacedColumns columns; /* columns by which rows are placed; count 0: none */
	TargetSet noted;       /* targets that have noted `columns` */
	const char *column;    /* of PLACEMENT_DIRECTORY: name of the key's column;
							* borrowed from the relation */
} Place;

struct Places
{
	const Placement *placement;
	const PlacedColumnsList *const *noted;
	int target_count;
	TargetSet deaf; /* targets that note nothing */
	TargetSet all;
	Place *places; /* array indexed by the relation's number */
	size_t count;
};

Places *
places_new(const Placement *placement, const PlacedColumnsList *const *noted,
		   int target_count)
{
	Places *places = xcalloc(1, sizeof(Places));

	ASSERT(placement != NULL);
	CHECK(target_count <= 64);
	places->placement = placement;
	places->noted = noted;
	places->target_count = target_count;
	for (int i = 0; i < target_count; i++)
	{
		places->all |= (TargetSet) 1 << i;
		if (noted == NULL || noted[i] == NULL)
			places->deaf |= (TargetSet) 1 << i;
	}
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

/* ---- columns ------------------------------------------------------------ */

/*
 * Returns the columns by which rows of the table were placed before; NULL: no
 * target has noted them.
 */
static const PlacedColumns *
find_noted(const Places *places, const Relation *relation)
{
	const Place *place = relation->number < places->count
							 ? &places->places[relation->number]
							 : NULL;

	if (place != NULL && place->relation != NULL &&
		place->relation->oid == relation->oid && place->noted != 0 &&
		place->columns.count > 0)
		return &place->columns;
	for (int i = 0; places->noted != NULL && i < places->target_count; i++)
	{
		const PlacedColumns *columns = placed_columns_find(places->noted[i],
														   relation->oid);

		if (columns != NULL)
			return columns;
	}
	return NULL;
}

/* Returns the targets that had noted by which columns the table is placed when
 * they were opened. */
static TargetSet
find_noting(const Places *places, uint32_t oid)
{
	TargetSet set = 0;

	for (int i = 0; places->noted != NULL && i < places->target_count; i++)
		if (placed_columns_find(places->noted[i], oid) != NULL)
			set |= (TargetSet) 1 << i;
	return set;
}

/*
 * Returns the column with the key of the directory: the one by which rows were
 * placed before, or else the one with a name that the rule gives.  NULL: there
 * is none.
 */
static const RelationColumn *
find_key_column(const Places *places, const Relation *relation,
				const PlacementRule *rule)
{
	const PlacedColumns *noted = find_noted(places, relation);

	ASSERT(rule->kind == PLACEMENT_DIRECTORY);
	for (const char *const *name = rule->names[0]; *name != NULL; name++)
		for (int i = 0; i < relation->column_count; i++)
			if (strcmp(relation->columns[i].name, *name) == 0 &&
				(noted == NULL ||
				 relation->columns[i].attnum == noted->attnums[0]))
				return &relation->columns[i];
	return NULL;
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
 * Fails if the table has no column with a name of the directory's key: its rows
 * would have no key, and go to the default.  Also fails if two columns could be
 * it.
 */
static MUST_CHECK Rc
require_key_column(const Places *places, const Relation *relation,
				   const PlacementRule *rule, Error *err)
{
	int count = count_named(relation, rule);
	Rc rc;

	if (count == 1 || (count > 1 && find_noted(places, relation) != NULL))
		return RC_OK;
	if (count > 1)
	{
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

/* Returns the name of the table's column with an attnum; NULL: it has none. */
static const char *
name_of(const Relation *relation, uint16_t attnum)
{
	for (int i = 0; i < relation->column_count; i++)
		if (relation->columns[i].attnum == attnum)
			return relation->columns[i].name;
	return NULL;
}

/*
 * `number` is that of the column in the rule.  Unless the columns are stored on
 * a target already, they may be lost with what was not committed yet.
 */
static MUST_CHECK Rc
refuse_other_column(const Relation *relation, const PlacementRule *rule,
					const PlacedColumns *noted, bool is_stored, int number,
					Error *err)
{
	const char *name = name_of(relation, noted->attnums[number]);
	const char *const *names = rule->names[number];
	Rc rc = error_set(err, ERR_CONFIG,
					  "table \"%s\".\"%s\" was placed by another column than "
					  "\"%s\" before",
					  relation->schema, relation->name, names[0]);

	if (name == NULL)
	{
		error_detail(err, "The column, with the attnum %d, was dropped.",
					 noted->attnums[number]);
		error_hint(err, "Its rows would have to move: clone again.");
		return rc;
	}
	while (names[1] != NULL)
		names++;
	error_detail(err,
				 "The column, with the attnum %d, is called \"%s\" at this "
				 "position, and another one has the name that section "
				 "[placement] gives.",
				 noted->attnums[number], name);
	error_hint(
		err,
		"%sGive all names that the column has had since the targets "
		"were loaded, the one that it has on the source now first: NOW "
		"formerly ... formerly \"%s\".  \"%s\" has to be among them.  "
		"SELECT attname FROM pg_attribute WHERE attrelid = %u AND attnum "
		"= %d, run on the source, gives the first.",
		is_stored ? ""
				  : "First follow with the line as it is, with "
					"--endpos and the LSN below: the targets note the "
					"column with its rows.  ",
		*names, name, noted->oid, noted->attnums[number]);
	return rc;
}

/*
 * Finds the columns by which the rule places rows of the table; *columns is
 * zeroed if there are none.
 */
static void
find_columns(const Places *places, const Relation *relation,
			 const PlacementRule *rule, PlacedColumns *columns)
{
	const RelationColumn *key;

	*columns = (PlacedColumns){.oid = relation->oid};
	if (rule->kind == PLACEMENT_HASH)
	{
		columns->count = relation->distribution_count;
		for (int i = 0; i < columns->count; i++)
			columns->attnums[i] = relation->columns[relation->distribution[i]]
									  .attnum;
	}
	if (rule->kind != PLACEMENT_DIRECTORY)
		return;
	key = find_key_column(places, relation, rule);
	columns->count = 1;
	columns->attnums[0] = key != NULL ? key->attnum : 0;
}

/*
 * Fails if rows of the table were placed by other columns: names were swapped,
 * or a column got the name of another one.
 */
static MUST_CHECK Rc
require_noted(const Places *places, const Relation *relation,
			  const PlacementRule *rule, const PlacedColumns *columns,
			  Error *err)
{
	const PlacedColumns *noted = find_noted(places, relation);

	if (columns->count == 0 || noted == NULL)
		return RC_OK;
	for (int i = 0; i < columns->count && i < noted->count; i++)
		if (columns->attnums[i] != noted->attnums[i])
			return refuse_other_column(relation, rule, noted,
									   find_noting(places, relation->oid) != 0,
									   i, err);
	if (columns->count == noted->count)
		return RC_OK;
	return error_set(err, ERR_CONFIG,
					 "table \"%s\".\"%s\" was placed by %d columns before, "
					 "and its line in section [placement] has %d",
					 relation->schema, relation->name, noted->count,
					 columns->count);
}

const PlacedColumns *
places_columns(const Places *places, const Relation *relation)
{
	const Place *place = &places->places[relation->number];

	ASSERT(place->relation == relation);
	return place->columns.count > 0 &&
				   (place->noted | places->deaf) != places->all
			   ? &place->columns
			   : NULL;
}

bool
places_is_noted(const Places *places, const Relation *relation, int target)
{
	const Place *place = &places->places[relation->number];

	ASSERT(place->relation == relation && target < places->target_count);
	return ((place->noted | places->deaf) >> target & 1) != 0;
}

void
places_set_noted(Places *places, const Relation *relation, int target)
{
	ASSERT(places->places[relation->number].relation == relation);
	ASSERT(target < places->target_count);
	places->places[relation->number].noted |= (TargetSet) 1 << target;
}

/* ---- rules -------------------------------------------------------------- */

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
		return RC_OK;
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
	PlacedColumns columns;
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
	find_columns(places, relation, *rule, &columns);
	rc = require_noted(places, relation, *rule, &columns, err);
	if (rc != RC_OK)
		return rc;
	ASSERT(*rule != NULL);
	place->column = (*rule)->kind == PLACEMENT_DIRECTORY
						? find_key_column(places, relation, *rule)->name
						: NULL;
	if (place->relation == NULL || place->relation->oid != relation->oid ||
		place->columns.count == 0)
		place->noted = find_noting(places, relation->oid);
	place->columns = columns;
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
