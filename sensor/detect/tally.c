/* SPDX-License-Identifier: Apache-2.0
 * Distinct counting by exact sets in one capped map. When the cap is hit, a thing may be counted again; the map counts
 * how often that could have been. */
#include "detect/tally.h"

#include <stdlib.h>

#include "base/fifo.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/times.h"
#include "detect/learn.h"
#include "record/ecs.h"
#include "sketch/bloom.h"

#define CUSTOMER_WORDS (sizeof((struct baseline *)0)->customers / sizeof(uint64_t))
#define MAX_OPEN 65536u
#define MAX_CUSTOMERS 65536u
#define MAX_TRANSFERS 262144u
#define WINDOW_S 600
#define BLOOM_FULL 0.5

enum kind { KIND_FILE = 1, KIND_CASE, KIND_CUSTOMER };

struct thing_key {
    uint64_t whose, what;
};

struct customer_name {
    char text[ALERT_TEXT];
};

struct holder {
    char name[BASELINE_NAME_MAX];
};

struct tally {
    struct map *things, *names;
    struct fifo *open;   /* event id -> struct tally_open */
    struct map *holders; /* credential -> struct holder: as many as 'open' has, and used with it, so none is lost before */
    struct map *got; /* struct thing_key (whose, transfer) -> bytes counted of it */
};

struct tally *tally_new(uint32_t max_things)
{
    struct tally *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->things = map_new(sizeof(struct thing_key), 1, max_things, 7);
    t->open = fifo_new(sizeof(struct tally_open), MAX_OPEN);
    t->holders = map_new(sizeof(uint64_t), sizeof(struct holder), MAX_OPEN, 23);
    t->names = map_new(sizeof(uint64_t), sizeof(struct customer_name), MAX_CUSTOMERS, 9);
    t->got = map_new(sizeof(struct thing_key), sizeof(uint64_t), MAX_TRANSFERS, 13);
    if (!t->things || !t->open || !t->holders || !t->names || !t->got) {
        tally_free(t);
        return NULL;
    }
    return t;
}

void tally_free(struct tally *t)
{
    if (!t)
        return;
    map_free(t->things);
    fifo_free(t->open);
    map_free(t->holders);
    map_free(t->names);
    map_free(t->got);
    free(t);
}

bool tally_first(struct tally *t, uint64_t whose, uint64_t what)
{
    struct thing_key key = {whose, what};
    bool is_new;
    map_touch(t->things, &key, &is_new);
    return is_new;
}

bool tally_has(const struct tally *t, uint64_t whose, uint64_t what)
{
    struct thing_key key = {whose, what};
    return map_find(t->things, &key) != NULL;
}

/* Of 'bytes' that came with this act, those that are news to 'whose': it cannot have got more of the object than the
 * credential has by all its requests. That is exact as long as all of these are in 'whose'; what was fetched outside of it
 * can only let pieces that overlap count twice. */
static uint64_t new_bytes(struct tally *t, uint64_t whose, const struct activity *a, uint64_t bytes)
{
    if (!(a->flags & ACT_TRANSFER) || !bytes)
        return bytes;
    struct thing_key key = {whose, hash64(span_of(a->transfer_id, sizeof a->transfer_id), 0)};
    bool is_new, is_exact = a->flags & ACT_TRANSFER_BYTES && !(a->flags & ACT_TRANSFER_UNSURE);
    uint64_t *got = map_touch(t->got, &key, &is_new), before = *got;
    uint64_t after = before > UINT64_MAX - bytes ? UINT64_MAX : before + bytes;
    if (is_exact && after > a->transfer_bytes)
        after = a->transfer_bytes;
    if (after <= before)
        return 0;
    *got = after;
    return after - before;
}

/* Each byte of an object counts once in a credential's day, and once in the story that its visit is or may become. */
static void count_bytes(struct tally *t, struct scene *s, uint64_t bytes, bool is_today)
{
    struct visit *v = s->visit;
    uint64_t today = new_bytes(t, s->credential ^ (uint64_t)s->b->day << 40, s->a, bytes);
    s->count.bytes = v->whose ? new_bytes(t, v->whose, s->a, bytes) : today;
    v->totals.bytes += s->count.bytes;
    if (is_today)
        s->b->today_bytes += today;
}

uint64_t tally_evicted(const struct tally *t)
{
    return map_evicted(t->things) + map_evicted(t->got);
}

