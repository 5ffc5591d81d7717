#include "control/secrets.h"

#include <string.h>
#include <unistd.h>

bool secrets_roll(struct secrets *secrets)
{
	uint8_t fresh[COOKIE_SECRET_SIZE];

	if (getentropy(fresh, sizeof(fresh)) != 0)
		return false;
	memmove(secrets->octets[1], secrets->octets[0], sizeof(secrets->octets[0]));
	memcpy(secrets->octets[0], fresh, sizeof(fresh));
	if (secrets->count < SECRETS_KEPT)
		secrets->count++;
	return true;
}

void secrets_adopt(struct secrets *secrets, const struct dns_settings *plan,
		   const struct dns_settings *steering)
{
	unsigned count = steering->cookie_secret_count;

	if (plan->cookie_secret_count > 0 || count == 0)
		return;
	secrets->count = count < SECRETS_KEPT ? count : SECRETS_KEPT;
	memcpy(secrets->octets, steering->cookie_secrets, sizeof(secrets->octets));
}
