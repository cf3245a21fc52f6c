/*
 * config.c
 *    The table of options, and reading them: from the command line with
 *    getopt_long(), then from the environment and the configuration file.
 */
#include "config/config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"

typedef enum OptionType
{
	OPTION_FLAG,
	OPTION_STRING,
	OPTION_TARGET, /* a string that may be given several times */
	OPTION_NAME,
	OPTION_LSN,
	OPTION_SIZE,
	OPTION_RATE,
	OPTION_COUNT,
	OPTION_SECONDS,
	OPTION_LANES,
	OPTION_APPLY,
	OPTION_ORIGIN,
	OPTION_SWITCH,
	OPTION_COMPRESSION,
	OPTION_CONFLICT, /* may be given several times */
	OPTION_PATTERN,  /* likewise */
} OptionType;

typedef struct OptionDef
{
	const char *name;
	char letter; /* short form, or 0 */
	OptionType type;
	unsigned commands;         /* who takes it */
	size_t offset;             /* of the field in Config */
	const char *placeholder;   /* of its value in --help */
	const char *environment;   /* variable that stands in, or NULL */
	const char *default_value; /* or NULL */
	const char *help;
} OptionDef;

#define COMMAND_ALL         (~0U)
#define COMMAND_WITH_TARGET (COMMAND_ALL & ~(unsigned) COMMAND_TAIL)
#define COMMAND_STREAMING                                                      \
	((unsigned) COMMAND_CLONE | COMMAND_FOLLOW | COMMAND_TAIL)

/* Who takes words that are not options. */
#define COMMAND_WITH_WORDS ((unsigned) COMMAND_CONFIG | COMMAND_TABLE)

/* What a configuration file is read into. */
#define ARENA_BLOCK_BYTES (4 * KB)

#define FIELD(member)     offsetof(Config, member)

