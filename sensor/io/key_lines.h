/* SPDX-License-Identifier: Apache-2.0
 * Bytes with secrets in them, cut into lines; for the key feed alone. What was held is wiped once it is handed out. */
#ifndef IO_KEY_LINES_H
#define IO_KEY_LINES_H

#include "io/key_feed.h"

#define KEY_READ_SIZE 65536u /* bytes read at once */

struct key_lines {
    size_t size;      /* bytes of the unfinished line */
    bool is_overlong; /* it is dropped up to its end */
    uint8_t part[KEY_FEED_LINE_MAX];
};

struct key_feed_counts {
    uint64_t lines, overlong;                            /* key_lines.c */
    uint64_t files, truncated, failed, refused, exposed; /* key_files.c */
    uint64_t clients, turned_away;                       /* key_socket.c */
};

struct key_lines_out {
    key_feed_fn *fn;
    void *ctx;
    struct key_feed_counts counts;
};

/* Hands out every line that ends in 'bytes' and keeps the rest. */
void key_lines_add(struct key_lines *l, struct key_lines_out *out, struct span bytes);
/* No more will come: what is left is the last line. */
void key_lines_end(struct key_lines *l, struct key_lines_out *out);
/* Forgets the unfinished line. */
void key_lines_drop(struct key_lines *l);

/* Reads the descriptor from where it stands up to its end, 'max' bytes or when nothing is there now. Bytes read, or -1
 * with errno; *is_end: the end was reached. 'buffer' has KEY_READ_SIZE bytes and is wiped. */
int64_t key_lines_read(struct key_lines *l, struct key_lines_out *out, int fd, uint64_t max, uint8_t *buffer,
                       bool *is_end);

#endif
