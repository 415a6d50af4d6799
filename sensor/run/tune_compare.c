/* SPDX-License-Identifier: Apache-2.0
 * Which alerts come, go and change under other rules, and which change of a file makes it: each change is put alone into the
 * first rules and the recording judged again. */
#include "run/tune.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define FILE_MAX (1u << 20)

static const char *const folders[] = {"detections", "lists"};

static bool read_whole(const char *path, struct text *out)
{
    char block[4096];
    size_t n;
    FILE *f = fopen(path, "re");
    text_clear(out);
    out->max = FILE_MAX;
    if (!f)
        return false;
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        text_add(out, span_of(block, n));
    bool is_good = !ferror(f) && !out->is_cut;
    fclose(f);
    return is_good;
}

static int write_whole(const char *path, const struct text *from, struct text *why)
{
    FILE *f = fopen(path, "we");
    bool is_good = f && fwrite(text_str(from), 1, from->size, f) == from->size;
    is_good = f && fclose(f) == 0 && is_good;
    if (!is_good)
        text_addf(why, "%s: %s", path, strerror(errno));
    return is_good ? 0 : E_IO;
}

static bool has_line(const char *text, const char *line, size_t size)
{
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (strcspn(at, "\n") == size && memcmp(at, line, size) == 0)
            return true;
    return false;
}

/* The lines of 'in' that are not in 'other', comments and blank ones left out. */
static void add_lines(const char *in, const char *other, char sign, char *out, size_t size)
{
    for (const char *at = in; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        size_t n = strcspn(at, "\n"), blanks = strspn(at, " "), used = strlen(out);
        if (blanks >= n || at[blanks] == '#' || has_line(other, at, n))
            continue;
        if (used + n - blanks + 8 > size) {
            snprintf(out + used, size - used, " ...");
            return;
        }
        snprintf(out + used, size - used, "%s%c %.*s", used ? " | " : "", sign, (int)(n - blanks), at + blanks);
    }
}

/* Copies the rules of 'from' into 'to', 'file' as 'instead' has it (left out where there is none). */
static int copy_folder(const char *from, const char *to, const char *folder, struct text *why)
{
    struct text path = {0}, other = {0}, whole = {0};
    text_addf(&path, "%s/%s", from, folder);
    text_addf(&other, "%s/%s", to, folder);
    DIR *d = opendir(text_str(&path));
    int rc = mkdir(text_str(&other), 0700) == 0 || errno == EEXIST ? 0 : E_IO;
    for (struct dirent *e; rc == 0 && d && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        text_clear(&path);
        text_clear(&other);
        text_addf(&path, "%s/%s/%s", from, folder, e->d_name);
        text_addf(&other, "%s/%s/%s", to, folder, e->d_name);
        if (read_whole(text_str(&path), &whole))
            rc = write_whole(text_str(&other), &whole, why);
    }
    if (d)
        closedir(d);
    text_fini(&path);
    text_fini(&other);
    text_fini(&whole);
    return rc;
}

static int copy_rules(const char *from, const char *to, const char *file, const char *instead, struct text *why)
{
    struct text path = {0}, other = {0}, whole = {0};
    int rc = mkdir(to, 0700) == 0 ? 0 : E_IO;
    text_addf(&path, "%s/apps", from);
    text_addf(&other, "%s/apps", to);
    char *apps = rc == 0 ? realpath(text_str(&path), NULL) : NULL;
    if (rc == 0 && apps && symlink(apps, text_str(&other)) != 0)
        rc = E_IO;
    free(apps);
    for (size_t i = 0; rc == 0 && i < sizeof folders / sizeof folders[0]; i++)
        rc = copy_folder(from, to, folders[i], why);
    text_clear(&path);
    text_clear(&other);
    text_addf(&path, "%s/detect.yaml", from);
    text_addf(&other, "%s/detect.yaml", to);
    if (rc == 0 && read_whole(text_str(&path), &whole))
        rc = write_whole(text_str(&other), &whole, why);
    text_clear(&path);
    text_clear(&other);
    text_addf(&path, "%s/%s", instead, file);
    text_addf(&other, "%s/%s", to, file);
    if (rc == 0 && read_whole(text_str(&path), &whole))
        rc = write_whole(text_str(&other), &whole, why);
    else if (rc == 0)
        unlink(text_str(&other));
    if (rc && !why->size)
        text_addf(why, "%s: %s", to, strerror(errno));
    text_fini(&path);
    text_fini(&other);
    text_fini(&whole);
    return rc;
}

