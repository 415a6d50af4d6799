/* SPDX-License-Identifier: Apache-2.0
 * One body, the slots asked of it, and the parsers that find them. */
#include "app/extract_parts.h"

#include "base/err.h"

#include <stdlib.h>

#define TOO_LONG span_of(NULL, EXTRACT_VALUE + 1) /* a value of which only the beginning was kept */

static const struct counter_def counter_defs[COUNTERS] = {
    {"extract_bodies", "bodies", "bodies inspected for values a profile asks for"},
    {"extract_no_room", "bodies", "bodies not inspected: too many at the same time"},
    {"extract_form_cut", "bodies", "urlencoded forms larger than 64 KiB, or with bytes missing, read in part"},
    {"extract_values_full", "values", "values left out: those of one transaction were too large together"},
    {"extract_too_long", "values", "left out: longer than 256 bytes (tokens: 8 KiB), or with bytes missing; none is told rather than half a name"},
    {"extract_list_full", "objects", "files or cases of a list left out: the list was too long for one record"},
    {"extract_malformed", "bodies", "JSON, forms in parts and assertions (SAML, id_token) that broke off or were none: read up to there"},
};

struct extractor *extractor_new(uint32_t max)
{
    struct extractor *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->scans = pool_new(sizeof(struct scan), max);
    e->forms = pool_new(sizeof(struct form), max < 1024 ? max : 1024);
    e->tokens = pool_new(sizeof(struct json_long), max < 1024 ? max : 1024);
    if (!e->scans || !e->forms || !e->tokens) {
        extractor_free(e);
        return NULL;
    }
    return e;
}

void extractor_free(struct extractor *e)
{
    if (!e)
        return;
    if (e->scans)
        pool_free(e->scans);
    if (e->forms)
        pool_free(e->forms);
    if (e->tokens)
        pool_free(e->tokens);
    free(e);
}

struct counters extractor_counters(const struct extractor *e)
{
    return (struct counters){counter_defs, e->counts, COUNTERS};
}

int extract_rank(const struct extract *x, unsigned slot)
{
    uint64_t bit = 1ULL << slot, below = bit - 1;
    int rank;
    if (x->request & bit)
        rank = __builtin_popcountll(x->request & below);
    else if (x->response & bit)
        rank = __builtin_popcountll(x->request) + __builtin_popcountll(x->response & below);
    else
        return -1;
    return rank < EXTRACT_SLOTS ? rank : -1;
}

const struct found *extract_found(const struct extract *x, unsigned slot)
{
    int rank = extract_rank(x, slot);
    return rank < 0 ? NULL : &x->found[rank];
}

struct span extract_value(const struct extract *x, unsigned slot)
{
    const struct scan *s = x->scan[1];
    if (s && s->token && s->token_slot == slot)
        return span_of(s->token->bytes, s->token->size);
    const struct found *f = extract_found(x, slot);
    return f && f->is_there && f->size ? span_of(x->bytes + f->at, f->size) : span_of(NULL, 0);
}

struct span extract_list(const struct extract *x)
{
    return x->scan[1] ? span_of(x->scan[1]->list.lines, x->scan[1]->list.size) : span_of(NULL, 0);
}

void extract_keep(struct extractor *e, struct extract *x, unsigned slot, enum decode how, struct span raw, uint64_t number)
{
    int rank = extract_rank(x, slot);
    if (rank < 0 || x->found[rank].is_there)
        return;
    struct found *f = &x->found[rank];
    uint8_t value[EXTRACT_VALUE];
    struct span plain = raw.at ? span_trim(span_of(value, extract_decode(how, raw, value, sizeof value))) : raw;
    f->is_there = true;
    f->number = number;
    f->at = x->used;
    f->size = 0;
    f->is_long = raw.size > EXTRACT_VALUE && (!raw.at || !plain.size);
    e->counts[COUNT_TOO_LONG] += f->is_long;
    plain = f->is_long ? SPAN("") : plain;
    if (plain.size > (size_t)(EXTRACT_BYTES - x->used)) {
        e->counts[COUNT_VALUES_FULL]++;
        return;
    }
    if (plain.size)
        memcpy(x->bytes + x->used, plain.at, plain.size);
    f->size = (uint16_t)plain.size;
    x->used = (uint16_t)(x->used + plain.size);
}

