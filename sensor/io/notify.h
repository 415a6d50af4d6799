/* SPDX-License-Identifier: Apache-2.0
 * Words to the service manager that started the process (the protocol of sd_notify(3)): one datagram to the socket that
 * NOTIFY_SOCKET names. */
#ifndef IO_NOTIFY_H
#define IO_NOTIFY_H

#include <stdint.h>

/* Sends lines like "READY=1\nSTATUS=capturing"; never blocks. E_NONE when no service manager listens, E_IO when it did not take them. */
int notify_send(const char *state);
/* The manager wants to hear "WATCHDOG=1" at least so often, in ms; 0: it does not. */
uint64_t notify_watchdog_ms(void);

#endif
