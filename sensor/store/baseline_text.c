/* SPDX-License-Identifier: Apache-2.0
 * The text form of a baseline. Each field is one line of the table at the end: its name, how it is written, how it is
 * read. Numbers are printed so that reading gives the same bits. */
#include "store/baseline.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/times.h"
#include "record/activity.h"

static const char *const flag_names[BASELINE_FLAGS] = {"machine", "person", "frozen"};

/* A value is words; most are key=value. */

struct words {
    struct span left;
    bool is_bad;
};

static struct span words_next(struct words *w)
{
    struct span word;
    if (!span_split(&w->left, ' ', &word) || word.size == 0) {
        w->is_bad = true;
        return SPAN("");
    }
    return word;
}

/* The value of the next word, which must be "key=...". */
static struct span words_value(struct words *w, const char *key)
{
    struct span word = words_next(w);
    struct span head = span_text(key);
    if (!span_starts(word, head) || word.size <= head.size || word.at[head.size] != '=') {
        w->is_bad = true;
        return SPAN("");
    }
    return span_from(word, head.size + 1);
}

static uint64_t words_u64(struct words *w, const char *key, uint64_t max)
{
    uint64_t value = 0;
    if (!span_u64(words_value(w, key), &value) || value > max)
        w->is_bad = true;
    return w->is_bad ? 0 : value;
}

static float float_of(struct span s, bool *is_bad)
{
    char text[48];
    char *end = text;
    if (s.size > 0 && s.size < sizeof text) {
        memcpy(text, s.at, s.size);
        text[s.size] = 0;
        float value = strtof(text, &end);
        if (end == text + s.size && isfinite(value) && value >= 0)
            return value;
    }
    *is_bad = true;
    return 0;
}

static float words_float(struct words *w, const char *key)
{
    struct span value = words_value(w, key);
    return float_of(value, &w->is_bad);
}

static uint64_t words_time(struct words *w, const char *key)
{
    uint64_t ns = 0;
    if (!time_parse(words_value(w, key), &ns))
        w->is_bad = true;
    return w->is_bad ? 0 : ns;
}

static uint8_t words_trust(struct words *w)
{
    struct span word = words_next(w);
    for (unsigned i = 0; i < TRUST_N; i++)
        if (span_eq(word, span_text(trust_name((enum trust)i))))
            return (uint8_t)i;
    w->is_bad = true;
    return TRUST_NONE;
}

static bool words_end(const struct words *w)
{
    return !w->is_bad && w->left.at == NULL;
}

static uint64_t hex_of(struct span s, bool *is_bad)
{
    uint64_t value = 0;
    if (s.size == 0 || s.size > 16)
        *is_bad = true;
    for (size_t i = 0; i < s.size && !*is_bad; i++) {
        int digit = hex_lower(s.at[i]);
        if (digit < 0)
            *is_bad = true;
        else
            value = value << 4 | (uint64_t)digit;
    }
    return *is_bad ? 0 : value;
}

/* "2026-03-05T08:11:02Z": whole seconds, as places and clients keep them. */
static const char *second_text(uint32_t s, char out[TIME_TEXT_MAX])
{
    time_text((uint64_t)s * NS_PER_S, out);
    out[19] = 'Z';
    out[20] = 0;
    return out;
}

/* Writers return false when there is nothing to say; readers return false when the text is none of ours. */
typedef bool field_write_fn(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX]);
typedef bool field_read_fn(struct baseline *b, unsigned i, struct span value);

static bool seen_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    (void)i;
    snprintf(out, BASELINE_VALUE_MAX,
             "first=%s last=%s sessions=%" PRIu32 " acts=%" PRIu32 " files=%" PRIu32 " days=%" PRIu32,
             time_text(b->first_ns, first), time_text(b->last_ns, last), b->sessions, b->acts, b->files,
             b->active_days);
    return b->first_ns != 0 || b->last_ns != 0 || b->acts != 0 || b->sessions != 0 || b->files != 0 ||
           b->active_days != 0;
}

