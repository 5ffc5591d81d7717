#include "compile/locations_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "compile/beside.h"
#include "compile/database_part.h"
#include "compile/operator_part.h"

#define MAKER_VERSION 3 /* another one: images of older programs are not taken over */

static const uint8_t family_of[2] = { IP_V4, IP_V6 };

struct locations_job {
	const struct config *config;
	struct diag *diag;
	unsigned mistakes; /* in diag at first */
	struct err *err;
	struct countries countries;
	struct location_table table;
	struct database_part *parts; /* of each database */
	uint32_t part_count;         /* that are open */
};

/* --- the key ------------------------------------------------------------------------------- */

static void key_text(struct buf *key, const char *text)
{
	if (text == NULL)
		buf_append(key, "\1", 2); /* no path is this text */
	else
		buf_append(key, text, strlen(text) + 1);
}

/* The change time, too: archives give a new file an old modification time. And which file it is: two
 * that were unpacked together may have all times in common, and a link leads to the other one now. A
 * file that is not there is not known by its times: reading it will tell. */
static void key_file(struct buf *key, const char *path)
{
	struct stat st = { 0 };
	uint64_t numbers[7] = { 0 };

	key_text(key, path);
	if (path != NULL && stat(path, &st) == 0) {
		numbers[0] = (uint64_t)st.st_size;
		numbers[1] = (uint64_t)st.st_mtim.tv_sec;
		numbers[2] = (uint64_t)st.st_mtim.tv_nsec;
		numbers[3] = (uint64_t)st.st_ctim.tv_sec;
		numbers[4] = (uint64_t)st.st_ctim.tv_nsec;
		numbers[5] = (uint64_t)st.st_dev;
		numbers[6] = (uint64_t)st.st_ino;
	}
	buf_append(key, numbers, sizeof(numbers));
}

static uint64_t compute_key(const struct config *config)
{
	struct buf key = { 0 };
	uint64_t hash;

	for (size_t i = 0; i < config->database_count; i++) {
		const struct config_geo_fields *set = &config->databases[i].fields;

		key_file(&key, config->databases[i].path);
		key_text(&key, set->country);
		key_text(&key, set->continent);
		key_text(&key, set->subdivision);
		key_text(&key, set->city);
		key_text(&key, set->latitude);
		key_text(&key, set->longitude);
		key_text(&key, set->asn);
	}
	key_file(&key, config->countries_path);
	for (size_t i = 0; i < config->field_count; i++) {
		key_text(&key, config->fields[i].path);
		key_text(&key, config->fields[i].value);
	}
	hash = hash_bytes(key.data, key.len, MAKER_VERSION);
	buf_free(&key);
	return hash;
}

/* --- all of them together ------------------------------------------------------------------ */

/* Walks the lists of one family side by side. */
struct sweep {
	struct location_table *table;
	struct breaks_cursor *cursors;
	size_t count;
};

static uint32_t sweep_value(const struct sweep *sweep)
{
	uint32_t value = 0;

	for (size_t i = 0; i < sweep->count; i++)
		value = location_table_merge(sweep->table, value, cursor_value(&sweep->cursors[i]));
	return value;
}

/* Moves all on to the nearest break point; false: there is none. */
static bool sweep_next(const struct sweep *sweep, address_bits *start)
{
	bool any = false;

	for (size_t i = 0; i < sweep->count; i++) {
		address_bits next;

		if (cursor_next(&sweep->cursors[i], &next) && (!any || next < *start)) {
			*start = next;
			any = true;
		}
	}
	for (size_t i = 0; any && i < sweep->count; i++) {
		address_bits next;

		if (cursor_next(&sweep->cursors[i], &next) && next == *start)
			cursor_step(&sweep->cursors[i]);
	}
	return any;
}

/* Of this family. */
static bool knows_nothing(const struct breaks *list)
{
	return list->count == 1 && list->value[0] == 0;
}

