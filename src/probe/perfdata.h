/* perfdata.h - what plugins for Nagios print: a line for people and, behind "|", values for
 * machines, as its plugin API and the Monitoring Plugins' development guidelines have it. Pure. */
#ifndef PROBE_PERFDATA_H
#define PROBE_PERFDATA_H

#include <stdbool.h>
#include <stddef.h>

struct perfdata {
	double value;
	bool has_max;
	double max; /* in the unit of the value; of percentages 100 unless it says so itself */
};

/* The value with this label among all performance data of the output: behind the first "|" of its
 * first line, and behind the first of the lines after that. Where it is there twice the first
 * counts. false: there is none with it, or none that is a number. */
bool perfdata_find(const char *output, const char *label, struct perfdata *out);

/* The line for people, without blanks at its ends; octets that are no printable text become "?".
 * Returns out. */
char *perfdata_line(const char *output, char *out, size_t size);

#endif
