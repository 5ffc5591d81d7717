#include "compile/operator_part.h"

#include <string.h>

#include "base/hash.h"

#define MAKER_VERSION 1 /* another one: what older programs made of the files is not taken over */

/* What is in the files, not their times: they may change twice within one tick of a clock. */
static uint64_t compute_key(const struct operator_part *part, const struct config *config)
{
	struct buf key = { 0 };
	uint64_t hash;

	for (int i = 0; i < 2; i++) {
		const struct overrides *o = &part->files[i];
		uint64_t numbers[3] = { o->path != NULL, o->size, hash_bytes(o->text, o->size, 0) };

		buf_append(&key, numbers, sizeof(numbers));
		if (o->path != NULL)
			buf_append(&key, o->path, strlen(o->path) + 1);
	}
	for (size_t i = 0; i < config->site_count; i++) {
		const struct config_site *site = &config->sites[i];
		double place[2] = { site->latitude, site->longitude };

		buf_append(&key, site->name, strlen(site->name) + 1);
		buf_append(&key, place, sizeof(place));
	}
	hash = hash_bytes(key.data, key.len, MAKER_VERSION);
	buf_free(&key);
	return hash;
}

void operator_part_open(struct operator_part *part, const struct config *config,
			struct countries *countries)
{
	*part = (struct operator_part){ .key = 0 };
	override_context_init(&part->context, config, countries, diag_new());
	overrides_open(&part->files[0], &part->context, config->overrides_path);
	overrides_open(&part->files[1], &part->context, config->resolvers_path);
	part->key = compute_key(part, config);
}

void operator_part_free(struct operator_part *part)
{
	for (int i = 0; i < 2; i++)
		overrides_free(&part->files[i]);
	diag_free(part->context.diag);
	override_context_free(&part->context);
}

void operator_part_parse(struct operator_part *part)
{
	for (int i = 0; i < 2; i++)
		overrides_parse(&part->files[i]);
}

void operator_part_sweep(void *context)
{
	struct operator_part *part = context;

	for (int i = 0; i < 2; i++)
		overrides_sweep(&part->files[i]);
}

void operator_part_tell(struct operator_part *part, struct diag *diag)
{
	diag_join(diag, part->context.diag);
}

int operator_part_write(struct operator_part *part, struct image_writer *writer, struct err *err)
{
	struct locations_root *root = image_writer_root(writer, struct locations_root);
	const struct buf *texts = &part->context.texts.bytes;
	uint64_t texts_at = root->texts_size;
	struct location_rows rows[2];

	root->databases_end = writer->len;
	for (int i = 0; i < 2; i++)
		overrides_write(&part->files[i], writer, (uint32_t)texts_at, &rows[i]);
	if (texts_at + texts->len > UINT32_MAX)
		return err_set(err, "locations image: more than 4 GiB of texts");
	texts_at = image_writer_append(writer, texts->data, texts->len, 1);
	root = image_writer_root(writer, struct locations_root);
	root->operators_key = part->key;
	root->overrides = rows[0];
	root->resolvers = rows[1];
	root->more_texts_off = texts_at;
	root->more_texts_size = texts->len;
	return 0;
}
