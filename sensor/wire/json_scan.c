/* SPDX-License-Identifier: Apache-2.0
 * A push scanner. Containers on the way to something asked for stand on a stack no deeper than a pointer is long;
 * all others are passed by counting brackets. Which pointers still fit is kept as bits, level by level. */
#include "wire/json_scan.h"

#include "base/bytes64.h"
#include "base/hex.h"
#include "wire/unicode.h"

#define JUNK_MAX 64 /* bytes before the first bracket: a byte order mark, ")]}'," */

enum state {
    AT_START, /* before the first bracket */
    AT_VALUE, /* a value, or the end of an array, comes */
    AT_KEY,   /* a key, or the end of an object, comes */
    AT_COLON,
    AT_COMMA, /* a comma, or the end of the container, comes */
    IN_STRING,
    IN_SCALAR, /* a number or a literal */
    IN_SKIP,   /* a container nobody asked about */
    IN_SKIP_STRING,
    AT_END,
};

/* ---- what fits ---- */

static bool bit(uint8_t mask, size_t i)
{
    return (mask & 1u << i) != 0;
}

static void set_bit(uint8_t *mask, size_t i)
{
    *mask |= (uint8_t)(1u << i);
}

static void clear_bit(uint8_t *mask, size_t i)
{
    *mask &= (uint8_t)~(1u << i);
}

static void note_element(struct json_scan *s, size_t i, size_t step)
{
    if (json_pointer_tells_element(&s->pointers[i], step))
        s->element[i] = s->index[s->depth];
}

/* Which pointers the coming element of the array in progress fits. */
static void fit_element(struct json_scan *s)
{
    s->next_live = 0;
    s->filtering = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!bit(s->live[s->depth], i))
            continue;
        size_t at = (size_t)s->depth - 1;
        const struct json_step *step = &s->pointers[i].steps[at];
        if (step->kind == JSON_STEP_ANY || step->kind == JSON_STEP_FILTER)
            note_element(s, i, at);
        else if (step->kind != JSON_STEP_NUMBER || step->index != s->index[s->depth])
            continue;
        set_bit(&s->next_live, i);
    }
}

/* Which pointers the member called s->text fits, and for which its value decides on the element. */
static void fit_member(struct json_scan *s)
{
    struct span key = span_of(s->text, s->text_cut ? SIZE_MAX : s->text_size);
    s->next_live = 0;
    s->filtering = 0;
    for (size_t i = 0; i < s->n && !s->text_cut; i++) {
        if (!bit(s->live[s->depth], i))
            continue;
        const struct json_pointer *p = &s->pointers[i];
        size_t at = (size_t)s->depth - 1;
        const struct json_step *step = &p->steps[at];
        if (step->kind == JSON_STEP_ANY)
            note_element(s, i, at);
        if (step->kind == JSON_STEP_ANY ||
            (step->kind != JSON_STEP_FILTER && span_eq(key, span_of(step->key, step->key_size))))
            set_bit(&s->next_live, i);
        if (p->filter + 1u == at && span_eq(key, span_of(p->steps[p->filter].key, p->steps[p->filter].key_size)))
            set_bit(&s->filtering, i);
    }
}

/* ---- values ---- */

static bool wants(const struct json_scan *s, enum json_scan_want want)
{
    for (size_t i = 0; i < s->n; i++)
        if (bit(s->taking, i) && s->pointers[i].want == want)
            return true;
    return false;
}

/* Fills a value from what is in progress. */
static void fill_value(const struct json_scan *s, size_t i, enum json_kind kind, struct json_value *v)
{
    bool is_exact = true;
    v->kind = (uint8_t)kind;
    v->is_done = true;
    v->is_unsure = false;
    switch ((enum json_scan_want)s->pointers[i].want) {
    case JSON_SCAN_BASE64:
        v->size = kind == JSON_STRING ? base64_count_size(&s->base64, &is_exact) : 0;
        v->is_unsure = kind == JSON_STRING && (!is_exact || s->string_gap);
        break;
    case JSON_SCAN_SIZE:
        v->size = kind == JSON_OBJECT || kind == JSON_ARRAY ? 0 : s->string_size;
        v->is_unsure = kind == JSON_STRING && s->string_gap;
        break;
    case JSON_SCAN_LONG:
        v->size = s->keep_long ? s->room->size : 0;
        v->is_cut = s->string_gap || (s->keep_long && s->room->is_cut);
        break;
    case JSON_SCAN_TEXT:
        if (kind == JSON_OBJECT || kind == JSON_ARRAY)
            break;
        v->is_cut = s->text_cut || s->string_gap;
        v->text_size = s->text_size;
        memcpy(v->text, s->text, s->text_size);
        break;
    }
}

