#include "compile/geo_layers.h"

#include <stdlib.h>
#include <string.h>

#define NO_CLASS UINT32_MAX
#define BY_SPOT  (UINT32_MAX - 1) /* the joint alone does not tell: the spot must be measured */

enum layer { LAYER_LOCATIONS, LAYER_PLACES, LAYER_OVERLAYS, LAYERS };

static void open_cursors(const struct geo_layers *layers, int family, bool is_of_resolvers,
			 struct breaks_cursor out[LAYERS])
{
	const struct locations_root *root = image_root(layers->locations, struct locations_root);
	const struct geo_places *places = is_of_resolvers ? layers->resolvers : layers->overrides;

	out[LAYER_LOCATIONS] = breaks_cursor_in(layers->locations, &root->breaks.family[family]);
	if (is_of_resolvers)
		out[LAYER_LOCATIONS].count = 1; /* what they say is in the places */
	out[LAYER_PLACES] = breaks_cursor(&places->breaks[family]);
	out[LAYER_OVERLAYS] = breaks_cursor(&layers->overlay->breaks[family]);
}

static uint64_t pair(uint32_t number, uint32_t overlay)
{
	return (uint64_t)number << 32 | overlay;
}

/* --- settling ------------------------------------------------------------------------------ */

/* Measuring each spot under each overlay would take long; mostly what the joint says will do. */
static void settle_pair(struct geo_layers *l, uint32_t spot, uint32_t overlay)
{
	const uint32_t *facts = numbering_item(&l->overlay->numbers, overlay);
	uint32_t joint = l->spots->joint_of[spot];
	bool found;
	uint32_t *known = memo_find(&l->joint_under, pair(joint, overlay), &found);

	if (!found) {
		*known = BY_SPOT;
		if (geo_spots_overlay(l->spots, joint, facts, l->scratch))
			*known = numbering_add(&l->classes, l->scratch, l->class_size);
	}
	if (*known != BY_SPOT)
		return;
	known = memo_find(&l->spot_under, pair(spot, overlay), &found);
	if (!found) {
		geo_spots_overlay_at(l->spots, spot, facts, l->scratch);
		*known = numbering_add(&l->classes, l->scratch, l->class_size);
	}
}

/* All that lies under an overlay between two of its break points. */
static void settle_stretch(struct geo_layers *l, struct breaks_cursor cursors[LAYERS],
			   bool is_of_resolvers, bool is_last, address_bits end)
{
	struct breaks_cursor *locations = &cursors[LAYER_LOCATIONS];
	struct breaks_cursor *places = &cursors[LAYER_PLACES];
	uint32_t overlay = cursor_value(&cursors[LAYER_OVERLAYS]);

	while (l->classes.count <= GEO_CLASSES_MAX) {
		uint32_t place = cursor_value(places);
		address_bits location_end = 0, place_end = 0;
		bool has_location = cursor_next(locations, &location_end);
		bool has_place = cursor_next(places, &place_end);

		if (place != 0)
			settle_pair(l, place - 1, overlay);
		else if (!is_of_resolvers)
			settle_pair(l, l->spot_of[cursor_value(locations)], overlay);
		if (!has_location && !has_place)
			return;
		if (!has_location || (has_place && place_end < location_end))
			location_end = place_end;
		if (!is_last && location_end >= end)
			return;
		cursor_seek(locations, location_end);
		cursor_seek(places, location_end);
	}
}

static void settle_overlays(struct geo_layers *l, int family, bool is_of_resolvers)
{
	struct breaks_cursor cursors[LAYERS];
	struct breaks_cursor *overlays = &cursors[LAYER_OVERLAYS];
	address_bits start = 0, end = 0;

	open_cursors(l, family, is_of_resolvers, cursors);
	for (bool more = true; more; start = end) {
		more = cursor_next(overlays, &end);
		if (cursor_value(overlays) != 0) {
			cursor_seek(&cursors[LAYER_LOCATIONS], start);
			cursor_seek(&cursors[LAYER_PLACES], start);
			settle_stretch(l, cursors, is_of_resolvers, !more, end);
		}
		cursor_step(overlays);
	}
}

/* Classes of joints alone, and so of spots and locations. */
static void settle_plain(struct geo_layers *l)
{
	const struct locations_root *root = image_root(l->locations, struct locations_root);
	const struct geo_spots *spots = l->spots;
	uint32_t *of_joint = mem_array(spots->joints.count, sizeof(*of_joint));

	for (uint32_t i = 0; i < spots->joints.count; i++) {
		/* Without pools nothing stands there, and a class has one number all the same. */
		const uint32_t *prefs = spots->prefs->config->pool_count > 0
						? geo_spots_joint(spots, i) + 1
						: l->scratch;

		of_joint[i] = numbering_add(&l->classes, prefs, l->class_size);
	}
	l->class_of = mem_array(spots->numbers.count, sizeof(*l->class_of));
	for (uint32_t i = 0; i < spots->numbers.count; i++)
		l->class_of[i] = of_joint[spots->joint_of[i]];
	l->class_at = mem_array(root->location_count, sizeof(*l->class_at));
	for (uint32_t i = 0; i < root->location_count; i++)
		l->class_at[i] = l->class_of[l->spot_of[i]];
	free(of_joint);
}

