#include "image/probe_settings.h"

#include <string.h>

#include "image/probe_agent.h"
#include "image/probe_dns.h"
#include "image/probe_exec.h"
#include "image/probe_file.h"
#include "image/probe_http.h"
#include "image/probe_icmp.h"
#include "image/probe_ikev2.h"
#include "image/probe_openvpn.h"
#include "image/probe_tls.h"
#include "image/probe_udp.h"
#include "image/probe_push.h"
#include "image/probe_wireguard.h"
#include "image/probe_prometheus.h"

const char *const probe_kind_name[PROBE_KINDS] = {
	[PROBE_TCP] = "tcp",
	[PROBE_ICMP] = "icmp",
	[PROBE_WIREGUARD] = "wireguard",
	[PROBE_OPENVPN] = "openvpn",
	[PROBE_OPENVPN_MANAGEMENT] = "openvpn-management",
	[PROBE_OPENVPN_STATUS] = "openvpn-status",
	[PROBE_EXEC] = "exec",
	[PROBE_AGENT] = "agent",
	[PROBE_FILE] = "file",
	[PROBE_PUSH] = "push",
	[PROBE_HTTP] = "http",
	[PROBE_HTTPS] = "https",
	[PROBE_IKEV2] = "ikev2",
	[PROBE_PROMETHEUS] = "prometheus",
	[PROBE_TLS] = "tls",
	[PROBE_DNS] = "dns",
	[PROBE_UDP] = "udp",
};

/* Of the kind's struct; no size: the kind has no settings. */
static const struct {
	uint32_t size, texts;
} shapes[PROBE_KINDS] = {
	[PROBE_TCP] = { 0, 0 },
	[PROBE_ICMP] = { sizeof(struct icmp_settings), 0 },
	[PROBE_WIREGUARD] = { sizeof(struct wireguard_settings), 2 },
	[PROBE_OPENVPN] = { sizeof(struct openvpn_settings), 1 },
	[PROBE_OPENVPN_MANAGEMENT] = { sizeof(struct openvpn_management_settings), 2 },
	[PROBE_OPENVPN_STATUS] = { sizeof(struct openvpn_status_settings), 1 },
	[PROBE_EXEC] = { sizeof(struct exec_settings), 2 },
	[PROBE_AGENT] = { sizeof(struct agent_settings), 1 },
	[PROBE_FILE] = { sizeof(struct file_settings), 1 },
	[PROBE_PUSH] = { sizeof(struct push_settings), 0 },
	[PROBE_HTTP] = { sizeof(struct http_settings), 9 },
	[PROBE_HTTPS] = { sizeof(struct http_settings), 9 },
	[PROBE_IKEV2] = { sizeof(struct ikev2_settings), 0 },
	[PROBE_PROMETHEUS] = { sizeof(struct prometheus_settings), 7 },
	[PROBE_TLS] = { sizeof(struct tls_settings), 6 },
	[PROBE_DNS] = { sizeof(struct dns_probe_settings), 2 },
	[PROBE_UDP] = { sizeof(struct udp_settings), 2 },
};

static bool is_inside(const uint8_t *settings, uint32_t len, uint32_t size,
		      const struct probe_text *text)
{
	if (text->offset == 0)
		return text->len == 0;
	return text->offset >= size && text->offset < len && text->len < len - text->offset &&
	       settings[text->offset + text->len] == '\0';
}

bool probe_settings_valid(enum probe_kind kind, const void *settings, uint32_t len)
{
	uint32_t size = shapes[kind].size;

	if (size == 0 || len < size)
		return len == 0 && size == 0;
	for (uint32_t i = 0; i < shapes[kind].texts; i++) {
		struct probe_text text;

		memcpy(&text, (const uint8_t *)settings + i * sizeof(text), sizeof(text));
		if (!is_inside(settings, len, size, &text))
			return false;
	}
	return true;
}

bool probe_names_node(enum probe_kind kind, const void *settings)
{
	const struct agent_settings *agent = settings;
	const struct openvpn_status_settings *status = settings;

	switch (kind) {
	case PROBE_EXEC:
	case PROBE_FILE:
	case PROBE_PUSH: return true;
	case PROBE_AGENT: return strchr(probe_text(agent, agent->send), '{') != NULL;
	case PROBE_OPENVPN_STATUS: return strchr(probe_text(status, status->path), '{') != NULL;
	default: return false;
	}
}
