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

/* --- details --------------------------------------------------------------------------------- */

#define SPEC_SIZE 16

struct details {
	char text[1024];
	size_t len;
	bool is_cut;
};

/* Whole or not at all, and a last quote is left room for. */
static void put(struct details *details, const char *text, size_t len)
{
	if (details->is_cut || len + 2 > sizeof(details->text) - details->len) {
		details->is_cut = true;
		return;
	}
	memcpy(details->text + details->len, text, len);
	details->len += len;
}

/* One event is one line: foreign text in a value must not start a second one. */
static void put_plain(struct details *details, const char *value)
{
	for (; *value != '\0'; value++)
		put(details, (unsigned char)*value < ' ' || *value == 0x7f ? " " : value, 1);
}

/* And must not end its quotes. */
static void put_escaped(struct details *details, const char *value)
{
	for (; *value != '\0'; value++) {
		char escaped[8];
		int len = 1;

		if (*value == '"' || *value == '\\')
			len = snprintf(escaped, sizeof(escaped), "\\%c", *value);
		else if (*value == '\n')
			len = snprintf(escaped, sizeof(escaped), "\\n");
		else if ((unsigned char)*value < ' ' || *value == 0x7f)
			len = snprintf(escaped, sizeof(escaped), "\\x%02x",
				       (unsigned)(unsigned char)*value);
		else
			escaped[0] = *value;
		put(details, escaped, (size_t)len);
	}
}

/* The arguments of one conversion, as vprintf(3) takes them. */
static void skip_arguments(const char *spec, va_list *args)
{
	char conversion = spec[strlen(spec) - 1];

	if (strchr(spec, '*') != NULL)
		(void)va_arg(*args, int);
	if (conversion == 's')
		(void)va_arg(*args, const char *);
	else if (strchr("aefg", conversion) != NULL)
		(void)va_arg(*args, double);
	else if (strchr(spec, 'z') != NULL)
		(void)va_arg(*args, size_t);
	else if (strstr(spec, "ll") != NULL)
		(void)va_arg(*args, long long);
	else if (strchr(spec, 'l') != NULL)
		(void)va_arg(*args, long);
	else if (conversion != '%')
		(void)va_arg(*args, int);
}

/* The compiler has checked the whole format, where log_event was called. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void put_value(struct details *details, const char *spec, bool in_quotes, va_list args)
{
	char value[sizeof(details->text)];

	(void)vsnprintf(value, sizeof(value), spec, args);
	if (in_quotes)
		put_escaped(details, value);
	else
		put_plain(details, value);
}
#pragma GCC diagnostic pop

static void put_details(struct details *details, const char *format, va_list *args)
{
	bool in_quotes = false;

	while (*format != '\0' && !details->is_cut) {
		size_t len = *format == '%' ? 2 + strspn(format + 1, "-+ #.*0123456789lz") : 1;
		char spec[SPEC_SIZE];
		va_list its;

		(void)snprintf(spec, sizeof(spec), "%.*s", (int)len, format);
		if (*format == '%') {
			va_copy(its, *args);
			put_value(details, spec, in_quotes, its);
			va_end(its);
			skip_arguments(spec, args);
		} else {
			put(details, format, 1);
			in_quotes ^= *format == '"' && !details->is_cut;
		}
		format += len;
	}
	if (in_quotes) /* cut in them */
		details->text[details->len++] = '"';
	details->text[details->len] = '\0';
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
	struct details details = { .len = 0 };
	char text[LINE_SIZE - 128];
	va_list args;

	if (level > __atomic_load_n(&out.level, __ATOMIC_RELAXED))
		return;
	va_start(args, format);
	put_details(&details, format, &args);
	va_end(args);
	(void)snprintf(text, sizeof(text), "%s%s%s", event, details.len > 0 ? " " : "",
		       details.text);
	(void)pthread_mutex_lock(&lock);
	tell_lost();
	write_text(level, text);
	(void)pthread_mutex_unlock(&lock);
}
