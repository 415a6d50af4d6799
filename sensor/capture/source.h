/* SPDX-License-Identifier: Apache-2.0
 * Where packets come from: capture files (pcap, pcapng, standard input; several merged by time) or a live interface.
 * libpcap captures (source_live.c) and compiles filters (source_filter.c); files are read by our own source_file.c. */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include "base/packet.h"
#include "base/span.h"
#include "base/text.h"

struct source;

/* The text of a TLS key log that is embedded in a capture: whole lines; borrowed for the call. */
typedef void source_secrets_fn(void *ctx, struct span text);

struct source_stats {
    uint64_t packets, bytes;        /* delivered: frames, wire bytes */
    uint64_t kernel_drops, interface_drops; /* live */
    uint64_t total_bytes, read_bytes;       /* files: size on disk and how far we are; 0 for standard input */
};

/* Opens capture files and directories ("-" is standard input; a directory means every capture in it, by name, not
 * recursively; files in it that are no captures are skipped and noted). 'filter' is BPF text or NULL.
 * E_IO unreadable or missing; E_BAD not a capture, or empty; E_CONF bad filter. 'why' gets one line naming the file. */
int source_open_files(struct source **out, const char *const *paths, size_t n, const char *filter, struct text *why);

struct source_live_options {
    const char *filter;  /* BPF text or NULL */
    int snaplen;         /* bytes; 0 = 262144 */
    int buffer_mib;      /* kernel ring; 0 = 64 */
    bool no_promiscuous;
};
/* Opens an interface. E_DENIED without privilege, E_NONE without such an interface, E_CONF bad filter. */
int source_open_live(struct source **out, const char *interface, const struct source_live_options *options, struct text *why);

/* The next packet in time order. 1: *p is filled; 0: nothing now (live and pipes: about every 100 ms); E_END: all files
 * read, or stopped; E_IO: the source failed, the last note says how. A packet of an unknown link type is delivered as it is: decap counts it. */
int source_next(struct source *s, struct packet *p);
/* From now on 'fn' gets the TLS key logs of pcapng files (decryption secrets blocks), also those already passed over
 * when the files were opened; each once, before the packets that follow it in its file. Live sources have none. */
void source_on_secrets(struct source *s, source_secrets_fn *fn, void *ctx);
/* Ends source_next from a signal handler or another thread. */
void source_stop(struct source *s);
/* Makes a live source_next that waits for packets return at once; from any thread. */
void source_wake(struct source *s);
void source_stats(struct source *s, struct source_stats *out);
/* What has to be told afterwards, one line each: "FILE: cut after N whole packets", ...; NULL after the last. */
const char *source_note(const struct source *s, size_t i);
/* Why source_next failed: the last note, or 'otherwise' when there is none. */
const char *source_last_note(const struct source *s, const char *otherwise);
/* A link type's short name ("USB_LINUX"), or "" for one without. Static storage. */
const char *source_link_name(uint32_t link);
void source_close(struct source *s);

#endif