static const OptionDef option_table[] = {
	{"source", 's', OPTION_STRING, COMMAND_ALL, FIELD(source), "CONNINFO",
	 "PENSTOCK_SOURCE", NULL, "connection string of the source database"},
	{"target", 't', OPTION_TARGET, COMMAND_WITH_TARGET, FIELD(targets),
	 "CONNINFO", "PENSTOCK_TARGET", NULL,
	 "connection string of a target database; may be repeated"},
	{"config", 'c', OPTION_STRING, COMMAND_ALL, FIELD(file), "FILE",
	 "PENSTOCK_CONFIG", NULL,
	 "configuration file: options, sources, targets, placement"},
	{"from", 0, OPTION_STRING,
	 COMMAND_CHECK | COMMAND_FOLLOW | COMMAND_STATUS | COMMAND_TAIL |
		 COMMAND_DROP | COMMAND_FENCE | COMMAND_TABLE,
	 FIELD(from), "NAME", NULL, NULL,
	 "only this one of the configuration file's sources"},
	{"name", 'n', OPTION_NAME, COMMAND_ALL, FIELD(name), "NAME",
	 "PENSTOCK_NAME", "penstock",
	 "name of the pipeline, of its slot and of its progress"},
	{"publications", 'p', OPTION_STRING,
	 COMMAND_CHECK | COMMAND_CLONE | COMMAND_FOLLOW | COMMAND_TAIL |
		 COMMAND_TABLE | COMMAND_FEDERATE,
	 FIELD(publications), "LIST", NULL, NULL,
	 "publications that say what is sent (default: the pipeline's name)"},
	{"schema-only", 0, OPTION_FLAG, COMMAND_CLONE, FIELD(schema_only), NULL,
	 NULL, NULL, "copy the schema, no data; creates no slot"},
	{"data-only", 0, OPTION_FLAG, COMMAND_CLONE, FIELD(data_only), NULL, NULL,
	 NULL, "copy the data into tables that are there"},
	{"table", 0, OPTION_PATTERN, COMMAND_CLONE, FIELD(selection.tables),
	 "PATTERN", NULL, NULL,
	 "only these of the published tables; may be repeated"},
	{"exclude-table", 0, OPTION_PATTERN, COMMAND_CLONE,
	 FIELD(selection.exclude_tables), "PATTERN", NULL, NULL,
	 "not these tables; may be repeated"},
	{"schema", 0, OPTION_PATTERN, COMMAND_CLONE, FIELD(selection.schemas),
	 "PATTERN", NULL, NULL, "only what is in these schemas; may be repeated"},
	{"exclude-schema", 0, OPTION_PATTERN, COMMAND_CLONE,
	 FIELD(selection.exclude_schemas), "PATTERN", NULL, NULL,
	 "nothing of these schemas; may be repeated"},
	{"verify", 0, OPTION_FLAG, COMMAND_CLONE, FIELD(verify), NULL, NULL, NULL,
	 "compare the contents of each table at the snapshot"},
	{"no-owner", 0, OPTION_FLAG, COMMAND_CLONE | COMMAND_TABLE, FIELD(no_owner),
	 NULL, NULL, NULL, "give everything to the target's user"},
	{"no-privileges", 0, OPTION_FLAG, COMMAND_CLONE | COMMAND_TABLE,
	 FIELD(no_privileges), NULL, NULL, NULL, "grant and revoke nothing"},
	{"no-tablespaces", 0, OPTION_FLAG, COMMAND_CLONE | COMMAND_TABLE,
	 FIELD(no_tablespaces), NULL, NULL, NULL,
	 "put everything into the default tablespace"},
	{"no-unlogged-table-data", 0, OPTION_FLAG, COMMAND_CLONE,
	 FIELD(no_unlogged_data), NULL, NULL, NULL,
	 "create unlogged tables without their rows"},
	{"resume", 0, OPTION_FLAG, COMMAND_CLONE, FIELD(resume), NULL, NULL, NULL,
	 "go on with a clone that was broken off; what it finished stays"},
	{"restart", 0, OPTION_FLAG, COMMAND_CLONE, FIELD(restart), NULL, NULL, NULL,
	 "throw away what a clone that was broken off has copied, start over"},
	{"follow", 0, OPTION_FLAG, COMMAND_CLONE, FIELD(follow), NULL, NULL, NULL,
	 "go on into following when the copy is done"},
	{"jobs", 'j', OPTION_COUNT, COMMAND_CLONE | COMMAND_TABLE, FIELD(jobs), "N",
	 NULL, "2", "connections that copy, and build indexes, at once"},
	{"copy-from", 0, OPTION_STRING, COMMAND_CLONE, FIELD(copy_from), "CONNINFO",
	 NULL, NULL, "standby of the source to read the rows from"},
	{"max-rate", 0, OPTION_RATE, COMMAND_CLONE, FIELD(max_rate), "BYTES/s",
	 NULL, NULL, "bytes of rows that are read per second, by all connections"},
	{"pg-bindir", 0, OPTION_STRING,
	 COMMAND_CLONE | COMMAND_CHECK | COMMAND_TABLE, FIELD(pg_bindir), "DIR",
	 NULL, NULL, "where to find pg_dump and pg_restore (default: search)"},
	{"endpos", 'E', OPTION_LSN, COMMAND_STREAMING, FIELD(endpos), "LSN", NULL,
	 NULL, "stop, with status 0, when everything up to LSN is durable"},
	{"memory", 'm', OPTION_SIZE, COMMAND_STREAMING | COMMAND_TABLE,
	 FIELD(memory_bytes), "SIZE", NULL, CONFIG_MEMORY_DEFAULT,
	 "bound on memory for changes, beside the largest single row"},
	{"apply", 0, OPTION_APPLY, COMMAND_CLONE | COMMAND_FOLLOW,
	 FIELD(apply_mode), "batch|transaction", "PENSTOCK_APPLY", "batch",
	 "many source transactions as one on the target, or each as one"},
	{"lanes", 0, OPTION_LANES, COMMAND_CLONE | COMMAND_FOLLOW, FIELD(lanes),
	 "N", "PENSTOCK_LANES", "1",
	 "with --apply=transaction: connections that apply at once"},
	{"origin", 0, OPTION_ORIGIN, COMMAND_STREAMING | COMMAND_TABLE,
	 FIELD(origin), "any|none", NULL, "any",
	 "none: leave out what itself came from elsewhere"},
	{"streaming", 0, OPTION_SWITCH, COMMAND_CLONE | COMMAND_FOLLOW,
	 FIELD(streaming), "on|off", "PENSTOCK_STREAMING", "on",
	 "apply large transactions while they are in progress on the source"},
	{"compression", 0, OPTION_COMPRESSION, COMMAND_STREAMING | COMMAND_TABLE,
	 FIELD(compression), "none|zstd[:N]", "PENSTOCK_COMPRESSION", NULL,
	 "have the source compress the stream, at level 1 to 19\n"
	 "                            (default: none; of zstd: 1)"},
	{"on-conflict", 0, OPTION_CONFLICT,
	 COMMAND_CLONE | COMMAND_FOLLOW | COMMAND_TABLE, FIELD(conflict_rules),
	 "[TABLE:]POLICY", NULL, NULL,
	 "stop, skip or overwrite, for all tables or one; may be repeated\n"
	 "                            (default: stop)"},
	{"messages", 0, OPTION_FLAG, COMMAND_TAIL, FIELD(messages), NULL, NULL,
	 NULL, "also print logical decoding messages"},
	{"create-slot", 0, OPTION_FLAG, COMMAND_TAIL, FIELD(create_slot), NULL,
	 NULL, NULL,
	 "read from slot NAME, made if need be; else from a temporary one"},
	{"keep", 0, OPTION_FLAG, COMMAND_TABLE, FIELD(keep), NULL, NULL, NULL,
	 "pause: let the source keep the changes, so that resume needs no copy"},
	{"json", 0, OPTION_FLAG, COMMAND_STATUS | COMMAND_CHECK, FIELD(json), NULL,
	 NULL, NULL, "print for machines"},
	{"hold", 0, OPTION_SECONDS, COMMAND_FENCE, FIELD(hold_s), "SECONDS", NULL,
	 NULL, "how long to hold the targets (default: until told to stop)"},
	{"coordinator", 0, OPTION_STRING, COMMAND_FEDERATE, FIELD(coordinator),
	 "CONNINFO", NULL, NULL,
	 "connection string of the database that is to show all nodes as one"},
	{"apply", 0, OPTION_FLAG, COMMAND_FEDERATE, FIELD(apply), NULL, NULL, NULL,
	 "run the statements on the coordinator instead of printing them"},
	{"dry-run", 0, OPTION_FLAG, COMMAND_DROP | COMMAND_CLONE, FIELD(dry_run),
	 NULL, NULL, NULL, "only say what would be done"},
	{"verbose", 'v', OPTION_FLAG, COMMAND_ALL, FIELD(verbose), NULL, NULL, NULL,
	 "say more"},
	{"quiet", 'q', OPTION_FLAG, COMMAND_ALL, FIELD(quiet), NULL, NULL, NULL,
	 "say only what is wrong"},
	{"help", 'h', OPTION_FLAG, COMMAND_ALL, FIELD(help), NULL, NULL, NULL,
	 "print this and exit"},
};

