/* SPDX-License-Identifier: Apache-2.0
 * One table: the command line, the configuration file, --help, the defaults and the reference come from it. */
#include "run/settings.h"

#include "base/err.h"

#include <stddef.h>
#include <stdlib.h>

#define BOTH (SETTING_REPLAY | SETTING_RUN)
#define ALL (SETTING_REPLAY | SETTING_RUN | SETTING_CHECK)
#define FIELD(name) offsetof(struct settings, name)
#define TEXT(field) SETTING_TEXT, FIELD(field), 0, 0, 0, NULL
#define TEXTS(field) SETTING_TEXTS, FIELD(field), 0, 0, 0, NULL
#define SWITCH(field) SETTING_SWITCH, FIELD(field), 0, 0, 0, NULL
#define NUMBER(field, least, most, usual, unit) SETTING_NUMBER, FIELD(field), least, most, usual, unit

static const struct setting table[] = {
    {"role", "ROLE", "what this process does: all, sensor (packets, over --redis to analysers) or analyser (default: all)", "sensor",
     TEXT(role), BOTH, false},
    {"name", "NAME", "of this sensor or analyser, among those at one Redis (needed with --role)", "front1", TEXT(name), BOTH, false},
    {"interface", "IFACE", "capture from this interface", "eth1", TEXT(interface), SETTING_RUN, false},
    {"filter", "BPF", "only packets that match this capture filter", "tcp port 8080", TEXT(filter), BOTH, false},
    {"user", "NAME", "once the interface is open, go on as this user (default: the one that started it, without capabilities)",
     "casetap", TEXT(user), SETTING_RUN, false},
    {"no-sandbox", NULL, "leave the process what it could do: files, system calls, capabilities", NULL, SWITCH(no_sandbox), SETTING_RUN,
     false},
    {"app", "PROFILE=HOST", "this host (or *.domain) runs this application", "rt=support.example.com", TEXTS(apps), ALL, true},
    {"trust", "CIDR", "believe forwarding headers of these proxies (default: private addresses)", "10.20.0.10",
     SETTING_PREFIXES, FIELD(trusted), 0, 0, 0, NULL, ALL, true},
    {"geoip", "FILE", "MaxMind-format database: country, city or ASN", "/usr/share/GeoIP/GeoLite2-ASN.mmdb", TEXTS(geoips), ALL, true},
    {"list", "CLASS=FILE", "prefixes that are own, vpn, hosting or tor, one a line", "own=/etc/casetap/own.txt", TEXTS(lists), ALL, true},
    {"alias", "NAME=CREDENTIAL", "who a nameless token is", "svc-export=1-48", TEXTS(aliases), ALL, true},
    {"customers", "FILE", "whose cases are whose: lines case,PATTERN,CUSTOMER and domain,NAME,CUSTOMER", "/etc/casetap/customers.csv",
     TEXTS(customers), ALL, true},
    {"roster", "FILE", "who people are: CSV with who, organisation, role, leaver, egress, service, ...", "/etc/casetap/roster.csv",
     TEXT(roster), ALL, true},
    {"feedback", "FILE", "verdicts of 'casetap feedback' (run: DIR/feedback.ndjson of --out)", "/var/log/casetap/feedback.ndjson",
     TEXT(feedback), BOTH, false},
    {"keylog", "PLACE", "TLS key log (NSS format): file, directory, or unix:SOCKET to listen on", "unix:/run/casetap/keys.sock",
     TEXTS(keylogs), ALL, false},
    {"verify-tls", NULL, "decrypt and authenticate also the TLS records nobody reads", NULL, SWITCH(verify_tls), BOTH, false},
    {"rules", "DIR", "directory with apps/, detections/ and detect.yaml", "/etc/casetap/rules", TEXT(rules), ALL, true},
    {"detections", "DIR", "your own detections (*.yaml): each is added, or replaces the shipped one of its id",
     "/etc/casetap/detections", TEXT(detections), ALL, true},
    {"budget", "N", "alerts a day, in place of the rules' budget (0-1000, default 0: as they say)", NULL,
     NUMBER(budget, 0, 1000, 0, "alerts a day"), BOTH, false},
    {"redis", "URL", "baselines in Redis: redis://[user:password@]host[:port][/db] or unix:///path",
     "unix:///run/redis/redis-server.sock", TEXT(redis), ALL, false},
    {"state", "FILE", "baselines in memory, loaded from FILE at start and saved to it at the end", "/var/lib/casetap/state",
     TEXT(state), BOTH, false},
    {"key-file", "FILE", "key for the hashes of session values (at least 16 bytes)", "/etc/casetap/key", TEXT(key_file), ALL, false},
    {"out", "DIR", "write activities, alerts, sessions, unmapped (.ndjson) there", "/var/log/casetap", TEXT(out), BOTH, false},
    {"log", "DIR", "the activity log, written ahead: segments by day, packed, with a hash chain", "/var/lib/casetap/log", TEXT(log),
     BOTH, false},
    {"log-days", "N", "days of packet time the log is kept (0-36500, default 200; 0: for ever)", NULL,
     NUMBER(log_days, 0, 36500, 200, "days"), BOTH, false},
    {"sink", "NAME=URL", "send alerts there too: syslog+tls://HOST#format=cef, webhook+https://..., file:///...",
     "siem=syslog+tls://siem.example.com#format=cef", SETTING_SINKS, FIELD(sinks), 0, 0, 0, NULL, ALL | SETTING_SELFTEST, true},
    {"reach", NULL, "connect to each sink, send nothing", NULL, SWITCH(reach), SETTING_CHECK, true},
    {"print-defaults", "[=FORMAT]", "print a configuration file with every setting and its default (yaml), or their reference (markdown)",
     NULL, TEXT(print_defaults), SETTING_CHECK, true},
    {"transactions", "FILE", "write every HTTP transaction, one JSON object a line", NULL, TEXT(transactions), SETTING_REPLAY, false},
    {"explain-routes", "[=FILE]", "say of every transaction which route took it and why (here, or to FILE)", NULL,
     TEXT(explain_routes), SETTING_REPLAY, false},
    {"suggest-profile", "[=HOST]", "draft a profile from the captures named, of the busiest host or of HOST", NULL,
     TEXT(suggest_profile), SETTING_CHECK, true},
    {"counters", "FILE", "write every counter at the end, one a line", "/var/lib/casetap/counters", TEXT(counters), BOTH, false},
    {"scan-limit", "MIB", "look through so much of each file for live tokens and keys (0-4096, default 16; 0: none)", NULL,
     NUMBER(scan_limit, 0, 4096, 16, "MiB"), BOTH, false},
    {"sha256", NULL, "tell the SHA-256 of every file seen whole", NULL, SWITCH(sha256), BOTH, false},
    {"max-flows", "N", "concurrent flows kept (1000-16777216, default 262144)", NULL,
     NUMBER(max_flows, 1000, 16777216, 262144, "flows"), BOTH, false},
    {"max-credentials", "N", "credentials kept in memory (100-10000000, default 100000)", NULL,
     NUMBER(max_credentials, 100, 10000000, 100000, "credentials"), BOTH, false},
    {"max-sessions", "N", "session values kept in memory (100-10000000, default 200000)", NULL,
     NUMBER(max_sessions, 100, 10000000, 200000, "session values"), BOTH, false},
    {"json", NULL, "alerts as JSON lines on standard output", NULL, SWITCH(json), BOTH, false},
    {"quiet", NULL, "no progress and no summary; what of the input could not be read is still said", NULL, SWITCH(quiet), BOTH, false},
    {NULL, NULL, NULL, NULL, SETTING_SWITCH, 0, 0, 0, 0, NULL, 0, false},
};

