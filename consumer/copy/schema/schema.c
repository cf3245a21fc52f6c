/*
 * schema.c
 *    Runs pg_dump and pg_restore, and queries about the objects of the dump.
 */
#include "copy/schema/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/child.h"
#include "base/log.h"
#include "base/scratch.h"
#include "catalog/own_schema.h"
#include "copy/schema/contents.h"
#include "copy/schema/objects.h"
#include "copy/schema/partial.h"
#include "copy/schema/roles.h"
#include "copy/schema/script.h"
#include "net/sql.h"

#define ARENA_BLOCK_BYTES (16 * KB)

/* Option --lock-wait-timeout of pg_dump.  pg_dump locks all tables, and while
 * it waits for a lock, sessions that want to alter a table wait for pg_dump. */
#define LOCK_WAIT_S "30"

/* OIDs of the catalogs pg_class and pg_namespace, as in a dump's table of
 * contents. */
#define PG_CLASS_OID     1259
#define PG_NAMESPACE_OID 2615

/* Maximum number of a child's arguments apart from the names of tables. */
#define ARGUMENTS_MAX 24

struct Schema
{
	SchemaOptions options;
	Arena *arena;    /* holds the strings and lists below, and this struct */
	Scratch scratch; /* directory of the files */

	/* Names of files. */
	char *dump;       /* the dump that is restored */
	char *dump_list;  /* table of contents of `dump` */
	char *after_list; /* the entries of dump_list after the data */
	char *whole;      /* dump of the whole database, from which we restore what
					   * the tables need; NULL: not dumped yet */
	char *whole_list; /* table of contents of `whole` */
	char *use_list;   /* entries for pg_restore; written for each restore */
	char *script;     /* statements that pg_restore has written */

	EntryNumbers after; /* numbers of the entries in after_list */
	ObjectSet dangling; /* objects of the source that cannot be created */
	BuildList *builds;  /* indexes and constraints for build.h; NULL: not read
						 * yet */
};

/* Command line of a program, to which arguments are added. */
typedef struct Arguments
{
	const char **argv;
	int count;
	int max;
} Arguments;

static void
arguments_add(Arguments *arguments, const char *argument)
{
	CHECK(arguments->count + 1 < arguments->max);
	arguments->argv[arguments->count++] = argument;
	arguments->argv[arguments->count] = NULL;
}

static Arguments
arguments_new(Schema *schema, const char *program, int more)
{
	Arguments arguments = {
		.max = ARGUMENTS_MAX + more,
		.argv = arena_calloc(schema->arena, (size_t) (ARGUMENTS_MAX + more),
							 sizeof(char *)),
	};

	ASSERT(program != NULL && more >= 0);
	arguments_add(&arguments, program);
	return arguments;
}

/* Logs the output of a program that has succeeded, as warnings. */
static void
log_output(const char *program, Buf *output)
{
	char *rest = output->data;
	char *line;

	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			log_warning("copy.program-says", "%s: %s", program, line);
}

/*
 * Runs a program, which connects with the connection string of `conn`, or not
 * at all if that is NULL.  Logs its output, unless its first argument is
 * --verbose.
 */
static Rc
run_child(Schema *schema, Arguments *arguments, const PgConn *conn, Error *err)
{
	ChildCommand command = {0};
	char *conninfo = NULL;
	char *password = NULL;
	Buf output;
	Rc rc;

	ASSERT(arguments->count > 1);
	if (conn != NULL)
	{
		pgconn_child_conninfo(conn, &conninfo, &password);
		arguments_add(arguments,
					  arena_printf(schema->arena, "--dbname=%s", conninfo));
		arguments_add(arguments, "--no-password");
	}
	command.argv = arguments->argv;
	if (password != NULL)
	{
		command.variable = "PGPASSWORD";
		command.variable_value = password;
	}
	buf_init(&output, CHILD_OUTPUT_MAX);
	rc = child_run(&command, &output, err);
	if (rc == RC_OK && strcmp(arguments->argv[1], "--verbose") != 0)
		log_output(arguments->argv[0], &output);
	buf_release(&output);
	free(conninfo);
	free(password);
	return rc;
}

