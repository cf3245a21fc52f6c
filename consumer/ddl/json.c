/*
 * json.c
 *    Writes and reads with the table of fields in model/definition.h.
 */
#include "ddl/json.h"

#include <jansson.h>
#include <string.h>

#include "model/definition_check.h"

/* Words for the kinds, indexed by DefinitionKind. */
static const char *const kind_words[] = {"schema", "table",  "sequence",
										 "enum",   "domain", "composite"};

/* ---- Writing ---- */

static void append_members(Json *json, const DefinitionShape *shape,
						   const void *record);

static void
append_strings(Json *json, const char *name, const StringList *list)
{
	if (list->count == 0)
		return;
	json_key(json, name);
	json_begin_array(json);
	for (int i = 0; i < list->count; i++)
		json_text(json, list->strings[i]);
	json_end_array(json);
}

static void
append_oids(Json *json, const char *name, const OidList *list)
{
	if (list->count == 0)
		return;
	json_key(json, name);
	json_begin_array(json);
	for (int i = 0; i < list->count; i++)
		json_int(json, list->oids[i]);
	json_end_array(json);
}

static void
append_array(Json *json, const DefinitionField *field, const void *record)
{
	int count;
	const char *members = definition_members(field, record, &count);

	if (count == 0)
		return;
	json_key(json, field->name);
	json_begin_array(json);
	for (int i = 0; i < count; i++)
	{
		json_begin_object(json);
		append_members(json, field->member,
					   members + (size_t) i * field->member->size);
		json_end_object(json);
	}
	json_end_array(json);
}

static void
append_text(Json *json, const DefinitionField *field, const char *text)
{
	if (text != NULL && (text[0] != '\0' || field->type == FIELD_TEXT_OR_NULL))
		json_member_string(json, field->name, text);
}

static void
append_number(Json *json, const DefinitionField *field, int64_t number)
{
	if (number != field->usual)
		json_member_int(json, field->name, number);
}

static void
append_word(Json *json, const DefinitionField *field, int word)
{
	CHECK(word >= 0 && word < field->word_count);
	if (word != 0)
		json_member_string(json, field->name, field->words[word]);
}

static void
append_member(Json *json, const DefinitionField *field, const void *record)
{
	const void *at = (const char *) record + field->offset;

	switch (field->type)
	{
		case FIELD_TEXT:
		case FIELD_TEXT_OR_NULL:
			return append_text(json, field, *(const char *const *) at);
		case FIELD_BOOL:
			if (*(const bool *) at)
				json_member_bool(json, field->name, true);
			return;
		case FIELD_UINT16:
			return append_number(json, field, *(const uint16_t *) at);
		case FIELD_UINT32:
			return append_number(json, field, *(const uint32_t *) at);
		case FIELD_INT32:
			return append_number(json, field, *(const int32_t *) at);
		case FIELD_INT64:
			return append_number(json, field, *(const int64_t *) at);
		case FIELD_WORD:
			return append_word(json, field, *(const int *) at);
		case FIELD_STRINGS:
			return append_strings(json, field->name, at);
		case FIELD_OIDS:
			return append_oids(json, field->name, at);
		case FIELD_MEMBERS:
			return append_array(json, field, record);
	}
	check_failed("the type of a field is known", __FILE__, __LINE__);
}

/* Recursion is at most two deep: members have no members. */
static void
append_members(Json *json, const DefinitionShape *shape, const void *record)
{
	for (int i = 0; i < shape->field_count; i++)
		append_member(json, &shape->fields[i], record);
}

void
ddl_json_append(Json *json, const Definition *definition)
{
	json_begin_object(json);
	json_member_string(json, "kind", kind_words[definition->kind]);
	append_members(json, definition_shape(definition->kind), definition);
	json_end_object(json);
}

/* ---- Reading ---- */

/* State while a definition is read; the names are for messages. */
typedef struct Reading
{
	Arena *arena;
	const char *object; /* such as: table "public"."item" */
	const char *array;  /* name of the array that the member is in; NULL:
						 * none */
	size_t index;       /* index in that array */
	Error *err;
} Reading;

static MUST_CHECK Rc read_members(Reading *reading,
								  const DefinitionShape *shape, json_t *object,
								  void *record);

static MUST_CHECK Rc
refuse(const Reading *reading, const char *member, const char *what)
{
	Rc rc;

	if (reading->array != NULL)
		rc = error_set(reading->err, ERR_CONFIG,
					   "definition of %s cannot be read: \"%s\" of "
					   "\"%s\"[%zu] %s",
					   reading->object, member, reading->array, reading->index,
					   what);
	else
		rc = error_set(reading->err, ERR_CONFIG,
					   "definition of %s cannot be read: \"%s\" %s",
					   reading->object, member, what);
	error_hint(reading->err, "It may have been written by a newer version of "
							 "Penstock, or changed by hand.");
	return rc;
}

