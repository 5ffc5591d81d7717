/* What the store held at the start, by connections of their own: the writer has the other one. */
#include <stdlib.h>

#include "base/clock.h"
#include "store/drill_rows.h"
#include "store/store_parts.h"

/* A connection of its own: the writer has the other one. */
int store_load(struct store *store, void (*each)(void *context, const struct store_status *row),
	       void *context, struct err *err)
{
	_Atomic uint64_t give_up_us = clock_mono_us() + STORE_OPEN_MAX_US;
	struct store_status *rows = NULL;
	struct database db;
	size_t count = 0;
	ino_t file = store_file_now(store);
	int code = database_open(&db, store->path, &give_up_us, err);

	if (code == SQLITE_OK)
		code = database_read(&db, &rows, &count, err);
	for (size_t i = 0; i < count; i++)
		each(context, &rows[i]);
	free(rows);
	database_close(&db);
	if (code == SQLITE_OK)
		return 0;
	if (database_is_damaged(code))
		store_tell_damage(store, file);
	return err_prefix(err, "%s", store->path);
}

int store_load_orders(struct store *store, struct store_action **out, size_t *count,
		      struct err *err)
{
	_Atomic uint64_t give_up_us = clock_mono_us() + STORE_OPEN_MAX_US;
	struct database db;
	ino_t file = store_file_now(store);
	int code;

	*out = NULL;
	*count = 0;
	code = database_open(&db, store->path, &give_up_us, err);
	if (code == SQLITE_OK)
		code = database_read_orders(&db, out, count, err);
	database_close(&db);
	if (code == SQLITE_OK)
		return 0;
	if (database_is_damaged(code))
		store_tell_damage(store, file);
	return err_prefix(err, "%s", store->path);
}

int store_load_drill(struct store *store, struct store_drill *out, struct store_drill_node **nodes,
		     size_t *count, struct err *err)
{
	_Atomic uint64_t give_up_us = clock_mono_us() + STORE_OPEN_MAX_US;
	struct database db;
	ino_t file = store_file_now(store);
	int code = database_open(&db, store->path, &give_up_us, err);

	*nodes = NULL;
	if (code == SQLITE_OK)
		code = drill_rows_read(db.connection, out, nodes, count, err);
	database_close(&db);
	if (code == SQLITE_OK)
		return 0;
	free(*nodes);
	*nodes = NULL;
	if (database_is_damaged(code))
		store_tell_damage(store, file);
	return err_prefix(err, "%s", store->path);
}
