/*
 * schema.c
 *    Creates, upgrades and drops the tables of schema penstock.
 */
#include "control/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Version of a schema that has no table penstock.version. */
#define VERSION_BEFORE_ALL 1

/* Bytes for a statement that contains the name of one of the tables. */
#define SQL_SIZE 512

typedef struct ControlTable
{
	const char *name;
	const char *columns_sql;
	const char *more_sql; /* SQL after the columns; NULL: none */
	bool of_pipeline;     /* whether control_forget() removes rows of this
						   * table */
	bool kept;            /* whether control_tidy() drops the other tables
						   * although this one has rows */
} ControlTable;

/* All tables.  The comment before each names the header that describes it. */
static const ControlTable tables[] = {
	/*
	 * Has a primary key, like every table here: with a publication FOR ALL
	 * TABLES, updates of a table without one would fail.
	 */
	{.name = "version",
	 .columns_sql = "version integer PRIMARY KEY",
	 .kept = true},
	/* progress_table.h */
	{
		.name = "progress",
		.columns_sql = "pipeline text NOT NULL,"
					   " source_system_identifier text NOT NULL,"
					   " source_timeline bigint NOT NULL,"
					   " commit_lsn pg_lsn,"
					   " end_lsn pg_lsn NOT NULL,"
					   " commit_time timestamptz,"
					   " applied_at timestamptz,"
					   " transactions bigint NOT NULL DEFAULT 0,"
					   " rows bigint NOT NULL DEFAULT 0,"
					   " lease_token bigint NOT NULL DEFAULT 0,"
					   " lease_holder text,"
					   " moves bigint NOT NULL DEFAULT 0,"
					   " place bigint NOT NULL DEFAULT 0,"
					   " PRIMARY KEY (pipeline, place)",
		/*
		 * Rows are updated all the time: leave room for HOT updates in the
		 * page.
		 */
		.more_sql = " WITH (fillfactor = 10)",
		.of_pipeline = true,
	},
	/* pipeline_table.h */
	{
		.name = "pipeline",
		.columns_sql = "pipeline text PRIMARY KEY,"
					   " revision bigint NOT NULL,"
					   " options text[] NOT NULL",
		.of_pipeline = true,
	},
	/* follower_table.h */
	{
		.name = "follower",
		.columns_sql = "pipeline text PRIMARY KEY,"
					   " state text NOT NULL,"
					   " message text,"
					   " said_at timestamptz NOT NULL",
		.of_pipeline = true,
	},
	/* verified_table.h */
	{
		.name = "verified",
		.columns_sql = "pipeline text PRIMARY KEY,"
					   " different boolean NOT NULL,"
					   " complete boolean NOT NULL,"
					   " verified_at timestamptz NOT NULL",
		.of_pipeline = true,
	},
	/* copied_table.h */
	{
		.name = "copied",
		.columns_sql = "pipeline text NOT NULL,"
					   " schema_name text NOT NULL,"
					   " table_name text NOT NULL,"
					   " source_oid oid NOT NULL,"
					   " copied boolean NOT NULL,"
					   " target_oid oid NOT NULL,"
					   " PRIMARY KEY (pipeline, schema_name, table_name)",
		.of_pipeline = true,
	},
	/* table_state.h */
	{
		.name = "table_state",
		.columns_sql = "pipeline text NOT NULL,"
					   " schema_name text NOT NULL,"
					   " table_name text NOT NULL,"
					   " state text NOT NULL,"
					   " watermark pg_lsn NOT NULL,"
					   " slot_name text,"
					   " created boolean NOT NULL DEFAULT false,"
					   " PRIMARY KEY (pipeline, schema_name, table_name)",
		.of_pipeline = true,
	},
	/* postponed_key.h */
	{
		.name = "postponed_key",
		.columns_sql = "pipeline text NOT NULL,"
					   " table_name text NOT NULL,"
					   " key_name text NOT NULL,"
					   " statement text NOT NULL,"
					   " not_before pg_lsn NOT NULL,"
					   " PRIMARY KEY (pipeline, table_name, key_name)",
		.of_pipeline = true,
	},
	/* index_build.h */
	{
		.name = "index_build",
		.columns_sql = "pipeline text NOT NULL,"
					   " table_oid oid NOT NULL,"
					   " index_oid oid NOT NULL,"
					   " schema_name text NOT NULL,"
					   " index_name text NOT NULL,"
					   " statement text NOT NULL,"
					   " lsn pg_lsn NOT NULL,"
					   " PRIMARY KEY (pipeline, index_oid)",
		.of_pipeline = true,
	},
	/* fence.h */
	{
		.name = "fence",
		.columns_sql = "pipeline text PRIMARY KEY,"
					   " lsn pg_lsn NOT NULL",
		.of_pipeline = true,
	},
	/* sequence_table.h */
	{
		.name = "sequence",
		.columns_sql = "pipeline text NOT NULL,"
					   " schema_name text NOT NULL,"
					   " sequence_name text NOT NULL,"
					   " last_value bigint NOT NULL,"
					   " is_called boolean NOT NULL,"
					   " ahead_value bigint NOT NULL,"
					   " ahead_is_called boolean NOT NULL,"
					   " set_value bigint,"
					   " polled_at timestamptz NOT NULL,"
					   " PRIMARY KEY (pipeline, schema_name, sequence_name)",
		.of_pipeline = true,
	},
	/* large_object_table.h */
	{
		.name = "large_object_pass",
		.columns_sql = "pipeline text PRIMARY KEY,"
					   " token bigint NOT NULL,"
					   " source_system_identifier text,"
					   " source_timeline bigint,"
					   " source_xmin bigint,"
					   " ended_at timestamptz",
		.of_pipeline = true,
	},
	{
		.name = "large_object",
		.columns_sql = "pipeline text NOT NULL,"
					   " oid oid NOT NULL,"
					   " PRIMARY KEY (pipeline, oid)",
		.of_pipeline = true,
	},
	/* node_table.h */
	{
		.name = "node",
		.columns_sql = "pipeline text PRIMARY KEY,"
					   " modulus integer NOT NULL,"
					   " remainder integer,"
					   " places jsonb NOT NULL",
		.of_pipeline = true,
	},
	/* placed_column_table.h, with columns as in model/placed_columns.h */
	{
		.name = "placed_column",
		.columns_sql = "pipeline text NOT NULL,"
					   " source_oid bigint NOT NULL,"
					   " number bigint NOT NULL,"
					   " attnum bigint NOT NULL,"
					   " PRIMARY KEY (pipeline, source_oid, number)",
		.of_pipeline = true,
	},
	/* moved_table.h, with columns as in model/moved.h */
	{
		.name = "moved",
		.columns_sql = "pipeline text NOT NULL,"
					   " end_lsn pg_lsn NOT NULL,"
					   " change bigint NOT NULL,"
					   " column_name text NOT NULL,"
					   " value bytea,"
					   " PRIMARY KEY (pipeline, end_lsn, change, column_name)",
		.of_pipeline = true,
	},
	/* definition_table.h */
	{
		.name = "definition",
		.columns_sql = "pipeline text NOT NULL,"
					   " catalog text NOT NULL,"
					   " source_oid oid NOT NULL,"
					   " from_lsn pg_lsn NOT NULL,"
					   " to_lsn pg_lsn,"
					   " definition jsonb NOT NULL,"
					   " PRIMARY KEY (pipeline, catalog, source_oid, from_lsn)",
		.of_pipeline = true,
	},
	/* switch_table.h; not of_pipeline, because it outlives the pipeline that
	 * was switched */
	{
		.name = "switch",
		.columns_sql = "pipeline text PRIMARY KEY,"
					   " state text NOT NULL,"
					   " owner text NOT NULL,"
					   " way_back text,"
					   " begun_at timestamptz NOT NULL,"
					   " switched_at timestamptz,"
					   " lsn pg_lsn",
	},
	/* conflict_table.h */
	{
		.name = "conflict",
		.columns_sql =
			"id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
			" noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
			" pipeline text NOT NULL,"
			" schema_name text NOT NULL,"
			" table_name text NOT NULL,"
			" operation text NOT NULL,"
			" policy text NOT NULL,"
			" xid bigint NOT NULL,"
			" commit_lsn pg_lsn NOT NULL,"
			" source_new jsonb,"
			" source_old jsonb,"
			" target_row jsonb,"
			" target_index text",
		.kept = true,
	},
	/* repair_table.h */
	{
		.name = "repair",
		.columns_sql =
			"id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
			" repaired_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
			" pipeline text NOT NULL,"
			" source_lsn pg_lsn NOT NULL,"
			" schema_name text NOT NULL,"
			" table_name text NOT NULL,"
			" operation text NOT NULL,"
			" row_key jsonb NOT NULL,"
			" target_row jsonb",
		.kept = true,
	},
	/* work_list.h */
	{
		.name = "copy_run",
		.columns_sql =
			"pipeline text PRIMARY KEY,"
			" source_system_identifier text NOT NULL,"
			" options text NOT NULL,"
			" start_lsn pg_lsn,"
			" schema_state text NOT NULL DEFAULT 'none',"
			" token bigint NOT NULL DEFAULT 1,"
			" started_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
			" source_timeline bigint",
	},
	{
		.name = "copy_table",
		.columns_sql = "pipeline text NOT NULL,"
					   " schema_name text NOT NULL,"
					   " table_name text NOT NULL,"
					   " bytes bigint NOT NULL," /* approximate size on the
												  * source */
					   " parts int NOT NULL DEFAULT 1,"
					   " parts_done int NOT NULL DEFAULT 0,"
					   " rows bigint NOT NULL DEFAULT 0,"
					   " watermark pg_lsn,"
					   " finished_at timestamptz,"
					   " PRIMARY KEY (pipeline, schema_name, table_name)",
		/*
		 * Rows are updated a few times: leave room for HOT updates in the page.
		 */
		.more_sql = " WITH (fillfactor = 40)",
	},
	{
		.name = "copy_object",
		.columns_sql = "pipeline text NOT NULL,"
					   " type text NOT NULL,"
					   " identity text NOT NULL,"
					   " PRIMARY KEY (pipeline, type, identity)",
	},
};

