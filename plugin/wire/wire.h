/*
 * wire.h
 *		Writes the bytes of protobuf messages.
 *
 * A protobuf message is a sequence of fields, each a tag (number and kind of
 * the field) and a value: a varint, or a length and that many bytes.  That is
 * little enough to be written straight into the output buffer, without
 * building a tree of structs first, and so the server needs no protobuf
 * library.  The schema is proto/penstock.proto; the enums below repeat its
 * field numbers under the same names, and only those that the plugin writes.
 *
 * Three things keep it fast and safe:
 *
 * - Functions that take a `char *` write at that place and return the place
 *   after what they wrote.  The caller has reserved the space.  They are for
 *   inner loops.
 * - Functions that take a StringInfo reserve what they need themselves.
 * - A message inside a message is preceded by its length, which is not known
 *   before it is written.  penstock_wire_begin() leaves room for the length
 *   and penstock_wire_end() fills it in.  If the room was too small or too
 *   large the message is moved, unless it is large and the room suffices:
 *   then the length is padded to fill the room, which protobuf allows.
 *
 * A StringInfo cannot hold more than 1 GB.  Before a value of unbounded size
 * is appended the caller has to ask penstock_wire_fits(), so that the error
 * can name what did not fit.
 *
 * Like the server's own protobuf-free formats, all of this works on a
 * StringInfo that may hold something else in front of what is written.
 */
#ifndef PENSTOCK_WIRE_H
#define PENSTOCK_WIRE_H

#include "lib/stringinfo.h"
#include "utils/memutils.h"

/*
 * The largest frame.  A StringInfo and the walsender's send buffer end at
 * MaxAllocSize; the difference is for what the server puts around a frame: 30
 * bytes of message headers, or the header of a bytea.
 */
#define PENSTOCK_WIRE_BYTES_MAX (MaxAllocSize - 1024)

/* The longest varint: 64 bits, seven in a byte. */
#define PENSTOCK_WIRE_VARINT_BYTES_MAX 10

/*
 * Room for a length: enough for messages below 128 bytes, below 16 kB, and for
 * any (35 bits).
 */
#define PENSTOCK_WIRE_LENGTH_SMALL  1
#define PENSTOCK_WIRE_LENGTH_MEDIUM 2
#define PENSTOCK_WIRE_LENGTH_ANY    5

/*
 * From this size on a message is not moved to save a byte of its length.
 */
#define PENSTOCK_WIRE_MOVE_BYTES_MAX 4096

typedef enum PenstockFrameField
{
	PENSTOCK_FRAME_SESSION = 1,
	PENSTOCK_FRAME_BEGIN = 2,
	PENSTOCK_FRAME_CHANGES = 3,
	PENSTOCK_FRAME_COMMIT = 4,
	PENSTOCK_FRAME_ZSTD = 5,
	PENSTOCK_FRAME_STREAM = 6,
	PENSTOCK_FRAME_STREAM_ABORT = 7,
	PENSTOCK_FRAME_BUNDLE = 8,
	PENSTOCK_FRAME_HOLDING = 9,
} PenstockFrameField;

/* Values of the last one, which is an enum. */
typedef enum PenstockHolding
{
	PENSTOCK_HOLDING_BEGINS = 1,
	PENSTOCK_HOLDING_ENDS = 2,
} PenstockHolding;

typedef enum PenstockSessionField
{
	PENSTOCK_SESSION_PROTO_VERSION = 1,
	PENSTOCK_SESSION_SERVER_VERSION_NUM = 2,
	PENSTOCK_SESSION_PLUGIN_VERSION = 3,
	PENSTOCK_SESSION_SERVER_ENCODING = 4,
	PENSTOCK_SESSION_CLIENT_ENCODING = 5,
} PenstockSessionField;

typedef enum PenstockBeginField
{
	PENSTOCK_BEGIN_XID = 1,
	PENSTOCK_BEGIN_COMMIT_LSN = 2,
	PENSTOCK_BEGIN_END_LSN = 3,
	PENSTOCK_BEGIN_COMMIT_TIME = 4,
	PENSTOCK_BEGIN_ORIGIN = 5,
	PENSTOCK_BEGIN_ORIGIN_LSN = 6,
} PenstockBeginField;

