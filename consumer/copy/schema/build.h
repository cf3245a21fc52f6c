/*
 * build.h
 *    Builds indexes and constraints on one target, several at a time, each as
 *    soon as its table's rows are copied.
 *
 * A Build has a queue of statements, and sessions on the target that run them.
 * build_step() does not block once the sessions are open: while rows are
 * copied, the loop of data.c calls it; afterwards build_wait() calls it until
 * the queue is empty.
 *
 *     build_open()
 *     build_start()              for the tables that get no rows
 *     build_table_copied() …     for each table whose rows are copied
 *     build_wait()
 *     build_add_keys()           adds foreign keys, and queues their validation
 *     build_wait()
 *     build_fill_views()
 *     build_analyze()
 *     build_wait()
 *     build_close()
 */
#ifndef PENSTOCK_COPY_SCHEMA_BUILD_H
#define PENSTOCK_COPY_SCHEMA_BUILD_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "copy/schema/build_list.h"
#include "net/pgconn.h"

/* Maximum number of sessions; that of --jobs. */
#define BUILD_JOBS_MAX 64

/* maintenance_work_mem of each session, unless the target's own setting is
 * higher. */
#define BUILD_WORK_MEM "256MB"

typedef struct Build Build;

typedef struct BuildOptions
{
	const char *target; /* connection string of the target */
	const char *target_label;
	int jobs;              /* maximum number of sessions */
	const BuildList *list; /* indexes and constraints to build */
} BuildOptions;

/* A statement that a session is running. */
typedef struct BuildRunning
{
	const char *what; /* object being built: index "public"."orders_pkey" */
	int64_t start_us; /* monotonic time when the statement was sent */
	int backend_pid;  /* process ID of the session's backend on the target */
} BuildRunning;

/* A foreign key that rows on the target violate: see build_add_keys(). */
typedef struct BuildPostponedKey
{
	const char *table;     /* "schema"."name" */
	const char *name;      /* name of the constraint, quoted */
	const char *statement; /* validates or adds the key; to be run later, when
							* no rows violate the key any more */
	ObjectId object;       /* the constraint's catalog and OID on the source */
	bool added;            /* whether the key exists on the target, NOT VALID */
} BuildPostponedKey;

/* Returns a new Build, which the caller owns.  Borrows the strings and the list
 * of `options` until build_close().  Does not connect yet. */
Build *build_open(const BuildOptions *options);

/* Closes the sessions, and cancels the statements that they run.  Accepts
 * NULL. */
void build_close(Build *build);

/* Queues the items of tables that get no rows, or with `all` of all tables. */
void build_start(Build *build, bool all);

/* Queues the items of a copied table, and of its partitions. */
void build_table_copied(Build *build, const CopyTable *table);

/*
 * Takes the results of statements that have ended, and starts queued statements
 * in idle sessions.  Returns RC_OK also if there was nothing to do.  Blocks
 * only while it opens a session.
 */
MUST_CHECK Rc build_step(Build *build, Error *err);

/*
 * Writes the descriptors and events of the busy sessions to `fds`, which has
 * room for BUILD_JOBS_MAX, and returns their number.
 */
int build_poll_fds(const Build *build, struct pollfd *fds);

/*
 * Blocks until all queued statements have ended.  Meanwhile calls `turn`, if it
 * is not NULL, with `argument` at least every `turn_ms`.
 */
MUST_CHECK Rc build_wait(Build *build, void (*turn)(void *argument),
						 void *argument, int turn_ms, Error *err);

/*
 * Attaches the indexes of partitions, adds the foreign keys, and queues their
 * validation; blocks.  All indexes must be built already, so the queue must be
 * empty.
 *
 * With `lenient`, a foreign key that rows violate is no failure, but becomes a
 * postponed key: it stays NOT VALID or, if it cannot be added as NOT VALID, is
 * not added.
 */
MUST_CHECK Rc build_add_keys(Build *build, PgConn *target, bool lenient,
							 Error *err);

/* Returns the postponed keys, and sets *count to their number.  The queue must
 * be empty. */
const BuildPostponedKey *build_postponed_keys(const Build *build, int *count);

/*
 * Refreshes materialized views, several at a time; blocks.  A view whose
 * refresh fails is tried again after others were filled: it may read them
 * through a function, which pg_depend does not show.  Fails if no more views
 * can be filled.  The queue must be empty.  For `turn` see build_wait().
 */
MUST_CHECK Rc build_fill_views(Build *build, const NameList *views,
							   void (*turn)(void *argument), void *argument,
							   int turn_ms, Error *err);

/* Queues ANALYZE of the copied tables. */
void build_analyze(Build *build, const CopyCatalog *catalog);

/* Number of statements that have ended, and of all statements so far: ended,
 * running and queued. */
int build_done(const Build *build);
int build_total(const Build *build);

/* Writes up to `max` running statements to `running`, and returns their
 * number. */
int build_running(const Build *build, BuildRunning *running, int max);

/* Returns the sum of the seconds that the statements for a table's indexes and
 * constraints took. */
double build_seconds(const Build *build, const CopyTable *table);

#endif /* PENSTOCK_COPY_SCHEMA_BUILD_H */
