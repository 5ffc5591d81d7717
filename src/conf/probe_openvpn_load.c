/* Options of sources of kinds openvpn-management and openvpn-status: how many clients a server has. */
#include <string.h>

#include "conf/probe_kinds.h"
#include "conf/secret_file.h"
#include "image/probe_openvpn.h"

#define CAPACITY_MAX 10000000

/* --- openvpn-management ------------------------------------------------------------------------ */

struct management_options {
	const char *socket;
	struct secret_path password;
	uint32_t capacity;
};

#define PASSWORD_MAX 127

/* The server takes the first line of its file; so does the probe. */
static const char *check_password(const char *text, size_t len, void *context)
{
	size_t line = strcspn(text, "\r\n");

	(void)len;
	(void)context;
	return line == 0 || line > PASSWORD_MAX ? "its first line is no password of 1 to 127 octets"
						: NULL;
}

static void read_password(struct conf *conf, const struct yaml_node *value, void *out)
{
	static const struct secret_rule rule = { .check = check_password };
	struct management_options *options = out;

	(void)secret_path_read(conf, value, &rule, &options->password);
}

static const struct option management_options[] = {
	{ "capacity", OPTION_NUMBER, OPTION_FIELD(struct management_options, capacity),
	  .required = true, .min = 1, .max = CAPACITY_MAX, .counts = "clients",
	  .manual = "how many clients are all that there may be" },
	{ "password", OPTION_OTHER, .read = read_password, .kind = "path",
	  .accepts = "the path of a file whose first line is the password",
	  .manual = "what the server asks for before it answers" },
	{ "socket", OPTION_PATH, OPTION_FIELD(struct management_options, socket),
	  .accepts = "the path of a Unix socket",
	  .manual = "where the server of this machine listens, in place of a port of the node" },
};

static const struct option_section management_section = {
	.name = "pool: probes[] of kind openvpn-management",
	.options = management_options,
	.count = OPTION_COUNT(management_options),
	.size = sizeof(struct management_options),
};

#define SOCKET_PATH_MAX 107 /* of struct sockaddr_un */

static void settle_management(struct conf *conf, const struct yaml_node *item,
			      struct config_probe *probe, const void *options, struct buf *settings)
{
	const struct management_options *read = options;
	const struct openvpn_management_settings out = { .password_version = read->password.version,
							 .capacity = read->capacity };

	if ((read->socket == NULL) == (probe->port == 0))
		conf_error(conf, &yaml_get(item, "kind")->place,
			   "an openvpn-management source needs a \"port\" or a \"socket\"%s",
			   probe->port != 0 ? ", not both" : "");
	if (read->socket != NULL && strlen(read->socket) > SOCKET_PATH_MAX)
		conf_error(conf, &yaml_get(item, "socket")->place,
			   "the path of a socket has at most %d octets, this one has %zu",
			   SOCKET_PATH_MAX, strlen(read->socket));
	buf_append(settings, &out, sizeof(out));
	if (read->socket != NULL)
		settings_put_text(settings, offsetof(struct openvpn_management_settings, socket),
				  read->socket, strlen(read->socket));
	if (read->password.path != NULL)
		settings_put_text(settings,
				  offsetof(struct openvpn_management_settings, password_file),
				  read->password.path, strlen(read->password.path));
}

const struct probe_kind_row probe_openvpn_management_row = { .kind = PROBE_OPENVPN_MANAGEMENT,
							     .roles = PROBE_LOAD,
							     .port = PROBE_PORT_OPTIONAL,
							     .section = &management_section,
							     .settle = settle_management };

/* --- openvpn-status ---------------------------------------------------------------------------- */

struct status_options {
	const char *path;
	uint32_t capacity, max_age_ms;
};

static const struct option status_options[] = {
	{ "path", OPTION_PATH, OPTION_FIELD(struct status_options, path), .required = true,
	  .accepts = "a path; {node} and {pool} stand for the names of the node and its pool",
	  .manual = "the file that the server writes its status to" },
	{ "capacity", OPTION_NUMBER, OPTION_FIELD(struct status_options, capacity),
	  .required = true, .min = 1, .max = CAPACITY_MAX, .counts = "clients",
	  .manual = "how many clients are all that there may be" },
	{ "max-age", OPTION_DURATION, OPTION_FIELD(struct status_options, max_age_ms),
	  .unit_ms = 1000, .field_ms = 1, .min = 1, .max = 86400, .dflt = "3m",
	  .manual = "an older status says nothing" },
};

static const struct option_section status_section = {
	.name = "pool: probes[] of kind openvpn-status",
	.options = status_options,
	.count = OPTION_COUNT(status_options),
	.size = sizeof(struct status_options),
};

static void settle_status(struct conf *conf, const struct yaml_node *item,
			  struct config_probe *probe, const void *options, struct buf *settings)
{
	const struct status_options *read = options;
	const struct openvpn_status_settings out = { .capacity = read->capacity,
						     .max_age_ms = read->max_age_ms };

	(void)conf;
	(void)item;
	(void)probe;
	buf_append(settings, &out, sizeof(out));
	settings_put_text(settings, offsetof(struct openvpn_status_settings, path), read->path,
			  strlen(read->path));
}

const struct probe_kind_row probe_openvpn_status_row = { .kind = PROBE_OPENVPN_STATUS,
							 .roles = PROBE_LOAD,
							 .port = PROBE_PORT_NONE,
							 .addressless = true,
							 .section = &status_section,
							 .settle = settle_status };
