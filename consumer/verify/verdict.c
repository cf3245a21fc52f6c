/*
 * verdict.c
 *    Collects the differences, and writes them as lines or JSON.
 */
#include "verify/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"

#define ARENA_BLOCK_BYTES (64 * KB)

static const char *const fault_names[ROW_FAULTS] = {
	[ROW_MISSING] = "missing",
	[ROW_EXTRA] = "extra",
	[ROW_DIFFERENT] = "different",
	[ROW_MISPLACED] = "misplaced",
};

static const char *const repair_names[ROW_REPAIRS] = {
	[REPAIR_INSERT] = "inserted",
	[REPAIR_UPDATE] = "updated",
	[REPAIR_DELETE] = "deleted",
	[REPAIR_NOTHING] = "repaired_before",
};

static const char *const outcome_names[] = {
	[TABLE_PENDING] = "not compared",
	[TABLE_EQUAL] = "equal",
	[TABLE_DIFFERENT] = "different",
	[TABLE_NOT_COMPARED] = "not compared",
	[TABLE_GONE] = "gone",
	[TABLE_REPAIRED] = "repaired",
	[TABLE_LEFT_OUT] = "left out",
};

Verdict *
verdict_new(void)
{
	Verdict *verdict = xcalloc(1, sizeof(*verdict));

	verdict->arena = arena_new(ARENA_BLOCK_BYTES);
	verdict->keys_max = VERDICT_KEYS_MAX;
	return verdict;
}

void
verdict_free(Verdict *verdict)
{
	if (verdict == NULL)
		return;
	for (int i = 0; i < verdict->table_count; i++)
		for (int fault = 0; fault < ROW_FAULTS; fault++)
			free(verdict->tables[i]->keys[fault]);
	free(verdict->tables);
	hash_index_release(&verdict->by_name);
	arena_free(verdict->arena);
	free(verdict);
}

static TableVerdict *
add_table(Verdict *verdict, const char *table, const char *target)
{
	TableVerdict *added = arena_calloc(verdict->arena, 1, sizeof(*added));

	if (verdict->table_count == verdict->table_room)
	{
		verdict->table_room = 2 * verdict->table_room + 64;
		verdict->tables = xrealloc_array(verdict->tables,
										 (size_t) verdict->table_room,
										 sizeof(*verdict->tables));
	}
	added->table = arena_strdup(verdict->arena, table);
	added->target = arena_strdup(verdict->arena, target);
	verdict->tables[verdict->table_count++] = added;
	return added;
}

TableVerdict *
verdict_of(Verdict *verdict, const char *table, const char *target)
{
	uint64_t hash = hash_text(hash_text(HASH_START, table), target);
	HashSearch search = hash_search_begin(&verdict->by_name, hash);
	size_t number;

	while (hash_search_next(&search, &number))
	{
		ASSERT(number < (size_t) verdict->table_count);
		if (strcmp(verdict->tables[number]->table, table) == 0 &&
			strcmp(verdict->tables[number]->target, target) == 0)
			return verdict->tables[number];
	}
	hash_index_add(&verdict->by_name, hash, (size_t) verdict->table_count);
	return add_table(verdict, table, target);
}

void
verdict_add_row(Verdict *verdict, TableVerdict *table, RowFault fault,
				const char *json)
{
	ASSERT(fault < ROW_FAULTS && json != NULL);
	ASSERT(table->key_count[fault] <= verdict->keys_max);
	table->faults[fault]++;
	if (table->key_count[fault] == verdict->keys_max)
		return;
	if (table->key_count[fault] == table->key_room[fault])
	{
		table->key_room[fault] = 2 * table->key_room[fault] + VERDICT_KEYS_MAX;
		table->keys[fault] = xrealloc_array(table->keys[fault],
											(size_t) table->key_room[fault],
											sizeof(char *));
	}
	table->keys[fault][table->key_count[fault]++] = arena_strdup(verdict->arena,
																 json);
}

void
verdict_forget_rows(TableVerdict *table)
{
	memset(table->faults, 0, sizeof(table->faults));
	memset(table->key_count, 0, sizeof(table->key_count));
}