/* --- the parsers' hooks --- */

static void text_found(void *ctx, const struct finder *f, struct span value, uint64_t offset)
{
    struct scan *s = ctx;
    if (f->is_each)
        listing_text(&s->list, f->slot, value);
    else
        extract_keep(s->owner, s->x, f->slot, (enum decode)f->rule->decode, value, offset);
}

static void json_found(void *ctx, size_t which, uint32_t element, const struct json_value *value)
{
    struct scan *s = ctx;
    unsigned slot = s->pointer_slot[which];
    const struct json_value *first = &s->json.scan.values[which];
    int rank = extract_rank(s->x, slot);
    if (value != first && rank >= 0 && !span_eq(json_value_text(value), json_value_text(first)))
        s->x->found[rank].is_twice = true; /* of members with one name most readers take the last, some the first */
    if (s->profile->slots[slot].is_each && !value->is_cut && value->kind != JSON_NULL)
        listing_json(&s->list, slot, element, json_value_text(value));
}

static void part_found(void *ctx, const struct multipart_part *part)
{
    struct scan *s = ctx;
    if (!part->has_filename || !part->filename.size)
        return;
    for (uint64_t left = s->slots; left; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        const struct slot *want = &s->profile->slots[slot];
        if (want->kind != SLOT_UPLOAD)
            continue;
        if (!(want->is_glob ? glob_match(want->name, part->name, true) : span_eq(want->name, part->name)))
            continue;
        extract_keep(s->owner, s->x, slot, DECODE_NONE, part->filename, part->size);
        int rank = extract_rank(s->x, slot);
        if (rank >= 0 && (part->is_unsure || !part->is_complete))
            s->x->found[rank].is_unsure = true;
    }
}

static bool is_column(const struct scan *s, unsigned finder)
{
    return s->column[LIST_CASE] && (s->column[LIST_CUSTOMER] == finder + 1 || s->column[LIST_REQUESTOR] == finder + 1 ||
                                    s->column[LIST_CASE] == finder + 1);
}

/* What stands between one case and the next is of the first: so they are looked for in turn. */
static void cases_feed(struct scan *s, struct span bytes)
{
    struct finder *first = &s->finders[s->column[LIST_CASE] - 1];
    while (bytes.size) {
        size_t used = 0;
        while (used < bytes.size && !s->list.has_next)
            used += finder_step(first, span_from(bytes, used), text_found, s);
        for (unsigned i = LIST_CUSTOMER; i < LIST_COLUMNS; i++)
            if (s->column[i])
                finder_feed(&s->finders[s->column[i] - 1], span_sub(bytes, 0, used), text_found, s);
        bool is_next = listing_turn(&s->list);
        for (unsigned i = LIST_CUSTOMER; is_next && i < LIST_COLUMNS; i++)
            if (s->column[i])
                finder_restart(&s->finders[s->column[i] - 1]);
        bytes = span_from(bytes, used);
    }
}

static void body_feed(struct scan *s, struct span bytes)
{
    if (!s)
        return; /* somebody ended the inspection before the body ended */
    for (uint8_t i = 0; i < s->n_finders; i++)
        if (!is_column(s, i))
            finder_feed(&s->finders[i], bytes, text_found, s);
    if (s->column[LIST_CASE])
        cases_feed(s, bytes);
    if (s->kind == BODY_JSON) {
        json_scan_feed(&s->json.scan, bytes);
    } else if (s->kind == BODY_MULTIPART) {
        multipart_feed(&s->multipart, bytes);
    } else if (s->kind == BODY_RANGES) {
        byteranges_feed(&s->ranges, bytes);
    } else if (s->kind == BODY_FORM) {
        size_t room = EXTRACT_FORM - s->form->size;
        size_t more = bytes.size < room ? bytes.size : room;
        memcpy(s->form->raw + s->form->size, bytes.at, more);
        s->form->size += (uint32_t)more;
        s->form->is_cut |= more < bytes.size;
    }
}

