/*
 * describe.c
 *		Writes definitions; see describe.h.
 *
 * If a definition needs several rows of a catalog, they are read by an index of
 * the catalog and copied, before the first is written.  Single rows come from
 * the system caches.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_sequence.h"
#include "catalog/pg_type.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalogs/rows.h"
#include "compat.h"
#include "schema/definition.h"
#include "schema/deparse.h"
#include "schema/describe.h"
#include "schema/describe_table.h"
#include "wire/wire.h"

/* Appends the column that owns a sequence, if there is one. */
static void
put_sequence_owner(StringInfo buf, Oid sequence)
{
	TupleDesc desc;
	const List *rows = penstock_read_rows(
		(PenstockCatalogKey){
			.catalog = DependRelationId,
			.index = DependDependerIndexId,
			.attnums = {Anum_pg_depend_classid, Anum_pg_depend_objid},
			.values = {RelationRelationId, sequence}},
		&desc);
	ListCell *cell;

	foreach (cell, rows)
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(
			(HeapTuple) lfirst(cell));

		if (form->objsubid != 0 || form->refclassid != RelationRelationId ||
			form->refobjsubid <= 0 ||
			(form->deptype != DEPENDENCY_AUTO &&
			 form->deptype != DEPENDENCY_INTERNAL))
			continue;
		penstock_wire_uint(buf, PENSTOCK_SCHEMA_SEQUENCE_OWNER_TABLE,
						   form->refobjid);
		penstock_wire_uint(buf, PENSTOCK_SCHEMA_SEQUENCE_OWNER_ATTNUM,
						   (uint64) form->refobjsubid);
		penstock_wire_uint(buf, PENSTOCK_SCHEMA_SEQUENCE_IDENTITY,
						   form->deptype == DEPENDENCY_INTERNAL);
		return;
	}
}

static void
put_sequence(PenstockSession *session, StringInfo buf, HeapTuple class_tuple)
{
	Form_pg_class class = (Form_pg_class) GETSTRUCT(class_tuple);
	HeapTuple tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(class->oid));
	Form_pg_sequence form;
	int mark;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for sequence %u", class->oid);
	form = (Form_pg_sequence) GETSTRUCT(tuple);
	mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_CHANGE_SEQUENCE,
							   PENSTOCK_WIRE_LENGTH_MEDIUM);
	penstock_put_namespace(session, buf, PENSTOCK_SCHEMA_SEQUENCE_SCHEMA,
						   class->relnamespace);
	penstock_put_text(session, buf, PENSTOCK_SCHEMA_SEQUENCE_NAME,
					  NameStr(class->relname));
	penstock_put_text(session, buf, PENSTOCK_SCHEMA_SEQUENCE_TYPE,
					  penstock_deparse_type(form->seqtypid, -1));
	penstock_wire_sint(buf, PENSTOCK_SCHEMA_SEQUENCE_START, form->seqstart);
	penstock_wire_sint(buf, PENSTOCK_SCHEMA_SEQUENCE_INCREMENT,
					   form->seqincrement);
	penstock_wire_sint(buf, PENSTOCK_SCHEMA_SEQUENCE_MINIMUM, form->seqmin);
	penstock_wire_sint(buf, PENSTOCK_SCHEMA_SEQUENCE_MAXIMUM, form->seqmax);
	penstock_wire_sint(buf, PENSTOCK_SCHEMA_SEQUENCE_CACHE, form->seqcache);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_SEQUENCE_CYCLE, form->seqcycle);
	put_sequence_owner(buf, class->oid);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_SEQUENCE_UNLOGGED,
					   class->relpersistence == RELPERSISTENCE_UNLOGGED);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
	ReleaseSysCache(tuple);
}

static int
compare_labels(const ListCell *a, const ListCell *b)
{
	Form_pg_enum left = (Form_pg_enum) GETSTRUCT((HeapTuple) lfirst(a));
	Form_pg_enum right = (Form_pg_enum) GETSTRUCT((HeapTuple) lfirst(b));

	return left->enumsortorder < right->enumsortorder
			   ? -1
			   : left->enumsortorder > right->enumsortorder;
}

