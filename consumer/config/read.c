/*
 * read.c
 *    Reads the command line with getopt_long(), then the environment and the
 *    configuration file.
 */
#include "config/read.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "config/file.h"
#include "config/option.h"

/* Block size of the arena that a configuration file is read into. */
#define ARENA_BLOCK_BYTES (4 * KB)

/* Commands that accept arguments which are not options. */
#define COMMAND_WITH_WORDS                                                     \
	((unsigned) COMMAND_CONFIG | COMMAND_TABLE | COMMAND_SCHEMA | COMMAND_LOG)

/*
 * For an option of the table, getopt_long() returns this number plus the index
 * of its row.
 */
#define OPTION_VALUE_BASE 256

/* ---- the file and the environment --------------------------------------- */

static Rc
refuse_setting(const char *key, Error *err)
{
	Nearest nearest = {.word = key};
	Rc rc = error_set(err, ERR_CONFIG, "unrecognized setting \"%s\"", key);

	for (size_t i = 0; i < option_count; i++)
		if (!option_table[i].only_typed)
			nearest_offer(&nearest, option_table[i].name);
	if (nearest.found != NULL)
		error_hint(err, "Did you mean \"%s\"?", nearest.found);
	return rc;
}

/*
 * Refuses an environment variable and a setting of the file that contradict
 * each other.  Each of them leads to another database, and which one is meant
 * cannot be known.
 */
static MUST_CHECK Rc
refuse_environment(const Config *config, const char *variable, const char *what,
				   const char *option, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG, "%s is set, and \"%s\" has %s", variable,
					  config->file, what);

	error_hint(err, "Unset %s, or say which is meant with --%s.", variable,
			   option);
	return rc;
}

/*
 * Whether an option has its value from the environment; valid before the file
 * is read.
 */
static bool
is_exported(const Config *config, const char *option)
{
	return config_is_given(config, option) && !config_is_typed(config, option);
}

/*
 * Whether `name` is the pipeline's name in the file, or the name of the
 * pipeline of one of the file's sources.
 */
static bool
is_name_of(const char *name, const char *in_file, const ConfigFile *file)
{
	size_t length = strlen(in_file);

	if (strcmp(name, in_file) == 0)
		return true;
	if (strncmp(name, in_file, length) != 0 || name[length] != '_')
		return false;
	for (int i = 0; i < file->source_count; i++)
		if (strcmp(name + length + 1, file->source_names[i]) == 0)
			return true;
	return false;
}

/*
 * Reads one setting of section [penstock].  A setting that this command does
 * not accept, or that is overridden by the command line or the environment, is
 * checked all the same.
 */
static Rc
read_file_option(Config *config, ConfigCommand command, const ConfigFile *file,
				 const IniEntry *entry, const bool *given, bool *in_file,
				 Error *err)
{
	const OptionDef *option = option_find_setting(entry->key);
	Config scratch = {0};
	bool counts;
	size_t i;

	if (option == NULL)
		return refuse_setting(entry->key, err);
	i = (size_t) (option - option_table);
	if (in_file[i] && !option->type->is_list)
		return error_set(err, ERR_CONFIG, "\"%s\" is set twice", entry->key);
	in_file[i] = true;
	if (option->type == &type_name && is_exported(config, "name") &&
		!is_name_of(config->name, entry->value, file))
		return refuse_environment(config, "PENSTOCK_NAME", "another name",
								  "name", err);
	counts = !given[i] && (option->commands & command);
	if (counts)
		config_note_given(config, option->name, false);
	return option->type->parse(counts ? config : &scratch, option, entry->value,
							   err);
}

static Rc
read_file_options(Config *config, ConfigCommand command, const ConfigFile *file,
				  bool *given, Error *err)
{
	bool in_file[CONFIG_OPTIONS_MAX] = {false};

	for (int i = 0; i < file->ini.entry_count; i++)
	{
		const IniEntry *entry = &file->ini.entries[i];

		if (entry->key == NULL ||
			strcmp(entry->section, CONFIG_FILE_OPTIONS) != 0)
			continue;
		if (read_file_option(config, command, file, entry, given, in_file,
							 err) != RC_OK)
			return config_file_error_at(file, entry->line, err);
		config->name_given |= strcmp(entry->key, "name") == 0;
	}
	for (size_t i = 0; i < option_count; i++)
		given[i] |= in_file[i];
	return RC_OK;
}

/* Returns the value of "name" in section [penstock], or NULL. */
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

/*
 * Treats a --name that is the name of a source's pipeline as --from with that
 * source; refuses a --from that names another source.
 */
static MUST_CHECK Rc
take_name(Config *config, const ConfigFile *file, Error *err)
{
	const char *name = name_in_file(file);
	size_t length = name != NULL ? strlen(name) : 0;

	if (name == NULL || config->name == NULL ||
		strncmp(config->name, name, length) != 0 || config->name[length] != '_')
		return RC_OK;
	for (int i = 0; i < file->source_count; i++)
	{
		const char *source = file->source_names[i];

		if (strcmp(config->name + length + 1, source) != 0)
			continue;
		if (config->from != NULL && strcmp(config->from, source) != 0)
			return error_set(err, ERR_CONFIG,
							 "pipeline \"%s\" is that of source \"%s\", and "
							 "--from names source \"%s\"",
							 config->name, source, config->from);
		config->from = source;
		config->name = name;
		return RC_OK;
	}
	return RC_OK;
}

