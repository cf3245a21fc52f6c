/*
 * message.h
 *    A message of the source, before anything is made of it.
 */
#ifndef PENSTOCK_WIRE_MESSAGE_H
#define PENSTOCK_WIRE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/* A message as it came: `data` lies inside `memory`. */
typedef struct WireMessage
{
	void *memory;
	void (*memory_free)(void *);
	const uint8_t *data;
	size_t length;
} WireMessage;

#endif /* PENSTOCK_WIRE_MESSAGE_H */
