/* SPDX-License-Identifier: Apache-2.0
 * URLs and options of sinks. */
#include "sink/config.h"

#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const struct {
    const char *scheme;
    enum sink_type type;
    bool is_tls;
    uint16_t port; /* where none is named; 0: no host */
    enum alert_format format;
} schemes[] = {
    {"file://", SINK_FILE, false, 0, FORMAT_ECS},
    {"stdout:", SINK_STDOUT, false, 0, FORMAT_ECS},
    {"syslog+unix://", SINK_SYSLOG_UNIX, false, 0, FORMAT_CEF},
    {"syslog+udp://", SINK_SYSLOG_UDP, false, 514, FORMAT_CEF},
    {"syslog+tcp://", SINK_SYSLOG_TCP, false, 601, FORMAT_CEF},
    {"syslog+tls://", SINK_SYSLOG_TLS, true, 6514, FORMAT_CEF},
    {"redis://", SINK_REDIS, false, 6379, FORMAT_ECS},
    {"unix://", SINK_REDIS, false, 0, FORMAT_ECS},
    {"webhook+http://", SINK_WEBHOOK, false, 80, FORMAT_ECS},
    {"webhook+https://", SINK_WEBHOOK, true, 443, FORMAT_ECS},
    {"hec+http://", SINK_HEC, false, 8088, FORMAT_ECS},
    {"hec+https://", SINK_HEC, true, 8088, FORMAT_ECS},
    {"bulk+http://", SINK_BULK, false, 9200, FORMAT_ECS},
    {"bulk+https://", SINK_BULK, true, 9200, FORMAT_ECS},
};
#define N_SCHEMES (sizeof schemes / sizeof *schemes)

static const char *const option_names[] = {"name",  "url",        "format",   "severity", "updates", "ca",
                                           "cert",  "key",        "secret",   "index",    "stream",  "timeout",
                                           "retry", "retry-most", "attempts", "spool",    "rotate",  NULL};

static int copy(char *out, size_t size, struct span value, const char *what, struct text *why)
{
    if (value.size >= size || span_find_byte(value, 0, 0) != SIZE_MAX) {
        text_addf(why, "%s is longer than %zu bytes", what, size - 1);
        return E_USAGE;
    }
    if (value.size)
        memcpy(out, value.at, value.size);
    out[value.size] = 0;
    return E_OK;
}

/* Letters, digits, '.', '-', '_'; ':' and '%' of an address. */
static bool is_host(struct span s)
{
    for (size_t i = 0; i < s.size; i++) {
        uint8_t b = s.at[i], letter = b | 0x20;
        if (!(letter >= 'a' && letter <= 'z') && !(b >= '0' && b <= '9') && b != '.' && b != '-' && b != '_' &&
            b != ':' && b != '%')
            return false;
    }
    return s.size > 0;
}

/* "host", "host:port", "[v6]:port" */
static int set_host(struct sink_config *c, struct span authority, struct text *why)
{
    struct span host = authority, port = span_of(NULL, 0);
    size_t end = span_find_byte(authority, ']', 0), colon = SIZE_MAX;
    if (authority.size && authority.at[0] == '[' && end != SIZE_MAX) {
        host = span_sub(authority, 1, end - 1);
        colon = span_find_byte(authority, ':', end);
    } else if ((colon = span_find_byte(authority, ':', 0)) != SIZE_MAX) {
        host = span_sub(authority, 0, colon);
    }
    if (colon != SIZE_MAX)
        port = span_from(authority, colon + 1);
    uint64_t number = c->port;
    if (!is_host(host) || (colon != SIZE_MAX && (!span_u64(port, &number) || number < 1 || number > 65535))) {
        text_addf(why, "'%.*s' is no HOST or HOST:PORT", (int)authority.size, (const char *)authority.at);
        return E_USAGE;
    }
    c->port = (uint16_t)number;
    return copy(c->host, sizeof c->host, host, "the host", why);
}

static int no_such_scheme(struct span url, struct text *why)
{
    text_addf(why, "'%.*s' begins with none of", (int)(url.size < 60 ? url.size : 60), (const char *)url.at);
    for (size_t i = 0; i < N_SCHEMES; i++)
        text_addf(why, " %s", schemes[i].scheme);
    return E_USAGE;
}

