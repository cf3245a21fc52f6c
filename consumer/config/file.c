/*
 * file.c
 *    Reads sections and settings, and checks them together afterwards.
 */
#include "config/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"

/* Stands for the remainder of a target whose section has no such setting. */
#define REMAINDER_NONE (-1)

struct ConfigParse
{
	ConfigFile *file;
	Arena *arena;
	const IniEntry *entry;
	int source_line;                       /* line of section [source]; 0: there
											* is none */
	int source_lines[CONFIG_SOURCES_MAX];  /* lines of sections [source NAME] */
	int section_lines[CONFIG_TARGETS_MAX]; /* lines of sections [target NAME] */
	int log_line;                          /* line of section [log NAME] */
	int remainders[CONFIG_TARGETS_MAX];
	const ConfigSection *section; /* section of `entry` */
};

Rc
config_file_error_at(const ConfigFile *file, int line, Error *err)
{
	Error inner = {0};
	Rc rc;

	error_take(&inner, err);
	rc = error_set(err, inner.code, "%s:%d: %s", file->ini.path, line,
				   inner.message);
	if (inner.detail != NULL)
		error_detail(err, "%s", inner.detail);
	if (inner.hint != NULL)
		error_hint(err, "%s", inner.hint);
	error_reset(&inner);
	return rc;
}

/* ---- sections ----------------------------------------------------------- */

/*
 * Checks that the name of a section can be used in a placement without quotes.
 */
static MUST_CHECK Rc
check_name(const char *kind, const char *name, Error *err)
{
	size_t length = strlen(name);

	if (length > 0 && length < IDENTIFIER_SIZE &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length)
		return RC_OK;
	return error_set(err, ERR_CONFIG,
					 "invalid name of a %s \"%s\": expected are lower case "
					 "letters, digits and underscores",
					 kind, name);
}

/*
 * Refuses a section if an earlier section of the same kind has the same name.
 */
static MUST_CHECK Rc
check_new(const char *kind, const char *name, const char *const *names,
		  const int *lines, int count, Error *err)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return error_set(err, ERR_CONFIG,
							 "%s \"%s\" is defined twice: also in line %d",
							 kind, name, lines[i]);
	return RC_OK;
}

static MUST_CHECK Rc
begin_target(ConfigParse *parse, const char *name, Error *err)
{
	ConfigFile *file = parse->file;
	int index = file->target_count;
	Rc rc = check_name("target", name, err);

	if (rc == RC_OK)
		rc = check_new("target", name, file->target_names, parse->section_lines,
					   index, err);
	if (rc != RC_OK)
		return rc;
	if (index == CONFIG_TARGETS_MAX)
		return error_set(err, ERR_CONFIG, "too many targets: at most %d",
						 CONFIG_TARGETS_MAX);
	file->target_names[index] = name;
	parse->section_lines[index] = parse->entry->line;
	parse->remainders[index] = REMAINDER_NONE;
	file->target_count++;
	return RC_OK;
}

/*
 * Refuses a file that has both a source without a name and sources with names.
 */
static MUST_CHECK Rc
refuse_both(const ConfigParse *parse, int line, Error *err)
{
	return error_set(err, ERR_CONFIG,
					 "section [%s] does not go with the source of line %d: "
					 "either there is one [source], or each has a name",
					 parse->entry->section, line);
}

static MUST_CHECK Rc
begin_source(ConfigParse *parse, const char *name UNUSED, Error *err)
{
	if (parse->file->source_count > 0)
		return refuse_both(parse, parse->source_lines[0], err);
	parse->source_line = parse->entry->line;
	return RC_OK;
}

static MUST_CHECK Rc
begin_named_source(ConfigParse *parse, const char *name, Error *err)
{
	ConfigFile *file = parse->file;
	int index = file->source_count;
	Rc rc = check_name("source", name, err);

	if (rc == RC_OK)
		rc = check_new("source", name, file->source_names, parse->source_lines,
					   index, err);
	if (rc != RC_OK)
		return rc;
	if (parse->source_line > 0)
		return refuse_both(parse, parse->source_line, err);
	if (index == CONFIG_SOURCES_MAX)
		return error_set(err, ERR_CONFIG, "too many sources: at most %d",
						 CONFIG_SOURCES_MAX);
	file->source_names[index] = name;
	parse->source_lines[index] = parse->entry->line;
	file->source_count++;
	return RC_OK;
}

