/* SPDX-License-Identifier: Apache-2.0
 * What needs no answer: files, standard output, UDP (RFC 5426). */
#include "base/err.h"
#include "io/resolve.h"
#include "run/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT_FILES 5     /* of a rotated file, beside the one that is written */
#define UDP_SETTLE_MS 20 /* a refusal comes back by then on one's own network; also what keeps bursts apart */

struct local {
    struct outlet head;
    int fd; /* -1: not open */
    struct loop_event *timer;
};

static void finish(struct local *f, const char *why)
{
    f->head.batch = NULL;
    f->head.done(f->head.ctx, why);
}

static void close_fd(struct local *f)
{
    if (f->fd > STDERR_FILENO)
        close(f->fd);
    f->fd = -1;
}

static bool write_all(int fd, struct span s)
{
    while (s.size) {
        ssize_t n = write(fd, s.at, s.size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = span_from(s, (size_t)n);
    }
    return true;
}

/* FILE, FILE.1, ... FILE.5: the oldest goes. */
static void rotate(struct local *f)
{
    char from[560], to[560];
    close_fd(f);
    for (int i = KEPT_FILES; i > 0; i--) {
        snprintf(to, sizeof to, "%s.%d", f->head.config->path, i);
        snprintf(from, sizeof from, i > 1 ? "%s.%d" : "%s", f->head.config->path, i - 1);
        (void)rename(from, to); /* most often there is none yet */
    }
}

static bool open_file(struct local *f)
{
    const struct sink_config *c = f->head.config;
    struct stat st;
    if (f->fd >= 0 && c->rotate && fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size >= c->rotate)
        rotate(f);
    if (f->fd < 0)
        f->fd = c->type == SINK_STDOUT ? STDOUT_FILENO : open(c->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    return f->fd >= 0;
}

static void send_file(struct outlet *o, struct batch *b)
{
    struct local *f = (struct local *)o;
    for (size_t i = 0; i < b->n; i++) {
        if (b->items[i].state != ITEM_WAITING)
            continue;
        if (!open_file(f)) {
            finish(f, strerror(errno));
            return;
        }
        off_t before = lseek(f->fd, 0, SEEK_END);
        if (!write_all(f->fd, batch_bytes(b, i))) {
            int error = errno;
            if (before >= 0 && ftruncate(f->fd, before) != 0)
                error = errno; /* half a line stays: readers of lines see it */
            close_fd(f);
            finish(f, strerror(error));
            return;
        }
        b->items[i].state = ITEM_DONE;
    }
    if (f->fd > STDERR_FILENO)
        (void)fdatasync(f->fd); /* a pipe or device has none */
    finish(f, "");
}

/* Whether a refusal came back for what was sent. */
static void on_settled(void *ctx)
{
    struct local *f = ctx;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error) {
        close_fd(f);
        finish(f, strerror(error));
        return;
    }
    batch_done(f->head.batch);
    finish(f, "");
}

static const char *open_udp(struct local *f)
{
    struct place place;
    const char *why;
    if (resolve(f->head.config->host, f->head.config->port, SOCK_DGRAM, f->head.attempt++, &place, &why))
        return why;
    f->fd = socket(place.at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (f->fd >= 0 && connect(f->fd, (struct sockaddr *)&place.at, place.size) == 0)
        return NULL;
    why = strerror(errno);
    close_fd(f);
    return why;
}

static void send_udp(struct outlet *o, struct batch *b)
{
    struct local *f = (struct local *)o;
    const char *why = f->fd < 0 ? open_udp(f) : NULL;
    if (!f->timer)
        f->timer = loop_timer(o->loop, on_settled, f);
    if (why || !f->timer) {
        finish(f, why ? why : err_text(E_NOMEM));
        return;
    }
    o->batch = b;
    for (size_t i = 0; i < b->n; i++) {
        struct span s = batch_bytes(b, i);
        if (b->items[i].state != ITEM_WAITING || send(f->fd, s.at, s.size, 0) >= 0)
            continue;
        if (errno == EMSGSIZE) {
            b->items[i].state = ITEM_REFUSED;
            continue;
        }
        why = strerror(errno);
        close_fd(f);
        finish(f, why);
        return;
    }
    loop_timer_once(f->timer, UDP_SETTLE_MS);
}

static void reopen(struct outlet *o)
{
    close_fd((struct local *)o);
}

static void destroy(struct outlet *o)
{
    struct local *f = (struct local *)o;
    loop_remove(f->timer);
    close_fd(f);
    free(f);
}

int outlet_local_new(struct outlet **out, const struct sink_config *c, struct text *why)
{
    static const struct outlet_ops file_ops = {send_file, reopen, destroy}, udp_ops = {send_udp, NULL, destroy};
    struct local *f = calloc(1, sizeof *f);
    (void)why;
    if (!f)
        return E_NOMEM;
    f->head.ops = c->type == SINK_SYSLOG_UDP ? &udp_ops : &file_ops;
    f->fd = -1;
    *out = &f->head;
    return E_OK;
}
