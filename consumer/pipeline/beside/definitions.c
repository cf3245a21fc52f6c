/*
 * definitions.c
 *    Reads the source's catalogs, and writes penstock.definition.
 */
#include "pipeline/beside/definitions.h"

#include "base/log.h"
#include "base/own_command.h"
#include "catalog/publications.h"
#include "control/copy/copied_table.h"
#include "control/definition_table.h"
#include "control/progress_table.h"
#include "ddl/json.h"
#include "ddl/needs.h"
#include "ddl/read.h"
#include "net/pgconn_open.h"
#include "net/sql.h"
#include "source/slot.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/*
 * Bytes of definitions after which the text is written to the target; the last
 * definition may exceed them.
 */
#define WRITE_BYTES MB

/* ---- Reading ------------------------------------------------------------ */

static void
set_apart(DefinitionSet *set, const Definition *definition, bool apart)
{
	Definition changed = *definition;

	changed.apart = apart;
	definition_set_put(set, &changed);
}

/*
 * Sets `apart` of all objects that the pipeline does not follow.  It follows
 * those in `scope`, which may be NULL, the relations in the list, which may be
 * NULL, too, and what these need.
 */
static void
separate(DefinitionSet *set, const DefinitionSet *scope,
		 const OidList *relations)
{
	DefinitionSet *all = definition_set_copy(set);

	for (size_t i = 0; i < definition_set_count(all); i++)
	{
		const Definition *definition = definition_set_at(all, i);

		if (scope == NULL ||
			definition_set_find(scope, definition_catalog(definition->kind),
								definition->oid) == NULL)
			set_apart(set, definition, true);
	}
	for (int i = 0; relations != NULL && i < relations->count; i++)
	{
		const Definition *definition = definition_set_find(
			all, DEFINITION_IN_CLASS, relations->oids[i]);

		if (definition != NULL)
			set_apart(set, definition, false);
	}
	definition_set_free(all);
	ddl_join_all_needed(set);
}

static MUST_CHECK Rc
read_all(PgConn *source, const DefinitionsWanted *wanted,
		 const Publications *publications, DefinitionSet *set, Error *err)
{
	const DdlReadOptions all = {.publications = publications};
	const DdlReadOptions selected = {.publications = publications,
									 .selection = wanted->selection};
	bool whole = publications->all_tables;
	DefinitionSet *scope = NULL;
	Rc rc = ddl_read(source, &all, set, err);

	if (rc == RC_OK && whole && wanted->selection != NULL &&
		!selection_is_all(wanted->selection))
	{
		scope = definition_set_new();
		rc = ddl_read(source, &selected, scope, err);
	}
	if (rc == RC_OK && (!whole || scope != NULL))
		separate(set, scope, wanted->tables);
	definition_set_free(scope);
	return rc;
}

static MUST_CHECK Rc
read_wanted(PgConn *source, const DefinitionsWanted *wanted,
			const Publications *publications, DefinitionSet *set, Error *err)
{
	const DdlReadOptions some = {.publications = publications,
								 .oids = wanted->tables,
								 .catalog = DEFINITION_IN_CLASS,
								 .with_sequences = true};

	if (!wanted->tables_only)
		return read_all(source, wanted, publications, set, err);
	return wanted->tables != NULL ? ddl_read(source, &some, set, err) : RC_OK;
}

static MUST_CHECK Rc
read_published(PgConn *source, const DefinitionsWanted *wanted,
			   DefinitionSet *set, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Publications publications = {0};
	Rc rc = publications_parse(&publications, wanted->publications, arena, err);

	if (rc == RC_OK)
		rc = publications_read(&publications, source, err);
	if (rc == RC_OK)
		rc = read_wanted(source, wanted, &publications, set, err);
	arena_free(arena);
	return rc;
}

