/* SPDX-License-Identifier: Apache-2.0
 * The leader: sensors' streams in, merged by packet time, the order out. It applies nothing itself before it reads it there. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/times.h"
#include "run/feed_parts.h"

#define LIST_MS 300u
#define TAKEN_MS 200u
#define AWAY_MS 10000u
#define GAP_MS 3000u
#define WAITING_MAX 20000u     /* candidates of one sensor in memory */
#define MARKS_KEPT 500u        /* in the stream of a sensor that tells nothing */
#define ORDER_ENTRIES 200000u  /* in Redis, whatever the slowest analyser is doing */

/* --- what the sensors say --- */

static int input_of(const struct feed_sensor *s)
{
    return (int)(s - s->owner->sensors);
}

static void await(struct feed_sensor *s)
{
    merge_await(s->owner->merge, input_of(s), s->is_listed && s->is_live && !s->is_ended && !s->is_away);
}

static void refuse(struct feed_sensor *s, const char *why)
{
    if (s->owner->counts[FEED_REFUSED]++ == 0)
        log_warn("feed: sensor %s: %s; it is left out, further ones are counted", s->name, why);
}

/* A candidate that is the next one; false when there is a hole before it which may yet be filled. */
static bool take_item(struct feed_sensor *s, const struct feed_item *item)
{
    struct feed_in *f = s->owner;
    struct activity a;
    struct text why = {.max = 256};
    if (!span_eq(item->sensor, span_text(s->name))) {
        refuse(s, "a candidate of another sensor");
        return true;
    }
    if (item->number <= s->read) {
        f->counts[FEED_DOUBLE]++;
        return true;
    }
    if (item->number > s->read + 1 && (!s->gap_ms || loop_now_ms(f->loop) < s->gap_ms + GAP_MS)) {
        s->gap_ms = s->gap_ms ? s->gap_ms : loop_now_ms(f->loop);
        return false;
    }
    if (item->number > s->read + 1) {
        log_warn("feed: sensor %s: %llu candidates are missing: its log has lost them", s->name,
                 (unsigned long long)(item->number - s->read - 1));
        f->counts[FEED_MISSING] += item->number - s->read - 1;
    }
    s->gap_ms = 0;
    s->read = item->number;
    if (activity_unpack(item->packed, &a, &why) == E_OK) {
        uint64_t head[2] = {item->number, a.done_ns};
        text_clear(&f->value);
        text_add(&f->value, span_of(head, sizeof head));
        text_add(&f->value, item->packed);
        struct merge_key key = {.done_ns = a.done_ns, .flow_hash = a.flow_hash, .number = a.number};
        (void)merge_push(f->merge, input_of(s), &key, f->value.at, f->value.size); /* without memory the process is at its end */
        f->is_end_told = false;
    } else {
        refuse(s, text_str(&why));
    }
    text_fini(&why);
    return true;
}

static bool take_entry(struct feed_sensor *s, const struct redis_reply *entry)
{
    struct feed_batch b;
    struct feed_item item;
    struct text why = {.max = 256};
    uint64_t number = 0, sub = 0;
    bool is_whole = reply_size(entry) == 2 && feed_id_read(reply_text(reply_item(entry, 0)), &number, &sub);
    const struct redis_reply *pair = is_whole ? reply_item(entry, 1) : NULL;
    struct span bytes = pair && reply_size(pair) == 2 ? reply_text(reply_item(pair, 1)) : span_of(NULL, 0);
    bool is_next = true;
    if (feed_batch_read(bytes, &b, &why)) {
        if (!is_whole || number != s->bad)
            refuse(s, text_str(&why)); /* once, though it is read again while the hole it leaves may yet be filled */
        s->bad = number;
    } else {
        while (is_next && feed_batch_next(&b, &item))
            is_next = take_item(s, &item);
        if (is_next) {
            s->now_ns = b.now_ns > s->now_ns ? b.now_ns : s->now_ns;
            s->is_ended = b.flags & FEED_BATCH_END;
            merge_mark(s->owner->merge, input_of(s), b.now_ns);
        }
    }
    s->at = is_next && is_whole ? number : s->read;
    s->sub = is_next && is_whole ? sub : 0;
    text_fini(&why);
    return is_next;
}

