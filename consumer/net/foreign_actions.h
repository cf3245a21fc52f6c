/*
 * foreign_actions.h
 *    Foreign keys of a target that change rows of the referencing table.
 *
 * A foreign key with ON DELETE or ON UPDATE CASCADE, SET NULL or SET DEFAULT
 * changes rows of the referencing table when a referenced row is deleted or
 * updated.  The source has done the same, and its changes of these rows come in
 * the stream, too.  On the target they would then find other rows, or none.
 * Where the role may set session_replication_role = replica, no foreign key
 * acts.
 */
#ifndef PENSTOCK_NET_FOREIGN_ACTIONS_H
#define PENSTOCK_NET_FOREIGN_ACTIONS_H

/*
 * FROM and WHERE clause of a query.  Row f is a foreign key of pg_constraint
 * with such an action.  Each f is joined with every table c, of schema n, whose
 * rows the foreign key can change: the referencing table and its partitions.
 * The foreign key itself can only be dropped from the referencing table.  The
 * caller may append AND to the WHERE clause.
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
