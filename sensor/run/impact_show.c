/* SPDX-License-Identifier: Apache-2.0
 * JSON, CSV (RFC 4180), and packages. */
#include "run/impact_show.h"

#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "base/times.h"
#include "record/shown.h"
#include "record/transaction.h"
#include "run/out_dir.h"
#include "sink/sink.h"

const char *impact_state(const struct impact_file *f)
{
    if (!f->is_left)
        return f->refused ? "refused" : f->unmodified ? "unmodified" : "nothing came";
    return f->reads == f->previews ? "preview" : f->is_complete ? "complete" : "partial";
}

struct impact_part impact_range(const struct impact *i, const struct impact_part *part)
{
    return part ? *part : (struct impact_part){.files_end = i->n_files, .cases_end = i->n_cases};
}

static void json_seen(struct json *j, uint64_t first_ns, uint64_t last_ns)
{
    json_time(j, "first", first_ns);
    json_time(j, "last", last_ns);
}

static void json_sure(struct json *j, const struct impact_file *f)
{
    json_open(j, "visibility", '{');
    json_u64(j, "confidence", f->confidence);
    json_u64(j, "missing_bytes", f->missing);
    if (f->size_known)
        json_str(j, "size_known", size_known_name((enum size_known)f->size_known));
    if (f->is_least || f->is_begun)
        json_bool(j, "at_least", true);
    json_close(j, '}');
}

static void json_file(struct json *j, const struct impact_file *f)
{
    json_open(j, NULL, '{');
    json_str(j, "name", f->name);
    if (*f->object)
        json_str(j, "object", f->object);
    json_bool(j, "left", f->is_left);
    json_str(j, "state", impact_state(f));
    json_seen(j, f->first_ns, f->last_ns);
    json_u64(j, "reads", f->reads);
    json_u64(j, "previews", f->previews);
    json_u64(j, "refused", f->refused);
    json_u64(j, "bytes", f->is_left ? f->bytes : 0);
    json_u64(j, "transferred_bytes", f->transferred);
    if (f->file_class)
        json_str(j, "class", file_class_name((enum file_class)f->file_class));
    if (f->has_sha256)
        json_hex(j, "sha256", span_of(f->sha256, sizeof f->sha256));
    if (f->is_scanned) {
        json_open(j, "secrets", '{');
        json_u64(j, "total", f->secrets);
        json_u64(j, "live", f->live);
        if (f->is_cut)
            json_bool(j, "cut", true);
        json_close(j, '}');
    }
    if (f->is_left)
        json_sure(j, f);
    json_close(j, '}');
}

static void json_case(struct json *j, const struct impact_case *c)
{
    json_open(j, NULL, '{');
    json_str(j, "id", c->kase);
    json_seen(j, c->first_ns, c->last_ns);
    json_u64(j, "viewed", c->viewed);
    json_u64(j, "files_listed", c->listed);
    json_u64(j, "other", c->other);
    json_u64(j, "refused", c->refused);
    json_u64(j, "files_left", c->files_left);
    json_close(j, '}');
}

