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

static void put_opt(struct writer *out, const struct in_addr *subnet)
{
	put_u8(out, 0); /* the root */
	put_u16(out, TYPE_OPT);
	put_u16(out, EDNS_SIZE);
	put_u32(out, 0);
	put_u16(out, 4 + 4 + 3);
	put_u16(out, OPTION_ECS);
	put_u16(out, 4 + 3);
	put_u16(out, 1); /* IPv4 (RFC 7871, 6) */
	put_u8(out, 24);
	put_u8(out, 0);
	put_bytes(out, subnet, 3);
}

uint16_t question_write(uint8_t query[QUESTION_MAX], const char *text, uint16_t type,
			const struct in_addr *subnet)
{
	struct writer out = { .data = query, .size = QUESTION_MAX };
	const char *reason = "too long";
	struct name name;

	if (!name_parse(text, strlen(text), NULL, &name, &reason))
		question_die(text, reason);
	put_u32(&out, 0); /* id, flags */
	put_u16(&out, 1);
	put_u32(&out, 0);
	put_u16(&out, subnet != NULL);
	put_bytes(&out, name.wire, name.len);
	put_u16(&out, type);
	put_u16(&out, CLASS_IN);
	if (subnet != NULL)
		put_opt(&out, subnet);
	if (out.full)
		question_die(text, reason);
	return (uint16_t)out.pos;
}
