/* log.h - one line an event: a sentence, then key=value.
 *
 * Called by main and event callbacks only, from any thread. Nothing that a stranger can trigger
 * is logged per packet: count it instead.
 *
 * Never waits: while nobody reads the log, lines are lost and counted, and the number is told when
 * somebody does. Where there is no syslog, lines go to stderr. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_target { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG };

/* Until called: stderr, level info, no name. `name` is kept by pointer (a literal). */
void log_open(const char *name, enum log_target target, enum log_level level);

void log_set_level(enum log_level level);

/* false: not a name of a level ("error", "warning", "info", "debug"); *out is untouched. */
bool log_level_parse(const char *text, enum log_level *out);

void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* log_info("node changed state", "node=%s from=%s to=%s", name, "up", "down"); pass "" for no
 * details. A value with spaces is written in quotes by the caller, "reason=\"%s\"": what is formatted
 * within them is escaped (\" \\ \n \x1b), so that the quotes that end a value are those of the format;
 * elsewhere control characters become blanks. */
#define log_error(event, ...)   log_event(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warning(event, ...) log_event(LOG_LEVEL_WARNING, event, __VA_ARGS__)
#define log_info(event, ...)    log_event(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...)   log_event(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

#endif
