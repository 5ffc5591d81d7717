/* wireguard.c - a handshake as a peer of the node's WireGuard: it is well when it proves that it has
 * its private key, and knows us (probe/noise.h).
 *
 * WireGuard is silent to strangers and to mistakes, so we have a key of our own, which servers have
 * as a peer without allowed addresses. The handshake is not confirmed: the server then prepares keys
 * that it never uses, sends nothing more, and drops them by itself. Nothing is said twice: each
 * initiation has a new ephemeral key and a later timestamp, for repeated ones are ignored. A server
 * also ignores what comes less than 20 ms after the last initiation that it took from the same peer;
 * probes that share a key therefore take turns.
 *
 * Under load a server first answers with a cookie, that is bound to the source address and port: what
 * comes back with it, from the same socket, is served. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "image/probe_wireguard.h"
#include "probe/datagrams.h"
#include "probe/noise.h"
#include "probe/secret.h"
#include "probe/stamps.h"
#include "probe/turns.h"

_Static_assert(WIREGUARD_KEY_SIZE == NOISE_KEY_SIZE, "settings hold a key");

#define STATE_FILE "wireguard-timestamp"

#define US_PER_MS UINT64_C(1000)

#define BETWEEN_ATTEMPTS_US (250 * US_PER_MS) /* at least; and after a timeout's even share */
#define BETWEEN_PROBES_US   (25 * US_PER_MS)  /* of one peer */

/* A key that so few checks use toward one public key is likely to be one server's, be its addresses those
 * of several nodes. */
#define FEW_USERS 8

#define KEY_TEXT_SIZE BASE64_SIZE(NOISE_KEY_SIZE)

struct wireguard {
	struct kind kind; /* first: a struct kind * is a struct wireguard * */
	struct ev_loop *loop;
	struct noise *noise; /* NULL: there is none, because of `lack` */
	struct err lack;
	struct stamps stamps;
	bool stamps_told; /* that they could not be kept */
	struct turns *turns;
};

struct sent {
	struct noise_handshake handshake;
	uint64_t at_us;
};

struct wireguard_own {
	struct noise_peer peer;
	/* All checks that use these keys; those of this address; those of this node. */
	struct turn *server, *address, *node;
	struct ip_address home; /* the node's, when it joined those */
	struct wireguard *wireguard;
	struct datagrams datagrams;
	struct sent sent[WIREGUARD_ATTEMPTS_MAX + 1]; /* one more for the cookie */
	uint32_t sent_count, attempts;
	bool has_cookie, was_asked; /* for a cookie; it has been answered with one */
	bool mismatched;            /* a response came that does not open */
	uint8_t cookie[NOISE_COOKIE_SIZE];
};

/* --- keys ---------------------------------------------------------------------------------- */

static int read_key(const char *path, uint8_t key[NOISE_KEY_SIZE], struct err *err)
{
	char text[256];
	size_t len;
	int rc = secret_read(path, text, sizeof(text), &len, err);

	if (rc == 0 && !base64_decode_line(text, len, key, NOISE_KEY_SIZE))
		rc = err_set(err, "%s: holds no key of 32 octets in base64", path);
	secret_wipe(text, sizeof(text));
	return rc;
}

static int read_keys(const struct wireguard_settings *settings, uint8_t private_key[NOISE_KEY_SIZE],
		     uint8_t preshared[NOISE_KEY_SIZE], struct err *err)
{
	if (read_key(probe_text(settings, settings->private_key), private_key, err) != 0)
		return -1;
	if (settings->preshared_key.offset == 0)
		return 0;
	return read_key(probe_text(settings, settings->preshared_key), preshared, err);
}

static void join_turns(struct wireguard *wireguard, const struct probe *probe)
{
	struct wireguard_own *own = probe->own;
	struct {
		uint8_t own[NOISE_KEY_SIZE], server[NOISE_KEY_SIZE], address[16], port[2];
	} who;

	memcpy(who.own, own->peer.own_public, NOISE_KEY_SIZE);
	memcpy(who.server, own->peer.server_public, NOISE_KEY_SIZE);
	memcpy(who.address, probe->address.bytes, sizeof(who.address));
	memcpy(who.port, &probe->port, sizeof(who.port));
	own->server = turn_join(wireguard->turns, who.own, 2 * sizeof(who.own));
	own->address = turn_join(wireguard->turns, who.own, sizeof(who));
}