static MUST_CHECK Rc
begin_log(ConfigParse *parse, const char *name, Error *err)
{
	ConfigFile *file = parse->file;
	Rc rc = check_name("log", name, err);

	if (rc == RC_OK && file->log_name != NULL)
		return error_set(err, ERR_CONFIG,
						 "too many logs: at most one, and there is \"%s\"",
						 file->log_name);
	file->log_name = name;
	parse->log_line = parse->entry->line;
	return rc;
}

/*
 * Begins section [placement] or [directory], which share one Placement: the
 * first section creates it.
 */
static MUST_CHECK Rc
begin_placement(ConfigParse *parse, const char *name UNUSED, Error *err UNUSED)
{
	if (parse->file->placement == NULL)
		parse->file->placement = placement_new(parse->arena);
	return RC_OK;
}

/* ---- settings ----------------------------------------------------------- */

static MUST_CHECK Rc
read_conninfo(const ConfigParse *parse, const char **conninfo, Error *err)
{
	if (*conninfo != NULL)
		return error_set(err, ERR_CONFIG, "conninfo is set twice");
	if (parse->entry->value[0] == '\0')
		return error_set(err, ERR_CONFIG, "conninfo is empty");
	*conninfo = parse->entry->value;
	return RC_OK;
}

static MUST_CHECK Rc
read_source(ConfigParse *parse, Error *err)
{
	return read_conninfo(parse, &parse->file->source, err);
}

static MUST_CHECK Rc
read_named_source(ConfigParse *parse, Error *err)
{
	ConfigFile *file = parse->file;

	return read_conninfo(parse, &file->sources[file->source_count - 1], err);
}

static MUST_CHECK Rc
read_target(ConfigParse *parse, Error *err)
{
	ConfigFile *file = parse->file;

	return read_conninfo(parse, &file->targets[file->target_count - 1], err);
}

static MUST_CHECK Rc
read_log(ConfigParse *parse, Error *err)
{
	ConfigFile *file = parse->file;

	if (file->log != NULL)
		return error_set(err, ERR_CONFIG, "directory is set twice");
	if (parse->entry->value[0] == '\0')
		return error_set(err, ERR_CONFIG, "directory is empty");
	file->log = parse->entry->value;
	return RC_OK;
}

static MUST_CHECK Rc
read_remainder(ConfigParse *parse, Error *err)
{
	int index = parse->file->target_count - 1;
	const char *value = parse->entry->value;
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || number < 0 ||
		number >= CONFIG_TARGETS_MAX)
		return error_set(err, ERR_CONFIG,
						 "invalid remainder \"%s\": expected is a number from "
						 "0 to %d",
						 value, CONFIG_TARGETS_MAX - 1);
	for (int i = 0; i < parse->file->target_count; i++)
		if (parse->remainders[i] == number)
			return error_set(err, ERR_CONFIG,
							 "target \"%s\" already has remainder %ld",
							 parse->file->target_names[i], number);
	parse->remainders[index] = (int) number;
	return RC_OK;
}

static MUST_CHECK Rc
invalid_directory(const ConfigParse *parse, const char *expected, Error *err)
{
	return error_set(err, ERR_CONFIG, "invalid %s \"%s\": expected is %s",
					 parse->entry->key, parse->entry->value, expected);
}

/*
 * Reads the value of setting "table" in section [directory]: SCHEMA.TABLE.
 * Returns false if it is anything else.
 */
static bool
read_directory_table(PlacementDirectory *directory, const char *value)
{
	const char *rest = identifier_read(value, directory->schema);

	if (rest == NULL || *rest != '.')
		return false;
	rest = identifier_read(rest + 1, directory->table);
	return rest != NULL && *rest == '\0';
}