#define OPTION_COUNT_ALL LENGTH_OF(option_table)

/* getopt_long() answers this plus an index into option_table. */
#define OPTION_VALUE_BASE 256

/* Column in which --help's explanations start. */
#define HELP_COLUMN 28

/* Lines of --help are shorter than this. */
#define HELP_WIDTH 94

static void *
field_of(Config *config, const OptionDef *option)
{
	return (char *) config + option->offset;
}

static Rc
bad_value(Error *err, const OptionDef *option, const char *value,
		  const char *expected)
{
	Rc rc = error_set(err, ERR_CONFIG, "invalid value for --%s: \"%s\"",
					  option->name, value);

	error_detail(err, "Expected is %s.", expected);
	return rc;
}

static Rc
read_target(Config *config, const char *value, Error *err)
{
	if (config->target_count >= CONFIG_TARGETS_MAX)
		return error_set(err, ERR_CONFIG, "too many targets: at most %d",
						 CONFIG_TARGETS_MAX);
	config->targets[config->target_count++] = value;
	return RC_OK;
}

/* The characters that a replication slot's name may have. */
static Rc
read_name(Config *config, const OptionDef *option, const char *value,
		  Error *err)
{
	size_t length = strlen(value);

	if (length == 0 || length > CONFIG_NAME_MAX ||
		strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_") != length)
		return bad_value(err, option, value,
						 "a name of at most 63 lower case letters, digits and "
						 "underscores");
	config->name = value;
	return RC_OK;
}

/*
 * A number of bytes, at least `min`, with kB, MB or GB behind it, as in
 * postgresql.conf.  `tail` may come last.
 */
static Rc
read_size(size_t *field, const OptionDef *option, const char *value, size_t min,
		  const char *tail, const char *expected, Error *err)
{
	static const struct
	{
		const char *unit;
		size_t bytes;
	} units[] = {{"", 1}, {"B", 1}, {"kB", KB}, {"MB", MB}, {"GB", 1024 * MB}};
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno != 0 || end == value || value[0] == '-' ||
		number > CONFIG_MEMORY_MAX)
		return bad_value(err, option, value, expected);
	for (size_t i = 0; i < LENGTH_OF(units); i++)
	{
		size_t length = strlen(units[i].unit);

		if (strncmp(end, units[i].unit, length) != 0 ||
			(end[length] != '\0' && strcmp(&end[length], tail) != 0))
			continue;
		if (number > CONFIG_MEMORY_MAX / units[i].bytes ||
			number * units[i].bytes < min)
			break;
		*field = number * units[i].bytes;
		return RC_OK;
	}
	return bad_value(err, option, value, expected);
}

