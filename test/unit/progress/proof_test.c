/*
 * proof_test.c
 *    Whether the source sends the last transaction of a target once more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "progress/proof.h"

#define START ((Lsn) 0x100)
#define TIME  ((int64_t) 1000)

/* A target that has applied what was committed there. */
static void
add(Proof *proof, Lsn commit_lsn)
{
	proof_add(proof,
			  &(ProofItem){.label = "target",
						   .commit_lsn = commit_lsn,
						   .commit_time_us = TIME},
			  START);
}

/* What a transaction is taken for, and what is said if it is refused. */
static bool
takes(Proof *proof, Lsn commit_lsn, int64_t time_us, const char *detail)
{
	const TxnInfo txn = {.xid = 7,
						 .commit_lsn = commit_lsn,
						 .end_lsn = commit_lsn + 1,
						 .commit_time_us = time_us};
	Error err = {0};
	Rc rc = proof_transaction(proof, &txn, &err);

	if (rc == RC_FAIL)
	{
		assert_int_equal(err.code, ERR_CONFIG);
		if (detail == NULL || strstr(err.detail, detail) == NULL)
			fail_msg("unexpected detail: %s", err.detail);
	}
	error_reset(&err);
	return rc == RC_OK;
}

static bool
takes_position(Proof *proof, Lsn lsn)
{
	Error err = {0};
	Rc rc = proof_position(proof, lsn, &err);

	error_reset(&err);
	return rc == RC_OK;
}

static void
nothing_has_to_come_to_a_fresh_copy(void **state UNUSED)
{
	Proof proof = {0};

	add(&proof, 0);
	assert_false(proof_is_open(&proof));
}

static void
what_the_slot_was_told_need_not_come(void **state UNUSED)
{
	Proof proof = {0};

	add(&proof, START - 1);
	assert_false(proof_is_open(&proof));
	add(&proof, START);
	assert_true(proof_is_open(&proof));
}

static void
the_same_transaction_is_the_proof(void **state UNUSED)
{
	Proof proof = {0};

	add(&proof, 0x200);
	assert_true(takes(&proof, 0x180, 1, NULL));
	assert_true(proof_is_open(&proof));
	assert_true(takes(&proof, 0x200, TIME, NULL));
	assert_false(proof_is_open(&proof));
	assert_true(takes(&proof, 0x300, 1, NULL));
}

static void
another_transaction_in_its_place_is_refused(void **state UNUSED)
{
	Proof proof = {0};

	add(&proof, 0x200);
	assert_false(takes(&proof, 0x200, TIME + 1,
					   "at LSN 0/200; the source's WAL has another one at LSN "
					   "0/200, transaction 7"));
}

static void
a_transaction_behind_it_comes_too_early(void **state UNUSED)
{
	Proof proof = {0};

	add(&proof, 0x200);
	assert_false(takes(&proof, 0x208, TIME, "another one at LSN 0/208"));
}

static void
a_position_behind_it_comes_too_early(void **state UNUSED)
{
	Proof proof = {0};

	add(&proof, 0x200);
	assert_true(takes_position(&proof, 0x200));
	assert_false(takes_position(&proof, 0x201));
}

static void
each_target_has_its_own(void **state UNUSED)
{
	Proof proof = {0};

	add(&proof, 0x200);
	add(&proof, 0x300);
	add(&proof, 0x200);
	assert_true(takes(&proof, 0x200, TIME, NULL));
	assert_int_equal(proof.count, 1);
	assert_true(takes_position(&proof, 0x300));
	assert_false(takes(&proof, 0x400, TIME, "at LSN 0/300;"));
}

/* A transaction that may lack because of what is left out. */
static void
add_that_may_lack(Proof *proof, Lsn commit_lsn)
{
	proof_add(proof,
			  &(ProofItem){.label = "target",
						   .commit_lsn = commit_lsn,
						   .commit_time_us = TIME,
						   .may_lack = true},
			  START);
}

static void
what_may_lack_is_not_waited_for(void **state UNUSED)
{
	Proof proof = {0};

	add_that_may_lack(&proof, 0x200);
	assert_true(takes(&proof, 0x180, 1, NULL));
	assert_true(takes_position(&proof, 0x200));
	assert_true(proof_is_open(&proof));
	assert_true(takes(&proof, 0x208, 1, NULL));
	assert_false(proof_is_open(&proof));
	add_that_may_lack(&proof, 0x200);
	assert_true(takes_position(&proof, 0x201));
	assert_false(proof_is_open(&proof));
}

static void
another_in_the_place_of_what_may_lack_is_refused(void **state UNUSED)
{
	const TxnInfo over = {.xid = 7, .commit_lsn = 0x1f8, .end_lsn = 0x230};
	Proof proof = {0};
	Error err = {0};

	add_that_may_lack(&proof, 0x200);
	assert_false(takes(&proof, 0x200, TIME + 1, "another one at LSN 0/200"));
	assert_int_equal(proof_transaction(&proof, &over, &err), RC_FAIL);
	error_reset(&err);
	assert_true(takes(&proof, 0x200, TIME, NULL));
	assert_false(proof_is_open(&proof));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_has_to_come_to_a_fresh_copy),
		cmocka_unit_test(what_the_slot_was_told_need_not_come),
		cmocka_unit_test(the_same_transaction_is_the_proof),
		cmocka_unit_test(another_transaction_in_its_place_is_refused),
		cmocka_unit_test(a_transaction_behind_it_comes_too_early),
		cmocka_unit_test(a_position_behind_it_comes_too_early),
		cmocka_unit_test(each_target_has_its_own),
		cmocka_unit_test(what_may_lack_is_not_waited_for),
		cmocka_unit_test(another_in_the_place_of_what_may_lack_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
