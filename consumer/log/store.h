/*
 * store.h
 *    The interface of stores, which keep the records of a log.
 *
 * A store gets segments of records (format.h), in the order of the log:
 *     begin_segment, append*, end_segment
 * It takes what it is given, and writes it in work().  A record becomes part of
 * the log with the record that ends its transaction: `written` of the state
 * says what was written, and `flushed` what would survive a crash.
 *
 * While `ready` is false, neither begin_segment() nor append() may be called.
 *
 * The first implementation keeps the segments as files: see files.h.
 */
#ifndef PENSTOCK_LOG_STORE_H
#define PENSTOCK_LOG_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/interest.h"
#include "log/format.h"

typedef struct LogStore LogStore;

/* State of a store; only the store changes it. */
typedef struct LogStoreState
{
	LogPosition appended; /* what was appended, up to the last record that does
						   * not end inside of a transaction */
	LogPosition written;
	LogPosition flushed;
	bool ready;
	bool in_segment;        /* whether a segment was begun, and not ended */
	uint64_t segment_bytes; /* bytes of that segment */
	bool out_of_room; /* whether the last write has failed for want of room; it
					   * is tried again */
} LogStoreState;

typedef struct LogStoreOps
{
	const char *name;
	void (*begin_segment)(LogStore *store, const LogHead *head);
	void (*append)(LogStore *store, const LogRecord *record,
				   const void *payload);
	Rc (*end_segment)(LogStore *store, Error *err);
	Rc (*work)(LogStore *store, int64_t now_us, bool flush, Error *err);
	void (*interest)(const LogStore *store, Interest *interest);
	void (*close)(LogStore *store);
} LogStoreOps;

struct LogStore
{
	const LogStoreOps *ops; /* first member, because implementations cast a
							 * LogStore to their own struct */
	LogStoreState state;
};

/*
 * Begins a segment.  The position in the head is where the log is.  Copies what
 * it is given, as log_store_append() does.
 */
static inline void
log_store_begin_segment(LogStore *store, const LogHead *head)
{
	CHECK(store->state.ready && !store->state.in_segment);
	CHECK(head->position.end_lsn == store->state.appended.end_lsn);
	store->ops->begin_segment(store, head);
}

/* Appends a record, whose payload has record->stored_bytes bytes. */
static inline void
log_store_append(LogStore *store, const LogRecord *record, const void *payload)
{
	CHECK(store->state.ready && store->state.in_segment);
	CHECK(record->position.end_lsn >= store->state.appended.end_lsn);
	store->ops->append(store, record, payload);
}

/*
 * Ends a segment.  Drops its last records if they end inside of a transaction:
 * the session in which they came has ended.
 */
static inline MUST_CHECK Rc
log_store_end_segment(LogStore *store, Error *err)
{
	CHECK(store->state.in_segment);
	return store->ops->end_segment(store, err);
}

/*
 * Writes, and flushes what was written: at once if `flush` is true, otherwise
 * when it is due.  Does not wait.  Fails if anything but want of room prevents
 * it; the store cannot be used after that.
 */
static inline MUST_CHECK Rc
log_store_work(LogStore *store, int64_t now_us, bool flush, Error *err)
{
	Lsn flushed = store->state.flushed.end_lsn;
	Rc rc = store->ops->work(store, now_us, flush, err);

	CHECK(store->state.flushed.end_lsn >= flushed);
	CHECK(store->state.flushed.end_lsn <= store->state.written.end_lsn);
	CHECK(store->state.written.end_lsn <= store->state.appended.end_lsn);
	return rc;
}

/* Adds what the store waits for. */
static inline void
log_store_interest(const LogStore *store, Interest *interest)
{
	store->ops->interest(store, interest);
}

/* Closes the store.  What was not flushed may be lost.  Accepts NULL. */
static inline void
log_store_close(LogStore *store)
{
	if (store != NULL)
		store->ops->close(store);
}

#endif /* PENSTOCK_LOG_STORE_H */
