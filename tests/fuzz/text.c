/* Mutations of files that are made of lines and words: most octets that change in a configuration
 * make it one that is refused at once. Whole lines and words, moved and exchanged, get further. */
#include <string.h>

#include "base/mem.h"
#include "tests/fuzz/fuzz.h"

/* What libraries leak where they refuse a text (ldns 1.8.3 an IPSECKEY record, libfyaml 0.7.12 some
 * long scalars) ends with signpost-compile. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libldns.so\nleak:libfyaml.so";
}

struct piece {
	const uint8_t *data;
	size_t size;
};

static uint64_t state;

static struct piece whole(const uint8_t *data, size_t size)
{
	return (struct piece){ data, size };
}

static size_t below(size_t count)
{
	return count > 0 ? fuzz_below(&state, count) : 0;
}

/* --- finding pieces ------------------------------------------------------------------------- */

/* The line around an octet, with its end. */
static struct piece line_around(struct piece text, size_t at)
{
	size_t start = at, end = at;

	while (start > 0 && text.data[start - 1] != '\n')
		start--;
	while (end < text.size && text.data[end] != '\n')
		end++;
	if (end < text.size)
		end++;
	return (struct piece){ text.data + start, end - start };
}

static struct piece random_lines(struct piece text, unsigned most)
{
	struct piece lines = line_around(text, below(text.size));

	for (size_t more = below(most); more > 0; more--) {
		size_t end = (size_t)(lines.data - text.data) + lines.size;

		if (end < text.size)
			lines.size += line_around(text, end).size;
	}
	return lines;
}

static bool in_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c >= 0x80 || (c != '\0' && strchr("-_.$*\\@%", c) != NULL);
}

/* A word, or where there is none at that place a sign or a space. */
static struct piece random_word(struct piece text)
{
	size_t start = below(text.size), end = start;

	if (text.size == 0)
		return text;
	while (start > 0 && in_word(text.data[start - 1]))
		start--;
	while (end < text.size && in_word(text.data[end]))
		end++;
	if (start == end)
		end = start + 1;
	return (struct piece){ text.data + start, end - start };
}

/* --- putting together ----------------------------------------------------------------------- */

/* The text with `old`, a part of it, replaced. Returns the new size. */
static size_t replace(struct piece text, struct piece old, struct piece new, uint8_t *out,
		      size_t max_size)
{
	size_t before = (size_t)(old.data - text.data);
	struct buf made = { 0 };
	size_t size;

	buf_append(&made, text.data, before);
	buf_append(&made, new.data, new.size);
	buf_append(&made, old.data + old.size, text.size - before - old.size);
	size = made.len < max_size ? made.len : max_size;
	if (size > 0)
		memcpy(out, made.data, size);
	buf_free(&made);
	return size;
}

static struct piece front_of(struct piece piece)
{
	return (struct piece){ piece.data, 0 };
}

/* More or less room in front of a line: what belongs to what in YAML, whose owner in a zone. */
static size_t indent(struct piece text, uint8_t *out, size_t max_size)
{
	static const uint8_t spaces[] = "        ";
	struct piece line = random_lines(text, 1), old = front_of(line);
	struct piece new = whole(spaces, below(3) * 2);

	while (old.size < line.size && line.data[old.size] == ' ')
		old.size++;
	return replace(text, old, new, out, max_size);
}

/* A word that means something in many places. */
static struct piece telling_word(void)
{
	static const char *const words[] = { "0",   "1",    "65535", "65536", "4294967295",
					     "-1",  "''",   "null",  "~",     "[]",
					     "{}",  "\"\"", ".",     "*",     "\\000",
					     "\\.", "@",    "1.5",   "::",    "0.0.0.0/0" };
	const char *word = words[below(sizeof(words) / sizeof(words[0]))];

	return (struct piece){ (const uint8_t *)word, strlen(word) };
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	struct piece text = whole(data, size), none = whole(data, 0);

	state = seed;
	if (size == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	switch (below(9)) {
	case 0: return replace(text, random_lines(text, 3), none, data, max_size);
	case 1:
	case 2:
		return replace(text, front_of(random_lines(text, 1)), random_lines(text, 3), data,
			       max_size);
	case 3: return indent(text, data, max_size);
	case 4: return replace(text, random_word(text), none, data, max_size);
	case 5:
	case 6: return replace(text, random_word(text), random_word(text), data, max_size);
	case 7: return replace(text, random_word(text), telling_word(), data, max_size);
	default: return LLVMFuzzerMutate(data, size, max_size);
	}
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
				 size_t size2, uint8_t *out, size_t max_size, unsigned seed)
{
	struct piece text = whole(data1, size1), other = whole(data2, size2);

	state = seed;
	if (below(2) == 0)
		return replace(text, random_word(text), random_word(other), out, max_size);
	return replace(text, front_of(random_lines(text, 1)), random_lines(other, 5), out,
		       max_size);
}
