/*
 * deparse.c
 *		Writes SQL; see deparse.h.
 *
 * The server's own function writes an expression as SQL.  It takes no lock if
 * it is given no table, but then the expression must not have columns.  So each
 * column is replaced by a parameter first.  The server writes a parameter as $
 * and a number, which is then replaced by the column's name in the text.
 * Outside of quotes nothing else has a $ in it, because the server quotes names
 * that have one.
 *
 * Before a subscript the server puts a parameter in parentheses, but not a
 * column.  These parentheses are removed.
 *
 * All other SQL is put together here from rows of catalogs.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_partitioned_table.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "parser/parse_oper.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "catalogs/components.h"
#include "compat.h"
#include "schema/deparse.h"

/*
 * The number of the parameter that stands for a column is this number plus the
 * attnum, which may be negative.
 */
#define PARAMETER_BASE 1000000000

/* ---- expressions ---- */

/*
 * Loads the composite types whose columns the server needs to write an
 * expression as SQL; see catalogs/components.h.
 */
static void
load_row_types(const Node *node)
{
	switch (nodeTag(node))
	{
		case T_Const:
			penstock_components_load(((const Const *) node)->consttype);
			break;
		case T_RowExpr:
			penstock_components_load(((const RowExpr *) node)->row_typeid);
			break;
		case T_FieldSelect:
			penstock_components_load(
				exprType((const Node *) ((const FieldSelect *) node)->arg));
			break;
		default:
			break;
	}
}

static Node *
replace_columns(Node *node, void *context)
{
	if (node != NULL)
		load_row_types(node);
	if (node != NULL && IsA(node, Var))
	{
		const Var *var = (const Var *) node;
		Param *param = makeNode(Param);

		param->paramkind = PARAM_EXTERN;
		param->paramid = PARAMETER_BASE + var->varattno;
		param->paramtype = var->vartype;
		param->paramtypmod = var->vartypmod;
		param->paramcollid = var->varcollid;
		param->location = -1;
		return (Node *) param;
	}
	return expression_tree_mutator(node, replace_columns, context);
}

/*
 * Returns the name of a column in an expression; attnum 0 stands for the whole
 * row.
 */
static const char *
column_name(Oid relid, AttrNumber attnum)
{
	if (attnum == 0)
		return psprintf("%s.*", quote_identifier(get_rel_name(relid)));
	return quote_identifier(get_attname(relid, attnum, false));
}

