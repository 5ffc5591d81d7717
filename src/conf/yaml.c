#include "conf/yaml.h"

#include <libfyaml.h>
#include <string.h>

#define DEPTH_MAX 32
#define NODES_MAX (4U << 20) /* of 120 octets and some text each */

struct builder {
	const struct source *source;
	struct arena *arena;
	struct diag *diag;
	struct source_walk walk;
	struct yaml_node *root;
	struct yaml_node *open[DEPTH_MAX]; /* lists and maps that are not closed yet */
	const struct yaml_node *key[DEPTH_MAX];
	size_t depth;
	size_t node_count;
	unsigned documents;
};

/* The place of what the token spans; a value that is not there has none: then it is where the
 * last thing was. */
static struct place place_of(struct builder *b, struct fy_token *token)
{
	const struct fy_mark *start = token != NULL ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *end = token != NULL ? fy_token_end_mark(token) : NULL;

	if (start == NULL)
		return (struct place){ .file = b->source->file };
	return source_walk_place(&b->walk, start->input_pos,
				 end != NULL ? end->input_pos - start->input_pos : 0);
}

static bool refuse(struct builder *b, const struct place *place, const char *why)
{
	diag_add(b->diag, DIAG_ERROR, place, NULL, 0, "%s", why);
	return false;
}

static bool refuse_token(struct builder *b, struct fy_token *token, const char *why)
{
	struct place place = place_of(b, token);

	return refuse(b, &place, why);
}

/* Told here and not by who reads the options: a file that is something else altogether may be a
 * very long list. */
static bool add_root(struct builder *b, struct yaml_node *node)
{
	b->root = node;
	if (node->kind == YAML_MAP)
		return true;
	if (node->kind == YAML_SCALAR && node->empty)
		return refuse(b, &(struct place){ .file = b->source->file }, "is empty");
	return refuse(b, &node->place, "this is no map of options, such as \"name: value\"");
}

/* Puts a new node where the parser is: as key, as value of the last key, or as an item. */
static bool add(struct builder *b, struct yaml_node *node)
{
	struct yaml_node *parent = b->depth > 0 ? b->open[b->depth - 1] : NULL;

	if (++b->node_count > NODES_MAX)
		return refuse(b, &node->place, "there are too many values in this file");
	if (parent == NULL)
		return add_root(b, node);
	if (parent->kind == YAML_MAP && b->key[b->depth - 1] == NULL) {
		if (node->kind != YAML_SCALAR)
			return refuse(b, &node->place, "a key must be a name");
		b->key[b->depth - 1] = node;
		return true;
	}
	if (parent->kind == YAML_MAP) {
		node->key = b->key[b->depth - 1];
		b->key[b->depth - 1] = NULL;
		if (node->place.line == 0)
			node->place = node->key->place;
	} else if (node->place.line == 0) {
		node->place = parent->place;
	}
	if (parent->last != NULL)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	parent->count++;
	return true;
}

static bool add_scalar(struct builder *b, struct fy_token *token)
{
	struct yaml_node *node = arena_alloc(b->arena, sizeof(*node));
	size_t len = 0;
	const char *text = token != NULL ? fy_token_get_text(token, &len) : NULL;

	node->kind = YAML_SCALAR;
	node->place = place_of(b, token);
	node->text = arena_text(b->arena, text != NULL ? text : "", text != NULL ? len : 0);
	node->empty = (token == NULL || fy_token_scalar_style(token) == FYSS_PLAIN) &&
		      (len == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
	if (strlen(node->text) != len)
		return refuse(b, &node->place, "a value must not contain a NUL character");
	return add(b, node);
}

static bool open_collection(struct builder *b, enum yaml_kind kind, struct fy_token *token)
{
	struct yaml_node *node = arena_alloc(b->arena, sizeof(*node));

	node->kind = kind;
	node->place = place_of(b, token);
	if (!add(b, node))
		return false;
	if (b->depth == DEPTH_MAX)
		return refuse(b, &node->place, "lists and maps are nested too deeply here");
	b->open[b->depth] = node;
	b->key[b->depth++] = NULL;
	return true;
}

static bool begin_document(struct builder *b, struct fy_token *token)
{
	if (++b->documents > 1)
		return refuse_token(b, token,
				    "a second document begins here: one file, one document");
	return true;
}

static bool check_properties(struct builder *b, struct fy_token *anchor, struct fy_token *tag)
{
	if (anchor != NULL)
		return refuse_token(b, anchor, "anchors are not supported in configuration files");
	if (tag != NULL)
		return refuse_token(b, tag, "tags are not supported in configuration files");
	return true;
}

/* false: it makes no sense to go on. */
static bool take(struct builder *b, struct fy_event *event)
{
	switch (event->type) {
	case FYET_DOCUMENT_START: return begin_document(b, event->document_start.document_start);
	case FYET_SCALAR:
		return check_properties(b, event->scalar.anchor, event->scalar.tag) &&
		       add_scalar(b, event->scalar.value);
	case FYET_MAPPING_START:
		return check_properties(b, event->mapping_start.anchor, event->mapping_start.tag) &&
		       open_collection(b, YAML_MAP, event->mapping_start.mapping_start);
	case FYET_SEQUENCE_START:
		return check_properties(b, event->sequence_start.anchor,
					event->sequence_start.tag) &&
		       open_collection(b, YAML_LIST, event->sequence_start.sequence_start);
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END: b->depth--; return true;
	case FYET_ALIAS:
		return refuse_token(b, event->alias.anchor,
				    "aliases are not supported in configuration files");
	default: return true;
	}
}

/* What the parser's words mean to somebody who just got the indentation wrong. */
static const struct {
	const char *says, *hint;
} hints[] = {
	{ "invalid multiline plain key", " (is the next line indented too far?)" },
	{ "did not find expected key", " (is this line indented as those around it?)" },
	{ "invalid nested block mapping on the same line",
	  " (a value with \": \" in it belongs in quotes)" },
};

static const char *hint_for(const char *message)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if (strcmp(hints[i].says, message) == 0)
			return hints[i].hint;
	}
	return "";
}

