/* SPDX-License-Identifier: Apache-2.0
 * Which customers' files a subject got, and which it only came near: collected from activities, amends and identifies applied
 * once each. */
#ifndef RUN_IMPACT_H
#define RUN_IMPACT_H

#include "run/subject.h"

struct evidence;

struct impact_file {
    const char *customer, *kase, *name, *object, *app; /* "": not known */
    uint64_t first_ns, last_ns;
    uint32_t reads, previews, refused, unmodified;
    uint64_t bytes;       /* of the file that left, each byte once; its own bytes where its size is known and all of it left */
    uint64_t transferred; /* of all answers together */
    uint64_t missing;     /* of them, not in the capture */
    bool is_left, is_complete;
    bool is_begun;        /* an answer began whose size was never told: bytes is the least it can be */
    bool is_least;        /* scattered pieces: as well */
    uint8_t size_known;   /* enum size_known, the weakest */
    uint8_t confidence;   /* per cent, the least */
    bool is_scanned, is_cut; /* for secrets */
    uint32_t secrets, live;
    bool has_sha256;
    uint8_t sha256[32];
    uint8_t file_class;
};

struct impact_case {
    const char *customer, *kase, *app;
    uint64_t first_ns, last_ns;
    uint32_t viewed, listed, other, refused;
    uint32_t files_left;
};

struct impact {
    struct impact_file *files; /* by customer, case, name */
    size_t n_files;
    struct impact_case *cases; /* by customer, case: what was done in them beside fetching files */
    size_t n_cases;
    uint64_t activities;       /* of the subject */
    uint64_t first_ns, last_ns;
    uint64_t bad_lines;        /* of the logs that are no activities, and packed segments that are damaged */
    uint64_t redacted;         /* records that were erased */
    char first_bad[256];
    uint64_t forgotten;        /* more activities than can be kept */
    void *owned;
};

/* One customer's share: ranges of files and cases. */
struct impact_part {
    const char *customer;
    size_t files, files_end, cases, cases_end;
};

/* Reads the logs (directories of segments, or files), all of them in whole days around the window, and puts what is of the subject into 'e' too
 * (NULL: not). E_IO, E_BAD, E_NOMEM with a line in why. impact_fini in any case. */
int impact_collect(struct impact *out, const struct subject *s, const char *const *logs, size_t n, struct evidence *e, struct text *why);
/* The same from activities at hand: first each identify, then all in their order, then the sum. 's' is borrowed until impact_end;
 * impact_take says whether the activity was of the subject, or said more of one that was. E_NOMEM. */
int impact_begin(struct impact *out, const struct subject *s);
void impact_name(struct impact *out, const struct activity *a);
bool impact_take(struct impact *out, const struct activity *a);
int impact_end(struct impact *out);
void impact_fini(struct impact *i);
/* Packet time of the last activity of the logs; 0 when there is none. */
int impact_last(const char *const *logs, size_t n, uint64_t *ns, struct text *why);
/* The next customer in byte order behind *part, zeroed before the first. False at the end. */
bool impact_next(const struct impact *i, struct impact_part *part);

#endif
