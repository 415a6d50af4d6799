/* SPDX-License-Identifier: Apache-2.0
 * For a person at a terminal: what left, by customer, case and file; then what was only come near to. */
#include "base/times.h"
#include "record/shown.h"
#include "record/transaction.h"
#include "run/impact_show.h"

#include <stdio.h>

#define NAME_BYTES 240

static void bytes(struct text *out, uint64_t n)
{
    if (n < 10000)
        text_addf(out, "%llu B", (unsigned long long)n);
    else if (n < 10000000)
        text_addf(out, "%llu kB", (unsigned long long)(n + 500) / 1000);
    else
        text_addf(out, "%llu MB", (unsigned long long)(n + 500000) / 1000000);
}

static void span_of_time(struct text *out, uint64_t first_ns, uint64_t last_ns)
{
    char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    text_addf(out, "%.19sZ", time_text(first_ns, first));
    if (last_ns / NS_PER_S != first_ns / NS_PER_S)
        text_addf(out, " to %.19sZ", time_text(last_ns, last));
}

static void name_or(struct text *out, const char *name, const char *otherwise)
{
    if (*name)
        shown_add(span_text(name), NAME_BYTES, out);
    else
        text_add_str(out, otherwise);
}

/* How sure it is, where it is not. */
static void doubts(struct text *out, const struct impact_file *f)
{
    if (f->is_least || f->is_begun)
        text_addf(out, ", at least (%s)", f->is_least ? "scattered pieces" : "an end was not told");
    if (f->missing) {
        text_add_str(out, ", of which the sensor missed ");
        bytes(out, f->missing);
    }
    if (f->size_known > SIZE_OBSERVED)
        text_addf(out, ", size %s", size_known_name((enum size_known)f->size_known));
    if (f->confidence < 100)
        text_addf(out, ", confidence %u %%", f->confidence);
}

static void left_file(struct text *out, const struct impact_file *f)
{
    text_add_str(out, "    ");
    name_or(out, f->name, "(no name)");
    text_add_str(out, "  ");
    bytes(out, f->bytes);
    text_addf(out, " %s", impact_state(f));
    if (f->reads > 1)
        text_addf(out, ", read %u times", f->reads);
    text_add_str(out, ", ");
    span_of_time(out, f->first_ns, f->last_ns);
    if (f->secrets)
        text_addf(out, ", SECRETS %u (%u live)%s", f->secrets, f->live, f->is_cut ? " and perhaps more" : "");
    doubts(out, f);
    text_add_char(out, '\n');
}

static void left(struct text *out, const struct impact *i, const struct impact_part *part)
{
    const struct impact_file *last = NULL;
    for (size_t k = part->files; k < part->files_end; k++) {
        const struct impact_file *f = &i->files[k];
        if (!f->is_left)
            continue;
        bool is_new = !last || strcmp(last->customer, f->customer) != 0;
        if (is_new)
            name_or(out, f->customer, "(customer not known)");
        if (is_new)
            text_add_char(out, '\n');
        if (is_new || strcmp(last->kase, f->kase) != 0) {
            text_add_str(out, "  case ");
            name_or(out, f->kase, "(not known)");
            text_add_char(out, '\n');
        }
        left_file(out, f);
        last = f;
    }
}

static void near(struct text *out, const struct impact *i, const struct impact_part *part)
{
    bool is_begun = false;
    for (size_t k = part->cases; k < part->cases_end; k++) {
        const struct impact_case *c = &i->cases[k];
        if (c->files_left)
            continue;
        text_add_str(out, is_begun ? "" : "\nNo file left, but these cases were touched:\n");
        is_begun = true;
        text_add_str(out, "  ");
        name_or(out, c->customer, "(customer not known)");
        text_add_str(out, "  case ");
        name_or(out, c->kase, "(not known)");
        text_addf(out, "  viewed %u, files listed %u, refused %u, other %u, ", c->viewed, c->listed, c->refused, c->other);
        span_of_time(out, c->first_ns, c->last_ns);
        text_add_char(out, '\n');
    }
}

static void refused(struct text *out, const struct impact *i, const struct impact_part *part)
{
    bool is_begun = false;
    for (size_t k = part->files; k < part->files_end; k++) {
        const struct impact_file *f = &i->files[k];
        if (f->is_left)
            continue;
        text_add_str(out, is_begun ? "" : "\nAsked for, and did not leave:\n");
        is_begun = true;
        text_add_str(out, "  ");
        name_or(out, f->customer, "(customer not known)");
        text_add_str(out, "  ");
        name_or(out, f->name, "(no name)");
        text_addf(out, "  %s, ", impact_state(f));
        span_of_time(out, f->first_ns, f->last_ns);
        text_add_char(out, '\n');
    }
}

static void totals(struct text *out, const struct impact *i, const struct impact_part *part)
{
    uint64_t n = 0, size = 0, n_customers = 0, secrets = 0;
    const char *last = NULL;
    for (size_t k = part->files; k < part->files_end; k++) {
        const struct impact_file *f = &i->files[k];
        if (!f->is_left)
            continue;
        n++;
        size += f->bytes;
        secrets += f->secrets > 0;
        n_customers += !last || strcmp(last, f->customer) != 0;
        last = f->customer;
    }
    text_addf(out, "%llu file%s of %llu customer%s left, ", (unsigned long long)n, n == 1 ? "" : "s", (unsigned long long)n_customers,
              n_customers == 1 ? "" : "s");
    bytes(out, size);
    if (secrets)
        text_addf(out, "; %llu with secrets in them", (unsigned long long)secrets);
    text_add_str(out, "\n\n");
}

/* What there is more, or may be. */
static void gaps(struct text *out, const struct impact *i)
{
    if (i->bad_lines) {
        text_addf(out, "\nnot read: %llu lines that are no activities, first ", (unsigned long long)i->bad_lines);
        shown_add(span_text(i->first_bad), 300, out);
        text_add_char(out, '\n');
    }
    if (i->redacted)
        text_addf(out, "\nnot read: %llu records that were erased\n", (unsigned long long)i->redacted);
    if (i->forgotten)
        text_addf(out, "\nnot counted: %llu activities, more than can be kept: choose a shorter window\n", (unsigned long long)i->forgotten);
}

void impact_text(const struct impact *i, const struct subject *s, const struct impact_part *part, struct text *out)
{
    struct impact_part range = impact_range(i, part);
    text_add_str(out, "Impact of ");
    subject_tell(s, out);
    text_add_char(out, '\n');
    if (!i->activities)
        text_add_str(out, "nothing of it is in the log\n");
    else
        totals(out, i, &range);
    left(out, i, &range);
    near(out, i, &range);
    refused(out, i, &range);
    if (!part)
        gaps(out, i);
}
