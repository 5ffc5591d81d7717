/* A pool file's avoid: nodes that count as down for some clients, written there or in files that
 * change more often. */
#include <stdlib.h>
#include <string.h>

#include "conf/clients.h"
#include "conf/data.h"
#include "conf/pool_parts.h"
#include "conf/timestamp.h"
#include "conf/words.h"

#define SITE_WORD   "site:"
#define UNTIL_WORD  "until="
#define REASON_WORD "reason="

struct avoids {
	const struct config_pool *pool;
	struct config_avoid *list;
	size_t count, cap;
};

/* What one entry says. */
struct avoid_reading {
	struct avoids *avoids;
	struct config_avoid avoid;
	const char *file;
	struct place until; /* where it is written */
	bool good;          /* its site or node is known */
};

/* --- one entry -------------------------------------------------------------------------------- */

/* The end of an entry is an hour that comes; who wrote it need not come back to delete it. */
static void add(struct conf *conf, struct avoid_reading *reading)
{
	struct avoids *avoids = reading->avoids;
	struct config_avoid *avoid = &reading->avoid;

	if (!reading->good || avoid->clients.count == 0)
		return;
	if (avoid->until_unix_s != 0 && avoid->until_unix_s <= conf->now_unix_s) {
		conf_warning(conf, &reading->until, "this ended at %s and is left out",
			     conf_timestamp_text(conf, avoid->until_unix_s));
		return;
	}
	if (avoid->reason == NULL)
		avoid->reason = "";
	array_add(avoids->list, avoids->count, avoids->cap) = *avoid;
}

static void read_site(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct avoid_reading *reading = out;

	reading->avoid.node = PLAN_NONE;
	reading->good = conf_expect(conf, value, YAML_SCALAR, "a site of this pool") &&
			pool_site_find(conf, reading->avoids->pool, value, &reading->avoid.site);
}

static void read_node(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct avoid_reading *reading = out;
	struct config_avoid *avoid = &reading->avoid;

	reading->good = conf_expect(conf, value, YAML_SCALAR, "a node of this pool") &&
			pool_node_find(conf, reading->avoids->pool, value, &avoid->site,
				       &avoid->node);
}

static void read_avoiding(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct avoid_reading *reading = out;

	clients_read(conf, value, NULL, &reading->avoid.clients);
}

static void read_until(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct avoid_reading *reading = out;

	reading->until = value->place;
	if (!conf_timestamp(conf, value, &reading->avoid.until_unix_s))
		reading->good = false;
	else if (reading->avoid.until_unix_s == 0) /* 0 is for those without an end */
		reading->avoid.until_unix_s = 1;
}

/* --- files of entries ------------------------------------------------------------------------- */

static void read_target(struct words *words, struct avoid_reading *reading)
{
	const struct word *word = &words->list[0];
	size_t prefix = strlen(SITE_WORD);

	if (word->len >= prefix && memcmp(word->text, SITE_WORD, prefix) == 0)
		read_site(words->conf, words_value(words, word->text + prefix, word->len - prefix),
			  reading);
	else
		read_node(words->conf, words_value(words, word->text, word->len), reading);
}

static void read_word_clients(struct words *words, struct avoid_reading *reading)
{
	const struct word *word = &words->list[1];
	struct clients_reading clients = { 0 };

	for (size_t at = 0; at <= word->len;) {
		size_t len = words_until(word->text + at, word->len - at, ',');
		const struct yaml_node *value = words_value(words, word->text + at, len);

		if (value->text[0] == '\0')
			conf_error(words->conf, &value->place, "there is no client here");
		else
			clients_add(words->conf, value, &clients);
		at += len + 1;
	}
	clients_end(words->conf, &clients, &reading->avoid.clients);
}

static void read_setting(struct words *words, const struct word *word,
			 struct avoid_reading *reading)
{
	const struct yaml_node *whole = words_value(words, word->text, word->len);
	size_t until = strlen(UNTIL_WORD), reason = strlen(REASON_WORD);

