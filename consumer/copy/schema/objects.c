/*
 * objects.c
 *    Finds the names of a dump's objects by their OIDs, and drops objects by
 *    their names.
 */
#include "copy/schema/objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "control/copy/work_list.h"
#include "net/sql.h"

/* Types of objects that we drop with statements of their own, in this order.
 * CASCADE drops objects of all other types with them. */
static const struct
{
	const char *type;    /* type that pg_identify_object() returns */
	const char *keyword; /* keyword of the DROP statement */
} droppable[] = {
	{"event trigger", "EVENT TRIGGER"},
	{"view", "VIEW"},
	{"materialized view", "MATERIALIZED VIEW"},
	{"table", "TABLE"},
	{"foreign table", "FOREIGN TABLE"},
	{"sequence", "SEQUENCE"},
	{"cast", "CAST"},
	{"transform", "TRANSFORM"},
	{"operator class", "OPERATOR CLASS"},
	{"operator family", "OPERATOR FAMILY"},
	{"operator", "OPERATOR"},
	{"function", "ROUTINE"},
	{"procedure", "ROUTINE"},
	{"aggregate", "ROUTINE"},
	{"type", "TYPE"},
	{"composite type", "TYPE"},
	{"collation", "COLLATION"},
	{"conversion", "CONVERSION"},
	{"text search configuration", "TEXT SEARCH CONFIGURATION"},
	{"text search dictionary", "TEXT SEARCH DICTIONARY"},
	{"text search template", "TEXT SEARCH TEMPLATE"},
	{"text search parser", "TEXT SEARCH PARSER"},
	{"server", "SERVER"},
	{"foreign-data wrapper", "FOREIGN DATA WRAPPER"},
	{"access method", "ACCESS METHOD"},
	{"language", "LANGUAGE"},
	{"extension", "EXTENSION"},
	{"schema", "SCHEMA"},
};

/* A schema that is not empty contains objects that the clone did not create, so
 * we do not drop it with CASCADE. */
static const char *
drop_behavior(const char *type)
{
	return strcmp(type, "schema") == 0 ? "RESTRICT" : "CASCADE";
}

/*
 * Queries the source for the identities of objects.  Columns: OID of the system
 * catalog, OID, name of the system catalog, identity, type.
 */
static MUST_CHECK Rc
identify(const ObjectSet *objects, PgConn *source, PGresult **result,
		 Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT v.c, v.o, v.c::regclass, i.identity, i.type"
							" FROM unnest('{");
	for (int i = 0; i < objects->count; i++)
		buf_printf(&sql, "%s%u", i > 0 ? "," : "",
				   objects->objects[i].class_oid);
	buf_append_string(&sql, "}'::oid[], '{");
	for (int i = 0; i < objects->count; i++)
		buf_printf(&sql, "%s%u", i > 0 ? "," : "", objects->objects[i].oid);
	buf_append_string(&sql, "}'::oid[]) v (c, o) CROSS JOIN LATERAL"
							" pg_identify_object(v.c, v.o, 0) i"
							" WHERE i.identity IS NOT NULL ORDER BY 3, 4");
	return sql_run(source, &sql, result, err);
}

/* Sets *all to the result of identify(), and *missing to the numbers of its
 * rows whose objects do not exist on the target. */
static MUST_CHECK Rc
compare(const ObjectSet *objects, PgConn *source, PgConn *target,
		PGresult **all, PGresult **missing, Error *err)
{
	Rc rc = identify(objects, source, all, err);

	if (rc == RC_OK && PQntuples(*all) > 0)
		rc = partial_find_missing(*all, target, missing, err);
	return rc;
}

static int
missing_number(const PGresult *missing, int row)
{
	return (int) strtol(PQgetvalue(missing, row, 0), NULL, 10);
}

static MUST_CHECK Rc
note(const PGresult *all, const PGresult *missing, PgConn *target,
	 const char *pipeline, Error *err)
{
	int count = PQntuples(missing);
	WorkObject *objects = xcalloc((size_t) count, sizeof(WorkObject));
	Rc rc;

	ASSERT(count > 0);
	for (int i = 0; i < count; i++)
	{
		int number = missing_number(missing, i);

		ASSERT(number >= 0 && number < PQntuples(all));
		objects[i] = (WorkObject){.type = PQgetvalue(all, number, 4),
								  .identity = PQgetvalue(all, number, 3)};
	}
	rc = work_list_add_objects(target, pipeline, objects, count, err);
	free(objects);
	return rc;
}

