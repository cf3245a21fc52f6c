/*
 * untranslated.c
 *    Logs them one by one, and finds those that a rule stops at.
 */
#include "sink/postgres/schema/untranslated.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/own_command.h"
#include "model/identifier.h"

/*
 * Number of changes per set that are logged as warnings because they are not
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

/* ---- Saying what has changed ---- */

/* Sets `text` to "the owner of view public.v", or just "view public.v". */
static void
append_object(const SchemaChange *change, Buf *text)
{
	if (change->untranslated_part[0] != '\0')
		buf_printf(text, "the %s of ", change->untranslated_part);
	buf_append_string(text, change->untranslated_identity[0] != '\0'
								? change->untranslated_identity
								: change->untranslated_catalog);
}

/* Whether a change decides what comes in the stream from there on. */
static bool
is_of_publication(const SchemaChange *change)
{
	return strncmp(change->untranslated_catalog, "pg_publication",
				   strlen("pg_publication")) == 0 &&
		   change->untranslated_part[0] == '\0';
}

static void
say_untranslated(const SchemaSet *set, const SchemaChange *change,
				 const char *label, bool loudly)
{
	const char *verb = change->untranslated_gone ? "dropped" : "changed";
	Buf object;

	buf_init(&object, BUF_TEXT_MAX);
	append_object(change, &object);
	if (is_of_publication(change))
		log_warning("apply.published-now",
					"transaction %" PRIu32 " at " LSN_FORMAT " has %s %s; %s "
					"gets from there on what is published now",
					set->txn.xid, LSN_ARGS(change->lsn), verb, object.data,
					label);
	else if (loudly)
		log_warning("apply.schema-not-followed",
					"transaction %" PRIu32 " at " LSN_FORMAT
					" has %s %s; that is not done on %s",
					set->txn.xid, LSN_ARGS(change->lsn), verb, object.data,
					label);
	else
		log_info("apply",
				 "transaction %" PRIu32 " at " LSN_FORMAT
				 " has %s %s; that is not done on %s",
				 set->txn.xid, LSN_ARGS(change->lsn), verb, object.data, label);
	buf_release(&object);
}

/*
 * Logs all changes that are not applied to the target, such as privileges: the
 * first UNTRANSLATED_SAID_MAX, and those of publications, as warnings, the
 * others as information, with a warning of how many these are.
 */
static void
say_all_untranslated(const SchemaSet *set, const char *label)
{
	int count = 0;
	int quiet = 0;

	for (size_t i = 0; i < set->count; i++)
	{
		const SchemaChange *change = set->changes[i]->schema;
		bool loudly = count < UNTRANSLATED_SAID_MAX;

		if (!is_untranslated(change))
			continue;
		count++;
		quiet += !loudly && !is_of_publication(change);
		say_untranslated(set, change, label, loudly);
	}
	if (quiet > 0)
		log_warning("apply.schema-not-followed",
					"transaction %" PRIu32 " has changed %d more of that kind, "
					"which the lines before this name as information; "
					"\"penstock schema diff\" shows what differs",
					set->txn.xid, quiet);
}

/* ---- Refusing ---- */

/*
 * Reads the first qualified name in a text into `schema` and `name`; false:
 * there is none.
 */
static bool
read_qualified(const char *text, char *schema, char *name)
{
	while (text != NULL)
	{
		const char *rest = identifier_read(text, schema);

		if (rest != NULL && *rest == '.' &&
			identifier_read(rest + 1, name) != NULL)
			return true;
		text = strchr(text, ' ');
		if (text != NULL)
			text++;
	}
	return false;
}

/*
 * Reads the name of the object of a change, or of the table that it is on; the
 * source writes "trigger t on table public.item", "function public.f(integer)".
 * False: the object has none with a schema.
 */
static bool
read_name(const SchemaChange *change, char *schema, char *name)
{
	static const char *const before_table[] = {" on ", " of table "};
	const char *text = change->untranslated_identity;

	for (size_t i = 0; i < LENGTH_OF(before_table); i++)
	{
		const char *found;

		while ((found = strstr(text, before_table[i])) != NULL)
			text = found + strlen(before_table[i]);
	}
	return read_qualified(text, schema, name);
}

static SchemaPolicy
policy_of(const SchemaChange *change, const SchemaRules *rules)
{
	char schema[IDENTIFIER_SIZE];
	char name[IDENTIFIER_SIZE];
	bool is_named = read_name(change, schema, name);

	return policy_of_schema_change(rules, POLICY_KIND_OTHER,
								   is_named ? schema : NULL,
								   is_named ? name : NULL, SCHEMA_OFF);
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
	Buf object;
	Rc rc;

	buf_init(&object, BUF_TEXT_MAX);
	append_object(change, &object);
	rc = error_set(err, ERR_CONFIG,
				   "transaction %" PRIu32 " at " LSN_FORMAT
				   " has %s %s, which is not followed",
				   set->txn.xid, LSN_ARGS(change->lsn),
				   change->untranslated_gone ? "dropped" : "changed",
				   object.data);
	hint_to_pass(rules, err);
	buf_release(&object);
	return rc;
}

Rc
untranslated_check(const SchemaSet *set, const SchemaRules *rules,
				   const char *label, Error *err)
{
	for (size_t i = 0; i < set->count; i++)
	{
		const SchemaChange *change = set->changes[i]->schema;

		if (is_untranslated(change) && policy_of(change, rules) == SCHEMA_STOP)
			return refuse_untranslated(set, change, rules, err);
	}
	say_all_untranslated(set, label);
	return RC_OK;
}