static void
add_dump_options(Schema *schema, Arguments *arguments, const char *file)
{
	const SchemaOptions *options = &schema->options;

	arguments_add(arguments, "--format=custom");
	arguments_add(arguments, arena_printf(schema->arena, "--file=%s", file));
	arguments_add(arguments, "--no-publications");
	arguments_add(arguments, "--lock-wait-timeout=" LOCK_WAIT_S "s");
	arguments_add(arguments, "--no-subscriptions");
	if (options->snapshot != NULL)
		arguments_add(arguments, arena_printf(schema->arena, "--snapshot=%s",
											  options->snapshot));
	/*
	 * A dump with --schema-only has no entries that fill materialized views.
	 * The sections pre-data and post-data have these entries, but not the rows
	 * of tables.
	 */
	if (options->with_data)
	{
		arguments_add(arguments, "--section=pre-data");
		arguments_add(arguments, "--section=post-data");
		arguments_add(arguments, "--no-blobs");
	}
	else
		arguments_add(arguments, "--schema-only");
}

static Rc
list_contents(Schema *schema, const char *dump, const char *list, Error *err)
{
	Arguments arguments = arguments_new(
		schema, schema->options.programs->pg_restore, 0);

	arguments_add(&arguments, "--verbose");
	arguments_add(&arguments, "--list");
	arguments_add(&arguments, arena_printf(schema->arena, "--file=%s", list));
	arguments_add(&arguments, dump);
	return run_child(schema, &arguments, NULL, err);
}

/*
 * Reads which entries come after the data.  pg_restore assigns a comment to the
 * section of the entry before it in the list that it is given.  So we have it
 * list the section from the complete list, before we remove entries.
 */
static Rc
read_after(Schema *schema, Error *err)
{
	Arguments arguments = arguments_new(
		schema, schema->options.programs->pg_restore, 0);
	Rc rc;

	arguments_add(&arguments, "--list");
	arguments_add(&arguments, "--section=post-data");
	arguments_add(&arguments,
				  arena_printf(schema->arena, "--file=%s", schema->after_list));
	arguments_add(&arguments, schema->dump);
	rc = run_child(schema, &arguments, NULL, err);
	if (rc == RC_OK)
		rc = contents_read_numbers(schema->after_list, &schema->after,
								   schema->arena, err);
	return rc;
}

/* Adds the options of pg_dump for the selected schemas and the excluded
 * relations.  pg_dump does not read quoted names as patterns. */
static void
add_selected(Schema *schema, Arguments *arguments, const Selected *selected)
{
	for (int i = 0; i < selected->schema_count; i++)
		arguments_add(
			arguments,
			arena_printf(schema->arena, "--%sschema=%s",
						 selected->schemas[i].excluded ? "exclude-" : "",
						 selected->schemas[i].quoted));
	for (int i = 0; i < selected->relation_count; i++)
		if (selected->relations[i].excluded)
			arguments_add(arguments,
						  arena_printf(schema->arena, "--exclude-table=%s",
									   selected->relations[i].qualified));
}

/* Dumps the whole database, or only the part that is selected if `selected` is
 * not NULL. */
static Rc
dump_whole(Schema *schema, const Selected *selected, const char *file,
		   const char *list, Error *err)
{
	Arguments arguments = arguments_new(
		schema, schema->options.programs->pg_dump,
		selected != NULL ? selected->schema_count + selected->relation_count
						 : 0);
	Rc rc;

	add_dump_options(schema, &arguments, file);
	if (selected != NULL)
		add_selected(schema, &arguments, selected);
	arguments_add(&arguments, "--exclude-schema=" CATALOG_OWN_SCHEMA);
	rc = run_child(schema, &arguments, schema->options.source, err);
	if (rc == RC_OK)
		rc = list_contents(schema, file, list, err);
	return rc;
}

