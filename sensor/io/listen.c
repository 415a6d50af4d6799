/* SPDX-License-Identifier: Apache-2.0
 * Sockets that listen. */
#include "io/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"

/* Removes what a run before left behind; not what somebody listens on, and nothing but sockets. */
static int clear_place(const struct sockaddr_un *address, struct text *why)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0)
        return E_OK;
    if (!S_ISSOCK(st.st_mode)) {
        text_addf(why, "%s: exists and is no socket", address->sun_path);
        return E_IO;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_alive = probe >= 0 && connect(probe, (const struct sockaddr *)address, sizeof *address) == 0;
    if (probe >= 0)
        close(probe);
    if (is_alive || unlink(address->sun_path) != 0) {
        text_addf(why, "%s: %s", address->sun_path, is_alive ? "another program listens on it" : strerror(errno));
        return E_IO;
    }
    return E_OK;
}

int listen_unix(const char *path, int backlog, int *fd, struct text *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(path);
    *fd = -1;
    if (size == 0 || size >= sizeof address.sun_path) {
        text_addf(why, "%s: the path of a socket has 1 to %zu bytes", path, sizeof address.sun_path - 1);
        return E_IO;
    }
    memcpy(address.sun_path, path, size);
    int rc = clear_place(&address, why);
    if (rc != E_OK)
        return rc;
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t before = umask(0177); /* never open to others, not even for a moment */
    int bound = s < 0 ? -1 : bind(s, (const struct sockaddr *)&address, sizeof address);
    int error = errno;
    umask(before);
    if (bound == 0 && listen(s, backlog) == 0) {
        *fd = s;
        return E_OK;
    }
    text_addf(why, "%s: %s", path, strerror(bound == 0 ? errno : error));
    if (bound == 0)
        unlink(path);
    if (s >= 0)
        close(s);
    return E_IO;
}

bool listen_parse(const char *text, struct endpoint *out)
{
    struct span all = span_text(text), host = SPAN("127.0.0.1"), number = all;
    uint64_t port;
    for (size_t i = all.size; i-- > 0;) {
        if (all.at[i] != ':')
            continue;
        host = span_sub(all, 0, i);
        number = span_from(all, i + 1);
        break;
    }
    if (host.size > 2 && host.at[0] == '[' && host.at[host.size - 1] == ']')
        host = span_sub(host, 1, host.size - 2);
    else if (span_eq(host, SPAN("localhost")))
        host = SPAN("127.0.0.1");
    if (!ipaddr_parse(host, &out->ip) || !span_u64(number, &port) || port > UINT16_MAX)
        return false;
    out->port = (uint16_t)port;
    return true;
}

bool listen_is_loopback(const struct ipaddr *ip)
{
    static const struct ipaddr six = {{[15] = 1}};
    return ipaddr_is4(ip) ? ip->bytes[12] == 127 : ipaddr_eq(ip, &six);
}

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static socklen_t fill(const struct endpoint *at, union address *to)
{
    *to = (union address){0};
    if (ipaddr_is4(&at->ip)) {
        to->four.sin_family = AF_INET;
        to->four.sin_port = htons(at->port);
        memcpy(&to->four.sin_addr, at->ip.bytes + 12, 4);
        return sizeof to->four;
    }
    to->six.sin6_family = AF_INET6;
    to->six.sin6_port = htons(at->port);
    memcpy(&to->six.sin6_addr, at->ip.bytes, 16);
    return sizeof to->six;
}

int listen_tcp(struct endpoint *at, int backlog, int *fd, struct text *why)
{
    char host[IPADDR_TEXT_MAX];
    union address address;
    socklen_t size = fill(at, &address);
    int yes = 1;
    *fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd >= 0 && setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(*fd, &address.any, size) == 0 && listen(*fd, backlog) == 0 &&
        getsockname(*fd, &address.any, &size) == 0) {
        at->port = ntohs(ipaddr_is4(&at->ip) ? address.four.sin_port : address.six.sin6_port);
        return E_OK;
    }
    text_addf(why, "%s port %u: %s", ipaddr_text(&at->ip, host), at->port, strerror(errno));
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    return E_IO;
}
