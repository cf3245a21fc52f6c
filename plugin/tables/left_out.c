/*
 * left_out.c
 *		An array, sorted by names; see left_out.h.
 *
 * It is asked when a table is looked at, and not for each of its rows.  So
 * when a transaction begins for which the answer is another, all tables are
 * looked at anew.
 */
#include "postgres.h"

#include "catalog/pg_class.h"

#include "catalogs/newest.h"
#include "compat.h"
#include "session/table_lists.h"
#include "tables/left_out.h"

struct PenstockLeftOut
{
	int count;
	PenstockLeftOutTable *tables;

	/* Where the current transaction ends. */
	XLogRecPtr end_lsn;

	/*
	 * From the first transaction on that ends after this position, some table
	 * is not left out any more.  InvalidXLogRecPtr: nothing changes any more.
	 */
	XLogRecPtr next_change;
};

static int
compare_tables(const void *a, const void *b)
{
	const PenstockLeftOutTable *left = a;
	const PenstockLeftOutTable *right = b;
	int order = strcmp(left->schema, right->schema);

	return order != 0 ? order : strcmp(left->name, right->name);
}

/* The next_change for a transaction that ends at end_lsn. */
static XLogRecPtr
find_next_change(const PenstockLeftOut *self, XLogRecPtr end_lsn)
{
	XLogRecPtr next = InvalidXLogRecPtr;

	for (int i = 0; i < self->count; i++)
	{
		XLogRecPtr until = self->tables[i].until;

		if (until != PENSTOCK_FOREVER && until >= end_lsn &&
			(next == InvalidXLogRecPtr || until < next))
			next = until;
	}
	Assert(next == InvalidXLogRecPtr || next >= end_lsn);
	return next;
}

PenstockLeftOut *
penstock_left_out_new(PenstockSession *session)
{
	const List *tables = session->options.leave_out;
	PenstockLeftOut *self;
	ListCell *cell;

	if (tables == NIL)
		return NULL;
	self = palloc0(sizeof(PenstockLeftOut));
	self->tables = palloc(sizeof(PenstockLeftOutTable) *
						  (Size) list_length(tables));
	foreach (cell, tables)
		self->tables[self->count++] = *(const PenstockLeftOutTable *) lfirst(
			cell);
	qsort(self->tables, (Size) self->count, sizeof(PenstockLeftOutTable),
		  compare_tables);
	Assert(self->count == list_length(tables));
	self->next_change = find_next_change(self, InvalidXLogRecPtr);
	if (self->next_change != InvalidXLogRecPtr)
		(void) set_streaming_compat(session->ctx, false);
	return self;
}

bool
penstock_left_out_begin(PenstockSession *session, XLogRecPtr end_lsn)
{
	PenstockLeftOut *self = session->left_out;

	if (likely(self == NULL))
		return false;
	Assert(end_lsn != InvalidXLogRecPtr);
	self->end_lsn = end_lsn;
	if (self->next_change == InvalidXLogRecPtr || end_lsn <= self->next_change)
		return false;
	self->next_change = find_next_change(self, end_lsn);
	if (self->next_change == InvalidXLogRecPtr)
		(void) set_streaming_compat(session->ctx, session->options.streaming);
	return true;
}

/*
 * Finds a table in the list by the name that it has in the stream; NULL: it is
 * not there.
 */
static const PenstockLeftOutTable *
find_table(PenstockSession *session, Oid relid)
{
	const PenstockLeftOut *self = session->left_out;
	PenstockName name = penstock_newest_name(session, RelationRelationId,
											 relid);
	const PenstockLeftOutTable key = {.schema = name.schema, .name = name.name};

	if (key.schema == NULL)
		return NULL;
	return bsearch(&key, self->tables, (Size) self->count,
				   sizeof(PenstockLeftOutTable), compare_tables);
}

bool
penstock_left_out_has(PenstockSession *session, Oid relid)
{
	const PenstockLeftOut *self = session->left_out;
	const PenstockLeftOutTable *table;

	if (likely(self == NULL))
		return false;
	table = find_table(session, relid);
	return table != NULL && self->end_lsn <= table->until;
}
