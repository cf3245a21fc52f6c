/*
 * catalog.h
 *    The tables to copy: those that the publications publish, with their
 *    columns and row filters.
 *
 * Several publications are combined as the server combines them for the initial
 * copy of a subscription.  A row is copied if the row filter of one publication
 * accepts it, or if one publication has no row filter for the table.  Column
 * lists that differ are an error.  Partitions are left out if the partitioned
 * table is published itself.
 *
 * A selection, and a placement, can leave tables out.  Unlogged tables, which
 * cannot be published, are copied with a publication FOR ALL TABLES.
 *
 * The schema "penstock" is never copied.  A source that has it is the target of
 * another pipeline.
 */
#ifndef PENSTOCK_CATALOG_CATALOG_H
#define PENSTOCK_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "catalog/publications.h"
#include "catalog/selection_read.h"
#include "model/lsn.h"
#include "model/placement.h"
#include "net/pgconn.h"

/* Maximum number of tables in a catalog; a catalog has room for twice as many
 * relations. */
#define CATALOG_TABLES_MAX 1000000

typedef struct CopyColumn
{
	const char *name;
	uint32_t type_oid; /* OID of the type on the source */
	const char *type;  /* name of the type on the source, with its modifier */
	bool portable;     /* whether all server versions have the same binary
						* format of the type */

	/* Set by match_target() for the current target: the target's type, with its
	 * modifier, if it is a built-in type and differs from the source's; else
	 * NULL. */
	const char *read_as;
} CopyColumn;

/* Whether a table is a member of an extension, and whose its rows are. */
typedef enum CopyMembership
{
	MEMBER_NONE,   /* the table is not a member of an extension */
	MEMBER_CONFIG, /* configuration table: the rows that fulfil the condition in
					* pg_extension.extcondition are the user's */
	MEMBER_STATIC, /* CREATE EXTENSION fills the table */
} CopyMembership;

typedef struct CopyTable
{
	uint32_t oid;       /* OID on the source */
	uint32_t first_oid; /* equal to oid; after catalog_renew(), the OID of the
						 * table that had this name when the catalog was read */
	const char *schema;
	const char *name;
	const char *qualified; /* "schema"."name" */
	bool partitioned;      /* whether the table is partitioned */
	bool unlogged; /* whether the table is unlogged: copied, not followed */
	const char *filter;    /* SQL condition on the rows to copy, or NULL */
	int64_t bytes;         /* approximate size on the source */
	int64_t rows_expected; /* rows in the source's statistics; 0: unknown */
	int64_t heap_blocks;   /* size in blocks; 0: the table cannot be read in
							* parts by ranges of ctid */
	bool has_identity;     /* whether the table has a usable replica identity */
	CopyMembership membership;
	int column_count;
	CopyColumn *columns; /* columns to copy: published, and not generated */

	/* Set by work_tables_match() for the current target. */
	bool done;  /* whether the table's rows are on the target already; then
				 * `rows` is set, and nothing is left to copy */
	bool begun; /* whether an earlier run has copied only some of its parts */
	bool noted; /* set by callers: whether the work lists of all targets say
				 * that the table is done */

	/* Set by match_target() for the current target. */
	bool binary; /* whether COPY uses the binary format */
	bool skip;   /* whether CREATE EXTENSION fills the table: MEMBER_STATIC */
	bool target_partitioned; /* whether the target's is partitioned */

	/* Set by data_copy() and spread_copy() for the current target, where no
	 * other function is named. */
	int64_t parts_left; /* number of parts to copy: see part_queue.h */
	bool changed;       /* whether the snapshot does not show the table's
						 * rows any more: see copy/rows/guard.h */
	bool stale;    /* whether the table was `changed` since catalog_renew() */
	Lsn watermark; /* set by callers: LSN of the snapshot under which the
					* rows were copied, if it is not where the slot
					* starts; else 0 */
	bool gone;     /* set by catalog_renew(): whether the table is not
					* published any more */
	int64_t busy_said_us; /* monotonic time when we last logged who has locked
						   * the table; 0: never */
	int64_t rows;         /* number of rows that the target has committed */
	int64_t bytes_sent;   /* bytes of COPY data so far */
	int64_t begun_us;    /* monotonic times when the first part was begun and */
	int64_t ended_us;    /* the last part was committed; 0: not yet */
	bool part_committed; /* whether a part, maybe without rows, was committed */
} CopyTable;

