/*
 * read_as.c
 *    A cast would not do, because it need not be what the input function does.
 *    json_to_record() calls the input function with a string.
 */
#include "verify/read_as.h"

#include <stdbool.h>
#include <string.h>

void
read_as_append(Buf *sql, const char *value, const char *type)
{
	bool is_json = strcmp(type, "json") == 0 || strcmp(type, "jsonb") == 0;

	ASSERT(value[0] != '\0' && type[0] != '\0');
	if (is_json)
		buf_printf(sql, "%s_in(textout(", type);
	else
		buf_append_string(sql, "(SELECT r.x FROM json_to_record("
							   "json_build_object('x', ");
	buf_printf(sql,
			   "CASE WHEN %s IS DISTINCT FROM NULL THEN format('%%s', %s) END",
			   value, value);
	if (is_json)
		buf_append_string(sql, "))");
	else
		buf_printf(sql, ")) AS r(x %s))", type);
}
