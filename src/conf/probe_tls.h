/* probe_tls.h - options about TLS that several kinds of probe have. Inside src/conf only. */
#ifndef CONF_PROBE_TLS_H
#define CONF_PROBE_TLS_H

#include "conf/secret_file.h"

/* The first member of a kind's struct of options. */
struct tls_options {
	bool verify;
	uint16_t warn_days; /* 0: never */
	struct secret_path ca, certificate, key;
};

/* Named for all kinds that have these options. */
extern const struct option_section tls_files_section;

/* What contradicts itself is told at the map `item`. */
void tls_options_check(struct conf *conf, const struct yaml_node *item,
		       const struct tls_options *options);

/* A name as hosts have it; false, and reported. */
bool read_host_name(struct conf *conf, const struct yaml_node *value, const char **out);

#endif
