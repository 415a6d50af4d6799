/* SPDX-License-Identifier: Apache-2.0
 * The inside of a TLS connection, shared by the files of flow/tls_*. The two sides are named by their role, which is
 * not always the direction of the flow: who opens a connection that was joined midstream is known by its ClientHello. */
#ifndef FLOW_TLS_STATE_H
#define FLOW_TLS_STATE_H

#include "flow/tls_conn.h"
#include "flow/tls_hold.h"
#include "wire/coding.h"
#include "wire/tls_handshake.h"
#include "wire/tls_open.h"
#include "wire/tls_record.h"

enum { TLS_CLIENT, TLS_SERVER }; /* roles */

/* Which keys the next record of a side is under. SSL 3.0 to TLS 1.2 know the first and the last only. */
enum tls_epoch { TLS_EPOCH_PLAIN, TLS_EPOCH_EARLY, TLS_EPOCH_HANDSHAKE, TLS_EPOCH_TRAFFIC };

/* What a side waits for before its next record can be read. */
enum tls_block { TLS_NOT_BLOCKED, TLS_BLOCKED_BY_HELLO, TLS_BLOCKED_BY_KEYS };

enum tls_early { TLS_EARLY_NONE, TLS_EARLY_OFFERED, TLS_EARLY_ACCEPTED, TLS_EARLY_REJECTED };

struct tls_side {
    struct tls_record_reader reader;
    struct tls_handshake handshake;
    struct tls_opener opener;
    struct tls_hold hold;
    struct coding *coding;       /* where TLS compresses: one stream for each set of keys */
    struct tls_record_head head; /* of the record that is blocked */
    uint64_t lost;               /* bytes of the stream that went by without sync since the last record */
    uint64_t untold;             /* plaintext lost before the keys have shown to be the right ones */
    uint32_t failures;           /* records in a row that did not open */
    uint32_t unread;             /* plaintext of the last of them, when it may be early data; told with the next */
    uint8_t epoch, block;
    bool has_gap;     /* something of the stream is missing */
    bool is_lossy;    /* records may be missing before the next one */
    bool is_encrypted; /* of the record under way */
    bool is_lazy;     /* of the record under way: only its end is looked at */
    bool is_trying;   /* the keys in hand may be for later records: those that fail are passed over */
    bool is_padded;   /* records hold padding: their size shows only when all of them is at hand */
    bool is_skimmed;  /* nobody wanted all of the last record */
    uint16_t n_passed; /* bytes of plaintext of the record under way that have been handed on unauthenticated */
    bool has_opened;  /* a record of this side was authenticated */
    bool has_missed_change; /* its ChangeCipherSpec */
    bool is_finished;
    uint8_t n_first, first[8];
};

struct tls_conn {
    struct tls_conn_pool *pool;
    void *ctx;
    struct tls_conn *wait_next, *wait_prev; /* of those that wait for keys */
    struct tls_side side[2];                /* by role */
    const struct tls_suite *suite;          /* NULL: not known, or not known to us */
    uint64_t order;                         /* of the next item held */
    uint64_t wait_ns;                       /* since when keys are waited for; 0 = they are not */
    uint64_t now_ns;                        /* packet time of the last call */
    uint64_t generation;                    /* of the secrets when they were last looked for */
    uint16_t version;
    uint8_t state; /* enum tls_conn_state */
    uint8_t early; /* enum tls_early */
    uint8_t session_id_size;
    uint8_t compression; /* as the server has chosen: 0 none, 1 DEFLATE (RFC 3749) */
    bool is_swapped; /* the client's direction is 1 */
    bool has_client, has_server; /* hellos */
    bool offers_etm, is_etm;
    uint8_t session_id[32], client_random[32], server_random[32];
    struct tls_facts facts;
};

struct tls_conn_counts {
    uint64_t connections, refused, foreign;
    uint64_t opened, no_keys, bad_keys, unsupported, missed;
    uint64_t waited, hold_full;
    uint64_t records, records_skipped, records_lost, records_failed, resyncs;
    uint64_t messages_refused, blocks_refused;
};

struct tls_conn_pool {
    struct tls_conn_ops ops;
    struct tls_conn_limits limits;
    struct tls_keys *keys;
    struct tls_open_pool *openers;
    struct pool *conns, *held;
    struct tls_record_memory records;
    struct tls_handshake_memory messages;
    struct tls_conn *wait_first, *wait_last; /* in the order in which they began to wait */
    uint64_t generation;                     /* of the secrets at the last poll */
    struct tls_conn_counts counts;
    struct coding_pool *codings;
    size_t n_expanded;
    uint8_t plain[TLS_RECORD_MAX + 64], expanded[TLS_RECORD_MAX];
};

static inline int tls_direction(const struct tls_conn *t, int role)
{
    return role ^ (int)t->is_swapped;
}

/* As the server has chosen; also the drafts (0x7f00 + number). */
static inline bool tls_is_13(const struct tls_conn *t)
{
    return t->has_server && t->version >= 0x0304;
}

/* ---- tls_conn.c ---- */
/* Nothing more will come out; the facts say why. */
void tls_conn_close(struct tls_conn *t, enum tls_sight why);

/* ---- tls_negotiate.c: what the handshake says ---- */
/* A ClientHello in the format of SSL 2.0; false when it is none. */
bool tls_negotiate_ssl2(struct tls_conn *t, struct span message);
/* Handshake bytes of one record, in the clear. */
void tls_negotiate_feed(struct tls_conn *t, int role, struct span fragment);
/* ChangeCipherSpec: the side's next record is under new keys. */
void tls_negotiate_change(struct tls_conn *t, int role);

/* ---- tls_decrypt.c: records under keys ---- */
/* Makes the side ready to open records under its epoch's keys. TLS_BLOCKED_BY_KEYS when they have not come. May close
 * the connection. */
enum tls_block tls_decrypt_unlock(struct tls_conn *t, int role);
/* One whole record. */
void tls_decrypt_record(struct tls_conn *t, int role, const struct tls_record_head *head, struct span fragment,
                        uint64_t ns);
/* One record of which only the end was asked for; so many bytes before that are missing. */
void tls_decrypt_skip(struct tls_conn *t, int role, const struct tls_record_head *head, struct span tail,
                      uint64_t missing, uint64_t ns);
/* One record whose header was seen, but of its fragment only 'seen' bytes and gaps, before the stream ended. */
void tls_decrypt_lose(struct tls_conn *t, int role, const struct tls_record_head *head, size_t seen, uint64_t ns);
/* The end: so many bytes of the stream are not known as records. */
void tls_decrypt_lose_rest(struct tls_conn *t, int role, uint64_t bytes, uint64_t ns);

/* ---- tls_lazy.c: records of which nobody wants all ---- */
/* How many bytes of the end of a record are needed to count it unread; SIZE_MAX: it must be read. */
size_t tls_lazy_tail(struct tls_conn *t, int role, const struct tls_record_head *head);
/* Counts a record unread, 'missing' bytes of which fell into gaps. 0, or as tls_opener_skip. */
int tls_lazy_skip(struct tls_conn *t, int role, const struct tls_record_head *head, struct span tail, uint64_t missing,
                  uint64_t ns);
/* One whole record: reads what is wanted and skips the rest. False: it has to be opened; the first side.n_passed bytes of
 * its plaintext have been handed on. */
bool tls_lazy_record(struct tls_conn *t, int role, const struct tls_record_head *head, struct span fragment,
                     uint64_t ns);
/* A record was opened. */
void tls_lazy_note(struct tls_conn *t, int role, const struct tls_record_head *head, const struct tls_opened *opened);

#endif
