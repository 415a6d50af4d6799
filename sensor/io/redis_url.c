/* SPDX-License-Identifier: Apache-2.0
 * Parses Redis addresses. Messages name what was expected and never show what might be a password. */
#include "io/redis_url.h"

#include <stdio.h>

#include "base/err.h"

#define DEFAULT_PORT 6379
#define MAX_DB 65535

static int url_fail(struct text *why, const char *what)
{
    text_addf(why, "Redis address: %s; expected redis://[user:password@]host[:port][/db] or unix:///path[?db=n]", what);
    return E_CONF;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes %XX into a NUL-terminated buffer; false when it does not fit, holds a NUL or a broken escape. */
static bool url_decode(struct span s, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < s.size; i++) {
        int c = s.at[i];
        if (c == '%') {
            int high = s.size - i > 2 ? hex_value(s.at[i + 1]) : -1;
            int low = s.size - i > 2 ? hex_value(s.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = high << 4 | low;
            i += 2;
        }
        if (c == 0 || used + 1 >= size)
            return false;
        out[used++] = (char)c;
    }
    out[used] = 0;
    return true;
}

/* Takes "[user][:password]@" off the front of *rest. The last '@' before the path ends it: passwords hold some. */
static bool url_login(struct span *rest, size_t end, struct redis_url *out)
{
    size_t at = SIZE_MAX;
    for (size_t i = 0; i < end; i++)
        if (rest->at[i] == '@')
            at = i;
    if (at == SIZE_MAX)
        return true;
    struct span login = span_sub(*rest, 0, at);
    size_t colon = span_find_byte(login, ':', 0);
    *rest = span_from(*rest, at + 1);
    if (colon == SIZE_MAX) /* a name without a password can do nothing; the usual slip for "redis://:password@" */
        return false;
    return url_decode(span_sub(login, 0, colon), out->user, sizeof out->user) &&
           url_decode(span_from(login, colon + 1), out->password, sizeof out->password);
}

static bool url_db(struct span text, uint32_t *db)
{
    uint64_t value = 0;
    if (!span_u64(text, &value) || value > MAX_DB)
        return false;
    *db = (uint32_t)value;
    return true;
}

static int url_parse_unix(struct span rest, struct redis_url *out, struct text *why)
{
    size_t query = span_find_byte(rest, '?', 0);
    struct span path = span_sub(rest, 0, query);
    size_t login_end = span_starts(path, SPAN("/")) ? SIZE_MAX : span_find(path, SPAN("@/"), 0);
    if (login_end != SIZE_MAX && !url_login(&path, login_end + 1, out))
        return url_fail(why, "the user and password before '@' are not understood");
    if (path.size == 0 || path.at[0] != '/')
        return url_fail(why, "the path of a unix socket begins with '/'");
    if (!url_decode(path, out->path, sizeof out->path))
        return url_fail(why, "the socket's path is too long (107 bytes at most) or has a broken %XX");
    if (query != SIZE_MAX) {
        struct span argument = span_from(rest, query + 1);
        if (!span_starts(argument, SPAN("db=")) || !url_db(span_from(argument, 3), &out->db))
            return url_fail(why, "after '?' only db=NUMBER is known");
    }
    snprintf(out->where, sizeof out->where, "unix://%s", out->path);
    if (out->db)
        snprintf(out->where, sizeof out->where, "unix://%s?db=%u", out->path, out->db);
    return E_OK;
}

static int url_parse_tcp(struct span rest, struct redis_url *out, struct text *why)
{
    /* The first '/' after the login begins the database; a password may hold a '/' only as %2F. */
    size_t slash = span_find_byte(rest, '/', 0);
    struct span place = span_sub(rest, 0, slash);
    if (!url_login(&place, place.size, out))
        return url_fail(why, "the user and password before '@' are not understood");
    if (slash != SIZE_MAX && slash + 1 < rest.size && !url_db(span_from(rest, slash + 1), &out->db))
        return url_fail(why, "the database after '/' is no number");
    struct span host = place;
    struct span port = span_of(NULL, 0);
    bool is_v6 = host.size && host.at[0] == '[';
    size_t end = span_find_byte(place, is_v6 ? ']' : ':', 0);
    if (is_v6 && end == SIZE_MAX)
        return url_fail(why, "']' is missing after the IPv6 address");
    if (end != SIZE_MAX) {
        host = is_v6 ? span_sub(place, 1, end - 1) : span_sub(place, 0, end);
        port = span_from(place, is_v6 ? end + 1 : end);
    }
    uint64_t number = DEFAULT_PORT;
    if (port.size && (port.at[0] != ':' || !span_u64(span_from(port, 1), &number) || number == 0 || number > 65535))
        return url_fail(why, "the port is no number from 1 to 65535");
    if (host.size == 0 || !url_decode(host, out->host, sizeof out->host))
        return url_fail(why, "the host is missing or too long");
    out->port = (uint16_t)number;
    snprintf(out->where, sizeof out->where, is_v6 ? "redis://[%s]:%u/%u" : "redis://%s:%u/%u", out->host, out->port,
             out->db);
    return E_OK;
}

/* Shows what was given only if nothing in it can be a password. */
static int url_fail_beginning(struct span url, struct text *why)
{
    size_t scheme = span_find(url, SPAN("://"), 0);
    struct span place = span_from(url, scheme == SIZE_MAX ? 0 : scheme + 3);
    bool is_showable = place.size && place.size < 64;
    for (size_t i = 0; i < place.size; i++)
        if (place.at[i] <= ' ' || place.at[i] >= 0x7f || strchr("@:?&=", place.at[i]))
            is_showable = false;
    if (!is_showable)
        return url_fail(why, "unknown beginning");
    char what[128];
    snprintf(what, sizeof what, "unknown beginning of %.*s", (int)(url.size < 90 ? url.size : 90), (const char *)url.at);
    return url_fail(why, what);
}

int redis_url_parse(const char *url, struct redis_url *out, struct text *why)
{
    struct span rest = span_text(url);
    memset(out, 0, sizeof *out);
    int result;
    if (span_starts(rest, SPAN("unix://")))
        result = url_parse_unix(span_from(rest, 7), out, why);
    else if (span_starts(rest, SPAN("redis://")))
        result = url_parse_tcp(span_from(rest, 8), out, why);
    else if (span_starts(rest, SPAN("rediss://")))
        result = url_fail(why, "TLS (rediss://) is not supported");
    else
        result = url_fail_beginning(rest, why);
    if (result != E_OK)
        redis_url_wipe(out);
    return result;
}

void redis_url_wipe(struct redis_url *url)
{
    explicit_bzero(url->user, sizeof url->user);
    explicit_bzero(url->password, sizeof url->password);
}
