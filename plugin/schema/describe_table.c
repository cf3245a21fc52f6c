/*
 * describe_table.c
 *		Writes the definitions of tables; see describe_table.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/indexing.h"
#include "catalog/pg_am.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "commands/defrem.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalogs/components.h"
#include "catalogs/rows.h"
#include "compat.h"
#include "schema/definition.h"
#include "schema/deparse.h"
#include "schema/describe_table.h"
#include "tables/publish.h"
#include "tables/table.h"
#include "wire/wire.h"

/* ---- columns ---- */

/*
 * Returns the default expressions of a table's columns, in an array by attnum;
 * NULL: the column has none.
 */
static char **
read_defaults(Form_pg_class form)
{
	char **defaults = palloc0(sizeof(char *) * ((Size) form->relnatts + 1));
	TupleDesc desc;
	List *rows = penstock_read_rows(
		(PenstockCatalogKey){.catalog = AttrDefaultRelationId,
							 .index = AttrDefaultIndexId,
							 .attnums = {Anum_pg_attrdef_adrelid},
							 .values = {form->oid}},
		&desc);
	ListCell *cell;

	foreach (cell, rows)
	{
		HeapTuple tuple = lfirst(cell);
		int attnum = ((Form_pg_attrdef) GETSTRUCT(tuple))->adnum;
		bool isnull;
		Datum value = heap_getattr(tuple, Anum_pg_attrdef_adbin, desc, &isnull);

		if (!isnull && attnum > 0 && attnum <= form->relnatts)
			defaults[attnum] = penstock_deparse_expression(value, form->oid);
	}
	return defaults;
}

/*
 * Appends the value that a column has in rows that were written before the
 * column was added.
 */
static void
put_missing_value(PenstockSession *session, StringInfo buf, HeapTuple tuple)
{
	Form_pg_attribute attr = (Form_pg_attribute) GETSTRUCT(tuple);
	int index = 1;
	bool isnull;
	Datum array;
	Datum value;
	Oid output;
	bool is_varlena;

	if (!attr->atthasmissing)
		return;
	array = SysCacheGetAttr(ATTNUM, tuple, Anum_pg_attribute_attmissingval,
							&isnull);
	if (isnull)
		return;
	value = array_get_element(array, 1, &index, -1, attr->attlen,
							  attr->attbyval, attr->attalign, &isnull);
	if (isnull)
		return;
	getTypeOutputInfo(attr->atttypid, &output, &is_varlena);
	penstock_components_load(attr->atttypid);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_HAS_MISSING_VALUE, true);
	penstock_put_text(session, buf, PENSTOCK_SCHEMA_COLUMN_MISSING_VALUE,
					  OidOutputFunctionCall(output, value));
}

/* Returns the value of SchemaColumn.generated, as penstock.proto defines it. */
static int
generated_kind(char attgenerated)
{
	switch (attgenerated)
	{
		case 's':
			return 1;
		case 'v':
			return 2;
		default:
			return 0;
	}
}

static int
identity_kind(char attidentity)
{
	switch (attidentity)
	{
		case ATTRIBUTE_IDENTITY_ALWAYS:
			return 1;
		case ATTRIBUTE_IDENTITY_BY_DEFAULT:
			return 2;
		default:
			return 0;
	}
}

/* Appends what columns of tables and of composite types have in common. */
void
penstock_describe_column_type(PenstockSession *session, StringInfo buf,
							  Form_pg_attribute attr)
{
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_ATTNUM,
					   (uint64) attr->attnum);
	penstock_put_text(session, buf, PENSTOCK_SCHEMA_COLUMN_NAME,
					  NameStr(attr->attname));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_TYPE_OID, attr->atttypid);
	penstock_wire_sint(buf, PENSTOCK_SCHEMA_COLUMN_TYPMOD, attr->atttypmod);
	penstock_put_text(session, buf, PENSTOCK_SCHEMA_COLUMN_TYPE,
					  penstock_deparse_type(attr->atttypid, attr->atttypmod));
	penstock_put_collation(session, buf, PENSTOCK_SCHEMA_COLUMN_COLLATION,
						   attr->attcollation, attr->atttypid);
}

