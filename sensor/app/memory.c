/* SPDX-License-Identifier: Apache-2.0
 * The memory of cases, files, customers and links. */
#include "app/memory.h"

#include "app/candidate.h"
#include "app/customers.h"
#include "app/desk_key.h"
#include "app/words.h"
#include "base/err.h"
#include "base/map.h"

#include <stdlib.h>

#define MAX_OBJECTS 262144u
#define MAX_WAITING 65536u
#define MAX_VIEWS 65536u
#define MAX_LINKS 65536u
#define CASE_MAX 48
#define NAME_MAX_SIZE 160

struct object {
    uint8_t case_size, file_size;
    char of_case[CASE_MAX], file[NAME_MAX_SIZE];
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
    COUNT_OBJECTS, COUNT_LINKS, COUNT_CASE_FOUND, COUNT_CASE_GUESSED, COUNT_LINK_FOUND, COUNT_CASE_UNKNOWN,
    COUNT_TOO_LONG, COUNTERS,
};

static const struct counter_def counter_defs[COUNTERS] = {
    {"memory_objects_learnt", "files", "files whose case was read from a page or list"},
    {"memory_links_learnt", "links", "pre-signed links seen handed out"},
    {"memory_case_found", "activities", "activities given the case their file is known to belong to"},
    {"memory_case_guessed", "activities", "activities given the case their session looked at last"},
    {"memory_link_found", "activities", "uses of a link charged to the session it was handed to"},
    {"memory_case_unknown", "activities", "files read whose case could not be told"},
    {"memory_too_long", "values", "ids and names too long to be remembered"},
};

struct memory {
    struct map *objects, *views, *links;
    struct customers *customers;
    bool is_guess; /* the case of the candidate settled last is its session's last one */
    uint64_t counts[COUNTERS];
};

struct memory *memory_new(void)
{
    struct memory *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->objects = map_new(sizeof(struct desk_key), sizeof(struct object), MAX_OBJECTS, 0);
    m->customers = customers_new(MAX_WAITING);
    m->views = map_new(sizeof(struct desk_key), sizeof(struct seen_case), MAX_VIEWS, 0);
    m->links = map_new(sizeof(struct desk_key), sizeof(struct holder), MAX_LINKS, 0);
    if (!m->objects || !m->customers || !m->views || !m->links) {
        memory_free(m);
        return NULL;
    }
    return m;
}

void memory_free(struct memory *m)
{
    if (!m)
        return;
    struct map *maps[] = {m->objects, m->views, m->links};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        if (maps[i])
            map_free(maps[i]);
    customers_free(m->customers);
    free(m);
}

struct counters memory_counters(const struct memory *m)
{
    return (struct counters){counter_defs, m->counts, COUNTERS};
}

struct customers *memory_customers(struct memory *m)
{
    return m->customers;
}

/* Who the session is, for "the case it looked at last": its hash, or the name Basic shows. */
static bool session_key(const struct activity *a, struct desk_key *out)
{
    static const uint8_t none[SESSION_HASH_SIZE];
    struct span claim = activity_get(a, STR_CLAIM);
    if (memcmp(a->session, none, sizeof none) != 0)
        *out = desk_key_of(a, 's', span_of(a->session, sizeof a->session));
    else if (claim.size)
        *out = desk_key_of(a, 'b', claim);
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
    struct desk_key key = desk_key_of(a, 'o', id);
    bool is_new;
    struct object *o = map_touch(m->objects, &key, &is_new);
    m->counts[COUNT_OBJECTS] += is_new;
    remember(m, o->of_case, sizeof o->of_case, &o->case_size, of_case);
    if (file.size)
        remember(m, o->file, sizeof o->file, &o->file_size, file);
    customers_place(m->customers, a, id, of_case);
}

