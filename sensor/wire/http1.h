/* SPDX-License-Identifier: Apache-2.0
 * One direction of an HTTP/1.x connection as a state machine: in-order bytes and gaps in, heads, body bytes and message
 * ends out (RFC 9112). Pull style: the caller steps until HTTP1_MORE. What comes out does not depend on how the bytes
 * were cut. No I/O, no allocation: heads that span segments are collected in blocks of two pools. */
#ifndef WIRE_HTTP1_H
#define WIRE_HTTP1_H

#include "base/pool.h"
#include "wire/http1_head.h"

#define HTTP1_SMALL 4096u     /* block of a head in the making; also how long a start line may be to resync on */
#define HTTP1_MAX_HEAD 65536u /* what is kept of a head, start line included */
#define HTTP1_MAX_HEAD_TOTAL 1048576u /* a head without end within so many bytes is none */
#define HTTP1_MAX_JUNK 4u             /* bytes before the first status line; Chromium and Firefox take as many */
#define HTTP1_UNSURE_BUDGET 4194304u  /* bytes to look through for a first message in a flow joined midstream */

struct http1_memory {
    struct pool *small, *large; /* blocks of HTTP1_SMALL and HTTP1_MAX_HEAD bytes */
    uint64_t refused;           /* heads lost because the pools were used up */
};

enum http1_state {
    HTTP1_AT_START,   /* nothing but perhaps empty lines and a PROXY preface has come */
    HTTP1_AT_PREFACE, /* inside a PROXY v2 preface */
    HTTP1_AT_IDLE,    /* between messages */
    HTTP1_AT_HEAD,
    HTTP1_AT_VERDICT, /* HTTP1_HEAD was handed out; the caller says what follows */
    HTTP1_AT_PEEK,    /* length-delimited, unless it was the answer to a HEAD nobody saw */
    HTTP1_AT_LENGTH,
    HTTP1_AT_CLOSE,
    HTTP1_AT_SIZE, /* chunk size */
    HTTP1_AT_EXTENSION,
    HTTP1_AT_CHUNK,
    HTTP1_AT_CHUNK_END,
    HTTP1_AT_TRAILER,
    HTTP1_AT_JUNK,   /* behind the first bytes of an answer, which are none: a status line, or HTTP/0.9 */
    HTTP1_AT_END,    /* the end of a message has yet to be told */
    HTTP1_AT_RESYNC, /* looking for the next message */
    HTTP1_AT_SLEEP,  /* gave up looking: http1_wake */
    HTTP1_AT_OFF,    /* not HTTP/1 from here on */
};

/* The members are the machine's own, but for: role, state, begin_ns, unsynced (to read). Zeroed by http1_init. */
struct http1 {
    union {
        uint8_t held[16]; /* what may be the first chunk size, or the body itself */
        struct {
            uint64_t due; /* resync: where in 'unsynced' the next chunk size is, if the last one found was one; 0 = none */
            uint64_t end; /* there: behind what may be the end of a chunked body; 0 = none */
        } chunks;
    };
    uint8_t state, role;              /* enum http1_state; enum http1_role, HTTP1_EITHER until a start line told */
    uint8_t matched;                  /* progress in a literal, or chunk size digits */
    uint8_t start_part;               /* where in the start line: 0 method or version, 1 rest, 2 behind it */
    uint8_t line;                     /* what the current line holds so far: 0 nothing, 1 a CR, 2 more */
    bool is_first;                    /* no message has been seen in this direction */
    bool has_target, is_path;         /* start line: a byte behind the method came, and it was a slash */
    bool is_odd;                      /* the framing of this body was not to the letter */
    bool is_first_size, has_declared; /* chunk size: the first of a body; of that, a Content-Length came with it */
    uint8_t n_held;
    bool is_cut;                      /* the head is larger than what is kept */
    bool has_candidate;               /* resync: the buffer begins with a start line */
    bool is_bounded;                  /* resync: 'left' counts down to sleep */
    uint8_t chunk_line;               /* resync: enum of http1_chunks.c; 0 = not inside a chunked body */
    uint32_t head_size;               /* bytes of the head so far */
    uint32_t buffered, capacity, line_start; /* of the buffer; line_start: resync, where its last, open line begins */
    uint64_t declared;                       /* Content-Length beside chunked; behind the first size: the last chunk's */
    uint64_t left;                           /* of the body or chunk; resync: of the budget, or of the last size found */
    uint64_t unsynced;                       /* bytes passed since sync was lost, gaps included; in a chunked body from
                                              * the end of the last chunk on */
    uint64_t begin_ns;                       /* packet time of the first byte of the message */
    uint8_t *buffer;
};