static void merge_family(struct locations_job *job, int family, struct breaks *out)
{
	size_t databases = job->config->database_count;
	struct sweep sweep = { .table = &job->table,
			       .cursors = mem_array(databases, sizeof(*sweep.cursors)) };
	address_bits start = 0;

	for (size_t i = 0; i < databases; i++) {
		struct breaks *list = &job->parts[i].lists[family];

		if (knows_nothing(list))
			continue;
		sweep.cursors[sweep.count++] = breaks_cursor(list);
	}
	do
		breaks_add(out, start, sweep_value(&sweep));
	while (sweep_next(&sweep, &start));
	free(sweep.cursors);
}

/* What one database alone knows is taken as it is. */
static bool take_only(struct locations_job *job, int family, struct breaks *out)
{
	struct breaks *only = NULL;

	for (size_t i = 0; i < job->config->database_count; i++) {
		struct breaks *list = &job->parts[i].lists[family];

		if (knows_nothing(list))
			continue;
		if (only != NULL)
			return false;
		only = list;
	}
	if (only == NULL)
		return false;
	*out = *only;
	*only = (struct breaks){ .family = family_of[family] };
	return true;
}

static void join_family(struct locations_job *job, int family, struct breaks *out)
{
	*out = (struct breaks){ .family = family_of[family] };
	if (take_only(job, family, out))
		return;
	merge_family(job, family, out);
	for (size_t i = 0; i < job->config->database_count; i++)
		breaks_free(&job->parts[i].lists[family]);
}

/* Numbers locations by first use: those that were only parts of others stay behind. */
static uint32_t renumber(struct breaks *list, uint32_t *numbers, uint32_t count)
{
	for (uint32_t i = 0; i < list->count; i++) {
		uint32_t *number = &numbers[list->value[i]];

		if (*number == LOCATION_NONE)
			*number = count++;
		list->value[i] = *number;
	}
	return count;
}

/* --- the image ----------------------------------------------------------------------------- */

static struct location_place pack_location(const struct location *l, struct numbering *origins)
{
	struct location_origin origin = { .has = l->has,
					  .fields = l->fields,
					  .country_database = l->country_database,
					  .coordinates_database = l->coordinates_database,
					  .asn_database = l->asn_database,
					  .city_database = l->city_database };
	struct location_place place = { .latitude = l->latitude,
					.longitude = l->longitude,
					.asn = l->asn,
					.city = l->city,
					.subdivision = l->subdivision,
					.subdivision_name = l->subdivision_name };

	memcpy(place.country, l->country, sizeof(place.country));
	memcpy(place.continent, l->continent, sizeof(place.continent));
	place.origin = numbering_add(origins, &origin, sizeof(origin));
	return place;
}

static void write_locations(struct locations_job *job, struct image_writer *writer,
			    const uint32_t *numbers, uint32_t count)
{
	uint64_t at = image_writer_reserve(writer, count * sizeof(struct location_place), 64);
	struct location_place *out = image_writer_at(writer, struct location_place, at);
	struct numbering origins = { 0 };
	struct locations_root *root;
	uint64_t origins_at;

	for (uint32_t i = 0; i < job->table.locations.count; i++) {
		struct location location;

		if (numbers[i] == LOCATION_NONE)
			continue;
		location = location_with_country(location_table_at(&job->table, i),
						 &job->countries);
		out[numbers[i]] = pack_location(&location, &origins);
	}
	origins_at = image_writer_append(writer, origins.bytes.data, origins.bytes.len, 64);
	root = image_writer_root(writer, struct locations_root);
	root->places_off = at;
	root->location_count = count;
	root->origins_off = origins_at;
	root->origin_count = origins.count;
	numbering_free(&origins);
}

static void write_databases_and_texts(struct locations_job *job, struct image_writer *writer)
{
	size_t count = job->config->database_count;
	uint64_t names = image_writer_reserve(writer, count * sizeof(uint32_t), 64);
	const struct buf *texts = &job->table.texts.bytes;
	struct locations_root *root;
	uint64_t texts_at;

	for (size_t i = 0; i < count; i++) {
		const char *path = job->config->databases[i].path;

		image_writer_at(writer, uint32_t, names)[i] = location_table_text(&job->table, path,
										  strlen(path));
	}
	texts_at = image_writer_append(writer, texts->data, texts->len, 1);
	root = image_writer_root(writer, struct locations_root);
	root->databases_off = names;
	root->database_count = (uint32_t)count;
	root->texts_off = texts_at;
	root->texts_size = texts->len;
}

