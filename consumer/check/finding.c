/*
 * finding.c
 *    Collects findings and prints them.
 */
#include "check/finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/wrap.h"
#include "base/xalloc.h"

#define FINDINGS_ARENA_BLOCK (64 * KB)

/* Column in which the text of a finding begins, and maximum width of a line. */
#define TEXT_COLUMN 11
#define LINE_WIDTH  94

struct Findings
{
	Arena *arena; /* holds all strings */
	Finding *items;
	size_t length;
	size_t capacity;
	size_t counts[FINDING_LEVEL_COUNT]; /* number of findings of each level,
										 * with those that were not kept */
};

static const char *const level_names[FINDING_LEVEL_COUNT] = {
	[FINDING_OK] = "ok",
	[FINDING_INFO] = "info",
	[FINDING_WARNING] = "warning",
	[FINDING_ERROR] = "error",
};

Findings *
findings_new(void)
{
	Findings *findings = xcalloc(1, sizeof(Findings));

	findings->arena = arena_new(FINDINGS_ARENA_BLOCK);
	return findings;
}

void
findings_free(Findings *findings)
{
	if (findings == NULL)
		return;
	arena_free(findings->arena);
	free(findings->items);
	free(findings);
}

Arena *
findings_arena(Findings *findings)
{
	return findings->arena;
}

/* Inserts an element after the last finding of the server, or at the end if
 * there is none, and returns it. */
static Finding *
insert_after_server(Findings *findings, const char *server)
{
	size_t place = findings->length;

	while (place > 0 && strcmp(findings->items[place - 1].server, server) != 0)
		place--;
	if (place == 0)
		place = findings->length;
	memmove(&findings->items[place + 1], &findings->items[place],
			(findings->length - place) * sizeof(Finding));
	findings->length++;
	return &findings->items[place];
}

/*
 * Makes room for an error in a full list, by removing the last finding that is
 * none.  Returns false if there are only errors.
 */
static bool
make_room(Findings *findings)
{
	size_t place = findings->length;

	while (place > 0 && findings->items[place - 1].level == FINDING_ERROR)
		place--;
	if (place == 0)
		return false;
	memmove(&findings->items[place - 1], &findings->items[place],
			(findings->length - place) * sizeof(Finding));
	findings->length--;
	return true;
}

void
findings_add(Findings *findings, const Finding *finding)
{
	Arena *arena = findings->arena;

	ASSERT(finding->level < FINDING_LEVEL_COUNT);
	ASSERT(finding->code != NULL);
	ASSERT(finding->server != NULL);
	ASSERT(finding->message != NULL);
	findings->counts[finding->level]++;
	if (findings->length == FINDINGS_MAX &&
		(finding->level != FINDING_ERROR || !make_room(findings)))
		return;
	if (findings->length == findings->capacity)
	{
		findings->capacity = findings->capacity ? 2 * findings->capacity : 64;
		findings->items = xrealloc_array(findings->items, findings->capacity,
										 sizeof(Finding));
	}
	*insert_after_server(findings, finding->server) = (Finding){
		.level = finding->level,
		.code = arena_strdup(arena, finding->code),
		.server = arena_strdup(arena, finding->server),
		.object = arena_strdup(arena, finding->object),
		.message = arena_strdup(arena, finding->message),
		.fix = arena_strdup(arena, finding->fix),
	};
}

void
findings_add_error(Findings *findings, const Finding *finding, Error *err)
{
	Finding complete = *finding;

	ASSERT(err->message != NULL);
	complete.message = err->detail == NULL
						   ? err->message
						   : arena_printf(findings->arena, "%s: %s",
										  err->message, err->detail);
	if (complete.fix == NULL && err->hint != NULL)
		complete.fix = arena_printf(findings->arena, "-- %s", err->hint);
	findings_add(findings, &complete);
	error_reset(err);
}

size_t
findings_count(const Findings *findings, FindingLevel level)
{
	return findings->counts[level];
}

bool
findings_have_error(const Findings *findings, const char *code)
{
	for (size_t i = 0; i < findings->length; i++)
		if (findings->items[i].level == FINDING_ERROR &&
			strcmp(findings->items[i].code, code) == 0)
			return true;
	return false;
}

static void
print_wrapped(const char *text, FILE *out)
{
	char prefix[TEXT_COLUMN + 1];
	Buf buf;

	snprintf(prefix, sizeof(prefix), "%*s", TEXT_COLUMN, "");
	buf_init(&buf, BUF_TEXT_MAX);
	wrap_append(
		&buf, text,
		&(Wrap){.prefix = prefix, .column = TEXT_COLUMN, .width = LINE_WIDTH});
	fprintf(out, "%s\n", buf.data);
	buf_release(&buf);
}