/* What comes next: bytes or, when bytes.size is 0, a gap of so many bytes. Stepping takes it off. */
struct http1_input {
    struct span bytes;
    uint64_t gap;
    uint64_t now_ns; /* packet time */
};

enum http1_event {
    HTTP1_MORE,     /* the input is used up */
    HTTP1_HEAD,     /* a whole head: 'data', valid until the next call. The caller answers with http1_follow */
    HTTP1_CUT_HEAD, /* a gap cut the head short: 'data' is what there is, with a whole start line. Sync is lost */
    HTTP1_DATA,     /* body bytes 'data' */
    HTTP1_SKIP,     /* 'size' body bytes are missing */
    HTTP1_END,      /* the message is over */
    HTTP1_PASSED,   /* 'size' bytes are missing while sync is lost */
    HTTP1_REFRAMED, /* found the way back into the body that sync was lost in: 'size' of its bytes have passed since */
    HTTP1_LOST,     /* sync is lost: looking for the next message from here on */
    HTTP1_FOREIGN,  /* the first bytes are no HTTP/1; off from here on, unless the caller says http1_seek */
    HTTP1_PROXY,    /* a PROXY preface: 'data' is the v1 line, or v2 from its 13th byte on, at most 40 bytes */
    HTTP1_BARE,     /* an answer without a head (RFC 1945, 6): a body up to the end of the connection begins */
};

struct http1_out {
    struct span data;
    uint64_t size;
    bool is_found;   /* HEAD, CUT_HEAD: found by resync */
    bool is_cut;     /* HEAD: larger than HTTP1_MAX_HEAD */
    bool by_gap;     /* LOST: by a gap, else by what the bytes are */
    bool in_message; /* LOST: inside a message (its head was handed out), else at the start of one */
    bool was_first;  /* LOST: no message had been seen in this direction */
};

void http1_init(struct http1 *h, enum http1_role role);
/* Gives the buffer back. */
void http1_fini(struct http1 *h, struct http1_memory *memory);
enum http1_event http1_step(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                            struct http1_out *out);

/* The answer to HTTP1_HEAD: the body that follows. 'may_be_head': the request is not known, so a length may belong to
 * the answer to a HEAD request; then a start line right behind the head means there is no body. */
void http1_follow(struct http1 *h, struct http1_memory *memory, const struct http1_body *body, bool may_be_head);
/* The other answer: no message of its own (1xx); the next head follows. */
void http1_ignore(struct http1 *h, struct http1_memory *memory);
/* No more bytes will come. True when they end inside a head whose start line is whole: 'data' is what there is. */
bool http1_finish(struct http1 *h, struct http1_out *out);
/* The other answer where it was found by resync: it is none. The search goes on behind it. */
void http1_refuse(struct http1 *h);
/* The body that is coming cannot be what it was taken for: looks for the next message. */
void http1_lose(struct http1 *h, struct http1_memory *memory);
/* The message that sync was lost in is over; nothing of its body is looked for any more. True when it was chunked and ends
 * where the machine stands, by what was found of its framing since, or because no more is missing there than the last chunk
 * and another message begins ('is_followed'): then *size bytes of it have passed since. */
bool http1_end_body(struct http1 *h, bool is_followed, uint64_t *size);
/* Everything from here on is something else. */
void http1_stop(struct http1 *h, struct http1_memory *memory);
/* Looks for a message of 'role': after HTTP1_FOREIGN, or to bound a search that is under way. After 'budget' bytes it
 * goes to sleep; 0 = never. */
void http1_seek(struct http1 *h, enum http1_role role, uint64_t budget);
/* Whether all that has come may be the front of a PROXY preface. */
bool http1_is_prefacing(const struct http1 *h);
/* Another answer to HTTP1_FOREIGN, at the first bytes of the side that answers: up to HTTP1_MAX_JUNK of them may stand
 * before a status line, as with the browsers people use; else this is an answer without a head (HTTP1_BARE). False when
 * they begin like a status line that cannot be read. */
bool http1_expect_bare(struct http1 *h, struct http1_memory *memory);
/* No more bytes will come. True when they end before it was clear that the answer has no head: HTTP1_BARE comes now, and
 * then 'data'. */
bool http1_finish_bare(struct http1 *h, struct http1_out *out);
/* Looks for messages again, without a budget (the other direction turned out to speak HTTP). */
void http1_wake(struct http1 *h);

#endif
