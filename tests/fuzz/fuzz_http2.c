/* SPDX-License-Identifier: Apache-2.0
 * HTTP/2 from its frames to its transactions, with any gaps and ends, whole and in pieces: never a wrong byte of memory,
 * every transaction ended once, and the same transactions however the bytes are cut. Input as for fuzz_conn: one byte of
 * settings, then steps; bit 5 of the settings: HTTP/2 was agreed upon; bit 6: the client's preface comes first. */
#include "support/talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_steps(struct talk_row *row, struct span in, size_t n)
{
    size_t max = sizeof row->steps / sizeof row->steps[0] - 1;
    while (in.size >= 2 && n < max) {
        struct talk_step *s = &row->steps[n++];
        size_t length = (size_t)(in.at[0] >> 3) << 8 | in.at[1];
        s->direction = in.at[0] >> 2 & 1;
        s->kind = (enum talk_kind)(TALK_BYTES + (in.at[0] & 3));
        in = span_from(in, 2);
        s->size = length;
        if (s->kind != TALK_BYTES)
            continue;
        struct span bytes = span_sub(in, 0, length);
        s->bytes = (const char *)bytes.at;
        s->size = bytes.size;
        in = span_from(in, bytes.size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1, 5, 64};
    static const struct talk_step preface = C("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    static struct talk whole, cut;
    static struct conn_pool *whole_pool, *cut_pool;
    struct talk_row row = {.name = "fuzz", .expected = "", .is_many = true};
    if (!whole_pool) {
        whole_pool = talk_pool(&whole);
        cut_pool = talk_pool(&cut);
    }
    if (size < 1)
        return 0;
    row.is_midstream = data[0] & 1;
    row.want_decoded = data[0] >> 1 & 1;
    row.limit = data[0] >> 2 & 1 ? 20 : 0;
    row.blind = data[0] >> 3 & 3;
    row.is_expected = data[0] >> 5 & 1;
    row.steps[0] = preface;
    read_steps(&row, span_of(data + 1, size - 1), data[0] >> 6 & 1);
    talk_play_in(whole_pool, &whole, &row, SIZE_MAX);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        talk_play_in(cut_pool, &cut, &row, pieces[i]);
        bool is_same = strcmp(whole.text, cut.text) == 0 && strcmp(whole.body[0], cut.body[0]) == 0 &&
                       strcmp(whole.body[1], cut.body[1]) == 0;
        if (!is_same || whole.open || whole.errors || cut.open || cut.errors) {
            fprintf(stderr, "whole (%u open, %u errors):\n%spieces of %zu (%u open, %u errors):\n%s", whole.open,
                    whole.errors, whole.text, pieces[i], cut.open, cut.errors, cut.text);
            fprintf(stderr, "bodies [%s] [%s] and [%s] [%s]\n", whole.body[0], whole.body[1], cut.body[0], cut.body[1]);
            abort();
        }
    }
    return 0;
}
