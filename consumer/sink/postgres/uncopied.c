/*
 * uncopied.c
 *    Keeps the verdict on each relation by its number in the stream, and the
 *    changed tables of open transactions in an array.
 */
#include "sink/postgres/uncopied.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/own_command.h"
#include "base/xalloc.h"
#include "sink/postgres/publication_change.h"

#define SLOTS_FIRST 64

typedef struct Known
{
	Relation *relation; /* holds a reference; NULL: the slot is free */
	CopiedVerdict verdict;
	Lsn left_out_until; /* LSN up to which changes are left out, for a table
						 * that was copied under another name */
} Known;

/*
 * A table that was not copied and that a transaction has changed.  It may be in
 * the array more than once.
 */
typedef struct Met
{
	Relation *relation; /* its newest description; holds a reference */
	uint32_t xid;
	uint32_t subxid;
} Met;

/* A table of which a schema change was taken. */
typedef struct Followed
{
	uint32_t oid;
	bool followed; /* whether it was followed before that change */
	bool wanted;   /* whether its next rows are applied */
	bool settled;  /* whether the target has applied the first change */
	bool left;     /* whether, on the target, it is not published any more */
} Followed;

struct UncopiedTables
{
	CopiedTables *copied; /* NULL: all tables count as copied */
	const TableStates *states;
	Known *known; /* indexed by the relation's number */
	size_t slot_count;
	Met *met;
	size_t met_count;
	size_t met_capacity;
	Followed *followed;
	size_t followed_count;
	size_t followed_capacity;
	char **schemas; /* names of schemas of which a schema change was taken */
	size_t schema_count;
	Relation *refused; /* the table that was returned last; holds a reference */
};

UncopiedTables *
uncopied_new(CopiedTables *copied, const TableStates *states)
{
	UncopiedTables *self = xcalloc(1, sizeof(UncopiedTables));

	self->copied = copied;
	self->states = states;
	return self;
}

void
uncopied_free(UncopiedTables *self)
{
	if (self == NULL)
		return;
	for (size_t i = 0; i < self->slot_count; i++)
		relation_unref(self->known[i].relation);
	for (size_t i = 0; i < self->met_count; i++)
		relation_unref(self->met[i].relation);
	relation_unref(self->refused);
	copied_tables_free(self->copied);
	free(self->known);
	free(self->met);
	free(self->followed);
	for (size_t i = 0; i < self->schema_count; i++)
		free(self->schemas[i]);
	free(self->schemas);
	free(self);
}

static void
make_slot(UncopiedTables *self, size_t number)
{
	size_t count = self->slot_count ? self->slot_count : SLOTS_FIRST;

	if (number < self->slot_count)
		return;
	while (count <= number)
		count *= 2;
	self->known = xrealloc_array(self->known, count, sizeof(Known));
	memset(self->known + self->slot_count, 0,
		   (count - self->slot_count) * sizeof(Known));
	self->slot_count = count;
}

/*
 * Replaces descriptions of the same table by the newest, which alone knows that
 * the table was dropped, whichever subtransaction the older ones are from.
 */
static void
renew_met(UncopiedTables *self, Relation *relation)
{
	for (size_t i = 0; i < self->met_count; i++)
	{
		Met *met = &self->met[i];

		if (met->relation->number != relation->number)
			continue;
		relation_ref(relation);
		relation_unref(met->relation);
		met->relation = relation;
	}
}

static Followed *
find_followed(const UncopiedTables *self, uint32_t oid)
{
	for (size_t i = 0; i < self->followed_count; i++)
		if (self->followed[i].oid == oid)
			return &self->followed[i];
	return NULL;
}

bool
uncopied_is_followed(const UncopiedTables *self, uint32_t oid, bool published)
{
	const Followed *followed = find_followed(self, oid);
	bool copied;

	if (followed != NULL)
		return followed->followed && !followed->left;
	if (self->copied == NULL)
		return true;
	return copied_tables_find(self->copied, oid, &copied) ? copied : published;
}

bool
uncopied_is_whole(const UncopiedTables *self)
{
	return self->copied == NULL || copied_tables_are_all(self->copied);
}

static bool
is_schema_followed(const UncopiedTables *self, const char *name)
{
	for (size_t i = 0; i < self->schema_count; i++)
		if (strcmp(self->schemas[i], name) == 0)
			return true;
	return false;
}

