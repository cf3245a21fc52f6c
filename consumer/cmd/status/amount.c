/*
 * amount.c
 *    Chooses the unit of a number of bytes.
 */
#include "cmd/status/amount.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/macros.h"

const char *
amount_bytes(uint64_t bytes, char text[static AMOUNT_TEXT_SIZE])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	size_t unit = 0;

	while (bytes >= 10240 && unit + 1 < LENGTH_OF(units))
	{
		bytes /= 1024;
		unit++;
	}
	snprintf(text, AMOUNT_TEXT_SIZE, "%" PRIu64 " %s", bytes, units[unit]);
	return text;
}

const char *
amount_lsn(Lsn lsn, char *text)
{
	if (lsn == 0)
		return "-";
	snprintf(text, AMOUNT_TEXT_SIZE, LSN_FORMAT, LSN_ARGS(lsn));
	return text;
}
