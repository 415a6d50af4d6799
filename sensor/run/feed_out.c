/* SPDX-License-Identifier: Apache-2.0
 * An entry's id in the stream is the number of its last candidate, so that Redis itself refuses what it has. Watermarks without
 * candidates stand behind the last entry as NUMBER-1, NUMBER-2, ...; they are in no log. The loop is this module's own and turns inside
 * feed_out_turn. */
#include "run/feed_out.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "run/feed_batch.h"
#include "run/feed_link.h"
#include "store/log_reader.h"
#include "store/log_writer.h"

#define WINDOW 100000u     /* candidates in the stream that no analyser has taken yet */
#define ON_THEIR_WAY 64u   /* entries */
#define ASK_MS 200u        /* how far the analysers are */
#define MARK_NS 40000000u  /* packet time between watermarks */
#define MARK_AGAIN_MS 1000u
#define END_SUB 4000000000u

enum { COUNT_CANDIDATES, COUNT_ENTRIES, COUNT_SENT, COUNT_AGAIN, COUNT_MARKS, COUNT_LOST, COUNT_UNREADABLE, COUNT_N };
static const struct counter_def defs[] = {
    {"feed_candidates", "candidates", "told by the packet half"},
    {"feed_entries", "entries", "of candidates written to the sensor's log"},
    {"feed_sent", "entries", "taken by the stream"},
    {"feed_again", "entries", "offered to the stream again, which had them already"},
    {"feed_marks", "entries", "that only say how far packet time has come"},
    {"feed_lost", "candidates", "lost because the disk took nothing for too long"},
    {"feed_unreadable", "lines", "of the sensor's log that are no entry: damaged, or of another version"},
};
_Static_assert(sizeof defs / sizeof *defs == COUNT_N, "one each");

struct feed_out {
    const char *name; /* borrowed */
    struct loop *loop;
    struct feed_link *link;
    struct log_writer *log;
    struct log_reader *reader; /* what is to be sent; NULL: not begun */
    struct span lines;         /* of it, not yet sent */
    struct feed_build build;
    struct text packed, line;
    uint64_t next;             /* number of the next candidate */
    uint64_t now_ns, marked_ns, marked_ms, asked_ms, done_ns;
    uint64_t logged, sent, acked, taken; /* numbers: in the log, sent, in the stream, taken by the analysers */
    uint64_t top_sub;          /* of the last id with number 'acked' */
    uint32_t on_their_way, greeting;
    bool is_greeted, is_broken, is_told, is_ended, end_acked, is_foreign;
    bool is_taken_there;       /* 'taken' was read since the greeting: Redis has it, and keeps it unless it is emptied */
    bool is_all_sent;          /* the reader is at its end */
    uint8_t entry[FEED_BATCH_MAX];
    uint64_t counts[COUNT_N];
};

/* --- the log --- */

static bool last_number(struct feed_out *f, struct span line, uint64_t *number)
{
    struct feed_batch b;
    struct feed_item item;
    struct text why = {.max = 256};
    bool is_good = feed_batch_read(feed_line_read(line, f->entry), &b, &why) == E_OK;
    while (is_good && feed_batch_next(&b, &item))
        *number = item.number;
    text_fini(&why);
    return is_good;
}

static struct span last_line(struct span lines)
{
    struct span s = span_sub(lines, 0, lines.size ? lines.size - 1 : 0);
    const uint8_t *before = s.size ? memrchr(s.at, '\n', s.size) : NULL;
    return before ? span_from(s, (size_t)(before - s.at) + 1) : s;
}

