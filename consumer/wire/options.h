/*
 * options.h
 *    The options of the output plugin.
 */
#ifndef PENSTOCK_WIRE_OPTIONS_H
#define PENSTOCK_WIRE_OPTIONS_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * Values of the plugin's options; plugin/session/options.h says what each
 * option does. All strings are borrowed.
 */
typedef struct WireOptions
{
	const char *publications;
	const char *origin; /* "any" or "none" */
	bool messages;
	bool binary;       /* whether values may be in binary format; false: all in
						* text format */
	bool skip_missing; /* a publication that does not exist is no error */
	bool streaming;    /* transactions are sent while they are in progress;
						* PostgreSQL 14 and later */
	bool bundle;       /* several small transactions may come in one message */
	bool schema_changes;
	const char *distribution; /* or NULL */
	const char *leave_out;    /* or NULL */
	const char *compression;  /* or NULL */
} WireOptions;

/*
 * Appends the options as START_REPLICATION has them between its parentheses,
 * and the option proto_version with the version that decode.h reads.
 */
void wire_options_append(const WireOptions *options, Buf *buf);

#endif /* PENSTOCK_WIRE_OPTIONS_H */
