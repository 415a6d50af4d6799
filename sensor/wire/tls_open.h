/* SPDX-License-Identifier: Apache-2.0
 * The reading end of one direction of a TLS connection under one set of keys: opens records, or counts them without
 * opening, or reads only a part of one. TLS 1.3 (RFC 8446 section 5), TLS 1.2 (RFC 5246 section 6.2, 5288, 6655,
 * 7905), encrypt-then-MAC (RFC 7366), TLS 1.1, 1.0 and SSL 3.0. Cipher contexts come from a pool that grows only when
 * an opener is made, and never shrinks; a record takes nothing from the heap
 * (but OpenSSL's note of a failed authentication with CCM). */
#ifndef WIRE_TLS_OPEN_H
#define WIRE_TLS_OPEN_H

#include "base/counter.h"
#include "wire/tls_suite.h"

struct tls_open_pool; /* of one worker */
struct tls_open_slot;

/* NULL when memory cannot be reserved. 'max_openers': at work at once, two for each open connection; 0 = 16384. */
struct tls_open_pool *tls_open_pool_new(uint32_t max_openers);
/* Every opener must have been closed. NULL does nothing. */
void tls_open_pool_free(struct tls_open_pool *p);
/* Whether this machine's OpenSSL has the cipher (RC4 and DES need its legacy provider). */
bool tls_open_can(const struct tls_open_pool *p, const struct tls_suite *suite);
/* Whether no more than half of them are at work. */
bool tls_open_has_room(const struct tls_open_pool *p);
/* False: the system did not lock the block with IVs, MAC keys and traffic secrets. (The expanded cipher keys are
 * OpenSSL's and lie in the heap; they are overwritten on close.) */
bool tls_open_is_locked(const struct tls_open_pool *p);
struct counters tls_open_counters(const struct tls_open_pool *p);

/* The members are the machine's own, but for: seq (to read). Zeroed is a closed opener. */
struct tls_opener {
    struct tls_open_pool *pool;
    struct tls_open_slot *slot; /* NULL: closed */
    const struct tls_suite *suite;
    uint64_t seq; /* of the next record */
    uint16_t version;
    uint8_t secret_size; /* TLS 1.3 */
    bool is_etm, has_no_aad;
};

/* TLS 1.3: by a traffic secret. E_NONE when the cipher is not to be had, E_BAD when the suite or the size of the
 * secret does not fit TLS 1.3, E_LIMIT when all openers are out (counted). A used opener is closed first. */
int tls_opener_init_13(struct tls_opener *o, struct tls_open_pool *p, const struct tls_suite *suite,
                       struct span secret);

/* Right after it: 'version' was negotiated. Drafts of TLS 1.3 before the 25th (0x7f00 + number) do not authenticate the
 * record header; for all other versions nothing changes. */
void tls_opener_set_draft(struct tls_opener *o, uint16_t version);

struct tls_opener_params { /* SSL 3.0 to TLS 1.2 */
    const struct tls_suite *suite;
    uint16_t version;          /* 0x0300 to 0x0303 */
    bool is_etm;               /* encrypt_then_mac was in both hellos; only CBC asks */
    bool is_server;            /* records the server sends */
    struct span master;        /* 48 bytes */
    struct span client_random; /* 32 bytes each */
    struct span server_random;
};
/* The same errors. */
int tls_opener_init_12(struct tls_opener *o, struct tls_open_pool *p, const struct tls_opener_params *params);
/* Wipes the keys and gives the contexts back. A closed or zeroed opener stays as it is. */
void tls_opener_close(struct tls_opener *o);
static inline bool tls_opener_is_open(const struct tls_opener *o)
{
    return o->slot != NULL;
}
/* After a KeyUpdate message of this direction (TLS 1.3): next generation of keys, sequence number 0. */
void tls_opener_update(struct tls_opener *o);

struct tls_record {   /* what the wire shows of one */
    uint8_t type;     /* enum tls_content */
    uint16_t version; /* legacy_record_version */
    size_t length;    /* of the fragment, bytes */
};

struct tls_opened {
    uint8_t type;     /* the inner content type with TLS 1.3, else the record's */
    struct span data; /* plaintext without padding; borrows the caller's buffer */
    uint32_t lost;    /* tls_opener_resync: records passed over; with a KeyUpdate among them: at least so many */
};

/* Opens the next record. 'fragment' is whole (record->length bytes); 'out' holds as many and may not overlap it.
 * 0; E_DENIED: authentication failed (wrong keys, a lost record, or tampering); E_BAD: malformed (shorter than its tag,
 * MAC or padding can be, an inner plaintext of nothing but zeros). After an error the opener stands where it stood,
 * except that stream ciphers cannot go on: they fail from then on. */
int tls_opener_open(struct tls_opener *o, const struct tls_record *record, struct span fragment, uint8_t *out,
                    struct tls_opened *opened);
/* The same after a loss, or when tls_opener_open said E_DENIED: tries the sequence numbers up to 'bound' further on
 * (and, with TLS 1.3, those of the next generation of keys). E_DENIED: none fits. CBC of TLS 1.0 and before needs the
 * record before this one: E_DENIED at the first record after a loss, the second is found. Stream ciphers: always
 * E_DENIED. */
int tls_opener_resync(struct tls_opener *o, const struct tls_record *record, struct span fragment, uint32_t bound,
                      uint8_t *out, struct tls_opened *opened);

/* How many of a fragment's last bytes tls_opener_skip must see to be exact: 0 when the length alone says it (AEAD of
 * TLS 1.2, NULL), SIZE_MAX when the cipher must run over all of it (stream ciphers). */
size_t tls_opener_tail_size(const struct tls_opener *o);

struct tls_skipped {
    uint8_t type;    /* the inner content type with TLS 1.3 when is_exact, else the record's */
    bool is_exact;   /* max is the size; else the tail was too short or nothing but padding */
    size_t min, max; /* plaintext bytes */
};
/* What tls_opener_skip would say of the next record; stays before it, and counts nothing. E_STATE: not
 * possible with a stream cipher. */
int tls_opener_measure(struct tls_opener *o, const struct tls_record *record, struct span tail,
                       struct tls_skipped *skipped);
/* Right after it, with the same record and whole fragment: counts it as skipped, and goes on to the next. */
void tls_opener_pass(struct tls_opener *o, struct span fragment);
/* Counts the next record without opening it: nothing is authenticated. 'tail' is the end of the fragment (more than
 * tls_opener_tail_size is fine: 1.3 padding longer than the tail is then found too; the whole fragment is allowed).
 * 0; E_BAD malformed; E_DENIED a stream cipher without the whole fragment (it cannot go on). */
int tls_opener_skip(struct tls_opener *o, const struct tls_record *record, struct span tail,
                    struct tls_skipped *skipped);

/* Bytes of a fragment that must be there to read its first 'size' bytes of plaintext. */
size_t tls_opener_head_size(const struct tls_opener *o, size_t size);
/* Reads plaintext bytes [from, from + size) of the next record, unauthenticated, and stays before it: 'head' is the
 * beginning of the fragment, at least tls_opener_head_size(o, from + size) of it. Padding is not looked for: the caller
 * asks for no more than there is (tls_opener_skip tells). 'out' holds 'size' + 32 bytes; *plain points into it.
 * 0; E_BAD: 'head' is too short or the record has no such bytes; E_STATE: not possible with a stream cipher. */
int tls_opener_peek(struct tls_opener *o, const struct tls_record *record, struct span head, size_t from, size_t size,
                    uint8_t *out, struct span *plain);

#endif
