/*
 * config.c
 *    Accessors of a Config, and checks of options that depend on others.
 */
#include "config/config.h"

#include <stdio.h>
#include <string.h>

static void
add_name(ConfigNames *names, const char *name)
{
	CHECK(names->count < CONFIG_OPTIONS_MAX);
	names->names[names->count++] = name;
}

static bool
has_name(const ConfigNames *names, const char *name)
{
	for (int i = 0; i < names->count; i++)
		if (strcmp(names->names[i], name) == 0)
			return true;
	return false;
}

void
config_note_given(Config *config, const char *name, bool typed)
{
	if (!has_name(&config->given, name))
		add_name(&config->given, name);
	if (typed && !has_name(&config->typed, name))
		add_name(&config->typed, name);
}

bool
config_is_given(const Config *config, const char *name)
{
	return has_name(&config->given, name);
}

bool
config_is_typed(const Config *config, const char *name)
{
	return has_name(&config->typed, name);
}

bool
config_applies_transactions(const Config *config)
{
	return strcmp(config->apply_mode, "transaction") == 0;
}

bool
config_follows_sequences(const Config *config)
{
	return config->sequences == NULL || strcmp(config->sequences, "off") != 0;
}

bool
config_logs_json(const Config *config)
{
	return config->log_format != NULL &&
		   strcmp(config->log_format, "json") == 0;
}

bool
config_follows_large_objects(const Config *config)
{
	return config->large_objects != NULL &&
		   strcmp(config->large_objects, "follow") == 0;
}

SequenceStride
config_stride(const Config *config, int target)
{
	SequenceStride stride = config->sequence_stride;

	if (stride.count > 0)
		stride.first += target;
	return stride;
}

Rc
config_check_stride(const Config *config, Error *err)
{
	const SequenceStride *stride = &config->sequence_stride;

	if (stride->count == 0 ||
		stride->first + config->target_count <= stride->count)
		return RC_OK;
	return error_set(
		err, ERR_CONFIG,
		"--sequence-stride=%d:%d has room for %d target%s, and "
		"there are %d",
		stride->count, stride->first, stride->count - stride->first,
		PLURAL(stride->count - stride->first), config->target_count);
}

SchemaPolicy
config_schema_policy(const Config *config)
{
	if (config->ddl == NULL || strcmp(config->ddl, "off") == 0)
		return SCHEMA_OFF;
	return strcmp(config->ddl, "stop") == 0 ? SCHEMA_STOP : SCHEMA_FOLLOW;
}

