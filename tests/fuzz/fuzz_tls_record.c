/* SPDX-License-Identifier: Apache-2.0
 * The record layer of TLS under any bytes and gaps: what comes out is in order, stays inside of what went in, is not
 * more than that, and does not depend on the cut. Input: one byte of settings (what is wanted of records, joined
 * midstream), then the bytes; 0xfe followed by a byte is a gap of so many bytes. */
#include "base/hash.h"
#include "wire/tls_record.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

struct tally {
    uint64_t events, records, accounted;
    uint64_t digest; /* of the order of events and all data */
};

struct play {
    struct tls_record_memory *memory;
    struct tls_record_reader reader;
    uint8_t settings;
    bool is_inside; /* TLS_RECORD_HEAD came */
    struct tally tally;
};

static void mix(struct tally *t, uint64_t value)
{
    t->digest = hash64(span_of(&value, sizeof value), t->digest);
}

static void want(struct play *p)
{
    static const struct {
        size_t head, tail;
    } wishes[] = {{0, 0}, {9, 0}, {17, 32}, {0, 3}, {20000, 1}};
    unsigned wish = p->settings >> 1 & 7u;
    if (wish < sizeof wishes / sizeof *wishes)
        tls_record_want(&p->reader, wishes[wish].head, wishes[wish].tail);
}

static void on_event(struct play *p, enum tls_record_event event, const struct tls_record_out *out)
{
    struct tally *t = &p->tally;
    bool is_end = event == TLS_RECORD_BODY || event == TLS_RECORD_MEASURED;
    t->events++;
    mix(t, event);
    mix(t, (uint64_t)out->head.type << 32 | (uint64_t)out->head.version << 16 | out->head.length);
    mix(t, out->size);
    mix(t, out->missing);
    t->digest = hash64(out->data, t->digest);
    t->digest = hash64(out->tail, t->digest);
    CHECK(!out->is_refused);
    if (event == TLS_RECORD_HEAD || is_end) {
        CHECK(out->head.length <= TLS_RECORD_MAX && out->head.type >= 20 && out->head.type <= 24);
        CHECK(out->data.size + out->tail.size <= out->head.length && out->missing <= out->head.length);
    }
    CHECK(p->is_inside == is_end); /* a head, its end, nothing between */
    p->is_inside = event == TLS_RECORD_HEAD;
    if (event == TLS_RECORD_HEAD) {
        CHECK(out->head.number == t->records++);
        t->accounted += TLS_RECORD_HEADER;
        want(p);
    } else if (is_end) {
        t->accounted += out->head.length - (out->is_cut ? out->missing : 0);
    } else if (event == TLS_RECORD_FOUND || event == TLS_RECORD_FOREIGN) {
        CHECK(out->missing <= out->size);
        t->accounted += out->size;
    }
}

static void step_all(struct play *p, struct tls_record_input in)
{
    struct tls_record_out out;
    enum tls_record_event event;
    while ((event = tls_record_step(&p->reader, p->memory, &in, &out)) != TLS_RECORD_MORE)
        on_event(p, event, &out);
    CHECK(in.bytes.size == 0 && in.gap == 0);
}

static void feed(struct play *p, struct span bytes, size_t piece)
{
    while (bytes.size) {
        struct span part = span_sub(bytes, 0, piece);
        uint8_t *copy = malloc(part.size);
        memcpy(copy, part.at, part.size);
        step_all(p, (struct tls_record_input){.bytes = span_of(copy, part.size)});
        free(copy);
        bytes = span_from(bytes, part.size);
    }
}

static struct tally run(struct tls_record_memory *memory, uint8_t settings, struct span in, size_t piece)
{
    struct play p = {.memory = memory, .settings = settings};
    uint64_t total = 0;
    tls_record_init(&p.reader);
    if (settings & 1)
        tls_record_seek(&p.reader, settings >> 4 ? 64u * (settings >> 4) : 0);
    while (in.size) {
        size_t gap = span_find_byte(in, 0xfe, 0);
        struct span bytes = span_sub(in, 0, gap);
        feed(&p, bytes, piece);
        total += bytes.size;
        in = span_from(in, gap == SIZE_MAX ? in.size : gap + 1);
        if (gap != SIZE_MAX && in.size) {
            step_all(&p, (struct tls_record_input){.gap = in.at[0]});
            total += in.at[0];
            in = span_from(in, 1);
        }
    }
    tls_record_finish(&p.reader);
    step_all(&p, (struct tls_record_input){.gap = 0});
    CHECK(!p.is_inside);
    CHECK(p.tally.accounted <= total);
    tls_record_fini(&p.reader, memory);
    CHECK(pool_used(memory->blocks) == 0);
    return p.tally;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_record_memory memory;
    if (!memory.blocks)
        memory.blocks = pool_new(TLS_RECORD_BLOCK, 1);
    if (size < 1)
        return 0;
    struct span in = span_of(data + 1, size - 1);
    struct tally whole = run(&memory, data[0], in, SIZE_MAX);
    static const size_t pieces[] = {1, 3, 50};
    for (size_t i = 0; i < 3; i++) {
        struct tally cut = run(&memory, data[0], in, pieces[i]);
        CHECK(memcmp(&whole, &cut, sizeof cut) == 0);
    }
    (void)tls_record_probe(in); /* only that it stays inside */
    return 0;
}
