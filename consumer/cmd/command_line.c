/*
 * command_line.c
 *    Appends options to a command; implements command_line.h.
 */
#include "cmd/command_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/own_command.h"
#include "cmd/commands.h"
#include "config/memory.h"
#include "config/option.h"
#include "net/target_name.h"

/* A command line that is being written. */
typedef struct Line
{
	const Config *config;
	ConfigCommand command;
	Buf *buf;
} Line;

static void
append(const Line *line, const char *option, const char *value)
{
	buf_printf(line->buf, " --%s=", option);
	buf_append_shell_word(line->buf, value);
}

/*
 * Whether an option was given on our command line and is accepted by the other
 * command.
 */
static bool
is_wanted(const Line *line, const char *option)
{
	return config_is_typed(line->config, option) &&
		   option_find(line->command, option) != NULL;
}

/*
 * Appends the pipeline's name, unless the other command finds it in the file. A
 * name from the environment is repeated, because a printed command with the
 * name is clearer.
 */
static void
append_name(const Line *line)
{
	const Config *config = line->config;

	if (config_is_typed(config, "name") ||
		(config_is_given(config, "name") && config->file == NULL))
		append(line, "name", config->name_asked);
	if (is_wanted(line, "config"))
		append(line, "config", config->file);
	if (config->source_name != NULL && config->source_count > 1 &&
		option_find(line->command, "from") != NULL)
		append(line, "from", config->source_name);
}

static void
append_conninfo(const Line *line, const char *option, const char *conninfo)
{
	char *text = conninfo_without_password(conninfo);

	if (text != NULL)
		append(line, option, text);
	free(text);
}

static void
append_servers(const Line *line)
{
	const Config *config = line->config;

	if (is_wanted(line, "source"))
		append_conninfo(line, "source", config->source);
	if (is_wanted(line, "target"))
		for (int i = 0; i < config->target_count; i++)
			append_conninfo(line, "target", config->targets[i]);
	if (is_wanted(line, "pg-bindir"))
		append(line, "pg-bindir", config->pg_bindir);
}

/* Appends the given options that a pipeline stores. */
static void
append_options(const Line *line)
{
	Arena *arena = arena_new(4 * KB);
	Words words;

	memory_write(line->config, MEMORY_COPIED, arena, &words);
	for (int i = 0; i < words.count; i++)
	{
		const char *word = words.words[i];
		size_t length = strcspn(word, "=");
		char *name = arena_dup(arena, word, length + 1);

		name[length] = '\0';
		if (!is_wanted(line, name))
			continue;
		if (word[length] == '=')
			append(line, name, word + length + 1);
		else
			buf_printf(line->buf, " --%s", name);
	}
	arena_free(arena);
}

static bool
makes_pipeline(ConfigCommand command, const char *words)
{
	return command == COMMAND_CHECK ||
		   (command == COMMAND_CLONE && strstr(words, "--resume") == NULL &&
			strstr(words, "--restart") == NULL);
}

static void
append_all(const void *context, const char *words, Buf *buf)
{
	char verb[16];
	size_t length = strcspn(words, " ");
	Line line = {.config = context, .buf = buf};

	CHECK(length < sizeof(verb));
	memcpy(verb, words, length);
	verb[length] = '\0';
	CHECK(command_find(verb) != NULL);
	line.command = command_find(verb)->id;
	append_name(&line);
	append_servers(&line);
	if (makes_pipeline(line.command, words))
		append_options(&line);
}

void
command_line_use(const Config *config)
{
	own_command_use(append_all, config);
}
