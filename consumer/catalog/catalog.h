/*
 * catalog.h
 *    What is to be copied: the tables of the publications, with their columns
 *    and row filters.
 *
 * Several publications are combined as the server combines them when it copies
 * for a subscription: a table's row filters are alternatives, and none if one
 * publication has none; differing column lists are an error; partitions are
 * left out where the table above them is published as a whole.
 *
 * A selection leaves some of it out.  Unlogged tables, which cannot be
 * published, come along with a publication of all tables.
 *
 * Penstock's own schema on the source, if it has one, belongs to another
 * pipeline that ends there and is never copied.
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

/* Tables of one copy; as many relations more may come with them. */
#define CATALOG_TABLES_MAX 1000000

typedef struct CopyColumn
{
	const char *name;
	uint32_t type_oid; /* on the source */
	const char *type;  /* there, with its modifier */
	bool portable;     /* the binary form means the same on any server */

	/* Set by match_target(), for one target at a time: the built-in type of
	 * the target, with its modifier, where it has another one; or NULL. */
	const char *read_as;
} CopyColumn;

/* What the extension that a table belongs to says about its rows. */
typedef enum CopyMembership
{
	MEMBER_NONE,   /* of no extension */
	MEMBER_CONFIG, /* rows of the user's, told by the extension's condition */
	MEMBER_STATIC, /* the extension's script fills it */
} CopyMembership;

typedef struct CopyTable
{
	uint32_t oid;       /* on the source */
	uint32_t first_oid; /* the same, or that of the table of this name which
						 * was there before catalog_renew() */
	const char *schema;
	const char *name;
	const char *qualified; /* "schema"."name" */
	bool partitioned;      /* published through its root */
	bool unlogged;         /* copied, and not followed */
	const char *filter;    /* condition on its rows, or NULL */
	int64_t bytes;         /* on the source, about */
	int64_t rows_expected; /* as the source's statistics have it; 0: unknown */
	int64_t heap_blocks;   /* for reading it in parts; 0: it cannot be */
	bool has_identity;     /* updates and deletes can be told */
	CopyMembership membership;
	int column_count;
	CopyColumn *columns; /* without generated ones */

	/* Set by work_tables_match(), for one target at a time. */
	bool done;  /* by an earlier run: `rows` is set, nothing is left to do */
	bool begun; /* by an earlier run, and not finished */
	bool noted; /* for the caller: the work lists say that it is done */

	/* Set by match_target(), for one target at a time. */
	bool binary; /* which format COPY uses */
	bool skip;   /* has its rows already: see MEMBER_STATIC */
	bool target_partitioned;

	/* Counted by data_copy(), for one target at a time. */
	int64_t parts_left;   /* that are not finished: see part_queue.h */
	bool changed;         /* the snapshot does not show its rows: see guard.h */
	bool stale;           /* it was `changed` since catalog_renew() */
	Lsn watermark;        /* for the caller: where its rows stand, if not where
						   * the slot starts; else 0 */
	bool gone;            /* set by catalog_renew(): not to be copied */
	int64_t busy_said_us; /* monotonic: it was said who has locked it; 0: not */
	int64_t rows;         /* that the target has committed */
	int64_t bytes_sent;
	int64_t begun_us; /* monotonic: first part begun, last part ended; 0: not */
	int64_t ended_us;
	bool part_committed; /* a part of it, maybe without rows, was committed */
} CopyTable;

/* A relation that a table cannot be created without, or the table itself. */
typedef struct CopyRelation
{
	uint32_t oid;
	const char *qualified;
	bool member; /* of an extension, which creates it */
} CopyRelation;

/* What a user may have to know of what was read.  Strings live as long as the
 * catalog. */
typedef struct CatalogFindings
{
	/* Tables that updates or deletes are published of and that have no usable
	 * replica identity: how many, and one of them; unlogged ones do not count.
	 */
	int without_identity_count;
	const char *without_identity;

	/* Tables that are published, and that the selection leaves out. */
	int left_out_count;
	const char *left_out;
} CatalogFindings;

typedef struct CopyCatalog
{
	Publications publications;
	Selected selected;

	/*
	 * Whether the schema is that of the whole database, but for what the
	 * selection leaves out; otherwise it is the relations below and what they
	 * need.
	 */
	bool whole;
	bool without_unlogged; /* unlogged tables have no rows to copy */

	int table_count;
	CopyTable *tables; /* largest first */

	/*
	 * The tables, the tables above them that they inherit from or are
	 * partitions of, and the partitions below them; views, sequences and the
	 * like that were selected by name.
	 */
	int relation_count;
	CopyRelation *relations;

	uint32_t only_oid; /* read was this table and its partitions; 0: all */
	Arena *arena;      /* holds all of the above, and this */

	CatalogFindings findings;

	struct CopyCatalog *newer; /* that has what catalog_renew() took; or NULL */
} CopyCatalog;

typedef struct CatalogOptions
{
	const char *publications;   /* names with commas between them */
	const Selection *selection; /* NULL: all that is published */
	const Placement *placement; /* with a selection: what it puts nowhere is
								 * left out as well; or NULL */
	bool without_unlogged;      /* leave unlogged tables empty */
} CatalogOptions;

/*
 * Reads what the publications publish.  On success *catalog is the caller's.
 */
MUST_CHECK Rc catalog_read(CopyCatalog **catalog, PgConn *source,
						   const CatalogOptions *options, Error *err);

/*
 * The same of what is published of one table, given by its OID on the source:
 * the table itself or partitions of it.  No table is no failure.
 */
MUST_CHECK Rc catalog_read_table(CopyCatalog **catalog, PgConn *source,
								 const char *list, uint32_t oid, Error *err);

/* The table of that name, "schema"."name", or NULL. */
CopyTable *catalog_find_table(const CopyCatalog *catalog,
							  const char *qualified);

/* The table's column of that name, or NULL. */
const CopyColumn *catalog_find_column(const CopyTable *table, const char *name);

/*
 * Takes the definitions of the tables that are `stale` from a catalog that was
 * read later, which it takes ownership of.  Tables that are published no more,
 * or do not exist any more, are `gone`; those that are new are not added.
 * Another table that has got the name takes the place of the one there was; it
 * keeps first_oid, by which what was read of the schema before knows it.
 */
void catalog_renew(CopyCatalog *catalog, CopyCatalog *newer);

/* Accepts NULL. */
void catalog_free(CopyCatalog *catalog);

/* Whether large objects come along: as in pg_dump, with the whole database. */
static inline bool
catalog_has_large_objects(const CopyCatalog *catalog)
{
	return catalog->whole && !catalog->selected.by_schema;
}

/* Appends '{1,2,…}'::oid[] of all relations. */
void catalog_append_oids(const CopyCatalog *catalog, Buf *sql);

/* The same of the tables. */
void catalog_append_tables(const CopyCatalog *catalog, Buf *sql);

/* The same of the relations that are not selected. */
void catalog_append_unselected(const CopyCatalog *catalog, Buf *sql);

/* Appends ("a", "b"), or nothing for a table without columns. */
void catalog_append_column_list(const CopyTable *table, Buf *sql);

#endif /* PENSTOCK_CATALOG_CATALOG_H */