static MUST_CHECK Rc
read_directory_name(ConfigParse *parse, Error *err)
{
	return read_directory_table(placement_directory(parse->file->placement),
								parse->entry->value)
			   ? RC_OK
			   : invalid_directory(parse, "SCHEMA.TABLE", err);
}

static MUST_CHECK Rc
read_directory_column(const ConfigParse *parse, char *column, Error *err)
{
	const char *rest = identifier_read(parse->entry->value, column);

	if (rest == NULL || *rest != '\0')
		return invalid_directory(parse, "the name of a column", err);
	return RC_OK;
}

static MUST_CHECK Rc
read_directory_key(ConfigParse *parse, Error *err)
{
	return read_directory_column(
		parse, placement_directory(parse->file->placement)->key, err);
}

static MUST_CHECK Rc
read_directory_node(ConfigParse *parse, Error *err)
{
	return read_directory_column(
		parse, placement_directory(parse->file->placement)->node, err);
}

static MUST_CHECK Rc
read_directory_default(ConfigParse *parse, Error *err UNUSED)
{
	placement_directory(parse->file->placement)->default_name = parse->entry
																	->value;
	return RC_OK;
}

static MUST_CHECK Rc
read_placement(ConfigParse *parse, Error *err)
{
	return placement_add(parse->file->placement, parse->entry->key,
						 parse->entry->value, parse->entry->line, err);
}

/*
 * Reads a setting of section [ddl]: KIND = POLICY or KIND.SCHEMA.TABLE =
 * POLICY.
 */
static MUST_CHECK Rc
read_schema_rule(ConfigParse *parse, Error *err)
{
	const IniEntry *entry = parse->entry;
	const char *text = arena_printf(parse->arena, "%s:%s", entry->key,
									entry->value);

	if (policy_add_schema_rule(&parse->file->schema_rules, text))
		return RC_OK;
	return error_set(err, ERR_CONFIG,
					 "invalid rule \"%s = %s\": expected is a kind of create, "
					 "alter, rename, drop, index, constraint, partition, "
					 "sequence, type, other or all, maybe with .SCHEMA.TABLE, "
					 "and off, stop or follow (not of other); at most %d",
					 entry->key, entry->value, POLICY_SCHEMA_RULES_MAX);
}

/*
 * Ignores a setting of section [penstock]: config/read.c reads it as an option.
 */
static MUST_CHECK Rc
pass_over(ConfigParse *parse UNUSED, Error *err UNUSED)
{
	return RC_OK;
}

/* ---- the table ---------------------------------------------------------- */

#define CONNINFO_HELP "its connection string"

static const ConfigSetting source_settings[] = {
	{"conninfo", "host=old.example dbname=shop", CONNINFO_HELP, false,
	 read_source},
};

static const ConfigSetting named_source_settings[] = {
	{"conninfo", "host=old.example dbname=shop", CONNINFO_HELP, false,
	 read_named_source},
};

static const ConfigSetting target_settings[] = {
	{"conninfo", "host=a.example dbname=shop", CONNINFO_HELP, false,
	 read_target},
	{"remainder", "0",
	 "which rows of hashed tables it has: of n targets with a remainder each "
	 "has another one from 0 to n - 1; without any, they count in the order of "
	 "the file",
	 true, read_remainder},
};

static const ConfigSetting log_settings[] = {
	{"directory", "/var/lib/penstock/shop", "the directory that it is in",
	 false, read_log},
};

static const ConfigSetting placement_settings[] = {
	{"public.orders", "hash(customer)",
	 "each row on one target, by a hash of the column", true, NULL},
	{"public.invoices", "directory(tenant)",
	 "each row on the target that section [directory] has for the column's "
	 "value",
	 true, NULL},
	{"public.reports", "only a", "every row on that target", true, NULL},
	{"public.tmp_*", "none", "on no target; a clone does not create it", true,
	 NULL},
	{"public.countries", "all from old",
	 "with several sources: every row of that source, which is the first, on "
	 "every target",
	 true, NULL},
	{"*", "all", "every row on every target", false, NULL},
};

