/* probe_http.h - settings of probes of kinds http and https. */
#ifndef IMAGE_PROBE_HTTP_H
#define IMAGE_PROBE_HTTP_H

#include "image/probe_settings.h"

#define HTTP_RANGES_MAX   8
#define HTTP_BODY_MAX_MAX 1048576

struct http_range {
	uint16_t low, high;
};

struct http_settings {
	struct probe_text host; /* in the Host header, SNI, and the certificate; "": the address */
	struct probe_text path, method;
	struct probe_text body;        /* of the request */
	struct probe_text expect_body; /* is in the answer's; "": anything will do */
	/* For each header four texts, each with a NUL behind it: name; value; where the value is in a
	 * file, its path; and that file's version. One of value and path is empty. */
	struct probe_text headers;
	struct probe_text ca, certificate, key; /* paths, of https alone; "": see tls_files.h */
	uint64_t ca_version, certificate_version, key_version;
	uint32_t body_max; /* octets of the answer's body that are read */
	uint16_t warn_days;
	uint8_t verify;
	uint8_t range_count; /* of status codes that are expected */
	struct http_range ranges[HTTP_RANGES_MAX];
};
_Static_assert(sizeof(struct http_settings) == 136, "settings are compared as bytes");

#endif
