/*
 * config_check.c
 *    penstock config: checks a configuration file; prints a sample of one, the
 *    manual page and the shell completion.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cmd/command.h"
#include "cmd/completion.h"
#include "cmd/manual.h"
#include "config/describe.h"

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

/* Reports that the file is valid: config_read() has checked it. */
static Rc
check_file(const Config *config, Error *err)
{
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

static Rc
print_text(void (*append)(Buf *buf), Error *err)
{
	Rc rc = RC_OK;
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	append(&buf);
	fputs(buf.data, stdout);
	if (fflush(stdout) != 0)
		rc = error_set(err, ERR_IO, "could not write to standard output: %s",
					   strerror(errno));
	buf_release(&buf);
	return rc;
}

Rc
command_config(const Config *config, Error *err)
{
	static const struct
	{
		const char *word;
		void (*append)(Buf *buf);
	} texts[] = {
		{"sample", describe_sample},
		{"manual", manual_page},
		{"completion", completion_bash},
		{"completion bash", completion_bash},
		{"completion zsh", completion_zsh},
	};
	char word[CONFIG_LABEL_SIZE] = "";

	if (config->word_count == 1 || config->word_count == 2)
		snprintf(word, sizeof(word), "%s%s%s", config->words[0],
				 config->word_count == 2 ? " " : "",
				 config->word_count == 2 ? config->words[1] : "");

	if (strcmp(word, "check") == 0)
		return check_file(config, err);
	for (size_t i = 0; i < LENGTH_OF(texts); i++)
		if (strcmp(texts[i].word, word) == 0)
			return print_text(texts[i].append, err);
	return error_set(err, ERR_USAGE,
					 "expected is \"penstock config check\", or sample, "
					 "manual or completion with bash or zsh");
}
