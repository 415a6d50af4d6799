/* SPDX-License-Identifier: Apache-2.0
 * One table says everything about the rule file: section, key, unit, where it goes, default, range. */
#include "detect/rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/yaml.h"

enum unit { UNIT_BOOL, UNIT_NUMBER, UNIT_TIME, UNIT_BYTES };

struct key {
    const char *section, *name;
    enum unit unit;
    size_t at;
    double usual, min, max; /* seconds and bytes for UNIT_TIME and UNIT_BYTES */
};

#define AT(member) offsetof(struct rules, member)
#define MINUTE 60.0
#define HOUR 3600.0
#define DAY 86400.0
#define MB 1e6

static const struct key keys[] = {
    {"learning", "fleet", UNIT_TIME, AT(learning.fleet_s), 7 * DAY, 0, 90 * DAY},
    {"learning", "fleet-bits", UNIT_NUMBER, AT(learning.young_bits), 12, 0, 60},
    {"learning", "sessions", UNIT_NUMBER, AT(learning.sessions), 10, 0, 1000},
    {"learning", "quarantine", UNIT_TIME, AT(learning.quarantine_s), DAY, 0, 90 * DAY},
    {"learning", "forgive", UNIT_TIME, AT(learning.forgive_s), 30 * DAY, DAY, 365 * DAY},
    {"learning", "visit-gap", UNIT_TIME, AT(learning.visit_gap_s), HOUR, MINUTE, DAY},
    {"learning", "story", UNIT_TIME, AT(learning.story_s), 7 * DAY, HOUR, 90 * DAY},
    {"learning", "volume-story", UNIT_TIME, AT(learning.volume_story_s), DAY, HOUR, 90 * DAY},
    {"context", "prior-sessions", UNIT_NUMBER, AT(context.prior_sessions), 5, 0.1, 1000},
    {"context", "country-rate", UNIT_NUMBER, AT(context.country_rate), 0.01, 1e-6, 1},
    {"context", "network-rate", UNIT_NUMBER, AT(context.network_rate), 0.03, 1e-6, 1},
    {"context", "prefix-rate", UNIT_NUMBER, AT(context.prefix_rate), 0.15, 1e-6, 1},
    {"context", "client-rate", UNIT_NUMBER, AT(context.client_rate), 0.1, 1e-6, 1},
    {"context", "platform-rate", UNIT_NUMBER, AT(context.platform_rate), 0.2, 1e-6, 1},
    {"context", "repeat", UNIT_NUMBER, AT(context.repeat), 0.5, 0, 10},
    {"context", "max-bits", UNIT_NUMBER, AT(context.max_bits), 10, 1, 40},
    {"context", "peers", UNIT_NUMBER, AT(context.peers), 3, 1, 4},
    {"context", "peer-bits", UNIT_NUMBER, AT(context.peer_bits), 2, 0, 40},
    {"context", "list-bits", UNIT_NUMBER, AT(context.list_bits), 4, 0, 40},
    {"context", "hour-bits", UNIT_NUMBER, AT(context.hour_bits), 6, 0, 40},
    {"context", "hour-weight", UNIT_NUMBER, AT(context.hour_weight), 0.7, 0, 1},
    {"context", "newcomer-bits", UNIT_NUMBER, AT(context.newcomer_bits), 3.5, 0, 40},
    {"context", "newcomer-cases", UNIT_NUMBER, AT(context.newcomer_cases), 3, 1, 1000},
    {"new-location", "enabled", UNIT_BOOL, AT(new_location.enabled), 1, 0, 1},
    {"new-location", "bits", UNIT_NUMBER, AT(new_location.bits), 12, 0, 40},
    {"session-theft", "enabled", UNIT_BOOL, AT(session_theft.enabled), 1, 0, 1},
    {"session-theft", "bits", UNIT_NUMBER, AT(session_theft.bits), 10, 0, 60},
    {"session-theft", "prefix-bits", UNIT_NUMBER, AT(session_theft.prefix_bits), 5.6, 0, 40},
    {"session-theft", "network-bits", UNIT_NUMBER, AT(session_theft.network_bits), 6.5, 0, 40},
    {"session-theft", "client-bits", UNIT_NUMBER, AT(session_theft.client_bits), 10, 0, 40},
    {"session-theft", "downgrade-bits", UNIT_NUMBER, AT(session_theft.downgrade_bits), 9.2, 0, 40},
    {"session-theft", "platform-bits", UNIT_NUMBER, AT(session_theft.platform_bits), 8, 0, 40},
    {"session-theft", "update-bits", UNIT_NUMBER, AT(session_theft.update_bits), 1, 0, 40},
    {"session-theft", "overlap-bits", UNIT_NUMBER, AT(session_theft.overlap_bits), 3, 0, 40},
    {"session-theft", "overlap", UNIT_TIME, AT(session_theft.overlap_s), MINUTE, 0, DAY},
    {"download-burst", "enabled", UNIT_BOOL, AT(download_burst.enabled), 1, 0, 1},
    {"download-burst", "files", UNIT_NUMBER, AT(download_burst.files), 25, 2, 64},
    {"download-burst", "window", UNIT_TIME, AT(download_burst.window_s), 3 * MINUTE, 1, DAY},
    {"download-burst", "bits", UNIT_NUMBER, AT(download_burst.bits), 8, 0, 40},
    {"daily-volume", "enabled", UNIT_BOOL, AT(daily_volume.enabled), 1, 0, 1},
    {"daily-volume", "files", UNIT_NUMBER, AT(daily_volume.files), 10, 1, 1e9},
    {"daily-volume", "bytes", UNIT_BYTES, AT(daily_volume.bytes), 50 * MB, 1, 1e18},
    {"daily-volume", "bits", UNIT_NUMBER, AT(daily_volume.bits), 12, 0, 40},
    {"daily-volume", "one-case-bits", UNIT_NUMBER, AT(daily_volume.one_case_bits), 10, 0, 40},
    {"breadth", "enabled", UNIT_BOOL, AT(breadth.enabled), 1, 0, 1},
    {"breadth", "customers", UNIT_NUMBER, AT(breadth.customers), 10, 1, 1e9},
    {"breadth", "cases", UNIT_NUMBER, AT(breadth.cases), 12, 1, 1e9},
    {"breadth", "bits", UNIT_NUMBER, AT(breadth.bits), 12, 0, 40},
    {"breadth", "first-customers", UNIT_NUMBER, AT(breadth.first_customers), 5, 1, 255},
    {"breadth", "first-days", UNIT_NUMBER, AT(breadth.first_days), 3, 1, 7},
    {"breadth", "slow-spare", UNIT_NUMBER, AT(breadth.slow_spare), 0.5, 0, 10},
    {"breadth", "slow-limit", UNIT_NUMBER, AT(breadth.slow_limit), 6.9, 1, 100},
    {"download-after-new", "enabled", UNIT_BOOL, AT(download_after_new.enabled), 1, 0, 1},
    {"download-after-new", "bits", UNIT_NUMBER, AT(download_after_new.bits), 6, 0, 40},
    {"download-after-new", "change-bits", UNIT_NUMBER, AT(download_after_new.change_bits), 4, 0, 40},
    {"download-after-new", "breadth-weight", UNIT_NUMBER, AT(download_after_new.breadth_weight), 0.7, 0, 1},
    {"stuffing", "enabled", UNIT_BOOL, AT(stuffing.enabled), 1, 0, 1},
    {"stuffing", "names", UNIT_NUMBER, AT(stuffing.names), 8, 2, 32},
    {"stuffing", "attempts", UNIT_NUMBER, AT(stuffing.attempts), 15, 2, 10000},
    {"stuffing", "share", UNIT_NUMBER, AT(stuffing.share), 0.67, 0, 1},
    {"stuffing", "window", UNIT_TIME, AT(stuffing.window_s), 10 * MINUTE, 2, DAY},
    {"success-after-failures", "enabled", UNIT_BOOL, AT(success_after_failures.enabled), 1, 0, 1},
    {"success-after-failures", "failures", UNIT_NUMBER, AT(success_after_failures.failures), 5, 1, 10000},
    {"success-after-failures", "names", UNIT_NUMBER, AT(success_after_failures.names), 3, 1, 32},
    {"success-after-failures", "bits", UNIT_NUMBER, AT(success_after_failures.bits), 2, 0, 40},
    {"success-after-failures", "window", UNIT_TIME, AT(success_after_failures.window_s), 10 * MINUTE, 2, DAY},
    {"success-after-failures", "within", UNIT_TIME, AT(success_after_failures.within_s), 3 * HOUR, MINUTE, 7 * DAY},
    {"machine", "enabled", UNIT_BOOL, AT(machine.enabled), 1, 0, 1},
    {"machine", "bits", UNIT_NUMBER, AT(machine.bits), 6, 0, 40},
    {"machine", "thin-bits", UNIT_NUMBER, AT(machine.thin_bits), 12, 0, 40},
    {"machine", "acts", UNIT_NUMBER, AT(machine.acts), 20, 1, 1e9},
    {"machine", "place-bits", UNIT_NUMBER, AT(machine.place_bits), 8, 0, 40},
    {"machine", "client-bits", UNIT_NUMBER, AT(machine.client_bits), 6, 0, 40},
    {"machine", "route-bits", UNIT_NUMBER, AT(machine.route_bits), 3, 0, 40},
    {"upload-secrets", "enabled", UNIT_BOOL, AT(upload_secrets.enabled), 1, 0, 1},
    {"upload-secrets", "live", UNIT_NUMBER, AT(upload_secrets.live), 1, 1, 1e6},
    {"upload-secrets", "other-files", UNIT_NUMBER, AT(upload_secrets.other_files), 3, 1, 1e6},
    {"leaver", "enabled", UNIT_BOOL, AT(leaver.enabled), 1, 0, 1},
    {"service-signin", "enabled", UNIT_BOOL, AT(service_signin.enabled), 1, 0, 1},
};

