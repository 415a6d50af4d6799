/* SPDX-License-Identifier: Apache-2.0
 * First bytes, then text, an archive, or nothing more. */
#include "app/file_content.h"

#include "record/file_class.h"

#include <stdlib.h>

enum state { HEAD, TEXT, GZIP, ZIP, IGNORED };

enum {
    COUNT_FILES, COUNT_HASHED, COUNT_SCANNED, COUNT_BYTES, COUNT_CUT, COUNT_ARCHIVES, COUNT_SECRETS, COUNT_LIVE, COUNTERS,
};

static const struct counter_def counter_defs[COUNTERS] = {
    {"file_seen", "files", "files whose first bytes were looked at"},
    {"file_hashed", "files", "files seen whole whose SHA-256 was told (--sha256)"},
    {"file_scanned", "files", "files whose text was looked through for secrets"},
    {"file_scanned_bytes", "bytes", "of their texts, archives unpacked"},
    {"file_scan_cut", "files", "not looked through to their end: over the budget (--scan-limit), bytes missing, or archives in archives"},
    {"file_archives", "files", "archives whose texts were looked through"},
    {"file_secrets", "secrets", "found in files, distinct in each"},
    {"file_secrets_live", "secrets", "of these, not known to have expired"},
};

struct file_reader {
    uint64_t budget;
    bool has_hash;
    struct coding_pool *codings;
    uint64_t counts[COUNTERS];
};

struct file_reader *file_reader_new(uint64_t budget, bool has_hash, uint32_t max_archives)
{
    struct file_reader *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->budget = budget;
    r->has_hash = has_hash;
    r->codings = coding_pool_new(&(struct coding_limits){.max_gzip = max_archives, .max_brotli = 1});
    if (!r->codings) {
        file_reader_free(r);
        return NULL;
    }
    return r;
}

void file_reader_free(struct file_reader *r)
{
    if (!r)
        return;
    coding_pool_free(r->codings);
    free(r);
}

struct counters file_reader_counters(const struct file_reader *r)
{
    return (struct counters){counter_defs, r->counts, COUNTERS};
}

void file_content_begin(struct file_content *c, struct file_reader *reader, uint64_t now_s)
{
    memset(c, 0, offsetof(struct file_content, head));
    c->reader = reader;
    c->left = reader->budget;
    c->now_s = now_s;
    if (reader->has_hash)
        digest_init(&c->digest);
}

static void scan(struct file_content *c, struct span bytes)
{
    struct span part = span_sub(bytes, 0, c->left < bytes.size ? (size_t)c->left : bytes.size);
    c->left -= part.size;
    c->reader->counts[COUNT_BYTES] += part.size;
    secret_scan_feed(&c->scan, part);
    if (part.size < bytes.size) {
        c->is_cut = true;
        c->state = IGNORED;
    }
}

/* ---- texts in an archive ---- */

static bool is_readable(enum file_type type)
{
    return file_class_is_scanned(type, file_class_of(type, SPAN(""), SPAN("")));
}

static void member_decide(struct file_content *c)
{
    enum file_type type = magic_type(span_of(c->member_head, c->member_size));
    bool is_archive = type == FILE_GZIP || (type >= FILE_ZIP && type <= FILE_TAR && type != FILE_TAR);
    c->is_cut |= is_archive && type != FILE_OOXML && type != FILE_ODF; /* one level, and no further */
    c->member = is_readable(type) || type == FILE_TAR ? TEXT : IGNORED; /* the members of a tar stand in it as they are */
    if (c->member == TEXT)
        scan(c, span_of(c->member_head, c->member_size));
}

/* Unpacked bytes. They count against the budget where they are no text, too, so that no bomb gains by that. */
static void member_data(void *ctx, struct span bytes)
{
    struct file_content *c = ctx;
    if (c->state == IGNORED)
        return;
    if (c->member == HEAD) {
        struct span more = span_sub(bytes, 0, (size_t)(MAGIC_PREFIX - c->member_size));
        memcpy(c->member_head + c->member_size, more.at, more.size);
        c->member_size = (uint16_t)(c->member_size + more.size);
        bytes = span_from(bytes, more.size);
        if (c->member_size == MAGIC_PREFIX)
            member_decide(c);
    }
    if (c->member == TEXT && c->state != IGNORED && bytes.size) {
        scan(c, bytes);
    } else if (c->member == IGNORED && c->state != IGNORED) {
        zip_walk_pass(&c->zip);
        c->left = c->left > bytes.size ? c->left - bytes.size : 0;
        if (c->left == 0) {
            c->is_cut = true;
            c->state = IGNORED;
        }
    }
}

static void member_end(struct file_content *c)
{
    if (c->member == HEAD && c->member_size && c->state != IGNORED)
        member_decide(c);
    secret_scan_break(&c->scan, false);
}

