/*
 * option_type.c
 *    The types of options: how their values are parsed, printed and described.
 */
#include "config/option_type.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/listen.h"

void *
option_field(Config *config, const OptionDef *option)
{
	return (char *) config + option->offset;
}

static const void *
field_of(const Config *config, const OptionDef *option)
{
	return (const char *) config + option->offset;
}

void
option_describe_value(const OptionDef *option, Buf *buf)
{
	if (option->type->describe != NULL)
		option->type->describe(option, buf);
	else
		buf_append_string(buf, option->type->expected);
}

Rc
option_bad_value(Error *err, const OptionDef *option, const char *value)
{
	Rc rc = error_set(err, ERR_CONFIG, "invalid value for --%s: \"%s\"",
					  option->name, value);
	Buf expected;

	buf_init(&expected, OPTION_TEXT_MAX);
	option_describe_value(option, &expected);
	error_detail(err, "Expected is %s.", expected.data);
	buf_release(&expected);
	return rc;
}

/* ---- flags and switches ------------------------------------------------- */

/* Words for false (even index) and true (odd index). */
static const char *const flag_words[] = {"false", "true", "off", "on",
										 "no",    "yes",  "0",   "1"};

static Rc
parse_flag(Config *config, const OptionDef *option, const char *value,
		   Error *err)
{
	bool *field = option_field(config, option);

	if (value == NULL)
	{
		*field = true;
		return RC_OK;
	}
	for (size_t i = 0; i < LENGTH_OF(flag_words); i++)
	{
		if (strcmp(flag_words[i], value) != 0)
			continue;
		*field = i % 2 == 1;
		return RC_OK;
	}
	return option_bad_value(err, option, value);
}

static void
print_flag(const Config *config, const OptionDef *option, Arena *arena,
		   Words *values)
{
	if (*(const bool *) field_of(config, option))
		words_add(values, arena, "true");
}

const OptionType type_flag = {
	.is_flag = true,
	.parse = parse_flag,
	.print = print_flag,
	.expected = "true or false",
};

static const char *const switch_words[] = {"on", "off", NULL};

static Rc
parse_switch(Config *config, const OptionDef *option, const char *value,
			 Error *err)
{
	bool is_on = strcmp(value, "on") == 0;

	if (!is_on && strcmp(value, "off") != 0)
		return option_bad_value(err, option, value);
	*(bool *) option_field(config, option) = is_on;
	return RC_OK;
}

static void
print_switch(const Config *config, const OptionDef *option, Arena *arena,
			 Words *values)
{
	words_add(values, arena,
			  *(const bool *) field_of(config, option) ? "on" : "off");
}

/* Appends all words of a type: "a, b or c". */
static void
describe_words(const OptionDef *option, Buf *buf)
{
	const char *const *words = option->type->words;

	for (int i = 0; words[i] != NULL; i++)
		buf_printf(buf, "%s%s",
				   i == 0                 ? ""
				   : words[i + 1] == NULL ? " or "
										  : ", ",
				   words[i]);
}

const OptionType type_switch = {
	.completion = COMPLETE_WORDS,
	.words = switch_words,
	.parse = parse_switch,
	.print = print_switch,
	.describe = describe_words,
};

/* ---- strings ------------------------------------------------------------ */

static void
set_string(Config *config, const OptionDef *option, const char *value)
{
	*(const char **) option_field(config, option) = value;
}

static Rc
parse_string(Config *config, const OptionDef *option, const char *value,
			 Error *err)
{
	if (value[0] == '\0')
		return option_bad_value(err, option, value);
	set_string(config, option, value);
	return RC_OK;
}

static void
print_string(const Config *config, const OptionDef *option, Arena *arena,
			 Words *values)
{
	const char *value = *(const char *const *) field_of(config, option);

	if (value != NULL)
		words_add(values, arena, value);
}

const OptionType type_section = {
	.parse = parse_string,
	.print = print_string,
	.expected = "the name of a section of the configuration file",
};

const OptionType type_publications = {
	.parse = parse_string,
	.print = print_string,
	.expected = "names with commas between them",
};

const OptionType type_conninfo = {
	.parse = parse_string,
	.print = print_string,
	.expected = "a connection string, such as "
				"'host=new.example dbname=shop'",
};

const OptionType type_file = {
	.completion = COMPLETE_FILE,
	.parse = parse_string,
	.print = print_string,
	.expected = "the name of a file",
};

const OptionType type_command = {
	.parse = parse_string,
	.print = print_string,
	.expected = "a command of the shell",
};

const OptionType type_directory = {
	.completion = COMPLETE_DIRECTORY,
	.parse = parse_string,
	.print = print_string,
	.expected = "the name of a directory",
};

