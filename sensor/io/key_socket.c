/* SPDX-License-Identifier: Apache-2.0
 * Listener and clients, each a descriptor of the loop. */
#include "io/key_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"

#define TURN (1u << 20) /* bytes read of one client before others have theirs */

struct key_client {
    struct key_socket *socket; /* NULL: this place is free */
    int fd;
    struct loop_event *event;
    struct key_lines lines;
};

struct key_socket {
    struct loop *loop;
    struct sockaddr_un address;
    int fd;
    struct loop_event *event;
    struct key_lines_out *out;
    uint8_t *buffer;
    struct key_client clients[KEY_SOCKET_CLIENTS];
};

static void client_close(struct key_client *c)
{
    key_lines_drop(&c->lines);
    loop_remove(c->event);
    close(c->fd);
    memset(c, 0, sizeof *c);
}

static void on_client(void *ctx, bool is_read, bool is_write)
{
    struct key_client *c = ctx;
    struct key_socket *s = c->socket;
    bool is_end;
    (void)is_read;
    (void)is_write;
    int64_t got = key_lines_read(&c->lines, s->out, c->fd, TURN, s->buffer, &is_end);
    if (got >= 0 && !is_end)
        return;
    key_lines_end(&c->lines, s->out);
    client_close(c);
}

static void on_listener(void *ctx, bool is_read, bool is_write)
{
    struct key_socket *s = ctx;
    (void)is_read;
    (void)is_write;
    int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    for (uint32_t i = 0; i < KEY_SOCKET_CLIENTS; i++) {
        struct key_client *c = &s->clients[i];
        if (c->socket)
            continue;
        c->event = loop_fd(s->loop, fd, on_client, c);
        if (!c->event)
            break;
        c->socket = s;
        c->fd = fd;
        s->out->counts.clients++;
        loop_fd_read(c->event, true);
        return;
    }
    s->out->counts.turned_away++;
    close(fd);
}

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

static int listen_at(struct key_socket *s, struct text *why)
{
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t before = umask(0177); /* never open to others, not even for a moment */
    int rc = s->fd < 0 ? -1 : bind(s->fd, (const struct sockaddr *)&s->address, sizeof s->address);
    int error = errno;
    umask(before);
    if (rc == 0 && listen(s->fd, (int)KEY_SOCKET_CLIENTS) == 0)
        return E_OK;
    text_addf(why, "%s: %s", s->address.sun_path, strerror(rc == 0 ? errno : error));
    if (rc != 0 && s->fd >= 0) { /* then the name is not ours to remove */
        close(s->fd);
        s->fd = -1;
    }
    return E_IO;
}

int key_socket_new(struct key_socket **to, struct loop *l, const char *path, struct key_lines_out *out, uint8_t *buffer,
                   struct text *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof address.sun_path) {
        text_addf(why, "%s: the path of a socket has 1 to %zu bytes", path, sizeof address.sun_path - 1);
        return E_IO;
    }
    memcpy(address.sun_path, path, size);
    int rc = clear_place(&address, why);
    if (rc != E_OK)
        return rc;
    struct key_socket *s = calloc(1, sizeof *s);
    if (!s)
        return E_NOMEM;
    s->loop = l;
    s->address = address;
    s->out = out;
    s->buffer = buffer;
    rc = listen_at(s, why);
    if (rc == E_OK) {
        s->event = loop_fd(l, s->fd, on_listener, s);
        rc = s->event ? E_OK : E_NOMEM;
    }
    if (rc != E_OK) {
        key_socket_free(s);
        return rc;
    }
    loop_fd_read(s->event, true);
    *to = s;
    return E_OK;
}

void key_socket_free(struct key_socket *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < KEY_SOCKET_CLIENTS; i++)
        if (s->clients[i].socket)
            client_close(&s->clients[i]);
    loop_remove(s->event);
    if (s->fd >= 0) {
        close(s->fd);
        unlink(s->address.sun_path);
    }
    free(s);
}
