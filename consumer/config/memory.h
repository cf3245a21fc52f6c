/*
 * memory.h
 *    The options that a pipeline stores on its targets ("remembers").
 *
 * Options that decide what the source sends belong to the pipeline, not to a
 * single command.  They are stored with its progress on every target (see
 * control/pipeline_table.h) as words in the syntax of the command line:
 *
 *     publications=shop,more    exclude-table=public.log    origin=none
 *
 * A clone decides the options on what is copied.  An option on how the pipeline
 * is followed is decided by the first command that gives it, or else by the
 * first follower.  A decided option has its stored value in every command that
 * does not give it.  A command that gives another value is refused, except with
 * --set, which replaces the stored value.
 *
 * Flags that only a clone has, such as --no-owner, are stored as defaults for
 * "clone --resume" and for tables that are added later.  Another value of such
 * a flag is not refused.
 */
#ifndef PENSTOCK_CONFIG_MEMORY_H
#define PENSTOCK_CONFIG_MEMORY_H

#include "base/arena.h"
#include "base/error.h"
#include "config/config.h"
#include "model/words.h"

/*
 * Which options are decided: after a clone, those of following are decided only
 * if they were given.
 */
typedef enum MemoryStage
{
	MEMORY_COPIED,
	MEMORY_FOLLOWED,
} MemoryStage;

/*
 * Writes the options of a Config that a pipeline stores.  The array and the
 * words are allocated in the arena, except words that are names in the table of
 * options.
 */
void memory_write(const Config *config, MemoryStage stage, Arena *arena,
				  Words *words);

/*
 * What memory_recall() does with an option whose given value differs from the
 * stored value.
 */
typedef enum MemoryUse
{
	MEMORY_REFUSE,      /* fail with ERR_CONFIG */
	MEMORY_REFUSE_SENT, /* the same, except for --on-conflict, where the given
						 * value is used */
	MEMORY_REPLACE,     /* use the given value */
} MemoryUse;

/*
 * Sets each option that was not given to its stored value.  The words are
 * borrowed and must live as long as the Config.  RC_FAIL with ERR_CONFIG: a
 * given value differs from the stored one, or a word is not an option of this
 * version.
 */
MUST_CHECK Rc memory_recall(Config *config, const Words *words, MemoryUse use,
							Error *err);

/* Appends the words as a text for messages: publications=shop, origin=any. */
void memory_describe(const Words *words, Buf *buf);

#endif /* PENSTOCK_CONFIG_MEMORY_H */
