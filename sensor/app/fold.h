/* SPDX-License-Identifier: Apache-2.0
 * The template of a request target: what is the same for every ticket, file and session ("/api/v2/tickets/{n}/{file}.har").
 * Numbers, dates, ids, names of files and whatever may be a secret are folded; words stay. */
#ifndef APP_FOLD_H
#define APP_FOLD_H

#include "app/template.h"

#define FOLD_SEGMENTS 12
#define FOLD_SEGMENT 40 /* bytes of a segment; longer ones are no words */
#define FOLD_TEXT 240

/* The segments of a target's path, each folded, and its arguments ("?Action=AgentTicketZoom&TicketID") as the last. */
struct folded {
    uint64_t hash; /* of all of it */
    uint8_t n;
    uint8_t size[FOLD_SEGMENTS + 1];
    bool is_free[FOLD_SEGMENTS + 1]; /* folded whole: stands for any text */
    char text[FOLD_SEGMENTS + 1][FOLD_SEGMENT + 8];
};

/* One segment, decoded, behind 'before': at most FOLD_SEGMENT + 8 bytes to 'out'; how many. */
size_t fold_segment(struct span segment, struct span before, char *out, bool *is_free);
/* 'path' without its mount; 'query' as it stands in the target. A path of more segments than fit ends in "**". */
void fold_target(const struct path *path, struct span query, struct folded *out);
/* "/a/{n}?x" into 'out' of at least FOLD_TEXT bytes, cut with "..." where it does not fit; how many. */
size_t fold_write(const struct folded *f, char *out);

#endif
