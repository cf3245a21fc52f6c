/*
 * align.h
 *    What a target has, told by the OIDs of the source.
 *
 * ddl/diff compares two states of one database, in which an object keeps its
 * OID and a column its attnum.  Two databases have nothing in common but names.
 * So what of the target is called like something of the source, and can be
 * altered to be like it, gets the OID or attnum of that; everything else gets
 * one that nothing on the source has.  A comparison then alters the former, and
 * drops the latter and creates what is missing.
 *
 * No server is asked.
 */
#ifndef PENSTOCK_DDL_ALIGN_H
#define PENSTOCK_DDL_ALIGN_H

#include "ddl/oid_table.h"
#include "model/definition.h"

typedef struct DdlAlignment
{
	DefinitionSet *target; /* owned */

	/* OIDs of the target, and what they are now; and all that the source has,
	 * each with itself. */
	OidTable aligned;
	OidTable source;
} DdlAlignment;

/* Fills in an alignment, to be released also if it is zeroed.
 * `target_version_num` is the server's. */
void ddl_align(DdlAlignment *alignment, const DefinitionSet *source,
			   const DefinitionSet *target, int target_version_num);
void ddl_alignment_release(DdlAlignment *alignment);

#endif /* PENSTOCK_DDL_ALIGN_H */