/* Prints the lines of a fix, without breaking them, so that the user can copy
 * them. */
static void
print_fix(const char *fix, FILE *out)
{
	while (*fix != '\0')
	{
		size_t line = strcspn(fix, "\n");

		fprintf(out, "%*sfix: %.*s\n", TEXT_COLUMN, "", (int) line, fix);
		fix += line;
		fix += strspn(fix, "\n");
	}
}

static void
print_finding(const Finding *finding, FILE *out)
{
	fprintf(out, "  %-*s", TEXT_COLUMN - 2, level_names[finding->level]);
	print_wrapped(finding->message, out);
	if (finding->fix != NULL)
		print_fix(finding->fix, out);
}

static void
print_summary(const Findings *findings, FILE *out)
{
	size_t errors = findings->counts[FINDING_ERROR];
	size_t warnings = findings->counts[FINDING_WARNING];
	size_t all = 0;

	for (int level = 0; level < FINDING_LEVEL_COUNT; level++)
		all += findings->counts[level];
	if (all > findings->length)
		fprintf(out, "%zu more findings are not shown\n",
				all - findings->length);
	fprintf(out, "%zu error%s, %zu warning%s: ", errors, errors == 1 ? "" : "s",
			warnings, warnings == 1 ? "" : "s");
	fprintf(out, errors > 0 ? "fix the errors before a pipeline can run\n"
							: "a pipeline can run\n");
}

static bool
are_of_a_kind(const Finding *a, const Finding *b)
{
	return a->level == b->level && strcmp(a->code, b->code) == 0 &&
		   strcmp(a->server, b->server) == 0;
}

/* Returns how many findings from index `first` on have the same server, level
 * and code. */
static size_t
count_same_kind(const Findings *findings, size_t first)
{
	size_t end = first + 1;

	while (end < findings->length &&
		   are_of_a_kind(&findings->items[first], &findings->items[end]))
		end++;
	return end - first;
}

/* Prints findings of the same server, level and code; unless `all` is set, not
 * more than FINDINGS_OF_A_KIND_SHOWN. */
static void
print_same_kind(const Finding *items, size_t count, bool all, FILE *out)
{
	size_t shown = count;

	if (!all && count > FINDINGS_OF_A_KIND_SHOWN)
		shown = FINDINGS_OF_A_KIND_SHOWN;
	for (size_t i = 0; i < shown; i++)
		print_finding(&items[i], out);
	if (shown < count)
		fprintf(out,
				"%*sand %zu more of this kind: --verbose lists them, with what "
				"fixes them\n",
				TEXT_COLUMN, "", count - shown);
}

void
findings_print(const Findings *findings, const FindingsShown *shown, FILE *out)
{
	const char *server = NULL;
	size_t count;

	for (size_t i = 0; i < findings->length; i += count)
	{
		const Finding *finding = &findings->items[i];

		count = count_same_kind(findings, i);
		if (shown->only_wrong && finding->level < FINDING_WARNING)
			continue;
		if (server == NULL || strcmp(server, finding->server) != 0)
			fprintf(out, "%s%s\n", server ? "\n" : "", finding->server);
		server = finding->server;
		print_same_kind(finding, count, shown->all, out);
	}
	if (server != NULL)
		fputc('\n', out);
	print_summary(findings, out);
}

static void
append_fix(Json *json, const char *fix)
{
	json_begin_array(json);
	while (fix != NULL && *fix != '\0')
	{
		size_t line = strcspn(fix, "\n");

		json_text_bytes(json, fix, line);
		fix += line;
		fix += strspn(fix, "\n");
	}
	json_end_array(json);
}

void
findings_append_json(const Findings *findings, Buf *out)
{
	Json json;

	json_init(&json, out);
	json_begin_array(&json);
	for (size_t i = 0; i < findings->length; i++)
	{
		const Finding *finding = &findings->items[i];

		json_begin_object(&json);
		json_member_string(&json, "level", level_names[finding->level]);
		json_member_string(&json, "code", finding->code);
		json_member_string(&json, "server", finding->server);
		json_member_string(&json, "object", finding->object);
		json_member_string(&json, "message", finding->message);
		json_key(&json, "fix");
		append_fix(&json, finding->fix);
		json_end_object(&json);
	}
	json_end_array(&json);
}
