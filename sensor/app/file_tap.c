/* SPDX-License-Identifier: Apache-2.0
 * Bodies to contents. */
#include "app/file_tap.h"

#include "base/pool.h"
#include "record/file_class.h"
#include "wire/multipart.h"

#include <stdlib.h>

#define MAX_ARCHIVES 256u

enum form { FORM_BODY, FORM_FRAME, FORM_BASE64, FORM_PARTS };

enum { COUNT_BODIES, COUNT_NO_ROOM, COUNTERS };

static const struct counter_def counter_defs[COUNTERS] = {
    {"file_bodies", "bodies", "bodies in which a file was looked at"},
    {"file_no_room", "bodies", "files not looked at: too many at the same time"},
};

struct file_taps {
    struct file_reader *reader;
    struct pool *pool;
    uint64_t counts[COUNTERS];
};

struct file_tap {
    struct file_reader *reader;
    struct body_tap inner;     /* who wants the body besides; feed NULL: nobody */
    uint64_t passed, now_s;    /* bytes it got; packet time */
    const struct extract *x;   /* FORM_FRAME: what tells where the file begins */
    int8_t slot;
    uint8_t form;
    bool is_begun, is_over;    /* a content is being read; the file is over */
    bool is_coded, is_piece;   /* the body has a content coding; is not all of the file */
    bool has_file, in_part;    /* parts: the first file's facts are there; a file part is being read */
    char media[96];            /* parts: declared type of the first file */
    struct file_facts facts;
    struct file_content content;
    uint16_t frame_size;       /* FORM_FRAME: bytes before it is known where the file begins */
    uint8_t frame[512];
    uint32_t bits;             /* base64 in progress */
    uint8_t n_bits;
    struct json_pointer pointer;
    union {
        struct json_scan json;
        struct multipart parts;
    };
};

struct file_taps *file_taps_new(const struct file_tap_options *options)
{
    struct file_taps *taps = calloc(1, sizeof *taps);
    if (!taps)
        return NULL;
    taps->reader = file_reader_new(options->budget, options->has_hash, options->max < MAX_ARCHIVES ? options->max : MAX_ARCHIVES);
    taps->pool = pool_new(sizeof(struct file_tap), options->max);
    if (!taps->reader || !taps->pool) {
        file_taps_free(taps);
        return NULL;
    }
    return taps;
}

void file_taps_free(struct file_taps *taps)
{
    if (!taps)
        return;
    file_reader_free(taps->reader);
    if (taps->pool)
        pool_free(taps->pool);
    free(taps);
}

struct counters file_taps_counters(const struct file_taps *taps)
{
    return (struct counters){counter_defs, taps->counts, COUNTERS};
}

struct counters file_taps_reader_counters(const struct file_taps *taps)
{
    return file_reader_counters(taps->reader);
}

/* ---- one content ---- */

static void content_begin(struct file_tap *f)
{
    file_content_begin(&f->content, f->reader, f->now_s);
    f->is_begun = true;
}

/* The facts of several files in one form: the first one's, and the secrets of all. */
static void add_facts(struct file_facts *all, const struct file_facts *one)
{
    all->is_scanned |= one->is_scanned;
    all->is_cut |= one->is_cut;
    all->expired = (uint16_t)(all->expired + one->expired);
    for (int i = 0; i < SECRET_KINDS; i++)
        all->secrets[i] = (uint16_t)(all->secrets[i] + one->secrets[i]);
}

static void content_end(struct file_tap *f, bool is_whole)
{
    struct file_facts facts;
    if (!f->is_begun)
        return;
    f->is_begun = false;
    file_content_end(&f->content, is_whole, &facts);
    if (f->has_file)
        add_facts(&f->facts, &facts);
    else
        f->facts = facts;
    f->has_file = true;
}

/* ---- base64 in JSON ---- */