/* A server knows its peer by its keys, on whichever of its addresses it is asked. */
static void join_node(struct wireguard *wireguard, const struct probe *probe)
{
	struct wireguard_own *own = probe->own;
	struct {
		uint8_t own[NOISE_KEY_SIZE], server[NOISE_KEY_SIZE], home[16], family;
	} who;

	if (probe->home.family == 0 || (own->home.family == probe->home.family &&
					memcmp(own->home.bytes, probe->home.bytes, 16) == 0))
		return;
	memcpy(who.own, own->peer.own_public, NOISE_KEY_SIZE);
	memcpy(who.server, own->peer.server_public, NOISE_KEY_SIZE);
	memcpy(who.home, probe->home.bytes, sizeof(who.home));
	who.family = probe->home.family;
	turn_leave(wireguard->turns, own->node);
	own->node = turn_join(wireguard->turns, who.own, sizeof(who));
	own->home = probe->home;
}

static int wireguard_prepare(struct kind *kind, struct probe *probe, struct err *err)
{
	struct wireguard *wireguard = (struct wireguard *)kind;
	const struct wireguard_settings *settings = probe->settings;
	struct wireguard_own *own = probe->own;
	uint8_t private_key[NOISE_KEY_SIZE], preshared[NOISE_KEY_SIZE] = { 0 };
	int rc = -1;

	if (wireguard->noise == NULL)
		return err_set(err, "%s", wireguard->lack.text);
	if (read_keys(settings, private_key, preshared, err) == 0)
		rc = noise_peer_init(wireguard->noise, &own->peer, private_key,
				     settings->public_key, preshared, err);
	secret_wipe(private_key, sizeof(private_key));
	secret_wipe(preshared, sizeof(preshared));
	if (rc == 0 && memcmp(own->peer.own_public, settings->public_key, NOISE_KEY_SIZE) == 0)
		rc = err_set(err, "private-key is the servers' own");
	if (rc == 0)
		join_turns(wireguard, probe);
	return rc;
}

static void wireguard_release(struct kind *kind, struct probe *probe)
{
	struct wireguard *wireguard = (struct wireguard *)kind;
	struct wireguard_own *own = probe->own;

	turn_leave(wireguard->turns, own->server);
	turn_leave(wireguard->turns, own->address);
	turn_leave(wireguard->turns, own->node);
	secret_wipe(own, sizeof(*own));
}

/* --- sending ------------------------------------------------------------------------------- */

/* What was of this probe alone. */
static void forget(struct wireguard_own *own)
{
	secret_wipe(own->sent, sizeof(own->sent));
	secret_wipe(own->cookie, sizeof(own->cookie));
}

static void end(struct wireguard_own *own)
{
	datagrams_close(&own->datagrams);
	forget(own);
}

static void next_timestamp(struct wireguard *wireguard, uint8_t out[NOISE_TIMESTAMP_SIZE])
{
	struct err err;

	_Static_assert(STAMP_SIZE == NOISE_TIMESTAMP_SIZE, "a stamp is a timestamp");
	if (stamps_next(&wireguard->stamps, clock_unix_ms(), out, &err) == 0)
		return;
	if (!wireguard->stamps_told)
		log_warning("WireGuard's timestamps cannot be kept over a restart", "reason=\"%s\"",
			    err.text);
	wireguard->stamps_told = true;
}

