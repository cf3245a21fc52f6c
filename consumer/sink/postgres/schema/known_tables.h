/*
 * known_tables.h
 *    Schema changes of tables that are followed by themselves, while they catch
 *    up with the others of their pipeline.
 *
 * The definitions that are known there are those of the tables, of their
 * sequences, and of all types.  Types are made with the other tables, and only
 * noted.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_KNOWN_TABLES_H
#define PENSTOCK_SINK_POSTGRES_APPLY_KNOWN_TABLES_H

#include "base/arena.h"
#include "base/error.h"
#include "model/definition.h"
#include "sink/postgres/plan/stages.h"

/*
 * Fills in `some` with the changes of a set that concern known objects.  Its
 * array is allocated in the arena; all else is borrowed from `all`.
 *
 * ERR_CONFIG: a table, or a label of an enum that it may have, has got another
 * name, and the table is to be copied anew.
 */
MUST_CHECK Rc known_tables_select(const SchemaSet *all,
								  const DefinitionSet *known, Arena *arena,
								  SchemaSet *some, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_KNOWN_TABLES_H */