/* Accepts a name of characters that the name of a replication slot can have. */
static Rc
parse_name(Config *config, const OptionDef *option, const char *value,
		   Error *err)
{
	size_t length = strlen(value);

	if (length == 0 || length > CONFIG_NAME_MAX ||
		strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_") != length)
		return option_bad_value(err, option, value);
	set_string(config, option, value);
	return RC_OK;
}

static void
describe_name(const OptionDef *option UNUSED, Buf *buf)
{
	buf_printf(buf,
			   "a name of at most %d lower case letters, digits and "
			   "underscores",
			   CONFIG_NAME_MAX);
}

const OptionType type_name = {
	.parse = parse_name,
	.print = print_string,
	.describe = describe_name,
};

static Rc
parse_listen(Config *config, const OptionDef *option, const char *value,
			 Error *err)
{
	ListenAddress address;

	if (!listen_parse(&address, value))
		return option_bad_value(err, option, value);
	set_string(config, option, value);
	return RC_OK;
}

const OptionType type_listen = {
	.parse = parse_listen,
	.print = print_string,
	.expected = "a port such as 9187, HOST:PORT, or unix: and an absolute path",
};

/* Accepts only the words of the type. */
static Rc
parse_word(Config *config, const OptionDef *option, const char *value,
		   Error *err)
{
	for (const char *const *word = option->type->words; *word != NULL; word++)
	{
		if (strcmp(*word, value) != 0)
			continue;
		set_string(config, option, value);
		return RC_OK;
	}
	return option_bad_value(err, option, value);
}

static const char *const log_format_words[] = {"text", "json", NULL};

const OptionType type_log_format = {
	.completion = COMPLETE_WORDS,
	.words = log_format_words,
	.parse = parse_word,
	.print = print_string,
	.describe = describe_words,
};

static const char *const apply_words[] = {"batch", "transaction", NULL};

const OptionType type_apply = {
	.completion = COMPLETE_WORDS,
	.words = apply_words,
	.parse = parse_word,
	.print = print_string,
	.describe = describe_words,
};

static const char *const ddl_words[] = {"off", "stop", "follow", NULL};

const OptionType type_ddl = {
	.completion = COMPLETE_WORDS,
	.words = ddl_words,
	.parse = parse_word,
	.print = print_string,
	.describe = describe_words,
};

static const char *const origin_words[] = {"any", "none", NULL};

const OptionType type_origin = {
	.completion = COMPLETE_WORDS,
	.words = origin_words,
	.parse = parse_word,
	.print = print_string,
	.describe = describe_words,
};

static const char *const sequences_words[] = {"follow", "off", NULL};

const OptionType type_sequences = {
	.completion = COMPLETE_WORDS,
	.words = sequences_words,
	.parse = parse_word,
	.print = print_string,
	.describe = describe_words,
};

/*
 * Whether the plugin's option "compression" accepts the value: none, zstd,
 * zstd:1 to zstd:19.
 */
static bool
is_compression(const char *value)
{
	char *end;
	long level;

	if (strcmp(value, "none") == 0 || strcmp(value, "zstd") == 0)
		return true;
	if (strncmp(value, "zstd:", 5) != 0 ||
		strchr("123456789", value[5]) == NULL)
		return false;
	level = strtol(value + 5, &end, 10);
	return *end == '\0' && level >= 1 && level <= CONFIG_COMPRESSION_LEVEL_MAX;
}

static Rc
parse_compression(Config *config, const OptionDef *option, const char *value,
				  Error *err)
{
	if (!is_compression(value))
		return option_bad_value(err, option, value);
	set_string(config, option, value);
	return RC_OK;
}

static void
describe_compression(const OptionDef *option UNUSED, Buf *buf)
{
	buf_printf(buf, "none, zstd, or zstd: and a level from 1 to %d",
			   CONFIG_COMPRESSION_LEVEL_MAX);
}

/* Words for completion only; zstd:N is valid, too. */
static const char *const compression_words[] = {"none", "zstd", NULL};

const OptionType type_compression = {
	.completion = COMPLETE_WORDS,
	.words = compression_words,
	.parse = parse_compression,
	.print = print_string,
	.describe = describe_compression,
};

/* ---- positions and numbers ---------------------------------------------- */

static Rc
parse_lsn(Config *config, const OptionDef *option, const char *value,
		  Error *err)
{
	Lsn lsn;

	if (!lsn_parse(value, &lsn) || lsn == 0)
		return option_bad_value(err, option, value);
	*(Lsn *) option_field(config, option) = lsn;
	return RC_OK;
}

static void
print_lsn(const Config *config, const OptionDef *option, Arena *arena,
		  Words *values)
{
	Lsn lsn = *(const Lsn *) field_of(config, option);

	if (lsn != 0)
		words_add(values, arena,
				  arena_printf(arena, LSN_FORMAT, LSN_ARGS(lsn)));
}

const OptionType type_lsn = {
	.parse = parse_lsn,
	.print = print_lsn,
	.expected = "a position such as 16/B374D848",
};

/* Units of sizes, as in postgresql.conf.  "" stands for bytes. */
static const struct
{
	const char *name;
	size_t bytes;
} units[] = {{"", 1}, {"B", 1}, {"kB", KB}, {"MB", MB}, {"GB", 1024 * MB}};

/*
 * Parses a number of bytes: digits and a unit, optionally followed by `tail`.
 */
static Rc
read_bytes(Config *config, const OptionDef *option, const char *value,
		   const char *tail, Error *err)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno != 0 || end == value || value[0] == '-' || number > option->max)
		return option_bad_value(err, option, value);
	for (size_t i = 0; i < LENGTH_OF(units); i++)
	{
		size_t length = strlen(units[i].name);

		if (strncmp(end, units[i].name, length) != 0 ||
			(end[length] != '\0' && strcmp(&end[length], tail) != 0))
			continue;
		if (number > option->max / units[i].bytes ||
			number * units[i].bytes < option->min)
			break;
		*(size_t *) option_field(config, option) = number * units[i].bytes;
		return RC_OK;
	}
	return option_bad_value(err, option, value);
}

