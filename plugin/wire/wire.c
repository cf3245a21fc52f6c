/*
 * wire.c
 *		The part of wire.h that is not worth inlining.
 */
#include "postgres.h"

#include "wire/wire.h"

/*
 * Ends a message whose length may not fit the room that was left for it.
 *
 * Short messages are moved, so that the output does not depend on how well the
 * caller guessed; to move a long one costs more than the byte or two that
 * padding adds.
 */
void
penstock_wire_end_moved(StringInfo buf, int mark, int length_bytes)
{
	int bytes = buf->len - mark;
	int needed = penstock_wire_varint_bytes((uint64) bytes);
	char *p;

	Assert(bytes >= 0 && mark >= length_bytes);
	if (needed > length_bytes ||
		(needed < length_bytes && bytes < PENSTOCK_WIRE_MOVE_BYTES_MAX))
	{
		int shift = needed - length_bytes;

		if (shift > 0)
			(void) penstock_wire_reserve(buf, (Size) shift);
		memmove(buf->data + mark + shift, buf->data + mark, (Size) bytes);
		buf->len += shift;
		length_bytes = needed;
		mark += shift;
	}

	p = buf->data + mark - length_bytes;
	for (int i = 1; i < length_bytes; i++)
	{
		*p++ = (char) (bytes | 0x80);
		bytes >>= 7;
	}
	Assert(p == buf->data + mark - 1 && bytes < 0x80);
	*p = (char) bytes;
}
