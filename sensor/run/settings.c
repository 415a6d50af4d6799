/* SPDX-License-Identifier: Apache-2.0
 * One table: the command line, the configuration file, --help and the reference come from it. */
#include "run/settings.h"

#include "base/err.h"
#include "base/yaml.h"

#include <stdlib.h>

#define BOTH (SETTING_REPLAY | SETTING_RUN)
#define ALL (SETTING_REPLAY | SETTING_RUN | SETTING_CHECK)

static const struct setting table[] = {
    {"interface", "IFACE", "capture from this interface", false, SETTING_RUN},
    {"filter", "BPF", "only packets that match this capture filter", false, BOTH},
    {"app", "PROFILE=HOST", "this host (or *.domain) runs this application", true, ALL},
    {"trust", "CIDR", "believe forwarding headers of these proxies (default: private addresses)", true, ALL},
    {"geoip", "FILE", "MaxMind-format database: country, city or ASN", true, ALL},
    {"list", "CLASS=FILE", "prefixes that are own, vpn, hosting or tor, one a line", true, ALL},
    {"alias", "NAME=CREDENTIAL", "who a nameless token is", true, ALL},
    {"customers", "FILE", "whose cases are whose: lines case,PATTERN,CUSTOMER and domain,NAME,CUSTOMER", true, ALL},
    {"roster", "FILE", "who people are: CSV with who, organisation, role, leaver, egress, service, ...", false, ALL},
    {"feedback", "FILE", "verdicts of 'casetap feedback' (run: DIR/feedback.ndjson of --out)", false, BOTH},
    {"keylog", "PLACE", "TLS key log (NSS format): file, directory, or unix:SOCKET to listen on", true, ALL},
    {"verify-tls", NULL, "decrypt and authenticate also the TLS records nobody reads", false, BOTH},
    {"rules", "DIR", "directory with apps/, detections/ and detect.yaml", false, ALL},
    {"detections", "DIR", "your own detections (*.yaml): each is added, or replaces the shipped one of its id", false, ALL},
    {"redis", "URL", "baselines in Redis: redis://[user:password@]host[:port][/db] or unix:///path", false, ALL},
    {"state", "FILE", "baselines in memory, loaded from FILE at start and saved to it at the end", false, BOTH},
    {"key-file", "FILE", "key for the hashes of session values (at least 16 bytes)", false, ALL},
    {"out", "DIR", "write activities, alerts, sessions, unmapped (.ndjson) there", false, BOTH},
    {"log", "DIR", "the activity log, written ahead: segments by day, packed, with a hash chain", false, BOTH},
    {"log-days", "N", "days of packet time the log is kept (0-36500, default 200; 0: for ever)", false, BOTH},
    {"sink", "NAME=URL", "send alerts there too: syslog+tls://HOST#format=cef, webhook+https://..., file:///...", true,
     ALL | SETTING_SELFTEST},
    {"reach", NULL, "connect to each sink, send nothing", false, SETTING_CHECK},
    {"transactions", "FILE", "write every HTTP transaction, one JSON object a line", false, SETTING_REPLAY},
    {"explain-routes", "[=FILE]", "say of every transaction which route took it and why (here, or to FILE)", false, SETTING_REPLAY},
    {"suggest-profile", "[=HOST]", "draft a profile from the captures named, of the busiest host or of HOST", false, SETTING_CHECK},
    {"counters", "FILE", "write every counter at the end, one a line", false, BOTH},
    {"scan-limit", "MIB", "look through so much of each file for live tokens and keys (0-4096, default 16; 0: none)", false, BOTH},
    {"sha256", NULL, "tell the SHA-256 of every file seen whole", false, BOTH},
    {"max-flows", "N", "concurrent flows kept (1000-16777216, default 262144)", false, BOTH},
    {"max-credentials", "N", "credentials kept in memory (100-10000000, default 100000)", false, BOTH},
    {"max-sessions", "N", "session values kept in memory (100-10000000, default 200000)", false, BOTH},
    {"json", NULL, "alerts as JSON lines on standard output", false, BOTH},
    {"quiet", NULL, "no progress and no summary; what of the input could not be read is still said", false, BOTH},
    {NULL, NULL, NULL, false, 0},
};

