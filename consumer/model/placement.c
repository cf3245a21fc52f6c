/*
 * placement.c
 *    Parses rules, and finds the rule for a table.
 */
#include "model/placement.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"

struct Placement
{
	Arena *arena;
	int count;
	int capacity;
	PlacementRule **rules;
	PlacementDirectory directory;
};

#define RULES_FIRST 16

Placement *
placement_new(Arena *arena)
{
	Placement *placement = arena_calloc(arena, 1, sizeof(Placement));

	placement->arena = arena;
	placement->directory.default_target = -1;
	return placement;
}

PlacementDirectory *
placement_directory(Placement *placement)
{
	return &placement->directory;
}

const PlacementDirectory *
placement_find_directory(const Placement *placement)
{
	return placement->directory.schema[0] != '\0' ? &placement->directory
												  : NULL;
}

bool
placement_uses_directory(const Placement *placement)
{
	for (int i = 0; i < placement->count; i++)
		if (placement->rules[i]->kind == PLACEMENT_DIRECTORY)
			return true;
	return false;
}

int
placement_rule_count(const Placement *placement)
{
	return placement->count;
}

const PlacementRule *
placement_rule(const Placement *placement, int index)
{
	ASSERT(index >= 0 && index < placement->count);
	return placement->rules[index];
}

bool
placement_rule_has(const PlacementRule *rule, int target, int node_count)
{
	switch (rule->kind)
	{
		case PLACEMENT_ALL:
			return true;
		case PLACEMENT_HASH:
			return target < node_count;
		case PLACEMENT_DIRECTORY:
			return true;
		case PLACEMENT_ONLY:
			return target == rule->target;
		case PLACEMENT_NONE:
			return false;
	}
	check_failed("the kind of a placement is known", __FILE__, __LINE__);
}

void
placement_set_target(Placement *placement, int index, int target)
{
	ASSERT(index >= 0 && index < placement->count);
	ASSERT(placement->rules[index]->kind == PLACEMENT_ONLY);
	placement->rules[index]->target = target;
}

Placement *
placement_share(const Placement *placement, const char *source_name,
				Arena *arena)
{
	Placement *shared = placement_new(arena);

	shared->count = placement->count;
	shared->capacity = placement->count;
	shared->directory = placement->directory;
	shared->rules = arena_calloc(arena, (size_t) placement->count,
								 sizeof(PlacementRule *));
	for (int i = 0; i < placement->count; i++)
	{
		PlacementRule *rule = arena_calloc(arena, 1, sizeof(PlacementRule));

		*rule = *placement->rules[i];
		rule->shared = rule->kind != PLACEMENT_ALL &&
					   rule->kind != PLACEMENT_NONE;
		if (rule->kind == PLACEMENT_ALL && rule->source_name != NULL &&
			strcmp(rule->source_name, source_name) != 0)
			rule->kind = PLACEMENT_NONE;
		shared->rules[i] = rule;
	}
	return shared;
}

/* ---- reading ------------------------------------------------------------ */

static const char *
skip_spaces(const char *text)
{
	while (isspace((unsigned char) *text))
		text++;
	return text;
}

/* Parses the tables that a rule is for. */
static bool
read_tables(PlacementRule *rule, const char *text)
{
	if (strcmp(text, "*") == 0)
		return true;
	text = identifier_read(text, rule->schema);
	if (text == NULL || *text++ != '.')
		return false;
	if (*text != '*')
	{
		text = identifier_read(text, rule->name);
		if (text == NULL)
			return false;
	}
	rule->is_prefix = *text == '*';
	return text[rule->is_prefix ? 1 : 0] == '\0';
}

/*
 * Returns the text after the word and the spaces after it; NULL if `text`
 * begins with another word.
 */
static const char *
read_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	if (strncasecmp(text, word, length) != 0 ||
		isalnum((unsigned char) text[length]) || text[length] == '_')
		return NULL;
	return skip_spaces(text + length);
}

