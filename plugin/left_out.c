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

#include "compat.h"
#include "left_out.h"
#include "names.h"
#include "newest.h"
#include "relinfo.h"

/* For a table that is left out for good. */
#define FOREVER PG_UINT64_MAX

typedef struct Table
{
	const char *schema;
	const char *name;
	XLogRecPtr until; /* the last end_lsn that is left out */
} Table;

struct PenstockLeftOut
{
	int count;
	Table *tables;

	/* Where the current transaction ends. */
	XLogRecPtr end_lsn;

	/*
	 * From the first transaction on that ends after this position, some table
	 * is not left out any more.  InvalidXLogRecPtr: nothing changes any more.
	 */
	XLogRecPtr next_change;
};

/* ---- the option's value ---- */

/* The value of a hexadecimal digit; -1: the character is none. */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Takes a half of an LSN: up to eight hexadecimal digits. */
static bool
take_half(const char **at, uint32 *half)
{
	const char *start = *at;
	int digit;

	*half = 0;
	while (*at < start + 8 && (digit = hex_digit(**at)) >= 0)
	{
		*half = *half << 4 | (uint32) digit;
		(*at)++;
	}
	return *at > start;
}

static bool
take_lsn(const char **at, XLogRecPtr *lsn)
{
	uint32 high;
	uint32 low;

	if (!take_half(at, &high) || !penstock_take_character(at, '/') ||
		!take_half(at, &low))
		return false;
	penstock_skip_spaces(at);
	*lsn = (XLogRecPtr) high << 32 | low;
	return *lsn != InvalidXLogRecPtr;
}

static Table *
take_table(const char **at)
{
	Table *table = palloc0(sizeof(Table));

	table->schema = penstock_take_name(at);
	if (table->schema == NULL || !penstock_take_character(at, '.'))
		return NULL;
	table->name = penstock_take_name(at);
	if (table->name == NULL)
		return NULL;
	table->until = FOREVER;
	if (**at != ',' && **at != '\0' && !take_lsn(at, &table->until))
		return NULL;
	return table;
}

static int
compare_tables(const void *a, const void *b)
{
	const Table *left = a;
	const Table *right = b;
	int order = strcmp(left->schema, right->schema);

	return order != 0 ? order : strcmp(left->name, right->name);
}

bool
penstock_left_out_parse(const char *value, List **tables)
{
	const char *at = value;

	*tables = NIL;
	penstock_skip_spaces(&at);
	do
	{
		Table *table = take_table(&at);

		if (table == NULL)
			return false;
		*tables = lappend(*tables, table);
	} while (penstock_take_character(&at, ','));
	return *at == '\0';
}

/* ---- a session ---- */

/* The next_change for a transaction that ends at end_lsn. */
static XLogRecPtr
find_next_change(const PenstockLeftOut *self, XLogRecPtr end_lsn)
{
	XLogRecPtr next = InvalidXLogRecPtr;

	for (int i = 0; i < self->count; i++)
	{
		XLogRecPtr until = self->tables[i].until;

		if (until != FOREVER && until >= end_lsn &&
			(next == InvalidXLogRecPtr || until < next))
			next = until;
	}
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
	self->tables = palloc(sizeof(Table) * (Size) list_length(tables));
	foreach (cell, tables)
		self->tables[self->count++] = *(const Table *) lfirst(cell);
	qsort(self->tables, (Size) self->count, sizeof(Table), compare_tables);
	self->next_change = find_next_change(self, InvalidXLogRecPtr);
	if (self->next_change != InvalidXLogRecPtr)
		(void) set_streaming_compat(session->ctx, false);
	return self;
}

void
penstock_left_out_begin(PenstockSession *session, XLogRecPtr end_lsn)
{
	PenstockLeftOut *self = session->left_out;

	if (likely(self == NULL))
		return;
	self->end_lsn = end_lsn;
	if (self->next_change == InvalidXLogRecPtr || end_lsn <= self->next_change)
		return;
	self->next_change = find_next_change(self, end_lsn);
	penstock_relations_invalidate(session->relations);
	if (self->next_change == InvalidXLogRecPtr)
		(void) set_streaming_compat(session->ctx, session->options.streaming);
}

/*
 * Finds a table in the list by the name that it has in the stream; NULL: it is
 * not there.
 */
static const Table *
find_table(PenstockSession *session, Oid relid)
{
	const PenstockLeftOut *self = session->left_out;
	PenstockName name = penstock_newest_name(session, RelationRelationId,
											 relid);
	const Table key = {.schema = name.schema, .name = name.name};

	if (key.schema == NULL)
		return NULL;
	return bsearch(&key, self->tables, (Size) self->count, sizeof(Table),
				   compare_tables);
}

bool
penstock_left_out_has(PenstockSession *session, Oid relid)
{
	const PenstockLeftOut *self = session->left_out;
	const Table *table;

	if (likely(self == NULL))
		return false;
	table = find_table(session, relid);
	return table != NULL && self->end_lsn <= table->until;
}