static void
put_column_storage(PenstockSession *session, StringInfo buf, HeapTuple tuple)
{
	Form_pg_attribute attr = (Form_pg_attribute) GETSTRUCT(tuple);
	bool isnull;
	Datum options;

	if (attr->attstorage != get_typstorage(attr->atttypid))
		penstock_put_letter(session, buf, PENSTOCK_SCHEMA_COLUMN_STORAGE,
							attr->attstorage);
	penstock_put_letter(session, buf, PENSTOCK_SCHEMA_COLUMN_COMPRESSION,
						attcompression_compat(attr));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_STATISTICS,
					   (uint64) attstattarget_compat(tuple) + 1);
	options = SysCacheGetAttr(ATTNUM, tuple, Anum_pg_attribute_attoptions,
							  &isnull);
	if (!isnull)
		penstock_put_options(session, buf, PENSTOCK_SCHEMA_COLUMN_OPTIONS,
							 options);
}

static void
put_column(PenstockSession *session, StringInfo buf, HeapTuple tuple,
		   const char *default_expression)
{
	Form_pg_attribute attr = (Form_pg_attribute) GETSTRUCT(tuple);
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_TABLE_COLUMNS,
								   PENSTOCK_WIRE_LENGTH_SMALL);

	penstock_describe_column_type(session, buf, attr);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_NOT_NULL, attr->attnotnull);
	if (attr->atthasdef)
		penstock_put_text(session, buf,
						  PENSTOCK_SCHEMA_COLUMN_DEFAULT_EXPRESSION,
						  default_expression);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_GENERATED,
					   (uint64) generated_kind(attr->attgenerated));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_IDENTITY,
					   (uint64) identity_kind(attr->attidentity));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_LOCAL, attr->attislocal);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_COLUMN_INHERITED,
					   (uint64) attr->attinhcount);
	put_column_storage(session, buf, tuple);
	put_missing_value(session, buf, tuple);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
}

static void
put_columns(PenstockSession *session, StringInfo buf, Form_pg_class form)
{
	char **defaults = read_defaults(form);

	for (AttrNumber i = 1; i <= form->relnatts; i++)
	{
		HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(form->oid),
										  Int16GetDatum(i));

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for attribute %d of relation %u",
				 i, form->oid);
		if (!((Form_pg_attribute) GETSTRUCT(tuple))->attisdropped)
			put_column(session, buf, tuple, defaults[i]);
		ReleaseSysCache(tuple);
	}
}

/* ---- constraints and indexes ---- */

/*
 * Returns the kind of a constraint, as penstock.proto defines it; 0: the stream
 * does not tell of such constraints.
 */
static int
constraint_kind(char contype)
{
	switch (contype)
	{
		case CONSTRAINT_CHECK:
			return 1;
		case CONSTRAINT_PRIMARY:
			return 2;
		case CONSTRAINT_UNIQUE:
			return 3;
		case CONSTRAINT_FOREIGN:
			return 4;
		case CONSTRAINT_EXCLUSION:
			return 5;
		case PENSTOCK_CONSTRAINT_NOT_NULL_COMPAT:
			return 6;
		default:
			return 0;
	}
}

/*
 * Whether the server has made a foreign key by itself.  For a foreign key that
 * refers to a partitioned table, the server makes a further one to each
 * partition, on the same table.
 */
static bool
is_made_for_partition(Form_pg_constraint form)
{
	HeapTuple tuple;
	bool made;

	if (form->contype != CONSTRAINT_FOREIGN || !OidIsValid(form->conparentid))
		return false;
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(form->conparentid));
	if (!HeapTupleIsValid(tuple))
		return false;
	made = ((Form_pg_constraint) GETSTRUCT(tuple))->conrelid == form->conrelid;
	ReleaseSysCache(tuple);
	return made;
}