/*
 * Statements that alter tables of older schemas, by the version that they lead
 * to.  Missing tables are created in any case.
 */
static const struct
{
	int version;
	const char *sql;
} upgrades[] = {
	{2, "ALTER TABLE penstock.conflict"
		" ADD COLUMN IF NOT EXISTS target_index text;"},
	{2, "ALTER TABLE penstock.copy_run"
		" ADD COLUMN IF NOT EXISTS source_timeline bigint;"},
	{9, "ALTER TABLE penstock.progress"
		" ADD COLUMN IF NOT EXISTS moves bigint NOT NULL DEFAULT 0,"
		" ADD COLUMN IF NOT EXISTS place bigint NOT NULL DEFAULT 0,"
		" DROP CONSTRAINT IF EXISTS progress_pkey,"
		" ADD CONSTRAINT progress_pkey PRIMARY KEY (pipeline, place);"},
	/*
	 * Version 10 had there what penstock.placed_column has now; but of tables
	 * that were copied before, it was what the names meant at the upgrade.
	 */
	{12, "ALTER TABLE penstock.node DROP COLUMN IF EXISTS columns;"},
};


/* ---- Looking ---- */

typedef struct SchemaFound
{
	bool schema;
	bool tables; /* whether the tables of its version exist, not only recorded
				  * conflicts */
	int version; /* 0: the schema has no tables of ours */
} SchemaFound;