static Rc
read_count(int *field, const OptionDef *option, const char *value, int max,
		   Error *err)
{
	char expected[64];
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || number < 1 ||
		number > max)
	{
		snprintf(expected, sizeof(expected), "a number from 1 to %d", max);
		return bad_value(err, option, value, expected);
	}
	*field = (int) number;
	return RC_OK;
}

/* What the plugin's option takes: none, zstd, zstd:1 to zstd:19. */
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
read_pattern(PatternList *list, const OptionDef *option, const char *value,
			 Error *err)
{
	if (value[0] == '\0')
		return bad_value(err, option, value, "a pattern");
	if (list->count == SELECTION_PATTERNS_MAX)
		return error_set(err, ERR_CONFIG, "too many --%s: at most %d",
						 option->name, SELECTION_PATTERNS_MAX);
	list->patterns[list->count++] = value;
	return RC_OK;
}

static Rc
read_value(Config *config, const OptionDef *option, const char *value,
		   Error *err)
{
	void *field = field_of(config, option);

	switch (option->type)
	{
		case OPTION_FLAG:
			*(bool *) field = true;
			return RC_OK;
		case OPTION_STRING:
			if (value[0] == '\0')
				return bad_value(err, option, value, "a value");
			*(const char **) field = value;
			return RC_OK;
		case OPTION_TARGET:
			return read_target(config, value, err);
		case OPTION_NAME:
			return read_name(config, option, value, err);
		case OPTION_LSN:
			if (!lsn_parse(value, field) || *(Lsn *) field == 0)
				return bad_value(err, option, value,
								 "a position such as 16/B374D848");
			return RC_OK;
		case OPTION_SIZE:
			return read_size(field, option, value, CONFIG_MEMORY_MIN, "",
							 "a size from 4MB to 64GB, such as 32MB", err);
		case OPTION_RATE:
			return read_size(field, option, value, CONFIG_RATE_MIN, "/s",
							 "a number of bytes from 1kB to 64GB, such as "
							 "20MB/s",
							 err);
		case OPTION_COUNT:
			return read_count(field, option, value, CONFIG_JOBS_MAX, err);
		case OPTION_SECONDS:
			return read_count(field, option, value, CONFIG_HOLD_MAX_S, err);
		case OPTION_LANES:
			return read_count(field, option, value, CONFIG_LANES_MAX, err);
		case OPTION_APPLY:
			if (strcmp(value, "batch") != 0 &&
				strcmp(value, "transaction") != 0)
				return bad_value(err, option, value, "batch or transaction");
			*(const char **) field = value;
			return RC_OK;
		case OPTION_ORIGIN:
			if (strcmp(value, "any") != 0 && strcmp(value, "none") != 0)
				return bad_value(err, option, value, "any or none");
			*(const char **) field = value;
			return RC_OK;
		case OPTION_SWITCH:
			if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
				return bad_value(err, option, value, "on or off");
			*(bool *) field = value[1] == 'n';
			return RC_OK;
		case OPTION_COMPRESSION:
			if (!is_compression(value))
				return bad_value(err, option, value,
								 "none, zstd, or zstd: and a level from 1 to "
								 "19");
			*(const char **) field = value;
			return RC_OK;
		case OPTION_CONFLICT:
			if (!policy_add_rule(field, value))
				return bad_value(err, option, value,
								 "stop, skip or overwrite, or SCHEMA.TABLE: "
								 "and one of them");
			return RC_OK;
		case OPTION_PATTERN:
			return read_pattern(field, option, value, err);
	}
	return RC_OK;
}

/* ---- the file and the environment --------------------------------------- */

static bool
may_be_repeated(const OptionDef *option)
{
	return option->type == OPTION_TARGET || option->type == OPTION_CONFLICT ||
		   option->type == OPTION_PATTERN;
}

