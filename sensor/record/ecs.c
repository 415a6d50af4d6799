/* SPDX-License-Identifier: Apache-2.0
 * Shared groups of ECS 9.4 fields. Categories and types are those that ECS expects together. */
#include "record/ecs.h"

#define PAIR(category, type) "\"category\":[" category "],\"type\":[" type "]"

void ecs_raw(struct json *j, struct span members)
{
    if (j->need_comma)
        text_add_char(j->out, ',');
    text_add(j->out, members);
    j->need_comma = true;
}

void ecs_only(struct json *j, struct span opening, struct span value)
{
    if (!value.size)
        return;
    ecs_raw(j, opening);
    j->need_comma = false;
    json_span(j, NULL, value);
    json_close(j, '}');
}

void ecs_start(struct json *j, uint64_t time_ns)
{
    json_open(j, NULL, '{');
    json_time(j, "@timestamp", time_ns);
    ecs_raw(j, SPAN("\"ecs\":{\"version\":\"" ECS_VERSION "\"}"));
}

static void put_text(struct json *j, const char *key, const char *value)
{
    if (value && value[0])
        json_str(j, key, value);
}

static void put_side(struct json *j, const char *key, const char *name, const char *ja3_key, const char *ja3,
                     const char *subject)
{
    if (!name[0] && !ja3[0] && !subject[0])
        return;
    json_open(j, key, '{');
    put_text(j, "server_name", name);
    put_text(j, ja3_key, ja3);
    put_text(j, "subject", subject);
    json_close(j, '}');
}

void ecs_tls(struct json *j, const struct tls_facts *f)
{
    if (!f)
        return;
    const char *version = tls_facts_version(f->version);
    json_open(j, "tls", '{');
    if (version) {
        json_str(j, "version", version);
        json_str(j, "version_protocol", f->version == 0x0300 ? "ssl" : "tls");
    }
    put_text(j, "cipher", f->cipher_name);
    put_text(j, "next_protocol", f->alpn);
    if (f->is_resumed)
        json_bool(j, "resumed", true);
    put_side(j, "client", f->server_name, "ja3", f->ja3, f->client_subject);
    put_side(j, "server", "", "ja3s", f->ja3s, f->server_subject);
    json_close(j, '}');
}

static char *put_octet(char *at, uint8_t value)
{
    if (value >= 100)
        *at++ = (char)('0' + value / 100);
    if (value >= 10)
        *at++ = (char)('0' + value / 10 % 10);
    *at++ = (char)('0' + value % 10);
    return at;
}

void ecs_ip(struct json *j, const char *key, const struct ipaddr *ip)
{
    if (!ipaddr_is4(ip)) {
        json_ip(j, key, ip);
        return;
    }
    char text[IPADDR_TEXT_MAX], *at = text;
    for (int i = 12; i < 16; i++) {
        if (i > 12)
            *at++ = '.';
        at = put_octet(at, ip->bytes[i]);
    }
    json_span(j, key, span_of(text, (size_t)(at - text)));
}

void ecs_hash128(struct json *j, const char *key, const uint8_t bytes[16])
{
    json_hex(j, key, span_of(bytes, 16));
}

void ecs_hash64(struct json *j, const char *key, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    json_hex(j, key, span_of(bytes, sizeof bytes));
}

void ecs_string(struct json *j, const char *key, const struct activity *a, enum activity_string which)
{
    if (a->size[which])
        json_span(j, key, activity_get(a, which));
}

void ecs_session(struct json *j, const struct activity *a)
{
    static const uint8_t none[SESSION_HASH_SIZE];
    if (memcmp(a->session, none, sizeof none) == 0)
        return;
    json_open(j, "session", '{');
    ecs_hash128(j, "id", a->session);
    json_close(j, '}');
}

void ecs_source(struct json *j, const struct activity *a)
{
    bool has_as = a->asn || a->size[STR_AS_ORG];
    if (ipaddr_is_zero(&a->source) && !a->country[0] && !has_as)
        return;
    json_open(j, "source", '{');
    if (!ipaddr_is_zero(&a->source))
        ecs_ip(j, "ip", &a->source);
    ecs_only(j, SPAN("\"geo\":{\"country_iso_code\":"), span_of(a->country, strnlen(a->country, sizeof a->country)));
    if (has_as) {
        json_open(j, "as", '{');
        if (a->asn)
            json_u64(j, "number", a->asn);
        ecs_only(j, SPAN("\"organization\":{\"name\":"), activity_get(a, STR_AS_ORG));
        json_close(j, '}');
    }
    json_close(j, '}');
}

