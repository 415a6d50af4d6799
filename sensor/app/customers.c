/* SPDX-License-Identifier: Apache-2.0
 * Cases, domains, and who waits for them. A domain is one customer's only where that is sure: its name is the
 * customer's, or many cases agree and none disagrees; what many firms share (mail providers, an agent's own domain) is
 * nobody's. */
#include "app/customers.h"

#include "app/desk_key.h"
#include "app/named.h"
#include "app/waiting.h"
#include "app/words.h"
#include "base/err.h"
#include "base/map.h"

#include <stdlib.h>

#define MAX_CASES 131072u
#define MAX_DOMAINS 32768u
#define PROOF_CASES 8 /* cases that must agree about a domain whose name says nothing */
#define ALIKE_MIN 5   /* letters that the names of customer and domain must share */

struct case_facts {
    struct desk_key domain; /* of its requestor; zero = not known */
    uint8_t size;
    char name[CUSTOMERS_NAME_MAX];
};

struct domain_facts {
    uint64_t cases[PROOF_CASES]; /* that agree */
    uint8_t n_cases, size;
    bool is_sure, is_shared;
    char name[CUSTOMERS_NAME_MAX];
};

enum {
    COUNT_CASES, COUNT_DOMAINS, COUNT_SHARED, COUNT_FOUND, COUNT_BY_DOMAIN, COUNT_WAITING, COUNT_COMPLETED, COUNT_DROPPED,
    COUNT_TOO_LONG, COUNTERS,
};

static const struct counter_def counter_defs[COUNTERS] = {
    {"customers_cases_learnt", "cases", "cases whose customer was read from a page, an answer or a list"},
    {"customers_domains_learnt", "domains", "domains of requestors' addresses found to be one customer's"},
    {"customers_domains_shared", "domains", "domains whose cases have different customers: they tell nothing"},
    {"customers_found", "activities", "activities given the customer their case is known to belong to"},
    {"customers_found_by_domain", "times", "times a case's customer was known by the domain of its requestor alone"},
    {"customers_waiting", "activities", "activities told before the case of their file or its customer was known"},
    {"customers_completed", "activities", "amends that told case or customer afterwards"},
    {"customers_waiting_dropped", "activities", "forgotten for room before they could be completed"},
    {"customers_too_long", "values", "names of cases and customers too long to be remembered"},
};

struct customers {
    struct named *named;
    struct map *cases, *domains;
    struct waiting *waiting;
    uint64_t first_ready, last_ready; /* numbers of acts that can be completed */
    uint64_t counts[COUNTERS];
};

struct customers *customers_new(uint32_t max_waiting)
{
    struct customers *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->named = named_new();
    c->cases = map_new(sizeof(struct desk_key), sizeof(struct case_facts), MAX_CASES, 0);
    c->domains = map_new(sizeof(struct desk_key), sizeof(struct domain_facts), MAX_DOMAINS, 0);
    c->waiting = waiting_new(max_waiting);
    if (!c->named || !c->cases || !c->domains || !c->waiting) {
        customers_free(c);
        return NULL;
    }
    return c;
}

void customers_free(struct customers *c)
{
    if (!c)
        return;
    named_free(c->named);
    if (c->cases)
        map_free(c->cases);
    if (c->domains)
        map_free(c->domains);
    waiting_free(c->waiting);
    free(c);
}

int customers_read(struct customers *c, const char *path, struct text *why)
{
    return named_read(c->named, path, why);
}

void customers_named(const struct customers *c, size_t *cases, size_t *domains)
{
    *cases = named_cases(c->named);
    *domains = named_domains(c->named);
}

struct counters customers_counters(const struct customers *c)
{
    return (struct counters){counter_defs, c->counts, COUNTERS};
}

/* --- domains --- */

