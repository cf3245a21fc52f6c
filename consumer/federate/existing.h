/*
 * existing.h
 *    What a coordinator has already of what a script is to make.
 *
 * A foreign server is a pipeline's if its VERSION says so: nothing else of a
 * server can be changed later and means nothing to postgres_fdw.  A table or a
 * view is the pipeline's if it reads what it stands for, on the pipeline's
 * servers, and nothing else: a part of another table may have its name.
 * What is not the pipeline's is never altered and never dropped.
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
	bool is_ours;  /* its VERSION is the pipeline's mark */
	bool is_free;  /* a server of postgres_fdw without a VERSION */
	bool has_user; /* the role has a user mapping for it */
	PGresult *options;
	PGresult *user_options; /* none if the role may not see them */
} ExistingServer;

/* Columns of ExistingTable.parts. */
typedef enum ExistingPart
{
	EXISTING_PART_SCHEMA,
	EXISTING_PART_NAME,
	EXISTING_PART_SERVER, /* NULL: no foreign table */
	EXISTING_PART_IS_OURS,
	EXISTING_PART_BOUND, /* NULL: no partition */
} ExistingPart;

typedef struct ExistingTable
{
	char kind;         /* pg_class.relkind; 0: there is no such relation */
	bool is_ours;      /* it reads the table on servers of the pipeline */
	bool same_key;     /* it is partitioned by the key that was asked for */
	PGresult *self;    /* one row, as `parts`; of a foreign table */
	PGresult *parts;   /* partitions, or what a view reads, by name */
	PGresult *columns; /* see columns.h */
} ExistingTable;

/* The VERSION of a pipeline's servers, as a literal. */
void existing_append_mark(Buf *buf, const char *pipeline);

/*
 * A condition on pg_foreign_server s, by which a server is the pipeline's;
 * `names` are servers' names that are known to be.
 */
void existing_append_is_ours(Buf *sql, const char *pipeline,
							 const char *const *names, int count);

/* Looks up a server, and the role's user mapping for it. */
MUST_CHECK Rc existing_server_read(ExistingServer *server, PgConn *coordinator,
								   const char *name, const char *pipeline,
								   Error *err);

/* Accepts a zeroed one. */
void existing_server_release(ExistingServer *server);

/*
 * Looks up a relation that is to read a table of its schema on the nodes, or a
 * part of that.  `is_ours` is as from existing_append_is_ours(), and `key_sql`
 * gives what pg_get_partkeydef() would.
 */
MUST_CHECK Rc existing_table_read(ExistingTable *table, PgConn *coordinator,
								  const char *schema, const char *name,
								  const char *table_read, const char *is_ours,
								  const char *key_sql, Error *err);

/* Accepts a zeroed one. */
void existing_table_release(ExistingTable *table);

#endif /* PENSTOCK_FEDERATE_EXISTING_H */
