/*
 * file.c
 *    Sections to what they mean.
 */
#include "config/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No remainder is given. */
#define REMAINDER_NONE (-1)

/* What is being read. */
typedef struct Parse
{
	ConfigFile *file;
	Arena *arena;
	const IniEntry *entry;
	int source_line; /* of the section [source]; 0: there is none */
	int source_lines[CONFIG_SOURCES_MAX];  /* of those with names */
	int section_lines[CONFIG_TARGETS_MAX]; /* of the targets */
	int remainders[CONFIG_TARGETS_MAX];
} Parse;

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

/* Letters, digits and underscores; and what a rule can name without quotes. */
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

/* The section is none of those that are there: they have names and lines. */
static MUST_CHECK Rc
check_new(const char *kind, const char *name, const char *const *names,
		  const int *lines, int count, Error *err)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return error_set(err, ERR_CONFIG,
							 "%s \"%s\" is there twice: line %d is about "
							 "it, too",
							 kind, name, lines[i]);
	return RC_OK;
}

static MUST_CHECK Rc
begin_target(Parse *parse, const char *name, Error *err)
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

/* One source without a name, or any number of sources with names. */
static MUST_CHECK Rc
refuse_both(const Parse *parse, int line, Error *err)
{
	return error_set(err, ERR_CONFIG,
					 "section [%s] does not go with the source of line %d: "
					 "either there is one [source], or each has a name",
					 parse->entry->section, line);
}

static MUST_CHECK Rc
begin_source(Parse *parse, Error *err)
{
	if (parse->file->source_count > 0)
		return refuse_both(parse, parse->source_lines[0], err);
	parse->source_line = parse->entry->line;
	return RC_OK;
}

static MUST_CHECK Rc
begin_named_source(Parse *parse, const char *name, Error *err)
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

/* What follows a section's kind and a blank; NULL: it is of another kind. */
static const char *
section_name(const char *section, const char *kind)
{
	size_t length = strlen(kind);

	if (strncmp(section, kind, length) != 0 || section[length] != ' ')
		return NULL;
	return section + length + strspn(section + length, " \t");
}

static MUST_CHECK Rc
begin_section(Parse *parse, Error *err)
{
	const char *section = parse->entry->section;
	const char *target = section_name(section, "target");
	const char *source = section_name(section, "source");
	Rc rc;

	if (target != NULL)
		return begin_target(parse, target, err);
	if (source != NULL)
		return begin_named_source(parse, source, err);
	if (strcmp(section, "source") == 0)
		return begin_source(parse, err);
	if (strcmp(section, "placement") == 0 || strcmp(section, "directory") == 0)
	{
		if (parse->file->placement == NULL)
			parse->file->placement = placement_new(parse->arena);
		return RC_OK;
	}
	if (strcmp(section, CONFIG_FILE_OPTIONS) == 0)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG, "unrecognized section \"%s\"", section);
	error_detail(err, "Expected is [penstock], [source], [source NAME], "
					  "[target NAME], [placement] or [directory].");
	return rc;
}

/* ---- settings ----------------------------------------------------------- */

static MUST_CHECK Rc
unrecognized(const Parse *parse, const char *expected, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "unrecognized setting \"%s\" in section [%s]",
					  parse->entry->key, parse->entry->section);

	error_detail(err, "Expected is %s.", expected);
	return rc;
}

static MUST_CHECK Rc
read_conninfo(const Parse *parse, const char **conninfo, Error *err)
{
	if (*conninfo != NULL)
		return error_set(err, ERR_CONFIG, "conninfo is set twice");
	if (parse->entry->value[0] == '\0')
		return error_set(err, ERR_CONFIG, "conninfo is empty");
	*conninfo = parse->entry->value;
	return RC_OK;
}

static MUST_CHECK Rc
read_source_setting(Parse *parse, Error *err)
{
	ConfigFile *file = parse->file;

	if (strcmp(parse->entry->key, "conninfo") != 0)
		return unrecognized(parse, "conninfo", err);
	return read_conninfo(parse,
						 file->source_count > 0
							 ? &file->sources[file->source_count - 1]
							 : &file->source,
						 err);
}

