/* SPDX-License-Identifier: Apache-2.0
 * What a name promises and what a value is worth: the half of secret_scan that knows secrets. Inside of wire/ only. */
#ifndef WIRE_SECRET_H
#define WIRE_SECRET_H

#include "wire/secret_scan.h"

/* What is expected behind a name. */
enum secret_want {
    WANT_NOTHING, WANT_AUTH, WANT_COOKIES, WANT_SET_COOKIE, WANT_COOKIE /* a value alone */, WANT_API_KEY, WANT_TOKEN,
    WANT_PASSWORD, WANT_NAME, WANT_EXPIRY,
};

#define SECRET_WORD 20 /* bytes; shorter words are no keys */

/* Whether a word ends like one of the names, which all but few words do not. */
static inline bool secret_has_tail(struct span word)
{
#define SECRET_BIT(c) (1u << ((c)&31))
    static const uint32_t tails[32] = {
        ['o' & 31] = SECRET_BIT('n'),
        ['i' & 31] = SECRET_BIT('e') | SECRET_BIT('d'),
        ['r' & 31] = SECRET_BIT('d') | SECRET_BIT('s'),
        ['w' & 31] = SECRET_BIT('d'),
        ['s' & 31] = SECRET_BIT('s') | SECRET_BIT('e'),
        ['e' & 31] = SECRET_BIT('y') | SECRET_BIT('t') | SECRET_BIT('n') | SECRET_BIT('s'),
        ['m' & 31] = SECRET_BIT('e') | SECRET_BIT('s'),
        ['u' & 31] = SECRET_BIT('e'),
        ['t' & 31] = SECRET_BIT('e') | SECRET_BIT('a'),
        ['n' & 31] = SECRET_BIT('g') | SECRET_BIT('t'),
    };
    return word.size >= 3 && word.size <= 40 &&
           (tails[word.at[word.size - 2] & 31] & SECRET_BIT(word.at[word.size - 1]));
#undef SECRET_BIT
}

/* Of the word in s->text, behind which ':' or '=' (s->assign) stands. Names of HAR's lists are noted. */
enum secret_want secret_want(struct secret_scan *s);
/* Whether such a value may stand without quotation marks. */
bool secret_want_is_bare(enum secret_want want, uint8_t assign);
/* s->text is the value that s->want spoke of. */
void secret_value(struct secret_scan *s);
/* s->text is a word: keys by their form, JWTs, the lines that begin a PEM key. */
void secret_word(struct secret_scan *s);
/* An object of JSON has ended: the cookie it described counts. */
void secret_object_end(struct secret_scan *s);

#endif
