/* SPDX-License-Identifier: Apache-2.0
 * An alert in words: the sentences that its JSON and its terminal form share. Plain text, as it is: what comes from the
 * wire is not made safe for a terminal here. */
#ifndef RECORD_ALERT_WORDS_H
#define RECORD_ALERT_WORDS_H

#include "record/alert.h"

/* "Download after new location or client: julia from 203.0.113.7 (NL, AS64500 Example Hosting), 41 files, 2.3 GB" */
void words_message(const struct alert *a, struct text *out);
/* "country NL, usual: SE (41 of 41 sessions), +12.4 bits; client ..."; empty without reasons. */
void words_reason(const struct alert *a, struct text *out);
/* One reason without its bits. */
void words_why(const struct why *w, struct text *out);
/* "203.0.113.7 (NL, AS64500 Example Hosting, hosting network)"; "an unknown address". */
void words_place(const struct activity *a, struct text *out);
/* "julia and 2 further from 203.0.113.7 (NL)"; what nobody did: "the application rt". */
void words_who(const struct activity *a, int further, struct text *out);
/* "41 files of 3 customers in 5 cases, 2.3 GB"; empty when the story holds none of these. */
void words_taken(const struct alert *a, struct text *out);
/* "case opened", "download": what the credential did, for a person. */
const char *words_action(enum action action);
/* "2.3 GB", "512 bytes": powers of ten. */
void words_bytes(uint64_t bytes, struct text *out);

#endif
