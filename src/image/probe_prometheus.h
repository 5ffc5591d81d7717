/* probe_prometheus.h - settings of probes of kind prometheus. */
#ifndef IMAGE_PROBE_PROMETHEUS_H
#define IMAGE_PROBE_PROMETHEUS_H

#include "image/probe_settings.h"

#define PROMETHEUS_BODY_MAX_MAX 16777216

enum prometheus_combine { COMBINE_SUM, COMBINE_MAX, COMBINE_MIN, COMBINE_AVG, COMBINE_COUNT };

/* Labels: name and value of each, with a NUL behind each of them; of several with the same name one
 * has to match. */
struct prometheus_settings {
	struct probe_text host; /* in the Host header, SNI, and the certificate; "": the address */
	struct probe_text path;
	struct probe_text metric, labels;
	struct probe_text capacity_metric, capacity_labels; /* "": the capacity is a number */
	struct probe_text ca;                               /* path; "": whom the system trusts */
	uint64_t ca_version;
	double capacity;
	uint32_t body_max; /* octets */
	uint8_t https;
	uint8_t verify;                    /* the certificate */
	uint8_t combine, capacity_combine; /* enum prometheus_combine */
	uint8_t rate;                      /* a counter: by how much it grows a second */
	uint8_t inverse;                   /* what is measured is what is free */
	uint8_t reserved[6];
};
_Static_assert(sizeof(struct prometheus_settings) == 88, "settings are compared as bytes");

#endif
