/* SPDX-License-Identifier: Apache-2.0
 * A streaming reader of multipart bodies (RFC 2046, 5.1): form-data (RFC 7578) and byteranges (RFC 9110, 14.6). It
 * is fed arbitrary slices, tells each part with its exact size, and keeps the values of the few small fields it was
 * asked for. */
#ifndef WIRE_MULTIPART_H
#define WIRE_MULTIPART_H

#include "base/arena.h"
#include "wire/content.h"

#define MULTIPART_BOUNDARY_MAX 200 /* bytes; the RFC says 70 */
#define MULTIPART_HEAD_MAX 2048    /* bytes of one part's header fields that are read; more is skipped */
#define MULTIPART_NAMES_MAX 1024   /* decoded names of one part */
#define MULTIPART_WANT_MAX 8       /* fields */
#define MULTIPART_VALUE_MAX 256    /* bytes of one field's value */
#define MULTIPART_PARTS_MAX 4096   /* further parts are not told */

/* A form field to keep. */
struct multipart_want {
    struct span name; /* borrowed for the reader's life; compared exactly */
    bool is_secret;   /* keep only how long it is, never its bytes */
};

struct multipart_value {
    bool is_there;    /* a part of this name (without file name) has begun; the first one counts */
    bool is_cut;      /* it was longer than MULTIPART_VALUE_MAX, bytes of it are missing, or its end has not come */
    uint64_t size;    /* of the whole value */
    uint16_t kept;    /* bytes in 'bytes' */
    uint8_t bytes[MULTIPART_VALUE_MAX];
};

struct multipart_part {
    uint32_t number;           /* from 1 */
    struct span name;          /* of the form field; at == NULL when absent */
    struct span filename;      /* cleaned, UTF-8; at == NULL when absent or empty */
    bool has_filename;         /* a file part, even if its name is empty */
    struct content_type type;  /* media "" when absent */
    struct content_range range; /* byteranges; has_range false when absent */
    uint64_t size;             /* bytes of the body; 0 in on_begin */
    bool is_unsure;            /* bytes were missing: 'size' may be off */
    bool is_complete;          /* its closing boundary was seen */
};

/* All may be NULL. The part and its spans are borrowed during the call. */
struct multipart_hooks {
    void *ctx;
    void (*on_begin)(void *ctx, const struct multipart_part *part); /* its head is complete */
    void (*on_part)(void *ctx, const struct multipart_part *part);  /* it has ended; each begun part ends once */
    void (*on_data)(void *ctx, struct span bytes);                  /* of the body of the part that has begun; borrowed */
};

struct multipart { /* opaque but for 'values'; about 6 KiB of the caller's, not to be copied once initialised */
    struct multipart_value values[MULTIPART_WANT_MAX]; /* in the order of the wants */

    struct multipart_want want[MULTIPART_WANT_MAX];
    uint8_t n_want, state, after; /* after: what has been read behind a boundary */
    bool in_part, is_lf;          /* is_lf: lines end in LF alone, as the first boundary's did */
    bool head_line_empty;         /* the head's line so far */
    int8_t keeping;               /* index of the want whose value is coming, or -1 */
    uint8_t delimiter_size;       /* CRLF "--" boundary */
    uint8_t matched;              /* bytes of the delimiter that stand at the end of what was fed ... */
    uint8_t assumed;              /* ... of which so many were not really there (a line begins the message) */
    uint8_t tail_used;
    uint8_t tail[16];             /* what was read behind a boundary, in case it is none */
    uint64_t tail_size;
    uint8_t delimiter[MULTIPART_BOUNDARY_MAX + 4];
    uint16_t head_used;
    uint8_t head[MULTIPART_HEAD_MAX];
    uint8_t names[MULTIPART_NAMES_MAX];
    struct multipart_part part;
    struct multipart_hooks hooks;
};

/* 'boundary' (copied) is the parameter of the Content-Type. E_BAD when it is empty or too long, E_LIMIT for too
 * many wants. */
int multipart_init(struct multipart *m, struct span boundary, const struct multipart_want *want, size_t n_want,
                   const struct multipart_hooks *hooks);
void multipart_feed(struct multipart *m, struct span bytes);
/* So many bytes are missing here: the part in progress becomes unsure (they are counted to it), and what follows is
 * read as its body until the next boundary. */
void multipart_gap(struct multipart *m, uint64_t bytes);
/* No more bytes come; ends the part in progress (not complete). */
void multipart_end(struct multipart *m);
/* Whether the closing boundary was seen. */
bool multipart_is_done(const struct multipart *m);
/* Parts told so far. */
uint32_t multipart_count(const struct multipart *m);

#endif
