/* SPDX-License-Identifier: Apache-2.0
 * Capture files as one source: expands directories, looks at each file's first packet, and merges by packet time (a heap;
 * ties by file order). Only a bounded number of files is open at once: the one due last is put aside first. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/err.h"
#include "capture/source_file.h"
#include "capture/source_impl.h"

#define MAX_OPEN_FILES 128u
#define MIN_OPEN_FILES 4u
#define MAX_FILES 1000000u
#define LINK_ETHERNET 1u /* DLT_EN10MB */

struct entry {
    struct source_file *file; /* NULL once it is read */
    uint64_t due_ns;          /* of its next packet; 0 while a pipe has not been asked */
    bool is_loaded;           /* 'packet' is its next one */
    struct packet packet;
};

struct merge {
    struct source base;
    struct entry *entries; /* in the order given: the index is packet.source */
    size_t n, max;
    uint32_t *heap; /* indices of unfinished entries, the one due first on top */
    size_t heap_n;
    size_t n_open, max_open;
    uint64_t total_bytes, finished_bytes;
    bool top_is_spent; /* the top's packet was delivered and may now be replaced */
    struct source_filter *filter;
    bool is_filter_checked;
};

static bool is_before(const struct merge *m, uint32_t a, uint32_t b)
{
    uint64_t due_a = m->entries[a].due_ns, due_b = m->entries[b].due_ns;
    return due_a != due_b ? due_a < due_b : a < b;
}

static void heap_down(struct merge *m, size_t at)
{
    uint32_t moving = m->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= m->heap_n)
            break;
        if (child + 1 < m->heap_n && is_before(m, m->heap[child + 1], m->heap[child]))
            child++;
        if (!is_before(m, m->heap[child], moving))
            break;
        m->heap[at] = m->heap[child];
        at = child;
    }
    m->heap[at] = moving;
}

static void heap_pop(struct merge *m)
{
    m->heap[0] = m->heap[--m->heap_n];
    if (m->heap_n > 0)
        heap_down(m, 0);
}

/* Puts the file aside that is due last, until one more may be opened. */
static void make_room(struct merge *m)
{
    while (m->n_open >= m->max_open) {
        struct entry *last = NULL;
        for (size_t i = 0; i < m->n; i++) {
            struct entry *e = &m->entries[i];
            if (e->file && !source_file_is_suspended(e->file) && source_file_can_suspend(e->file) &&
                (!last || e->due_ns >= last->due_ns))
                last = e;
        }
        if (!last)
            return; /* all are pipes */
        source_file_suspend(last->file);
        last->is_loaded = false;
        m->n_open--;
    }
}

/* Says what has to be told of a file that ended, and closes it. */
static void finish(struct merge *m, struct entry *e)
{
    const char *name = source_file_name(e->file);
    unsigned long long n = source_file_packets(e->file);
    switch (source_file_ended(e->file)) {
    case FILE_END_CUT: source_add_note(&m->base, "%s: cut after %llu whole packets", name, n); break;
    case FILE_END_DAMAGED:
        source_add_note(&m->base, "%s: damaged after %llu whole packets, the rest is not read", name, n);
        break;
    case FILE_END_VERSION:
        source_add_note(&m->base, "%s: after %llu packets a section of a pcapng version that is not known, the rest is not read",
                        name, n);
        break;
    case FILE_END_CLEAN:
        if (n == 0)
            source_add_note(&m->base, "%s: no packets", name);
        break;
    }
    if (source_file_other_secrets(e->file) > 0)
        source_add_note(&m->base, "%s: blocks of secrets that are not used: %llu (no TLS key log, or too large)", name,
                        (unsigned long long)source_file_other_secrets(e->file));
    m->finished_bytes += source_file_size(e->file);
    source_file_close(e->file);
    e->file = NULL;
    e->is_loaded = false;
    m->n_open--;
}

static void end_file(struct merge *m, struct entry *e, int rc)
{
    if (rc == E_END)
        finish(m, e);
    else
        source_add_note(&m->base, "%s: %s after %llu packets", source_file_name(e->file),
                        rc == E_IO ? strerror(errno) : err_text(rc),
                        (unsigned long long)source_file_packets(e->file));
}

