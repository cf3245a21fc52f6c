/*
 * hash.h
 *    The distribution hash of rows that are copied.
 *
 * A copied row must go where the plugin would send it: by the hash that
 * PARTITION BY HASH has.  That hash combines those of the columns, each made by
 * the extended hash function of its type.  SQL can call these functions, and
 * does so on the source; what SQL cannot do well is to combine the results,
 * which are taken as unsigned numbers that wrap around.  So rows are read with
 * a number for each column in front, or null, and the rest is done here.
 */
#ifndef PENSTOCK_CATALOG_HASH_H
#define PENSTOCK_CATALOG_HASH_H

#include <stdint.h>

/* catalog/partition.h: HASH_PARTITION_SEED, as a bigint. */
#define HASH_SEED_SQL "8816678312871386365"

/*
 * A lateral subquery for a column `a` of pg_attribute: as t, its type without
 * domains (oid), the function (proc), and the type that this takes (input); or
 * nulls, if there is none.  It finds what the server's GetDefaultOpClass()
 * would: the default operator class of the type, or of one that it is stored
 * like.
 */
#define HASH_TYPE_SQL                                                          \
	"WITH RECURSIVE base (oid, typbasetype) AS ("                              \
	"  SELECT y.oid, y.typbasetype FROM pg_type y WHERE y.oid = a.atttypid"    \
	"  UNION ALL SELECT y.oid, y.typbasetype FROM base b"                      \
	"   JOIN pg_type y ON y.oid = b.typbasetype)"                              \
	" SELECT y.oid, p.amproc::oid AS proc, o.opcintype AS input"               \
	" FROM base b JOIN pg_type y ON y.oid = b.oid AND b.typbasetype = 0"       \
	" LEFT JOIN pg_opclass o ON o.opcdefault AND o.opcmethod ="                \
	"  (SELECT oid FROM pg_am WHERE amname = 'hash')"                          \
	"  AND (o.opcintype = y.oid"                                               \
	"   OR o.opcintype = 'anyarray'::regtype AND y.typcategory = 'A'"          \
	"    AND y.typelem <> 0 AND y.typlen = -1"                                 \
	"   OR o.opcintype = 'anyenum'::regtype AND y.typtype = 'e'"               \
	"   OR o.opcintype = 'anyrange'::regtype AND y.typtype = 'r'"              \
	"   OR o.opcintype = to_regtype('anymultirange') AND y.typtype = 'm'"      \
	"   OR o.opcintype = 'record'::regtype AND y.typtype = 'c'"                \
	"   OR EXISTS (SELECT FROM pg_cast s WHERE s.castsource = y.oid"           \
	"    AND s.casttarget = o.opcintype AND s.castmethod = 'b'"                \
	"    AND s.castcontext = 'i'))"                                            \
	" LEFT JOIN pg_amproc p ON p.amprocfamily = o.opcfamily"                   \
	"  AND p.amproclefttype = o.opcintype"                                     \
	"  AND p.amprocrighttype = o.opcintype AND p.amprocnum = 2"                \
	" LEFT JOIN pg_type i ON i.oid = o.opcintype"                              \
	" ORDER BY o.opcintype = y.oid DESC NULLS LAST,"                           \
	"  i.typispreferred DESC NULLS LAST LIMIT 1"

/*
 * Whether the hash of that type is another one on every server, because it is
 * made of an OID: enums, names of objects, and types with any of them inside.
 */
#define HASH_IS_LOCAL_SQL                                                      \
	"EXISTS (WITH RECURSIVE part (oid) AS (SELECT t.oid"                       \
	"  UNION SELECT d.oid FROM part p JOIN pg_type y ON y.oid = p.oid"         \
	"   CROSS JOIN LATERAL (SELECT y.typelem UNION SELECT y.typbasetype"       \
	"    UNION SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = y.oid"   \
	"    UNION SELECT c.atttypid FROM pg_attribute c"                          \
	"     WHERE c.attrelid = y.typrelid AND c.attnum > 0) d (oid))"            \
	" SELECT FROM part p JOIN pg_type y ON y.oid = p.oid"                      \
	" WHERE y.typtype = 'e' OR y.typname LIKE 'reg%%'"                         \
	"  AND y.typnamespace = 'pg_catalog'::regnamespace)"

/*
 * What that function is called with, as a format for the column (3) and the
 * type (4), or null if SQL cannot call it.  Before 18 some types borrow the
 * function of another one that is stored alike, and to which SQL has no cast.
 */
#define HASH_ARGUMENT_SQL                                                      \
	"CASE WHEN f.proargtypes[0] = t.input"                                     \
	"  OR EXISTS (SELECT FROM pg_cast s WHERE s.castsource = t.input"          \
	"   AND s.casttarget = f.proargtypes[0] AND s.castmethod = 'b')"           \
	" THEN '%%3$I::%%4$s'"                                                     \
	" WHEN t.input = 'bool'::regtype THEN '%%3$I::bool::int::\"char\"'"        \
	" WHEN t.input = 'timestamptz'::regtype"                                   \
	" THEN '%%3$I::timestamptz AT TIME ZONE ''UTC'''"                          \
	" WHEN t.input = 'date'::regtype"                                          \
	" THEN 'CASE WHEN isfinite(%%3$I::date)"                                   \
	"  THEN %%3$I::date - date ''2000-01-01''"                                 \
	"  WHEN %%3$I::date > date ''2000-01-01'' THEN 2147483647"                 \
	"  WHEN %%3$I IS NOT NULL THEN -2147483648 END' END"

/*
 * The expression for that column's hash; null if it has none.  Types are named
 * by schema and name: "character" would be character(1), and cut.
 */
#define HASH_EXPRESSION_SQL                                                    \
	"(SELECT format('%%1$I.%%2$I(' || " HASH_ARGUMENT_SQL                      \
	"  || ', " HASH_SEED_SQL "::bigint)', n.nspname, f.proname, a.attname,"    \
	"  format('%%I.%%I', w.nspname, h.typname))"                               \
	" FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace,"           \
	"  pg_type i, pg_type h JOIN pg_namespace w ON w.oid = h.typnamespace"     \
	" WHERE f.oid = t.proc AND i.oid = t.input"                                \
	" AND h.oid = CASE WHEN i.typtype = 'p' THEN t.oid ELSE t.input END)"

/*
 * Takes the hash of one more column into that of the row, which starts at 0.
 * A null column is left out.
 */
static inline uint64_t
hash_combine(uint64_t row, uint64_t column)
{
	/* common/hashfn.h: hash_combine64() */
	return row ^
		   (column + UINT64_C(0x49a0f4dd15e5a8e3) + (row << 54) + (row >> 7));
}

#endif /* PENSTOCK_CATALOG_HASH_H */
