/* SPDX-License-Identifier: Apache-2.0
 * Directories of files to detections, ordered by id. The trees stay open: heads and bodies borrow their texts. */
#include "detect/detections.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "detect/detection_head.h"

struct detections {
    struct detection list[DETECTIONS_MAX];
    size_t n;
    struct yaml *files[2 * DETECTIONS_MAX]; /* also of those that were replaced */
    size_t n_files;
};

static struct detection *find(struct detections *d, const char *id)
{
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->list[i].rule.id, id) == 0)
            return &d->list[i];
    return NULL;
}

static int add(struct detections *d, const char *path, bool is_own, struct text *why)
{
    struct yaml *yaml = NULL;
    struct detection one;
    int rc = yaml_load(path, &yaml, why);
    if (rc)
        return rc;
    if (d->n == DETECTIONS_MAX || d->n_files == 2 * DETECTIONS_MAX) {
        rc = yaml_fail(yaml_root(yaml), why, "more than %u detections", DETECTIONS_MAX);
        yaml_close(yaml);
        return rc;
    }
    d->files[d->n_files++] = yaml;
    rc = detection_head(yaml_root(yaml), &one, why);
    if (rc)
        return rc;
    one.is_own = is_own;
    struct detection *same = find(d, one.rule.id);
    if (same && same->is_own == is_own)
        return yaml_fail(yaml_get(one.root, "id"), why, "%s: this id stands in %s as well", one.rule.id, same->root->file);
    *(same ? same : &d->list[d->n++]) = one;
    return E_OK;
}

static int is_file(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return entry->d_name[0] != '.' && size > 5 && strcmp(entry->d_name + size - 5, ".yaml") == 0;
}

static int add_directory(struct detections *d, const char *dir, bool is_own, struct text *why)
{
    struct dirent **names = NULL;
    int n = scandir(dir, &names, is_file, alphasort), rc = n < 0 ? E_IO : E_OK;
    if (rc)
        text_addf(why, "%s: %s", dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        struct text path = {0};
        text_addf(&path, "%s/%s", dir, names[i]->d_name);
        rc = rc ? rc : add(d, text_str(&path), is_own, why);
        text_fini(&path);
        free(names[i]);
    }
    free(names);
    return rc;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct detection *)a)->rule.id, ((const struct detection *)b)->rule.id);
}

int detections_load(const char *dir, const char *own_dir, struct detections **out, struct text *why)
{
    struct detections *d = calloc(1, sizeof *d);
    struct text shipped = {0};
    if (!d)
        return E_NOMEM;
    text_addf(&shipped, "%s/detections", dir);
    int rc = add_directory(d, text_str(&shipped), false, why);
    if (rc == E_OK && own_dir)
        rc = add_directory(d, own_dir, true, why);
    text_fini(&shipped);
    if (rc) {
        detections_free(d);
        return rc;
    }
    qsort(d->list, d->n, sizeof d->list[0], by_id);
    *out = d;
    return E_OK;
}

void detections_free(struct detections *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_files; i++)
        yaml_close(d->files[i]);
    free(d);
}

size_t detections_count(const struct detections *d)
{
    return d->n;
}

const struct detection *detections_at(const struct detections *d, size_t i)
{
    return &d->list[i];
}

int detections_scored(const struct detections *d, struct rules *r, struct text *why)
{
    const struct detection *of[SCORED_N] = {0};
    for (size_t i = 0; i < d->n; i++) {
        const struct detection *one = &d->list[i];
        enum scored which;
        if (strcmp(one->type, "scored") != 0)
            continue;
        int rc = rules_parameters(r, one->root, &which, why);
        if (rc)
            return rc;
        if (of[which])
            return yaml_fail(yaml_get(one->root, "detector"), why, "detector %s is %s's already; a file with that id replaces it",
                             scored_name(which), of[which]->rule.id);
        of[which] = one;
        r->head[which] = one->is_enabled ? &one->rule : NULL;
    }
    return E_OK;
}