static bool
is_name_character(char c)
{
	return IS_HIGHBIT_SET(c) || (c >= 'a' && c <= 'z') ||
		   (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		   c == '"';
}

/*
 * Whether the text ends with an opening parenthesis that does not begin the
 * arguments of a function.
 */
static bool
ends_with_plain_parenthesis(const StringInfoData *text)
{
	return text->len > 0 && text->data[text->len - 1] == '(' &&
		   (text->len == 1 || !is_name_character(text->data[text->len - 2]));
}

/* Appends the name of the column that the parameter at `p` stands for. */
static const char *
append_column(StringInfo text, const char *p, Oid relid)
{
	char *end;
	long number = strtol(p + 1, &end, 10);
	const char *name = column_name(relid,
								   (AttrNumber) (number - PARAMETER_BASE));

	if (end[0] == ')' && end[1] == '[' && ends_with_plain_parenthesis(text))
	{
		text->data[--text->len] = '\0';
		end++;
	}
	appendStringInfoString(text, name);
	return end;
}

static char *
put_columns_back(const char *text, Oid relid)
{
	StringInfoData result;
	char quote =
		'\0'; /* the quote character that has been opened; '\0': none */

	initStringInfo(&result);
	while (*text != '\0')
	{
		if (quote == '\0' && *text == '$')
		{
			text = append_column(&result, text, relid);
			continue;
		}
		if (quote == '\0' && (*text == '\'' || *text == '"'))
			quote = *text;
		else if (*text == quote)
			quote = '\0';
		appendStringInfoChar(&result, *text++);
	}
	return result.data;
}

/*
 * Writes an expression as SQL that is stored in a catalog and names no column.
 */
static char *
deparse_stored(Datum stored)
{
	return TextDatumGetCString(
		DirectFunctionCall2(pg_get_expr, stored, ObjectIdGetDatum(InvalidOid)));
}

static char *
deparse_node(Node *node, Oid relid)
{
	const char *stored = nodeToString(replace_columns(node, NULL));

	return put_columns_back(deparse_stored(CStringGetTextDatum(stored)), relid);
}

char *
penstock_deparse_expression(Datum expression, Oid relid)
{
	return deparse_node(stringToNode(TextDatumGetCString(expression)), relid);
}

/*
 * Loads the composite types in the values of a partition's bound.  Before
 * PostgreSQL 15, expression_tree_mutator() cannot walk through a bound.
 */
static void
load_row_types_of_bound(const List *values)
{
	ListCell *cell;

	foreach (cell, values)
	{
		const Node *node = lfirst(cell);

		if (IsA(node, PartitionRangeDatum))
			node = ((const PartitionRangeDatum *) node)->value;
		if (node != NULL)
			load_row_types(node);
	}
}

char *
penstock_deparse_bound(Datum bound)
{
	const PartitionBoundSpec *spec = stringToNode(TextDatumGetCString(bound));

	load_row_types_of_bound(spec->listdatums);
	load_row_types_of_bound(spec->lowerdatums);
	load_row_types_of_bound(spec->upperdatums);
	return deparse_stored(bound);
}

/*
 * Whether the server writes an expression like a function call, so that an
 * index or partition key needs no parentheses around it.
 */
static bool
looks_like_call(const Node *node)
{
	switch (nodeTag(node))
	{
		case T_FuncExpr:
		{
			CoercionForm form = ((const FuncExpr *) node)->funcformat;

			return form == COERCE_EXPLICIT_CALL || is_sql_syntax_compat(form);
		}
		case T_CoalesceExpr:
		case T_MinMaxExpr:
		case T_NullIfExpr:
		case T_SQLValueFunction:
		case T_XmlExpr:
			return true;
		default:
			return is_json_call_compat(node);
	}
}

/* ---- names ---- */

char *
penstock_deparse_type(Oid type, int32 typmod)
{
	return format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN);
}

char *
penstock_deparse_collation(Oid collation)
{
	return generate_collation_name(collation);
}

static char *
relation_name(Oid relid)
{
	return quote_qualified_identifier(
		get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

/* Appends COLLATE, unless the collation is the one that applies without it. */
static void
append_collation(StringInfo buf, Oid collation, Oid usual)
{
	if (OidIsValid(collation) && collation != usual)
		appendStringInfo(buf, " COLLATE %s",
						 penstock_deparse_collation(collation));
}

static Oid
method_of_opclass(Oid opclass)
{
	HeapTuple tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
	Oid method;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass);
	method = ((Form_pg_opclass) GETSTRUCT(tuple))->opcmethod;
	ReleaseSysCache(tuple);
	return method;
}

/*
 * Appends the operator class, unless it is the type's default class.  If
 * options of the class follow, the class has to be written in any case.
 */
static void
append_opclass(StringInfo buf, Oid opclass, Oid type, bool has_options)
{
	if (has_options ||
		GetDefaultOpClass(type, method_of_opclass(opclass)) != opclass)
		appendStringInfo(buf, " %s", generate_opclass_name(opclass));
}

static void
append_operator(StringInfo buf, Oid operator_oid, Oid type)
{
	HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator_oid));
	Form_pg_operator form;
	Operator found;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator_oid);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	found = oper(NULL, list_make1(makeString(NameStr(form->oprname))), type,
				 type, true, -1);
	if (found != NULL && oprid(found) == operator_oid)
		appendStringInfoString(buf, NameStr(form->oprname));
	else
		appendStringInfo(
			buf, "OPERATOR(%s.%s)",
			quote_identifier(get_namespace_name(form->oprnamespace)),
			NameStr(form->oprname));
	if (found != NULL)
		ReleaseSysCache(found);
	ReleaseSysCache(tuple);
}

