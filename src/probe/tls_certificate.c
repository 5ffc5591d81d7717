#include "probe/tls_certificate.h"

#include <stdio.h>
#include <stdlib.h>

#define MINUTE_S 60
#define HOUR_S   3600
#define DAY_S    86400

int64_t tls_expires_in_s(const X509 *certificate)
{
	int days, seconds;

	/* A time that cannot be read is past: nobody can tell how long the certificate holds. */
	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) != 1)
		return -1;
	return (int64_t)days * DAY_S + seconds;
}

bool tls_expires_soon(int64_t seconds, uint32_t days)
{
	return days > 0 && seconds < (int64_t)days * DAY_S;
}

const char *tls_expiry_text(int64_t seconds, char text[TLS_EXPIRY_SIZE])
{
	uint64_t s = (uint64_t)(seconds < 0 ? -seconds : seconds);
	const char *unit = s >= DAY_S ? "day" : s >= HOUR_S ? "hour" : "minute";
	uint64_t count = s >= DAY_S ? s / DAY_S : s >= HOUR_S ? s / HOUR_S : s / MINUTE_S;

	(void)snprintf(text, TLS_EXPIRY_SIZE,
		       seconds < 0 ? "expired %llu %s%s ago" : "expires in %llu %s%s",
		       (unsigned long long)count, unit, count == 1 ? "" : "s");
	return text;
}

void tls_note_certificate(struct evidence *evidence, const X509 *certificate)
{
	char subject[96], issuer[96], expiry[TLS_EXPIRY_SIZE];

	if (evidence == NULL)
		return;
	(void)X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof(subject));
	(void)X509_NAME_oneline(X509_get_issuer_name(certificate), issuer, sizeof(issuer));
	evidence_note(evidence, "certificate of %s by %s %s", subject, issuer,
		      tls_expiry_text(tls_expires_in_s(certificate), expiry));
}