/*
 * Whether a constraint has an index on its own table.  The index of a foreign
 * key is on the table that it refers to.
 */
static bool
has_index(Form_pg_constraint form)
{
	return form->contype == CONSTRAINT_PRIMARY ||
		   form->contype == CONSTRAINT_UNIQUE ||
		   form->contype == CONSTRAINT_EXCLUSION;
}

static void
put_constraint(PenstockSession *session, StringInfo buf, int field,
			   HeapTuple tuple, TupleDesc desc)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	int mark = penstock_wire_begin(buf, field, PENSTOCK_WIRE_LENGTH_SMALL);
	bool isnull;
	Datum attnums;

	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_OID, form->oid);
	penstock_put_text(session, buf, PENSTOCK_SCHEMA_CONSTRAINT_NAME,
					  NameStr(form->conname));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_KIND,
					   (uint64) constraint_kind(form->contype));
	penstock_put_text(session, buf, PENSTOCK_SCHEMA_CONSTRAINT_DEFINITION,
					  penstock_deparse_constraint(tuple, desc));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_VALIDATED,
					   form->convalidated);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_LOCAL, form->conislocal);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_INHERITED,
					   (uint64) form->coninhcount);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_PARENT,
					   form->conparentid);
	if (has_index(form))
		penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_INDEX,
						   form->conindid);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_CONSTRAINT_REFERENCED_TABLE,
					   form->confrelid);
	attnums = heap_getattr(tuple, Anum_pg_constraint_conkey, desc, &isnull);
	if (!isnull)
	{
		ArrayType *array = DatumGetArrayTypeP(attnums);

		penstock_put_attnums(buf, PENSTOCK_SCHEMA_CONSTRAINT_ATTNUMS,
							 (const int16 *) ARR_DATA_PTR(array),
							 ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)));
	}
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
}

/* Returns the constraints of a table or of a domain, sorted by name. */
List *
penstock_read_constraints(Oid table, Oid domain, TupleDesc *desc)
{
	return penstock_read_rows(
		(PenstockCatalogKey){.catalog = ConstraintRelationId,
							 .index = ConstraintRelidTypidNameIndexId,
							 .attnums = {Anum_pg_constraint_conrelid,
										 Anum_pg_constraint_contypid},
							 .values = {table, domain}},
		desc);
}

void
penstock_describe_constraints(PenstockSession *session, StringInfo buf,
							  int field, const List *rows, TupleDesc desc)
{
	ListCell *cell;

	foreach (cell, rows)
	{
		HeapTuple tuple = lfirst(cell);
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);

		if (constraint_kind(form->contype) != 0 && !is_made_for_partition(form))
			put_constraint(session, buf, field, tuple, desc);
	}
}

/*
 * Returns the rows of pg_inherits that say what a table or an index inherits
 * from.
 */
static List *
read_parents(Oid relid)
{
	TupleDesc desc;

	return penstock_read_rows(
		(PenstockCatalogKey){.catalog = InheritsRelationId,
							 .index = InheritsRelidSeqnoIndexId,
							 .attnums = {Anum_pg_inherits_inhrelid},
							 .values = {relid}},
		&desc);
}

/*
 * Returns the OID of the constraint to which an index belongs; InvalidOid:
 * none.
 */
static Oid
constraint_of_index(const List *constraints, Oid index)
{
	ListCell *cell;

	foreach (cell, constraints)
	{
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(
			(HeapTuple) lfirst(cell));

		if (has_index(form) && form->conindid == index)
			return form->oid;
	}
	return InvalidOid;
}

typedef struct TableIndex
{
	HeapTuple tuple; /* row of pg_index */
	Oid namespace;
	NameData name;
} TableIndex;