static void
put_enum(PenstockSession *session, StringInfo buf, Oid type)
{
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_TYPE_ENUMERATION,
								   PENSTOCK_WIRE_LENGTH_MEDIUM);
	TupleDesc desc;
	List *rows = penstock_read_rows(
		(PenstockCatalogKey){.catalog = EnumRelationId,
							 .index = EnumTypIdLabelIndexId,
							 .attnums = {Anum_pg_enum_enumtypid},
							 .values = {type}},
		&desc);
	ListCell *cell;

	list_sort(rows, compare_labels);
	foreach (cell, rows)
	{
		Form_pg_enum form = (Form_pg_enum) GETSTRUCT((HeapTuple) lfirst(cell));
		int label = penstock_wire_begin(buf, PENSTOCK_SCHEMA_ENUM_LABELS,
										PENSTOCK_WIRE_LENGTH_SMALL);

		penstock_wire_uint(buf, PENSTOCK_SCHEMA_ENUM_LABEL_OID, form->oid);
		penstock_put_text(session, buf, PENSTOCK_SCHEMA_ENUM_LABEL_LABEL,
						  NameStr(form->enumlabel));
		penstock_wire_end(buf, label, PENSTOCK_WIRE_LENGTH_SMALL);
	}
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
}

static void
put_domain(PenstockSession *session, StringInfo buf, HeapTuple tuple)
{
	Form_pg_type form = (Form_pg_type) GETSTRUCT(tuple);
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_TYPE_DOMAIN,
								   PENSTOCK_WIRE_LENGTH_MEDIUM);
	TupleDesc desc;
	const List *constraints = penstock_read_constraints(InvalidOid, form->oid,
														&desc);
	bool isnull;
	Datum value;

	penstock_put_text(
		session, buf, PENSTOCK_SCHEMA_DOMAIN_BASE_TYPE,
		penstock_deparse_type(form->typbasetype, form->typtypmod));
	penstock_put_collation(session, buf, PENSTOCK_SCHEMA_DOMAIN_COLLATION,
						   form->typcollation, form->typbasetype);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_DOMAIN_NOT_NULL, form->typnotnull);
	value = SysCacheGetAttr(TYPEOID, tuple, Anum_pg_type_typdefaultbin,
							&isnull);
	if (!isnull)
		penstock_put_text(session, buf,
						  PENSTOCK_SCHEMA_DOMAIN_DEFAULT_EXPRESSION,
						  penstock_deparse_expression(value, InvalidOid));
	penstock_describe_constraints(
		session, buf, PENSTOCK_SCHEMA_DOMAIN_CONSTRAINTS, constraints, desc);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
}

static int
count_columns(Oid relid)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	int count;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	count = ((Form_pg_class) GETSTRUCT(tuple))->relnatts;
	ReleaseSysCache(tuple);
	return count;
}

static void
put_composite(PenstockSession *session, StringInfo buf, Oid relid)
{
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_TYPE_COMPOSITE,
								   PENSTOCK_WIRE_LENGTH_MEDIUM);
	int count = count_columns(relid);

	for (int i = 1; i <= count; i++)
	{
		HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid),
										  Int16GetDatum((int16) i));
		Form_pg_attribute attr;
		int column;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for attribute %d of relation %u",
				 i, relid);
		attr = (Form_pg_attribute) GETSTRUCT(tuple);
		if (!attr->attisdropped)
		{
			column = penstock_wire_begin(buf, PENSTOCK_SCHEMA_COMPOSITE_COLUMNS,
										 PENSTOCK_WIRE_LENGTH_SMALL);
			penstock_describe_column_type(session, buf, attr);
			penstock_wire_end(buf, column, PENSTOCK_WIRE_LENGTH_SMALL);
		}
		ReleaseSysCache(tuple);
	}
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
}

