/*
 * stages.c
 *    A list of stages.
 */
#include "sink/postgres/plan/stages.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "model/oid_list.h"

typedef struct Stage
{
	SchemaSet schema;
	size_t schema_capacity;
	size_t schema_bytes; /* bytes of the frames of the set */
	bool has_schema;     /* whether it has or had a set, also after that was
						  * applied */
	bool is_taken;       /* whether the set was returned by stages_schema(), and
						  * must not change */
	Batch batch;
	OidList rewritten; /* tables whose rows are sent again in this stage by its
						* last transaction */
	OidList earlier;   /* tables whose rows were sent again in earlier stages of
						* that transaction, and that no later set has changed */
	struct Stage *next;
} Stage;

struct Stages
{
	Stage *first;
	Stage *last;
	OidList expected; /* tables whose rows must be sent again … */
	Lsn expected_lsn; /* … in the transaction with this end_lsn */
};

static void
move_oids(OidList *to, OidList *from)
{
	ASSERT(to->count == 0);
	*to = *from;
	*from = (OidList){0};
}

/* ---- one stage ---------------------------------------------------------- */

static void
clear_schema(Stage *stage)
{
	for (size_t i = 0; i < stage->schema.count; i++)
		frame_unref(stage->schema.frames[i]);
	free(stage->schema.changes);
	free(stage->schema.frames);
	oid_list_clear(&stage->schema.rewritten_before);
	stage->schema = (SchemaSet){0};
	stage->schema_capacity = 0;
	stage->schema_bytes = 0;
}

static void
free_stage(Stage *stage)
{
	clear_schema(stage);
	oid_list_clear(&stage->rewritten);
	oid_list_clear(&stage->earlier);
	batch_release(&stage->batch);
	free(stage);
}

static void
add_schema(Stage *stage, Frame *frame, const Change *change, const TxnInfo *txn)
{
	SchemaSet *set = &stage->schema;
	size_t bytes = frame_bytes(frame);

	ASSERT(change->kind == CHANGE_SCHEMA);
	/* A set has the changes of one transaction. */
	ASSERT(set->count == 0 || set->txn.end_lsn == txn->end_lsn);
	if (set->count == stage->schema_capacity)
	{
		stage->schema_capacity = set->count > 0 ? 2 * set->count : 8;
		set->changes = xrealloc_array(set->changes, stage->schema_capacity,
									  sizeof(set->changes[0]));
		set->frames = xrealloc_array(set->frames, stage->schema_capacity,
									 sizeof(set->frames[0]));
	}
	if (set->count == 0 || set->frames[set->count - 1] != frame)
		stage->schema_bytes += bytes;
	set->changes[set->count] = change;
	set->frames[set->count] = frame_ref(frame);
	set->count++;
	set->txn = *txn;
	set->txn.origin = NULL;
	stage->has_schema = true;
}

/* Whether the last transaction is incomplete, and has no changes here. */
static bool
has_only_begun(const Batch *batch)
{
	const BatchTxn *last;

	if (batch_is_empty(batch))
		return false;
	last = &batch->txns[batch->txn_count - 1];
	return !last->complete && last->change_first == batch->change_count;
}

/* ---- the list ----------------------------------------------------------- */

Stages *
stages_new(void)
{
	Stages *self = xcalloc(1, sizeof(Stages));

	self->first = xcalloc(1, sizeof(Stage));
	self->last = self->first;
	return self;
}

static void
free_all(Stages *self)
{
	while (self->first != NULL)
	{
		Stage *stage = self->first;

		self->first = stage->next;
		free_stage(stage);
	}
	self->last = NULL;
	oid_list_clear(&self->expected);
}

void
stages_free(Stages *self)
{
	if (self == NULL)
		return;
	free_all(self);
	free(self);
}

void
stages_reset(Stages *self)
{
	free_all(self);
	self->first = xcalloc(1, sizeof(Stage));
	self->last = self->first;
}

static void
append_stage(Stages *self)
{
	Stage *stage = xcalloc(1, sizeof(Stage));

	ASSERT(self->last->next == NULL);
	self->last->next = stage;
	self->last = stage;
}

/* ---- adding ------------------------------------------------------------- */

void
stages_begin(Stages *self, const TxnInfo *txn)
{
	if (self->last->has_schema)
	{
		ASSERT(batch_complete_count(&self->last->batch) ==
			   self->last->batch.txn_count);
		append_stage(self);
	}
	oid_list_clear(&self->last->rewritten);
	oid_list_clear(&self->last->earlier);
	batch_begin(&self->last->batch, txn);
}

/*
 * Begins a new stage with schema changes, in which the last transaction
 * continues.  Complete transactions, and its rows so far, stay in the stage
 * before.
 */
