#include "tests/bench/questions.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"

#define EDNS_SIZE  1232
#define OPTION_ECS 8

_Noreturn void question_die(const char *what, const char *why)
{
	(void)fprintf(stderr, "load generator: %s: %s\n", what, why);
	exit(1);
}

struct lines lines_read(const char *path)
{
	struct lines lines = { 0 };
	char buffer[1100];
	size_t cap = 0;
	FILE *file = fopen(path, "r");

	if (file == NULL)
		question_die(path, strerror(errno));
	while (fgets(buffer, sizeof(buffer), file) != NULL) {
		buffer[strcspn(buffer, " \t\r\n/")] = '\0';
		if (buffer[0] != '\0')
			array_add(lines.items, lines.count, cap) = mem_copy_text(buffer);
	}
	(void)fclose(file);
	if (lines.count == 0)
		question_die(path, "no lines");
	return lines;
}

void lines_free(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i]);
	free(lines->items);
}

struct in_addr question_network(const char *text)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1)
		question_die(text, "not an IPv4 network");
	return address;
}

static void put_opt(struct writer *out, const struct question *question)
{
	put_u8(out, 0); /* the root */
	put_u16(out, TYPE_OPT);
	put_u16(out, EDNS_SIZE);
	put_u32(out, question->dnssec_ok ? 0x8000 : 0);
	if (question->subnet == NULL) {
		put_u16(out, 0);
		return;
	}
	put_u16(out, 4 + 4 + 3);
	put_u16(out, OPTION_ECS);
	put_u16(out, 4 + 3);
	put_u16(out, 1); /* IPv4 (RFC 7871, 6) */
	put_u8(out, 24);
	put_u8(out, 0);
	put_bytes(out, question->subnet, 3);
}

uint16_t question_write(uint8_t query[QUESTION_MAX], const struct question *question)
{
	struct writer out = { .data = query, .size = QUESTION_MAX };
	bool edns = question->edns || question->dnssec_ok || question->subnet != NULL;
	const char *reason = "too long";
	struct name name;

	if (!name_parse(question->name, strlen(question->name), NULL, &name, &reason))
		question_die(question->name, reason);
	put_u32(&out, 0); /* id, flags */
	put_u16(&out, 1);
	put_u32(&out, 0);
	put_u16(&out, edns);
	put_bytes(&out, name.wire, name.len);
	put_u16(&out, question->type);
	put_u16(&out, CLASS_IN);
	if (edns)
		put_opt(&out, question);
	if (out.full)
		question_die(question->name, reason);
	return (uint16_t)out.pos;
}
