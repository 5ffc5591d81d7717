#include "compile/overrides.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/override_row.h"
#include "conf/source.h"

/* --- reading ------------------------------------------------------------------------------- */

static void add_row(struct overrides *o, const struct override_row *row)
{
	struct location_row number = {
		.line = row->line.number,
		.location = numbering_add(&o->locations, &row->location, sizeof(row->location)),
	};

	network_list_add(&o->networks, &row->network, o->row_count);
	array_add(o->rows, o->row_count, o->row_cap) = number;
}

static void read_lines(struct overrides *o, FILE *file)
{
	struct override_row row = { .context = o->context, .line = { .file = o->path } };
	char *text = NULL;
	size_t size = 0;
	ssize_t len;

	while (!diag_file_is_full(o->context->diag, o->path) &&
	       (len = getline(&text, &size, file)) >= 0) {
		while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
			len--;
		text[len] = '\0';
		row.line.number++;
		row.line.text = text;
		row.line.len = (size_t)len;
		if (override_row_read(&row))
			add_row(o, &row);
	}
	free(text);
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

static void sweep(struct overrides *o)
{
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

void overrides_read(struct overrides *out, struct override_context *context, const char *path)
{
	struct place whole_file = { .file = path };
	struct err err;
	FILE *file = NULL;

	*out = (struct overrides){ .context = context,
				   .path = path,
				   .breaks = { { .family = IP_V4 }, { .family = IP_V6 } } };
	if (path == NULL)
		return;
	errno = 0;
	if (source_is_file(path, &err) != 0) {
		diag_add(context->diag, DIAG_ERROR, &whole_file, NULL, 0, "cannot be read: %s",
			 err.text);
		return;
	}
	file = fopen(path, "re");
	if (file != NULL)
		read_lines(out, file);
	if (file == NULL || ferror(file))
		diag_add(context->diag, DIAG_ERROR, &whole_file, NULL, 0, "cannot be read: %s",
			 strerror(errno));
	else
		sweep(out);
	if (file != NULL)
		(void)fclose(file);
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
	out->location_count = o->locations.count;
	out->rows_off = image_writer_append(writer, o->rows, o->row_count * sizeof(*o->rows), 64);
	out->locations_off = write_locations(o, writer, texts_at);
	for (int family = 0; family < 2; family++)
		breaks_write(&o->breaks[family], writer, &out->breaks);
}

/* --- life ---------------------------------------------------------------------------------- */

void overrides_free(struct overrides *o)
{
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