Rc
definitions_read(PgConn *source, const char *snapshot,
				 const DefinitionsWanted *wanted, DefinitionSet *set,
				 Error *err)
{
	Error ignored = {0};
	Rc rc = sql_begin_snapshot(source, snapshot, err);

	if (rc == RC_OK)
		rc = read_published(source, wanted, set, err);
	if (rc == RC_OK)
		return pgconn_exec(source, "COMMIT", NULL, err);
	if (pgconn_exec(source, "ROLLBACK", NULL, &ignored) == RC_FAIL)
		error_reset(&ignored);
	return rc;
}

/* ---- Writing ------------------------------------------------------------ */

/* Writes the definitions in `array` to the target, and empties it. */
static MUST_CHECK Rc
flush(PgConn *target, const char *pipeline, DefinitionCatalog catalog, Lsn lsn,
	  Buf *array, Error *err)
{
	Rc rc = RC_OK;

	ASSERT(lsn != 0 && pgconn_can_be_inside(target));
	if (array->length == 0)
		return rc;
	buf_append_char(array, ']');
	if (array->overflowed)
		return error_set(err, ERR_LIMIT,
						 "a definition is longer than %zu bytes",
						 (size_t) DDL_JSON_BYTES_MAX);
	rc = definition_table_add(target, pipeline, catalog, lsn, array->data, err);
	buf_reset(array);
	return rc;
}

static MUST_CHECK Rc
write_all(PgConn *target, const char *pipeline, const DefinitionSet *set,
		  Lsn lsn, Buf *array, Error *err)
{
	DefinitionCatalog catalog = DEFINITION_IN_NAMESPACE;
	Rc rc = RC_OK;

	for (size_t i = 0; i < definition_set_count(set) && rc == RC_OK; i++)
	{
		const Definition *definition = definition_set_at(set, i);
		DefinitionCatalog its = definition_catalog(definition->kind);
		Json json;

		if (its != catalog || array->length >= WRITE_BYTES)
			rc = flush(target, pipeline, catalog, lsn, array, err);
		catalog = its;
		buf_append_char(array, array->length == 0 ? '[' : ',');
		json_init(&json, array);
		ddl_json_append(&json, definition);
	}
	return rc == RC_OK ? flush(target, pipeline, catalog, lsn, array, err) : rc;
}

Rc
definitions_write(PgConn *target, const char *pipeline,
				  const DefinitionSet *set, Lsn lsn, Error *err)
{
	Buf array;
	Rc rc;

	/* Nobody may see that there are none for a moment. */
	ASSERT(pgconn_can_be_inside(target));
	rc = definition_table_clear(target, pipeline, err);
	buf_init(&array, DDL_JSON_BYTES_MAX + WRITE_BYTES);
	if (rc == RC_OK)
		rc = write_all(target, pipeline, set, lsn, &array, err);
	buf_release(&array);
	return rc;
}

/* ---- Definitions that are not stored yet ------------------------------- */

/* The sessions with the source, and the snapshot of the temporary slot. */
typedef struct Reading
{
	PgConn *source;
	PgConn *replication;
	SlotSnapshot snapshot;
} Reading;

static MUST_CHECK Rc
open_source(const Config *config, PgConnKind kind, PgConn **conn, Error *err)
{
	const PgConnOptions options = {.conninfo = config->source,
								   .label = "source",
								   .application_name = "penstock",
								   .kind = kind};

	return pgconn_open(conn, &options, err);
}

static MUST_CHECK Rc
take_snapshot(Reading *self, const Config *config, Error *err)
{
	char slot[SLOT_NAME_SIZE];
	Rc rc = open_source(config, PGCONN_DATA, &self->source, err);

	log_info("follow", "reading the source's schema; waits for transactions "
					   "that are open on the source");
	if (rc == RC_OK)
		rc = open_source(config, PGCONN_REPLICATION, &self->replication, err);
	if (rc == RC_OK)
		slot_make_temporary_name(slot, self->replication, config->name,
								 "schema");
	if (rc == RC_OK)
		rc = slot_create(self->replication, self->source, slot, SLOT_SNAPSHOT,
						 &self->snapshot, err);
	return rc;
}

