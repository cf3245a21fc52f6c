/*
 * graph.c
 *    Scales to the greatest value that is shown.
 */
#include "cmd/status/graph.h"

#include "base/macros.h"

#define LEVELS 8

static const char *const blocks[LEVELS] = {"▁", "▂", "▃", "▄",
										   "▅", "▆", "▇", "█"};
static const char *const letters[LEVELS] = {"_", ".", "-", "=",
											"+", "*", "%", "#"};

void
graph_add(Graph *self, double value)
{
	self->values[self->next] = value;
	self->next = (self->next + 1) % GRAPH_POINTS;
	if (self->count < GRAPH_POINTS)
		self->count++;
}

double
graph_max(const Graph *self)
{
	double max = -1;

	for (int i = 0; i < self->count; i++)
		if (self->values[i] > max)
			max = self->values[i];
	return max;
}

static int
level_of(double value, double max)
{
	int level = max > 0 ? (int) (value / max * (LEVELS - 1) + 0.5) : 0;

	/* What is not nothing is not drawn like nothing. */
	if (value > 0 && level == 0)
		level = 1;
	ASSERT(level >= 0 && level < LEVELS);
	return level;
}

void
graph_print(FILE *out, const Graph *self, bool unicode)
{
	const char *const *bars = unicode ? blocks : letters;
	double max = graph_max(self);

	for (int i = 0; i < GRAPH_POINTS - self->count; i++)
		fputc(' ', out);
	for (int i = 0; i < self->count; i++)
	{
		int at = (self->next - self->count + i + GRAPH_POINTS) % GRAPH_POINTS;
		double value = self->values[at];

		fputs(value < 0 ? " " : bars[level_of(value, max)], out);
	}
}
