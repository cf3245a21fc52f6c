/*
 * json_line.c
 *    Formats a change as a line of JSON.
 */
#include "sink/json/json_line.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "ddl/json.h"

#define US_PER_S INT64_C(1000000)

/* OIDs of types, apart from those in relation.h, whose text may be valid JSON
 * (pg_type.dat). */
enum
{
	TYPE_FLOAT4 = 700,
	TYPE_FLOAT8 = 701,
	TYPE_NUMERIC = 1700,
	TYPE_JSONB = 3802,
};

/* Maximum size of an integer value as text. */
#define INTEGER_TEXT_MAX 64

/* ---- values ------------------------------------------------------------- */

static size_t
count_digits(const char *text, size_t length)
{
	size_t count = 0;

	while (count < length && text[count] >= '0' && text[count] <= '9')
		count++;
	return count;
}

/* Skips one character if it is one of `characters`, and returns whether it
 * was. */
static bool
take_one_of(const char **text, size_t *length, const char *characters)
{
	if (*length == 0 || **text == '\0' || strchr(characters, **text) == NULL)
		return false;
	++*text;
	--*length;
	return true;
}

/* Skips digits; returns false if there are none. */
static bool
take_digits(const char **text, size_t *length)
{
	size_t count = count_digits(*text, *length);

	*text += count;
	*length -= count;
	return count > 0;
}

/* Whether a text is a number as defined by RFC 8259. */
static bool
is_number(const char *text, size_t length)
{
	take_one_of(&text, &length, "-");
	if (!take_one_of(&text, &length, "0") && !take_digits(&text, &length))
		return false;
	if (take_one_of(&text, &length, ".") && !take_digits(&text, &length))
		return false;
	if (take_one_of(&text, &length, "eE"))
	{
		take_one_of(&text, &length, "+-");
		if (!take_digits(&text, &length))
			return false;
	}
	return length == 0;
}

/*
 * Appends a value of type json with blanks in place of its line breaks.
 * PostgreSQL has checked that the value is valid JSON, where a line break can
 * only be between two tokens, and means the same as a blank.
 */
static void
append_document(Json *json, const char *text, size_t length)
{
	char *place;
	char *end;

	json_raw(json, text, length);
	if (json->out->overflowed)
		return;
	end = json->out->data + json->out->length;
	for (place = end - length; place < end; place++)
		if (*place == '\n' || *place == '\r')
			*place = ' ';
}

static void
append_text(Json *json, uint32_t type_oid, const char *text, size_t length)
{
	switch (type_oid)
	{
		case TYPE_INT2:
		case TYPE_INT4:
		case TYPE_INT8:
		case TYPE_OID:
		case TYPE_FLOAT4:
		case TYPE_FLOAT8:
		case TYPE_NUMERIC:
			if (is_number(text, length))
				json_raw(json, text, length);
			else
				json_text_bytes(json, text, length);
			return;
		case TYPE_BOOL:
			json_bool(json, length > 0 && text[0] == 't');
			return;
		case TYPE_JSON:
		case TYPE_JSONB:
			if (length > 0 && json_is_text(text, length))
				append_document(json, text, length);
			else
				json_text_bytes(json, text, length);
			return;
		default:
			json_text_bytes(json, text, length);
			return;
	}
}

static void
append_integer(Json *json, uint32_t type_oid, int64_t number)
{
	Buf text;

	buf_init(&text, INTEGER_TEXT_MAX);
	value_append_integer(&text, type_oid, number);
	ASSERT(!text.overflowed);
	append_text(json, type_oid, text.data, text.length);
	buf_release(&text);
}

/* Appends bytes as a string of hex digits.  `start` are the opening quote and
 * what comes before the digits, already escaped. */
static void
append_hex(Json *json, const char *start, const uint8_t *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	json_raw(json, start, strlen(start));
	for (size_t i = 0; i < length; i++)
	{
		char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};

		buf_append(json->out, pair, sizeof(pair));
	}
	buf_append_char(json->out, '"');
}

