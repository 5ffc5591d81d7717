#include "compile/database_part.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/mmdb_walk.h"
#include "conf/source.h"

static int number_record(void *context, uint32_t offset, uint32_t *number, struct err *err)
{
	struct database_part *part = context;
	struct mmdb_record record;
	struct mmdb_facts facts;

	mmdb_record_open(&record, part->fields.db, offset);
	if (mmdb_fields_read(&part->fields, &record, &facts, err) != 0)
		return -1;
	memset(part->bits, 0, part->table.field_words * sizeof(*part->bits));
	if (mmdb_asked_read(&part->asked, &record, part->bits, err) != 0)
		return -1;
	*number = location_table_add(&part->table, &facts, part->bits, part->number);
	return 0;
}

static const struct config_database *config_of(const struct database_part *part)
{
	return &part->config->databases[part->number];
}

/* Who is refused: a database without any field that is known or that clients are told by, and one
 * without a field that was set. */
static void check_found(const struct database_part *part)
{
	const struct mmdb_fields *fields = &part->fields;
	const struct config_database *config = config_of(part);
	char *holds = mmdb_fields_describe(fields);
	bool is_told = false, any = part->asked.found_any;

	for (int i = 0; i < FIELD_COUNT; i++) {
		any = any || fields->found[i] > 0;
		if (!fields->is_set[i] || fields->found[i] > 0)
			continue;
		is_told = true;
		diag_add(part->diag, DIAG_ERROR, &config->place, NULL, 0,
			 "%s: no record has the %s where \"fields\" says; they hold: %s",
			 config->path, mmdb_field_name[i], holds);
	}
	if (!any && !is_told)
		diag_add(part->diag, DIAG_ERROR, &config->place, NULL, 0,
			 "%s: no record has a known field; they hold: %s", config->path, holds);
	free(holds);
}

static int read_database(struct database_part *part, const MMDB_s *db, struct err *err)
{
	struct mmdb_walk walk = { .db = db, .number_record = number_record, .context = part };
	int rc = mmdb_fields_open(&part->fields, db, &config_of(part)->fields, &part->arena, err);

	for (int family = 0; rc == 0 && family < 2; family++)
		rc = mmdb_walk(&walk, &part->lists[family], err);
	if (rc == 0)
		check_found(part);
	memo_free(&walk.records);
	memo_free(&part->table.text_at); /* it names places in the database */
	return rc;
}

static void tell(const struct database_part *part, const char *why)
{
	diag_add(part->diag, DIAG_ERROR, &config_of(part)->place, NULL, 0, "%s: %s",
		 config_of(part)->path, why);
}

void database_part_read(void *context)
{
	struct database_part *part = context;
	const char *path = config_of(part)->path;
	struct err err = { "" };
	MMDB_s db;
	int rc;

	if (source_is_file(path, &err) != 0) {
		tell(part, err.text);
		return;
	}
	errno = 0;
	rc = MMDB_open(path, MMDB_MODE_MMAP, &db);
	if (rc != MMDB_SUCCESS) {
		bool by_system = (rc == MMDB_FILE_OPEN_ERROR || rc == MMDB_IO_ERROR) && errno != 0;

		tell(part, by_system ? strerror(errno) : MMDB_strerror(rc));
		return;
	}
	if (read_database(part, &db, &err) != 0)
		tell(part, err.text);
	MMDB_close(&db);
}

int database_part_open(struct database_part *part, const struct config *config, uint32_t number,
		       struct err *err)
{
	*part = (struct database_part){ .config = config,
					.number = number,
					.lists = { { .family = IP_V4 }, { .family = IP_V6 } },
					.diag = diag_new() };
	location_table_init(&part->table, config->field_count);
	part->bits = arena_alloc(&part->arena, part->table.field_words * sizeof(*part->bits));
	return mmdb_asked_open(&part->asked, config->fields, config->field_count, &part->arena,
			       err);
}

void database_part_free(struct database_part *part)
{
	for (int family = 0; family < 2; family++)
		breaks_free(&part->lists[family]);
	location_table_free(&part->table);
	arena_free(&part->arena);
	diag_free(part->diag);
}
