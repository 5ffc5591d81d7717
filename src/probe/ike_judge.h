/* ike_judge.h - what an answer to IKE_SA_INIT says of a node. Pure. */
#ifndef PROBE_IKE_JUDGE_H
#define PROBE_IKE_JUDGE_H

#include "probe/ike.h"
#include "probe/kind.h"

/* Of a reply that is an answer. out->why is `why`, or constant. */
void ike_judge(const struct ikev2_settings *settings, enum ike_answer answer,
	       const struct ike_reply *reply, char why[PROBE_WHY_SIZE], struct probe_result *out);

/* What a node is that does not answer any more after it asked for a cookie. */
void ike_judge_cookie(const struct ikev2_settings *settings, struct probe_result *out);

#endif