/* The value in progress has ended. */
static void take_value(struct json_scan *s, enum json_kind kind)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!bit(s->taking, i))
            continue;
        struct json_value *v = &s->values[i];
        bool is_first = v->n == 0 && !bit(s->held, i);
        if (is_first)
            fill_value(s, i, kind, v);
        if (s->pointers[i].filter != UINT8_MAX) { /* counts when its element has ended */
            v->is_done = v->n > 0;
            set_bit(&s->held, i);
            continue;
        }
        v->n++;
        if (!s->fn)
            continue;
        struct json_value *show = v;
        if (!is_first) {
            show = &s->shown;
            *show = (struct json_value){.n = v->n};
            fill_value(s, i, kind, show);
        }
        s->fn(s->ctx, i, s->element[i], show);
    }
    s->taking = 0;
}

/* An object that filters speak of begins: what they know of the last one goes. */
static void filter_begin(struct json_scan *s, size_t step)
{
    for (size_t i = 0; i < s->n; i++)
        if (bit(s->live[s->depth], i) && s->pointers[i].filter == step) {
            clear_bit(&s->matched, i);
            clear_bit(&s->held, i);
        }
}

/* It has ended: what waited for it counts, or is forgotten. */
static void filter_end(struct json_scan *s, size_t step)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!bit(s->live[s->depth], i) || s->pointers[i].filter != step || !bit(s->held, i))
            continue;
        struct json_value *v = &s->values[i];
        clear_bit(&s->held, i);
        if (bit(s->matched, i)) {
            v->is_done = true;
            if (v->n++ == 0 && s->fn)
                s->fn(s->ctx, i, s->element[i], v);
        } else if (v->n == 0) {
            *v = (struct json_value){0};
        }
    }
}

static void filter_test(struct json_scan *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!bit(s->filtering, i))
            continue;
        const struct json_step *step = &s->pointers[i].steps[s->pointers[i].filter];
        if (!s->text_cut && span_eq(span_of(s->text, s->text_size), span_of(step->value, step->value_size)))
            set_bit(&s->matched, i);
    }
    s->filtering = 0;
}

/* ---- containers ---- */

static void value_begin(struct json_scan *s)
{
    size_t level = s->depth; /* steps taken to reach the value */
    s->taking = 0;
    for (size_t i = 0; i < s->n; i++)
        if (bit(s->next_live, i) && s->pointers[i].n == level) {
            set_bit(&s->taking, i);
            clear_bit(&s->next_live, i);
        }
}

static void container_begin(struct json_scan *s, bool is_array)
{
    value_begin(s);
    s->filtering = 0;
    take_value(s, is_array ? JSON_ARRAY : JSON_OBJECT);
    for (size_t i = 0; i < s->n; i++) /* an element that is filtered has to be an object */
        if (is_array && s->depth && s->pointers[i].filter == s->depth - 1u)
            clear_bit(&s->next_live, i);
    if (s->next_live == 0) {
        s->state = IN_SKIP;
        s->skip_depth = 1;
        return;
    }
    /* pointers that go on have a step for this level, so depth stays within JSON_POINTER_STEPS */
    s->depth++;
    s->live[s->depth] = s->next_live;
    s->is_array[s->depth] = is_array;
    s->index[s->depth] = 0;
    if (!is_array && s->depth >= 2)
        filter_begin(s, (size_t)s->depth - 2);
    s->state = is_array ? AT_VALUE : AT_KEY;
}

