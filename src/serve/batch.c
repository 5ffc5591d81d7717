#include "serve/batch.h"

#include "base/hash.h"
#include "base/netprefix.h"

void batch_answer(const struct world *world, struct batch_query *queries, unsigned count,
		  uint32_t unix_s, struct class_counters *classes, struct counters *counters)
{
	for (unsigned i = 0; i < count; i++) {
		struct batch_query *q = &queries[i];
		struct client client = { .unix_s = unix_s, .classes = classes };

		client.random = hash_word(q->random);
		ip_from_sockaddr(q->from, &client.address, NULL);
		q->reply_len = answer(world, &client, q->message, q->len, q->reply, q->size,
				      counters);
	}
}
