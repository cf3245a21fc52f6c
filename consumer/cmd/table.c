/*
 * table.c
 *    penstock table: adds single tables to a running pipeline, removes them,
 *    copies them again, or pauses them.
 */
#include <string.h>

#include "base/log.h"
#include "base/nearest.h"
#include "cmd/command.h"
#include "job/table/table.h"
#include "pipeline/remember.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/* Names of the verbs, indexed by TableVerb. */
static const char *const verbs[] = {
	[TABLE_VERB_ADD] = "add",       [TABLE_VERB_REMOVE] = "remove",
	[TABLE_VERB_RESYNC] = "resync", [TABLE_VERB_PAUSE] = "pause",
	[TABLE_VERB_RESUME] = "resume",
};

static bool
find_verb(const char *word, TableVerb *verb)
{
	for (size_t i = 0; i < LENGTH_OF(verbs) && word != NULL; i++)
		if (strcmp(verbs[i], word) == 0)
		{
			*verb = (TableVerb) i;
			return true;
		}
	return false;
}

static Rc
read_words(const Config *config, TableVerb *verb, Error *err)
{
	const char *word = config->word_count > 0 ? config->words[0] : NULL;
	bool found = find_verb(word, verb);
	Nearest nearest = {.word = word};
	Rc rc;

	if (!found && word != NULL)
		rc = error_set(err, ERR_USAGE, "unrecognized verb \"%s\"", word);
	else if (!found)
		rc = error_set(err, ERR_USAGE, "no verb is given");
	else if (config->word_count < 2)
		rc = error_set(err, ERR_USAGE, "no table is given");
	else if (config->keep && *verb != TABLE_VERB_PAUSE)
		rc = error_set(err, ERR_USAGE, "--keep cannot be used with \"%s\"",
					   word);
	else if (config->by_name && *verb != TABLE_VERB_REMOVE)
		rc = error_set(err, ERR_CONFIG, "--by-name cannot be used with \"%s\"",
					   word);
	else
		return RC_OK;
	for (size_t i = 0; i < LENGTH_OF(verbs) && word != NULL; i++)
		nearest_offer(&nearest, verbs[i]);
	if (!found && nearest.found != NULL)
		error_detail(err, "Did you mean \"%s\"?", nearest.found);
	error_hint(err, "It is \"penstock table VERB NAME...\", where VERB is add, "
					"remove, resync, pause or resume.");
	return rc;
}

Rc
command_table(const Config *config, Error *err)
{
	TableVerb verb = TABLE_VERB_ADD;
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Config recalled;
	Rc rc = read_words(config, &verb, err);

	if (rc == RC_OK)
		rc = config_require_source(config, err);
	if (rc == RC_OK)
		rc = config_require_target(config, err);
	if (rc == RC_OK && config->placement != NULL)
		rc = error_set(err, ERR_CONFIG,
					   "\"penstock table\" does not know where tables belong "
					   "that are placed by a configuration file");
	if (rc == RC_OK)
		rc = remember_recall(&recalled, config, arena, err);
	if (rc == RC_OK)
		rc = table_run(&recalled, config, verb, &config->words[1],
					   config->word_count - 1, err);
	arena_free(arena);
	if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
	{
		/* Not RC_OK: exit status 0 would mean that the work is done. */
		log_warning("table.interrupted",
					"stopped before it was done: run the same command again");
		error_reset(err);
		rc = RC_END;
	}
	return rc;
}
