/* SPDX-License-Identifier: Apache-2.0
 * Local heads, one behind the other. */
#include "wire/zip_walk.h"

enum state { HEAD, NAME, STORED, DEFLATED, PASSED, SEARCH, OVER };
enum { METHOD_STORED = 0, METHOD_DEFLATED = 8 };

#define FLAG_ENCRYPTED 0x1u
#define FLAG_DESCRIPTOR 0x8u
#define SEARCH_MAX 64u /* bytes; a data descriptor has 24 at most */

void zip_walk_init(struct zip_walk *z, struct coding_pool *pool, const struct zip_hooks *hooks)
{
    *z = (struct zip_walk){.pool = pool, .hooks = *hooks};
}

static uint32_t little(const uint8_t *at, int size)
{
    uint32_t value = 0;
    for (int i = size; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static void over(struct zip_walk *z, bool is_blind)
{
    z->state = OVER;
    z->is_blind |= is_blind;
}

static void head_begin(struct zip_walk *z)
{
    coding_free(z->pool, z->coding);
    z->coding = NULL;
    z->state = HEAD;
    z->used = 0;
    z->is_unwanted = false;
}

void zip_walk_pass(struct zip_walk *z)
{
    z->is_unwanted = true;
}

/* What the head in z->head says of the content that follows. */
static void member_begin(struct zip_walk *z)
{
    uint32_t flags = little(z->head + 6, 2), method = little(z->head + 8, 2), size = little(z->head + 18, 4);
    z->is_open_ended = flags & FLAG_DESCRIPTOR && size == 0;
    z->left = size;
    bool is_readable = !(flags & FLAG_ENCRYPTED) && (method == METHOD_DEFLATED || method == METHOD_STORED);
    if (size == UINT32_MAX || (z->is_open_ended && (!is_readable || method == METHOD_STORED))) {
        over(z, true);
        return;
    }
    if (!is_readable) {
        z->is_blind = true;
        z->state = PASSED;
        return;
    }
    z->state = method == METHOD_STORED ? STORED : DEFLATED;
    if (z->state == DEFLATED && !(z->coding = coding_new(z->pool, CODING_DEFLATE))) {
        over(z, true);
        return;
    }
    if (size || z->is_open_ended)
        z->hooks.on_member(z->hooks.ctx);
}

/* The fixed part of a head. */
static size_t feed_head(struct zip_walk *z, struct span bytes)
{
    size_t more = sizeof z->head - z->used;
    if (more > bytes.size)
        more = bytes.size;
    memcpy(z->head + z->used, bytes.at, more);
    z->used = (uint8_t)(z->used + more);
    if (z->used >= 4 && memcmp(z->head, "PK\3\4", 4) != 0)
        over(z, memcmp(z->head, "PK\1\2", 4) != 0 && memcmp(z->head, "PK\5\6", 4) != 0);
    else if (z->used == sizeof z->head) {
        z->left = little(z->head + 26, 2) + little(z->head + 28, 2);
        z->state = NAME;
    }
    return more;
}

/* So many of the bytes in hand are of what has z->left bytes. */
static struct span of_left(struct zip_walk *z, struct span bytes)
{
    struct span part = span_sub(bytes, 0, z->left < bytes.size ? (size_t)z->left : bytes.size);
    z->left -= part.size;
    return part;
}

static size_t feed_deflated(struct zip_walk *z, struct span bytes)
{
    uint64_t before = coding_used(z->coding);
    struct span part = z->is_open_ended ? bytes : of_left(z, bytes);
    bool is_bad = coding_feed(z->coding, part, z->hooks.on_data, z->hooks.ctx) != 0;
    z->is_blind |= is_bad;
    if (!z->is_open_ended) {
        z->state = is_bad ? PASSED : DEFLATED;
        return part.size;
    }
    if (is_bad)
        over(z, true);
    if (is_bad || !coding_is_done(z->coding))
        return bytes.size;
    size_t used = (size_t)(coding_used(z->coding) - before);
    head_begin(z);
    z->state = SEARCH;
    z->searched = 0;
    return used;
}

/* Behind a member whose size follows it: the next signature. */
static size_t feed_search(struct zip_walk *z, struct span bytes)
{
    size_t at = 0;
    while (at < bytes.size && z->state == SEARCH) {
        uint8_t c = bytes.at[at++];
        memmove(z->head, z->head + 1, 3);
        z->head[3] = c;
        z->searched++;
        if (z->searched < 4)
            continue;
        if (memcmp(z->head, "PK\3\4", 4) == 0) {
            z->state = HEAD;
            z->used = 4;
        } else if (memcmp(z->head, "PK\1\2", 4) == 0) {
            over(z, false);
        } else if (z->searched > SEARCH_MAX) {
            over(z, true);
        }
    }
    return at;
}

static size_t feed_some(struct zip_walk *z, struct span bytes)
{
    struct span part;
    switch ((enum state)z->state) {
    case HEAD: return feed_head(z, bytes);
    case DEFLATED: return feed_deflated(z, bytes);
    case SEARCH: return feed_search(z, bytes);
    case STORED:
        part = of_left(z, bytes);
        z->hooks.on_data(z->hooks.ctx, part);
        return part.size;
    case NAME:
    case PASSED: return of_left(z, bytes).size;
    case OVER: break;
    }
    return bytes.size;
}

/* Goes on to what follows where nothing is left. */
static void turn(struct zip_walk *z)
{
    if (z->state == NAME && z->left == 0)
        member_begin(z);
    if (z->is_unwanted && !z->is_open_ended && (z->state == STORED || z->state == DEFLATED))
        z->state = PASSED;
    bool is_sized = z->state == STORED || z->state == PASSED || (z->state == DEFLATED && !z->is_open_ended);
    if (is_sized && z->left == 0)
        head_begin(z);
}

bool zip_walk_feed(struct zip_walk *z, struct span bytes)
{
    while (bytes.size && z->state != OVER) {
        bytes = span_from(bytes, feed_some(z, bytes));
        turn(z);
    }
    return z->state != OVER;
}

bool zip_walk_end(struct zip_walk *z)
{
    coding_free(z->pool, z->coding);
    z->coding = NULL;
    bool is_blind = z->is_blind || z->state != OVER;
    z->state = OVER;
    return is_blind;
}