typedef enum PenstockCommitField
{
	PENSTOCK_COMMIT_CHANGE_COUNT = 1,
	PENSTOCK_COMMIT_GONE = 2,
} PenstockCommitField;

typedef enum PenstockStreamField
{
	PENSTOCK_STREAM_XID = 1,
	PENSTOCK_STREAM_FIRST = 2,
	PENSTOCK_STREAM_DECODED_LSN = 3,
} PenstockStreamField;

typedef enum PenstockStreamAbortField
{
	PENSTOCK_STREAM_ABORT_XID = 1,
	PENSTOCK_STREAM_ABORT_SUBXID = 2,
	PENSTOCK_STREAM_ABORT_LSN = 3,
} PenstockStreamAbortField;

typedef enum PenstockChangeField
{
	PENSTOCK_CHANGE_INSERT = 1,
	PENSTOCK_CHANGE_UPDATE = 2,
	PENSTOCK_CHANGE_DELETE = 3,
	PENSTOCK_CHANGE_RELATION = 4,
	PENSTOCK_CHANGE_TRUNCATE = 5,
	PENSTOCK_CHANGE_MESSAGE = 6,
	PENSTOCK_CHANGE_INTEGERS = 7,
	PENSTOCK_CHANGE_VALUES = 8,
	PENSTOCK_CHANGE_NULLS = 9,
	PENSTOCK_CHANGE_UNCHANGED = 10,
	PENSTOCK_CHANGE_OLD = 11,
	PENSTOCK_CHANGE_SUBXID = 12,
	PENSTOCK_CHANGE_HASH = 13,
	PENSTOCK_CHANGE_SCHEMA_CHANGE = 14,
	PENSTOCK_CHANGE_REWRITE = 15,
} PenstockChangeField;

typedef enum PenstockRowField
{
	PENSTOCK_ROW_INTEGERS = 1,
	PENSTOCK_ROW_VALUES = 2,
	PENSTOCK_ROW_NULLS = 3,
	PENSTOCK_ROW_UNCHANGED = 4,
	PENSTOCK_ROW_HASH = 5,
} PenstockRowField;

typedef enum PenstockRelationField
{
	PENSTOCK_RELATION_NUMBER = 1,
	PENSTOCK_RELATION_OID = 2,
	PENSTOCK_RELATION_SCHEMA = 3,
	PENSTOCK_RELATION_NAME = 4,
	PENSTOCK_RELATION_REPLICA_IDENTITY = 5,
	PENSTOCK_RELATION_COLUMNS = 6,
	PENSTOCK_RELATION_DISTRIBUTION = 7,
} PenstockRelationField;

typedef enum PenstockColumnField
{
	PENSTOCK_COLUMN_NAME = 1,
	PENSTOCK_COLUMN_ATTNUM = 2,
	PENSTOCK_COLUMN_TYPE_OID = 3,
	PENSTOCK_COLUMN_TYPMOD = 4,
	PENSTOCK_COLUMN_TYPE_NAME = 5,
	PENSTOCK_COLUMN_KEY = 6,
	PENSTOCK_COLUMN_ENCODING = 7,
	PENSTOCK_COLUMN_GENERATED = 8,
	PENSTOCK_COLUMN_IDENTITY = 9,
} PenstockColumnField;

typedef enum PenstockTruncateField
{
	PENSTOCK_TRUNCATE_RELATIONS = 1,
	PENSTOCK_TRUNCATE_CASCADE = 2,
	PENSTOCK_TRUNCATE_RESTART_IDENTITY = 3,
} PenstockTruncateField;

typedef enum PenstockMessageField
{
	PENSTOCK_MESSAGE_TRANSACTIONAL = 1,
	PENSTOCK_MESSAGE_LSN = 2,
	PENSTOCK_MESSAGE_PREFIX = 3,
	PENSTOCK_MESSAGE_CONTENT = 4,
} PenstockMessageField;

