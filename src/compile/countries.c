#include "compile/countries.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/source.h"

/* ISO 3166-1 alpha-2 codes and XK. States on two continents count where GeoNames has them. */
static const struct {
	char code[3];
	const char *countries;
} continents[] = {
	{ "AF", "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW "
		"KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO "
		"SS ST SZ TD TG TN TZ UG YT ZA ZM ZW" },
	{ "AN", "AQ BV GS HM TF" },
	{ "AS", "AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IO IQ IR JO JP KG KH "
		"KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ "
		"TM TR TW UZ VN YE" },
	{ "EU", "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR "
		"HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE "
		"SI SJ SK SM UA VA XK" },
	{ "NA", "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN "
		"KY LC MF MQ MS MX NI PA PM PR SV SX TC TT US VC VG VI" },
	{ "OC", "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV "
		"UM VU WF WS" },
	{ "SA", "AR BO BR CL CO EC FK GF GY PE PY SR UY VE" },
};

int country_index(const char code[2])
{
	if (code[0] < 'A' || code[0] > 'Z' || code[1] < 'A' || code[1] > 'Z')
		return -1;
	return (code[0] - 'A') * 26 + code[1] - 'A';
}

const char *country_continent(const char code[2])
{
	for (size_t i = 0; i < sizeof(continents) / sizeof(continents[0]); i++)
		for (const char *c = continents[i].countries; *c != '\0'; c += c[2] == ' ' ? 3 : 2)
			if (c[0] == code[0] && c[1] == code[1])
				return continents[i].code;
	return NULL;
}

struct country *countries_find(struct countries *countries, const char code[2])
{
	int at = country_index(code);

	return at < 0 ? NULL : &countries->by_code[at];
}

/* --- the table ----------------------------------------------------------------------------- */

struct line {
	const char *path;
	unsigned number;
	const char *text; /* whole, without its newline */
	size_t len;
	struct diag *diag;
};

static void mistake(const struct line *line, const char *part, size_t len, const char *what)
{
	struct place place = { line->path, line->number, (unsigned)(part - line->text) + 1,
			       (unsigned)len };

	diag_add(line->diag, DIAG_ERROR, &place, line->text, line->len, "\"%.*s\" %s", (int)len,
		 part, what);
}

static bool read_degrees(const struct line *line, const char *part, size_t len, double limit,
			 float *out)
{
	char *end;
	double value = strtod(part, &end);

	if (len == 0 || end != part + len || !(fabs(value) <= limit)) {
		mistake(line, part, len,
			limit > 90 ? "is not a longitude (-180 to 180)"
				   : "is not a latitude (-90 to 90)");
		return false;
	}
	*out = (float)value;
	return true;
}

static void read_line(struct countries *out, const struct line *line)
{
	const char *part[3];
	size_t len[3];
	const char *rest = line->text;
	struct country *country;
	struct country place = { .known = true };

	for (int i = 0; i < 3; i++) {
		part[i] = rest;
		len[i] = strcspn(rest, "\t");
		rest += len[i];
		rest += *rest == '\t' ? 1 : 0;
	}
	country = len[0] == 2 ? countries_find(out, part[0]) : NULL;
	if (country == NULL) {
		mistake(line, part[0], len[0], "is not a country code of two upper-case letters");
		return;
	}
	if (country->known)
		mistake(line, part[0], len[0], "is there twice");
	else if (read_degrees(line, part[1], len[1], 90, &place.latitude) &&
		 read_degrees(line, part[2], len[2], 180, &place.longitude))
		*country = place;
}

void countries_read(struct countries *out, const char *path, struct diag *diag)
{
	struct line line = { .path = path, .diag = diag };
	struct place whole_file = { .file = path };
	char *text = NULL;
	size_t size = 0;
	struct err err;
	FILE *file;

	*out = (struct countries){ 0 };
	if (source_is_file(path, &err) != 0) {
		diag_add(diag, DIAG_ERROR, &whole_file, NULL, 0, "the countries table: %s",
			 err.text);
		return;
	}
	errno = 0;
	file = fopen(path, "re");
	while (file != NULL && !diag_file_is_full(diag, path) && getline(&text, &size, file) >= 0) {
		line.number++;
		line.text = text;
		line.len = strcspn(text, "\r\n");
		text[line.len] = '\0';
		if (line.len > 0 && text[0] != '#')
			read_line(out, &line);
	}
	if (file == NULL || ferror(file))
		diag_add(diag, DIAG_ERROR, &whole_file, NULL, 0, "the countries table: %s",
			 strerror(errno));
	free(text);
	if (file != NULL)
		(void)fclose(file);
}
