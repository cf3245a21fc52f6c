/*
 * usage.c
 *    Help goes to standard output, errors go to standard error.
 */
#include "cmd/usage.h"

#include <stdio.h>

#include "base/buf.h"
#include "config/describe.h"

static void
print_general(void)
{
	printf("penstock moves changes between PostgreSQL servers.\n\n"
		   "Usage:\n  penstock COMMAND [OPTION]...\n\nCommands:\n");
	command_print_all(stdout);
	printf("\n\"penstock COMMAND --help\" lists the options of a command.\n");
}

void
usage_print_command(const Command *command)
{
	Buf options;

	printf("penstock %s: %s\n\nUsage:\n  penstock %s%s%s [OPTION]...\n",
		   command->name, command->help, command->name,
		   command->words ? " " : "", command->words ? command->words : "");
	buf_init(&options, BUF_TEXT_MAX);
	describe_help(command->id, &options);
	fputs(options.data, stdout);
	buf_release(&options);
}

bool
usage_help(const char *topic)
{
	const Command *command = topic != NULL ? command_find(topic) : NULL;

	if (topic == NULL)
		print_general();
	else if (command != NULL)
		usage_print_command(command);
	else
		usage_refuse_command(topic);
	return topic == NULL || command != NULL;
}

void
usage_refuse_command(const char *name)
{
	const char *nearest = name != NULL ? command_nearest(name) : NULL;

	if (name == NULL)
		fprintf(stderr, "penstock: no command is given\n");
	else
		fprintf(stderr, "penstock: unrecognized command \"%s\"\n", name);
	if (nearest != NULL)
		fprintf(stderr, "Did you mean \"%s\"?\n", nearest);
	fprintf(stderr, "Try \"penstock --help\" for more information.\n");
}

void
usage_refuse(const Command *command, const Error *err)
{
	fprintf(stderr, "penstock: %s\n", err->message);
	if (err->detail != NULL)
		fprintf(stderr, "%s\n", err->detail);
	if (err->hint != NULL)
		fprintf(stderr, "%s\n", err->hint);
	fprintf(stderr, "Try \"penstock %s --help\" for more information.\n",
			command->name);
}