typedef enum PenstockSchemaChangeField
{
	PENSTOCK_SCHEMA_CHANGE_LSN = 1,
	PENSTOCK_SCHEMA_CHANGE_OID = 2,
	PENSTOCK_SCHEMA_CHANGE_GONE = 3,
	PENSTOCK_SCHEMA_CHANGE_NAMESPACE = 4,
	PENSTOCK_SCHEMA_CHANGE_TABLE = 5,
	PENSTOCK_SCHEMA_CHANGE_SEQUENCE = 6,
	PENSTOCK_SCHEMA_CHANGE_TYPE = 7,
	PENSTOCK_SCHEMA_CHANGE_UNTRANSLATED = 8,
} PenstockSchemaChangeField;

typedef enum PenstockSchemaNamespaceField
{
	PENSTOCK_SCHEMA_NAMESPACE_NAME = 1,
} PenstockSchemaNamespaceField;

typedef enum PenstockSchemaTableField
{
	PENSTOCK_SCHEMA_TABLE_SCHEMA = 1,
	PENSTOCK_SCHEMA_TABLE_NAME = 2,
	PENSTOCK_SCHEMA_TABLE_PARTITIONED = 3,
	PENSTOCK_SCHEMA_TABLE_UNLOGGED = 4,
	PENSTOCK_SCHEMA_TABLE_REPLICA_IDENTITY = 5,
	PENSTOCK_SCHEMA_TABLE_PARENTS = 6,
	PENSTOCK_SCHEMA_TABLE_BOUND = 7,
	PENSTOCK_SCHEMA_TABLE_DETACHING = 8,
	PENSTOCK_SCHEMA_TABLE_PARTITION_KEY = 9,
	PENSTOCK_SCHEMA_TABLE_OF_TYPE = 10,
	PENSTOCK_SCHEMA_TABLE_ACCESS_METHOD = 11,
	PENSTOCK_SCHEMA_TABLE_OPTIONS = 12,
	PENSTOCK_SCHEMA_TABLE_ROW_SECURITY = 13,
	PENSTOCK_SCHEMA_TABLE_FORCE_ROW_SECURITY = 14,
	PENSTOCK_SCHEMA_TABLE_COLUMNS = 15,
	PENSTOCK_SCHEMA_TABLE_CONSTRAINTS = 16,
	PENSTOCK_SCHEMA_TABLE_INDEXES = 17,
	PENSTOCK_SCHEMA_TABLE_PUBLISHED = 18,
	PENSTOCK_SCHEMA_TABLE_WITHHELD = 19,
} PenstockSchemaTableField;

typedef enum PenstockSchemaColumnField
{
	PENSTOCK_SCHEMA_COLUMN_ATTNUM = 1,
	PENSTOCK_SCHEMA_COLUMN_NAME = 2,
	PENSTOCK_SCHEMA_COLUMN_TYPE_OID = 3,
	PENSTOCK_SCHEMA_COLUMN_TYPMOD = 4,
	PENSTOCK_SCHEMA_COLUMN_TYPE = 5,
	PENSTOCK_SCHEMA_COLUMN_COLLATION = 6,
	PENSTOCK_SCHEMA_COLUMN_NOT_NULL = 7,
	PENSTOCK_SCHEMA_COLUMN_DEFAULT_EXPRESSION = 8,
	PENSTOCK_SCHEMA_COLUMN_GENERATED = 9,
	PENSTOCK_SCHEMA_COLUMN_IDENTITY = 10,
	PENSTOCK_SCHEMA_COLUMN_LOCAL = 11,
	PENSTOCK_SCHEMA_COLUMN_INHERITED = 12,
	PENSTOCK_SCHEMA_COLUMN_STORAGE = 13,
	PENSTOCK_SCHEMA_COLUMN_COMPRESSION = 14,
	PENSTOCK_SCHEMA_COLUMN_STATISTICS = 15,
	PENSTOCK_SCHEMA_COLUMN_OPTIONS = 16,
	PENSTOCK_SCHEMA_COLUMN_HAS_MISSING_VALUE = 17,
	PENSTOCK_SCHEMA_COLUMN_MISSING_VALUE = 18,
} PenstockSchemaColumnField;

