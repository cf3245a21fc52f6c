/*
 * sequences.c
 *    Reads the source's sequences, and sets those of the targets, with a task
 *    for each target.
 *
 * A target's sequence is compared with the source's, and set if needed, when
 * the source's value has changed since the last comparison.  After LOOKS_MAX
 * readings, and at the begin of each attempt, all are compared, because an
 * administrator may have changed something on the target.  The session with the
 * target is opened for that and closed afterwards, because a pooler may have
 * few sessions.
 *
 * The source may be the target of another pipeline, which has set its sequences
 * ahead of those of *its* source, and no session has used them since.  If the
 * source of that pipeline is our target, we do nothing: the two pipelines would
 * set each other's sequences further for ever.  If it is a third server, the
 * value includes a margin already and we add none.
 */
#include "pipeline/beside/sequences.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/task.h"
#include "base/xalloc.h"
#include "catalog/catalog.h"
#include "control/sequence_table.h"
#include "model/words.h"
#include "net/sql.h"
#include "pipeline/beside/reach.h"
#include "sequence/list.h"
#include "sequence/set.h"
#include "source/slot.h"

/*
 * Number of readings after which the list of sequences is read again, and all
 * are compared with those of the targets.
 */
#define LOOKS_MAX 6

/*
 * Number of targets that are set at the same time: each waits for a few
 * descriptors.
 */
#define AT_ONCE 16

/* lock_timeout for reading and setting sequences. */
#define LOCK_TIMEOUT_SQL "SET lock_timeout = '500ms'"

/* Number of log lines that we keep in order not to repeat them. */
#define SAID_MAX          1000

#define ARENA_BLOCK_BYTES (4 * KB)

/* What we know of a sequence of the source. */
typedef struct Seen
{
	bool known;
	SequenceValue value;
	uint64_t given;                   /* number of values returned between the
									   * last two readings */
	char set_by[SLOT_SYSTEM_ID_SIZE]; /* system identifier of the source of the
									   * pipeline that has set it to this value;
									   * empty: a session has used the sequence
									   * since */
} Seen;

/* The source's value with which a target's sequence was compared last. */
typedef struct Given
{
	bool known;
	SequenceValue value;
} Given;

typedef struct TargetWork
{
	Sequences *owner;
	int index;
	PgConn *conn;                     /* session with the target, while
									   * sequences are set; or NULL */
	char system[SLOT_SYSTEM_ID_SIZE]; /* system identifier of the target; empty:
									   * not known */
	Given *given;                     /* for each sequence of the list; or
									   * NULL */
	Task *task;
	Error err; /* error of the task */
} TargetWork;

struct Sequences
{
	const Config *config;
	Sink *const *sinks;
	PgConn *source;
	SequenceList list;
	Seen *seen;        /* for each sequence of the list */
	bool all_there;    /* whether all sequences of the list could be read */
	bool warn_missing; /* whether to warn of sequences that a target does not
						* have */
	int looks;      /* number of times that values were read since the list of
					 * sequences was read */
	int sessions;   /* number of sessions with the source's database */
	bool finishing; /* set sequences without a margin */
	int lacking;    /* number of sequences that could not be set while
					 * finishing */
	Rc lacks;       /* RC_FAIL if there are any */
	Error first;    /* problem of the first of these */
	TargetWork works[CONFIG_TARGETS_MAX];
	bool failing; /* whether the present failure was logged */
	Arena *arena; /* memory of `said` */
	Words said;
};

Sequences *
sequences_new(void)
{
	Sequences *self = xcalloc(1, sizeof(Sequences));

	self->arena = arena_new(ARENA_BLOCK_BYTES);
	for (int i = 0; i < CONFIG_TARGETS_MAX; i++)
		self->works[i] = (TargetWork){.owner = self, .index = i};
	return self;
}

static void
forget_given(TargetWork *work)
{
	free(work->given);
	work->given = NULL;
}

static void
close_source(Sequences *self)
{
	pgconn_close(self->source);
	self->source = NULL;
}

static void
forget_list(Sequences *self)
{
	sequence_list_release(&self->list);
	free(self->seen);
	self->seen = NULL;
}

