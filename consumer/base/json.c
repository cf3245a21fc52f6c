/*
 * json.c
 *    Writes commas and colons, and escapes strings.
 *
 * Most strings need few escapes, so we copy a string in runs: a run ends before
 * a byte that has to be escaped, and before a byte that is not part of a valid
 * character.
 */
#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The character U+FFFD in UTF-8. */
#define REPLACEMENT_CHARACTER "\xEF\xBF\xBD"

void
json_init(Json *json, Buf *out)
{
	*json = (Json){.out = out};
}

void
json_reset(Json *json)
{
	ASSERT(json->depth == 0);
	json_init(json, json->out);
}

static uint64_t
depth_bit(const Json *json)
{
	ASSERT(json->depth > 0);
	return UINT64_C(1) << (json->depth - 1);
}

/* Writes the comma before a value, unless it is the first or follows a key. */
static void
begin_value(Json *json)
{
	if (json->after_key)
		json->after_key = false;
	else if (json->depth > 0)
	{
		if (json->not_empty & depth_bit(json))
			buf_append_char(json->out, ',');
		json->not_empty |= depth_bit(json);
	}
}

static void
begin_container(Json *json, char bracket)
{
	begin_value(json);
	CHECK(json->depth < JSON_DEPTH_MAX);
	json->depth++;
	json->not_empty &= ~depth_bit(json);
	buf_append_char(json->out, bracket);
}

static void
end_container(Json *json, char bracket)
{
	ASSERT(!json->after_key);
	CHECK(json->depth > 0);
	json->depth--;
	buf_append_char(json->out, bracket);
}

void
json_begin_object(Json *json)
{
	begin_container(json, '{');
}

void
json_end_object(Json *json)
{
	end_container(json, '}');
}

void
json_begin_array(Json *json)
{
	begin_container(json, '[');
}

void
json_end_array(Json *json)
{
	end_container(json, ']');
}

void
json_key(Json *json, const char *key)
{
	ASSERT(json->depth > 0);
	ASSERT(!json->after_key);
	begin_value(json);
	json_append_string(json->out, key, strlen(key));
	buf_append_char(json->out, ':');
	json->after_key = true;
}

void
json_text(Json *json, const char *string)
{
	if (string == NULL)
		json_nothing(json);
	else
		json_text_bytes(json, string, strlen(string));
}

void
json_text_bytes(Json *json, const void *bytes, size_t length)
{
	begin_value(json);
	json_append_string(json->out, bytes, length);
}

void
json_bool(Json *json, bool value)
{
	begin_value(json);
	buf_append_string(json->out, value ? "true" : "false");
}

void
json_nothing(Json *json)
{
	begin_value(json);
	buf_append_string(json->out, "null");
}

void
json_int(Json *json, int64_t number)
{
	begin_value(json);
	buf_printf(json->out, "%" PRId64, number);
}

void
json_fixed(Json *json, double number, int decimals)
{
	if (!isfinite(number))
	{
		json_nothing(json);
		return;
	}
	begin_value(json);
	buf_printf(json->out, "%.*f", decimals, number);
}

void
json_raw(Json *json, const void *text, size_t length)
{
	begin_value(json);
	buf_append(json->out, text, length);
}

static bool
is_continuation(uint8_t byte)
{
	return (byte & 0xC0) == 0x80;
}

/*
 * Returns the length of the non-ASCII character that `bytes` starts with, or 0
 * if it is not valid.  The range of the second byte excludes overlong forms
 * (after E0 and F0), surrogates (after ED) and code points above U+10FFFF
 * (after F4): Unicode's table 3-7.
 */
static size_t
character_length(const uint8_t *bytes, size_t available)
{
	uint8_t first = bytes[0];
	uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
	uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
	size_t length;

	if (first >= 0xC2 && first <= 0xDF)
		length = 2;
	else if (first >= 0xE0 && first <= 0xEF)
		length = 3;
	else if (first >= 0xF0 && first <= 0xF4)
		length = 4;
	else
		return 0;
	if (length > available || bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (!is_continuation(bytes[i]))
			return 0;
	return length;
}

/*
 * Returns the length of the run at the start of `bytes` that needs no escape.
 */
static size_t
plain_length(const uint8_t *bytes, size_t length)
{
	size_t i = 0;

	while (i < length)
	{
		size_t step = 1;

		if (bytes[i] >= 0x80)
			step = character_length(bytes + i, length - i);
		else if (bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\' ||
				 bytes[i] == 0x7F)
			break;
		if (step == 0)
			break;
		i += step;
	}
	return i;
}

bool
json_is_text(const void *bytes, size_t length)
{
	const uint8_t *rest = bytes;

	while (length > 0)
	{
		size_t step = *rest < 0x80 ? 1 : character_length(rest, length);

		if (step == 0)
			return false;
		rest += step;
		length -= step;
	}
	return true;
}

/*
 * Writes the byte that ended a run: escaped, or as the replacement character.
 */
static void
append_escaped(Buf *out, uint8_t byte)
{
	static const char letters[] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
		['\t'] = 't', ['"'] = '"',  ['\\'] = '\\'};

	if (byte >= 0x80)
		buf_append_string(out, REPLACEMENT_CHARACTER);
	else if (byte < sizeof(letters) && letters[byte] != 0)
	{
		buf_append_char(out, '\\');
		buf_append_char(out, letters[byte]);
	}
	else
		buf_printf(out, "\\u%04x", byte);
}

void
json_append_string(Buf *out, const void *bytes, size_t length)
{
	const uint8_t *rest = bytes;

	buf_append_char(out, '"');
	while (length > 0)
	{
		size_t plain = plain_length(rest, length);

		buf_append(out, rest, plain);
		rest += plain;
		length -= plain;
		if (length > 0)
		{
			append_escaped(out, *rest);
			rest++;
			length--;
		}
	}
	buf_append_char(out, '"');
}

void
json_member_string(Json *json, const char *key, const char *value)
{
	json_key(json, key);
	json_text(json, value);
}

void
json_member_bool(Json *json, const char *key, bool value)
{
	json_key(json, key);
	json_bool(json, value);
}

void
json_member_int(Json *json, const char *key, int64_t value)
{
	json_key(json, key);
	json_int(json, value);
}

void
json_member_null(Json *json, const char *key)
{
	json_key(json, key);
	json_nothing(json);
}
