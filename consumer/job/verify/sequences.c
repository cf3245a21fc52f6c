/*
 * sequences.c
 *    Reads the sequences of all servers, and compares them one by one.
 */
#include "job/verify/sequences.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/xalloc.h"
#include "catalog/catalog.h"
#include "job/verify/anchor.h"
#include "source/slot.h"

/* How long we wait for a follower to advance the sequences, and the interval at
 * which we query them. */
#define SEQUENCES_WAIT_MS 15000
#define SEQUENCES_POLL_MS 500

typedef enum SequenceJudgement
{
	SEQUENCE_FINE,
	SEQUENCE_LAGS,      /* the target has not reached the source's value */
	SEQUENCE_REMADE,    /* the source's was made again, or turned round */
	SEQUENCE_NOT_FOUND, /* the target has no such sequence */
	SEQUENCE_HIDDEN,    /* a server does not let us read it */
} SequenceJudgement;

/* What is found of one target. */
typedef struct Look
{
	const VerifySequences *self;
	const char *label; /* name of the target in messages */
	SequenceItem **names;
	const SequenceList *now; /* the source's */
	const SequenceList *target;
	bool followed; /* whether a follower is running */
	int lagging;   /* number of sequences that lag */
	int doubtful;  /* number of those that we cannot tell about */
} Look;

/* ---- reading ------------------------------------------------------------ */

Rc
verify_sequences_read(VerifySequences *self, const Config *config, Error *err)
{
	const CatalogOptions options = {
		.publications = config->publications,
		.selection = &config->selection,
		.placement = config->placement,
		.without_unlogged = config->no_unlogged_data,
	};
	CopyCatalog *catalog = NULL;
	PgConn *source = NULL;
	bool complete;
	Rc rc;

	self->config = config;
	if (!config_follows_sequences(config))
		return RC_OK;
	rc = anchor_open_reader(&source, config->source, "source", err);
	if (rc == RC_OK)
		rc = catalog_read(&catalog, source, &options, err);
	if (rc == RC_OK)
		rc = sequence_list_find(&self->before, catalog, source, true, err);
	if (rc == RC_OK)
		rc = sequence_list_read(&self->before, source, &complete, err);
	self->is_read = rc == RC_OK;
	catalog_free(catalog);
	pgconn_close(source);
	return rc;
}

void
verify_sequences_release(VerifySequences *self)
{
	sequence_list_release(&self->before);
	*self = (VerifySequences){0};
}

/* ---- one sequence ------------------------------------------------------- */

static bool
has_come(const SequenceItem *source, const SequenceItem *target)
{
	return source->definition.cycles ||
		   !sequence_is_beyond(&source->definition, &source->value,
							   &target->value);
}

static SequenceJudgement
judge(const SequenceItem *before, const SequenceItem *now,
	  const SequenceItem *target)
{
	if (before->oid == 0 || now->oid == 0)
		return SEQUENCE_FINE;
	if (now->oid != before->oid ||
		(now->definition.increment > 0) != (before->definition.increment > 0))
		return SEQUENCE_REMADE;
	if (target->oid == 0)
		return SEQUENCE_NOT_FOUND;
	if (!before->has_value || !now->has_value || !target->has_value)
		return SEQUENCE_HIDDEN;
	return has_come(before, target) || has_come(now, target) ? SEQUENCE_FINE
															 : SEQUENCE_LAGS;
}

static const char *
doubt_about(SequenceJudgement judgement)
{
	switch (judgement)
	{
		case SEQUENCE_REMADE:
			return "was made again or turned round meanwhile";
		case SEQUENCE_NOT_FOUND:
			return "is not there";
		case SEQUENCE_HIDDEN:
			return "cannot be read";
		case SEQUENCE_LAGS:
			return "has not come to where the source's was, and nobody follows";
		case SEQUENCE_FINE:
			break;
	}
	return NULL;
}

/* ---- one target --------------------------------------------------------- */

static void
report(Look *look, Verdict *verdict)
{
	const char *first = NULL;

	look->doubtful = 0;
	for (int i = 0; i < look->self->before.count; i++)
	{
		const SequenceItem *item = look->names[i];
		SequenceJudgement judgement = judge(item, &look->now->items[i],
											&look->target->items[i]);

		if (judgement == SEQUENCE_LAGS && look->followed)
			verdict_add_note(
				verdict,
				arena_printf(
					verdict->arena,
					"sequence %s on %s has not come to where the source's was",
					item->qualified, look->label));
		else if (judgement != SEQUENCE_FINE && look->doubtful++ == 0)
			first = arena_printf(verdict->arena, "sequence %s on %s, which %s",
								 item->qualified, look->label,
								 doubt_about(judgement));
	}
	if (look->doubtful > 1)
		first = arena_printf(verdict->arena, "%s, and %d more like it", first,
							 look->doubtful - 1);
	if (first != NULL)
		verdict_doubt(verdict, first);
}

