/*
 * settings.h
 *    Compares the settings of two databases: those of ALTER DATABASE … SET and
 *    ALTER ROLE … IN DATABASE … SET.
 *
 * A clone does not copy these settings, because whoever has created the
 * target's database decides on them.  But it reports those that are missing.
 */
#ifndef PENSTOCK_CATALOG_SETTINGS_H
#define PENSTOCK_CATALOG_SETTINGS_H

#include "base/error.h"
#include "net/pgconn.h"

/*
 * An SQL expression: what SET has to say of a setting, given the SQL of its
 * name and of the value that pg_db_role_setting has.
 *
 * The items of a list are names, in quotes where they need them, and have to be
 * written as single items again.  Whoever has set the list may have written
 * anything that the server splits into items, which need not be what its
 * grammar takes for one (ALTER ROLE … SET … FROM CURRENT).  So each item is
 * taken apart and quoted anew.  A name that is too long for an identifier is a
 * literal.
 */
#define SETTING_VALUE_SQL(name, value)                                         \
	"CASE WHEN " name " IN ('local_preload_libraries', 'search_path',"         \
	" 'session_preload_libraries', 'temp_tablespaces') THEN"                   \
	" (SELECT coalesce(string_agg(CASE WHEN octet_length(i.item) BETWEEN 1"    \
	"   AND 63 THEN quote_ident(i.item) ELSE quote_literal(i.item) END, ', '"  \
	"   ORDER BY i.number), quote_literal('')) FROM (SELECT number, CASE"      \
	"    WHEN btrim(word[1]) ~ '^\"([^\"]|\"\")*\"$' THEN"                     \
	"     replace(substr(btrim(word[1]), 2, length(btrim(word[1])) - 2),"      \
	"      '\"\"', '\"')"                                                      \
	"    WHEN " name " IN ('search_path', 'temp_tablespaces')"                 \
	"     THEN lower(btrim(word[1])) ELSE btrim(word[1]) END AS item"          \
	"   FROM regexp_matches(" value ", '(?:\"(?:[^\"]|\"\")*\"|[^,\"])+',"     \
	"    'g') WITH ORDINALITY m (word, number)) i)"                            \
	" ELSE quote_literal(" value ") END"

/*
 * Finds the settings of the source's database that the target's database does
 * not have; blocks.  Column 0 of *result has the statements that set them on
 * the target, including those for roles that do not exist there.  The caller
 * clears *result.
 */
MUST_CHECK Rc settings_read_missing(PgConn *source, PgConn *target,
									PGresult **result, Error *err);

#endif /* PENSTOCK_CATALOG_SETTINGS_H */
