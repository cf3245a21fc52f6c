/*
 * align.h
 *    Gives objects of a target the OIDs of the same objects on the source.
 *
 * ddl/diff compares two states of one database, in which an object keeps its
 * OID and a column its attnum.  Two databases have only names in common.  So an
 * object or column of the target that has the name of one on the source, and
 * that can be altered to be the same, gets its OID or attnum.  Everything else
 * gets an OID or attnum that nothing on the source has.  ddl/diff then alters
 * the former, drops the latter, and creates what the target lacks.
 *
 * Nothing here waits for a server.
 */
#ifndef PENSTOCK_DDL_ALIGN_H
#define PENSTOCK_DDL_ALIGN_H

#include "ddl/oid_table.h"
#include "model/definition.h"

typedef struct DdlAlignment
{
	DefinitionSet *target; /* owned; the target's definitions with the new
							* OIDs */

	/*
	 * `aligned` maps each OID of the target to its new OID; `source` maps each
	 * OID of the source to itself.
	 */
	OidTable aligned;
	OidTable source;
} DdlAlignment;

/*
 * Fills in an alignment; the sets are borrowed for the call.
 * ddl_alignment_release() frees it, and accepts a zeroed one.
 * `target_version_num` is the target's PG_VERSION_NUM.
 */
void ddl_align(DdlAlignment *alignment, const DefinitionSet *source,
			   const DefinitionSet *target, int target_version_num);
void ddl_alignment_release(DdlAlignment *alignment);

#endif /* PENSTOCK_DDL_ALIGN_H */
