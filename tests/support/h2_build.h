/* SPDX-License-Identifier: Apache-2.0
 * Builds a conversation of HTTP/2 from a script, for the tests of flow/http2: one line a frame, header blocks by nghttp2's
 * own encoder.
 *
 *   C preface                       S settings [ID=VALUE ...]     S ack
 *   C headers STREAM FLAGS NAME=VALUE ...      FLAGS: e END_STREAM, p padded, w priority, c split into CONTINUATION, - none
 *   S push STREAM PROMISED NAME=VALUE ...
 *   S data STREAM FLAGS SIZE|TEXT   C rst STREAM   S goaway LAST   C window STREAM SIZE   S frame TYPE STREAM SIZE
 *   C text TEXT (with \n for CR LF; to the end of the line)        S gap SIZE   S acked SIZE   C fin
 *   hole FROM SIZE: those bytes of the frame before are a gap
 *   skip: the frame before is not sent at all (but its header block was encoded)
 *   merge: the frame before is sent in one piece with the one before that */
#ifndef SUPPORT_H2_BUILD_H
#define SUPPORT_H2_BUILD_H

#include "support/talk.h"

#include <nghttp2/nghttp2.h>

#define H2_ROOM 400000u

struct h2_build {
    uint8_t room[H2_ROOM];
    size_t used;
    nghttp2_hd_deflater *deflater[2];
    struct talk_row *row;
    size_t n;
};

static inline void h2_put(struct h2_build *b, const void *bytes, size_t size)
{
    if (size > sizeof b->room - b->used)
        abort();
    memcpy(b->room + b->used, bytes, size);
    b->used += size;
}

static inline void h2_put_be(struct h2_build *b, uint64_t value, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        uint8_t byte = (uint8_t)(value >> (8 * i));
        h2_put(b, &byte, 1);
    }
}

static inline void h2_head(struct h2_build *b, size_t size, unsigned type, unsigned flags, uint32_t stream)
{
    h2_put_be(b, size, 3);
    h2_put_be(b, type, 1);
    h2_put_be(b, flags, 1);
    h2_put_be(b, stream, 4);
}

static inline void h2_step(struct h2_build *b, enum talk_kind kind, int dir, size_t from, size_t size)
{
    if (b->n + 1 >= sizeof b->row->steps / sizeof b->row->steps[0])
        abort();
    const char *bytes = kind == TALK_BYTES ? (const char *)b->room + from : NULL;
    b->row->steps[b->n++] = (struct talk_step){kind, dir, bytes, size};
}

/* Encodes "name=value name=value"; '_' in a value stands for a space. */
static inline size_t h2_encode(struct h2_build *b, int dir, char *words, uint8_t *out, size_t max)
{
    nghttp2_nv nv[160];
    size_t n = 0;
    char *rest = words, *word;
    if (!b->deflater[dir] && nghttp2_hd_deflate_new(&b->deflater[dir], 4096))
        abort();
    while ((word = strsep(&rest, " ")) && n < sizeof nv / sizeof *nv) {
        char *equals = *word ? strchr(word + 1, '=') : NULL;
        if (!equals)
            continue;
        for (char *c = equals; *c; c++)
            if (*c == '_')
                *c = ' ';
        size_t name = (size_t)(equals - word), value = strlen(equals + 1);
        nv[n++] = (nghttp2_nv){(uint8_t *)word, (uint8_t *)equals + 1, name, value, NGHTTP2_NV_FLAG_NONE};
    }
    ssize_t size = nghttp2_hd_deflate_hd(b->deflater[dir], out, max, nv, n);
    if (size < 0)
        abort();
    return (size_t)size;
}

static inline void h2_headers(struct h2_build *b, int dir, uint32_t stream, const char *flags, char *words)
{
    static uint8_t block[65536];
    static const uint8_t pad[7];
    size_t size = h2_encode(b, dir, words, block, sizeof block);
    bool is_padded = strchr(flags, 'p'), has_weight = strchr(flags, 'w'), is_split = strchr(flags, 'c');
    size_t first = is_split ? size / 3 : size;
    unsigned bits = (strchr(flags, 'e') ? 1u : 0) | (is_split ? 0 : 4u) | (is_padded ? 8u : 0) | (has_weight ? 32u : 0);
    h2_head(b, first + (is_padded ? 8 : 0) + (has_weight ? 5 : 0), 1, bits, stream);
    if (is_padded)
        h2_put_be(b, 7, 1);
    if (has_weight)
        h2_put_be(b, 0x0000000110, 5);
    h2_put(b, block, first);
    h2_put(b, pad, is_padded ? 7 : 0);
    if (!is_split)
        return;
    h2_head(b, 0, 9, 0, stream);
    h2_head(b, size / 3, 9, 0, stream);
    h2_put(b, block + first, size / 3);
    h2_head(b, size - 2 * (size / 3), 9, 4, stream);
    h2_put(b, block + 2 * (size / 3), size - 2 * (size / 3));
}

static inline void h2_push(struct h2_build *b, int dir, uint32_t stream, uint32_t promised, char *words)
{
    static uint8_t block[65536];
    size_t size = h2_encode(b, dir, words, block, sizeof block);
    h2_head(b, size + 4, 5, 4, stream);
    h2_put_be(b, promised, 4);
    h2_put(b, block, size);
}

