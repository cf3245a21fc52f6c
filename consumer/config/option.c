/*
 * option.c
 *    The table of options.
 */
#include "config/option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_ALL         (~0U)
#define COMMAND_WITH_TARGET (COMMAND_ALL & ~(unsigned) COMMAND_TAIL)
#define COMMAND_STREAMING                                                      \
	((unsigned) COMMAND_CLONE | COMMAND_FOLLOW | COMMAND_TAIL)

#define FIELD(member) offsetof(Config, member)

const OptionDef option_table[] = {
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
		 COMMAND_DROP | COMMAND_FENCE | COMMAND_TABLE | COMMAND_SEQUENCES,
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
	{"data-only", 0, OPTION_FLAG, COMMAND_CLONE | COMMAND_CHECK,
	 FIELD(data_only), NULL, NULL, NULL,
	 "copy the data into tables that are there"},
	{"table", 0, OPTION_PATTERN, COMMAND_CLONE | COMMAND_CHECK,
	 FIELD(selection.tables), "PATTERN", NULL, NULL,
	 "only these of the published tables; may be repeated"},
	{"exclude-table", 0, OPTION_PATTERN, COMMAND_CLONE | COMMAND_CHECK,
	 FIELD(selection.exclude_tables), "PATTERN", NULL, NULL,
	 "not these tables; may be repeated"},
	{"schema", 0, OPTION_PATTERN, COMMAND_CLONE | COMMAND_CHECK,
	 FIELD(selection.schemas), "PATTERN", NULL, NULL,
	 "only what is in these schemas; may be repeated"},
	{"exclude-schema", 0, OPTION_PATTERN, COMMAND_CLONE | COMMAND_CHECK,
	 FIELD(selection.exclude_schemas), "PATTERN", NULL, NULL,
	 "nothing of these schemas; may be repeated"},
	{"verify", 0, OPTION_FLAG, COMMAND_CLONE, FIELD(verify), NULL, NULL, NULL,
	 "compare the contents of each table at the snapshot"},
	{"no-owner", 0, OPTION_FLAG, COMMAND_CLONE | COMMAND_TABLE | COMMAND_CHECK,
	 FIELD(no_owner), NULL, NULL, NULL, "give everything to the target's user"},
	{"no-privileges", 0, OPTION_FLAG,
	 COMMAND_CLONE | COMMAND_TABLE | COMMAND_CHECK, FIELD(no_privileges), NULL,
	 NULL, NULL, "grant and revoke nothing"},
	{"no-tablespaces", 0, OPTION_FLAG,
	 COMMAND_CLONE | COMMAND_TABLE | COMMAND_CHECK, FIELD(no_tablespaces), NULL,
	 NULL, NULL, "put everything into the default tablespace"},
	{"no-unlogged-table-data", 0, OPTION_FLAG, COMMAND_CLONE | COMMAND_CHECK,
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
	{"skip-missing-publications", 0, OPTION_FLAG, COMMAND_FOLLOW,
	 FIELD(skip_missing), NULL, NULL, NULL,
	 "publish nothing by one where the log is from before it was created"},
	{"streaming", 0, OPTION_SWITCH, COMMAND_CLONE | COMMAND_FOLLOW,
	 FIELD(streaming), "on|off", "PENSTOCK_STREAMING", "on",
	 "apply large transactions while they are in progress on the source"},
	{"bundle", 0, OPTION_SWITCH, COMMAND_STREAMING | COMMAND_TABLE,
	 FIELD(bundle), "on|off", "PENSTOCK_BUNDLE", "on",
	 "let the source send several small transactions in a message"},
	{"compression", 0, OPTION_COMPRESSION, COMMAND_STREAMING | COMMAND_TABLE,
	 FIELD(compression), "none|zstd[:N]", "PENSTOCK_COMPRESSION", NULL,
	 "have the source compress the stream, at level 1 to 19\n"
	 "                            (default: none; of zstd: 1)"},
	{"on-conflict", 0, OPTION_CONFLICT,
	 COMMAND_CHECK | COMMAND_CLONE | COMMAND_FOLLOW | COMMAND_TABLE,
	 FIELD(conflict_rules), "[TABLE:]POLICY", NULL, NULL,
	 "stop, skip or overwrite, for all tables or one; may be repeated\n"
	 "                            (default: stop)"},
	{"set", 0, OPTION_FLAG, COMMAND_FOLLOW, FIELD(set), NULL, NULL, NULL,
	 "change what the pipeline remembers to what is given"},
	{"messages", 0, OPTION_FLAG, COMMAND_TAIL, FIELD(messages), NULL, NULL,
	 NULL, "also print logical decoding messages"},
	{"create-slot", 0, OPTION_FLAG, COMMAND_TAIL, FIELD(create_slot), NULL,
	 NULL, NULL,
	 "read from slot NAME, made if need be; else from a temporary one"},
	{"keep", 0, OPTION_FLAG, COMMAND_TABLE, FIELD(keep), NULL, NULL, NULL,
	 "pause: let the source keep the changes, so resume needs no copy"},
	{"by-name", 0, OPTION_FLAG, COMMAND_TABLE, FIELD(by_name), NULL, NULL, NULL,
	 "remove: take names as they are, of tables that nobody has any more"},
	{"json", 0, OPTION_FLAG, COMMAND_STATUS | COMMAND_CHECK, FIELD(json), NULL,
	 NULL, NULL, "print for machines"},
	{"hold", 0, OPTION_SECONDS, COMMAND_FENCE, FIELD(hold_s), "SECONDS", NULL,
	 NULL, "how long to hold the targets (default: until told to stop)"},
	{"coordinator", 0, OPTION_STRING, COMMAND_FEDERATE, FIELD(coordinator),
	 "CONNINFO", NULL, NULL,
	 "database that is to show all nodes as one; without --apply\n"
	 "                            what it lacks is printed"},
	{"apply", 0, OPTION_FLAG, COMMAND_FEDERATE, FIELD(apply), NULL, NULL, NULL,
	 "run the statements on the coordinator; again after changes"},
	{"force", 0, OPTION_FLAG, COMMAND_DROP, FIELD(force), NULL, NULL, NULL,
	 "drop the slot also if a target does not know the pipeline"},
	{"dry-run", 0, OPTION_FLAG, COMMAND_DROP | COMMAND_CLONE, FIELD(dry_run),
	 NULL, NULL, NULL, "only say what would be done"},
	{"verbose", 'v', OPTION_FLAG, COMMAND_ALL, FIELD(verbose), NULL, NULL, NULL,
	 "say more"},
	{"quiet", 'q', OPTION_FLAG, COMMAND_ALL, FIELD(quiet), NULL, NULL, NULL,
	 "say only what is wrong"},
	{"help", 'h', OPTION_FLAG, COMMAND_ALL, FIELD(help), NULL, NULL, NULL,
	 "print this and exit"},
};

const size_t option_count = LENGTH_OF(option_table);
_Static_assert(LENGTH_OF(option_table) <= OPTIONS_MAX, "a bit for each");

bool
option_may_be_repeated(const OptionDef *option)
{
	return option->type == OPTION_TARGET || option->type == OPTION_CONFLICT ||
		   option->type == OPTION_PATTERN;
}

void *
option_field(Config *config, const OptionDef *option)
{
	return (char *) config + option->offset;
}

Rc
option_bad_value(Error *err, const OptionDef *option, const char *value,
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
		return option_bad_value(
			err, option, value,
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
		return option_bad_value(err, option, value, expected);
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
	return option_bad_value(err, option, value, expected);
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
		return option_bad_value(err, option, value, expected);
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
		return option_bad_value(err, option, value, "a pattern");
	if (list->count == SELECTION_PATTERNS_MAX)
		return error_set(err, ERR_CONFIG, "too many --%s: at most %d",
						 option->name, SELECTION_PATTERNS_MAX);
	list->patterns[list->count++] = value;
	return RC_OK;
}

Rc
option_read_value(Config *config, const OptionDef *option, const char *value,
				  Error *err)
{
	void *field = option_field(config, option);

	switch (option->type)
	{
		case OPTION_FLAG:
			*(bool *) field = true;
			return RC_OK;
		case OPTION_STRING:
			if (value[0] == '\0')
				return option_bad_value(err, option, value, "a value");
			*(const char **) field = value;
			return RC_OK;
		case OPTION_TARGET:
			return read_target(config, value, err);
		case OPTION_NAME:
			return read_name(config, option, value, err);
		case OPTION_LSN:
			if (!lsn_parse(value, field) || *(Lsn *) field == 0)
				return option_bad_value(err, option, value,
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
				return option_bad_value(err, option, value,
										"batch or transaction");
			*(const char **) field = value;
			return RC_OK;
		case OPTION_ORIGIN:
			if (strcmp(value, "any") != 0 && strcmp(value, "none") != 0)
				return option_bad_value(err, option, value, "any or none");
			*(const char **) field = value;
			return RC_OK;
		case OPTION_SWITCH:
			if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
				return option_bad_value(err, option, value, "on or off");
			*(bool *) field = value[1] == 'n';
			return RC_OK;
		case OPTION_COMPRESSION:
			if (!is_compression(value))
				return option_bad_value(
					err, option, value,
					"none, zstd, or zstd: and a level from 1 to "
					"19");
			*(const char **) field = value;
			return RC_OK;
		case OPTION_CONFLICT:
			if (!policy_add_rule(field, value))
				return option_bad_value(
					err, option, value,
					"stop, skip or overwrite, or SCHEMA.TABLE: "
					"and one of them");
			return RC_OK;
		case OPTION_PATTERN:
			return read_pattern(field, option, value, err);
	}
	return RC_OK;
}
