/* SPDX-License-Identifier: Apache-2.0
 * Who did what: one act of one credential. The pivot of the program: packets never go right of it, people never left.
 * A fixed head and one tail of strings (at most 4 KiB, cuts marked); no pointers, no secrets, copied by value.
 *
 * It is born on the packet side as a candidate: what was done, and the evidence of who (hashes of session values, a
 * name the user gave at a login, a name the page showed). The analysis side settles user.name and fills the
 * enrichment. */
#ifndef RECORD_ACTIVITY_H
#define RECORD_ACTIVITY_H

#include "base/file_facts.h"
#include "base/json.h"
#include "record/transaction.h"

enum action {
    ACTION_NONE, ACTION_LOGIN, ACTION_LOGOUT, ACTION_MFA_CHALLENGE, ACTION_MFA_PASSED, ACTION_VIEW_CASE, ACTION_LIST,
    ACTION_SEARCH, ACTION_LIST_FILES, ACTION_DOWNLOAD, ACTION_PREVIEW, ACTION_UPLOAD, ACTION_EXPORT, ACTION_JOB_CREATE,
    ACTION_JOB_POLL, ACTION_JOB_DELETE, ACTION_DELETE, ACTION_REPLY, ACTION_PASSWORD_CHANGE, ACTION_PREFS_CHANGE,
    ACTION_FACTOR_CHANGE, ACTION_TOKEN_CREATE, ACTION_IMPERSONATE, ACTION_API_CALL, ACTION_ADMIN, ACTION_IDENTIFY,
    ACTION_AMEND, ACTION_CONNECTION, /* a flow that is not HTTP */
    ACTION_N
};

enum outcome { OUTCOME_UNKNOWN, OUTCOME_SUCCESS, OUTCOME_FAILURE };

/* How the credential showed itself in this request. */
enum cred_kind {
    CRED_NONE, CRED_COOKIE, CRED_BASIC, CRED_BEARER, CRED_TOKEN, CRED_FORM, CRED_JSON, CRED_SAML, CRED_CERT, CRED_LINK,
    CRED_OIDC, CRED_NTLM, CRED_KERBEROS,
    CRED_N
};

/* What a credential says of itself in a form that others sign, and who signs it. */
enum assertion {
    ASSERTION_NONE, ASSERTION_SAML, /* a SAML response */
    ASSERTION_ID_TOKEN,             /* of OpenID Connect, posted */
    ASSERTION_JWT,                  /* a bearer token */
    ASSERTION_N
};
/* Bits of activity.asserted. */
#define ASSERTED_SIGNED 0x01u    /* it carries a signature (which nobody here can verify) */
#define ASSERTED_ENCRYPTED 0x02u
#define ASSERTED_AMBIGUOUS 0x04u /* two readers could see two people: it names nobody */
#define ASSERTED_AGE 0x08u       /* token_age_s is known */
#define ASSERTED_EXPIRY 0x10u    /* token_left_s is known */

/* The strings of the tail. */
enum activity_string {
    STR_USER,     /* the credential's name; "session:<hash>" while unresolved */
    STR_CLAIM,    /* candidate only: the name given at a login or shown by the page; not written out */
    STR_APP,      /* application profile */
    STR_ROUTE,    /* which route of it took the request; "" = by the response alone (unknown route) */
    STR_METHOD, STR_HOST,
    STR_TARGET,   /* masked */
    STR_CASE, STR_CUSTOMER, STR_FILE,
    STR_OBJECT,   /* the application's own id of the file or case (attachment id): what makes files distinct */
    STR_MIME,
    STR_AGENT,    /* User-Agent, cut at 256 bytes */
    STR_CLIENT,   /* client family and major version, "Firefox 147" */
    STR_AS_ORG, STR_NETWORK, /* enrichment: AS organisation, name of the operator's prefix list */
    STR_PROTOCOL, /* of ACTION_CONNECTION: nDPI's name */
    STR_SNI,
    STR_JA3, STR_JA4, /* of the client's TLS, where the tap stands in front of its end */
    STR_CERT,         /* subject of the client's certificate */
    STR_ACTS_FOR,     /* whom the request says it acts for: the server may believe it */
    STR_ISSUER, STR_TENANT, /* of the assertion */
    STR_N
};

