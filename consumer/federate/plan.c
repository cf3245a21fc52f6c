/*
 * plan.c
 *    The buffers of a FederateScript.
 */
#include "federate/plan.h"

#include <stdarg.h>
#include <stdio.h>

#define ARENA_BLOCK_BYTES (4 * KB)

void
federate_script_init(FederateScript *script)
{
	*script = (FederateScript){.arena = arena_new(ARENA_BLOCK_BYTES)};
	buf_init(&script->statements, FEDERATE_BYTES_MAX);
	buf_init(&script->passwords, BUF_TEXT_MAX);
	buf_init(&script->notes, FEDERATE_BYTES_MAX);
	buf_init(&script->handled, FEDERATE_BYTES_MAX);
	buf_append_string(&script->handled, "('', '')");
}

void
federate_script_release(FederateScript *script)
{
	buf_release(&script->statements);
	buf_release(&script->passwords);
	buf_release(&script->notes);
	buf_release(&script->handled);
	arena_free(script->arena);
	*script = (FederateScript){0};
}

void
federate_note(FederateScript *script, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	buf_printf(&script->notes, "%s\n", line);
}