const struct setting *settings_table(void)
{
    return table;
}

/* The member of struct settings that an item is kept in. */
static void *member(const struct settings *s, const struct setting *item)
{
    return (char *)(uintptr_t)s + item->at;
}

void settings_init(struct settings *s)
{
    *s = (struct settings){0};
    for (const struct setting *item = table; item->name; item++)
        if (item->kind == SETTING_NUMBER)
            *(uint64_t *)member(s, item) = item->usual;
}

static void strings_fini(struct strings *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->at[i]);
}

void settings_fini(struct settings *s)
{
    for (const struct setting *item = table; item->name; item++) {
        if (item->kind == SETTING_TEXT)
            free(*(char **)member(s, item));
        if (item->kind == SETTING_TEXTS)
            strings_fini(member(s, item));
    }
    strings_fini(&s->picked);
    strings_fini(&s->read);
    if (s->sinks)
        sink_configs_wipe(s->sinks);
    free(s->sinks);
    *s = (struct settings){0};
}

int strings_add(struct strings *list, const char *value)
{
    if (list->n == SETTINGS_MAX_LIST)
        return E_LIMIT;
    if (!(list->at[list->n] = strdup(value)))
        return E_NOMEM;
    list->n++;
    return 0;
}

static int set_trust(struct settings *s, const char *value, struct text *why)
{
    if (s->n_trusted == SETTINGS_MAX_LIST)
        return E_LIMIT;
    if (!prefix_parse(span_text(value), &s->trusted[s->n_trusted])) {
        text_addf(why, "--trust: '%s' is no address or prefix (10.0.0.0/8, 2001:db8::/32)", value);
        return E_USAGE;
    }
    s->n_trusted++;
    return 0;
}