static const ConfigSetting ddl_settings[] = {
	{"drop", "stop", "the follower ends, and says what would be dropped", true,
	 NULL},
	{"index", "off", "not done, with a warning", true, NULL},
	{"all.public.audit", "off", "every kind of change, to that table", true,
	 NULL},
	{"other", "stop", "functions, views and what else is not followed", true,
	 NULL},
};

static const ConfigSetting directory_settings[] = {
	{"table", "public.tenant", "the table on the source", false,
	 read_directory_name},
	{"key", "id", "its column with the keys", false, read_directory_key},
	{"node", "node", "its column with the names of targets", false,
	 read_directory_node},
	{"default", "a", "the target of keys that it lacks", true,
	 read_directory_default},
};

#define SETTINGS(array) .settings = array, .setting_count = LENGTH_OF(array)

const ConfigSection config_sections[] = {
	{
		.word = CONFIG_FILE_OPTIONS,
		.is_example = true,
		.help = "Options as on the command line, without the dashes.  A flag "
				"is true or false; what may be repeated has a line for each "
				"value.  The command line and the environment come first.",
		.read = pass_over,
	},
	{
		.word = "source",
		.is_example = true,
		.help = "The database that changes come from.",
		.begin = begin_source,
		SETTINGS(source_settings),
	},
	{
		.word = "source",
		.has_name = true,
		.help = "Or several of them, each with a name; its pipeline is the one "
				"that option \"name\" names, with _NAME after it.",
		.begin = begin_named_source,
		SETTINGS(named_source_settings),
	},
	{
		.word = "target",
		.has_name = true,
		.is_example = true,
		.help = "A database that changes go to; a section for each.",
		.begin = begin_target,
		SETTINGS(target_settings),
	},
	{
		.word = "log",
		.has_name = true,
		.help =
			"A log of all changes, which is recorded beside the targets and "
			"feeds those that lag; as option \"log\" of follow and record.",
		.begin = begin_log,
		SETTINGS(log_settings),
	},
	{
		.word = "placement",
		.is_example = true,
		.help = "What is to be where, if there are several targets.  A name "
				"may end "
				"in *, and * alone is all tables that are left; of a table the "
				"line counts that says most of its name.",
		.begin = begin_placement,
		.read = read_placement,
		SETTINGS(placement_settings),
	},
	{
		.word = "directory",
		.help = "Needed where the placement of a table is directory(COLUMN).",
		.begin = begin_placement,
		SETTINGS(directory_settings),
	},
	{
		.word = "ddl",
		.help = "What is done with kinds of schema changes, otherwise than "
				"option \"ddl\" says: off, stop or follow.  Kinds are create, "
				"alter, rename, drop, index, constraint, partition, sequence, "
				"type, other and all.",
		.read = read_schema_rule,
		SETTINGS(ddl_settings),
	},
};

const int config_section_count = LENGTH_OF(config_sections);

/* ---- sections and their settings ---------------------------------------- */

/*
 * Returns the name of a section from the text between the brackets; "" if this
 * kind of section has no name, NULL if the text is not a section of this kind.
 */
static const char *
section_name(const ConfigSection *section, const char *text)
{
	size_t length = strlen(section->word);

	if (!section->has_name)
		return strcmp(text, section->word) == 0 ? "" : NULL;
	if (strncmp(text, section->word, length) != 0 || text[length] != ' ')
		return NULL;
	return text + length + strspn(text + length, " \t");
}

/*
 * Returns what separates a word of a list from the word before it: "a, b or c".
 */
static const char *
separator(int index, int count)
{
	return index == 0 ? "" : index == count - 1 ? " or " : ", ";
}