/* The option that a setting of the file stands for, or NULL. */
static const OptionDef *
find_setting(const char *key)
{
	static const char *const elsewhere[] = {"config", "from", "help", "source",
											"target"};

	for (size_t i = 0; i < LENGTH_OF(elsewhere); i++)
		if (strcmp(elsewhere[i], key) == 0)
			return NULL;
	for (size_t i = 0; i < OPTION_COUNT_ALL; i++)
		if (strcmp(option_table[i].name, key) == 0)
			return &option_table[i];
	return NULL;
}

static Rc
read_flag(bool *field, const OptionDef *option, const char *value, Error *err)
{
	static const char *const words[] = {"false", "true", "off", "on",
										"no",    "yes",  "0",   "1"};

	for (size_t i = 0; i < LENGTH_OF(words); i++)
	{
		if (strcmp(words[i], value) != 0)
			continue;
		*field = i % 2 == 1;
		return RC_OK;
	}
	return bad_value(err, option, value, "true or false");
}

static Rc
read_setting(Config *config, const OptionDef *option, const char *value,
			 Error *err)
{
	if (option->type == OPTION_FLAG)
		return read_flag(field_of(config, option), option, value, err);
	return read_value(config, option, value, err);
}

/*
 * Reads one setting of the file's section of options.  Settings that the
 * command does not take, or that the command line or the environment has said
 * otherwise, are looked at all the same.
 */
static Rc
read_file_option(Config *config, ConfigCommand command, const IniEntry *entry,
				 const bool *given, bool *in_file, Error *err)
{
	const OptionDef *option = find_setting(entry->key);
	Config scratch = {0};
	bool counts;
	size_t i;

	if (option == NULL)
		return error_set(err, ERR_CONFIG, "unrecognized setting \"%s\"",
						 entry->key);
	i = (size_t) (option - option_table);
	if (in_file[i] && !may_be_repeated(option))
		return error_set(err, ERR_CONFIG, "\"%s\" is set twice", entry->key);
	in_file[i] = true;
	counts = !given[i] && (option->commands & command);
	return read_setting(counts ? config : &scratch, option, entry->value, err);
}

static Rc
read_file_options(Config *config, ConfigCommand command, const ConfigFile *file,
				  bool *given, Error *err)
{
	bool in_file[OPTION_COUNT_ALL] = {false};

	for (int i = 0; i < file->ini.entry_count; i++)
	{
		const IniEntry *entry = &file->ini.entries[i];

		if (entry->key == NULL ||
			strcmp(entry->section, CONFIG_FILE_OPTIONS) != 0)
			continue;
		if (read_file_option(config, command, entry, given, in_file, err) !=
			RC_OK)
			return config_file_error_at(file, entry->line, err);
		config->name_given |= strcmp(entry->key, "name") == 0;
	}
	for (size_t i = 0; i < OPTION_COUNT_ALL; i++)
		given[i] |= in_file[i];
	return RC_OK;
}

/* What the file says for --name, or NULL. */
static const char *
name_in_file(const ConfigFile *file)
{
	for (int i = 0; i < file->ini.entry_count; i++)
	{
		const IniEntry *entry = &file->ini.entries[i];

		if (entry->key != NULL && strcmp(entry->key, "name") == 0 &&
			strcmp(entry->section, CONFIG_FILE_OPTIONS) == 0)
			return entry->value;
	}
	return NULL;
}

/* A name that is given may be that of one source's pipeline: it means that. */
static void
take_name(Config *config, const ConfigFile *file)
{
	const char *name = name_in_file(file);
	size_t length = name != NULL ? strlen(name) : 0;

	if (name == NULL || config->name == NULL ||
		strncmp(config->name, name, length) != 0 || config->name[length] != '_')
		return;
	for (int i = 0; i < file->source_count; i++)
		if (strcmp(config->name + length + 1, file->source_names[i]) == 0)
		{
			config->from = file->source_names[i];
			config->name = name;
		}
}

/* One that comes from elsewhere would stand for all of the file's. */
static MUST_CHECK Rc
take_sources(Config *config, const ConfigFile *file, Error *err)
{
	Rc rc;

	if (config->source == NULL)
		config->source = file->source;
	if (file->source_count == 0)
		return RC_OK;
	config->source_count = file->source_count;
	for (int i = 0; i < file->source_count; i++)
	{
		config->sources[i] = file->sources[i];
		config->source_names[i] = file->source_names[i];
	}
	take_name(config, file);
	if (config->source == NULL)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG,
				   "a source is given, and \"%s\" has sources with names",
				   config->file);
	error_detail(err, "Leave out --source and PENSTOCK_SOURCE.");
	return rc;
}