/* Files by case. */
static void json_files(struct json *j, const struct impact *i, const struct impact_part *part)
{
    json_open(j, "files", '[');
    for (size_t k = part->files, end; k < part->files_end; k = end) {
        json_open(j, NULL, '{');
        json_str(j, "case", i->files[k].kase);
        json_open(j, "files", '[');
        for (end = k; end < part->files_end && strcmp(i->files[end].kase, i->files[k].kase) == 0; end++)
            json_file(j, &i->files[end]);
        json_close(j, ']');
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_customer(struct json *j, const struct impact *i, const struct impact_part *part)
{
    uint64_t n_left = 0, bytes = 0;
    for (size_t k = part->files; k < part->files_end; k++) {
        n_left += i->files[k].is_left;
        bytes += i->files[k].is_left ? i->files[k].bytes : 0;
    }
    json_open(j, NULL, '{');
    json_str(j, "name", part->customer);
    json_u64(j, "files_left", n_left);
    json_u64(j, "bytes", bytes);
    json_files(j, i, part);
    json_open(j, "cases", '[');
    for (size_t k = part->cases; k < part->cases_end; k++)
        json_case(j, &i->cases[k]);
    json_close(j, ']');
    json_close(j, '}');
}

void impact_json(const struct impact *i, const struct subject *s, const struct impact_part *part, struct text *out)
{
    struct json j = json_on(out);
    struct impact_part each = {0};
    json_open(&j, NULL, '{');
    json_str(&j, "kind", "casetap.impact");
    json_u64(&j, "schema", 1);
    subject_json(s, &j);
    if (!part) {
        json_u64(&j, "activities", i->activities);
        json_u64(&j, "bad_lines", i->bad_lines);
        json_u64(&j, "erased_records", i->redacted);
        json_u64(&j, "forgotten", i->forgotten);
    }
    json_open(&j, "customers", '[');
    if (part)
        json_customer(&j, i, part);
    while (!part && impact_next(i, &each))
        json_customer(&j, i, &each);
    json_close(&j, ']');
    json_close(&j, '}');
    text_add_char(out, '\n');
}

/* Quoted; what a spreadsheet takes for a formula gets an apostrophe, what a terminal obeys is spelt out. */
static void csv_text(struct text *out, const char *value)
{
    char shown[SHOWN_MAX];
    text_add_char(out, '"');
    if (*value && strchr("=+-@\t\r\n|%", *value))
        text_add_char(out, '\'');
    for (struct span s = span_text(value); s.size;) {
        (void)shown_next(&s, shown); /* columns do not matter here */
        text_add_str(out, shown[0] == '"' ? "\"\"" : shown);
    }
    text_add_char(out, '"');
}

static void csv_head(struct text *out, const char *kind, const char *customer, const char *kase)
{
    text_addf(out, "%s,", kind);
    csv_text(out, customer);
    text_add_char(out, ',');
    csv_text(out, kase);
    text_add_char(out, ',');
}

void impact_csv(const struct impact *i, const struct impact_part *part, struct text *out)
{
    struct impact_part range = impact_range(i, part);
    char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    text_add_str(out, "kind,customer,case,file,object,state,first,last,times,bytes,transferred_bytes,secrets,live_secrets,confidence,"
                      "missing_bytes,size_known\r\n");
    for (size_t k = range.files; k < range.files_end; k++) {
        const struct impact_file *f = &i->files[k];
        csv_head(out, f->is_left ? "left" : "not left", f->customer, f->kase);
        csv_text(out, f->name);
        text_add_char(out, ',');
        csv_text(out, f->object);
        text_addf(out, ",%s,%s,%s,%u,%llu,%llu,", impact_state(f), time_text(f->first_ns, first), time_text(f->last_ns, last),
                  f->reads, (unsigned long long)(f->is_left ? f->bytes : 0), (unsigned long long)f->transferred);
        if (f->is_scanned)
            text_addf(out, "%u,%u", f->secrets, f->live);
        else
            text_add_char(out, ',');
        text_addf(out, ",%u,%llu,%s\r\n", f->confidence, (unsigned long long)f->missing,
                  f->size_known ? size_known_name((enum size_known)f->size_known) : "");
    }
    for (size_t k = range.cases; k < range.cases_end; k++) {
        const struct impact_case *c = &i->cases[k];
        csv_head(out, "case", c->customer, c->kase);
        text_addf(out, ",,%s,%s,%s,%u,,,,,,,\r\n", c->viewed ? "viewed" : c->listed ? "listed" : c->refused ? "refused" : "touched",
                  time_text(c->first_ns, first), time_text(c->last_ns, last), c->viewed + c->listed + c->other + c->refused);
    }
}

void impact_show(const struct impact *i, const struct subject *s, enum impact_form form, const struct impact_part *part, struct text *out)
{
    if (form == IMPACT_JSON)
        impact_json(i, s, part, out);
    else if (form == IMPACT_CSV)
        impact_csv(i, part, out);
    else
        impact_text(i, s, part, out);
}

/* A name of its own: what of the customer's is plain letters, behind a number. */
static void package_path(const char *dir, size_t number, const char *customer, enum impact_form form, struct text *out)
{
    static const char *const ends[] = {"txt", "csv", "json"};
    text_clear(out);
    text_addf(out, "%s/%03zu-", dir, number);
    size_t n = 0;
    for (const char *c = *customer ? customer : "unknown"; *c && n < 60; c++, n++) {
        bool is_plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        text_add_char(out, is_plain ? *c : '_');
    }
    text_addf(out, ".%s", ends[form]);
}

int impact_packages(const struct impact *i, const struct subject *s, enum impact_form form, const char *dir, size_t *n, struct text *why)
{
    struct text path = {0}, body = {.max = (size_t)1 << 30};
    struct impact_part part = {0};
    int rc = out_dir_make(dir, why);
    *n = 0;
    while (rc == E_OK && impact_next(i, &part)) {
        struct line_file *file;
        text_clear(&body);
        impact_show(i, s, form, &part, &body);
        package_path(dir, ++*n, part.customer, form, &path);
        rc = line_file_open(&file, text_str(&path), true, why);
        if (rc == E_OK) {
            (void)line_file_write(file, text_span(&body)); /* sticky: told at close */
            rc = line_file_close(file, true, why);
        }
    }
    text_fini(&path);
    text_fini(&body);
    return rc;
}
