/* SPDX-License-Identifier: Apache-2.0
 * Finding the framing of a chunked body again. A line that may be a chunk size tells where the next one must be; one that
 * is there confirms both. What passed before is body but for the size lines in it: of those that are missing nobody knows
 * the number. If chunks as large as the last one seen fill the place to the byte, then it is they, else it is one. */
#include "wire/http1_chunks.h"

#include "base/hex.h"

/* Bits of chunk_line: the line that comes. */
#define IS_ON 1u
#define IS_SIZE 2u  /* CRLF came before it, and so far it is a size, or nothing yet */
#define HAS_CR 4u   /* its last byte is CR */
#define BEHIND_0 8u /* the line before it is the size of a last chunk */

#define MAX_DIGITS 8u
#define USUAL_MIN 256u /* bytes: small chunks fill any place */
#define LINE_ENDS 4u  /* bytes: CRLF before a chunk size and behind it */
#define LAST_CHUNK 7u /* bytes: CRLF "0" CRLF CRLF */

static unsigned digits_of(uint64_t size)
{
    unsigned n = 1;
    while (size >>= 4)
        n++;
    return n;
}

unsigned http1_chunks_framing(const struct http1 *h)
{
    switch (h->state) {
    case HTTP1_AT_CHUNK_END: return h->line == HTTP1_LINE_EMPTY ? 0 : 1;
    case HTTP1_AT_SIZE: return 2 + (h->matched ? digits_of(h->left) : 0); /* the first has no CRLF before it: as if */
    case HTTP1_AT_EXTENSION: return 3 + digits_of(h->left);
    default: return 0;
    }
}

void http1_chunks_begin(struct http1 *h, unsigned framing)
{
    h->unsynced = framing;
    h->declared = h->is_first_size ? 0 : h->declared;
    h->left = 0;
    h->chunks.due = h->chunks.end = 0;
    h->matched = 0;
    h->chunk_line = IS_ON;
}

void http1_chunks_gap(struct http1 *h)
{
    if (h->chunk_line)
        h->chunk_line = IS_ON;
}

/* Body bytes among the 'wire' bytes between a chunk's end and the CRLF before a later size. */
static uint64_t body_between(uint64_t wire, uint64_t usual)
{
    uint64_t unit = LINE_ENDS + digits_of(usual) + usual;
    if (wire < LINE_ENDS + 2)
        return 0;
    if (usual >= USUAL_MIN && wire % unit == 0)
        return wire / unit * usual;
    uint64_t body = wire - LINE_ENDS;
    return body - digits_of(body - digits_of(body));
}

/* Body bytes up to the CRLF before a later size. */
static uint64_t body_up_to(const struct http1 *h, uint64_t to)
{
    if (to == 0 || h->chunks.due != to)
        return body_between(to, h->declared);
    uint64_t size = h->left;
    return size + body_between(to - size - LINE_ENDS - digits_of(size), h->declared);
}

bool http1_end_body(struct http1 *h, bool is_followed, uint64_t *size)
{
    bool is_end_seen = h->chunks.end && h->chunks.end == h->unsynced;
    bool is_end = h->chunk_line && (is_end_seen || (is_followed && h->unsynced == LAST_CHUNK));
    h->chunk_line = 0;
    if (is_end)
        *size = body_up_to(h, h->unsynced - LAST_CHUNK);
    return is_end;
}

/* A byte of a line that is a size so far. */
static void take(struct http1 *h, uint8_t c)
{
    int digit = hex_digit(c);
    bool is_first = h->matched == 0;
    if (h->chunk_line & HAS_CR || (digit < 0 && c != '\r'))
        h->chunk_line &= (uint8_t)~IS_SIZE;
    else if (c == '\r')
        h->chunk_line |= HAS_CR;
    else if (h->matched == MAX_DIGITS || (!is_first && h->head_size == 0))
        h->chunk_line &= (uint8_t)~IS_SIZE;
    else {
        h->head_size = (is_first ? 0 : h->head_size << 4) | (uint32_t)digit;
        h->matched++;
    }
}

/* A line that is a size, and not 0, ends where the machine is. True when it was expected there. The nearest of several
 * that tell where to look next is kept: a wrong one is soon known for that. */
static bool is_confirmed(struct http1 *h, uint64_t *size)
{
    uint64_t next = h->unsynced + h->head_size, at = h->unsynced - LINE_ENDS - h->matched;
    if (h->chunks.due && h->chunks.due == at) {
        *size = body_up_to(h, at);
        return true;
    }
    if (h->chunks.due < h->unsynced || next < h->chunks.due) {
        h->chunks.due = next;
        h->left = h->head_size;
    }
    return false;
}

static void go_on(struct http1 *h)
{
    h->state = HTTP1_AT_CHUNK;
    h->left = h->declared = h->head_size;
    h->is_first_size = false;
    h->chunk_line = 0;
}

bool http1_chunks_step(struct http1 *h, struct span part, uint64_t *size)
{
    bool is_whole = part.at[part.size - 1] == '\n';
    struct span text = span_sub(part, 0, part.size - is_whole);
    for (size_t i = 0; i < text.size && h->chunk_line & IS_SIZE; i++)
        take(h, text.at[i]);
    if (text.size)
        h->chunk_line = (uint8_t)((h->chunk_line & ~HAS_CR) | (text.at[text.size - 1] == '\r' ? HAS_CR : 0));
    if (!is_whole)
        return false;
    uint8_t line = h->chunk_line;
    bool has_crlf = line & HAS_CR, is_size = has_crlf && line & IS_SIZE && h->matched;
    if (is_size && h->head_size && is_confirmed(h, size)) {
        go_on(h);
        return true;
    }
    if (has_crlf && line & IS_SIZE && !h->matched && line & BEHIND_0)
        h->chunks.end = h->unsynced;
    h->chunk_line = has_crlf ? IS_ON | IS_SIZE : IS_ON;
    if (is_size && h->head_size == 0)
        h->chunk_line |= BEHIND_0;
    h->matched = 0;
    return false;
}
