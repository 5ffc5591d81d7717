#include "probe/evidence.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define TEXT_SIZE      256
#define OCTETS_TOLD    512
#define DIGITS_OF(len) (2 * (len) + 1)
#define HIDDEN         "[hidden]"
#define HIDDEN_MIN     4 /* of a part of a secret: less would be found where there is none */
#define CUT            "..."

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

/* --- what is hidden ------------------------------------------------------------------------ */

void evidence_hide(struct evidence *evidence, const void *octets, size_t len)
{
	struct evidence_secret secret = { .len = len };

	if (evidence == NULL || len == 0)
		return;
	secret.octets = mem_alloc(len);
	memcpy(secret.octets, octets, len);
	array_add(evidence->secrets, evidence->secret_count, evidence->secret_cap) = secret;
}

void evidence_hide_line(struct evidence *evidence, const char *line)
{
	const char *word = line + strcspn(line, " ");

	evidence_hide(evidence, line, strlen(line));
	for (word += strspn(word, " "); *word != '\0'; word += strspn(word, " ")) {
		size_t len = strcspn(word, " ");

		if (len >= HIDDEN_MIN)
			evidence_hide(evidence, word, len);
		word += len;
	}
}

/* How many of these octets are a secret's: of the longest that is here, or begins here and was cut
 * off. */
static size_t secret_length(const struct evidence *evidence, const uint8_t *at, size_t left)
{
	size_t longest = 0;

	for (size_t i = 0; i < evidence->secret_count; i++) {
		const struct evidence_secret *secret = &evidence->secrets[i];
		size_t len = secret->len <= left ? secret->len : left;
		bool told = len == secret->len || len >= HIDDEN_MIN;

		if (told && len > longest && memcmp(at, secret->octets, len) == 0)
			longest = len;
	}
	return longest;
}

static void append_hiding(const struct evidence *evidence, const void *octets, size_t len,
			  struct buf *out)
{
	const uint8_t *at = octets, *end = at + len;

	while (at < end) {
		size_t hidden = secret_length(evidence, at, (size_t)(end - at));

		if (hidden > 0)
			buf_append(out, HIDDEN, strlen(HIDDEN));
		else
			buf_append(out, at, 1);
		at += hidden > 0 ? hidden : 1;
	}
}

/* --- steps --------------------------------------------------------------------------------- */

/* Hidden first, and cut then: what is left of a secret might not be known for one. */
__attribute__((format(printf, 2, 0))) static char *format_text(const struct evidence *evidence,
							       const char *format, va_list args)
{
	struct buf told = { 0 };
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		return mem_copy_text("");
	append_hiding(evidence, text, strlen(text), &told);
	explicit_bzero(text, strlen(text));
	free(text);
	buf_append(&told, "", 1);
	text = (char *)told.data;
	if (told.len > TEXT_SIZE)
		(void)strcpy(text + TEXT_SIZE - sizeof(CUT), CUT);
	evidence_tame(text);
	return text;
}

__attribute__((format(printf, 2, 0))) static struct evidence_step *add(struct evidence *evidence,
								       const char *format,
								       va_list args)
{
	struct evidence_step *step;

	if (evidence->count == EVIDENCE_STEPS_MAX) {
		evidence->left_out++;
		return NULL;
	}
	step = &evidence->steps[evidence->count++];
	step->at_us = clock_mono_us() - evidence->began_us;
	step->text = format_text(evidence, format, args);
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

static char *hex_of(const struct evidence *evidence, const void *octets, size_t len)
{
	struct buf told = { 0 };
	char *hex;

	append_hiding(evidence, octets, len, &told);
	if (told.len > OCTETS_TOLD)
		told.len = OCTETS_TOLD;
	hex = mem_alloc(DIGITS_OF(told.len));
	for (size_t i = 0; i < told.len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", ((const uint8_t *)told.data)[i]);
	buf_free(&told);
	return hex;
}

void evidence_octets(struct evidence *evidence, const void *octets, size_t len, const char *format,
		     ...)
{
	struct evidence_step *step;
	va_list args;

	if (evidence == NULL)
		return;
	va_start(args, format);
	step = add(evidence, format, args);
	va_end(args);
	if (step != NULL)
		step->octets = hex_of(evidence, octets, len);
}

void evidence_free(struct evidence *evidence)
{
	for (size_t i = 0; i < evidence->count; i++) {
		free(evidence->steps[i].text);
		free(evidence->steps[i].octets);
	}
	for (size_t i = 0; i < evidence->secret_count; i++) {
		explicit_bzero(evidence->secrets[i].octets, evidence->secrets[i].len);
		free(evidence->secrets[i].octets);
	}
	free(evidence->secrets);
	*evidence = (struct evidence){ 0 };
}