static void body_gap(struct scan *s, uint64_t bytes)
{
    if (!s)
        return;
    for (uint8_t i = 0; i < s->n_finders; i++)
        finder_gap(&s->finders[i], bytes);
    listing_gap(&s->list);
    if (s->kind == BODY_JSON)
        json_scan_gap(&s->json.scan, bytes);
    else if (s->kind == BODY_MULTIPART)
        multipart_gap(&s->multipart, bytes);
    else if (s->kind == BODY_RANGES)
        byteranges_gap(&s->ranges, bytes);
    else if (s->kind == BODY_FORM)
        s->form->is_cut = true; /* what follows would be glued to the wrong field */
}

static void request_feed(void *ctx, struct span bytes)
{
    body_feed(((struct extract *)ctx)->scan[0], bytes);
}

static void request_gap(void *ctx, uint64_t bytes)
{
    body_gap(((struct extract *)ctx)->scan[0], bytes);
}

static void response_feed(void *ctx, struct span bytes)
{
    body_feed(((struct extract *)ctx)->scan[1], bytes);
}

static void response_gap(void *ctx, uint64_t bytes)
{
    body_gap(((struct extract *)ctx)->scan[1], bytes);
}

/* --- beginning and ending --- */

static struct scan *scan_take(struct extractor *e, struct extract *x, const struct profile *profile, uint64_t slots)
{
    struct scan *s = pool_take(e->scans);
    if (!s) {
        e->counts[COUNT_NO_ROOM]++;
        return NULL;
    }
    e->counts[COUNT_BODIES]++;
    s->owner = e;
    s->x = x;
    s->profile = profile;
    s->slots = slots;
    s->kind = BODY_PLAIN;
    s->n_finders = s->n_pointers = 0;
    s->form = NULL;
    s->token = NULL;
    memset(s->column, 0, sizeof s->column);
    listing_init(&s->list, NULL);
    return s;
}

static void scan_give(struct extractor *e, struct scan *s)
{
    e->counts[COUNT_LIST_FULL] += s->list.lost;
    if (s->form) {
        memset(s->form->raw, 0, s->form->size); /* it may hold a password */
        pool_give(e->forms, s->form);
    }
    if (s->token) {
        memset(s->token->bytes, 0, sizeof s->token->bytes);
        pool_give(e->tokens, s->token);
    }
    pool_give(e->scans, s);
}

static void token_begin(struct scan *s)
{
    s->token = s->token ? s->token : pool_take(s->owner->tokens);
    s->token_slot = UINT8_MAX;
    s->owner->counts[COUNT_NO_ROOM] += !s->token;
}

static void json_begin(struct scan *s)
{
    for (uint64_t left = s->slots; left && s->n_pointers < JSON_SCAN_POINTERS; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        const struct slot *want = &s->profile->slots[slot];
        if (want->kind != SLOT_JSON && want->kind != SLOT_REQUEST_JSON)
            continue;
        s->pointer_slot[s->n_pointers] = (uint8_t)slot;
        s->json.pointers[s->n_pointers++] = want->pointer;
        if (want->pointer.want == JSON_SCAN_LONG)
            token_begin(s);
    }
    if (!s->n_pointers)
        return;
    s->kind = BODY_JSON;
    json_scan_init(&s->json.scan, s->json.pointers, s->n_pointers, json_found, s);
    s->json.scan.room = s->token;
}

