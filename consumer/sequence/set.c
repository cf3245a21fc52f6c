/*
 * set.c
 *    Calls setval() for sequences from which no session has drawn a value since
 *    they were read.
 */
#include "sequence/set.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "net/sql.h"

typedef struct Setting
{
	SequenceSetting *setting;
	PgConn *target;
} Setting;

static SequenceItem *
item_of(const Setting *self, int index)
{
	return &self->setting->target.items[index];
}

/* ---- What each is set to ---- */

static void
note_unsettable(const Setting *self, SequenceItem *item)
{
	const char *user = PQuser(pgconn_raw(self->target));
	Arena *arena = self->setting->target.arena;

	item->problem = arena_printf(arena,
								 "user \"%s\" may not set it, so it is not "
								 "followed",
								 user);
	item->hint = arena_printf(
		arena,
		"Run on %s, as its owner: GRANT SELECT, UPDATE ON SEQUENCE %s TO "
		"\"%s\".",
		pgconn_label(self->target), item->qualified, user);
}

/*
 * Whether the target's sequence can be set.  One that our role may not read
 * cannot be compared, so it is not set.
 */
static bool
is_usable(const Setting *self, SequenceItem *item)
{
	if (item->oid == 0)
		return false;
	if (!item->readable || !item->settable)
		note_unsettable(self, item);
	return item->settable && item->has_value;
}

static bool
has_same_direction(const SequenceRange *a, const SequenceRange *b)
{
	return (a->increment > 0) == (b->increment > 0);
}

static bool
decide(const Setting *self, int index)
{
	SequenceGoal *goal = &self->setting->goals[index];
	SequenceItem *item = item_of(self, index);
	SequencePlan plan = {
		.definition = goal->source->definition,
		.source = goal->source->value,
		.target_increment = item->definition.increment,
		.target = item->value,
		.margin = self->setting->mode == SEQUENCES_AHEAD ? goal->margin : 0,
		.stride = self->setting->stride,
	};

	if (!is_usable(self, item))
		return false;
	if (!has_same_direction(&plan.definition, &item->definition))
	{
		item->problem = "it runs the other way than the source's, so it is "
						"not followed";
		return false;
	}
	if (self->setting->mode == SEQUENCES_SAME)
	{
		goal->value = plan.source;
		return true;
	}
	if (plan.definition.cycles)
		plan.stride.count = 0;
	return sequence_decide(&plan, &goal->value);
}

/* ---- Setting them ---- */

static void
append_row(Buf *sql, const Setting *self, int index)
{
	const SequenceItem *item = item_of(self, index);
	const SequenceValue *value = &self->setting->goals[index].value;

	/* setval() of one that was not read could set it back. */
	CHECK(item->oid != 0 && item->has_value);
	buf_printf(sql, "(%d, %u::oid, %" PRId64 "::bigint, %s, ", index, item->oid,
			   value->last_value, value->is_called ? "true" : "false");
	if (item->value.is_called)
		buf_printf(sql, "%" PRId64 "::bigint)", item->value.last_value);
	else
		buf_append_string(sql, "NULL::bigint)");
}

/*
 * A SequenceStatement: sets values.  A sequence from which a session has drawn
 * a value since it was read is left for another attempt, because setval() could
 * set it back.
 */
static Rc
set_values(void *context, int first, int end, Error *err)
{
	const Setting *self = context;
	PGresult *result = NULL;
	bool any = false;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "SELECT v.i, %s FROM (VALUES ",
			   self->setting->dry_run
				   ? "v.value"
				   : "setval(v.oid::regclass, v.value, v.is_called)");
	for (int i = first; i < end; i++)
	{
		if (!self->setting->goals[i].is_due)
			continue;
		if (any)
			buf_append_string(&sql, ", ");
		append_row(&sql, self, i);
		any = true;
	}
	buf_append_string(&sql, ") v (i, oid, value, is_called, was)"
							" WHERE pg_sequence_last_value(v.oid)"
							" IS NOT DISTINCT FROM v.was");
	if (!any)
	{
		buf_release(&sql);
		return RC_OK;
	}
	rc = sql_run(self->target, &sql, &result, err);
	for (int row = 0; rc == RC_OK && row < PQntuples(result); row++)
	{
		SequenceGoal *goal =
			&self->setting->goals[strtol(PQgetvalue(result, row, 0), NULL, 10)];

		goal->is_due = false;
		goal->was_set = true;
		self->setting->set++;
	}
	PQclear(result);
	return rc;
}

