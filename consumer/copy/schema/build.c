/*
 * build.c
 *    The queue of statements, and the sessions that run them.
 */
#include "copy/schema/build.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/xalloc.h"
#include "copy/session.h"

#define ARENA_BLOCK_BYTES (16 * KB)

/* A statement to run, or several that are run in one transaction. */
typedef struct Task
{
	const char *sql;
	const char *what;  /* name of the object that is built, for messages */
	int table;         /* index, in the list, of the table whose index or
						* constraint is built; or -1 */
	bool is_build;     /* whether this is the `build` statement of an item, for
						* which the table's `finish` statements have to wait */
	const char *lock;  /* name of a lock: of the tasks with one name, only one
						* runs at a time; or NULL */
	struct View *view; /* materialized view to refresh, which may fail; or
						* NULL */
	const BuildForeignKey *key; /* foreign key to validate, or NULL */
	bool taken;                 /* whether a session has taken the task */
} Task;

/* A materialized view. */
typedef struct View
{
	const char *name;
	bool filled; /* whether the view was refreshed */
	Error error; /* error of the last refresh */
} View;

/* Progress of a table of the list. */
typedef struct TableState
{
	int builds_left; /* number of `build` statements that have not ended */
	bool queued;     /* whether the table's statements were queued */
	int64_t busy_us; /* time that the ended statements took, together */
} TableState;

typedef struct Builder
{
	PgConn *conn;     /* session with the target; NULL until the first task */
	Task task;        /* task being run; its sql is NULL if idle */
	int64_t start_us; /* monotonic time when the task was started */
} Builder;

struct Build
{
	BuildOptions options;
	Arena *arena;
	TableState *tables;
	Task *queue;
	int queue_size;  /* number of tasks that `queue` has room for */
	int queue_count; /* number of tasks in `queue`, including those that a
					  * session has taken */
	int queue_head;  /* index in `queue`: all tasks before it are taken */
	int waiting;     /* number of tasks that are not taken */
	int done;        /* number of tasks that have ended */
	int busy;        /* number of tasks that are running */
	bool lenient;    /* whether foreign keys may be postponed */
	int postponed_count;
	BuildPostponedKey *postponed; /* has room for all foreign keys; NULL before
								   * build_add_keys() */
	Builder builders[BUILD_JOBS_MAX];
};

Build *
build_open(const BuildOptions *options)
{
	Build *build = xcalloc(1, sizeof(Build));

	ASSERT(options->jobs > 0 && options->jobs <= BUILD_JOBS_MAX);
	ASSERT(options->list != NULL);
	build->options = *options;
	build->arena = arena_new(ARENA_BLOCK_BYTES);
	build->tables = arena_calloc(
		build->arena, (size_t) options->list->table_count, sizeof(TableState));
	return build;
}

void
build_close(Build *build)
{
	if (build == NULL)
		return;
	for (int i = 0; i < build->options.jobs; i++)
		pgconn_close(build->builders[i].conn);
	free(build->queue);
	arena_free(build->arena);
	free(build);
}


/* ---- The queue ---- */

/* Whether no statement is queued or running. */
static bool
is_empty(const Build *build)
{
	ASSERT(build->waiting >= 0 && build->busy >= 0);
	return build->waiting == 0 && build->busy == 0;
}

static void
add_task(Build *build, Task task)
{
	ASSERT(task.sql != NULL && task.what != NULL);
	ASSERT(task.table >= -1 && task.table < build->options.list->table_count);
	if (build->queue_count == build->queue_size)
	{
		build->queue_size = build->queue_size > 0 ? 2 * build->queue_size : 64;
		build->queue = xrealloc_array(build->queue, (size_t) build->queue_size,
									  sizeof(Task));
	}
	ASSERT(build->queue_count < build->queue_size);
	build->queue[build->queue_count++] = task;
	build->waiting++;
}

/* Queues the `finish` statements of a table, as one transaction; called when
 * all its `build` statements have ended. */
static void
add_finish(Build *build, int number)
{
	const BuildTable *table = &build->options.list->tables[number];
	const char *sql = "";

	ASSERT(build->tables[number].queued &&
		   build->tables[number].builds_left == 0);
	for (int i = 0; i < table->item_count; i++)
		if (table->items[i].finish != NULL)
			sql = arena_printf(build->arena, "%s%s\n", sql,
							   table->items[i].finish);
	if (sql[0] == '\0')
		return;
	add_task(build, (Task){
						.sql = sql,
						.what = arena_printf(build->arena, "constraints of %s",
											 table->qualified),
						.table = number,
					});
}

