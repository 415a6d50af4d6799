/* SPDX-License-Identifier: Apache-2.0
 * Handshake messages are cut into records as the sender likes. What is worth reading is put together in one block,
 * whose size the header of the message tells; a message that is whole in its record is handed out where it stands. */
#include "wire/tls_handshake.h"

#define HEADER 4u

static bool is_worth_keeping(uint8_t type)
{
    switch (type) {
    case TLS_CLIENT_HELLO:
    case TLS_SERVER_HELLO:
    case TLS_ENCRYPTED_EXTENSIONS:
    case TLS_CERTIFICATE:
    case TLS_KEY_UPDATE:
    case TLS_FINISHED: return true;
    default: return false;
    }
}

static uint32_t body_length(const uint8_t header[HEADER])
{
    return (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3];
}

void tls_handshake_init(struct tls_handshake *h)
{
    *h = (struct tls_handshake){0};
}

void tls_handshake_fini(struct tls_handshake *h, struct tls_handshake_memory *memory)
{
    pool_give(h->is_large ? memory->large : memory->small, h->block);
    tls_handshake_init(h);
}

bool tls_handshake_gap(struct tls_handshake *h, struct tls_handshake_memory *memory)
{
    bool was_inside = h->n_header != 0;
    tls_handshake_fini(h, memory);
    return was_inside;
}

bool tls_handshake_is_hello(struct span fragment)
{
    const uint8_t *at = fragment.at;
    return fragment.size > HEADER + 2 && (at[0] == TLS_CLIENT_HELLO || at[0] == TLS_SERVER_HELLO) &&
           body_length(at) == fragment.size - HEADER && at[4] == 3 && at[5] <= 4;
}

/* The header is whole: decides whether and where the message is collected. */
static void begin(struct tls_handshake *h, struct tls_handshake_memory *memory)
{
    h->is_kept = is_worth_keeping(h->header[0]);
    if (!h->is_kept)
        return;
    h->is_large = body_length(h->header) + HEADER > TLS_HANDSHAKE_SMALL;
    h->block = pool_take(h->is_large ? memory->large : memory->small);
    if (h->block) {
        memcpy(h->block, h->header, HEADER);
        return;
    }
    h->is_kept = false;
    memory->refused++;
}

static void collect(struct tls_handshake *h, struct span bytes)
{
    size_t room = h->is_large ? TLS_HANDSHAKE_LARGE : TLS_HANDSHAKE_SMALL, at = HEADER + (size_t)h->have;
    if (!h->is_kept || at >= room || bytes.size == 0)
        return;
    memcpy(h->block + at, bytes.at, bytes.size < room - at ? bytes.size : room - at);
}

static enum tls_handshake_event whole(struct span message, uint32_t length, struct tls_handshake_out *out)
{
    *out =
        (struct tls_handshake_out){.type = message.at[0], .length = length, .is_kept = is_worth_keeping(message.at[0])};
    if (out->is_kept) {
        out->is_cut = length + HEADER > TLS_HANDSHAKE_LARGE;
        out->message = span_sub(message, 0, TLS_HANDSHAKE_LARGE);
        out->body = span_from(out->message, HEADER);
    }
    return TLS_HANDSHAKE_MESSAGE;
}

static enum tls_handshake_event finish(struct tls_handshake *h, struct tls_handshake_out *out)
{
    uint32_t length = body_length(h->header);
    *out = (struct tls_handshake_out){.type = h->header[0], .length = length};
    if (h->is_kept) {
        (void)whole(span_of(h->block, (size_t)length + HEADER), length, out);
        h->is_handed = true;
    }
    h->n_header = 0;
    h->have = 0;
    return TLS_HANDSHAKE_MESSAGE;
}

enum tls_handshake_event tls_handshake_step(struct tls_handshake *h, struct tls_handshake_memory *memory,
                                            struct span *fragment, struct tls_handshake_out *out)
{
    *out = (struct tls_handshake_out){0};
    if (h->is_handed)
        tls_handshake_fini(h, memory);
    if (h->n_header == 0 && fragment->size >= HEADER && fragment->size - HEADER >= body_length(fragment->at)) {
        uint32_t length = body_length(fragment->at);
        struct span message = span_sub(*fragment, 0, HEADER + (size_t)length);
        *fragment = span_from(*fragment, message.size);
        return whole(message, length, out);
    }
    while (h->n_header < HEADER && fragment->size) {
        h->header[h->n_header++] = fragment->at[0];
        *fragment = span_from(*fragment, 1);
        if (h->n_header == HEADER)
            begin(h, memory);
    }
    if (h->n_header < HEADER)
        return TLS_HANDSHAKE_MORE;
    struct span got = span_sub(*fragment, 0, body_length(h->header) - h->have);
    collect(h, got);
    h->have += (uint32_t)got.size;
    *fragment = span_from(*fragment, got.size);
    if (h->have < body_length(h->header))
        return TLS_HANDSHAKE_MORE;
    return finish(h, out);
}
