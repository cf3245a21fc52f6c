/*
 * postponed_key.h
 *    The table penstock.postponed_key on the target: foreign keys that a copy
 *    could not check.
 *
 * Tables that were copied as of different positions agree with each other only
 * when following has come to the newest of these.  Until then a row may refer
 * to one that was not there yet, or not any more, and the server refuses the
 * key.  So the copy leaves it NOT VALID or, where the server has no such thing,
 * leaves it out, and notes here the statement that is missing.
 *
 * A follower runs the statements when it has come far enough, and removes the
 * row in the same transaction.
 */
#ifndef PENSTOCK_CONTROL_POSTPONED_KEY_H
#define PENSTOCK_CONTROL_POSTPONED_KEY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/lsn.h"
#include "net/pgconn.h"

typedef struct PostponedKey
{
	const char *table;     /* as SQL has it: "schema"."name" */
	const char *name;      /* likewise */
	const char *statement; /* that validates or adds it */
	Lsn not_before;        /* it cannot hold before everything up to here is
							* applied */
} PostponedKey;

/* Those of a pipeline. */
typedef struct PostponedKeys
{
	int count;
	PostponedKey *keys;
	Arena *arena; /* holds them */
} PostponedKeys;

/* Adds a key, or replaces it, in the current transaction. */
MUST_CHECK Rc postponed_key_write(PgConn *target, const char *pipeline,
								  const PostponedKey *key, Error *err);

/*
 * Reads a pipeline's keys; waits.  No table or no rows is not an error.
 * postponed_keys_release() gives back what there is, also after a failure.
 */
MUST_CHECK Rc postponed_keys_read(PostponedKeys *keys, PgConn *target,
								  const char *pipeline, Error *err);

/* Accepts zeroed ones. */
void postponed_keys_release(PostponedKeys *keys);

/* Appends the statement that removes a key's row. */
void postponed_key_append_done(Buf *sql, const char *pipeline,
							   const PostponedKey *key);

#endif /* PENSTOCK_CONTROL_POSTPONED_KEY_H */
