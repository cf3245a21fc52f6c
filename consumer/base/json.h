/*
 * json.h
 *    Writes JSON (RFC 8259) at the end of a Buf, one value after the other.
 *
 * The writer places commas and colons and escapes strings.  The caller begins
 * and ends objects and arrays, in the right order:
 *
 *     Json json;
 *
 *     json_init(&json, &buf);
 *     json_begin_object(&json);
 *     json_key(&json, "table");
 *     json_text(&json, name);
 *     json_end_object(&json);
 *
 * No function here has a name that libjansson (which we read JSON with) uses
 * too: the dynamic linker would take one function for the other.
 *
 * The writer adds no white space, so a document without json_raw() is one line.
 * The writer keeps its state in the Json and only appends to the Buf: between
 * any two calls the caller may write out the Buf and reset it.  The writer
 * allocates only the Buf's memory and needs no release.  If the Buf is full, it
 * is marked as overflowed; the caller checks that once, at the end.
 *
 * Strings are taken to be UTF-8, and the output is valid UTF-8 whatever they
 * hold.  Characters are copied.  Quotes, backslashes and control characters are
 * escaped.  Every byte that is not part of a valid character (overlong forms,
 * surrogates and code points above U+10FFFF included) is replaced by one
 * U+FFFD, the replacement character.
 */
#ifndef PENSTOCK_BASE_JSON_H
#define PENSTOCK_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Largest depth of objects and arrays within each other. */
#define JSON_DEPTH_MAX 64

/*
 * State of the writer.  Bit n of `not_empty` says that the object or array at
 * depth n + 1 has a member.  `after_key` says that the value of a key comes
 * next.
 */
typedef struct Json
{
	Buf *out; /* borrowed */
	int depth;
	uint64_t not_empty;
	bool after_key;
} Json;

/* Begins a document at the end of `out`. */
void json_init(Json *json, Buf *out);

/*
 * Begins another document in the same Buf, such as the next of several lines.
 */
void json_reset(Json *json);

void json_begin_object(Json *json);
void json_end_object(Json *json);
void json_begin_array(Json *json);
void json_end_array(Json *json);

/* Writes the name of a member, whose value comes next; only in an object. */
void json_key(Json *json, const char *key);

/* Writes a string; null if it is NULL. */
void json_text(Json *json, const char *string);

/* Writes a string of `length` bytes.  NULs in it are written as \u0000. */
void json_text_bytes(Json *json, const void *bytes, size_t length);

void json_bool(Json *json, bool value);
void json_nothing(Json *json);

/*
 * Writes an integer with all its digits.  Readers that keep numbers as doubles
 * round integers above 2^53; one that must not be rounded has to be written as
 * a string.
 */
void json_int(Json *json, int64_t number);

/*
 * Writes a number with `decimals` digits after the point.  NaN and infinities,
 * which JSON does not have, are written as null.
 */
void json_fixed(Json *json, double number, int decimals);

/* Writes a value that is JSON already, unchanged, with its line breaks. */
void json_raw(Json *json, const void *text, size_t length);

/* Write a member: its key and its value.  A NULL string is written as null. */
void json_member_string(Json *json, const char *key, const char *value);
void json_member_bool(Json *json, const char *key, bool value);
void json_member_int(Json *json, const char *key, int64_t value);
void json_member_null(Json *json, const char *key);

/*
 * Whether the bytes are valid UTF-8, so that json_text_bytes() replaces none of
 * them.
 */
bool json_is_text(const void *bytes, size_t length);

/*
 * Appends one JSON string with its quotes, without a Json: for callers that
 * write commas themselves.
 */
void json_append_string(Buf *out, const void *bytes, size_t length);

#endif /* PENSTOCK_BASE_JSON_H */