static bool seen_read(struct baseline *b, unsigned i, struct span value)
{
    struct words w = {value, false};
    (void)i;
    b->first_ns = words_time(&w, "first");
    b->last_ns = words_time(&w, "last");
    b->sessions = (uint32_t)words_u64(&w, "sessions", UINT32_MAX);
    b->acts = (uint32_t)words_u64(&w, "acts", UINT32_MAX);
    b->files = (uint32_t)words_u64(&w, "files", UINT32_MAX);
    b->active_days = (uint32_t)words_u64(&w, "days", UINT32_MAX);
    return words_end(&w);
}

static bool alert_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    char last[TIME_TEXT_MAX];
    (void)i;
    snprintf(out, BASELINE_VALUE_MAX, "last=%s", second_text(b->alert_s, last));
    return b->alert_s != 0;
}

static bool alert_read(struct baseline *b, unsigned i, struct span value)
{
    struct words w = {value, false};
    (void)i;
    b->alert_s = time_s(words_time(&w, "last"));
    return words_end(&w);
}

static size_t add_word(char *out, size_t used, const char *word)
{
    int n = snprintf(out + used, BASELINE_VALUE_MAX - used, "%s%s", used ? " " : "", word);
    return used + (size_t)n < BASELINE_VALUE_MAX ? used + (size_t)n : used;
}

static bool flags_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    size_t used = 0;
    (void)i;
    for (unsigned bit = 0; bit < BASELINE_FLAGS; bit++)
        if (b->flags & 1u << bit)
            used = add_word(out, used, flag_names[bit]);
    return used > 0;
}

static bool flags_read(struct baseline *b, unsigned i, struct span value)
{
    struct words w = {value, false};
    (void)i;
    b->flags = 0;
    while (w.left.at != NULL && !w.is_bad) {
        struct span word = words_next(&w);
        unsigned bit = 0;
        while (bit < BASELINE_FLAGS && !span_eq(word, span_text(flag_names[bit])))
            bit++;
        if (bit == BASELINE_FLAGS)
            return false;
        b->flags |= 1u << bit;
    }
    return words_end(&w);
}

static bool actions_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    size_t used = 0;
    (void)i;
    for (unsigned action = 0; action < ACTION_N; action++)
        if (b->actions & 1u << action)
            used = add_word(out, used, action_name((enum action)action));
    return used > 0;
}

static bool actions_read(struct baseline *b, unsigned i, struct span value)
{
    struct words w = {value, false};
    (void)i;
    b->actions = 0;
    while (w.left.at != NULL && !w.is_bad) {
        struct span word = words_next(&w);
        enum action action = action_of(word);
        if (action == ACTION_NONE && !span_eq(word, span_text(action_name(ACTION_NONE))))
            return false;
        b->actions |= 1u << action;
    }
    return words_end(&w);
}

static bool hex_write(const uint64_t *values, size_t n, char out[BASELINE_VALUE_MAX])
{
    uint64_t any = 0;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        char word[20];
        snprintf(word, sizeof word, "%016" PRIx64, values[i]);
        used = add_word(out, used, word);
        any |= values[i];
    }
    return any != 0;
}

static bool hex_read(uint64_t *values, size_t n, struct span value)
{
    struct words w = {value, false};
    for (size_t i = 0; i < n; i++) {
        struct span word = words_next(&w);
        values[i] = hex_of(word, &w.is_bad);
    }
    return words_end(&w);
}

static bool routes_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    (void)i;
    return hex_write(b->routes, sizeof b->routes / sizeof b->routes[0], out);
}

static bool routes_read(struct baseline *b, unsigned i, struct span value)
{
    (void)i;
    return hex_read(b->routes, sizeof b->routes / sizeof b->routes[0], value);
}

static bool customers_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    (void)i;
    return hex_write(b->customers, sizeof b->customers / sizeof b->customers[0], out);
}

static bool customers_read(struct baseline *b, unsigned i, struct span value)
{
    (void)i;
    return hex_read(b->customers, sizeof b->customers / sizeof b->customers[0], value);
}

static bool bytes_write(const uint8_t *values, size_t n, char out[BASELINE_VALUE_MAX])
{
    unsigned any = 0;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        char word[8];
        snprintf(word, sizeof word, "%u", values[i]);
        used = add_word(out, used, word);
        any |= values[i];
    }
    return any != 0;
}

