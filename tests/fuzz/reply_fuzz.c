/* Answers to a question of ours, as a probe of kind dns reads them; held against ldns: what it takes
 * for an answer with the records expected has to be one there, too. */
#include <ldns/ldns.h>
#include <string.h>

#include "base/cursor.h"
#include "probe/dns_judge.h"
#include "tests/fuzz/fuzz.h"
#include "wire/types.h"

const unsigned long fuzz_runs = 300000, fuzz_runs_an_accepted = 1000;

#define ID 0x1234

#define QUESTION_SIZE 9

static const struct {
	struct dns_probe_settings settings;
	uint8_t question[QUESTION_SIZE];
} given = {
	{ .question = { sizeof(struct dns_probe_settings), QUESTION_SIZE },
	  .rcodes = 1,
	  .answers_min = 1 },
	{ 1, 'a', 1, 'z', 0, 0, TYPE_A, 0, CLASS_IN },
};

/* One record of type A of class IN is there, whatever else is. */
static void check_success(const uint8_t *data, size_t size)
{
	ldns_pkt *pkt = NULL;
	size_t count = 0, others = 0;

	must(size >= 12 + QUESTION_SIZE + 1 + 10 + 4); /* the least: an A record of the root */
	must((data[2] & 0x80) != 0 && (data[3] & 15) == 0);
	if (ldns_wire2pkt(&pkt, data, size) != LDNS_STATUS_OK)
		return; /* it reads names and other sections, too */
	for (size_t i = 0; i < ldns_rr_list_rr_count(ldns_pkt_answer(pkt)); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(ldns_pkt_answer(pkt), i);

		count += ldns_rr_get_type(rr) == LDNS_RR_TYPE_A &&
			 ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN;
		others += ldns_rr_get_type(rr) != LDNS_RR_TYPE_A;
	}
	/* Where RDATA is longer than the name in it, ldns takes what is left for the next record. */
	must(count > 0 || others > 0);
	fuzz_accepted++;
	ldns_pkt_free(pkt);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

/* The input is the message behind its id. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t message[DNS_MESSAGE_MAX];
	enum probe_outcome outcome = PROBE_NOT_MADE;
	char why[PROBE_WHY_SIZE] = "";

	if (size > 2048)
		return 0;
	store_u16(message, ID);
	memcpy(message + 2, data, size);
	if (!dns_judge(&given.settings, ID, message, size + 2, &outcome, why))
		outcome = PROBE_NOT_MADE;
	must(strlen(why) > 0 && strlen(why) < sizeof(why));
	if (outcome == PROBE_SUCCESS)
		check_success(message, size + 2);
	return 0;
}
