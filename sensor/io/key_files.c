/* SPDX-License-Identifier: Apache-2.0
 * Each look lists what is there by name, opens what is new, and reads on in what is known. A file that is gone from its
 * name is read on for a while: who writes it may not have noticed yet. */
#include "io/key_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define MAX_FILES 256u
#define GONE_LOOKS 250u  /* looks without news until a file without a name is given up: 5 s */
#define RESCAN_LOOKS 100u /* looks after a change of the directory: its time is too coarse to tell two changes apart */

struct key_file {
    int fd;
    dev_t device;
    ino_t inode;
    uint64_t offset;
    uint32_t gone; /* looks since it was last listed or last had news; 0 = listed */
    struct key_lines lines;
};

struct key_files {
    char *path;
    bool is_directory;
    struct timespec changed; /* of the directory, when it was last listed */
    uint32_t rescans;        /* looks for which it is still listed anyway */
    bool has_failed;         /* counted, until it works again */
    uint32_t n;
    struct key_file *files[MAX_FILES];
};

static struct key_file *find(const struct key_files *p, const struct stat *st)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (p->files[i]->device == st->st_dev && p->files[i]->inode == st->st_ino)
            return p->files[i];
    return NULL;
}

static void drop(struct key_files *p, uint32_t i, struct key_lines_out *out)
{
    struct key_file *f = p->files[i];
    if (out)
        key_lines_end(&f->lines, out);
    key_lines_drop(&f->lines);
    close(f->fd);
    free(f);
    p->files[i] = p->files[--p->n];
}

static void warn(struct text *why, const char *name, const char *what)
{
    if (why && why->size == 0)
        text_addf(why, "%s: %s", name, what);
}

/* Begins to follow a file that has a name in this place. */
static void open_file(struct key_files *p, const char *path, struct key_feed_counts *counts, struct text *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno != ENOENT) {
        warn(why, path, strerror(errno));
        counts->failed += !p->has_failed;
        p->has_failed = true;
    }
    if (fd < 0)
        return;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || find(p, &st)) {
        close(fd);
        return;
    }
    p->has_failed = false;
    struct key_file *f = p->n < MAX_FILES ? calloc(1, sizeof *f) : NULL;
    if (!f) {
        counts->refused++;
        close(fd);
        return;
    }
    counts->files++;
    if (st.st_mode & S_IROTH) {
        counts->exposed++;
        warn(why, path, "everybody on this machine may read these keys; chmod it to 0600");
    }
    f->fd = fd;
    f->device = st.st_dev;
    f->inode = st.st_ino;
    p->files[p->n++] = f;
}

/* A name of this place: is it known, or new? */
static void see(struct key_files *p, const char *path, const struct stat *st, struct key_feed_counts *counts,
                struct text *why)
{
    struct key_file *f = find(p, st);
    if (f)
        f->gone = 0;
    else
        open_file(p, path, counts, why);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static void see_directory(struct key_files *p, struct key_feed_counts *counts, struct text *why)
{
    struct dirent **list = NULL;
    int n = scandir(p->path, &list, is_visible, by_name);
    for (int i = 0; i < n; i++) {
        struct text path = {0};
        struct stat st;
        text_addf(&path, "%s/%s", p->path, list[i]->d_name);
        if (lstat(text_str(&path), &st) == 0 && S_ISREG(st.st_mode))
            see(p, text_str(&path), &st, counts, why);
        text_fini(&path);
        free(list[i]);
    }
    free(list);
}

/* Whether the directory must be listed again. */
static bool has_changed(struct key_files *p, const struct stat *st)
{
    if (st->st_mtim.tv_sec != p->changed.tv_sec || st->st_mtim.tv_nsec != p->changed.tv_nsec) {
        p->changed = st->st_mtim;
        p->rescans = RESCAN_LOOKS;
        return true;
    }
    if (p->rescans == 0)
        return false;
    p->rescans--;
    return true;
}

/* Brings the list of files up to date. */
static void look(struct key_files *p, struct key_feed_counts *counts, struct text *why)
{
    struct stat st;
    bool is_there = stat(p->path, &st) == 0;
    if (!is_there) {
        bool has_failed = errno != ENOENT;
        warn(why, p->path, has_failed ? strerror(errno) : "not there yet");
        counts->failed += has_failed && !p->has_failed;
        p->has_failed = has_failed;
    } else if (p->is_directory && !has_changed(p, &st)) {
        return;
    }
    for (uint32_t i = 0; i < p->n; i++)
        p->files[i]->gone += p->files[i]->gone == 0; /* until it is seen */
    if (is_there && p->is_directory)
        see_directory(p, counts, why);
    else if (is_there)
        see(p, p->path, &st, counts, why);
}

/* False when the file failed. */
static bool read_file(struct key_file *f, struct key_lines_out *out, struct key_feed_counts *counts, uint64_t max,
                      uint8_t *buffer)
{
    struct stat st;
    bool is_end;
    if (fstat(f->fd, &st) == 0 && (uint64_t)st.st_size < f->offset) {
        counts->truncated++;
        key_lines_drop(&f->lines);
        f->offset = 0;
        if (lseek(f->fd, 0, SEEK_SET) != 0)
            return false;
    }
    int64_t got = key_lines_read(&f->lines, out, f->fd, max, buffer, &is_end);
    if (got < 0)
        return false;
    f->offset += (uint64_t)got;
    if (f->gone)
        f->gone = got ? 1 : f->gone + 1;
    return true;
}

/* A file that was renamed and not yet replaced is the one to follow, for however long that lasts. */
static bool has_successor(const struct key_files *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (p->files[i]->gone == 0)
            return true;
    return p->is_directory;
}

void key_files_poll(struct key_files *p, struct key_lines_out *out, uint64_t max, uint8_t *buffer, struct text *why)
{
    struct key_feed_counts *counts = &out->counts;
    look(p, counts, why);
    bool may_drop = has_successor(p);
    /* those without a name first: they are older */
    for (int is_gone = 1; is_gone >= 0; is_gone--) {
        for (uint32_t i = 0; i < p->n;) {
            struct key_file *f = p->files[i];
            bool is_ok = (f->gone > 0) != is_gone || read_file(f, out, counts, max, buffer);
            counts->failed += !is_ok;
            if (is_ok && (f->gone <= GONE_LOOKS || !may_drop))
                i++;
            else
                drop(p, i, out);
        }
    }
}

int key_files_new(struct key_files **out, const char *path, struct text *why)
{
    struct stat st;
    bool is_there = stat(path, &st) == 0;
    if (!is_there && errno != ENOENT) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    if (is_there && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        text_addf(why, "%s: neither a file nor a directory", path);
        return E_IO;
    }
    if (is_there && access(path, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK) != 0) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    struct key_files *p = calloc(1, sizeof *p);
    if (!p)
        return E_NOMEM;
    p->is_directory = is_there && S_ISDIR(st.st_mode);
    p->path = strdup(path);
    if (!p->path) {
        free(p);
        return E_NOMEM;
    }
    *out = p;
    return E_OK;
}

void key_files_free(struct key_files *p)
{
    if (!p)
        return;
    while (p->n > 0)
        drop(p, p->n - 1, NULL);
    free(p->path);
    free(p);
}
