/*
 * macros.h
 *    The few macros that every file of the consumer may use.
 *
 * ASSERT finds errors of the programmer; it does nothing if NDEBUG is defined.
 * CHECK protects data and always works: it reports the condition that does not
 * hold and aborts the program, because to continue could write wrong rows.
 * Each takes one condition without side effects.
 */
#ifndef PENSTOCK_BASE_MACROS_H
#define PENSTOCK_BASE_MACROS_H

#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(template, first)                                           \
	__attribute__((format(printf, template, first)))
#define NORETURN __attribute__((noreturn))
#define UNUSED   __attribute__((unused))

/* Plural ending for messages: "%d table%s", count, PLURAL(count). */
#define PLURAL(count)    ((count) == 1 ? "" : "s")

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

#define KB               ((size_t) 1024)
#define MB               ((size_t) 1024 * 1024)

/* Prints a condition that does not hold, with file and line, and aborts. */
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