static void container_end(struct json_scan *s)
{
    if (!s->is_array[s->depth] && s->depth >= 2)
        filter_end(s, (size_t)s->depth - 2);
    s->depth--;
    s->state = s->depth ? AT_COMMA : AT_END;
    s->is_done = s->depth == 0;
}

/* ---- strings ---- */

/* Whether the string in progress is the first of all LONG pointers. */
static bool wants_long(const struct json_scan *s)
{
    bool is_taken = false;
    for (size_t i = 0; i < s->n && s->room; i++) {
        bool is_long = s->pointers[i].want == JSON_SCAN_LONG;
        if (is_long && (s->values[i].n || bit(s->held, i)))
            return false;
        is_taken |= is_long && bit(s->taking, i);
    }
    return is_taken;
}

static void string_begin(struct json_scan *s, bool is_key, enum json_kind kind)
{
    s->is_key = is_key;
    s->keep_text = is_key || s->filtering || wants(s, JSON_SCAN_TEXT);
    s->count_base64 = !is_key && wants(s, JSON_SCAN_BASE64);
    s->keep_long = !is_key && wants_long(s);
    if (s->keep_long) {
        s->room->size = 0;
        s->room->is_cut = false;
    }
    s->text_size = 0;
    s->text_cut = s->string_gap = false;
    s->string_size = s->raw_size = 0;
    s->base64 = (struct base64_count){0};
    s->escape = 0;
    s->high = 0;
    s->state = IN_STRING;
    for (size_t i = 0; i < s->n && !is_key; i++)
        if (bit(s->taking, i) && s->values[i].n == 0 && !bit(s->held, i)) {
            s->values[i].kind = (uint8_t)kind;
            s->values[i].is_unsure = true;
        }
}

/* Decoded bytes of the string in progress. */
static void string_put(struct json_scan *s, struct span bytes)
{
    s->string_size += bytes.size;
    if (s->count_base64)
        base64_count_feed(&s->base64, bytes);
    if (s->count_base64 && s->on_base64)
        s->on_base64(s->ctx, bytes);
    if (s->keep_long)
        json_long_put(s->room, bytes);
    if (!s->keep_text || s->text_cut)
        return;
    struct span fits = span_sub(bytes, 0, (size_t)(JSON_SCAN_VALUE_MAX - s->text_size));
    if (fits.size)
        memcpy(s->text + s->text_size, fits.at, fits.size);
    s->text_size = (uint16_t)(s->text_size + fits.size);
    if (fits.size < bytes.size) {
        s->text_cut = true;
        s->text_size = (uint16_t)unicode_cut(span_of(s->text, s->text_size));
    }
}

static void string_put_code(struct json_scan *s, uint32_t code)
{
    uint8_t bytes[4];
    string_put(s, span_of(bytes, unicode_put(code, bytes)));
}

/* A first half of a surrogate pair that no second half followed. */
static void flush_high(struct json_scan *s)
{
    if (s->high)
        string_put_code(s, 0xfffd);
    s->high = 0;
}

/* One \uXXXX: a character, or half of one. */
static void string_unit(struct json_scan *s, uint32_t unit)
{
    if (s->high && unit >= 0xdc00 && unit <= 0xdfff) {
        string_put_code(s, 0x10000 + ((s->high - 0xd800u) << 10) + (unit - 0xdc00));
        s->high = 0;
        return;
    }
    flush_high(s);
    if (unit >= 0xd800 && unit <= 0xdbff)
        s->high = (uint16_t)unit;
    else
        string_put_code(s, unit ? unit : 0xfffd); /* no NUL ever comes out */
}

/* One character behind a backslash; s->escape is 1, then 2 to 5 for the digits of \u. */
static void string_escape(struct json_scan *s, uint8_t c)
{
    static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
    if (s->escape == 1 && c == 'u') {
        s->escape = 2;
        s->code = 0;
        return;
    }
    if (s->escape == 1) {
        const char *hit = c ? memchr(from, c, sizeof from - 1) : NULL;
        flush_high(s);
        string_put(s, span_of(hit ? (const uint8_t *)to + (hit - from) : &c, 1));
        s->escape = 0;
        return;
    }
    int digit = hex_digit(c);
    if (digit < 0) {
        s->is_broken = true;
        return;
    }
    s->code = s->code << 4 | (uint32_t)digit;
    s->escape = s->escape == 5 ? 0 : (uint8_t)(s->escape + 1);
    if (s->escape == 0)
        string_unit(s, s->code);
}