/* Reads the file's next packet. 1; 0: a pipe has nothing now; E_END: finished; E_IO; E_NOMEM. */
static int load(struct merge *m, struct entry *e)
{
    int rc = E_OK;
    if (source_file_is_suspended(e->file)) {
        make_room(m);
        rc = source_file_resume(e->file);
        m->n_open++;
    }
    if (rc == E_OK)
        rc = source_file_next(e->file, &e->packet);
    if (rc == 1) {
        e->is_loaded = true;
        e->due_ns = e->packet.time_ns;
    } else if (rc < 0) {
        end_file(m, e, rc);
    }
    return rc;
}

/* The same for the last file there is: its packet is handed out at once, there is none to compare it with. */
static int load_last(struct merge *m, struct entry *e, struct packet *p)
{
    int rc = source_file_next(e->file, p);
    p->source = m->heap[0];
    if (rc < 0)
        end_file(m, e, rc);
    return rc;
}

static bool passes_filter(struct merge *m, const struct entry *e)
{
    if (!m->filter)
        return true;
    int rc = source_filter_match(m->filter, &e->packet);
    if (rc == E_CONF)
        source_add_note(&m->base, "%s: the filter does not fit link type %u, its frames are left out",
                        source_file_name(e->file), e->packet.link);
    return rc == 1;
}

static int merge_next(struct source *s, struct packet *p)
{
    struct merge *m = (struct merge *)s;
    while (m->heap_n > 0) {
        struct entry *e = &m->entries[m->heap[0]];
        if (e->is_loaded && !m->top_is_spent) {
            m->top_is_spent = true;
            if (!passes_filter(m, e)) {
                if (atomic_load_explicit(&s->is_stopped, memory_order_relaxed))
                    return E_END;
                continue;
            }
            *p = e->packet;
            p->source = m->heap[0];
            return 1;
        }
        bool is_last = m->heap_n == 1 && !m->filter && !source_file_is_suspended(e->file);
        int rc = is_last ? load_last(m, e, p) : load(m, e);
        if (is_last && rc == 1)
            return 1;
        if (rc == E_END)
            heap_pop(m);
        else if (rc == 1)
            heap_down(m, 0);
        else if (rc == 0 && atomic_load_explicit(&s->is_stopped, memory_order_relaxed))
            return E_END;
        else
            return rc;
        m->top_is_spent = false;
    }
    return E_END;
}

static void merge_stats(struct source *s, struct source_stats *out)
{
    const struct merge *m = (const struct merge *)s;
    out->total_bytes = m->total_bytes;
    out->read_bytes = m->finished_bytes;
    for (size_t i = 0; i < m->heap_n; i++)
        out->read_bytes += source_file_position(m->entries[m->heap[i]].file);
}

static void merge_close(struct source *s)
{
    struct merge *m = (struct merge *)s;
    for (size_t i = 0; i < m->n; i++)
        source_file_close(m->entries[i].file);
    source_filter_free(m->filter);
    free(m->entries);
    free(m->heap);
    free(m);
}

static bool is_known(const struct merge *m, const struct source_file *file)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->entries[i].file && source_file_same(m->entries[i].file, file))
            return true;
    return false;
}

/* Adds an opened file and reads its first packet, which tells when it is due. */
static int add_file(struct merge *m, struct source_file *file, struct text *why)
{
    if (m->n == m->max) {
        size_t max = m->max ? m->max * 2 : 16;
        struct entry *grown = max > MAX_FILES ? NULL : realloc(m->entries, max * sizeof *grown);
        if (!grown) {
            text_add_str(why, "too many files");
            source_file_close(file);
            return E_LIMIT;
        }
        m->entries = grown;
        m->max = max;
    }
    struct entry *e = &m->entries[m->n++];
    *e = (struct entry){.file = file};
    source_file_on_secrets(file, source_hand_secrets, &m->base);
    m->n_open++;
    m->total_bytes += source_file_size(file);
    if (!source_file_can_suspend(file))
        return E_OK; /* a pipe may be silent for long: it is asked when reading begins */
    const char *name = source_file_name(file);
    int rc = load(m, e);
    if (rc < 0 && rc != E_END) {
        text_addf(why, "%s: %s", name, rc == E_IO ? strerror(errno) : err_text(rc));
        return rc;
    }
    if (rc != 1 || !m->filter)
        return E_OK;
    m->is_filter_checked = true;
    return source_filter_check(m->filter, e->packet.link, why);
}

