/*
 * main.c
 *    penstock: argv to a command, its result to an exit status.
 */
#include <stdio.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "cmd/command_line.h"
#include "cmd/commands.h"
#include "cmd/sources.h"

/* Exit statuses. */
enum
{
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_MISUSED = 2,
};

static void
print_help(FILE *out)
{
	fprintf(out, "penstock moves changes between PostgreSQL servers.\n\n"
				 "Usage:\n  penstock COMMAND [OPTION]...\n\nCommands:\n");
	command_print_all(out);
	fprintf(out,
			"\n\"penstock COMMAND --help\" lists the options of a command.\n");
}

static int
print_command_help(const Command *command)
{
	printf("penstock %s: %s\n\nUsage:\n  penstock %s%s%s [OPTION]...\n\n"
		   "Options:\n",
		   command->name, command->help, command->name,
		   command->words ? " " : "", command->words ? command->words : "");
	config_print_options(command->id, stdout);
	return EXIT_DONE;
}

static int
misused(const char *message, const char *what, const char *command)
{
	fprintf(stderr, "penstock: %s%s%s%s\n", message, what ? " \"" : "",
			what ? what : "", what ? "\"" : "");
	fprintf(stderr, "Try \"penstock %s--help\" for more information.\n",
			command);
	return EXIT_MISUSED;
}

/* Prints what went wrong with the command line itself. */
static int
misused_options(const Command *command, const Error *err)
{
	fprintf(stderr, "penstock: %s\n", err->message);
	if (err->detail != NULL)
		fprintf(stderr, "%s\n", err->detail);
	fprintf(stderr, "Try \"penstock %s --help\" for more information.\n",
			command->name);
	return EXIT_MISUSED;
}

static int
run_command(const Command *command, const Config *config)
{
	Error err = {0};
	Rc rc = interrupt_init(&err);
	int status = EXIT_DONE;

	log_set_level(config->verbose ? LOG_DEBUG
				  : config->quiet ? LOG_WARNING
								  : LOG_INFO);
	command_line_use(config);
	if (rc == RC_OK)
		rc = sources_run(command, config, &err);
	if (rc == RC_FAIL && err.code == ERR_INTERRUPTED)
		log_info(command->name, "stopped on request");
	else if (rc == RC_FAIL)
	{
		log_error(LOG_ERROR, command->name, &err);
		status = EXIT_FAILED;
	}
	else if (rc == RC_END)
		status = EXIT_FAILED;
	error_reset(&err);
	return status;
}

int
main(int argc, char **argv)
{
	const Command *command;
	Config config = {0};
	Error err = {0};
	int status;

	if (argc < 2)
		return misused("no command is given", NULL, "");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
	{
		print_help(stdout);
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
	{
		printf("penstock %s\n", PENSTOCK_VERSION);
		return EXIT_DONE;
	}
	command = command_find(argv[1]);
	if (command == NULL)
		return misused("unrecognized command", argv[1], "");
	if (config_read(&config, command->id, argc - 1, argv + 1, &err) != RC_OK)
	{
		status = misused_options(command, &err);
		error_reset(&err);
	}
	else if (config.help)
		status = print_command_help(command);
	else
		status = run_command(command, &config);
	config_release(&config);
	return status;
}
