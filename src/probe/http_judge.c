#include "probe/http_judge.h"

#include <stdio.h>
#include <string.h>

#include "probe/tls_certificate.h"

static bool is_expected(const struct http_settings *settings, unsigned status)
{
	for (size_t i = 0; i < settings->range_count; i++) {
		if (status >= settings->ranges[i].low && status <= settings->ranges[i].high)
			return true;
	}
	return false;
}

static bool has_text(const struct http_settings *settings, const struct web_answer *answer)
{
	return memmem(answer->body, answer->body_len, probe_text(settings, settings->expect_body),
		      settings->expect_body.len) != NULL;
}

enum probe_outcome http_judge(const struct http_settings *settings, const struct web_answer *answer,
			      char why[PROBE_WHY_SIZE])
{
	char expiry[TLS_EXPIRY_SIZE];

	if (answer->error != NULL) {
		kind_reason(why, answer->error);
		return answer->ours ? PROBE_NOT_MADE : PROBE_FAILURE;
	}
	(void)snprintf(why, PROBE_WHY_SIZE, "HTTP status %u", answer->status);
	if (!is_expected(settings, answer->status))
		return PROBE_FAILURE;
	if (!has_text(settings, answer)) {
		(void)snprintf(why, PROBE_WHY_SIZE,
			       "HTTP status %u, but the body has not the text expected",
			       answer->status);
		return PROBE_FAILURE;
	}
	if (!answer->has_certificate ||
	    !tls_expires_soon(answer->certificate_s, settings->warn_days))
		return PROBE_SUCCESS;
	(void)snprintf(why, PROBE_WHY_SIZE, "HTTP status %u, certificate %s", answer->status,
		       tls_expiry_text(answer->certificate_s, expiry));
	return PROBE_WARNING;
}
