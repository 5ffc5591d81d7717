#include "conf/diag.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define INDENT      6
#define TAB_STOP    8
#define SHOWN_MAX   160 /* octets of a source line; of a longer one, those around the mistake */
#define SHOWN_LEAD  60
#define MESSAGE_MAX 600

struct diag_file {
	char *name;
	unsigned errors, warnings;
	const char *text; /* the caller's; NULL: not known */
	size_t size;
};

struct diag_entry {
	size_t file, order;
	enum diag_severity severity;
	unsigned line, column;
	unsigned caret; /* octets of the source shown before the offending text */
	unsigned len;
	char *source; /* NULL: not shown */
	bool secret;  /* the line is not to be shown, whatever else is wrong in it */
	size_t source_len;
	bool cut_left, cut_right;
	char *message;
};

struct diag {
	struct diag_file *files;
	size_t file_count, file_cap;
	size_t last_file;
	uint32_t *slots; /* index in files + 1 by the name's hash, 0 empty; a power of two */
	size_t slot_count;
	struct diag_entry *entries;
	size_t entry_count, entry_cap;
	unsigned errors, warnings;
};

struct diag *diag_new(void)
{
	return mem_alloc(sizeof(struct diag));
}

void diag_free(struct diag *diag)
{
	if (diag == NULL)
		return;
	for (size_t i = 0; i < diag->file_count; i++)
		free(diag->files[i].name);
	for (size_t i = 0; i < diag->entry_count; i++) {
		free(diag->entries[i].source);
		free(diag->entries[i].message);
	}
	free(diag->files);
	free(diag->slots);
	free(diag->entries);
	free(diag);
}

/* The slot of a file, or the empty one where it would be. */
static size_t find_slot(const struct diag *diag, const char *name)
{
	size_t slot = (size_t)hash_bytes(name, strlen(name), 0) & (diag->slot_count - 1);

	while (diag->slots[slot] != 0 && strcmp(diag->files[diag->slots[slot] - 1].name, name) != 0)
		slot = (slot + 1) & (diag->slot_count - 1);
	return slot;
}

/* Mistakes come file by file, so the last file is nearly always the one. */
static struct diag_file *find_file(const struct diag *diag, const char *name)
{
	uint32_t found;

	if (diag->file_count == 0)
		return NULL;
	if (strcmp(diag->files[diag->last_file].name, name) == 0)
		return &diag->files[diag->last_file];
	found = diag->slots[find_slot(diag, name)];
	return found != 0 ? &diag->files[found - 1] : NULL;
}

static void grow_slots(struct diag *diag)
{
	free(diag->slots);
	diag->slot_count = diag->slot_count != 0 ? diag->slot_count * 2 : 64;
	diag->slots = mem_array(diag->slot_count, sizeof(*diag->slots));
	for (size_t i = 0; i < diag->file_count; i++)
		diag->slots[find_slot(diag, diag->files[i].name)] = (uint32_t)i + 1;
}

static struct diag_file *file_of(struct diag *diag, const char *name)
{
	struct diag_file *file = find_file(diag, name);

	if (file == NULL) {
		if (diag->file_count >= diag->slot_count / 2)
			grow_slots(diag);
		array_add(diag->files, diag->file_count,
			  diag->file_cap) = (struct diag_file){ .name = mem_copy_text(name) };
		file = &diag->files[diag->file_count - 1];
		diag->slots[find_slot(diag, name)] = (uint32_t)diag->file_count;
	}
	diag->last_file = (size_t)(file - diag->files);
	return file;
}

void diag_set_source(struct diag *diag, const char *file, const char *text, size_t size)
{
	struct diag_file *known = file_of(diag, file);

	known->text = text;
	known->size = size;
}

static const char *line_of(const struct diag_file *file, unsigned line, size_t *len)
{
	const char *at = file->text;
	const char *end = at + file->size;
	const char *stop;

	while (--line > 0) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (at == NULL)
			return NULL;
		at++;
	}
	stop = memchr(at, '\n', (size_t)(end - at));
	if (stop == NULL)
		stop = end;
	if (stop > at && stop[-1] == '\r')
		stop--;
	*len = (size_t)(stop - at);
	return at;
}

/* Keeps the part of the line around the mistake: a line of a file that is no text may be as long
 * as the file. */