/*
 * Appends storage parameters as "name=value, …". A value is quoted unless it is
 * a plain identifier.
 */
static void
append_reloptions(StringInfo buf, Datum options)
{
	Datum *elements;
	int count;

	deconstruct_array(DatumGetArrayTypeP(options), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		char *name = TextDatumGetCString(elements[i]);
		char *separator = strchr(name, '=');
		const char *value = separator != NULL ? separator + 1 : "";

		if (separator != NULL)
			*separator = '\0';
		appendStringInfo(buf, "%s%s=", i > 0 ? ", " : "",
						 quote_identifier(name));
		appendStringInfoString(buf, quote_identifier(value) == value
										? value
										: quote_literal_cstr(value));
	}
}

/* ---- indexes and partition keys ---- */

/* A member of an index or of a partition key: a column or an expression. */
typedef struct Member
{
	Oid type;
	Oid collation;
} Member;

/*
 * Appends a member: the column or, if attnum is 0, the next of the
 * expressions.  *expression is the number of expressions that were used so far.
 */
static Member
append_member(StringInfo buf, Oid relid, AttrNumber attnum,
			  const List *expressions, int *expression)
{
	Member member;
	int32 typmod;
	Node *node;

	if (attnum != 0)
	{
		appendStringInfoString(buf, column_name(relid, attnum));
		get_atttypetypmodcoll(relid, attnum, &member.type, &typmod,
							  &member.collation);
		return member;
	}
	node = list_nth(expressions, (*expression)++);
	appendStringInfo(buf, looks_like_call(node) ? "%s" : "(%s)",
					 deparse_node(node, relid));
	member.type = exprType(node);
	member.collation = exprCollation(node);
	return member;
}

/* Reads the list of expressions in a column of a catalog row. */
static List *
get_expressions(int cache, HeapTuple tuple, AttrNumber attnum)
{
	bool isnull;
	Datum value = SysCacheGetAttr(cache, tuple, attnum, &isnull);

	return isnull ? NIL : (List *) stringToNode(TextDatumGetCString(value));
}

static const oidvector *
get_oids(int cache, HeapTuple tuple, AttrNumber attnum)
{
	bool isnull;

	return (const oidvector *) DatumGetPointer(
		SysCacheGetAttr(cache, tuple, attnum, &isnull));
}

typedef struct IndexParts
{
	HeapTuple index_tuple; /* both rows are to be released */
	HeapTuple class_tuple;
	Form_pg_index index;
	Form_pg_class class;
	const oidvector *collations;
	const oidvector *opclasses;
	const int2vector *options;
	List *expressions;
	bool can_order; /* whether the access method supports ASC, DESC and NULLS
					 * FIRST */
	char *method;
} IndexParts;

static void
get_index_parts(IndexParts *parts, Oid index)
{
	bool isnull;

	parts->index_tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	parts->class_tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(parts->index_tuple) ||
		!HeapTupleIsValid(parts->class_tuple))
		elog(ERROR, "cache lookup failed for index %u", index);
	parts->index = (Form_pg_index) GETSTRUCT(parts->index_tuple);
	parts->class = (Form_pg_class) GETSTRUCT(parts->class_tuple);
	parts->collations = get_oids(INDEXRELID, parts->index_tuple,
								 Anum_pg_index_indcollation);
	parts->opclasses = get_oids(INDEXRELID, parts->index_tuple,
								Anum_pg_index_indclass);
	parts->options = (const int2vector *) DatumGetPointer(SysCacheGetAttr(
		INDEXRELID, parts->index_tuple, Anum_pg_index_indoption, &isnull));
	parts->expressions = get_expressions(INDEXRELID, parts->index_tuple,
										 Anum_pg_index_indexprs);
	parts->can_order = GetIndexAmRoutineByAmId(parts->class->relam, false)
						   ->amcanorder;
	parts->method = get_am_name(parts->class->relam);
}