static int
compare_indexes(const ListCell *a, const ListCell *b)
{
	const TableIndex *left = lfirst(a);
	const TableIndex *right = lfirst(b);

	return strcmp(NameStr(left->name), NameStr(right->name));
}

/* Returns the indexes of a table as a list of TableIndex, sorted by name. */
static List *
read_indexes(Oid table)
{
	TupleDesc desc;
	List *rows = penstock_read_rows(
		(PenstockCatalogKey){.catalog = IndexRelationId,
							 .index = IndexIndrelidIndexId,
							 .attnums = {Anum_pg_index_indrelid},
							 .values = {table}},
		&desc);
	List *indexes = NIL;
	ListCell *cell;

	foreach (cell, rows)
	{
		HeapTuple tuple = lfirst(cell);
		Oid oid = ((Form_pg_index) GETSTRUCT(tuple))->indexrelid;
		HeapTuple class_tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
		Form_pg_class form;
		TableIndex *index;

		if (!HeapTupleIsValid(class_tuple))
			elog(ERROR, "cache lookup failed for relation %u", oid);
		form = (Form_pg_class) GETSTRUCT(class_tuple);
		index = palloc(sizeof(TableIndex));
		index->tuple = tuple;
		index->namespace = form->relnamespace;
		index->name = form->relname;
		ReleaseSysCache(class_tuple);
		indexes = lappend(indexes, index);
	}
	list_sort(indexes, compare_indexes);
	return indexes;
}

static Oid
parent_of_index(Oid index)
{
	const List *parents = read_parents(index);

	if (parents == NIL)
		return InvalidOid;
	return ((Form_pg_inherits) GETSTRUCT((HeapTuple) linitial(parents)))
		->inhparent;
}

static void
put_index(PenstockSession *session, StringInfo buf, const TableIndex *index,
		  const List *constraints)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(index->tuple);
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_TABLE_INDEXES,
								   PENSTOCK_WIRE_LENGTH_SMALL);

	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_OID, form->indexrelid);
	penstock_put_namespace(session, buf, PENSTOCK_SCHEMA_INDEX_SCHEMA,
						   index->namespace);
	penstock_put_text(session, buf, PENSTOCK_SCHEMA_INDEX_NAME,
					  NameStr(index->name));
	penstock_put_text(session, buf, PENSTOCK_SCHEMA_INDEX_DEFINITION,
					  penstock_deparse_index(form->indexrelid));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_VALID, form->indisvalid);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_UNIQUE, form->indisunique);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_PRIMARY, form->indisprimary);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_REPLICA_IDENTITY,
					   form->indisreplident);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_CLUSTERED,
					   form->indisclustered);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_CONSTRAINT,
					   constraint_of_index(constraints, form->indexrelid));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_INDEX_PARENT,
					   parent_of_index(form->indexrelid));
	penstock_put_attnums(buf, PENSTOCK_SCHEMA_INDEX_ATTNUMS,
						 form->indkey.values, form->indkey.dim1);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
}

static int
replica_identity_kind(char relreplident)
{
	switch (relreplident)
	{
		case REPLICA_IDENTITY_NOTHING:
			return PENSTOCK_REPLICA_IDENTITY_NOTHING;
		case REPLICA_IDENTITY_FULL:
			return PENSTOCK_REPLICA_IDENTITY_FULL;
		case REPLICA_IDENTITY_INDEX:
			return PENSTOCK_REPLICA_IDENTITY_INDEX;
		default:
			return PENSTOCK_REPLICA_IDENTITY_DEFAULT;
	}
}

static void
put_parents(StringInfo buf, Oid table)
{
	const List *rows = read_parents(table);
	bool detaching = false;
	StringInfoData packed;
	ListCell *cell;

	if (rows == NIL)
		return;
	initStringInfo(&packed);
	foreach (cell, rows)
	{
		Form_pg_inherits form = (Form_pg_inherits) GETSTRUCT(
			(HeapTuple) lfirst(cell));
		char *p = penstock_wire_reserve(&packed,
										PENSTOCK_WIRE_VARINT_BYTES_MAX);

		penstock_wire_advance(&packed,
							  penstock_wire_varint(p, form->inhparent));
		detaching |= detach_pending_compat(form);
	}
	penstock_wire_bytes(buf, PENSTOCK_SCHEMA_TABLE_PARENTS, packed.data,
						(Size) packed.len);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_DETACHING, detaching);
}

