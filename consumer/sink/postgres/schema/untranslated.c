/*
 * untranslated.c
 *    Logs the first of them one by one, and counts the others.
 */
#include "sink/postgres/schema/untranslated.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/own_command.h"

/*
 * Number of changes per set that are logged one by one because they are not
 * applied.
 */
#define UNTRANSLATED_SAID_MAX 10

/* Names of the triggers of control/refusal.h, as the source writes them. */
static const char *const own_triggers[] = {"trigger penstock_refuse_writes ",
										   "trigger penstock_refuse_rows "};

/* Whether the change is one that we have to say something about: triggers that
 * a switch creates on the source belong there only. */
static bool
is_untranslated(const SchemaChange *change)
{
	if (change->kind != SCHEMA_UNTRANSLATED)
		return false;
	for (size_t i = 0; i < LENGTH_OF(own_triggers); i++)
		if (strncmp(change->untranslated_identity, own_triggers[i],
					strlen(own_triggers[i])) == 0)
			return false;
	return true;
}

static void
say_untranslated(const SchemaSet *set, const SchemaChange *change,
				 const char *label)
{
	bool is_named = change->untranslated_identity[0] != '\0';
	const char *verb = change->untranslated_gone ? "dropped" : "changed";
	const char *object = is_named ? change->untranslated_identity
								  : change->untranslated_catalog;

	if (strncmp(change->untranslated_catalog, "pg_publication",
				strlen("pg_publication")) == 0)
		log_warning("apply.published-now",
					"transaction %" PRIu32 " at " LSN_FORMAT " has %s %s; %s "
					"gets from there on what is published now",
					set->txn.xid, LSN_ARGS(change->lsn), verb, object, label);
	else
		log_warning("apply.schema-not-followed",
					"transaction %" PRIu32 " at " LSN_FORMAT
					" has %s %s; that is not done on %s",
					set->txn.xid, LSN_ARGS(change->lsn), verb, object, label);
}

/*
 * Logs changes that are not applied to the target, such as privileges; at most
 * UNTRANSLATED_SAID_MAX of them.
 */
static void
say_all_untranslated(const SchemaSet *set, const char *label)
{
	int count = 0;

	for (size_t i = 0; i < set->count; i++)
		if (is_untranslated(set->changes[i]->schema) &&
			count++ < UNTRANSLATED_SAID_MAX)
			say_untranslated(set, set->changes[i]->schema, label);
	if (count > UNTRANSLATED_SAID_MAX)
		log_warning("apply.schema-not-followed",
					"transaction %" PRIu32 " has changed %d more of that kind; "
					"\"penstock schema diff\" shows what differs",
					set->txn.xid, count - UNTRANSLATED_SAID_MAX);
}

/*
 * Appends an option for each rule except those for changes that are never
 * followed.
 */
static void
append_rules(const SchemaRules *rules, Buf *words)
{
	for (int i = 0; i < rules->count; i++)
	{
		Buf option;

		if (strcmp(rules->rules[i].kind, POLICY_KIND_OTHER) == 0)
			continue;
		buf_init(&option, BUF_TEXT_MAX);
		buf_append_string(&option, "--on-ddl=");
		policy_append_schema_rule(&rules->rules[i], &option);
		buf_append_char(words, ' ');
		buf_append_shell_word(words, option.data);
		buf_release(&option);
	}
}

/*
 * Adds a hint with the command that lets changes pass which are never followed.
 * It repeats the other rules, because the given rules replace all stored ones.
 */
static void
hint_to_pass(const SchemaRules *rules, Error *err)
{
	Buf words;

	buf_init(&words, BUF_TEXT_MAX);
	buf_append_string(&words, "follow --set");
	append_rules(rules, &words);
	buf_append_string(&words, " --on-ddl=" POLICY_KIND_OTHER ":off");
	error_hint(err,
			   "See with \"%s\" what differs and bring it over; then \"%s\" "
			   "gets past this, with a warning for each.",
			   OWN_COMMAND("schema diff"), OWN_COMMAND(words.data));
	buf_release(&words);
}

static MUST_CHECK Rc
refuse_untranslated(const SchemaSet *set, const SchemaChange *change,
					const SchemaRules *rules, Error *err)
{
	bool is_named = change->untranslated_identity[0] != '\0';
	Rc rc = error_set(err, ERR_CONFIG,
					  "transaction %" PRIu32 " at " LSN_FORMAT
					  " has %s %s, which is not followed",
					  set->txn.xid, LSN_ARGS(change->lsn),
					  change->untranslated_gone ? "dropped" : "changed",
					  is_named ? change->untranslated_identity
							   : change->untranslated_catalog);

	hint_to_pass(rules, err);
	return rc;
}

Rc
untranslated_check(const SchemaSet *set, const SchemaRules *rules,
				   const char *label, Error *err)
{
	SchemaPolicy policy = policy_of_schema_change(rules, POLICY_KIND_OTHER,
												  NULL, NULL, SCHEMA_OFF);

	for (size_t i = 0; i < set->count && policy == SCHEMA_STOP; i++)
		if (is_untranslated(set->changes[i]->schema))
			return refuse_untranslated(set, set->changes[i]->schema, rules,
									   err);
	say_all_untranslated(set, label);
	return RC_OK;
}