Rc
objects_note_missing(const ObjectSet *objects, PgConn *source, PgConn *target,
					 const char *pipeline, Error *err)
{
	PGresult *all = NULL;
	PGresult *missing = NULL;
	Rc rc = compare(objects, source, target, &all, &missing, err);

	if (rc == RC_OK && missing != NULL && PQntuples(missing) > 0)
		rc = note(all, missing, target, pipeline, err);
	PQclear(missing);
	PQclear(all);
	return rc;
}

/* Whether the object is a relation other than an index.  Such objects do not
 * count as present, because the dump's entry of a table's row security has the
 * OID of the table, too. */
static bool
is_a_table(const PGresult *all, int row)
{
	return strcmp(PQgetvalue(all, row, 2), "pg_class") == 0 &&
		   strcmp(PQgetvalue(all, row, 4), "index") != 0;
}

Rc
objects_find_present(ObjectSet *present, const ObjectSet *objects,
					 PgConn *source, PgConn *target, Arena *arena, Error *err)
{
	PGresult *all = NULL;
	PGresult *missing = NULL;
	Rc rc = compare(objects, source, target, &all, &missing, err);
	int next = 0;

	*present = (ObjectSet){0};
	if (rc == RC_OK)
		present->objects = arena_calloc(arena, (size_t) PQntuples(all),
										sizeof(ObjectId));
	for (int i = 0; rc == RC_OK && i < PQntuples(all); i++)
	{
		if (missing != NULL && next < PQntuples(missing) &&
			missing_number(missing, next) == i)
		{
			next++;
			continue;
		}
		if (is_a_table(all, i))
			continue;
		present->objects[present->count++] = (ObjectId){
			.class_oid = (uint32_t) strtoul(PQgetvalue(all, i, 0), NULL, 10),
			.oid = (uint32_t) strtoul(PQgetvalue(all, i, 1), NULL, 10),
		};
	}
	ASSERT(rc != RC_OK || present->count <= PQntuples(all));
	PQclear(missing);
	PQclear(all);
	return rc;
}

static MUST_CHECK Rc
drop_object(PgConn *target, const char *keyword, const char *type,
			const char *identity, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "DROP %s IF EXISTS %s %s", keyword, identity,
			   drop_behavior(type));
	return sql_run(target, &sql, NULL, err);
}

/* Whether objects of this type are counted as tables. */
static bool
is_some_table(const char *type)
{
	return strcmp(type, "table") == 0 || strcmp(type, "foreign table") == 0;
}

/* Drops the objects of one type. */
static MUST_CHECK Rc
drop_of_type(PgConn *target, const PGresult *objects, size_t type, int *tables,
			 int *others, Error *err)
{
	const char *name = droppable[type].type;
	Rc rc = RC_OK;

	ASSERT(type < LENGTH_OF(droppable));
	for (int i = 0; rc == RC_OK && i < PQntuples(objects); i++)
	{
		if (strcmp(PQgetvalue(objects, i, 0), name) != 0)
			continue;
		rc = drop_object(target, droppable[type].keyword, name,
						 PQgetvalue(objects, i, 1), err);
		(*(is_some_table(name) ? tables : others))++;
	}
	return rc;
}

Rc
objects_drop(PgConn *target, const char *pipeline, int *tables, int *others,
			 Error *err)
{
	PGresult *objects = NULL;
	Rc rc = pgconn_exec(target, "SET client_min_messages = error", NULL, err);

	*tables = 0;
	*others = 0;
	if (rc == RC_OK)
		rc = work_list_read_objects(target, pipeline, &objects, err);
	for (size_t i = 0; rc == RC_OK && i < LENGTH_OF(droppable); i++)
		rc = drop_of_type(target, objects, i, tables, others, err);
	PQclear(objects);
	if (rc == RC_OK)
		rc = work_list_remove_objects(target, pipeline, err);
	return rc;
}