/* Appends a value, which must not be VALUE_MISSING or VALUE_UNCHANGED. */
static void
append_value(Json *json, const RelationColumn *column, const Value *value)
{
	switch ((ValueKind) value->kind)
	{
		case VALUE_NULL:
			json_nothing(json);
			return;
		case VALUE_INTEGER:
			append_integer(json, column->type_oid, value->integer);
			return;
		case VALUE_BINARY:
			append_hex(json, "\"\\\\x", value->bytes, value->length);
			return;
		case VALUE_TEXT:
			append_text(json, column->type_oid, (const char *) value->bytes,
						value->length);
			return;
		case VALUE_MISSING:
		case VALUE_UNCHANGED:
			break;
	}
	check_failed("a value that is printed is there", __FILE__, __LINE__);
}

/* ---- rows --------------------------------------------------------------- */

static bool
is_there(const Value *value)
{
	return value->kind != VALUE_MISSING && value->kind != VALUE_UNCHANGED;
}

static void
append_row(Json *json, const char *name, const Relation *relation,
		   const Value *row, bool key_only)
{
	json_key(json, name);
	json_begin_object(json);
	for (int i = 0; i < relation->column_count; i++)
	{
		const RelationColumn *column = &relation->columns[i];

		if (!is_there(&row[i]) || (key_only && !column->key))
			continue;
		json_key(json, column->name);
		append_value(json, column, &row[i]);
	}
	json_end_object(json);
}

static void
append_unchanged(Json *json, const Relation *relation, const Value *row)
{
	bool open = false;

	for (int i = 0; i < relation->column_count; i++)
	{
		if (row[i].kind != VALUE_UNCHANGED)
			continue;
		if (!open)
		{
			json_key(json, "unchanged");
			json_begin_array(json);
			open = true;
		}
		json_text(json, relation->columns[i].name);
	}
	if (open)
		json_end_array(json);
}

static void
append_rows(Json *json, const Change *change)
{
	const Relation *relation = change->relation;

	if (relation->key_count > 0 && relation->identity != IDENTITY_FULL)
		append_row(json, "key", relation, change_identity_row(change), true);
	if (change->new_row != NULL)
		append_row(json, "new", relation, change->new_row, false);
	if (change->old_row != NULL)
		append_row(json, "old", relation, change->old_row, false);
	if (change->new_row != NULL)
		append_unchanged(json, relation, change->new_row);
}

/* ---- lines -------------------------------------------------------------- */

void
json_line_format_time(char time[JSON_LINE_TIME_SIZE], int64_t time_us)
{
	int64_t fraction_us = time_us % US_PER_S;
	time_t seconds;
	struct tm parts;

	if (fraction_us < 0)
		fraction_us += US_PER_S;
	seconds = (time_us - fraction_us) / US_PER_S + CLOCK_POSTGRES_EPOCH_S;
	if (gmtime_r(&seconds, &parts) == NULL)
		parts = (struct tm){0};
	snprintf(time, JSON_LINE_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
			 parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
			 parts.tm_hour, parts.tm_min, parts.tm_sec, (int) fraction_us);
}

static void
append_lsn(Json *json, const char *name, Lsn lsn)
{
	char text[LSN_TEXT_SIZE];

	snprintf(text, sizeof(text), LSN_FORMAT, LSN_ARGS(lsn));
	json_key(json, name);
	json_text(json, text);
}

/* Appends the fields with which every line begins. */
static void
append_head(Json *json, const JsonLineTxn *txn, int64_t seq,
			const Change *change)
{
	if (txn == NULL)
		append_lsn(json, "lsn", change->message->lsn);
	else
	{
		json_key(json, "time");
		json_text(json, txn->time);
		append_lsn(json, "lsn", txn->commit_lsn);
		json_key(json, "xid");
		json_int(json, txn->xid);
		json_key(json, "seq");
		json_int(json, seq);
	}
	if (txn != NULL && txn->origin != NULL)
	{
		json_key(json, "origin");
		json_text(json, txn->origin);
	}
	json_key(json, "operation");
	json_text(json, change_kind_name(change->kind));
}

static void
append_table(Json *json, const Relation *relation)
{
	json_key(json, "schema");
	json_text(json, relation->schema);
	json_key(json, "table");
	json_text(json, relation->name);
}

