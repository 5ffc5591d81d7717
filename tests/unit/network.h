/* network.h - a network of a test's own. */
#ifndef TESTS_UNIT_NETWORK_H
#define TESTS_UNIT_NETWORK_H

#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* With nothing but a loopback: its settings are ours to change, and neither listeners nor datagrams of
 * others are in the way. false: this needs the right to make a network namespace. */
static inline bool own_network(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	bool done;
	int fd;

	if (unshare(CLONE_NEWNET) != 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	done = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &lo) == 0;
	lo.ifr_flags |= IFF_UP;
	done = done && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
	if (fd >= 0)
		(void)close(fd);
	return done;
}

#endif
