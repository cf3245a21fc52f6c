/*
 * options.c
 *		Reads the options of a session; see options.h.
 *
 * One table says everything about an option: its name, type, default and
 * range.  The parser, its error messages and its hints all come from there.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "session/options.h"
#include "session/table_lists.h"
#include "wire/compress.h"

typedef enum OptionType
{
	OPTION_INTEGER,
	OPTION_BOOLEAN,
	OPTION_CHOICE,
	OPTION_IDENTIFIERS,
	OPTION_DISTRIBUTION,
	OPTION_TABLES,
	OPTION_COMPRESSION,
} OptionType;

typedef struct OptionDef
{
	const char *name;
	OptionType type;
	bool required;
	Size offset; /* of its field in PenstockOptions */
	int value_default;
	int value_min; /* of integers */
	int value_max;
	const char *const *choices; /* ends with NULL; the value is the index */
} OptionDef;

/* Order as in PenstockOrigin. */
static const char *const origin_choices[] = {"any", "none", NULL};

/*
 * proto_version allows any positive number here: that another version is asked
 * for has an error of its own.
 */
static const OptionDef option_defs[] = {
	{
		.name = "proto_version",
		.type = OPTION_INTEGER,
		.required = true,
		.offset = offsetof(PenstockOptions, proto_version),
		.value_min = 1,
		.value_max = PG_INT32_MAX,
	},
	{
		.name = "publications",
		.type = OPTION_IDENTIFIERS,
		.required = true,
		.offset = offsetof(PenstockOptions, publications),
	},
	{
		.name = "origin",
		.type = OPTION_CHOICE,
		.offset = offsetof(PenstockOptions, origin),
		.value_default = PENSTOCK_ORIGIN_ANY,
		.choices = origin_choices,
	},
	{
		.name = "messages",
		.type = OPTION_BOOLEAN,
		.offset = offsetof(PenstockOptions, messages),
		.value_default = false,
	},
	{
		.name = "frame_size",
		.type = OPTION_INTEGER,
		.offset = offsetof(PenstockOptions, frame_size),
		.value_default = PENSTOCK_FRAME_SIZE_DEFAULT,
		.value_min = PENSTOCK_FRAME_SIZE_MIN,
		.value_max = PENSTOCK_FRAME_SIZE_MAX,
	},
	{
		.name = "binary",
		.type = OPTION_BOOLEAN,
		.offset = offsetof(PenstockOptions, binary),
		.value_default = true,
	},
	{
		.name = "streaming",
		.type = OPTION_BOOLEAN,
		.offset = offsetof(PenstockOptions, streaming),
		.value_default = false,
	},
	{
		.name = "bundle",
		.type = OPTION_BOOLEAN,
		.offset = offsetof(PenstockOptions, bundle),
		.value_default = false,
	},
	{
		.name = "skip_missing",
		.type = OPTION_BOOLEAN,
		.offset = offsetof(PenstockOptions, skip_missing),
		.value_default = false,
	},
	{
		.name = "distribution",
		.type = OPTION_DISTRIBUTION,
		.offset = offsetof(PenstockOptions, distribution),
	},
	{
		.name = "leave_out",
		.type = OPTION_TABLES,
		.offset = offsetof(PenstockOptions, leave_out),
	},
	{
		.name = "schema_changes",
		.type = OPTION_BOOLEAN,
		.offset = offsetof(PenstockOptions, schema_changes),
		.value_default = false,
	},
	{
		.name = "compression",
		.type = OPTION_COMPRESSION,
		.offset = offsetof(PenstockOptions, compression_level),
	},
};

/* "a, b, c" of all option names, for hints. */
static char *
list_option_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(option_defs); i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 option_defs[i].name);
	return names.data;
}

/* A sentence that says which values an option takes. */
static char *
describe_values(const OptionDef *def)
{
	StringInfoData text;

	initStringInfo(&text);
	switch (def->type)
	{
		case OPTION_INTEGER:
			appendStringInfo(&text, "It takes an integer from %d to %d.",
							 def->value_min, def->value_max);
			break;
		case OPTION_BOOLEAN:
			appendStringInfoString(&text, "It takes true or false.");
			break;
		case OPTION_CHOICE:
			appendStringInfoString(&text, "It takes one of:");
			for (int i = 0; def->choices[i] != NULL; i++)
				appendStringInfo(&text, "%s %s", i > 0 ? "," : "",
								 def->choices[i]);
			appendStringInfoChar(&text, '.');
			break;
		case OPTION_IDENTIFIERS:
			appendStringInfoString(
				&text, "It takes a list of names, separated by commas; quote "
					   "a name as in SQL.");
			break;
		case OPTION_DISTRIBUTION:
			appendStringInfoString(
				&text, "It takes a list such as schema.table(column, column), "
					   "each table once; quote a name as in SQL.");
			break;
		case OPTION_TABLES:
			appendStringInfoString(
				&text, "It takes a list such as schema.table, schema.table "
					   "LSN; quote a name as in SQL.");
			break;
		case OPTION_COMPRESSION:
			appendStringInfo(
				&text,
				"It takes none, zstd, or zstd:LEVEL with a level from "
				"1 to %d.",
				PENSTOCK_COMPRESS_LEVEL_MAX);
			break;
	}
	return text.data;
}

static void
raise_invalid_value(const OptionDef *def, const char *value)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid value for option \"%s\": \"%s\"", def->name,
						   value),
					errdetail("%s", describe_values(def))));
}

