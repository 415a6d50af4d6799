/* SPDX-License-Identifier: Apache-2.0
 * Where key logs come from: a file that is followed as it grows and is rotated, a directory of such files, or a unix
 * stream socket that is listened on. Hands out whole lines; what they say is for others. */
#ifndef IO_KEY_FEED_H
#define IO_KEY_FEED_H

#include "base/counter.h"
#include "base/span.h"
#include "base/text.h"

#include "io/loop.h"

#define KEY_FEED_LINE_MAX 1024u /* bytes; longer ones are dropped whole and counted */

/* One line without its end; borrowed, wiped after the call. */
typedef void key_feed_fn(void *ctx, struct span line);

struct key_feed;

/* NULL when out of memory. */
struct key_feed *key_feed_new(struct loop *l, key_feed_fn *fn, void *ctx);
/* Closes everything, removes the sockets. NULL does nothing. */
void key_feed_free(struct key_feed *f);

/* Adds one place: "unix:PATH" is a socket to make (mode 0600; a dead one of the same name is replaced), a directory
 * is every regular file in it, also those that come later; anything else is a file, which need not exist yet. What is
 * there already is read now; from then on every 20 ms, 512 KB at most. 0, perhaps with a warning in 'why' (a file that others may
 * read, or that is missing so far); E_IO with the reason; E_LIMIT when there are too many places. */
int key_feed_add(struct key_feed *f, const char *place, struct text *why);
/* Looks at all files at once, without waiting for the timer. */
void key_feed_poll(struct key_feed *f);
struct counters key_feed_counters(const struct key_feed *f);

/* Reads a file, or every regular file of a directory in the order of names, once from beginning to end; a last line
 * without its end counts. 0, perhaps with a warning in 'why'; E_IO with the reason. */
int key_feed_read(const char *path, key_feed_fn *fn, void *ctx, struct text *why);

#endif