/* Records a changed schema, whose tables may have had another name for it. */
static void
follow_schema(UncopiedTables *self, const char *name)
{
	if (is_schema_followed(self, name))
		return;
	self->schemas = xrealloc_array(self->schemas, self->schema_count + 1,
								   sizeof(self->schemas[0]));
	self->schemas[self->schema_count++] = xstrdup(name);
}

/*
 * Whether the table is not published any more.  Unlogged and partitioned tables
 * have no rows that could be published.
 */
static bool
has_left(const Definition *definition)
{
	return !definition->table.published && !definition->table.unlogged &&
		   !definition->table.partitioned;
}

void
uncopied_follow(UncopiedTables *self, const SchemaChange *change)
{
	const Definition *definition = change->definition;
	Followed followed = {.oid = change->oid};
	Followed *known;

	if (self->copied == NULL || change->kind != SCHEMA_DEFINED)
		return;
	if (definition->kind == DEFINITION_NAMESPACE)
		follow_schema(self, definition->name);
	if (definition->kind != DEFINITION_TABLE)
		return;
	known = find_followed(self, change->oid);
	if (known != NULL)
	{
		known->wanted = known->wanted && !has_left(definition);
		return;
	}
	followed.followed = uncopied_is_followed(self, change->oid,
											 definition->table.published);
	followed.wanted = followed.followed && !has_left(definition);
	if (self->followed_count == self->followed_capacity)
	{
		self->followed_capacity = self->followed_capacity > 0
									  ? self->followed_capacity * 2
									  : 8;
		self->followed = xrealloc_array(self->followed, self->followed_capacity,
										sizeof(Followed));
	}
	self->followed[self->followed_count++] = followed;
}

void
uncopied_settle(UncopiedTables *self, const SchemaChange *change)
{
	Followed *followed;

	if (change->kind != SCHEMA_DEFINED ||
		change->definition->kind != DEFINITION_TABLE)
		return;
	followed = find_followed(self, change->oid);
	if (followed == NULL)
		return;
	followed->settled = true;
	if (followed->followed && !followed->left && has_left(change->definition))
	{
		log_info("apply",
				 "table \"%s\".\"%s\" is not published any more: it is not "
				 "followed from here on",
				 change->definition->schema, change->definition->name);
		followed->left = true;
	}
}

bool
uncopied_was_copied(const UncopiedTables *self, uint32_t oid)
{
	const Followed *followed = find_followed(self, oid);
	bool copied = false;

	if (self->copied == NULL || (followed != NULL && followed->left))
		return false;
	if (followed != NULL && followed->settled)
		return followed->followed;
	return copied_tables_find(self->copied, oid, &copied) && copied;
}

/*
 * Decides on a relation.  A table with a schema change, or in a schema with
 * one, has the same name on both sides.
 */
static CopiedVerdict
judge(const UncopiedTables *self, const Relation *relation,
	  const CopiedTable **copied)
{
	const Followed *followed = find_followed(self, relation->oid);
	bool wanted = followed != NULL && followed->wanted;

	if (followed == NULL &&
		!(is_schema_followed(self, relation->schema) &&
		  copied_tables_find(self->copied, relation->oid, &wanted)))
		return copied_tables_judge(self->copied, relation, copied);
	*copied = NULL;
	return wanted ? COPIED_YES : COPIED_NO;
}

static const Known *
look_up(UncopiedTables *self, Relation *relation)
{
	const CopiedTable *copied;
	CopiedVerdict verdict = judge(self, relation, &copied);
	Known *known;

	make_slot(self, relation->number);
	known = &self->known[relation->number];
	relation_unref(known->relation);
	*known = (Known){.relation = relation_ref(relation), .verdict = verdict};
	if (copied != NULL)
		known->left_out_until = table_states_left_out_until(self->states,
															&copied->name);
	renew_met(self, relation);
	return known;
}

static const Known *
know(UncopiedTables *self, Relation *relation)
{
	if (relation->number < self->slot_count &&
		self->known[relation->number].relation == relation)
		return &self->known[relation->number];
	return look_up(self, relation);
}

/*
 * Records a changed table that was not copied; searches from the end, because
 * the last table is usually changed again.
 */