/* Where a log that is there already ends. */
static int find_end(struct feed_out *f, const char *dir, struct text *why)
{
    struct log_reader *r;
    struct span lines;
    int rc;
    if (!segments_are_in(dir))
        return E_OK;
    if ((rc = log_reader_open(&r, dir, why)))
        return rc;
    while ((rc = log_reader_lines(r, &lines, why)) > 0) {
        uint64_t number = 0;
        struct span line = last_line(lines);
        bool is_good = last_number(f, line, &number);
        while (is_good && !number && line.at > lines.at) { /* an end has none */
            line = last_line(span_sub(lines, 0, (size_t)(line.at - lines.at)));
            is_good = last_number(f, line, &number);
        }
        f->logged = number > f->logged ? number : f->logged;
        if (is_good)
            continue;
        text_addf(why, "%s: this is no log of a sensor's feed; choose another directory", dir);
        rc = E_BAD;
        break;
    }
    log_reader_free(r);
    return rc;
}

static void end_entry(struct feed_out *f, uint32_t flags)
{
    uint64_t last = f->next - 1;
    feed_line(feed_build_end(&f->build, f->now_ns, flags), &f->line);
    if (!log_writer_append(f->log, text_span(&f->line), f->done_ns ? f->done_ns : f->now_ns))
        f->counts[COUNT_LOST] += last - f->logged;
    f->logged = last;
    f->counts[COUNT_ENTRIES]++;
    f->is_all_sent = false;
}

void feed_out_candidate(struct feed_out *f, const struct activity *candidate)
{
    text_clear(&f->packed);
    activity_pack(candidate, &f->packed);
    feed_build_add(&f->build, &(struct feed_item){span_text(f->name), text_span(&f->packed), f->next++});
    f->done_ns = candidate->done_ns > f->done_ns ? candidate->done_ns : f->done_ns;
    f->counts[COUNT_CANDIDATES]++;
    if (feed_build_is_full(&f->build))
        end_entry(f, 0);
}

/* --- what is on its way --- */

/* What is not known to have arrived is looked up, and sent again. */
static void break_off(struct feed_out *f)
{
    f->is_broken = true;
    f->end_acked = false;
}

static void on_added(void *ctx, const struct redis_reply *reply)
{
    struct feed_out *f = ctx;
    f->on_their_way--;
    if (reply && reply_kind(reply) == REPLY_TEXT) {
        uint64_t number = 0, sub = 0;
        if (feed_id_read(reply_text(reply), &number, &sub) && number >= f->acked) {
            f->acked = number;
            f->top_sub = sub;
            f->end_acked = f->end_acked || (!f->is_broken && f->is_ended && sub >= END_SUB && number == f->logged);
        }
        feed_link_worked(f->link);
        return;
    }
    if (reply && span_find(reply_text(reply), SPAN("equal or smaller"), 0) != SIZE_MAX) {
        f->counts[COUNT_AGAIN]++;
        break_off(f); /* what it has is asked */
        return;
    }
    if (reply)
        feed_link_refused(f->link, reply);
    break_off(f);
}

static bool send_entry(struct feed_out *f, struct span entry, uint64_t number, uint64_t sub)
{
    char id[FEED_ID_MAX];
    feed_id_text(number, sub, id);
    struct span words[] = {SPAN("XADD"), span_text(feed_link_key(f->link, FEED_STREAM, f->name)), span_text(id), SPAN("b"), entry};
    if (!feed_link_send(f->link, words, sizeof words / sizeof *words, on_added, f))
        return false;
    f->on_their_way++;
    return true;
}

/* One line of the log; false when it has to wait. */
static bool send_line(struct feed_out *f, struct span line)
{
    struct feed_batch b;
    uint64_t number = f->sent;
    if (!last_number(f, line, &number)) {
        if (f->counts[COUNT_UNREADABLE]++ == 0)
            log_warn("feed: a line of the sensor's log is no entry; it is left out");
        return true;
    }
    struct text ignored = {.max = 64};
    struct span entry = feed_line_read(line, f->entry);
    (void)feed_batch_read(entry, &b, &ignored); /* it was read just now */
    text_fini(&ignored);
    bool is_end = b.flags & FEED_BATCH_END;
    bool is_there = is_end ? number < f->acked || (number == f->acked && f->top_sub >= END_SUB) : number <= f->acked;
    if (is_there || (is_end && number < f->logged)) { /* an end that is followed by more was none */
        f->sent = number > f->sent ? number : f->sent;
        f->end_acked = f->end_acked || (is_end && is_there && f->is_ended && number == f->logged);
        return true;
    }
    if (number > f->taken + WINDOW && number > f->acked + 1 && f->acked > f->taken + WINDOW / 2)
        return false;
    if (f->on_their_way >= ON_THEIR_WAY || !send_entry(f, entry, number, is_end ? END_SUB : 0))
        return false;
    f->sent = number;
    f->counts[COUNT_SENT]++;
    return true;
}

