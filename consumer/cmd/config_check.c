/*
 * config_check.c
 *    penstock config check: is the configuration file one that can be read?
 *
 * Reading it has found out by now.  What is left is to say what it says.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"

static void
print_sources(const Config *config)
{
	if (config->source_count == 0)
		printf(config->source != NULL ? "a source" : "no source");
	else
		printf(config->source_count == 1 ? "source" : "sources");
	for (int i = 0; i < config->source_count; i++)
		printf("%s \"%s\"", i > 0 ? "," : "", config->source_names[i]);
}

Rc
command_config(const Config *config, Error *err)
{
	if (config->word_count != 1 || strcmp(config->words[0], "check") != 0)
		return error_set(err, ERR_USAGE,
						 "expected is \"penstock config check\"");
	if (config->file == NULL)
		return error_set(err, ERR_USAGE, "no configuration file is given");
	printf("%s: pipeline \"%s\", ", config->file, config->name);
	print_sources(config);
	printf(", %d %s, ", config->target_count,
		   config->target_count == 1 ? "target" : "targets");
	if (config->placement == NULL)
		printf("no placement\n");
	else
		printf("%d %s of placement\n", placement_rule_count(config->placement),
			   placement_rule_count(config->placement) == 1 ? "rule" : "rules");
	return RC_OK;
}
