/*
 * way_back.h
 *    The pipeline in the other direction, which is made before the writes are
 *    moved.
 */
#ifndef PENSTOCK_JOB_SWITCH_WAY_BACK_H
#define PENSTOCK_JOB_SWITCH_WAY_BACK_H

#include "base/error.h"
#include "job/switch/state.h"

/* Comment on a publication that we have made, by which we know it again. */
#define WAY_BACK_COMMENT "made by penstock switch"

/*
 * Fails with ERR_CONFIG if the target has a slot, or the source a pipeline, of
 * the way back's name that no switch has left; before anything is made. Blocks.
 */
MUST_CHECK Rc way_back_check_names(const Switch *self, Error *err);

/* Fails with ERR_CONFIG if the way back, which was prepared, does not have all
 * tables of self->catalog. */
MUST_CHECK Rc way_back_check_tables(const Switch *self, Error *err);

/*
 * Creates slot and publication on the target, in place of those that an earlier
 * switch has left; blocks.  Fails with ERR_CONFIG if the way back would not
 * work.
 */
MUST_CHECK Rc way_back_prepare(Switch *self, Error *err);

/*
 * Writes to the source what a follower of the way back needs, in the current
 * transaction of self->source.  The way back begins at self->lsn of the target,
 * and cannot be followed before progress_table_release().  Blocks.
 */
MUST_CHECK Rc way_back_write(Switch *self, Error *err);

/* Removes what way_back_prepare() has created; blocks. */
MUST_CHECK Rc way_back_undo(Switch *self, Error *err);

/* Sets *exists to whether there is a publication of that name that
 * way_back_prepare() has made; blocks. */
MUST_CHECK Rc way_back_has_publication(PgConn *conn, const char *name,
									   bool *exists, Error *err);

/*
 * Drops the publication of that name if it was made by way_back_prepare();
 * *dropped says whether it was.  Blocks.
 */
MUST_CHECK Rc way_back_drop_publication(PgConn *conn, const char *name,
										bool *dropped, Error *err);

#endif /* PENSTOCK_JOB_SWITCH_WAY_BACK_H */
