#include "probe/runner_result.h"

#include <string.h>

static int check(const struct run_result *head, size_t text_len, struct err *err)
{
	if (head->magic != RUN_MAGIC)
		return err_set(err, "a result of another version");
	if (head->end < RUN_EXITED || head->end > RUN_PONG || head->end == RUN_LOST)
		return err_set(err, "no such end: %u", head->end);
	if (head->output_len > RUN_OUTPUT_MAX || head->errors_len > RUN_ERRORS_MAX ||
	    text_len != (size_t)head->output_len + head->errors_len)
		return err_set(err, "a result whose texts are not as long as it says");
	return 0;
}

/* The texts are behind each other, without NULs at their ends. */
int runner_result_read(const void *message, size_t size, struct runner_result *out, struct err *err)
{
	const char *text = (const char *)message + sizeof(out->head);

	if (size < sizeof(out->head))
		return err_set(err, "a result of %zu octets", size);
	memcpy(&out->head, message, sizeof(out->head));
	if (check(&out->head, size - sizeof(out->head), err) != 0)
		return -1;
	memcpy(out->output, text, out->head.output_len);
	out->output[out->head.output_len] = '\0';
	memcpy(out->errors, text + out->head.output_len, out->head.errors_len);
	out->errors[out->head.errors_len] = '\0';
	return 0;
}
