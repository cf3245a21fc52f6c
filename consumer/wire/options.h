/*
 * options.h
 *    What the output plugin is asked for, in its own words.
 */
#ifndef PENSTOCK_WIRE_OPTIONS_H
#define PENSTOCK_WIRE_OPTIONS_H

#include <stdbool.h>

#include "base/buf.h"

/* All strings are borrowed, and as the plugin's option of that name wants them.
 * plugin/options.h says what each does. */
typedef struct WireOptions
{
	const char *publications;
	const char *origin; /* any or none */
	bool messages;
	bool binary;       /* false: every value in text format */
	bool skip_missing; /* publications that do not exist publish nothing */
	bool streaming;    /* of open transactions; from version 14 on */
	bool bundle;       /* several small ones may come in a message */
	bool schema_changes;
	const char *distribution; /* or NULL */
	const char *leave_out;    /* or NULL */
	const char *compression;  /* or NULL */
} WireOptions;

/*
 * Appends them as START_REPLICATION has options between parentheses, with the
 * version of the format that decode.h reads.
 */
void wire_options_append(const WireOptions *options, Buf *buf);

#endif /* PENSTOCK_WIRE_OPTIONS_H */
