#include "base/timestamp.h"

#include <string.h>
#include <time.h>

/* Exactly `count` digits, and the cursor behind them; -1: there are none. */
static int take_digits(const char **at, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (**at < '0' || **at > '9')
			return -1;
		value = value * 10 + (*(*at)++ - '0');
	}
	return value;
}

static bool take_one_of(const char **at, const char *set)
{
	if (**at == '\0' || strchr(set, **at) == NULL)
		return false;
	(*at)++;
	return true;
}

static bool is_within(int value, int min, int max)
{
	return value >= min && value <= max;
}

/* Midnight of a day there is. */
static bool take_date(const char **at, int64_t *out)
{
	struct tm day = { 0 }, same;
	time_t midnight;

	day.tm_year = take_digits(at, 4) - 1900;
	if (!take_one_of(at, "-"))
		return false;
	day.tm_mon = take_digits(at, 2) - 1;
	if (!take_one_of(at, "-"))
		return false;
	day.tm_mday = take_digits(at, 2);
	same = day;
	midnight = timegm(&same); /* makes 1 March of 29 February, where there is none */
	if (same.tm_year != day.tm_year || same.tm_mon != day.tm_mon || same.tm_mday != day.tm_mday)
		return false;
	*out = midnight;
	return true;
}

static bool take_time(const char **at, int *out)
{
	int hour, minute, second;

	hour = take_digits(at, 2);
	if (!take_one_of(at, ":"))
		return false;
	minute = take_digits(at, 2);
	if (!take_one_of(at, ":"))
		return false;
	second = take_digits(at, 2);
	if (take_one_of(at, ".")) {
		size_t digits = strspn(*at, "0123456789");

		if (digits == 0)
			return false;
		*at += digits;
	}
	*out = hour * 3600 + minute * 60 + second;
	/* 60: a leap second, which counts as the first one of the next minute */
	return is_within(hour, 0, 23) && is_within(minute, 0, 59) && is_within(second, 0, 60);
}

/* How far the clock there is ahead of UTC. */
static bool take_offset(const char **at, int *out)
{
	int sign = **at == '-' ? -1 : 1;
	int hours, minutes;

	*out = 0;
	if (take_one_of(at, "Zz"))
		return true;
	if (!take_one_of(at, "+-"))
		return false;
	hours = take_digits(at, 2);
	if (!take_one_of(at, ":"))
		return false;
	minutes = take_digits(at, 2);
	*out = sign * (hours * 3600 + minutes * 60);
	return is_within(hours, 0, 23) && is_within(minutes, 0, 59);
}

bool timestamp_parse(const char *text, uint64_t *unix_s)
{
	const char *at = text;
	int64_t moment;
	int time, offset;

	if (!take_date(&at, &moment) || !take_one_of(&at, "Tt ") || !take_time(&at, &time) ||
	    !take_offset(&at, &offset) || *at != '\0')
		return false;
	moment += time - offset;
	if (moment < 0)
		return false;
	*unix_s = (uint64_t)moment;
	return true;
}

const char *timestamp_text(uint64_t unix_s, char text[TIMESTAMP_SIZE])
{
	time_t moment = (time_t)unix_s;
	struct tm day;

	text[0] = '\0';
	if (gmtime_r(&moment, &day) != NULL)
		(void)strftime(text, TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%SZ", &day);
	return text;
}