/* Overlays first: whatever they make is met in some trie. */
bool geo_layers_settle(struct geo_layers *l, bool has_resolvers)
{
	size_t pools = l->spots->prefs->config->pool_count;

	l->class_size = (pools > 0 ? pools : 1) * sizeof(*l->scratch);
	l->scratch = mem_alloc(l->class_size);
	for (int i = 0; i < (has_resolvers ? 4 : 2); i++)
		settle_overlays(l, i % 2, i >= 2);
	if (l->classes.count > GEO_CLASSES_MAX)
		return false;
	settle_plain(l);
	return true;
}

void geo_layers_free(struct geo_layers *l)
{
	numbering_free(&l->classes);
	memo_free(&l->joint_under);
	memo_free(&l->spot_under);
	free(l->class_of);
	free(l->class_at);
	free(l->scratch);
}

/* --- one trie ------------------------------------------------------------------------------ */

struct stream {
	struct geo_layers_trie *trie;
	const struct geo_layers *layers;
	struct breaks_cursor cursors[LAYERS];
	address_bits next[LAYERS]; /* where the layer changes next */
	bool has_next[LAYERS];
	bool is_begun;
	uint32_t *own; /* of each class: its number in this trie; NO_CLASS: not met yet */
};

static void look_ahead(struct stream *s, enum layer layer)
{
	s->has_next[layer] = cursor_next(&s->cursors[layer], &s->next[layer]);
}

static bool stream_advance(struct stream *s, address_bits *start)
{
	bool any = false;

	for (int i = 0; i < LAYERS; i++)
		if (s->has_next[i] && (!any || s->next[i] < *start)) {
			*start = s->next[i];
			any = true;
		}
	for (int i = 0; i < LAYERS; i++)
		if (s->has_next[i] && s->next[i] == *start) {
			cursor_step(&s->cursors[i]);
			look_ahead(s, (enum layer)i);
		}
	return any;
}

static uint32_t overlaid_class(const struct geo_layers *l, uint32_t spot, uint32_t overlay)
{
	const uint32_t *of_joint = memo_get(&l->joint_under,
					    pair(l->spots->joint_of[spot], overlay));

	return *of_joint != BY_SPOT ? *of_joint : *memo_get(&l->spot_under, pair(spot, overlay));
}

/* NO_CLASS: the table knows nothing there. */
static uint32_t class_here(const struct stream *s)
{
	const struct geo_layers *l = s->layers;
	uint32_t place = cursor_value(&s->cursors[LAYER_PLACES]);
	uint32_t overlay = cursor_value(&s->cursors[LAYER_OVERLAYS]);
	uint32_t location = cursor_value(&s->cursors[LAYER_LOCATIONS]);

	if (place == 0 && s->trie->is_of_resolvers)
		return NO_CLASS;
	if (overlay != 0)
		return overlaid_class(l, place != 0 ? place - 1 : l->spot_of[location], overlay);
	return place != 0 ? l->class_of[place - 1] : l->class_at[location];
}

static uint32_t own_number(struct stream *s, uint32_t class_id)
{
	struct geo_layers_trie *trie = s->trie;

	if (class_id == NO_CLASS)
		return GEO_CLASS_NONE;
	if (s->own[class_id] == NO_CLASS) {
		s->own[class_id] = trie->used_count;
		array_add(trie->used, trie->used_count, trie->used_cap) = class_id;
		trie->has_too_many = trie->used_count > GEO_CLASSES_MAX;
	}
	return s->own[class_id];
}

/* With too many classes the stream ends early. */
static bool stream_next(void *context, address_bits *start, uint32_t *class_id)
{
	struct stream *s = context;

	*start = 0;
	if (s->is_begun && (s->trie->has_too_many || !stream_advance(s, start)))
		return false;
	s->is_begun = true;
	*class_id = own_number(s, class_here(s));
	return true;
}

void geo_layers_build(struct geo_layers_trie *trie)
{
	uint32_t classes = trie->layers->classes.count;
	struct stream s = { .trie = trie,
			    .layers = trie->layers,
			    .own = mem_array(classes, sizeof(*s.own)) };

	memset(s.own, 0xff, classes * sizeof(*s.own));
	open_cursors(trie->layers, trie->family, trie->is_of_resolvers, s.cursors);
	for (int i = 0; i < LAYERS; i++)
		look_ahead(&s, (enum layer)i);
	geo_trie_build(&trie->draft, (unsigned)trie->family, stream_next, &s);
	free(s.own);
}

void geo_layers_free_trie(struct geo_layers_trie *trie)
{
	geo_trie_free(&trie->draft);
	free(trie->used);
}
