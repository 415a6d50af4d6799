/* SPDX-License-Identifier: Apache-2.0
 * The memory of cases, files, customers and links. */
#include "app/memory.h"

#include "app/candidate.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/map.h"

#include <stdlib.h>

#define MAX_OBJECTS 262144u
#define MAX_CASES 131072u
#define MAX_VIEWS 65536u
#define MAX_LINKS 65536u
#define CASE_MAX 48
#define NAME_MAX_SIZE 160

static const char hex_digits[] = "0123456789abcdef";

struct key {
    uint8_t hash[16];
};

struct object {
    uint8_t case_size, file_size;
    char of_case[CASE_MAX], file[NAME_MAX_SIZE];
};

struct customer {
    uint8_t size;
    char name[NAME_MAX_SIZE];
};

struct seen_case { /* the case a session looked at last */
    uint8_t size;
    char name[CASE_MAX];
};

struct holder { /* who a link was handed to */
    uint8_t session[SESSION_HASH_SIZE];
    uint8_t cred_kind, claim_size;
    bool is_proven;
    char claim[NAME_MAX_SIZE];
};

enum {
    COUNT_OBJECTS, COUNT_CUSTOMERS, COUNT_LINKS, COUNT_CASE_FOUND, COUNT_CASE_GUESSED, COUNT_CUSTOMER_FOUND,
    COUNT_LINK_FOUND, COUNT_CASE_UNKNOWN, COUNT_TOO_LONG, COUNTERS,
};

static const struct counter_def counter_defs[COUNTERS] = {
    {"memory_objects_learnt", "files", "files whose case was read from a page or list"},
    {"memory_customers_learnt", "cases", "cases whose customer was read from a page or answer"},
    {"memory_links_learnt", "links", "pre-signed links seen handed out"},
    {"memory_case_found", "activities", "activities given the case their file is known to belong to"},
    {"memory_case_guessed", "activities", "activities given the case their session looked at last"},
    {"memory_customer_found", "activities", "activities given the customer their case is known to belong to"},
    {"memory_link_found", "activities", "uses of a link charged to the session it was handed to"},
    {"memory_case_unknown", "activities", "files read whose case could not be told"},
    {"memory_too_long", "values", "ids and names too long to be remembered"},
};

struct memory {
    struct map *objects, *cases, *views, *links;
    uint64_t counts[COUNTERS];
};

struct memory *memory_new(void)
{
    struct memory *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->objects = map_new(sizeof(struct key), sizeof(struct object), MAX_OBJECTS, 0);
    m->cases = map_new(sizeof(struct key), sizeof(struct customer), MAX_CASES, 0);
    m->views = map_new(sizeof(struct key), sizeof(struct seen_case), MAX_VIEWS, 0);
    m->links = map_new(sizeof(struct key), sizeof(struct holder), MAX_LINKS, 0);
    if (!m->objects || !m->cases || !m->views || !m->links) {
        memory_free(m);
        return NULL;
    }
    return m;
}

void memory_free(struct memory *m)
{
    if (!m)
        return;
    struct map *maps[] = {m->objects, m->cases, m->views, m->links};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        if (maps[i])
            map_free(maps[i]);
    free(m);
}

struct counters memory_counters(const struct memory *m)
{
    return (struct counters){counter_defs, m->counts, COUNTERS};
}

/* Ids mean something only within their application and host. */
static struct key key_of(const struct activity *a, char kind, struct span id)
{
    uint8_t text[1024];
    const struct span parts[] = {activity_get(a, STR_APP), activity_get(a, STR_HOST), id};
    size_t size = 0;
    text[size++] = (uint8_t)kind;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t n = parts[i].size < 300 ? parts[i].size : 300;
        if (n)
            memcpy(text + size, parts[i].at, n);
        size += n;
        text[size++] = 0;
    }
    struct key key;
    hash128(span_of(text, size), 0, key.hash);
    return key;
}

/* Who the session is, for "the case it looked at last": its hash, or the name Basic shows. */
static bool session_key(const struct activity *a, struct key *out)
{
    static const uint8_t none[SESSION_HASH_SIZE];
    struct span claim = activity_get(a, STR_CLAIM);
    if (memcmp(a->session, none, sizeof none) != 0)
        *out = key_of(a, 's', span_of(a->session, sizeof a->session));
    else if (claim.size)
        *out = key_of(a, 'b', claim);
    else
        return false;
    return true;
}

static bool remember(struct memory *m, char *to, size_t max, uint8_t *size, struct span value)
{
    if (value.size > max || value.size > UINT8_MAX) {
        m->counts[COUNT_TOO_LONG]++;
        return false;
    }
    if (value.size)
        memcpy(to, value.at, value.size);
    *size = (uint8_t)value.size;
    return true;
}

