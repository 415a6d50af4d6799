/* SPDX-License-Identifier: Apache-2.0
 * One capture file, packet by packet: pcap (micro- and nanosecond, both byte orders) and pcapng, from a file or a pipe.
 * A file can be put aside and taken up again, so that thousands need few descriptors and little memory. */
#ifndef CAPTURE_SOURCE_FILE_H
#define CAPTURE_SOURCE_FILE_H

#include "capture/source.h"

#define SOURCE_FILE_MAX_FRAME (1u << 20) /* bytes; a record that claims more is damage */
#define SOURCE_FILE_MAX_SECRETS (16u << 20) /* bytes of a block; larger ones are passed over */

struct source_file;

/* How a file ended. */
enum source_file_end { FILE_END_CLEAN, FILE_END_CUT, FILE_END_DAMAGED, FILE_END_VERSION };

/* Opens a capture and reads its head; "-" is standard input. E_IO missing or unreadable, E_BAD not a capture or empty;
 * 'why' gets "NAME: what". */
int source_file_open(struct source_file **out, const char *path, struct text *why);
void source_file_close(struct source_file *f);
/* The next packet (all but source and number), borrowed until the next call. 1: here it is; 0: a pipe has nothing now;
 * E_END: see source_file_end; E_IO: reading failed (errno). */
int source_file_next(struct source_file *f, struct packet *p);
/* Right after opening: who gets the TLS key logs of a pcapng file, each before the packets that follow it. */
void source_file_on_secrets(struct source_file *f, source_secrets_fn *fn, void *ctx);
/* Blocks of secrets that were not handed out: too large, malformed, or of another kind. */
uint64_t source_file_other_secrets(const struct source_file *f);
/* Lets go of descriptor and buffer. After source_file_resume the packet that was read last comes once more.
 * Only when source_file_can_suspend. */
void source_file_suspend(struct source_file *f);
int source_file_resume(struct source_file *f); /* E_IO, E_NOMEM */
bool source_file_can_suspend(const struct source_file *f);
bool source_file_is_suspended(const struct source_file *f);
bool source_file_same(const struct source_file *a, const struct source_file *b); /* one file by two names */

const char *source_file_name(const struct source_file *f);
uint64_t source_file_packets(const struct source_file *f); /* whole ones read so far */
uint64_t source_file_size(const struct source_file *f);     /* bytes on disk; 0 for a pipe */
uint64_t source_file_position(const struct source_file *f); /* bytes read; 0 for a pipe */
enum source_file_end source_file_ended(const struct source_file *f);

#endif