Rc
config_check_lanes(const Config *config, Error *err)
{
	if (config->lanes <= 1 || config_applies_transactions(config))
		return RC_OK;
	return error_set(err, ERR_CONFIG,
					 "--lanes can only be used with --apply=transaction");
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
	one->name_of_clone = arena_printf(config->arena, "%s_%s", config->name,
									  config->source_names[0]);
	one->memory_bytes = memory_bytes > CONFIG_MEMORY_MIN ? memory_bytes
														 : CONFIG_MEMORY_MIN;
	if (config->source_count > 1 && config->placement != NULL)
		one->placement = placement_share(config->placement, one->source_name,
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
	ASSERT(index >= 0 && index < config->target_count);
	if (config->target_names[index] != NULL)
		snprintf(label, CONFIG_LABEL_SIZE, "target \"%s\"",
				 config->target_names[index]);
	else if (config->target_count > 1)
		snprintf(label, CONFIG_LABEL_SIZE, "target %d", index + 1);
	else
		snprintf(label, CONFIG_LABEL_SIZE, "target");
}

void
config_name_target(const Config *config, int index,
				   char name[static CONFIG_LABEL_SIZE])
{
	ASSERT(index >= 0 && index < config->target_count);
	if (config->target_names[index] != NULL)
		snprintf(name, CONFIG_LABEL_SIZE, "%s", config->target_names[index]);
	else
		snprintf(name, CONFIG_LABEL_SIZE, "%d", index + 1);
}

const char *
config_source_log(const Config *config)
{
	static const char prefix[] = "log:";

	return config->source != NULL &&
				   strncmp(config->source, prefix, strlen(prefix)) == 0
			   ? config->source + strlen(prefix)
			   : NULL;
}

Rc
config_require_source(const Config *config, Error *err)
{
	Rc rc;

	if (config->source != NULL)
		return RC_OK;
	if (config->source_count > 0)
	{
		rc = error_set(err, ERR_USAGE,
					   "the configuration file has several sources");
		error_hint(err, "Say which one is meant: --from=%s.",
				   config->source_names[0]);
		return rc;
	}
	rc = error_set(err, ERR_USAGE, "no source is given");
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
	rc = error_set(err, ERR_USAGE, "no target is given");
	error_hint(err, "Use --target=CONNINFO, set PENSTOCK_TARGET, or give it in "
					"a section [target NAME] of a configuration file.");
	return rc;
}

/* ---- the way back ------------------------------------------------------- */

/*
 * Largest length of a pipeline's name that config_turn_back() accepts: names of
 * objects on the servers consist of a prefix and the name of either direction.
 */
#define NAME_BACK_PREFIX_MAX 8
#define NAME_TURNED_MAX                                                        \
	(CONFIG_NAME_MAX - (int) sizeof(CONFIG_BACK_SUFFIX) + 1 -                  \
	 NAME_BACK_PREFIX_MAX)

/* Options on what is sent that hold for one direction only. */
static const char *const one_way[] = {
	"publications", "origin",         "table",          "exclude-table",
	"schema",       "exclude-schema", "sequence-stride"};

static void
remove_name(ConfigNames *names, const char *name)
{
	int kept = 0;

	for (int i = 0; i < names->count; i++)
		if (strcmp(names->names[i], name) != 0)
			names->names[kept++] = names->names[i];
	names->count = kept;
}

static MUST_CHECK Rc
check_turnable(const Config *config, Error *err)
{
	if (config->source_count > 0 || config->target_count > 1 ||
		config->placement != NULL)
		return error_set(err, ERR_CONFIG,
						 "writes are moved only from one source without a name "
						 "to one target without a placement");
	if ((int) strlen(config->name) > NAME_TURNED_MAX)
		return error_set(err, ERR_CONFIG,
						 "the name of the pipeline, \"%s\", is longer than %d "
						 "characters, which leaves no room for that of its way "
						 "back",
						 config->name, NAME_TURNED_MAX);
	return RC_OK;
}

Rc
config_name_back(const Config *config, Arena *arena, const char **back,
				 Error *err)
{
	size_t length = strlen(config->name);
	Rc rc;

	if (config->back)
	{
		char *name = arena_strdup(arena, config->name);

		name[length - strlen(CONFIG_BACK_SUFFIX)] = '\0';
		*back = name;
		return RC_OK;
	}
	rc = check_turnable(config, err);
	if (rc == RC_OK)
		*back = arena_printf(arena, "%s" CONFIG_BACK_SUFFIX, config->name);
	return rc;
}

Rc
config_turn_back(Config *config, Arena *arena, Error *err)
{
	const char *source = config->source;
	const char *name = NULL;
	Rc rc = config_name_back(config, arena, &name, err);

	if (rc == RC_OK)
		rc = config_require_source(config, err);
	if (rc == RC_OK)
		rc = config_require_target(config, err);
	if (rc != RC_OK)
		return rc;
	config->source = config->targets[0];
	config->targets[0] = source;
	config->target_names[0] = NULL;
	config->name = config->name_asked = name;
	config->name_given = true;
	config->back = !config->back;
	for (size_t i = 0; i < LENGTH_OF(one_way); i++)
		if (!config_is_typed(config, one_way[i]))
			remove_name(&config->given, one_way[i]);
	if (!config_is_typed(config, "publications"))
		config->publications = config->name;
	if (!config_is_typed(config, "origin"))
		config->origin = "any";
	if (!config_is_typed(config, "sequence-stride"))
		config->sequence_stride = (SequenceStride){0};
	config->selection = (Selection){0};

	/* A command that we print goes this way without --back. */
	remove_name(&config->typed, "config");
	config_note_given(config, "source", true);
	config_note_given(config, "target", true);
	config_note_given(config, "name", true);
	return RC_OK;
}
