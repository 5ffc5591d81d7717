#include "supervise/identity.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534 /* the kernel's overflow uid, and Debian's nobody:nogroup */

int identity_find(struct identity *out, const char *user, struct err *err)
{
	const struct passwd *account;

	*out = (struct identity){ .change = geteuid() == 0 };
	(void)snprintf(out->name, sizeof(out->name), "%s", user);
	if (!out->change) {
		out->uid = geteuid();
		out->gid = getegid();
		account = getpwuid(out->uid);
		if (account != NULL)
			(void)snprintf(out->name, sizeof(out->name), "%s", account->pw_name);
		else
			(void)snprintf(out->name, sizeof(out->name), "%u", (unsigned)out->uid);
		return 0;
	}
	errno = 0;
	account = getpwnam(user);
	if (account == NULL && errno != 0)
		return err_set(err, "user '%s': %s", user, strerror(errno));
	if (account == NULL)
		return err_set(err,
			       "user '%s' does not exist: create it (adduser --system --group "
			       "--no-create-home %s), or name another one as 'user' in the server "
			       "file",
			       user, user);
	out->uid = account->pw_uid;
	out->gid = account->pw_gid;
	out->group_count = IDENTITY_GROUPS_MAX;
	if (getgrouplist(user, out->gid, out->groups, &out->group_count) < 0)
		return err_set(err, "user '%s' is in more than %d groups", user,
			       IDENTITY_GROUPS_MAX);
	return 0;
}

void identity_nobody(struct identity *out)
{
	const struct passwd *account = getpwnam("nobody");

	*out = (struct identity){ .change = geteuid() == 0, .name = "nobody" };
	if (!out->change) {
		out->uid = geteuid();
		out->gid = getegid();
		return;
	}
	out->uid = account != NULL ? account->pw_uid : NOBODY;
	out->gid = account != NULL ? account->pw_gid : NOBODY;
	out->groups[0] = out->gid;
	out->group_count = 1;
}

int identity_assume(const struct identity *identity)
{
	if (!identity->change)
		return 0;
	if (setgroups((size_t)identity->group_count, identity->groups) != 0 ||
	    setresgid(identity->gid, identity->gid, identity->gid) != 0 ||
	    setresuid(identity->uid, identity->uid, identity->uid) != 0)
		return -1;
	return 0;
}

int identity_keep_least(const struct identity *user, struct err *err)
{
	static const unsigned used[] = { CAP_SETUID, CAP_SETGID, CAP_KILL };
	capng_type_t sets = CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET;
	bool held[sizeof(used) / sizeof(used[0])];
	bool override;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(err, "no_new_privs: %s", strerror(errno));
	if (capng_get_caps_process() != 0)
		return err_set(err, "capabilities cannot be read");
	for (unsigned i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		held[i] = capng_have_capability(CAPNG_PERMITTED, used[i]) != 0;
	override = capng_have_capability(CAPNG_PERMITTED, CAP_DAC_OVERRIDE) != 0;
	capng_clear(CAPNG_SELECT_ALL);
	if (geteuid() != 0) /* the bounding set is root's to change, and no_new_privs seals it */
		return capng_apply(CAPNG_SELECT_CAPS) == 0
			       ? 0
			       : err_set(err, "capabilities cannot be dropped: %s",
					 strerror(errno));
	for (unsigned i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
		if (held[i])
			(void)capng_update(CAPNG_ADD, sets, used[i]);
	}
	if (user->uid == 0 && override)
		(void)capng_update(CAPNG_ADD, sets, CAP_DAC_OVERRIDE);
	if (capng_apply(CAPNG_SELECT_BOTH) != 0)
		return err_set(err, "capabilities cannot be dropped: %s", strerror(errno));
	return 0;
}

static bool in_group(const struct identity *identity, gid_t gid)
{
	if (identity->gid == gid)
		return true;
	for (int i = 0; i < identity->group_count; i++) {
		if (identity->groups[i] == gid)
			return true;
	}
	return false;
}

/* What the disk says is not ours to refuse: a service that starts with a disk that is full or
 * read-only goes on with what it has, and control tells what it cannot write. */
static bool is_trouble_of_disk(int error)
{
	return error == EROFS || error == ENOSPC || error == EDQUOT || error == EIO;
}

static bool may_write(const struct identity *user, const struct stat *st, const char *path)
{
	if (!user->change)
		return access(path, W_OK | X_OK) == 0 || is_trouble_of_disk(errno);
	if (user->uid == 0)
		return true;
	if (st->st_uid == user->uid)
		return (st->st_mode & 0300) == 0300;
	if (in_group(user, st->st_gid))
		return (st->st_mode & 0030) == 0030;
	return (st->st_mode & 0003) == 0003;
}

int identity_make_folder(const char *path, mode_t mode, const struct identity *user,
			 struct err *err)
{
	struct stat st;

	if (mkdir(path, mode) == 0) {
		if (user->change && chown(path, user->uid, user->gid) != 0)
			return err_set(err, "%s: cannot give it to user '%s': %s", path, user->name,
				       strerror(errno));
		return 0;
	}
	if (is_trouble_of_disk(errno))
		return 0;
	if (errno != EEXIST)
		return err_set(err, "%s: cannot make this folder: %s", path, strerror(errno));
	if (stat(path, &st) != 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(err, "%s: exists and is not a folder", path);
	if (!may_write(user, &st, path))
		return err_set(err, "%s: user '%s' cannot write there (chown %s %s)", path,
			       user->name, user->name, path);
	return 0;
}

bool identity_may_ping(const struct identity *identity)
{
	unsigned long low = 1;
	unsigned long high = 0;
	FILE *file = fopen("/proc/sys/net/ipv4/ping_group_range", "re");

	if (file == NULL)
		return false;
	if (fscanf(file, "%lu %lu", &low, &high) != 2)
		high = 0, low = 1;
	(void)fclose(file);
	return identity->gid >= low && identity->gid <= high;
}
