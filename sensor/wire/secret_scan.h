/* SPDX-License-Identifier: Apache-2.0
 * Looks for session tokens, cookies, passwords and keys in a text that streams by in slices: a HAR, JSON, a log, a
 * configuration. Counts distinct ones by kind, and those whose own expiry has passed; keeps nothing else. What a redactor
 * left ("***", "[REDACTED]", nothing, a JWT without its signature) is none. */
#ifndef WIRE_SECRET_SCAN_H
#define WIRE_SECRET_SCAN_H

#include "base/file_facts.h"
#include "base/span.h"

#define SECRET_SCAN_VALUE 4096 /* bytes of a value that are read: of longer ones the beginning */
#define SECRET_SCAN_SEEN 512   /* distinct secrets of one text that are told apart; a power of two */
#define SECRET_SCAN_NAME 64

struct secret_scan { /* opaque; about 9 KiB of the caller's. Holds secrets until secret_scan_end */
    uint64_t now_s;
    uint8_t mode;         /* between words, in one, behind one, in a value */
    uint8_t want;         /* behind a word: what its value would be */
    uint8_t assign;       /* ':' or '=' was seen behind the word */
    uint8_t quote;        /* of the value: how it was opened; 0 = not at all */
    bool is_escaped;      /* its quotation marks stand behind backslashes: JSON in JSON */
    bool is_key_quoted;
    bool is_cut;          /* not everything was seen */
    uint8_t escape;       /* behind a backslash; digits of \u left + 1 */
    uint8_t pem, pem_body; /* how far a PEM key has been read */
    uint8_t section;      /* of a HAR: the list that is being read */
    uint8_t name_size;
    bool has_cookie, is_cookie_expired; /* of the object in progress: a cookie that waits for its expiry */
    uint16_t code;        /* \uXXXX in progress */
    uint64_t object_expiry_s; /* of the same; 0 = none */
    uint64_t cookie_hash, pem_hash;
    size_t size;          /* bytes of the word or value; only the first are kept */
    uint16_t n_seen, expired;
    uint16_t counts[SECRET_KINDS];
    uint8_t name[SECRET_SCAN_NAME]; /* of a {"name": ..., "value": ...} object */
    uint64_t seen[SECRET_SCAN_SEEN];
    uint8_t text[SECRET_SCAN_VALUE];
};

/* 'now_s': packet time, in seconds since 1970; what expired before is counted as such. */
void secret_scan_init(struct secret_scan *s, uint64_t now_s);
void secret_scan_feed(struct secret_scan *s, struct span bytes);
/* Bytes are missing here, or what follows is another text: what is in progress is given up. */
void secret_scan_break(struct secret_scan *s, bool is_cut);
/* Sets is_scanned, is_cut, secrets and expired of 'out', and wipes the scan. */
void secret_scan_end(struct secret_scan *s, struct file_facts *out);

#endif
