/* Probes of kind ikev2. */
#include <string.h>

#include "conf/probe_kinds.h"
#include "image/probe_ikev2.h"

#define FULL_INTERVAL_MS 15000 /* of which a server keeps two states at a time, for 30 s */
#define MARKER_PORT      4500

enum marker { MARKER_AUTO, MARKER_TRUE, MARKER_FALSE };

struct proposal {
	uint16_t encryption, key_bits, integrity, prf, group;
};

struct ikev2_options {
	uint32_t mode, redirect, marker, attempts;
	struct proposal proposal;
};

static const char *const modes[] = { "liveness", "config", "full", NULL };
static const char *const redirects[] = { "degraded", "drain", NULL };
static const char *const markers[] = { "auto", "true", "false", NULL };

/* Words as strongSwan has them, and what each says; IANA's numbers. */
static const struct word {
	const char *text;
	struct proposal says;
} words[] = {
	{ "aes128", { .encryption = 12, .key_bits = 128 } },
	{ "aes192", { .encryption = 12, .key_bits = 192 } },
	{ "aes256", { .encryption = 12, .key_bits = 256 } },
	{ "aes128gcm16", { .encryption = 20, .key_bits = 128 } },
	{ "aes192gcm16", { .encryption = 20, .key_bits = 192 } },
	{ "aes256gcm16", { .encryption = 20, .key_bits = 256 } },
	{ "chacha20poly1305", { .encryption = 28 } },
	{ "3des", { .encryption = 3 } },
	{ "sha1", { .integrity = 2, .prf = 2 } },
	{ "sha256", { .integrity = 12, .prf = 5 } },
	{ "sha384", { .integrity = 13, .prf = 6 } },
	{ "sha512", { .integrity = 14, .prf = 7 } },
	{ "prfsha1", { .prf = 2 } },
	{ "prfsha256", { .prf = 5 } },
	{ "prfsha384", { .prf = 6 } },
	{ "prfsha512", { .prf = 7 } },
	{ "modp1024", { .group = 2 } },
	{ "modp1536", { .group = 5 } },
	{ "modp2048", { .group = 14 } },
	{ "modp3072", { .group = 15 } },
	{ "modp4096", { .group = 16 } },
	{ "modp6144", { .group = 17 } },
	{ "modp8192", { .group = 18 } },
	{ "ecp256", { .group = 19 } },
	{ "ecp384", { .group = 20 } },
	{ "ecp521", { .group = 21 } },
	{ "x25519", { .group = 31 } },
	{ "curve25519", { .group = 31 } },
	{ "x448", { .group = 32 } },
	{ "curve448", { .group = 32 } },
};

static const struct proposal *find_word(struct conf *conf, const struct yaml_node *value,
					const char *text, size_t len)
{
	const char *candidates[sizeof(words) / sizeof(words[0])];
	const char *word = arena_text(conf->arena, text, len);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		candidates[i] = words[i].text;
		if (strcmp(words[i].text, word) == 0)
			return &words[i].says;
	}
	conf_error(conf, &value->place, "\"%.100s\" is no part of a proposal%s", word,
		   conf_hint(conf, word, candidates, sizeof(words) / sizeof(words[0])));
	return NULL;
}

/* false: it says again what was said. */
static bool add(struct proposal *all, const struct proposal *says)
{
	bool is_prf = says->prf != 0 && says->integrity == 0;

	if ((says->encryption != 0 && all->encryption != 0) ||
	    (says->group != 0 && all->group != 0) || (says->integrity != 0 && all->integrity != 0))
		return false;
	all->encryption |= says->encryption;
	all->key_bits |= says->key_bits;
	all->integrity |= says->integrity;
	all->group |= says->group;
	if (is_prf || all->prf == 0) /* one of its own counts more than that of the integrity */
		all->prf = says->prf;
	return true;
}

static bool has_own_integrity(uint16_t encryption)
{
	return encryption == 20 || encryption == 28;
}

static void check_proposal(struct conf *conf, const struct yaml_node *value, struct proposal *all)
{
	const char *lacks = all->encryption == 0 ? "a cipher, such as aes256"
			    : all->prf == 0      ? "a hash, such as sha256"
			    : all->group == 0    ? "a group, such as x25519"
						 : NULL;

	if (has_own_integrity(all->encryption))
		all->integrity = 0; /* its hash is the one of the PRF */
	else if (lacks == NULL && all->integrity == 0)
		lacks = "a hash for integrity, such as sha256";
	if (lacks != NULL)
		conf_error(conf, &value->place, "the proposal lacks %s", lacks);
}