static void multipart_begin(struct scan *s, const struct content_type *type)
{
    struct multipart_want wants[MULTIPART_WANT_MAX];
    struct multipart_hooks hooks = {.ctx = s, .on_part = part_found};
    size_t n = 0;
    for (uint64_t left = s->slots; left && n < MULTIPART_WANT_MAX; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        const struct slot *want = &s->profile->slots[slot];
        if (want->kind != SLOT_FORM || want->is_glob)
            continue;
        s->want_slot[n] = (uint8_t)slot;
        wants[n++] = (struct multipart_want){want->name, want->is_secret};
    }
    if (multipart_init(&s->multipart, type->boundary, wants, n, &hooks) == E_OK)
        s->kind = BODY_MULTIPART;
}

static void form_begin(struct scan *s)
{
    s->form = pool_take(s->owner->forms);
    if (!s->form) {
        s->owner->counts[COUNT_NO_ROOM]++;
        return;
    }
    s->kind = BODY_FORM;
    s->form->size = 0;
    s->form->is_cut = false;
}

static bool is_json(struct span media)
{
    return span_eq(media, SPAN("application/json")) || span_eq(media, SPAN("text/json")) ||
           (media.size > 5 && span_eq(span_from(media, media.size - 5), SPAN("+json")));
}

uint64_t extract_slots(const struct profile *profile, uint64_t slots, unsigned kinds)
{
    uint64_t out = 0;
    for (uint64_t left = slots; left; left &= left - 1)
        if (kinds >> profile->slots[__builtin_ctzll(left)].kind & 1)
            out |= left & -left;
    return out;
}

_Static_assert(BYTERANGES_LIST <= LISTING_BYTES, "its lines are kept as the list");

void extract_request(struct extractor *e, struct extract *x, const struct profile *profile, uint64_t slots,
                     struct span type, struct body_tap *tap)
{
    struct content_type t;
    if (!slots || !content_type_parse(type, &t))
        return;
    struct span media = content_type_media(&t);
    bool is_form = span_eq(media, SPAN("application/x-www-form-urlencoded"));
    bool is_multipart = span_eq(media, SPAN("multipart/form-data"));
    unsigned kinds = is_form        ? KIND(SLOT_FORM) | KIND(SLOT_SAML) | KIND(SLOT_ID_TOKEN)
                     : is_multipart ? KIND(SLOT_FORM) | KIND(SLOT_UPLOAD)
                     : is_json(media) ? KIND(SLOT_REQUEST_JSON)
                                      : 0;
    uint64_t mine = extract_slots(profile, slots, kinds);
    struct scan *s = mine ? scan_take(e, x, profile, mine) : NULL;
    if (!s)
        return;
    x->request = mine;
    if (is_form)
        form_begin(s);
    else if (is_multipart)
        multipart_begin(s, &t);
    else
        json_begin(s);
    if (s->kind == BODY_PLAIN) {
        scan_give(e, s);
        return;
    }
    x->scan[0] = s;
    *tap = (struct body_tap){request_feed, request_gap, x, is_form ? EXTRACT_FORM + 1 : 0, true, NULL};
}

/* As nearly all pages declare themselves: nothing in it says more. */
static bool is_plain_html(struct span type)
{
    struct span html = SPAN("text/html");
    return span_starts(type, html) && (type.size == html.size || type.at[html.size] == ';');
}

void extract_response(struct extractor *e, struct extract *x, const struct profile *profile,
                      const struct route *route, uint64_t slots, struct span type, struct body_tap *tap)
{
    struct content_type t;
    t.media_size = 0;
    if (!is_plain_html(type))
        content_type_parse(type, &t);
    bool has_json = is_json(content_type_media(&t));
    bool has_ranges = span_eq(content_type_media(&t), SPAN("multipart/byteranges"));
    uint64_t mine = extract_slots(profile, slots, KIND(SLOT_TEXT) | (has_json ? KIND(SLOT_JSON) : 0u));
    struct scan *s = mine || has_ranges ? scan_take(e, x, profile, mine) : NULL;
    if (!s)
        return;
    listing_init(&s->list, route);
    x->response = mine & ~x->request;
    uint64_t limit = 1;
    for (uint64_t left = mine; left && s->n_finders < FINDERS; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        const struct slot *want = &profile->slots[slot];
        if (want->kind != SLOT_TEXT)
            continue;
        finder_init(&s->finders[s->n_finders++], &want->text, (uint8_t)slot, want->is_each);
        for (unsigned i = 0; route && want->is_each && i < LIST_COLUMNS; i++)
            if (route->cases[i].n && route->cases[i].list[0].slot == (int8_t)slot)
                s->column[i] = s->n_finders;
        limit = !want->text.within || !limit ? 0 : want->text.within > limit ? want->text.within : limit;
    }
    if (has_json)
        json_begin(s);
    if (has_ranges && byteranges_init(&s->ranges, t.boundary) == E_OK)
        s->kind = BODY_RANGES;
    x->scan[1] = s;
    *tap = (struct body_tap){response_feed, response_gap, x, s->kind == BODY_PLAIN ? limit : 0, !has_ranges, NULL};
}

