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
#include "image/probe_prometheus.h"
#include "image/probe_push.h"
#include "image/probe_tls.h"
#include "image/probe_udp.h"
#include "image/probe_wireguard.h"
#include "wire/name.h"

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

/* --- what the readers of a kind take for granted --------------------------------------------- */

/* Texts in a row, each with a NUL behind it: so many, or a multiple of that. */
static bool are_texts(const void *settings, struct probe_text text, uint32_t multiple)
{
	const char *at = probe_text(settings, text);
	uint32_t count = 0;

	for (uint32_t i = 0; i < text.len; i++)
		count += at[i] == '\0';
	return count % multiple == 0 && (text.len == 0 || at[text.len - 1] == '\0');
}

static bool icmp_fits(const void *settings)
{
	const struct icmp_settings *s = settings;

	return s->window > 0 && s->window <= ICMP_WINDOW_MAX;
}

static bool wireguard_fits(const void *settings)
{
	const struct wireguard_settings *s = settings;

	return s->attempts > 0 && s->attempts <= WIREGUARD_ATTEMPTS_MAX;
}

static bool openvpn_fits(const void *settings)
{
	const struct openvpn_settings *s = settings;

	return s->transport <= OPENVPN_TCP && s->mode <= OPENVPN_TLS_CRYPT_V2 &&
	       s->direction <= OPENVPN_DIRECTION_NONE && s->digest <= OPENVPN_SHA512;
}

static bool openvpn_management_fits(const void *settings)
{
	const struct openvpn_management_settings *s = settings;

	return s->capacity > 0;
}

static bool openvpn_status_fits(const void *settings)
{
	const struct openvpn_status_settings *s = settings;

	return s->capacity > 0;
}

static bool http_fits(const void *settings)
{
	const struct http_settings *s = settings;

	return s->range_count <= HTTP_RANGES_MAX && s->body_max <= HTTP_BODY_MAX_MAX &&
	       are_texts(settings, s->headers, 4);
}

static bool ikev2_fits(const void *settings)
{
	const struct ikev2_settings *s = settings;

	return s->mode <= IKE_FULL && s->redirect <= IKE_REDIRECT_DRAINS && s->attempts > 0 &&
	       s->attempts <= IKE_ATTEMPTS_MAX;
}

static bool prometheus_fits(const void *settings)
{
	const struct prometheus_settings *s = settings;

	return s->body_max <= PROMETHEUS_BODY_MAX_MAX && s->combine <= COMBINE_COUNT &&
	       s->capacity_combine <= COMBINE_COUNT && are_texts(settings, s->labels, 2) &&
	       are_texts(settings, s->capacity_labels, 2);
}

/* A name, a type and a class; and whole addresses, as many as there are bits for. */
static bool dns_fits(const void *settings)
{
	const struct dns_probe_settings *s = settings;
	const char *addresses = probe_text(settings, s->addresses);
	uint32_t count = s->addresses.len / sizeof(struct ip_address);

	if (s->question.len <= DNS_QUESTION_REST ||
	    name_length((const uint8_t *)probe_text(settings, s->question),
			s->question.len - DNS_QUESTION_REST) !=
		    s->question.len - DNS_QUESTION_REST ||
	    s->addresses.len % sizeof(struct ip_address) != 0 || count > DNS_ADDRESSES_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct ip_address address;

		memcpy(&address, addresses + i * sizeof(address), sizeof(address));
		if (address.family != IP_V4 && address.family != IP_V6)
			return false;
	}
	return true;
}

/* Of the kind's struct; no size: the kind has no settings. */
static const struct {
	uint32_t size, texts;
	bool (*fits)(const void *settings); /* NULL: whatever its numbers are */
} shapes[PROBE_KINDS] = {
	[PROBE_TCP] = { 0, 0, NULL },
	[PROBE_ICMP] = { sizeof(struct icmp_settings), 0, icmp_fits },
	[PROBE_WIREGUARD] = { sizeof(struct wireguard_settings), 2, wireguard_fits },
	[PROBE_OPENVPN] = { sizeof(struct openvpn_settings), 1, openvpn_fits },
	[PROBE_OPENVPN_MANAGEMENT] = { sizeof(struct openvpn_management_settings), 2,
				       openvpn_management_fits },
	[PROBE_OPENVPN_STATUS] = { sizeof(struct openvpn_status_settings), 1, openvpn_status_fits },
	[PROBE_EXEC] = { sizeof(struct exec_settings), 2, NULL },
	[PROBE_AGENT] = { sizeof(struct agent_settings), 1, NULL },
	[PROBE_FILE] = { sizeof(struct file_settings), 1, NULL },
	[PROBE_PUSH] = { sizeof(struct push_settings), 0, NULL },
	[PROBE_HTTP] = { sizeof(struct http_settings), 9, http_fits },
	[PROBE_HTTPS] = { sizeof(struct http_settings), 9, http_fits },
	[PROBE_IKEV2] = { sizeof(struct ikev2_settings), 0, ikev2_fits },
	[PROBE_PROMETHEUS] = { sizeof(struct prometheus_settings), 7, prometheus_fits },
	[PROBE_TLS] = { sizeof(struct tls_settings), 6, NULL },
	[PROBE_DNS] = { sizeof(struct dns_probe_settings), 2, dns_fits },
	[PROBE_UDP] = { sizeof(struct udp_settings), 2, NULL },
};

/* --- all kinds ------------------------------------------------------------------------------- */

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
	return shapes[kind].fits == NULL || shapes[kind].fits(settings);
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
