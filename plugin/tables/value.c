/*
 * value.c
 *		Decides how values are written, and writes them; see value.h.
 *
 * Which types have a binary form that may leave the server
 * --------------------------------------------------------
 *
 * A binary form is used only if it means the same on every server that could
 * read it: the type must be built in, so that its OID and format are known
 * everywhere, and its send function must not depend on settings, on OIDs of
 * this database, or on how the server was compiled.  Types are listed one by
 * one; what is not listed is written as text, which is always right and merely
 * slower.  Left out on purpose:
 *
 *	 money			an amount in units that lc_monetary decides.  In binary, a
 *					target with another number of decimals would take $1.00 for
 *					100 yen without a word; its text form is refused there.
 *	 xml			carries a declaration of its encoding, which is true for the
 *					client that a value is sent to and no longer for the next.
 *					The text form has none.
 *	 reg*, xid, tid, aclitem
 *					OIDs and numbers that mean something on this server only.
 *	 enums, composites, ranges and domains of users, types of extensions
 *					not known to be the same, or even there, on the target.
 *
 *	 interval		from PostgreSQL 17 on, where it can be infinite: an older
 *					server takes the binary form of that for a very long finite
 *					one, and refuses its text form.
 *
 * The others have kept their binary form from 13 to 18.  Where a version came
 * to know values that older ones do not, these refuse them by themselves:
 *
 *	 numeric		14 came to know infinities; before: "invalid sign".  The
 *					scales that 15 came to know are of columns, not of values.
 *	 multiranges	came with 14: an older target has no column for them.
 *	 jsonb, jsonpath
 *					a version, which has been 1 all along, and the text form.
 *					The methods that 17 brought into jsonpath are a syntax error
 *					before.
 *	 tsvector, tsquery
 *					lexemes and operators; the last to be added came with 9.6.
 *	 "char"			its byte.  Not so the text form: 16 writes bytes beyond
 *					ASCII as \ooo, of which 15 takes the backslash.
 *	 dates, times, pg_lsn, bit strings, uuid, geometric and network types
 *					numbers of fixed width; 10 did away with timestamps that are
 *					floats.
 *	 arrays, ranges	headers around the form of their elements; arrays name the
 *					type of these.
 *
 * What extensions send is not asked for, though hstore and citext have not
 * changed it and ltree begins it with a version: their OIDs are any.
 *
 *
 * Settings that the text form depends on
 * --------------------------------------
 *
 * Output functions obey settings, which roles and databases can have of their
 * own.  The stream must not depend on them, so they are set to fixed values
 * before the first output function of a transaction is called.  Logical
 * decoding replays each transaction of the source inside a transaction, or a
 * subtransaction if it was called from SQL, and rolls that back at its end.
 * Setting them there, and not once at startup, means that they go back to what
 * they were by themselves, also after an error, and a user who decodes through
 * SQL never sees them.  For short transactions it is not cheap, so it is not
 * done for output functions that are known to obey no setting, and only those
 * are set that have another value.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_range.h"
#include "catalog/pg_type.h"
#include "port/pg_bswap.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "catalogs/components.h"
#include "catalogs/labels.h"
#include "compat.h"
#include "tables/value.h"
#include "wire/wire.h"

/* A setting and the value it has while output functions run. */
typedef struct TextSetting
{
	const char *name;
	const char *value;
	bool is_prefix; /* it is enough if the current value begins so */
} TextSetting;

/*
 * search_path and quote_all_identifiers are here for the reg* types, whose
 * output is a name that is qualified or quoted as needed.
 */
static const TextSetting text_settings[] = {
	{"DateStyle", "ISO", true},
	{"IntervalStyle", "postgres", false},
	{"extra_float_digits", "3", false},
	{"bytea_output", "hex", false},
	{"TimeZone", "UTC", false},
	{"search_path", "pg_catalog", false},
	{"quote_all_identifiers", "off", false},
	{"standard_conforming_strings", "on", false},
};

/*
 * Output functions that do not depend on settings, also of enums and of domains
 * over the types they belong to.
 */