static void on_stream(void *ctx, const struct redis_reply *reply)
{
    struct feed_sensor *s = ctx;
    struct feed_in *f = s->owner;
    s->is_asked = false;
    if (!f->is_ready || !reply || reply_kind(reply) != REPLY_LIST || reply_size(reply) != 1)
        return;
    const struct redis_reply *items = reply_size(reply_item(reply, 0)) == 2 ? reply_item(reply_item(reply, 0), 1) : NULL;
    bool was_away = s->is_away;
    for (size_t i = 0; items && i < reply_size(items); i++)
        if (!take_entry(s, reply_item(items, i)))
            break;
    s->heard_ms = loop_now_ms(f->loop);
    s->is_away = false;
    s->is_live = true;
    if (was_away)
        log_warn("feed: sensor %s is heard again", s->name);
    await(s);
}

static void ask_stream(struct feed_sensor *s)
{
    struct feed_in *f = s->owner;
    char id[FEED_ID_MAX];
    if (s->is_asked || !s->is_listed || merge_waiting(f->merge, input_of(s)) > WAITING_MAX)
        return;
    feed_id_text(s->at, s->sub, id);
    struct span words[] = {SPAN("XREAD"), SPAN("COUNT"), SPAN("32"), SPAN("STREAMS"),
                           span_text(feed_link_key(f->link, FEED_STREAM, s->name)), span_text(id)};
    s->is_asked = feed_link_send(f->link, words, sizeof words / sizeof *words, on_stream, s);
}

/* Which sensors there are: name and 1, or 0 of one that has ended and had everything taken. */
static void on_sensors(void *ctx, const struct redis_reply *reply)
{
    struct feed_in *f = ctx;
    for (size_t i = 0; reply && f->is_ready && i + 1 < reply_size(reply); i += 2) {
        struct feed_sensor *s = feed_sensor_of(f, reply_text(reply_item(reply, i)));
        if (!s || s->is_listed)
            continue;
        s->is_listed = true;
        s->is_live = span_eq(reply_text(reply_item(reply, i + 1)), SPAN("1"));
        s->heard_ms = loop_now_ms(f->loop);
        await(s);
    }
    f->has_listed = f->has_listed || (reply && f->is_ready && reply_kind(reply) == REPLY_LIST);
}

static void ask_sensors(struct feed_in *f)
{
    struct span words[] = {SPAN("HGETALL"), span_text(feed_link_key(f->link, FEED_SENSORS, NULL))};
    (void)feed_link_send(f->link, words, 2, on_sensors, f); /* else the next time */
}

/* Nothing waits for ever for one that says nothing. */
static void look_away(struct feed_in *f)
{
    uint64_t now_ms = loop_now_ms(f->loop);
    for (int i = 0; i < f->n; i++) {
        struct feed_sensor *s = &f->sensors[i];
        bool is_silent = s->is_listed && s->is_live && !s->is_ended && !s->is_away && now_ms >= s->heard_ms + AWAY_MS;
        if (!is_silent)
            continue;
        log_warn("feed: nothing was heard of sensor %s for %u s: it is not waited for", s->name, AWAY_MS / 1000);
        f->counts[FEED_AWAY]++;
        s->is_away = true;
        await(s);
    }
}

/* --- the order --- */

static void on_appended(void *ctx, const struct redis_reply *reply)
{
    struct feed_in *f = ctx;
    f->on_their_way--;
    if (reply && reply_kind(reply) == REPLY_TEXT) {
        feed_link_worked(f->link);
        return;
    }
    if (reply && span_starts(reply_text(reply), SPAN("FENCED"))) {
        f->counts[FEED_FENCED_OUT]++;
        f->lease_ms = 0; /* gone */
    } else if (reply && span_find(reply_text(reply), SPAN("equal or smaller"), 0) == SIZE_MAX) {
        feed_link_refused(f->link, reply);
    }
    feed_lead_reset(f);
}

static bool append(struct feed_in *f, struct span entry, uint64_t number)
{
    char id[FEED_ID_MAX];
    feed_id_text(number, 0, id);
    struct text key = {0};
    text_add_str(&key, feed_link_key(f->link, FEED_ORDER, NULL));
    struct span words[] = {SPAN("XADD"), text_span(&key), span_text(id), SPAN("b"), entry};
    bool is_sent = feed_in_fenced(f, words, sizeof words / sizeof *words, on_appended, f);
    f->on_their_way += is_sent;
    text_fini(&key);
    return is_sent;
}