void
sequences_free(Sequences *self)
{
	if (self == NULL)
		return;
	for (int i = 0; i < CONFIG_TARGETS_MAX; i++)
		forget_given(&self->works[i]);
	close_source(self);
	forget_list(self);
	arena_free(self->arena);
	free(self);
}

void
sequences_attach(Sequences *self, const Config *config, Sink *const *sinks)
{
	self->config = config;
	self->sinks = sinks;
	for (int i = 0; i < CONFIG_TARGETS_MAX; i++)
		forget_given(&self->works[i]);
	self->all_there = false;
}

void
sequences_detach(Sequences *self)
{
	self->sinks = NULL;
}

/* ---- What is said ---- */

/* Whether the text was not logged before. */
static bool
is_news(Sequences *self, const char *text)
{
	for (int i = 0; i < self->said.count; i++)
		if (strcmp(self->said.words[i], text) == 0)
			return false;
	if (self->said.count >= SAID_MAX)
		return false;
	words_add(&self->said, self->arena, arena_strdup(self->arena, text));
	return true;
}

/* Returns RC_FAIL. */
static MUST_CHECK Rc
describe(const PgConn *conn, const SequenceItem *item, const char *what,
		 const char *hint, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG, "sequence %s on %s: %s", item->qualified,
					  pgconn_label(conn), what);

	if (hint != NULL)
		error_hint(err, "%s", hint);
	return rc;
}

/* Logs something about a sequence, unless it was logged before. */
static void
say_once(Sequences *self, const PgConn *conn, const SequenceItem *item,
		 const char *what, const char *hint)
{
	Error text = {0};

	if (describe(conn, item, what, hint, &text) == RC_FAIL &&
		is_news(self, text.message))
		log_error(LOG_WARNING, "sequences.not-set", &text);
	error_reset(&text);
}

/* Logs why a sequence is not followed, and counts it. */
static void
say_problem(Sequences *self, const PgConn *conn, const SequenceItem *item)
{
	ASSERT(item->problem != NULL);
	if (self->finishing && self->lacking++ == 0)
		self->lacks = describe(conn, item, item->problem, item->hint,
							   &self->first);
	say_once(self, conn, item, item->problem, item->hint);
}

static void
say_missing(Sequences *self, const PgConn *target, const SequenceItem *item)
{
	Buf text;

	buf_init(&text, BUF_TEXT_MAX);
	buf_printf(&text,
			   "sequence %s is not on %s: it is followed when it is created "
			   "there",
			   item->qualified, pgconn_label(target));
	if (self->warn_missing && is_news(self, text.data))
		log_warning("sequences.not-there", "%s", text.data);
	buf_release(&text);
}

/* ---- The source ---- */

static MUST_CHECK Rc
open_source(Sequences *self, Error *err)
{
	Rc rc;

	if (self->source != NULL)
		return RC_OK;
	rc = reach_source(self->config, "penstock sequences", true, &self->source,
					  err);
	return rc == RC_OK ? pgconn_exec(self->source, LOCK_TIMEOUT_SQL, NULL, err)
					   : rc;
}

/*
 * Returns what is known of the sequences that are also in the new list.  Both
 * lists are sorted by OID.
 */
static Seen *
carry_over(const Sequences *self, const SequenceList *list)
{
	Seen *seen = xcalloc((size_t) list->count + 1, sizeof(Seen));
	int old = 0;

	for (int i = 0; i < list->count; i++)
	{
		/* both are sorted */
		ASSERT(i == 0 || list->items[i - 1].oid <= list->items[i].oid);
		while (old < self->list.count &&
			   self->list.items[old].oid < list->items[i].oid)
			old++;
		if (old < self->list.count &&
			self->list.items[old].oid == list->items[i].oid)
			seen[i] = self->seen[old];
	}
	return seen;
}

static void
take_list(Sequences *self, SequenceList *list)
{
	Seen *seen = carry_over(self, list);

	forget_list(self);
	self->list = *list;
	self->seen = seen;
	self->looks = 0;
	for (int i = 0; i < CONFIG_TARGETS_MAX; i++)
		forget_given(&self->works[i]);
}