static int set_url(struct sink_config *c, struct span url, struct text *why)
{
    size_t i = 0;
    while (i < N_SCHEMES && !span_starts(url, span_text(schemes[i].scheme)))
        i++;
    if (i == N_SCHEMES)
        return no_such_scheme(url, why);
    struct span rest = span_from(url, strlen(schemes[i].scheme));
    c->type = schemes[i].type;
    c->is_tls = schemes[i].is_tls;
    c->port = schemes[i].port;
    c->format = schemes[i].format;
    int rc = copy(c->url, sizeof c->url, url, "the URL", why);
    if (rc || c->type == SINK_REDIS || c->type == SINK_STDOUT)
        return rc;
    if (c->port == 0) {
        if (!rest.size || rest.at[0] != '/') {
            text_addf(why, "%s wants a path from the root", schemes[i].scheme);
            return E_USAGE;
        }
        return copy(c->path, sizeof c->path, rest, "the path", why);
    }
    size_t slash = span_find_byte(rest, '/', 0);
    struct span target = slash == SIZE_MAX ? SPAN("/") : span_from(rest, slash);
    if (c->type < SINK_WEBHOOK && target.size > 1) {
        text_add_str(why, "a syslog URL ends behind HOST:PORT; options stand behind '#'");
        return E_USAGE;
    }
    for (size_t k = 0; k < target.size; k++) {
        if (target.at[k] <= ' ' || target.at[k] >= 0x7f) {
            text_add_str(why, "the URL holds a space or a character that is none of a URL");
            return E_USAGE;
        }
    }
    rc = copy(c->path, sizeof c->path, target, "the URL", why);
    return rc ? rc : set_host(c, span_sub(rest, 0, slash), why);
}

static int set_number(const char *name, struct span value, uint64_t least, uint64_t most, uint64_t unit, void *out,
                      bool is_wide, struct text *why)
{
    uint64_t n;
    if (!span_u64(value, &n) || n < least || n > most) {
        text_addf(why, "%s: '%.*s' is not a number from %llu to %llu", name, (int)value.size, (const char *)value.at,
                  (unsigned long long)least, (unsigned long long)most);
        return E_USAGE;
    }
    if (is_wide)
        *(uint64_t *)out = n * unit;
    else
        *(uint32_t *)out = (uint32_t)(n * unit);
    return E_OK;
}

static int set_severity(struct sink_config *c, struct span value, struct text *why)
{
    static const struct {
        const char *name;
        uint8_t risk;
    } rows[] = {{"low", 0}, {"medium", 40}, {"high", 60}, {"critical", 80}};
    for (size_t i = 0; i < 4; i++) {
        if (span_eq(value, span_text(rows[i].name))) {
            c->least_risk = rows[i].risk;
            return E_OK;
        }
    }
    text_add_str(why, "severity is one of low, medium, high, critical");
    return E_USAGE;
}

static int set_secret(struct sink_config *c, struct span value, struct text *why)
{
    if (!span_starts(value, SPAN("env:")) && !span_starts(value, SPAN("file:"))) {
        text_add_str(why, "secret is env:NAME or file:PATH: the secret itself stands in no configuration");
        return E_USAGE;
    }
    return copy(c->secret_at, sizeof c->secret_at, value, "secret", why);
}