/* Number of keys that are shown. */
static int
shown_count(const TableVerdict *table, RowFault fault)
{
	ASSERT(table->key_count[fault] <= table->faults[fault]);
	return table->key_count[fault] < VERDICT_KEYS_MAX ? table->key_count[fault]
													  : VERDICT_KEYS_MAX;
}

void
verdict_refuse(Verdict *verdict, TableVerdict *table, const char *reason)
{
	ASSERT(reason != NULL);
	table->outcome = TABLE_NOT_COMPARED;
	table->reason = arena_strdup(verdict->arena, reason);
}

void
verdict_leave_out(Verdict *verdict, TableVerdict *table, const char *reason)
{
	ASSERT(reason != NULL);
	table->outcome = TABLE_LEFT_OUT;
	table->reason = arena_strdup(verdict->arena, reason);
}

void
verdict_add_note(Verdict *verdict, const char *note)
{
	ASSERT(note != NULL);
	if (verdict->note_count < VERDICT_NOTES_MAX)
		verdict->notes[verdict->note_count++] = arena_strdup(verdict->arena,
															 note);
	else
		verdict->notes_left_out++;
}

void
verdict_doubt(Verdict *verdict, const char *doubt)
{
	ASSERT(doubt != NULL);
	verdict->doubt = verdict->doubt == NULL
						 ? arena_strdup(verdict->arena, doubt)
						 : arena_printf(verdict->arena, "%s; %s",
										verdict->doubt, doubt);
}

static int
count_tables(const Verdict *verdict, TableOutcome outcome)
{
	int count = 0;

	for (int i = 0; i < verdict->table_count; i++)
		count += verdict->tables[i]->outcome == outcome ? 1 : 0;
	return count;
}

bool
verdict_has_different_rows(const Verdict *verdict)
{
	return count_tables(verdict, TABLE_DIFFERENT) > 0;
}

bool
verdict_is_different(const Verdict *verdict)
{
	return verdict->note_count > 0 || verdict_has_different_rows(verdict);
}

bool
verdict_is_complete(const Verdict *verdict)
{
	return verdict->doubt == NULL && verdict->failure == NULL &&
		   count_tables(verdict, TABLE_NOT_COMPARED) == 0 &&
		   count_tables(verdict, TABLE_PENDING) == 0;
}

/* ---- for people --------------------------------------------------------- */

static void
report_rows(const TableVerdict *table, RowFault fault, const Report *report)
{
	int shown = shown_count(table, fault);
	int64_t left = table->faults[fault] - shown;

	ASSERT(left >= 0);
	if (table->faults[fault] == 0)
		return;
	report_line(report, "    %" PRId64 " %s", table->faults[fault],
				fault_names[fault]);
	for (int i = 0; i < shown; i++)
		report_line(report, "        %s", table->keys[fault][i]);
	if (left > 0)
		report_line(report, "        and %" PRId64 " more", left);
}

static void
report_repairs(const TableVerdict *table, const Report *report)
{
	if (table->repairs)
		report_line(
			report,
			"    repaired: %" PRId64 " inserted, %" PRId64 " updated, %" PRId64
			" deleted, %" PRId64 " as they should be by then",
			table->repaired[REPAIR_INSERT], table->repaired[REPAIR_UPDATE],
			table->repaired[REPAIR_DELETE], table->repaired[REPAIR_NOTHING]);
}

static void
report_table(const TableVerdict *table, bool all, const Report *report)
{
	switch (table->outcome)
	{
		case TABLE_GONE:
			break;
		case TABLE_LEFT_OUT:
			if (all)
				report_line(report, "table %s on %s: left out: %s",
							table->table, table->target, table->reason);
			break;
		case TABLE_EQUAL:
			if (all)
				report_line(report, "table %s on %s: equal, %" PRId64 " row%s",
							table->table, table->target, table->rows,
							PLURAL(table->rows));
			break;
		case TABLE_DIFFERENT:
		case TABLE_REPAIRED:
			report_line(report, "table %s on %s: %s%s%s", table->table,
						table->target,
						table->outcome == TABLE_REPAIRED
							? "was different"
							: outcome_names[table->outcome],
						table->reason != NULL ? ": " : "",
						table->reason != NULL ? table->reason : "");
			for (int fault = 0; fault < ROW_FAULTS; fault++)
				report_rows(table, (RowFault) fault, report);
			report_repairs(table, report);
			break;
		case TABLE_PENDING:
		case TABLE_NOT_COMPARED:
			report_line(report, "table %s on %s: not compared: %s",
						table->table, table->target,
						table->reason != NULL ? table->reason
											  : "there was no time");
			break;
	}
}