static MUST_CHECK Rc
read_text(Reading *reading, const char *name, json_t *value, const char **text)
{
	if (!json_is_string(value))
		return refuse(reading, name, "is no string");
	*text = arena_strdup(reading->arena, json_string_value(value));
	return RC_OK;
}

static MUST_CHECK Rc
read_number(Reading *reading, const char *name, json_t *value, int64_t minimum,
			int64_t maximum, int64_t *number)
{
	if (!json_is_integer(value))
		return refuse(reading, name, "is no whole number");
	*number = json_integer_value(value);
	if (*number < minimum || *number > maximum)
		return refuse(reading, name, "is out of range");
	return RC_OK;
}

static MUST_CHECK Rc
read_word(Reading *reading, const DefinitionField *field, json_t *value,
		  int *word)
{
	if (!json_is_string(value))
		return refuse(reading, field->name, "is no string");
	for (*word = 0; *word < field->word_count; ++*word)
		if (strcmp(field->words[*word], json_string_value(value)) == 0)
			return RC_OK;
	return refuse(reading, field->name, "is a word that is not known");
}

/* Reads the length of a list, which the length of the text bounds. */
static MUST_CHECK Rc
read_count(Reading *reading, const char *name, json_t *value, int *count)
{
	if (!json_is_array(value))
		return refuse(reading, name, "is no array");
	*count = (int) json_array_size(value);
	return RC_OK;
}

static MUST_CHECK Rc
read_strings(Reading *reading, const char *name, json_t *value,
			 StringList *list)
{
	Rc rc = read_count(reading, name, value, &list->count);

	if (rc != RC_OK)
		return rc;
	list->strings = arena_calloc(reading->arena, (size_t) list->count,
								 sizeof(list->strings[0]));
	for (int i = 0; i < list->count && rc == RC_OK; i++)
		rc = read_text(reading, name, json_array_get(value, (size_t) i),
					   &list->strings[i]);
	return rc;
}

static MUST_CHECK Rc
read_oids(Reading *reading, const char *name, json_t *value, OidList *list)
{
	Rc rc = read_count(reading, name, value, &list->count);

	if (rc != RC_OK)
		return rc;
	list->oids = arena_calloc(reading->arena, (size_t) list->count,
							  sizeof(list->oids[0]));
	for (int i = 0; i < list->count && rc == RC_OK; i++)
	{
		int64_t number = 0;

		rc = read_number(reading, name, json_array_get(value, (size_t) i), 0,
						 UINT32_MAX, &number);
		list->oids[i] = (uint32_t) number;
	}
	return rc;
}

static MUST_CHECK Rc
read_array(Reading *reading, const DefinitionField *field, json_t *value,
		   void *record)
{
	size_t size = field->member->size;
	char *members;
	int count = 0;
	Rc rc = read_count(reading, field->name, value, &count);

	if (rc != RC_OK)
		return rc;
	members = arena_calloc(reading->arena, (size_t) count, size);
	definition_set_members(field, record, members, count);
	for (size_t i = 0; i < (size_t) count && rc == RC_OK; i++)
	{
		json_t *member = json_array_get(value, i);

		if (!json_is_object(member))
			return refuse(reading, field->name, "has what is no object");
		reading->array = field->name;
		reading->index = i;
		rc = read_members(reading, field->member, member, members + i * size);
		if (rc == RC_OK)
			reading->array = NULL;
	}
	return rc;
}

static MUST_CHECK Rc
read_integer(Reading *reading, const DefinitionField *field, json_t *value,
			 void *at)
{
	int64_t number = 0;
	Rc rc;

	switch (field->type)
	{
		case FIELD_UINT16:
			rc = read_number(reading, field->name, value, 0, UINT16_MAX,
							 &number);
			*(uint16_t *) at = (uint16_t) number;
			return rc;
		case FIELD_UINT32:
			rc = read_number(reading, field->name, value, 0, UINT32_MAX,
							 &number);
			*(uint32_t *) at = (uint32_t) number;
			return rc;
		case FIELD_INT32:
			rc = read_number(reading, field->name, value, INT32_MIN, INT32_MAX,
							 &number);
			*(int32_t *) at = (int32_t) number;
			return rc;
		default:
			ASSERT(field->type == FIELD_INT64);
			return read_number(reading, field->name, value, INT64_MIN,
							   INT64_MAX, at);
	}
}