static void
append_truncate(Json *json, const TruncateInfo *truncate, int part)
{
	append_table(json, truncate->relations[part]);
	json_key(json, "cascade");
	json_bool(json, truncate->cascade);
	json_key(json, "restart_identity");
	json_bool(json, truncate->restart_identity);
}

static void
append_message(Json *json, const MessageInfo *message)
{
	bool is_text = json_is_text(message->content, message->content_length);

	json_key(json, "transactional");
	json_bool(json, message->transactional);
	append_lsn(json, "message_lsn", message->lsn);
	json_key(json, "prefix");
	json_text(json, message->prefix);
	json_key(json, is_text ? "content" : "content_hex");
	if (is_text)
		json_text_bytes(json, message->content, message->content_length);
	else
		append_hex(json, "\"", message->content, message->content_length);
}

static const char *
catalog_name(DefinitionCatalog catalog)
{
	switch (catalog)
	{
		case DEFINITION_IN_NAMESPACE:
			return "pg_namespace";
		case DEFINITION_IN_CLASS:
			return "pg_class";
		case DEFINITION_IN_TYPE:
			return "pg_type";
	}
	check_failed("the catalog of a definition is known", __FILE__, __LINE__);
}

/* Appends the object of a change of kind SCHEMA_GONE or SCHEMA_UNTRANSLATED. */
static void
append_object(Json *json, const SchemaChange *schema)
{
	const char *identity = schema->untranslated_identity;
	bool untranslated = schema->kind == SCHEMA_UNTRANSLATED;

	json_begin_object(json);
	json_member_string(json, "catalog",
					   untranslated ? schema->untranslated_catalog
									: catalog_name(schema->catalog));
	json_member_int(json, "oid", schema->oid);
	if (untranslated)
	{
		json_member_string(json, "identity",
						   identity[0] != '\0' ? identity : NULL);
		if (schema->untranslated_part[0] != '\0')
			json_member_string(json, "part", schema->untranslated_part);
		json_member_bool(json, "gone", schema->untranslated_gone);
	}
	json_end_object(json);
}

static void
append_schema_change(Json *json, const SchemaChange *schema)
{
	append_lsn(json, "change_lsn", schema->lsn);
	switch (schema->kind)
	{
		case SCHEMA_DEFINED:
			json_key(json, "defined");
			ddl_json_append(json, schema->definition);
			return;
		case SCHEMA_GONE:
			json_key(json, "gone");
			append_object(json, schema);
			return;
		case SCHEMA_UNTRANSLATED:
			json_key(json, "untranslated");
			append_object(json, schema);
			return;
	}
	check_failed("the kind of a schema change is known", __FILE__, __LINE__);
}

/* Appends the fields of a line that depend on the kind of its change. */
static void
append_change(Json *json, const Change *change, int part)
{
	switch (change->kind)
	{
		case CHANGE_INSERT:
		case CHANGE_UPDATE:
		case CHANGE_DELETE:
			append_table(json, change->relation);
			append_rows(json, change);
			return;
		case CHANGE_TRUNCATE:
			append_truncate(json, change->truncate, part);
			return;
		case CHANGE_MESSAGE:
			append_message(json, change->message);
			return;
		case CHANGE_SCHEMA:
			append_schema_change(json, change->schema);
			return;
		case CHANGE_REWRITE:
			append_table(json, change->relation);
			return;
	}
	check_failed("the kind of a change is known", __FILE__, __LINE__);
}

int
json_line_count(const Change *change)
{
	return change->kind == CHANGE_TRUNCATE ? change->truncate->relation_count
										   : 1;
}

void
json_line_append(Buf *buf, const JsonLineTxn *txn, int64_t seq,
				 const Change *change, int part)
{
	Json json;

	ASSERT(part < json_line_count(change));
	ASSERT(txn != NULL || change->kind == CHANGE_MESSAGE);
	json_init(&json, buf);
	json_begin_object(&json);
	append_head(&json, txn, seq, change);
	append_change(&json, change, part);
	json_end_object(&json);
	buf_append_char(buf, '\n');
}
