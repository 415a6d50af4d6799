/* SPDX-License-Identifier: Apache-2.0
 * The order is read by all alike, the leader too: what counts is what stands there. */
#include "run/feed_in.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/log.h"
#include "run/feed_parts.h"

#define LEASE_MS 3000u
#define ASK_MS 300u
#define SETTLE_MS 1000u /* after a connection, before the lease is asked for: the others say how far they are */
#define ALONE_MS 30000u /* so long an analyser that is further than all others is waited for */
#define READ_COUNT "64"

static const struct counter_def defs[] = {
    {"feed_entries", "entries", "of the order applied"},
    {"feed_candidates", "candidates", "applied"},
    {"feed_late", "candidates", "came behind later ones: their sensor was late or away (as leader)"},
    {"feed_refused", "entries", "damaged, of another version, or not ours: left out (as leader)"},
    {"feed_missing", "candidates", "of sensors that were never there: their logs have lost them (as leader)"},
    {"feed_double", "candidates", "offered again, and had already (as leader)"},
    {"feed_away", "sensors", "not waited for because nothing was heard of them (as leader)"},
    {"feed_leads", "times", "the lease was taken"},
    {"feed_fenced_out", "writes", "refused because another analyser has the lease"},
    {"feed_restored", "entries", "of the order written again because Redis had lost them"},
};
_Static_assert(sizeof defs / sizeof *defs == FEED_COUNTERS, "one each");

static const char lease_script[] =
    "local h=redis.call('GET',KEYS[1]) local i=redis.pcall('XINFO','STREAM',KEYS[3]) local last=0 "
    "if not i.err then for k=1,#i,2 do if i[k]=='last-generated-id' then last=tonumber(string.match(i[k+1],'^%d+')) end end end "
    "local mine=tonumber(ARGV[3]) local most=mine local least=mine "
    "for _,v in ipairs(redis.call('HVALS',KEYS[4])) do local p=tonumber(string.match(v,'^%d+')) or 0 "
    "if p>most then most=p end if p<least then least=p end end "
    "local c=tonumber(redis.call('GET',KEYS[2]) or 0) if c<tonumber(ARGV[6]) then return {-2,last,most,least,c} end "
    "if h==ARGV[1]..' '..ARGV[2] then redis.call('PEXPIRE',KEYS[1],ARGV[4]) return {tonumber(ARGV[2]),last,most,least,c} end "
    "if h then return {0,last,most,least,c} end "
    "if last>mine or (most>mine and ARGV[5]=='0') then return {-1,last,most,least,c} end "
    "local e=redis.call('INCR',KEYS[2]) if e<=tonumber(ARGV[2]) then e=tonumber(ARGV[2])+1 redis.call('SET',KEYS[2],e) end "
    "redis.call('SET',KEYS[1],ARGV[1]..' '..e,'PX',ARGV[4]) return {e,last,most,least,e}";

static const char fence_script[] =
    "if redis.call('GET',KEYS[1])~=ARGV[1] then return redis.error_reply('FENCED another has the lease') end "
    "if ARGV[2]=='HASH' then redis.call('DEL',KEYS[2]) if #ARGV<3 then return 0 end return redis.call('HSET',KEYS[2],unpack(ARGV,3)) end "
    "return redis.call(ARGV[2],KEYS[2],unpack(ARGV,3))";

struct feed_sensor *feed_sensor_of(struct feed_in *f, struct span name)
{
    for (int i = 0; i < f->n; i++)
        if (span_eq(name, span_text(f->sensors[i].name)))
            return &f->sensors[i];
    if (f->n == FEED_SENSORS_MAX || name.size > FEED_NAME_MAX || merge_input(f->merge) != f->n)
        return NULL;
    struct feed_sensor *s = &f->sensors[f->n++];
    memcpy(s->name, name.at, name.size);
    s->owner = f;
    merge_await(f->merge, f->n - 1, false); /* until it is listed */
    return s;
}

void feed_in_applied(struct feed_in *f, struct span entry)
{
    struct feed_batch b;
    struct feed_item item;
    struct text ignored = {.max = 64};
    if (feed_batch_read(entry, &b, &ignored) == E_OK)
        while (feed_batch_next(&b, &item)) {
            struct feed_sensor *s = feed_sensor_of(f, item.sensor);
            if (s && item.number > s->applied)
                s->applied = item.number;
            f->counts[FEED_CANDIDATES]++;
        }
    f->position++;
    f->counts[FEED_ENTRIES]++;
    text_fini(&ignored);
}

