/* icmp_judge.h - what the last echoes say of a node. Pure. */
#ifndef PROBE_ICMP_JUDGE_H
#define PROBE_ICMP_JUDGE_H

#include "image/probe_icmp.h"
#include "probe/kind.h"
#include "probe/window.h"

/* false: there are no limits, and each echo is judged by itself. */
bool icmp_has_limits(const struct icmp_settings *settings);

/* The outcome of an echo that came back (`lost` is NULL), or did not, and why; with it, the window
 * holds what is measured. */
enum probe_outcome icmp_judge(const struct icmp_settings *settings,
			      const struct window_measures *measures, const char *lost,
			      char why[PROBE_WHY_SIZE]);

#endif
