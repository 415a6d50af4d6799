/* SPDX-License-Identifier: Apache-2.0
 * Random conversations of HTTP/2 with random losses. Each request says in its target what is true of it; whatever is told
 * of status, host and size must be that, or be marked as not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/h2_build.h"

#define STREAMS 40u
#define SEGMENT 700u

static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % n;
}

struct tally {
    unsigned told, paired, exact, marked, wrong, open;
};

static void on_request(void *ctx, struct transaction *t, struct body_tap *tap)
{
    (void)tap; /* bodies are only counted */
    ((struct tally *)ctx)->open++;
    t->note = ctx;
}

static void on_response(void *ctx, struct transaction *t, struct body_tap *tap)
{
    (void)tap; /* bodies are only counted */
    ((struct tally *)ctx)->open += t->note == NULL;
    t->note = ctx;
}

/* "/STREAM/STATUS/SIZE" */
static void on_end(void *ctx, struct transaction *t)
{
    struct tally *k = ctx;
    char target[64], host[32];
    unsigned stream, status, size;
    k->told++;
    k->open--;
    snprintf(target, sizeof target, "%.*s", (int)t->target.size, t->target.size ? (const char *)t->target.at : "");
    if (sscanf(target, "/%u/%u/%u", &stream, &status, &size) != 3) {
        k->wrong += !(t->flags & (TXN_NO_REQUEST | TXN_PARTIAL));
        return;
    }
    const struct body_measure *m = &t->response_body;
    snprintf(host, sizeof host, "h%u.example", stream % 7);
    bool is_exact = m->is_complete && (m->known == SIZE_OBSERVED || m->known == SIZE_DECLARED);
    bool is_wrong = stream != t->stream_id || (t->status && t->status != status) || (is_exact && m->bytes != size) ||
                    m->missing > m->bytes || (t->host.size && !span_eq(t->host, span_text(host))) ||
                    (!t->host.size && !(t->flags & TXN_PARTIAL)) || (m->missing && !(t->flags & TXN_GAP));
    if (is_wrong)
        print_error("%s: %u %u bytes, host %.*s, flags %x\n", target, t->status, (unsigned)m->bytes, (int)t->host.size,
                    (const char *)t->host.at, t->flags);
    k->wrong += is_wrong;
    k->paired += t->status != 0;
    k->exact += t->status && is_exact;
    k->marked += (t->flags & (TXN_GAP | TXN_PARTIAL)) != 0;
}

/* The bytes of both directions in the order they are sent. */
struct script {
    struct {
        size_t at, size;
        int direction;
    } chunk[4000];
    size_t n;
};

static void line(struct h2_build *b, struct script *s, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void line(struct h2_build *b, struct script *s, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    b->n = 0;
    size_t at = b->used;
    h2_line(b, text);
    bool goes_on = s->n && s->chunk[s->n - 1].direction == (text[0] == 'S');
    if (!goes_on) {
        s->chunk[s->n].at = at;
        s->chunk[s->n].direction = text[0] == 'S';
        s->chunk[s->n++].size = 0;
    }
    s->chunk[s->n - 1].size += b->used - at;
}

static void write_talk(struct h2_build *b, struct script *s)
{
    unsigned left[STREAMS], stream, next = 0, done = 0;
    bool is_open[STREAMS] = {false};
    line(b, s, "C preface");
    line(b, s, "C settings 3=100");
    line(b, s, "S settings 3=100");
    while (done < STREAMS) {
        unsigned i = random_below(STREAMS);
        if (random_below(3) == 0 && next < STREAMS) {
            i = next++;
            stream = 2 * i + 1;
            left[i] = random_below(4) ? random_below(6000) : random_below(20);
            is_open[i] = true;
            unsigned status = random_below(5) ? 200 : 404;
            line(b, s, "C headers %u e%s :method=GET :path=/%u/%u/%u :authority=h%u.example user-agent=agent%u", stream,
                 random_below(4) ? "" : "c", stream, status, left[i], stream % 7, random_below(3));
            line(b, s, "S headers %u - :status=%u server=s%u%s%u", stream, status, random_below(4),
                 random_below(2) ? " content-length=" : " x=", left[i]);
        } else if (i < next && is_open[i]) {
            unsigned n = left[i] < 3000 ? left[i] : 1 + random_below(3000);
            left[i] -= n;
            line(b, s, "S data %u %s%s %u", 2 * i + 1, left[i] ? "-" : "e", random_below(6) ? "" : "p", n);
            is_open[i] = left[i] != 0;
            done += left[i] == 0;
        }
    }
}

static struct tally play(const struct h2_build *b, const struct script *s, unsigned loss, size_t segment)
{
    struct tally k = {0};
    struct conn_hooks hooks = {&k, on_request, on_response, on_end};
    struct conn_pool *pool = conn_pool_new(&(struct conn_limits){4, 64}, &hooks);
    struct flow_info info = {.hash = 1, .saw = {true, true}};
    struct conn *c = conn_new(pool, &info);
    uint64_t now_ns = 1;
    for (size_t i = 0; i < s->n; i++) {
        for (size_t at = 0; at < s->chunk[i].size; at += segment, now_ns++) {
            size_t n = s->chunk[i].size - at < segment ? s->chunk[i].size - at : segment;
            if (i && random_below(1000) < loss)
                conn_gap(c, s->chunk[i].direction, n, true, now_ns);
            else
                conn_data(c, s->chunk[i].direction, span_of(b->room + s->chunk[i].at + at, n), now_ns);
        }
    }
    conn_end(c, now_ns);
    conn_pool_free(pool);
    k.wrong += k.open;
    return k;
}

static void loss_never_makes_a_false_fact(void **state)
{
    (void)state;
    static const unsigned losses[] = {0, 3, 10, 30, 100, 300};
    static struct h2_build b;
    static struct talk_row row;
    static struct script s;
    for (size_t l = 0; l < sizeof losses / sizeof losses[0]; l++) {
        struct tally sum = {0};
        for (uint32_t seed = 1; seed <= 100; seed++) {
            random_state = seed * 7919;
            b = (struct h2_build){.row = &row};
            s.n = 0;
            write_talk(&b, &s);
            struct tally k = play(&b, &s, losses[l], seed % 2 ? SEGMENT : 1 + random_below(2000));
            for (int dir = 0; dir < 2; dir++)
                nghttp2_hd_deflate_del(b.deflater[dir]);
            sum = (struct tally){sum.told + k.told,   sum.paired + k.paired, sum.exact + k.exact,
                                 sum.marked + k.marked, sum.wrong + k.wrong, 0};
        }
        print_message("loss of %u in 1000 segments: of %u requests %u told, %u with their answer, %u with its exact size, %u marked\n",
                      losses[l], 100 * STREAMS, sum.told, sum.paired, sum.exact, sum.marked);
        assert_int_equal(sum.wrong, 0);
        assert_true(losses[l] || (sum.exact == 100 * STREAMS && sum.marked == 0));
        assert_true(losses[l] > 10 || sum.paired > 90 * STREAMS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_never_makes_a_false_fact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
