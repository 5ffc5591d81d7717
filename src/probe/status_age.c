#include "probe/status_age.h"

uint64_t status_age_take(struct status_age *age, uint64_t version, uint64_t written_ms,
			 uint64_t unix_ms, uint64_t mono_ms)
{
	if (!age->has_seen || age->version != version) {
		uint64_t said_ms = unix_ms > written_ms ? unix_ms - written_ms : 0;
		uint64_t most_ms = age->has_seen ? mono_ms - age->looked_ms : UINT64_MAX;

		age->age_ms = said_ms < most_ms ? said_ms : most_ms;
		age->seen_ms = mono_ms;
		age->version = version;
		age->has_seen = true;
	}
	age->looked_ms = mono_ms;
	return age->age_ms + (mono_ms - age->seen_ms);
}