#define ACTIVITY_TAIL_MAX 4096
#define SESSION_HASH_SIZE 16

/* Bits of activity.flags; each but the candidate's and the transfer's has a name in activity_flag_name(). */
#define ACT_UNKNOWN_ROUTE 0x0001u  /* a file came through a route no profile knows */
#define ACT_PARTIAL 0x0002u        /* bytes are missing from the capture */
#define ACT_ABORTED 0x0004u
#define ACT_ONE_SIDED 0x0008u
#define ACT_INLINE 0x0010u         /* fetched by the browser as part of a page */
#define ACT_CUT 0x0020u            /* a string did not fit */
#define ACT_NOT_MODIFIED 0x0040u   /* 304: the client had it already */
#define ACT_REFUSED 0x0080u        /* the application answered with a login page, 401, 403, 404 */
#define ACT_MACHINE 0x0100u        /* the client is a program, not a browser */
#define ACT_FORGED_HOP 0x0200u     /* the client itself sent a forwarding header that claims another address */
#define ACT_SESSION_NEW 0x0400u    /* candidate: the answer replaced the session value (new_session holds) */
#define ACT_SESSION_END 0x0800u    /* candidate: the session value is dead from here on */
#define ACT_RANGE 0x1000u          /* a piece of a file (206) */
#define ACT_HAS_FILE_SIZE 0x2000u
#define ACT_HAS_BODY 0x4000u       /* body_bytes is known */
#define ACT_COMPLETE 0x8000u       /* the body was seen to its end */
#define ACT_ENCRYPTED 0x10000u     /* the flow stayed closed: source-keyed only */
#define ACT_CLAIM_PROVEN 0x20000u  /* candidate: the claim is the server's word (page, accepted login), not a guess */
#define ACT_NEEDS_PROOF 0x40000u   /* candidate: a login whose outcome the body or cookie decides */
#define ACT_TRANSFER 0x80000u      /* transfer_id is known: this is a piece, or all, of one transfer */
#define ACT_TRANSFER_BYTES 0x100000u    /* transfer_bytes is known, and whether the transfer is complete */
#define ACT_TRANSFER_COVERAGE 0x200000u /* transfer_coverage is known: so is the size of the whole */
#define ACT_TRANSFER_COMPLETE 0x400000u
#define ACT_TRANSFER_UNSURE 0x800000u   /* too many scattered pieces: transfer_bytes is the least it can be */
#define ACT_HAS_TOTAL 0x1000000u   /* candidate: total is known */
#define ACT_UNPLACED 0x2000000u    /* candidate: it is not known where in the object the body belongs */

#define ACT_TOKEN_EXPIRED 0x4000000u /* the token had expired when it was used */
#define ACT_SERVICE 0x8000000u     /* the operator declared the credential a service's */
#define ACT_CLIENT_MISMATCH 0x10000000u /* its TLS or its client hints are not those of the browser its User-Agent names */
#define ACT_AMBIGUOUS 0x20000000u   /* it says twice, differently, who it is or what it asks for: session, user name, case, file */

/* Bits of activity.hints. */
#define HINT_ROTATES 0x01u       /* the profile says: each answer replaces the session value */
#define HINT_LOGIN_PAGE 0x02u    /* turned away: 401, or a redirect to a login page */
/* These are written, so that a log is judged like its capture. */
#define HINT_REFERER_OWN 0x04u   /* the Referer is a page of the same host */
#define HINT_REFERER_OTHER 0x08u /* it is one of another host */
#define HINT_REFERER_NONE 0x10u  /* the request was seen and has none */
#define HINT_PAGE 0x20u          /* it got a page for people */
#define HINT_INTERFACE 0x40u     /* it spoke to an interface for programs */
#define HINT_WRITTEN 0x7cu

