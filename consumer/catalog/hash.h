/*
 * hash.h
 *    Computes the distribution hash of copied rows.
 *
 * A copied row must be sent to the node to which the changes of the row are
 * sent later.  The plugin computes the distribution hash of a change as
 * PARTITION BY HASH does: it combines the hashes of the columns, each computed
 * by the extended hash function of its type.  In a copy, SQL expressions on the
 * source call these functions, but SQL has no unsigned arithmetic that wraps
 * around to combine the results.  So the hash of each column, or null, is
 * selected before the row's own columns, and hash_combine() combines them.
 */
#ifndef PENSTOCK_CATALOG_HASH_H
#define PENSTOCK_CATALOG_HASH_H

#include <stdint.h>

/* HASH_PARTITION_SEED of PostgreSQL's catalog/partition.h, as a bigint. */
#define HASH_SEED_SQL "8816678312871386365"

/*
 * Lateral subquery, to be given the alias t, for a row `a` of pg_attribute.
 * Columns: the column's type, of a domain its base type (oid); the extended
 * hash function (proc) and the type of its operator class (input), both null if
 * there is none.  It searches as the server's GetDefaultOpClass() does: the
 * default operator class of the type, or of a type to which it is binary
 * coercible.
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
 * Condition on t: whether values of the type have different hashes on different
 * servers, because the values are OIDs.  These are enums, the types of object
 * identifiers such as regclass, and types that contain one of these.
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
 * Argument with which the hash function f is called, as a format string for
 * format() with the column as %3$I and its type as %4$s, or null if SQL cannot
 * call the function.  Before PostgreSQL 18, some types use the hash function of
 * another type with the same representation, and SQL has no cast to that type.
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
 * SQL expression whose value is the expression for the hash of the column a, or
 * null if it has no hash.  The type is schema-qualified: a cast to "character",
 * which means character(1), would cut the value.
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
 * Returns the hash of a row, 0 at first, combined with the hash of one more
 * column.  It is not called for a column that is null.
 */
static inline uint64_t
hash_combine(uint64_t row, uint64_t column)
{
	/* hash_combine64() of PostgreSQL's common/hashfn.h */
	return row ^
		   (column + UINT64_C(0x49a0f4dd15e5a8e3) + (row << 54) + (row >> 7));
}

#endif /* PENSTOCK_CATALOG_HASH_H */
