/*
 * host_lookup_test.c
 *    Names of hosts are looked up beside everything else.
 *
 * getaddrinfo() is ours here: it takes a name apart for what it is to do.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/task.h"
#include "net/host_lookup.h"
#include "net/pgconn.h"
#include "net/pgconn_open.h"
#include "support/libpq_script.h"

/* More than any of these tests takes. */
#define HANGS_S 20

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_silent;
static int asking; /* threads that the silent name server keeps */

typedef int (*Resolver)(const char *, const char *, const struct addrinfo *,
						struct addrinfo **);

static void
keep_silent(void)
{
	pthread_mutex_lock(&mutex);
	asking++;
	pthread_cond_broadcast(&changed);
	while (is_silent)
		pthread_cond_wait(&changed, &mutex);
	asking--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
			struct addrinfo **found)
{
	Resolver real = (Resolver) dlsym(RTLD_NEXT, "getaddrinfo");

	if (strcmp(name, "nobody") == 0)
		return EAI_NONAME;
	if (strcmp(name, "silent") == 0)
		keep_silent();
	if (strcmp(name, "two") == 0)
	{
		int error = real("10.0.0.2", service, hints, found);

		return error ? error : real("::2", service, hints, &(*found)->ai_next);
	}
	return real("10.0.0.1", service, hints, found);
}

static void
begin_silence(void)
{
	is_silent = true;
}

/* Ends it, and waits for the threads, which have memory of ours. */
static void
end_silence(void)
{
	pthread_mutex_lock(&mutex);
	is_silent = false;
	pthread_cond_broadcast(&changed);
	while (asking > 0)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
}

static HostList
list(const char *host, const char *hostaddr, const char *port)
{
	return (HostList){.host = (char *) (uintptr_t) host,
					  .hostaddr = (char *) (uintptr_t) hostaddr,
					  .port = (char *) (uintptr_t) port};
}

static int64_t
in_seconds(int seconds)
{
	return clock_monotonic_us() + seconds * INT64_C(1000000);
}

static void
assert_found(HostList asked, const char *host, const char *hostaddr,
			 const char *port)
{
	HostList found = {0};
	Error err = {0};

	assert_true(host_lookup_is_needed(&asked));
	assert_int_equal(
		host_lookup(&asked, "source", in_seconds(HANGS_S), &found, &err),
		RC_OK);
	assert_string_equal(found.host, host);
	assert_string_equal(found.hostaddr, hostaddr);
	assert_string_equal(found.port, port);
	host_list_release(&found);
}

static void
test_names_alone_are_looked_up(void **state UNUSED)
{
	static const struct
	{
		const char *host;
		const char *hostaddr;
		const char *port;
		bool needed;
	} cases[] = {
		{"", "", "", false},
		{NULL, NULL, NULL, false},
		{"/run/postgresql", "", "5432", false},
		{"@abstract", "", "", false},
		{"10.1.2.3", "", "", false},
		{"fe80::1", "", "", false},
		{"one", "10.1.2.3", "", false},
		{"one", "", "", true},
		{"10.1.2.3,one", "", "", true},
		{"one,two", "10.1.2.3,", "", true},
		/* libpq refuses these, and says why. */
		{"one,two", "10.1.2.3", "", false},
		{"one,two", "", "1,2,3", false},
	};

	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		HostList asked = list(cases[i].host, cases[i].hostaddr, cases[i].port);

		if (host_lookup_is_needed(&asked) != cases[i].needed)
			fail_msg("case %d", (int) i);
	}
}

static void
test_each_address_becomes_an_entry(void **state UNUSED)
{
	assert_found(list("one", "", ""), "one", "10.0.0.1", "");
	assert_found(list("two", "", "5433"), "two,two", "10.0.0.2,::2",
				 "5433,5433");
	assert_found(list("/tmp,two,10.9.9.9", "", "1,2,3"),
				 "/tmp,two,two,10.9.9.9", ",10.0.0.2,::2,", "1,2,2,3");
	assert_found(list("one,two", "10.1.2.3,", "1,2"), "one,two,two",
				 "10.1.2.3,10.0.0.2,::2", "1,2,2");
}

static void
test_an_unknown_name_is_left_out(void **state UNUSED)
{
	assert_found(list("nobody,one", "", "1,2"), "one", "10.0.0.1", "2");
}

static void
test_unknown_names_fail(void **state UNUSED)
{
	HostList asked = list("nobody,nobody", "", "");
	HostList found = {0};
	Error err = {0};

	assert_int_equal(
		host_lookup(&asked, "source", in_seconds(HANGS_S), &found, &err),
		RC_FAIL);
	assert_int_equal(err.code, ERR_CONNECT);
	assert_non_null(strstr(err.message, "could not connect to source: could "
										"not translate host name \"nobody\""));
	assert_null(found.host);
	error_reset(&err);
}

static void
test_a_silent_name_server_is_waited_for_until_the_limit(void **state UNUSED)
{
	HostList asked = list("silent", "", "");
	HostList found = {0};
	Error err = {0};

	begin_silence();
	assert_int_equal(host_lookup(&asked, "source", clock_monotonic_us() + 1000,
								 &found, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_CONNECT);
	assert_non_null(strstr(err.message, "\"silent\" in time"));
	error_reset(&err);
	end_silence();
}

static void
test_others_do_not_wait_for_a_silent_name_server(void **state UNUSED)
{
	begin_silence();
	assert_found(list("silent,one", "", "1,2"), "one", "10.0.0.1", "2");
	end_silence();
}

static PgConn *conn;

static Rc
open_by_name(void *context UNUSED, Error *err)
{
	static const PgConnOptions options = {.conninfo = "host=silent",
										  .label = "target \"a\"",
										  .application_name = "test",
										  .kind = PGCONN_PROBE};

	return pgconn_open(&conn, &options, err);
}

static const char *
value_of(const PQconninfoOption *options, const char *keyword)
{
	while (strcmp(options->keyword, keyword) != 0)
		options++;
	return options->val;
}

static void
test_a_task_that_connects_does_not_stop_the_others(void **state UNUSED)
{
	static const LibpqStep steps[] = {{0}};
	Task *task = task_new(open_by_name, NULL);
	PQconninfoOption *parameters;
	Error err = {0};
	Rc rc;

	libpq_script_begin(steps);
	libpq_script_always(libpq_script_connecting);
	begin_silence();
	assert_int_equal(task_work(task, &err), RC_AGAIN);
	assert_null(conn);
	end_silence();
	while ((rc = task_work(task, &err)) == RC_AGAIN)
		poll(NULL, 0, 1);
	assert_int_equal(rc, RC_OK);
	parameters = pgconn_parameters(conn);
	assert_string_equal(value_of(parameters, "host"), "silent");
	PQconninfoFree(parameters);
	pgconn_close(conn);
	task_free(task);
	libpq_script_end();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_alone_are_looked_up),
		cmocka_unit_test(test_each_address_becomes_an_entry),
		cmocka_unit_test(test_an_unknown_name_is_left_out),
		cmocka_unit_test(test_unknown_names_fail),
		cmocka_unit_test(
			test_a_silent_name_server_is_waited_for_until_the_limit),
		cmocka_unit_test(test_others_do_not_wait_for_a_silent_name_server),
		cmocka_unit_test(test_a_task_that_connects_does_not_stop_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
