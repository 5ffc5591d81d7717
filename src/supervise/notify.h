/* notify.h - the service manager's end of sd_notify(3): one datagram of lines.
 *
 * By hand, and not by libsystemd, because that one blocks while the manager's queue is full (ten
 * datagrams): a manager that is slow, or only pretends to be one, would hold up the supervisor,
 * and with it every failover. The manual page gives the protocol for this purpose. */
#ifndef SUPERVISE_NOTIFY_H
#define SUPERVISE_NOTIFY_H

enum notify_result { NOTIFY_DONE, NOTIFY_AGAIN };

/* NOTIFY_AGAIN: the manager's queue is full. Done also where nobody wants to be told. */
enum notify_result notify_send(const char *lines);

#endif
