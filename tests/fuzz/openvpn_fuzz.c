/* What an OpenVPN server answers, and its files. The first octet of the input says which: a reply to
 * a probe that is plain, has tls-auth or tls-crypt (with the key of the unit tests' vectors), a
 * static key, a client key of tls-crypt-v2, a status file, or an answer to load-stats. */
#include <string.h>

#include "probe/openvpn_load.h"
#include "probe/openvpn_packet.h"
#include "tests/fuzz/fuzz.h"

/* A reply that is believed, a key that is one, a number of clients: these are accepted inputs. */
const unsigned long fuzz_runs = 200000, fuzz_runs_an_accepted = 10;

static struct openvpn_key key;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(key.key); i++)
		key.key[i] = (uint8_t)i;
	return 0;
}

static void read_reply(enum openvpn_mode mode, const uint8_t *data, size_t size)
{
	const struct openvpn_wrap wrap = { .mode = mode,
					   .direction = OPENVPN_DIRECTION_1,
					   .digest = OPENVPN_SHA256,
					   .key = mode == OPENVPN_PLAIN ? NULL : &key };
	uint8_t session[OPENVPN_SESSION_SIZE];

	if (openvpn_reply(&wrap, data, size, session) != NULL)
		return;
	fuzz_accepted++;
	must(size >= 26 && data[0] == 8 << 3);
	/* Nobody without the key makes a reply: those that are believed are the server's. */
	if (mode != OPENVPN_PLAIN)
		must(memcmp(session, "\1\2\3\4\5\6\7\10", sizeof(session)) == 0);
	else
		must(memmem(data + 10, size - 10, session, sizeof(session)) != NULL);
}

static void read_key(bool v2, const char *text, size_t size)
{
	struct openvpn_key read;
	const char *wrong = v2 ? openvpn_key_v2(text, size, &read)
			       : openvpn_key_static(text, size, &read);

	if (wrong != NULL) {
		must(read.wrapped_len == 0 && read.key[0] == 0);
		return;
	}
	fuzz_accepted++;
	must(v2 ? read.wrapped_len >= OPENVPN_WRAPPED_LEAST &&
			     read.wrapped_len <= OPENVPN_WRAPPED_MAX
		: read.wrapped_len == 0);
}

static void read_status(const char *text, size_t size)
{
	struct openvpn_status status;

	if (openvpn_status_read(text, size, &status) != NULL)
		return;
	fuzz_accepted++;
	must(status.version >= 1 && status.version <= 3);
	must(status.clients <= size);
	must((status.version == 1) == (status.unix_s == 0));
}

static void read_stats(const char *text, size_t size)
{
	uint32_t clients;

	if (openvpn_load_stats(text, size, &clients))
		fuzz_accepted++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 7) {
	case 0: read_reply(OPENVPN_PLAIN, data + 1, size - 1); break;
	case 1: read_reply(OPENVPN_TLS_AUTH, data + 1, size - 1); break;
	case 2: read_reply(OPENVPN_TLS_CRYPT, data + 1, size - 1); break;
	case 3: read_key(false, (const char *)data + 1, size - 1); break;
	case 4: read_key(true, (const char *)data + 1, size - 1); break;
	case 5: read_status((const char *)data + 1, size - 1); break;
	default: read_stats((const char *)data + 1, size - 1); break;
	}
	return 0;
}
