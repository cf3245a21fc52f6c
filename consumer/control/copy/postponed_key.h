/*
 * postponed_key.h
 *    The table penstock.postponed_key on a target: foreign keys that a clone
 *    could not validate.
 *
 * If tables were copied as of different positions, their rows are consistent
 * only after the follower has applied everything up to the last of these
 * positions.  Before that, a row may refer to a row that does not exist yet or
 * any more, and the server would refuse the foreign key.  So the clone creates
 * the key NOT VALID, or, where the server does not support that, not at all,
 * and stores the missing statement here.
 *
 * The follower runs the statement when it has applied enough, and removes the
 * row in the same transaction.
 */
#ifndef PENSTOCK_CONTROL_COPY_POSTPONED_KEY_H
#define PENSTOCK_CONTROL_COPY_POSTPONED_KEY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/lsn.h"
#include "net/pgconn.h"

typedef struct PostponedKey
{
	const char *table;     /* quoted for SQL: "schema"."name" */
	const char *name;      /* quoted for SQL */
	const char *statement; /* statement that validates or creates the key */
	Lsn not_before;        /* source LSN up to which everything must be applied
							* before */
} PostponedKey;

/* The postponed keys of a pipeline. */
typedef struct PostponedKeys
{
	int count;
	PostponedKey *keys;
	Arena *arena; /* owned; has the keys */
} PostponedKeys;

/*
 * Writes a key in place of an existing row, in the current transaction; waits.
 */
MUST_CHECK Rc postponed_key_write(PgConn *target, const char *pipeline,
								  const PostponedKey *key, Error *err);

/*
 * Reads a pipeline's keys; waits.  A missing table is no error.  The caller
 * must call postponed_keys_release(), also after a failure.
 */
MUST_CHECK Rc postponed_keys_read(PostponedKeys *keys, PgConn *target,
								  const char *pipeline, Error *err);

/* Frees the keys.  Accepts a zeroed struct. */
void postponed_keys_release(PostponedKeys *keys);

/* Appends the statement that removes the row of a key. */
void postponed_key_append_done(Buf *sql, const char *pipeline,
							   const PostponedKey *key);

#endif /* PENSTOCK_CONTROL_COPY_POSTPONED_KEY_H */