/* "<case>\t<customer>\t<domain>" of a list; without a case it is of the activity's own. */
static void learn_case(struct memory *m, const struct activity *a, struct span line)
{
    struct span part[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    for (size_t i = 0; i < 3 && span_split(&line, '\t', &part[i]);)
        i++;
    if (part[0].size)
        customers_learn(m->customers, a, part[0], part[1], part[2]);
    else
        customers_learn(m->customers, a, activity_get(a, STR_CASE), activity_get(a, STR_CUSTOMER), part[2]);
}

static void learn_link(struct memory *m, const struct activity *a, struct span hex)
{
    struct desk_key key;
    bool is_new;
    struct span claim = activity_get(a, STR_CLAIM);
    if (!words_read_hash(hex, key.hash))
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
        else if (line.size > 1 && line.at[0] == 'c' && is_good)
            learn_case(m, a, span_from(line, 1));
    }
    candidate_drop_facts(a);
}

/* A link stands for the session it was handed to. */
static void follow_link(struct memory *m, struct activity *a)
{
    struct desk_key key;
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
    struct desk_key key;
    if (object.size && reads_file(a)) {
        key = desk_key_of(a, 'o', object);
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
    m->is_guess = seen != NULL;
    m->counts[seen ? COUNT_CASE_GUESSED : COUNT_CASE_UNKNOWN]++;
}

static void settle_customer(struct memory *m, struct activity *a)
{
    struct span of_case = activity_get(a, STR_CASE), customer = activity_get(a, STR_CUSTOMER);
    if (!of_case.size)
        return;
    if (customer.size && a->outcome == OUTCOME_SUCCESS)
        customers_learn(m->customers, a, of_case, customer, SPAN(""));
    if (!customer.size || customers_is_named(m->customers, of_case))
        customers_name(m->customers, a);
}

static void learn_view(struct memory *m, const struct activity *a)
{
    struct span of_case = activity_get(a, STR_CASE);
    struct desk_key key;
    bool is_new;
    if (a->action != ACTION_VIEW_CASE || a->outcome != OUTCOME_SUCCESS || !of_case.size || !session_key(a, &key))
        return;
    struct seen_case *seen = map_touch(m->views, &key, &is_new);
    remember(m, seen->name, sizeof seen->name, &seen->size, of_case);
}

void memory_settle(struct memory *m, struct activity *a)
{
    m->is_guess = false;
    learn_facts(m, a);
    if (a->cred_kind == CRED_LINK || a->cred_kind == CRED_BEARER)
        follow_link(m, a);
    if (a->action == ACTION_AMEND)
        return;
    complete_case(m, a);
    settle_customer(m, a);
    learn_view(m, a);
}

void memory_wait(struct memory *m, const struct activity *settled)
{
    if (!settled->size[STR_CASE] && !(settled->size[STR_OBJECT] && reads_file(settled)))
        return;
    customers_wait(m->customers, settled, m->is_guess);
}

#define LINE_ROOM (64 + WORDS_ROOM(CASE_MAX) + WORDS_ROOM(NAME_MAX_SIZE))

void memory_save(const struct memory *m, void (*line)(void *ctx, const char *text), void *ctx)
{
    char text[LINE_ROOM] = "file";
    const void *key;
    void *value;
    for (uint32_t at = UINT32_MAX; map_walk(m->objects, &at, &key, &value);) {
        const struct object *o = value;
        char *to = words_put_hash(text + 4, ((const struct desk_key *)key)->hash);
        words_put(words_put(to, span_of(o->of_case, o->case_size)), span_of(o->file, o->file_size));
        line(ctx, text);
    }
    customers_save(m->customers, line, ctx);
}

int memory_load(struct memory *m, const char *line)
{
    struct span rest = span_text(line), part[4];
    struct object o = {0};
    struct desk_key key;
    size_t n = 0, case_size, file_size;
    bool is_new;
    while (n < 4 && span_split(&rest, ' ', &part[n]))
        n++;
    if (n && !span_eq(part[0], SPAN("file")))
        return customers_load(m->customers, line);
    if (rest.at || n != 4 || !words_read_hash(part[1], key.hash) || !words_read(part[2], o.of_case, sizeof o.of_case, &case_size) ||
        !words_read(part[3], o.file, sizeof o.file, &file_size))
        return E_BAD;
    o.case_size = (uint8_t)case_size;
    o.file_size = (uint8_t)file_size;
    *(struct object *)map_touch(m->objects, &key, &is_new) = o;
    return E_OK;
}