static void write_field_sets(const struct location_table *table, struct image_writer *writer)
{
	const struct buf *sets = &table->field_sets.bytes;
	uint64_t at = image_writer_append(writer, sets->data, sets->len, 64);
	struct locations_root *root = image_writer_root(writer, struct locations_root);

	root->field_sets_off = at;
	root->field_set_count = table->field_sets.count;
	root->field_words = table->field_words;
}

static void write_databases(struct locations_job *job, struct breaks lists[2],
			    struct image_writer *writer)
{
	uint32_t *numbers = mem_array(job->table.locations.count, sizeof(*numbers));
	struct location_breaks breaks = { 0 };
	uint32_t count = 1;

	memset(numbers, 0xff, job->table.locations.count * sizeof(*numbers));
	numbers[0] = 0;
	for (int family = 0; family < 2; family++)
		count = renumber(&lists[family], numbers, count);
	write_locations(job, writer, numbers, count);
	write_field_sets(&job->table, writer);
	write_databases_and_texts(job, writer);
	location_table_free(&job->table);
	free(numbers);
	for (int family = 0; family < 2; family++) {
		breaks_write(&lists[family], writer, &breaks.family[family]);
		breaks_free(&lists[family]);
	}
	image_writer_root(writer, struct locations_root)->breaks = breaks;
}

/* --- reading all ---------------------------------------------------------------------------- */

/* A field that no record has is a typing mistake, and the rule or fence would never hold. */
static void check_asked(const struct locations_job *job)
{
	const struct config *config = job->config;
	const struct place server_file = { .file = config->file };

	for (size_t i = 0; i < config->field_count; i++) {
		bool found = config->database_count == 0;

		for (size_t d = 0; d < config->database_count; d++)
			found = found || job->parts[d].asked.found[i];
		if (!found)
			diag_add(job->diag, DIAG_ERROR, &server_file, NULL, 0,
				 "no record of any database has the field \"%s\"",
				 config->fields[i].path);
	}
}

/* Two at once: operators have one database, or one of each family. */
static void read_databases(struct locations_job *job)
{
	for (uint32_t i = 0; i < job->part_count; i += 2) {
		bool has_other = i + 1 < job->part_count;
		struct beside other;

		if (has_other)
			beside_start(&other, database_part_read, &job->parts[i + 1]);
		database_part_read(&job->parts[i]);
		if (has_other)
			beside_wait(&other);
	}
	for (uint32_t i = 0; i < job->part_count; i++)
		diag_join(job->diag, job->parts[i].diag);
}

/* Numbers of the first database's locations stay what they are. */
static void join_tables(struct locations_job *job)
{
	for (uint32_t i = 0; i < job->part_count; i++) {
		struct database_part *part = &job->parts[i];
		uint32_t *to;

		if (i == 0) {
			location_table_free(&job->table);
			job->table = part->table;
			part->table = (struct location_table){ 0 };
			continue;
		}
		to = location_table_join(&job->table, &part->table);
		location_table_free(&part->table);
		for (int family = 0; family < 2; family++)
			breaks_renumber(&part->lists[family], to);
		free(to);
	}
}

static int walk(struct locations_job *job, struct image_writer *writer)
{
	unsigned mistakes = diag_errors(job->diag);
	struct breaks merged[2] = { { 0 }, { 0 } };

	while (job->part_count < job->config->database_count) {
		uint32_t number = job->part_count++;

		if (database_part_open(&job->parts[number], job->config, number, job->err) != 0)
			return -1;
	}
	read_databases(job);
	if (diag_errors(job->diag) == mistakes)
		check_asked(job);
	if (diag_errors(job->diag) != mistakes)
		return 0;
	join_tables(job);
	for (int family = 0; family < 2; family++)
		join_family(job, family, &merged[family]);
	write_databases(job, merged, writer);
	return 0;
}

static void open_job(struct locations_job *job)
{
	location_table_init(&job->table, job->config->field_count);
	job->parts = mem_array(job->config->database_count, sizeof(*job->parts));
}

static void close_job(struct locations_job *job)
{
	for (uint32_t i = 0; i < job->part_count; i++)
		database_part_free(&job->parts[i]);
	location_table_free(&job->table);
	free(job->parts);
}

