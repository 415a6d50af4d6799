/* SPDX-License-Identifier: Apache-2.0
 * The message machine of one direction, and the head parser, under any bytes: what comes out stays inside of what went
 * in, adds up to it, and does not depend on the cut. Input: one byte of settings, then the bytes; 0xfe followed by a
 * byte is a gap of so many bytes. */
#include "base/hash.h"
#include "wire/http1.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
    uint64_t data, skipped, passed, events, heads;
    uint64_t digest; /* of the order of events and all data */
};

#define CHECK(condition) ((condition) ? (void)0 : abort())

static void mix(struct tally *t, uint64_t value)
{
    t->digest = hash64(span_of(&value, sizeof value), t->digest);
}

static void mix_bytes(struct tally *t, struct span s)
{
    for (size_t i = 0; i < s.size; i++) /* one by one: data events are cut as the input is */
        mix(t, s.at[i]);
}

static void check_fields(const struct http1_head *head, struct span in)
{
    for (uint16_t i = 0; i < head->fields.n; i++) {
        struct field f = head->fields.list[i];
        CHECK(f.name.size && f.name.at >= in.at && f.name.at + f.name.size <= in.at + in.size);
        CHECK(f.value.at >= in.at && f.value.at + f.value.size <= in.at + in.size);
    }
}

static void on_head(struct http1 *h, struct http1_memory *memory, const struct http1_out *out, struct tally *t)
{
    static struct field list[16];
    struct http1_head head = {.fields = {list, 0, 16, false}};
    mix_bytes(t, out->data);
    if (http1_head_parse(out->data, (enum http1_role)h->role, &head))
        abort(); /* the machine lets only heads through that parse */
    check_fields(&head, out->data);
    bool is_request = h->role == HTTP1_REQUEST;
    struct span host = is_request ? http1_head_host(&head) : span_of(NULL, 0);
    CHECK(host.size <= out->data.size);
    struct http1_body body =
        is_request ? http1_head_request_body(&head) : http1_head_response_body(&head, span_of(NULL, 0));
    if (!is_request && head.status / 100 == 1)
        http1_ignore(h, memory);
    else
        http1_follow(h, memory, &body, !is_request);
    t->heads++;
}

static void on_event(struct http1 *h, struct http1_memory *memory, enum http1_event event, const struct http1_out *out,
                     struct tally *t)
{
    if (event != HTTP1_DATA) {
        t->events++;
        mix(t, event);
    }
    switch (event) {
    case HTTP1_HEAD: on_head(h, memory, out, t); break;
    case HTTP1_DATA:
        CHECK(out->data.size);
        t->data += out->data.size;
        mix_bytes(t, out->data);
        break;
    case HTTP1_SKIP: t->skipped += out->size; break;
    case HTTP1_PASSED: t->passed += out->size; break;
    case HTTP1_FOREIGN: http1_seek(h, HTTP1_EITHER, 1000); break;
    default: mix_bytes(t, out->data);
    }
}

static void step_all(struct http1 *h, struct http1_memory *memory, struct http1_input in, struct tally *t)
{
    struct http1_out out;
    enum http1_event event;
    while ((event = http1_step(h, &in, memory, &out)) != HTTP1_MORE)
        on_event(h, memory, event, &out, t);
    CHECK(in.bytes.size == 0 && in.gap == 0);
}

static void feed(struct http1 *h, struct http1_memory *memory, struct span bytes, size_t piece, struct tally *t)
{
    while (bytes.size) {
        struct span part = span_sub(bytes, 0, piece);
        uint8_t *copy = malloc(part.size);
        memcpy(copy, part.at, part.size);
        step_all(h, memory, (struct http1_input){.bytes = span_of(copy, part.size)}, t);
        free(copy);
        bytes = span_from(bytes, part.size);
    }
}

static struct tally run(struct http1_memory *memory, enum http1_role role, struct span in, size_t piece)
{
    struct tally t = {0};
    struct http1 h;
    struct http1_out out;
    http1_init(&h, role);
    while (in.size) {
        size_t gap = span_find_byte(in, 0xfe, 0);
        feed(&h, memory, span_sub(in, 0, gap), piece, &t);
        in = span_from(in, gap == SIZE_MAX ? in.size : gap + 1);
        if (gap != SIZE_MAX && in.size) {
            step_all(&h, memory, (struct http1_input){.gap = in.at[0]}, &t);
            in = span_from(in, 1);
        }
    }
    if (http1_finish(&h, &out))
        mix_bytes(&t, out.data);
    http1_fini(&h, memory);
    CHECK(pool_used(memory->small) == 0 && pool_used(memory->large) == 0);
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http1_memory memory;
    if (!memory.small) {
        memory.small = pool_new(HTTP1_SMALL, 2);
        memory.large = pool_new(HTTP1_MAX_HEAD, 2);
    }
    if (size < 1)
        return 0;
    enum http1_role role = (enum http1_role)(1 + data[0] % 3);
    struct span in = span_of(data + 1, size - 1);
    struct tally whole = run(&memory, role, in, SIZE_MAX);
    CHECK(whole.data <= in.size);
    static const size_t pieces[] = {1, 3, 50};
    for (size_t i = 0; i < 3; i++) {
        struct tally cut = run(&memory, role, in, pieces[i]);
        if (memcmp(&whole, &cut, sizeof cut) != 0) {
            fprintf(stderr, "whole: %llu data %llu events %llu heads; pieces of %zu: %llu %llu %llu\n",
                    (unsigned long long)whole.data, (unsigned long long)whole.events, (unsigned long long)whole.heads,
                    pieces[i], (unsigned long long)cut.data, (unsigned long long)cut.events,
                    (unsigned long long)cut.heads);
            abort();
        }
    }
    return 0;
}