static void send_lines(struct feed_out *f)
{
    struct text why = {0};
    while (!f->is_broken && feed_link_takes(f->link)) {
        size_t end = span_find_byte(f->lines, '\n', 0);
        if (end == SIZE_MAX) {
            int rc = log_reader_lines(f->reader, &f->lines, &why);
            if (rc > 0)
                continue;
            f->lines = span_of(NULL, 0);
            f->is_all_sent = rc == 0;
            if (rc < 0)
                log_warn("feed: the sensor's log cannot be read: %s", text_str(&why));
            break;
        }
        if (!send_line(f, span_sub(f->lines, 0, end)))
            break;
        f->lines = span_from(f->lines, end + 1);
    }
    text_fini(&why);
}

/* Nothing waits: how far packet time has come is news. Said again now and then, so that the sensor does not look silent. */
static void send_mark(struct feed_out *f)
{
    uint64_t now_ms = loop_now_ms(f->loop);
    bool is_due = f->now_ns >= f->marked_ns + MARK_NS || now_ms >= f->marked_ms + MARK_AGAIN_MS;
    if (!f->is_all_sent || f->on_their_way || !is_due || f->is_ended || f->acked != f->logged || f->build.n)
        return;
    struct feed_build mark = {0};
    if (send_entry(f, feed_build_end(&mark, f->now_ns, 0), f->acked, f->top_sub + 1)) {
        f->marked_ns = f->now_ns;
        f->marked_ms = now_ms;
        f->counts[COUNT_MARKS]++;
    }
    feed_build_fini(&mark);
}

/* --- the stream --- */

/* Sending begins behind what the stream has, or had. */
static void begin(struct feed_out *f)
{
    struct text why = {0};
    f->greeting = 0;
    if (f->acked > f->logged || f->taken > f->logged) {
        if (!f->is_foreign)
            log_warn("feed: the stream of sensor %s reaches to %llu and its log only to %llu: another sensor has this name, or the log was lost",
                     f->name, (unsigned long long)(f->acked > f->taken ? f->acked : f->taken), (unsigned long long)f->logged);
        f->is_foreign = true;
        return;
    }
    if (f->taken > f->acked) /* the stream was emptied, and needs nothing of what the analysers have */
        f->acked = f->taken;
    log_reader_free(f->reader);
    f->reader = NULL;
    f->lines = span_of(NULL, 0);
    f->sent = 0;
    f->end_acked = false;
    f->marked_ms = 0;
    if (segments_are_in(log_writer_dir(f->log)) && log_reader_open(&f->reader, log_writer_dir(f->log), &why))
        log_warn("feed: the sensor's log cannot be read: %s", text_str(&why));
    f->is_greeted = true;
    text_fini(&why);
}

static void on_sensor(void *ctx, const struct redis_reply *reply)
{
    struct feed_out *f = ctx;
    if (!reply || reply_kind(reply) == REPLY_ERROR) {
        if (reply)
            feed_link_refused(f->link, reply);
        break_off(f);
    }
}

static void on_stream(void *ctx, const struct redis_reply *reply)
{
    struct feed_out *f = ctx;
    if (!reply) {
        break_off(f);
        return;
    }
    bool is_none = reply_kind(reply) == REPLY_ERROR && span_find(reply_text(reply), SPAN("no such key"), 0) != SIZE_MAX;
    if (reply_kind(reply) == REPLY_ERROR && !is_none) {
        feed_link_refused(f->link, reply);
        break_off(f);
        return;
    }
    feed_last_id(is_none ? NULL : reply, &f->acked, &f->top_sub);
}