/* Its offsets stay true: it lies where it lay, behind the root. */
static void copy_databases(const struct locations_previous *previous, struct image_writer *writer)
{
	const struct image *image = &previous->image;
	const struct locations_root *root = image_root(image, struct locations_root);
	size_t behind = IMAGE_ROOT + sizeof(*root);

	writer->len = behind;
	*image_writer_root(writer, struct locations_root) = *root;
	(void)image_writer_append(writer, image->base + behind, root->databases_end - behind, 1);
	if (previous->fd >= 0)
		image_drop(image);
}

/* Is the databases' part what the configuration would make now? Its sets have a bit for each field:
 * they are as large as the key says, unless somebody has damaged it. */
static bool has_databases(const struct locations_previous *previous, uint64_t key,
			  const struct config *config)
{
	const struct locations_root *root;

	if (previous == NULL)
		return false;
	root = image_root(&previous->image, struct locations_root);
	return root->key == key && root->field_words == location_field_words(config->field_count);
}

/* Copies or makes the databases' part. */
static int build_databases(struct locations_job *job, uint64_t key,
			   const struct locations_previous *previous, struct image_writer *writer)
{
	int rc = 0;

	if (has_databases(previous, key, job->config))
		copy_databases(previous, writer);
	else
		rc = walk(job, writer);
	image_writer_root(writer, struct locations_root)->key = key;
	return rc;
}

/* The operator's files are worked on beside the databases. */
static int write_image(struct locations_job *job, uint64_t key,
		       const struct locations_previous *previous, struct operator_part *part,
		       struct image_writer *writer, int *fd)
{
	struct beside other;
	int rc;

	operator_part_parse(part);
	beside_start(&other, operator_part_sweep, part);
	rc = build_databases(job, key, previous, writer);
	beside_wait(&other);
	operator_part_tell(part, job->diag);
	if (rc != 0 || diag_errors(job->diag) != job->mistakes)
		return rc;
	if (operator_part_write(part, writer, job->err) != 0)
		return -1;
	return image_writer_finish(writer, NULL, fd, job->err);
}

static int make(struct locations_job *job, uint64_t key, const struct locations_previous *previous,
		struct operator_part *part, int *fd)
{
	struct image_writer writer;
	int rc = image_writer_open(&writer, IMAGE_LOCATIONS, sizeof(struct locations_root),
				   job->err);

	open_job(job);
	if (rc == 0)
		rc = write_image(job, key, previous, part, &writer, fd);
	image_writer_discard(&writer);
	close_job(job);
	return rc;
}

static bool is_unchanged(const struct locations_previous *previous, uint64_t key,
			 uint64_t operators_key, const struct config *config)
{
	return has_databases(previous, key, config) && previous->fd >= 0 &&
	       image_root(&previous->image, struct locations_root)->operators_key == operators_key;
}

static int take_over(const struct locations_previous *previous, struct locations_built *out,
		     struct err *err)
{
	const struct locations_root *root = image_root(&previous->image, struct locations_root);

	out->kept_warnings = root->overrides.warnings + root->resolvers.warnings;
	image_drop(&previous->image);
	return image_share(previous->fd, &out->fd, err);
}

int locations_build(const struct config *config, const struct locations_previous *previous,
		    struct locations_built *out, struct diag *diag, struct err *err)
{
	struct locations_job *job = mem_alloc(sizeof(*job));
	uint64_t key = compute_key(config); /* of files as they are before they are read */
	struct operator_part part;
	bool has_mistakes;
	int rc;

	*out = (struct locations_built){ .fd = -1 };
	*job = (struct locations_job){
		.config = config, .diag = diag, .mistakes = diag_errors(diag), .err = err
	};
	if (config->countries_path != NULL)
		countries_read(&job->countries, config->countries_path, diag);
	operator_part_open(&part, config, &job->countries);
	has_mistakes = diag_errors(diag) != job->mistakes || diag_errors(part.context.diag) > 0;
	if (!has_mistakes && is_unchanged(previous, key, part.key, config))
		rc = take_over(previous, out, err);
	else
		rc = make(job, key, previous, &part, &out->fd);
	operator_part_free(&part);
	free(job);
	return rc;
}
