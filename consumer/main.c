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
#include "cmd/reload.h"
#include "cmd/sources.h"
#include "cmd/usage.h"
#include "config/live.h"
#include "config/read.h"

/* Exit statuses. */
enum
{
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_MISUSED = 2,
	EXIT_UNSETTLED = 3,
};

static int
run_command(const Command *command, const Config *config)
{
	Error err = {0};
	Rc rc = interrupt_init(&err);
	int status = EXIT_DONE;

	live_options_set(config);
	command_line_use(config);
	if (rc == RC_OK)
		rc = sources_run(command, config, &err);
	if (rc == RC_FAIL && err.code == ERR_USAGE)
	{
		usage_refuse(command, &err);
		status = EXIT_MISUSED;
	}
	else if (rc == RC_FAIL && err.code == ERR_INTERRUPTED)
	{
		/* Status 0 would say that it is done. */
		log_warning(command->name, "%s", err.message);
		status = EXIT_FAILED;
	}
	else if (rc == RC_FAIL)
	{
		log_error(LOG_ERROR, command->name, &err);
		status = err.code == ERR_UNSETTLED ? EXIT_UNSETTLED : EXIT_FAILED;
	}
	else if (rc == RC_END)
		status = EXIT_FAILED;
	error_reset(&err);
	return status;
}

static bool
is_one_of(const char *word, const char *a, const char *b, const char *c)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

int
main(int argc, char **argv)
{
	const Command *command;
	Config config = {0};
	Error err = {0};
	int status;

	if (argc >= 2 && is_one_of(argv[1], "--help", "-h", "help"))
		return usage_help(argv[1][0] == '-' ? NULL : argv[2]) ? EXIT_DONE
															  : EXIT_MISUSED;
	if (argc >= 2 && is_one_of(argv[1], "--version", "-V", "version"))
	{
		printf("penstock %s\n", PENSTOCK_VERSION);
		return EXIT_DONE;
	}
	command = argc >= 2 ? command_find(argv[1]) : NULL;
	if (command == NULL)
	{
		usage_refuse_command(argv[1]);
		return EXIT_MISUSED;
	}
	if (config_read(&config, command->id, argc - 1, argv + 1, &err) != RC_OK)
	{
		usage_refuse(command, &err);
		error_reset(&err);
		status = EXIT_MISUSED;
	}
	else if (config.help)
	{
		usage_print_command(command);
		status = EXIT_DONE;
	}
	else
	{
		if ((command->id & (COMMAND_FOLLOW | COMMAND_CLONE)) != 0)
			reload_on_hangup(command, argc - 1, argv + 1, &config);
		status = run_command(command, &config);
	}
	config_release(&config);
	return status;
}
