/* Options of probes of kind icmp. */
#include "image/probe_icmp.h"
#include "conf/probe_kinds.h"

static const struct option icmp_options[] = {
	{ "window", OPTION_NUMBER, OPTION_FIELD(struct icmp_settings, window), .min = 1,
	  .max = ICMP_WINDOW_MAX, .counts = "echoes", .dflt = "10",
	  .manual = "the last echoes, whose loss and mean round-trip time are measured" },
	{ "max-loss", OPTION_NUMBER, OPTION_FIELD(struct icmp_settings, loss_max_percent), .min = 1,
	  .max = 99, .suffix = "%",
	  .manual = "more loss in the window is a failure; without it, each lost echo is one" },
	{ "max-rtt", OPTION_DURATION, OPTION_FIELD(struct icmp_settings, rtt_max_ms), .unit_ms = 1,
	  .min = 1, .max = 60000, .manual = "a longer mean round-trip time is a failure" },
	{ "warn-loss", OPTION_NUMBER, OPTION_FIELD(struct icmp_settings, loss_warn_percent),
	  .min = 1, .max = 99, .suffix = "%",
	  .manual = "more loss in the window makes the node degraded" },
	{ "warn-rtt", OPTION_DURATION, OPTION_FIELD(struct icmp_settings, rtt_warn_ms),
	  .unit_ms = 1, .min = 1, .max = 60000,
	  .manual = "a longer mean round-trip time makes the node degraded" },
};

static const struct option_section icmp_section = {
	.name = "pool: probes[] of kind icmp",
	.options = icmp_options,
	.count = OPTION_COUNT(icmp_options),
	.size = sizeof(struct icmp_settings),
};

/* A warning that could come only where it is a failure already. */
static void check_order(struct conf *conf, const struct yaml_node *item, const char *warn,
			uint32_t warn_value, const char *max, uint32_t max_value)
{
	if (warn_value != 0 && max_value != 0 && warn_value >= max_value)
		conf_error(conf, &yaml_get(item, warn)->place, "%s is not below %s", warn, max);
}

/* A probe whose answer comes later than its timeout is lost, and has no round-trip time. */
static void check_timeout(struct conf *conf, const struct yaml_node *item, const char *name,
			  uint32_t limit_ms, uint32_t timeout_ms)
{
	if (limit_ms >= timeout_ms)
		conf_error(conf, &yaml_get(item, name)->place,
			   "%s %s is not below the timeout, %s, after which an echo is lost", name,
			   conf_duration_text(conf, limit_ms),
			   conf_duration_text(conf, timeout_ms));
}

static void settle_icmp(struct conf *conf, const struct yaml_node *item, struct config_probe *probe,
			const void *options, struct buf *settings)
{
	const struct icmp_settings *icmp = options;

	check_order(conf, item, "warn-loss", icmp->loss_warn_percent, "max-loss",
		    icmp->loss_max_percent);
	check_order(conf, item, "warn-rtt", icmp->rtt_warn_ms, "max-rtt", icmp->rtt_max_ms);
	check_timeout(conf, item, "max-rtt", icmp->rtt_max_ms, probe->timeout_ms);
	check_timeout(conf, item, "warn-rtt", icmp->rtt_warn_ms, probe->timeout_ms);
	buf_append(settings, icmp, sizeof(*icmp));
}

const struct probe_kind_row probe_icmp_row = { .kind = PROBE_ICMP,
					       .roles = PROBE_HEALTH,
					       .port = PROBE_PORT_NONE,
					       .section = &icmp_section,
					       .settle = settle_icmp };
