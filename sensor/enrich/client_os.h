/* SPDX-License-Identifier: Apache-2.0
 * Which operating system a User-Agent names, and its version. Browsers freeze the version (Windows 10, macOS 10.15,
 * Android 10), so it is the least, not the truth. */
#ifndef ENRICH_CLIENT_OS_H
#define ENRICH_CLIENT_OS_H

#include "record/activity.h"

struct client_system {
    uint8_t os; /* enum client_os */
    uint16_t major, minor; /* 0 = not said. Windows as it is sold (8.1, 10), before 7 as NT counts (5.1) */
};

/* Reads a User-Agent (RFC 9110, 10.1.5); any bytes. The same bytes give the same answer. */
void client_os_parse(struct span agent, struct client_system *out);

#endif