/* What is written out: all but the candidate's own. */
#define ACT_CANDIDATE                                                                                                  \
    (ACT_SESSION_NEW | ACT_SESSION_END | ACT_CLAIM_PROVEN | ACT_NEEDS_PROOF | ACT_HAS_TOTAL | ACT_UNPLACED)
#define ACT_WRITTEN (~ACT_CANDIDATE)

/* What its session was up to and with this act, within one record of it (session_record.h says more of each). Settled
 * behind identity; written, but no part of event.id. */
struct session_so_far {
    uint64_t start_ns; /* of the record; 0: none of this is known */
    uint8_t id[SESSION_HASH_SIZE]; /* of the record: the act's session, or the one it began */
    uint8_t begin;                 /* enum session_begin */
    uint32_t assets, values, forks, foreign_forks, late, copied;
};

/* What the client hints of a request say (enrich/client_hints.h). */
struct client_hints {
    uint16_t family, major;      /* of the brand that is known (enum of enrich/client.h); 0 = none */
    uint16_t chromium;           /* version of the engine; 0 = not said */
    uint16_t os_major, os_minor; /* 0 = not said. Windows as it is sold */
    uint8_t os;                  /* enum client_os */
    bool is_seen;
};

struct activity {
    uint64_t time_ns;   /* packet time of the request: @timestamp */
    uint64_t done_ns;   /* packet time at which this record was complete: the order of records */
    uint64_t flow_hash; /* with done_ns and number: the total order */
    uint32_t number;    /* of the flow */

    uint8_t id[16];     /* event.id: hash of content */
    uint8_t amends[16]; /* ACTION_AMEND: the event.id it completes */

    uint8_t action, outcome, cred_kind; /* the enums above */
    uint8_t size_known;                 /* enum size_known of body_bytes */
    uint32_t flags;

    struct ipaddr source;           /* the person's own address, behind trusted proxies */
    struct endpoint peer;           /* the connection's client end */
    struct endpoint server;
    uint8_t session[SESSION_HASH_SIZE];     /* keyed hash of the session value or token sent; zero = none */
    uint8_t new_session[SESSION_HASH_SIZE]; /* candidate: of the value the answer sets */

    uint8_t assertion, asserted; /* enum assertion; ASSERTED_ bits */
    int32_t token_age_s;         /* ASSERTED_AGE: packet time less when it was issued */
    int32_t token_left_s;        /* ASSERTED_EXPIRY: when it expires less packet time; below 0: it has expired */

    uint8_t doubt; /* 100 - casetap.confidence, in per cent: how much of what this was told from was not seen */
    uint16_t status;
    uint64_t body_bytes;    /* http.response.body.bytes */
    uint64_t missing_bytes;
    uint64_t file_size;     /* the file's own size */
    uint64_t range_from;    /* ACT_RANGE: offset of the piece */

    /* candidate: which object the body is of. The hashes are zero when there is none. */
    uint64_t resource;      /* hash of host, path and arguments, without those that only sign a link */
    uint64_t validator;     /* hash of the ETag, else of Last-Modified */
    uint64_t total;         /* bytes of the whole object as it is transferred */

    /* candidate: what else shows of the session (app/identity.h, app/session_log.h) */
    uint8_t sent[SESSION_HASH_SIZE];         /* hash of the session value sent, once 'session' is the session's id */
    uint8_t other[SESSION_HASH_SIZE];        /* hash of a second value sent under the same cookie's name; zero = none */
    uint8_t remember[SESSION_HASH_SIZE];     /* hash of the remember-me value sent; zero = none */
    uint8_t new_remember[SESSION_HASH_SIZE]; /* of the one the answer sets */
    uint32_t remember_until_s; /* when the browser drops that one; 0 = not said */
    uint32_t until_s;       /* seconds since 1970 at which the browser drops the session value set; 0 = not said */
    uint32_t assets;        /* candidate of ACTION_NONE: page parts fetched since the last time this was told */
    uint32_t hints;         /* HINT_* */
    struct client_hints client_hints;