static int add_path(struct merge *m, const char *path, struct text *why)
{
    struct source_file *file;
    make_room(m);
    int rc = source_file_open(&file, path, why);
    if (rc != E_OK)
        return rc;
    if (is_known(m, file)) {
        source_add_note(&m->base, "%s: given twice, read once", source_file_name(file));
        source_file_close(file);
        return E_OK;
    }
    return add_file(m, file, why);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

/* Adds one member of a directory if it is a capture. E_NONE when it is something else. */
static int add_member(struct merge *m, const char *directory, const char *name, struct text *why)
{
    struct text path = {0};
    size_t end = strlen(directory);
    text_addf(&path, "%s%s%s", directory, end && directory[end - 1] == '/' ? "" : "/", name);
    struct stat st;
    int rc = E_NONE;
    if (stat(text_str(&path), &st) == 0 && S_ISREG(st.st_mode)) {
        rc = add_path(m, text_str(&path), why);
        if (rc == E_BAD) {
            text_clear(why);
            rc = E_NONE;
        }
    }
    text_fini(&path);
    return rc;
}

static int add_directory(struct merge *m, const char *path, struct text *why)
{
    struct dirent **list = NULL;
    int n = scandir(path, &list, is_visible, by_name);
    if (n < 0) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    int rc = E_OK, n_added = 0, n_other = 0;
    const char *first_other = NULL;
    for (int i = 0; i < n && rc == E_OK; i++) {
        rc = add_member(m, path, list[i]->d_name, why);
        if (rc == E_OK)
            n_added++;
        if (rc != E_NONE)
            continue;
        rc = E_OK;
        n_other++;
        first_other = first_other ? first_other : list[i]->d_name;
    }
    if (rc == E_OK && n_added == 0) {
        text_addf(why, "%s: no capture files in this directory (folders in it are not looked into)", path);
        rc = E_BAD;
    } else if (n_other > 0) {
        source_add_note(&m->base, "%s: %d skipped that are no captures (%s%s)", path, n_other, first_other,
                        n_other > 1 ? ", ..." : "");
    }
    for (int i = 0; i < n; i++)
        free(list[i]);
    free(list);
    return rc;
}

/* Standard input cannot be told from its first naming by looking at it: its beginning is read already. */
static bool is_input_again(const char *const *paths, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(paths[k], "-") == 0 && strcmp(paths[i], "-") == 0)
            return true;
    return false;
}

static int add_all(struct merge *m, const char *const *paths, size_t n, struct text *why)
{
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        if (is_input_again(paths, i)) {
            source_add_note(&m->base, "standard input: given twice, read once");
            continue;
        }
        bool is_directory = stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode);
        int rc = is_directory ? add_directory(m, paths[i], why) : add_path(m, paths[i], why);
        if (rc != E_OK)
            return rc;
    }
    m->heap = calloc(m->n ? m->n : 1, sizeof *m->heap);
    if (!m->heap)
        return E_NOMEM;
    for (size_t i = 0; i < m->n; i++)
        if (m->entries[i].file)
            m->heap[m->heap_n++] = (uint32_t)i;
    for (size_t i = m->heap_n / 2; i-- > 0;)
        heap_down(m, i);
    return E_OK;
}

/* Of the descriptors the process may have, a quarter: outputs, databases and links need theirs. */
static size_t open_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 4 < MIN_OPEN_FILES)
        return MIN_OPEN_FILES;
    return limit.rlim_cur / 4 < MAX_OPEN_FILES ? limit.rlim_cur / 4 : MAX_OPEN_FILES;
}

int source_open_files(struct source **out, const char *const *paths, size_t n, const char *filter, struct text *why)
{
    struct merge *m = calloc(1, sizeof *m);
    if (!m)
        return E_NOMEM;
    m->base.next = merge_next;
    m->base.stats = merge_stats;
    m->base.close = merge_close;
    m->max_open = open_limit();
    int rc = E_OK;
    if (filter && filter[0]) {
        m->filter = source_filter_new(filter);
        rc = m->filter ? E_OK : E_NOMEM;
    }
    if (rc == E_OK)
        rc = add_all(m, paths, n, why);
    if (rc == E_OK && m->filter && !m->is_filter_checked) /* only pipes, nothing read yet: most will be Ethernet */
        rc = source_filter_check(m->filter, LINK_ETHERNET, why);
    if (rc != E_OK) {
        source_close(&m->base);
        return rc;
    }
    *out = &m->base;
    return E_OK;
}
