/* datagram.h - errors of the network, forged. */
#ifndef TESTS_UNIT_PROBE_DATAGRAM_H
#define TESTS_UNIT_PROBE_DATAGRAM_H

#include <netinet/in.h>
#include <stdbool.h>

/* Tells the prober's socket that nobody listens on the server's port, as anybody can who knows the
 * prober's. false: this needs the right to a raw socket. */
bool forge_unreachable(const struct sockaddr_in *prober, const char *server, uint16_t port);

#endif
