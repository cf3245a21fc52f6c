/*
 * screen_test.c
 *    What a terminal is sent, and the graphs in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/status/graph.h"
#include "cmd/status/screen.h"

static void
expect_screen(const char *text, int columns, int lines, const char *wanted)
{
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	screen_lay_out(&buf, text, columns, lines);
	assert_string_equal(buf.data, wanted);
	buf_release(&buf);
}

static void
lines_are_cut_at_the_edge(void **state UNUSED)
{
	expect_screen("abcdef\ngh\n", 4, 5, "\x1b[Habcd\x1b[K\r\ngh\x1b[K\x1b[J");
	/* A character of several bytes is one column. */
	expect_screen("▁▂▃▄▅", 3, 5, "\x1b[H▁▂▃\x1b[K\x1b[J");
}

static void
what_does_not_fit_is_said(void **state UNUSED)
{
	expect_screen("a\nb\n", 80, 2, "\x1b[Ha\x1b[K\r\nb\x1b[K\x1b[J");
	expect_screen("a\nb\nc\n", 80, 2,
				  "\x1b[Ha\x1b[K\r\n(more: the terminal is too low)\x1b[K"
				  "\x1b[J");
}

/* Somebody may have named a table so. */
static void
names_do_not_control_the_terminal(void **state UNUSED)
{
	expect_screen("a\x1b[2Jb\rc\x7f", 80, 5, "\x1b[Ha?[2Jb?c?\x1b[K\x1b[J");
	expect_screen("\xc2\x9b"
				  "2J \x9b",
				  80, 5, "\x1b[H?2J ?\x1b[K\x1b[J");
	/* A character that is cut off by the end of the text. */
	expect_screen("a\xe2", 80, 5, "\x1b[Ha\xe2\x1b[K\x1b[J");
}

static void
expect_graph(const Graph *graph, bool unicode, const char *wanted)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	graph_print(out, graph, unicode);
	fclose(out);
	/* The newest is the last. */
	assert_true(length >= strlen(wanted));
	assert_string_equal(text + length - strlen(wanted), wanted);
	free(text);
}

static void
a_graph_is_scaled_to_its_maximum(void **state UNUSED)
{
	Graph graph = {0};

	assert_true(graph_max(&graph) < 0);
	expect_graph(&graph, false, "          ");
	graph_add(&graph, 0);
	graph_add(&graph, 1);
	graph_add(&graph, -1);
	graph_add(&graph, 1000);
	graph_add(&graph, 500);
	assert_true(graph_max(&graph) == 1000);
	expect_graph(&graph, false, " _. #+");
	expect_graph(&graph, true, " ▁▂ █▅");
}

static void
a_graph_forgets_its_oldest(void **state UNUSED)
{
	Graph graph = {0};

	graph_add(&graph, 1000);
	for (int i = 0; i < GRAPH_POINTS; i++)
		graph_add(&graph, 1);
	assert_true(graph_max(&graph) == 1);
	assert_int_equal(graph.count, GRAPH_POINTS);
	expect_graph(&graph, false, "#####");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_cut_at_the_edge),
		cmocka_unit_test(what_does_not_fit_is_said),
		cmocka_unit_test(names_do_not_control_the_terminal),
		cmocka_unit_test(a_graph_is_scaled_to_its_maximum),
		cmocka_unit_test(a_graph_forgets_its_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