bool tally_takes_file(const struct activity *a)
{
    bool is_file = a->action == ACTION_DOWNLOAD || a->action == ACTION_PREVIEW || a->action == ACTION_EXPORT;
    return is_file && !(a->flags & (ACT_NOT_MODIFIED | ACT_REFUSED)) && a->outcome != OUTCOME_FAILURE;
}

/* What a file's name means something in: the object it belongs to, its case; where neither is known, its address. */
static uint64_t within_of(const struct activity *a)
{
    struct span object = activity_get(a, STR_OBJECT), in_case = activity_get(a, STR_CASE);
    if (object.size || in_case.size)
        return hash64(object.size ? object : in_case, KIND_FILE);
    return hash64(target_path(activity_get(a, STR_TARGET)), hash64(activity_get(a, STR_HOST), KIND_FILE));
}

static uint64_t file_of(const struct activity *a)
{
    if (!tally_takes_file(a))
        return 0;
    struct span object = activity_get(a, STR_OBJECT);
    if (object.size && activity_get(a, STR_FILE).size == 0)
        return hash64(object, KIND_FILE) | 1;
    /* one id can name several files (an attachment of a case), so the name belongs to it */
    struct span name = activity_get(a, STR_FILE).size ? activity_get(a, STR_FILE) : activity_get(a, STR_TARGET);
    return hash64(name, within_of(a)) | 1;
}

static uint64_t case_of(const struct activity *a)
{
    struct span name = activity_get(a, STR_CASE);
    return name.size ? hash64(name, KIND_CASE) | 1 : 0;
}

static uint64_t customer_of(const struct activity *a)
{
    struct span name = activity_get(a, STR_CUSTOMER);
    return name.size ? hash64(name, KIND_CUSTOMER) | 1 : 0;
}

static uint64_t of_today(const struct scene *s, uint64_t what)
{
    return what ^ (uint64_t)s->b->day << 40;
}

void tally_fetch_open(const struct tally *t, const struct activity *a)
{
    fifo_fetch(t->open, a->id);
}

void tally_fetch_case(const struct tally *t, const struct scene *s)
{
    uint64_t in_case = case_of(s->a);
    if (!in_case)
        return;
    map_fetch(t->things, &(struct thing_key){s->credential, of_today(s, in_case)});
    if (s->visit->whose)
        map_fetch(t->things, &(struct thing_key){s->visit->whose, in_case});
}

static bool is_first_today(struct tally *t, const struct scene *s, uint64_t what)
{
    if (!what)
        return false;
    what = of_today(s, what);
    uint64_t *seen = &s->live->seen[(what >> 8) % LIVE_SEEN];
    if (*seen == what)
        return false;
    *seen = what;
    return tally_first(t, s->credential, what);
}

static uint32_t org_of(uint64_t customer)
{
    uint32_t org = (uint32_t)(customer >> 16);
    return org == 0 || org == BASELINE_ORG_MANY ? 1 : org;
}

/* A customer that this credential has never touched. Says nothing while there is no baseline or the filter is full. */
static void note_first_customer(struct scene *s, uint64_t customer)
{
    struct baseline *b = s->b;
    struct live_day *today = &s->live->today;
    bool is_full = bloom_load(b->customers, CUSTOMER_WORDS) >= BLOOM_FULL;
    bool is_known = bloom_has(b->customers, CUSTOMER_WORDS, customer);
    today->met += !is_full;
    today->strangers += !is_full && !is_known;
    if (b->today_alerted || b->flags & BASELINE_FROZEN)
        return;
    if (!is_full)
        ratio_add(&b->strange, !is_known);
    if (b->org != BASELINE_ORG_MANY)
        b->org = b->org == 0 || b->org == org_of(customer) ? org_of(customer) : BASELINE_ORG_MANY;
    if (is_known)
        return;
    if (s->is_mature && !s->is_young && bloom_load(b->customers, CUSTOMER_WORDS) < BLOOM_FULL &&
        b->first_customers[0] < UINT8_MAX)
        b->first_customers[0]++;
    bloom_add(b->customers, CUSTOMER_WORDS, customer);
}

static void list_customer(struct customer_list *list, uint64_t customer)
{
    if (list->n < ALERT_RELATED_MAX)
        list->hash[list->n++] = customer;
}

static void remember_name(struct tally *t, uint64_t customer, struct span name)
{
    bool is_new;
    struct customer_name *kept = map_touch(t->names, &customer, &is_new);
    struct span cut = span_sub(name, 0, sizeof kept->text - 1);
    if (is_new && cut.at != NULL && cut.size)
        memcpy(kept->text, cut.at, cut.size);
}