struct finder {
    const char *a, *b, *dir;
    struct tune_change *out;
    int n;
};

static int find_one(struct finder *f, const char *file, struct text *why)
{
    struct text path = {0}, in_a = {0}, in_b = {0};
    text_addf(&path, "%s/%s", f->a, file);
    bool has_a = read_whole(text_str(&path), &in_a);
    text_clear(&path);
    text_addf(&path, "%s/%s", f->b, file);
    bool has_b = read_whole(text_str(&path), &in_b);
    int rc = 0;
    if (has_a != has_b || strcmp(text_str(&in_a), text_str(&in_b)) != 0) {
        struct tune_change *c = &f->out[f->n];
        *c = (struct tune_change){0};
        snprintf(c->file, sizeof c->file, "%s", file);
        snprintf(c->rules, sizeof c->rules, "%s/change%d", f->dir, f->n);
        if (has_a && has_b) {
            add_lines(text_str(&in_a), text_str(&in_b), '-', c->lines, sizeof c->lines);
            add_lines(text_str(&in_b), text_str(&in_a), '+', c->lines, sizeof c->lines);
        } else {
            snprintf(c->lines, sizeof c->lines, "%s", has_a ? "the file is gone" : "the file is new");
        }
        rc = copy_rules(f->a, c->rules, file, f->b, why);
        f->n++;
    }
    text_fini(&path);
    text_fini(&in_a);
    text_fini(&in_b);
    return rc;
}