static void
note_met(UncopiedTables *self, Relation *relation, uint32_t xid,
		 uint32_t subxid)
{
	for (size_t i = self->met_count; i-- > 0;)
	{
		const Met *met = &self->met[i];

		if (met->xid != xid || met->subxid != subxid)
			break;
		if (met->relation == relation)
			return;
	}
	if (self->met_count == self->met_capacity)
	{
		self->met_capacity = self->met_capacity ? self->met_capacity * 2 : 8;
		self->met = xrealloc_array(self->met, self->met_capacity, sizeof(Met));
	}
	self->met[self->met_count++] = (Met){
		.relation = relation_ref(relation), .xid = xid, .subxid = subxid};
}

/* Whether a change to a table is applied; otherwise records the table. */
static bool
is_wanted(UncopiedTables *self, Relation *relation, uint32_t xid,
		  uint32_t subxid, Lsn end_lsn)
{
	const Known *known = know(self, relation);

	if (end_lsn <= known->left_out_until)
		return false;
	if (known->verdict == COPIED_YES)
		return true;
	note_met(self, relation, xid, subxid);
	return false;
}

/* Arguments of is_truncated(), which decides for each table of a TRUNCATE. */
typedef struct Truncate
{
	UncopiedTables *self;
	uint32_t xid;
	uint32_t subxid;
	Lsn end_lsn;
} Truncate;

static bool
is_truncated(void *context, Relation *relation)
{
	const Truncate *truncate = context;

	return is_wanted(truncate->self, relation, truncate->xid, truncate->subxid,
					 truncate->end_lsn);
}

const Change *
uncopied_select(UncopiedTables *self, Frame *frame, const Change *change,
				uint32_t xid, Lsn end_lsn)
{
	if (self->copied == NULL)
		return change;
	if (change->kind == CHANGE_TRUNCATE)
		return change_select_truncated(frame, change, is_truncated,
									   &(Truncate){.self = self,
												   .xid = xid,
												   .subxid = change->subxid,
												   .end_lsn = end_lsn});
	return is_wanted(self, change->relation, xid, change->subxid, end_lsn)
			   ? change
			   : NULL;
}

/*
 * Removes the recorded tables of a transaction; returns one that was not
 * dropped, with a reference, or NULL.
 */
static Relation *
forget(UncopiedTables *self, uint32_t xid, uint32_t subxid)
{
	Relation *there = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < self->met_count; i++)
	{
		Met *met = &self->met[i];

		if (met->xid != xid || (subxid != 0 && met->subxid != subxid))
		{
			self->met[kept++] = *met;
			continue;
		}
		if (there == NULL && !met->relation->gone)
			there = relation_ref(met->relation);
		relation_unref(met->relation);
	}
	self->met_count = kept;
	return there;
}

const Relation *
uncopied_commit(UncopiedTables *self, uint32_t xid)
{
	Relation *there;

	if (self->met_count == 0)
		return NULL;
	there = forget(self, xid, 0);
	relation_unref(self->refused);
	self->refused = there;
	return there;
}

void
uncopied_abort(UncopiedTables *self, uint32_t xid, uint32_t subxid)
{
	if (self->met_count > 0)
		relation_unref(forget(self, xid, subxid));
}

/* Reads the OID of the target's table with that name; 0: there is none. */
static MUST_CHECK Rc
find_present(PgConn *target, const char *name, uint32_t *oid, Error *err)
{
	const char *params[] = {name};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target, "SELECT pg_catalog.to_regclass($1)::oid",
							   1, params, &result, err);

	*oid = rc == RC_OK ? (uint32_t) strtoul(PQgetvalue(result, 0, 0), NULL, 10)
					   : 0;
	PQclear(result);
	return rc;
}

static void
add_detail(const TxnInfo *txn, const char *reason, Error *err)
{
	error_detail(err,
				 "%s  Transaction %u, commit LSN " LSN_FORMAT
				 ", changes it; nothing of that was applied.",
				 reason, txn->xid, LSN_ARGS(txn->commit_lsn));
}

static void
append_name(Buf *sql, const TableName *table)
{
	buf_append_identifier(sql, table->schema);
	buf_append_char(sql, '.');
	buf_append_identifier(sql, table->name);
}

/*
 * Appends the statement that gives the target's table its new name or schema.
 */
