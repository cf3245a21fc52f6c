/*
 * graph.h
 *    A graph in one line of text: the last values of a number, each a bar.
 */
#ifndef PENSTOCK_CMD_STATUS_GRAPH_H
#define PENSTOCK_CMD_STATUS_GRAPH_H

#include <stdbool.h>
#include <stdio.h>

/* Number of values, and columns of a graph. */
#define GRAPH_POINTS 50

/* {0}: no values. */
typedef struct Graph
{
	double values[GRAPH_POINTS]; /* a ring; negative: not known */
	int next;                    /* where the next value goes */
	int count;
} Graph;

/* Adds a value; a negative one is not known. */
void graph_add(Graph *self, double value);

/* Returns the greatest value, or a negative number if none is known. */
double graph_max(const Graph *self);

/*
 * Prints GRAPH_POINTS columns, the newest value last.  The greatest value is a
 * whole bar; what is not known is left empty, and 0 is the lowest bar.
 * `unicode`: with blocks of U+2581 to U+2588; otherwise with ASCII.
 */
void graph_print(FILE *out, const Graph *self, bool unicode);

#endif /* PENSTOCK_CMD_STATUS_GRAPH_H */