/* The latest watermark: how far packet time is when nobody is waited for. */
static uint64_t latest(const struct feed_in *f)
{
    uint64_t now_ns = 0;
    for (int i = 0; i < f->n; i++)
        now_ns = f->sensors[i].now_ns > now_ns ? f->sensors[i].now_ns : now_ns;
    return now_ns;
}

static bool have_all_ended(const struct feed_in *f)
{
    bool is_any = false;
    for (int i = 0; i < f->n; i++) {
        const struct feed_sensor *s = &f->sensors[i];
        if (merge_waiting(f->merge, i) || (s->is_listed && s->is_live && !s->is_ended) || s->gap_ms)
            return false;
        is_any = is_any || s->is_ended || (s->is_listed && !s->is_live);
    }
    return is_any;
}

/* One entry; false when there is nothing to say. */
static bool make_entry(struct feed_in *f)
{
    uint64_t head[2] = {0}, now_ns = merge_now(f->merge);
    const void *value;
    size_t size;
    int input;
    bool is_more = true;
    while (!feed_build_is_full(&f->build) && (is_more = merge_pop(f->merge, &input, &value, &size))) {
        memcpy(head, value, sizeof head);
        feed_build_add(&f->build, &(struct feed_item){span_text(f->sensors[input].name),
                                                      span_of((const uint8_t *)value + sizeof head, size - sizeof head), head[0]});
    }
    now_ns = is_more ? head[1] : now_ns == UINT64_MAX ? latest(f) : now_ns;
    bool is_end = !is_more && !f->is_end_told && have_all_ended(f);
    if (!f->build.n && !is_end && now_ns / NS_PER_S <= f->last_now_s)
        return false;
    f->last_now_s = now_ns / NS_PER_S > f->last_now_s ? now_ns / NS_PER_S : f->last_now_s;
    f->is_end_told = f->is_end_told || is_end;
    if (append(f, feed_build_end(&f->build, now_ns, is_end ? FEED_BATCH_END : 0), f->sent + 1))
        f->sent++;
    else
        feed_lead_reset(f); /* the connection went */
    return f->is_ready;
}

/* --- what is kept in Redis no longer --- */

static void tell_taken(struct feed_sensor *s)
{
    struct feed_in *f = s->owner;
    bool is_done = s->is_ended && s->durable == s->read && s->is_live;
    char number[24], id[FEED_ID_MAX];
    if (s->durable == s->told && !is_done && (s->at != s->durable || s->sub < s->told_sub + MARKS_KEPT))
        return;
    snprintf(number, sizeof number, "%llu", (unsigned long long)s->durable);
    struct text key = {0};
    text_add_str(&key, feed_link_key(f->link, FEED_TAKEN, NULL));
    struct span taken[] = {SPAN("HSET"), text_span(&key), span_text(s->name), span_text(number)};
    bool is_sent = feed_in_fenced(f, taken, 4, NULL, NULL);
    if (is_sent && is_done) {
        text_clear(&key);
        text_add_str(&key, feed_link_key(f->link, FEED_SENSORS, NULL));
        struct span ended[] = {SPAN("HSET"), text_span(&key), span_text(s->name), SPAN("0")};
        s->is_live = !feed_in_fenced(f, ended, 4, NULL, NULL);
        await(s);
    }
    text_clear(&key);
    text_add_str(&key, feed_link_key(f->link, FEED_STREAM, s->name));
    feed_id_text(s->durable, s->durable == s->at ? s->sub : 0, id);
    struct span trim[] = {SPAN("XTRIM"), text_span(&key), SPAN("MINID"), span_text(id)};
    if (is_sent && feed_in_fenced(f, trim, 4, NULL, NULL)) {
        s->told = s->durable;
        s->told_sub = s->durable == s->at ? s->sub : 0;
    }
    text_fini(&key);
}