const struct setting *settings_table(void)
{
    return table;
}

void settings_init(struct settings *s)
{
    *s = (struct settings){.max_flows = 262144, .max_credentials = 100000, .max_sessions = 200000, .scan_limit = 16, .log_days = 200};
}

static void strings_fini(struct strings *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->at[i]);
}

void settings_fini(struct settings *s)
{
    struct strings *lists[] = {&s->apps, &s->aliases, &s->geoips, &s->lists, &s->keylogs, &s->customers, &s->picked};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        strings_fini(lists[i]);
    char *singles[] = {s->filter, s->rules, s->detections, s->redis, s->state, s->key_file, s->out, s->transactions, s->counters,
                       s->explain_routes, s->suggest_profile, s->interface, s->roster, s->feedback, s->log};
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
        free(singles[i]);
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

static struct strings *list_of(struct settings *s, const char *name)
{
    const struct {
        const char *name;
        struct strings *list;
    } lists[] = {{"app", &s->apps}, {"alias", &s->aliases}, {"geoip", &s->geoips}, {"list", &s->lists}, {"keylog", &s->keylogs},
                 {"customers", &s->customers}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(lists[i].name, name) == 0)
            return lists[i].list;
    return NULL;
}

static char **single_of(struct settings *s, const char *name)
{
    const struct {
        const char *name;
        char **at;
    } singles[] = {{"filter", &s->filter}, {"rules", &s->rules}, {"detections", &s->detections}, {"roster", &s->roster},
                   {"feedback", &s->feedback},
                   {"redis", &s->redis}, {"state", &s->state},
                   {"key-file", &s->key_file}, {"out", &s->out}, {"log", &s->log}, {"transactions", &s->transactions},
                   {"counters", &s->counters}, {"explain-routes", &s->explain_routes},
                   {"suggest-profile", &s->suggest_profile}, {"interface", &s->interface}};
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
        if (strcmp(singles[i].name, name) == 0)
            return singles[i].at;
    return NULL;
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

static int set_number(struct settings *s, const char *name, const char *value, struct text *why)
{
    const struct {
        const char *name;
        uint64_t *at, least, most;
    } numbers[] = {{"max-flows", &s->max_flows, 1000, 16777216},
                   {"log-days", &s->log_days, 0, 36500},
                   {"scan-limit", &s->scan_limit, 0, 4096},
                   {"max-credentials", &s->max_credentials, 100, 10000000},
                   {"max-sessions", &s->max_sessions, 100, 10000000}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(numbers[i].name, name) != 0)
            continue;
        uint64_t n;
        if (!span_u64(span_text(value), &n) || n < numbers[i].least || n > numbers[i].most) {
            text_addf(why, "--%s: '%s' is not a number from %llu to %llu", name, value,
                      (unsigned long long)numbers[i].least, (unsigned long long)numbers[i].most);
            return E_USAGE;
        }
        *numbers[i].at = n;
        return 0;
    }
    return E_NONE;
}

static int needs_pair(const char *name, const char *value, struct text *why)
{
    const char *equals = strchr(value, '=');
    bool is_pair = strcmp(name, "app") == 0 || strcmp(name, "alias") == 0 || strcmp(name, "list") == 0;
    if (!is_pair || (equals && equals != value && equals[1]))
        return 0;
    text_addf(why, "--%s: '%s' is not of the form %s", name, value,
              strcmp(name, "app") == 0 ? "PROFILE=HOST" : strcmp(name, "alias") == 0 ? "NAME=CREDENTIAL" : "CLASS=FILE");
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

static bool *switch_of(struct settings *s, const char *name)
{
    const struct {
        const char *name;
        bool *at;
    } switches[] = {{"json", &s->json}, {"quiet", &s->quiet}, {"verify-tls", &s->verify_tls}, {"sha256", &s->sha256}, {"reach", &s->reach}};
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (strcmp(switches[i].name, name) == 0)
            return switches[i].at;
    return NULL;
}

static int make_sinks(struct settings *s)
{
    if (!s->sinks)
        s->sinks = calloc(1, sizeof *s->sinks);
    return s->sinks ? 0 : E_NOMEM;
}

/* A URL, or the name of a sink that there is. */
static int set_sink(struct settings *s, const char *value, struct text *why)
{
    struct text detail = {0};
    if (!strchr(value, ':'))
        return strings_add(&s->picked, value);
    int rc = make_sinks(s);
    if (rc == 0 && (rc = sink_config_text(s->sinks, value, &detail)))
        text_addf(why, "--sink: %s", text_str(&detail));
    text_fini(&detail);
    return rc ? E_USAGE : 0;
}

int settings_set(struct settings *s, const char *name, const char *value, struct text *why)
{
    bool *at = switch_of(s, name);
    if (at)
        return set_switch(at, name, value, why);
    if (!value && (strcmp(name, "explain-routes") == 0 || strcmp(name, "suggest-profile") == 0))
        value = "-";
    if (!value || !*value) {
        text_addf(why, "--%s: the value is empty", name);
        return E_USAGE;
    }
    if (strcmp(name, "trust") == 0)
        return set_trust(s, value, why);
    if (strcmp(name, "sink") == 0)
        return set_sink(s, value, why);
    struct strings *list = list_of(s, name);
    if (list) {
        int rc = needs_pair(name, value, why);
        if (rc == 0 && (rc = strings_add(list, value)) == E_LIMIT)
            text_addf(why, "--%s: more than %d of them", name, SETTINGS_MAX_LIST);
        return rc;
    }
    char **single = single_of(s, name);
    if (single) {
        free(*single);
        return (*single = strdup(value)) ? 0 : E_NOMEM;
    }
    return set_number(s, name, value, why);
}

static int load_sinks(struct settings *s, const struct yaml_node *n, struct text *why)
{
    int rc = n->kind == YAML_LIST ? make_sinks(s) : yaml_fail(n, why, "expected a list of sinks");
    for (const struct yaml_node *v = n->child; v && rc == 0; v = v->next)
        rc = sink_config_yaml(s->sinks, v, why);
    return rc;
}

static int load_item(struct settings *s, const struct yaml_node *n, struct text *why)
{
    if (strcmp(n->key, "sinks") == 0)
        return load_sinks(s, n, why);
    const struct setting *item = table;
    while (item->name && strcmp(item->name, n->key) != 0)
        item++;
    if (n->kind == YAML_MAP || (n->kind == YAML_LIST && !item->is_list))
        return yaml_fail(n, why, "expected %s", item->is_list ? "a list of values" : "one value");
    struct text detail = {0};
    int rc = 0;
    for (const struct yaml_node *v = n->kind == YAML_LIST ? n->child : n; v && rc == 0; v = n->kind == YAML_LIST ? v->next : NULL) {
        rc = v->kind == YAML_SCALAR ? settings_set(s, n->key, v->scalar, &detail) : E_CONF;
        if (rc)
            rc = yaml_fail(v, why, "%s", detail.size ? text_str(&detail) : "expected one value");
    }
    text_fini(&detail);
    return rc;
}

int settings_load(struct settings *s, const char *path, struct text *why)
{
    struct yaml *y;
    int rc = yaml_load(path, &y, why);
    if (rc)
        return rc;
    const char *names[sizeof table / sizeof *table + 1] = {"sinks"};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        names[i + 1] = table[i].name;
    const struct yaml_node *root = yaml_root(y);
    rc = yaml_check_keys(root, names, why);
    for (const struct yaml_node *n = rc ? NULL : root->child; n && rc == 0; n = n->next)
        rc = load_item(s, n, why);
    yaml_close(y);
    return rc;
}
