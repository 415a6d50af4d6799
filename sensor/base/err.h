/* SPDX-License-Identifier: Apache-2.0
 * The error codes of the whole program: 0 is good, negative is one of these. Nothing else is returned for failure. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
    E_OK = 0,
    E_MORE = -1,    /* a parser needs bytes that have not come yet */
    E_BAD = -2,     /* malformed input */
    E_LIMIT = -3,   /* a cap was reached */
    E_NOMEM = -4,   /* out of memory, at start only */
    E_IO = -5,      /* a file, socket or device failed; the text says which and how */
    E_CONF = -6,    /* configuration, rule or profile is wrong; the text holds file:line:column */
    E_NONE = -7,    /* not found, not present */
    E_END = -8,     /* end of input */
    E_STATE = -9,   /* not possible now (not connected, already closed) */
    E_USAGE = -10,  /* wrong command line */
    E_DENIED = -11, /* no permission */
};

/* One short English phrase for a code, never NULL. Static storage. */
const char *err_text(int code);

#endif
