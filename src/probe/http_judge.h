/* http_judge.h - what an answer means to a probe of kind http or https. Pure. */
#ifndef PROBE_HTTP_JUDGE_H
#define PROBE_HTTP_JUDGE_H

#include "image/probe_http.h"
#include "probe/kind.h"
#include "probe/web.h"

enum probe_outcome http_judge(const struct http_settings *settings, const struct web_answer *answer,
			      char why[PROBE_WHY_SIZE]);

#endif