static void
add_table(Build *build, int number)
{
	const BuildTable *table = &build->options.list->tables[number];
	TableState *state = &build->tables[number];

	if (state->queued)
		return;
	state->queued = true;
	for (int i = 0; i < table->item_count; i++)
	{
		if (table->items[i].build == NULL)
			continue;
		state->builds_left++;
		add_task(build, (Task){
							.sql = table->items[i].build,
							.what = arena_printf(build->arena, "index %s",
												 table->items[i].name),
							.table = number,
							.is_build = true,
						});
	}
	if (state->builds_left == 0)
		add_finish(build, number);
}

void
build_start(Build *build, bool all)
{
	for (int i = 0; i < build->options.list->table_count; i++)
		if (all || build->options.list->tables[i].copied_oid == 0)
			add_table(build, i);
}

void
build_table_copied(Build *build, const CopyTable *table)
{
	ASSERT(table->first_oid != 0);
	for (int i = 0; i < build->options.list->table_count; i++)
		if (build->options.list->tables[i].copied_oid == table->first_oid)
			add_table(build, i);
}

static bool
is_locked(const Build *build, const char *lock)
{
	for (int i = 0; lock != NULL && i < build->options.jobs; i++)
	{
		const Task *task = &build->builders[i].task;

		if (task->sql != NULL && task->lock != NULL &&
			strcmp(task->lock, lock) == 0)
			return true;
	}
	return false;
}

/* Takes the first task from the queue whose lock is free. */
static bool
take_task(Build *build, Task *task)
{
	for (int i = build->queue_head; i < build->queue_count; i++)
	{
		if (build->queue[i].taken || is_locked(build, build->queue[i].lock))
			continue;
		ASSERT(build->waiting > 0);
		build->queue[i].taken = true;
		build->waiting--;
		*task = build->queue[i];
		while (build->queue_head < build->queue_count &&
			   build->queue[build->queue_head].taken)
			build->queue_head++;
		return true;
	}
	return false;
}


/* ---- The sessions ---- */

static Rc
open_builder(Build *build, Builder *builder, Error *err)
{
	return session_open_builder(&builder->conn, build->options.target,
								build->options.target_label, BUILD_WORK_MEM,
								err);
}

static Rc
start_task(Build *build, Builder *builder, Error *err)
{
	Rc rc = RC_OK;

	ASSERT(builder->task.sql != NULL);
	if (builder->conn == NULL)
		rc = open_builder(build, builder, err);
	if (rc != RC_OK)
		return rc;
	builder->start_us = clock_monotonic_us();
	build->busy++;
	if (!PQsendQuery(pgconn_raw(builder->conn), builder->task.sql))
		return pgconn_connection_error(builder->conn, "lost the connection to",
									   err);
	return RC_OK;
}

static void
count_done(Build *build, Builder *builder)
{
	Task task = builder->task;

	ASSERT(build->busy > 0);
	ASSERT(!task.is_build || build->tables[task.table].builds_left > 0);
	ASSERT(task.sql != NULL);
	builder->task = (Task){0};
	build->busy--;
	build->done++;
	if (task.table < 0)
		return;
	build->tables[task.table].busy_us += clock_monotonic_us() -
										 builder->start_us;
	if (task.is_build && --build->tables[task.table].builds_left == 0)
		add_finish(build, task.table);
}

/* Takes the results that have arrived.  Returns RC_OK after the last one, and
 * RC_AGAIN if more will come. */
static Rc
take_results(Builder *builder, Error *err)
{
	PGconn *pg = pgconn_raw(builder->conn);
	Rc rc = RC_OK;

	for (;;)
	{
		PGresult *result;

		/* For a broken connection, PQgetResult() returns an error result. */
		if (PQflush(pg) >= 0 && PQconsumeInput(pg) && PQisBusy(pg))
			return RC_AGAIN;
		result = PQgetResult(pg);
		if (result == NULL)
			return rc;
		rc = pgconn_check_result(builder->conn, result, err);
		PQclear(result);
		if (rc != RC_OK)
			return rc;
	}
}

/* Takes the remaining results of a statement that has failed; blocks. */
static Rc
take_rest(Builder *builder, Error *err)
{
	PGresult *result = NULL;
	Rc rc;

	do
	{
		PQclear(result);
		rc = pgconn_get_result(builder->conn, &result, err);
	} while (rc == RC_OK && result != NULL);
	return rc;
}

