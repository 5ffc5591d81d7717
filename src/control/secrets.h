/* secrets.h - the secrets of DNS cookies, where the server file names none.
 *
 * Made at random, a new one each day; the one before is accepted for another day, though no cookie
 * lives longer than an hour. They are in memory and in steering images, where a new control finds
 * them, and never on the disk. */
#ifndef CONTROL_SECRETS_H
#define CONTROL_SECRETS_H

#include <stdbool.h>

#include "image/settings.h"

#define SECRETS_KEPT         2
#define SECRETS_ROLL_EVERY_S 86400

struct secrets {
	unsigned count;                                   /* 0: none yet */
	uint8_t octets[SECRETS_KEPT][COOKIE_SECRET_SIZE]; /* the newest first */
};

/* A new first one. false, with errno: there are no random octets, and nothing has changed. */
bool secrets_roll(struct secrets *secrets);

/* Those of a steering image that was made from that plan, unless they are the operator's. */
void secrets_adopt(struct secrets *secrets, const struct dns_settings *plan,
		   const struct dns_settings *steering);

#endif
