/* Settings of each kind of probes as they are made, and with one number that no reader expects. */
#include <string.h>

#include "image/probe_dns.h"
#include "image/probe_http.h"
#include "image/probe_icmp.h"
#include "image/probe_ikev2.h"
#include "image/probe_openvpn.h"
#include "image/probe_prometheus.h"
#include "image/probe_wireguard.h"
#include "tests/unit/run.h"

#define SETTINGS_SIZE 256

union settings {
	uint8_t octets[SETTINGS_SIZE];
	struct icmp_settings icmp;
	struct wireguard_settings wireguard;
	struct openvpn_settings openvpn;
	struct openvpn_management_settings management;
	struct openvpn_status_settings status;
	struct http_settings http;
	struct ikev2_settings ikev2;
	struct prometheus_settings prometheus;
	struct dns_probe_settings dns;
};

/* Puts a text behind the structs of all kinds; it ends with a NUL of its own. */
#define TEXT_AT (SETTINGS_SIZE - 64)

static struct probe_text put_text(union settings *settings, const void *text, uint32_t len)
{
	ck_assert_uint_lt(len, SETTINGS_SIZE - TEXT_AT);
	memcpy(settings->octets + TEXT_AT, text, len);
	return (struct probe_text){ TEXT_AT, len };
}

static union settings sound(enum probe_kind kind)
{
	union settings s = { .octets = { 0 } };

	switch (kind) {
	case PROBE_ICMP: s.icmp.window = ICMP_WINDOW_MAX; break;
	case PROBE_WIREGUARD: s.wireguard.attempts = WIREGUARD_ATTEMPTS_MAX; break;
	case PROBE_OPENVPN: s.openvpn.direction = OPENVPN_DIRECTION_NONE; break;
	case PROBE_OPENVPN_MANAGEMENT: s.management.capacity = 1; break;
	case PROBE_OPENVPN_STATUS: s.status.capacity = 1; break;
	case PROBE_HTTP:
	case PROBE_HTTPS:
		s.http.range_count = HTTP_RANGES_MAX;
		s.http.body_max = HTTP_BODY_MAX_MAX;
		s.http.headers = put_text(&s, "Name\0value\0\0\0Name\0\0/path\0version\0", 33);
		break;
	case PROBE_IKEV2: s.ikev2.attempts = IKE_ATTEMPTS_MAX; break;
	case PROBE_PROMETHEUS:
		s.prometheus.body_max = PROMETHEUS_BODY_MAX_MAX;
		s.prometheus.labels = put_text(&s, "mode\0idle\0mode\0iowait\0", 22);
		break;
	case PROBE_DNS: s.dns.question = put_text(&s, "\3vpn\0\0\1\0\1", 9); break;
	default: break;
	}
	return s;
}

static bool is_valid(enum probe_kind kind, const union settings *settings)
{
	return probe_settings_valid(kind, settings, sizeof(*settings));
}

START_TEST(what_is_made_is_valid)
{
	for (int kind = 0; kind < PROBE_KINDS; kind++) {
		union settings s = sound((enum probe_kind)kind);

		ck_assert_msg(is_valid((enum probe_kind)kind, &s) == (kind != PROBE_TCP), "%s",
			      probe_kind_name[kind]);
	}
	ck_assert(probe_settings_valid(PROBE_TCP, "", 0));
}
END_TEST

#define OF(kind, member, value)                                                                \
	{                                                                                      \
		kind, offsetof(union settings, member), sizeof(((union settings *)0)->member), \
			value, #kind " " #member                                               \
	}
static const struct {
	enum probe_kind kind;
	size_t offset, size;
	uint32_t value;
	const char *name;
} wrong[] = {
	OF(PROBE_ICMP, icmp.window, 0),
	OF(PROBE_ICMP, icmp.window, ICMP_WINDOW_MAX + 1),
	OF(PROBE_WIREGUARD, wireguard.attempts, 0),
	OF(PROBE_WIREGUARD, wireguard.attempts, WIREGUARD_ATTEMPTS_MAX + 1),
	OF(PROBE_OPENVPN, openvpn.transport, OPENVPN_TCP + 1),
	OF(PROBE_OPENVPN, openvpn.mode, OPENVPN_TLS_CRYPT_V2 + 1),
	OF(PROBE_OPENVPN, openvpn.direction, OPENVPN_DIRECTION_NONE + 1),
	OF(PROBE_OPENVPN, openvpn.digest, OPENVPN_SHA512 + 1),
	OF(PROBE_OPENVPN_MANAGEMENT, management.capacity, 0),
	OF(PROBE_OPENVPN_STATUS, status.capacity, 0),
	OF(PROBE_HTTP, http.range_count, HTTP_RANGES_MAX + 1),
	OF(PROBE_HTTPS, http.range_count, 255),
	OF(PROBE_HTTP, http.body_max, HTTP_BODY_MAX_MAX + 1),
	OF(PROBE_HTTP, http.headers.len, 32), /* the last text has no end */
	OF(PROBE_HTTP, http.headers.len, 12), /* there are three texts */
	OF(PROBE_IKEV2, ikev2.mode, IKE_FULL + 1),
	OF(PROBE_IKEV2, ikev2.redirect, IKE_REDIRECT_DRAINS + 1),
	OF(PROBE_IKEV2, ikev2.attempts, 0),
	OF(PROBE_IKEV2, ikev2.attempts, IKE_ATTEMPTS_MAX + 1),
	OF(PROBE_PROMETHEUS, prometheus.body_max, PROMETHEUS_BODY_MAX_MAX + 1),
	OF(PROBE_PROMETHEUS, prometheus.combine, COMBINE_COUNT + 1),
	OF(PROBE_PROMETHEUS, prometheus.capacity_combine, COMBINE_COUNT + 1),
	OF(PROBE_PROMETHEUS, prometheus.labels.len, 15), /* a name without a value */
	OF(PROBE_DNS, dns.question.offset, 0),
	OF(PROBE_DNS, dns.question.len, 8), /* the name has no end */
	OF(PROBE_DNS, dns.question.len, 4),
};
#undef OF

START_TEST(a_number_that_no_reader_expects_is_refused)
{
	union settings s = sound(wrong[_i].kind);

	memcpy(s.octets + wrong[_i].offset, &wrong[_i].value, wrong[_i].size);
	ck_assert_msg(!is_valid(wrong[_i].kind, &s), "%s", wrong[_i].name);
}
END_TEST

/* Addresses of a family that there is, whole, and as many as there are bits for. */
START_TEST(expected_addresses_are_addresses)
{
	struct ip_address addresses[3] = { { .family = IP_V4 },
					   { .family = IP_V6 },
					   { .family = 0 } };
	union settings s = sound(PROBE_DNS);

	memcpy(s.octets + 64, addresses, sizeof(addresses));
	s.dns.addresses = (struct probe_text){ 64, 2 * sizeof(addresses[0]) };
	ck_assert(is_valid(PROBE_DNS, &s));
	s.dns.addresses.len--;
	ck_assert(!is_valid(PROBE_DNS, &s));
	s.dns.addresses.len = sizeof(addresses);
	ck_assert(!is_valid(PROBE_DNS, &s));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("probe settings");
	TCase *rows = tcase_create("rows");

	suite_case(suite, "settings", what_is_made_is_valid, expected_addresses_are_addresses);
	tcase_add_loop_test(rows, a_number_that_no_reader_expects_is_refused, 0,
			    (int)(sizeof(wrong) / sizeof(wrong[0])));
	suite_add_tcase(suite, rows);
	return run_suite(suite);
}