/*
 * Copies the sources of the file to *config.  Refuses a source from the command
 * line or the environment if the file has sources with names, because it would
 * replace all of them.
 */
static MUST_CHECK Rc
take_sources(Config *config, const ConfigFile *file, Error *err)
{
	Rc rc;

	if (config->source == NULL)
		config->source = file->source;
	else if (file->source != NULL && is_exported(config, "source") &&
			 strcmp(config->source, file->source) != 0)
		return refuse_environment(config, "PENSTOCK_SOURCE", "another source",
								  "source", err);
	if (file->source_count == 0)
		return RC_OK;
	config->source_count = file->source_count;
	for (int i = 0; i < file->source_count; i++)
	{
		config->sources[i] = file->sources[i];
		config->source_names[i] = file->source_names[i];
	}
	rc = take_name(config, file, err);
	if (rc != RC_OK || config->source == NULL)
		return rc;
	rc = error_set(err, ERR_CONFIG,
				   "a source is given, and \"%s\" has sources with names",
				   config->file);
	error_detail(err, "Leave out --source and PENSTOCK_SOURCE.");
	return rc;
}

/*
 * Copies the targets of the file to *config, unless targets are given
 * elsewhere.
 */
static MUST_CHECK Rc
take_targets(Config *config, const ConfigFile *file, Error *err)
{
	config->placement = file->placement;
	if (config->target_count > 0 && file->target_count > 0 &&
		is_exported(config, "target") &&
		(file->target_count > 1 ||
		 strcmp(config->targets[0], file->targets[0]) != 0))
		return refuse_environment(config, "PENSTOCK_TARGET", "other targets",
								  "target", err);
	if (config->target_count > 0 && !is_exported(config, "target"))
		return RC_OK;
	if (file->target_count == 0)
		return RC_OK;
	config->target_count = file->target_count;
	config->node_count = file->node_count;
	for (int i = 0; i < file->target_count; i++)
	{
		config->targets[i] = file->targets[i];
		config->target_names[i] = file->target_names[i];
	}
	return RC_OK;
}

/*
 * Appends the rules of section [ddl] to those of setting "on-ddl".  A rule on
 * the command line replaces both.
 */
static MUST_CHECK Rc
take_schema_rules(Config *config, ConfigCommand command, const ConfigFile *file,
				  Error *err)
{
	const SchemaRules *rules = &file->schema_rules;

	if (rules->count == 0 || config_is_typed(config, "on-ddl") ||
		option_find(command, "on-ddl") == NULL)
		return RC_OK;
	if (config->schema_rules.count + rules->count > POLICY_SCHEMA_RULES_MAX)
		return error_set(err, ERR_CONFIG,
						 "%s: too many rules for schema changes: at most %d",
						 config->file, POLICY_SCHEMA_RULES_MAX);
	for (int i = 0; i < rules->count; i++)
		config->schema_rules
			.rules[config->schema_rules.count++] = rules->rules[i];
	config_note_given(config, "on-ddl", false);
	return RC_OK;
}

/*
 * Takes the log of the file, for all commands that may follow.  A log that is
 * the source needs no other one beside it.
 */
static void
take_log(Config *config, ConfigCommand command, const ConfigFile *file)
{
	const int others = COMMAND_DROP | COMMAND_LOG | COMMAND_TAIL;

	if (file->log != NULL && config->log == NULL &&
		((int) command & others) == 0 && config_source_log(config) == NULL)
		config->log = file->log;
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
		rc = take_schema_rules(config, command, &file, err);
	if (rc == RC_OK)
		rc = take_sources(config, &file, err);
	if (rc != RC_OK)
		return rc;
	take_log(config, command, &file);
	rc = take_targets(config, &file, err);
	if (rc != RC_OK)
		return rc;
	return config_file_resolve(&file, config->target_names,
							   config->target_count, err);
}

static Rc
read_environment(Config *config, ConfigCommand command, bool *given, Error *err)
{
	for (size_t i = 0; i < option_count; i++)
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
		rc = option->type->parse(config, option, value, err);
		if (rc != RC_OK)
			return rc;
		given[i] = true;
		config_note_given(config, option->name, false);
	}
	return RC_OK;
}

