/* SPDX-License-Identifier: Apache-2.0
 * What rules may ask of an act: the fields of the activity log by their names there, and what is known of the credential and
 * its visit when the act is judged. One table. */
#ifndef DETECT_RULE_FIELD_H
#define DETECT_RULE_FIELD_H

#include "detect/scene.h"

#define RULE_SPOKEN_MAX 16u

/* One act as the rules see it. */
struct rule_view {
    const struct activity *a;
    struct scene *s; /* NULL: an act that no credential is charged with (failed, refused, nameless, not HTTP) */
    uint64_t now_ns;
};

enum field_kind { FIELD_TEXT, FIELD_NUMBER, FIELD_IP, FIELD_WORDS /* several words at once */ };

#define FIELD_WORDS_MAX 24u

struct field_value {
    bool is_there;
    struct span text; /* FIELD_TEXT; borrowed from the act or from 'room' */
    double number;
    struct ipaddr ip;
    const char *words[FIELD_WORDS_MAX]; /* FIELD_WORDS: NULL-ended when fewer */
    char room[64];
};

/* The index of a field, or -1. */
int rule_field_of(const char *name);
/* NULL past the end of the table. */
const char *rule_field_name(unsigned field);
enum field_kind rule_field_kind(unsigned field);
const char *rule_field_help(unsigned field);
/* The words a field can have, NULL-ended; NULL when any text can stand there. */
const char *const *rule_field_words(unsigned field);
/* The words of a field whose value is one of a few, or several of a few at once, as they lie in the record: the word of bit
 * 'bit', "" when the bit is never set, NULL past the last; always NULL for other fields. */
const char *rule_field_word(unsigned field, unsigned bit);
/* Which of these words it has in this act; 0 when it is not there. Of other fields: 0. */
uint32_t rule_field_bits(unsigned field, const struct rule_view *v);
/* Its value in this act. */
void rule_field_get(unsigned field, const struct rule_view *v, struct field_value *out);
/* The value as a hash (0 when it is not there) and as a text. */
uint64_t rule_field_hash(unsigned field, const struct rule_view *v, uint64_t seed);
void rule_field_text(unsigned field, const struct rule_view *v, char *out, size_t size);
/* What is usual in it for the credential: of the client its clients, of the place its places. False when nothing is known of
 * that. */
bool rule_field_usual(unsigned field, const struct rule_view *v, char *out, size_t size);
/* Puts a value as rule_field_text gives it into an act; fields that are no text or address of the act are left out. */
void rule_field_put(unsigned field, const char *value, struct activity *a);

#endif
