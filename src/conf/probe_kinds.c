#include "conf/probe_kinds.h"

static const struct probe_kind_row tcp = { .kind = PROBE_TCP,
					   .roles = PROBE_HEALTH,
					   .port = PROBE_PORT_REQUIRED };

const struct probe_kind_row *const probe_kind_rows[PROBE_KINDS] = {
	[PROBE_TCP] = &tcp,
	[PROBE_ICMP] = &probe_icmp_row,
	[PROBE_WIREGUARD] = &probe_wireguard_row,
	[PROBE_OPENVPN] = &probe_openvpn_row,
	[PROBE_OPENVPN_MANAGEMENT] = &probe_openvpn_management_row,
	[PROBE_OPENVPN_STATUS] = &probe_openvpn_status_row,
	[PROBE_EXEC] = &probe_exec_row,
	[PROBE_AGENT] = &probe_agent_row,
	[PROBE_FILE] = &probe_file_row,
	[PROBE_PUSH] = &probe_push_row,
	[PROBE_HTTP] = &probe_http_row,
	[PROBE_HTTPS] = &probe_https_row,
	[PROBE_IKEV2] = &probe_ikev2_row,
	[PROBE_PROMETHEUS] = &probe_prometheus_row,
	[PROBE_TLS] = &probe_tls_row,
	[PROBE_DNS] = &probe_dns_row,
	[PROBE_UDP] = &probe_udp_row,
};
