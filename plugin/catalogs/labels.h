/*
 * labels.h
 *		Labels of enums as the reader knows them.
 *
 * A value of an enum is stored as the OID of its label.  The server shows a
 * transaction the labels as they were when it made its changes.  But a label
 * can be renamed, and two can exchange their names, while another transaction
 * writes them: nothing is locked.  If that one ends later, the reader has been
 * told of the rename before its rows come, and knows the label by its new name.
 *
 * So whoever writes a value has the labels shown as they are for all that ended
 * before, and for what the transaction itself has done up to there.
 */
#ifndef PENSTOCK_LABELS_H
#define PENSTOCK_LABELS_H

#include "session/session.h"

typedef struct PenstockLabels PenstockLabels;

/* Of a session whose reader is told of schema changes. */
extern PenstockLabels *penstock_labels_new(PenstockSession *session);

/* Whether values of the type may have such labels in them. */
static inline bool
penstock_labels_may_be_in(Oid type)
{
	return type >= FirstNormalObjectId;
}

/*
 * Has output functions show the labels that are in values of a type as the
 * reader knows them, from here on to the next change.  If in the meantime the
 * server hears of labels that change, that is undone: penstock_labels_shown()
 * is false, and the output is worth nothing.
 */
extern void penstock_labels_show(PenstockSession *session, Oid type);
extern bool penstock_labels_shown(const PenstockSession *session);

#endif /* PENSTOCK_LABELS_H */