static void
append_rename(Buf *sql, const TableName *before, const Relation *relation)
{
	bool moved = strcmp(before->schema, relation->schema) != 0;

	buf_append_string(sql, "ALTER TABLE ");
	append_name(sql, before);
	buf_append_string(sql, moved ? " SET SCHEMA " : " RENAME TO ");
	buf_append_identifier(sql, moved ? relation->schema : relation->name);
}

static MUST_CHECK Rc
set_renamed(const char *name, const char *label, Error *err)
{
	return error_set(err, ERR_CONFIG,
					 "table %s was renamed or moved on the source, and not "
					 "on %s",
					 name, label);
}

/*
 * Refuses a table that was renamed only on the source.  The target may have it
 * under a name that it had in between.
 */
static MUST_CHECK Rc
refuse_renamed(PgConn *target, const TableName *before,
			   const Relation *relation, Error *err)
{
	uint32_t oid;
	Buf text;
	Rc rc;

	buf_init(&text, BUF_TEXT_MAX);
	append_name(&text, before);
	rc = find_present(target, text.data, &oid, err);
	if (rc == RC_OK)
	{
		rc = set_renamed(text.data, pgconn_label(target), err);
		buf_reset(&text);
		append_rename(&text, before, relation);
		error_hint(err,
				   oid != 0 ? "Run on the target: %s; and then \"%s\"."
							: "Rename it there as well, as with: %s; and then "
							  "run \"%s\".",
				   text.data, OWN_COMMAND("follow"));
	}
	buf_release(&text);
	return rc;
}

/* Refuses a table whose new name belongs to another table on the target. */
static MUST_CHECK Rc
refuse_swapped(const TableName *before, const char *name, const char *label,
			   Error *err)
{
	Buf text;
	Rc rc;

	buf_init(&text, BUF_TEXT_MAX);
	append_name(&text, before);
	rc = set_renamed(text.data, label, err);
	error_hint(err,
			   "On the source it is now %s, a name that another table has on "
			   "%s.  Rename or drop that table there, as on the source, then "
			   "rename this one, and run \"%s\".",
			   name, label, OWN_COMMAND("follow"));
	buf_release(&text);
	return rc;
}

static MUST_CHECK Rc
refuse_uncopied(const char *name, const Relation *relation, const char *label,
				bool placed, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG, "table %s was not copied to %s", name,
					  label);

	error_table(err, name);
	error_hint(err,
			   "Run \"%s\" to copy it and have it followed, or \"%s\" to "
			   "leave it out.",
			   OWN_COMMAND_TABLE("add", relation->schema, relation->name),
			   OWN_COMMAND_TABLE("remove --by-name", relation->schema,
								 relation->name));
	if (placed)
		publication_change_hint_placed(relation->schema, relation->name, false,
									   err);
	return rc;
}

Rc
uncopied_refuse(UncopiedTables *self, PgConn *target, const Relation *relation,
				const TxnInfo *txn, bool placed, Error *err)
{
	const CopiedTable *before;
	CopiedVerdict verdict = copied_tables_judge(self->copied, relation,
												&before);
	const char *label = pgconn_label(target);
	uint32_t oid = 0;
	Buf name;
	Rc rc = RC_OK;

	buf_init(&name, BUF_TEXT_MAX);
	relation_append_name(relation, &name);
	if (verdict != COPIED_NO)
		rc = find_present(target, name.data, &oid, err);
	if (rc == RC_OK && oid != 0 &&
		(verdict != COPIED_SWAPPED || oid == before->target_oid))
		rc = error_set(err, ERR_CHANGED, "table %s was made on %s", name.data,
					   label);
	else if (rc == RC_OK && verdict == COPIED_SWAPPED)
	{
		rc = refuse_swapped(&before->name, name.data, label, err);
		add_detail(txn, "It has another name there.", err);
	}
	else if (rc == RC_OK && verdict == COPIED_RENAMED)
	{
		rc = refuse_renamed(target, &before->name, relation, err);
		if (err->code == ERR_CONFIG)
			add_detail(txn, "It has another name there.", err);
	}
	else if (rc == RC_OK)
	{
		rc = refuse_uncopied(name.data, relation, label, placed, err);
		add_detail(txn,
				   verdict == COPIED_NEWER
					   ? "It was made since the others were copied."
					   : "It was published since the others were copied, or "
						 "left out then.",
				   err);
	}
	buf_release(&name);
	return rc;
}
