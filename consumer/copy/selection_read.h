/*
 * selection_read.h
 *    A selection, looked up on the source.
 *
 * A partition is taken, or excluded, with the table that it is a partition of.
 */
#ifndef PENSTOCK_COPY_SELECTION_READ_H
#define PENSTOCK_COPY_SELECTION_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/selection.h"
#include "net/pgconn.h"

typedef struct SelectedRelation
{
	uint32_t oid;
	const char *qualified;
	char kind; /* pg_class.relkind */
	bool selected;
	bool excluded; /* as a table */
} SelectedRelation;

typedef struct SelectedSchema
{
	const char *quoted;
	bool excluded;
} SelectedSchema;

/* The tables, views, sequences and the like of a database, and its schemas. */
typedef struct Selected
{
	bool all;       /* nothing was chosen: the lists are empty */
	bool by_table;  /* tables were chosen, and nothing but these is copied */
	bool by_schema; /* schemas were chosen */
	int relation_count;
	SelectedRelation *relations; /* by OID */
	int schema_count;
	SelectedSchema *schemas; /* those that were chosen or excluded */
} Selected;

/*
 * Looks a selection up.  A pattern that matches nothing is ERR_CONFIG.
 * Everything is allocated in `arena`.
 */
MUST_CHECK Rc selection_read(Selected *selected, const Selection *selection,
							 PgConn *source, Arena *arena, Error *err);

/* Whether a relation is selected; one that is not known is. */
bool selected_has(const Selected *selected, uint32_t oid);

/*
 * Appends what makes a condition of an expression for a schema's quoted name:
 * that it is a chosen one, or not an excluded one.  NULL, for what is in no
 * schema, is not false.  There are schemas in the list.
 */
void selected_append_schemas(const Selected *selected, Buf *sql);

#endif /* PENSTOCK_COPY_SELECTION_READ_H */
