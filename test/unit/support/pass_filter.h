/*
 * pass_filter.h
 *    A filter that counts changes and forwards everything.
 *
 * Each is in schema public, and usual where nothing is said; change what is
 * returned to say more.  A table has room for MEMBERS_MAX members of each kind.
 */
#ifndef PENSTOCK_TEST_SUPPORT_PASS_FILTER_H
#define PENSTOCK_TEST_SUPPORT_PASS_FILTER_H

#include "sink/filter.h"

typedef struct PassFilter
{
	Sink sink; /* first */
	SinkFilter filter;
	int changes; /* that it has handed on */
} PassFilter;

/* Sets it up in front of `next`, which is released with it; returns its sink.
 * The filter itself is the caller's. */
Sink *pass_filter_init(PassFilter *filter, Sink *next);

#endif /* PENSTOCK_TEST_SUPPORT_PASS_FILTER_H */