static void member_begin(void *ctx)
{
    struct file_content *c = ctx;
    member_end(c);
    c->member = HEAD;
    c->member_size = 0;
}

static void archive_end(struct file_content *c)
{
    if (!c->gzip && !c->zip.pool)
        return;
    if (c->gzip)
        c->is_cut |= !coding_is_done(c->gzip) && c->state != IGNORED;
    coding_free(c->reader->codings, c->gzip);
    c->gzip = NULL;
    if (c->zip.pool)
        c->is_cut |= zip_walk_end(&c->zip);
    c->zip.pool = NULL;
    member_end(c);
    c->reader->counts[COUNT_ARCHIVES]++;
}

/* ---- the file ---- */

static void feed_state(struct file_content *c, struct span bytes)
{
    if ((c->state == GZIP || c->state == ZIP) && c->size > c->reader->budget) {
        c->is_cut = true;
        c->state = IGNORED;
    } else if (c->state == TEXT) {
        scan(c, bytes);
    } else if (c->state == GZIP) {
        if (coding_feed(c->gzip, bytes, member_data, c)) {
            c->is_cut = true;
            c->state = IGNORED;
        }
    } else if (c->state == ZIP && !zip_walk_feed(&c->zip, bytes)) {
        archive_end(c);
        c->state = IGNORED;
    }
}

static enum state state_of(struct file_content *c)
{
    if (is_readable((enum file_type)c->type) || c->type == FILE_TAR)
        return TEXT;
    if (c->type == FILE_GZIP)
        c->gzip = coding_new(c->reader->codings, CODING_GZIP);
    if (c->type == FILE_ZIP)
        zip_walk_init(&c->zip, c->reader->codings, &(struct zip_hooks){c, member_begin, member_data});
    return c->gzip ? GZIP : c->zip.pool ? ZIP : IGNORED;
}

/* The first bytes are there, or all that will come. */
static void decide(struct file_content *c)
{
    struct span head = span_of(c->head, c->head_size);
    c->type = (uint8_t)magic_type(head);
    c->reader->counts[COUNT_FILES] += head.size > 0;
    c->state = (uint8_t)(c->left && head.size ? state_of(c) : IGNORED);
    c->has_scan = c->state != IGNORED;
    if (c->has_scan)
        secret_scan_init(&c->scan, c->now_s);
    feed_state(c, head);
}

void file_content_feed(struct file_content *c, struct span bytes)
{
    if (c->reader->has_hash)
        digest_feed(&c->digest, bytes);
    c->size += bytes.size;
    if (c->state == HEAD) {
        struct span more = span_sub(bytes, 0, (size_t)(MAGIC_PREFIX - c->head_size));
        if (more.size)
            memcpy(c->head + c->head_size, more.at, more.size);
        c->head_size = (uint16_t)(c->head_size + more.size);
        bytes = span_from(bytes, more.size);
        if (c->head_size == MAGIC_PREFIX)
            decide(c);
    }
    if (c->state != HEAD && c->state != IGNORED && bytes.size)
        feed_state(c, bytes);
}

void file_content_gap(struct file_content *c)
{
    c->has_gap = true;
    if (c->state == HEAD)
        decide(c);
    if (c->state == GZIP || c->state == ZIP)
        c->state = IGNORED; /* what is coded cannot be decoded behind a hole */
    c->is_cut = true;
    if (c->has_scan)
        secret_scan_break(&c->scan, false);
}

bool file_content_is_done(const struct file_content *c)
{
    return c->state == IGNORED && (!c->reader->has_hash || c->has_gap);
}

void file_content_end(struct file_content *c, bool is_whole, struct file_facts *out)
{
    uint64_t *counts = c->reader->counts;
    *out = (struct file_facts){0};
    if (c->state == HEAD)
        decide(c);
    archive_end(c);
    if (c->has_scan)
        secret_scan_end(&c->scan, out);
    out->type = c->type;
    out->is_scanned = c->has_scan;
    out->is_cut = c->has_scan && (out->is_cut || c->is_cut || !is_whole);
    out->has_sha256 = c->reader->has_hash && is_whole && !c->has_gap && c->size;
    if (out->has_sha256)
        digest_end(&c->digest, out->sha256);
    explicit_bzero(c->head, c->head_size);
    explicit_bzero(c->member_head, c->member_size);
    counts[COUNT_HASHED] += out->has_sha256;
    counts[COUNT_SCANNED] += out->is_scanned;
    counts[COUNT_CUT] += out->is_cut;
    counts[COUNT_SECRETS] += file_facts_secrets(out);
    counts[COUNT_LIVE] += file_facts_live(out);
}
