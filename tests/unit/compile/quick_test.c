/* What the reader takes in one pass is what ldns' converters would have read: the same records, at
 * the same places, and the same mistakes. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "compile/master_reader.h"
#include "compile_test.h"
#include "zones_test.h"

/* --- all that comes of one text ----------------------------------------------------------------- */

static void say_place(FILE *out, const struct master_place *place)
{
	if (place->len == 0 && place->line == 0)
		(void)fputs(" -", out);
	else
		(void)fprintf(out, " %u@%u+%u:%u", place->source, place->line, place->offset,
			      place->len);
}

static bool are_host_labels(const uint8_t *name)
{
	for (; *name != 0; name += 1 + *name) {
		if (name[1] == '-' || name[*name] == '-')
			return false;
		for (unsigned i = 1; i <= *name; i++) {
			if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-", name[i]) == NULL)
				return false;
		}
	}
	return true;
}

static const struct name origin = { .wire = "\7example\3net", .len = 13, .labels = 2 };

static void say_record(FILE *out, const struct master_record *record)
{
	const struct name *owner = record->owner;
	char name[NAME_TEXT_SIZE];

	ck_assert_uint_eq(name_length(owner->wire, DNS_NAME_MAX), owner->len);
	ck_assert_uint_eq(name_labels(owner->wire), owner->labels);
	ck_assert((record->owner_known & OWNER_PLAIN) == 0 || are_host_labels(owner->wire));
	ck_assert((record->owner_known & OWNER_INSIDE) == 0 ||
		  name_is_under(owner->wire, owner->len, origin.wire, origin.len));
	(void)fprintf(out, "%s %u %u %d \\# %u ", name_format(record->owner->wire, name),
		      record->ttl_s, record->type, record->pool, record->len);
	for (unsigned i = 0; i < record->len; i++)
		(void)fprintf(out, "%02x", record->data[i]);
	say_place(out, &record->place);
	say_place(out, &record->owner_place);
	if (record->pool) {
		(void)fprintf(out, " %u", record->pool_types);
		say_place(out, &record->data_place);
		say_place(out, &record->service_place);
	}
	(void)fputs("\n", out);
}

/* To be freed. */
static char *read_all(const char *path, bool quick)
{
	struct diag *diag = diag_new();
	struct master_sources sources = { .diag = diag };
	struct master_reader *reader = master_reader_open(path, &origin, &sources);
	struct master_record record;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	if (!quick)
		master_reader_go_without_quick(reader);
	while (master_reader_next(reader, &record))
		say_record(out, &record);
	diag_print(diag, out);
	ck_assert_int_eq(fclose(out), 0);
	master_reader_close(reader);
	master_sources_free(&sources);
	diag_free(diag);
	return text;
}

static void compare_file(const char *path)
{
	char *quick = read_all(path, true), *slow = read_all(path, false);

	ck_assert_str_eq(quick, slow);
	free(quick);
	free(slow);
}

static void compare_text(const char *text, size_t size)
{
	const struct zones_file file = { "example.net.zone", text, size };
	struct zones_try try;

	zones_try_open(&try);
	zones_try_write(&try, &file);
	compare_file(try.paths[0]);
	zones_try_close(&try);
}

/* --- texts ------------------------------------------------------------------------------------- */

static const char *const owners[] = {
	"@",
	"www",
	"www",
	"WwW.Example.NET.",
	"a.b.c",
	"a..b",
	"*",
	"*.x",
	" ",
	"\t",
	" \t ",
	"a\\.b",
	"a\\032b",
	"\\@",
	"@x",
	"x@",
	"_sip._tcp",
	".",
	"",
	"\"www\"",
	"x;y",
	"x(",
	"\xc3\xa4",
	"123",
	"www.other.",
	"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.example.net.",
	"label-of-63-octets-is-the-longest-that-there-can-be-of-all-x2345",
	"label-of-64-octets-is-one-octet-longer-than-there-can-be-of-all-x",
	"$x",
};

static const char *const fronts[] = {
	" IN ",    " ",          " 300 ",       " 300 IN ",     " IN 300 ",     " in 0 ",
	" 1h IN ", " 1H30M ",    " IN IN ",     " 300 300 ",    " CH ",         " CLASS1 ",
	"\tIN\t",  " 99999999 ", " 999999999 ", " 2147483648 ", " 4294967296 ", " 00300 IN ",
	" -1 ",    " 300s IN ",  " \"IN\" ",    " IN ( ",       "\r IN ",       " I\\N ",
};