static MUST_CHECK Rc
read_now(const Config *config, const OidList *tables, DefinitionSet *set,
		 Lsn *lsn, Error *err)
{
	Reading reading = {0};
	const DefinitionsWanted wanted = {.publications = config->publications,
									  .selection = &config->selection,
									  .tables = tables};
	Rc rc = take_snapshot(&reading, config, err);

	if (rc == RC_OK)
		rc = definitions_read(reading.source, reading.snapshot.name, &wanted,
							  set, err);
	*lsn = reading.snapshot.consistent_lsn;
	pgconn_close(reading.source);
	pgconn_close(reading.replication);
	return rc;
}

/*
 * The source was asked for its WAL position after the target had said how far
 * it is, but both are what servers say: a source may have been replaced by an
 * older state of itself meanwhile.
 */
static MUST_CHECK Rc
refuse_position(const PgConn *target, Lsn applied, Lsn lsn, Error *err)
{
	Rc rc = error_set(
		err, ERR_CONFIG,
		"%s has applied everything up to LSN " LSN_FORMAT
		", but the source's schema was read as of LSN " LSN_FORMAT,
		pgconn_label(target), LSN_ARGS(applied), LSN_ARGS(lsn));

	error_detail(err, "The source is not the server that the target was fed "
					  "from, or an older state of it.");
	error_hint(err,
			   "Run \"%s\" to see which server answers, and how far it is.",
			   OWN_COMMAND("status"));
	return rc;
}

/*
 * Writes the definitions under the lock of the progress row.  Fails if its
 * lease token is not ours.
 */
static MUST_CHECK Rc
write_leased(const Config *config, PgConn *target, int64_t lease_token,
			 const DefinitionSet *set, Lsn lsn, Error *err)
{
	ProgressRow row = {0};
	Rc rc = progress_table_lock(target, config->name, &row, err);

	if (rc == RC_OK && row.lease_token != lease_token)
		return error_set(err, ERR_CHANGED,
						 "%s has changed while the source's schema was read",
						 pgconn_label(target));
	if (rc == RC_OK && row.end_lsn > lsn)
		return refuse_position(target, row.end_lsn, lsn, err);
	return rc == RC_OK ? definitions_write(target, config->name, set, lsn, err)
					   : rc;
}

static MUST_CHECK Rc
write_now(const Config *config, PgConn *target, int64_t lease_token,
		  const DefinitionSet *set, Lsn lsn, Error *err)
{
	Error ignored = {0};
	Rc rc = pgconn_exec(target, "BEGIN", NULL, err);

	if (rc == RC_OK)
		rc = write_leased(config, target, lease_token, set, lsn, err);
	if (rc == RC_OK)
		return pgconn_exec(target, "COMMIT", NULL, err);
	if (pgconn_exec(target, "ROLLBACK", NULL, &ignored) == RC_FAIL)
		error_reset(&ignored);
	return rc;
}

static void
say_noted(const Config *config, const PgConn *target, Lsn lsn)
{
	log_info("follow",
			 "changes of the source's schema after " LSN_FORMAT " %s on %s; "
			 "\"%s\" shows what differs until then",
			 LSN_ARGS(lsn),
			 config_schema_policy(config) == SCHEMA_STOP
				 ? "end the follower unless they are made"
				 : "are made",
			 pgconn_label(target), OWN_COMMAND("schema diff"));
}

Rc
definitions_note(const Config *config, PgConn *target, int64_t lease_token,
				 Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	DefinitionSet *set = definition_set_new();
	OidList tables; /* tables of the pipeline: tables added since need not be in
					 * the selection */
	Lsn lsn;
	Rc rc = copied_table_oids(target, config->name, arena, &tables, err);

	if (rc == RC_OK)
		rc = read_now(config, &tables, set, &lsn, err);
	if (rc == RC_OK)
		rc = write_now(config, target, lease_token, set, lsn, err);
	if (rc == RC_OK)
		say_noted(config, target, lsn);
	definition_set_free(set);
	arena_free(arena);
	return rc;
}