static int
parse_integer(const OptionDef *def, const char *value)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (end == value || *end != '\0')
		raise_invalid_value(def, value);
	if (errno != 0 || number < def->value_min || number > def->value_max)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("value of option \"%s\" is out of range: \"%s\"",
							   def->name, value),
						errdetail("%s", describe_values(def))));
	return (int) number;
}

static int
parse_choice(const OptionDef *def, const char *value)
{
	for (int i = 0; def->choices[i] != NULL; i++)
	{
		if (pg_strcasecmp(value, def->choices[i]) == 0)
			return i;
	}
	raise_invalid_value(def, value);
	return 0; /* keep compiler quiet */
}

static List *
parse_identifiers(const OptionDef *def, const char *value)
{
	List *names;
	ListCell *cell;

	/* The names will point into the copy. */
	if (!SplitIdentifierString(pstrdup(value), ',', &names) || names == NIL)
		raise_invalid_value(def, value);

	foreach (cell, names)
	{
		for (int i = 0; i < foreach_current_index(cell); i++)
		{
			if (strcmp(list_nth(names, i), lfirst(cell)) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_OBJECT),
						 errmsg("option \"%s\" names \"%s\" more than once",
								def->name, (char *) lfirst(cell))));
		}
	}
	return names;
}

/* The level; 0 for none. */
static int
parse_compression(const OptionDef *def, const char *value)
{
	static const char prefix[] = "zstd:";
	const char *number = value + sizeof(prefix) - 1;
	char *end;
	long level;

	if (pg_strcasecmp(value, "none") == 0)
		return 0;
	if (pg_strcasecmp(value, "zstd") == 0)
		return PENSTOCK_COMPRESS_LEVEL_DEFAULT;
	if (pg_strncasecmp(value, prefix, sizeof(prefix) - 1) != 0)
		raise_invalid_value(def, value);
	errno = 0;
	level = strtol(number, &end, 10);
	if (errno != 0 || end == number || *end != '\0' || level < 1 ||
		level > PENSTOCK_COMPRESS_LEVEL_MAX)
		raise_invalid_value(def, value);
	return (int) level;
}

static void
parse_value(const OptionDef *def, const char *value, PenstockOptions *options)
{
	char *field = (char *) options + def->offset;

	switch (def->type)
	{
		case OPTION_INTEGER:
			*(int *) field = parse_integer(def, value);
			break;
		case OPTION_BOOLEAN:
			if (!parse_bool(value, (bool *) field))
				raise_invalid_value(def, value);
			break;
		case OPTION_CHOICE:
			*(int *) field = parse_choice(def, value);
			break;
		case OPTION_IDENTIFIERS:
			*(List **) field = parse_identifiers(def, value);
			break;
		case OPTION_DISTRIBUTION:
			if (!penstock_parse_distribution(value, (List **) field))
				raise_invalid_value(def, value);
			break;
		case OPTION_TABLES:
			if (!penstock_parse_left_out(value, (List **) field))
				raise_invalid_value(def, value);
			break;
		case OPTION_COMPRESSION:
			*(int *) field = parse_compression(def, value);
			break;
	}
}

static void
set_default(const OptionDef *def, PenstockOptions *options)
{
	char *field = (char *) options + def->offset;

	switch (def->type)
	{
		case OPTION_INTEGER:
		case OPTION_CHOICE:
		case OPTION_COMPRESSION:
			*(int *) field = def->value_default;
			break;
		case OPTION_BOOLEAN:
			*(bool *) field = def->value_default != 0;
			break;
		case OPTION_IDENTIFIERS:
		case OPTION_DISTRIBUTION:
		case OPTION_TABLES:
			*(List **) field = NIL;
			break;
	}
}

/*
 * Done as soon as the version is read, which readers pass first: what else a
 * reader of another version asks for may mean nothing here.
 */
static void
check_proto_version(int version)
{
	if (version != PENSTOCK_PROTO_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("proto_version %d is not supported", version),
				 errdetail("The reader asked for version %d, the plugin "
						   "speaks version %d.",
						   version, PENSTOCK_PROTO_VERSION),
				 errhint("Use a reader and a plugin of the same release.")));
}

static int
find_option(const char *name)
{
	for (int i = 0; i < (int) lengthof(option_defs); i++)
	{
		if (strcmp(option_defs[i].name, name) == 0)
			return i;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("unrecognized option \"%s\"", name),
					errhint("The options are: %s.", list_option_names())));
	return -1; /* keep compiler quiet */
}

void
penstock_options_parse(List *defelems, PenstockOptions *options)
{
	bool given[lengthof(option_defs)] = {false};
	ListCell *cell;

	for (int i = 0; i < (int) lengthof(option_defs); i++)
		set_default(&option_defs[i], options);

	foreach (cell, defelems)
	{
		DefElem *defelem = (DefElem *) lfirst(cell);
		int i = find_option(defelem->defname);

		if (given[i])
			ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR),
							errmsg("option \"%s\" is given more than once",
								   option_defs[i].name)));
		given[i] = true;

		/* The replication command's grammar allows a name on its own. */
		if (defelem->arg == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("option \"%s\" has no value", option_defs[i].name),
					 errdetail("%s", describe_values(&option_defs[i]))));
		parse_value(&option_defs[i], strVal(defelem->arg), options);
		if (options->proto_version != 0)
			check_proto_version(options->proto_version);
	}

	for (int i = 0; i < (int) lengthof(option_defs); i++)
	{
		if (option_defs[i].required && !given[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"%s\" is missing", option_defs[i].name),
					 errdetail("%s", describe_values(&option_defs[i]))));
	}
}