#define N_KEYS (sizeof keys / sizeof keys[0])

/* A multiplier by suffix; the first of a unit is the one to name in messages. */
static const struct {
    enum unit unit;
    const char *suffix;
    double factor;
} suffixes[] = {
    {UNIT_TIME, "s", 1},    {UNIT_TIME, "m", MINUTE}, {UNIT_TIME, "h", HOUR},
    {UNIT_TIME, "d", DAY},  {UNIT_BYTES, "B", 1},     {UNIT_BYTES, "kB", 1e3},
    {UNIT_BYTES, "MB", MB}, {UNIT_BYTES, "GB", 1e9},  {UNIT_BYTES, "TB", 1e12},
};

static const char *const unit_examples[] = {"true or false", "a number", "a time like 90s, 10m, 3h or 7d",
                                            "a size like 500kB, 50MB or 2GB"};

static void key_store(struct rules *r, const struct key *k, double value)
{
    char *at = (char *)r + k->at;
    switch (k->unit) {
    case UNIT_BOOL: memcpy(at, &(bool){value > 0}, sizeof(bool)); break;
    case UNIT_NUMBER: memcpy(at, &value, sizeof value); break;
    case UNIT_TIME: memcpy(at, &(uint32_t){(uint32_t)value}, sizeof(uint32_t)); break;
    case UNIT_BYTES: memcpy(at, &(uint64_t){(uint64_t)value}, sizeof(uint64_t)); break;
    }
}