/* Dumps the catalog's relations. */
static Rc
dump_tables(Schema *schema, Error *err)
{
	const CopyCatalog *catalog = schema->options.catalog;
	Arguments arguments;
	NameList sequences;
	Rc rc = partial_read_sequences(&sequences, catalog, schema->options.source,
								   schema->arena, err);

	if (rc != RC_OK)
		return rc;
	arguments = arguments_new(schema, schema->options.programs->pg_dump,
							  catalog->relation_count + sequences.count);
	add_dump_options(schema, &arguments, schema->dump);
	/* pg_dump does not read quoted names as patterns. */
	for (int i = 0; i < catalog->relation_count; i++)
		arguments_add(&arguments,
					  arena_printf(schema->arena, "--table=%s",
								   catalog->relations[i].qualified));
	for (int i = 0; i < sequences.count; i++)
		arguments_add(&arguments, arena_printf(schema->arena, "--table=%s",
											   sequences.names[i]));
	rc = run_child(schema, &arguments, schema->options.source, err);
	if (rc == RC_OK)
		rc = list_contents(schema, schema->dump, schema->dump_list, err);
	return rc;
}

static Rc
make_directory(Schema *schema, Error *err)
{
	const char *path;
	Rc rc = scratch_open(&schema->scratch, schema->arena, err);

	if (rc != RC_OK)
		return rc;
	path = schema->scratch.path;
	schema->dump = arena_printf(schema->arena, "%s/dump", path);
	schema->dump_list = arena_printf(schema->arena, "%s/dump.list", path);
	schema->after_list = arena_printf(schema->arena, "%s/after.list", path);
	schema->use_list = arena_printf(schema->arena, "%s/use.list", path);
	schema->script = arena_printf(schema->arena, "%s/script", path);
	return RC_OK;
}

/* Whether there is something to dump: a publication may publish no tables. */
static bool
has_dump(const Schema *schema)
{
	const CopyCatalog *catalog = schema->options.catalog;

	return catalog->whole || catalog->relation_count > 0;
}

Rc
schema_open(Schema **schema, const SchemaOptions *options, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Schema *opened = arena_calloc(arena, 1, sizeof(Schema));
	Rc rc;

	ASSERT(options->jobs > 0);
	opened->arena = arena;
	opened->options = *options;
	rc = make_directory(opened, err);
	if (rc == RC_OK &&
		!(options->catalog->whole && options->catalog->selected.all))
		rc = partial_read_dangling(&opened->dangling, options->catalog,
								   options->source, arena, err);
	if (rc == RC_OK && options->catalog->whole)
		rc = dump_whole(opened, &options->catalog->selected, opened->dump,
						opened->dump_list, err);
	else if (rc == RC_OK && options->catalog->relation_count > 0)
		rc = dump_tables(opened, err);
	if (rc == RC_OK && has_dump(opened))
		rc = read_after(opened, err);
	if (rc != RC_OK)
	{
		error_context(err, "dumping the schema of the source");
		schema_close(opened);
		return rc;
	}
	*schema = opened;
	return RC_OK;
}

void
schema_go_on(Schema *schema, PgConn *source)
{
	ASSERT(source != NULL);
	schema->options.source = source;
	schema->options.snapshot = NULL;
	schema->options.resumed = true;
}

/*
 * Whether pg_restore would set a GUC that does not exist on the target.  From
 * version 17 on, pg_restore always sets transaction_timeout, which servers
 * before 17 do not have.
 */
static bool
target_lacks_setting(const Schema *schema, const PgConn *target)
{
	return schema->options.programs->major >= 17 &&
		   pgconn_server_version_num(target) < 170000;
}

/* Removes the line that sets transaction_timeout from the script, and runs the
 * script with psql. */
static Rc
restore_script(Schema *schema, PgConn *target, Error *err)
{
	Arguments arguments = arguments_new(schema, schema->options.programs->psql,
										0);
	Rc rc = script_remove_line(schema->script, "SET transaction_timeout = 0;\n",
							   err);

	if (rc != RC_OK)
		return rc;
	arguments_add(&arguments, "--no-psqlrc");
	arguments_add(&arguments, "--quiet");
	arguments_add(&arguments, "--output=/dev/null");
	arguments_add(&arguments, "--set=ON_ERROR_STOP=1");
	arguments_add(&arguments,
				  arena_printf(schema->arena, "--file=%s", schema->script));
	return run_child(schema, &arguments, target, err);
}

static void
add_limits(Arguments *arguments, const RestoreLimits *limits)
{
	if (limits->no_owner)
		arguments_add(arguments, "--no-owner");
	if (limits->no_privileges)
		arguments_add(arguments, "--no-privileges");
	if (limits->no_tablespaces)
		arguments_add(arguments, "--no-tablespaces");
}

