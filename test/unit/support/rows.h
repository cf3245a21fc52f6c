/*
 * rows.h
 *    Frames with changes to a table public.rows (id int4 key, v text), as the
 *    decoder makes them.
 */
#ifndef PENSTOCK_TEST_SUPPORT_ROWS_H
#define PENSTOCK_TEST_SUPPORT_ROWS_H

#include "model/change.h"

/* Changes of one frame. */
#define ROWS_CHANGES_MAX 64

/* The table; the caller has a reference. */
Relation *rows_relation(void);

/* An empty frame; the caller has a reference. */
Frame *rows_frame(void);

/* Adds a change of the row with this key, and returns it. */
Change *rows_add(Frame *frame, Relation *relation, ChangeKind kind, int64_t id);

#endif /* PENSTOCK_TEST_SUPPORT_ROWS_H */
