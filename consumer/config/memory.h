/*
 * memory.h
 *    What a pipeline remembers of the options that it was made with.
 *
 * Options that decide what arrives belong to the pipeline, not to a command
 * line.  They are kept with its progress on every target (see
 * control/pipeline_table.h) as the words that one would give, such as
 *
 *     publications=shop,more    exclude-table=public.log    origin=none
 *
 * Those that say what is copied are decided by the clone.  Those that say how
 * it is followed are decided when they are first given, or else by the first
 * follower.  What is decided counts wherever nothing is given, and something
 * else is refused, unless it is changed deliberately, with --set.
 *
 * Switches that a clone was told once, such as --no-owner, are remembered for
 * going on with it, and for tables that are added; they are never refused.
 */
#ifndef PENSTOCK_CONFIG_MEMORY_H
#define PENSTOCK_CONFIG_MEMORY_H

#include "base/arena.h"
#include "base/error.h"
#include "config/config.h"
#include "model/words.h"

/* Whose words: a clone leaves open what only following decides. */
typedef enum MemoryStage
{
	MEMORY_COPIED,
	MEMORY_FOLLOWED,
} MemoryStage;

/* The words of a Config, in the arena, which has what they point to as well. */
void memory_write(const Config *config, MemoryStage stage, Arena *arena,
				  Words *words);

/* What is done with an option that is given otherwise than remembered. */
typedef enum MemoryUse
{
	MEMORY_REFUSE,      /* ERR_CONFIG */
	MEMORY_REFUSE_SENT, /* the same, but conflicts may be settled otherwise */
	MEMORY_REPLACE,     /* what is given counts */
} MemoryUse;

/*
 * Puts remembered values in place of what was not given.  `words` have to live
 * as long as the Config.  A word that is not an option, from a later version,
 * is ERR_CONFIG.
 */
MUST_CHECK Rc memory_recall(Config *config, const Words *words, MemoryUse use,
							Error *err);

/* Appends the words for people: publications=shop, origin=any. */
void memory_describe(const Words *words, Buf *buf);

#endif /* PENSTOCK_CONFIG_MEMORY_H */
