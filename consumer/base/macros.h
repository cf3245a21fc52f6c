/*
 * macros.h
 *    The few macros that every file of the consumer may use.
 *
 * ASSERT is for programmer errors: it is compiled in unless NDEBUG is set.
 * CHECK guards what protects data and is always compiled in; it reports the
 * broken condition and aborts, because going on would risk a wrong copy.  One
 * condition each, without side effects.
 */
#ifndef PENSTOCK_BASE_MACROS_H
#define PENSTOCK_BASE_MACROS_H

#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(template, first)                                           \
	__attribute__((format(printf, template, first)))
#define NORETURN __attribute__((noreturn))
#define UNUSED   __attribute__((unused))

/* For messages: "%d table%s", count, PLURAL(count). */
#define PLURAL(count)    ((count) == 1 ? "" : "s")

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

#define KB               ((size_t) 1024)
#define MB               ((size_t) 1024 * 1024)

/* Reports a condition that does not hold, with its place, and aborts. */
NORETURN void check_failed(const char *condition, const char *file, int line);

#define CHECK(condition)                                                       \
	do                                                                         \
	{                                                                          \
		if (!(condition))                                                      \
			check_failed(#condition, __FILE__, __LINE__);                      \
	} while (0)

#ifdef NDEBUG
#define ASSERT(condition) ((void) 0)
#else
#define ASSERT(condition) CHECK(condition)
#endif

#endif /* PENSTOCK_BASE_MACROS_H */
