/*
 * worker.h
 *    A sink's work, run so that nobody waits with it.
 *
 * A sink may have to wait for its target in the midst of its work: for the
 * answer to a savepoint, for the columns of a table, for a further session.  So
 * its work is a task (base/task.h).  While that waits, the loop goes on with
 * everybody else.  The sink may be given changes then, which it only queues:
 * its work is not begun again before it has come to its end.
 *
 * A sink that has failed is released in the same way: what still runs on its
 * target is cancelled, and to tell a server so can take as long as anything
 * else.
 */
#ifndef PENSTOCK_PIPELINE_WORKER_H
#define PENSTOCK_PIPELINE_WORKER_H

#include "sink/sink.h"

typedef struct Worker Worker;

/* For this sink, which is borrowed. */
Worker *worker_new(Sink *sink);

/* If the sink waits, its wait fails with ERR_INTERRUPTED, and its work comes to
 * its end; the sink is only good for sink_free() then.  Accepts NULL. */
void worker_free(Worker *self);

/*
 * Goes on with the sink's work, or begins it anew, as sink_work().  RC_OK: also
 * if it waits.  Not to be called again after RC_FAIL and RC_END.
 */
MUST_CHECK Rc worker_work(Worker *self, bool source_idle, Error *err);

/* Whether the sink waits in the midst of its work. */
bool worker_is_waiting(const Worker *self);

/* Adds what the work waits for, or if it does not, the sink. */
void worker_interest(const Worker *self, Interest *interest);

/*
 * Releases a sink that has failed, which is the worker's from the first call
 * on. RC_AGAIN: it waits, and this is to be called again; worker_free() sees it
 * through at once.
 */
MUST_CHECK Rc worker_release_sink(Worker *self);

#endif /* PENSTOCK_PIPELINE_WORKER_H */
