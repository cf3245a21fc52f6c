/*
 * idle.h
 *    Decides what the PostgreSQL sink does next while nothing is being applied.
 */
#ifndef PENSTOCK_SINK_POSTGRES_IDLE_H
#define PENSTOCK_SINK_POSTGRES_IDLE_H

#include "sink/postgres/sink_state.h"

/* Whether the sink has applied everything that was delivered. */
bool idle_holds_nothing(const PostgresSink *self);

/* Decides what to do while nothing is being applied.  RC_AGAIN: nothing now. */
MUST_CHECK Rc idle_work(PostgresSink *self, bool source_idle, Error *err);

/* Adds until when the sink waits while nothing is being applied. */
void idle_interest(const PostgresSink *self, Interest *interest);

#endif