static bool bytes_read(uint8_t *values, size_t n, struct span value)
{
    struct words w = {value, false};
    for (size_t i = 0; i < n; i++) {
        uint64_t x = 0;
        if (!span_u64(words_next(&w), &x) || x > UINT8_MAX)
            return false;
        values[i] = (uint8_t)x;
    }
    return words_end(&w);
}

static bool hours_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    (void)i;
    return bytes_write(b->hours, sizeof b->hours, out);
}

static bool hours_read(struct baseline *b, unsigned i, struct span value)
{
    (void)i;
    return bytes_read(b->hours, sizeof b->hours, value);
}

static bool weekdays_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    (void)i;
    return bytes_write(b->weekdays, sizeof b->weekdays, out);
}

static bool weekdays_read(struct baseline *b, unsigned i, struct span value)
{
    (void)i;
    return bytes_read(b->weekdays, sizeof b->weekdays, value);
}

static bool first_customers_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    (void)i;
    return bytes_write(b->first_customers, sizeof b->first_customers, out);
}

static bool first_customers_read(struct baseline *b, unsigned i, struct span value)
{
    (void)i;
    return bytes_read(b->first_customers, sizeof b->first_customers, value);
}

/* "GB AS12345 81.2.69.0/24 usual sessions=4.25 days=3 first=... last=..."; "-" and AS0 for what is not known. */
static bool place_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    const struct place *p = &b->places[i];
    char prefix[PREFIX_TEXT_MAX], first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    if (p->trust == TRUST_NONE)
        return false;
    snprintf(out, BASELINE_VALUE_MAX, "%.2s AS%" PRIu32 " %s %s sessions=%.9g days=%u first=%s last=%s",
             p->country[0] ? p->country : "-", p->asn, place_prefix_text(p, prefix), trust_name((enum trust)p->trust),
             (double)p->weight, p->days, second_text(p->first_s, first), second_text(p->last_s, last));
    return true;
}

static bool place_read(struct baseline *b, unsigned i, struct span value)
{
    struct place *p = &b->places[i];
    struct words w = {value, false};
    struct span country = words_next(&w), as = words_next(&w), prefix = words_next(&w);
    struct prefix parsed;
    uint64_t asn = 0;
    if (w.is_bad || country.size > 2 || !span_starts(as, SPAN("AS")) || !span_u64(span_from(as, 2), &asn) ||
        asn > UINT32_MAX || !prefix_parse(prefix, &parsed))
        return false;
    *p = place_of(&parsed.ip, "", (uint32_t)asn);
    if (!span_eq(country, SPAN("-")))
        memcpy(p->country, country.at, country.size);
    p->trust = words_trust(&w);
    p->weight = words_float(&w, "sessions");
    p->days = (uint16_t)words_u64(&w, "days", UINT16_MAX);
    p->first_s = time_s(words_time(&w, "first"));
    p->last_s = time_s(words_time(&w, "last"));
    return words_end(&w) && p->trust != TRUST_NONE;
}

/* "usual family=3 version=148 agent=0badcafe sessions=4.25 days=3 first=... last=... name=Firefox"; the name, which may
 * hold blanks, to the end of the line. */
static bool client_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    const struct client *c = &b->clients[i];
    char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    if (c->trust == TRUST_NONE)
        return false;
    snprintf(out, BASELINE_VALUE_MAX,
             "%s family=%u version=%u agent=%08" PRIx32 " sessions=%.9g days=%u first=%s last=%s name=%.*s",
             trust_name((enum trust)c->trust), c->family, c->major, c->agent, (double)c->weight, c->days,
             second_text(c->first_s, first), second_text(c->last_s, last), BASELINE_CLIENT_NAME, c->name);
    return true;
}

static bool client_read(struct baseline *b, unsigned i, struct span value)
{
    struct client *c = &b->clients[i];
    size_t at = span_find(value, SPAN(" name="), 0);
    if (at == SIZE_MAX)
        return false;
    struct words w = {span_sub(value, 0, at), false};
    struct span name = span_from(value, at + strlen(" name="));
    if (name.size >= BASELINE_CLIENT_NAME)
        return false;
    memset(c, 0, sizeof *c);
    if (name.at != NULL && name.size > 0)
        memcpy(c->name, name.at, name.size);
    c->trust = words_trust(&w);
    c->family = (uint16_t)words_u64(&w, "family", UINT16_MAX);
    c->major = (uint16_t)words_u64(&w, "version", UINT16_MAX);
    struct span agent = words_value(&w, "agent");
    uint64_t hash = hex_of(agent, &w.is_bad);
    c->agent = (uint32_t)hash;
    c->weight = words_float(&w, "sessions");
    c->days = (uint16_t)words_u64(&w, "days", UINT16_MAX);
    c->first_s = time_s(words_time(&w, "first"));
    c->last_s = time_s(words_time(&w, "last"));
    return words_end(&w) && hash <= UINT32_MAX && c->trust != TRUST_NONE;
}