typedef enum PenstockSchemaConstraintField
{
	PENSTOCK_SCHEMA_CONSTRAINT_OID = 1,
	PENSTOCK_SCHEMA_CONSTRAINT_NAME = 2,
	PENSTOCK_SCHEMA_CONSTRAINT_KIND = 3,
	PENSTOCK_SCHEMA_CONSTRAINT_DEFINITION = 4,
	PENSTOCK_SCHEMA_CONSTRAINT_VALIDATED = 5,
	PENSTOCK_SCHEMA_CONSTRAINT_LOCAL = 6,
	PENSTOCK_SCHEMA_CONSTRAINT_INHERITED = 7,
	PENSTOCK_SCHEMA_CONSTRAINT_PARENT = 8,
	PENSTOCK_SCHEMA_CONSTRAINT_INDEX = 9,
	PENSTOCK_SCHEMA_CONSTRAINT_REFERENCED_TABLE = 10,
	PENSTOCK_SCHEMA_CONSTRAINT_ATTNUMS = 11,
} PenstockSchemaConstraintField;

typedef enum PenstockSchemaIndexField
{
	PENSTOCK_SCHEMA_INDEX_OID = 1,
	PENSTOCK_SCHEMA_INDEX_SCHEMA = 2,
	PENSTOCK_SCHEMA_INDEX_NAME = 3,
	PENSTOCK_SCHEMA_INDEX_DEFINITION = 4,
	PENSTOCK_SCHEMA_INDEX_VALID = 5,
	PENSTOCK_SCHEMA_INDEX_UNIQUE = 6,
	PENSTOCK_SCHEMA_INDEX_PRIMARY = 7,
	PENSTOCK_SCHEMA_INDEX_REPLICA_IDENTITY = 8,
	PENSTOCK_SCHEMA_INDEX_CLUSTERED = 9,
	PENSTOCK_SCHEMA_INDEX_CONSTRAINT = 10,
	PENSTOCK_SCHEMA_INDEX_PARENT = 11,
	PENSTOCK_SCHEMA_INDEX_ATTNUMS = 12,
} PenstockSchemaIndexField;

typedef enum PenstockSchemaSequenceField
{
	PENSTOCK_SCHEMA_SEQUENCE_SCHEMA = 1,
	PENSTOCK_SCHEMA_SEQUENCE_NAME = 2,
	PENSTOCK_SCHEMA_SEQUENCE_TYPE = 3,
	PENSTOCK_SCHEMA_SEQUENCE_START = 4,
	PENSTOCK_SCHEMA_SEQUENCE_INCREMENT = 5,
	PENSTOCK_SCHEMA_SEQUENCE_MINIMUM = 6,
	PENSTOCK_SCHEMA_SEQUENCE_MAXIMUM = 7,
	PENSTOCK_SCHEMA_SEQUENCE_CACHE = 8,
	PENSTOCK_SCHEMA_SEQUENCE_CYCLE = 9,
	PENSTOCK_SCHEMA_SEQUENCE_OWNER_TABLE = 10,
	PENSTOCK_SCHEMA_SEQUENCE_OWNER_ATTNUM = 11,
	PENSTOCK_SCHEMA_SEQUENCE_IDENTITY = 12,
	PENSTOCK_SCHEMA_SEQUENCE_UNLOGGED = 13,
} PenstockSchemaSequenceField;

typedef enum PenstockSchemaTypeField
{
	PENSTOCK_SCHEMA_TYPE_SCHEMA = 1,
	PENSTOCK_SCHEMA_TYPE_NAME = 2,
	PENSTOCK_SCHEMA_TYPE_ENUMERATION = 3,
	PENSTOCK_SCHEMA_TYPE_DOMAIN = 4,
	PENSTOCK_SCHEMA_TYPE_COMPOSITE = 5,
} PenstockSchemaTypeField;

typedef enum PenstockSchemaEnumField
{
	PENSTOCK_SCHEMA_ENUM_LABELS = 1,
} PenstockSchemaEnumField;

typedef enum PenstockSchemaEnumLabelField
{
	PENSTOCK_SCHEMA_ENUM_LABEL_OID = 1,
	PENSTOCK_SCHEMA_ENUM_LABEL_LABEL = 2,
} PenstockSchemaEnumLabelField;

