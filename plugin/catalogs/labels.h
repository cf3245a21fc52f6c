/*
 * labels.h
 *		Labels of enums as the reader knows them.
 *
 * A value of an enum is stored as the OID of its label.  The server shows a
 * transaction the labels as they were when it made its changes.  But while a
 * transaction writes a label, another one can rename it, or exchange the names
 * of two labels: no lock prevents that.
 *
 * If the transaction that writes commits after the rename, its rows come after
 * the rename in the stream, and the reader knows the label by its new name.  So
 * whoever writes a value has the labels shown as they are after all
 * transactions that ended earlier, and after what the transaction itself has
 * done up to the change.
 */
#ifndef PENSTOCK_LABELS_H
#define PENSTOCK_LABELS_H

#include "session/session.h"

typedef struct PenstockLabels PenstockLabels;

/*
 * Makes the labels of a session.  Only needed if its reader is told of schema
 * changes.
 */
extern PenstockLabels *penstock_labels_new(PenstockSession *session);

/* Whether values of a type may contain labels that can be renamed. */
static inline bool
penstock_labels_may_be_in(Oid type)
{
	return type >= FirstNormalObjectId;
}

/*
 * Has output functions show the labels in values of a type as the reader knows
 * them, until the next change.  If the server hears of changed labels in the
 * meantime, this is undone: then penstock_labels_shown() is false, and the
 * output must not be used.
 */
extern void penstock_labels_show(PenstockSession *session, Oid type);
extern bool penstock_labels_shown(const PenstockSession *session);

#endif /* PENSTOCK_LABELS_H */
