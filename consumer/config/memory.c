/*
 * memory.c
 *    Converts options to words, and words to options.
 */
#include "config/memory.h"

#include <string.h>

#include "base/buf.h"
#include "base/own_command.h"
#include "config/option.h"

/* ---- writing ------------------------------------------------------------ */

/*
 * Appends the values of an option as words: NAME for a flag that is set, else
 * NAME=VALUE for each value.
 */
static void
write_option(const Config *config, const OptionDef *option, Arena *arena,
			 Words *words)
{
	Words values = {0};

	option->type->print(config, option, arena, &values);
	for (int i = 0; i < values.count; i++)
		words_add(
			words, arena,
			option->type->is_flag
				? option->name
				: arena_printf(arena, "%s=%s", option->name, values.words[i]));
}

void
memory_write(const Config *config, MemoryStage stage, Arena *arena,
			 Words *words)
{
	*words = (Words){0};
	for (size_t i = 0; i < option_count; i++)
	{
		const OptionDef *option = &option_table[i];

		if (option->memory == REMEMBERED_NEVER)
			continue;
		if (option->memory != DECIDED_BY_FOLLOWER || stage == MEMORY_FOLLOWED ||
			config_is_given(config, option->name))
			write_option(config, option, arena, words);
	}
}

/* ---- recalling ---------------------------------------------------------- */

/* Collects the words of one option: NAME or NAME=VALUE. */
static void
select_words(const Words *words, const char *name, Arena *arena, Words *some)
{
	size_t length = strlen(name);

	*some = (Words){0};
	for (int i = 0; i < words->count; i++)
	{
		const char *word = words->words[i];

		if (strncmp(word, name, length) == 0 &&
			(word[length] == '=' || word[length] == '\0'))
			words_add(some, arena, word);
	}
}

/*
 * Returns the words in the syntax of a command line, --a=b --a=c, or "without
 * --a" if there are none.
 */
static const char *
show_words(const Words *words, Arena *arena, const char *name)
{
	const char *text = words->count == 0
						   ? arena_printf(arena, "without --%s", name)
						   : "";

	for (int i = 0; i < words->count; i++)
		text = arena_printf(arena, "%s%s--%s", text, i > 0 ? " " : "",
							words->words[i]);
	return text;
}

/* Returns a command with the words as its options, quoted for a shell. */
static const char *
quote_words(const char *command, const Words *words, Arena *arena)
{
	const char *text;
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	buf_append_string(&buf, command);
	for (int i = 0; i < words->count; i++)
	{
		buf_append_string(&buf, " --");
		buf_append_shell_word(&buf, words->words[i]);
	}
	text = arena_strdup(arena, buf.data);
	buf_release(&buf);
	return text;
}

static MUST_CHECK Rc
refuse(const Config *config, const OptionDef *option, const Words *was,
	   const Words *is, Arena *arena, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "pipeline \"%s\" has another --%s than is given now",
					  config->name, option->name);

	error_detail(err, "It has %s; given is %s.",
				 show_words(was, arena, option->name),
				 show_words(is, arena, option->name));
	error_hint(err,
			   "Leave out --%s, wherever it is said, to go on as it is; \"%s\" "
			   "changes the pipeline.",
			   option->name,
			   OWN_COMMAND(quote_words("follow --set", is, arena)));
	return rc;
}

/* Empties an option that is a list, to which parse() would append values. */
static void
clear(Config *config, const OptionDef *option)
{
	void *field = option_field(config, option);

	if (option->type == &type_patterns)
		((PatternList *) field)->count = 0;
	else if (option->type == &type_conflicts)
		((ConflictRules *) field)->count = 0;
	else if (option->type == &type_schema_rules)
		((SchemaRules *) field)->count = 0;
}

static MUST_CHECK Rc
take_words(Config *config, const OptionDef *option, const Words *some,
		   Error *err)
{
	Rc rc = RC_OK;

	clear(config, option);
	for (int i = 0; i < some->count && rc == RC_OK; i++)
	{
		const char *value = strchr(some->words[i], '=');

		if (value != NULL)
			value++;
		else if (!option->type->is_flag)
			value = "";
		rc = option->type->parse(config, option, value, err);
	}
	return rc;
}

static MUST_CHECK Rc
recall_option(Config *config, const OptionDef *option, const Words *words,
			  MemoryUse use, Arena *arena, Error *err)
{
	Words was;
	Words is = {0};

	select_words(words, option->name, arena, &was);
	if (!config_is_given(config, option->name))
		return was.count > 0 ? take_words(config, option, &was, err) : RC_OK;
	write_option(config, option, arena, &is);
	if (use == MEMORY_REPLACE ||
		(use == MEMORY_REFUSE_SENT && option->type == &type_conflicts) ||
		option->memory == DECIDED_AS_DEFAULT ||
		(option->memory == DECIDED_BY_FOLLOWER && was.count == 0) ||
		words_equal(&was, &is))
		return RC_OK;
	return refuse(config, option, &was, &is, arena, err);
}

/* Whether a stored word is an option of this version. */
static bool
is_known(const char *word)
{
	size_t length = strcspn(word, "=");

	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].memory != REMEMBERED_NEVER &&
			strlen(option_table[i].name) == length &&
			strncmp(option_table[i].name, word, length) == 0)
			return true;
	return false;
}

static MUST_CHECK Rc
check_known(const Config *config, const Words *words, Error *err)
{
	Rc rc;

	for (int i = 0; i < words->count; i++)
	{
		if (is_known(words->words[i]))
			continue;
		rc = error_set(err, ERR_CONFIG,
					   "pipeline \"%s\" was made with --%s, which this version "
					   "does not know",
					   config->name, words->words[i]);
		error_hint(err, "Use the version that made it, or a later one.");
		return rc;
	}
	return RC_OK;
}

Rc
memory_recall(Config *config, const Words *words, MemoryUse use, Error *err)
{
	Arena *arena = arena_new(4 * KB);
	Rc rc = check_known(config, words, err);

	/* A pipeline without any stored word has not decided anything. */
	for (size_t i = 0; i < option_count && rc == RC_OK && words->count > 0; i++)
		if (option_table[i].memory != REMEMBERED_NEVER)
			rc = recall_option(config, &option_table[i], words, use, arena,
							   err);
	if (rc == RC_OK)
		rc = config_check_lanes(config, err);
	if (rc == RC_OK)
		rc = config_check_stride(config, err);
	arena_free(arena);
	return rc;
}

void
memory_describe(const Words *words, Buf *buf)
{
	for (int i = 0; i < words->count; i++)
		buf_printf(buf, "%s%s", i > 0 ? ", " : "", words->words[i]);
}