static Rc
read_defaults(Config *config, const bool *given, Error *err)
{
	for (size_t i = 0; i < option_count; i++)
	{
		const OptionDef *option = &option_table[i];
		Rc rc;

		if (given[i] || option->default_value == NULL)
			continue;
		rc = option->type->parse(config, option, option->default_value, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/*
 * With several sources, checks that each rule for tables that are the same on
 * every target says that the rows come from the first source; with one source,
 * checks that no rule names a source.
 */
static MUST_CHECK Rc
check_source_names(const Config *config, const char *first, Error *err)
{
	for (int i = 0; config->placement != NULL &&
					i < placement_rule_count(config->placement);
		 i++)
	{
		const PlacementRule *rule = placement_rule(config->placement, i);
		const char *name = rule->source_name;
		Rc rc;

		if (rule->kind != PLACEMENT_ALL ||
			(name == NULL ? first == NULL
						  : first != NULL && strcmp(name, first) == 0))
			continue;
		if (first == NULL)
			return error_set(
				err, ERR_CONFIG,
				"%s:%d: \"all from\" needs several sources with names",
				config->file, rule->line);
		rc = error_set(err, ERR_CONFIG,
					   "%s:%d: placement \"all\" must be \"all from %s\" with "
					   "several sources",
					   config->file, rule->line, first);
		error_detail(err, "Tables that are on every target are copied from the "
						  "first source alone; rows that only other sources "
						  "have would be lost.");
		error_hint(err,
				   "If the rows of a table come from all sources, give the "
				   "table a line of its own.");
		return rc;
	}
	return RC_OK;
}

/*
 * Refuses a --from without its section, names of pipelines that are too long,
 * and what cannot be used with several sources.
 */
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
		return check_source_names(config, NULL, err);
	if (config->placement == NULL)
		return error_set(err, ERR_CONFIG,
						 "several sources need a section [placement], which "
						 "says on which targets each table is");
	if (placement_uses_directory(config->placement))
		return error_set(err, ERR_CONFIG,
						 "directory(COLUMN) cannot be used with several "
						 "sources, because each has a directory of its own");
	if (policy_is_lenient(&config->conflict_rules))
		return error_set(err, ERR_CONFIG,
						 "--on-conflict must be stop with several sources: "
						 "another policy could discard rows of one of them");
	if (config->ddl != NULL && strcmp(config->ddl, "off") != 0)
		return error_set(err, ERR_CONFIG,
						 "--ddl must be off with several sources: "
						 "each changes the schema at a position of its own");
	return check_source_names(config, config->source_names[0], err);
}

/* Refuses options that cannot be used together. */
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
	return check_sources(config, err);
}

/* Turns the direction round, as --back asks for. */
static MUST_CHECK Rc
turn_back(Config *config, Error *err)
{
	if (config->arena == NULL)
		config->arena = arena_new(ARENA_BLOCK_BYTES);
	config->back = false;
	return config_turn_back(config, config->arena, err);
}

/*
 * Completes the options from the environment, the file and the defaults, and
 * checks all of them together.
 */
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
	rc = check_together(config, err);
	if (rc == RC_OK && config->back)
		rc = turn_back(config, err);
	if (rc == RC_OK)
		rc = config_check_stride(config, err);
	/*
	 * Without --apply, a follower's stored value counts, which is not known
	 * yet.
	 */
	if (rc == RC_OK &&
		(command != COMMAND_FOLLOW || config_is_given(config, "apply")))
		rc = config_check_lanes(config, err);
	return rc;
}

/* ---- the command line --------------------------------------------------- */

/* Builds the arguments of getopt_long() for the options of a command. */
static void
build_getopt(ConfigCommand command, struct option *longs, char *shorts)
{
	size_t n = 0;

	*shorts++ =
		':'; /* report a missing value as ':', an unknown option as '?' */
	for (size_t i = 0; i < option_count; i++)
	{
		const OptionDef *option = &option_table[i];
		bool has_value = !option->type->is_flag;

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

/* Returns the option for a result of getopt_long(), or NULL. */
static const OptionDef *
find_option(int answer)
{
	if (answer >= OPTION_VALUE_BASE)
		return &option_table[answer - OPTION_VALUE_BASE];
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].letter != 0 && option_table[i].letter == answer)
			return &option_table[i];
	return NULL;
}

static Rc
refuse_option(ConfigCommand command, const char *word, Error *err)
{
	Nearest nearest = {.word = word + strspn(word, "-")};
	Rc rc = error_set(err, ERR_CONFIG, "unrecognized option \"%s\"", word);

	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].commands & command)
			nearest_offer(&nearest, option_table[i].name);
	if (nearest.found != NULL && strncmp(word, "--", 2) == 0)
		error_hint(err, "Did you mean \"--%s\"?", nearest.found);
	return rc;
}

Rc
config_read(Config *config, ConfigCommand command, int argc, char **argv,
			Error *err)
{
	struct option longs[CONFIG_OPTIONS_MAX + 1];
	char shorts[2 * CONFIG_OPTIONS_MAX + 2];
	bool given[CONFIG_OPTIONS_MAX] = {false};
	int answer;

	*config = (Config){0};
	build_getopt(command, longs, shorts);
	opterr = 0;
	optind = 0; /* glibc: also resets the position within a group of letters */
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
			return refuse_option(command, word, err);
		if (given[option - option_table] && !option->type->is_list &&
			!option->type->is_flag)
			return error_set(err, ERR_CONFIG, "option --%s is given twice",
							 option->name);
		given[option - option_table] = true;
		config_note_given(config, option->name, true);
		config->name_given |= option->type == &type_name;
		rc = option->type->parse(config, option, optarg, err);
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
