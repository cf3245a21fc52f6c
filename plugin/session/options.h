/*
 * options.h
 *		What a reader may ask for when it starts replication.
 *
 *	 proto_version	required; version of the format, see penstock.proto
 *	 publications	required; names, written as a list of SQL identifiers
 *	 origin			any (default), or none: leave out changes that came to this
 *					server from another
 *	 messages		false (default), or true: hand out what
 *					pg_logical_emit_message() wrote
 *	 frame_size		bytes after which a frame is sent although its transaction
 *					is not at its end; 65536 unless told otherwise
 *	 binary			true (default), or false: write each value in its text
 *					format
 *	 streaming		false (default), or true: send transactions that outgrow
 *					logical_decoding_work_mem before they end; PostgreSQL 14
 *					and later
 *	 distribution	tables whose rows are to be sent with a hash of some of
 *					their columns, and those columns; see route.h
 *	 bundle			false (default), or true: allow that small transactions are
 *					held back, and several sent in a message, while there is
 *					more to decode; only in a replication connection, see
 *					bundle.h
 *	 skip_missing	false (default): a publication that does not exist at a
 *					point of the WAL is an error there; true: nothing is
 *					published by it
 *	 leave_out		tables of which nothing is to be sent, for ever or up to a
 *					position; see left_out.h
 *	 schema_changes	false (default), or true: say what becomes of tables and
 *					other objects of the schema, and send the rows of tables
 *					that are rewritten; see schema.h
 *	 compression	none (default), zstd, or zstd:LEVEL with a level from 1 to
 *					19: compress frames; see compress.h
 *
 * An option that is not known, repeated, missing, or whose value cannot be read
 * or is out of range is an error, because a misspelt option that is passed over
 * means a stream other than the one that was asked for.
 */
#ifndef PENSTOCK_OPTIONS_H
#define PENSTOCK_OPTIONS_H

#include "nodes/pg_list.h"

/* The version of penstock.proto that this plugin speaks. */
#define PENSTOCK_PROTO_VERSION      1

#define PENSTOCK_FRAME_SIZE_MIN     1024
#define PENSTOCK_FRAME_SIZE_DEFAULT 65536
#define PENSTOCK_FRAME_SIZE_MAX     16777216

/* Order as in the list of values in options.c. */
typedef enum PenstockOrigin
{
	PENSTOCK_ORIGIN_ANY,
	PENSTOCK_ORIGIN_NONE,
} PenstockOrigin;

typedef struct PenstockOptions
{
	int proto_version;
	List *publications; /* of char *, as stored in the catalog; not empty */
	int origin;         /* a PenstockOrigin */
	bool messages;
	int frame_size; /* bytes */
	bool binary;
	bool streaming;
	bool bundle;
	bool skip_missing;
	bool schema_changes;
	List *distribution;    /* of PenstockDistribution */
	List *leave_out;       /* of what left_out.c makes of it */
	int compression_level; /* of zstd; 0: frames are not compressed */
} PenstockOptions;

/*
 * Reads what was passed to START_REPLICATION (a list of DefElem) into
 * *options, every field of which is set.  Lists and strings are allocated in
 * the current memory context.  Raises an error as said above.
 */
extern void penstock_options_parse(List *defelems, PenstockOptions *options);

#endif /* PENSTOCK_OPTIONS_H */
