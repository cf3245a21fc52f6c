/*
 * message.h
 *    A message of the source, not decoded yet.
 */
#ifndef PENSTOCK_WIRE_MESSAGE_H
#define PENSTOCK_WIRE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A message.  `data` points into `memory`, which is freed with memory_free().
 */
typedef struct WireMessage
{
	void *memory;
	void (*memory_free)(void *);
	const uint8_t *data;
	size_t length;
} WireMessage;

#endif /* PENSTOCK_WIRE_MESSAGE_H */