static const size_t moments_at[] = {offsetof(struct baseline, files_day), offsetof(struct baseline, cases_day),
                                    offsetof(struct baseline, customers_day), offsetof(struct baseline, bytes_day),
                                    offsetof(struct baseline, files_window), offsetof(struct baseline, cases_window)};

static bool moments_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    struct moments m;
    memcpy(&m, (const char *)b + moments_at[i], sizeof m);
    snprintf(out, BASELINE_VALUE_MAX, "n=%.9g sum=%.9g squares=%.9g", (double)m.n, (double)m.s1, (double)m.s2);
    return m.n > 0;
}

static bool moments_read(struct baseline *b, unsigned i, struct span value)
{
    struct words w = {value, false};
    struct moments m;
    m.n = words_float(&w, "n");
    m.s1 = words_float(&w, "sum");
    m.s2 = words_float(&w, "squares");
    memcpy((char *)b + moments_at[i], &m, sizeof m);
    return words_end(&w);
}

static bool org_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    (void)i;
    snprintf(out, BASELINE_VALUE_MAX, "%08" PRIx32, b->org);
    return b->org != 0;
}

static bool org_read(struct baseline *b, unsigned i, struct span value)
{
    bool is_bad = i > 0;
    b->org = (uint32_t)hex_of(value, &is_bad);
    return !is_bad && value.size <= 8;
}

static const size_t ratios_at[] = {offsetof(struct baseline, unseen), offsetof(struct baseline, strange)};

static bool ratio_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    struct ratio r;
    memcpy(&r, (const char *)b + ratios_at[i], sizeof r);
    snprintf(out, BASELINE_VALUE_MAX, "n=%u hits=%u", r.n, r.hits);
    return r.n > 0;
}

static bool ratio_read(struct baseline *b, unsigned i, struct span value)
{
    struct words w = {value, false};
    struct ratio r;
    r.n = (uint8_t)words_u64(&w, "n", UINT8_MAX);
    r.hits = (uint8_t)words_u64(&w, "hits", r.n);
    memcpy((char *)b + ratios_at[i], &r, sizeof r);
    return words_end(&w);
}

static bool slow_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    (void)i;
    snprintf(out, BASELINE_VALUE_MAX, "cases=%.9g", (double)b->slow_cases);
    return b->slow_cases > 0;
}

static bool slow_read(struct baseline *b, unsigned i, struct span value)
{
    struct words w = {value, false};
    (void)i;
    b->slow_cases = words_float(&w, "cases");
    return words_end(&w);
}

static bool today_write(const struct baseline *b, unsigned i, char out[BASELINE_VALUE_MAX])
{
    char day[TIME_TEXT_MAX];
    (void)i;
    time_text((uint64_t)b->day * S_PER_DAY * NS_PER_S, day);
    day[10] = 0;
    snprintf(out, BASELINE_VALUE_MAX,
             "day=%s files=%" PRIu32 " bytes=%" PRIu64 " cases=%" PRIu32 " customers=%" PRIu32 " window=%" PRIu32
             " window_files=%u alerted=%u window_cases=%u",
             day, b->today_files, b->today_bytes, b->today_cases, b->today_customers, b->window, b->window_files,
             b->today_alerted, b->window_cases);
    return b->day != 0;
}

