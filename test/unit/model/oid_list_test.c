/*
 * oid_list_test.c
 *    What is in a list, and in which order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/oid_list.h"

static void
an_oid_is_there_once(void **state UNUSED)
{
	OidList list = {0};
	OidList other = {0};

	assert_false(oid_list_has(&list, 5));
	oid_list_add(&list, 5);
	oid_list_add(&list, UINT32_MAX);
	oid_list_add(&list, 5);
	assert_int_equal(list.count, 2);
	oid_list_add(&other, 7);
	oid_list_add_all(&other, &list);
	oid_list_add_all(&other, &list);
	assert_int_equal(other.count, 3);
	oid_list_sort(&other);
	assert_int_equal(other.oids[0], 5);
	assert_int_equal(other.oids[2], UINT32_MAX);
	oid_list_clear(&list);
	oid_list_clear(&other);
}

static void
what_is_removed_is_gone(void **state UNUSED)
{
	OidList list = {0};

	oid_list_remove(&list, 1);
	oid_list_sort(&list);
	for (uint32_t oid = 1; oid <= 3; oid++)
		oid_list_add(&list, oid);
	oid_list_remove(&list, 1);
	oid_list_remove(&list, 1);
	assert_int_equal(list.count, 2);
	assert_false(oid_list_has(&list, 1));
	assert_true(oid_list_has(&list, 2));
	assert_true(oid_list_has(&list, 3));
	oid_list_clear(&list);
	assert_int_equal(list.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_oid_is_there_once),
		cmocka_unit_test(what_is_removed_is_gone),
	};

	return cmocka_run_group_tests_name("oid_list", tests, NULL, NULL);
}