static const Oid plain_output_functions[] = {
	F_ENUM_OUT, F_INT2OUT,     F_INT4OUT,  F_INT8OUT,    F_OIDOUT,
	F_BOOLOUT,  F_NUMERIC_OUT, F_TEXTOUT,  F_VARCHAROUT, F_BPCHAROUT,
	F_NAMEOUT,  F_CHAROUT,     F_UUID_OUT, F_JSON_OUT,   F_JSONB_OUT,
	F_BIT_OUT,  F_VARBIT_OUT,  F_INET_OUT, F_CIDR_OUT,   F_MACADDR_OUT,
	F_XIDOUT,   F_TIDOUT,
};

typedef struct BuiltinType
{
	Oid type;
	PenstockEncoding encoding;
	PenstockValueKind kind;
} BuiltinType;

/*
 * The built-in types that are not sent as text; why these, see the top of the
 * file.  Arrays of them are found by is_portable_array().
 */
static const BuiltinType builtin_types[] = {
	{BOOLOID, PENSTOCK_ENCODING_INTEGER, PENSTOCK_VALUE_BOOL},
	{INT2OID, PENSTOCK_ENCODING_INTEGER, PENSTOCK_VALUE_INT2},
	{INT4OID, PENSTOCK_ENCODING_INTEGER, PENSTOCK_VALUE_INT4},
	{INT8OID, PENSTOCK_ENCODING_INTEGER, PENSTOCK_VALUE_INT8},
	{OIDOID, PENSTOCK_ENCODING_INTEGER, PENSTOCK_VALUE_OID},
	{DATEOID, PENSTOCK_ENCODING_INTEGER, PENSTOCK_VALUE_INT4},
	{TIMEOID, PENSTOCK_ENCODING_INTEGER, PENSTOCK_VALUE_INT8},
	{TIMESTAMPOID, PENSTOCK_ENCODING_INTEGER, PENSTOCK_VALUE_INT8},
	{TIMESTAMPTZOID, PENSTOCK_ENCODING_INTEGER, PENSTOCK_VALUE_INT8},

	{TEXTOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_CHARACTERS},
	{VARCHAROID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_CHARACTERS},
	{BPCHAROID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_CHARACTERS},
	{JSONOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_CHARACTERS},
	{NAMEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_NAME},
	{BYTEAOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_BYTES},
	{UUIDOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_UUID},
	{FLOAT4OID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_FLOAT4},
	{FLOAT8OID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_FLOAT8},

	{NUMERICOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{JSONBOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{JSONPATHOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{CHAROID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{TIMETZOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{INETOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{CIDROID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{MACADDROID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{MACADDR8OID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{BITOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{VARBITOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{POINTOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{LSEGOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{PATHOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{BOXOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{POLYGONOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{LINEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{CIRCLEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{penstock_pg_lsn_oid_compat, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{TSVECTOROID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{TSQUERYOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},

	{INT4RANGEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{INT8RANGEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{NUMRANGEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{TSRANGEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{TSTZRANGEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{DATERANGEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},

#if !PENSTOCK_INFINITE_INTERVALS_COMPAT
	{INTERVALOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
#endif

/* Multiranges are as old as PostgreSQL 14. */
#ifdef INT4MULTIRANGEOID
	{INT4MULTIRANGEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{INT8MULTIRANGEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{NUMMULTIRANGEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{TSMULTIRANGEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{TSTZMULTIRANGEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
	{DATEMULTIRANGEOID, PENSTOCK_ENCODING_BINARY, PENSTOCK_VALUE_SEND},
#endif
};

static const BuiltinType *
find_builtin_type(Oid type)
{
	for (int i = 0; i < (int) lengthof(builtin_types); i++)
	{
		if (builtin_types[i].type == type)
			return &builtin_types[i];
	}
	return NULL;
}

/*
 * Whether a type is a built-in array of a type in builtin_types.  The binary
 * form of an array contains the OID of the elements' type, which is the same on
 * all servers for built-in types.
 */
static bool
is_portable_array(const FormData_pg_type *form)
{
	return form->oid < FirstGenbkiObjectId && form->typsend == F_ARRAY_SEND &&
		   find_builtin_type(form->typelem) != NULL;
}

static bool
is_plain_output_function(Oid function)
{
	for (int i = 0; i < (int) lengthof(plain_output_functions); i++)
	{
		if (plain_output_functions[i] == function)
			return true;
	}
	return false;
}

/*
 * Whether the stored form of a type is also its text form, apart from the
 * encoding.
 */
static bool
is_stored_as_text(PenstockValueKind kind)
{
	return kind == PENSTOCK_VALUE_CHARACTERS || kind == PENSTOCK_VALUE_NAME;
}

void
penstock_value_init(PenstockValueWriter *writer, Oid type, bool binary)
{
	const BuiltinType *builtin = find_builtin_type(type);
	HeapTuple tuple;
	Form_pg_type form;

	if (builtin != NULL && (binary || is_stored_as_text(builtin->kind)))
	{
		writer->kind = builtin->kind;
		writer->encoding = binary ? builtin->encoding : PENSTOCK_ENCODING_TEXT;
		if (writer->kind != PENSTOCK_VALUE_SEND)
			return;
	}
	else
	{
		writer->kind = PENSTOCK_VALUE_OUTPUT;
		writer->encoding = PENSTOCK_ENCODING_TEXT;
	}

	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	form = (Form_pg_type) GETSTRUCT(tuple);

	if (binary && is_portable_array(form))
	{
		writer->kind = PENSTOCK_VALUE_SEND;
		writer->encoding = PENSTOCK_ENCODING_BINARY;
	}
	fmgr_info_cxt(writer->kind == PENSTOCK_VALUE_SEND ? form->typsend
													  : form->typoutput,
				  &writer->function, CurrentMemoryContext);
	writer->has_labels = writer->kind == PENSTOCK_VALUE_OUTPUT &&
						 penstock_labels_may_be_in(type);
	writer->has_rows = writer->kind == PENSTOCK_VALUE_OUTPUT &&
					   penstock_components_have_rows(type);
	writer->type = type;
	writer->obeys_settings = !is_plain_output_function(form->typoutput);
	Assert(OidIsValid(writer->function.fn_oid));
	Assert(writer->encoding != PENSTOCK_ENCODING_INTEGER);
	ReleaseSysCache(tuple);
}

/* See "Settings that the text form depends on". */
void
penstock_value_apply_settings(PenstockSession *session)
{
	Assert(IsTransactionState());
	if (session->settings_applied)
		return;
	for (int i = 0; i < (int) lengthof(text_settings); i++)
	{
		const TextSetting *setting = &text_settings[i];
		const char *current;

		current = GetConfigOption(setting->name, false, false);
		if (setting->is_prefix
				? strncmp(current, setting->value, strlen(setting->value)) == 0
				: strcmp(current, setting->value) == 0)
			continue;
		(void) set_config_option(setting->name, setting->value, PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_LOCAL, true, ERROR,
								 false);
	}
	session->settings_applied = true;
}

void
penstock_value_raise_too_large(const char *table, const char *column)
{
	ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					errmsg("row of table %s is too large to be sent", table),
					errdetail("With column \"%s\" it exceeds %zu bytes.",
							  column, (Size) PENSTOCK_WIRE_BYTES_MAX),
					errhint("Leave the column out with a column list of the "
							"publication.")));
}

static void
append_bytes(const PenstockValueWriter *writer, StringInfo buf, int field,
			 const char *data, Size bytes)
{
	if (unlikely(!penstock_wire_fits(buf, bytes + 1 +
											  PENSTOCK_WIRE_VARINT_BYTES_MAX)))
		penstock_value_raise_too_large(writer->table, writer->column);
	penstock_wire_bytes(buf, field, data, bytes);
}

static void
append_characters(PenstockSession *session, const PenstockValueWriter *writer,
				  StringInfo buf, int field, const char *data, Size bytes)
{
	if (unlikely(session->converts))
		data = penstock_session_convert(session, data, &bytes);
	append_bytes(writer, buf, field, data, bytes);
}

/*
 * The varlena itself, neither compressed nor elsewhere.  Large values that were
 * reassembled from the WAL are in memory already and only pointed to; they are
 * not copied just to be copied again.
 */
static inline struct varlena *
flatten(Datum value)
{
	struct varlena *data = (struct varlena *) DatumGetPointer(value);

	if (VARATT_IS_EXTERNAL_INDIRECT(data))
	{
		struct varatt_indirect redirect;

		VARATT_EXTERNAL_GET_POINTER(redirect, data);
		data = (struct varlena *) redirect.pointer;
	}
	if (VARATT_IS_COMPRESSED(data) || VARATT_IS_EXTERNAL(data))
		data = detoast_attr(data);
	Assert(!VARATT_IS_EXTERNAL(data));
	return data;
}

/*
 * Calls the output function with labels of enums as the reader knows them.  The
 * server may hear of labels that change meanwhile: then once more.
 */
static char *
output_with_labels(PenstockSession *session, const PenstockValueWriter *writer,
				   Datum value)
{
	char *text;

	Assert(writer->has_labels && writer->kind == PENSTOCK_VALUE_OUTPUT);
	do
	{
		penstock_labels_show(session, writer->type);
		text = OutputFunctionCall(unconstify(FmgrInfo *, &writer->function),
								  value);
	} while (!penstock_labels_shown(session));
	return text;
}

static void
append_output(PenstockSession *session, const PenstockValueWriter *writer,
			  StringInfo buf, int field, Datum value)
{
	char *text;

	Assert(writer->kind == PENSTOCK_VALUE_OUTPUT);
	if (writer->obeys_settings)
		penstock_value_apply_settings(session);
	if (unlikely(writer->has_rows))
		penstock_components_load(writer->type);
	text = unlikely(writer->has_labels)
			   ? output_with_labels(session, writer, value)
			   : OutputFunctionCall(unconstify(FmgrInfo *, &writer->function),
									value);
	Assert(text != NULL);
	append_characters(session, writer, buf, field, text, strlen(text));
}

void
penstock_value_append(PenstockSession *session,
					  const PenstockValueWriter *writer, StringInfo buf,
					  int field, Datum value)
{
	struct varlena *data;
	uint64 bits64;
	uint32 bits32;

	Assert(writer->encoding != PENSTOCK_ENCODING_INTEGER);
	session->current_value = writer;
	switch (writer->kind)
	{
		case PENSTOCK_VALUE_CHARACTERS:
			data = flatten(value);
			append_characters(session, writer, buf, field, VARDATA_ANY(data),
							  VARSIZE_ANY_EXHDR(data));
			return;
		case PENSTOCK_VALUE_BYTES:
			data = flatten(value);
			append_bytes(writer, buf, field, VARDATA_ANY(data),
						 VARSIZE_ANY_EXHDR(data));
			return;
		case PENSTOCK_VALUE_NAME:
			append_characters(session, writer, buf, field,
							  NameStr(*DatumGetName(value)),
							  strlen(NameStr(*DatumGetName(value))));
			return;
		case PENSTOCK_VALUE_UUID:
			append_bytes(writer, buf, field,
						 (const char *) DatumGetPointer(value), UUID_LEN);
			return;
		case PENSTOCK_VALUE_FLOAT4:
		{
			float4 number = DatumGetFloat4(value);

			memcpy(&bits32, &number, sizeof(bits32));
			bits32 = pg_hton32(bits32);
			append_bytes(writer, buf, field, (const char *) &bits32,
						 sizeof(bits32));
			return;
		}
		case PENSTOCK_VALUE_FLOAT8:
		{
			float8 number = DatumGetFloat8(value);

			memcpy(&bits64, &number, sizeof(bits64));
			bits64 = pg_hton64(bits64);
			append_bytes(writer, buf, field, (const char *) &bits64,
						 sizeof(bits64));
			return;
		}
		case PENSTOCK_VALUE_SEND:
			data = (struct varlena *) SendFunctionCall(
				unconstify(FmgrInfo *, &writer->function), value);
			append_bytes(writer, buf, field, VARDATA(data),
						 VARSIZE(data) - VARHDRSZ);
			return;
		case PENSTOCK_VALUE_OUTPUT:
			append_output(session, writer, buf, field, value);
			return;
		case PENSTOCK_VALUE_BOOL:
		case PENSTOCK_VALUE_INT2:
		case PENSTOCK_VALUE_INT4:
		case PENSTOCK_VALUE_INT8:
		case PENSTOCK_VALUE_OID:
			break;
	}
	pg_unreachable();
}