static void learn_object(struct memory *m, const struct activity *a, struct span line)
{
    struct span id, file = {NULL, 0}, of_case = activity_get(a, STR_CASE);
    size_t tab = span_find_byte(line, '\t', 0);
    id = span_sub(line, 0, tab);
    if (tab != SIZE_MAX)
        file = span_from(line, tab + 1);
    if (!of_case.size || of_case.size > CASE_MAX || !id.size)
        return;
    struct key key = key_of(a, 'o', id);
    bool is_new;
    struct object *o = map_touch(m->objects, &key, &is_new);
    m->counts[COUNT_OBJECTS] += is_new;
    remember(m, o->of_case, sizeof o->of_case, &o->case_size, of_case);
    if (file.size)
        remember(m, o->file, sizeof o->file, &o->file_size, file);
}

static bool read_hash(struct span hex, struct key *out)
{
    if (hex.size != 2 * sizeof out->hash)
        return false;
    for (size_t i = 0; i < hex.size; i++) {
        const char *hit = hex.at[i] ? strchr(hex_digits, hex.at[i]) : NULL;
        if (!hit)
            return false;
        out->hash[i / 2] = (uint8_t)(out->hash[i / 2] << 4 | (hit - hex_digits));
    }
    return true;
}

static void learn_link(struct memory *m, const struct activity *a, struct span hex)
{
    struct key key;
    bool is_new;
    struct span claim = activity_get(a, STR_CLAIM);
    if (!read_hash(hex, &key))
        return;
    struct holder *h = map_touch(m->links, &key, &is_new);
    m->counts[COUNT_LINKS] += is_new;
    *h = (struct holder){.cred_kind = a->cred_kind, .is_proven = (a->flags & ACT_CLAIM_PROVEN) != 0};
    static const uint8_t none[SESSION_HASH_SIZE];
    bool is_renewed = memcmp(a->new_session, none, sizeof none) != 0;
    memcpy(h->session, is_renewed ? a->new_session : a->session, sizeof h->session);
    remember(m, h->claim, sizeof h->claim, &h->claim_size, claim);
}

static void learn_facts(struct memory *m, struct activity *a)
{
    struct span rest = candidate_facts(a), line;
    if (!rest.size)
        return;
    bool is_good = a->outcome == OUTCOME_SUCCESS;
    while (span_split(&rest, '\n', &line)) {
        if (line.size > 1 && line.at[0] == 'o' && is_good)
            learn_object(m, a, span_from(line, 1));
        else if (line.size > 1 && line.at[0] == 'l' && is_good)
            learn_link(m, a, span_from(line, 1));
    }
    candidate_drop_facts(a);
}

/* A link stands for the session it was handed to. */
static void follow_link(struct memory *m, struct activity *a)
{
    struct key key;
    memcpy(key.hash, a->session, sizeof key.hash);
    const struct holder *h = map_find(m->links, &key);
    if (!h)
        return;
    m->counts[COUNT_LINK_FOUND]++;
    memcpy(a->session, h->session, sizeof a->session);
    a->cred_kind = h->cred_kind;
    if (h->claim_size) {
        activity_set(a, STR_CLAIM, span_of(h->claim, h->claim_size));
        a->flags |= h->is_proven ? ACT_CLAIM_PROVEN : 0;
    }
}

static bool reads_file(const struct activity *a)
{
    return a->action == ACTION_DOWNLOAD || a->action == ACTION_PREVIEW;
}

/* The case: what the application itself listed the file under, else what the request says, else the session's last. */
static void complete_case(struct memory *m, struct activity *a)
{
    struct span object = activity_get(a, STR_OBJECT);
    struct key key;
    if (object.size && reads_file(a)) {
        key = key_of(a, 'o', object);
        const struct object *o = map_find(m->objects, &key);
        if (o && o->case_size) {
            activity_set(a, STR_CASE, span_of(o->of_case, o->case_size));
            m->counts[COUNT_CASE_FOUND]++;
        }
        if (o && o->file_size)
            activity_set(a, STR_FILE, span_of(o->file, o->file_size));
    }
    if (a->size[STR_CASE] || !reads_file(a) || a->flags & ACT_UNKNOWN_ROUTE)
        return;
    const struct seen_case *seen = session_key(a, &key) ? map_find(m->views, &key) : NULL;
    if (seen)
        activity_set(a, STR_CASE, span_of(seen->name, seen->size));
    m->counts[seen ? COUNT_CASE_GUESSED : COUNT_CASE_UNKNOWN]++;
}

