/* The manual's line of each option. */
#include "conf/option.h"

static void print_range(struct conf *conf, const struct option *option, FILE *out)
{
	const char *suffix = option->suffix != NULL ? option->suffix : "";

	if (option->accepts != NULL)
		(void)fputs(option->accepts, out);
	else if (option->type == OPTION_NUMBER)
		(void)fprintf(out, "%lld%s..%u%s%s%s",
			      option->negative ? -(long long)option->max : (long long)option->min,
			      suffix, option->max, suffix, option->counts != NULL ? " " : "",
			      option->counts != NULL ? option->counts : "");
	else if (option->type == OPTION_DURATION)
		(void)fprintf(out, "%s..%s",
			      conf_duration_text(conf, (uint64_t)option->min * option->unit_ms),
			      conf_duration_text(conf, (uint64_t)option->max * option->unit_ms));
	else if (option->type == OPTION_BOOL)
		(void)fputs("true or false", out);
	else if (option->type == OPTION_WORD)
		(void)fputs(conf_word_list(conf, option->words), out);
	else
		(void)fputs(option->type == OPTION_MAP ? "a map" : "-", out);
}

static void print_above(const struct option *option, FILE *out)
{
	static const struct {
		enum option_level level;
		const char *name;
	} levels[] = { { LEVEL_SITE, "site" },
		       { LEVEL_SERVER_SITE, "site of the server file" },
		       { LEVEL_POOL, "pool" },
		       { LEVEL_DEFAULTS, "defaults" } };
	const char *before = "";

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if ((option->above & levels[i].level) == 0)
			continue;
		(void)fprintf(out, "%s%s", before, levels[i].name);
		before = ", ";
	}
	(void)fputs(option->above == 0 ? "-" : "", out);
}

void option_print(const struct option_section *section, FILE *out)
{
	static const char *const types[] = { "text",     "path", "boolean", "number",
					     "duration", "word", "map",     "" };
	struct arena arena = { 0 };
	struct conf conf = { .arena = &arena };

	for (size_t i = 0; i < section->count; i++) {
		const struct option *option = &section->options[i];

		(void)fprintf(out, "%s\t%s\t%s\t%s\t", section->name, option->name,
			      option->kind != NULL ? option->kind : types[option->type],
			      option->required       ? "(required)"
			      : option->dflt != NULL ? option->dflt
						     : "-");
		print_range(&conf, option, out);
		(void)fputc('\t', out);
		print_above(option, out);
		(void)fprintf(out, "\t%s\n", option->manual);
	}
	arena_free(&arena);
}