/* Providers under whose names anybody has an address. */
static bool is_provider(struct span domain)
{
    static const struct span list[] = {
        SPAN("gmail"),   SPAN("googlemail"), SPAN("outlook"), SPAN("hotmail"),    SPAN("live"),    SPAN("msn"),
        SPAN("yahoo"),   SPAN("ymail"),      SPAN("icloud"),  SPAN("me"),         SPAN("mac"),     SPAN("aol"),
        SPAN("gmx"),     SPAN("web"),        SPAN("t-online"), SPAN("mail"),      SPAN("yandex"),  SPAN("proton"),
        SPAN("protonmail"), SPAN("pm"),      SPAN("qq"),      SPAN("163"),        SPAN("126"),     SPAN("sina"),
        SPAN("free"),    SPAN("orange"),     SPAN("wanadoo"), SPAN("laposte"),    SPAN("libero"),  SPAN("zoho"),
        SPAN("fastmail"), SPAN("tutanota"),  SPAN("hey"),     SPAN("comcast"),    SPAN("verizon"), SPAN("att"),
        SPAN("rediffmail"), SPAN("naver"),   SPAN("freenet"), SPAN("posteo"),     SPAN("mailbox"), SPAN("hushmail"),
    };
    size_t dot = span_find_byte(domain, '.', 0);
    struct span first = span_sub(domain, 0, dot), rest = span_from(domain, dot);
    bool is_top = span_find_byte(rest, '.', 1) == SIZE_MAX || span_starts(rest, SPAN(".co.")) || span_starts(rest, SPAN(".com."));
    for (size_t i = 0; is_top && i < sizeof list / sizeof list[0]; i++)
        if (span_eq(list[i], first))
            return true;
    return false;
}

/* The next letter or digit at or after *at, in lower case; 0 at the end. */
static uint8_t next_letter(struct span s, size_t *at)
{
    while (*at < s.size) {
        uint8_t c = s.at[(*at)++];
        if (c >= 'A' && c <= 'Z')
            return c | 0x20;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            return c;
    }
    return 0;
}

/* "Granite Telecom" and "granitetel": they begin alike, or one of them ends where they still agree. */
static bool is_alike(struct span name, struct span label)
{
    size_t i = 0, j = 0, same = 0;
    uint8_t x, y;
    do {
        x = next_letter(name, &i);
        y = next_letter(label, &j);
        same += x && x == y;
    } while (x && x == y);
    return same >= ALIKE_MIN || (same >= 4 && (!x || !y)) || (same >= 3 && !x && !y);
}

static bool is_named_like(struct span name, struct span domain)
{
    struct span label;
    while (span_split(&domain, '.', &label) && domain.at) /* not the last one: it names no firm */
        if (is_alike(name, label))
            return true;
    return false;
}

static void set_name(char *to, uint8_t *size, struct span name)
{
    memcpy(to, name.at, name.size);
    *size = (uint8_t)name.size;
}

static bool agrees(struct domain_facts *d, const uint8_t case_hash[16])
{
    uint64_t one;
    memcpy(&one, case_hash, sizeof one);
    for (uint8_t i = 0; i < d->n_cases; i++)
        if (d->cases[i] == one)
            return false;
    if (d->n_cases < PROOF_CASES)
        d->cases[d->n_cases++] = one;
    return d->n_cases == PROOF_CASES;
}

/* A case of this customer came from this domain; true when that settles whose it is. */
static bool learn_domain(struct customers *c, const struct desk_key *key, const uint8_t case_hash[16], struct span name,
                         struct span domain)
{
    bool is_new;
    if (is_provider(domain))
        return false;
    struct domain_facts *d = map_touch(c->domains, key, &is_new);
    if (d->is_shared)
        return false;
    if (d->size && !span_eq(span_of(d->name, d->size), name)) {
        d->is_shared = true;
        d->is_sure = false;
        c->counts[COUNT_SHARED]++;
        return false;
    }
    set_name(d->name, &d->size, name);
    if (d->is_sure || !(is_named_like(name, domain) || agrees(d, case_hash)))
        return false;
    d->is_sure = true;
    c->counts[COUNT_DOMAINS]++;
    return true;
}

/* --- cases --- */

static struct span name_of(const struct customers *c, const struct case_facts *f, bool *is_by_domain)
{
    *is_by_domain = false;
    if (!f || f->size)
        return f ? span_of(f->name, f->size) : SPAN("");
    const struct domain_facts *d = desk_key_is_zero(&f->domain) ? NULL : map_find(c->domains, &f->domain);
    *is_by_domain = d && d->is_sure;
    return *is_by_domain ? span_of(d->name, d->size) : SPAN("");
}

