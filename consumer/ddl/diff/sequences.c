/*
 * sequences.c
 *    CREATE SEQUENCE, ALTER SEQUENCE.
 */
#include "ddl/diff/sequences.h"

#include <string.h>

#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

void
diff_create_sequences(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *object = draft->changed[i];
		const SequenceDefinition *after;
		Definition *own;

		if (!draft_comes(object, DEFINITION_SEQUENCE) ||
			object->after->sequence.identity)
			continue;
		after = &object->after->sequence;
		draft_say(draft, object, DDL_SEQUENCE, "CREATE %sSEQUENCE %s AS %s %s",
				  after->unlogged ? "UNLOGGED " : "", draft_name(draft, object),
				  after->type, text_sequence_options(draft->arena, after));
		draft_create(draft, object, object->after);
		own = draft_edit(draft, object);
		own->sequence.owner_table = 0;
		own->sequence.owner_attnum = 0;
	}
}

static bool
counts_same_kind(const SequenceDefinition *a, const SequenceDefinition *b)
{
	return strcmp(a->type, b->type) == 0 && a->start == b->start &&
		   a->increment == b->increment && a->minimum == b->minimum &&
		   a->maximum == b->maximum && a->cache == b->cache &&
		   a->cycle == b->cycle;
}

/*
 * Whether the sequence needs RESTART: its current value may be outside of new
 * bounds, because the target's value is not the source's.
 */
static bool
has_to_restart(const SequenceDefinition *now, const SequenceDefinition *after)
{
	return after->minimum > now->minimum || after->maximum < now->maximum;
}

/*
 * Alters a sequence.  The increment is only set if it changes, because with a
 * stride the target's increment is a multiple of it.
 */
static void
alter_sequence(Draft *draft, const DraftObject *object)
{
	const SequenceDefinition *now = &object->now->sequence;
	const SequenceDefinition *after = &object->after->sequence;

	if (!counts_same_kind(now, after))
		draft_say(draft, object, DDL_SEQUENCE, "ALTER SEQUENCE %s AS %s %s%s",
				  draft_name(draft, object), after->type,
				  now->increment == after->increment
					  ? text_sequence_bounds(draft->arena, after)
					  : text_sequence_options(draft->arena, after),
				  has_to_restart(now, after) ? " RESTART" : "");
	if (now->unlogged != after->unlogged)
		draft_say(draft, object, DDL_SEQUENCE, "ALTER SEQUENCE %s SET %s",
				  draft_name(draft, object),
				  after->unlogged ? "UNLOGGED" : "LOGGED");
}

static void
give_owner(Draft *draft, const DraftObject *object)
{
	const SequenceDefinition *after = &object->after->sequence;
	const DraftObject *table = draft_table(draft, after->owner_table);
	const ColumnDefinition *column = NULL;

	if (after->owner_table == object->now->sequence.owner_table &&
		after->owner_attnum == object->now->sequence.owner_attnum)
		return;
	if (table != NULL && table->after != NULL)
		column = definition_column(&table->after->table, after->owner_attnum);
	if (column == NULL)
		return;
	draft_say(draft, object, DDL_SEQUENCE, "ALTER SEQUENCE %s OWNED BY %s.%s",
			  draft_name(draft, object), draft_name(draft, table),
			  text_quoted(draft->arena, column->name));
}

void
diff_alter_sequences(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		const DraftObject *object = draft->changed[i];

		if (!draft_stays(object, DEFINITION_SEQUENCE))
			continue;
		alter_sequence(draft, object);
		if (!object->after->sequence.identity)
			give_owner(draft, object);
	}
}