static MUST_CHECK Rc
find(Sequences *self, Error *err)
{
	const Config *config = self->config;
	const CatalogOptions options = {.publications = config->publications,
									.selection = &config->selection,
									.placement = config->placement};
	CopyCatalog *catalog = NULL;
	SequenceList list = {0};
	Rc rc;

	if (self->all_there && self->looks < LOOKS_MAX && !self->finishing)
		return RC_OK;
	rc = catalog_read(&catalog, self->source, &options, err);
	if (rc == RC_OK)
		rc = sequence_list_find(&list, catalog, self->source, true, err);
	if (rc == RC_OK)
	{
		self->warn_missing = catalog->selected.all && config->placement == NULL;
		take_list(self, &list);
	}
	catalog_free(catalog);
	return rc;
}

static MUST_CHECK Rc
read_sessions(Sequences *self, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(self->source,
						"SELECT pg_stat_get_db_numbackends(oid)"
						" FROM pg_database WHERE datname = current_database()",
						&result, err);

	if (rc == RC_OK)
		self->sessions = (int) strtol(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return rc;
}

static void
note_seen(Sequences *self)
{
	for (int i = 0; i < self->list.count; i++)
	{
		const SequenceItem *item = &self->list.items[i];
		Seen *seen = &self->seen[i];

		if (item->problem != NULL)
			say_problem(self, self->source, item);
		if (!item->has_value)
			continue;
		seen->given = seen->known ? sequence_given(&item->definition,
												   &seen->value, &item->value)
								  : 0;
		seen->value = item->value;
		seen->known = true;
	}
}

/* Records which values of the source were set by other pipelines. */
static MUST_CHECK Rc
read_set_by(Sequences *self, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	SequenceSet *sets = NULL;
	int count = 0;
	Rc rc = sequence_table_read_set(self->source, arena, &sets, &count, err);

	for (int i = 0; i < self->list.count; i++)
		self->seen[i].set_by[0] = '\0';
	for (int i = 0; i < count && rc == RC_OK; i++)
	{
		int index = sequence_list_index(&self->list, sets[i].schema,
										sets[i].name);

		if (index >= 0 && self->list.items[index].value.is_called &&
			self->list.items[index].value.last_value == sets[i].value)
			snprintf(self->seen[index].set_by, SLOT_SYSTEM_ID_SIZE, "%s",
					 sets[i].system);
	}
	arena_free(arena);
	return rc;
}

static MUST_CHECK Rc
look_at_source(Sequences *self, Error *err)
{
	Rc rc = open_source(self, err);

	if (rc == RC_OK)
		rc = find(self, err);
	if (rc == RC_OK)
		rc = read_sessions(self, err);
	if (rc == RC_OK)
		rc = sequence_list_read(&self->list, self->source, &self->all_there,
								err);
	if (rc == RC_OK)
		note_seen(self);
	if (rc == RC_OK)
		rc = read_set_by(self, err);
	self->looks++;
	return rc;
}

/* ---- A target ---- */

static MUST_CHECK Rc
open_target(TargetWork *work, Error *err)
{
	Rc rc = reach_target_again(work->owner->config, work->index, &work->conn,
							   err);

	if (rc == RC_FAIL && err->hint == NULL)
		error_hint(err, "To set sequences takes one more session with the "
						"target, for a moment.  If a pooler in between has "
						"none left, let it have one more (PgBouncer: "
						"default_pool_size), or leave sequences alone with "
						"--set --sequences=off.");
	if (rc == RC_OK)
		rc = pgconn_exec(work->conn, LOCK_TIMEOUT_SQL, NULL, err);
	return rc == RC_OK
			   ? slot_read_system_identifier(work->conn, work->system, err)
			   : rc;
}

static bool
is_due(const TargetWork *work, int index)
{
	const SequenceItem *item = &work->owner->list.items[index];
	const Given *given = &work->given[index];

	ASSERT(work->given != NULL && index < work->owner->list.count);
	if (!work->owner->finishing && work->system[0] != '\0' &&
		strcmp(work->owner->seen[index].set_by, work->system) == 0)
		return false;
	return item->has_value &&
		   (!given->known || work->owner->finishing ||
			given->value.last_value != item->value.last_value ||
			given->value.is_called != item->value.is_called);
}

static uint64_t
margin_of(const Sequences *self, int index)
{
	const Seen *seen = &self->seen[index];

	ASSERT(index >= 0 && index < self->list.count);
	return seen->set_by[0] != '\0'
			   ? 0
			   : sequence_margin(&self->list.items[index].definition,
								 self->sessions, seen->given);
}

/*
 * Chooses the sequences of the target that have to be compared.  Returns their
 * number.
 */
static int
choose(const TargetWork *work, SequenceGoal *goals)
{
	const Sequences *self = work->owner;
	int count = 0;

	for (int i = 0; i < self->list.count; i++)
		if (is_due(work, i))
			goals[count++] = (SequenceGoal){
				.source = &self->list.items[i],
				.margin = margin_of(self, i),
			};
	return count;
}

/*
 * Records on the target the source's values and the values to which its
 * sequences are about to be set, before other sessions can see the latter.
 */
static MUST_CHECK Rc
write_rows(TargetWork *work, const SequenceSetting *setting, Error *err)
{
	SequenceRow *rows = xcalloc((size_t) setting->count + 1, sizeof(*rows));
	int count = 0;
	Rc rc;

	for (int i = 0; i < setting->count; i++)
	{
		const SequenceGoal *goal = &setting->goals[i];

		if (setting->target.items[i].oid != 0)
			rows[count++] = (SequenceRow){
				.schema = goal->source->schema,
				.name = goal->source->name,
				.polled = goal->source->value,
				.ahead = sequence_ahead(&goal->source->definition,
										&goal->source->value, goal->margin),
				.was_set = goal->is_due,
				.set_value = goal->value.last_value};
	}
	rc = sequence_table_write(work->conn, work->owner->config->name, rows,
							  count, err);
	free(rows);
	return rc;
}

/*
 * Records which sequences were compared and set, so that this is not repeated.
 */
static void
note_given(TargetWork *work, const SequenceSetting *setting)
{
	Sequences *self = work->owner;

	for (int i = 0; i < setting->count; i++)
	{
		const SequenceItem *item = &setting->target.items[i];
		const SequenceItem *source = setting->goals[i].source;
		Given *given = &work->given[source - self->list.items];
		ASSERT(source >= self->list.items &&
			   source < self->list.items + self->list.count);

		if (item->remark != NULL)
			say_once(self, work->conn, item, item->remark, NULL);
		if (item->problem != NULL)
			say_problem(self, work->conn, item);
		else if (item->oid == 0)
			say_missing(self, work->conn, item);
		else if (!setting->in_use)
			*given = (Given){.known = true, .value = source->value};
	}
}

static MUST_CHECK Rc
set_chosen(TargetWork *work, SequenceSetting *setting, Error *err)
{
	Rc rc = sequence_prepare(setting, work->conn, err);

	ASSERT(setting->count <= work->owner->list.count);
	if (rc == RC_OK)
		rc = write_rows(work, setting, err);
	if (rc == RC_OK)
		rc = sequence_apply(setting, work->conn, err);
	if (rc == RC_OK)
		note_given(work, setting);
	else
		forget_given(work);
	sequence_list_release(&setting->target);
	return rc;
}

/*
 * Compares and sets the sequences of one target.  Function of a task.  Which
 * ones are chosen depends on the target's system identifier, which is not known
 * before the first session, so they are chosen again then.
 */
static Rc
set_target(void *context, Error *err)
{
	TargetWork *work = context;
	Sequences *self = work->owner;
	SequenceGoal *goals = xcalloc((size_t) self->list.count + 1,
								  sizeof(*goals));
	SequenceSetting setting = {
		.mode = self->finishing ? SEQUENCES_ADVANCE : SEQUENCES_AHEAD,
		.stride = config_stride(self->config, work->index),
		.goals = goals,
	};
	Rc rc = RC_OK;

	ASSERT(work->conn == NULL);
	if (work->given == NULL)
		work->given = xcalloc((size_t) self->list.count + 1, sizeof(Given));
	if (choose(work, goals) > 0)
	{
		rc = open_target(work, err);
		setting.count = choose(work, goals);
		if (rc == RC_OK)
			rc = set_chosen(work, &setting, err);
		pgconn_close(work->conn);
		work->conn = NULL;
	}
	free(goals);
	return rc;
}

/* ---- All targets ---- */

/*
 * Runs the tasks of the targets from `first` to before `end` until all have
 * ended.
 */
static MUST_CHECK Rc
run_tasks(Sequences *self, int first, int end, Error *err)
{
	Task *tasks[AT_ONCE] = {NULL};
	bool waiting = true;
	Rc rc = RC_OK;

	ASSERT(first < end && end - first <= AT_ONCE);
	for (int i = first; i < end; i++)
		if (self->sinks == NULL || !self->sinks[i]->report->unreachable)
			tasks[i - first] = task_new(set_target, &self->works[i]);
	while (rc == RC_OK && waiting)
	{
		waiting = false;
		for (int i = first; i < end && rc == RC_OK; i++)
		{
			Task **task = &tasks[i - first];

			if (*task == NULL)
				continue;
			rc = task_work(*task, &self->works[i].err);
			if (rc == RC_AGAIN)
			{
				waiting = true;
				rc = RC_OK;
				continue;
			}
			task_free(*task);
			*task = NULL;
			if (rc == RC_FAIL && self->works[i].err.code != ERR_INTERRUPTED)
				rc = RC_OK;
			else if (rc == RC_FAIL)
				error_take(err, &self->works[i].err);
		}
		if (rc == RC_OK && waiting)
			rc = interrupt_wait_tasks(tasks, end - first, INT64_MAX, err);
		if (rc == RC_AGAIN)
			rc = RC_OK;
	}
	for (int i = 0; i < end - first; i++)
		task_free(tasks[i]);
	return rc;
}

/* Sets the sequences of all targets.  Returns the first failure of a target. */
static MUST_CHECK Rc
set_targets(Sequences *self, Error *err)
{
	int count = self->config->target_count;
	Rc rc = RC_OK;

	for (int first = 0; first < count && rc == RC_OK; first += AT_ONCE)
		rc = run_tasks(self, first,
					   first + AT_ONCE < count ? first + AT_ONCE : count, err);
	for (int i = 0; i < count; i++)
	{
		Error *failure = &self->works[i].err;

		if (rc == RC_OK && failure->code != ERR_NONE)
		{
			error_take(err, failure);
			rc = RC_FAIL;
		}
		error_reset(failure);
	}
	return rc;
}

static MUST_CHECK Rc
look_and_set(Sequences *self, Error *err)
{
	Rc rc = look_at_source(self, err);

	if (rc == RC_FAIL)
		close_source(self);
	return rc == RC_OK ? set_targets(self, err) : rc;
}

Rc
sequences_step(void *context, Error *err)
{
	Sequences *self = context;
	Rc rc = look_and_set(self, err);

	if (rc == RC_OK)
		self->failing = false;
	if (rc != RC_FAIL || err->code == ERR_INTERRUPTED)
		return rc;
	error_context(err, "following sequences; it is tried again");
	if (!self->failing)
		log_error(LOG_WARNING, "sequences.failed-once", err);
	self->failing = true;
	error_reset(err);
	return RC_OK;
}

/* Fails if a sequence could not be set; the first is in `first`. */
static MUST_CHECK Rc
require_all(Sequences *self, Error *err)
{
	if (self->lacks == RC_OK)
		return RC_OK;
	ASSERT(self->lacking > 0);
	error_take(err, &self->first);
	if (self->lacking > 1)
		error_detail(err, "%d more sequence%s could not be set.",
					 self->lacking - 1, PLURAL(self->lacking - 1));
	return RC_FAIL;
}

Rc
sequences_finish(Sequences *self, Error *err)
{
	Rc rc;

	self->finishing = true;
	self->lacking = 0;
	self->lacks = RC_OK;
	rc = look_and_set(self, err);
	self->finishing = false;
	if (rc == RC_OK && !self->config->sequences_may_lack)
		rc = require_all(self, err);
	error_reset(&self->first);
	if (rc != RC_OK)
		error_context(err, "bringing the targets' sequences to where the "
						   "source's are");
	return rc;
}
