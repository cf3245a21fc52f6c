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

/* Their rows f of pg_constraint, with the child c and its schema n; up to a
 * WHERE that can go on with AND. */
#define FOREIGN_ACTIONS_SQL                                                    \
	" FROM pg_catalog.pg_constraint f"                                         \
	" JOIN pg_catalog.pg_class c ON c.oid = f.conrelid"                        \
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"                \
	" WHERE f.contype = 'f' AND f.conparentid = 0"                             \
	" AND (f.confdeltype IN ('c', 'n', 'd')"                                   \
	"  OR f.confupdtype IN ('c', 'n', 'd'))"

#endif /* PENSTOCK_NET_FOREIGN_ACTIONS_H */
