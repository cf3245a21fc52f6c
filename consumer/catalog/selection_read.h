/*
 * selection_read.h
 *    A selection, looked up on the source.
 *
 * A partition is taken, or excluded, with the table that it is a partition of.
 */
#ifndef PENSTOCK_CATALOG_SELECTION_READ_H
#define PENSTOCK_CATALOG_SELECTION_READ_H

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
	const char *schema;
	const char *name;
	char kind;         /* pg_class.relkind */
	uint32_t root_oid; /* of a partition: what it is one of; else its own */
	bool selected;
	bool excluded; /* as a table */
	bool nowhere;  /* for a placement; then it is excluded as well */
} SelectedRelation;

typedef struct SelectedSchema
{
	const char *quoted;
	bool excluded;
} SelectedSchema;

/* The tables, views, sequences and the like of a database, and its schemas. */
typedef struct Selected
{
	bool all;       /* nothing is left out: the lists are empty */
	bool by_table;  /* tables were chosen, and nothing but these is copied */
	bool by_schema; /* schemas were chosen */
	int relation_count;
	SelectedRelation *relations; /* by OID */
	int schema_count;
	SelectedSchema *schemas; /* those that were chosen or excluded */
} Selected;

/*
 * Looks a selection up.  A pattern that matches nothing is ERR_CONFIG.  With
 * `even_all` relations and schemas are read also if nothing is chosen.
 * Everything is allocated in `arena`.
 */
MUST_CHECK Rc selection_read(Selected *selected, const Selection *selection,
							 bool even_all, PgConn *source, Arena *arena,
							 Error *err);

/* The relation with this OID, or NULL. */
SelectedRelation *selected_find(const Selected *selected, uint32_t oid);

/* Whether a relation is selected; one that is not known is. */
bool selected_has(const Selected *selected, uint32_t oid);

/*
 * Appends what makes a condition of an expression for a schema's quoted name:
 * that it is a chosen one, or not an excluded one.  NULL, for what is in no
 * schema, is not false.  There are schemas in the list.
 */
void selected_append_schemas(const Selected *selected, Buf *sql);

#endif /* PENSTOCK_CATALOG_SELECTION_READ_H */
