/*
 * json.h
 *    Writes JSON (RFC 8259) at the end of a Buf, one value after the other.
 *
 * The writer places commas and colons and escapes strings; the caller opens
 * and closes what it likes, in the right order:
 *
 *     Json json;
 *
 *     json_init(&json, &buf);
 *     json_begin_object(&json);
 *     json_key(&json, "table");
 *     json_text(&json, name);
 *     json_end_object(&json);
 *
 * None of the names here is one of libjansson's, which reads JSON: the dynamic
 * linker would take one for the other.
 *
 * There is no white space in what it writes, so that a document without
 * json_raw() is one line.  It only ever appends, and remembers its place
 * itself: between any two calls the Buf may be written out and reset.  It
 * allocates nothing but the Buf's memory and needs no release.  Running out of
 * room marks the Buf as overflowed, to be asked for once, at the end.
 *
 * Strings are taken to be UTF-8 and come out as valid UTF-8 whatever they hold:
 * characters pass as they are, quotes, backslashes and control characters are
 * escaped, and every byte that is not part of a valid character (overlong
 * forms, surrogates and code points above U+10FFFF included) is replaced by one
 * U+FFFD, the replacement character.
 */
#ifndef PENSTOCK_BASE_JSON_H
#define PENSTOCK_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Most levels of objects and arrays within each other. */
#define JSON_DEPTH_MAX 64

/*
 * Where the writer is.  Bit n of `not_empty` says that the container at depth
 * n + 1 has a member; `after_key` that a key waits for its value.
 */
typedef struct Json
{
	Buf *out; /* borrowed */
	int depth;
	uint64_t not_empty;
	bool after_key;
} Json;

/* Starts a document at the end of `out`. */
void json_init(Json *json, Buf *out);

/* Starts another document in the same Buf, as for lines of JSON. */
void json_reset(Json *json);

void json_begin_object(Json *json);
void json_end_object(Json *json);
void json_begin_array(Json *json);
void json_end_array(Json *json);

/* The name of the member whose value comes next, in an object only. */
void json_key(Json *json, const char *key);

/* A NULL string is null. */
void json_text(Json *json, const char *string);

/* The same for `length` bytes, which may hold NULs: they become \u0000. */
void json_text_bytes(Json *json, const void *bytes, size_t length);

void json_bool(Json *json, bool value);
void json_nothing(Json *json);

/*
 * A whole number, in full.  Readers that keep numbers as doubles round beyond
 * 2^53; what must survive them is to be written as a string.
 */
void json_int(Json *json, int64_t number);

/* A number with `decimals` digits after the point; NaN and infinities, which
 * JSON does not have, are null. */
void json_fixed(Json *json, double number, int decimals);

/* A value that is JSON already, copied as it is, line breaks included. */
void json_raw(Json *json, const void *text, size_t length);

/* Each adds a member, its key and its value; a NULL string is null. */
void json_member_string(Json *json, const char *key, const char *value);
void json_member_bool(Json *json, const char *key, bool value);
void json_member_int(Json *json, const char *key, int64_t value);
void json_member_null(Json *json, const char *key);

/* Whether a string would come out as it is, with no character replaced. */
bool json_is_text(const void *bytes, size_t length);

/*
 * Appends one JSON string, quotes included, without a writer: for those who
 * place their commas themselves.
 */
void json_append_string(Buf *out, const void *bytes, size_t length);

#endif /* PENSTOCK_BASE_JSON_H */