    struct session_so_far so_far;
    uint32_t rtt_us; /* SYN-ACK to ACK of the connection, where that is the person's own; 0 = not known. No part of event.id */

    /* pieces of one object fetched by one credential (app/transfer.h) */
    uint8_t transfer_id[16];
    uint64_t transfer_bytes;    /* distinct bytes of the object that this credential has got so far */
    uint32_t transfer_coverage; /* the same as a share of the whole, in millionths, rounded down */

    struct file_facts file; /* what its content showed: at its end, so of a file told when it began in the amend */

    /* enrichment */
    uint32_t asn;           /* 0 = unknown */
    char country[3];        /* ISO 3166-1 alpha-2, "" = unknown */
    uint8_t source_class;   /* enum network_class */
    uint16_t client_family; /* enum of enrich/client.h; 0 = unknown */
    uint16_t client_major;
    uint8_t client_os;      /* enum client_os, by the User-Agent and the client hints */
    uint16_t os_major, os_minor; /* 0 = unknown or none */

    uint16_t at[STR_N], size[STR_N]; /* the strings' places in the tail */
    uint16_t tail_used;
    char tail[ACTIVITY_TAIL_MAX];
};

enum network_class {
    NETWORK_UNKNOWN, NETWORK_PRIVATE, NETWORK_OWN, NETWORK_VPN, NETWORK_HOSTING, NETWORK_TOR,
    NETWORK_N
};

/* Operating systems as User-Agents name them. */
enum client_os {
    OS_UNKNOWN, OS_WINDOWS, OS_MACOS, OS_IOS, OS_IPADOS, OS_ANDROID, OS_LINUX, OS_CHROMEOS, OS_FREEBSD, OS_OPENBSD,
    OS_NETBSD, OS_SOLARIS, OS_WINDOWS_PHONE, OS_TIZEN, OS_HARMONYOS,
    OS_N
};

/* Zeroes the head (not the tail). */
void activity_init(struct activity *a);
/* Sets or replaces a string. Each has room of its own (target 768 bytes, file 512, user 192, ...): what is longer is
 * cut between characters and sets ACT_CUT. Bytes that are no UTF-8 become U+FFFD. 'value' may be a string of 'a'. */
void activity_set(struct activity *a, enum activity_string which, struct span value);
struct span activity_get(const struct activity *a, enum activity_string which);
/* Bytes to copy: the head and the used part of the tail. */
static inline size_t activity_size(const struct activity *a)
{
    return offsetof(struct activity, tail) + a->tail_used;
}
/* Fills id from what is written out of the act itself. Call once, when the record is final. */
void activity_seal(struct activity *a);
/* One line of the activity log (schema activity.schema.json), newline included. */
void activity_json(const struct activity *a, struct text *out);
/* Reads a line written by activity_json, of this version of the schema or the one before. E_BAD with a reason; E_STATE for a record of another version of the schema. */
int activity_parse(struct span line, struct activity *a, struct text *why);

const char *action_name(enum action action);
enum action action_of(struct span name); /* ACTION_NONE when unknown */
const char *outcome_name(enum outcome outcome);
const char *cred_kind_name(enum cred_kind kind);
const char *assertion_name(enum assertion assertion);
const char *network_class_name(enum network_class c);
const char *client_os_name(enum client_os os); /* "Windows", "iOS"; OS_UNKNOWN gives "unknown" */
const char *activity_flag_name(uint32_t bit); /* NULL for bits without */
/* HINT_PAGE, HINT_INTERFACE or 0: by action, credential and type of the answer. */
uint32_t activity_manner(const struct activity *a);

#endif