	if (strncmp(whole->text, UNTIL_WORD, until) == 0 && word->len > until)
		read_until(words->conf, words_value(words, word->text + until, word->len - until),
			   reading);
	else if (strncmp(whole->text, REASON_WORD, reason) == 0)
		reading->avoid.reason = whole->text + reason;
	else
		conf_error(words->conf, &whole->place,
			   "\"%.100s\" is neither " UNTIL_WORD "TIMESTAMP nor " REASON_WORD
			   "TEXT (with blanks: " REASON_WORD "\"TEXT\"); clients stand together, "
			   "with commas between",
			   whole->text);
}

static void read_line(struct words *words, struct avoids *avoids)
{
	struct avoid_reading reading = { .avoids = avoids };
	const struct yaml_node *first = words_value(words, words->list[0].text, words->list[0].len);

	reading.avoid.place = first->place;
	read_target(words, &reading);
	if (words->count == 1) {
		conf_error(words->conf, &first->place,
			   "behind a node, or " SITE_WORD "NAME, stand the clients that avoid it");
		return;
	}
	read_word_clients(words, &reading);
	for (size_t i = 2; i < words->count; i++)
		read_setting(words, &words->list[i], &reading);
	add(words->conf, &reading);
}

/* --- lines that say the same of other clients --------------------------------------------------- */

#define TEXT_MAX 160 /* octets of clients that are shown of many lines */

static int by_place(const struct config_avoid *a, const struct config_avoid *b)
{
	return a->place.line < b->place.line ? -1 : a->place.line > b->place.line;
}

/* By what is avoided, until when and why. */
static int by_what(const struct config_avoid *a, const struct config_avoid *b)
{
	if (a->site != b->site)
		return a->site < b->site ? -1 : 1;
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	if (a->until_unix_s != b->until_unix_s)
		return a->until_unix_s < b->until_unix_s ? -1 : 1;
	return strcmp(a->reason, b->reason);
}

static int compare(const void *a, const void *b)
{
	int what = by_what(a, b);

	return what != 0 ? what : by_place(a, b);
}

static int compare_places(const void *a, const void *b)
{
	return by_place(a, b);
}

/* "[CN, RU, AS4134, and 98 lines more]" */
static const char *text_of(struct conf *conf, const struct config_avoid *lines, size_t count)
{
	struct buf text = { 0 };
	const char *kept;
	size_t i = 0;

	for (; i < count && (i == 0 || text.len < TEXT_MAX); i++) {
		const char *one = lines[i].clients.text + 1; /* behind its bracket */

		buf_format(&text, "%s%.*s", i == 0 ? "[" : ", ", (int)strlen(one) - 1, one);
	}
	if (i < count)
		buf_format(&text, ", and %zu lines more", count - i);
	buf_append(&text, "]", 1);
	kept = arena_text(conf->arena, (const char *)text.data, text.len);
	buf_free(&text);
	return kept;
}

/* The clients of all, in the first one's place. */
static struct config_avoid join(struct conf *conf, const struct config_avoid *lines, size_t count)
{
	struct config_avoid joint = lines[0];
	struct config_client *clients;
	size_t total = 0;

	if (count == 1)
		return joint;
	for (size_t i = 0; i < count; i++)
		total += lines[i].clients.count;
	clients = arena_alloc(conf->arena, total * sizeof(*clients));
	joint.clients = (struct config_clients){ .list = clients,
						 .text = text_of(conf, lines, count) };
	for (size_t i = 0; i < count; i++) {
		const struct config_clients *from = &lines[i].clients;

		memcpy(clients + joint.clients.count, from->list, from->count * sizeof(*clients));
		joint.clients.count += from->count;
	}
	return joint;
}

/* Each avoid is told apart in every client class, so that a line of its own for each network would
 * make a class of each: what is the same for many clients is one avoid. */
