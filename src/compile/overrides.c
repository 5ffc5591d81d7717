#include "compile/overrides.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compile/beside.h"
#include "compile/override_row.h"
#include "conf/source.h"

#define LONG_FILE ((size_t)128 << 10) /* octets; shorter ones are not worth a thread */

/* --- the file ------------------------------------------------------------------------------ */

static int read_all(struct overrides *o, int fd, size_t expected)
{
	size_t cap = expected + 2; /* one octet to find its end, one for a NUL */

	o->text = mem_resize(NULL, cap, 1);
	for (;;) {
		ssize_t n = read(fd, o->text + o->size, cap - 1 - o->size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		o->size += (size_t)n;
		if (o->size == cap - 1) { /* it has grown meanwhile */
			cap *= 2;
			o->text = mem_resize(o->text, cap, 1);
		}
	}
}

static int load(struct overrides *o, struct err *err)
{
	struct stat st;
	int fd, rc;

	errno = 0;
	if (source_is_file(o->path, err) != 0)
		return -1;
	fd = open(o->path, O_RDONLY | O_CLOEXEC);
	rc = fd >= 0 && fstat(fd, &st) == 0 ? read_all(o, fd, (size_t)st.st_size) : -1;
	if (rc != 0)
		rc = err_set(err, "%s", strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

void overrides_open(struct overrides *out, struct override_context *context, const char *path)
{
	struct place whole_file = { .file = path };
	struct err err;

	*out = (struct overrides){ .context = context,
				   .path = path,
				   .breaks = { { .family = IP_V4 }, { .family = IP_V6 } } };
	if (path == NULL || load(out, &err) == 0)
		return;
	diag_add(context->diag, DIAG_ERROR, &whole_file, NULL, 0, "cannot be read: %s", err.text);
	free(out->text);
	out->text = NULL;
}

/* --- lines --------------------------------------------------------------------------------- */

static void add_row(struct overrides *o, const struct override_row *row)
{
	struct location_row number = {
		.line = row->line.number,
		.location = numbering_add(&o->locations, &row->location, sizeof(row->location)),
	};

	network_list_add(&o->networks, &row->network, o->row_count);
	array_add(o->rows, o->row_count, o->row_cap) = number;
}

/* There is room for a NUL at `end`. */
static void read_lines(struct overrides *o, char *text, char *end, unsigned lines_before)
{
	struct override_row row = { .context = o->context,
				    .line = { .file = o->path, .number = lines_before } };

	while (text < end && !diag_file_is_full(o->context->diag, o->path)) {
		char *stop = memchr(text, '\n', (size_t)(end - text));
		char *next = stop != NULL ? stop + 1 : end;
		size_t len = (size_t)((stop != NULL ? stop : end) - text);

		while (len > 0 && text[len - 1] == '\r')
			len--;
		text[len] = '\0';
		row.line.number++;
		row.line.text = text;
		row.line.len = len;
		if (override_row_read(&row))
			add_row(o, &row);
		text = next;
	}
}

/* The second half of a long file, with texts and mistakes of its own. */
struct half {
	struct override_context context;
	struct overrides overrides;
	char *text, *end;
	unsigned lines_before;
};

static void read_half(void *context)
{
	struct half *half = context;

	read_lines(&half->overrides, half->text, half->end, half->lines_before);
}

static unsigned count_lines(const char *text, const char *end)
{
	unsigned lines = 0;

	while ((text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
		lines++;
		text++;
	}
	return lines;
}

static uint32_t joined_text(const struct overrides *o, const struct half *half, uint32_t offset)
{
	const struct numbering *texts = &o->context->texts;
	const char *text = (const char *)half->context.texts.bytes.data + offset;

	return (uint32_t)texts->offsets[numbering_find(texts, text, strlen(text) + 1)];
}

/* Texts and locations get the numbers that they would have, had the lines been read in order. */
static uint32_t *join_locations(struct overrides *o, const struct half *half)
{
	const struct numbering *texts = &half->context.texts, *list = &half->overrides.locations;
	uint32_t *to = mem_array(list->count, sizeof(*to));

	for (uint32_t i = 0; i < texts->count; i++)
		(void)numbering_add(&o->context->texts, numbering_item(texts, i),
				    numbering_size(texts, i));
	for (uint32_t i = 0; i < list->count; i++) {
		struct location location = *(const struct location *)numbering_item(list, i);

		location.city = joined_text(o, half, location.city);
		location.subdivision = joined_text(o, half, location.subdivision);
		to[i] = numbering_add(&o->locations, &location, sizeof(location));
	}
	return to;
}

static void join_half(struct overrides *o, const struct half *half)
{
	const struct overrides *more = &half->overrides;
	uint32_t *to = join_locations(o, half);
	uint32_t before = o->row_count;

	for (uint32_t i = 0; i < more->row_count; i++) {
		struct location_row row = { more->rows[i].line, to[more->rows[i].location] };

		array_add(o->rows, o->row_count, o->row_cap) = row;
	}
	free(to);
	network_list_join(&o->networks, &more->networks, before);
}

static void read_halves(struct overrides *o, char *middle)
{
	struct half half = { .context = *o->context,
			     .text = middle,
			     .end = o->text + o->size,
			     .lines_before = count_lines(o->text, middle) };
	struct beside other;

	half.context.diag = diag_new();
	half.context.texts = (struct numbering){ 0 };
	(void)numbering_add(&half.context.texts, "", 1);
	half.overrides = (struct overrides){ .context = &half.context, .path = o->path };
	beside_start(&other, read_half, &half);
	read_lines(o, o->text, middle, 0);
	beside_wait(&other);
	join_half(o, &half);
	diag_join(o->context->diag, half.context.diag);
	diag_free(half.context.diag);
	numbering_free(&half.context.texts);
	overrides_free(&half.overrides);
}

void overrides_parse(struct overrides *o)
{
	char *middle = NULL;

	if (o->text == NULL)
		return;
	if (o->size >= LONG_FILE)
		middle = memchr(o->text + o->size / 2, '\n', o->size - o->size / 2);
	if (middle != NULL)
		read_halves(o, middle + 1);
	else
		read_lines(o, o->text, o->text + o->size, 0);
	free(o->text);
	o->text = NULL;
}

/* --- what lies over what ------------------------------------------------------------------- */

/* Rows say where the longest network is, so what lies around does not matter. */
static uint32_t enter(void *context, uint32_t around, const struct network *equal, uint32_t count)
{
	struct overrides *o = context;
	const struct location_row *rows = o->rows;

	(void)around;
	for (uint32_t i = 1; i < count; i++) {
		struct place place = { .file = o->path, .line = rows[equal[i].value].line };

		if (rows[equal[i].value].location != rows[equal->value].location && o->twice++ == 0)
			diag_add(o->context->diag, DIAG_WARNING, &place, NULL, 0,
				 "this network stands in line %u already and says something else "
				 "there, which holds",
				 rows[equal->value].line);
	}
	return equal->value + 1;
}

void overrides_sweep(struct overrides *o)
{
	if (o->path == NULL)
		return;
	network_list_sort(&o->networks);
	for (int family = 0; family < 2; family++)
		network_sweep(&o->networks, &o->breaks[family], enter, o);
	network_list_free(&o->networks);
	if (o->twice > 1) {
		struct place file = { .file = o->path };

		diag_add(o->context->diag, DIAG_WARNING, &file, NULL, 0,
			 "%u networks stand there twice and say different things: the first holds",
			 o->twice);
	}
}

/* --- writing ------------------------------------------------------------------------------- */

static uint64_t write_locations(const struct overrides *o, struct image_writer *writer,
				uint32_t texts_at)
{
	uint64_t at = image_writer_append(writer, o->locations.bytes.data, o->locations.bytes.len,
					  64);
	struct location *list = image_writer_at(writer, struct location, at);

	for (uint32_t i = 0; i < o->locations.count; i++) {
		list[i].city += list[i].city != 0 ? texts_at : 0;
		list[i].subdivision += list[i].subdivision != 0 ? texts_at : 0;
	}
	return at;
}

static uint32_t file_text(const struct overrides *o, uint32_t texts_at)
{
	struct numbering *texts = &o->context->texts;
	uint32_t number = numbering_add(texts, o->path, strlen(o->path) + 1);

	return texts_at + (uint32_t)texts->offsets[number];
}

void overrides_write(struct overrides *o, struct image_writer *writer, uint32_t texts_at,
		     struct location_rows *out)
{
	*out = (struct location_rows){ 0 };
	if (o->path == NULL)
		return;
	out->file = file_text(o, texts_at);
	out->row_count = o->row_count;
	out->warnings = o->twice > 1 ? 2 : o->twice; /* as overrides_sweep tells of them */
	out->location_count = o->locations.count;
	out->rows_off = image_writer_append(writer, o->rows, o->row_count * sizeof(*o->rows), 64);
	out->locations_off = write_locations(o, writer, texts_at);
	for (int family = 0; family < 2; family++)
		breaks_write(&o->breaks[family], writer, &out->breaks.family[family]);
}

/* --- life ---------------------------------------------------------------------------------- */

void overrides_free(struct overrides *o)
{
	free(o->text);
	free(o->rows);
	numbering_free(&o->locations);
	network_list_free(&o->networks);
	for (int family = 0; family < 2; family++)
		breaks_free(&o->breaks[family]);
}

void override_context_init(struct override_context *context, const struct config *config,
			   struct countries *countries, struct diag *diag)
{
	*context =
		(struct override_context){ .config = config, .countries = countries, .diag = diag };
	(void)numbering_add(&context->texts, "", 1);
	for (size_t i = 0; i < config->site_count; i++)
		(void)numbering_add(&context->site_names, config->sites[i].name,
				    strlen(config->sites[i].name));
	for (int i = 0; i < COUNTRY_CODES; i++)
		context->continents[i] = country_continent(
			(char[2]){ (char)('A' + i / 26), (char)('A' + i % 26) });
}

void override_context_free(struct override_context *context)
{
	numbering_free(&context->texts);
	numbering_free(&context->site_names);
}
