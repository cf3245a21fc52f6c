/*
 * build.h
 *    Builds indexes and constraints on one target, several at a time, each as
 *    soon as its table's rows are copied.
 *
 * There is a queue of statements and a number of sessions that take from it.
 * Nothing waits in build_step(); while rows are copied the loop around them
 * calls it, and afterwards build_wait() does until nothing is left.
 *
 *     build_open()
 *     build_start()              tables that get no rows
 *     build_table_copied()       … for each table that has got its rows
 *     build_wait()
 *     build_add_keys()           foreign keys, to be validated
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

/* Sessions at most: as --jobs has it. */
#define BUILD_JOBS_MAX 64

/*
 * What each session may sort in at least, unless the target's own
 * maintenance_work_mem is higher.
 */
#define BUILD_WORK_MEM "256MB"

typedef struct Build Build;

typedef struct BuildOptions
{
	const char *target; /* connection string */
	const char *target_label;
	int jobs;
	const BuildList *list;
} BuildOptions;

/* A statement that runs. */
typedef struct BuildRunning
{
	const char *what; /* such as: index "public"."orders_pkey" */
	int64_t start_us; /* monotonic */
	int backend_pid;  /* on the target */
} BuildRunning;

/* A foreign key that the rows do not fulfil: see build_add_keys(). */
typedef struct BuildPostponedKey
{
	const char *table;     /* "schema"."name" */
	const char *name;      /* quoted */
	const char *statement; /* that is to be run when they do */
	ObjectId object;       /* on the source */
	bool added;            /* it exists, and is NOT VALID */
} BuildPostponedKey;

/* Borrows what the options have until build_close(); connects later. */
Build *build_open(const BuildOptions *options);

/* Closes the sessions; what runs is cancelled.  Accepts NULL. */
void build_close(Build *build);

/* Queues what waits for no rows; with `all` that is everything. */
void build_start(Build *build, bool all);

/* Queues what waits for the rows of this table. */
void build_table_copied(Build *build, const CopyTable *table);

/*
 * Takes what has ended and begins with what is next.  RC_OK whether or not it
 * got anywhere.  It waits only while it connects.
 */
MUST_CHECK Rc build_step(Build *build, Error *err);

/*
 * Writes what it waits for to `fds`, which has room for BUILD_JOBS_MAX, and
 * returns how many there are.
 */
int build_poll_fds(const Build *build, struct pollfd *fds);

/*
 * Runs what is queued to its end.  `turn` is called at least every
 * `turn_ms` with `argument`, if it is not NULL.
 */
MUST_CHECK Rc build_wait(Build *build, void (*turn)(void *argument),
						 void *argument, int turn_ms, Error *err);

/*
 * Attaches the indexes of partitions and adds foreign keys, and queues their
 * validation.  Waits; all indexes are built.
 *
 * With `lenient` a key that the rows do not fulfil is no failure: it stays NOT
 * VALID or, if it can only be valid, is not added.
 */
MUST_CHECK Rc build_add_keys(Build *build, PgConn *target, bool lenient,
							 Error *err);

/* Those that were left so, when nothing is queued any more; *count of them. */
const BuildPostponedKey *build_postponed_keys(const Build *build, int *count);

/*
 * Fills materialized views, several at a time.  One that cannot be filled is
 * tried again when others are, for it may read these in a way that nobody can
 * tell, such as through a function.  Fails when that does not help.  Waits;
 * nothing is queued.  For `turn` see build_wait().
 */
MUST_CHECK Rc build_fill_views(Build *build, const NameList *views,
							   void (*turn)(void *argument), void *argument,
							   int turn_ms, Error *err);

/* Queues ANALYZE of the copied tables. */
void build_analyze(Build *build, const CopyCatalog *catalog);

/* Statements done, and of these and those that are queued. */
int build_done(const Build *build);
int build_total(const Build *build);

/* What the sessions do; returns how many of the `max` entries were filled. */
int build_running(const Build *build, BuildRunning *running, int max);

/* Seconds that a table's indexes and constraints took, one after the other. */
double build_seconds(const Build *build, const CopyTable *table);

#endif /* PENSTOCK_COPY_SCHEMA_BUILD_H */
