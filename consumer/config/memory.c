/*
 * memory.c
 *    Options to words and back.
 */
#include "config/memory.h"

#include <string.h>

#include "base/buf.h"
#include "base/own_command.h"
#include "config/option.h"

/* When an option is decided. */
typedef enum Decided
{
	DECIDED_BY_COPY,
	DECIDED_BY_FOLLOWER, /* unless it is given before */
	DECIDED_AS_DEFAULT,  /* by the clone, and never refused */
} Decided;

static const struct
{
	const char *name;
	OptionType type; /* --apply means two things */
	Decided decided;
} remembered[] = {
	{"publications", OPTION_STRING, DECIDED_BY_COPY},
	{"table", OPTION_PATTERN, DECIDED_BY_COPY},
	{"exclude-table", OPTION_PATTERN, DECIDED_BY_COPY},
	{"schema", OPTION_PATTERN, DECIDED_BY_COPY},
	{"exclude-schema", OPTION_PATTERN, DECIDED_BY_COPY},
	{"data-only", OPTION_FLAG, DECIDED_AS_DEFAULT},
	{"no-owner", OPTION_FLAG, DECIDED_AS_DEFAULT},
	{"no-privileges", OPTION_FLAG, DECIDED_AS_DEFAULT},
	{"no-tablespaces", OPTION_FLAG, DECIDED_AS_DEFAULT},
	{"no-unlogged-table-data", OPTION_FLAG, DECIDED_AS_DEFAULT},
	{"origin", OPTION_ORIGIN, DECIDED_BY_FOLLOWER},
	{"apply", OPTION_APPLY, DECIDED_BY_FOLLOWER},
	{"on-conflict", OPTION_CONFLICT, DECIDED_BY_FOLLOWER},
};

static const OptionDef *
find_option(const char *name, OptionType type)
{
	for (size_t i = 0; i < option_count; i++)
		if (strcmp(option_table[i].name, name) == 0 &&
			option_table[i].type == type)
			return &option_table[i];
	CHECK(false);
	return NULL;
}

/* ---- writing ------------------------------------------------------------ */

static void
write_value(Words *words, Arena *arena, const char *name, const char *value)
{
	words_add(words, arena, arena_printf(arena, "%s=%s", name, value));
}

static void
write_rules(Words *words, Arena *arena, const char *name,
			const ConflictRules *rules)
{
	Buf text;

	buf_init(&text, BUF_TEXT_MAX);
	for (int i = 0; i < rules->count; i++)
	{
		buf_reset(&text);
		policy_append_rule(&rules->rules[i], &text);
		write_value(words, arena, name, text.data);
	}
	buf_release(&text);

	/* That there are none was decided, too. */
	if (rules->count == 0)
		write_value(words, arena, name, policy_name(CONFLICT_STOP));
}

static void
write_option(const Config *config, const OptionDef *option, Arena *arena,
			 Words *words)
{
	const void *field = (const char *) config + option->offset;
	const PatternList *patterns = field;

	switch (option->type)
	{
		case OPTION_FLAG:
			if (*(const bool *) field)
				words_add(words, arena, option->name);
			return;
		case OPTION_PATTERN:
			for (int i = 0; i < patterns->count; i++)
				write_value(words, arena, option->name, patterns->patterns[i]);
			return;
		case OPTION_CONFLICT:
			write_rules(words, arena, option->name, field);
			return;
		case OPTION_STRING:
		case OPTION_ORIGIN:
		case OPTION_APPLY:
			write_value(words, arena, option->name,
						*(const char *const *) field);
			return;
		case OPTION_TARGET:
		case OPTION_NAME:
		case OPTION_LSN:
		case OPTION_SIZE:
		case OPTION_RATE:
		case OPTION_COUNT:
		case OPTION_SECONDS:
		case OPTION_LANES:
		case OPTION_SWITCH:
		case OPTION_COMPRESSION:
			break;
	}
	CHECK(!"an option of this type is not remembered");
}

void
memory_write(const Config *config, MemoryStage stage, Arena *arena,
			 Words *words)
{
	*words = (Words){0};
	for (size_t i = 0; i < LENGTH_OF(remembered); i++)
	{
		const OptionDef *option = find_option(remembered[i].name,
											  remembered[i].type);

		if (remembered[i].decided != DECIDED_BY_FOLLOWER ||
			stage == MEMORY_FOLLOWED || config_is_given(config, option->name))
			write_option(config, option, arena, words);
	}
}

/* ---- recalling ---------------------------------------------------------- */

/* The words of one option; each is the name, and may have a value. */
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

/* --a=b --a=c, or what it means that there is none */
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

/* A command with the words as its options, as a shell reads it. */
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

static void
clear(Config *config, const OptionDef *option)
{
	void *field = option_field(config, option);

	if (option->type == OPTION_PATTERN)
		((PatternList *) field)->count = 0;
	else if (option->type == OPTION_CONFLICT)
		((ConflictRules *) field)->count = 0;
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

		rc = option_read_value(config, option, value != NULL ? value + 1 : "",
							   err);
	}
	return rc;
}

static MUST_CHECK Rc
recall_option(Config *config, const OptionDef *option, Decided decided,
			  const Words *words, MemoryUse use, Arena *arena, Error *err)
{
	Words was;
	Words is = {0};

	select_words(words, option->name, arena, &was);
	if (!config_is_given(config, option->name))
		return was.count > 0 ? take_words(config, option, &was, err) : RC_OK;
	write_option(config, option, arena, &is);
	if (use == MEMORY_REPLACE ||
		(use == MEMORY_REFUSE_SENT && option->type == OPTION_CONFLICT) ||
		decided == DECIDED_AS_DEFAULT ||
		(decided == DECIDED_BY_FOLLOWER && was.count == 0) ||
		words_equal(&was, &is))
		return RC_OK;
	return refuse(config, option, &was, &is, arena, err);
}

/* Whether it is one of those that we know. */
static bool
is_known(const char *word)
{
	size_t length = strcspn(word, "=");

	for (size_t i = 0; i < LENGTH_OF(remembered); i++)
		if (strlen(remembered[i].name) == length &&
			strncmp(remembered[i].name, word, length) == 0)
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

	/* Without a word nothing is remembered. */
	for (size_t i = 0;
		 i < LENGTH_OF(remembered) && rc == RC_OK && words->count > 0; i++)
		rc = recall_option(config,
						   find_option(remembered[i].name, remembered[i].type),
						   remembered[i].decided, words, use, arena, err);
	if (rc == RC_OK)
		rc = config_check_lanes(config, err);
	arena_free(arena);
	return rc;
}

void
memory_describe(const Words *words, Buf *buf)
{
	for (int i = 0; i < words->count; i++)
		buf_printf(buf, "%s%s", i > 0 ? ", " : "", words->words[i]);
}