static bool
has_name(const char *const *names, const char *name)
{
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/*
 * Parses NAME formerly NAME …, and adds the column to the rule.  Returns the
 * text after it; NULL if it is anything else.
 */
static const char *
read_column(PlacementRule *rule, Arena *arena, const char *text)
{
	const char **names = arena_calloc(arena, PLACEMENT_NAMES_MAX + 1,
									  sizeof(*names));
	int count = 0;

	if (rule->column_count == RELATION_DISTRIBUTION_MAX)
		return NULL;
	for (;;)
	{
		char name[IDENTIFIER_SIZE];
		const char *rest;

		text = identifier_read(skip_spaces(text), name);
		if (text == NULL || count == PLACEMENT_NAMES_MAX ||
			(count > 0 && strcmp(names[count - 1], name) == 0))
			return NULL;
		names[count++] = arena_strdup(arena, name);
		text = skip_spaces(text);
		rest = read_word(text, "formerly");
		if (rest == NULL)
			break;
		text = rest;
	}
	rule->names[rule->column_count] = names;
	rule->columns[rule->column_count++] = names[0];
	return text;
}

/* Parses (column, …), which has to be the rest of the text. */
static bool
read_columns(PlacementRule *rule, Arena *arena, const char *text)
{
	if (*text++ != '(')
		return false;
	for (;;)
	{
		text = read_column(rule, arena, text);
		if (text == NULL)
			return false;
		if (*text == ')')
			return text[1] == '\0';
		if (*text++ != ',')
			return false;
	}
}

/* Parses what may follow "all": "from SOURCE". */
static bool
read_source(PlacementRule *rule, Arena *arena, const char *text)
{
	char name[IDENTIFIER_SIZE];

	if (*text == '\0')
		return true;
	text = read_word(text, "from");
	if (text != NULL)
		text = identifier_read(text, name);
	if (text == NULL || *text != '\0')
		return false;
	rule->source_name = arena_strdup(arena, name);
	return true;
}

static bool
read_place(PlacementRule *rule, Arena *arena, const char *text)
{
	char name[IDENTIFIER_SIZE];
	const char *rest;

	rest = read_word(text, "all");
	if (rest != NULL)
	{
		rule->kind = PLACEMENT_ALL;
		return read_source(rule, arena, rest);
	}
	rest = read_word(text, "none");
	if (rest != NULL)
	{
		rule->kind = PLACEMENT_NONE;
		return *rest == '\0';
	}
	rest = read_word(text, "hash");
	if (rest != NULL)
	{
		rule->kind = PLACEMENT_HASH;
		return read_columns(rule, arena, rest);
	}
	rest = read_word(text, "directory");
	if (rest != NULL)
	{
		rule->kind = PLACEMENT_DIRECTORY;
		return read_columns(rule, arena, rest) && rule->column_count == 1;
	}
	rest = read_word(text, "only");
	if (rest == NULL)
		return false;
	rule->kind = PLACEMENT_ONLY;
	rest = identifier_read(rest, name);
	if (rest == NULL || *rest != '\0')
		return false;
	rule->target_name = arena_strdup(arena, name);
	return true;
}

static const PlacementRule *
find_same(const Placement *placement, const PlacementRule *rule)
{
	for (int i = 0; i < placement->count; i++)
	{
		const PlacementRule *other = placement->rules[i];

		if (strcmp(other->schema, rule->schema) == 0 &&
			strcmp(other->name, rule->name) == 0 &&
			other->is_prefix == rule->is_prefix)
			return other;
	}
	return NULL;
}

static void
append_rule(Placement *placement, PlacementRule *rule)
{
	if (placement->count == placement->capacity)
	{
		int capacity = placement->capacity == 0 ? RULES_FIRST
												: 2 * placement->capacity;
		PlacementRule **rules = arena_calloc(
			placement->arena, (size_t) capacity, sizeof(PlacementRule *));

		for (int i = 0; i < placement->count; i++)
			rules[i] = placement->rules[i];
		placement->rules = rules;
		placement->capacity = capacity;
	}
	placement->rules[placement->count++] = rule;
}

Rc
placement_add(Placement *placement, const char *tables, const char *place,
			  int line, Error *err)
{
	PlacementRule *rule = arena_calloc(placement->arena, 1, sizeof(*rule));
	const PlacementRule *same;
	Rc rc;

	rule->line = line;
	if (placement->count == PLACEMENT_RULES_MAX)
		return error_set(err, ERR_CONFIG, "more than %d tables are placed",
						 PLACEMENT_RULES_MAX);
	if (!read_tables(rule, tables))
	{
		rc = error_set(err, ERR_CONFIG, "invalid name of tables \"%s\"",
					   tables);
		error_detail(err, "Expected is SCHEMA.TABLE, SCHEMA.BEGINNING*, "
						  "SCHEMA.*, or * for all others; quote a name as in "
						  "SQL.");
		return rc;
	}
	if (!read_place(rule, placement->arena, place))
	{
		rc = error_set(err, ERR_CONFIG, "invalid placement \"%s\"", place);
		error_detail(err,
					 "Expected is hash(COLUMN, ...), directory(COLUMN), "
					 "all, all from SOURCE, only TARGET, or none; COLUMN is "
					 "NAME, or NAME formerly NAME if it was renamed; quote "
					 "a name as in SQL.");
		return rc;
	}
	same = find_same(placement, rule);
	if (same != NULL)
		return error_set(err, ERR_CONFIG,
						 "\"%s\" is placed twice: line %d does so too", tables,
						 same->line);
	append_rule(placement, rule);
	return RC_OK;
}

/* ---- using -------------------------------------------------------------- */

/*
 * Returns how specific a rule is: the more of the table's name it gives, the
 * greater; -1: the rule is not for the table.
 */
static int
rule_weight(const PlacementRule *rule, const char *schema, const char *table)
{
	size_t length = strlen(rule->name);

	if (rule->schema[0] == '\0')
		return 0;
	if (strcmp(rule->schema, schema) != 0)
		return -1;
	if (rule->is_prefix)
		return strncmp(rule->name, table, length) == 0 ? 1 + (int) length : -1;
	return strcmp(rule->name, table) == 0 ? IDENTIFIER_SIZE + 1 : -1;
}

const PlacementRule *
placement_find(const Placement *placement, const char *schema,
			   const char *table)
{
	const PlacementRule *found = NULL;
	int weight = -1;

	for (int i = 0; i < placement->count; i++)
	{
		int other = rule_weight(placement->rules[i], schema, table);

		if (other <= weight)
			continue;
		found = placement->rules[i];
		weight = other;
	}
	return found;
}

bool
placement_names_table(const PlacementRule *rule)
{
	return rule->name[0] != '\0' && !rule->is_prefix;
}

bool
placement_rule_is_named(const PlacementRule *rule, int column, const char *name)
{
	ASSERT(column >= 0 && column < rule->column_count);
	return has_name(rule->names[column], name);
}

bool
placement_rule_has_former(const PlacementRule *rule)
{
	for (int i = 0; i < rule->column_count; i++)
		if (rule->names[i][1] != NULL)
			return true;
	return false;
}

/* Appends all names of the columns, and their attnums unless `columns` is NULL.
 */
static void
append_named_columns(const PlacementRule *rule, const PlacedColumns *columns,
					 Buf *buf)
{
	for (int i = 0; i < rule->column_count; i++)
	{
		buf_append_string(buf, i == 0 ? "(" : ", ");
		for (const char *const *names = rule->names[i]; *names != NULL; names++)
		{
			if (names != rule->names[i])
				buf_append_string(buf, " formerly ");
			buf_append_identifier(buf, *names);
		}
		if (columns != NULL)
			buf_printf(buf, " attnum %d", columns->attnums[i]);
	}
	buf_append_char(buf, ')');
}

static void
append_names(const PlacementRule *rule, Buf *buf)
{
	append_named_columns(rule, NULL, buf);
}

/* Appends the oldest names of the columns. */
static void
append_oldest(const PlacementRule *rule, Buf *buf)
{
	for (int i = 0; i < rule->column_count; i++)
	{
		const char *const *names = rule->names[i];

		while (names[1] != NULL)
			names++;
		buf_append_string(buf, i == 0 ? "(" : ", ");
		buf_append_identifier(buf, *names);
	}
	buf_append_char(buf, ')');
}

void
placement_append_distribution(const PlacementRule *rule, const char *schema,
							  const char *table, const PlacedColumns *columns,
							  Buf *buf)
{
	ASSERT(rule->kind == PLACEMENT_HASH);
	if (buf->length > 0)
		buf_append_string(buf, ", ");
	buf_append_identifier(buf, schema);
	buf_append_char(buf, '.');
	buf_append_identifier(buf, table);
	if (columns != NULL)
		buf_printf(buf, " oid %u ", columns->oid);
	append_named_columns(rule, columns, buf);
}

static void
append_rule_place(const PlacementRule *rule,
				  void (*append_columns)(const PlacementRule *rule, Buf *buf),
				  Buf *buf)
{
	switch (rule->kind)
	{
		case PLACEMENT_ALL:
			buf_append_string(buf, "all");
			break;
		case PLACEMENT_HASH:
			buf_append_string(buf, "hash");
			append_columns(rule, buf);
			break;
		case PLACEMENT_DIRECTORY:
			buf_append_string(buf, "directory");
			append_columns(rule, buf);
			break;
		case PLACEMENT_ONLY:
			buf_append_string(buf, "only ");
			buf_append_identifier(buf, rule->target_name);
			break;
		case PLACEMENT_NONE:
			buf_append_string(buf, "none");
			break;
	}
}

void
placement_append_place(const PlacementRule *rule, Buf *buf)
{
	append_rule_place(rule, append_oldest, buf);
}

void
placement_append_line(const PlacementRule *rule, Buf *buf)
{
	append_rule_place(rule, append_names, buf);
}