static struct span find(struct customers *c, const struct activity *by, struct span of_case)
{
    bool is_by_domain;
    struct span name = named_case(c->named, of_case);
    if (name.size || !map_size(c->cases))
        return name;
    struct desk_key key = desk_key_of(by, 'c', of_case);
    name = name_of(c, map_find(c->cases, &key), &is_by_domain);
    c->counts[COUNT_BY_DOMAIN] += is_by_domain;
    return name;
}

void customers_name(struct customers *c, struct activity *a)
{
    struct span name = find(c, a, activity_get(a, STR_CASE));
    if (!name.size)
        return;
    activity_set(a, STR_CUSTOMER, name);
    c->counts[COUNT_FOUND]++;
}

bool customers_is_named(const struct customers *c, struct span of_case)
{
    return named_case(c->named, of_case).size > 0;
}

/* --- who waits --- */

static void make_ready(struct customers *c, uint64_t number, struct waiting_act *act)
{
    struct waiting_act *last = waiting_act(c->waiting, c->last_ready);
    act->is_ready = true;
    act->next_ready = 0;
    if (last)
        last->next_ready = number;
    else
        c->first_ready = number;
    c->last_ready = number;
}

/* The case of the file was a guess, and a wrong one: its customer is not this act's. */
static void forget_guess(struct customers *c, const struct activity *by, const struct waiting_act *act)
{
    struct desk_key k = desk_key_of(by, 'c', span_of(act->of_case, act->case_size));
    struct waiting_act *other;
    uint64_t number = 0;
    while (act->case_size && waiting_find(c->waiting, WAITING_OWN, &k, &number, &other))
        if (memcmp(other->id, act->id, sizeof act->id) == 0)
            other->is_ready = other->is_told = true;
}

/* All that wait for this key can be completed; what was done first comes first. 'of_case': they get this case. */
static void wake(struct customers *c, enum waiting_chain chain, const struct desk_key *key, const struct activity *by,
                 struct span of_case)
{
    struct waiting_act *act;
    uint64_t number = 0, oldest = 0;
    while (waiting_find(c->waiting, chain, key, &number, &act)) {
        act->next_ready = oldest;
        oldest = number;
    }
    while ((act = waiting_act(c->waiting, oldest))) {
        uint64_t now = oldest;
        oldest = act->next_ready;
        if (act->is_object && span_eq(span_of(act->of_case, act->case_size), of_case)) {
            act->is_ready = act->is_told = true; /* the guess was right */
            continue;
        }
        if (act->is_object) {
            forget_guess(c, by, act);
            act->case_size = (uint8_t)of_case.size;
            memcpy(act->of_case, of_case.at, of_case.size);
        }
        make_ready(c, now, act);
    }
}

static void tie(struct customers *c, const struct desk_key *own, const struct desk_key *domain)
{
    struct waiting_act *act;
    uint64_t number = 0;
    while (waiting_find(c->waiting, WAITING_OWN, own, &number, &act))
        waiting_tie(c->waiting, number, domain);
}

static bool has_room(struct customers *c, struct span of_case, struct span name)
{
    bool is_long = of_case.size > CUSTOMERS_CASE_MAX || name.size > CUSTOMERS_NAME_MAX;
    c->counts[COUNT_TOO_LONG] += is_long;
    return of_case.size && !is_long;
}

/* An id of the desk's own: worth less than a name, and nothing to tell a domain by. */
static bool is_number(struct span name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.at[i] < '0' || name.at[i] > '9')
            return false;
    return name.size > 0;
}

/* What is known of a case by name stays when somebody shows the customer's id. */
static struct span outweigh(const struct customers *c, const struct case_facts *f, struct span name)
{
    bool is_by_domain;
    struct span known = name_of(c, f, &is_by_domain);
    return is_number(name) && known.size && !is_number(known) ? SPAN("") : name;
}