static void on_positions(void *ctx, const struct redis_reply *reply)
{
    struct feed_in *f = ctx;
    uint64_t least = f->durable, position;
    char id[FEED_ID_MAX];
    if (!reply || reply_kind(reply) != REPLY_LIST)
        return;
    for (size_t i = 0; i < reply_size(reply); i++)
        if (span_u64(reply_text(reply_item(reply, i)), &position) && position < least)
            least = position;
    if (f->durable > ORDER_ENTRIES && least < f->durable - ORDER_ENTRIES)
        least = f->durable - ORDER_ENTRIES; /* it will have to begin from a copy, and says so */
    feed_id_text(least, 0, id);
    struct text key = {0};
    text_add_str(&key, feed_link_key(f->link, FEED_ORDER, NULL));
    struct span trim[] = {SPAN("XTRIM"), text_span(&key), SPAN("MINID"), span_text(id)};
    (void)feed_in_fenced(f, trim, 4, NULL, NULL); /* else the next time */
    text_fini(&key);
}

static void trim(struct feed_in *f)
{
    for (int i = 0; i < f->n; i++)
        tell_taken(&f->sensors[i]);
    struct span words[] = {SPAN("HVALS"), span_text(feed_link_key(f->link, FEED_ANALYSERS, NULL))};
    (void)feed_link_send(f->link, words, 2, on_positions, f); /* else the next time */
}

/* --- entries that Redis has lost --- */

static void restore_begin(struct feed_in *f, uint64_t from)
{
    struct text why = {0};
    log_reader_free(f->restore);
    f->restore = NULL;
    f->restore_from = from;
    f->restore_at = 0;
    if (from < f->position && log_reader_open(&f->restore, f->o.journal, &why))
        log_warn("feed: what Redis has lost of the order cannot be written again: %s", text_str(&why));
    text_fini(&why);
}

/* A block of the journal; true while there is more. */
static bool restore_some(struct feed_in *f)
{
    struct text why = {0};
    struct span lines, line;
    int rc = f->restore ? log_reader_lines(f->restore, &lines, &why) : 0;
    if (f->restore && f->restore_at == 0)
        f->restore_at = log_reader_first(f->restore);
    while (rc > 0 && span_split(&lines, '\n', &line) && f->is_ready) {
        if (!line.size)
            continue;
        uint64_t number = f->restore_at++;
        if (number <= f->restore_from || number > f->position)
            continue;
        if (!append(f, feed_line_read(line, f->entry), number)) {
            feed_lead_reset(f); /* too many on their way, or the connection went: begun again from what is there by then */
            break;
        }
        f->counts[FEED_RESTORED]++;
    }
    if (rc <= 0) {
        log_reader_free(f->restore);
        f->restore = NULL;
    }
    text_fini(&why);
    return f->restore;
}

/* --- life --- */

void feed_lead_begin(struct feed_in *f, uint64_t last, uint64_t least)
{
    merge_clear(f->merge);
    f->is_ready = true;
    f->has_listed = false;
    f->is_end_told = false;
    f->sent = f->position;
    f->build.n = 0;
    f->asked_streams_ms = f->trimmed_ms = 0;
    for (int i = 0; i < f->n; i++) {
        struct feed_sensor *s = &f->sensors[i];
        s->read = s->at = s->applied;
        s->sub = s->now_ns = s->gap_ms = s->bad = s->told_sub = 0;
        s->told = UINT64_MAX;
        s->is_listed = s->is_live = s->is_ended = s->is_away = s->is_asked = false;
        await(s);
    }
    restore_begin(f, last ? last : least);
    ask_sensors(f);
}

void feed_lead_reset(struct feed_in *f)
{
    f->is_ready = false;
}

static void lead(struct feed_in *f)
{
    uint64_t now_ms = loop_now_ms(f->loop);
    if (now_ms >= f->asked_streams_ms + LIST_MS) {
        f->asked_streams_ms = now_ms;
        ask_sensors(f);
    }
    for (int i = 0; i < f->n; i++)
        ask_stream(&f->sensors[i]);
    look_away(f);
    while (f->has_listed && f->is_ready && f->on_their_way < ORDER_ON_THEIR_WAY && make_entry(f))
        continue;
    f->counts[FEED_LATE] = merge_late(f->merge);
    if (now_ms >= f->trimmed_ms + TAKEN_MS) {
        f->trimmed_ms = now_ms;
        trim(f);
    }
}

void feed_lead_turn(struct feed_in *f)
{
    if (!f->is_ready)
        return;
    if (f->restore) {
        if (f->on_their_way == 0)
            (void)restore_some(f);
        return;
    }
    lead(f);
}
