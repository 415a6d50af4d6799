/* SPDX-License-Identifier: Apache-2.0
 * Message heads of HTTP/1.x (RFC 9112): start line and header fields in place, and what they say about the body's
 * framing. As tolerant as the servers people run, and it says where it had to be. */
#ifndef WIRE_HTTP1_HEAD_H
#define WIRE_HTTP1_HEAD_H

#include "base/fields.h"

enum http1_role { HTTP1_REQUEST = 1, HTTP1_RESPONSE = 2, HTTP1_EITHER = 3 }; /* bits */

#define HTTP1_MAX_FIELDS 128

struct http1_head {
    struct span method, target; /* of a request */
    uint16_t status;            /* of a response, 100-999 */
    uint8_t version_major, version_minor;
    struct fields fields; /* is_cut when there were more than its max: those that frame a message or name somebody come first,
                           * as to what is left out; all are in the order of the head */
    bool has_folds;       /* a value contains a line fold: http1_head_unfold */
    bool has_bad_lines;   /* lines that are no field were left out, or read as some clients would */
    bool has_odd_version; /* not HTTP/1.x, or something stands between target and version */
};

/* Parses a head, all spans borrow 'bytes'. out->fields must have its storage (list, max); what was in it is dropped.
 * An unterminated last line is left out, unless it is the start line and that is whole (up to the version, or to the
 * status code). 'role' is HTTP1_REQUEST or HTTP1_RESPONSE. E_BAD when the start line is neither (RFC 9112, 3 and 4). */
int http1_head_parse(struct span bytes, enum http1_role role, struct http1_head *out);

/* True when 'line' (with or without its line end) is a request line / status line. The strict form is HTTP/1.x to the
 * letter, but for a missing reason. The other takes what servers and clients are known to take: more blanks, and words
 * behind the target; with a usual method and a path, any version (has_odd_version); any version, and fewer digits than
 * three, in a status line. */
bool http1_head_is_request_line(struct span line, bool is_strict);
bool http1_head_is_status_line(struct span line, bool is_strict);
/* What nearly all of them are, told from a few bytes; false says nothing. Such a line is one by the functions above too: a
 * method of at most 32 bytes, a space, a path, " HTTP/1.x"; or "HTTP/1.x ddd" and a blank or the line end. */
bool http1_head_is_plain_request_line(struct span line);
bool http1_head_is_plain_status_line(struct span line);
/* One of the methods in use (RFC 9110, 9.3; RFC 5789; RFC 4918) at the end of 's': its size, or 0. */
size_t http1_head_usual_method(struct span s);
/* Whether a field called 'name' frames a message or names who, whence and what. */
bool http1_head_is_vital(struct span name);
/* Appends; where the list is full (is_cut), only a field that is vital, and the last one that is not is left out. False
 * when it was not appended. */
bool http1_head_add_field(struct fields *fields, struct span name, struct span value);
/* A line of the form token ":" anything, or a fold. */
bool http1_head_is_field_line(struct span line);
bool http1_head_is_token_byte(uint8_t c);

/* What the line that is being read holds so far. */
enum http1_line { HTTP1_LINE_EMPTY, HTTP1_LINE_CR, HTTP1_LINE_MORE };
/* Looks for the empty line that ends a head or a trailer, at or after 'from'; *line carries over from one call to the
 * next. Index of the byte behind it, or SIZE_MAX. */
size_t http1_head_find_end(struct span bytes, size_t from, uint8_t *line);

/* Overwrites the line ends of folds inside [value, value + size) with spaces (RFC 9112, 5.2). */
void http1_head_unfold(uint8_t *value, size_t size);

enum http1_body_kind { HTTP1_BODY_NONE, HTTP1_BODY_LENGTH, HTTP1_BODY_CHUNKED, HTTP1_BODY_CLOSE };

struct http1_body {
    enum http1_body_kind kind;
    uint64_t length; /* Content-Length, when has_length (also where the message has no body: HEAD, 304) */
    bool has_length;
    bool is_ambiguous; /* conflicting or malformed framing, resolved as below (RFC 9112, 6.1, 6.3, 11.2) */
};

/* The framing of the body that follows (RFC 9112, 6.3). 'is_ambiguous' where it had to be guessed. Where fields
 * conflict: a Transfer-Encoding that ends in chunked wins over Content-Length; of several lengths the first well-formed
 * one wins; a malformed length is as if it were not there (but "68 x" is 68); a Transfer-Encoding that does not end in
 * chunked makes a response close-delimited and is ignored in a request; in a response "chunked" may be followed by
 * other bytes. */
struct http1_body http1_head_request_body(const struct http1_head *head);
/* 'method' of the request; empty when it is not known. */
struct http1_body http1_head_response_body(const struct http1_head *head, struct span method);

/* The host of a request without port and user part, as written: of an absolute or authority target, else of the first
 * Host field (RFC 9112, 3.2 and 3.3). Brackets of IPv6 stay. Empty when there is none. */
struct span http1_head_host(const struct http1_head *head);

#endif