static void string_end(struct json_scan *s)
{
    bool is_exact = true;
    flush_high(s);
    if (s->is_key) {
        fit_member(s);
        s->state = AT_COLON;
        return;
    }
    if (s->count_base64)
        (void)base64_count_size(&s->base64, &is_exact);
    /* after a gap, a string that is no base64 is likely two strings and what stood between them */
    s->is_broken |= s->string_gap && !is_exact;
    filter_test(s);
    take_value(s, JSON_STRING);
    s->state = AT_COMMA;
}

/* Index of the first quotation mark or backslash, or s.size. */
static size_t find_string_end(struct span s)
{
    size_t at = 0;
    for (; s.size - at >= 16; at += 16) {
        uint64_t hits = bytes16_equal(s.at + at, '"') | bytes16_equal(s.at + at, '\\');
        if (hits)
            return at + (size_t)__builtin_ctzll(hits);
    }
    while (at < s.size && s.at[at] != '"' && s.at[at] != '\\')
        at++;
    return at;
}

static size_t feed_string(struct json_scan *s, struct span bytes)
{
    size_t at = 0;
    if (!s->escape) {
        at = find_string_end(bytes);
        s->raw_size += at;
        if (at) {
            flush_high(s);
            string_put(s, span_sub(bytes, 0, at));
        }
        if (at == bytes.size)
            return at;
    }
    uint8_t c = bytes.at[at++];
    s->raw_size++;
    if (s->escape)
        string_escape(s, c);
    else if (c == '\\')
        s->escape = 1;
    else
        string_end(s);
    return at;
}

/* ---- the rest ---- */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static enum json_kind scalar_kind(uint8_t first)
{
    return first == 't' ? JSON_TRUE : first == 'f' ? JSON_FALSE : first == 'n' ? JSON_NULL : JSON_NUMBER;
}

static void scalar_end(struct json_scan *s)
{
    s->filtering = 0;
    take_value(s, scalar_kind((uint8_t)s->text[0]));
    s->state = AT_COMMA;
}

static size_t feed_scalar(struct json_scan *s, struct span bytes)
{
    size_t at = 0;
    while (at < bytes.size) {
        uint8_t c = bytes.at[at];
        if (is_space(c) || c == ',' || c == ']' || c == '}') {
            scalar_end(s); /* this byte is looked at again */
            return at;
        }
        bool is_fit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '+' || c == '-' || c == '.' || c == 'E';
        if (!is_fit) {
            s->is_broken = true;
            return at;
        }
        string_put(s, span_of(&bytes.at[at], 1));
        at++;
    }
    return at;
}

static void value_first(struct json_scan *s, uint8_t c)
{
    if (c == '{' || c == '[') {
        container_begin(s, c == '[');
        return;
    }
    value_begin(s);
    if (c == '"') {
        string_begin(s, false, JSON_STRING);
    } else if (c == '-' || (c >= '0' && c <= '9') || c == 't' || c == 'f' || c == 'n') {
        string_begin(s, false, scalar_kind(c));
        s->keep_text = true;
        s->count_base64 = false;
        string_put(s, span_of(&c, 1));
        s->state = IN_SCALAR;
    } else {
        s->is_broken = true;
    }
}

