/*
 * existing.h
 *    Reads what a coordinator already has of the objects that a script
 *    defines.
 *
 * See script.h for what a coordinator is.  We never alter or drop an object
 * that is not the pipeline's.
 *
 * A foreign server belongs to the pipeline if its VERSION says so.  We use
 * VERSION because it can be changed later and has no meaning for postgres_fdw.
 * A table or view belongs to the pipeline if it reads the tables that it has to
 * read, on the pipeline's servers, and no others.  Its name alone does not
 * count, because a partition of another table may have the same name.
 */
#ifndef PENSTOCK_FEDERATE_EXISTING_H
#define PENSTOCK_FEDERATE_EXISTING_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "net/pgconn.h"

/* Columns of ExistingServer.options and of ExistingServer.user_options. */
typedef enum ExistingOption
{
	EXISTING_KEYWORD,
	EXISTING_VALUE,
} ExistingOption;

typedef struct ExistingServer
{
	bool exists;
	bool is_ours;  /* whether its VERSION is the pipeline's mark */
	bool is_free;  /* whether it is a server of postgres_fdw without a
					* VERSION */
	bool has_user; /* whether the current role has a user mapping for it */
	PGresult *options;
	PGresult *user_options; /* no rows if the role has no privilege to see
							 * them */
} ExistingServer;

/* Columns of ExistingTable.parts. */
typedef enum ExistingPart
{
	EXISTING_PART_SCHEMA,
	EXISTING_PART_NAME,
	EXISTING_PART_SERVER, /* name of the foreign server; NULL: not a foreign
						   * table */
	EXISTING_PART_IS_OURS,
	EXISTING_PART_BOUND, /* partition bound; NULL: not a partition */
} ExistingPart;

typedef struct ExistingTable
{
	char kind;         /* pg_class.relkind; 0: the relation does not exist */
	bool is_ours;      /* whether it belongs to the pipeline: see above */
	bool same_key;     /* whether it is partitioned by the key asked for */
	PGresult *self;    /* one row with the columns of `parts`; for a foreign
						* table */
	PGresult *parts;   /* partitions, or the tables that a view reads, by
						* name */
	PGresult *columns; /* see columns.h */
} ExistingTable;

/* Appends the VERSION of a pipeline's servers as a literal. */
void existing_append_mark(Buf *buf, const char *pipeline);

/*
 * Appends a condition on pg_foreign_server s that is true if the server belongs
 * to the pipeline: it has the pipeline's mark, or its name is one of `names`.
 */
void existing_append_is_ours(Buf *sql, const char *pipeline,
							 const char *const *names, int count);

/* Reads a server, and the current role's user mapping for it. */
MUST_CHECK Rc existing_server_read(ExistingServer *server, PgConn *coordinator,
								   const char *name, const char *pipeline,
								   Error *err);

/* Clears the results.  Accepts a zeroed ExistingServer. */
void existing_server_release(ExistingServer *server);

/*
 * Reads a relation that should read the table `schema`.`table_read` of the
 * nodes, or a part of it.  `is_ours` is the condition of
 * existing_append_is_ours().  `key_sql` is an SQL expression for the partition
 * key as pg_get_partkeydef() returns it.
 */
MUST_CHECK Rc existing_table_read(ExistingTable *table, PgConn *coordinator,
								  const char *schema, const char *name,
								  const char *table_read, const char *is_ours,
								  const char *key_sql, Error *err);

/* Clears the results.  Accepts a zeroed ExistingTable. */
void existing_table_release(ExistingTable *table);

#endif /* PENSTOCK_FEDERATE_EXISTING_H */