/*
 * Returns a number of bytes as a text, in the largest unit of which it is a
 * whole multiple.
 */
static const char *
format_bytes(size_t bytes, Arena *arena)
{
	size_t i = LENGTH_OF(units) - 1;

	while (i > 0 && bytes % units[i].bytes != 0)
		i--;
	return arena_printf(arena, "%zu%s", bytes / units[i].bytes, units[i].name);
}

static void
describe_bytes(const OptionDef *option, const char *what, const char *example,
			   Buf *buf)
{
	Arena *arena = arena_new(KB);

	buf_printf(buf, "%s from %s to %s, such as %s", what,
			   format_bytes(option->min, arena),
			   format_bytes(option->max, arena), example);
	arena_free(arena);
}

static Rc
parse_size(Config *config, const OptionDef *option, const char *value,
		   Error *err)
{
	return read_bytes(config, option, value, "", err);
}

static void
print_size(const Config *config, const OptionDef *option, Arena *arena,
		   Words *values)
{
	size_t bytes = *(const size_t *) field_of(config, option);

	if (bytes != 0)
		words_add(values, arena, format_bytes(bytes, arena));
}

static void
describe_size(const OptionDef *option, Buf *buf)
{
	describe_bytes(option, "a size", "32MB", buf);
}

const OptionType type_size = {
	.parse = parse_size,
	.print = print_size,
	.describe = describe_size,
};

static Rc
parse_rate(Config *config, const OptionDef *option, const char *value,
		   Error *err)
{
	return read_bytes(config, option, value, "/s", err);
}

static void
describe_rate(const OptionDef *option, Buf *buf)
{
	describe_bytes(option, "a number of bytes", "20MB/s", buf);
}

const OptionType type_rate = {
	.parse = parse_rate,
	.print = print_size,
	.describe = describe_rate,
};

static Rc
parse_count(Config *config, const OptionDef *option, const char *value,
			Error *err)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' ||
		number < (long) option->min || number > (long) option->max)
		return option_bad_value(err, option, value);
	*(int *) option_field(config, option) = (int) number;
	return RC_OK;
}

static void
print_count(const Config *config, const OptionDef *option, Arena *arena,
			Words *values)
{
	int number = *(const int *) field_of(config, option);

	if (number != 0)
		words_add(values, arena, arena_printf(arena, "%d", number));
}

static void
describe_count(const OptionDef *option, Buf *buf)
{
	buf_printf(buf, "a number from %zu to %zu", option->min, option->max);
}

const OptionType type_count = {
	.parse = parse_count,
	.print = print_count,
	.describe = describe_count,
};

/*
 * Parses digits at the beginning of a text.  Returns false if there are none,
 * or if the number is less than `min` or greater than `max`; *end is set to
 * what follows.
 */
static bool
read_number(const char *text, int min, int max, int *number, char **end)
{
	long value;

	if (strchr("0123456789", text[0]) == NULL || text[0] == '\0')
		return false;
	errno = 0;
	value = strtol(text, end, 10);
	*number = (int) value;
	return errno == 0 && value >= min && value <= max;
}

static Rc
parse_stride(Config *config, const OptionDef *option, const char *value,
			 Error *err)
{
	SequenceStride stride = {0};
	char *end;

	if (!read_number(value, 2, SEQUENCE_STRIDE_MAX, &stride.count, &end) ||
		(*end == ':' &&
		 !read_number(end + 1, 0, stride.count - 1, &stride.first, &end)) ||
		*end != '\0')
		return option_bad_value(err, option, value);
	*(SequenceStride *) option_field(config, option) = stride;
	return RC_OK;
}