/*
 * Restores the entries of a dump that pass the filter: of the section before
 * the data, or, if the filter has `entries`, of these.
 */
static Rc
restore_filtered(Schema *schema, PgConn *target, const char *dump,
				 const char *list, const ContentsFilter *filter,
				 const RestoreLimits *limits, Error *err)
{
	Arguments arguments = arguments_new(
		schema, schema->options.programs->pg_restore, 0);
	bool as_script = target_lacks_setting(schema, target);
	Rc rc = contents_filter(list, schema->use_list, filter, err);

	ASSERT(dump != NULL && list != NULL);
	if (rc != RC_OK)
		return rc;
	if (filter->entries == NULL)
		arguments_add(&arguments, "--section=pre-data");
	arguments_add(&arguments, arena_printf(schema->arena, "--use-list=%s",
										   schema->use_list));
	if (as_script)
		arguments_add(&arguments,
					  arena_printf(schema->arena, "--file=%s", schema->script));
	else
	{
		arguments_add(&arguments, "--exit-on-error");
		arguments_add(&arguments, arena_printf(schema->arena, "--jobs=%d",
											   schema->options.jobs));
	}
	add_limits(&arguments, limits);
	arguments_add(&arguments, dump);
	rc = run_child(schema, &arguments, as_script ? NULL : target, err);
	if (rc == RC_OK && as_script)
		rc = restore_script(schema, target, err);
	return rc;
}

/* Records in the work list which of `objects`, or of all objects of the dump if
 * that is NULL, we are about to create. */
static Rc
note_objects(Schema *schema, PgConn *target, const ObjectSet *objects,
			 Error *err)
{
	ObjectSet all;
	Rc rc = RC_OK;

	if (schema->options.pipeline == NULL)
		return RC_OK;
	if (objects == NULL)
	{
		rc = contents_read_objects(schema->dump_list, &all, schema->arena, err);
		objects = &all;
	}
	if (rc == RC_OK)
		rc = objects_note_missing(objects, schema->options.source, target,
								  schema->options.pipeline, err);
	return rc;
}

/*
 * Creates the objects that the catalog's relations need and that do not exist
 * on the target.  Dumps the whole database when the first target lacks such
 * objects.
 */
static Rc
restore_needed(Schema *schema, PgConn *target, const RestoreLimits *limits,
			   Error *err)
{
	ObjectSet missing;
	ObjectSet dumped;
	ContentsFilter filter = {.only = &missing, .without = &dumped};
	Rc rc = partial_read_missing(&missing, schema->options.catalog,
								 schema->options.source, target, schema->arena,
								 err);

	if (rc != RC_OK || missing.count == 0)
		return rc;
	rc = contents_read_objects(schema->dump_list, &dumped, schema->arena, err);
	if (rc == RC_OK && schema->whole == NULL)
	{
		schema->whole = arena_printf(schema->arena, "%s/whole",
									 schema->scratch.path);
		schema->whole_list = arena_printf(schema->arena, "%s/whole.list",
										  schema->scratch.path);
		rc = dump_whole(schema, NULL, schema->whole, schema->whole_list, err);
	}
	if (rc == RC_OK)
		rc = note_objects(schema, target, &missing, err);
	ASSERT(rc != RC_OK || schema->whole != NULL);
	if (rc == RC_OK)
		rc = restore_filtered(schema, target, schema->whole, schema->whole_list,
							  &filter, limits, err);
	return rc;
}

/* Sets *present to the objects of the dump that exist on the target. */
static Rc
find_present(Schema *schema, PgConn *target, ObjectSet *present, Error *err)
{
	ObjectSet all;
	Rc rc = contents_read_objects(schema->dump_list, &all, schema->arena, err);

	if (rc == RC_OK)
		rc = objects_find_present(present, &all, schema->options.source, target,
								  schema->arena, err);
	object_set_sort(present);
	return rc;
}

/*
 * Sets *present to the schemas of the dump that exist on the target.  The dump
 * of selected schemas creates these, too, and every database has the schema
 * public.
 */
