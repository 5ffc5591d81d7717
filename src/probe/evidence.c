#include "probe/evidence.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define TEXT_SIZE      256
#define OCTETS_TOLD    512
#define DIGITS_OF(len) (2 * (len) + 1)

/* The second of the two octets of a control character of Unicode (U+0080 to U+009F) in UTF-8. */
static bool is_c1(const char *at)
{
	return (uint8_t)at[0] == 0xc2 && (uint8_t)at[1] >= 0x80 && (uint8_t)at[1] <= 0x9f;
}

void evidence_tame(char *text)
{
	for (; *text != '\0'; text++) {
		if ((uint8_t)*text < ' ' || *text == 0x7f)
			*text = '?';
		else if (is_c1(text))
			text[0] = text[1] = '?';
	}
}

__attribute__((format(printf, 2, 0))) static struct evidence_step *add(struct evidence *evidence,
								       const char *format,
								       va_list args)
{
	struct evidence_step *step;
	char text[TEXT_SIZE];

	if (evidence->count == EVIDENCE_STEPS_MAX) {
		evidence->left_out++;
		return NULL;
	}
	step = &evidence->steps[evidence->count++];
	(void)vsnprintf(text, sizeof(text), format, args);
	evidence_tame(text);
	step->at_us = clock_mono_us() - evidence->began_us;
	step->text = mem_copy_text(text);
	return step;
}

void evidence_note(struct evidence *evidence, const char *format, ...)
{
	va_list args;

	if (evidence == NULL)
		return;
	va_start(args, format);
	(void)add(evidence, format, args);
	va_end(args);
}

void evidence_octets(struct evidence *evidence, const void *octets, size_t len, const char *format,
		     ...)
{
	const uint8_t *from = octets;
	struct evidence_step *step;
	va_list args;

	if (evidence == NULL)
		return;
	va_start(args, format);
	step = add(evidence, format, args);
	va_end(args);
	if (step == NULL)
		return;
	if (len > OCTETS_TOLD)
		len = OCTETS_TOLD;
	step->octets = mem_alloc(DIGITS_OF(len));
	for (size_t i = 0; i < len; i++)
		(void)snprintf(step->octets + 2 * i, 3, "%02x", from[i]);
}

void evidence_free(struct evidence *evidence)
{
	for (size_t i = 0; i < evidence->count; i++) {
		free(evidence->steps[i].text);
		free(evidence->steps[i].octets);
	}
	*evidence = (struct evidence){ 0 };
}
