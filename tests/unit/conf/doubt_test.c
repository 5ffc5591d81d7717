/* References of the server file, and what pools probe. */
#include "conf/config.h"

#include <stdio.h>
#include <string.h>

#include "conf_test.h"
#include "fixture.h"

static const struct {
	const char *references, *addresses, *probes;
	const char *lacks; /* NULL: nothing */
} rows[] = {
	{ "192.0.2.1", "[203.0.113.10, \"2001:db8::10\"]", "{ kind: icmp }", "IPv6" },
	{ "\"[2001:db8::1]:53\"", "[203.0.113.10, \"2001:db8::10\"]", "{ kind: icmp }", "IPv4" },
	{ "[192.0.2.1, \"2001:db8::1\"]", "[203.0.113.10, \"2001:db8::10\"]", "{ kind: icmp }",
	  NULL },
	{ "192.0.2.1", "203.0.113.10", "{ kind: icmp }", NULL },
	{ "192.0.2.1", "[203.0.113.10, \"2001:db8::10\"]", "{ kind: icmp, family: ipv4 }", NULL },
	{ "192.0.2.1", "\"2001:db8::10\", probe-address: 203.0.113.99", "{ kind: icmp }", NULL },
	{ "192.0.2.1", "203.0.113.10, probe-address: \"2001:db8::99\"", "{ kind: icmp }", "IPv6" },
	{ "192.0.2.1", "\"2001:db8::10\"", "{ kind: push }", NULL },
	{ "[]", "[203.0.113.10, \"2001:db8::10\"]", "{ kind: icmp }", NULL },
};

START_TEST(family_that_is_probed_and_has_no_reference_is_a_warning)
{
	char server[500], pool[300], wanted[300] = "";
	bool none = strcmp(rows[_i].references, "[]") == 0;
	struct reading *reading;

	(void)snprintf(server, sizeof(server), GOOD_SERVER "doubt: { %s%s }\n",
		       none ? "share: 60%" : "references: ", none ? "" : rows[_i].references);
	(void)snprintf(pool, sizeof(pool),
		       "pool: edge\nprobes: [ %s ]\n"
		       "sites: { tokyo: { nodes: { tyo-1: { address: %s } } } }\n",
		       rows[_i].probes, rows[_i].addresses);
	if (rows[_i].lacks != NULL)
		(void)snprintf(wanted, sizeof(wanted),
			       "signpost.yaml:6:%d: warning: no reference has an %s address, but "
			       "node \"tyo-1\" is probed at one: when only the %s of this machine "
			       "fails, that counts as the nodes' failure; add one, such as a "
			       "router's\n",
			       rows[_i].references[0] == '"' ? 23 : 22, rows[_i].lacks,
			       rows[_i].lacks);
	reading = fixture_read(server, pool);
	ck_assert_uint_eq(diag_errors(reading->diag), 0);
	ck_assert_msg(strncmp(reading->printed, wanted, strlen(wanted)) == 0,
		      "expected:\n%sgot:\n%s", wanted, reading->printed);
	if (rows[_i].lacks == NULL)
		ck_assert_str_eq(reading->printed, "");
	fixture_free(reading);
}
END_TEST

Suite *doubt_suite(void)
{
	Suite *suite = suite_create("doubt");
	TCase *tcase = tcase_create("doubt");

	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tcase, family_that_is_probed_and_has_no_reference_is_a_warning, 0,
			    (int)(sizeof(rows) / sizeof(rows[0])));
	suite_add_tcase(suite, tcase);
	return suite;
}