void feed_in_durable(struct feed_in *f)
{
    f->durable = f->position;
    for (int i = 0; i < f->n; i++)
        f->sensors[i].durable = f->sensors[i].applied;
}

uint64_t feed_in_position(const struct feed_in *f)
{
    return f->position;
}

bool feed_in_leads(const struct feed_in *f)
{
    return f->is_leader;
}

/* --- the order --- */

static void stop(struct feed_in *f, int code)
{
    f->is_over = true;
    log_warn("feed: %s", text_str(&f->trouble));
    f->o.on_end(f->o.ctx, code);
}

/* One [id, [field, value]] of the stream. */
static void take_entry(struct feed_in *f, const struct redis_reply *item)
{
    struct feed_batch b;
    struct text why = {.max = 256};
    uint64_t number = 0, sub = 0;
    bool is_whole = reply_size(item) == 2 && feed_id_read(reply_text(reply_item(item, 0)), &number, &sub);
    const struct redis_reply *pair = is_whole ? reply_item(item, 1) : NULL;
    struct span entry = pair && reply_size(pair) == 2 ? reply_text(reply_item(pair, 1)) : span_of(NULL, 0);
    if (number && number <= f->position) {
        text_fini(&why); /* it was asked for twice */
        return;
    }
    if (number != f->position + 1) {
        text_addf(&f->trouble, "the order of what happened goes on at %llu and this analyser is at %llu: what lies between is gone; "
                  "put a copy of another analyser's directory in the place of its own", (unsigned long long)number, (unsigned long long)f->position);
        stop(f, E_STATE);
    } else if (feed_batch_read(entry, &b, &why)) {
        text_addf(&f->trouble, "entry %llu of the order: %s", (unsigned long long)number, text_str(&why));
        stop(f, E_BAD);
    } else {
        f->o.on_entry(f->o.ctx, entry);
    }
    text_fini(&why);
}

static void on_order(void *ctx, const struct redis_reply *reply)
{
    struct feed_in *f = ctx;
    f->is_reading = false;
    if (!reply || reply_kind(reply) != REPLY_LIST || reply_size(reply) != 1)
        return; /* nothing new, or the connection went */
    const struct redis_reply *stream = reply_item(reply, 0);
    const struct redis_reply *items = reply_size(stream) == 2 ? reply_item(stream, 1) : NULL;
    for (size_t i = 0; items && i < reply_size(items) && !f->is_over; i++)
        take_entry(f, reply_item(items, i));
}

static void read_order(struct feed_in *f)
{
    char id[FEED_ID_MAX];
    if (f->is_reading)
        return;
    feed_id_text(f->position, 0, id);
    struct span words[] = {SPAN("XREAD"), SPAN("COUNT"), SPAN(READ_COUNT), SPAN("STREAMS"),
                           span_text(feed_link_key(f->link, FEED_ORDER, NULL)), span_text(id)};
    f->is_reading = feed_link_send(f->link, words, sizeof words / sizeof *words, on_order, f);
}

/* --- the lease --- */

static void lose(struct feed_in *f, const char *why)
{
    if (!f->is_leader)
        return;
    f->is_leader = false;
    log_warn("feed: no longer the leader: %s", why);
    feed_lead_reset(f);
    f->o.on_lead(f->o.ctx, false);
}

static int64_t answer(const struct redis_reply *reply, size_t i)
{
    return i < reply_size(reply) ? reply_number(reply_item(reply, i)) : 0;
}

static void on_lease(void *ctx, const struct redis_reply *reply)
{
    struct feed_in *f = ctx;
    f->is_asking = false;
    if (!reply || reply_kind(reply) != REPLY_LIST || reply_size(reply) != 5) {
        if (reply && reply_kind(reply) == REPLY_ERROR)
            feed_link_refused(f->link, reply);
        return;
    }
    int64_t epoch = answer(reply, 0);
    uint64_t last = (uint64_t)answer(reply, 1), least = (uint64_t)answer(reply, 3);
    f->alone_ms = epoch == -1 && last <= f->position ? f->alone_ms : loop_now_ms(f->loop);
    f->seen_epoch = (uint64_t)answer(reply, 4);
    if (epoch == -2) { /* Redis was emptied, or is older than it was: the others are to say how far they are */
        f->up_ms = loop_now_ms(f->loop);
        f->told_ms = 0;
        f->seen_epoch = 0;
    }
    if (epoch <= 0) {
        lose(f, "another has the lease");
        return;
    }
    f->lease_ms = f->asked_ms + LEASE_MS;
    f->epoch = (uint64_t)epoch;
    snprintf(f->holder, sizeof f->holder, "%s %llu", f->name, (unsigned long long)epoch);
    if (!f->is_leader) {
        f->is_leader = true;
        f->counts[FEED_LEADS]++;
        log_warn("feed: leads from entry %llu on", (unsigned long long)f->position + 1);
        f->o.on_lead(f->o.ctx, true);
    }
    if (!f->is_ready && !f->on_their_way && last <= f->position)
        feed_lead_begin(f, last, least);
}