static bool today_read(struct baseline *b, unsigned i, struct span value)
{
    struct words w = {value, false};
    struct span day = words_value(&w, "day");
    char text[TIME_TEXT_MAX];
    uint64_t ns = 0;
    (void)i;
    if (day.size != 10)
        return false;
    snprintf(text, sizeof text, "%.*sT00:00:00Z", (int)day.size, (const char *)day.at);
    if (!time_parse(span_text(text), &ns))
        return false;
    b->day = time_day(ns);
    b->today_files = (uint32_t)words_u64(&w, "files", UINT32_MAX);
    b->today_bytes = words_u64(&w, "bytes", UINT64_MAX);
    b->today_cases = (uint32_t)words_u64(&w, "cases", UINT32_MAX);
    b->today_customers = (uint32_t)words_u64(&w, "customers", UINT32_MAX);
    b->window = (uint32_t)words_u64(&w, "window", UINT32_MAX);
    b->window_files = (uint16_t)words_u64(&w, "window_files", UINT16_MAX);
    b->today_alerted = (uint8_t)words_u64(&w, "alerted", UINT8_MAX);
    if (w.left.at != NULL) /* younger than the first state files */
        b->window_cases = (uint16_t)words_u64(&w, "window_cases", UINT16_MAX);
    return words_end(&w);
}

/* A field's name is NAME, or NAME:i where there are several. */
struct field_def {
    const char *name;
    bool is_many;
    unsigned n;    /* how many of them */
    unsigned from; /* index of the first, as the functions count */
    field_write_fn *write;
    field_read_fn *read;
};

static const struct field_def field_defs[] = {
    {"seen", false, 1, 0, seen_write, seen_read},
    {"kind", false, 1, 0, flags_write, flags_read},
    {"alert", false, 1, 0, alert_write, alert_read},
    {"place", true, BASELINE_PLACES, 0, place_write, place_read},
    {"client", true, BASELINE_CLIENTS, 0, client_write, client_read},
    {"hours", false, 1, 0, hours_write, hours_read},
    {"weekdays", false, 1, 0, weekdays_write, weekdays_read},
    {"actions", false, 1, 0, actions_write, actions_read},
    {"routes", false, 1, 0, routes_write, routes_read},
    {"files_day", false, 1, 0, moments_write, moments_read},
    {"cases_day", false, 1, 1, moments_write, moments_read},
    {"customers_day", false, 1, 2, moments_write, moments_read},
    {"bytes_day_log2", false, 1, 3, moments_write, moments_read},
    {"files_10min", false, 1, 4, moments_write, moments_read},
    {"cases_10min", false, 1, 5, moments_write, moments_read},
    {"org", false, 1, 0, org_write, org_read},
    {"unseen", false, 1, 0, ratio_write, ratio_read},
    {"strange", false, 1, 1, ratio_write, ratio_read},
    {"slow", false, 1, 0, slow_write, slow_read},
    {"today", false, 1, 0, today_write, today_read},
    {"first_customers", false, 1, 0, first_customers_write, first_customers_read},
    {"customers", false, 1, 0, customers_write, customers_read},
};

#define FIELD_DEFS (sizeof field_defs / sizeof field_defs[0])

int baseline_write(const struct baseline *b, void (*put)(void *ctx, const char *field, const char *value), void *ctx)
{
    int n = 0;
    for (size_t f = 0; f < FIELD_DEFS; f++) {
        const struct field_def *def = &field_defs[f];
        for (unsigned i = 0; i < def->n; i++) {
            char name[BASELINE_FIELD_MAX], value[BASELINE_VALUE_MAX];
            if (!def->write(b, def->from + i, value))
                continue;
            if (def->is_many)
                snprintf(name, sizeof name, "%s:%u", def->name, i);
            else
                snprintf(name, sizeof name, "%s", def->name);
            put(ctx, name, value);
            n++;
        }
    }
    return n;
}

int baseline_read(struct baseline *b, const char *field, const char *value)
{
    struct span name = span_text(field);
    uint64_t i = 0;
    size_t colon = span_find_byte(name, ':', 0);
    if (colon != SIZE_MAX && !span_u64(span_from(name, colon + 1), &i))
        return E_NONE;
    for (size_t f = 0; f < FIELD_DEFS; f++) {
        const struct field_def *def = &field_defs[f];
        if (def->is_many != (colon != SIZE_MAX) || i >= def->n ||
            !span_eq(span_sub(name, 0, colon), span_text(def->name)))
            continue;
        struct baseline next = *b;
        if (!def->read(&next, def->from + (unsigned)i, span_text(value)))
            return E_BAD;
        *b = next;
        return E_OK;
    }
    return E_NONE;
}