void customers_learn(struct customers *c, const struct activity *by, struct span of_case, struct span name, struct span domain)
{
    struct desk_key key, from = {{0}};
    bool is_new, was_by_domain;
    if (!has_room(c, of_case, name) || (!name.size && !domain.size))
        return;
    struct span named = name.size ? SPAN("") : named_domain(c->named, domain);
    name = named.size ? span_sub(named, 0, CUSTOMERS_NAME_MAX) : name;
    key = desk_key_of(by, 'c', of_case);
    struct case_facts *f = map_touch(c->cases, &key, &is_new);
    name = outweigh(c, f, name);
    bool had_name = name_of(c, f, &was_by_domain).size > 0, had_domain = !desk_key_is_zero(&f->domain);
    if (domain.size)
        from = desk_key_of(by, 'd', domain);
    if (domain.size && (!had_domain || memcmp(&f->domain, &from, sizeof from) != 0)) {
        f->domain = from;
        tie(c, &key, &from);
    }
    if (name.size) {
        c->counts[COUNT_CASES] += !f->size;
        set_name(f->name, &f->size, name);
    }
    if (!had_name && name_of(c, f, &was_by_domain).size)
        wake(c, WAITING_OWN, &key, by, of_case);
    if (name.size && !is_number(name) && !named.size && domain.size && learn_domain(c, &from, key.hash, name, domain))
        wake(c, WAITING_DOMAIN, &from, by, of_case);
}

static void wait_for(struct customers *c, const struct activity *a, char kind, struct span id)
{
    struct desk_key own = desk_key_of(a, kind, id);
    struct span of_case = activity_get(a, STR_CASE), user = activity_get(a, STR_USER);
    struct waiting_act *act = waiting_add(c->waiting, &own);
    memcpy(act->id, a->id, sizeof act->id);
    memcpy(act->session, a->session, sizeof act->session);
    act->time_ns = a->time_ns;
    act->source = a->source;
    act->cred_kind = a->cred_kind;
    act->outcome = a->outcome;
    act->is_object = kind == 'o';
    if (of_case.size && of_case.size <= sizeof act->of_case) {
        act->case_size = (uint8_t)of_case.size;
        memcpy(act->of_case, of_case.at, of_case.size);
    }
    if (user.size && user.size <= sizeof act->user) {
        act->user_size = (uint8_t)user.size;
        memcpy(act->user, user.at, user.size);
    }
    c->counts[COUNT_WAITING]++;
    c->counts[COUNT_DROPPED] = waiting_dropped(c->waiting);
    const struct case_facts *f = kind == 'c' ? map_find(c->cases, &own) : NULL;
    if (f && !desk_key_is_zero(&f->domain))
        tie(c, &own, &f->domain);
}

void customers_wait(struct customers *c, const struct activity *a, bool is_guess)
{
    struct span of_case = activity_get(a, STR_CASE), object = activity_get(a, STR_OBJECT);
    if (object.size && (is_guess || !of_case.size))
        wait_for(c, a, 'o', object);
    if (of_case.size && of_case.size <= CUSTOMERS_CASE_MAX && !a->size[STR_CUSTOMER])
        wait_for(c, a, 'c', of_case);
}

void customers_place(struct customers *c, const struct activity *by, struct span object, struct span of_case)
{
    if (!has_room(c, of_case, SPAN("")))
        return;
    struct desk_key key = desk_key_of(by, 'o', object);
    wake(c, WAITING_OWN, &key, by, of_case);
}

static void fill_amend(const struct waiting_act *act, const struct activity *by, struct activity *amend)
{
    activity_init(amend);
    amend->tail_used = 0;
    amend->action = ACTION_AMEND;
    memcpy(amend->amends, act->id, sizeof amend->amends);
    memcpy(amend->session, act->session, sizeof amend->session);
    amend->time_ns = act->time_ns;
    amend->done_ns = by->done_ns;
    amend->flow_hash = by->flow_hash;
    amend->number = by->number;
    amend->source = act->source;
    amend->cred_kind = act->cred_kind;
    amend->outcome = act->outcome;
    activity_set(amend, STR_USER, span_of(act->user, act->user_size));
    activity_set(amend, STR_CASE, span_of(act->of_case, act->case_size));
}