struct span tally_customer_name(const struct tally *t, uint64_t hash)
{
    const struct customer_name *kept = map_find(t->names, &hash);
    return kept ? span_text(kept->text) : SPAN("");
}

static void count_in_visit(struct tally *t, struct scene *s, uint64_t in_case, uint64_t customer)
{
    struct visit *v = s->visit;
    if (!v->whose)
        return;
    s->count.is_case = in_case && tally_first(t, v->whose, in_case);
    s->count.is_customer = customer && tally_first(t, v->whose, customer);
    v->totals.cases += s->count.is_case;
    v->totals.customers += s->count.is_customer;
    if (s->count.is_customer)
        list_customer(&v->customers, customer);
}

static void count_names(struct tally *t, struct scene *s)
{
    uint64_t in_case = case_of(s->a), customer = customer_of(s->a);
    s->is_case = is_first_today(t, s, in_case);
    s->is_customer = is_first_today(t, s, customer);
    s->b->today_cases += s->is_case;
    s->b->today_customers += s->is_customer;
    count_in_visit(t, s, in_case, customer);
    if (!s->is_customer)
        return;
    remember_name(t, customer, activity_get(s->a, STR_CUSTOMER));
    if (s->live->day != s->b->day)
        s->live->customers.n = 0;
    s->live->day = s->b->day;
    list_customer(&s->live->customers, customer);
    note_first_customer(s, customer);
}

static void remember_open(struct tally *t, const struct scene *s)
{
    bool is_new;
    struct tally_open *open = fifo_put(t->open, s->a->id);
    *open = (struct tally_open){.day = s->b->day, .bytes = s->a->body_bytes, .is_file = s->takes_file};
    open->visit = (struct visit_key){.credential = s->credential,
                                     .agent = s->visit->client.agent,
                                     .family = s->visit->client.family,
                                     .is_v6 = s->visit->place.is_v6};
    memcpy(open->visit.prefix, s->visit->place.prefix, sizeof open->visit.prefix);
    struct holder *holder = map_touch(t->holders, &s->credential, &is_new);
    if (is_new)
        memcpy(holder->name, s->b->name, BASELINE_NAME_MAX);
}

/* Its case, or that case's customer, may become known later. */
static bool lacks_names(const struct scene *s)
{
    return s->a->size[STR_CASE] ? !s->a->size[STR_CUSTOMER] : s->takes_file && s->a->size[STR_OBJECT];
}

static void count_file(struct tally *t, struct scene *s)
{
    struct baseline *b = s->b;
    struct visit *v = s->visit;
    uint64_t file = file_of(s->a);
    s->is_file = is_first_today(t, s, file);
    b->files += s->is_file;
    b->today_files += s->is_file;
    if (b->window_files < UINT16_MAX)
        b->window_files = (uint16_t)(b->window_files + s->is_file);
    s->count.is_file = v->whose && tally_first(t, v->whose, file);
    v->totals.files += s->count.is_file;
    count_bytes(t, s, s->a->body_bytes, true);
}

void tally_act(struct tally *t, struct scene *s, struct baseline *peers)
{
    s->takes_file = tally_takes_file(s->a);
    if (s->takes_file || s->a->size[STR_CASE])
        learn_window(s->b, peers, s->now_s / WINDOW_S);
    count_names(t, s);
    if (s->takes_file)
        count_file(t, s);
    if ((s->takes_file && !(s->a->flags & ACT_COMPLETE)) || lacks_names(s))
        remember_open(t, s);
}

struct tally_open *tally_find(struct tally *t, const uint8_t id[16])
{
    return fifo_find(t->open, id);
}

struct span tally_holder(const struct tally *t, const struct tally_open *open)
{
    const struct holder *holder = map_find(t->holders, &open->visit.credential);
    return holder ? span_text(holder->name) : SPAN("");
}

void tally_amend(struct tally *t, struct scene *s, struct tally_open *open)
{
    uint64_t more = s->a->body_bytes > open->bytes ? s->a->body_bytes - open->bytes : 0;
    open->bytes += more;
    if (s->b->day == open->day)
        count_names(t, s);
    else
        count_in_visit(t, s, case_of(s->a), customer_of(s->a));
    if (open->is_file)
        count_bytes(t, s, more, s->b->day == open->day);
    s->takes_file = open->is_file;
}
