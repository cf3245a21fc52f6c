/*
 * table_lists.c
 *		Reads lists of tables from the values of options; see table_lists.h.
 */
#include "postgres.h"

#include "partitioning/partdefs.h"
#include "pg_config_manual.h"

#include "session/names.h"
#include "session/table_lists.h"

/* ---- distribution ---- */

/* Takes a number from 1 to 2^32 - 1, such as an OID. */
static bool
take_number(const char **at, uint32 *number)
{
	const char *start = *at;
	uint64 value = 0;

	while (*at < start + 10 && **at >= '0' && **at <= '9')
		value = 10 * value + (uint64) (*(*at)++ - '0');
	penstock_skip_spaces(at);
	*number = (uint32) value;
	return value > 0 && value <= PG_UINT32_MAX;
}

/* Takes a column: its names, and what may follow, its attnum; NULL if there is
 * something else. */
static PenstockDistributionColumn *
take_column(const char **at)
{
	PenstockDistributionColumn *column = palloc0(sizeof(*column));

	do
	{
		char *name = penstock_take_name(at);

		if (name == NULL)
			return NULL;
		column->names = lappend(column->names, name);
	} while (penstock_take_word(at, "formerly"));
	if (penstock_take_word(at, "attnum") && !take_number(at, &column->attnum))
		return NULL;
	return column;
}

static bool
take_columns(const char **at, List **columns)
{
	if (!penstock_take_character(at, '('))
		return false;
	do
	{
		PenstockDistributionColumn *column = take_column(at);

		if (column == NULL || list_length(*columns) >= PARTITION_MAX_KEYS)
			return false;
		*columns = lappend(*columns, column);
	} while (penstock_take_character(at, ','));
	return penstock_take_character(at, ')');
}

const PenstockDistribution *
penstock_find_distribution(const List *distributions, const char *schema,
						   const char *table)
{
	ListCell *cell;

	foreach (cell, distributions)
	{
		const PenstockDistribution *distribution = lfirst(cell);

		if (strcmp(distribution->schema, schema) == 0 &&
			strcmp(distribution->table, table) == 0)
			return distribution;
	}
	return NULL;
}

bool
penstock_parse_distribution(const char *value, List **distributions)
{
	const char *at = value;

	*distributions = NIL;
	penstock_skip_spaces(&at);
	do
	{
		PenstockDistribution *distribution = palloc0(sizeof(*distribution));

		distribution->schema = penstock_take_name(&at);
		if (distribution->schema == NULL || !penstock_take_character(&at, '.'))
			return false;
		distribution->table = penstock_take_name(&at);
		if (distribution->table == NULL ||
			(penstock_take_word(&at, "oid") &&
			 !take_number(&at, &distribution->oid)) ||
			!take_columns(&at, &distribution->columns) ||
			penstock_find_distribution(*distributions, distribution->schema,
									   distribution->table) != NULL)
			return false;
		*distributions = lappend(*distributions, distribution);
	} while (penstock_take_character(&at, ','));
	return *at == '\0';
}

/* ---- leave_out ---- */

/* The value of a hexadecimal digit; -1: the character is none. */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Takes a half of an LSN: up to eight hexadecimal digits. */
static bool
take_half(const char **at, uint32 *half)
{
	const char *start = *at;
	int digit;

	*half = 0;
	while (*at < start + 8 && (digit = hex_digit(**at)) >= 0)
	{
		*half = *half << 4 | (uint32) digit;
		(*at)++;
	}
	return *at > start;
}

static bool
take_lsn(const char **at, XLogRecPtr *lsn)
{
	uint32 high;
	uint32 low;

	if (!take_half(at, &high) || !penstock_take_character(at, '/') ||
		!take_half(at, &low))
		return false;
	penstock_skip_spaces(at);
	*lsn = (XLogRecPtr) high << 32 | low;
	return *lsn != InvalidXLogRecPtr;
}

static PenstockLeftOutTable *
take_table(const char **at)
{
	PenstockLeftOutTable *table = palloc0(sizeof(PenstockLeftOutTable));

	table->schema = penstock_take_name(at);
	if (table->schema == NULL || !penstock_take_character(at, '.'))
		return NULL;
	table->name = penstock_take_name(at);
	if (table->name == NULL)
		return NULL;
	table->until = PENSTOCK_FOREVER;
	if (**at != ',' && **at != '\0' && !take_lsn(at, &table->until))
		return NULL;
	return table;
}

bool
penstock_parse_left_out(const char *value, List **tables)
{
	const char *at = value;

	*tables = NIL;
	penstock_skip_spaces(&at);
	do
	{
		PenstockLeftOutTable *table = take_table(&at);

		if (table == NULL)
			return false;
		*tables = lappend(*tables, table);
	} while (penstock_take_character(&at, ','));
	return *at == '\0';
}