static void
append_order(StringInfo buf, int option)
{
	bool nulls_first = (option & INDOPTION_NULLS_FIRST) != 0;

	if ((option & INDOPTION_DESC) != 0)
		appendStringInfoString(buf, nulls_first ? " DESC" : " DESC NULLS LAST");
	else if (nulls_first)
		appendStringInfoString(buf, " NULLS FIRST");
}

/*
 * Appends how a key column of an index is compared: collation, operator class
 * and order.
 */
static void
append_index_key(StringInfo buf, const IndexParts *parts, int i, Member member)
{
	Datum options = get_attoptions(parts->class->oid, (int16) (i + 1));

	append_collation(buf, parts->collations->values[i], member.collation);
	append_opclass(buf, parts->opclasses->values[i], member.type,
				   options != (Datum) 0);
	if (options != (Datum) 0)
	{
		appendStringInfoString(buf, " (");
		append_reloptions(buf, options);
		appendStringInfoChar(buf, ')');
	}
	if (parts->can_order)
		append_order(buf, parts->options->values[i]);
}

/*
 * Appends the columns of an index and the closing parenthesis; the opening one
 * has been written.  `operators` are those of an exclusion constraint; NULL:
 * the index belongs to none.
 */
static void
append_index_columns(StringInfo buf, const IndexParts *parts,
					 const Oid *operators)
{
	int expression = 0;

	for (int i = 0; i < parts->index->indnatts; i++)
	{
		bool is_key = i < parts->index->indnkeyatts;
		Member member;

		if (i == parts->index->indnkeyatts)
			appendStringInfoString(buf, ") INCLUDE (");
		else if (i > 0)
			appendStringInfoString(buf, ", ");
		member = append_member(buf, parts->index->indrelid,
							   parts->index->indkey.values[i],
							   parts->expressions, &expression);
		if (is_key)
			append_index_key(buf, parts, i, member);
		if (is_key && operators != NULL)
		{
			appendStringInfoString(buf, " WITH ");
			append_operator(buf, operators[i], member.type);
		}
	}
	appendStringInfoChar(buf, ')');
}

/*
 * Appends the parts of an index that follow its columns, and releases `parts`.
 */
static void
append_index_rest(StringInfo buf, const IndexParts *parts, bool is_exclusion)
{
	bool isnull;
	Datum value;

	if (nulls_not_distinct_compat(parts->index))
		appendStringInfoString(buf, " NULLS NOT DISTINCT");
	value = SysCacheGetAttr(RELOID, parts->class_tuple,
							Anum_pg_class_reloptions, &isnull);
	if (!isnull)
	{
		appendStringInfoString(buf, " WITH (");
		append_reloptions(buf, value);
		appendStringInfoChar(buf, ')');
	}
	value = SysCacheGetAttr(INDEXRELID, parts->index_tuple,
							Anum_pg_index_indpred, &isnull);
	if (!isnull)
		appendStringInfo(
			buf, is_exclusion ? " WHERE (%s)" : " WHERE %s",
			penstock_deparse_expression(value, parts->index->indrelid));
	ReleaseSysCache(parts->index_tuple);
	ReleaseSysCache(parts->class_tuple);
}

char *
penstock_deparse_index(Oid index)
{
	IndexParts parts;
	StringInfoData buf;

	get_index_parts(&parts, index);
	initStringInfo(&buf);
	appendStringInfo(
		&buf, "CREATE %sINDEX %s ON %s%s USING %s (",
		parts.index->indisunique ? "UNIQUE " : "",
		quote_identifier(NameStr(parts.class->relname)),
		parts.class->relkind == RELKIND_PARTITIONED_INDEX ? "ONLY " : "",
		relation_name(parts.index->indrelid), quote_identifier(parts.method));
	append_index_columns(&buf, &parts, NULL);
	append_index_rest(&buf, &parts, false);
	return buf.data;
}

static const char *
partition_strategy(char strategy)
{
	switch (strategy)
	{
		case 'h':
			return "HASH";
		case 'l':
			return "LIST";
		case 'r':
			return "RANGE";
		default:
			elog(ERROR, "unexpected partition strategy: %d", (int) strategy);
	}
}