void ecs_destination(struct json *j, const struct activity *a)
{
    if (ipaddr_is_zero(&a->server.ip) && !a->server.port)
        return;
    json_open(j, "destination", '{');
    if (!ipaddr_is_zero(&a->server.ip))
        ecs_ip(j, "ip", &a->server.ip);
    if (a->server.port)
        json_u64(j, "port", a->server.port);
    json_close(j, '}');
}

struct span target_path(struct span target)
{
    struct span path = target;
    if (target.size && target.at[0] != '/') {
        size_t authority = span_find(target, SPAN("://"), 0);
        size_t slash = authority == SIZE_MAX ? SIZE_MAX : span_find_byte(target, '/', authority + 3);
        path = slash == SIZE_MAX ? span_of(NULL, 0) : span_from(target, slash);
    }
    path = span_sub(path, 0, span_find_byte(path, '?', 0));
    return span_sub(path, 0, span_find_byte(path, '#', 0));
}

void ecs_url(struct json *j, const struct activity *a)
{
    if (!a->size[STR_HOST] && !a->size[STR_TARGET])
        return;
    json_open(j, "url", '{');
    ecs_string(j, "domain", a, STR_HOST);
    if (a->size[STR_TARGET]) {
        struct span target = activity_get(a, STR_TARGET), path = target_path(target);
        json_span(j, "original", target);
        if (path.size)
            json_span(j, "path", path);
    }
    json_close(j, '}');
}

static void write_http_request(struct json *j, const struct activity *a, const char *media)
{
    if (!a->size[STR_METHOD] && !media)
        return;
    json_open(j, "request", '{');
    ecs_string(j, "method", a, STR_METHOD);
    if (media)
        json_str(j, "mime_type", media);
    json_close(j, '}');
}

/* ECS wants types by content alone: known of files; what was declared stands elsewhere. */
void ecs_http(struct json *j, const struct activity *a)
{
    const char *media = a->file.type > FILE_BINARY ? file_type_media((enum file_type)a->file.type) : NULL;
    bool is_upload = a->action == ACTION_UPLOAD;
    bool has_body = a->flags & ACT_HAS_BODY, has_response = a->status || has_body || (media && !is_upload);
    if (!a->size[STR_METHOD] && !has_response)
        return;
    json_open(j, "http", '{');
    write_http_request(j, a, is_upload ? media : NULL);
    if (has_response) {
        json_open(j, "response", '{');
        if (a->status)
            json_u64(j, "status_code", a->status);
        if (has_body) {
            json_open(j, "body", '{');
            json_u64(j, "bytes", count_long(a->body_bytes));
            json_close(j, '}');
        }
        if (media && !is_upload)
            json_str(j, "mime_type", media);
        json_close(j, '}');
    }
    json_close(j, '}');
}

struct span file_extension(struct span name)
{
    for (size_t i = name.size; i > 1 && name.size - i < 16; i--) {
        uint8_t c = name.at[i - 1];
        if (c == '.')
            return name.at[i - 2] == '/' ? span_of(NULL, 0) : span_from(name, i);
        bool is_word = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-';
        if (!is_word)
            break;
    }
    return span_of(NULL, 0);
}

void ecs_file(struct json *j, const struct activity *a)
{
    bool has_size = a->flags & ACT_HAS_FILE_SIZE;
    const struct file_facts *f = &a->file;
    bool has_media = f->type > FILE_BINARY;
    if (!a->size[STR_FILE] && !has_size && !has_media && !f->has_sha256)
        return;
    json_open(j, "file", '{');
    if (a->size[STR_FILE]) {
        struct span name = activity_get(a, STR_FILE), extension = file_extension(name);
        json_span(j, "name", name);
        if (extension.size)
            json_span(j, "extension", extension);
    }
    if (has_size)
        json_u64(j, "size", count_long(a->file_size));
    if (has_media)
        json_str(j, "mime_type", file_type_media((enum file_type)f->type));
    if (f->has_sha256) {
        json_open(j, "hash", '{');
        json_hex(j, "sha256", span_of(f->sha256, sizeof f->sha256));
        json_close(j, '}');
    }
    json_close(j, '}');
}

