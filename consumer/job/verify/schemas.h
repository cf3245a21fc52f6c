/*
 * schemas.h
 *    Compares the schemas of source and targets.
 *
 * A snapshot does not show one state of a schema: a server deparses expressions
 * from its current catalogs.  So we report a difference only if we find it
 * under two anchors, one after the other.
 */
#ifndef PENSTOCK_JOB_VERIFY_SCHEMAS_H
#define PENSTOCK_JOB_VERIFY_SCHEMAS_H

#include <stdbool.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "job/verify/anchor.h"
#include "verify/verdict.h"

typedef struct VerifySchemas
{
	const Config *config;
	bool looked;          /* whether the schemas were compared once */
	bool settled;         /* whether the schemas need no more comparison */
	int locked;           /* number of comparisons that have failed because a
						   * table was locked */
	int difference_count; /* number of differences in the last comparison */
	char **differences;   /* these differences, as text; owned */
} VerifySchemas;

/* Compares the schemas under an anchor, unless they are settled; blocks. */
MUST_CHECK Rc verify_schemas_look(VerifySchemas *self, const Anchor *anchor,
								  const CopyCatalog *catalog, Verdict *verdict,
								  Error *err);

/* Accepts zeroed VerifySchemas. */
void verify_schemas_release(VerifySchemas *self);

#endif /* PENSTOCK_JOB_VERIFY_SCHEMAS_H */
