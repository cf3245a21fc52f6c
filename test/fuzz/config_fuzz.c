/*
 * config_fuzz.c
 *    Whatever stands on the command line, reading it ends in a good Config or
 *    in words.
 *
 * The first byte of an input chooses the command, the rest are its arguments,
 * each up to a line feed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "config/read.h"

#define ARGUMENTS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ConfigCommand commands[] = {
	COMMAND_CHECK,    COMMAND_CLONE,  COMMAND_FOLLOW,    COMMAND_STATUS,
	COMMAND_TAIL,     COMMAND_DROP,   COMMAND_TABLE,     COMMAND_CONFIG,
	COMMAND_FEDERATE, COMMAND_FENCE,  COMMAND_SEQUENCES, COMMAND_SCHEMA,
	COMMAND_PROMOTE,  COMMAND_VERIFY, COMMAND_SWITCH,    COMMAND_FINISH,
};

/* What a good Config promises. */
static void
check_config(const Config *config)
{
	size_t name_length;

	if (config->help)
		return;
	CHECK(config->name != NULL);
	name_length = strlen(config->name);
	CHECK(name_length >= 1 && name_length <= CONFIG_NAME_MAX);
	CHECK(config->publications != NULL);
	CHECK(config->target_count >= 0);
	CHECK(config->target_count <= CONFIG_TARGETS_MAX);
	for (int i = 0; i < config->target_count; i++)
		CHECK(config->targets[i] != NULL);
	CHECK(config->memory_bytes >= CONFIG_MEMORY_MIN);
	CHECK(config->memory_bytes <= CONFIG_MEMORY_MAX);
	CHECK(config->jobs >= 1);
	CHECK(config->jobs <= CONFIG_JOBS_MAX);
	CHECK(strcmp(config->origin, "any") == 0 ||
		  strcmp(config->origin, "none") == 0);
}

/* Splits a text at line feeds, which it overwrites; ends the list in NULL. */
static int
split(char *text, char **argv)
{
	char *rest = text;
	int count = 0;

	while (count < ARGUMENTS_MAX && rest != NULL)
		argv[count++] = strsep(&rest, "\n");
	argv[count] = NULL;
	return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[ARGUMENTS_MAX + 1];
	Error err = {0};
	Config config = {0};
	char *text;
	Rc rc;

	if (size < 1)
		return 0;
	text = xmalloc(size + 2);
	memcpy(text, "c\n", 2);
	memcpy(text + 2, data + 1, size - 1);
	text[size + 1] = '\0';
	rc = config_read(&config, commands[data[0] % LENGTH_OF(commands)],
					 split(text, argv), argv, &err);
	if (rc == RC_OK)
		check_config(&config);
	else
	{
		CHECK(rc == RC_FAIL);
		/* The way back wants both ends: one that lacks is a fault of usage. */
		CHECK(err.code == ERR_CONFIG || err.code == ERR_USAGE);
	}
	error_reset(&err);
	config_release(&config);
	free(text);
	return 0;
}