char *
penstock_deparse_partition_key(Oid table)
{
	HeapTuple tuple = SearchSysCache1(PARTRELID, ObjectIdGetDatum(table));
	Form_pg_partitioned_table form;
	const oidvector *collations;
	const oidvector *opclasses;
	List *expressions;
	int expression = 0;
	StringInfoData buf;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for partition key of %u", table);
	form = (Form_pg_partitioned_table) GETSTRUCT(tuple);
	collations = get_oids(PARTRELID, tuple,
						  Anum_pg_partitioned_table_partcollation);
	opclasses = get_oids(PARTRELID, tuple, Anum_pg_partitioned_table_partclass);
	expressions = get_expressions(PARTRELID, tuple,
								  Anum_pg_partitioned_table_partexprs);

	initStringInfo(&buf);
	appendStringInfo(&buf, "%s (", partition_strategy(form->partstrat));
	for (int i = 0; i < form->partnatts; i++)
	{
		Member member;

		if (i > 0)
			appendStringInfoString(&buf, ", ");
		member = append_member(&buf, table, form->partattrs.values[i],
							   expressions, &expression);
		append_collation(&buf, collations->values[i], member.collation);
		append_opclass(&buf, opclasses->values[i], member.type, false);
	}
	appendStringInfoChar(&buf, ')');
	ReleaseSysCache(tuple);
	return buf.data;
}

/* ---- constraints ---- */

static Datum
get_value(HeapTuple tuple, TupleDesc desc, AttrNumber attnum)
{
	bool isnull;
	Datum value = heap_getattr(tuple, attnum, desc, &isnull);

	if (isnull)
		elog(ERROR, "null column %d of constraint %u", attnum,
			 ((Form_pg_constraint) GETSTRUCT(tuple))->oid);
	return value;
}

/*
 * Appends columns of a relation in parentheses.  The last column may be a
 * period.
 */
static int
append_columns(StringInfo buf, Oid relid, Datum attnums,
			   const char *before_last, const char *after_last)
{
	ArrayType *array = DatumGetArrayTypeP(attnums);
	const int16 *values = (const int16 *) ARR_DATA_PTR(array);
	int count = ARR_DIMS(array)[0];

	appendStringInfoChar(buf, '(');
	for (int i = 0; i < count; i++)
		appendStringInfo(buf, "%s%s%s%s", i > 0 ? ", " : "",
						 i == count - 1 ? before_last : "",
						 column_name(relid, values[i]),
						 i == count - 1 ? after_last : "");
	appendStringInfoChar(buf, ')');
	return count;
}

static const char *
foreign_key_action(char action)
{
	switch (action)
	{
		case FKCONSTR_ACTION_RESTRICT:
			return "RESTRICT";
		case FKCONSTR_ACTION_CASCADE:
			return "CASCADE";
		case FKCONSTR_ACTION_SETNULL:
			return "SET NULL";
		case FKCONSTR_ACTION_SETDEFAULT:
			return "SET DEFAULT";
		default:
			return NULL;
	}
}

static void
append_foreign_key(StringInfo buf, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	const char *period = has_period_compat(form) ? "PERIOD " : "";
	const char *on_update = foreign_key_action(form->confupdtype);
	const char *on_delete = foreign_key_action(form->confdeltype);

	appendStringInfoString(buf, "FOREIGN KEY ");
	append_columns(buf, form->conrelid,
				   get_value(tuple, desc, Anum_pg_constraint_conkey), period,
				   "");
	appendStringInfo(buf, " REFERENCES %s", relation_name(form->confrelid));
	append_columns(buf, form->confrelid,
				   get_value(tuple, desc, Anum_pg_constraint_confkey), period,
				   "");
	if (form->confmatchtype == FKCONSTR_MATCH_FULL)
		appendStringInfoString(buf, " MATCH FULL");
	if (on_update != NULL)
		appendStringInfo(buf, " ON UPDATE %s", on_update);
	if (on_delete != NULL)
		appendStringInfo(buf, " ON DELETE %s", on_delete);
	if (penstock_confdelsetcols_compat != InvalidAttrNumber)
	{
		bool isnull;
		Datum columns = heap_getattr(tuple, penstock_confdelsetcols_compat,
									 desc, &isnull);

		if (!isnull)
		{
			appendStringInfoChar(buf, ' ');
			append_columns(buf, form->conrelid, columns, "", "");
		}
	}
}

