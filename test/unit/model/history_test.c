/*
 * history_test.c
 *    Positions inside and outside of a source's timeline history.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/history.h"

static const char ends[] = "1\t0/3000000\tno recovery target specified\n"
						   "\n# a note\n"
						   "2\t0/5000000\tbefore 2024-01-01\n";

/* A primary on timeline 4, which began where 2 was left; 3 was never its own.
 */
static void
make(SourceHistory *history)
{
	Error err = {0};

	*history = (SourceHistory){
		.identity = {.system_identifier = "7", .timeline = 4},
		.flush_lsn = 0x9000000,
	};
	assert_int_equal(history_read_ends(history, ends, &err), RC_OK);
	assert_int_equal(history->end_count, 2);
}

/* The answer for a target there, and its detail, if it is a refusal. */
static ErrorCode
prove(const SourceHistory *history, const char *system, uint32_t timeline,
	  Lsn lsn, const char *detail)
{
	SourceIdentity source = {.timeline = timeline};
	const HistoryPoint point = {
		.source = &source, .lsn = lsn, .label = "target", .pipeline = "p"};
	Error err = {0};
	ErrorCode code = ERR_NONE;

	snprintf(source.system_identifier, sizeof(source.system_identifier), "%s",
			 system);
	if (history_prove(history, &point, &err) == RC_FAIL)
	{
		code = err.code;
		if (detail == NULL || strstr(err.detail, detail) == NULL)
			fail_msg("unexpected detail: %s", err.detail);
	}
	error_reset(&err);
	return code;
}

static void
positions_up_to_the_end_of_the_log_are_the_sources(void **state UNUSED)
{
	SourceHistory history;

	make(&history);
	assert_int_equal(prove(&history, "7", 4, 0x9000000, NULL), ERR_NONE);
	assert_int_equal(prove(&history, "7", 4, 0x9000010,
						   "at 0/9000010, and the source's WAL ends at "
						   "0/9000000, 16 bytes before"),
					 ERR_CONFIG);
	history_release(&history);
}

static void
positions_up_to_where_a_timeline_was_left_are_the_sources(void **state UNUSED)
{
	SourceHistory history;

	make(&history);
	assert_int_equal(prove(&history, "7", 1, 0x3000000, NULL), ERR_NONE);
	assert_int_equal(prove(&history, "7", 1, 0x3000001,
						   "at 0/3000001, timeline 1; the source's timeline 2 "
						   "began at 0/3000000: the last 1 bytes"),
					 ERR_CONFIG);
	assert_int_equal(prove(&history, "7", 2, 0x5000000, NULL), ERR_NONE);
	assert_int_equal(prove(&history, "7", 2, 0x5000020,
						   "timeline 2; the source's timeline 4 began at "
						   "0/5000000: the last 32 bytes"),
					 ERR_CONFIG);
	history_release(&history);
}

static void
a_timeline_that_is_not_in_the_history_is_refused(void **state UNUSED)
{
	SourceHistory history;

	make(&history);
	assert_int_equal(prove(&history, "7", 3, 0x10,
						   "timeline 3; the source is on timeline 4, which "
						   "does not come from there"),
					 ERR_CONFIG);
	assert_int_equal(prove(&history, "7", 5, 0x10,
						   "timeline 5; the source is on timeline 4, which is "
						   "an earlier one"),
					 ERR_CONFIG);
	history_release(&history);
}

static void
another_system_is_refused(void **state UNUSED)
{
	SourceHistory history;

	make(&history);
	assert_int_equal(prove(&history, "8", 4, 0x10,
						   "belongs to system 8; the source is system 7"),
					 ERR_CONFIG);
	history_release(&history);
}

static void
a_standby_that_is_not_there_yet_may_get_there(void **state UNUSED)
{
	SourceHistory history;

	make(&history);
	history.is_standby = true;
	assert_int_equal(prove(&history, "7", 4, 0x9000010,
						   "up to 0/9000000, the target is at 0/9000010"),
					 ERR_CONNECT);
	assert_int_equal(prove(&history, "7", 2, 0x5000020, "began at 0/5000000"),
					 ERR_CONFIG);
	history_release(&history);
}

