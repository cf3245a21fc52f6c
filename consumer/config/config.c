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
