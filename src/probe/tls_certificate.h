/* tls_certificate.h - what a server's certificate says of itself. */
#ifndef PROBE_TLS_CERTIFICATE_H
#define PROBE_TLS_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "probe/evidence.h"

/* From now until it expires; negative: since it has. */
int64_t tls_expires_in_s(const X509 *certificate);

/* "certificate of CN = vpn.example.net, by CN = Example CA, expires in 20 days" */
void tls_note_certificate(struct evidence *evidence, const X509 *certificate);

/* Within so many days, or before now; 0: never. */
bool tls_expires_soon(int64_t seconds, uint32_t days);

#define TLS_EXPIRY_SIZE 48

/* "expires in 20 days", "expired 3 hours ago" */
const char *tls_expiry_text(int64_t seconds, char text[TLS_EXPIRY_SIZE]);

#endif
