/*
 * change_schema.h
 *    The PostgreSQL sink applies schema changes.
 */
#ifndef PENSTOCK_SINK_POSTGRES_CHANGE_SCHEMA_H
#define PENSTOCK_SINK_POSTGRES_CHANGE_SCHEMA_H

#include "sink/postgres/sink_state.h"

/*
 * Refuses a transaction that has not sent the deleted rows of a table again;
 * none of it is committed.
 */
MUST_CHECK Rc change_schema_refuse_missing_rows(const PostgresSink *self,
												uint32_t oid,
												const TxnInfo *txn, Error *err);

/*
 * Applies schema changes in the open transaction, to which the rest of the
 * source's transaction belongs.  All cached information on the target's tables
 * is invalid afterwards.
 */
MUST_CHECK Rc change_schema_apply(PostgresSink *self, const SchemaSet *schema,
								  Error *err);

#endif
