/*
 * commands.c
 *    What commands there are.
 */
#include "cmd/commands.h"

#include <string.h>

static const Command commands[] = {
	{"check", COMMAND_CHECK, command_check, NULL,
	 "look at both ends and say what must be mended first"},
	{"clone", COMMAND_CLONE, command_clone, NULL,
	 "copy schema and data to the target, from a new slot's snapshot"},
	{"follow", COMMAND_FOLLOW, command_follow, NULL,
	 "apply every change to the target, until told to stop"},
	{"status", COMMAND_STATUS, command_status, NULL,
	 "print where source and targets are"},
	{"tail", COMMAND_TAIL, command_tail, NULL,
	 "print changes as JSON lines as they commit"},
	{"drop", COMMAND_DROP, command_drop, NULL,
	 "remove the slot and the progress"},
	{"table", COMMAND_TABLE, command_table,
	 "add|remove|resync|pause|resume NAME...",
	 "take single tables into a running pipeline, or out of it"},
	{"fence", COMMAND_FENCE, command_fence, NULL,
	 "hold all targets at one position of the source, for a while"},
	{"federate", COMMAND_FEDERATE, command_federate, NULL,
	 "print the SQL that makes one database of all nodes, to query"},
	{"config", COMMAND_CONFIG, command_config, "check",
	 "look at a configuration file and say what is wrong in it"},
};

const Command *
command_find(const char *name)
{
	for (size_t i = 0; i < LENGTH_OF(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

void
command_print_all(FILE *out)
{
	for (size_t i = 0; i < LENGTH_OF(commands); i++)
		fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].help);
}