/* A copied table, or a relation without which the table cannot be created. */
typedef struct CopyRelation
{
	uint32_t oid;
	const char *qualified;
	bool member; /* whether the relation is a member of an extension, and so
				  * created by CREATE EXTENSION */
} CopyRelation;

/* Findings of catalog_read() for the user.  Strings are valid as long as the
 * catalog. */
typedef struct CatalogFindings
{
	/* Number of tables, unlogged ones not counted, that have no usable replica
	 * identity although updates or deletes are published; and the name of one
	 * of them. */
	int without_identity_count;
	const char *without_identity;

	/* Number of published tables that the selection leaves out, and the name of
	 * one of them. */
	int left_out_count;
	const char *left_out;
} CatalogFindings;

typedef struct CopyCatalog
{
	Publications publications;
	Selected selected;

	/*
	 * Whether the schema of the whole database is copied, apart from what the
	 * selection leaves out; otherwise only that of `relations`, and of the
	 * objects that they need.
	 */
	bool whole;
	bool without_unlogged; /* whether rows of unlogged tables are not copied */

	int table_count;
	CopyTable *tables; /* largest first */

	/*
	 * The tables, the tables that they inherit from or are partitions of, and
	 * their partitions; and the views, sequences and other relations that the
	 * selection chooses by name.
	 */
	int relation_count;
	CopyRelation *relations;

	uint32_t only_oid; /* OID of the only table that was read, with its
						* partitions; 0: all published tables were read */
	Arena *arena;      /* holds the arrays above, and this struct */

	CatalogFindings findings;

	/* List of the catalogs that were passed to catalog_renew(), which own the
	 * strings of renewed tables; or NULL. */
	struct CopyCatalog *newer;
} CopyCatalog;

typedef struct CatalogOptions
{
	const char *publications;   /* names, separated by commas */
	const Selection *selection; /* which tables to copy; NULL: all published */
	const Placement *placement; /* placement rules, or NULL; tables that they
								 * assign to no target are left out as well.
								 * Ignored if selection is NULL */
	bool without_unlogged; /* whether not to copy rows of unlogged tables */
} CatalogOptions;

/*
 * Reads the tables that the publications publish; blocks.  On success the
 * caller owns *catalog.
 */
MUST_CHECK Rc catalog_read(CopyCatalog **catalog, PgConn *source,
						   const CatalogOptions *options, Error *err);

/*
 * Like catalog_read(), but reads only one table, given by its OID on the
 * source, or its partitions if they are published instead.  `list` are the
 * publications.  Returns RC_OK with an empty catalog if none of them is
 * published.
 */
MUST_CHECK Rc catalog_read_table(CopyCatalog **catalog, PgConn *source,
								 const char *list, uint32_t oid, Error *err);

/* Returns the table whose `qualified` name is given, or NULL. */
CopyTable *catalog_find_table(const CopyCatalog *catalog,
							  const char *qualified);

/* Returns the column of the table that has this name, or NULL. */
const CopyColumn *catalog_find_column(const CopyTable *table, const char *name);

/*
 * Replaces the tables that are `stale` by the tables of the same name from
 * `newer`, a catalog that was read later; takes ownership of `newer`.  Tables
 * that are not in `newer`, because they are not published or do not exist any
 * more, become `gone`.  New tables are not added.  If a new table has got the
 * name of an old one, it keeps the old one's OID as first_oid, because the dump
 * of the schema and the list of builds refer to that.
 */
void catalog_renew(CopyCatalog *catalog, CopyCatalog *newer);

/* Frees a catalog, and those that were passed to catalog_renew().  Accepts
 * NULL. */
void catalog_free(CopyCatalog *catalog);

/* Whether large objects are copied: like pg_dump, we copy them if the database
 * is copied as a whole, and not only some schemas or tables of it. */
static inline bool
catalog_has_large_objects(const CopyCatalog *catalog)
{
	return catalog->whole && !catalog->selected.by_schema;
}

/* Appends an array of the OIDs of `relations`: '{1,2,…}'::oid[]. */
void catalog_append_oids(const CopyCatalog *catalog, Buf *sql);

/* Appends an array of the OIDs of `tables`. */
void catalog_append_tables(const CopyCatalog *catalog, Buf *sql);

/* Appends an array of the OIDs of the relations that the selection leaves
 * out. */
void catalog_append_unselected(const CopyCatalog *catalog, Buf *sql);

/* Appends the table's columns as ("a", "b"), or nothing if it has none. */
void catalog_append_column_list(const CopyTable *table, Buf *sql);

#endif /* PENSTOCK_CATALOG_CATALOG_H */