static void
print_stride(const Config *config, const OptionDef *option, Arena *arena,
			 Words *values)
{
	const SequenceStride *stride = field_of(config, option);

	if (stride->count > 0)
		words_add(values, arena,
				  arena_printf(arena, "%d:%d", stride->count, stride->first));
}

static void
describe_stride(const OptionDef *option UNUSED, Buf *buf)
{
	buf_printf(
		buf,
		"a number from 2 to %d, and after a colon one that is less, such "
		"as 3:0",
		SEQUENCE_STRIDE_MAX);
}

const OptionType type_stride = {
	.parse = parse_stride,
	.print = print_stride,
	.describe = describe_stride,
};

/* ---- lists -------------------------------------------------------------- */

static Rc
parse_target(Config *config, const OptionDef *option UNUSED, const char *value,
			 Error *err)
{
	if (config->target_count >= CONFIG_TARGETS_MAX)
		return error_set(err, ERR_CONFIG, "too many targets: at most %d",
						 CONFIG_TARGETS_MAX);
	config->targets[config->target_count++] = value;
	return RC_OK;
}

static void
print_targets(const Config *config, const OptionDef *option UNUSED,
			  Arena *arena, Words *values)
{
	for (int i = 0; i < config->target_count; i++)
		words_add(values, arena, config->targets[i]);
}

const OptionType type_targets = {
	.is_list = true,
	.parse = parse_target,
	.print = print_targets,
	.expected = "a connection string, such as "
				"'host=new.example dbname=shop'",
};

static Rc
parse_conflict(Config *config, const OptionDef *option, const char *value,
			   Error *err)
{
	if (!policy_add_rule(option_field(config, option), value))
		return option_bad_value(err, option, value);
	return RC_OK;
}

static void
print_conflicts(const Config *config, const OptionDef *option, Arena *arena,
				Words *values)
{
	const ConflictRules *rules = field_of(config, option);
	Buf text;

	buf_init(&text, BUF_TEXT_MAX);
	for (int i = 0; i < rules->count; i++)
	{
		buf_reset(&text);
		policy_append_rule(&rules->rules[i], &text);
		words_add(values, arena, arena_strdup(arena, text.data));
	}
	buf_release(&text);

	/* Without a rule, every conflict stops the pipeline. */
	if (rules->count == 0)
		words_add(values, arena, policy_name(CONFLICT_STOP));
}

static Rc
parse_schema_rule(Config *config, const OptionDef *option, const char *value,
				  Error *err)
{
	if (!policy_add_schema_rule(option_field(config, option), value))
		return option_bad_value(err, option, value);
	return RC_OK;
}

static void
print_schema_rules(const Config *config, const OptionDef *option, Arena *arena,
				   Words *values)
{
	const SchemaRules *rules = field_of(config, option);
	Buf text;

	buf_init(&text, BUF_TEXT_MAX);
	for (int i = 0; i < rules->count; i++)
	{
		buf_reset(&text);
		policy_append_schema_rule(&rules->rules[i], &text);
		words_add(values, arena, arena_strdup(arena, text.data));
	}
	buf_release(&text);
}

const OptionType type_schema_rules = {
	.is_list = true,
	.parse = parse_schema_rule,
	.print = print_schema_rules,
	.expected =
		"KIND:POLICY or KIND.SCHEMA.TABLE:POLICY, with a kind of create, "
		"alter, rename, drop, index, constraint, partition, sequence, "
		"type, other or all, and a policy of off, stop or follow (not "
		"of other)",
};

static const char *const conflict_words[] = {"stop", "skip", "overwrite", NULL};

const OptionType type_conflicts = {
	.is_list = true,
	.completion = COMPLETE_WORDS,
	.words = conflict_words,
	.parse = parse_conflict,
	.print = print_conflicts,
	.expected = "stop, skip or overwrite, or SCHEMA.TABLE: and one "
				"of them",
};

static Rc
parse_pattern(Config *config, const OptionDef *option, const char *value,
			  Error *err)
{
	PatternList *list = option_field(config, option);

	if (value[0] == '\0')
		return option_bad_value(err, option, value);
	if (list->count == SELECTION_PATTERNS_MAX)
		return error_set(err, ERR_CONFIG, "too many --%s: at most %d",
						 option->name, SELECTION_PATTERNS_MAX);
	list->patterns[list->count++] = value;
	return RC_OK;
}

static void
print_patterns(const Config *config, const OptionDef *option, Arena *arena,
			   Words *values)
{
	const PatternList *list = field_of(config, option);

	for (int i = 0; i < list->count; i++)
		words_add(values, arena, list->patterns[i]);
}

const OptionType type_patterns = {
	.is_list = true,
	.parse = parse_pattern,
	.print = print_patterns,
	.expected = "a pattern, such as public.t*",
};
