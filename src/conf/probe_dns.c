/* Options of probes of kind dns. */
#include <string.h>
#include <strings.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "conf/probe_kinds.h"
#include "image/probe_dns.h"
#include "wire/name.h"

struct dns_options {
	struct name query;
	uint8_t type; /* index */
	uint8_t transport;
	bool recursion;
	uint16_t rcodes;
	uint16_t answers_min;
	struct ip_address addresses[DNS_ADDRESSES_MAX];
	size_t address_count;
};

static const char *const types[] = { "A",  "AAAA", "NS",  "SOA",  "CNAME", "PTR",
				     "MX", "TXT",  "SRV", "SVCB", "HTTPS", NULL };
static const uint16_t type_numbers[] = { TYPE_A,     TYPE_AAAA, TYPE_NS,   TYPE_SOA,
					 TYPE_CNAME, TYPE_PTR,  TYPE_MX,   TYPE_TXT,
					 TYPE_SRV,   TYPE_SVCB, TYPE_HTTPS };
static const char *const transports[] = { "udp", "tcp", NULL };
/* By number. */
static const char *const rcodes[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
				      "NOTIMP",  "REFUSED", NULL };

static void read_query(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct dns_options *options = out;
	const char *reason;

	if (conf_expect(conf, value, YAML_SCALAR, "a domain name") &&
	    !name_parse(value->text, strlen(value->text), NULL, &options->query, &reason))
		conf_error(conf, &value->place, "\"%.100s\" is not a domain name: %s", value->text,
			   reason);
}

static void read_rcode(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct dns_options *options = context;

	for (unsigned i = 0; rcodes[i] != NULL; i++) {
		if (strcasecmp(rcodes[i], item->text) == 0) {
			options->rcodes |= (uint16_t)(1U << i);
			return;
		}
	}
	conf_error(conf, &item->place, "\"%.100s\" is not %s", item->text,
		   conf_word_list(conf, rcodes));
}

static void read_rcodes(struct conf *conf, const struct yaml_node *value, void *out)
{
	((struct dns_options *)out)->rcodes = 0;
	items_read(conf, value, "a response code or a list of them", read_rcode, out);
}

static void read_address(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct dns_options *options = context;
	struct ip_address address = { 0 };

	if (!ip_parse(item->text, &address))
		conf_error(conf, &item->place, "\"%.100s\" is neither an IPv4 nor an IPv6 address",
			   item->text);
	else if (options->address_count == DNS_ADDRESSES_MAX)
		conf_error(conf, &item->place, "there are more than %d addresses", DNS_ADDRESSES_MAX);
	else if (address.family != (type_numbers[options->type] == TYPE_A ? IP_V4 : IP_V6) ||
		 (type_numbers[options->type] != TYPE_A &&
		  type_numbers[options->type] != TYPE_AAAA))
		conf_error(conf, &item->place, "%.100s is not in records of type %s", item->text,
			   types[options->type]);
	else
		options->addresses[options->address_count++] = address;
}

static void read_addresses(struct conf *conf, const struct yaml_node *value, void *out)
{
	((struct dns_options *)out)->address_count = 0;
	items_read(conf, value, "an address or a list of them", read_address, out);
}

static const struct option dns_options[] = {
	{ "query", OPTION_OTHER, .read = read_query, .required = true, .kind = "name",
	  .accepts = "a domain name", .manual = "the name that is asked for" },
	{ "type", OPTION_WORD, OPTION_FIELD(struct dns_options, type), .words = types, .dflt = "A",
	  .manual = "the type that is asked for" },
	{ "transport", OPTION_WORD, OPTION_FIELD(struct dns_options, transport),
	  .words = transports, .dflt = "udp", .manual = "how it is asked" },
	{ "recursion-desired", OPTION_BOOL, OPTION_FIELD(struct dns_options, recursion),
	  .dflt = "false", .manual = "the server is asked to look elsewhere, too" },
	{ "expect-rcode", OPTION_OTHER, .read = read_rcodes, .dflt = "NOERROR", .kind = "list",
	  .accepts = "a response code or a list of them",
	  .manual = "the response codes that are a success" },
	{ "min-answers", OPTION_NUMBER, OPTION_FIELD(struct dns_options, answers_min), .max = 100,
	  .counts = "records", .dflt = "1",
	  .manual = "with NOERROR, the answer has so many records of the type, or more" },
	{ "expect-address", OPTION_OTHER, .read = read_addresses, .kind = "list",
	  .accepts = "an address or a list of them",
	  .manual = "each of them has to be in the answer; for types A and AAAA" },
};

static const struct option_section dns_section = {
	.name = "pool: probes[] of kind dns",
	.options = dns_options,
	.count = OPTION_COUNT(dns_options),
	.size = sizeof(struct dns_options),
};

static void settle_dns(struct conf *conf, const struct yaml_node *item, struct config_probe *probe,
		       const void *from, struct buf *settings)
{
	const struct dns_options *options = from;
	const struct dns_probe_settings into = { .rcodes = options->rcodes,
						 .answers_min = options->answers_min,
						 .tcp = options->transport,
						 .recursion = options->recursion };
	uint8_t question[DNS_NAME_MAX + 4];
	struct writer w = { .data = question, .size = sizeof(question) };

	(void)probe;
	if (options->address_count > 0 && (options->rcodes & 1) == 0)
		conf_error(conf, &yaml_get(item, "expect-address")->place,
			   "there are no addresses where NOERROR is not expected");
	put_bytes(&w, options->query.wire, options->query.len);
	put_u16(&w, type_numbers[options->type]);
	put_u16(&w, CLASS_IN);
	buf_append(settings, &into, sizeof(into));
	settings_put_text(settings, offsetof(struct dns_probe_settings, question),
			  (const char *)question, w.pos);
	if (options->address_count > 0)
		settings_put_text(settings, offsetof(struct dns_probe_settings, addresses),
				  (const char *)options->addresses,
				  options->address_count * sizeof(options->addresses[0]));
}

const struct probe_kind_row probe_dns_row = { .kind = PROBE_DNS,
					      .roles = PROBE_HEALTH,
					      .port = 53,
					      .section = &dns_section,
					      .settle = settle_dns };
