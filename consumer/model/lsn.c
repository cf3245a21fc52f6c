/*
 * lsn.c
 *    Parses LSNs.
 */
#include "model/lsn.h"

#include <stdlib.h>
#include <string.h>

#define LSN_HALF_DIGITS_MAX 8

/* Parses one half of an LSN.  Returns the text after it, or NULL. */
static const char *
parse_half(const char *text, uint32_t *half)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEF");

	if (digits < 1 || digits > LSN_HALF_DIGITS_MAX)
		return NULL;
	*half = (uint32_t) strtoul(text, NULL, 16);
	return text + digits;
}

bool
lsn_parse(const char *text, Lsn *lsn)
{
	uint32_t high;
	uint32_t low;

	text = parse_half(text, &high);
	if (text == NULL || *text != '/')
		return false;
	text = parse_half(text + 1, &low);
	if (text == NULL || *text != '\0')
		return false;
	*lsn = ((uint64_t) high << 32) | low;
	return true;
}