void
verdict_report(const Verdict *verdict, bool all, const Report *report)
{
	int equal = count_tables(verdict, TABLE_EQUAL);
	int different = count_tables(verdict, TABLE_DIFFERENT);
	int repaired = count_tables(verdict, TABLE_REPAIRED);
	int left = count_tables(verdict, TABLE_NOT_COMPARED) +
			   count_tables(verdict, TABLE_PENDING);

	for (int i = 0; i < verdict->table_count; i++)
		report_table(verdict->tables[i], all, report);
	for (int i = 0; i < verdict->note_count; i++)
		report_line(report, "%s", verdict->notes[i]);
	if (verdict->notes_left_out > 0)
		report_line(report, "and %" PRId64 " more like these",
					verdict->notes_left_out);
	if (verdict->doubt != NULL)
		report_line(report, "not compared: %s", verdict->doubt);
	if (repaired > 0)
		report_line(report, "%d table%s repaired", repaired, PLURAL(repaired));
	report_line(
		report, "%d table%s equal, %d different, %d not compared%s", equal,
		PLURAL(equal), different, left,
		verdict->note_count > 0 ? "; schema or sequences differ as above" : "");
}

/* ---- for machines ------------------------------------------------------- */

static void
append_keys(Json *json, const TableVerdict *table, RowFault fault)
{
	json_key(json, fault_names[fault]);
	json_begin_object(json);
	json_member_int(json, "rows", table->faults[fault]);
	json_key(json, "keys");
	json_begin_array(json);
	for (int i = 0; i < shown_count(table, fault); i++)
		json_raw(json, table->keys[fault][i], strlen(table->keys[fault][i]));
	json_end_array(json);
	json_end_object(json);
}

static void
append_table(Json *json, const TableVerdict *table)
{
	char lsn[LSN_TEXT_SIZE];

	ASSERT((size_t) table->outcome < LENGTH_OF(outcome_names));
	ASSERT(table->outcome != TABLE_GONE);
	json_begin_object(json);
	json_member_string(json, "table", table->table);
	json_member_string(json, "target", table->target);
	json_member_string(json, "outcome", outcome_names[table->outcome]);
	json_member_string(json, "reason", table->reason);
	if (table->lsn != 0)
	{
		snprintf(lsn, sizeof(lsn), LSN_FORMAT, LSN_ARGS(table->lsn));
		json_member_string(json, "lsn", lsn);
		json_member_int(json, "rows", table->rows);
	}
	for (int fault = 0; fault < ROW_FAULTS; fault++)
		if (table->outcome == TABLE_DIFFERENT ||
			table->outcome == TABLE_REPAIRED)
			append_keys(json, table, (RowFault) fault);
	if (table->repairs)
	{
		json_key(json, "repairs");
		json_begin_object(json);
		for (int i = 0; i < ROW_REPAIRS; i++)
			json_member_int(json, repair_names[i], table->repaired[i]);
		json_end_object(json);
	}
	json_end_object(json);
}

void
verdict_append_json(const Verdict *verdict, Buf *buf)
{
	Json json;

	json_init(&json, buf);
	json_begin_object(&json);
	json_member_bool(&json, "different", verdict_is_different(verdict));
	json_member_bool(&json, "complete", verdict_is_complete(verdict));
	json_key(&json, "tables");
	json_begin_array(&json);
	for (int i = 0; i < verdict->table_count; i++)
		if (verdict->tables[i]->outcome != TABLE_GONE)
			append_table(&json, verdict->tables[i]);
	json_end_array(&json);
	json_key(&json, "schema_and_sequences");
	json_begin_array(&json);
	for (int i = 0; i < verdict->note_count; i++)
		json_text(&json, verdict->notes[i]);
	json_end_array(&json);
	json_member_int(&json, "left_out", verdict->notes_left_out);
	json_member_string(&json, "not_compared", verdict->doubt);
	json_member_string(&json, "failure", verdict->failure);
	json_end_object(&json);
}