static void keep_source(struct diag_entry *entry, const char *source, size_t len)
{
	size_t before = entry->column > 0 ? entry->column - 1 : 0;
	size_t start = 0;

	if (before > len)
		before = len;
	if (len > SHOWN_MAX && before > SHOWN_LEAD) {
		start = before - SHOWN_LEAD;
		if (len - start < SHOWN_MAX)
			start = len - SHOWN_MAX;
		while (start > 0 && ((unsigned char)source[start] & 0xc0) == 0x80)
			start--; /* not into the middle of a UTF-8 character */
	}
	entry->cut_left = start > 0;
	entry->cut_right = len - start > SHOWN_MAX;
	entry->source_len = entry->cut_right ? SHOWN_MAX : len - start;
	entry->source = mem_alloc(entry->source_len + 1);
	memcpy(entry->source, source + start, entry->source_len);
	entry->caret = (unsigned)(before - start);
}

/* Was it told that this line has a secret? */
static bool is_secret(const struct diag *diag, size_t file, unsigned line)
{
	for (size_t i = diag->entry_count; i-- > 0;) {
		const struct diag_entry *entry = &diag->entries[i];

		if (entry->secret && entry->file == file && entry->line == line)
			return true;
	}
	return false;
}

static void forget_line(struct diag *diag, size_t file, unsigned line)
{
	for (size_t i = 0; i < diag->entry_count; i++) {
		struct diag_entry *entry = &diag->entries[i];

		if (entry->file != file || entry->line != line || entry->source == NULL)
			continue;
		explicit_bzero(entry->source, entry->source_len);
		free(entry->source);
		entry->source = NULL;
	}
}

/* `source` may be NULL: then the line is taken from the file's text, if that is known. */
static void show_line(const struct diag *diag, struct diag_entry *entry, const char *source,
		      size_t len)
{
	const struct diag_file *file = &diag->files[entry->file];

	if (entry->line == 0 || entry->secret || is_secret(diag, entry->file, entry->line))
		return;
	if (source == NULL && file->text != NULL)
		source = line_of(file, entry->line, &len);
	if (source != NULL)
		keep_source(entry, source, len);
}

void diag_add(struct diag *diag, enum diag_severity severity, const struct place *place,
	      const char *source, size_t source_len, const char *format, ...)
{
	struct diag_file *file = file_of(diag, place->file);
	unsigned *of_file = severity == DIAG_ERROR ? &file->errors : &file->warnings;
	struct diag_entry entry = { .severity = severity,
				    .line = place->line,
				    .column = place->column,
				    .len = place->len,
				    .file = (size_t)(file - diag->files),
				    .secret = source != NULL && source_len == 0 };
	char message[MESSAGE_MAX];
	va_list args;

	if (severity == DIAG_ERROR)
		diag->errors++;
	else
		diag->warnings++;
	if (entry.secret)
		forget_line(diag, entry.file, entry.line);
	if ((*of_file)++ >= DIAG_PER_FILE)
		return;
	entry.order = diag->entry_count;
	show_line(diag, &entry, source, source_len);
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	entry.message = mem_copy_text(message);
	array_add(diag->entries, diag->entry_count, diag->entry_cap) = entry;
}

static void count(struct diag *diag, struct diag_file *file, enum diag_severity severity,
		  unsigned more)
{
	if (severity == DIAG_ERROR) {
		diag->errors += more;
		file->errors += more;
	} else {
		diag->warnings += more;
		file->warnings += more;
	}
}

/* What does not fit stays the other's. */
static void join_entry(struct diag *diag, const char *name, struct diag_entry *entry)
{
	struct diag_file *file = file_of(diag, name);
	unsigned before = entry->severity == DIAG_ERROR ? file->errors : file->warnings;

	if (entry->secret)
		forget_line(diag, (size_t)(file - diag->files), entry->line);
	if (entry->severity == DIAG_ERROR && before >= DIAG_PER_FILE)
		return; /* nobody would have looked for it */
	count(diag, file, entry->severity, 1);
	if (before >= DIAG_PER_FILE)
		return;
	entry->file = (size_t)(file - diag->files);
	entry->order = diag->entry_count;
	if (entry->source == NULL)
		show_line(diag, entry, NULL, 0);
	array_add(diag->entries, diag->entry_count, diag->entry_cap) = *entry;
	entry->source = entry->message = NULL;
}

void diag_join(struct diag *diag, struct diag *other)
{
	for (size_t i = 0; i < other->entry_count; i++)
		join_entry(diag, other->files[other->entries[i].file].name, &other->entries[i]);
	for (size_t i = 0; i < other->file_count; i++) {
		const struct diag_file *from = &other->files[i];

		if (from->errors > DIAG_PER_FILE)
			count(diag, file_of(diag, from->name), DIAG_ERROR,
			      from->errors - DIAG_PER_FILE);
		if (from->warnings > DIAG_PER_FILE)
			count(diag, file_of(diag, from->name), DIAG_WARNING,
			      from->warnings - DIAG_PER_FILE);
	}
}