static MUST_CHECK Rc
refuse_newer(const PgConn *target, int version, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "schema \"penstock\" on %s is of version %d, and this "
					  "program's is %d",
					  pgconn_label(target), version, CONTROL_VERSION);

	ASSERT(version > CONTROL_VERSION);
	error_detail(err, "A newer program has made it, or brought it up to date.");
	error_hint(err, "Use that program, or a newer one.");
	return rc;
}

static MUST_CHECK Rc
read_version(PgConn *target, int *version, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(target, "SELECT version FROM penstock.version", &result,
						err);

	*version = VERSION_BEFORE_ALL;
	if (rc == RC_OK && PQntuples(result) > 0)
		*version = (int) strtol(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	if (rc == RC_OK && *version > CONTROL_VERSION)
		rc = refuse_newer(target, *version, err);
	return rc;
}

static bool
is_complete(const SchemaFound *found)
{
	ASSERT(found->version <= CONTROL_VERSION);
	return found->tables && found->version == CONTROL_VERSION;
}

/*
 * Finds out what exists.  Reads the catalog, because to_regclass() may use the
 * session's cache from before it waited for the lock, and miss tables that were
 * created meanwhile.
 */
static MUST_CHECK Rc
look(PgConn *target, SchemaFound *found, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(
		target,
		"SELECT count(*) > 0, bool_or(relname = 'progress'),"
		" bool_or(relname = 'conflict'), bool_or(relname = 'version')"
		" FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_class c"
		" ON relnamespace = n.oid WHERE nspname = 'penstock'",
		&result, err);
	bool has_version;

	*found = (SchemaFound){0};
	if (rc != RC_OK)
		return rc;
	found->schema = PQgetvalue(result, 0, 0)[0] == 't';
	found->tables = PQgetvalue(result, 0, 1)[0] == 't';
	if (found->tables || PQgetvalue(result, 0, 2)[0] == 't')
		found->version = VERSION_BEFORE_ALL;
	has_version = PQgetvalue(result, 0, 3)[0] == 't';
	PQclear(result);
	if (has_version)
		rc = read_version(target, &found->version, err);
	return rc;
}

/*
 * Refuses a schema with a table that our role may not read.  Typically a newer
 * program has created the table after privileges on the others were granted.
 */
static MUST_CHECK Rc
refuse_unreadable(const PgConn *target, const char *table, const char *role,
				  Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "role %s may not read table penstock.%s on %s", role,
					  table, pgconn_label(target));

	error_hint(err,
			   "As the owner of the tables run GRANT SELECT ON ALL TABLES IN "
			   "SCHEMA penstock TO %s; a role that follows needs INSERT, "
			   "UPDATE and DELETE as well.",
			   role);
	return rc;
}