typedef enum PenstockSchemaDomainField
{
	PENSTOCK_SCHEMA_DOMAIN_BASE_TYPE = 1,
	PENSTOCK_SCHEMA_DOMAIN_COLLATION = 2,
	PENSTOCK_SCHEMA_DOMAIN_NOT_NULL = 3,
	PENSTOCK_SCHEMA_DOMAIN_DEFAULT_EXPRESSION = 4,
	PENSTOCK_SCHEMA_DOMAIN_CONSTRAINTS = 5,
} PenstockSchemaDomainField;

typedef enum PenstockSchemaCompositeField
{
	PENSTOCK_SCHEMA_COMPOSITE_COLUMNS = 1,
} PenstockSchemaCompositeField;

typedef enum PenstockUntranslatedField
{
	PENSTOCK_UNTRANSLATED_CATALOG = 1,
	PENSTOCK_UNTRANSLATED_IDENTITY = 2,
	PENSTOCK_UNTRANSLATED_GONE = 3,
	PENSTOCK_UNTRANSLATED_PART = 4,
} PenstockUntranslatedField;

/* How the value of a field is written. */
typedef enum PenstockWireType
{
	PENSTOCK_WIRE_TYPE_VARINT = 0,
	PENSTOCK_WIRE_TYPE_FIXED64 = 1,
	PENSTOCK_WIRE_TYPE_BYTES = 2,
} PenstockWireType;

/*
 * A tag as it stands in the output: field number and wire type in one byte,
 * which holds for field numbers up to 15.
 */
#define PENSTOCK_WIRE_TAG_BYTES(field)                                         \
	((char) ((field) << 3 | PENSTOCK_WIRE_TYPE_BYTES))

/* The longest tag, and the largest field number that it has room for. */
#define PENSTOCK_WIRE_TAG_BYTES_MAX 2
#define PENSTOCK_WIRE_FIELD_MAX     2047

/* A signed number such that small ones, whatever their sign, become short. */
static inline uint64
penstock_wire_zigzag(int64 value)
{
	return ((uint64) value << 1) ^ (uint64) (value >> 63);
}

/* Writes a varint at p, where PENSTOCK_WIRE_VARINT_BYTES_MAX must be free. */
static inline char *
penstock_wire_varint(char *p, uint64 value)
{
	while (value >= 0x80)
	{
		*p++ = (char) (value | 0x80);
		value >>= 7;
	}
	*p++ = (char) value;
	return p;
}

/* Writes the tag of any field at p, where PENSTOCK_WIRE_TAG_BYTES_MAX is free.
 */
static inline char *
penstock_wire_tag(char *p, int field, PenstockWireType type)
{
	int tag = field << 3 | (int) type;

	Assert(field > 0 && field <= PENSTOCK_WIRE_FIELD_MAX);
	if (unlikely(tag >= 0x80))
	{
		*p++ = (char) (tag | 0x80);
		tag >>= 7;
	}
	*p++ = (char) tag;
	return p;
}

/* How many bytes a varint takes. */
static inline int
penstock_wire_varint_bytes(uint64 value)
{
	int bytes = 1;

	while (value >= 0x80)
	{
		bytes++;
		value >>= 7;
	}
	return bytes;
}

/* Whether so many bytes can still be appended; see the top. */
static inline bool
penstock_wire_fits(const StringInfo buf, Size bytes)
{
	return bytes <= PENSTOCK_WIRE_BYTES_MAX &&
		   (Size) buf->len <= PENSTOCK_WIRE_BYTES_MAX - bytes;
}

/*
 * Makes room for so many bytes and returns the place where they go; the caller
 * writes there and says with penstock_wire_advance() how far it came.  The
 * place is valid until the next function that takes the StringInfo.
 */
static inline char *
penstock_wire_reserve(StringInfo buf, Size bytes)
{
	if (unlikely((Size) (buf->maxlen - buf->len) <= bytes))
		enlargeStringInfo(buf, (int) Min(bytes, (Size) PG_INT32_MAX));
	return buf->data + buf->len;
}

static inline void
penstock_wire_advance(StringInfo buf, const char *end)
{
	Assert(end >= buf->data + buf->len);
	buf->len = (int) (end - buf->data);
	Assert(buf->len < buf->maxlen);
}