static const char *const datas[] = {
	"A 192.0.2.1",
	"a 0.0.0.0",
	"A 255.255.255.255",
	"A 192.0.2.01",
	"A 192.0.2.256",
	"A 192.0.2",
	"A 192.0.2.1.",
	"A 192.0.2.1.5",
	"A 192.0.2.1 192.0.2.2",
	"A \"192.0.2.1\"",
	"A 1192.0.2.1",
	"A 192.0.2.1x",
	"A",
	"A @",
	"A \\# 4 c0000201",
	"AAAA 2001:db8::1",
	"aaaa ::",
	"AAAA ::ffff:192.0.2.1",
	"AAAA 2001:DB8:0:0:0:0:0:1",
	"AAAA 2001:db8:::1",
	"AAAA 2001:db8::1%eth0",
	"AAAA 0000:0000:0000:0000:0000:ffff:192.168.100.228",
	"AAAA 00000:0000:0000:0000:0000:ffff:192.168.100.2289",
	"AAAA 1:2:3:4:5:6:7:8:9",
	"AAAA fe80::1/64",
	"NS ns1",
	"NS Ns1.Example.NET.",
	"NS @",
	"NS .",
	"NS a b",
	"ns a..b",
	"NS a\\.b",
	"CNAME www",
	"CNAME label-of-64-octets-is-one-octet-longer-than-there-can-be-of-all-x",
	"CNAME label-of-64-octets-is-one-octet-longer-than-there-can-be-of-all-x.example.",
	"PTR Host.EXAMPLE.",
	"PTR \"host\"",
	"PTR host;comment",
	"MX 10 mail",
	"MX 10",
	"MX mail",
	"MX 65536 mail",
	"MX 65535 MAIL.",
	"MX 010 mail",
	"MX 0x10 mail",
	"MX 10mail",
	"MX\t10\tmail\t",
	"SRV 0 5 5060 sip",
	"SRV 0 5 5060",
	"SRV 0 5 99999 sip",
	"SRV 0 5 5060 .",
	"TXT hello",
	"TXT \"hello world\"",
	"TXT \"\"",
	"TXT",
	"TXT a b c \"d e\" f",
	"TXT \"a\"\"b\"",
	"TXT \"a\"b",
	"TXT a\"b\"",
	"TXT key=\"a value\"",
	"TXT \"semi;colon (and) parentheses\"",
	"TXT \"esc\\\"aped\"",
	"TXT \"\\065\"",
	"TXT \\065",
	"TXT \"open",
	"TXT \"over\nlines\"",
	"TXT \"car\rriage\"",
	"TXT \xc3\xa4 \"\xff\"",
	"TXT ( a\n b )",
	"TXT a ; comment",
	"TXT a;comment",
	"TXT \"a\";comment",
	"TXT @",
	"DS 12345 8 2 0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef",
	"DS 12345 8 2 0123456789abcdef0123456789ABCDEF 0123456789abcdef0123456789abcdef",
	"DS 12345 8 2 0123",
	"DS 12345 8 9 0123",
	"DS 12345 8 9 012",
	"DS 12345 RSASHA256 9 0123",
	"DS 12345 256 9 0123",
	"DS 65536 8 9 0123",
	"DS 1 8 9",
	"DS 1 8 9 01xy",
	"SOA ns1 hostmaster 1 2h 3 4 5",
	"CAA 0 issue \"ca.example\"",
	"POOL edge",
	"POOL edge A AAAA",
	"TYPE1 \\# 4 c0000201",
	"TYPE1 192.0.2.1",
	"HINFO a b",
	"FOO bar",
	"AAAAA ::",
	"(A 192.0.2.1)",
	"A ( 192.0.2.1 )",
	"A (\n192.0.2.1\n)",
	"A ) 192.0.2.1",
};

static const char *const ends[] = {
	"\n",
	"\n",
	"\r\n",
	"\r",
	" \n",
	"\t\n",
	" ; a comment\n",
	";c\n",
	"; with \"quote (\r\n",
	"\n\n",
	"\n ; only a comment\n",
	"\n\t\n",
	"\n; a line\n",
};

static const char *const directives[] = {
	"$TTL 300\n",
	"$TTL 1h\n",
	"$ORIGIN sub\n",
	"$ORIGIN other.example.\n",
	"$ORIGIN .\n",
	" $TTL 5\n",
	"$ttl 60 ; comment\n",
	"$TTL\n",
	"$GENERATE 1-3 h$ A 192.0.2.$\n",
	"$ORIGIN a..b\n",
	"$FOO\n",
};

