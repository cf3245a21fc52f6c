/*
 * type_sql.h
 *    SQL on the types of a target's columns: how their values are read and
 *    compared.
 *
 * A value is converted to its column's type by the type's own input or receive
 * function.  A cast would not be reliable: the owner of a type can define a
 * cast from text, some casts of PostgreSQL do not accept all output of the type
 * (regclass 0), and a cast to a domain truncates values that are too long.
 *
 * Rows are found with the equality operator of the index that identifies them,
 * given by schema and name: no other operator can use the index, and
 * search_path could lead to another one.
 *
 * The macros are parts of a query that runs with search_path = pg_catalog.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_TYPE_SQL_H
#define PENSTOCK_SINK_POSTGRES_APPLY_TYPE_SQL_H

/* clang-format would break strings around macros with arguments. */
/* clang-format off */

/*
 * A lateral subquery for the row of pg_type of a type, or of the base type of a
 * domain.
 */
#define TYPE_BASE_SQL(oid_sql)                                                 \
	" (WITH RECURSIVE b AS (SELECT y.* FROM pg_type y"                         \
	"   WHERE y.oid = " oid_sql                                                \
	"  UNION ALL SELECT y.* FROM b JOIN pg_type y ON y.oid = b.typbasetype)"   \
	" SELECT * FROM b WHERE b.typbasetype = 0)"

/*
 * The name of a type (a row of pg_type) with its schema, and without a
 * modifier, which could truncate values.
 */
#define TYPE_NAME_SQL(type)                                                    \
	"(SELECT format('%I.%I', n.nspname, " type ".typname)"                     \
	" FROM pg_namespace n WHERE n.oid = " type ".typnamespace)"

/*
 * Two columns: SQL before and after an expression of type text, which convert
 * it with the input function of a type.  For a built-in type, the function is
 * called by its name.  SQL cannot call all other input functions, but the
 * conversion of a JSON string calls them (except for json and jsonb, which are
 * built in).
 */
#define TYPE_READ_SQL(type)                                                    \
	"(SELECT CASE WHEN " TYPE_READS_ITSELF_SQL(type)                           \
	"  THEN format('pg_catalog.%I(pg_catalog.textout(', f.proname)"            \
	"  ELSE '(SELECT r.x FROM pg_catalog.json_to_record("                      \
	"pg_catalog.json_build_object(''x'', ' END"                                \
	" FROM pg_proc f WHERE f.oid = " type ".typinput),"                        \
	" (SELECT CASE WHEN NOT (" TYPE_READS_ITSELF_SQL(type) ")"                 \
	"   THEN ')) AS r(x ' || " TYPE_NAME_SQL(type) " || '))'"                  \
	"  WHEN f.pronargs = 1 THEN '))'"                                          \
	"  ELSE format('), %s, -1)', CASE WHEN " type ".typelem <> 0"              \
	"   THEN " type ".typelem ELSE " type ".oid END) END"                      \
	" FROM pg_proc f WHERE f.oid = " type ".typinput)"

#define TYPE_READS_ITSELF_SQL(type)                                            \
	type ".oid < 10000 AND f.prorettype = " type ".oid"

/* The output function of a built-in type. */
#define TYPE_OUTPUT_SQL(type)                                                  \
	"(SELECT format('pg_catalog.%I', f.proname) FROM pg_proc f"                \
	" WHERE f.oid = " type ".typoutput)"

/*
 * Whether the binary format of a type is its text: its input and receive
 * functions are a matching pair of the server.
 */
#define TYPE_RECEIVES_TEXT_SQL(type)                                           \
	"EXISTS (SELECT FROM pg_proc i, pg_proc r"                                 \
	" WHERE i.oid = " type ".typinput AND r.oid = " type ".typreceive"         \
	" AND i.prolang = 12 AND r.prolang = 12 AND (i.prosrc, r.prosrc) IN ("     \
	"  ('textin', 'textrecv'), ('varcharin', 'varcharrecv'),"                  \
	"  ('bpcharin', 'bpcharrecv'), ('enum_in', 'enum_recv'),"                  \
	"  ('json_in', 'json_recv')))"

/*
 * Whether operator class o is the default of a type and has an equality
 * operator (btree or hash: catalog/pg_am.dat).  Composite types and arrays are
 * excluded, because the types that they consist of may have none; arrays are
 * handled below.
 */
