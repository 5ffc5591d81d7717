#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

static struct {
	const char *name;
	enum log_target target;
	enum log_level level;
} out = { .name = "signpost", .target = LOG_TARGET_STDERR, .level = LOG_LEVEL_INFO };

static const char *const level_names[] = { "error", "warning", "info", "debug" };
static const int syslog_levels[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_open(const char *name, enum log_target target, enum log_level level)
{
	out.name = name;
	out.target = target;
	out.level = level;
	if (target == LOG_TARGET_SYSLOG)
		openlog(name, LOG_PID, LOG_DAEMON);
}

void log_set_level(enum log_level level)
{
	__atomic_store_n(&out.level, level, __ATOMIC_RELAXED);
}

bool log_level_parse(const char *text, enum log_level *level)
{
	for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	char details[1024];
	char stamp[32] = "";
	struct timespec now;
	struct tm tm;
	va_list args;

	if (level > __atomic_load_n(&out.level, __ATOMIC_RELAXED))
		return;
	va_start(args, format);
	(void)vsnprintf(details, sizeof(details), format, args);
	va_end(args);
	/* One event is one line: foreign text in a value must not start a second one. */
	for (char *p = details; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	}
	if (out.target == LOG_TARGET_SYSLOG) {
		syslog(syslog_levels[level], "%s: %s%s%s", level_names[level], event,
		       details[0] ? " " : "", details);
		return;
	}
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) != NULL)
		(void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)fprintf(stderr, "%s.%03ldZ %s %s: %s%s%s\n", stamp, now.tv_nsec / 1000000, out.name,
		      level_names[level], event, details[0] ? " " : "", details);
}
