/*
 * option.c
 *    The table of options.
 *
 * What a pipeline remembers it remembers in the order of this table: see
 * memory.h.
 */
#include "config/option.h"

#include <string.h>

#define ALL           (~0U)
#define WITH_TARGET   (ALL & ~(unsigned) COMMAND_TAIL)
#define STREAMING     ((unsigned) COMMAND_CLONE | COMMAND_FOLLOW | COMMAND_TAIL)
#define COPYING       ((unsigned) COMMAND_CLONE | COMMAND_CHECK)
#define CREATING      ((unsigned) COMMAND_CLONE | COMMAND_CHECK | COMMAND_TABLE)

#define FIELD(member) offsetof(Config, member)

const OptionDef option_table[] = {
	{
		.name = "source",
		.letter = 's',
		.type = &type_conninfo,
		.offset = FIELD(source),
		.commands = ALL,
		.group = GROUP_CONNECTION,
		.only_typed = true,
		.placeholder = "CONNINFO",
		.environment = "PENSTOCK_SOURCE",
		.help = "connection string of the source database",
	},
	{
		.name = "target",
		.letter = 't',
		.type = &type_targets,
		.offset = FIELD(targets),
		.commands = WITH_TARGET,
		.group = GROUP_CONNECTION,
		.only_typed = true,
		.placeholder = "CONNINFO",
		.environment = "PENSTOCK_TARGET",
		.help = "connection string of a target database; may be repeated",
	},
	{
		.name = "config",
		.letter = 'c',
		.type = &type_file,
		.offset = FIELD(file),
		.commands = ALL,
		.group = GROUP_CONNECTION,
		.only_typed = true,
		.placeholder = "FILE",
		.environment = "PENSTOCK_CONFIG",
		.help = "configuration file: options, sources, targets, placement",
	},
	{
		.name = "from",
		.type = &type_section,
		.offset = FIELD(from),
		.commands = COMMAND_CHECK | COMMAND_FOLLOW | COMMAND_STATUS |
					COMMAND_TAIL | COMMAND_DROP | COMMAND_FENCE |
					COMMAND_TABLE | COMMAND_SEQUENCES | COMMAND_SCHEMA |
					COMMAND_PROMOTE,
		.group = GROUP_CONNECTION,
		.only_typed = true,
		.placeholder = "NAME",
		.help = "only this one of the configuration file's sources",
	},
	{
		.name = "name",
		.letter = 'n',
		.type = &type_name,
		.offset = FIELD(name),
		.commands = ALL,
		.group = GROUP_CONNECTION,
		.placeholder = "NAME",
		.environment = "PENSTOCK_NAME",
		.default_value = "penstock",
		.help = "name of the pipeline, of its slot and of its progress",
	},
	{
		.name = "publications",
		.letter = 'p',
		.type = &type_publications,
		.offset = FIELD(publications),
		.commands = COMMAND_CHECK | COMMAND_CLONE | COMMAND_FOLLOW |
					COMMAND_TAIL | COMMAND_TABLE | COMMAND_FEDERATE |
					COMMAND_SCHEMA,
		.group = GROUP_SELECTION,
		.memory = DECIDED_BY_COPY,
		.placeholder = "LIST",
		.unset = "the pipeline's name",
		.help = "publications that say what is sent",
	},
	{
		.name = "table",
		.type = &type_patterns,
		.offset = FIELD(selection.tables),
		.commands = COPYING | COMMAND_SCHEMA,
		.group = GROUP_SELECTION,
		.memory = DECIDED_BY_COPY,
		.placeholder = "PATTERN",
		.help = "only these of the published tables; may be repeated",
	},
	{
		.name = "exclude-table",
		.type = &type_patterns,
		.offset = FIELD(selection.exclude_tables),
		.commands = COPYING | COMMAND_SCHEMA,
		.group = GROUP_SELECTION,
		.memory = DECIDED_BY_COPY,
		.placeholder = "PATTERN",
		.help = "not these tables; may be repeated",
	},
	{
		.name = "schema",
		.type = &type_patterns,
		.offset = FIELD(selection.schemas),
		.commands = COPYING | COMMAND_SCHEMA,
		.group = GROUP_SELECTION,
		.memory = DECIDED_BY_COPY,
		.placeholder = "PATTERN",
		.help = "only what is in these schemas; may be repeated",
	},
	{
		.name = "exclude-schema",
		.type = &type_patterns,
		.offset = FIELD(selection.exclude_schemas),
		.commands = COPYING | COMMAND_SCHEMA,
		.group = GROUP_SELECTION,
		.memory = DECIDED_BY_COPY,
		.placeholder = "PATTERN",
		.help = "nothing of these schemas; may be repeated",
	},
	{
		.name = "schema-only",
		.type = &type_flag,
		.offset = FIELD(schema_only),
		.commands = COMMAND_CLONE,
		.group = GROUP_SELECTION,
		.help = "copy the schema, no data; creates no slot",
	},
	{
		.name = "data-only",
		.type = &type_flag,
		.offset = FIELD(data_only),
		.commands = COPYING,
		.group = GROUP_SELECTION,
		.memory = DECIDED_AS_DEFAULT,
		.help = "copy the data into tables that exist",
	},
	{
		.name = "no-owner",
		.type = &type_flag,
		.offset = FIELD(no_owner),
		.commands = CREATING,
		.group = GROUP_SELECTION,
		.memory = DECIDED_AS_DEFAULT,
		.help = "give everything to the target's user",
	},
	{
		.name = "no-privileges",
		.type = &type_flag,
		.offset = FIELD(no_privileges),
		.commands = CREATING,
		.group = GROUP_SELECTION,
		.memory = DECIDED_AS_DEFAULT,
		.help = "grant and revoke nothing",
	},
	{
		.name = "no-tablespaces",
		.type = &type_flag,
		.offset = FIELD(no_tablespaces),
		.commands = CREATING,
		.group = GROUP_SELECTION,
		.memory = DECIDED_AS_DEFAULT,
		.help = "put everything into the default tablespace",
	},
	{
		.name = "no-unlogged-table-data",
		.type = &type_flag,
		.offset = FIELD(no_unlogged_data),
		.commands = COPYING,
		.group = GROUP_SELECTION,
		.memory = DECIDED_AS_DEFAULT,
		.help = "create unlogged tables without their rows",
	},
	{
		.name = "verify",
		.type = &type_flag,
		.offset = FIELD(verify),
		.commands = COMMAND_CLONE,
		.group = GROUP_COPY,
		.help = "compare the contents of each table at the snapshot",
	},
	{
		.name = "resume",
		.type = &type_flag,
		.offset = FIELD(resume),
		.commands = COMMAND_CLONE,
		.group = GROUP_COPY,
		.help = "continue a clone that was interrupted; what it finished stays",
	},
	{
		.name = "restart",
		.type = &type_flag,
		.offset = FIELD(restart),
		.commands = COMMAND_CLONE,
		.group = GROUP_COPY,
		.help = "remove what an interrupted clone has copied, and start over",
	},
	{
		.name = "follow",
		.type = &type_flag,
		.offset = FIELD(follow),
		.commands = COMMAND_CLONE,
		.group = GROUP_COPY,
		.help = "go on into following when the copy is done",
	},
	{
		.name = "jobs",
		.letter = 'j',
		.type = &type_count,
		.offset = FIELD(jobs),
		.min = 1,
		.max = CONFIG_JOBS_MAX,
		.commands = COMMAND_CLONE | COMMAND_TABLE,
		.group = GROUP_COPY,
		.placeholder = "N",
		.default_value = "2",
		.help = "connections that copy, and build indexes, at once",
	},
	{
		.name = "copy-from",
		.type = &type_conninfo,
		.offset = FIELD(copy_from),
		.commands = COMMAND_CLONE,
		.group = GROUP_COPY,
		.placeholder = "CONNINFO",
		.help = "standby of the source to read the rows from",
	},
	{
		.name = "max-rate",
		.type = &type_rate,
		.offset = FIELD(max_rate),
		.min = CONFIG_RATE_MIN,
		.max = CONFIG_MEMORY_MAX,
		.commands = COMMAND_CLONE,
		.group = GROUP_COPY,
		.placeholder = "BYTES/s",
		.unset = "no limit",
		.help = "bytes of rows that are read per second, by all connections",
	},
	{
		.name = "pg-bindir",
		.type = &type_directory,
		.offset = FIELD(pg_bindir),
		.commands = CREATING,
		.group = GROUP_COPY,
		.placeholder = "DIR",
		.unset = "search",
		.help = "where to find pg_dump and pg_restore",
	},
	{
		.name = "endpos",
		.letter = 'E',
		.type = &type_lsn,
		.offset = FIELD(endpos),
		.commands = STREAMING,
		.group = GROUP_REPLICATION,
		.placeholder = "LSN",
		.help = "stop, with status 0, when everything up to LSN is durable",
	},
	{
		.name = "memory",
		.letter = 'm',
		.type = &type_size,
		.offset = FIELD(memory_bytes),
		.min = CONFIG_MEMORY_MIN,
		.max = CONFIG_MEMORY_MAX,
		.commands = STREAMING | COMMAND_TABLE,
		.group = GROUP_REPLICATION,
		.placeholder = "SIZE",
		.default_value = CONFIG_MEMORY_DEFAULT,
		.help = "bound on memory for changes, beside the largest single row",
	},
	{
		.name = "origin",
		.type = &type_origin,
		.offset = FIELD(origin),
		.commands = STREAMING | COMMAND_TABLE,
		.group = GROUP_REPLICATION,
		.memory = DECIDED_BY_FOLLOWER,
		.placeholder = "any|none",
		.default_value = "any",
		.help = "none: leave out what itself came from elsewhere",
	},
	{
		.name = "apply",
		.type = &type_apply,
		.offset = FIELD(apply_mode),
		.commands = COMMAND_CLONE | COMMAND_FOLLOW,
		.group = GROUP_REPLICATION,
		.memory = DECIDED_BY_FOLLOWER,
		.placeholder = "batch|transaction",
		.environment = "PENSTOCK_APPLY",
		.default_value = "batch",
		.help = "many source transactions as one on the target, or each as one",
	},
	{
		.name = "lanes",
		.type = &type_count,
		.offset = FIELD(lanes),
		.min = 1,
		.max = CONFIG_LANES_MAX,
		.commands = COMMAND_CLONE | COMMAND_FOLLOW,
		.group = GROUP_REPLICATION,
		.placeholder = "N",
		.environment = "PENSTOCK_LANES",
		.default_value = "1",
		.help = "with --apply=transaction: connections that apply at once",
	},
	{
		.name = "on-conflict",
		.type = &type_conflicts,
		.offset = FIELD(conflict_rules),
		.commands = COMMAND_CHECK | COMMAND_CLONE | COMMAND_FOLLOW |
					COMMAND_TABLE,
		.group = GROUP_REPLICATION,
		.memory = DECIDED_BY_FOLLOWER,
		.placeholder = "[TABLE:]POLICY",
		.unset = "stop",
		.help =
			"stop, skip or overwrite, for all tables or one; may be repeated",
	},
	{
		.name = "sequences",
		.type = &type_sequences,
		.offset = FIELD(sequences),
		.commands = COMMAND_CLONE | COMMAND_FOLLOW | COMMAND_FENCE |
					COMMAND_DROP,
		.group = GROUP_REPLICATION,
		.memory = DECIDED_BY_FOLLOWER,
		.placeholder = "follow|off",
		.default_value = "follow",
		.help = "keep the targets' sequences beyond the source's",
	},
	{
		.name = "sequence-interval",
		.type = &type_count,
		.offset = FIELD(sequence_interval_s),
		.min = 1,
		.max = CONFIG_SEQUENCE_INTERVAL_MAX_S,
		.commands = COMMAND_CLONE | COMMAND_FOLLOW,
		.group = GROUP_REPLICATION,
		.placeholder = "SECONDS",
		.default_value = "5",
		.help = "how often the source's sequences are looked at",
	},
	{
		.name = "sequence-stride",
		.type = &type_stride,
		.offset = FIELD(sequence_stride),
		.commands = COMMAND_CLONE | COMMAND_FOLLOW,
		.group = GROUP_REPLICATION,
		.memory = DECIDED_BY_FOLLOWER,
		.placeholder = "N[:FIRST]",
		.unset = "all values",
		.help = "each target's sequences give out every N-th value; the first "
				"target has number FIRST",
	},
	{
		.name = "ddl",
		.type = &type_ddl,
		.offset = FIELD(ddl),
		.commands = COMMAND_CLONE | COMMAND_FOLLOW,
		.group = GROUP_REPLICATION,
		.memory = DECIDED_BY_COPY,
		.placeholder = "off|stop|follow",
		.environment = "PENSTOCK_DDL",
		.unset = "off",
		.help = "what is done with changes of the source's schema",
	},
	{
		.name = "streaming",
		.type = &type_switch,
		.offset = FIELD(streaming),
		.commands = COMMAND_CLONE | COMMAND_FOLLOW,
		.group = GROUP_REPLICATION,
		.placeholder = "on|off",
		.environment = "PENSTOCK_STREAMING",
		.default_value = "on",
		.help =
			"apply large transactions while they are in progress on the source",
	},
	{
		.name = "bundle",
		.type = &type_switch,
		.offset = FIELD(bundle),
		.commands = STREAMING | COMMAND_TABLE,
		.group = GROUP_REPLICATION,
		.placeholder = "on|off",
		.environment = "PENSTOCK_BUNDLE",
		.default_value = "on",
		.help = "let the source send several small transactions in a message",
	},
	{
		.name = "compression",
		.type = &type_compression,
		.offset = FIELD(compression),
		.commands = STREAMING | COMMAND_TABLE,
		.group = GROUP_REPLICATION,
		.placeholder = "none|zstd[:N]",
		.environment = "PENSTOCK_COMPRESSION",
		.unset = "none; of zstd: 1",
		.help = "have the source compress the stream, at level 1 to 19",
	},
	{
		.name = "skip-missing-publications",
		.type = &type_flag,
		.offset = FIELD(skip_missing),
		.commands = COMMAND_FOLLOW,
		.group = GROUP_REPLICATION,
		.help = "publish nothing by a publication at points of the WAL from "
				"before it was created",
	},
	{
		.name = "set",
		.type = &type_flag,
		.offset = FIELD(set),
		.commands = COMMAND_FOLLOW,
		.group = GROUP_REPLICATION,
		.only_typed = true,
		.help = "change what the pipeline remembers to what is given",
	},
	{
		.name = "messages",
		.type = &type_flag,
		.offset = FIELD(messages),
		.commands = COMMAND_TAIL,
		.group = GROUP_COMMAND,
		.help = "also print logical decoding messages",
	},
	{
		.name = "schema-changes",
		.type = &type_flag,
		.offset = FIELD(schema_changes),
		.commands = COMMAND_TAIL,
		.group = GROUP_COMMAND,
		.help = "also print changes of the schema",
	},
	{
		.name = "create-slot",
		.type = &type_flag,
		.offset = FIELD(create_slot),
		.commands = COMMAND_TAIL,
		.group = GROUP_COMMAND,
		.help =
			"read from slot NAME, made if need be; else from a temporary one",
	},
	{
		.name = "keep",
		.type = &type_flag,
		.offset = FIELD(keep),
		.commands = COMMAND_TABLE,
		.group = GROUP_COMMAND,
		.help =
			"pause: let the source keep the changes, so resume needs no copy",
	},
	{
		.name = "by-name",
		.type = &type_flag,
		.offset = FIELD(by_name),
		.commands = COMMAND_TABLE,
		.group = GROUP_COMMAND,
		.help = "remove: take names as they are, of tables that exist nowhere",
	},
	{
		.name = "json",
		.type = &type_flag,
		.offset = FIELD(json),
		.commands = COMMAND_STATUS | COMMAND_CHECK,
		.group = GROUP_COMMAND,
		.help = "print for machines",
	},
	{
		.name = "hold",
		.type = &type_count,
		.offset = FIELD(hold_s),
		.min = 1,
		.max = CONFIG_HOLD_MAX_S,
		.commands = COMMAND_FENCE,
		.group = GROUP_COMMAND,
		.placeholder = "SECONDS",
		.unset = "until told to stop",
		.help = "how long to hold the targets",
	},
	{
		.name = "coordinator",
		.type = &type_conninfo,
		.offset = FIELD(coordinator),
		.commands = COMMAND_FEDERATE,
		.group = GROUP_COMMAND,
		.placeholder = "CONNINFO",
		.help = "database that is to show all nodes as one; without --apply "
				"what it lacks is printed",
	},
	{
		.name = "apply",
		.type = &type_flag,
		.offset = FIELD(apply),
		.commands = COMMAND_FEDERATE,
		.group = GROUP_COMMAND,
		.only_typed = true,
		.help = "run the statements on the coordinator; again after changes",
	},
	{
		.name = "force",
		.type = &type_flag,
		.offset = FIELD(force),
		.commands = COMMAND_DROP,
		.group = GROUP_COMMAND,
		.help = "drop the slot also if a target does not know the pipeline",
	},
	{
		.name = "dry-run",
		.type = &type_flag,
		.offset = FIELD(dry_run),
		.commands = COMMAND_DROP | COMMAND_CLONE | COMMAND_PROMOTE,
		.group = GROUP_COMMAND,
		.help = "only say what would be done",
	},
	{
		.name = "verbose",
		.letter = 'v',
		.type = &type_flag,
		.offset = FIELD(verbose),
		.commands = ALL,
		.group = GROUP_GENERAL,
		.help = "say more",
	},
	{
		.name = "quiet",
		.letter = 'q',
		.type = &type_flag,
		.offset = FIELD(quiet),
		.commands = ALL,
		.group = GROUP_GENERAL,
		.help = "say only what is wrong",
	},
	{
		.name = "help",
		.letter = 'h',
		.type = &type_flag,
		.offset = FIELD(help),
		.commands = ALL,
		.group = GROUP_GENERAL,
		.only_typed = true,
		.help = "print this and exit",
	},
};

const size_t option_count = LENGTH_OF(option_table);
_Static_assert(LENGTH_OF(option_table) <= CONFIG_OPTIONS_MAX,
			   "Config has room for the names of all");

const char *
option_group_title(OptionGroup group)
{
	static const char *const titles[OPTION_GROUP_COUNT] = {
		[GROUP_CONNECTION] = "Connection options",
		[GROUP_SELECTION] = "Options on what is copied and sent",
		[GROUP_COPY] = "Options of the copy",
		[GROUP_REPLICATION] = "Options of following",
		[GROUP_COMMAND] = "Options of single commands",
		[GROUP_GENERAL] = "General options",
	};

	return titles[group];
}

const OptionDef *
option_find(ConfigCommand command, const char *name)
{
	for (size_t i = 0; i < option_count; i++)
		if ((option_table[i].commands & (unsigned) command) != 0 &&
			strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	return NULL;
}

const OptionDef *
option_find_setting(const char *key)
{
	for (size_t i = 0; i < option_count; i++)
		if (!option_table[i].only_typed &&
			strcmp(option_table[i].name, key) == 0)
			return &option_table[i];
	return NULL;
}
