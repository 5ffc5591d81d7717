/* What a WireGuard server answers: read as the answer to two initiations, whose real answers are among
 * the seeds. */
#include <stdio.h>
#include <string.h>

#include "probe/noise.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/probe/noise_vectors.h"

const unsigned long fuzz_runs = 10000, fuzz_runs_an_accepted = 100;

static struct noise *noise;
static struct noise_peer peer;
static struct noise_handshake handshakes[2];

static void unhex(const char *digits, uint8_t *out)
{
	for (size_t i = 0; i < strlen(digits) / 2; i++) {
		unsigned octet = 0;

		must(sscanf(digits + 2 * i, "%2x", &octet) == 1);
		out[i] = (uint8_t)octet;
	}
}

static void count_up(uint8_t first, uint8_t out[NOISE_KEY_SIZE])
{
	for (uint8_t i = 0; i < NOISE_KEY_SIZE; i++)
		out[i] = (uint8_t)(first + i);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const times[] = { TIMESTAMP, LATER };
	uint8_t own[NOISE_KEY_SIZE], server[NOISE_KEY_SIZE], psk[NOISE_KEY_SIZE];
	uint8_t message[NOISE_INITIATION_SIZE];
	struct noise_fresh fresh = { .index = { 0x11, 0x22, 0x33, 0x44 } };
	struct err err;

	(void)argc;
	(void)argv;
	count_up(0x01, own);
	count_up(0xc0, psk);
	count_up(0x40, fresh.ephemeral);
	unhex(SERVER_PUBLIC, server);
	must_do(noise_open(&noise, &err), &err);
	must_do(noise_peer_init(noise, &peer, own, server, psk, &err), &err);
	for (size_t i = 0; i < 2; i++) {
		unhex(times[i], fresh.timestamp);
		noise_initiate(noise, &peer, &fresh, NULL, &handshakes[i], message);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t cookie[NOISE_COOKIE_SIZE];
	const char *why;

	for (size_t i = 0; i < 2; i++) {
		enum noise_answer answer = noise_read(noise, &peer, &handshakes[i], data, size,
						      cookie, &why);

		must((answer == NOISE_NONE) == (why != NULL));
		must(answer != NOISE_RESPONSE || size == NOISE_RESPONSE_SIZE);
		must(answer != NOISE_COOKIE || size == NOISE_REPLY_SIZE);
		fuzz_accepted += answer != NOISE_NONE;
	}
	return 0;
}
