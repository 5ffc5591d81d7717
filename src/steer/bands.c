#include "steer/bands.h"

/* Sets the levels so that who keeps most keeps all of its cells: that they all spill is the
 * split's matter, and moves nobody within the band. Returns how much of its clients the band
 * keeps, as a fraction. */
static double keep_of_band(struct band *band)
{
	double weight = 0, kept = 0;
	uint32_t most = 0;

	for (uint32_t i = 0; i < band->site_count; i++) {
		const struct band_site *site = &band->sites[i];

		weight += (double)site->weight;
		kept += (double)site->weight * site->keep / BANDS_ALL;
		if (site->weight > 0 && site->keep > most)
			most = site->keep;
	}
	for (uint32_t i = 0; i < band->site_count; i++) {
		struct band_site *site = &band->sites[i];

		site->level = BANDS_ALL;
		if (site->keep < most)
			site->level = (uint16_t)((site->keep * BANDS_ALL + most / 2) / most);
	}
	if (weight == 0 || most == BANDS_ALL)
		return weight > 0;
	return kept / weight;
}

/* Rounds the running total, so that the sum is right. */
static void set_part(struct band *band, double *seen, uint32_t *given, double share)
{
	*seen += share;
	band->part = (uint32_t)(*seen * BANDS_ALL + 0.5) - *given;
	*given += band->part;
}

static bool has_weight(const struct band *band)
{
	for (uint32_t i = 0; i < band->site_count; i++)
		if (band->sites[i].weight > 0)
			return true;
	return false;
}

/* Nobody keeps anything, which is as good as if all did. */
static void all_to_first(struct band *bands, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (has_weight(&bands[i])) {
			bands[i].part = BANDS_ALL;
			return;
		}
}

uint32_t bands_share(struct band *bands, uint32_t count, bool backup)
{
	double left = 1, scale, seen = 0;
	uint32_t given = 0;

	for (uint32_t i = 0; i < count; i++)
		left -= left * keep_of_band(&bands[i]);
	scale = backup || left >= 1 ? 1 : 1 / (1 - left);
	left = 1;
	for (uint32_t i = 0; i < count; i++) {
		double share = left * keep_of_band(&bands[i]);

		left -= share;
		set_part(&bands[i], &seen, &given, share * scale);
	}
	if (backup)
		return BANDS_ALL - given;
	if (given == 0)
		all_to_first(bands, count);
	return 0;
}