static void ask_lease(struct feed_in *f)
{
    char epoch[24], position[24], ms[16], seen[24];
    uint64_t now_ms = loop_now_ms(f->loop);
    bool may_take = f->is_leader || now_ms >= f->up_ms + SETTLE_MS;
    if (f->is_asking || now_ms < f->asked_ms + ASK_MS || !may_take)
        return;
    f->asked_ms = now_ms;
    snprintf(epoch, sizeof epoch, "%llu", (unsigned long long)f->epoch);
    snprintf(position, sizeof position, "%llu", (unsigned long long)f->position);
    snprintf(ms, sizeof ms, "%u", LEASE_MS);
    snprintf(seen, sizeof seen, "%llu", (unsigned long long)f->seen_epoch);
    char lease[80], counter[80], order[80];
    snprintf(lease, sizeof lease, "%s", feed_link_key(f->link, FEED_LEASE, NULL));
    snprintf(counter, sizeof counter, "%s", feed_link_key(f->link, FEED_EPOCH, NULL));
    snprintf(order, sizeof order, "%s", feed_link_key(f->link, FEED_ORDER, NULL));
    bool is_alone = now_ms >= f->alone_ms + ALONE_MS;
    struct span words[] = {SPAN("EVAL"), span_text(lease_script), SPAN("4"), span_text(lease), span_text(counter), span_text(order),
                           span_text(feed_link_key(f->link, FEED_ANALYSERS, NULL)), span_text(f->name), span_text(epoch),
                           span_text(position), span_text(ms), span_text(is_alone ? "1" : "0"), span_text(seen)};
    f->is_asking = feed_link_send(f->link, words, sizeof words / sizeof *words, on_lease, f);
}

bool feed_in_fenced(struct feed_in *f, const struct span *words, unsigned n, feed_fenced_fn *done, void *ctx)
{
    struct span all[FEED_FENCED_WORDS + 8];
    char lease[80];
    ASSERT(n >= 2 && n <= FEED_FENCED_WORDS);
    if (!f->is_leader)
        return false;
    snprintf(lease, sizeof lease, "%s", feed_link_key(f->link, FEED_LEASE, NULL));
    all[0] = SPAN("EVAL");
    all[1] = span_text(fence_script);
    all[2] = SPAN("2");
    all[3] = span_text(lease);
    all[4] = words[1];
    all[5] = span_text(f->holder);
    all[6] = words[0];
    memcpy(all + 7, words + 2, (n - 2) * sizeof *words);
    return feed_link_send(f->link, all, n + 5, done, ctx);
}

bool feed_in_ask(struct feed_in *f, const struct span *words, unsigned n, feed_fenced_fn *done, void *ctx)
{
    return feed_link_send(f->link, words, n, done, ctx);
}

uint32_t feed_in_room(const struct feed_in *f)
{
    return feed_link_room(f->link);
}

const char *feed_in_sinks_key(struct feed_in *f)
{
    return feed_link_key(f->link, FEED_SINKS, NULL);
}

/* --- life --- */

/* How far this one is, for who trims and who may lead. */
static void tell_position(struct feed_in *f)
{
    char position[24];
    uint64_t now_ms = loop_now_ms(f->loop);
    if (now_ms < f->told_ms + ASK_MS)
        return;
    f->told_ms = now_ms;
    snprintf(position, sizeof position, "%llu", (unsigned long long)f->durable);
    struct span words[] = {SPAN("HSET"), span_text(feed_link_key(f->link, FEED_ANALYSERS, NULL)), span_text(f->name), span_text(position)};
    (void)feed_link_send(f->link, words, 4, NULL, NULL); /* else it is told the next time */
}

static void on_link(void *ctx)
{
    struct feed_in *f = ctx;
    f->up_ms = f->alone_ms = loop_now_ms(f->loop);
    f->told_ms = 0;
    f->is_reading = f->is_asking = false;
    feed_lead_reset(f);
}

