/*
 * worker.h
 *    Runs the work of a sink as a task, so that nobody else waits with it.
 *
 * The work of a sink may have to wait for its target: for the result of a
 * SAVEPOINT, for the columns of a table, for another session.  So it runs as a
 * task (base/task.h): while it waits, the main loop continues with everything
 * else.  The sink may get changes meanwhile, which it only queues; its work is
 * not started again before it has returned.
 *
 * A sink that has failed is released in a task, too: statements that still run
 * on its target are cancelled, and a cancel request can take as long as any
 * other.
 */
#ifndef PENSTOCK_PIPELINE_WORKER_H
#define PENSTOCK_PIPELINE_WORKER_H

#include "sink/sink.h"

typedef struct Worker Worker;

/* Returns a Worker for a sink, which is borrowed. */
Worker *worker_new(Sink *sink);

/*
 * Frees the Worker.  If the sink's work waits, the wait fails with
 * ERR_INTERRUPTED and the work returns; after that only sink_free() may be
 * called for the sink.  Accepts NULL.
 */
void worker_free(Worker *self);

/*
 * Resumes the sink's work, or starts it, as sink_work().  Returns RC_OK also if
 * the work waits.  Must not be called again after RC_FAIL or RC_END.
 */
MUST_CHECK Rc worker_work(Worker *self, bool source_idle, Error *err);

/* Whether the sink's work waits. */
bool worker_is_waiting(const Worker *self);

/*
 * Adds to `interest` what the work waits for, or what the sink waits for
 * between two turns of its work.
 */
void worker_interest(const Worker *self, Interest *interest);

/*
 * Releases a sink that has failed; the first call takes ownership of it.
 * RC_AGAIN: the release waits, and this function has to be called again.
 * worker_free() ends the release at once.
 */
MUST_CHECK Rc worker_release_sink(Worker *self);

#endif /* PENSTOCK_PIPELINE_WORKER_H */