static Rc
find_present_schemas(Schema *schema, PgConn *target, ObjectSet *present,
					 Error *err)
{
	Rc rc = find_present(schema, target, present, err);
	int kept = 0;

	for (int i = 0; i < present->count; i++)
		if (present->objects[i].class_oid == PG_NAMESPACE_OID)
			present->objects[kept++] = present->objects[i];
	present->count = kept;
	return rc;
}

static Rc
read_limits(const Schema *schema, PgConn *target, RestoreLimits *limits,
			Error *err)
{
	*limits = (RestoreLimits){
		.no_owner = schema->options.no_owner,
		.no_privileges = schema->options.no_privileges,
		.no_tablespaces = schema->options.no_tablespaces,
	};
	return roles_read_limits(limits, target, err);
}

/* Returns the objects that must not be restored: the dangling ones, and foreign
 * keys that the build has not added. */
static ObjectSet
read_left_out(const Schema *schema, const Build *build)
{
	ObjectSet left_out = schema->dangling;
	const BuildPostponedKey *keys;
	int count = 0;

	ASSERT(schema->dangling.count >= 0);
	if (build != NULL)
		keys = build_postponed_keys(build, &count);
	if (count == 0)
		return left_out;
	left_out.objects = arena_calloc(schema->arena,
									(size_t) left_out.count + (size_t) count,
									sizeof(ObjectId));
	for (int i = 0; i < left_out.count; i++)
		left_out.objects[i] = schema->dangling.objects[i];
	for (int i = 0; i < count; i++)
		if (!keys[i].added)
			left_out.objects[left_out.count++] = keys[i].object;
	object_set_sort(&left_out);
	return left_out;
}

static Rc
restore_section(Schema *schema, PgConn *target, SchemaSection section,
				const Build *build, Error *err)
{
	const CopyCatalog *catalog = schema->options.catalog;
	bool takes_needed = !catalog->whole || catalog->selected.by_schema;
	const ObjectSet left_out = read_left_out(schema, build);
	ObjectSet present = {0};
	ContentsFilter filter = {
		.without = &left_out,
		.present = &present,
	};
	RestoreLimits limits;
	Rc rc = read_limits(schema, target, &limits, err);

	ASSERT(section == SCHEMA_BEFORE_DATA || section == SCHEMA_AFTER_DATA);
	ASSERT(section == SCHEMA_AFTER_DATA || build == NULL);
	if (rc == RC_OK && takes_needed && section == SCHEMA_BEFORE_DATA)
		rc = restore_needed(schema, target, &limits, err);
	if (rc == RC_OK && section == SCHEMA_BEFORE_DATA)
		rc = note_objects(schema, target, NULL, err);
	if (rc == RC_OK && section == SCHEMA_BEFORE_DATA && catalog->whole &&
		catalog->selected.by_schema)
		rc = find_present_schemas(schema, target, &present, err);
	if (rc == RC_OK && section == SCHEMA_AFTER_DATA && schema->options.resumed)
		rc = find_present(schema, target, &present, err);
	if (rc != RC_OK)
		return rc;
	filter.without_extension_comments = limits.no_comments_on_extensions;
	if (section == SCHEMA_AFTER_DATA)
	{
		filter.entries = &schema->after;
		filter.built = schema->builds != NULL ? &schema->builds->taken : NULL;
		filter.without_views = true;
	}
	return restore_filtered(schema, target, schema->dump, schema->dump_list,
							&filter, &limits, err);
}

Rc
schema_restore(Schema *schema, PgConn *target, SchemaSection section,
			   const Build *build, Error *err)
{
	Rc rc;

	ASSERT(pgconn_can_be_outside(target));
	if (!has_dump(schema))
		return RC_OK;
	rc = restore_section(schema, target, section, build, err);
	if (rc != RC_OK)
		error_context(err, "restoring the schema on %s", pgconn_label(target));
	return rc;
}

/* Runs pg_restore, which writes the statements for indexes and constraints to
 * the script. */
static Rc
write_builds(Schema *schema, const RestoreLimits *limits, Error *err)
{
	const ContentsFilter filter = {
		.without = &schema->dangling,
		.only_builds = true,
	};
	Arguments arguments = arguments_new(
		schema, schema->options.programs->pg_restore, 0);
	Rc rc = contents_filter(schema->dump_list, schema->use_list, &filter, err);

	if (rc != RC_OK)
		return rc;
	arguments_add(&arguments, "--verbose");
	arguments_add(&arguments, arena_printf(schema->arena, "--use-list=%s",
										   schema->use_list));
	arguments_add(&arguments,
				  arena_printf(schema->arena, "--file=%s", schema->script));
	add_limits(&arguments, limits);
	arguments_add(&arguments, schema->dump);
	return run_child(schema, &arguments, NULL, err);
}