/* For assertions: whether a name is that of one of our tables. */
static bool
is_known(const char *name)
{
	for (size_t i = 0; i < LENGTH_OF(tables); i++)
		if (strcmp(tables[i].name, name) == 0)
			return true;
	return false;
}

Rc
control_has(PgConn *target, const char *table, bool *exists, Error *err)
{
	char sql[SQL_SIZE];
	PGresult *result = NULL;
	bool has_version;
	int ignored;
	Rc rc;

	ASSERT(is_known(table));
	*exists = false;
	snprintf(sql, sizeof(sql),
			 "SELECT t.oid IS NOT NULL, v.oid IS NOT NULL,"
			 " CASE WHEN NOT has_any_column_privilege(t.oid, 'SELECT')"
			 "  THEN '%s'"
			 " WHEN NOT has_any_column_privilege(v.oid, 'SELECT')"
			 "  THEN 'version' END, quote_ident(current_user)"
			 " FROM (SELECT pg_catalog.to_regclass('penstock.%s')) t (oid),"
			 " (SELECT pg_catalog.to_regclass('penstock.version')) v (oid)",
			 table, table);
	rc = pgconn_exec(target, sql, &result, err);
	if (rc != RC_OK)
		return rc;
	*exists = PQgetvalue(result, 0, 0)[0] == 't';
	has_version = PQgetvalue(result, 0, 1)[0] == 't';
	if (!PQgetisnull(result, 0, 2))
		rc = refuse_unreadable(target, PQgetvalue(result, 0, 2),
							   PQgetvalue(result, 0, 3), err);
	PQclear(result);
	if (rc == RC_OK && has_version)
		rc = read_version(target, &ignored, err);
	return rc;
}


/* ---- Making ---- */

/*
 * Begins a transaction that creates the tables.  CREATE ... IF NOT EXISTS fails
 * if two sessions run it at the same time, so they take an advisory lock, whose
 * key is "penstock" read as a number.
 */
static const char begin_sql[] =
	"BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(8099000947049456491),"
	" pg_catalog.set_config('client_min_messages', 'warning', true)";

static void
append_tables(Buf *sql)
{
	for (size_t i = 0; i < LENGTH_OF(tables); i++)
		buf_printf(sql, "CREATE TABLE IF NOT EXISTS penstock.%s (%s)%s;",
				   tables[i].name, tables[i].columns_sql,
				   tables[i].more_sql != NULL ? tables[i].more_sql : "");
}

/* Creates missing tables, and alters tables of an older version. */
static MUST_CHECK Rc
make_tables(PgConn *target, int version, Error *err)
{
	Buf sql;
	Rc rc;

	ASSERT(pgconn_can_be_inside(target));
	CHECK(version <= CONTROL_VERSION);
	buf_init(&sql, BUF_TEXT_MAX);
	append_tables(&sql);
	for (size_t i = 0; version > 0 && i < LENGTH_OF(upgrades); i++)
		if (upgrades[i].version > version)
			buf_append_string(&sql, upgrades[i].sql);
	buf_printf(&sql,
			   "DELETE FROM penstock.version;"
			   "INSERT INTO penstock.version VALUES (%d)",
			   CONTROL_VERSION);
	CHECK(!sql.overflowed);
	rc = pgconn_exec(target, sql.data, NULL, err);
	buf_release(&sql);
	return rc;
}

