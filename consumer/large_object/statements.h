/*
 * statements.h
 *    The statements that make a large object what it is beside its contents.
 */
#ifndef PENSTOCK_LARGE_OBJECT_STATEMENTS_H
#define PENSTOCK_LARGE_OBJECT_STATEMENTS_H

/*
 * Three columns of a query of pg_largeobject_metadata m: statements that give
 * the object its owner, its privileges and its comment on another server, once
 * it has been made there.  Null where there is nothing to give.
 */
#define LARGE_OBJECT_STATEMENTS_SQL                                            \
	"format('ALTER LARGE OBJECT %s OWNER TO %I;', m.oid,"                      \
	" pg_get_userbyid(m.lomowner)),"                                           \
	"(SELECT format('REVOKE ALL ON LARGE OBJECT %s FROM %I;', m.oid,"          \
	"   pg_get_userbyid(m.lomowner))"                                          \
	"  || string_agg(format('GRANT %s ON LARGE OBJECT %s TO %s%s;',"           \
	"   a.privilege_type, m.oid, CASE a.grantee WHEN 0 THEN 'PUBLIC'"          \
	"    ELSE quote_ident(pg_get_userbyid(a.grantee)) END,"                    \
	"   CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END), '')"          \
	" FROM aclexplode(m.lomacl) a),"                                           \
	"(SELECT format('COMMENT ON LARGE OBJECT %s IS %L;', m.oid, d)"            \
	" FROM obj_description(m.oid, 'pg_largeobject') d WHERE d IS NOT NULL)"

#endif /* PENSTOCK_LARGE_OBJECT_STATEMENTS_H */
