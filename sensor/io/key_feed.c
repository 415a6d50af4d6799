/* SPDX-License-Identifier: Apache-2.0
 * The places of a key feed, looked at by one timer, and reading once for replays. */
#include "io/key_feed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "io/key_files.h"
#include "io/key_socket.h"

#define MAX_PLACES 16u
#define LOOK_MS 20u
#define TURN (512u << 10) /* bytes of one file in one look: what else the loop does must not wait for long */

struct place { /* one of the two */
    struct key_files *files;
    struct key_socket *socket;
};

struct key_feed {
    struct loop *loop;
    struct loop_event *timer;
    struct key_lines_out out;
    uint32_t n;
    struct place places[MAX_PLACES];
    uint8_t buffer[KEY_READ_SIZE];
};

static const struct counter_def DEFS[] = {
    {"key_feed_lines", "lines", "handed out"},
    {"key_feed_overlong", "lines", "dropped because they are too long to be of a key log"},
    {"key_feed_files", "files", "opened"},
    {"key_feed_truncated", "files", "that became shorter and were read again from the beginning"},
    {"key_feed_failed", "files", "that could not be opened or read; look at who owns them"},
    {"key_feed_refused", "files", "not opened because there are too many in the directory"},
    {"key_feed_exposed", "files", "that everybody on the machine may read; chmod them to 0600"},
    {"key_feed_clients", "connections", "to key sockets"},
    {"key_feed_turned_away", "connections", "to key sockets beyond the limit"},
};

_Static_assert(sizeof DEFS / sizeof *DEFS * sizeof(uint64_t) == sizeof(struct key_feed_counts),
               "one name for each counter");

static void on_timer(void *ctx)
{
    key_feed_poll(ctx);
}

struct key_feed *key_feed_new(struct loop *l, key_feed_fn *fn, void *ctx)
{
    struct key_feed *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->loop = l;
    f->out = (struct key_lines_out){.fn = fn, .ctx = ctx};
    f->timer = loop_timer(l, on_timer, f);
    if (!f->timer) {
        free(f);
        return NULL;
    }
    return f;
}

void key_feed_free(struct key_feed *f)
{
    if (!f)
        return;
    loop_remove(f->timer);
    for (uint32_t i = 0; i < f->n; i++) {
        key_files_free(f->places[i].files);
        key_socket_free(f->places[i].socket);
    }
    free(f);
}

int key_feed_add(struct key_feed *f, const char *place, struct text *why)
{
    static const char scheme[] = "unix:";
    if (f->n == MAX_PLACES) {
        text_addf(why, "%s: more than %u places for keys", place, MAX_PLACES);
        return E_LIMIT;
    }
    struct place *p = &f->places[f->n];
    if (strncmp(place, scheme, sizeof scheme - 1) == 0) {
        int rc = key_socket_new(&p->socket, f->loop, place + sizeof scheme - 1, &f->out, f->buffer, why);
        f->n += rc == E_OK;
        return rc;
    }
    int rc = key_files_new(&p->files, place, why);
    if (rc != E_OK)
        return rc;
    f->n++;
    key_files_poll(p->files, &f->out, UINT64_MAX, f->buffer, why);
    loop_timer_every(f->timer, LOOK_MS);
    return E_OK;
}

void key_feed_poll(struct key_feed *f)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->places[i].files)
            key_files_poll(f->places[i].files, &f->out, TURN, f->buffer, NULL);
}

static int read_once(const char *path, struct key_lines_out *out, uint8_t *buffer, struct text *why)
{
    struct key_lines lines = {0};
    struct stat st;
    bool is_end = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int64_t got = fd < 0 || fstat(fd, &st) != 0 ? -1 : 0;
    while (got >= 0 && !is_end)
        got = key_lines_read(&lines, out, fd, UINT64_MAX, buffer, &is_end);
    if (got < 0) {
        text_clear(why);
        text_addf(why, "%s: %s", path, strerror(errno));
    } else if ((st.st_mode & S_IROTH) && S_ISREG(st.st_mode) && why->size == 0) {
        text_addf(why, "%s: everybody on this machine may read these keys; chmod it to 0600", path);
    }
    key_lines_end(&lines, out);
    if (fd >= 0)
        close(fd);
    return got < 0 ? E_IO : E_OK;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static int read_directory(const char *path, struct key_lines_out *out, uint8_t *buffer, struct text *why)
{
    struct dirent **list = NULL;
    int n = scandir(path, &list, is_visible, by_name), rc = E_OK;
    if (n < 0) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    for (int i = 0; i < n; i++) {
        struct text name = {0};
        struct stat st;
        text_addf(&name, "%s/%s", path, list[i]->d_name);
        if (rc == E_OK && stat(text_str(&name), &st) == 0 && S_ISREG(st.st_mode))
            rc = read_once(text_str(&name), out, buffer, why);
        text_fini(&name);
        free(list[i]);
    }
    free(list);
    return rc;
}

int key_feed_read(const char *path, key_feed_fn *fn, void *ctx, struct text *why)
{
    struct key_lines_out out = {.fn = fn, .ctx = ctx};
    struct stat st;
    uint8_t *buffer = malloc(KEY_READ_SIZE);
    if (!buffer)
        return E_NOMEM;
    bool is_directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    int rc = (is_directory ? read_directory : read_once)(path, &out, buffer, why);
    free(buffer);
    return rc;
}

struct counters key_feed_counters(const struct key_feed *f)
{
    return (struct counters){DEFS, &f->out.counts.lines, sizeof DEFS / sizeof *DEFS};
}