/*
 * Creates the schema only if it does not exist, without IF NOT EXISTS: that
 * would require CREATE on the database even if an administrator has created the
 * schema for our role.
 */
static MUST_CHECK Rc
make(PgConn *target, Error *err)
{
	SchemaFound found;
	Rc rc = look(target, &found, err);

	if (rc != RC_OK || is_complete(&found))
		return rc;
	if (!found.schema)
		rc = pgconn_exec(target, "CREATE SCHEMA penstock", NULL, err);
	if (rc == RC_OK)
		rc = make_tables(target, found.version, err);
	if (rc != RC_FAIL || err->code != ERR_SQL)
		return rc;
	if (found.tables)
	{
		error_context(err,
					  "bringing schema \"penstock\" on %s from version %d to "
					  "version %d",
					  pgconn_label(target), found.version, CONTROL_VERSION);
		error_hint(err, "The role has to own the tables of that schema, and "
						"needs CREATE on it.");
		return rc;
	}
	error_context(err, "creating tables in schema \"penstock\" on %s",
				  pgconn_label(target));
	error_hint(err, "The role needs CREATE on the target database, or an "
					"administrator creates schema \"penstock\" for it.");
	return rc;
}

static MUST_CHECK Rc
make_in_turn(PgConn *target, Error *err)
{
	Error ignored = {0};
	Rc rc = pgconn_exec(target, begin_sql, NULL, err);

	if (rc == RC_OK)
		rc = make(target, err);
	if (rc == RC_OK)
		return pgconn_exec(target, "COMMIT", NULL, err);
	if (pgconn_exec(target, "ROLLBACK", NULL, &ignored) != RC_OK)
		error_reset(&ignored);
	return rc;
}

Rc
control_create(PgConn *target, Error *err)
{
	SchemaFound found;
	Rc rc = look(target, &found, err);

	CHECK(PQtransactionStatus(pgconn_raw(target)) != PQTRANS_INTRANS);
	if (rc != RC_OK || is_complete(&found))
		return rc;
	return make_in_turn(target, err);
}

Rc
control_upgrade(PgConn *target, Error *err)
{
	SchemaFound found;
	Rc rc = look(target, &found, err);

	if (rc != RC_OK || !found.tables || is_complete(&found))
		return rc;
	return make_in_turn(target, err);
}


/* ---- Removing ---- */

Rc
control_forget(PgConn *target, const char *pipeline, Error *err)
{
	const char *params[] = {pipeline};
	Rc rc = RC_OK;

	for (size_t i = 0; i < LENGTH_OF(tables) && rc == RC_OK; i++)
	{
		char sql[SQL_SIZE];
		bool exists = false;

		if (!tables[i].of_pipeline)
			continue;
		rc = control_has(target, tables[i].name, &exists, err);
		snprintf(sql, sizeof(sql),
				 "DELETE FROM penstock.%s WHERE pipeline = $1", tables[i].name);
		if (rc == RC_OK && exists)
			rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params,
									NULL, err);
	}
	return rc;
}

/* Appends an array of the names of all tables, or of those with `kept`. */
static void
append_names(Buf *sql, bool kept_only)
{
	const char *glue = "'{";

	for (size_t i = 0; i < LENGTH_OF(tables); i++)
	{
		if (kept_only && !tables[i].kept)
			continue;
		buf_printf(sql, "%s%s", glue, tables[i].name);
		glue = ",";
	}
	buf_append_string(sql, "}'::name[]");
}

/*
 * Appends the statement of control_tidy().  A failing statement would abort the
 * caller's transaction, so ownership is checked first.  The tables are checked
 * for rows again after they were locked, because another pipeline could be
 * adding its first row.  Recorded conflicts and repairs stay, and with them the
 * version, which determines the columns of their tables.
 */
