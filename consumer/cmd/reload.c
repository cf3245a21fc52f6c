/*
 * reload.c
 *    Compares the options, one by one, as texts.
 */
#include "cmd/reload.h"

#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "config/live.h"
#include "config/option.h"
#include "config/read.h"
#include "metrics/metrics.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/* What HUP needs, and what counts now of the options that may change. */
static struct
{
	const Command *command;
	int argc;
	char **argv;
	const Config *started; /* what the program was started with */
	Config current;        /* what was read last; owned once HUP has come */
	bool has_current;
} reload;

/* Returns the options as they are now. */
static const Config *
present(void)
{
	return reload.has_current ? &reload.current : reload.started;
}

static Words
values_of(const OptionDef *option, const Config *config, Arena *arena)
{
	Words values = {0};

	option->type->print(config, option, arena, &values);
	return values;
}

static bool
is_same(const OptionDef *option, const Config *a, const Config *b, Arena *arena)
{
	const Words values = values_of(option, a, arena);
	const Words others = values_of(option, b, arena);

	return words_equal(&values, &others);
}

/* Says what an option is now that may change. */
static void
say_taken(const OptionDef *option, const Config *config, Arena *arena)
{
	const Words values = values_of(option, config, arena);

	log_info("reload", "%s is now %s", option->name,
			 option->type->is_flag ? values.count > 0 ? "on" : "off"
			 : values.count > 0    ? values.words[0]
								   : "not set");
}

static void
compare_options(const Config *fresh, Arena *arena)
{
	for (size_t i = 0; i < option_count; i++)
	{
		const OptionDef *option = &option_table[i];

		if ((option->commands & reload.command->id) == 0 || option->only_typed)
			continue;
		if (option->live && !is_same(option, present(), fresh, arena))
			say_taken(option, fresh, arena);
		else if (!option->live &&
				 !is_same(option, reload.started, fresh, arena))
			log_warning("reload.needs-restart",
						"%s has changed, which counts from the next start on",
						option->name);
	}
}

/* ---- what the file describes beside options ----------------------------- */

static bool
is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
are_sources_same(const Config *a, const Config *b)
{
	if (a->source_count != b->source_count)
		return false;
	for (int i = 0; i < a->source_count; i++)
		if (!is_same_text(a->sources[i], b->sources[i]) ||
			!is_same_text(a->source_names[i], b->source_names[i]))
			return false;
	return is_same_text(a->source, b->source);
}

static bool
are_targets_same(const Config *a, const Config *b)
{
	if (a->target_count != b->target_count)
		return false;
	for (int i = 0; i < a->target_count; i++)
		if (!is_same_text(a->targets[i], b->targets[i]) ||
			!is_same_text(a->target_names[i], b->target_names[i]))
			return false;
	return true;
}

static void
append_placement(const Placement *placement, Buf *buf)
{
	int count = placement != NULL ? placement_rule_count(placement) : 0;

	for (int i = 0; i < count; i++)
	{
		placement_append_line(placement_rule(placement, i), buf);
		buf_append_char(buf, '\n');
	}
}

static bool
is_placement_same(const Config *a, const Config *b)
{
	Buf texts[2];
	bool same;

	buf_init(&texts[0], BUF_TEXT_MAX);
	buf_init(&texts[1], BUF_TEXT_MAX);
	append_placement(a->placement, &texts[0]);
	append_placement(b->placement, &texts[1]);
	same = is_same_text(texts[0].data, texts[1].data);
	buf_release(&texts[0]);
	buf_release(&texts[1]);
	return same;
}

static void
compare_descriptions(const Config *fresh)
{
	static const char because[] = "which counts from the next start on";

	/* Without a file they are arguments, which do not change. */
	if (reload.started->file == NULL)
		return;
	if (!are_sources_same(reload.started, fresh))
		log_warning("reload.needs-restart", "the source has changed, %s",
					because);
	if (!are_targets_same(reload.started, fresh))
		log_warning("reload.needs-restart", "the targets have changed, %s",
					because);
	if (!is_placement_same(reload.started, fresh))
		log_warning("reload.needs-restart", "the placement has changed, %s",
					because);
}

/* ------------------------------------------------------------------------- */

static void
take(Config *fresh)
{
	MetricsNumbers *numbers = metrics_numbers();

	live_options_set(fresh);
	/* 0: no lag is known, as of a log. */
	if (numbers->lag_limit_us != 0)
		numbers->lag_limit_us = fresh->watchdog_s * INT64_C(1000000);
	if (reload.has_current)
		config_release(&reload.current);
	reload.current = *fresh;
	reload.has_current = true;
}

static void
read_again(void *context UNUSED)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Config fresh = {0};
	Error err = {0};

	if (config_read(&fresh, reload.command->id, reload.argc, reload.argv,
					&err) != RC_OK)
	{
		error_context(&err, "reading the configuration again: it stays as it "
							"was");
		log_error(LOG_WARNING, "reload.failed", &err);
		config_release(&fresh);
		error_reset(&err);
	}
	else
	{
		log_info("reload", "the configuration was read again");
		compare_options(&fresh, arena);
		compare_descriptions(&fresh);
		take(&fresh);
	}
	arena_free(arena);
}

void
reload_on_hangup(const Command *command, int argc, char **argv,
				 const Config *config)
{
	reload.command = command;
	reload.argc = argc;
	reload.argv = argv;
	reload.started = config;
	interrupt_set_hangup(read_again, NULL);
}
