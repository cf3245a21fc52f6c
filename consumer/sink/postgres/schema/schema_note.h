/*
 * schema_note.h
 *    Stores on the target which definitions have changed.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_NOTE_H
#define PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_NOTE_H

#include "base/error.h"
#include "model/definition.h"
#include "net/pgconn.h"

/* All is borrowed. */
typedef struct SchemaNote
{
	PgConn *target;
	const char *pipeline;
	const DefinitionSet *known; /* what the target has stored */
	const DefinitionSet *after; /* what it is to store */
	Lsn lsn;                    /* from where on */
} SchemaNote;

/* Stores what differs, in the current transaction; waits. */
MUST_CHECK Rc schema_note_write(const SchemaNote *note, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_NOTE_H */
