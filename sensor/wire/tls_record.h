/* SPDX-License-Identifier: Apache-2.0
 * One direction of a TLS connection as a state machine: in-order bytes and gaps in, records out (RFC 8446 section 5.1,
 * RFC 5246 section 6.2). Pull style: the caller steps until TLS_RECORD_MORE. What comes out does not depend on how the
 * bytes were cut. Nothing is decrypted. No I/O, no allocation: records that span segments are collected in a block. */
#ifndef WIRE_TLS_RECORD_H
#define WIRE_TLS_RECORD_H

#include "base/pool.h"
#include "base/span.h"

#define TLS_RECORD_HEADER 5u            /* bytes of a record header */
#define TLS_RECORD_MAX (16384u + 2048u) /* longest fragment: TLSCiphertext of TLS 1.2 */
#define TLS_RECORD_BLOCK 40960u /* what a block of the pool must hold: twice a record and its neighbours' headers */
#define TLS_RECORD_SEEK_BUDGET 4194304u /* bytes to look through for a record in a flow joined midstream */

enum tls_content {
    TLS_CHANGE_CIPHER_SPEC = 20,
    TLS_ALERT = 21,
    TLS_HANDSHAKE = 22,
    TLS_APPLICATION_DATA = 23,
    TLS_HEARTBEAT = 24,
};

/* What the first bytes of a direction are. */
enum tls_probe {
    TLS_PROBE_MORE,   /* too few bytes to tell */
    TLS_PROBE_NO,     /* not TLS */
    TLS_PROBE_CLIENT, /* a record that begins with a ClientHello */
    TLS_PROBE_SERVER, /* a record that begins with a ServerHello or HelloRetryRequest */
    TLS_PROBE_RECORD, /* some other TLS record: an alert, or a connection joined midstream */
    TLS_PROBE_SSL2,   /* a ClientHello in the format of SSL 2.0 (RFC 5246 appendix E.2) */
};

/* Looks at the first bytes of one direction: 6 (SSL 2.0: 5) are enough, fewer often are. */
enum tls_probe tls_record_probe(struct span first);

struct tls_record_memory {
    struct pool *blocks; /* of TLS_RECORD_BLOCK bytes */
    uint64_t refused;    /* records and searches lost because the pool was used up */
};

struct tls_record_head {
    uint8_t type;      /* enum tls_content */
    uint16_t version;  /* legacy_record_version: 0x0300 to 0x0304 */
    uint16_t length;   /* of the fragment, bytes; at most TLS_RECORD_MAX */
    uint64_t number;   /* of the record in this direction as it was seen, from 0; counts on after a loss */
    uint64_t begin_ns; /* packet time of its first byte (after a loss: of the packet that showed it to be a record) */
};

enum tls_record_state {
    TLS_RECORD_AT_START,    /* nothing has come, or too little to tell what this is */
    TLS_RECORD_AT_SSL2,     /* inside a ClientHello of SSL 2.0 format */
    TLS_RECORD_AT_HEADER,   /* between records or inside a header */
    TLS_RECORD_AT_FRAGMENT, /* TLS_RECORD_HEAD was handed out */
    TLS_RECORD_AT_RESYNC,   /* looking for the next record */
    TLS_RECORD_AT_OFF,      /* not TLS from here on */
};

