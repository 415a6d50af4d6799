/* SPDX-License-Identifier: Apache-2.0
 * Listener and clients, each a descriptor of the loop. */
#include "io/key_socket.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "io/listen.h"

#define TURN (1u << 20) /* bytes read of one client before others have theirs */

struct key_client {
    struct key_socket *socket; /* NULL: this place is free */
    int fd;
    struct loop_event *event;
    struct key_lines lines;
};

struct key_socket {
    struct loop *loop;
    char *path;
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

int key_socket_new(struct key_socket **to, struct loop *l, const char *path, struct key_lines_out *out, uint8_t *buffer,
                   struct text *why)
{
    struct key_socket *s = calloc(1, sizeof *s);
    if (!s)
        return E_NOMEM;
    s->loop = l;
    s->out = out;
    s->buffer = buffer;
    int rc = listen_unix(path, (int)KEY_SOCKET_CLIENTS, &s->fd, why);
    if (rc == E_OK)
        rc = (s->path = strdup(path)) ? E_OK : E_NOMEM;
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
        if (s->path)
            unlink(s->path);
    }
    free(s->path);
    free(s);
}