static void
cut(Stages *self)
{
	Stage *before = self->last;
	Batch *batch = &before->batch;

	ASSERT(!batch_is_empty(batch));
	if (has_only_begun(batch) && batch->txn_count == 1 && !before->has_schema)
	{
		move_oids(&before->earlier, &before->rewritten);
		oid_list_add_all(&before->schema.rewritten_before, &before->earlier);
		return;
	}
	append_stage(self);
	oid_list_add_all(&self->last->earlier, &before->earlier);
	oid_list_add_all(&self->last->earlier, &before->rewritten);
	oid_list_add_all(&self->last->schema.rewritten_before,
					 &self->last->earlier);
	if (has_only_begun(batch) && batch->txn_count > 1)
		batch_split(batch, batch->txn_count - 1, &self->last->batch);
	else
		batch_continue(batch, &self->last->batch);
}

static bool
is_open_set(const Stage *stage)
{
	return stage->schema.count > 0 && has_only_begun(&stage->batch) &&
		   !stage->is_taken;
}

void
stages_add(Stages *self, Frame *frame, const Change *change)
{
	TxnInfo txn = *batch_last_txn(&self->last->batch);

	ASSERT(!batch_is_empty(&self->last->batch));
	if (change->kind != CHANGE_SCHEMA)
	{
		batch_add(&self->last->batch, frame, change);
		return;
	}
	if (!is_open_set(self->last))
		cut(self);
	if (change->schema->kind != SCHEMA_UNTRANSLATED &&
		change->schema->catalog == DEFINITION_IN_CLASS)
		oid_list_remove(&self->last->earlier, change->schema->oid);
	add_schema(self->last, frame, change, &txn);
}

void
stages_note_rewritten(Stages *self, uint32_t oid)
{
	Stage *last = self->last;

	ASSERT(oid != 0);
	if (is_open_set(last))
		last->schema.rewritten = oid;
	oid_list_add(&last->rewritten, oid);
	if (batch_last_txn(&last->batch)->end_lsn == self->expected_lsn)
		oid_list_remove(&self->expected, oid);
}

void
stages_commit(Stages *self)
{
	batch_commit(&self->last->batch);
}

/* ---- taking ------------------------------------------------------------- */

/*
 * Whether nothing is left in a stage's batch: it is empty, or its transaction
 * continues in the next stage.
 */
static bool
is_used_up(const Stage *stage)
{
	return stage->next != NULL && stage->schema.count == 0 &&
		   stage->batch.change_count == 0 &&
		   batch_complete_count(&stage->batch) == 0;
}

static void
drop_used_up(Stages *self)
{
	while (is_used_up(self->first))
	{
		Stage *stage = self->first;

		self->first = stage->next;
		free_stage(stage);
	}
}

const SchemaSet *
stages_schema(Stages *self, bool hurry)
{
	Stage *stage = self->first;

	while (is_used_up(stage))
		stage = stage->next;
	if (stage->schema.count == 0 || (is_open_set(stage) && !hurry))
		return NULL;
	if (!stage->is_taken)
		stage->schema.is_hurried = is_open_set(stage);
	stage->is_taken = true;
	return &stage->schema;
}

void
stages_expect_rewrite(Stages *self, uint32_t oid)
{
	const Stage *stage = self->first;
	Lsn end_lsn;

	ASSERT(oid != 0);
	while (is_used_up(stage))
		stage = stage->next;
	CHECK(stage->schema.count > 0 && stage->is_taken);
	end_lsn = stage->schema.txn.end_lsn;
	CHECK(self->expected.count == 0 || self->expected_lsn == end_lsn);
	self->expected_lsn = end_lsn;
	for (; stage != NULL && stage->schema.count > 0 &&
		   stage->schema.txn.end_lsn == end_lsn;
		 stage = stage->next)
		if (oid_list_has(&stage->rewritten, oid))
			return;
	oid_list_add(&self->expected, oid);
}

uint32_t
stages_missing_rewrite(const Stages *self)
{
	return self->expected.count > 0 ? self->expected.oids[0] : 0;
}

void
stages_schema_done(Stages *self)
{
	drop_used_up(self);
	CHECK(self->first->schema.count > 0 && self->first->is_taken);
	clear_schema(self->first);

	/* The transaction of the schema changes is open on the target. */
	self->first->batch.continues = true;
}

Batch *
stages_batch(Stages *self)
{
	drop_used_up(self);
	ASSERT(self->first != NULL);
	return &self->first->batch;
}

bool
stages_is_cut(const Stages *self)
{
	return self->first->next != NULL;
}

/* ---- asking ------------------------------------------------------------- */

size_t
stages_open_set_bytes(const Stages *self)
{
	return is_open_set(self->last) ? self->last->schema_bytes : 0;
}

const Batch *
stages_filling(const Stages *self)
{
	return &self->last->batch;
}

bool
stages_is_empty(const Stages *self)
{
	for (const Stage *stage = self->first; stage != NULL; stage = stage->next)
		if (stage->schema.count > 0 || !batch_is_empty(&stage->batch))
			return false;
	return true;
}

size_t
stages_bytes(const Stages *self)
{
	size_t bytes = 0;

	for (const Stage *stage = self->first; stage != NULL; stage = stage->next)
		bytes += stage->schema_bytes + stage->batch.bytes;
	return bytes;
}
