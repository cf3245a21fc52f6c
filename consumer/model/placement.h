/*
 * placement.h
 *    Which table's rows belong on which target.
 *
 * A placement is a list of rules, each for one table or for all whose names
 * start alike.  For a table the rule that says most of its name counts: one
 * with its whole name, else the one with the longest beginning of it, else the
 * one for all tables.  Two rules for the same name are refused, so that the
 * order of rules means nothing.
 *
 * Rows of a hashed table go to the target whose number is the remainder of
 * their distribution hash when it is divided by the number of nodes: as with
 * PARTITION BY HASH, for which see Relation in proto/penstock.proto.
 */
#ifndef PENSTOCK_MODEL_PLACEMENT_H
#define PENSTOCK_MODEL_PLACEMENT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/identifier.h"
#include "model/relation.h"

/* Rules of one placement. */
#define PLACEMENT_RULES_MAX 100000

typedef enum PlacementKind
{
	PLACEMENT_ALL,       /* every row on every target */
	PLACEMENT_HASH,      /* each row on the node that its hash says */
	PLACEMENT_DIRECTORY, /* each row on the target that is listed for its key */
	PLACEMENT_ONLY,      /* every row on one target */
	PLACEMENT_NONE,      /* nowhere */
} PlacementKind;

typedef struct PlacementRule
{
	/* What it is for: all tables if schema is empty; else the tables of the
	 * schema that are named `name`, or start with that if is_prefix. */
	char schema[IDENTIFIER_SIZE];
	char name[IDENTIFIER_SIZE];
	bool is_prefix;

	PlacementKind kind;
	int column_count; /* of PLACEMENT_HASH; 1 of PLACEMENT_DIRECTORY */
	const char *columns[RELATION_DISTRIBUTION_MAX];
	const char *target_name; /* of PLACEMENT_ONLY */
	const char *source_name; /* of PLACEMENT_ALL: whose rows; NULL: not said */
	int target;              /* index of that; set by whoever knows targets */
	int line;                /* where it was said, for messages */
	bool shared;             /* other sources have rows of the tables, too */
} PlacementRule;

typedef struct Placement Placement;

/*
 * The table on the source that lists keys and their targets, for
 * PLACEMENT_DIRECTORY.  It is itself on every target.
 */
typedef struct PlacementDirectory
{
	char schema[IDENTIFIER_SIZE]; /* empty: there is none */
	char table[IDENTIFIER_SIZE];
	char key[IDENTIFIER_SIZE];  /* its columns */
	char node[IDENTIFIER_SIZE]; /* name of a target */
	const char *default_name; /* target of keys that are not listed, or NULL */
	int default_target;       /* index of that; -1: none */

	/* What `node` may name, by index; borrowed, set like the rules' targets. */
	const char *const *target_names;
	int target_count;
} PlacementDirectory;

/* An empty placement that lives in the arena. */
Placement *placement_new(Arena *arena);

/*
 * Adds a rule.  `tables` is *, SCHEMA.*, SCHEMA.BEGINNING* or SCHEMA.TABLE;
 * `place` is all, all from SOURCE, none, only TARGET, hash(COLUMN, …) or
 * directory(COLUMN); names are quoted as in SQL.  RC_FAIL with ERR_CONFIG if
 * either is anything else, or if there is a rule for the same tables.
 */
MUST_CHECK Rc placement_add(Placement *placement, const char *tables,
							const char *place, int line, Error *err);

/* The rules, to walk over. */
int placement_rule_count(const Placement *placement);
const PlacementRule *placement_rule(const Placement *placement, int index);

/* Whether a target has rows of a table that is placed by the rule; the nodes
 * are the first targets. */
bool placement_rule_has(const PlacementRule *rule, int target, int node_count);

/* Says which target a rule's target_name is. */
void placement_set_target(Placement *placement, int index, int target);

/*
 * The placement as it is for one of several sources, in the same arena or
 * another: spread tables have rows from all of them; what is the same
 * everywhere is taken from the source that its rule names, and is placed
 * nowhere for the others.
 */
Placement *placement_share(const Placement *placement, const char *source_name,
						   Arena *arena);

/* Its directory, to be filled in by whoever reads it. */
PlacementDirectory *placement_directory(Placement *placement);

/* The same, or NULL if there is none. */
const PlacementDirectory *placement_find_directory(const Placement *placement);

/* Whether any rule places by the directory. */
bool placement_uses_directory(const Placement *placement);

/* The rule for a table, or NULL if none is for it. */
const PlacementRule *placement_find(const Placement *placement,
									const char *schema, const char *table);

/* Whether the rule names a table in full. */
bool placement_names_table(const PlacementRule *rule);

/*
 * Appends what the plugin's option `distribution` wants to know of a hashed
 * table, after a comma if the buffer is not empty.
 */
void placement_append_distribution(const PlacementRule *rule,
								   const char *schema, const char *table,
								   Buf *buf);

/* Appends the place as it is written: all, hash("a", "b"), … */
void placement_append_place(const PlacementRule *rule, Buf *buf);

#endif /* PENSTOCK_MODEL_PLACEMENT_H */
