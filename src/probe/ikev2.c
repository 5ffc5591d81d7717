/* ikev2.c - the first message of IKEv2 (probe/ike.h): the node is well when its answer is one that the
 * mode of the probe takes for that.
 *
 * The same bytes are sent again (RFC 7296, 2.1), so that a server that has answered sends the same
 * answer, and makes nothing twice. A cookie (2.6) is sent back where that leaves no state: not in mode
 * full, in which it would open the way to more half-open states than a server allows a host. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/datagrams.h"
#include "probe/ike.h"
#include "probe/ike_judge.h"
#include "probe/kind.h"

#define US_PER_MS UINT64_C(1000)

#define BETWEEN_ATTEMPTS_US (250 * US_PER_MS) /* at least */

struct ikev2 {
	struct kind kind; /* first: a struct kind * is a struct ikev2 * */
	struct ev_loop *loop;
};

struct ikev2_own {
	struct datagrams datagrams;
	struct ike_fresh fresh;
	struct ike_cookie cookie;
	uint64_t sent_us; /* the last time */
	uint32_t attempts;
	bool was_asked; /* for a cookie */
};

/* --- sending ------------------------------------------------------------------------------- */

static void note_sent(const struct probe *probe, const uint8_t *request, size_t len)
{
	static const char *const asked[] = {
		[IKE_LIVENESS] = "with a proposal that nobody takes",
		[IKE_CONFIG] = "with the proposal, and a public value of another group",
		[IKE_FULL] = "with the proposal",
	};
	const struct ikev2_settings *settings = probe->settings;
	const struct ikev2_own *own = probe->own;

	evidence_octets(probe->evidence, request, len, "sent %zu octets: IKE_SA_INIT %s%s", len,
			asked[settings->mode], own->cookie.len > 0 ? ", and the cookie" : "");
}

static void send_request(struct probe *probe)
{
	const struct ikev2_settings *settings = probe->settings;
	struct ikev2_own *own = probe->own;
	uint8_t request[IKE_REQUEST_MAX];
	size_t len = ike_request(settings, &own->fresh, &own->cookie, request);
	uint64_t share_us = probe->timeout_ms * US_PER_MS / settings->attempts;
	int error;

	own->sent_us = clock_mono_us();
	error = datagrams_send(&own->datagrams, request, len);
	if (error != 0) {
		datagrams_fail(&own->datagrams, error);
		return;
	}
	note_sent(probe, request, len);
	if (--own->attempts > 0)
		datagrams_again(&own->datagrams,
				share_us > BETWEEN_ATTEMPTS_US ? share_us : BETWEEN_ATTEMPTS_US);
}

/* --- receiving ----------------------------------------------------------------------------- */

static void answer_cookie(struct probe *probe, const struct ike_cookie *cookie)
{
	struct ikev2_own *own = probe->own;

	own->was_asked = true;
	own->cookie = *cookie;
	own->attempts++;
	datagrams_again(&own->datagrams, 0);
	kind_went_on(probe);
}

static void conclude(struct probe *probe, enum ike_answer answer, const struct ike_reply *reply)
{
	struct ikev2_own *own = probe->own;
	uint64_t rtt_us = clock_mono_us() - own->sent_us;
	struct probe_result result = { .rtt_us = rtt_us > 0 ? (uint32_t)rtt_us : 1 };
	char why[PROBE_WHY_SIZE];

	ike_judge(probe->settings, answer, reply, why, &result);
	datagrams_close(&own->datagrams);
	probe->done(probe, &result);
}

static bool take_datagram(struct probe *probe, const uint8_t *message, size_t len)
{
	const struct ikev2_settings *settings = probe->settings;
	struct ikev2_own *own = probe->own;
	struct ike_reply reply;
	enum ike_answer answer = ike_read(settings, own->fresh.spi, message, len, &reply);
	const char *name = ike_notify_name(reply.notify);

	evidence_octets(probe->evidence, message, len, "received %zu octets: %s%s", len,
			answer == IKE_NO_ANSWER ? "ignored, for it is " : "",
			answer == IKE_NO_ANSWER  ? reply.why
			: answer == IKE_ACCEPTED ? "a proposal is chosen"
			: name != NULL           ? name
						 : "an error");
	if (answer == IKE_NO_ANSWER)
		return false;
	if (settings->mode == IKE_CONFIG && reply.notify == IKE_COOKIE) {
		/* Another one may answer what was sent before it came. */
		if (!own->was_asked)
			answer_cookie(probe, &reply.cookie);
		return false;
	}
	conclude(probe, answer, &reply);
	return true;
}

/* --- the kind ------------------------------------------------------------------------------ */

static bool make_fresh(struct ike_fresh *fresh)
{
	/* More than 256 octets may come in parts; and no SPI is zero. */
	if (getrandom(fresh->spi, sizeof(fresh->spi), GRND_NONBLOCK) !=
		    (ssize_t)sizeof(fresh->spi) ||
	    getrandom(fresh->nonce, sizeof(fresh->nonce), GRND_NONBLOCK) !=
		    (ssize_t)sizeof(fresh->nonce) ||
	    getrandom(fresh->value, IKE_VALUE_MAX / 2, GRND_NONBLOCK) != IKE_VALUE_MAX / 2 ||
	    getrandom(fresh->value + IKE_VALUE_MAX / 2, IKE_VALUE_MAX / 2, GRND_NONBLOCK) !=
		    IKE_VALUE_MAX / 2)
		return false;
	fresh->spi[0] |= 1;
	return true;
}

static void ikev2_start(struct kind *kind, struct probe *probe)
{
	struct ikev2 *ikev2 = (struct ikev2 *)kind;
	const struct ikev2_settings *settings = probe->settings;
	struct ikev2_own *own = probe->own;

	if (!make_fresh(&own->fresh)) {
		kind_done(probe, PROBE_NOT_MADE, "no random number");
		return;
	}
	own->cookie.len = 0;
	own->was_asked = false;
	own->attempts = settings->attempts;
	if (datagrams_open(&own->datagrams, ikev2->loop, probe, take_datagram, send_request))
		send_request(probe);
}

static void ikev2_cancel(struct kind *kind, struct probe *probe)
{
	struct ikev2_own *own = probe->own;

	(void)kind;
	datagrams_close(&own->datagrams);
}

static void ikev2_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	struct ikev2_own *own = probe->own;

	(void)kind;
	datagrams_expire(&own->datagrams, result);
	if (own->was_asked)
		ike_judge_cookie(probe->settings, result);
}

static void ikev2_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_ikev2_open(const struct kind_tools *tools)
{
	struct ikev2 *ikev2 = mem_alloc(sizeof(*ikev2));

	ikev2->kind = (struct kind){ .name = "ikev2",
				     .own_size = sizeof(struct ikev2_own),
				     .has_descriptor = true,
				     .start = ikev2_start,
				     .cancel = ikev2_cancel,
				     .expire = ikev2_expire,
				     .close = ikev2_close };
	ikev2->loop = tools->loop;
	return &ikev2->kind;
}