static void read_proposal(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct ikev2_options *options = out;
	struct proposal *all = &options->proposal;

	if (!conf_expect(conf, value, YAML_SCALAR, "a proposal, such as aes256-sha256-x25519"))
		return;
	for (const char *word = value->text;; word++) {
		size_t len = strcspn(word, "-");
		const struct proposal *says = find_word(conf, value, word, len);

		if (says == NULL)
			return;
		if (!add(all, says)) {
			conf_error(conf, &value->place,
				   "\"%.*s\": the proposal has such a part already", (int)len,
				   word);
			return;
		}
		word += len;
		if (*word == '\0')
			break;
	}
	check_proposal(conf, value, all);
}

static const struct option options[] = {
	{ "mode", OPTION_WORD, OPTION_FIELD(struct ikev2_options, mode), .words = modes,
	  .dflt = "liveness", .manual = "what is asked of the server" },
	{ "proposal", OPTION_OTHER, .read = read_proposal, .kind = "text",
	  .accepts = "a proposal such as aes256-sha256-x25519",
	  .manual = "one that the server takes; for the modes config and full" },
	{ "attempts", OPTION_NUMBER, OPTION_FIELD(struct ikev2_options, attempts), .min = 1,
	  .max = IKE_ATTEMPTS_MAX, .counts = "requests", .dflt = "3",
	  .manual = "how often the same request is sent within the timeout, at least 250ms apart" },
	{ "non-esp-marker", OPTION_WORD, OPTION_FIELD(struct ikev2_options, marker),
	  .words = markers, .dflt = "auto",
	  .manual = "whether four zero octets precede each message; auto: on port 4500" },
	{ "redirect", OPTION_WORD, OPTION_FIELD(struct ikev2_options, redirect), .words = redirects,
	  .dflt = "degraded", .manual = "what a server is that sends clients to another" },
};

static const struct option_section section = {
	.name = "pool: probes[] of kind ikev2",
	.options = options,
	.count = OPTION_COUNT(options),
	.size = sizeof(struct ikev2_options),
};

/* Of these any octets are a public value; of a curve of NIST's they are not. */
static bool takes_random_values(uint16_t group)
{
	return group == 14 || group == 15 || group == 16 || group == 31;
}

static void check_mode(struct conf *conf, const struct yaml_node *item,
		       const struct config_probe *probe, const struct ikev2_options *read)
{
	const struct yaml_node *mode = yaml_get(item, "mode"),
			       *proposal = yaml_get(item, "proposal");

	if (read->mode == IKE_LIVENESS && proposal != NULL)
		conf_error(conf, &proposal->key->place,
			   "mode liveness makes no use of a proposal: config or full does");
	if (read->mode != IKE_LIVENESS && proposal == NULL)
		conf_error(conf, &mode->place, "mode %s needs a \"proposal\"", modes[read->mode]);
	else if (read->mode == IKE_FULL && !takes_random_values(read->proposal.group))
		conf_error(conf, &proposal->place,
			   "in mode full, the group is x25519, modp2048, modp3072 or modp4096");
	if (read->mode == IKE_FULL && probe->interval_ms < FULL_INTERVAL_MS)
		conf_error(
			conf, &mode->place,
			"mode full leaves a half-open state on the server each time: the interval "
			"must be 15s or more");
}

static void settle(struct conf *conf, const struct yaml_node *item, struct config_probe *probe,
		   const void *from, struct buf *out)
{
	const struct ikev2_options *read = from;
	const struct proposal *proposal = &read->proposal;
	const struct ikev2_settings settings = {
		.mode = (uint8_t)read->mode,
		.redirect = (uint8_t)read->redirect,
		.marker = read->marker == MARKER_TRUE ||
			  (read->marker == MARKER_AUTO && probe->port == MARKER_PORT),
		.attempts = (uint8_t)read->attempts,
		.encryption = proposal->encryption,
		.key_bits = proposal->key_bits,
		.integrity = proposal->integrity,
		.prf = proposal->prf,
		.group = proposal->group,
	};

	check_mode(conf, item, probe, read);
	buf_append(out, &settings, sizeof(settings));
}

const struct probe_kind_row probe_ikev2_row = {
	.kind = PROBE_IKEV2,
	.roles = PROBE_HEALTH,
	.port = 500,
	.section = &section,
	.settle = settle,
};