/* Takes over the targets of the file, unless others are given. */
static void
take_targets(Config *config, const ConfigFile *file)
{
	config->placement = file->placement;
	if (config->target_count > 0)
		return;
	config->target_count = file->target_count;
	config->node_count = file->node_count;
	for (int i = 0; i < file->target_count; i++)
	{
		config->targets[i] = file->targets[i];
		config->target_names[i] = file->target_names[i];
	}
}

static Rc
read_file(Config *config, ConfigCommand command, bool *given, Error *err)
{
	ConfigFile file;
	Rc rc;

	if (config->file == NULL)
		return RC_OK;
	config->arena = arena_new(ARENA_BLOCK_BYTES);
	rc = config_file_read(&file, config->file, config->arena, err);
	if (rc == RC_OK)
		rc = read_file_options(config, command, &file, given, err);
	if (rc == RC_OK)
		rc = take_sources(config, &file, err);
	if (rc != RC_OK)
		return rc;
	take_targets(config, &file);
	return config_file_resolve(&file, config->target_names,
							   config->target_count, err);
}

static Rc
read_environment(Config *config, ConfigCommand command, bool *given, Error *err)
{
	for (size_t i = 0; i < OPTION_COUNT_ALL; i++)
	{
		const OptionDef *option = &option_table[i];
		const char *value = NULL;
		Rc rc;

		if (given[i])
			continue;
		if (option->environment != NULL && (option->commands & command))
			value = getenv(option->environment);
		if (value == NULL || value[0] == '\0')
			continue;
		rc = read_value(config, option, value, err);
		if (rc != RC_OK)
			return rc;
		given[i] = true;
	}
	return RC_OK;
}

