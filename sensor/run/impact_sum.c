/* SPDX-License-Identifier: Apache-2.0
 * From activities to files and cases: sorted by what they are about, then summed run by run. */
#include <stdlib.h>

#include "base/err.h"
#include "run/impact_parts.h"

static int by_text(const char *names, uint32_t a, uint32_t b)
{
    return a == b ? 0 : strcmp(names + a, names + b);
}

static int by_file(const void *a, const void *b, void *names)
{
    const struct act *x = a, *y = b;
    int d = by_text(names, x->customer, y->customer);
    d = d ? d : by_text(names, x->kase, y->kase);
    d = d ? d : by_text(names, x->name, y->name);
    d = d ? d : by_text(names, x->object, y->object);
    d = d ? d : memcmp(x->transfer, y->transfer, sizeof x->transfer);
    return d ? d : x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static bool is_fetch(const struct act *a)
{
    return a->action == ACTION_DOWNLOAD || a->action == ACTION_PREVIEW || a->action == ACTION_EXPORT;
}

static bool is_same_file(const char *names, const struct act *a, const struct act *b)
{
    return !by_text(names, a->customer, b->customer) && !by_text(names, a->kase, b->kase) && !by_text(names, a->name, b->name) &&
           !by_text(names, a->object, b->object);
}

/* The answer was no file: refused, only its head, or "you have it already". */
static bool is_refused(const struct act *a)
{
    return a->outcome == OUTCOME_FAILURE || (a->flags & ACT_REFUSED);
}

static bool is_unmodified(const struct act *a)
{
    return (a->flags & ACT_NOT_MODIFIED) || a->status == 304 || a->is_head;
}

/* An answer that ended before its first byte. */
static bool is_empty(const struct act *a)
{
    return (a->flags & ACT_HAS_BODY) && a->body_bytes == 0 && (a->file_size || !a->is_whole);
}

/* One fetch that went well. */
static void add_fetch(struct impact_file *f, const struct act *a)
{
    f->reads++;
    f->previews += a->action == ACTION_PREVIEW;
    f->is_left = true;
    f->is_begun = f->is_begun || !(a->flags & ACT_HAS_BODY);
    f->transferred += a->body_bytes;
    f->missing += a->missing;
    f->is_least = f->is_least || (a->flags & ACT_TRANSFER_UNSURE);
    f->size_known = a->size_known > f->size_known ? a->size_known : f->size_known;
    if (100 - a->doubt < f->confidence)
        f->confidence = (uint8_t)(100 - a->doubt);
    if (a->file.is_scanned && file_facts_secrets(&a->file) >= f->secrets) {
        f->is_scanned = true;
        f->is_cut = a->file.is_cut;
        f->secrets = file_facts_secrets(&a->file);
        f->live = file_facts_live(&a->file);
    }
    if (a->file.has_sha256) {
        f->has_sha256 = true;
        memcpy(f->sha256, a->file.sha256, sizeof f->sha256);
    }
    f->file_class = a->file.file_class > f->file_class ? a->file.file_class : f->file_class;
}

/* One act on a file. Whether it left, the answer says. */
static void add_act(struct impact_file *f, const struct act *a)
{
    f->first_ns = !f->first_ns || a->time_ns < f->first_ns ? a->time_ns : f->first_ns;
    f->last_ns = a->time_ns > f->last_ns ? a->time_ns : f->last_ns;
    if (is_refused(a))
        f->refused++;
    else if (is_unmodified(a))
        f->unmodified++;
    else if (!is_empty(a))
        add_fetch(f, a);
}

/* Bytes of one transfer, acts [from, to): distinct ones, as far as they came in these acts. */
static void add_transfer(struct impact_file *f, const struct act *acts, size_t from, size_t to)
{
    uint64_t came = 0, unique = 0, size = 0;
    bool is_whole = false;
    for (size_t i = from; i < to; i++) {
        if (is_refused(&acts[i]) || is_unmodified(&acts[i]) || is_empty(&acts[i]))
            continue;
        came += acts[i].body_bytes;
        unique = acts[i].transfer_bytes > unique ? acts[i].transfer_bytes : unique;
        size = acts[i].file_size > size ? acts[i].file_size : size;
        is_whole = is_whole || acts[i].is_whole;
    }
    uint64_t bytes = unique && unique < came ? unique : came;
    is_whole = is_whole && bytes >= unique; /* else a part of it had come before the window */
    if (is_whole && size)
        bytes = size; /* the file's own, out of whatever it was wrapped in */
    f->is_complete = f->is_complete || is_whole;
    f->bytes = bytes > f->bytes ? bytes : f->bytes;
}

static size_t sum_file(struct impact_file *f, const struct owned *own, size_t from)
{
    const struct act *acts = own->acts, *first = &acts[from];
    size_t i = from, begun = from;
    *f = (struct impact_file){.customer = own->names.at + first->customer, .kase = own->names.at + first->kase,
                              .name = own->names.at + first->name, .object = own->names.at + first->object,
                              .app = own->names.at + first->app, .confidence = 100};
    for (; i < own->n && is_fetch(&acts[i]) && is_same_file(own->names.at, first, &acts[i]); i++) {
        static const uint8_t none[16];
        bool is_same = memcmp(acts[begun].transfer, acts[i].transfer, 16) == 0 && memcmp(acts[i].transfer, none, 16) != 0;
        if (!is_same && i > begun) {
            add_transfer(f, acts, begun, i);
            begun = i;
        }
        add_act(f, &acts[i]);
    }
    add_transfer(f, acts, begun, i);
    return i;
}

static void sum_cases(struct impact *out, const struct owned *own, size_t from)
{
    for (size_t i = from; i < own->n; i++) {
        const struct act *a = &own->acts[i];
        const char *customer = own->names.at + a->customer, *kase = own->names.at + a->kase;
        struct impact_case *last = out->n_cases ? &out->cases[out->n_cases - 1] : NULL;
        if (!last || strcmp(last->customer, customer) != 0 || strcmp(last->kase, kase) != 0) {
            last = &out->cases[out->n_cases++];
            *last = (struct impact_case){.customer = customer, .kase = kase, .app = own->names.at + a->app, .first_ns = a->time_ns};
        }
        last->first_ns = a->time_ns < last->first_ns ? a->time_ns : last->first_ns;
        last->last_ns = a->time_ns > last->last_ns ? a->time_ns : last->last_ns;
        if (is_refused(a))
            last->refused++;
        else if (a->action == ACTION_VIEW_CASE)
            last->viewed++;
        else if (a->action == ACTION_LIST_FILES)
            last->listed++;
        else
            last->other++;
    }
}

static int by_case(const struct impact_file *f, const struct impact_case *c)
{
    int d = strcmp(f->customer, c->customer);
    return d ? d : strcmp(f->kase, c->kase);
}

/* Both are in the same order. */
static void count_left(struct impact *out)
{
    size_t k = 0;
    for (size_t i = 0; i < out->n_cases; i++) {
        while (k < out->n_files && by_case(&out->files[k], &out->cases[i]) < 0)
            k++;
        for (; k < out->n_files && by_case(&out->files[k], &out->cases[i]) == 0; k++)
            out->cases[i].files_left += out->files[k].is_left;
    }
}

/* Fetches in front; what is neither about a case nor a file is of no customer. */
static size_t part(struct owned *own)
{
    size_t n_fetches = 0, n = 0;
    for (size_t i = 0; i < own->n; i++)
        if (is_fetch(&own->acts[i]) || own->acts[i].kase || own->acts[i].customer)
            own->acts[n++] = own->acts[i];
    own->n = n;
    for (size_t i = 0; i < own->n; i++)
        if (is_fetch(&own->acts[i])) {
            struct act swapped = own->acts[n_fetches];
            own->acts[n_fetches++] = own->acts[i];
            own->acts[i] = swapped;
        }
    return n_fetches;
}

int impact_sum(struct impact *out, struct owned *own)
{
    size_t n_fetches = part(own);
    if (n_fetches)
        qsort_r(own->acts, n_fetches, sizeof *own->acts, by_file, own->names.at);
    if (own->n > n_fetches)
        qsort_r(own->acts + n_fetches, own->n - n_fetches, sizeof *own->acts, by_file, own->names.at);
    out->files = calloc(n_fetches + 1, sizeof *out->files);
    out->cases = calloc(own->n - n_fetches + 1, sizeof *out->cases);
    if (!out->files || !out->cases)
        return E_NOMEM;
    for (size_t i = 0; i < n_fetches;)
        i = sum_file(&out->files[out->n_files++], own, i);
    sum_cases(out, own, n_fetches);
    count_left(out);
    return E_OK;
}
