/* command_profile.h - `signpostctl profile`: where queries come from, for simulations. */
#ifndef CTL_COMMAND_PROFILE_H
#define CTL_COMMAND_PROFILE_H

#include "ctl/client.h"

/* `world` and `profile`: control's answers to these commands. Prints the profile. -1: there is none
 * to be told, and err says why. */
int profile_command(const struct reply *world, const struct reply *profile, struct err *err);

#endif
