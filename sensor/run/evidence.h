/* SPDX-License-Identifier: Apache-2.0
 * The records an impact was told from, each with the heads of the log's hash chain before and after it, in a file that can be checked
 * by itself and against the log. Lines of JSON:
 *
 *     {"kind":"casetap.evidence","schema":1,"subject":{...}}
 *     {"log":0,"n":123,"before":"<head>","after":"<head>","record":<the line of the log, byte for byte>}
 *     {"end":true,"records":1,"seal":"<head of a chain over the lines before>"}
 *
 * 'after' is the SHA-256 of 'before' and of the SHA-256 of the record (store/log_chain.h). Of a file that is no log directory the chain
 * begins with zeros at its first line. */
#ifndef RUN_EVIDENCE_H
#define RUN_EVIDENCE_H

#include "base/digest.h"
#include "run/subject.h"
#include "store/segments.h"

struct evidence;

/* Begins to write; the subject is all of the log that the file tells of. E_IO with a line in why. */
int evidence_open(struct evidence **out, const char *path, const struct subject *s, struct text *why);
/* What follows is of this segment (number 0: of a file of no directory); 'first' is the number of its first record. Of NULL nothing is
 * done. E_BAD, E_IO when its chain cannot be read. */
int evidence_segment(struct evidence *e, const char *log, struct segment s, uint64_t first, struct text *why);
/* Each line of the segment in turn, and whether it is evidence. */
void evidence_line(struct evidence *e, struct span line, bool is_taken);
/* With 'keep' the file is there now, and *seal is what to keep elsewhere; without, it is not. Frees e. E_IO with a line in why. */
int evidence_close(struct evidence *e, bool keep, uint64_t *records, uint8_t seal[DIGEST_SIZE], struct text *why);

struct evidence_verdict {
    uint64_t records, faults;
    uint64_t compared; /* records that were found in the logs, as they stand there */
    uint8_t seal[DIGEST_SIZE];
};

/* Checks the file by itself and, where there are any, against the logs it was made from, in their order. 'told' has a line for each
 * fault (the first 20). E_IO, E_BAD (it is no evidence) with a line in why. */
int evidence_verify(const char *path, const char *const *logs, size_t n, struct evidence_verdict *v, struct text *told, struct text *why);

#endif