static MUST_CHECK Rc
begin_section(ConfigParse *parse, Error *err)
{
	const char *text = parse->entry->section;
	Buf expected;
	Rc rc;

	for (int i = 0; i < config_section_count; i++)
	{
		const ConfigSection *section = &config_sections[i];
		const char *name = section_name(section, text);

		if (name == NULL)
			continue;
		parse->section = section;
		return section->begin != NULL ? section->begin(parse, name, err)
									  : RC_OK;
	}
	rc = error_set(err, ERR_CONFIG, "unrecognized section \"%s\"", text);
	buf_init(&expected, BUF_TEXT_MAX);
	for (int i = 0; i < config_section_count; i++)
		buf_printf(&expected, "%s[%s%s]", separator(i, config_section_count),
				   config_sections[i].word,
				   config_sections[i].has_name ? " NAME" : "");
	error_detail(err, "Expected is %s.", expected.data);
	buf_release(&expected);
	return rc;
}

static MUST_CHECK Rc
read_setting(ConfigParse *parse, Error *err)
{
	const ConfigSection *section = parse->section;
	Buf expected;
	Rc rc;

	/* ini_read() refuses a setting before the first section. */
	CHECK(section != NULL);
	if (section->read != NULL)
		return section->read(parse, err);
	for (int i = 0; i < section->setting_count; i++)
		if (strcmp(section->settings[i].key, parse->entry->key) == 0)
			return section->settings[i].read(parse, err);
	rc = error_set(err, ERR_CONFIG,
				   "unrecognized setting \"%s\" in section [%s]",
				   parse->entry->key, parse->entry->section);
	buf_init(&expected, BUF_TEXT_MAX);
	for (int i = 0; i < section->setting_count; i++)
		buf_printf(&expected, "%s%s", separator(i, section->setting_count),
				   section->settings[i].key);
	error_detail(err, "Expected is %s.", expected.data);
	buf_release(&expected);
	return rc;
}

static MUST_CHECK Rc
read_entry(ConfigParse *parse, Error *err)
{
	return parse->entry->key == NULL ? begin_section(parse, err)
									 : read_setting(parse, err);
}

/* ---- the whole ---------------------------------------------------------- */

/*
 * All sections of one kind that describe databases: the sources with names, or
 * the targets.
 */
typedef struct Ends
{
	const char *kind;
	int count;
	const char *const *names;
	const char *const *conninfos;
	const int *lines;
} Ends;

/*
 * Checks that a database has a conninfo that differs from those of the
 * databases before it.
 */
static MUST_CHECK Rc
check_end(const Ends *ends, int index, Error *err)
{
	if (ends->conninfos[index] == NULL)
		return error_set(err, ERR_CONFIG, "%s \"%s\" has no conninfo",
						 ends->kind, ends->names[index]);
	for (int i = 0; i < index; i++)
		if (strcmp(ends->conninfos[index], ends->conninfos[i]) == 0)
			return error_set(err, ERR_CONFIG,
							 "%ss \"%s\" and \"%s\" have the same address",
							 ends->kind, ends->names[i], ends->names[index]);
	return RC_OK;
}

static MUST_CHECK Rc
check_ends(const ConfigFile *file, const Ends *ends, Error *err)
{
	for (int i = 0; i < ends->count; i++)
		if (check_end(ends, i, err) != RC_OK)
			return config_file_error_at(file, ends->lines[i], err);
	return RC_OK;
}

static MUST_CHECK Rc
check_all_ends(const ConfigParse *parse, Error *err)
{
	const ConfigFile *file = parse->file;
	const Ends sources = {"source", file->source_count, file->source_names,
						  file->sources, parse->source_lines};
	const Ends targets = {"target", file->target_count, file->target_names,
						  file->targets, parse->section_lines};
	Rc rc = check_ends(file, &sources, err);

	if (rc == RC_OK)
		rc = check_ends(file, &targets, err);
	if (rc != RC_OK || file->log_name == NULL || file->log != NULL)
		return rc;
	rc = error_set(err, ERR_CONFIG, "log \"%s\" has no directory",
				   file->log_name);
	return config_file_error_at(file, parse->log_line, err);
}