static void join_lines(struct conf *conf, struct avoids *avoids, size_t first)
{
	size_t count = avoids->count - first, joint = 0;
	struct config_avoid *list;

	if (count == 0)
		return;
	list = avoids->list + first;
	qsort(list, count, sizeof(*list), compare);
	for (size_t from = 0, to; from < count; from = to) {
		for (to = from + 1; to < count && by_what(&list[from], &list[to]) == 0;)
			to++;
		list[joint++] = join(conf, &list[from], to - from);
	}
	qsort(list, joint, sizeof(*list), compare_places);
	avoids->count = first + joint;
}

/* Paths in the file are relative to its own folder. */
static void read_avoid_file(struct conf *conf, const struct yaml_node *value, struct avoids *avoids)
{
	const char *path = data_file(conf, value, value->text);
	const char *folder = conf->folder;
	size_t first = avoids->count;
	struct words words;

	if (path == NULL || !words_open(&words, conf, path))
		return;
	conf->folder = conf_folder(conf->arena, path);
	while (words_next(&words))
		read_line(&words, avoids);
	conf->folder = folder;
	join_lines(conf, avoids, first);
}

/* --- the list --------------------------------------------------------------------------------- */

static void read_file(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct avoid_reading *reading = out;

	if (conf_expect(conf, value, YAML_SCALAR, "the path of a file"))
		reading->file = value->text;
}

static const struct option avoid_options[] = {
	{ "site", OPTION_OTHER, .read = read_site, .kind = "text", .accepts = "a site of this pool",
	  .manual = "the site whose nodes are avoided" },
	{ "node", OPTION_OTHER, .read = read_node, .kind = "text", .accepts = "a node of this pool",
	  .manual = "the node that is avoided" },
	{ "clients", OPTION_OTHER, .read = read_avoiding, .kind = "list",
	  .accepts = CLIENTS_ACCEPTS, .manual = "who avoids it" },
	{ "until", OPTION_OTHER, .read = read_until, .kind = "timestamp",
	  .accepts = TIMESTAMP_ACCEPTS, .manual = "when this ends; by default it does not" },
	{ "reason", OPTION_TEXT, OPTION_FIELD(struct avoid_reading, avoid.reason),
	  .accepts = "text", .manual = "why, for those who look" },
	{ "file", OPTION_OTHER, .read = read_file, .kind = "path",
	  .accepts = "path, relative to the pool file",
	  .manual = "instead of all others: a file of such entries, one a line" },
};

const struct option_section avoid_section = OPTION_SECTION("pool: avoid[]", avoid_options);

static void check_entry(struct conf *conf, const struct yaml_node *item)
{
	bool site = yaml_get(item, "site") != NULL, node = yaml_get(item, "node") != NULL;

	if (site == node)
		conf_error(conf, &item->place, "an entry needs \"site\" or \"node\"%s",
			   site ? ", not both" : "");
	if (yaml_get(item, "clients") == NULL)
		conf_error(conf, &item->place, "the required option \"clients\" is missing");
}

static void read_entry(struct conf *conf, const struct yaml_node *item, struct avoids *avoids)
{
	struct avoid_reading reading = { .avoids = avoids };
	const struct yaml_node *file = yaml_get(item, "file");

	reading.avoid.place = item->place;
	option_read_map(conf, &avoid_section, item, &item->place, &reading);
	if (item->kind != YAML_MAP)
		return;
	if (file == NULL) {
		check_entry(conf, item);
		add(conf, &reading);
	} else if (item->count > 1) {
		conf_error(conf, &file->key->place, "an entry with \"file\" has nothing else");
	} else if (reading.file != NULL) {
		read_avoid_file(conf, file, avoids);
	}
}

void avoids_read(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;
	struct avoids avoids = { .pool = pool };

	if (!conf_expect(conf, value, YAML_LIST, "a list of entries"))
		return;
	yaml_foreach(item, value)
		read_entry(conf, item, &avoids);
	pool->avoids = arena_copy(conf->arena, avoids.list, avoids.count * sizeof(*avoids.list));
	pool->avoid_count = avoids.count;
	free(avoids.list);
}
