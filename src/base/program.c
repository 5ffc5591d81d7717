#include "base/program.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int program_find(const char *name, char *path, size_t size, struct err *err)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *slash;

	self[len < 0 ? 0 : len] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL) {
		int n = snprintf(path, size, "%.*s/%s", (int)(slash - self), self, name);

		if (n > 0 && (size_t)n < size && access(path, X_OK) == 0)
			return 0;
	}
	if ((size_t)snprintf(path, size, "%s/%s", SIGNPOST_LIBEXECDIR, name) < size &&
	    access(path, X_OK) == 0)
		return 0;
	return err_set(err, "%s is neither beside this program nor in %s", name,
		       SIGNPOST_LIBEXECDIR);
}