static int set_number(struct settings *s, const struct setting *item, const char *value, struct text *why)
{
    uint64_t n;
    if (!span_u64(span_text(value), &n) || n < item->least || n > item->most) {
        text_addf(why, "--%s: '%s' is not a number from %llu to %llu (%s, default %llu)", item->name, value,
                  (unsigned long long)item->least, (unsigned long long)item->most, item->unit, (unsigned long long)item->usual);
        return E_USAGE;
    }
    *(uint64_t *)member(s, item) = n;
    return 0;
}

static int needs_pair(const struct setting *item, const char *value, struct text *why)
{
    const char *equals = strchr(value, '=');
    if (!strchr(item->argument, '=') || (equals && equals != value && equals[1]))
        return 0;
    text_addf(why, "--%s: '%s' is not of the form %s", item->name, value, item->argument);
    return E_USAGE;
}

static int set_switch(bool *at, const char *name, const char *value, struct text *why)
{
    bool is_on = !value || strcmp(value, "true") == 0 || strcmp(value, "yes") == 0 || strcmp(value, "on") == 0;
    if (!is_on && strcmp(value, "false") != 0 && strcmp(value, "no") != 0 && strcmp(value, "off") != 0) {
        text_addf(why, "--%s: '%s' is neither true nor false", name, value);
        return E_USAGE;
    }
    *at = is_on;
    return 0;
}

/* A URL, or the name of a sink that there is. */
static int set_sink(struct settings *s, const char *value, struct text *why)
{
    struct text detail = {0};
    if (!strchr(value, ':'))
        return strings_add(&s->picked, value);
    int rc = settings_make_sinks(s);
    if (rc == 0 && (rc = sink_config_text(s->sinks, value, &detail)))
        text_addf(why, "--sink: %s", text_str(&detail));
    text_fini(&detail);
    return rc ? E_USAGE : 0;
}

int settings_make_sinks(struct settings *s)
{
    if (!s->sinks)
        s->sinks = calloc(1, sizeof *s->sinks);
    return s->sinks ? 0 : E_NOMEM;
}

static int set_texts(struct settings *s, const struct setting *item, const char *value, struct text *why)
{
    int rc = needs_pair(item, value, why);
    if (rc == 0 && (rc = strings_add(member(s, item), value)) == E_LIMIT)
        text_addf(why, "--%s: more than %d of them", item->name, SETTINGS_MAX_LIST);
    return rc;
}

static int set_text(struct settings *s, const struct setting *item, const char *value)
{
    char **at = member(s, item), *copy = strdup(value);
    if (!copy)
        return E_NOMEM;
    free(*at);
    *at = copy;
    return 0;
}

int settings_set(struct settings *s, const char *name, const char *value, struct text *why)
{
    const struct setting *item = table;
    while (item->name && strcmp(item->name, name) != 0)
        item++;
    if (!item->name)
        return E_NONE;
    if (item->kind == SETTING_SWITCH)
        return set_switch(member(s, item), name, value, why);
    if (!value && item->argument[0] == '[')
        value = "-";
    if (!value || !*value) {
        text_addf(why, "--%s: the value is empty", name);
        return E_USAGE;
    }
    switch (item->kind) {
    case SETTING_PREFIXES: return set_trust(s, value, why);
    case SETTING_SINKS: return set_sink(s, value, why);
    case SETTING_TEXTS: return set_texts(s, item, value, why);
    case SETTING_NUMBER: return set_number(s, item, value, why);
    default: return set_text(s, item, value);
    }
}

static bool is_same(const struct settings *a, const struct settings *b, const struct setting *item)
{
    const void *x = member(a, item), *y = member(b, item);
    const char *const *s = x, *const *t = y;
    const struct strings *l = x, *m = y;
    switch (item->kind) {
    case SETTING_SWITCH: return *(const bool *)x == *(const bool *)y;
    case SETTING_NUMBER: return *(const uint64_t *)x == *(const uint64_t *)y;
    case SETTING_TEXT: return *s && *t ? strcmp(*s, *t) == 0 : *s == *t;
    case SETTING_TEXTS:
        for (size_t i = 0; i < l->n && l->n == m->n; i++)
            if (strcmp(l->at[i], m->at[i]) != 0)
                return false;
        return l->n == m->n;
    default: return true; /* these are taken up always */
    }
}

void settings_fixed(const struct settings *a, const struct settings *b, struct text *out)
{
    for (const struct setting *item = table; item->name; item++)
        if (!item->is_reloaded && !is_same(a, b, item))
            text_addf(out, "%s%s", out->size ? ", " : "", item->name);
}