/* Whether the error is foreign_key_violation. */
static bool
is_violated(const Error *err)
{
	return err->code == ERR_SQL && strcmp(err->sqlstate, "23503") == 0;
}

static void
postpone(Build *build, const BuildForeignKey *key, bool added, Error *err)
{
	const char *statement = key->validate;

	ASSERT(build->lenient && build->postponed != NULL);
	/* Each key is postponed once at most: when it is added, or validated. */
	ASSERT(build->postponed_count < build->options.list->key_count);
	if (!added)
		statement = arena_printf(build->arena, "%s%s", key->add,
								 key->comment != NULL ? key->comment : "");
	build->postponed[build->postponed_count++] = (BuildPostponedKey){
		.table = key->table,
		.name = key->name,
		.statement = statement,
		.object = key->object,
		.added = added,
	};
	error_reset(err);
}

/* Handles the failure of a task.  Returns RC_OK if the failure is that of a
 * view, where it is kept for later, or of a foreign key that is postponed. */
static Rc
forgive(Build *build, Builder *builder, Error *err)
{
	View *view = builder->task.view;
	const BuildForeignKey *key = builder->task.key;

	ASSERT(view == NULL || key == NULL);
	if (key != NULL && build->lenient && is_violated(err))
		postpone(build, key, true, err);
	else if (view != NULL && err->code == ERR_SQL && !error_is_transient(err))
		error_take(&view->error, err);
	else
		return RC_FAIL;
	count_done(build, builder);
	return take_rest(builder, err);
}

static Rc
step_builder(Build *build, Builder *builder, Error *err)
{
	Rc rc = RC_OK;

	if (builder->task.sql != NULL)
	{
		rc = take_results(builder, err);
		if (rc == RC_AGAIN)
			return RC_OK;
		if (rc == RC_OK)
		{
			if (builder->task.view != NULL)
				builder->task.view->filled = true;
			count_done(build, builder);
		}
		else
			rc = forgive(build, builder, err);
	}
	if (rc == RC_OK && take_task(build, &builder->task))
		rc = start_task(build, builder, err);
	if (rc != RC_OK && err->code != ERR_INTERRUPTED)
		error_context(err, "building %s on %s", builder->task.what,
					  build->options.target_label);
	return rc;
}

Rc
build_step(Build *build, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < build->options.jobs && rc == RC_OK; i++)
		rc = step_builder(build, &build->builders[i], err);
	return rc;
}

int
build_poll_fds(const Build *build, struct pollfd *fds)
{
	int count = 0;

	for (int i = 0; i < build->options.jobs; i++)
	{
		const Builder *builder = &build->builders[i];

		if (builder->task.sql == NULL)
			continue;
		fds[count++] = (struct pollfd){
			.fd = PQsocket(pgconn_raw(builder->conn)),
			.events = PQflush(pgconn_raw(builder->conn)) > 0 ? POLLIN | POLLOUT
															 : POLLIN,
		};
	}
	return count;
}

/* Waits until a session has results, but not longer than `ms`. */
static Rc
wait_for_sessions(const Build *build, int ms, Error *err)
{
	struct pollfd fds[BUILD_JOBS_MAX];
	int count = build_poll_fds(build, fds);
	Rc rc = interrupt_wait_any(fds, count, ms, err);

	return rc == RC_AGAIN ? RC_OK : rc;
}

Rc
build_wait(Build *build, void (*turn)(void *argument), void *argument,
		   int turn_ms, Error *err)
{
	for (;;)
	{
		Rc rc = build_step(build, err);

		/* A task is kept in the queue only by another one, which runs. */
		ASSERT(rc != RC_OK || build->busy > 0 || is_empty(build));
		if (rc != RC_OK || build->busy == 0)
			return rc;
		rc = wait_for_sessions(build, turn_ms, err);
		if (rc != RC_OK)
			return rc;
		if (turn != NULL)
			turn(argument);
	}
}


/* ---- After the indexes ---- */

static Rc
add_key(Build *build, PgConn *target, const BuildForeignKey *key, Error *err)
{
	Rc rc = RC_OK;

	if (key->add != NULL)
		rc = pgconn_exec(target, key->add, NULL, err);
	if (rc == RC_FAIL && build->lenient && is_violated(err))
	{
		postpone(build, key, false, err);
		return RC_OK;
	}
	if (rc != RC_OK)
	{
		error_context(err, "adding foreign key %s to table %s on %s", key->name,
					  key->table, build->options.target_label);
		return rc;
	}
	if (key->validate != NULL)
		add_task(build, (Task){
							.sql = key->validate,
							.what = arena_printf(build->arena, "key %s of %s",
												 key->name, key->table),
							.table = -1,
							.lock = key->table,
							.key = key,
						});
	return RC_OK;
}