static void
put_partitioning(PenstockSession *session, StringInfo buf, HeapTuple tuple)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
	bool isnull;
	Datum bound;

	put_parents(buf, form->oid);
	bound = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relpartbound, &isnull);
	if (!isnull)
		penstock_put_text(session, buf, PENSTOCK_SCHEMA_TABLE_BOUND,
						  penstock_deparse_bound(bound));
	if (form->relkind == RELKIND_PARTITIONED_TABLE)
		penstock_put_text(session, buf, PENSTOCK_SCHEMA_TABLE_PARTITION_KEY,
						  penstock_deparse_partition_key(form->oid));
}

static void
put_table_options(PenstockSession *session, StringInfo buf, HeapTuple tuple)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
	bool isnull;
	Datum options;

	if (OidIsValid(form->reloftype))
		penstock_put_text(session, buf, PENSTOCK_SCHEMA_TABLE_OF_TYPE,
						  penstock_deparse_type(form->reloftype, -1));
	if (OidIsValid(form->relam) && form->relam != HEAP_TABLE_AM_OID)
		penstock_put_text(session, buf, PENSTOCK_SCHEMA_TABLE_ACCESS_METHOD,
						  get_am_name(form->relam));
	options = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_reloptions, &isnull);
	if (!isnull)
		penstock_put_options(session, buf, PENSTOCK_SCHEMA_TABLE_OPTIONS,
							 options);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_ROW_SECURITY,
					   form->relrowsecurity);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_FORCE_ROW_SECURITY,
					   form->relforcerowsecurity);
}

static void
put_constraints_and_indexes(PenstockSession *session, StringInfo buf, Oid table)
{
	TupleDesc desc;
	const List *constraints = penstock_read_constraints(table, InvalidOid,
														&desc);
	const List *indexes = read_indexes(table);
	ListCell *cell;

	penstock_describe_constraints(
		session, buf, PENSTOCK_SCHEMA_TABLE_CONSTRAINTS, constraints, desc);
	foreach (cell, indexes)
		put_index(session, buf, lfirst(cell), constraints);
}

void
penstock_describe_table(PenstockSession *session, StringInfo buf,
						HeapTuple tuple)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
	int mark = penstock_wire_begin(buf, PENSTOCK_SCHEMA_CHANGE_TABLE,
								   PENSTOCK_WIRE_LENGTH_MEDIUM);

	penstock_put_namespace(session, buf, PENSTOCK_SCHEMA_TABLE_SCHEMA,
						   form->relnamespace);
	penstock_put_text(session, buf, PENSTOCK_SCHEMA_TABLE_NAME,
					  NameStr(form->relname));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_PARTITIONED,
					   form->relkind == RELKIND_PARTITIONED_TABLE);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_UNLOGGED,
					   form->relpersistence == RELPERSISTENCE_UNLOGGED);
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_REPLICA_IDENTITY,
					   (uint64) replica_identity_kind(form->relreplident));
	put_partitioning(session, buf, tuple);
	put_table_options(session, buf, tuple);
	put_columns(session, buf, form);
	put_constraints_and_indexes(session, buf, form->oid);
	penstock_wire_uint(
		buf, PENSTOCK_SCHEMA_TABLE_PUBLISHED,
		penstock_publications_have(session, form->oid, form->relispartition));
	penstock_wire_uint(buf, PENSTOCK_SCHEMA_TABLE_WITHHELD,
					   penstock_publications_withhold(session, form->oid,
													  form->relispartition));
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
}
