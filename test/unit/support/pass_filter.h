/*
 * pass_filter.h
 *    A filter that counts changes and hands everything on.
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
