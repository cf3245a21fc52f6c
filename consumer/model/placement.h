/*
 * placement.h
 *    Which target the rows of a table belong on.
 *
 * A placement is a list of rules.  A rule is for one table, for all tables
 * whose names have the same beginning, or for all tables.  The most specific
 * rule for a table counts: the one with its full name, else the one with the
 * longest beginning of its name, else the one for all tables.  Two rules with
 * the same name are refused, so the order of the rules has no meaning.
 *
 * "Nodes" are the targets that share the rows of tables placed by hash: the
 * first node_count targets.  A row belongs on the node whose number is the
 * remainder of the row's distribution hash divided by the number of nodes.
 * This is the scheme of PARTITION BY HASH; see Relation in
 * proto/penstock.proto.
 */
#ifndef PENSTOCK_MODEL_PLACEMENT_H
#define PENSTOCK_MODEL_PLACEMENT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/identifier.h"
#include "model/placed_columns.h"
#include "model/relation.h"

/* Largest number of rules of a placement. */
#define PLACEMENT_RULES_MAX 100000

/* Largest number of names of a column in a rule, former names included. */
#define PLACEMENT_NAMES_MAX 8

typedef enum PlacementKind
{
	PLACEMENT_ALL,       /* every row on every target */
	PLACEMENT_HASH,      /* each row on the node given by its hash */
	PLACEMENT_DIRECTORY, /* each row on the target that the directory has for
						  * its key */
	PLACEMENT_ONLY,      /* every row on one target */
	PLACEMENT_NONE,      /* no row on any target */
} PlacementKind;

typedef struct PlacementRule
{
	/*
	 * The tables that the rule is for: all tables if `schema` is empty; else
	 * the tables of the schema with the name `name`, or with names that begin
	 * with it if is_prefix.
	 */
	char schema[IDENTIFIER_SIZE];
	char name[IDENTIFIER_SIZE];
	bool is_prefix;

	PlacementKind kind;
	int column_count; /* number of columns, of PLACEMENT_HASH; 1 for
					   * PLACEMENT_DIRECTORY */

	/*
	 * For each column the names that it has had, the newest first, and NULL
	 * after the last one.  It is the first of them that the table has.
	 */
	const char *const *names[RELATION_DISTRIBUTION_MAX];

	/*
	 * The names that count: the newest ones, or in a rule of a Placed
	 * (catalog/placed.h) those that the source's table has now.
	 */
	const char *columns[RELATION_DISTRIBUTION_MAX];
	const char *target_name; /* name of the target, of PLACEMENT_ONLY */
	const char *source_name; /* of PLACEMENT_ALL: source whose rows are taken;
							  * NULL: not given */
	int target;              /* index of the target `target_name`; set with
							  * placement_set_target() */
	int line;                /* line in the configuration file, for messages */
	bool shared;             /* whether the targets also have rows of other
							  * sources in the tables */
} PlacementRule;

typedef struct Placement Placement;

/*
 * The directory: the table on the source that has keys and their targets, for
 * PLACEMENT_DIRECTORY.  The table itself is on every target.  See
 * route/directory.h.
 */
typedef struct PlacementDirectory
{
	char schema[IDENTIFIER_SIZE]; /* schema of the table; empty: there is no
								   * directory */
	char table[IDENTIFIER_SIZE];
	char key[IDENTIFIER_SIZE];  /* name of the column with the key */
	char node[IDENTIFIER_SIZE]; /* name of the column with the name of the
								 * target */
	const char *default_name; /* name of the target of keys that are not in the
							   * table, or NULL */
	int default_target;       /* index of that target; -1: none */

	/*
	 * Names of the targets, by index; borrowed.  Set by the code that knows the
	 * targets.
	 */
	const char *const *target_names;
	int target_count;
} PlacementDirectory;

/* Returns an empty placement, allocated in the arena. */
Placement *placement_new(Arena *arena);

/*
 * Adds a rule.  `tables` is *, SCHEMA.*, SCHEMA.BEGINNING* or SCHEMA.TABLE;
 * `place` is all, all from SOURCE, none, only TARGET, hash(COLUMN, …) or
 * directory(COLUMN), where COLUMN is NAME, or NAME formerly NAME … for a column
 * that was renamed.  Names are quoted as in SQL.  Fails with ERR_CONFIG if
 * either is anything else, or if there is a rule for the same tables.
 */
MUST_CHECK Rc placement_add(Placement *placement, const char *tables,
							const char *place, int line, Error *err);

/* Return the number of rules, and a rule by its index. */
int placement_rule_count(const Placement *placement);
const PlacementRule *placement_rule(const Placement *placement, int index);

/* Whether a target can have rows of a table with this rule. */
bool placement_rule_has(const PlacementRule *rule, int target, int node_count);

/* Sets the index of the target that target_name of the rule `index` means. */
void placement_set_target(Placement *placement, int index, int target);

/*
 * Returns the placement of one of several sources, allocated in the arena.
 * Tables whose rows are distributed get rows from all sources, and their rules
 * are `shared`.  A table that is the same on every target gets its rows from
 * the source that its rule names; for the other sources the rule becomes
 * PLACEMENT_NONE.
 */
Placement *placement_share(const Placement *placement, const char *source_name,
						   Arena *arena);

/* Returns the placement's directory, to be filled in by the caller. */
PlacementDirectory *placement_directory(Placement *placement);

/* Returns the placement's directory, or NULL if there is none. */
const PlacementDirectory *placement_find_directory(const Placement *placement);

/* Whether any rule is of kind PLACEMENT_DIRECTORY. */
bool placement_uses_directory(const Placement *placement);

/* Returns the rule for a table, or NULL if there is none. */
const PlacementRule *placement_find(const Placement *placement,
									const char *schema, const char *table);

/* Whether the rule gives schema and table name without a wildcard. */
bool placement_names_table(const PlacementRule *rule);

/* Whether a column of the rule has several names. */
bool placement_rule_has_former(const PlacementRule *rule);

/*
 * Appends the entry of a table placed by hash for the plugin's option
 * `distribution`, after a comma if the buffer is not empty.  It has all names
 * of the columns, and unless `columns` is NULL, the attnums that the columns
 * have in the table with that OID.
 */
void placement_append_distribution(const PlacementRule *rule,
								   const char *schema, const char *table,
								   const PlacedColumns *columns, Buf *buf);

/*
 * Appends where the rule places rows, in the syntax of rules: all, hash("a",
 * "b"), …  The source that "all" takes the rows from is left out: targets have
 * stored the text without it, and of another source the rule is "none".
 * Columns have their oldest names, which remain the same when the columns are
 * renamed.
 */
void placement_append_place(const PlacementRule *rule, Buf *buf);

/* Appends the same with all names of the columns, as a line for a user. */
void placement_append_line(const PlacementRule *rule, Buf *buf);

/* Whether a column of the rule, from 0, has or had this name. */
bool placement_rule_is_named(const PlacementRule *rule, int column,
							 const char *name);

#endif /* PENSTOCK_MODEL_PLACEMENT_H */