static Rc
read_defaults(Config *config, const bool *given, Error *err)
{
	for (size_t i = 0; i < OPTION_COUNT_ALL; i++)
	{
		const OptionDef *option = &option_table[i];
		Rc rc;

		if (given[i] || option->default_value == NULL)
			continue;
		rc = read_value(config, option, option->default_value, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

bool
config_applies_transactions(const Config *config)
{
	return strcmp(config->apply_mode, "transaction") == 0;
}

/* What sources with names need, and what does not go with several of them. */
static Rc
check_sources(const Config *config, Error *err)
{
	if (config->from != NULL && config_find_source(config, config->from) < 0)
		return error_set(err, ERR_CONFIG,
						 "there is no section [source %s] in the configuration "
						 "file",
						 config->from);
	for (int i = 0; i < config->source_count; i++)
		if (strlen(config->name) + 1 + strlen(config->source_names[i]) >
			CONFIG_SOURCE_PIPELINE_MAX)
			return error_set(err, ERR_CONFIG,
							 "the name of the pipeline of source \"%s\", "
							 "\"%s_%s\", is longer than %d characters",
							 config->source_names[i], config->name,
							 config->source_names[i],
							 CONFIG_SOURCE_PIPELINE_MAX);
	if (config->source_count < 2)
		return RC_OK;
	if (config->placement == NULL)
		return error_set(err, ERR_CONFIG,
						 "several sources need a section [placement], which "
						 "says what of theirs is spread and what is the same "
						 "everywhere");
	if (placement_uses_directory(config->placement))
		return error_set(err, ERR_CONFIG,
						 "directory(COLUMN) cannot be used with several "
						 "sources: they do not list a key at the same moment");
	if (policy_is_lenient(&config->conflict_rules))
		return error_set(err, ERR_CONFIG,
						 "--on-conflict cannot be other than stop with several "
						 "sources: a row of one would hide another's");
	return RC_OK;
}

/* Options of which one rules out the other. */
static Rc
check_together(const Config *config, Error *err)
{
	if (config->schema_only && (config->data_only || config->follow))
		return error_set(err, ERR_CONFIG,
						 "--schema-only cannot be used with --%s",
						 config->data_only ? "data-only" : "follow");
	if (config->selection.tables.count > 0 &&
		config->selection.schemas.count > 0)
		return error_set(err, ERR_CONFIG,
						 "--table cannot be used with --schema");
	if (config->verify && (config->schema_only || config->placement != NULL))
		return error_set(err, ERR_CONFIG, "--verify cannot be used with %s",
						 config->schema_only ? "--schema-only"
											 : "a placement of tables");
	if (config->schema_only && (config->resume || config->restart))
		return error_set(err, ERR_CONFIG,
						 "--schema-only cannot be used with --%s",
						 config->resume ? "resume" : "restart");
	if (config->schema_only && config->copy_from != NULL)
		return error_set(err, ERR_CONFIG,
						 "--schema-only cannot be used with --copy-from");
	if (config->resume && config->restart)
		return error_set(err, ERR_CONFIG,
						 "--resume cannot be used with --restart");
	if (config->lanes > 1 && !config_applies_transactions(config))
		return error_set(err, ERR_CONFIG,
						 "--lanes can only be used with --apply=transaction");
	return check_sources(config, err);
}

/* Fills in what the command line left open. */
static Rc
complete(Config *config, ConfigCommand command, bool *given, Error *err)
{
	Rc rc = read_environment(config, command, given, err);

	if (rc == RC_OK)
		rc = read_file(config, command, given, err);
	if (rc == RC_OK)
		rc = read_defaults(config, given, err);
	if (rc != RC_OK)
		return rc;
	config->name_asked = config->name;
	if (config->publications == NULL)
		config->publications = config->name;
	if (config->node_count == 0)
		config->node_count = config->target_count;
	return check_together(config, err);
}

/* ---- the command line --------------------------------------------------- */

/* Builds what getopt_long() wants of the options that a command takes. */
static void
build_getopt(ConfigCommand command, struct option *longs, char *shorts)
{
	size_t n = 0;

	*shorts++ = ':'; /* tell a missing value from an unknown option */
	for (size_t i = 0; i < OPTION_COUNT_ALL; i++)
	{
		const OptionDef *option = &option_table[i];
		bool has_value = option->type != OPTION_FLAG;

		if (!(option->commands & command))
			continue;
		longs[n++] = (struct option){
			.name = option->name,
			.has_arg = has_value ? required_argument : no_argument,
			.val = OPTION_VALUE_BASE + (int) i,
		};
		if (option->letter != 0)
		{
			*shorts++ = option->letter;
			if (has_value)
				*shorts++ = ':';
		}
	}
	longs[n] = (struct option){0};
	*shorts = '\0';
}

/* The option that getopt_long()'s answer means, or NULL. */
static const OptionDef *
find_option(int answer)
{
	if (answer >= OPTION_VALUE_BASE)
		return &option_table[answer - OPTION_VALUE_BASE];
	for (size_t i = 0; i < OPTION_COUNT_ALL; i++)
		if (option_table[i].letter != 0 && option_table[i].letter == answer)
			return &option_table[i];
	return NULL;
}

Rc
config_read(Config *config, ConfigCommand command, int argc, char **argv,
			Error *err)
{
	struct option longs[OPTION_COUNT_ALL + 1];
	char shorts[2 * OPTION_COUNT_ALL + 2];
	bool given[OPTION_COUNT_ALL] = {false};
	int answer;

	*config = (Config){0};
	build_getopt(command, longs, shorts);
	opterr = 0;
	optind = 0; /* glibc's way to start anew, also within a group of letters */
	while ((answer = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
	{
		const OptionDef *option = find_option(answer);
		const char letter[] = {'-', (char) optopt, '\0'};
		bool has_letter = optopt > 0 && optopt < OPTION_VALUE_BASE;
		const char *word = has_letter ? letter : argv[optind - 1];
		Rc rc;

		if (answer == ':')
			return error_set(err, ERR_CONFIG, "option %s needs a value", word);
		if (option == NULL)
			return error_set(err, ERR_CONFIG, "unrecognized option \"%s\"",
							 word);
		if (given[option - option_table] && !may_be_repeated(option) &&
			option->type != OPTION_FLAG)
			return error_set(err, ERR_CONFIG, "option --%s is given twice",
							 option->name);
		given[option - option_table] = true;
		config->name_given |= option->type == OPTION_NAME;
		rc = read_value(config, option, optarg, err);
		if (rc != RC_OK)
			return rc;
	}
	config->words = argv + optind;
	config->word_count = argc - optind;
	if (config->word_count > 0 && !(command & COMMAND_WITH_WORDS))
		return error_set(err, ERR_CONFIG, "unexpected argument \"%s\"",
						 argv[optind]);
	if (config->help)
		return RC_OK;
	return complete(config, command, given, err);
}

void
config_release(Config *config)
{
	arena_free(config->arena);
	config->arena = NULL;
}

int
config_find_source(const Config *config, const char *name)
{
	for (int i = 0; i < config->source_count; i++)
		if (strcmp(config->source_names[i], name) == 0)
			return i;
	return -1;
}

void
config_take_source(const Config *config, int index, Config *one)
{
	size_t memory_bytes = config->memory_bytes / (size_t) config->source_count;

	ASSERT(index >= 0 && index < config->source_count);
	*one = *config;
	one->source = config->sources[index];
	one->source_name = config->source_names[index];
	one->name = arena_printf(config->arena, "%s_%s", config->name,
							 config->source_names[index]);
	one->memory_bytes = memory_bytes > CONFIG_MEMORY_MIN ? memory_bytes
														 : CONFIG_MEMORY_MIN;
	if (config->source_count > 1 && config->placement != NULL)
		one->placement = placement_share(config->placement, index == 0,
										 config->arena);
}

void
config_label_source(const Config *config, char label[static CONFIG_LABEL_SIZE])
{
	if (config->source_name != NULL)
		snprintf(label, CONFIG_LABEL_SIZE, "source \"%s\"",
				 config->source_name);
	else
		snprintf(label, CONFIG_LABEL_SIZE, "source");
}

void
config_label_target(const Config *config, int index,
					char label[static CONFIG_LABEL_SIZE])
{
	if (config->target_names[index] != NULL)
		snprintf(label, CONFIG_LABEL_SIZE, "target \"%s\"",
				 config->target_names[index]);
	else if (config->target_count > 1)
		snprintf(label, CONFIG_LABEL_SIZE, "target %d", index + 1);
	else
		snprintf(label, CONFIG_LABEL_SIZE, "target");
}

Rc
config_require_source(const Config *config, Error *err)
{
	Rc rc;

	if (config->source != NULL)
		return RC_OK;
	if (config->source_count > 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "the configuration file has several sources");
		error_hint(err, "Say which one is meant: --from=%s.",
				   config->source_names[0]);
		return rc;
	}
	rc = error_set(err, ERR_CONFIG, "no source is given");
	error_hint(err, "Use --source=CONNINFO, set PENSTOCK_SOURCE, or give it in "
					"section [source] of a configuration file.");
	return rc;
}

Rc
config_require_target(const Config *config, Error *err)
{
	Rc rc;

	if (config->target_count > 0)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG, "no target is given");
	error_hint(err, "Use --target=CONNINFO, set PENSTOCK_TARGET, or give it in "
					"a section [target NAME] of a configuration file.");
	return rc;
}

static void
print_option(const OptionDef *option, FILE *out)
{
	Buf line;

	buf_init(&line, BUF_TEXT_MAX);
	if (option->letter != 0)
		buf_printf(&line, "  -%c, --%s", option->letter, option->name);
	else
		buf_printf(&line, "      --%s", option->name);
	if (option->placeholder != NULL)
		buf_printf(&line, "=%s", option->placeholder);
	if (line.length > HELP_COLUMN - 2)
		buf_printf(&line, "\n%*s", HELP_COLUMN, "");
	else
		buf_printf(&line, "%*s", HELP_COLUMN - (int) line.length, "");
	buf_append_string(&line, option->help);
	if (option->default_value != NULL)
	{
		size_t length = strlen(option->help) + strlen(option->default_value);

		if (HELP_COLUMN + length + sizeof(" (default: )") > HELP_WIDTH)
			buf_printf(&line, "\n%*s", HELP_COLUMN - 1, "");
		buf_printf(&line, " (default: %s)", option->default_value);
	}
	fprintf(out, "%s\n", line.data);
	buf_release(&line);
}

void
config_print_options(ConfigCommand command, FILE *out)
{
	for (size_t i = 0; i < OPTION_COUNT_ALL; i++)
		if (option_table[i].commands & command)
			print_option(&option_table[i], out);
	fprintf(out, "\nEnvironment:\n");
	for (size_t i = 0; i < OPTION_COUNT_ALL; i++)
		if ((option_table[i].commands & command) && option_table[i].environment)
			fprintf(out, "  %-26sstands in for --%s\n",
					option_table[i].environment, option_table[i].name);
}
