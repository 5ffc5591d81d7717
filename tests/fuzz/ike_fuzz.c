/* What an IKE server answers, with and without the marker of port 4500: read as the answer to one SPI,
 * which the seeds have, and judged in each mode. */
#include <string.h>

#include "probe/ike_judge.h"
#include "tests/fuzz/fuzz.h"

const unsigned long fuzz_runs = 20000, fuzz_runs_an_accepted = 20;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void judge(const struct ikev2_settings *settings, enum ike_answer answer,
		  const struct ike_reply *reply)
{
	struct probe_result result = { 0 };
	char why[PROBE_WHY_SIZE];

	ike_judge(settings, answer, reply, why, &result);
	must(result.why != NULL && strlen(result.why) < PROBE_WHY_SIZE);
	must(result.outcome <= PROBE_FAILURE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t spi[IKE_SPI_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	for (uint8_t mode = IKE_LIVENESS; mode <= IKE_FULL; mode++) {
		for (uint8_t marker = 0; marker < 2; marker++) {
			const struct ikev2_settings settings = { .mode = mode,
								 .marker = marker,
								 .group = 14 };
			struct ike_reply reply;
			enum ike_answer answer = ike_read(&settings, spi, data, size, &reply);

			must((answer == IKE_NO_ANSWER) == (reply.why != NULL));
			must(reply.cookie.len <= IKE_COOKIE_MAX);
			if (answer == IKE_NO_ANSWER)
				continue;
			fuzz_accepted++;
			judge(&settings, answer, &reply);
		}
	}
	return 0;
}