/* The members are the machine's own, but for: state, count, unsynced (to read). Zeroed by tls_record_init. */
struct tls_record_reader {
    uint8_t state;                 /* enum tls_record_state */
    uint8_t n_header;              /* bytes of the header so far */
    uint8_t header[6];             /* of the record, or the first bytes of the direction */
    bool is_ended;                 /* tls_record_finish */
    bool is_found;                 /* search done: the block's bytes from 'start' to 'end' come before the input */
    bool is_handed;                /* the block holds what the last event handed out */
    bool is_refused;               /* no block for the current record or search */
    bool is_torn;                  /* of the current record: a wanted byte is missing */
    bool is_bounded;               /* search: 'budget' holds */
    bool is_told;                  /* search: the loss was reported */
    uint16_t have;                 /* bytes of the fragment passed so far, missing ones included */
    uint16_t missing;              /* of those, in gaps */
    uint16_t want_head, want_tail; /* bytes of the fragment to hand out */
    uint32_t start, end;           /* of the block: what is still to be looked at */
    uint64_t lost;                 /* search: gap bytes since sync was lost */
    uint64_t unsynced;             /* bytes passed since sync was lost, gaps included */
    uint64_t budget;               /* search: bytes to look through */
    uint64_t count;                /* records begun in this direction, as far as seen */
    struct tls_record_head current;
    uint8_t *block;
};

/* What comes next: bytes or, when bytes.size is 0, a gap of so many bytes. Stepping takes it off. */
struct tls_record_input {
    struct span bytes;
    uint64_t gap;
    uint64_t now_ns; /* packet time */
};

enum tls_record_event {
    TLS_RECORD_MORE,     /* the input is used up */
    TLS_RECORD_HEAD,     /* a header: 'head'. The caller may answer with tls_record_want; else the fragment comes whole */
    TLS_RECORD_BODY,     /* the record is over: 'data' (and 'tail') is what was wanted of it, valid until the next call;
                          * 'missing' bytes that were not wanted fell into gaps */
    TLS_RECORD_MEASURED, /* the record is over, nothing of it is handed out: none was wanted, or of what was wanted some is
                          * among the 'missing' bytes, or there was no memory (is_refused). A gap inside of a record does
                          * not lose sync. is_cut: the stream ended inside of it */
    TLS_RECORD_LOST,     /* sync is lost: a gap of 'size' bytes begins between records or in a header, or goes on behind
                          * the end of a record; or (size 0) a header is none */
    TLS_RECORD_FOUND,    /* back in sync: 'size' bytes were passed since, 'missing' of them in gaps (those of
                          * TLS_RECORD_LOST included). A TLS_RECORD_HEAD follows */
    TLS_RECORD_SSL2,     /* first bytes: a ClientHello in SSL 2.0 format; 'version' is what it offers. Nothing follows */
    TLS_RECORD_FOREIGN,  /* not TLS: by the first bytes, or a search gave up ('size' bytes passed). Nothing follows */
};

struct tls_record_out {
    struct tls_record_head head; /* HEAD, BODY, MEASURED */
    struct span data, tail;      /* BODY; data: SSL2 too */
    uint64_t size, missing;      /* bytes */
    uint16_t version;            /* SSL2 */
    bool is_cut, is_refused;     /* MEASURED */
};

void tls_record_init(struct tls_record_reader *r);
/* Gives back what the reader holds. */
void tls_record_fini(struct tls_record_reader *r, struct tls_record_memory *memory);
/* The next event; spans of 'out' borrow the input or the reader's block. */
enum tls_record_event tls_record_step(struct tls_record_reader *r, struct tls_record_memory *memory,
                                      struct tls_record_input *input, struct tls_record_out *out);
/* Right after TLS_RECORD_HEAD: of the fragment hand out only its first 'head' and last 'tail' bytes, the rest is
 * measured by arithmetic (0, 0: all of it, answered by TLS_RECORD_MEASURED). When they meet, 'data' is the whole
 * fragment and 'tail' is empty. */
void tls_record_want(struct tls_record_reader *r, size_t head, size_t tail);
/* No more bytes will come: a search may end with a record that ends here. The caller steps on with an empty input until
 * TLS_RECORD_MORE. */
void tls_record_finish(struct tls_record_reader *r);
/* Bytes that came and are part of no record that was handed out: of a header, or of a search. */
uint64_t tls_record_pending(const struct tls_record_reader *r);
/* The flow was joined midstream: looks for records, and gives up (TLS_RECORD_FOREIGN) after 'budget' bytes, 0 = never.
 */
void tls_record_seek(struct tls_record_reader *r, uint64_t budget);

#endif
