#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
	char text[sizeof(err->text)];
	size_t len, room;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text) - 2, format, args);
	va_end(args);
	len = strlen(text);
	memcpy(text + len, ": ", 2);
	len += 2;
	room = sizeof(text) - len;
	memcpy(text + len, err->text, room);
	text[sizeof(text) - 1] = '\0';
	memcpy(err->text, text, sizeof(text));
	return -1;
}