static MUST_CHECK Rc
read_remainder(Parse *parse, int index, Error *err)
{
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
							 "remainder %ld is target \"%s\"'s already", number,
							 parse->file->target_names[i]);
	parse->remainders[index] = (int) number;
	return RC_OK;
}

static MUST_CHECK Rc
read_target_setting(Parse *parse, Error *err)
{
	ConfigFile *file = parse->file;
	int index = file->target_count - 1;

	if (strcmp(parse->entry->key, "conninfo") == 0)
		return read_conninfo(parse, &file->targets[index], err);
	if (strcmp(parse->entry->key, "remainder") == 0)
		return read_remainder(parse, index, err);
	return unrecognized(parse, "conninfo or remainder", err);
}

static MUST_CHECK Rc
invalid_directory(const Parse *parse, const char *expected, Error *err)
{
	return error_set(err, ERR_CONFIG, "invalid %s \"%s\": expected is %s",
					 parse->entry->key, parse->entry->value, expected);
}

/* Reads SCHEMA.TABLE. */
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
read_directory_setting(Parse *parse, Error *err)
{
	PlacementDirectory *directory = placement_directory(parse->file->placement);
	const char *key = parse->entry->key;
	const char *value = parse->entry->value;
	const char *rest;

	if (strcmp(key, "table") == 0)
		return read_directory_table(directory, value)
				   ? RC_OK
				   : invalid_directory(parse, "SCHEMA.TABLE", err);
	if (strcmp(key, "default") == 0)
	{
		directory->default_name = value;
		return RC_OK;
	}
	if (strcmp(key, "key") != 0 && strcmp(key, "node") != 0)
		return unrecognized(parse, "table, key, node or default", err);
	rest = identifier_read(value,
						   key[0] == 'k' ? directory->key : directory->node);
	if (rest == NULL || *rest != '\0')
		return invalid_directory(parse, "the name of a column", err);
	return RC_OK;
}

static MUST_CHECK Rc
read_entry(Parse *parse, Error *err)
{
	const IniEntry *entry = parse->entry;

	if (entry->key == NULL)
		return begin_section(parse, err);
	if (strcmp(entry->section, CONFIG_FILE_OPTIONS) == 0)
		return RC_OK;
	if (strcmp(entry->section, "placement") == 0)
		return placement_add(parse->file->placement, entry->key, entry->value,
							 entry->line, err);
	if (strcmp(entry->section, "directory") == 0)
		return read_directory_setting(parse, err);
	if (section_name(entry->section, "target") != NULL)
		return read_target_setting(parse, err);
	return read_source_setting(parse, err);
}

/* ---- the whole ---------------------------------------------------------- */

/* Sections of one kind, each of which stands for a database. */
typedef struct Ends
{
	const char *kind;
	int count;
	const char *const *names;
	const char *const *conninfos;
	const int *lines;
} Ends;

/* It has an address, and none before it has the same. */
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
check_all_ends(const Parse *parse, Error *err)
{
	const ConfigFile *file = parse->file;
	const Ends sources = {"source", file->source_count, file->source_names,
						  file->sources, parse->source_lines};
	const Ends targets = {"target", file->target_count, file->target_names,
						  file->targets, parse->section_lines};
	Rc rc = check_ends(file, &sources, err);

	return rc == RC_OK ? check_ends(file, &targets, err) : rc;
}

static void
swap_targets(Parse *parse, int a, int b)
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
 * Puts the target with remainder i in place i.  Where there are n remainders,
 * and none twice, they are right if each of 0 to n - 1 is there.
 */
static MUST_CHECK Rc
order_nodes(Parse *parse, Error *err)
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
	Parse parse = {.file = file, .arena = arena};
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

/* The index of the target of that name, or target_count. */
static int
find_target(const char *const *target_names, int target_count, const char *name)
{
	int target = 0;

	while (target < target_count && (target_names[target] == NULL ||
									 strcmp(target_names[target], name) != 0))
		target++;
	return target;
}

/* A directory is whole, and there if it is needed. */
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