static void
put_type(PenstockSession *session, StringInfo buf, Oid oid)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(oid));
	Form_pg_type form;
	int mark;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", oid);
	form = (Form_pg_type) GETSTRUCT(tuple);
	mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_CHANGE_TYPE,
							   PENSTOCK_WIRE_LENGTH_MEDIUM);
	penstock_put_namespace(session, buf, PENSTOCK_SCHEMA_TYPE_SCHEMA,
						   form->typnamespace);
	penstock_put_text(session, buf, PENSTOCK_SCHEMA_TYPE_NAME,
					  NameStr(form->typname));
	switch (form->typtype)
	{
		case TYPTYPE_ENUM:
			put_enum(session, buf, oid);
			break;
		case TYPTYPE_DOMAIN:
			put_domain(session, buf, tuple);
			break;
		default:
			put_composite(session, buf, form->typrelid);
	}
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
	ReleaseSysCache(tuple);
}

static void
put_schema(PenstockSession *session, StringInfo buf, Oid oid)
{
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_CHANGE_NAMESPACE,
								   PENSTOCK_WIRE_LENGTH_SMALL);

	penstock_put_namespace(session, buf, PENSTOCK_SCHEMA_NAMESPACE_NAME, oid);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
}

static void
put_relation(PenstockSession *session, StringInfo buf, Oid oid)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", oid);
	if (((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_SEQUENCE)
		put_sequence(session, buf, tuple);
	else
		penstock_describe_table(session, buf, tuple);
	ReleaseSysCache(tuple);
}

/*
 * Returns the description of an object in English, whatever the language of the
 * server's messages is.
 */
static char *
describe_in_english(const ObjectAddress *address)
{
	int level = NewGUCNestLevel();
	char *text;

	(void) set_config_option("lc_messages", "C", PGC_SUSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, ERROR, false);
	text = describe_object_compat(address);
	AtEOXact_GUC(true, level);
	return text;
}

static void
put_untranslated(PenstockSession *session, StringInfo buf,
				 const PenstockSchemaObject *object)
{
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_CHANGE_UNTRANSLATED,
								   PENSTOCK_WIRE_LENGTH_SMALL);
	ObjectAddress address = {.classId = object->catalog,
							 .objectId = object->oid,
							 .objectSubId = object->column};
	const char *identity = object->name;

	if (!object->gone && OidIsValid(object->oid))
		identity = describe_in_english(&address);
	penstock_put_text(session, buf, PENSTOCK_UNTRANSLATED_CATALOG,
					  get_rel_name(object->catalog));
	penstock_put_text(session, buf, PENSTOCK_UNTRANSLATED_IDENTITY, identity);
	penstock_wire_uint(buf, PENSTOCK_UNTRANSLATED_GONE, object->gone);
	penstock_put_text(session, buf, PENSTOCK_UNTRANSLATED_PART, object->part);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
}

/*
 * Returns the value of SchemaChange.gone for an object of this catalog, as
 * penstock.proto defines it.
 */
static int
catalog_kind(Oid catalog)
{
	switch (catalog)
	{
		case NamespaceRelationId:
			return 1;
		case RelationRelationId:
			return 2;
		default:
			Assert(catalog == TypeRelationId);
			return 3;
	}
}

static void
put_definition(PenstockSession *session, StringInfo buf,
			   const PenstockSchemaObject *object)
{
	switch (object->catalog)
	{
		case NamespaceRelationId:
			put_schema(session, buf, object->oid);
			break;
		case RelationRelationId:
			put_relation(session, buf, object->oid);
			break;
		default:
			put_type(session, buf, object->oid);
	}
}

void
penstock_describe(PenstockSession *session, StringInfo buf,
				  const PenstockSchemaObject *object)
{
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CHANGE_LSN, object->lsn);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CHANGE_OID, object->oid);
	switch (object->form)
	{
		case PENSTOCK_SCHEMA_DEFINED:
			put_definition(session, buf, object);
			break;
		case PENSTOCK_SCHEMA_GONE:
			penstock_wire_uint(buf, PENSTOCK_SCHEMA_CHANGE_GONE,
							   (uint64) catalog_kind(object->catalog));
			break;
		case PENSTOCK_SCHEMA_UNTRANSLATED:
			put_untranslated(session, buf, object);
			break;
	}
}
