/* SPDX-License-Identifier: Apache-2.0
 * The members of a ZIP file as it streams by (APPNOTE.TXT 6.3.10, 4.3): stored and deflated ones, by their local heads, so
 * without the directory at the end. What cannot be read that way (encrypted, other methods, sizes of 64 bits, stored
 * members whose size follows them) is passed by, or ends the walk. */
#ifndef WIRE_ZIP_WALK_H
#define WIRE_ZIP_WALK_H

#include "wire/coding.h"

/* All borrowed during the call. */
struct zip_hooks {
    void *ctx;
    void (*on_member)(void *ctx); /* a member's content begins */
    void (*on_data)(void *ctx, struct span bytes); /* of it, decoded */
};

struct zip_walk { /* opaque */
    struct coding_pool *pool; /* borrowed */
    struct coding *coding;    /* of the member in progress, or NULL */
    struct zip_hooks hooks;
    uint8_t state;
    bool is_blind;            /* something was passed by */
    bool is_open_ended;       /* the member's size stands behind it */
    bool is_unwanted;         /* nobody wants the rest of the member */
    uint8_t used;             /* bytes of the head, or of what is searched for */
    uint64_t left;            /* bytes of the name and extra fields, or of the member */
    uint64_t searched;
    uint8_t head[30];
};

void zip_walk_init(struct zip_walk *z, struct coding_pool *pool, const struct zip_hooks *hooks);
/* False once nothing more can come of it: the directory was reached, or a limit. */
bool zip_walk_feed(struct zip_walk *z, struct span bytes);
/* In on_data: the rest of this member is not needed. Where its size is known, it is not decoded; else more of it comes. */
void zip_walk_pass(struct zip_walk *z);
/* Gives the decoder back. Whether members, or parts of them, were not read. */
bool zip_walk_end(struct zip_walk *z);

#endif
