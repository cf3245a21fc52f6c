/*
 * selection_read.h
 *    Finds the relations and schemas on the source that match the patterns of a
 *    selection.
 *
 * A pattern that matches a partitioned table chooses, or excludes, its
 * partitions, too.
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
	uint32_t root_oid; /* OID of the topmost partitioned table of a partition;
						* else the relation's own OID */
	bool selected;     /* whether the selection chooses the relation */
	bool excluded;     /* whether the relation is excluded by name, and not
						* only with its schema */
	bool nowhere;      /* whether the placement assigns the relation to no
						* target; then `excluded` is set as well */
} SelectedRelation;

typedef struct SelectedSchema
{
	const char *quoted; /* name, quoted as in quote_ident() */
	bool excluded;      /* whether the schema is excluded; else it is chosen */
} SelectedSchema;

/* The relations of a database and its schemas, and which of them the selection
 * chooses. */
typedef struct Selected
{
	bool all;       /* whether everything is selected; the lists are empty */
	bool by_table;  /* whether tables are chosen: only these are copied */
	bool by_schema; /* whether schemas are chosen */
	int relation_count;
	SelectedRelation *relations; /* all relations, sorted by OID */
	int schema_count;
	SelectedSchema *schemas; /* the schemas that are chosen or excluded */
} Selected;

/*
 * Reads the relations and schemas from the source; blocks.  A pattern that
 * matches nothing is an error with ERR_CONFIG.  If the selection has no
 * patterns, nothing is read unless `even_all` is set.  Everything is allocated
 * in `arena`.
 */
MUST_CHECK Rc selection_read(Selected *selected, const Selection *selection,
							 bool even_all, PgConn *source, Arena *arena,
							 Error *err);

/* Returns the relation with this OID, or NULL. */
SelectedRelation *selected_find(const Selected *selected, uint32_t oid);

/* Whether a relation is selected; true also if it is not in the list. */
bool selected_has(const Selected *selected, uint32_t oid);

/*
 * Appends the second half of a condition, after an SQL expression for a
 * schema's quoted name: that the schema is chosen or, if none is chosen, not
 * excluded.  The condition is true if the name is null, as for objects without
 * a schema.  The list of schemas must not be empty.
 */
void selected_append_schemas(const Selected *selected, Buf *sql);

#endif /* PENSTOCK_CATALOG_SELECTION_READ_H */
