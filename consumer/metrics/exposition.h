/*
 * exposition.h
 *    Writes metrics as text: OpenMetrics 1.0, or the older text format of
 *    Prometheus for whoever does not ask for OpenMetrics.
 *
 * The two differ in the name of a counter, which OpenMetrics gives without
 * "_total" in its comments, and in the lines about units and the end.
 *
 * A family without a sample is not written at all.
 */
#ifndef PENSTOCK_METRICS_EXPOSITION_H
#define PENSTOCK_METRICS_EXPOSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

typedef enum ExpositionKind
{
	EXPOSITION_GAUGE,
	EXPOSITION_COUNTER,
} ExpositionKind;

/* A label of a sample.  Its value may be any text. */
typedef struct ExpositionLabel
{
	const char *name;
	const char *value;
} ExpositionLabel;

/* Largest number of labels of a sample, besides the pipeline. */
#define EXPOSITION_LABELS_MAX 3

typedef struct Exposition
{
	Buf *buf;
	bool openmetrics;
	const char *pipeline; /* value of the label that every sample has; NULL:
						   * samples have no such label */

	/* The present family, whose head is written with its first sample. */
	const char *name;
	const char *help;
	ExpositionKind kind;
	bool begun;
} Exposition;

/*
 * Begins a family.  Its name has the unit at the end ("penstock_lag_seconds"),
 * and no "_total" if it is a counter.  The texts are borrowed until the next
 * family.
 */
void exposition_family(Exposition *self, const char *name, ExpositionKind kind,
					   const char *help);

/* Writes a sample of the present family.  Labels without a name are left out.
 */
void exposition_sample(Exposition *self, double value,
					   const ExpositionLabel *labels, int label_count);
void exposition_whole(Exposition *self, int64_t value,
					  const ExpositionLabel *labels, int label_count);

/* Ends the text. */
void exposition_end(Exposition *self);

#endif /* PENSTOCK_METRICS_EXPOSITION_H */