static void
swap_targets(ConfigParse *parse, int a, int b)
{
	ConfigFile *file = parse->file;
	const char *target = file->targets[a];
	const char *name = file->target_names[a];
	int remainder = parse->remainders[a];

	file->targets[a] = file->targets[b];
	file->target_names[a] = file->target_names[b];
	parse->remainders[a] = parse->remainders[b];
	file->targets[b] = target;
	file->target_names[b] = name;
	parse->remainders[b] = remainder;
}

/*
 * Sorts the targets by remainder, those without one last.  n targets have
 * remainders, all of them different, so the remainders are correct if each
 * number from 0 to n - 1 is among them.
 */
static MUST_CHECK Rc
order_nodes(ConfigParse *parse, Error *err)
{
	ConfigFile *file = parse->file;
	int count = 0;

	for (int i = 0; i < file->target_count; i++)
		count += parse->remainders[i] != REMAINDER_NONE ? 1 : 0;
	file->node_count = count > 0 ? count : file->target_count;
	for (int place = 0; place < count; place++)
	{
		int found = place;

		while (found < file->target_count && parse->remainders[found] != place)
			found++;
		if (found == file->target_count)
			return error_set(err, ERR_CONFIG,
							 "%s: no target has remainder %d, and %d have one",
							 file->ini.path, place, count);
		swap_targets(parse, place, found);
	}
	return RC_OK;
}

Rc
config_file_read(ConfigFile *file, const char *path, Arena *arena, Error *err)
{
	ConfigParse parse = {.file = file, .arena = arena};
	Rc rc;

	*file = (ConfigFile){0};
	rc = ini_read(&file->ini, path, arena, err);
	for (int i = 0; rc == RC_OK && i < file->ini.entry_count; i++)
	{
		parse.entry = &file->ini.entries[i];
		if (read_entry(&parse, err) != RC_OK)
			return config_file_error_at(file, parse.entry->line, err);
	}
	if (rc == RC_OK)
		rc = check_all_ends(&parse, err);
	if (rc == RC_OK)
		rc = order_nodes(&parse, err);
	return rc;
}

/* Returns the index of the target with that name, or target_count. */
static int
find_target(const char *const *target_names, int target_count, const char *name)
{
	int target = 0;

	while (target < target_count && (target_names[target] == NULL ||
									 strcmp(target_names[target], name) != 0))
		target++;
	return target;
}

/*
 * If a placement uses the directory: checks that section [directory] is
 * complete, and looks up its default target.
 */
static MUST_CHECK Rc
resolve_directory(const ConfigFile *file, const char *const *target_names,
				  int target_count, Error *err)
{
	PlacementDirectory *directory = placement_directory(file->placement);

	if (!placement_uses_directory(file->placement))
		return RC_OK;
	if (directory->schema[0] == '\0' || directory->key[0] == '\0' ||
		directory->node[0] == '\0')
		return error_set(err, ERR_CONFIG,
						 "%s: section [directory] has to say table, key and "
						 "node",
						 file->ini.path);
	directory->target_names = target_names;
	directory->target_count = target_count;
	if (directory->default_name == NULL)
		return RC_OK;
	directory->default_target = find_target(target_names, target_count,
											directory->default_name);
	if (directory->default_target < target_count)
		return RC_OK;
	return error_set(err, ERR_CONFIG,
					 "%s: there is no target \"%s\", which section [directory] "
					 "names",
					 file->ini.path, directory->default_name);
}

Rc
config_file_resolve(const ConfigFile *file, const char *const *target_names,
					int target_count, Error *err)
{
	if (file->placement == NULL)
		return RC_OK;
	for (int i = 0; i < placement_rule_count(file->placement); i++)
	{
		const PlacementRule *rule = placement_rule(file->placement, i);
		int target;
		Rc rc;

		if (rule->kind != PLACEMENT_ONLY)
			continue;
		target = find_target(target_names, target_count, rule->target_name);
		if (target < target_count)
		{
			placement_set_target(file->placement, i, target);
			continue;
		}
		rc = error_set(err, ERR_CONFIG, "there is no target \"%s\"",
					   rule->target_name);
		(void) rc;
		return config_file_error_at(file, rule->line, err);
	}
	return resolve_directory(file, target_names, target_count, err);
}