/* STR_CLIENT without the major version behind it. */
static struct span client_name(const struct activity *a)
{
    struct span label = activity_get(a, STR_CLIENT);
    size_t size = label.size;
    while (a->client_major && size && label.at[size - 1] >= '0' && label.at[size - 1] <= '9')
        size--;
    bool has_version = size > 1 && size < label.size && label.at[size - 1] == ' ';
    return has_version ? span_sub(label, 0, size - 1) : label;
}

/* "17.4", "10": a minor version of 0 is not written, nor anything for a major one of 0. */
static void write_version(struct json *j, uint16_t major, uint16_t minor)
{
    uint8_t text[12];
    size_t at = sizeof text;
    for (uint16_t n = minor; n; n /= 10)
        text[--at] = (uint8_t)('0' + n % 10);
    if (minor)
        text[--at] = '.';
    for (uint16_t n = major; n; n /= 10)
        text[--at] = (uint8_t)('0' + n % 10);
    if (major)
        json_span(j, "version", span_of(text + at, sizeof text - at));
}

static void write_os(struct json *j, const struct activity *a)
{
    json_open(j, "os", '{');
    json_str(j, "name", client_os_name((enum client_os)a->client_os));
    write_version(j, a->os_major, a->os_minor);
    json_close(j, '}');
}

void ecs_user_agent(struct json *j, const struct activity *a)
{
    if (!a->size[STR_AGENT] && !a->client_os) /* the client hints may name a system alone */
        return;
    struct span name = client_name(a);
    json_open(j, "user_agent", '{');
    ecs_string(j, "original", a, STR_AGENT);
    if (name.size)
        json_span(j, "name", name);
    write_version(j, a->client_major, 0);
    if (a->client_os)
        write_os(j, a);
    json_close(j, '}');
}

struct span ecs_category_begin(void)
{
    return SPAN(PAIR("\"network\"", "\"connection\",\"start\""));
}

struct span ecs_category(enum action action)
{
    switch (action) {
    case ACTION_LOGIN: return SPAN(PAIR("\"authentication\",\"session\"", "\"start\""));
    case ACTION_LOGOUT: return SPAN(PAIR("\"authentication\",\"session\"", "\"end\""));
    case ACTION_MFA_CHALLENGE:
    case ACTION_MFA_PASSED: return SPAN(PAIR("\"authentication\"", "\"info\""));
    case ACTION_DOWNLOAD:
    case ACTION_PREVIEW:
    case ACTION_EXPORT: return SPAN(PAIR("\"web\",\"file\"", "\"access\""));
    case ACTION_UPLOAD: return SPAN(PAIR("\"file\"", "\"creation\""));
    case ACTION_JOB_CREATE: return SPAN(PAIR("\"api\"", "\"creation\""));
    case ACTION_JOB_DELETE: return SPAN(PAIR("\"api\"", "\"deletion\""));
    case ACTION_DELETE: return SPAN(PAIR("\"file\"", "\"deletion\""));
    case ACTION_REPLY: return SPAN(PAIR("\"web\"", "\"access\""));
    case ACTION_PASSWORD_CHANGE:
    case ACTION_PREFS_CHANGE:
    case ACTION_FACTOR_CHANGE: return SPAN(PAIR("\"iam\"", "\"user\",\"change\""));
    case ACTION_TOKEN_CREATE: return SPAN(PAIR("\"iam\"", "\"user\",\"creation\""));
    case ACTION_IMPERSONATE: return SPAN(PAIR("\"iam\"", "\"user\",\"info\""));
    case ACTION_JOB_POLL:
    case ACTION_API_CALL: return SPAN(PAIR("\"api\"", "\"access\""));
    case ACTION_ADMIN: return SPAN(PAIR("\"iam\"", "\"admin\""));
    case ACTION_IDENTIFY: return SPAN(PAIR("\"authentication\",\"session\"", "\"info\""));
    case ACTION_AMEND: return SPAN(PAIR("\"web\"", "\"info\""));
    case ACTION_CONNECTION: return SPAN(PAIR("\"network\"", "\"connection\",\"end\""));
    case ACTION_NONE:
    case ACTION_VIEW_CASE:
    case ACTION_LIST:
    case ACTION_SEARCH:
    case ACTION_LIST_FILES:
    case ACTION_N: break;
    }
    return SPAN(PAIR("\"web\"", "\"access\""));
}