unsigned diag_errors(const struct diag *diag)
{
	return diag->errors;
}

unsigned diag_warnings(const struct diag *diag)
{
	return diag->warnings;
}

bool diag_file_is_full(const struct diag *diag, const char *file)
{
	const struct diag_file *found = find_file(diag, file);

	return found != NULL && found->errors >= DIAG_PER_FILE;
}

/* --- printing -------------------------------------------------------------------------------- */

/* Length of the well-formed UTF-8 sequence (RFC 3629, 4) at `text` that a terminal may be shown;
 * 0 for anything else: foreign text must not reach the terminal as control sequences. */
static size_t printable(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = s[0] < 0x80                   ? 1
		   : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		   : (s[0] & 0xf0) == 0xe0       ? 3
						 : 4;

	if (n == 1)
		return s[0] >= ' ' && s[0] != 0x7f;
	if (n > len || s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) ||
	    (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

/* Writes text for a terminal and returns how many columns it took; out NULL: only counts them.
 * Tabs become spaces up to the next tab stop. */
static unsigned show(FILE *out, const char *text, size_t len, unsigned column)
{
	unsigned start = column;

	for (size_t i = 0; i < len;) {
		size_t n = printable(text + i, len - i);
		unsigned width = text[i] == '\t' ? TAB_STOP - column % TAB_STOP : 1;

		if (out != NULL && text[i] == '\t')
			(void)fprintf(out, "%*s", (int)width, "");
		else if (out != NULL)
			(void)fprintf(out, "%.*s", n > 0 ? (int)n : 1, n > 0 ? text + i : "?");
		column += width;
		i += n > 0 ? n : 1;
	}
	return column - start;
}

static void print_source(const struct diag_entry *entry, FILE *out)
{
	size_t len = entry->len > 0 ? entry->len : 1;
	unsigned left = entry->cut_left ? 3 : 0;
	unsigned before, under;

	(void)fprintf(out, "%*s%s", INDENT, "", entry->cut_left ? "..." : "");
	(void)show(out, entry->source, entry->source_len, 0);
	(void)fprintf(out, "%s\n", entry->cut_right ? "..." : "");
	if (entry->column == 0)
		return;
	if (len > entry->source_len - entry->caret)
		len = entry->source_len - entry->caret;
	before = show(NULL, entry->source, entry->caret, 0);
	under = show(NULL, entry->source + entry->caret, len, before);
	(void)fprintf(out, "%*s^", (int)(INDENT + left + before), "");
	for (unsigned i = 1; i < under; i++)
		(void)fputc('~', out);
	(void)fputc('\n', out);
}

static void print_entry(const struct diag *diag, const struct diag_entry *entry, FILE *out)
{
	const char *file = diag->files[entry->file].name;

	(void)show(out, file, strlen(file), 0);
	if (entry->line > 0)
		(void)fprintf(out, ":%u", entry->line);
	if (entry->line > 0 && entry->column > 0)
		(void)fprintf(out, ":%u", entry->column);
	(void)fprintf(out, ": %s: ", entry->severity == DIAG_ERROR ? "error" : "warning");
	(void)show(out, entry->message, strlen(entry->message), 0);
	(void)fputc('\n', out);
	if (entry->source != NULL)
		print_source(entry, out);
}

static void print_rest(const struct diag_file *file, FILE *out)
{
	if (file->errors > DIAG_PER_FILE)
		(void)fprintf(out, "%s: error: and %u more errors in this file\n", file->name,
			      file->errors - DIAG_PER_FILE);
	if (file->warnings > DIAG_PER_FILE)
		(void)fprintf(out, "%s: warning: and %u more warnings in this file\n", file->name,
			      file->warnings - DIAG_PER_FILE);
}

static int compare(const void *a, const void *b, void *context)
{
	const struct diag_file *files = context;
	const struct diag_entry *x = a, *y = b;
	int by_file = x->file == y->file ? 0 : strcmp(files[x->file].name, files[y->file].name);

	if (by_file != 0)
		return by_file;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

void diag_print(const struct diag *diag, FILE *out)
{
	struct diag_entry *sorted;

	if (diag->entry_count == 0)
		return;
	sorted = mem_array(diag->entry_count, sizeof(*sorted));
	memcpy(sorted, diag->entries, diag->entry_count * sizeof(*sorted));
	qsort_r(sorted, diag->entry_count, sizeof(*sorted), compare, diag->files);
	for (size_t i = 0; i < diag->entry_count; i++) {
		print_entry(diag, &sorted[i], out);
		if (i + 1 == diag->entry_count || sorted[i + 1].file != sorted[i].file)
			print_rest(&diag->files[sorted[i].file], out);
	}
	free(sorted);
}