void feed_in_turn(struct feed_in *f)
{
    if (f->is_over)
        return;
    feed_link_turn(f->link);
    if (f->is_leader && loop_now_ms(f->loop) >= f->lease_ms)
        lose(f, "the lease could not be renewed in time");
    if (!feed_link_takes(f->link))
        return;
    tell_position(f);
    ask_lease(f);
    read_order(f);
    if (f->is_leader)
        feed_lead_turn(f);
}

static int check(const struct settings *s, struct text *why)
{
    const char *missing = !s->redis ? "--redis URL" : !s->name ? "--name NAME" : !s->out ? "--out DIR" : NULL;
    const char *foreign = s->interface ? "interface" : s->state ? "state" : s->feedback ? "feedback" : s->keylogs.n ? "keylog" : NULL;
    if (missing)
        text_addf(why, "--role analyser needs %s", missing);
    else if (!feed_name_is_good(s->name))
        text_addf(why, "--name: '%s' is none of 1 to %d letters, digits, dots, dashes", s->name, FEED_NAME_MAX);
    else if (foreign)
        text_addf(why, "--%s: an analyser does without", foreign);
    else
        return E_OK;
    return E_USAGE;
}

int feed_in_open(struct feed_in **out, struct loop *loop, const struct feed_in_options *o, struct text *why)
{
    *out = NULL;
    int rc = check(o->settings, why);
    struct feed_in *f = rc ? NULL : calloc(1, sizeof *f);
    if (!f)
        return rc ? rc : E_NOMEM;
    f->o = *o;
    f->name = o->settings->name;
    f->loop = loop;
    f->build.body.max = f->build.out.max = f->value.max = (size_t)1 << 20;
    f->sensors = calloc(FEED_SENSORS_MAX, sizeof *f->sensors);
    f->merge = merge_new();
    rc = f->sensors && f->merge ? E_OK : E_NOMEM;
    if (rc == E_OK)
        rc = feed_link_open(&f->link, loop, &(struct feed_link_options){.url = o->settings->redis, .on_up = on_link, .ctx = f}, why);
    if (rc) {
        feed_in_free(f);
        return rc;
    }
    *out = f;
    return E_OK;
}

static void on_given_back(void *ctx, const struct redis_reply *reply)
{
    bool *is_done = ctx;
    (void)reply; /* if it was not given back it runs out */
    *is_done = true;
}

void feed_in_end(struct feed_in *f, uint32_t ms)
{
    bool is_done = false;
    uint64_t until_ms = loop_now_ms(f->loop) + ms;
    struct span words[] = {SPAN("DEL"), span_text(feed_link_key(f->link, FEED_LEASE, NULL))};
    struct text key = {0};
    text_add(&key, words[1]);
    words[1] = text_span(&key);
    if (feed_in_fenced(f, words, 2, on_given_back, &is_done))
        while (!is_done && loop_now_ms(f->loop) < until_ms)
            (void)loop_run_once(f->loop, 5); /* it fails only without memory: the lease runs out then */
    f->is_leader = false;
    text_fini(&key);
}

const char *feed_in_trouble(const struct feed_in *f)
{
    return text_str(&f->trouble);
}

void feed_in_tell(const struct feed_in *f, struct text *out)
{
    text_addf(out, "feed      %llu candidates of %d sensors in %llu entries; led %llu times\n",
              (unsigned long long)f->counts[FEED_CANDIDATES], f->n, (unsigned long long)f->position, (unsigned long long)f->counts[FEED_LEADS]);
    if (f->counts[FEED_REFUSED])
        text_addf(out, "not seen  %llu entries of sensors that could not be read\n", (unsigned long long)f->counts[FEED_REFUSED]);
    if (f->counts[FEED_MISSING])
        text_addf(out, "not seen  %llu candidates that sensors have lost\n", (unsigned long long)f->counts[FEED_MISSING]);
}

struct counters feed_in_counters(const struct feed_in *f)
{
    return (struct counters){defs, f->counts, FEED_COUNTERS};
}

void feed_in_free(struct feed_in *f)
{
    if (!f)
        return;
    feed_link_free(f->link);
    log_reader_free(f->restore);
    merge_free(f->merge);
    free(f->sensors);
    feed_build_fini(&f->build);
    text_fini(&f->value);
    text_fini(&f->trouble);
    free(f);
}
