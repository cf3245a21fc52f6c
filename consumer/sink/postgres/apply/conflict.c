/*
 * conflict.c
 *    Describes a change so that a person can find the row.
 */
#include "sink/postgres/apply/conflict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/own_command.h"
#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/truncate.h"

#define UNIQUE_VIOLATION    "23505"
#define EXCLUSION_VIOLATION "23P01"
#define BAD_BYTES           "22021" /* character_not_in_repertoire */

/* Number of bytes after which a key's value is truncated. */
#define KEY_VALUE_MAX 200

static void
add_context(const ConflictChange *what, Error *err)
{
	Buf text;

	buf_init(&text, BUF_TEXT_MAX);
	buf_append_string(&text, "applying ");
	if (what->change != NULL)
		buf_printf(&text, "%s ", change_kind_name(what->change->kind));
	if (what->table != NULL)
		buf_printf(&text, "to table %s ", what->table->name_sql);
	if (what->txn != NULL)
		buf_printf(&text, "in transaction %u, commit LSN " LSN_FORMAT,
				   what->txn->xid, LSN_ARGS(what->txn->commit_lsn));
	if (what->table != NULL || what->txn != NULL)
		error_context(err, "%s", text.data);
	buf_release(&text);
}

void
conflict_set_wrong_rows(const ConflictChange *what, int64_t expected,
						int64_t found, Error *err)
{
	Rc rc;

	ASSERT(expected != found);
	if (what->change == NULL)
		rc = error_set(err, ERR_CONFLICT,
					   "changes of %" PRId64 " rows in table %s on the target "
					   "have found %" PRId64 " rows",
					   expected, what->table ? what->table->name_sql : "?",
					   found);
	else
		rc = error_set(err, ERR_CONFLICT,
					   "row to %s does not exist in table %s on the target",
					   change_kind_name(what->change->kind),
					   what->table->name_sql);
	ASSERT(rc == RC_FAIL);
	(void) rc;
	error_hint(err,
			   "Another session has changed the target, or it was not copied "
			   "from this source.  Nothing of this transaction was applied.  "
			   "Fix the row on the target and go on with \"%s\", or copy "
			   "again.",
			   OWN_COMMAND("follow"));
	add_context(what, err);
}

void
conflict_set_no_values(const ConflictChange *what, bool is_kept, Error *err)
{
	Rc rc = error_set(err, ERR_CONFLICT,
					  "row that moves to another node does not exist in "
					  "table %s on the target",
					  what->table->name_sql);

	ASSERT(rc == RC_FAIL);
	(void) rc;
	if (is_kept)
		error_detail(err, "The target has removed it already, and "
						  "penstock.moved does not have its values.");
	else
		error_detail(err, "The source's WAL does not have all its values.");
	if (is_kept)
		error_hint(err, "Another session has changed the target.  Copy again.");
	else
		error_hint(
			err,
			"Another session has changed the target, or it was not copied "
			"from this source.  Fix the row on the target and go on "
			"with \"%s\", or "
			"copy again.",
			OWN_COMMAND("follow"));
	add_context(what, err);
}

void
conflict_set_unsettled(const ConflictChange *what, const char *index,
					   Error *err)
{
	bool is_insert = what->change->kind == CHANGE_INSERT;
	Rc rc = error_set(err, ERR_CONFLICT,
					  "row to %s cannot be overwritten in table %s on the "
					  "target",
					  change_kind_name(what->change->kind),
					  what->table->name_sql);

	ASSERT(rc == RC_FAIL);
	(void) rc;
	if (index != NULL)
		error_hint(err,
				   "Another row has a value that must be unique, by index "
				   "\"%s\".  Nothing of this transaction was applied.",
				   index);
	else
		error_hint(err, "%s  Nothing of this transaction was applied.",
				   is_insert
					   ? "Another row has a value that must be unique."
					   : "It is not there, and not all its values are in the "
						 "source's WAL.");
	add_context(what, err);
}

void
conflict_explain_refusal(const ConflictChange *what, Error *err)
{
	if (err->code == ERR_SQL && strcmp(err->sqlstate, UNIQUE_VIOLATION) == 0)
	{
		err->code = ERR_CONFLICT;
		error_hint(err,
				   "The target has a row that the source does not have there.  "
				   "Nothing of this transaction was applied.  Fix the row and "
				   "go on with \"%s\", or copy again.",
				   OWN_COMMAND("follow"));
	}
	if (err->code == ERR_SQL && what->change != NULL &&
		what->change->kind == CHANGE_TRUNCATE &&
		strcmp(err->sqlstate, TRUNCATE_REFERENCED_SQLSTATE) == 0)
		error_hint(err,
				   "A table that is not truncated with it has a foreign key to "
				   "it, which the role on the target cannot disable.  Let the "
				   "role set session_replication_role, or drop the foreign key "
				   "there, and go on with \"%s\".",
				   OWN_COMMAND("follow"));
	if (err->code == ERR_SQL && strcmp(err->sqlstate, BAD_BYTES) == 0 &&
		what->table != NULL)
		error_hint(err,
				   "The row on the source has bytes that are no text in the "
				   "target's encoding, which no policy settles.  Run \"%s\" to "
				   "go on without the table; fix the row on the source, and "
				   "run \"%s\", which copies the table anew.",
				   OWN_COMMAND_TABLE("pause", what->table->relation->schema,
									 what->table->relation->name),
				   OWN_COMMAND_TABLE("resume", what->table->relation->schema,
									 what->table->relation->name));
	pgconn_explain_path(err);
	add_context(what, err);
}

