/* SPDX-License-Identifier: Apache-2.0
 * sd_notify(3), sd_watchdog_enabled(3): a datagram and two variables of the environment. */
#include "io/notify.h"

#include "base/err.h"
#include "base/span.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int notify_send(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t size = path ? strlen(path) : 0;
    if (size < 2 || size >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
        return E_NONE;
    memcpy(to.sun_path, path, size);
    if (path[0] == '@') /* a name that is in no file system */
        to.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return E_IO;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, length);
    close(fd);
    return sent < 0 ? E_IO : 0;
}

uint64_t notify_watchdog_ms(void)
{
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t n, id;
    if (!us || !span_u64(span_text(us), &n))
        return 0;
    if (pid && (!span_u64(span_text(pid), &id) || id != (uint64_t)getpid()))
        return 0;
    return n / 1000;
}