/* ---- Disjoint values ---- */

/* Whether the target's increment must be altered, and to which value. */
static bool
wants_increment(const Setting *self, int index, int64_t *increment)
{
	const SequenceItem *item = item_of(self, index);
	const SequenceRange *source = &self->setting->goals[index]
									   .source->definition;

	return item->oid != 0 && self->setting->stride.count > 0 &&
		   sequence_stride_increment(source, &self->setting->stride,
									 increment) &&
		   item->definition.increment != *increment;
}

static MUST_CHECK Rc
alter(Setting *self, int index, int64_t increment, Error *err)
{
	SequenceItem *item = item_of(self, index);
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "ALTER SEQUENCE %s INCREMENT BY %" PRId64, item->qualified,
			   increment);
	rc = sql_run(self->target, &sql, NULL, err);
	if (rc == RC_OK)
		item->definition.increment = increment;
	if (rc != RC_FAIL || err->code != ERR_SQL || err->hint != NULL)
		return rc;
	error_hint(err,
			   "Disjoint values take a role that owns the sequence.  As its "
			   "owner run ALTER SEQUENCE %s INCREMENT BY %" PRId64 ".",
			   item->qualified, increment);
	return rc;
}

/* A SequenceStatement: alters increments, with one ALTER SEQUENCE each. */
static Rc
alter_increments(void *context, int first, int end, Error *err)
{
	Setting *self = context;
	Rc rc = RC_OK;

	for (int i = first; i < end && rc == RC_OK; i++)
	{
		int64_t increment;

		if (wants_increment(self, i, &increment))
			rc = alter(self, i, increment, err);
		else if (self->setting->goals[i].source->definition.cycles)
			item_of(self, i)->remark = "it cycles, so that its values cannot "
									   "be made disjoint";
	}
	return rc;
}

/* ---- Together ---- */

static MUST_CHECK Rc
read_target(Setting *self, Error *err)
{
	SequenceSetting *setting = self->setting;
	SequenceItem **names = xcalloc((size_t) setting->count, sizeof(*names));
	Rc rc;

	for (int i = 0; i < setting->count; i++)
		names[i] = setting->goals[i].source;
	rc = sequence_list_read_target(&setting->target, names, setting->count,
								   self->target, err);
	free(names);
	return rc;
}

Rc
sequence_prepare(SequenceSetting *setting, PgConn *target, Error *err)
{
	Setting self = {.setting = setting, .target = target};
	Rc rc;

	setting->set = 0;
	setting->in_use = false;
	setting->target = (SequenceList){0};
	if (setting->count == 0)
		return RC_OK;
	rc = read_target(&self, err);
	if (rc == RC_OK && setting->stride.count > 0)
		rc = sequence_list_run(&setting->target, alter_increments, &self, err);
	for (int i = 0; i < setting->count && rc == RC_OK; i++)
		setting->goals[i].is_due = decide(&self, i);
	return rc;
}

Rc
sequence_apply(SequenceSetting *setting, PgConn *target, Error *err)
{
	Setting self = {.setting = setting, .target = target};
	Rc rc;

	/* What sequence_prepare() has read, in the order of the goals. */
	ASSERT(setting->target.count == setting->count);
	rc = sequence_list_run(&setting->target, set_values, &self, err);
	for (int i = 0; i < setting->count && rc == RC_OK; i++)
		setting->in_use |= setting->goals[i].is_due &&
						   item_of(&self, i)->problem == NULL;
	return rc;
}

Rc
sequence_set(SequenceSetting *setting, PgConn *target, Error *err)
{
	Rc rc = sequence_prepare(setting, target, err);

	return rc == RC_OK ? sequence_apply(setting, target, err) : rc;
}