static int symbol(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Both alphabets; what is no symbol is white space or padding (the size is judged elsewhere). */
static void base64_text(void *ctx, struct span text)
{
    struct file_tap *f = ctx;
    uint8_t out[768];
    size_t n = 0;
    for (size_t i = 0; i < text.size && f->is_begun; i++) {
        int s = symbol(text.at[i]);
        if (s < 0)
            continue;
        f->bits = f->bits << 6 | (uint32_t)s;
        f->n_bits = (uint8_t)(f->n_bits + 6);
        if (f->n_bits >= 8) {
            f->n_bits = (uint8_t)(f->n_bits - 8);
            out[n++] = (uint8_t)(f->bits >> f->n_bits);
        }
        if (n == sizeof out) {
            file_content_feed(&f->content, span_of(out, n));
            n = 0;
        }
    }
    if (n)
        file_content_feed(&f->content, span_of(out, n));
}

static void base64_begin(struct file_tap *f, const struct slot *slot)
{
    f->form = FORM_BASE64;
    f->pointer = slot->pointer;
    f->bits = f->n_bits = 0;
    content_begin(f);
    json_scan_init(&f->json, &f->pointer, 1, NULL, f);
    f->json.on_base64 = base64_text;
}

/* ---- behind a first line ---- */

static void frame_feed(struct file_tap *f, struct span bytes)
{
    const struct found *found = extract_found(f->x, (unsigned)f->slot);
    struct span more = span_sub(bytes, 0, sizeof f->frame - f->frame_size);
    memcpy(f->frame + f->frame_size, more.at, more.size);
    f->frame_size = (uint16_t)(f->frame_size + more.size);
    if (found && found->is_there && found->number <= f->frame_size) {
        content_begin(f);
        file_content_feed(&f->content, span_from(span_of(f->frame, f->frame_size), (size_t)found->number));
        file_content_feed(&f->content, span_from(bytes, more.size));
    } else if (f->frame_size == sizeof f->frame) {
        f->is_over = true; /* it is none of these */
    }
}

/* ---- parts of a form ---- */

static void part_begin(void *ctx, const struct multipart_part *part)
{
    struct file_tap *f = ctx;
    f->in_part = part->has_filename && part->filename.size;
    if (!f->in_part)
        return;
    if (!f->has_file)
        memcpy(f->media, part->type.media, sizeof f->media);
    content_begin(f);
}

static void part_data(void *ctx, struct span bytes)
{
    struct file_tap *f = ctx;
    if (f->in_part)
        file_content_feed(&f->content, bytes);
}

static void part_end(void *ctx, const struct multipart_part *part)
{
    struct file_tap *f = ctx;
    if (f->in_part)
        content_end(f, part->is_complete && !part->is_unsure);
    f->in_part = false;
}

/* ---- the body ---- */

static void body_feed(void *ctx, struct span bytes)
{
    struct file_tap *f = ctx;
    if (f->inner.feed && (!f->inner.limit || f->passed < f->inner.limit)) {
        uint64_t room = f->inner.limit ? f->inner.limit - f->passed : bytes.size;
        f->inner.feed(f->inner.ctx, span_sub(bytes, 0, room < bytes.size ? (size_t)room : bytes.size));
    }
    f->passed += bytes.size;
    if (f->is_over)
        return;
    switch ((enum form)f->form) {
    case FORM_BASE64: json_scan_feed(&f->json, bytes); break;
    case FORM_PARTS: multipart_feed(&f->parts, bytes); break;
    case FORM_FRAME:
        if (!f->is_begun) {
            frame_feed(f, bytes);
            break;
        }
        file_content_feed(&f->content, bytes);
        break;
    case FORM_BODY: file_content_feed(&f->content, bytes); break;
    }
}

static void body_gap(void *ctx, uint64_t bytes)
{
    struct file_tap *f = ctx;
    if (f->inner.feed && f->inner.gap && (!f->inner.limit || f->passed < f->inner.limit))
        f->inner.gap(f->inner.ctx, bytes);
    f->passed += bytes;
    if (f->is_over)
        return;
    if (f->form == FORM_BASE64)
        json_scan_gap(&f->json, bytes);
    else if (f->form == FORM_PARTS)
        multipart_gap(&f->parts, bytes);
    if (f->is_begun)
        file_content_gap(&f->content);
    f->is_over |= f->form == FORM_FRAME && !f->is_begun;
}

static bool body_is_done(void *ctx)
{
    struct file_tap *f = ctx;
    bool is_inner_done = !f->inner.feed || (f->inner.limit && f->passed >= f->inner.limit) ||
                         (f->inner.is_done && f->inner.is_done(f->inner.ctx));
    bool is_done = f->is_over || ((f->form == FORM_BODY || f->form == FORM_FRAME) && f->is_begun && file_content_is_done(&f->content));
    return is_inner_done && is_done;
}

static struct file_tap *take(struct file_taps *taps, struct view *v, enum form form)
{
    struct file_tap *f = pool_take(taps->pool);
    if (!f) {
        taps->counts[COUNT_NO_ROOM]++;
        return NULL;
    }
    taps->counts[COUNT_BODIES]++;
    memset(f, 0, offsetof(struct file_tap, content));
    f->frame_size = 0;
    f->reader = taps->reader;
    f->now_s = (v->t->response_ns ? v->t->response_ns : v->t->request_ns) / 1000000000u;
    f->form = (uint8_t)form;
    f->x = v->x;
    return f;
}

/* Listens beside whoever stands in *tap. */
static struct file_tap *listen(struct file_tap *f, struct body_tap *tap)
{
    f->inner = *tap;
    *tap = (struct body_tap){.feed = body_feed, .gap = body_gap, .ctx = f, .want_decoded = true, .is_done = body_is_done};
    return f;
}

static struct file_tap *parts_request(struct file_taps *taps, struct view *v, struct span boundary, struct body_tap *tap)
{
    struct file_tap *f = take(taps, v, FORM_PARTS);
    if (!f)
        return NULL;
    struct multipart_hooks hooks = {.ctx = f, .on_begin = part_begin, .on_part = part_end, .on_data = part_data};
    if (multipart_init(&f->parts, boundary, NULL, 0, &hooks) == 0)
        return listen(f, tap);
    pool_give(taps->pool, f);
    return NULL;
}

/* Of the routes that may take the request, one whose file is base64 in it, or (is_raw) the body itself. */
static const struct route *uploading(const struct view *v, const struct route_choice *choice, bool is_raw)
{
    for (uint8_t i = 0; i < choice->n; i++) {
        const struct route *r = &v->profile->routes[choice->list[i]];
        bool is_base64 = r->measure == MEASURE_BASE64 && r->measure_slot >= 0 &&
                         slot_is_request(&v->profile->slots[r->measure_slot]);
        bool is_body = r->measure == MEASURE_NONE || r->measure == MEASURE_BODY;
        if (r->action == ACTION_UPLOAD && (is_raw ? is_body : is_base64))
            return r;
    }
    return NULL;
}

static bool is_api_body(struct span media)
{
    return span_starts(media, SPAN("multipart/")) || span_eq(media, SPAN("application/x-www-form-urlencoded")) ||
           span_eq(media, SPAN("application/json"));
}

static bool has_upload_slot(const struct view *v, uint64_t slots)
{
    for (; slots; slots &= slots - 1)
        if (v->profile->slots[__builtin_ctzll(slots)].kind == SLOT_UPLOAD)
            return true;
    return false;
}

struct file_tap *file_tap_request(struct file_taps *taps, struct view *v, const struct route_choice *choice,
                                  struct body_tap *tap)
{
    struct content_type type;
    struct span declared = view_request(v)->content_type;
    if (!choice->n || !declared.size || !content_type_parse(declared, &type))
        return NULL;
    struct span media = content_type_media(&type);
    if (span_eq(media, SPAN("multipart/form-data")))
        return has_upload_slot(v, choice->request_slots) ? parts_request(taps, v, type.boundary, tap) : NULL;
    const struct route *route = uploading(v, choice, false);
    if (!route && (tap->feed || is_api_body(media) || !uploading(v, choice, true)))
        return NULL;
    struct file_tap *f = take(taps, v, FORM_BODY);
    if (!f)
        return NULL;
    memcpy(f->media, type.media, sizeof f->media);
    if (route)
        base64_begin(f, &v->profile->slots[route->measure_slot]);
    else
        content_begin(f);
    return listen(f, tap);
}

/* Whether the answer's body is the file, or its beginning (then *is_piece is set). */
static bool begins_at_zero(struct view *v, bool *is_piece)
{
    struct content_range range;
    *is_piece = v->t->status != 200;
    if (v->t->status != 206 || content_range_parse(view_response(v)->content_range, &range) != 0)
        return v->t->status == 200;
    *is_piece = !range.has_total || range.last + 1 < range.total;
    return range.has_range && range.first == 0;
}

struct file_tap *file_tap_response(struct file_taps *taps, struct view *v, const struct route *route, struct body_tap *tap)
{
    unsigned measure = route ? route->measure : MEASURE_BODY;
    bool is_known = measure == MEASURE_BODY || measure == MEASURE_BASE64 || measure == MEASURE_FRAME;
    bool is_piece;
    if (!is_known || !begins_at_zero(v, &is_piece) || (tap->feed && !tap->want_decoded))
        return NULL;
    if (measure != MEASURE_BODY && (route->measure_slot < 0 || slot_is_request(&v->profile->slots[route->measure_slot])))
        return NULL;
    struct file_tap *f = take(taps, v, measure == MEASURE_FRAME ? FORM_FRAME : FORM_BODY);
    if (!f)
        return NULL;
    struct span coding = view_response(v)->content_encoding;
    f->is_coded = coding.size && !span_eq_nocase(coding, SPAN("identity"));
    f->is_piece = is_piece;
    f->slot = route ? route->measure_slot : -1;
    if (measure == MEASURE_BASE64)
        base64_begin(f, &v->profile->slots[route->measure_slot]);
    else if (measure == MEASURE_BODY)
        content_begin(f);
    return listen(f, tap);
}

void file_tap_end(struct file_tap *f, const struct body_measure *body)
{
    if (!f)
        return;
    if (f->form == FORM_PARTS && !f->is_over)
        multipart_end(&f->parts);
    bool is_whole = body->is_complete && !body->missing && !f->is_piece && (!f->is_coded || body->has_decoded);
    if (f->form == FORM_BASE64)
        is_whole = is_whole && f->json.values[0].is_done && !f->json.values[0].is_unsure;
    content_end(f, is_whole);
    if (f->form == FORM_FRAME)
        f->facts.has_sha256 = false; /* what the application sends behind the file is in it */
    f->is_over = true;
}

void file_tap_free(struct file_taps *taps, struct file_tap *f)
{
    if (!f)
        return;
    static const struct body_measure nothing;
    file_tap_end(f, &nothing);
    memset(f->frame, 0, sizeof f->frame);
    pool_give(taps->pool, f);
}

void file_tap_tell(const struct file_tap *f, struct activity *a)
{
    struct span media = activity_get(a, STR_MIME);
    if (a->action == ACTION_UPLOAD)
        media = f ? span_text(f->media) : SPAN("");
    if (f && f->is_over && f->has_file)
        a->file = f->facts;
    enum file_type type = (enum file_type)a->file.type;
    a->file.file_class = (uint8_t)file_class_of(type, activity_get(a, STR_FILE), media);
    a->file.is_mismatch = magic_disagrees(type, media);
}
