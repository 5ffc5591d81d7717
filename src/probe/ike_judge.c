#include "probe/ike_judge.h"

#include <stdio.h>

static void says(struct probe_result *out, enum probe_outcome outcome, const char *why)
{
	out->outcome = outcome;
	out->why = why;
}

/* "INVALID_SYNTAX", or its number. */
static const char *notify_text(uint16_t notify, char text[PROBE_WHY_SIZE])
{
	const char *name = ike_notify_name(notify);

	if (name != NULL)
		return name;
	(void)snprintf(text, PROBE_WHY_SIZE, "error notify %u", notify);
	return text;
}

static void judge_redirect(const struct ikev2_settings *settings, struct probe_result *out)
{
	if (settings->redirect == IKE_REDIRECT_DRAINS) {
		says(out, PROBE_SUCCESS, "REDIRECT: it drains");
		out->wish = WISH_DRAIN;
	} else {
		says(out, PROBE_WARNING, "REDIRECT: it sends clients to another server");
	}
}

static void judge_liveness(enum ike_answer answer, const struct ike_reply *reply,
			   char why[PROBE_WHY_SIZE], struct probe_result *out)
{
	if (answer == IKE_ACCEPTED)
		says(out, PROBE_WARNING, "accepts DES and MD5");
	else
		says(out, PROBE_SUCCESS, notify_text(reply->notify, why));
}

static void judge_config(const struct ikev2_settings *settings, const struct ike_reply *reply,
			 char why[PROBE_WHY_SIZE], struct probe_result *out)
{
	if (reply->notify == IKE_INVALID_KE_PAYLOAD && reply->group == settings->group)
		says(out, PROBE_SUCCESS, "INVALID_KE_PAYLOAD: it takes the proposal");
	else if (reply->notify == IKE_NO_PROPOSAL_CHOSEN)
		says(out, PROBE_FAILURE, "NO_PROPOSAL_CHOSEN: no connection takes the proposal");
	else
		says(out, PROBE_FAILURE, notify_text(reply->notify, why));
}

static void judge_full(const struct ike_reply *reply, char why[PROBE_WHY_SIZE],
		       struct probe_result *out)
{
	if (reply->notify == IKE_INVALID_KE_PAYLOAD && reply->group != 0) {
		(void)snprintf(why, PROBE_WHY_SIZE, "INVALID_KE_PAYLOAD: it asks for group %u",
			       reply->group);
		says(out, PROBE_FAILURE, why);
	} else {
		says(out, PROBE_FAILURE, notify_text(reply->notify, why));
	}
}

void ike_judge(const struct ikev2_settings *settings, enum ike_answer answer,
	       const struct ike_reply *reply, char why[PROBE_WHY_SIZE], struct probe_result *out)
{
	/* What was a wish to be drained is over. */
	out->wish = settings->redirect == IKE_REDIRECT_DRAINS ? WISH_READY : WISH_NONE;
	if (reply->notify == IKE_REDIRECT)
		judge_redirect(settings, out);
	else if (settings->mode == IKE_LIVENESS)
		judge_liveness(answer, reply, why, out);
	else if (reply->notify == IKE_COOKIE)
		ike_judge_cookie(settings, out);
	else if (answer == IKE_ACCEPTED)
		says(out, settings->mode == IKE_FULL ? PROBE_SUCCESS : PROBE_WARNING,
		     settings->mode == IKE_FULL ? "accepted"
						: "accepts a key exchange that it was not offered");
	else if (settings->mode == IKE_CONFIG)
		judge_config(settings, reply, why, out);
	else
		judge_full(reply, why, out);
}

void ike_judge_cookie(const struct ikev2_settings *settings, struct probe_result *out)
{
	says(out, PROBE_WARNING,
	     settings->mode == IKE_FULL ? "COOKIE: under load, or too many half-open states"
					: "COOKIE: under load");
}