static void
count(Look *look)
{
	for (int i = 0; i < look->self->before.count; i++)
		look->lagging += judge(look->names[i], &look->now->items[i],
							   &look->target->items[i]) == SEQUENCE_LAGS
							 ? 1
							 : 0;
}

/* Reads the sequences of a target and, after them, those of the source, and
 * counts those that lag in *lagging, or reports what is found if `verdict` is
 * not NULL. */
static MUST_CHECK Rc
look_at_target(Look *look, PgConn *source, PgConn *target, Verdict *verdict,
			   int *lagging, Error *err)
{
	int items = look->self->before.count;
	SequenceList there = {0};
	SequenceList now = {0};
	Rc rc = sequence_list_read_target(&there, look->names, items, target, err);

	if (rc == RC_OK)
		rc = sequence_list_read_target(&now, look->names, items, source, err);
	look->target = &there;
	look->now = &now;
	if (rc == RC_OK && verdict != NULL)
		report(look, verdict);
	else if (rc == RC_OK)
		count(look);
	*lagging += look->lagging;
	look->lagging = 0;
	sequence_list_release(&there);
	sequence_list_release(&now);
	return rc;
}

/* ---- all targets -------------------------------------------------------- */

typedef struct Ends
{
	PgConn *source;
	PgConn *targets[CONFIG_TARGETS_MAX];
} Ends;

static MUST_CHECK Rc
open_ends(Ends *ends, const Config *config, Error *err)
{
	Rc rc = anchor_open_reader(&ends->source, config->source, "source", err);

	for (int i = 0; i < config->target_count && rc == RC_OK; i++)
	{
		char label[CONFIG_LABEL_SIZE];

		config_label_target(config, i, label);
		rc = anchor_open_reader(&ends->targets[i], config->targets[i], label,
								err);
	}
	return rc;
}

static void
close_ends(Ends *ends)
{
	for (int i = 0; i < CONFIG_TARGETS_MAX; i++)
		pgconn_close(ends->targets[i]);
	pgconn_close(ends->source);
}

static MUST_CHECK Rc
look_at_all(const VerifySequences *self, const Ends *ends, bool followed,
			Verdict *verdict, int *lagging, Error *err)
{
	int items = self->before.count;
	SequenceItem **names = xcalloc((size_t) items + 1, sizeof(*names));
	Rc rc = RC_OK;

	*lagging = 0;
	for (int i = 0; i < items; i++)
		names[i] = &self->before.items[i];
	for (int i = 0; i < self->config->target_count && rc == RC_OK; i++)
	{
		Look look = {.self = self,
					 .label = pgconn_label(ends->targets[i]),
					 .names = names,
					 .followed = followed};

		rc = look_at_target(&look, ends->source, ends->targets[i], verdict,
							lagging, err);
	}
	free(names);
	return rc;
}

static MUST_CHECK Rc
is_followed(const VerifySequences *self, PgConn *source, bool *followed,
			Error *err)
{
	SlotInfo slot;
	Rc rc = slot_read(source, self->config->name, &slot, err);

	*followed = rc == RC_OK && slot.active_pid != 0;
	return rc;
}

/* Waits until the targets' sequences have reached the source's, no follower is
 * running, or SEQUENCES_WAIT_MS are over.  Then reports the others. */
static MUST_CHECK Rc
await(const VerifySequences *self, const Ends *ends, Verdict *verdict,
	  Error *err)
{
	int64_t until_us = clock_monotonic_us() +
					   (int64_t) SEQUENCES_WAIT_MS * 1000;
	bool followed;
	int lagging = 0;
	Rc rc = is_followed(self, ends->source, &followed, err);

	if (rc == RC_OK)
		rc = look_at_all(self, ends, followed, NULL, &lagging, err);
	while (rc == RC_OK && lagging > 0 && followed &&
		   clock_monotonic_us() < until_us)
	{
		rc = interrupt_wait(-1, 0, SEQUENCES_POLL_MS, err);
		if (rc == RC_AGAIN)
			rc = is_followed(self, ends->source, &followed, err);
		if (rc == RC_OK)
			rc = look_at_all(self, ends, followed, NULL, &lagging, err);
	}
	return rc == RC_OK
			   ? look_at_all(self, ends, followed, verdict, &lagging, err)
			   : rc;
}

Rc
verify_sequences_compare(const VerifySequences *self, Verdict *verdict,
						 Error *err)
{
	Ends ends = {0};
	Rc rc;

	if (!self->is_read || self->before.count == 0)
		return RC_OK;
	rc = open_ends(&ends, self->config, err);
	if (rc == RC_OK)
		rc = await(self, &ends, verdict, err);
	close_ends(&ends);
	return rc;
}
