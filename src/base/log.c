#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* Up to this much a pipe that can be written at all takes whole (PIPE_BUF is 4096). */
#define LINE_SIZE 2048

static struct {
	const char *name;
	enum log_target target;
	enum log_level level;
	/* Under `lock`, which is never held for long: nothing here waits. */
	int syslog_fd; /* -1: none */
	unsigned long lost;
} out = {
	.name = "signpost", .target = LOG_TARGET_STDERR, .level = LOG_LEVEL_INFO, .syslog_fd = -1
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const level_names[] = { "error", "warning", "info", "debug" };
static const int syslog_levels[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* --- where lines go ------------------------------------------------------------------------- */

/* A log that nobody reads must not stop who writes it: a full pipe or a stopped terminal loses
 * lines. */
static bool stderr_takes(void)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT) != 0;
}

static bool write_stderr(const char *line, size_t len)
{
	return stderr_takes() && write(STDERR_FILENO, line, len) == (ssize_t)len;
}

static void connect_syslog(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		(void)close(fd);
		fd = -1;
	}
	if (out.syslog_fd >= 0)
		(void)close(out.syslog_fd);
	out.syslog_fd = fd;
}

static bool send_syslog(const char *line, size_t len)
{
	errno = ENOTCONN;
	return out.syslog_fd >= 0 && send(out.syslog_fd, line, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* syslog(3) would wait for a daemon that hangs, and be silent where there is none. false: there is
 * none, the line is for stderr. */
static bool write_syslog(enum log_level level, const char *text)
{
	char line[LINE_SIZE], stamp[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int len;

	if (localtime_r(&now, &tm) != NULL) /* RFC 3164, section 4.1.2 */
		(void)strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	len = snprintf(line, sizeof(line), "<%d>%s %s[%d]: %s: %s",
		       LOG_DAEMON | syslog_levels[level], stamp, out.name, (int)getpid(),
		       level_names[level], text);
	if ((size_t)len >= sizeof(line))
		len = sizeof(line) - 1;
	if (send_syslog(line, (size_t)len))
		return true;
	if (errno != EAGAIN) { /* it was started again, or was not there yet */
		connect_syslog();
		if (send_syslog(line, (size_t)len))
			return true;
	}
	if (out.syslog_fd < 0)
		return false;
	out.lost++;
	return true;
}

static void write_line(enum log_level level, const char *text)
{
	char line[LINE_SIZE], stamp[32] = "";
	struct timespec now;
	struct tm tm;
	int len;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) != NULL)
		(void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	len = snprintf(line, sizeof(line), "%s.%03ldZ %s %s: %s", stamp, now.tv_nsec / 1000000,
		       out.name, level_names[level], text);
	if ((size_t)len >= sizeof(line) - 1)
		len = sizeof(line) - 2;
	line[len] = '\n';
	if (!write_stderr(line, (size_t)len + 1))
		out.lost++;
}

static void write_text(enum log_level level, const char *text)
{
	if (out.target != LOG_TARGET_SYSLOG || !write_syslog(level, text))
		write_line(level, text);
}

/* Told with the first line that goes again. */
static void tell_lost(void)
{
	unsigned long lost = out.lost;
	char text[80];

	if (lost == 0)
		return;
	out.lost = 0;
	(void)snprintf(text, sizeof(text), "lines were lost while nobody read the log lines=%lu",
		       lost);
	write_text(LOG_LEVEL_WARNING, text);
	if (out.lost != 0) /* not yet: this line was not one of the log's own */
		out.lost = lost;
}

/* --- the interface -------------------------------------------------------------------------- */

void log_open(const char *name, enum log_target target, enum log_level level)
{
	out.name = name;
	out.target = target;
	out.level = level;
	if (target != LOG_TARGET_SYSLOG)
		return;
	connect_syslog();
	if (out.syslog_fd < 0)
		log_warning("there is no syslog at /dev/log, lines go to stderr until there is",
			    "reason=\"%s\"", strerror(errno));
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
	char details[1024], text[LINE_SIZE - 128];
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
	(void)snprintf(text, sizeof(text), "%s%s%s", event, details[0] ? " " : "", details);
	(void)pthread_mutex_lock(&lock);
	tell_lost();
	write_text(level, text);
	(void)pthread_mutex_unlock(&lock);
}