/* A token is there whole, or not at all: half of it would hash to another one. */
static void token_end(struct scan *s, unsigned slot, const struct json_value *v)
{
    if (!s->token || !v->is_done || !v->size)
        return;
    s->owner->counts[COUNT_TOO_LONG] += v->is_cut;
    if (!v->is_cut)
        s->token_slot = (uint8_t)slot;
}

static void json_end(struct scan *s)
{
    s->owner->counts[COUNT_MALFORMED] += json_scan_broke_off(&s->json.scan);
    for (uint8_t i = 0; i < s->n_pointers; i++) {
        const struct json_value *v = &s->json.scan.values[i];
        unsigned slot = s->pointer_slot[i];
        const struct slot *want = &s->profile->slots[slot];
        int rank = extract_rank(s->x, slot);
        bool is_text = want->pointer.want == JSON_SCAN_TEXT;
        if (want->pointer.want == JSON_SCAN_LONG)
            token_end(s, slot, v);
        if (want->is_each || rank < 0 || v->kind == JSON_NONE || v->kind == JSON_NULL || (is_text && !v->is_done))
            continue;
        extract_keep(s->owner, s->x, slot, DECODE_NONE, !is_text ? SPAN("") : v->is_cut ? TOO_LONG : json_value_text(v), v->size);
        s->x->found[rank].is_unsure = v->is_unsure || !v->is_done;
    }
    listing_end(&s->list);
}

static void multipart_finish(struct scan *s)
{
    multipart_end(&s->multipart);
    s->owner->counts[COUNT_MALFORMED] += !multipart_is_done(&s->multipart);
    for (uint8_t i = 0; i < s->multipart.n_want; i++) {
        const struct multipart_value *v = &s->multipart.values[i];
        if (v->is_there)
            extract_keep(s->owner, s->x, s->want_slot[i], DECODE_NONE, v->is_cut ? TOO_LONG : span_of(v->bytes, v->kept), v->size);
    }
}

void extract_request_end(struct extractor *e, struct extract *x)
{
    struct scan *s = x->scan[0];
    if (!s)
        return;
    if (s->kind == BODY_FORM)
        extract_form_end(s);
    else if (s->kind == BODY_MULTIPART)
        multipart_finish(s);
    else if (s->kind == BODY_JSON)
        json_end(s);
    x->scan[0] = NULL;
    scan_give(e, s);
}

void extract_response_end(struct extract *x)
{
    struct scan *s = x->scan[1];
    if (!s)
        return;
    if (s->kind == BODY_JSON) {
        json_end(s);
    } else if (s->kind == BODY_RANGES) {
        struct span lines = byteranges_end(&s->ranges);
        s->list.size = (uint16_t)lines.size;
        memcpy(s->list.lines, lines.at, lines.size);
    } else {
        listing_end(&s->list);
    }
    s->kind = BODY_PLAIN; /* once */
}

void extract_fini(struct extractor *e, struct extract *x)
{
    for (int i = 0; i < 2; i++) {
        if (x->scan[i])
            scan_give(e, x->scan[i]);
        x->scan[i] = NULL;
    }
    memset(x->bytes, 0, x->used);
    x->used = 0;
}
