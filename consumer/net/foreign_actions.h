/*
 * foreign_actions.h
 *    Foreign keys of a target that change rows by themselves.
 *
 * One with ON DELETE or ON UPDATE CASCADE, SET NULL or SET DEFAULT changes rows
 * of the child when one of the parent goes, as it has done on the source; and
 * the change that comes for these rows then finds other ones, or none.  Where
 * session_replication_role can be set, none of them fires.
 */
#ifndef PENSTOCK_NET_FOREIGN_ACTIONS_H
#define PENSTOCK_NET_FOREIGN_ACTIONS_H

/*
 * The rows f of pg_constraint, each with every table c, of schema n, whose rows
 * the foreign key can change: the child, and its partitions.  It is the child
 * that the foreign key can be dropped of.  Ends in a WHERE that can go on with
 * AND.
 */
#define FOREIGN_ACTIONS_SQL                                                    \
	" FROM pg_catalog.pg_constraint f CROSS JOIN LATERAL"                      \
	" (SELECT f.conrelid AS relid"                                             \
	"  UNION SELECT relid FROM pg_catalog.pg_partition_tree(f.conrelid)) h"    \
	" JOIN pg_catalog.pg_class c ON c.oid = h.relid"                           \
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"                \
	" WHERE f.contype = 'f' AND f.conparentid = 0"                             \
	" AND (f.confdeltype IN ('c', 'n', 'd')"                                   \
	"  OR f.confupdtype IN ('c', 'n', 'd'))"

#endif /* PENSTOCK_NET_FOREIGN_ACTIONS_H */