/* Appends bytes as they are. */
static inline void
penstock_wire_raw(StringInfo buf, const char *data, Size bytes)
{
	char *p = penstock_wire_reserve(buf, bytes);

	memcpy(p, data, bytes);
	penstock_wire_advance(buf, p + bytes);
}

/* Appends a field that is a number or a flag; 0 is what absence means. */
static inline void
penstock_wire_uint(StringInfo buf, int field, uint64 value)
{
	char *p;

	if (value == 0)
		return;
	p = penstock_wire_reserve(buf, PENSTOCK_WIRE_TAG_BYTES_MAX +
									   PENSTOCK_WIRE_VARINT_BYTES_MAX);
	p = penstock_wire_tag(p, field, PENSTOCK_WIRE_TYPE_VARINT);
	penstock_wire_advance(buf, penstock_wire_varint(p, value));
}

/* The same for sint32 and sint64. */
static inline void
penstock_wire_sint(StringInfo buf, int field, int64 value)
{
	penstock_wire_uint(buf, field, penstock_wire_zigzag(value));
}

/* Appends a fixed64, eight bytes with the least one first. */
static inline void
penstock_wire_fixed64(StringInfo buf, int field, uint64 value)
{
	char *p = penstock_wire_reserve(buf, PENSTOCK_WIRE_TAG_BYTES_MAX +
											 sizeof(value));

	p = penstock_wire_tag(p, field, PENSTOCK_WIRE_TYPE_FIXED64);
	for (int i = 0; i < (int) sizeof(value); i++)
		*p++ = (char) (value >> (8 * i));
	penstock_wire_advance(buf, p);
}

/*
 * Appends the same even if it is 0: a member of a oneof, where absence means
 * another member.
 */
static inline void
penstock_wire_uint_always(StringInfo buf, int field, uint64 value)
{
	char *p;

	p = penstock_wire_reserve(buf, PENSTOCK_WIRE_TAG_BYTES_MAX +
									   PENSTOCK_WIRE_VARINT_BYTES_MAX);
	p = penstock_wire_tag(p, field, PENSTOCK_WIRE_TYPE_VARINT);
	penstock_wire_advance(buf, penstock_wire_varint(p, value));
}

/*
 * Appends a string or bytes, even if empty: as a repeated field each counts,
 * and elsewhere an empty one does no harm.
 */
static inline void
penstock_wire_bytes(StringInfo buf, int field, const char *data, Size bytes)
{
	char *p;

	p = penstock_wire_reserve(buf, PENSTOCK_WIRE_TAG_BYTES_MAX +
									   PENSTOCK_WIRE_VARINT_BYTES_MAX + bytes);
	p = penstock_wire_tag(p, field, PENSTOCK_WIRE_TYPE_BYTES);
	p = penstock_wire_varint(p, bytes);
	memcpy(p, data, bytes);
	penstock_wire_advance(buf, p + bytes);
}

/*
 * Starts a message inside the one being written: its tag, and so many bytes
 * for its length.  Returns a mark for penstock_wire_end(); between the two
 * goes what it contains.
 */
static inline int
penstock_wire_begin(StringInfo buf, int field, int length_bytes)
{
	char *p = penstock_wire_reserve(buf, PENSTOCK_WIRE_TAG_BYTES_MAX +
											 (Size) length_bytes);

	Assert(length_bytes > 0 && length_bytes <= PENSTOCK_WIRE_VARINT_BYTES_MAX);
	p = penstock_wire_tag(p, field, PENSTOCK_WIRE_TYPE_BYTES);
	penstock_wire_advance(buf, p + length_bytes);
	return buf->len;
}

extern void penstock_wire_end_moved(StringInfo buf, int mark, int length_bytes);

/*
 * Ends it.  `mark` and `length_bytes` are what the begin returned and was
 * given.
 */
static inline void
penstock_wire_end(StringInfo buf, int mark, int length_bytes)
{
	int bytes = buf->len - mark;

	Assert(bytes >= 0 && mark >= length_bytes);
	if (likely(length_bytes == 1 && bytes < 0x80))
		buf->data[mark - 1] = (char) bytes;
	else
		penstock_wire_end_moved(buf, mark, length_bytes);
}

#endif /* PENSTOCK_WIRE_H */