Rc
schema_read_builds(Schema *schema, PgConn *target, const BuildList **list,
				   Error *err)
{
	const CopyCatalog *catalog = schema->options.catalog;
	Script script = {0};
	RestoreLimits limits;
	Rc rc;

	schema->builds = arena_calloc(schema->arena, 1, sizeof(BuildList));
	*list = schema->builds;
	if (!has_dump(schema))
		return RC_OK;
	rc = read_limits(schema, target, &limits, err);
	if (rc == RC_OK)
		rc = write_builds(schema, &limits, err);
	if (rc == RC_OK)
		rc = script_read(&script, schema->script, schema->arena, err);
	if (rc == RC_OK)
		rc = build_list_read(schema->builds, &script, catalog,
							 schema->options.source, schema->arena, err);
	if (rc == RC_OK && schema->options.resumed)
		rc = build_list_leave_out(schema->builds, target, err);
	if (rc != RC_OK)
		error_context(err, "reading what is to be built on %s",
					  pgconn_label(target));
	return rc;
}

/* Queries the source for the names of the views that the dump fills. */
static Rc
name_views(Schema *schema, PGresult **result, Error *err)
{
	ObjectSet views;
	int listed = 0;
	Buf sql;
	Rc rc = contents_read_views(schema->after_list, &views, schema->arena, err);

	ASSERT(has_dump(schema));
	if (rc != RC_OK)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT format('%I.%I', n.nspname, c.relname)"
							" FROM unnest('{");
	for (int i = 0; i < views.count; i++)
	{
		ObjectId view = {.class_oid = PG_CLASS_OID,
						 .oid = views.objects[i].oid};

		if (!object_set_has(&schema->dangling, view))
			buf_printf(&sql, "%s%u", listed++ > 0 ? "," : "", view.oid);
	}
	buf_append_string(&sql, "}'::oid[]) WITH ORDINALITY v (oid, n)"
							" JOIN pg_class c ON c.oid = v.oid"
							" JOIN pg_namespace n ON n.oid = c.relnamespace"
							" ORDER BY v.n");
	return sql_run(schema->options.source, &sql, result, err);
}

/* Queries which of the views exist on the target and are not filled there. */
static Rc
find_unfilled(const PGresult *names, PgConn *target, PGresult **result,
			  Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT v.name FROM unnest(ARRAY[");
	for (int i = 0; i < PQntuples(names); i++)
	{
		buf_append_string(&sql, i > 0 ? ", " : "");
		buf_append_literal(&sql, PQgetvalue(names, i, 0));
	}
	buf_append_string(&sql, "]::text[]) WITH ORDINALITY v (name, n)"
							" JOIN pg_class c ON c.oid = to_regclass(v.name)"
							" WHERE c.relkind = 'm' AND NOT c.relispopulated"
							" ORDER BY v.n");
	return sql_run(target, &sql, result, err);
}

Rc
schema_read_views(Schema *schema, PgConn *target, NameList *views, Error *err)
{
	PGresult *names = NULL;
	PGresult *result = NULL;
	Rc rc = RC_OK;

	*views = (NameList){0};
	if (!has_dump(schema))
		return RC_OK;
	rc = name_views(schema, &names, err);
	if (rc == RC_OK)
		rc = find_unfilled(names, target, &result, err);
	if (rc == RC_OK)
	{
		views->count = PQntuples(result);
		views->names = arena_calloc(schema->arena, (size_t) views->count,
									sizeof(char *));
		for (int i = 0; i < views->count; i++)
			views->names[i] = arena_strdup(schema->arena,
										   PQgetvalue(result, i, 0));
	}
	PQclear(names);
	PQclear(result);
	return rc;
}

void
schema_close(Schema *schema)
{
	if (schema == NULL)
		return;
	scratch_close(&schema->scratch);
	arena_free(schema->arena);
}