static bool read_taken(struct feed_out *f, const struct redis_reply *reply)
{
    uint64_t taken = 0;
    bool is_said = reply_kind(reply) == REPLY_TEXT && span_u64(reply_text(reply), &taken);
    if (is_said)
        f->taken = taken;
    f->is_taken_there = f->is_taken_there || is_said;
    return is_said;
}

static void on_greeted(void *ctx, const struct redis_reply *reply)
{
    struct feed_out *f = ctx;
    f->greeting = 0;
    if (!reply || f->is_broken)
        return;
    (void)read_taken(f, reply); /* nobody has taken anything yet */
    begin(f);
}

static void greet(struct feed_out *f)
{
    struct span name = span_text(f->name);
    f->is_broken = f->is_greeted = f->is_taken_there = false;
    f->greeting = 1;
    struct span declare[] = {SPAN("HSET"), span_text(feed_link_key(f->link, FEED_SENSORS, NULL)), name, SPAN("1")};
    bool is_sent = feed_link_send(f->link, declare, 4, on_sensor, f);
    struct span info[] = {SPAN("XINFO"), SPAN("STREAM"), span_text(feed_link_key(f->link, FEED_STREAM, f->name))};
    is_sent = is_sent && feed_link_send(f->link, info, 3, on_stream, f);
    struct span taken[] = {SPAN("HGET"), span_text(feed_link_key(f->link, FEED_TAKEN, NULL)), name};
    is_sent = is_sent && feed_link_send(f->link, taken, 3, on_greeted, f);
    f->greeting = is_sent;
}

static void on_link(void *ctx)
{
    break_off(ctx);
}

static void on_taken(void *ctx, const struct redis_reply *reply)
{
    struct feed_out *f = ctx;
    if (!reply || read_taken(f, reply) || !f->is_taken_there || reply_kind(reply) != REPLY_NIL)
        return;
    /* Emptied under our hands: what was added since stands behind a hole. */
    struct span words[] = {SPAN("DEL"), span_text(feed_link_key(f->link, FEED_STREAM, f->name))};
    (void)feed_link_send(f->link, words, 2, NULL, NULL); /* else the connection goes, and all is looked up anew */
    break_off(f);
}

static void ask_taken(struct feed_out *f)
{
    if (loop_now_ms(f->loop) < f->asked_ms + ASK_MS)
        return;
    f->asked_ms = loop_now_ms(f->loop);
    struct span words[] = {SPAN("HGET"), span_text(feed_link_key(f->link, FEED_TAKEN, NULL)), span_text(f->name)};
    (void)feed_link_send(f->link, words, 3, on_taken, f); /* else it is asked the next time */
}

static void pump(struct feed_out *f)
{
    feed_link_turn(f->link);
    if (!feed_link_takes(f->link) || f->is_foreign)
        return;
    if ((!f->is_greeted || f->is_broken) && !f->greeting && !f->on_their_way)
        greet(f);
    if (!f->is_greeted || f->is_broken)
        return;
    ask_taken(f);
    if (!f->reader && f->logged)
        begin(f); /* the log's first segment is there now */
    if (f->reader)
        send_lines(f);
    else
        f->is_all_sent = true;
    send_mark(f);
}

void feed_out_turn(struct feed_out *f, uint64_t now_ns)
{
    f->now_ns = now_ns > f->now_ns ? now_ns : f->now_ns;
    if (f->build.n)
        end_entry(f, 0);
    bool is_safe = log_writer_sync(f->log); /* nobody is told what a power cut could take back */
    (void)log_writer_turn(f->log); /* whether more is left to pack shows the next one */
    if (is_safe)
        pump(f);
    (void)loop_run_once(f->loop, 0); /* it fails only without memory: then nothing arrives, and is told at the end */
}

uint64_t feed_out_waiting(const struct feed_out *f)
{
    return f->logged - (f->acked < f->logged ? f->acked : f->logged);
}

/* --- life --- */

