/* news.h - what has become of nodes and pools, as hooks are told it. */
#ifndef CONTROL_NEWS_H
#define CONTROL_NEWS_H

#include "control/hooks.h"
#include "control/inputs.h"

/* What a node is, in the word that tells most of it. */
enum hook_event news_condition(const struct inputs *inputs, const struct prober *prober,
			       uint32_t node);

void news_of_node(struct hooks *hooks, const struct inputs *inputs, uint32_t number,
		  enum hook_event from, enum hook_event to, const char *reason);

/* `applied` is what is answered for the pool, "" for alarms. */
void news_of_pool(struct hooks *hooks, uint32_t pool, enum hook_event event, const char *applied,
		  const char *reason);

#endif