Rc
build_add_keys(Build *build, PgConn *target, bool lenient, Error *err)
{
	const BuildList *list = build->options.list;
	Rc rc = RC_OK;

	ASSERT(is_empty(build));
	build->lenient = lenient;
	build->postponed_count = 0;
	build->postponed = arena_calloc(build->arena, (size_t) list->key_count,
									sizeof(BuildPostponedKey));
	for (int i = 0; i < list->attach_count && rc == RC_OK; i++)
		rc = pgconn_exec(target, list->attaches[i], NULL, err);
	for (int i = 0; i < list->key_count && rc == RC_OK; i++)
		rc = add_key(build, target, &list->keys[i], err);
	return rc;
}

const BuildPostponedKey *
build_postponed_keys(const Build *build, int *count)
{
	ASSERT(is_empty(build));
	*count = build->postponed_count;
	return build->postponed;
}

static void
add_views(Build *build, View *views, int count)
{
	for (int i = 0; i < count; i++)
		if (!views[i].filled)
			add_task(
				build,
				(Task){
					.sql = arena_printf(build->arena,
										"REFRESH MATERIALIZED VIEW %s",
										views[i].name),
					.what = arena_printf(build->arena, "materialized view %s",
										 views[i].name),
					.table = -1,
					.view = &views[i],
				});
}

/* Counts the views that are not filled, and sets *first to the first one. */
static int
count_unfilled(View *views, int count, View **first)
{
	int unfilled = 0;

	ASSERT(count >= 0);
	for (int i = count - 1; i >= 0; i--)
		if (!views[i].filled)
		{
			*first = &views[i];
			unfilled++;
		}
	return unfilled;
}

Rc
build_fill_views(Build *build, const NameList *list,
				 void (*turn)(void *argument), void *argument, int turn_ms,
				 Error *err)
{
	View *views = arena_calloc(build->arena, (size_t) list->count,
							   sizeof(View));
	View *first = NULL;
	int unfilled = list->count;
	int before = unfilled + 1;
	Rc rc = RC_OK;

	ASSERT(is_empty(build));
	for (int i = 0; i < list->count; i++)
		views[i].name = list->names[i];
	while (rc == RC_OK && unfilled > 0 && unfilled < before)
	{
		before = unfilled;
		add_views(build, views, list->count);
		rc = build_wait(build, turn, argument, turn_ms, err);
		unfilled = count_unfilled(views, list->count, &first);
	}
	if (rc == RC_OK && unfilled > 0)
	{
		ASSERT(first != NULL);
		error_take(err, &first->error);
		error_context(err, "filling materialized view %s on %s", first->name,
					  build->options.target_label);
		rc = RC_FAIL;
	}
	for (int i = 0; i < list->count; i++)
		error_reset(&views[i].error);
	return rc;
}

void
build_analyze(Build *build, const CopyCatalog *catalog)
{
	for (int i = 0; i < catalog->table_count; i++)
	{
		const CopyTable *table = &catalog->tables[i];

		add_task(build,
				 (Task){
					 .sql = arena_printf(build->arena, "ANALYZE %s",
										 table->qualified),
					 .what = arena_printf(build->arena, "statistics of %s.%s",
										  table->schema, table->name),
					 .table = -1,
				 });
	}
}


/* ---- What it does ---- */

int
build_done(const Build *build)
{
	return build->done;
}

int
build_total(const Build *build)
{
	return build->done + build->busy + build->waiting;
}

int
build_running(const Build *build, BuildRunning *running, int max)
{
	int count = 0;

	for (int i = 0; i < build->options.jobs && count < max; i++)
	{
		const Builder *builder = &build->builders[i];

		if (builder->task.sql != NULL)
			running[count++] = (BuildRunning){
				.what = builder->task.what,
				.start_us = builder->start_us,
				.backend_pid = PQbackendPID(pgconn_raw(builder->conn)),
			};
	}
	return count;
}

double
build_seconds(const Build *build, const CopyTable *table)
{
	const BuildList *list = build->options.list;
	int64_t us = 0;

	for (int i = 0; i < list->table_count; i++)
		if (list->tables[i].copied_oid == table->first_oid)
			us += build->tables[i].busy_us;
	return (double) us / 1e6;
}
