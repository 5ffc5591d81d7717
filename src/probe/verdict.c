#include "probe/verdict.h"

const char *const node_status_name[] = { "unknown", "up", "down" };

int32_t verdict_step(int32_t verdict, bool success, uint32_t fall, uint32_t rise)
{
	int32_t best = (int32_t)fall;
	int32_t worst = -(int32_t)rise;

	if (verdict == 0)
		return success ? best : worst;
	if (verdict > 0) {
		if (success)
			return best;
		return verdict > 1 ? verdict - 1 : worst;
	}
	if (!success)
		return worst;
	return verdict < -1 ? verdict + 1 : best;
}

uint32_t verdict_within_ms(int32_t verdict, uint32_t fall, uint32_t interval_ms,
			   uint32_t timeout_ms)
{
	uint64_t ms;

	if (verdict <= 0 || (uint32_t)verdict >= fall)
		return 0;
	ms = (uint64_t)(uint32_t)verdict * interval_ms + timeout_ms;
	return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

enum node_status verdict_node(enum node_status now, uint32_t checks, uint32_t pending,
			      uint32_t down)
{
	if (checks == 0)
		return NODE_UNKNOWN;
	if (down > 0)
		return NODE_DOWN;
	return pending > 0 ? now : NODE_UP;
}
