/* dns_judge.h - what a message means to a probe of kind dns. Pure. */
#ifndef PROBE_DNS_JUDGE_H
#define PROBE_DNS_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "image/probe_dns.h"
#include "probe/kind.h"

/* The question of the settings with this id; its length, at most DNS_QUERY_SIZE. */
#define DNS_QUERY_SIZE 271
size_t dns_make_query(const struct dns_probe_settings *settings, uint16_t id,
		      uint8_t out[DNS_QUERY_SIZE]);

/* true: it is the answer, and *outcome and why[] say what it is worth. false: it is none, and why[]
 * says so. */
bool dns_judge(const struct dns_probe_settings *settings, uint16_t id, const uint8_t *message,
	       size_t len, enum probe_outcome *outcome, char why[PROBE_WHY_SIZE]);

#endif
