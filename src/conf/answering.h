/* answering.h - readers of the server file's options about answers. Inside src/conf only. */
#ifndef CONF_ANSWERING_H
#define CONF_ANSWERING_H

#include "conf/config.h"
#include "conf/option.h"

/* Each fills its part of config->dns; `out` is the struct config. */
option_read_fn read_version, read_identity, read_nsid, read_amplification, read_cookie_secrets;

int conf_hex_digit(char c); /* its value; -1: it is none */

#endif
