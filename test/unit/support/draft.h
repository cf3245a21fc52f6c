/*
 * draft.h
 *    Frames for tests, put together with protobuf-c's structures.
 *
 * A draft is one frame in the making.  What it holds is plain data that a test
 * may bend before it is packed: that is how frames come about that no plugin
 * would write.
 *
 * The drafted table has one column of each encoding:
 *
 *     id int4 (key, integer) · note text (text) · data bytea (binary) ·
 *     flag bool (integer)
 */
#ifndef PENSTOCK_TEST_SUPPORT_DRAFT_H
#define PENSTOCK_TEST_SUPPORT_DRAFT_H

#include "base/buf.h"
#include "penstock.pb-c.h"

#define DRAFT_CHANGES_MAX 8
#define DRAFT_COLUMNS     4

/* Positions and numbers that every draft has. */
#define DRAFT_XID        700
#define DRAFT_COMMIT_LSN 0x1000
#define DRAFT_END_LSN    0x1030
#define DRAFT_RELATION   1

typedef struct Draft
{
	Penstock__Frame frame;
	Penstock__Session session;
	Penstock__Begin begin;
	Penstock__Commit commit;
	Penstock__Change changes[DRAFT_CHANGES_MAX];
	Penstock__Change *change_list[DRAFT_CHANGES_MAX];
	Penstock__Row old;
	Penstock__Relation relation;
	Penstock__Column columns[DRAFT_COLUMNS];
	Penstock__Column *column_list[DRAFT_COLUMNS];
	Penstock__Truncate truncate;
	Penstock__Message message;
	Penstock__SchemaChange schema_change;
	Penstock__SchemaNamespace namespace;
} Draft;

/* An empty frame.  The draft must stay where it is. */
void draft_init(Draft *draft);

/* Sets the parts of the frame. */
void draft_session(Draft *draft);
void draft_begin(Draft *draft);
void draft_commit(Draft *draft); /* counts the changes there are */

/* Each adds a change and returns it. */
Penstock__Change *draft_add(Draft *draft);
Penstock__Change *draft_add_relation(Draft *draft);
Penstock__Change *draft_add_insert(Draft *draft);
Penstock__Change *draft_add_update(Draft *draft);
Penstock__Change *draft_add_delete(Draft *draft);
Penstock__Change *draft_add_truncate(Draft *draft);
Penstock__Change *draft_add_message(Draft *draft, bool transactional);

Penstock__Change *draft_add_schema_change(Draft *draft);
Penstock__Change *draft_add_rewrite(Draft *draft);

/* Gives an update a key row as its old one. */
void draft_set_old_key(Draft *draft, Penstock__Change *change);

/* Appends the serialized frame. */
void draft_pack(const Draft *draft, Buf *buf);

#endif /* PENSTOCK_TEST_SUPPORT_DRAFT_H */
