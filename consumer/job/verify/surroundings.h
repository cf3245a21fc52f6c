/*
 * surroundings.h
 *    What is compared beside the rows: the schema, and where sequences stand.
 *
 * Neither is part of a snapshot: a server writes expressions as its catalogs
 * are now, and sequences move by themselves.  So a difference of the schema
 * counts if it is there at two positions.  A sequence of a target counts as
 * lagging if it has not come to where the source's was at the first position by
 * the end, though somebody has followed for some seconds since.
 */
#ifndef PENSTOCK_JOB_VERIFY_SURROUNDINGS_H
#define PENSTOCK_JOB_VERIFY_SURROUNDINGS_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "job/verify/anchor.h"
#include "sequence/list.h"
#include "verify/verdict.h"

typedef struct Surroundings
{
	const Config *config;
	bool looked;            /* at the schema, at one position at least */
	bool settled;           /* the schema's differences are known */
	int locked;             /* how often somebody had locked a table */
	int difference_count;   /* at the position before */
	char **differences;     /* owned */
	SequenceList sequences; /* of the source, at the first position */
	int64_t read_us;        /* monotonic; when that was; 0: not */
} Surroundings;

/* Looks at them, while the anchor is held.  Waits. */
MUST_CHECK Rc surroundings_look(Surroundings *self, const Anchor *anchor,
								const CopyCatalog *catalog, Verdict *verdict,
								Error *err);

/* When all tables are compared.  Waits, for sequences that lag, too. */
MUST_CHECK Rc surroundings_end(Surroundings *self, Verdict *verdict,
							   Error *err);

/* Accepts a zeroed one. */
void surroundings_release(Surroundings *self);

#endif /* PENSTOCK_JOB_VERIFY_SURROUNDINGS_H */
