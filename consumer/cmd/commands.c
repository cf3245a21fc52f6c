/*
 * commands.c
 *    The table of commands.
 */
#include "cmd/commands.h"

#include <string.h>

#include "base/nearest.h"

static const Command commands[] = {
	{"check", COMMAND_CHECK, command_check, SOURCES_IN_TURN, NULL,
	 "look at both ends and say what must be fixed first"},
	{"clone", COMMAND_CLONE, command_clone, SOURCES_ITSELF, NULL,
	 "copy schema and data to the target, from a new slot's snapshot"},
	{"follow", COMMAND_FOLLOW, command_follow, SOURCES_AT_ONCE, NULL,
	 "apply every change to the target, until told to stop"},
	{"status", COMMAND_STATUS, command_status, SOURCES_IN_TURN, NULL,
	 "print where source and targets are"},
	{"report", COMMAND_REPORT, command_report, SOURCES_IN_TURN, NULL,
	 "print what somebody who is to help has to know, without values"},
	{"tail", COMMAND_TAIL, command_tail, SOURCES_ONE, NULL,
	 "print changes as JSON lines as they commit"},
	{"record", COMMAND_RECORD, command_record, SOURCES_ONE, NULL,
	 "write every change to a log, to be read later"},
	{"log", COMMAND_LOG, command_log, SOURCES_ITSELF, "status|list|verify DIR",
	 "say what a log has, or check all of it"},
	{"drop", COMMAND_DROP, command_drop, SOURCES_IN_TURN, NULL,
	 "remove the slot and the progress"},
	{"table", COMMAND_TABLE, command_table, SOURCES_ONE,
	 "add|remove|resync|pause|resume NAME...",
	 "take single tables into a running pipeline, or out of it"},
	{"fence", COMMAND_FENCE, command_fence, SOURCES_ONE, NULL,
	 "hold all targets at one position of the source, for a while"},
	{"federate", COMMAND_FEDERATE, command_federate, SOURCES_FIRST, NULL,
	 "print or run the SQL that makes one database of all nodes"},
	{"sequences", COMMAND_SEQUENCES, command_sequences, SOURCES_IN_TURN, NULL,
	 "bring the target's sequences to where the source's are"},
	{"schema", COMMAND_SCHEMA, command_schema, SOURCES_ONE, "diff|show",
	 "print or run what makes the target's schema like the source's"},
	{"promote", COMMAND_PROMOTE, command_promote, SOURCES_IN_TURN, NULL,
	 "let the target take the place of a source that is lost"},
	{"verify", COMMAND_VERIFY, command_verify, SOURCES_ONE, NULL,
	 "compare source and targets while both are written to"},
	{"switch", COMMAND_SWITCH, command_switch, SOURCES_ONE, NULL,
	 "move the writes from the source to the target, or back"},
	{"finish", COMMAND_FINISH, command_finish, SOURCES_ONE, NULL,
	 "end a move: remove its way back, and what refuses writes"},
	{"config", COMMAND_CONFIG, command_config, SOURCES_ITSELF,
	 "check|sample|manual|completion [bash|zsh]",
	 "check a configuration file, or print a sample of one"},
};

int
command_count(void)
{
	return LENGTH_OF(commands);
}

const Command *
command_at(int index)
{
	ASSERT(index >= 0 && index < command_count());
	return &commands[index];
}

const Command *
command_find(const char *name)
{
	for (size_t i = 0; i < LENGTH_OF(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

const char *
command_nearest(const char *name)
{
	Nearest nearest = {.word = name};

	for (size_t i = 0; i < LENGTH_OF(commands); i++)
		nearest_offer(&nearest, commands[i].name);
	return nearest.found;
}

void
command_print_all(FILE *out)
{
	for (size_t i = 0; i < LENGTH_OF(commands); i++)
		fprintf(out, "  %-9s  %s\n", commands[i].name, commands[i].help);
}