static int is_file(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* Every file of the folder below 'dir'; those that 'not_in' has, too, are left out. */
static int find_in(struct finder *f, const char *dir, const char *not_in, const char *folder, struct text *why)
{
    struct dirent **names = NULL;
    struct text path = {0};
    int rc = 0;
    text_addf(&path, "%s/%s", dir, folder);
    int n = scandir(text_str(&path), &names, is_file, alphasort);
    for (int i = 0; i < n; i++) {
        struct text file = {0};
        text_addf(&file, "%s/%s", folder, names[i]->d_name);
        text_clear(&path);
        text_addf(&path, "%s/%s", not_in ? not_in : "", text_str(&file));
        bool is_done = not_in && access(text_str(&path), R_OK) == 0;
        if (rc == 0 && !is_done && f->n == (int)TUNE_CHANGES_MAX) {
            text_addf(why, "more than %u files differ: compare in steps", TUNE_CHANGES_MAX);
            rc = E_LIMIT;
        }
        if (rc == 0 && !is_done)
            rc = find_one(f, text_str(&file), why);
        free(names[i]);
        text_fini(&file);
    }
    free(names);
    text_fini(&path);
    return rc;
}

int tune_changes(const char *a, const char *b, const char *dir, struct tune_change out[TUNE_CHANGES_MAX], struct text *why)
{
    struct finder f = {a, b, dir, out, 0};
    int rc = find_one(&f, "detect.yaml", why);
    for (size_t i = 0; rc == 0 && i < sizeof folders / sizeof folders[0]; i++) {
        rc = find_in(&f, a, NULL, folders[i], why);
        if (rc == 0)
            rc = find_in(&f, b, a, folders[i], why);
    }
    return rc ? rc : f.n;
}

static bool is_same(const struct tune_alert *a, const struct tune_alert *b)
{
    return strcmp(a->rules, b->rules) == 0 && a->risk == b->risk && a->files == b->files && a->cases == b->cases &&
           a->customers == b->customers && a->told_ns == b->told_ns && strcmp(a->why, b->why) == 0;
}

/* Which changes do alone what all of them do: to the alert of A (it goes, or becomes what it is under B), or to one that
 * only B has. */
static size_t add_reasons(const uint8_t id[16], const struct tune_alert *a, const struct tune_alert *b,
                          const struct tune_pass *alone, const struct tune_change *changes, size_t n, struct text *out)
{
    size_t found = 0;
    for (int is_exact = 1; is_exact >= 0 && !found; is_exact--)
        for (size_t i = 0; i < n; i++) {
            const struct tune_alert *here = tune_find(&alone[i], id);
            bool is_like_b = b ? here && (!is_exact || is_same(here, b)) : !here;
            bool is_other = a ? !here || !is_same(here, a) : here != NULL;
            if (is_exact ? is_like_b && is_other : is_other)
                text_addf(out, "      %s %s: %s\n", is_exact ? "because of" : "in part because of", changes[i].file, changes[i].lines), found++;
        }
    if (!found && n > 1) {
        text_add_str(out, "      by the changes together, by none of them alone\n");
        found = 1;
    }
    return found;
}

static void add_changed(const struct tune_alert *a, const struct tune_alert *b, struct text *out)
{
    text_add_str(out, "  ~ ");
    tune_alert_line(a, out);
    text_add_str(out, "\n      now ");
    if (strcmp(a->rules, b->rules) != 0)
        text_addf(out, "rules %s; ", b->rules);
    if (a->risk != b->risk)
        text_addf(out, "risk %u; ", b->risk);
    if (a->told_ns != b->told_ns)
        text_addf(out, "told %.0f s %s; ", (double)(a->told_ns > b->told_ns ? a->told_ns - b->told_ns : b->told_ns - a->told_ns) / 1e9,
                  a->told_ns > b->told_ns ? "sooner" : "later");
    if (a->files != b->files || a->customers != b->customers || a->cases != b->cases)
        text_addf(out, "%u files, %u cases, %u customers; ", b->files, b->cases, b->customers);
    text_addf(out, "%s\n", strcmp(a->why, b->why) ? b->why : "same reasons");
}

size_t tune_compare(const struct tune_pass *a, const struct tune_pass *b, const struct tune_pass *alone,
                    const struct tune_change *changes, size_t n, struct text *out, size_t *unexplained)
{
    size_t gone = 0, come = 0, changed = 0;
    struct text body = {.max = 64u << 20};
    *unexplained = 0;
    for (size_t i = 0; i < a->n; i++) {
        const struct tune_alert *was = &a->at[i], *is = tune_find(b, was->id);
        if (is && is_same(was, is))
            continue;
        if (is) {
            add_changed(was, is, &body);
            changed++;
        } else {
            text_add_str(&body, "  - ");
            tune_alert_line(was, &body);
            text_addf(&body, "\n      %s\n", was->why);
            gone++;
        }
        *unexplained += add_reasons(was->id, was, is, alone, changes, n, &body) == 0;
    }
    for (size_t i = 0; i < b->n; i++) {
        const struct tune_alert *is = &b->at[i];
        if (tune_find(a, is->id))
            continue;
        text_add_str(&body, "  + ");
        tune_alert_line(is, &body);
        text_addf(&body, "\n      %s\n", is->why);
        come++;
        *unexplained += add_reasons(is->id, NULL, is, alone, changes, n, &body) == 0;
    }
    text_addf(out, "compare   %zu alerts under A, %zu under B: %zu go (-), %zu come (+), %zu change (~); %zu files differ\n", a->n, b->n,
              gone, come, changed, n);
    for (size_t i = 0; i < n; i++)
        text_addf(out, "          %s: %s\n", changes[i].file, changes[i].lines);
    text_add(out, text_span(&body));
    text_fini(&body);
    return gone + come + changed;
}
