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
static bool
is_target_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length < IDENTIFIER_SIZE &&
		   strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static MUST_CHECK Rc
begin_target(Parse *parse, const char *name, Error *err)
{
	ConfigFile *file = parse->file;
	int index = file->target_count;

	if (!is_target_name(name))
		return error_set(err, ERR_CONFIG,
						 "invalid name of a target \"%s\": expected are lower "
						 "case letters, digits and underscores",
						 name);
	for (int i = 0; i < index; i++)
		if (strcmp(file->target_names[i], name) == 0)
			return error_set(err, ERR_CONFIG,
							 "target \"%s\" is there twice: line %d is about "
							 "it, too",
							 name, parse->section_lines[i]);
	if (index == CONFIG_TARGETS_MAX)
		return error_set(err, ERR_CONFIG, "too many targets: at most %d",
						 CONFIG_TARGETS_MAX);
	file->target_names[index] = name;
	parse->section_lines[index] = parse->entry->line;
	parse->remainders[index] = REMAINDER_NONE;
	file->target_count++;
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
	Rc rc;

	if (target != NULL)
		return begin_target(parse, target, err);
	if (strcmp(section, "placement") == 0 || strcmp(section, "directory") == 0)
	{
		if (parse->file->placement == NULL)
			parse->file->placement = placement_new(parse->arena);
		return RC_OK;
	}
	if (strcmp(section, CONFIG_FILE_OPTIONS) == 0 ||
		strcmp(section, "source") == 0)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG, "unrecognized section \"%s\"", section);
	error_detail(err, "Expected is [penstock], [source], [target NAME], "
					  "[placement] or [directory].");
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
	if (strcmp(entry->section, "source") != 0)
		return read_target_setting(parse, err);
	if (strcmp(entry->key, "conninfo") != 0)
		return unrecognized(parse, "conninfo", err);
	return read_conninfo(parse, &parse->file->source, err);
}

/* ---- the whole ---------------------------------------------------------- */

/* No target before this one is the same. */
static MUST_CHECK Rc
check_address(const ConfigFile *file, int index, Error *err)
{
	for (int i = 0; i < index; i++)
		if (strcmp(file->targets[index], file->targets[i]) == 0)
			return error_set(err, ERR_CONFIG,
							 "targets \"%s\" and \"%s\" have the same "
							 "address",
							 file->target_names[i], file->target_names[index]);
	return RC_OK;
}

static MUST_CHECK Rc
check_targets(const Parse *parse, Error *err)
{
	const ConfigFile *file = parse->file;

	for (int i = 0; i < file->target_count; i++)
	{
		int line = parse->section_lines[i];
		Rc rc = RC_OK;

		if (file->targets[i] == NULL)
		{
			rc = error_set(err, ERR_CONFIG, "target \"%s\" has no conninfo",
						   file->target_names[i]);
			(void) rc;
			return config_file_error_at(file, line, err);
		}
		else
			rc = check_address(file, i, err);
		if (rc != RC_OK)
			return config_file_error_at(file, line, err);
	}
	return RC_OK;
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
		rc = check_targets(&parse, err);
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