static int set_name(struct sink_config *c, struct span value, struct text *why)
{
    bool is_good = value.size > 0 && value.size < sizeof c->name;
    for (size_t i = 0; i < value.size; i++) {
        uint8_t b = value.at[i];
        is_good = is_good &&
                  ((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b == '-' || b == '_');
    }
    if (!is_good) {
        text_addf(why, "a name is 1 to 32 letters, digits, '-' and '_'");
        return E_USAGE;
    }
    return copy(c->name, sizeof c->name, value, "the name", why);
}

static int set_format(struct sink_config *c, struct span value, struct text *why)
{
    enum alert_format f = format_of(value);
    if (f == FORMAT_N) {
        text_addf(why, "format '%.*s' is none of ecs, ocsf, cef, leef, text", (int)value.size, (const char *)value.at);
        return E_USAGE;
    }
    c->format = f;
    return E_OK;
}

static int set_option(struct sink_config *c, struct span name, struct span value, struct text *why)
{
    const struct {
        const char *name;
        char *at;
        size_t size;
    } texts[] = {{"ca", c->ca, sizeof c->ca},
                 {"cert", c->cert, sizeof c->cert},
                 {"key", c->key, sizeof c->key},
                 {"index", c->index, sizeof c->index},
                 {"stream", c->index, sizeof c->index}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (span_eq(name, span_text(texts[i].name)))
            return copy(texts[i].at, texts[i].size, value, texts[i].name, why);
    }
    const struct {
        const char *name;
        uint64_t least, most, unit;
        void *at;
        bool is_wide;
    } numbers[] = {
        {"timeout", 1, 300, 1000, &c->timeout_ms, false},         {"retry", 1, 3600, 1000, &c->retry_ms, false},
        {"retry-most", 1, 86400, 1000, &c->retry_most_ms, false}, {"attempts", 1, 1000, 1, &c->attempts, false},
        {"spool", 1, 1048576, 1 << 20, &c->spool, true},          {"rotate", 0, 1048576, 1 << 20, &c->rotate, true}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (span_eq(name, span_text(numbers[i].name)))
            return set_number(numbers[i].name, value, numbers[i].least, numbers[i].most, numbers[i].unit, numbers[i].at,
                              numbers[i].is_wide, why);
    }
    if (span_eq(name, SPAN("name")))
        return set_name(c, value, why);
    if (span_eq(name, SPAN("format")))
        return set_format(c, value, why);
    if (span_eq(name, SPAN("severity")))
        return set_severity(c, value, why);
    if (span_eq(name, SPAN("secret")))
        return set_secret(c, value, why);
    if (span_eq(name, SPAN("updates")) && (span_eq(value, SPAN("true")) || span_eq(value, SPAN("false")))) {
        c->no_updates = value.size == 5;
        return E_OK;
    }
    text_addf(why, "'%.*s' is no option of a sink, or its value is none", (int)name.size, (const char *)name.at);
    return E_USAGE;
}

/* What cannot be without something else. */
static int check(struct sink_config *c, struct text *why)
{
    bool wants_json = c->type == SINK_BULK;
    if (wants_json && c->format != FORMAT_ECS && c->format != FORMAT_OCSF)
        text_add_str(why, "bulk takes JSON: format ecs or ocsf");
    else if (!c->is_tls && (c->ca[0] || c->cert[0]))
        text_add_str(why, "ca and cert are for TLS: syslog+tls, ...+https");
    else if (!c->cert[0] != !c->key[0])
        text_add_str(why, "cert and key go together");
    else if (c->type == SINK_HEC && !c->secret_at[0])
        text_add_str(why, "hec wants its token: secret: env:NAME or file:PATH");
    else if (c->retry_most_ms < c->retry_ms)
        text_add_str(why, "retry-most is less than retry");
    else
        return E_OK;
    return E_CONF;
}

static int add(struct sink_configs *list, const struct sink_config *given, struct text *why)
{
    struct sink_config *c = &list->at[list->n];
    if (list->n == SINKS_MAX) {
        text_addf(why, "more than %d sinks", SINKS_MAX);
        return E_LIMIT;
    }
    *c = *given;
    if (!c->name[0])
        snprintf(c->name, sizeof c->name, "sink%zu", list->n + 1);
    if (!c->index[0])
        snprintf(c->index, sizeof c->index, "%s",
                 c->type == SINK_REDIS  ? "casetap:alerts"
                 : c->type == SINK_BULK ? "casetap-alerts"
                                        : "");
    if (sink_config_find(list, c->name)) {
        text_addf(why, "two sinks are named '%s'", c->name);
        return E_CONF;
    }
    int rc = check(c, why);
    list->n += rc == 0;
    return rc;
}

static struct sink_config defaults(void)
{
    return (struct sink_config){
        .timeout_ms = 10000, .retry_ms = 1000, .retry_most_ms = 60000, .attempts = 5, .spool = (uint64_t)256 << 20};
}

int sink_config_text(struct sink_configs *list, const char *text, struct text *why)
{
    struct sink_config c = defaults();
    struct span s = span_text(text), options, pair;
    size_t equals = span_find_byte(s, '=', 0), colon = span_find_byte(s, ':', 0), hash;
    int rc = 0;
    if (equals != SIZE_MAX && equals < colon) {
        rc = set_name(&c, span_sub(s, 0, equals), why);
        s = span_from(s, equals + 1);
    }
    hash = span_find_byte(s, '#', 0);
    if (rc == 0)
        rc = set_url(&c, span_sub(s, 0, hash), why);
    options = hash == SIZE_MAX ? span_of(NULL, 0) : span_from(s, hash + 1);
    while (rc == 0 && options.size && span_split(&options, '&', &pair)) {
        size_t at = span_find_byte(pair, '=', 0);
        rc = set_option(&c, span_sub(pair, 0, at), at == SIZE_MAX ? span_of(NULL, 0) : span_from(pair, at + 1), why);
    }
    return rc ? rc : add(list, &c, why);
}

int sink_config_yaml(struct sink_configs *list, const struct yaml_node *map, struct text *why)
{
    struct sink_config c = defaults();
    struct text detail = {0};
    int rc = yaml_check_keys(map, option_names, why);
    if (rc)
        return rc;
    const struct yaml_node *url = yaml_get(map, "url"), *at = url ? url : map;
    if (!url || url->kind != YAML_SCALAR)
        return yaml_fail(map, why, "a sink has a url");
    rc = set_url(&c, span_text(url->scalar), &detail);
    for (const struct yaml_node *n = map->child; n && rc == 0; n = n->next) {
        at = n;
        if (n->kind != YAML_SCALAR)
            rc = yaml_fail(n, why, "expected one value");
        else if (n != url)
            rc = set_option(&c, span_text(n->key), span_text(n->scalar), &detail);
    }
    if (rc == 0) {
        at = map;
        rc = add(list, &c, &detail);
    }
    if (rc && detail.size)
        rc = yaml_fail(at, why, "%s", text_str(&detail));
    text_fini(&detail);
    return rc ? E_CONF : E_OK;
}

static int read_file(struct sink_config *c, const char *path, struct text *why)
{
    struct stat st;
    FILE *f = fopen(path, "re");
    if (!f || fstat(fileno(f), &st) != 0) {
        text_addf(why, "sink %s: %s: %s", c->name, path, strerror(errno));
        if (f)
            fclose(f);
        return E_CONF;
    }
    size_t size = fread(c->secret, 1, sizeof c->secret - 1, f);
    fclose(f);
    c->secret[size] = 0;
    if (st.st_mode & 077) {
        text_addf(why, "sink %s: %s: others may read the secret; chmod 600", c->name, path);
        return E_CONF;
    }
    return E_OK;
}

int sink_config_secret(struct sink_config *c, struct text *why)
{
    if (!c->secret_at[0])
        return E_OK;
    const char *at = strchr(c->secret_at, ':') + 1;
    if (c->secret_at[0] == 'f') {
        int rc = read_file(c, at, why);
        if (rc)
            return rc;
    } else {
        const char *value = getenv(at);
        int rc = value ? copy(c->secret, sizeof c->secret, span_text(value), "the secret", why) : E_CONF;
        if (rc) {
            text_addf(why, "sink %s: the environment has no usable %s", c->name, at);
            return E_CONF;
        }
    }
    c->secret[strcspn(c->secret, "\r\n")] = 0;
    for (const char *p = c->secret; *p; p++) {
        if (*p < ' ' || *p > '~') {
            text_addf(why, "sink %s: the secret has characters that no header can carry", c->name);
            return E_CONF;
        }
    }
    if (!c->secret[0] || (c->type == SINK_WEBHOOK && strlen(c->secret) < SINK_SECRET_MIN)) {
        text_addf(why, "sink %s: the secret is shorter than %d bytes", c->name,
                  c->type == SINK_WEBHOOK ? SINK_SECRET_MIN : 1);
        return E_CONF;
    }
    return E_OK;
}

struct sink_config *sink_config_find(struct sink_configs *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->at[i].name, name) == 0)
            return &list->at[i];
    }
    return NULL;
}

bool sink_config_has(const struct sink_configs *list, enum sink_type type)
{
    for (size_t i = 0; list && i < list->n; i++) {
        if (list->at[i].type == type)
            return true;
    }
    return false;
}

void sink_configs_wipe(struct sink_configs *list)
{
    for (size_t i = 0; i < list->n; i++)
        explicit_bzero(list->at[i].secret, sizeof list->at[i].secret);
}