void rules_default(struct rules *r)
{
    memset(r, 0, sizeof *r);
    for (size_t i = 0; i < N_KEYS; i++)
        key_store(r, &keys[i], keys[i].usual);
}

/* False when the text is no value of that unit. */
static bool value_of(const char *text, enum unit unit, double *value)
{
    if (unit == UNIT_BOOL) {
        *value = strcmp(text, "true") == 0;
        return *value > 0 || strcmp(text, "false") == 0;
    }
    char *end = NULL;
    *value = strtod(text, &end);
    if (end == text || !isfinite(*value))
        return false;
    if (unit == UNIT_NUMBER)
        return *end == 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (suffixes[i].unit == unit && strcmp(end, suffixes[i].suffix) == 0) {
            *value *= suffixes[i].factor;
            return true;
        }
    return false;
}

/* A bound in the key's own unit, as a person would write it. */
static void bound_text(const struct key *k, double value, char out[48])
{
    const char *suffix = "";
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (suffixes[i].unit == k->unit && (value >= suffixes[i].factor || suffixes[i].factor <= 1)) {
            out[0] = 0;
            suffix = suffixes[i].suffix;
            snprintf(out, 48, "%g%s", value / suffixes[i].factor, suffix);
        }
    if (!*suffix)
        snprintf(out, 48, "%g", value);
}

static int read_key(const struct yaml_node *n, const struct key *k, struct rules *r, struct text *why)
{
    double value = 0;
    if (n->kind != YAML_SCALAR || n->is_quoted || !value_of(n->scalar, k->unit, &value))
        return yaml_fail(n, why, "%s: expected %s", k->name, unit_examples[k->unit]);
    if (value < k->min || value > k->max) {
        char low[48], high[48];
        bound_text(k, k->min, low);
        bound_text(k, k->max, high);
        return yaml_fail(n, why, "%s: %s is out of range, expected %s to %s", k->name, n->scalar, low, high);
    }
    key_store(r, k, value);
    return E_OK;
}

/* The names of all sections, or of all keys of one section, each once and in order; NULL-ended. */
static void list_names(const char *section, const char *names[N_KEYS + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < N_KEYS; i++) {
        const char *name = section ? keys[i].name : keys[i].section;
        bool is_wanted = !section || strcmp(keys[i].section, section) == 0;
        if (is_wanted && (section || n == 0 || strcmp(names[n - 1], name) != 0))
            names[n++] = name;
    }
    names[n] = NULL;
}

static int read_section(const struct yaml_node *section, struct rules *r, struct text *why)
{
    const char *names[N_KEYS + 1];
    list_names(section->key, names);
    int rc = yaml_check_keys(section, names, why);
    for (size_t i = 0; i < N_KEYS && rc == E_OK; i++) {
        const struct yaml_node *n = strcmp(keys[i].section, section->key) == 0 ? yaml_get(section, keys[i].name) : NULL;
        if (n)
            rc = read_key(n, &keys[i], r, why);
    }
    return rc;
}

int rules_load(const char *path, struct rules *r, struct text *why)
{
    struct yaml *yaml = NULL;
    const char *names[N_KEYS + 1];
    rules_default(r);
    int rc = yaml_load(path, &yaml, why);
    if (rc != E_OK)
        return rc;
    list_names(NULL, names);
    const struct yaml_node *root = yaml_root(yaml);
    rc = yaml_check_keys(root, names, why);
    for (const struct yaml_node *n = rc == E_OK ? root->child : NULL; n && rc == E_OK; n = n->next)
        rc = read_section(n, r, why);
    yaml_close(yaml);
    return rc;
}