/* A size, or the text itself. */
static inline void h2_data(struct h2_build *b, uint32_t stream, const char *flags, const char *what)
{
    size_t size = strtoul(what, NULL, 10);
    bool is_text = size == 0 && what[0] != '0', is_padded = strchr(flags, 'p');
    if (is_text)
        size = strlen(what);
    h2_head(b, size + (is_padded ? 8 : 0), 0, (strchr(flags, 'e') ? 1u : 0) | (is_padded ? 8u : 0), stream);
    if (is_padded)
        h2_put_be(b, 7, 1);
    for (size_t i = 0; i < size; i++)
        h2_put(b, is_text ? what + i : "0123456789" + i % 10, 1);
    for (int i = 0; is_padded && i < 7; i++)
        h2_put(b, "", 1);
}

static inline void h2_settings(struct h2_build *b, char *rest)
{
    char *word;
    size_t at = b->used, n = 0;
    h2_head(b, 0, 4, 0, 0);
    while ((word = strsep(&rest, " "))) {
        char *equals = strchr(word, '=');
        if (!equals)
            continue;
        h2_put_be(b, strtoul(word, NULL, 10), 2);
        h2_put_be(b, strtoul(equals + 1, NULL, 10), 4);
        n += 6;
    }
    b->room[at + 2] = (uint8_t)n;
}

static inline void h2_text(struct h2_build *b, const char *text)
{
    for (; *text; text++) {
        if (text[0] == '\\' && text[1] == 'n') {
            h2_put(b, "\r\n", 2);
            text++;
        } else {
            h2_put(b, text, 1);
        }
    }
}

static inline void h2_frame(struct h2_build *b, int dir, const char *verb, char *rest)
{
    char none[1] = "", *word[3] = {none, none, none};
    if (strcmp(verb, "settings") == 0) {
        h2_settings(b, rest);
        return;
    }
    if (strcmp(verb, "text") == 0) {
        h2_text(b, rest);
        return;
    }
    for (int i = 0; i < (strcmp(verb, "frame") == 0 ? 3 : 2) && rest; i++)
        word[i] = strsep(&rest, " ");
    uint32_t first = (uint32_t)strtoul(word[0], NULL, 10), second = (uint32_t)strtoul(word[1], NULL, 10);
    if (strcmp(verb, "preface") == 0) {
        h2_put(b, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    } else if (strcmp(verb, "ack") == 0) {
        h2_head(b, 0, 4, 1, 0);
    } else if (strcmp(verb, "headers") == 0) {
        h2_headers(b, dir, first, word[1], rest);
    } else if (strcmp(verb, "push") == 0) {
        h2_push(b, dir, first, second, rest);
    } else if (strcmp(verb, "data") == 0) {
        h2_data(b, first, word[1], rest ? rest : "0");
    } else if (strcmp(verb, "rst") == 0) {
        h2_head(b, 4, 3, 0, first);
        h2_put_be(b, 8, 4);
    } else if (strcmp(verb, "goaway") == 0) {
        h2_head(b, 8, 7, 0, 0);
        h2_put_be(b, first, 4);
        h2_put_be(b, 0, 4);
    } else if (strcmp(verb, "window") == 0) {
        h2_head(b, 4, 8, 0, first);
        h2_put_be(b, second, 4);
    } else if (strcmp(verb, "frame") == 0) {
        size_t size = strtoul(word[2], NULL, 10);
        h2_head(b, size, first, 0, second);
        for (size_t i = 0; i < size; i++)
            h2_put(b, "\5", 1);
    } else {
        fprintf(stderr, "no verb %s\n", verb);
        abort();
    }
}

static inline void h2_hole(struct h2_build *b, char *rest)
{
    struct talk_step last = b->row->steps[--b->n];
    size_t from = strtoul(strsep(&rest, " "), NULL, 10), size = strtoul(rest, NULL, 10);
    size_t at = (size_t)((const uint8_t *)last.bytes - b->room);
    if (from + size > last.size)
        abort();
    if (from)
        h2_step(b, TALK_BYTES, last.direction, at, from);
    h2_step(b, TALK_GAP, last.direction, 0, size);
    if (from + size < last.size)
        h2_step(b, TALK_BYTES, last.direction, at + from + size, last.size - from - size);
}

static inline void h2_line(struct h2_build *b, char *line)
{
    size_t at = b->used;
    int dir = line[0] == 'S' ? CONN_SERVER : CONN_CLIENT;
    char *rest = line, *verb = strsep(&rest, " ");
    struct talk_step *last = b->n ? &b->row->steps[b->n - 1] : NULL;
    if (strcmp(verb, "hole") == 0) {
        h2_hole(b, rest);
        return;
    }
    if (strcmp(verb, "skip") == 0) {
        b->n--;
        return;
    }
    if (strcmp(verb, "merge") == 0) {
        last[-1].size += last->size;
        b->n--;
        return;
    }
    verb = strsep(&rest, " ");
    if (strcmp(verb, "gap") == 0 || strcmp(verb, "acked") == 0) {
        h2_step(b, verb[0] == 'g' ? TALK_GAP : TALK_ACKED_GAP, dir, 0, strtoul(rest, NULL, 10));
        return;
    }
    if (strcmp(verb, "fin") == 0) {
        h2_step(b, TALK_FIN, dir, 0, 0);
        return;
    }
    h2_frame(b, dir, verb, rest);
    h2_step(b, TALK_BYTES, dir, at, b->used - at);
}

/* Makes the steps of 'row' of a script; lines are separated by '\n'. */
static inline void h2_build(struct h2_build *b, struct talk_row *row, const char *script)
{
    static char text[65536];
    char *rest = text, *line;
    *b = (struct h2_build){.row = row};
    memset(row->steps, 0, sizeof row->steps);
    snprintf(text, sizeof text, "%s", script);
    while ((line = strsep(&rest, "\n")))
        if (*line)
            h2_line(b, line);
    for (int dir = 0; dir < 2; dir++)
        if (b->deflater[dir])
            nghttp2_hd_deflate_del(b->deflater[dir]);
}

#endif
