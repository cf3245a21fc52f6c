/*
 * pairing.c
 *    A merge of two sorted streams of rows.
 */
#include "verify/pairing.h"

#include <string.h>

/*
 * Compares the order of two rows; NULL, the end of a side, is after every row.
 */
static int
compare(const PairedRow *source, const PairedRow *target)
{
	ASSERT(source != NULL || target != NULL);
	if (source == NULL || target == NULL)
		return source == NULL ? 1 : -1;
	if (source->hash != target->hash)
		return source->hash < target->hash ? -1 : 1;
	return strcmp(source->key, target->key);
}

static bool
belongs(const Pairing *pairing, const PairedRow *row)
{
	return row->place == PLACE_ANY || row->place == pairing->number;
}

static void
judge_pair(const Pairing *pairing, const PairedRow *source,
		   const PairedRow *target)
{
	ASSERT(source->hash == target->hash);
	ASSERT(strcmp(source->key, target->key) == 0);
	if (!belongs(pairing, source))
		verdict_add_row(pairing->verdict, pairing->table, ROW_MISPLACED,
						target->json);
	else if (strcmp(source->first, target->first) != 0 ||
			 strcmp(source->second, target->second) != 0)
		verdict_add_row(pairing->verdict, pairing->table, ROW_DIFFERENT,
						target->json);
}

Rc
pairing_run(const Pairing *pairing, Error *err)
{
	const RowReader *from = pairing->source;
	const RowReader *to = pairing->target;
	const PairedRow *source = NULL;
	const PairedRow *target = NULL;
	Rc rc = from->next(from->context, &source, err);

	ASSERT(pairing->verdict != NULL && pairing->table != NULL);
	if (rc == RC_OK)
		rc = to->next(to->context, &target, err);
	while (rc == RC_OK && (source != NULL || target != NULL))
	{
		int order = compare(source, target);

		if (order == 0)
			judge_pair(pairing, source, target);
		else if (order > 0)
			verdict_add_row(pairing->verdict, pairing->table, ROW_EXTRA,
							target->json);
		else if (belongs(pairing, source))
			verdict_add_row(pairing->verdict, pairing->table, ROW_MISSING,
							source->json);
		if (order <= 0)
			rc = from->next(from->context, &source, err);
		if (rc == RC_OK && order >= 0)
			rc = to->next(to->context, &target, err);
	}
	return rc;
}