static bool make_fresh(struct wireguard *wireguard, struct noise_fresh *fresh)
{
	uint8_t random[NOISE_KEY_SIZE + NOISE_INDEX_SIZE];

	if (getrandom(random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		return false;
	memcpy(fresh->ephemeral, random, NOISE_KEY_SIZE);
	memcpy(fresh->index, random + NOISE_KEY_SIZE, NOISE_INDEX_SIZE);
	secret_wipe(random, sizeof(random));
	next_timestamp(wireguard, fresh->timestamp);
	return true;
}

static void note_sent(const struct probe *probe, const uint8_t *message)
{
	const struct wireguard_own *own = probe->own;
	const uint8_t *index = own->sent[own->sent_count].handshake.index;

	evidence_octets(probe->evidence, message, NOISE_INITIATION_SIZE,
			"sent %d octets: handshake initiation %u, sender index %02x%02x%02x%02x%s",
			NOISE_INITIATION_SIZE, own->sent_count + 1, index[0], index[1], index[2],
			index[3], own->has_cookie ? ", with the cookie" : "");
}

/* true: sent. */
static bool send_one(struct probe *probe)
{
	struct wireguard_own *own = probe->own;
	struct wireguard *wireguard = own->wireguard;
	struct sent *sent = &own->sent[own->sent_count];
	uint8_t message[NOISE_INITIATION_SIZE];
	struct noise_fresh fresh;
	int error;

	if (!make_fresh(wireguard, &fresh)) {
		end(own);
		kind_done(probe, PROBE_NOT_MADE, "no random number");
		return false;
	}
	noise_initiate(wireguard->noise, &own->peer, &fresh, own->has_cookie ? own->cookie : NULL,
		       &sent->handshake, message);
	secret_wipe(&fresh, sizeof(fresh));
	sent->at_us = clock_mono_us();
	error = datagrams_send(&own->datagrams, message, sizeof(message));
	if (error != 0) {
		forget(own);
		datagrams_fail(&own->datagrams, error);
		return false;
	}
	note_sent(probe, message);
	own->sent_count++;
	/* From now: since at_us was read this process may have waited for its processor, and the next one
	 * would come right behind. */
	own->address->next_us = clock_mono_us() + BETWEEN_PROBES_US;
	own->server->next_us = own->address->next_us;
	if (own->node != NULL)
		own->node->next_us = own->address->next_us;
	return true;
}

static uint64_t turn_us(const struct wireguard_own *own)
{
	uint64_t at_us = own->address->next_us;

	if (own->node != NULL && own->node->next_us > at_us)
		at_us = own->node->next_us;
	if (own->server->users <= FEW_USERS && own->server->next_us > at_us)
		at_us = own->server->next_us;
	return at_us;
}

/* Sends when it is our turn, and has itself called for that and for the next attempt. */
static void try_send(struct probe *probe)
{
	const struct wireguard_settings *settings = probe->settings;
	struct wireguard_own *own = probe->own;
	uint64_t now_us = clock_mono_us(), at_us = turn_us(own), share_us;

	if (at_us > now_us) {
		datagrams_again(&own->datagrams, at_us - now_us);
		return;
	}
	if (!send_one(probe) || --own->attempts == 0)
		return;
	share_us = probe->timeout_ms * US_PER_MS / settings->attempts;
	datagrams_again(&own->datagrams,
			share_us > BETWEEN_ATTEMPTS_US ? share_us : BETWEEN_ATTEMPTS_US);
}

/* --- receiving ----------------------------------------------------------------------------- */

static void succeed(struct probe *probe, const struct sent *sent)
{
	uint64_t rtt_us = clock_mono_us() - sent->at_us;
	const struct probe_result result = { .outcome = PROBE_SUCCESS,
					     .why = "handshake response",
					     .rtt_us = rtt_us > 0 ? (uint32_t)rtt_us : 1 };

	evidence_note(probe->evidence,
		      "it opens: the server has its private key, knows this peer, and has the same "
		      "preshared key or none");
	end(probe->own);
	probe->done(probe, &result);
}

/* The first cookie is answered as soon as may be; with later ones the next attempts are made. */
static void take_cookie(struct probe *probe, const uint8_t cookie[NOISE_COOKIE_SIZE])
{
	struct wireguard_own *own = probe->own;

	memcpy(own->cookie, cookie, NOISE_COOKIE_SIZE);
	own->has_cookie = true;
	if (own->was_asked)
		return;
	own->was_asked = true;
	own->attempts++;
	datagrams_again(&own->datagrams, 0);
	kind_went_on(probe);
}

/* What this datagram is to any of our initiations. */
static bool take_datagram(struct probe *probe, const uint8_t *message, size_t len)
{
	struct wireguard_own *own = probe->own;
	enum noise_answer answer = NOISE_NONE;
	uint8_t cookie[NOISE_COOKIE_SIZE];
	const char *why = NULL;
	uint32_t i = own->sent_count;

	while (answer == NOISE_NONE && i > 0)
		answer = noise_read(own->wireguard->noise, &own->peer, &own->sent[--i].handshake,
				    message, len, cookie, &why);
	evidence_octets(probe->evidence, message, len, "received %zu octets: %s%s", len,
			answer == NOISE_NONE     ? "ignored, for it is "
			: answer == NOISE_COOKIE ? "a cookie reply: the server is under load"
						 : "a handshake response",
			why != NULL ? why : "");
	switch (answer) {
	case NOISE_RESPONSE: succeed(probe, &own->sent[i]); return true;
	case NOISE_MISMATCH:
		/* Nobody who has not seen the initiation can make one, but others than the server
		 * can: one that opens may still come. */
		evidence_note(probe->evidence, "it does not open: the server is alive, but its "
					       "preshared key for this peer is another one");
		own->mismatched = true;
		return false;
	case NOISE_COOKIE:
		take_cookie(probe, cookie);
		secret_wipe(cookie, sizeof(cookie));
		return false;
	default: return false;
	}
}

/* --- the kind ------------------------------------------------------------------------------ */

static void note_keys(const struct probe *probe)
{
	const struct wireguard_own *own = probe->own;
	char peer[KEY_TEXT_SIZE], server[KEY_TEXT_SIZE];

	if (probe->evidence == NULL)
		return;
	base64_encode(own->peer.own_public, NOISE_KEY_SIZE, peer);
	base64_encode(own->peer.server_public, NOISE_KEY_SIZE, server);
	evidence_note(probe->evidence,
		      "probing the server of public key %s as its peer with public key %s", server,
		      peer);
}

static void wireguard_start(struct kind *kind, struct probe *probe)
{
	struct wireguard *wireguard = (struct wireguard *)kind;
	const struct wireguard_settings *settings = probe->settings;
	struct wireguard_own *own = probe->own;

	join_node(wireguard, probe);
	own->wireguard = wireguard;
	own->sent_count = 0;
	own->attempts = settings->attempts;
	own->has_cookie = own->was_asked = own->mismatched = false;
	if (!datagrams_open(&own->datagrams, wireguard->loop, probe, take_datagram, try_send))
		return;
	note_keys(probe);
	try_send(probe);
}

static void wireguard_cancel(struct kind *kind, struct probe *probe)
{
	(void)kind;
	end(probe->own);
}

/* Who asks for a cookie has our initiation, and knows its own public key; that it does not answer what
 * comes with the cookie is what overload looks like, and no reason to take it out. */
static void wireguard_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	struct wireguard_own *own = probe->own;

	(void)kind;
	datagrams_expire(&own->datagrams, result);
	forget(own);
	if (own->mismatched) {
		result->why = "preshared key or identity does not match";
	} else if (own->was_asked) {
		result->outcome = PROBE_WARNING;
		result->why = "under load: asks for cookies, and does not answer with them";
	} else if (own->sent_count == 0) {
		result->outcome = PROBE_NOT_MADE;
		result->why = "too many probes with one key: its turn did not come";
	}
}

static void wireguard_close(struct kind *kind)
{
	struct wireguard *wireguard = (struct wireguard *)kind;

	noise_close(wireguard->noise);
	stamps_close(&wireguard->stamps);
	turns_close(wireguard->turns);
	free(wireguard);
}

static void open_stamps(struct wireguard *wireguard, const char *state_dir)
{
	char *path = state_dir == NULL ? NULL : mem_format("%s/" STATE_FILE, state_dir);
	struct err err;

	if (stamps_open(&wireguard->stamps, path, &err) != 0)
		log_warning("WireGuard's last timestamp is not known", "reason=\"%s\"", err.text);
	free(path);
}

struct kind *kind_wireguard_open(const struct kind_tools *tools)
{
	struct wireguard *wireguard = mem_alloc(sizeof(*wireguard));

	wireguard->kind = (struct kind){ .name = "wireguard",
					 .own_size = sizeof(struct wireguard_own),
					 .has_descriptor = true,
					 .prepare = wireguard_prepare,
					 .release = wireguard_release,
					 .start = wireguard_start,
					 .cancel = wireguard_cancel,
					 .expire = wireguard_expire,
					 .close = wireguard_close };
	wireguard->loop = tools->loop;
	if (noise_open(&wireguard->noise, &wireguard->lack) != 0)
		wireguard->noise = NULL;
	open_stamps(wireguard, tools->state_dir);
	wireguard->turns = turns_open();
	return &wireguard->kind;
}