/* Appends a PRIMARY KEY or UNIQUE constraint. */
static void
append_key(StringInfo buf, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	IndexParts parts;
	int count;

	get_index_parts(&parts, form->conindid);
	if (form->contype == CONSTRAINT_PRIMARY)
		appendStringInfoString(buf, "PRIMARY KEY ");
	else
		appendStringInfoString(buf, nulls_not_distinct_compat(parts.index)
										? "UNIQUE NULLS NOT DISTINCT "
										: "UNIQUE ");
	count = append_columns(
		buf, form->conrelid, get_value(tuple, desc, Anum_pg_constraint_conkey),
		"", has_period_compat(form) ? " WITHOUT OVERLAPS" : "");
	for (int i = count; i < parts.index->indnatts; i++)
		appendStringInfo(
			buf, "%s%s", i == count ? " INCLUDE (" : ", ",
			column_name(form->conrelid, parts.index->indkey.values[i]));
	if (count < parts.index->indnatts)
		appendStringInfoChar(buf, ')');
	ReleaseSysCache(parts.index_tuple);
	ReleaseSysCache(parts.class_tuple);
}

static void
append_exclusion(StringInfo buf, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	ArrayType *operators = DatumGetArrayTypeP(
		get_value(tuple, desc, Anum_pg_constraint_conexclop));
	IndexParts parts;

	get_index_parts(&parts, form->conindid);
	appendStringInfo(buf, "EXCLUDE USING %s (", quote_identifier(parts.method));
	append_index_columns(buf, &parts, (const Oid *) ARR_DATA_PTR(operators));
	append_index_rest(buf, &parts, true);
}

static void
append_not_null(StringInfo buf, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);

	appendStringInfoString(buf, "NOT NULL");
	if (OidIsValid(form->conrelid))
	{
		ArrayType *array = DatumGetArrayTypeP(
			get_value(tuple, desc, Anum_pg_constraint_conkey));

		appendStringInfo(buf, " %s",
						 column_name(form->conrelid,
									 ((const int16 *) ARR_DATA_PTR(array))[0]));
	}
	if (form->connoinherit)
		appendStringInfoString(buf, " NO INHERIT");
}

char *
penstock_deparse_constraint(HeapTuple tuple, TupleDesc desc)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	StringInfoData buf;

	initStringInfo(&buf);
	switch (form->contype)
	{
		case CONSTRAINT_FOREIGN:
			append_foreign_key(&buf, tuple, desc);
			break;
		case CONSTRAINT_PRIMARY:
		case CONSTRAINT_UNIQUE:
			append_key(&buf, tuple, desc);
			break;
		case CONSTRAINT_CHECK:
			appendStringInfo(
				&buf, "CHECK (%s)%s",
				penstock_deparse_expression(
					get_value(tuple, desc, Anum_pg_constraint_conbin),
					form->conrelid),
				form->connoinherit ? " NO INHERIT" : "");
			break;
		case CONSTRAINT_EXCLUSION:
			append_exclusion(&buf, tuple, desc);
			break;
		case PENSTOCK_CONSTRAINT_NOT_NULL_COMPAT:
			append_not_null(&buf, tuple, desc);
			break;
		default:
			elog(ERROR, "unexpected kind of constraint: %d",
				 (int) form->contype);
	}
	if (form->condeferrable)
		appendStringInfoString(&buf, " DEFERRABLE");
	if (form->condeferred)
		appendStringInfoString(&buf, " INITIALLY DEFERRED");
	if (!is_enforced_compat(form))
		appendStringInfoString(&buf, " NOT ENFORCED");
	else if (!form->convalidated)
		appendStringInfoString(&buf, " NOT VALID");
	return buf.data;
}
