/*
 * match.c
 *    Matches by OID, else by name, definition and columns, else by the parent.
 */
#include "ddl/diff/match.h"

#include <string.h>

void
matches_init(Matches *matches, Arena *arena)
{
	*matches = (Matches){.constraints.arena = arena, .indexes.arena = arena};
}

static void
map_add(OidMap *map, uint32_t from, uint32_t to)
{
	if (from == to || from == 0 || to == 0)
		return;
	if (map->count == map->capacity)
	{
		int capacity = map->capacity > 0 ? 2 * map->capacity : 8;
		OidPair *larger = arena_calloc(map->arena, (size_t) capacity,
									   sizeof(OidPair));

		for (int i = 0; i < map->count; i++)
			larger[i] = map->pairs[i];
		map->pairs = larger;
		map->capacity = capacity;
	}
	map->pairs[map->count++] = (OidPair){from, to};
}

static uint32_t
map_apply(const OidMap *map, uint32_t oid)
{
	for (int i = 0; i < map->count; i++)
		if (map->pairs[i].from == oid)
			return map->pairs[i].to;
	return oid;
}

static bool
lists_equal(const OidList *a, const OidList *b)
{
	return a->count == b->count &&
		   (a->count == 0 || memcmp(a->oids, b->oids,
									(size_t) a->count * sizeof(uint32_t)) == 0);
}

static ConstraintDefinition *
find_constraint(TableDefinition *table, uint32_t oid)
{
	for (int i = 0; i < table->constraint_count; i++)
		if (table->constraints[i].oid == oid)
			return &table->constraints[i];
	return NULL;
}

static IndexDefinition *
find_index(TableDefinition *table, uint32_t oid)
{
	for (int i = 0; i < table->index_count; i++)
		if (table->indexes[i].oid == oid)
			return &table->indexes[i];
	return NULL;
}

/* ---- What is left out ---- */

/*
 * Whether a foreign key exists only for a partition of the referenced table,
 * because another foreign key of this table refers to the partitioned table.
 */
static bool
is_made_along(TableDefinition *table, const ConstraintDefinition *constraint)
{
	return constraint->kind == CONSTRAINT_FOREIGN_KEY &&
		   constraint->parent != 0 &&
		   find_constraint(table, constraint->parent) != NULL;
}

static void
leave_out_constraints(TableDefinition *table, Arena *arena)
{
	ConstraintDefinition *kept = arena_calloc(
		arena, (size_t) table->constraint_count + 1, sizeof(kept[0]));
	int count = 0;

	for (int i = 0; i < table->constraint_count; i++)
		if (!is_made_along(table, &table->constraints[i]))
			kept[count++] = table->constraints[i];
	table->constraints = kept;
	table->constraint_count = count;
}

static void
remove_index(TableDefinition *table, int i)
{
	memmove(&table->indexes[i], &table->indexes[i + 1],
			(size_t) (table->index_count - i - 1) * sizeof(IndexDefinition));
	table->index_count--;
}

static void
end_detaching(TableDefinition *table)
{
	if (!table->detaching)
		return;
	table->parents.count = 0;
	table->bound = "";
	table->detaching = false;
}

/*
 * Returns the valid index that has replaced `index` under its name, as REINDEX
 * CONCURRENTLY does; NULL: none.
 */
static const IndexDefinition *
find_successor(TableDefinition *now, const TableDefinition *after,
			   const IndexDefinition *index)
{
	for (int i = 0; i < after->index_count; i++)
	{
		const IndexDefinition *other = &after->indexes[i];
		const IndexDefinition *before = find_index(now, other->oid);

		if (other->valid && strcmp(other->name, index->name) == 0 &&
			strcmp(other->definition, index->definition) == 0 &&
			other->constraint == index->constraint &&
			(before == NULL || !before->valid))
			return other;
	}
	return NULL;
}

/*
 * Removes invalid indexes.  An index that becomes valid is removed from the old
 * state, so that it is created.
 */
static void
leave_out_indexes(TableDefinition *now, TableDefinition *after)
{
	for (int i = after->index_count - 1; i >= 0; i--)
	{
		IndexDefinition *index = &after->indexes[i];
		IndexDefinition *known = find_index(now, index->oid);
		const IndexDefinition *successor = NULL;

		if (index->valid)
			continue;
		if (known != NULL)
			successor = find_successor(now, after, known);
		if (successor != NULL)
			known->oid = successor->oid;
		if (known == NULL || successor != NULL)
			remove_index(after, i);
		else
			*index = *known;
	}
	for (int i = now->index_count - 1; i >= 0; i--)
	{
		const IndexDefinition *later = find_index(after, now->indexes[i].oid);

		if (!now->indexes[i].valid && later != NULL && later->valid)
			remove_index(now, i);
	}
}

void
match_alone(TableDefinition *table, Arena *arena)
{
	end_detaching(table);
	leave_out_constraints(table, arena);
	for (int i = table->index_count - 1; i >= 0 && !table->partitioned; i--)
		if (!table->indexes[i].valid)
			remove_index(table, i);
}

/* ---- What was made again ---- */

/*
 * Whether a column was dropped: then a column with its name is another column.
 */
static bool
lost_columns(const TableDefinition *now, const TableDefinition *after)
{
	for (int i = 0; i < now->column_count; i++)
		if (definition_column(after, now->columns[i].attnum) == NULL)
			return true;
	return false;
}