#define TYPE_HAS_CLASS_SQL(type)                                               \
	"o.opcmethod IN (403, 405) AND o.opcdefault"                               \
	" AND (o.opcintype = " type ".oid"                                         \
	" OR o.opcintype = CASE " type ".typtype"                                  \
	"  WHEN 'e' THEN 'anyenum'::regtype WHEN 'r' THEN 'anyrange'::regtype"     \
	"  WHEN 'm' THEN to_regtype('anymultirange') END"                          \
	" OR EXISTS (SELECT FROM pg_cast s WHERE s.castsource = " type ".oid"      \
	"  AND s.casttarget = o.opcintype AND s.castmethod = 'b'"                  \
	"  AND s.castcontext = 'i'))"

/*
 * A lateral subquery on how values of column `a` are compared; `base` is its
 * base type, `element` the type of its elements.  It uses the operator of the
 * index `identity`, or else the type's default; no row: there is none.
 *
 *   operator      the operator, as SQL
 *   compared_as   type to which both sides are cast, as SQL; or null
 *   is_image      whether equal values are the same byte by byte (bpchar is
 *                 not, although it says so, except without a length)
 *   in_collation  collation, as SQL, if it is not the column's own
 */
#define TYPE_EQUALITY_SQL                                                      \
	"(SELECT format('OPERATOR(%I.%s)', n.nspname, p.oprname) AS operator,"     \
	"  CASE WHEN i.typtype <> 'p' AND i.oid <> a.atttypid"                     \
	"   THEN " TYPE_NAME_SQL("i")                                              \
	"   WHEN base.oid <> a.atttypid THEN " TYPE_NAME_SQL("base")               \
	"   END AS compared_as,"                                                   \
	"  i.oid <> 'bpchar'::regtype AND EXISTS (SELECT FROM pg_amproc f"         \
	"   WHERE f.amprocfamily = o.opcfamily AND f.amproclefttype = i.oid"       \
	"   AND f.amprocrighttype = i.oid AND f.amprocnum = 4"                     \
	"   AND o.opcmethod = 403) AND NOT EXISTS (SELECT FROM pg_collation l"     \
	"   WHERE l.oid = o.in_collation AND NOT l.collisdeterministic)"           \
	"   AS is_image,"                                                          \
	"  (SELECT format('%I.%I', m.nspname, l.collname) FROM pg_collation l"     \
	"   JOIN pg_namespace m ON m.oid = l.collnamespace"                        \
	"   WHERE l.oid = o.in_collation AND l.oid <> a.attcollation)"             \
	"   AS in_collation"                                                       \
	" FROM (SELECT o.*, k.in_collation, 1 AS place FROM pg_opclass o"          \
	"   CROSS JOIN unnest(identity.indkey::int2[], identity.indclass::oid[],"  \
	"    identity.indcollation::oid[]) k (attnum, class, in_collation)"        \
	"   WHERE k.attnum = a.attnum AND o.oid = k.class"                         \
	"  UNION ALL SELECT o.*, a.attcollation, 2 FROM pg_opclass o"              \
	"   WHERE " TYPE_HAS_CLASS_SQL("base")                                     \
	"  UNION ALL SELECT r.*, a.attcollation, 2 FROM pg_opclass r"              \
	"   WHERE r.opcdefault AND r.opcmethod = 403"                              \
	"   AND r.opcintype = 'anyarray'::regtype AND EXISTS ("                    \
	"    SELECT FROM pg_opclass o WHERE " TYPE_HAS_CLASS_SQL("element") ")"    \
	"  ) o JOIN pg_type i ON i.oid = o.opcintype"                              \
	" JOIN pg_amop s ON s.amopfamily = o.opcfamily"                            \
	"  AND s.amoplefttype = i.oid AND s.amoprighttype = i.oid"                 \
	"  AND s.amopstrategy = CASE o.opcmethod WHEN 403 THEN 3 ELSE 1 END"       \
	" JOIN pg_operator p ON p.oid = s.amopopr"                                 \
	" JOIN pg_namespace n ON n.oid = p.oprnamespace"                           \
	" ORDER BY o.place, i.oid = base.oid DESC, i.typispreferred DESC,"         \
	"  o.opcmethod LIMIT 1)"

/* clang-format on */

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_TYPE_SQL_H */
