/*
 * statements.h
 *    SQL for the properties of a large object other than its contents.
 */
#ifndef PENSTOCK_LARGE_OBJECT_STATEMENTS_H
#define PENSTOCK_LARGE_OBJECT_STATEMENTS_H

/*
 * Three columns of a query on pg_largeobject_metadata m: statements that set
 * owner, privileges and comment of the object on another server, where it must
 * have been created before.  Null if there is nothing to set.
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