static ConstraintDefinition *
same_constraint(TableDefinition *now, TableDefinition *after,
				const ConstraintDefinition *constraint)
{
	for (int i = 0; i < after->constraint_count; i++)
	{
		ConstraintDefinition *other = &after->constraints[i];

		if (other->kind == constraint->kind &&
			strcmp(other->name, constraint->name) == 0 &&
			strcmp(other->definition, constraint->definition) == 0 &&
			lists_equal(&other->attnums, &constraint->attnums) &&
			find_constraint(now, other->oid) == NULL)
			return other;
	}
	return NULL;
}

static void
match_constraints(TableDefinition *now, TableDefinition *after,
				  Matches *matches)
{
	for (int i = 0; i < now->constraint_count; i++)
	{
		ConstraintDefinition *constraint = &now->constraints[i];
		ConstraintDefinition *other = find_constraint(after, constraint->oid);

		if (other == NULL)
			other = same_constraint(now, after, constraint);
		if (other == NULL)
			continue;
		map_add(&matches->constraints, constraint->oid, other->oid);
		map_add(&matches->indexes, constraint->index, other->index);
		constraint->oid = other->oid;
	}
}

static bool
has_expression(const IndexDefinition *index)
{
	for (int i = 0; i < index->attnums.count; i++)
		if (index->attnums.oids[i] == 0)
			return true;
	return index->attnums.count == 0;
}

static IndexDefinition *
same_index(TableDefinition *now, TableDefinition *after,
		   const IndexDefinition *index)
{
	if (index->constraint != 0 ||
		(has_expression(index) && lost_columns(now, after)))
		return NULL;
	for (int i = 0; i < after->index_count; i++)
	{
		IndexDefinition *other = &after->indexes[i];

		if (other->constraint == 0 && strcmp(other->name, index->name) == 0 &&
			strcmp(other->definition, index->definition) == 0 &&
			lists_equal(&other->attnums, &index->attnums) &&
			find_index(now, other->oid) == NULL)
			return other;
	}
	return NULL;
}

static void
match_indexes(TableDefinition *now, TableDefinition *after, Matches *matches)
{
	for (int i = 0; i < now->index_count; i++)
	{
		IndexDefinition *index = &now->indexes[i];
		const IndexDefinition *other;

		index->oid = map_apply(&matches->indexes, index->oid);
		other = find_index(after, index->oid);
		if (other == NULL)
			other = same_index(now, after, index);
		if (other == NULL)
			continue;
		map_add(&matches->indexes, index->oid, other->oid);
		index->oid = other->oid;
	}
}

void
match_table(TableDefinition *now, TableDefinition *after, Matches *matches)
{
	Arena *arena = matches->indexes.arena;

	end_detaching(now);
	end_detaching(after);
	leave_out_constraints(now, arena);
	leave_out_constraints(after, arena);
	if (!after->partitioned)
		leave_out_indexes(now, after);
	match_constraints(now, after, matches);
	match_indexes(now, after, matches);
}

static const ConstraintDefinition *
constraint_of_parent(TableDefinition *now, const TableDefinition *after,
					 uint32_t parent)
{
	for (int i = 0; i < after->constraint_count; i++)
		if (after->constraints[i].parent == parent &&
			find_constraint(now, after->constraints[i].oid) == NULL)
			return &after->constraints[i];
	return NULL;
}

static const IndexDefinition *
index_of_parent(TableDefinition *now, const TableDefinition *after,
				uint32_t parent)
{
	for (int i = 0; i < after->index_count; i++)
		if (after->indexes[i].parent == parent &&
			find_index(now, after->indexes[i].oid) == NULL)
			return &after->indexes[i];
	return NULL;
}

/* Whether the parent has been recreated with another OID. */
static bool
is_mapped(const OidMap *map, uint32_t parent)
{
	return parent != 0 && map_apply(map, parent) != parent;
}

void
match_partition(TableDefinition *now, const TableDefinition *after,
				Matches *matches)
{
	for (int i = 0; i < now->constraint_count; i++)
	{
		ConstraintDefinition *constraint = &now->constraints[i];
		const ConstraintDefinition *other = NULL;

		if (is_mapped(&matches->constraints, constraint->parent))
			other = constraint_of_parent(
				now, after,
				map_apply(&matches->constraints, constraint->parent));
		if (other == NULL)
			continue;
		map_add(&matches->constraints, constraint->oid, other->oid);
		map_add(&matches->indexes, constraint->index, other->index);
		constraint->oid = other->oid;
	}
	for (int i = 0; i < now->index_count; i++)
	{
		IndexDefinition *index = &now->indexes[i];
		const IndexDefinition *other = NULL;

		index->oid = map_apply(&matches->indexes, index->oid);
		if (is_mapped(&matches->indexes, index->parent))
			other = index_of_parent(
				now, after, map_apply(&matches->indexes, index->parent));
		if (other == NULL)
			continue;
		map_add(&matches->indexes, index->oid, other->oid);
		index->oid = other->oid;
	}
}

void
match_parents(TableDefinition *table, const Matches *matches)
{
	for (int i = 0; i < table->constraint_count; i++)
	{
		ConstraintDefinition *constraint = &table->constraints[i];

		constraint->parent = map_apply(&matches->constraints,
									   constraint->parent);
		constraint->index = map_apply(&matches->indexes, constraint->index);
	}
	for (int i = 0; i < table->index_count; i++)
	{
		IndexDefinition *index = &table->indexes[i];

		index->parent = map_apply(&matches->indexes, index->parent);
		index->constraint = map_apply(&matches->constraints, index->constraint);
	}
}