/* The answer for a standby with these ends of timelines, at that LSN. */
static ErrorCode
prove_standby(const char *system, uint32_t timeline, const char *its_ends,
			  Lsn lsn)
{
	SourceHistory source;
	SourceHistory standby = {.identity = {.timeline = timeline},
							 .flush_lsn = lsn};
	Error err = {0};
	ErrorCode code = ERR_NONE;

	make(&source);
	snprintf(standby.identity.system_identifier,
			 sizeof(standby.identity.system_identifier), "%s", system);
	assert_int_equal(history_read_ends(&standby, its_ends, &err), RC_OK);
	if (history_prove_standby(&source, &standby, &err) == RC_FAIL)
		code = err.code;
	error_reset(&err);
	history_release(&standby);
	history_release(&source);
	return code;
}

static void
a_standby_has_the_beginning_of_the_sources_wal(void **state UNUSED)
{
	assert_int_equal(prove_standby("7", 4, ends, 0x9000000), ERR_NONE);
	assert_int_equal(prove_standby("7", 2, "1 0/3000000\n", 0x5000000),
					 ERR_NONE);
	assert_int_equal(prove_standby("7", 1, "", 0x3000000), ERR_NONE);
}

static void
a_standby_of_another_server_is_refused(void **state UNUSED)
{
	/* another system; beyond the source's end, or where it left a timeline */
	assert_int_equal(prove_standby("8", 4, ends, 0x9000000), ERR_CONFIG);
	assert_int_equal(prove_standby("7", 4, ends, 0x9000001), ERR_CONFIG);
	assert_int_equal(prove_standby("7", 1, "", 0x3000001), ERR_CONFIG);

	/* a sibling was promoted; the same timeline began elsewhere, or came of
	 * another one */
	assert_int_equal(prove_standby("7", 5,
								   "1 0/3000000\n2 0/5000000\n4 0/6000000\n",
								   0x7000000),
					 ERR_CONFIG);
	assert_int_equal(
		prove_standby("7", 3, "1 0/3000000\n2 0/5000000\n", 0x6000000),
		ERR_CONFIG);
	assert_int_equal(
		prove_standby("7", 4, "1 0/3000000\n2 0/4000000\n", 0x8000000),
		ERR_CONFIG);
	assert_int_equal(prove_standby("7", 4, "1 0/3000000\n", 0x4000000),
					 ERR_CONFIG);
}

static void
what_is_no_history_is_refused(void **state UNUSED)
{
	static const char *const texts[] = {
		"x\t0/1\n",     "0\t0/1\n",           "1\n",
		"1\t0/x\n",     "1\t0/2\n2\t0/1\n",   "2\t0/1\n1\t0/2\n",
		"1 0/1\n1 0/2", "99999999999\t0/1\n",
	};

	for (size_t i = 0; i < LENGTH_OF(texts); i++)
	{
		SourceHistory history = {0};
		Error err = {0};

		assert_int_equal(history_read_ends(&history, texts[i], &err), RC_FAIL);
		assert_int_equal(err.code, ERR_PROTOCOL);
		error_reset(&err);
		history_release(&history);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(positions_up_to_the_end_of_the_log_are_the_sources),
		cmocka_unit_test(
			positions_up_to_where_a_timeline_was_left_are_the_sources),
		cmocka_unit_test(a_timeline_that_is_not_in_the_history_is_refused),
		cmocka_unit_test(another_system_is_refused),
		cmocka_unit_test(a_standby_that_is_not_there_yet_may_get_there),
		cmocka_unit_test(a_standby_has_the_beginning_of_the_sources_wal),
		cmocka_unit_test(a_standby_of_another_server_is_refused),
		cmocka_unit_test(what_is_no_history_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
