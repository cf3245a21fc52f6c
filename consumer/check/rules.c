/*
 * rules.c
 *    Queries the servers for the tables of the rules.
 */
#include "check/rules.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalog/publications.h"
#include "check/connect.h"
#include "net/sql.h"

#define ARENA_BLOCK_BYTES (4 * KB)

static bool
is_remembered(const ConflictRule *rule, const Words *remembered)
{
	bool found = false;
	Buf word;

	buf_init(&word, BUF_TEXT_MAX);
	buf_append_string(&word, "on-conflict=");
	policy_append_rule(rule, &word);
	for (int i = 0; i < remembered->count && !found; i++)
		found = strcmp(remembered->words[i], word.data) == 0;
	buf_release(&word);
	return found;
}

static MUST_CHECK Rc
is_published(const ConflictRule *rule, const Publications *publications,
			 PgConn *source, bool *published, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT EXISTS (SELECT FROM pg_publication_tables"
							" WHERE schemaname = ");
	buf_append_literal(&sql, rule->schema);
	buf_append_string(&sql, " AND tablename = ");
	buf_append_literal(&sql, rule->table);
	buf_append_string(&sql, " AND pubname IN (");
	publications_append_literals(publications, &sql);
	buf_append_string(&sql, "))");
	rc = sql_run(source, &sql, &result, err);
	*published = rc == RC_OK && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

static Rc
refuse(const ConflictRule *rule, const char *why, Error *err)
{
	Buf name;
	Rc rc;

	buf_init(&name, BUF_TEXT_MAX);
	buf_append_identifier(&name, rule->schema);
	buf_append_char(&name, '.');
	buf_append_identifier(&name, rule->table);
	rc = error_set(err, ERR_CONFIG, "--on-conflict names table %s, which %s",
				   name.data, why);
	error_hint(err, "Give the table's name with its schema, and quote it as in "
					"SQL, as in '--on-conflict=public.\"My Logs\":skip'.  For "
					"a partitioned table, give the name that the publication "
					"publishes: its own, or those of its partitions.");
	buf_release(&name);
	return rc;
}

static MUST_CHECK Rc
is_table(const ConflictRule *rule, PgConn *server, bool *exists, Error *err)
{
	static const char sql[] =
		"SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
		" WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";
	const char *const params[] = {rule->schema, rule->table};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(server, sql, LENGTH_OF(params), params, &result,
							   err);

	*exists = rc == RC_OK && PQntuples(result) > 0;
	PQclear(result);
	return rc;
}

Rc
rules_check_exist(const Config *config, PgConn *source, Error *err)
{
	const ConflictRules *rules = &config->conflict_rules;
	Rc rc = RC_OK;

	for (int i = 0; i < rules->count && rc == RC_OK; i++)
	{
		const ConflictRule *rule = &rules->rules[i];
		bool exists;

		if (rule->schema[0] == '\0')
			continue;
		rc = is_table(rule, source, &exists, err);
		if (rc == RC_OK && !exists)
			rc = refuse(rule, "is not on the source", err);
	}
	return rc;
}

static MUST_CHECK Rc
is_on_target(const Config *config, int index, const ConflictRule *rule,
			 bool *exists, Error *err)
{
	char label[CONFIG_LABEL_SIZE];
	PgConn *target = NULL;
	Rc rc;

	config_label_target(config, index, label);
	rc = check_open_session(&target, config->targets[index], label, err);
	if (rc == RC_OK)
		rc = is_table(rule, target, exists, err);
	pgconn_close(target);
	if (rc == RC_FAIL && error_is_transient(err))
	{
		error_reset(err);
		*exists = true;
		rc = RC_OK;
	}
	return rc;
}

static MUST_CHECK Rc
is_on_any_target(const Config *config, const ConflictRule *rule, bool *exists,
				 Error *err)
{
	Rc rc = RC_OK;

	*exists = false;
	for (int i = 0; i < config->target_count && rc == RC_OK && !*exists; i++)
		rc = is_on_target(config, i, rule, exists, err);
	return rc;
}

Rc
rules_check(const Config *config, const Words *remembered, bool is_copied,
			PgConn *source, Error *err)
{
	const ConflictRules *rules = &config->conflict_rules;
	Publications publications;
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Rc rc = publications_parse(&publications, config->publications, arena, err);

	for (int i = 0; i < rules->count && rc == RC_OK; i++)
	{
		const ConflictRule *rule = &rules->rules[i];
		bool counts;

		if (rule->schema[0] == '\0' || is_remembered(rule, remembered))
			continue;
		rc = is_published(rule, &publications, source, &counts, err);
		if (rc == RC_OK && !counts && is_copied)
			rc = is_on_any_target(config, rule, &counts, err);
		if (rc == RC_OK && !counts)
			rc = refuse(rule,
						arena_printf(arena, "is not published by %s",
									 config->publications),
						err);
	}
	arena_free(arena);
	return rc;
}