static void settle_customer(struct memory *m, struct activity *a)
{
    struct span of_case = activity_get(a, STR_CASE), customer = activity_get(a, STR_CUSTOMER);
    if (!of_case.size || (!customer.size && !map_size(m->cases)))
        return;
    struct key key = key_of(a, 'c', of_case);
    if (customer.size && a->outcome == OUTCOME_SUCCESS) {
        bool is_new;
        struct customer *c = map_touch(m->cases, &key, &is_new);
        m->counts[COUNT_CUSTOMERS] += is_new;
        remember(m, c->name, sizeof c->name, &c->size, customer);
        return;
    }
    const struct customer *c = customer.size ? NULL : map_find(m->cases, &key);
    if (c && c->size) {
        activity_set(a, STR_CUSTOMER, span_of(c->name, c->size));
        m->counts[COUNT_CUSTOMER_FOUND]++;
    }
}

static void learn_view(struct memory *m, const struct activity *a)
{
    struct span of_case = activity_get(a, STR_CASE);
    struct key key;
    bool is_new;
    if (a->action != ACTION_VIEW_CASE || a->outcome != OUTCOME_SUCCESS || !of_case.size || !session_key(a, &key))
        return;
    struct seen_case *seen = map_touch(m->views, &key, &is_new);
    remember(m, seen->name, sizeof seen->name, &seen->size, of_case);
}

void memory_settle(struct memory *m, struct activity *a)
{
    learn_facts(m, a);
    if (a->cred_kind == CRED_LINK || a->cred_kind == CRED_BEARER)
        follow_link(m, a);
    if (a->action == ACTION_AMEND)
        return;
    complete_case(m, a);
    settle_customer(m, a);
    learn_view(m, a);
}

/* Percent-encodes what would break a line of words; "-" alone stands for nothing. */
static char *write_word(char *to, const char *text, size_t size)
{
    *to++ = ' ';
    if (size == 0)
        *to++ = '-';
    for (size_t i = 0; i < size; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c > 0x20 && c < 0x7f && c != '%' && !(c == '-' && size == 1)) {
            *to++ = (char)c;
            continue;
        }
        *to++ = '%';
        *to++ = hex_digits[c >> 4];
        *to++ = hex_digits[c & 15];
    }
    *to = 0;
    return to;
}

static char *write_key(char *to, struct span word, const void *key)
{
    const struct key *k = key;
    memcpy(to, word.at, word.size);
    to += word.size;
    *to++ = ' ';
    for (size_t i = 0; i < sizeof k->hash; i++) {
        *to++ = hex_digits[k->hash[i] >> 4];
        *to++ = hex_digits[k->hash[i] & 15];
    }
    return to;
}

#define LINE_MAX_SIZE (64 + 3 * (CASE_MAX + NAME_MAX_SIZE))

void memory_save(const struct memory *m, void (*line)(void *ctx, const char *text), void *ctx)
{
    char text[LINE_MAX_SIZE];
    const void *key;
    void *value;
    for (uint32_t at = UINT32_MAX; map_walk(m->objects, &at, &key, &value);) {
        const struct object *o = value;
        char *to = write_word(write_key(text, SPAN("file"), key), o->of_case, o->case_size);
        write_word(to, o->file, o->file_size);
        line(ctx, text);
    }
    for (uint32_t at = UINT32_MAX; map_walk(m->cases, &at, &key, &value);) {
        const struct customer *c = value;
        write_word(write_key(text, SPAN("customer"), key), c->name, c->size);
        line(ctx, text);
    }
}

static bool read_word(struct span word, char *to, size_t max, uint8_t *size)
{
    uint8_t plain[3 * NAME_MAX_SIZE];
    size_t n = span_eq(word, SPAN("-")) ? 0 : extract_decode(DECODE_URL, word, plain, sizeof plain);
    if (!word.size || n > max || (n == 0 && !span_eq(word, SPAN("-"))))
        return false;
    if (n)
        memcpy(to, plain, n);
    *size = (uint8_t)n;
    return true;
}

int memory_load(struct memory *m, const char *line)
{
    struct span rest = span_text(line), part[4];
    struct key key;
    size_t n = 0;
    bool is_new;
    while (n < 4 && span_split(&rest, ' ', &part[n]))
        n++;
    if (rest.at || n < 3 || !read_hash(part[1], &key))
        return E_BAD;
    if (n == 4 && span_eq(part[0], SPAN("file"))) {
        struct object o = {0};
        if (!read_word(part[2], o.of_case, sizeof o.of_case, &o.case_size) ||
            !read_word(part[3], o.file, sizeof o.file, &o.file_size))
            return E_BAD;
        *(struct object *)map_touch(m->objects, &key, &is_new) = o;
        return E_OK;
    }
    struct customer c = {0};
    if (n != 3 || !span_eq(part[0], SPAN("customer")) || !read_word(part[2], c.name, sizeof c.name, &c.size))
        return E_BAD;
    *(struct customer *)map_touch(m->cases, &key, &is_new) = c;
    return E_OK;
}