/* All that the parser noted, warnings too: what it only warns of, it ignores. */
static unsigned report(struct builder *b, struct fy_diag *noted)
{
	struct fy_diag_error *error;
	void *iterator = NULL;
	unsigned count = 0;

	while ((error = fy_diag_errors_iterate(noted, &iterator)) != NULL) {
		struct place place = place_of(b, error->fyt);

		if (place.line == 0 && error->line > 0)
			place.line = (unsigned)error->line;
		diag_add(b->diag, DIAG_ERROR, &place, NULL, 0, "%s%s", error->msg,
			 hint_for(error->msg));
		count++;
	}
	return count;
}

static bool parse(struct builder *b, struct fy_parser *parser, struct fy_diag *noted)
{
	struct place whole = { .file = b->source->file };
	struct fy_event *event;
	bool going = true;

	while (going && (event = fy_parser_parse(parser)) != NULL) {
		going = take(b, event);
		fy_parser_event_free(parser, event);
	}
	if (!going || report(b, noted) > 0)
		return false;
	if (fy_parser_get_stream_error(parser))
		return refuse(b, &whole, "is not YAML");
	return b->root != NULL || refuse(b, &whole, "is empty");
}

/* The parser takes each %-line for a directive and, in time, notes that it knows none of them. */
static bool check_directives(struct builder *b)
{
	const char *found = b->source->text;
	struct place place;

	if (found[0] != '%') {
		found = memmem(found, b->source->size, "\n%", 2);
		if (found == NULL)
			return true;
		found++;
	}
	place = source_place(b->source, (size_t)(found - b->source->text), 1);
	return refuse(b, &place,
		      "a line that begins with % is a directive of YAML: there are none here");
}

const struct yaml_node *yaml_read(const struct source *source, struct arena *arena,
				  struct diag *diag)
{
	struct builder b = {
		.source = source, .arena = arena, .diag = diag, .walk = { .source = source }
	};
	struct fy_diag_cfg diag_cfg;
	struct fy_parse_cfg cfg = { .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG |
					     FYPCF_DEFAULT_VERSION_1_2 };
	struct place whole = { .file = source->file };
	struct fy_parser *parser = NULL;
	bool ok = false;

	if (!check_directives(&b))
		return NULL;
	fy_diag_cfg_default(&diag_cfg);
	diag_cfg.fp = NULL;
	cfg.diag = fy_diag_create(&diag_cfg);
	if (cfg.diag != NULL) {
		fy_diag_set_collect_errors(cfg.diag, true);
		parser = fy_parser_create(&cfg);
	}
	if (parser != NULL && fy_parser_set_string(parser, source->text, source->size) == 0)
		ok = parse(&b, parser, cfg.diag);
	else
		(void)refuse(&b, &whole, "the YAML parser cannot be started");
	fy_parser_destroy(parser);
	fy_diag_destroy(cfg.diag);
	return ok ? b.root : NULL;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (map->kind != YAML_MAP)
		return NULL;
	yaml_foreach(child, map) {
		if (strcmp(child->key->text, key) == 0)
			return child;
	}
	return NULL;
}

const char *yaml_kind_name(const struct yaml_node *node)
{
	static const char *const names[] = { "text", "a list", "a map" };

	return names[node->kind];
}