static MUST_CHECK Rc
read_member(Reading *reading, const DefinitionField *field, json_t *value,
			void *record)
{
	void *at = (char *) record + field->offset;

	switch (field->type)
	{
		case FIELD_TEXT:
		case FIELD_TEXT_OR_NULL:
			return read_text(reading, field->name, value, at);
		case FIELD_BOOL:
			if (!json_is_boolean(value))
				return refuse(reading, field->name,
							  "is neither true nor false");
			*(bool *) at = json_is_true(value);
			return RC_OK;
		case FIELD_UINT16:
		case FIELD_UINT32:
		case FIELD_INT32:
		case FIELD_INT64:
			return read_integer(reading, field, value, at);
		case FIELD_WORD:
			return read_word(reading, field, value, at);
		case FIELD_STRINGS:
			return read_strings(reading, field->name, value, at);
		case FIELD_OIDS:
			return read_oids(reading, field->name, value, at);
		case FIELD_MEMBERS:
			return read_array(reading, field, value, record);
	}
	check_failed("the type of a field is known", __FILE__, __LINE__);
}

static const DefinitionField *
find_field(const DefinitionShape *shape, const char *name)
{
	for (int i = 0; i < shape->field_count; i++)
		if (strcmp(shape->fields[i].name, name) == 0)
			return &shape->fields[i];
	return NULL;
}

/* Recursion is at most two deep: members have no members. */
static MUST_CHECK Rc
read_members(Reading *reading, const DefinitionShape *shape, json_t *object,
			 void *record)
{
	const char *name;
	json_t *value;

	definition_set_usual(shape, record);
	json_object_foreach(object, name, value)
	{
		const DefinitionField *field = find_field(shape, name);
		Rc rc;

		/*
		 * In a whole object, "kind" selects the shape; in a constraint, it is a
		 * field.
		 */
		if (field == NULL && reading->array == NULL &&
			strcmp(name, "kind") == 0)
			continue;
		if (field == NULL)
			return refuse(reading, name, "is not known");
		rc = read_member(reading, field, value, record);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* Returns the object's kind and name for messages, as far as they are known. */
static const char *
describe(json_t *object, Arena *arena)
{
	const char *kind = json_string_value(json_object_get(object, "kind"));
	const char *schema = json_string_value(json_object_get(object, "schema"));
	const char *name = json_string_value(json_object_get(object, "name"));

	if (kind == NULL || name == NULL)
		return arena_printf(
			arena, "an object with OID %lld",
			(long long) json_integer_value(json_object_get(object, "oid")));
	return schema != NULL
			   ? arena_printf(arena, "%s \"%s\".\"%s\"", kind, schema, name)
			   : arena_printf(arena, "%s \"%s\"", kind, name);
}

static MUST_CHECK Rc
read_kind(Reading *reading, json_t *object, DefinitionKind *kind)
{
	const char *word = json_string_value(json_object_get(object, "kind"));

	for (size_t i = 0; word != NULL && i < LENGTH_OF(kind_words); i++)
		if (strcmp(kind_words[i], word) == 0)
		{
			*kind = (DefinitionKind) i;
			return RC_OK;
		}
	return refuse(reading, "kind",
				  word != NULL ? "is a word that is not known"
							   : "is not there");
}

static MUST_CHECK Rc
read_object(Reading *reading, json_t *object, Definition *definition)
{
	const char *fault;
	Rc rc = read_kind(reading, object, &definition->kind);

	if (rc == RC_OK)
		rc = read_members(reading, definition_shape(definition->kind), object,
						  definition);
	if (rc != RC_OK)
		return rc;
	fault = definition_fault(definition);
	if (fault != NULL)
		return error_set(reading->err, ERR_CONFIG,
						 "definition of %s cannot be one: it %s",
						 reading->object, fault);
	return RC_OK;
}

Rc
ddl_json_read(const char *text, size_t length, Arena *arena,
			  const Definition **definition, Error *err)
{
	Definition *made = arena_calloc(arena, 1, sizeof(Definition));
	Reading reading = {.arena = arena, .err = err};
	json_error_t error;
	json_t *object;
	Rc rc;

	if (length > DDL_JSON_BYTES_MAX)
		return error_set(err, ERR_LIMIT,
						 "definition of %zu bytes is longer than %zu", length,
						 DDL_JSON_BYTES_MAX);
	object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (object == NULL)
		return error_set(err, ERR_CONFIG,
						 "definition cannot be read: it is no JSON: %s",
						 error.text);
	reading.object = describe(object, arena);
	rc = read_object(&reading, object, made);
	json_decref(object);
	if (rc == RC_OK)
		*definition = made;
	return rc;
}
