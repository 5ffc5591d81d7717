/* probe_kinds.h - the kinds of probe as pool files have them: one row a kind, in a file of its own
 * (conf/probe_<kind>.c). Inside src/conf only. */
#ifndef CONF_PROBE_KINDS_H
#define CONF_PROBE_KINDS_H

#include "conf/config.h"
#include "conf/option.h"
#include "image/probe_settings.h"

enum probe_port {
	PROBE_PORT_NONE = -2,
	PROBE_PORT_REQUIRED = -1,
	PROBE_PORT_OPTIONAL = 0, /* greater: the port by default */
};

struct probe_kind_row {
	enum probe_kind kind;
	unsigned roles;   /* bits of enum probe_role that its results can have */
	int port;         /* enum probe_port, or a port */
	bool addressless; /* made once a node, and not once an address of it */
	bool statement;   /* its results are what somebody says: one is enough for a verdict */
	/* Options of this kind beside those of all probes, named "pool: probes[] of kind KIND"; NULL:
	 * it has none. `size` is that of the struct that they are read into. */
	const struct option_section *section;
	/* More of them, which other kinds have as well, read into the same struct; NULL: there are
	 * none. */
	const struct option_section *shared;
	/* What was read without a mistake, as settings: says what is contradictory, and writes the
	 * kind's struct of settings, then its texts. */
	void (*settle)(struct conf *conf, const struct yaml_node *item, struct config_probe *probe,
		       const void *options, struct buf *settings);
};

/* Those that have options of their own. */
extern const struct probe_kind_row probe_icmp_row;
extern const struct probe_kind_row probe_ikev2_row;
extern const struct probe_kind_row probe_wireguard_row;
extern const struct probe_kind_row probe_openvpn_row;
extern const struct probe_kind_row probe_openvpn_management_row, probe_openvpn_status_row;
extern const struct probe_kind_row probe_exec_row, probe_agent_row, probe_file_row, probe_push_row;
extern const struct probe_kind_row probe_prometheus_row;
extern const struct probe_kind_row probe_http_row, probe_https_row, probe_tls_row;
extern const struct probe_kind_row probe_dns_row, probe_udp_row;

/* By enum probe_kind. */
extern const struct probe_kind_row *const probe_kind_rows[PROBE_KINDS];

/* A text behind the struct, told by the struct probe_text at `field` (offsetof) of it; NULL:
 * none. */
void settings_put_text(struct buf *settings, size_t field, const char *text, size_t len);

/* One entry of a list of probes, for this role. */
void probe_read(struct conf *conf, const struct yaml_node *item, unsigned role,
		struct config_probe *probe);

/* Names every probe of a pool, in order; names that are there twice are told. */
struct seen;
void probe_name(struct conf *conf, struct seen *seen, const struct yaml_node *item,
		struct config_probe *probe);

#endif
