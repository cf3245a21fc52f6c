/*
 * relations.c
 *    Reads Relation records, with protobuf-c because they are rare and small.
 */
#include "wire/relations.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "penstock.pb-c.h"
#include "wire/unpack.h"

void
relations_release(Relations *self)
{
	for (size_t i = 0; i < self->slots; i++)
		relation_unref(self->by_number[i]);
	free(self->by_number);
}

Relation *
relations_find(const Relations *self, uint64_t number)
{
	Relation *relation = number < self->slots ? self->by_number[number] : NULL;

	ASSERT(relation == NULL || relation->number == number);
	return relation;
}

/*
 * Stores a relation under its number; takes ownership of the caller's
 * reference.
 */
static void
store_relation(Relations *self, Relation *relation)
{
	size_t number = relation->number;

	ASSERT(number > 0 && number < RELATIONS_MAX);
	if (number >= self->slots)
	{
		size_t slots = self->slots ? self->slots : 64;

		while (slots <= number)
			slots *= 2;
		self->by_number = xrealloc_array(self->by_number, slots,
										 sizeof(self->by_number[0]));
		memset(self->by_number + self->slots, 0,
			   (slots - self->slots) * sizeof(self->by_number[0]));
		self->slots = slots;
	}
	ASSERT(number < self->slots);
	ASSERT(relation->schema != NULL && relation->name != NULL);
	relation_unref(self->by_number[number]);
	self->by_number[number] = relation;
}

/* Whether the plugin may send values of a type as integers. */
static bool
type_has_integer_form(uint32_t type_oid)
{
	switch (type_oid)
	{
		case TYPE_BOOL:
		case TYPE_INT2:
		case TYPE_INT4:
		case TYPE_INT8:
		case TYPE_OID:
		case TYPE_DATE:
		case TYPE_TIME:
		case TYPE_TIMESTAMP:
		case TYPE_TIMESTAMPTZ:
			return true;
		default:
			return false;
	}
}

static bool
map_encoding(const Penstock__Column *wire, ColumnEncoding *encoding)
{
	switch (wire->encoding)
	{
		case PENSTOCK__ENCODING__ENCODING_INTEGER:
			*encoding = COLUMN_INTEGER;
			return type_has_integer_form(wire->type_oid);
		case PENSTOCK__ENCODING__ENCODING_BINARY:
			*encoding = COLUMN_BINARY;
			return true;
		case PENSTOCK__ENCODING__ENCODING_TEXT:
			*encoding = COLUMN_TEXT;
			return true;
		default:
			return false;
	}
}

static MUST_CHECK Rc
convert_column(Relation *relation, RelationColumn *column,
			   const Penstock__Column *wire, Error *err)
{
	if (wire->name[0] == '\0' || wire->type_oid == 0)
		return invalid(err, "column without name or type");
	if (wire->attnum < 1 || wire->attnum > RELATION_COLUMNS_MAX)
		return invalid(err, "column number is out of range");
	if (!map_encoding(wire, &column->encoding))
		return invalid(err, "column with an encoding that is not known");
	column->name = arena_strdup(relation->arena, wire->name);
	column->type_name = arena_strdup(relation->arena, wire->type_name);
	column->type_oid = wire->type_oid;
	column->typmod = wire->typmod;
	column->attnum = (uint16_t) wire->attnum;
	column->key = wire->key;
	column->generated = wire->generated;
	column->identity_always = wire->identity ==
							  PENSTOCK__IDENTITY__IDENTITY_ALWAYS;
	relation->key_count += wire->key ? 1 : 0;
	ASSERT(relation->key_count <= relation->column_count);
	return RC_OK;
}

/*
 * Converts the distribution columns from attnums to indexes in
 * relation->columns.
 */
static MUST_CHECK Rc
convert_distribution(Relation *relation, const Penstock__Relation *wire,
					 Error *err)
{
	int count = (int) wire->n_distribution;

	ASSERT(relation->column_count == (int) wire->n_columns);
	if (wire->n_distribution > RELATION_DISTRIBUTION_MAX)
		return invalid(err, "relation distributed by too many columns");
	relation->distribution = arena_calloc(relation->arena, (size_t) count,
										  sizeof(int));
	relation->distribution_count = count;
	for (int i = 0; i < count; i++)
	{
		int index = 0;

		while (index < relation->column_count &&
			   relation->columns[index].attnum != wire->distribution[i])
			index++;
		if (index == relation->column_count)
			return invalid(err, "relation distributed by a column that it "
								"does not have");
		relation->distribution[i] = index;
	}
	return RC_OK;
}

static MUST_CHECK Rc
convert_relation(const Penstock__Relation *wire, Relation **converted,
				 Error *err)
{
	Relation *relation;
	Rc rc = RC_OK;

	if (wire->number < 1 || wire->number >= RELATIONS_MAX)
		return invalid(err, "relation number is out of range");
	if (wire->schema[0] == '\0' || wire->name[0] == '\0')
		return invalid(err, "relation without a name");
	if (wire->n_columns > RELATION_COLUMNS_MAX)
		return invalid(err, "relation with too many columns");
	relation = relation_new((int) wire->n_columns);
	relation->number = wire->number;
	relation->oid = wire->oid;
	relation->schema = arena_strdup(relation->arena, wire->schema);
	relation->name = arena_strdup(relation->arena, wire->name);
	if (!unpack_replica_identity(wire->replica_identity, &relation->identity))
		rc = invalid(err, "relation with a replica identity that is not known");
	for (size_t i = 0; rc == RC_OK && i < wire->n_columns; i++)
		rc = convert_column(relation, &relation->columns[i], wire->columns[i],
							err);
	if (rc == RC_OK)
		rc = convert_distribution(relation, wire, err);
	if (rc != RC_OK)
	{
		relation_unref(relation);
		return rc;
	}
	ASSERT(relation->key_count <= relation->column_count);
	*converted = relation;
	return RC_OK;
}

Rc
relations_decode(Relations *self, Arena *arena, Span body, bool keeps_record,
				 Error *err)
{
	ProtobufCAllocator allocator = arena_allocator(arena);
	Penstock__Relation *wire = penstock__relation__unpack(
		&allocator, body.length, body.data);
	Relation *relation = NULL;
	Rc rc;

	if (wire == NULL)
		return invalid(err, "relation cannot be read");
	rc = convert_relation(wire, &relation, err);
	if (rc != RC_OK)
		return rc;
	CHECK(relation != NULL);
	if (keeps_record)
	{
		relation->record = arena_dup(relation->arena, body.data, body.length);
		relation->record_bytes = body.length;
	}
	store_relation(self, relation);
	return RC_OK;
}

Rc
relations_note_gone(const Relations *self, const uint32_t *numbers,
					size_t count, Error *err)
{
	for (size_t i = 0; i < count; i++)
	{
		Relation *relation = relations_find(self, numbers[i]);

		if (relation == NULL)
			return invalid(err, "relation that is gone was never described");
		ASSERT(relation->number == numbers[i]);
		relation->gone = true;
	}
	return RC_OK;
}
