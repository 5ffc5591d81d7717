#include "ctl/country_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/data_file.h"

void country_table_read(struct country_table *out, FILE *file)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) >= 0) {
		struct country_row row = { .code = "" };
		int name = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%2[A-Z]\t%lf\t%lf\t%n", row.code, &row.latitude, &row.longitude,
			   &name) != 3 ||
		    name == 0)
			continue;
		row.name = mem_copy_text(line + name);
		array_add(out->rows, out->count, out->cap) = row;
	}
	free(line);
}

void country_table_find(struct country_table *out, const struct image *plan,
			const struct image *locations)
{
	FILE *file = data_file_open("countries.tsv", plan, locations);

	if (file == NULL)
		return;
	country_table_read(out, file);
	(void)fclose(file);
}

void country_table_close(struct country_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->rows[i].name);
	free(table->rows);
}

const struct country_row *country_table_row(const struct country_table *table, const char *code)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->rows[i].code, code) == 0)
			return &table->rows[i];
	}
	return NULL;
}

const char *country_table_name(const struct country_table *table, const char *code)
{
	const struct country_row *row = country_table_row(table, code);

	return row == NULL ? NULL : row->name;
}