/* One structural character outside strings and scalars. */
static void feed_structure(struct json_scan *s, uint8_t c)
{
    bool is_array = s->depth && s->is_array[s->depth];
    if (is_space(c))
        return;
    if (s->state == AT_START) {
        s->next_live = (uint8_t)((1u << s->n) - 1u);
        if (c == '{' || c == '[')
            container_begin(s, c == '[');
        else if (++s->junk > JUNK_MAX)
            s->is_broken = true;
    } else if (c == (is_array ? ']' : '}') && s->state != AT_COLON && (is_array || s->state != AT_VALUE)) {
        container_end(s);
    } else if (s->state == AT_VALUE) {
        if (is_array)
            fit_element(s);
        value_first(s, c);
    } else if (s->state == AT_KEY && c == '"') {
        string_begin(s, true, JSON_STRING);
    } else if (s->state == AT_COLON && c == ':') {
        s->state = AT_VALUE;
    } else if (s->state == AT_COMMA && c == ',') {
        s->index[s->depth]++;
        s->state = is_array ? AT_VALUE : AT_KEY;
    } else {
        s->is_broken = true;
    }
}

static size_t feed_skip(struct json_scan *s, struct span bytes)
{
    for (size_t at = 0; at < bytes.size; at++) {
        uint8_t c = bytes.at[at];
        if (c == '"') {
            s->state = IN_SKIP_STRING;
            s->escape = 0;
            return at + 1;
        }
        if (c == '{' || c == '[')
            s->skip_depth++;
        else if ((c == '}' || c == ']') && --s->skip_depth == 0) {
            s->state = s->depth ? AT_COMMA : AT_END;
            s->is_done = s->depth == 0;
            return at + 1;
        }
    }
    return bytes.size;
}

static size_t feed_skip_string(struct json_scan *s, struct span bytes)
{
    if (s->escape) {
        s->escape = 0;
        return 1;
    }
    size_t at = find_string_end(bytes);
    if (at == bytes.size)
        return at;
    if (bytes.at[at] == '\\')
        s->escape = 1;
    else
        s->state = IN_SKIP;
    return at + 1;
}

void json_scan_init(struct json_scan *s, const struct json_pointer *pointers, size_t n, json_scan_fn *fn, void *ctx)
{
    memset(s, 0, sizeof *s);
    s->pointers = pointers;
    s->n = (uint8_t)(n < JSON_SCAN_POINTERS ? n : JSON_SCAN_POINTERS);
    s->fn = fn;
    s->ctx = ctx;
}

/* Lets the sizes of a string in progress be read before it ends. */
static void show_progress(struct json_scan *s)
{
    for (size_t i = 0; i < s->n && s->state == IN_STRING; i++) {
        if (!bit(s->taking, i) || s->values[i].n || bit(s->held, i))
            continue;
        if (s->pointers[i].want == JSON_SCAN_BASE64)
            s->values[i].size = base64_count_size(&s->base64, NULL);
        else if (s->pointers[i].want == JSON_SCAN_SIZE)
            s->values[i].size = s->string_size;
    }
}

void json_scan_feed(struct json_scan *s, struct span bytes)
{
    while (bytes.size && !s->is_broken && !s->is_done) {
        size_t took = 1;
        if (s->state == IN_STRING)
            took = feed_string(s, bytes);
        else if (s->state == IN_SCALAR)
            took = feed_scalar(s, bytes);
        else if (s->state == IN_SKIP)
            took = feed_skip(s, bytes);
        else if (s->state == IN_SKIP_STRING)
            took = feed_skip_string(s, bytes);
        else
            feed_structure(s, bytes.at[0]);
        bytes = span_from(bytes, took);
    }
    show_progress(s);
}

void json_scan_gap(struct json_scan *s, uint64_t bytes)
{
    if (bytes == 0 || s->is_done || s->is_broken)
        return;
    if (s->state != IN_STRING || !s->count_base64) {
        s->is_broken = true;
        return;
    }
    /* as much base64 in these bytes as in those before them; the string most likely goes on behind them */
    uint64_t rate = s->raw_size ? s->base64.symbols * 1024 / s->raw_size : 1024;
    uint64_t symbols = bytes / 1024 * rate + bytes % 1024 * rate / 1024;
    uint64_t all = s->base64.pending + symbols;
    s->base64.groups_bytes += all / 4 * 3;
    s->base64.pending = (uint8_t)(all % 4);
    s->base64.symbols += symbols;
    s->string_gap = true;
    s->escape = 0;
    s->high = 0;
    show_progress(s);
}