static void
append_tidy(Buf *sql)
{
	buf_append_string(
		sql, "DO $$ DECLARE ours text[]; asked text[]; one text; may boolean;"
			 " has_rows boolean; noted boolean := false;"
			 " BEGIN"
			 " SELECT array_agg(format('penstock.%I', c.relname)),"
			 "  array_agg(format('penstock.%I', c.relname))"
			 "   FILTER (WHERE c.relname <> ALL (");
	append_names(sql, true);
	buf_append_string(
		sql, ")),"
			 "  bool_and(pg_has_role(c.relowner, 'USAGE'))"
			 "  INTO ours, asked, may"
			 "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
			 "  WHERE n.nspname = 'penstock' AND c.relname = ANY (");
	append_names(sql, false);
	buf_append_string(
		sql,
		");"
		" IF may IS NOT TRUE OR asked IS NULL THEN RETURN; END IF;"
		" FOR pass IN 1..2 LOOP"
		"  IF pass = 2 THEN EXECUTE format("
		"   'LOCK TABLE %s IN ACCESS EXCLUSIVE MODE',"
		"   array_to_string(ours, ', '));"
		"  END IF;"
		"  FOREACH one IN ARRAY asked LOOP"
		"   EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO "
		"has_rows;"
		"   IF has_rows THEN RETURN; END IF;"
		"  END LOOP;"
		" END LOOP;"
		" FOREACH one IN ARRAY ARRAY['penstock.conflict', 'penstock.repair']"
		" LOOP IF one = ANY (ours) THEN"
		"  EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO has_rows;"
		"  IF has_rows THEN noted := true; ours := array_remove(ours, one);"
		"  END IF;"
		" END IF; END LOOP;"
		" IF noted THEN ours := array_remove(ours, 'penstock.version'); END IF;"
		" EXECUTE 'DROP TABLE ' || array_to_string(ours, ', ');"
		" IF EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = 'penstock'"
		"  AND pg_has_role(n.nspowner, 'USAGE') AND NOT EXISTS ("
		"   SELECT FROM pg_class c WHERE c.relnamespace = n.oid))"
		"  THEN DROP SCHEMA penstock; END IF;"
		" END $$");
}

Rc
control_tidy(PgConn *target, Error *err)
{
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	append_tidy(&sql);
	CHECK(!sql.overflowed);
	rc = pgconn_exec(target, sql.data, NULL, err);
	buf_release(&sql);
	return rc;
}


/* ---- Privileges ---- */

/*
 * Creating a table of progress needs CREATE on the database even if the schema
 * exists.  A schema without a version is from an older program, and only the
 * owner of its tables can upgrade it.
 */
const char control_privileges_sql[] =
	"SELECT 'error', format('database %I', current_database()),"
	" format('role \"%s\" may not create the table penstock.progress',"
	"  current_user),"
	" format(E'GRANT CREATE ON DATABASE %I TO %I;',"
	"  current_database(), current_user)"
	" || CASE WHEN n.oid IS NULL THEN '' ELSE format("
	"E'\nGRANT USAGE, CREATE ON SCHEMA penstock TO %I;',"
	"  current_user) END"
	" FROM (SELECT) one LEFT JOIN pg_namespace n"
	"  ON n.nspname = 'penstock'"
	" WHERE NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid"
	"  AND relname = 'progress')"
	" AND NOT (has_database_privilege(current_database(), 'CREATE')"
	"  AND coalesce(has_schema_privilege(n.oid, 'CREATE'), true))"
	" UNION ALL"
	" SELECT 'error', 'schema penstock',"
	" format('role \"%s\" may not bring schema penstock up to date, which an "
	"older program has made: the role has to own its tables', current_user),"
	" string_agg(format('GRANT %I TO %I;', pg_get_userbyid(o.owner),"
	"  current_user), E'\n')"
	" FROM pg_namespace n CROSS JOIN LATERAL (SELECT c.relowner AS owner"
	"   FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind = 'r'"
	"  UNION SELECT n.nspowner WHERE NOT has_schema_privilege(n.oid, 'CREATE')"
	"  ) o"
	" WHERE n.nspname = 'penstock' AND NOT pg_has_role(o.owner, 'USAGE')"
	" AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid"
	"  AND c.relname = 'progress')"
	" AND NOT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid"
	"  AND c.relname = 'version')"
	" HAVING count(*) > 0"
	" UNION ALL"
	" SELECT 'error', format('table penstock.%I', c.relname),"
	" format('role \"%s\" may not use the table penstock.%I', current_user,"
	"  c.relname),"
	" format(E'GRANT USAGE ON SCHEMA penstock TO %1$I;\n"
	"GRANT SELECT, INSERT, UPDATE, DELETE ON penstock.%2$I TO %1$I;',"
	"  current_user, c.relname)"
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" WHERE n.nspname = 'penstock' AND c.relkind = 'r'"
	" AND NOT (has_schema_privilege(n.oid, 'USAGE')"
	"  AND has_table_privilege(c.oid, 'SELECT')"
	"  AND has_table_privilege(c.oid, 'INSERT')"
	"  AND has_table_privilege(c.oid, 'UPDATE')"
	"  AND has_table_privilege(c.oid, 'DELETE'))";