#define PICK(array, chance) (array)[hash_below((chance), sizeof(array) / sizeof((array)[0]))]

static uint64_t chance_state = 42;

static uint64_t chance(void)
{
	return hash_word(chance_state++);
}

static void add_line(struct buf *text)
{
	if (hash_below(chance(), 12) == 0) {
		buf_format(text, "%s", PICK(directives, chance()));
		return;
	}
	buf_format(text, "%s%s%s%s", PICK(owners, chance()), PICK(fronts, chance()),
		   PICK(datas, chance()), PICK(ends, chance()));
}

START_TEST(each_form_of_data_is_read_alike)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < sizeof(datas) / sizeof(datas[0]); i++) {
		text.len = 0;
		buf_format(&text, "$TTL 60\nwww IN %s\nnext A 192.0.2.9\n", datas[i]);
		compare_text((const char *)text.data, text.len);
	}
	buf_free(&text);
}
END_TEST

START_TEST(each_owner_and_each_front_is_read_alike)
{
	struct buf text = { 0 };

	for (size_t o = 0; o < sizeof(owners) / sizeof(owners[0]); o++) {
		text.len = 0;
		buf_format(&text, "$TTL 60\nfirst A 192.0.2.1\n%s A 192.0.2.2\n A 192.0.2.3\n",
			   owners[o]);
		compare_text((const char *)text.data, text.len);
	}
	for (size_t f = 0; f < sizeof(fronts) / sizeof(fronts[0]); f++) {
		text.len = 0;
		buf_format(&text, "www%sA 192.0.2.1\n$TTL 9\nwww%sA 192.0.2.2\n\tAAAA ::1",
			   fronts[f], fronts[f]);
		compare_text((const char *)text.data, text.len);
	}
	buf_free(&text);
}
END_TEST

START_TEST(files_of_all_forms_together_are_read_alike)
{
	struct buf text = { 0 };

	for (unsigned i = 0; i < 120; i++) {
		text.len = 0;
		if (i % 2 == 0)
			buf_format(&text, "$TTL 60\n");
		for (unsigned line = 0; line < 25; line++)
			add_line(&text);
		if (i % 3 == 0) /* somewhere an octet is another one */
			text.data[hash_below(chance(), (uint32_t)text.len)] =
				(uint8_t)(1 + hash_below(chance(), 255));
		compare_text((const char *)text.data, text.len - i % 5 % text.len);
	}
	buf_free(&text);
}
END_TEST

/* A label of each length up to the longest, and names of each length around the longest. */
START_TEST(names_of_each_length_are_read_alike)
{
	struct buf text = { 0 };

	for (unsigned len = 180; len < 260; len++) {
		text.len = 0;
		buf_format(&text, "$TTL 60\n");
		for (unsigned i = 0; i < len; i++)
			buf_format(&text, i % 60 == 59 ? "." : "x");
		buf_format(&text, " NS ");
		for (unsigned i = 0; i < len; i++)
			buf_format(&text, i % 60 == 59 ? "." : "X");
		buf_format(&text, ".\nl%0*u MX 1 L%0*u\n", (int)(len - 180), 0, (int)(len - 180),
			   0);
		compare_text((const char *)text.data, text.len);
	}
	buf_free(&text);
}
END_TEST

static unsigned compare_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	unsigned count = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL) {
		char *path = mem_format("%s/%s", folder, entry->d_name);

		if (*entry->d_name != '.') {
			compare_file(path);
			count++;
		}
		free(path);
	}
	(void)closedir(dir);
	return count;
}

START_TEST(the_seeds_of_the_fuzzer_and_the_sample_are_read_alike)
{
	const char *top = getenv("srcdir");
	char *seeds, *zones;

	if (top == NULL)
		top = "..";
	seeds = mem_format("%s/tests/fuzz/seeds/zone", top);
	zones = mem_format("%s/zones/example.net.zone", top);
	ck_assert_uint_gt(compare_folder(seeds), 3);
	compare_file(zones);
	free(seeds);
	free(zones);
}
END_TEST

Suite *quick_suite(void)
{
	Suite *suite = suite_create("quick");
	TCase *tests = tcase_create("quick");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, each_form_of_data_is_read_alike);
	tcase_add_test(tests, each_owner_and_each_front_is_read_alike);
	tcase_add_test(tests, files_of_all_forms_together_are_read_alike);
	tcase_add_test(tests, names_of_each_length_are_read_alike);
	tcase_add_test(tests, the_seeds_of_the_fuzzer_and_the_sample_are_read_alike);
	suite_add_tcase(suite, tests);
	return suite;
}