/* A file's case has become known, but not its customer: that may come. */
static void wait_on(struct customers *c, const struct activity *by, struct waiting_act act)
{
    struct desk_key own = desk_key_of(by, 'c', span_of(act.of_case, act.case_size));
    uint64_t before = waiting_add(c->waiting, &own)->before[WAITING_OWN];
    struct waiting_act *to = waiting_act(c->waiting, waiting_last(c->waiting));
    act.is_object = act.is_ready = act.is_told = false;
    act.key[WAITING_OWN] = own;
    act.key[WAITING_DOMAIN] = (struct desk_key){{0}};
    act.before[WAITING_OWN] = before;
    act.before[WAITING_DOMAIN] = act.next_ready = 0;
    *to = act;
}

bool customers_take(struct customers *c, const struct activity *by, struct activity *amend)
{
    struct waiting_act *act = waiting_act(c->waiting, c->first_ready);
    if (!act) {
        c->first_ready = c->last_ready = 0;
        return false;
    }
    c->first_ready = act->next_ready;
    act->is_told = true;
    fill_amend(act, by, amend);
    struct span name = find(c, by, span_of(act->of_case, act->case_size));
    if (name.size)
        activity_set(amend, STR_CUSTOMER, name);
    else if (act->is_object)
        wait_on(c, by, *act);
    c->counts[COUNT_COMPLETED]++;
    return true;
}

/* --- state --- */

#define LINE_ROOM (128 + WORDS_ROOM(CUSTOMERS_NAME_MAX))

static char *begin_line(char *text, const char *word, const void *key)
{
    size_t n = strlen(word);
    memcpy(text, word, n);
    return words_put_hash(text + n, ((const struct desk_key *)key)->hash);
}

void customers_save(const struct customers *c, void (*line)(void *ctx, const char *text), void *ctx)
{
    char text[LINE_ROOM];
    const void *key;
    void *value;
    for (uint32_t at = UINT32_MAX; map_walk(c->cases, &at, &key, &value);) {
        const struct case_facts *f = value;
        char *to = words_put(begin_line(text, "customer", key), span_of(f->name, f->size));
        if (!desk_key_is_zero(&f->domain))
            words_put_hash(to, f->domain.hash);
        line(ctx, text);
    }
    for (uint32_t at = UINT32_MAX; map_walk(c->domains, &at, &key, &value);) {
        const struct domain_facts *d = value;
        char *to = words_put(begin_line(text, "domain", key), span_of(d->name, d->size));
        words_put(to, d->is_shared ? SPAN("shared") : d->is_sure ? SPAN("sure") : SPAN("open"));
        line(ctx, text);
    }
}

static int load_case(struct customers *c, const struct desk_key *key, const struct span *part, size_t n)
{
    struct case_facts f = {0};
    bool is_new;
    size_t size;
    if (!words_read(part[2], f.name, sizeof f.name, &size) || (n == 4 && !words_read_hash(part[3], f.domain.hash)))
        return E_BAD;
    f.size = (uint8_t)size;
    *(struct case_facts *)map_touch(c->cases, key, &is_new) = f;
    return E_OK;
}

static int load_domain(struct customers *c, const struct desk_key *key, const struct span *part)
{
    struct domain_facts d = {.is_sure = span_eq(part[3], SPAN("sure")), .is_shared = span_eq(part[3], SPAN("shared"))};
    bool is_new;
    size_t size;
    if (!words_read(part[2], d.name, sizeof d.name, &size) || !(d.is_sure || d.is_shared || span_eq(part[3], SPAN("open"))))
        return E_BAD;
    d.size = (uint8_t)size;
    *(struct domain_facts *)map_touch(c->domains, key, &is_new) = d;
    return E_OK;
}

int customers_load(struct customers *c, const char *line)
{
    struct span rest = span_text(line), part[4];
    struct desk_key key;
    size_t n = 0;
    while (n < 4 && span_split(&rest, ' ', &part[n]))
        n++;
    if (rest.at || n < 3 || !words_read_hash(part[1], key.hash))
        return E_BAD;
    if (span_eq(part[0], SPAN("customer")))
        return load_case(c, &key, part, n);
    return n == 4 && span_eq(part[0], SPAN("domain")) ? load_domain(c, &key, part) : E_BAD;
}
