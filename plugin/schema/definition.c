/*
 * definition.c
 *		Writes fields of definitions; see definition.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "schema/definition.h"
#include "schema/deparse.h"
#include "wire/wire.h"

/* Appends a name or text as a field, unless it is empty. */
void
penstock_put_text(PenstockSession *session, StringInfo buf, int field,
				  const char *text)
{
	Size bytes;
	const char *converted;

	if (text == NULL || text[0] == '\0')
		return;
	bytes = strlen(text);
	converted = penstock_session_convert(session, text, &bytes);
	if (!penstock_wire_fits(buf, bytes + 64))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("definition of an object of the schema is too "
							   "large to be sent")));
	penstock_wire_bytes(buf, field, converted, bytes);
}

void
penstock_put_namespace(PenstockSession *session, StringInfo buf, int field,
					   Oid namespace)
{
	penstock_put_text(session, buf, field, get_namespace_name(namespace));
}

void
penstock_put_letter(PenstockSession *session, StringInfo buf, int field,
					char letter)
{
	penstock_put_text(session, buf, field, (char[]){letter, '\0'});
}

/*
 * Servers since the minor releases of November 2026 record in this option of a
 * column when the column changed.
 */
#define VERSION_OPTION "pg_attver="

/*
 * Appends a field for each option, except options in which the server keeps
 * records of its own.
 */
void
penstock_put_options(PenstockSession *session, StringInfo buf, int field,
					 Datum array)
{
	Datum *elements;
	int count;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		const char *option = TextDatumGetCString(elements[i]);

		if (strncmp(option, VERSION_OPTION, sizeof(VERSION_OPTION) - 1) != 0)
			penstock_put_text(session, buf, field, option);
	}
}

void
penstock_put_attnums(StringInfo buf, int field, const int16 *attnums, int count)
{
	StringInfoData packed;

	if (count == 0)
		return;
	initStringInfo(&packed);
	for (int i = 0; i < count; i++)
	{
		char *p = penstock_wire_reserve(&packed,
										PENSTOCK_WIRE_VARINT_BYTES_MAX);

		penstock_wire_advance(&packed,
							  penstock_wire_varint(p, (uint64) attnums[i]));
	}
	penstock_wire_bytes(buf, field, packed.data, (Size) packed.len);
}

/*
 * Appends the name of a collation, unless it is the default collation of the
 * type.
 */
void
penstock_put_collation(PenstockSession *session, StringInfo buf, int field,
					   Oid collation, Oid type)
{
	if (OidIsValid(collation) && collation != get_typcollation(type))
		penstock_put_text(session, buf, field,
						  penstock_deparse_collation(collation));
}
