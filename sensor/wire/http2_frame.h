/* SPDX-License-Identifier: Apache-2.0
 * One direction of an HTTP/2 connection as a state machine: in-order bytes and gaps in, frame events out (RFC 9113, 4
 * and 6). Pull style: the caller steps until HTTP2_MORE. What comes out does not depend on how the bytes were cut. DATA
 * is handed on in place; a header block is handed on whole, collected from its frames in blocks of two pools when it
 * does not lie in one piece. A gap inside a frame is bridged by its length; one that hides a frame's head loses sync,
 * and the caller is asked about everything that looks like a frame's head until it accepts one. */
#ifndef WIRE_HTTP2_FRAME_H
#define WIRE_HTTP2_FRAME_H

#include "wire/http1.h"

#define HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" /* RFC 9113, 3.4 */
#define HTTP2_FRAME_HEAD 9u
#define HTTP2_FRAME_SIZE 16384u      /* what every endpoint takes */
#define HTTP2_FRAME_MAX 16777215u    /* the most that SETTINGS_MAX_FRAME_SIZE can say */
#define HTTP2_MAX_BLOCK HTTP1_MAX_HEAD /* what is collected of a header block; a larger one is lost */

enum http2_frame_type {
    HTTP2_TYPE_DATA,
    HTTP2_TYPE_HEADERS,
    HTTP2_TYPE_PRIORITY,
    HTTP2_TYPE_RST_STREAM,
    HTTP2_TYPE_SETTINGS,
    HTTP2_TYPE_PUSH_PROMISE,
    HTTP2_TYPE_PING,
    HTTP2_TYPE_GOAWAY,
    HTTP2_TYPE_WINDOW_UPDATE,
    HTTP2_TYPE_CONTINUATION,
};

#define HTTP2_END_STREAM 0x01u
#define HTTP2_ACK 0x01u
#define HTTP2_END_HEADERS 0x04u
#define HTTP2_PADDED 0x08u
#define HTTP2_PRIORITY 0x20u

enum http2_setting { HTTP2_SETTING_TABLE_SIZE = 1, HTTP2_SETTING_FRAME_SIZE = 5 };

enum http2_frame_state {
    HTTP2_AT_PREFACE,
    HTTP2_AT_HEAD,
    HTTP2_AT_PREFIX, /* pad length, priority, promised stream */
    HTTP2_AT_DATA,
    HTTP2_AT_BLOCK,  /* a piece of a header block */
    HTTP2_AT_SMALL,  /* a payload of a few bytes that is read */
    HTTP2_AT_REST,   /* padding, and payloads nobody reads */
    HTTP2_AT_RESYNC, /* looking for the head of a frame */
};

/* The members are the machine's own, but for: state, max_size (to set), unsynced and missing (to read). */
struct http2_frame {
    uint8_t state, type, flags;    /* of the current frame */
    uint8_t n_held, n_wanted, held[HTTP2_FRAME_HEAD];
    uint8_t block_type, block_flags;
    bool in_block;                 /* CONTINUATION has to follow */
    bool is_block_lost;            /* it is only skipped */
    bool is_block_found;           /* its frame was found by resync */
    uint8_t unproven;              /* heads to come that show whether resync found one: itself, and the next */
    bool is_pad_unknown;           /* the pad length was in a gap */
    bool is_spent;                 /* the buffer was handed out */
    uint8_t matched;               /* of the preface */
    uint32_t stream, left, pad;    /* of the current frame: bytes of payload to come, of these padding */
    uint32_t block_stream, promised;
    uint32_t max_size;             /* of a frame, as announced; only resync goes by it */
    uint32_t buffered, capacity;
    uint8_t *buffer;
    uint64_t begin_ns, block_ns;   /* packet time of the first byte of the frame, and of the header block */
    uint64_t unsynced, missing;    /* bytes passed since sync was lost, gaps included; of these, gaps */
};

enum http2_frame_event {
    HTTP2_MORE,       /* the input is used up */
    HTTP2_DATA,       /* bytes 'data' of 'stream' */
    HTTP2_SKIP,       /* 'size' bytes of its data are missing */
    HTTP2_DATA_END,   /* a DATA frame with END_STREAM is over */
    HTTP2_HEADERS,    /* a whole header block 'data' (until the next call), is_end: END_STREAM */
    HTTP2_PUSH,       /* the same of a PUSH_PROMISE for stream 'promised' */
    HTTP2_BLOCK_LOST, /* bytes of a header block are missing, or it is too large, or no buffer was free: 'type' tells
                       * HEADERS (is_end) from PUSH_PROMISE */
    HTTP2_RESET,      /* RST_STREAM */
    HTTP2_SETTING,    /* 'id' = 'value' */
    HTTP2_SETTING_LOST,
    HTTP2_GOAWAY,    /* streams above 'value' were not looked at */
    HTTP2_WINDOW,    /* 'value' more bytes of 'stream' (0: of all) may be sent */
    HTTP2_LOST,      /* sync is lost: looking for a frame from here on */
    HTTP2_CANDIDATE, /* while looking: this may be the head of a frame ('type', 'flags', 'stream', 'size'). It is, when
                      * the caller says http2_frame_accept before the next step */
};

struct http2_frame_out {
    struct span data;
    uint64_t size;
    uint64_t begin_ns; /* packet time of the first byte */
    uint32_t stream, promised, value;
    uint16_t id;
    uint8_t type, flags;
    bool is_end;
    bool is_found;  /* HEADERS, PUSH: of the frame that resync found; HTTP2 is told by what it holds */
    bool is_unsure; /* SKIP: some of it may be padding */
    bool is_cut;    /* BLOCK_LOST: by its size */
    bool by_gap;    /* LOST: by a gap, else by what the bytes are */
};

/* 'matched': so many bytes of the client's preface have been read already; its whole size where there is none. */
void http2_frame_init(struct http2_frame *f, uint8_t matched);
/* Gives the buffer back. */
void http2_frame_fini(struct http2_frame *f, struct http1_memory *memory);
enum http2_frame_event http2_frame_step(struct http2_frame *f, struct http1_input *in, struct http1_memory *memory,
                                        struct http2_frame_out *out);
/* The answer to HTTP2_CANDIDATE. */
void http2_frame_accept(struct http2_frame *f);
/* It is not sure that a frame begins here: the next two heads have to be to the letter, else it is HTTP2_LOST. */
void http2_frame_doubt(struct http2_frame *f);
/* What was accepted turned out to be none; or nothing is known of where a frame begins. Looks on from here. */
void http2_frame_seek(struct http2_frame *f);

#endif