static int check(const struct settings *s, struct text *why)
{
    const char *missing = !s->redis ? "--redis URL" : !s->name ? "--name NAME" : !s->log ? "--log DIR" : NULL;
    if (missing)
        text_addf(why, "--role sensor needs %s", missing);
    else if (!feed_name_is_good(s->name))
        text_addf(why, "--name: '%s' is none of 1 to %d letters, digits, dots, dashes", s->name, FEED_NAME_MAX);
    else if (s->state)
        text_add_str(why, "--state: a sensor keeps no baselines; the analysers do");
    else
        return E_OK;
    return E_USAGE;
}

int feed_out_open(struct feed_out **out, const struct settings *s, struct text *why)
{
    *out = NULL;
    int rc = check(s, why);
    struct feed_out *f = rc ? NULL : calloc(1, sizeof *f);
    if (!f)
        return rc ? rc : E_NOMEM;
    f->name = s->name;
    f->build.body.max = f->build.out.max = f->packed.max = f->line.max = (size_t)1 << 20;
    rc = find_end(f, s->log, why);
    f->next = f->logged + 1;
    if (rc == E_OK)
        rc = log_writer_open(&f->log, &(struct log_options){.dir = s->log, .keep_days = (uint32_t)s->log_days}, why);
    if (rc == E_OK && !(f->loop = loop_new()))
        rc = E_NOMEM;
    if (rc == E_OK)
        rc = feed_link_open(&f->link, f->loop, &(struct feed_link_options){.url = s->redis, .on_up = on_link, .ctx = f}, why);
    for (unsigned i = 0; rc == E_OK && i < 200 && feed_link_is_up(f->link) && !f->is_greeted && !f->is_foreign; i++) {
        pump(f);
        (void)loop_run_once(f->loop, 10); /* a stream that is not ours is to be told now */
    }
    if (rc == E_OK && f->is_foreign) {
        text_addf(why, "the stream of sensor %s in Redis is ahead of %s: another sensor has this name, or its log was lost; choose another --name", s->name, s->log);
        rc = E_STATE;
    }
    if (rc) {
        feed_out_free(f);
        return rc;
    }
    *out = f;
    return E_OK;
}

int feed_out_end(struct feed_out *f, uint64_t now_ns, uint32_t ms, struct text *why)
{
    uint64_t until_ms = loop_now_ms(f->loop) + ms;
    feed_out_turn(f, now_ns);
    end_entry(f, FEED_BATCH_END);
    f->is_ended = true;
    do {
        feed_out_turn(f, now_ns);
        (void)loop_run_once(f->loop, 2);
    } while (!f->end_acked && loop_now_ms(f->loop) < until_ms);
    if (f->counts[COUNT_LOST])
        text_addf(why, "the sensor's log is not complete: %s", log_writer_trouble(f->log));
    return f->counts[COUNT_LOST] ? E_IO : E_OK;
}

void feed_out_tell(const struct feed_out *f, struct text *out)
{
    text_addf(out, "feed      %llu candidates of sensor %s, %llu in all; the stream has them to %llu\n",
              (unsigned long long)f->counts[COUNT_CANDIDATES], f->name, (unsigned long long)f->logged, (unsigned long long)f->acked);
    if (!f->end_acked)
        text_add_str(out, "note      Redis has not got everything: the log keeps it, and it is sent after the next start\n");
    if (*log_writer_trouble(f->log))
        text_addf(out, "note      %s\n", log_writer_trouble(f->log));
}

struct counters feed_out_counters(const struct feed_out *f)
{
    return (struct counters){defs, f->counts, COUNT_N};
}

void feed_out_free(struct feed_out *f)
{
    struct text ignored = {0};
    if (!f)
        return;
    feed_link_free(f->link);
    log_reader_free(f->reader);
    (void)log_writer_close(f->log, &ignored); /* what was lost is counted */
    loop_free(f->loop);
    feed_build_fini(&f->build);
    text_fini(&f->packed);
    text_fini(&f->line);
    text_fini(&ignored);
    free(f);
}