/*
 * Asks the target to print a value in binary format; returns false if it fails.
 */
static bool
print_value(PgConn *target, const TargetColumn *column, const Value *value,
			Buf *text)
{
	Oid types[1] = {column->wire_type};
	const char *values[1] = {(const char *) value->bytes};
	int lengths[1] = {(int) value->length};
	int formats[1] = {1};
	PGresult *result = NULL;
	PGresult *end = NULL;
	Error ignored = {0};
	bool printed = false;

	ASSERT(value->kind == VALUE_BINARY);
	if (!PQsendQueryParams(pgconn_raw(target),
						   "SELECT pg_catalog.format('%s', $1)", 1, types,
						   values, lengths, formats, 0))
		return false;
	if (pgconn_get_result(target, &result, &ignored) == RC_OK &&
		PQresultStatus(result) == PGRES_TUPLES_OK)
	{
		buf_printf(text, "%.*s", KEY_VALUE_MAX, PQgetvalue(result, 0, 0));
		printed = true;
	}
	PQclear(result);
	if (pgconn_get_result(target, &end, &ignored) == RC_OK)
		PQclear(end);
	error_reset(&ignored);
	return printed;
}

static void
append_value(PgConn *target, const TargetColumn *column, const Value *value,
			 Buf *text)
{
	int shown = value->length > KEY_VALUE_MAX ? KEY_VALUE_MAX
											  : (int) value->length;

	switch ((ValueKind) value->kind)
	{
		case VALUE_NULL:
			buf_append_string(text, "null");
			return;
		case VALUE_INTEGER:
			value_append_integer(text, column->source->type_oid,
								 value->integer);
			return;
		case VALUE_TEXT:
			buf_printf(text, "%.*s", shown, (const char *) value->bytes);
			return;
		case VALUE_BINARY:
			if (column->transfer == TRANSFER_RECEIVED ||
				column->transfer == TRANSFER_TEXT)
				buf_printf(text, "%.*s", shown, (const char *) value->bytes);
			else if (!print_value(target, column, value, text))
				buf_append_string(text, "…");
			return;
		case VALUE_MISSING:
		case VALUE_UNCHANGED:
			buf_append_string(text, "…");
			return;
	}
}

/* Whether a policy of skip could settle the conflict. */
static bool
can_be_skipped(const ConflictChange *what, const Error *err)
{
	ASSERT(what->change != NULL);
	if (what->table->policy != CONFLICT_STOP)
		return false;
	if (what->change->kind == CHANGE_INSERT)
		return strcmp(err->sqlstate, UNIQUE_VIOLATION) == 0 ||
			   strcmp(err->sqlstate, EXCLUSION_VIOLATION) == 0;
	return err->code == ERR_CONFLICT && err->sqlstate[0] == '\0';
}

/*
 * Adds that the row has no key.  Values of rows must not be logged, except
 * keys; without a key, the hint is to look into penstock.conflict.
 */
static void
add_no_key(const ConflictChange *what, Error *err)
{
	ASSERT(what->table->key_count == 0);
	if (err->detail != NULL)
		error_context(err, "the table has no key to name the row by");
	else if (can_be_skipped(what, err))
		error_detail(err,
					 "The table has no key to name the row by, and other "
					 "values are not logged.  To follow with --set and "
					 "'--on-conflict=%s:skip' notes the row in "
					 "penstock.conflict on the target, and goes on.",
					 what->table->name_sql);
	else
		error_detail(err, "The table has no key to name the row by, and other "
						  "values are not logged.");
}

void
conflict_add_key(PgConn *target, const ConflictChange *what, Error *err)
{
	const Value *row;
	Buf text;
	int named = 0;

	if (what->change == NULL || what->table == NULL ||
		what->change->kind == CHANGE_TRUNCATE)
		return;
	if (what->table->key_count == 0)
	{
		add_no_key(what, err);
		return;
	}
	row = change_identity_row(what->change);
	buf_init(&text, BUF_TEXT_MAX);
	for (int i = 0; i < what->table->column_count; i++)
	{
		const TargetColumn *column = &what->table->columns[i];

		if (!column->key)
			continue;
		buf_printf(&text, "%s%s = ", named++ > 0 ? ", " : "", column->name_sql);
		append_value(target, column, &row[column->source_index], &text);
	}
	if (err->detail != NULL)
		error_context(err, "the row: %s", text.data);
	else
		error_detail(err, "The row: %s.", text.data);
	buf_release(&text);
}
