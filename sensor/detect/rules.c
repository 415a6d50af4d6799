/* SPDX-License-Identifier: Apache-2.0
 * One table says everything about the numbers: section or detector, key, unit, where it goes, default, range, what it is. */
#include "detect/rules.h"

#include <string.h>

#include "base/err.h"
#include "base/yaml.h"

struct key {
    const char *section, *name;
    enum unit unit;
    size_t at;
    double usual, min, max; /* seconds and bytes for UNIT_TIME and UNIT_BYTES */
    const char *help;       /* of a detector's parameter; the general ones are told in the file itself */
};

#define AT(member) offsetof(struct rules, member)
#define MINUTE 60.0
#define HOUR 3600.0
#define DAY 86400.0
#define MB 1e6

static const struct key keys[] = {
    {"learning", "fleet", UNIT_TIME, AT(learning.fleet_s), 7 * DAY, 0, 90 * DAY, NULL},
    {"learning", "sessions", UNIT_NUMBER, AT(learning.sessions), 10, 0, 1000, NULL},
    {"learning", "quarantine", UNIT_TIME, AT(learning.quarantine_s), DAY, 0, 90 * DAY, NULL},
    {"learning", "forgive", UNIT_TIME, AT(learning.forgive_s), 30 * DAY, DAY, 365 * DAY, NULL},
    {"learning", "visit-gap", UNIT_TIME, AT(learning.visit_gap_s), HOUR, MINUTE, DAY, NULL},
    {"learning", "story", UNIT_TIME, AT(learning.story_s), 7 * DAY, HOUR, 90 * DAY, NULL},
    {"learning", "volume-story", UNIT_TIME, AT(learning.volume_story_s), DAY, HOUR, 90 * DAY, NULL},
    {"budget", "alerts", UNIT_NUMBER, AT(budget.a_day), 10, 0.1, 100000, NULL},
    {"context", "prior-sessions", UNIT_NUMBER, AT(context.prior_sessions), 5, 0.1, 1000, NULL},
    {"context", "country-rate", UNIT_NUMBER, AT(context.country_rate), 0.1, 1e-6, 1, NULL},
    {"context", "network-rate", UNIT_NUMBER, AT(context.network_rate), 0.3, 1e-6, 1, NULL},
    {"context", "prefix-rate", UNIT_NUMBER, AT(context.prefix_rate), 0.8, 1e-6, 1, NULL},
    {"context", "client-rate", UNIT_NUMBER, AT(context.client_rate), 0.1, 1e-6, 1, NULL},
    {"context", "platform-rate", UNIT_NUMBER, AT(context.platform_rate), 0.2, 1e-6, 1, NULL},
    {"context", "repeat", UNIT_NUMBER, AT(context.repeat), 0.5, 0, 10, NULL},
    {"context", "max-bits", UNIT_NUMBER, AT(context.max_bits), 10, 1, 40, NULL},
    {"context", "peers", UNIT_NUMBER, AT(context.peers), 3, 1, 4, NULL},
    {"context", "peer-bits", UNIT_NUMBER, AT(context.peer_bits), 2, 0, 40, NULL},
    {"context", "list-bits", UNIT_NUMBER, AT(context.list_bits), 6, 0, 40, NULL},
    {"context", "hour-bits", UNIT_NUMBER, AT(context.hour_bits), 6, 0, 40, NULL},
    {"context", "hour-weight", UNIT_NUMBER, AT(context.hour_weight), 0.7, 0, 1, NULL},
    {"session-theft", "bits", UNIT_NUMBER, AT(session_theft.bits), 10, 0, 60,
     "told from so many on, when place and client both differ"},
    {"session-theft", "prefix-bits", UNIT_NUMBER, AT(session_theft.prefix_bits), 5.6, 0, 40,
     "another prefix: .95 of thefts, .02 of honest sessions"},
    {"session-theft", "network-bits", UNIT_NUMBER, AT(session_theft.network_bits), 6.5, 0, 40,
     "another AS or country: .9, .01"},
    {"session-theft", "client-bits", UNIT_NUMBER, AT(session_theft.client_bits), 10, 0, 40,
     "another browser or program: .5, .0005"},
    {"session-theft", "downgrade-bits", UNIT_NUMBER, AT(session_theft.downgrade_bits), 9.2, 0, 40,
     "the same one in an older version: .3, .0005"},
    {"session-theft", "platform-bits", UNIT_NUMBER, AT(session_theft.platform_bits), 8, 0, 40,
     "the same one on another system: .5, .002"},
    {"session-theft", "update-bits", UNIT_NUMBER, AT(session_theft.update_bits), 1, 0, 40,
     "the same one in a newer version"},
    {"session-theft", "overlap-bits", UNIT_NUMBER, AT(session_theft.overlap_bits), 3, 0, 40, "both in use ..."},
    {"session-theft", "overlap", UNIT_TIME, AT(session_theft.overlap_s), MINUTE, 0, DAY, "... within that time"},
    {"download-burst", "files", UNIT_NUMBER, AT(download_burst.files), 5, 1, 1e6,
     "fewer different files within ten minutes are never a burst"},
    {"daily-volume", "files", UNIT_NUMBER, AT(daily_volume.files), 5, 1, 1e9, "fewer files in a day (UTC) are never many"},
    {"daily-volume", "bytes", UNIT_BYTES, AT(daily_volume.bytes), 0.5 * MB, 1, 1e18,
     "fewer bytes in a day are never much"},
    {"breadth", "customers", UNIT_NUMBER, AT(breadth.customers), 2, 1, 1e9, "fewer customers in a day are never many"},
    {"breadth", "cases", UNIT_NUMBER, AT(breadth.cases), 3, 1, 1e9, "the same of cases"},
    {"breadth", "slow-spare", UNIT_NUMBER, AT(breadth.slow_spare), 0.5, 0, 10,
     "day after day more cases than usual: what lies so many deviations above adds up"},
    {"breadth", "slow-limit", UNIT_NUMBER, AT(breadth.slow_limit), 6.9, 1, 100,
     "from half of that on, the days are not learned"},
    {"download-after-new", "change-bits", UNIT_NUMBER, AT(download_after_new.change_bits), 4, 0, 40,
     "a password, factor or token was changed in the same visit"},
    {"stuffing", "names", UNIT_NUMBER, AT(stuffing.names), 8, 2, 32, "so many different names and ..."},
    {"stuffing", "attempts", UNIT_NUMBER, AT(stuffing.attempts), 15, 2, 10000,
     "... so many failures from one source ..."},
    {"stuffing", "share", UNIT_NUMBER, AT(stuffing.share), 0.67, 0, 1,
     "... and so large a share of all its sign-ins"},
    {"stuffing", "window", UNIT_TIME, AT(stuffing.window_s), 10 * MINUTE, 2, DAY, "... within that time ..."},
    {"success-after-failures", "failures", UNIT_NUMBER, AT(success_after_failures.failures), 5, 1, 10000,
     "failures of the name or from the source ..."},
    {"success-after-failures", "names", UNIT_NUMBER, AT(success_after_failures.names), 3, 1, 32,
     "without a baseline: only after so many names from the source"},
    {"success-after-failures", "window", UNIT_TIME, AT(success_after_failures.window_s), 10 * MINUTE, 2, DAY,
     "... within that time ..."},
    {"success-after-failures", "within", UNIT_TIME, AT(success_after_failures.within_s), 3 * HOUR, MINUTE, 7 * DAY,
     "... so long before the success at most ..."},
    {"machine", "bits", UNIT_NUMBER, AT(machine.bits), 6, 0, 40, "told from so many on"},
    {"machine", "thin-bits", UNIT_NUMBER, AT(machine.thin_bits), 12, 0, 40,
     "the same while the credential has done less than ..."},
    {"machine", "acts", UNIT_NUMBER, AT(machine.acts), 20, 1, 1e9, "... so many acts: two things must be new"},
    {"machine", "place-bits", UNIT_NUMBER, AT(machine.place_bits), 8, 0, 40, "another /24 or /48"},
    {"machine", "client-bits", UNIT_NUMBER, AT(machine.client_bits), 6, 0, 40,
     "another program, or an older version"},
    {"machine", "route-bits", UNIT_NUMBER, AT(machine.route_bits), 3, 0, 40, "another kind of request"},
    {"upload-secrets", "live", UNIT_NUMBER, AT(upload_secrets.live), 1, 1, 1e6,
     "so many tokens or keys that have not expired, in a HAR or a key file ..."},
    {"upload-secrets", "other-files", UNIT_NUMBER, AT(upload_secrets.other_files), 3, 1, 1e6,
     "... or in any other file or archive, where few are often those of tests"},
    {"remote-control", "bits", UNIT_NUMBER, AT(remote_control.bits), 6, 0, 40, "told from so many on"},
    {"remote-control", "new-bits", UNIT_NUMBER, AT(remote_control.new_bits), 10, 0, 40,
     "a computer worked from where it never was; 0 from its usual host, peer-bits from one that works several"},
    {"remote-control", "active", UNIT_TIME, AT(remote_control.active_s), 30 * MINUTE, MINUTE, DAY,
     "so long after its last act a session counts as going on"},
    {"remote-control", "lasts", UNIT_TIME, AT(remote_control.lasts_s), 8 * HOUR, MINUTE, 7 * DAY,
     "so long counts a connection whose end was not seen"},
};

#define N_KEYS (sizeof keys / sizeof keys[0])

static const char *const scored_names[SCORED_N + 1] = {
    [SCORED_NEW_LOCATION] = "new-location",
    [SCORED_SESSION_THEFT] = "session-theft",
    [SCORED_DOWNLOAD_BURST] = "download-burst",
    [SCORED_DAILY_VOLUME] = "daily-volume",
    [SCORED_BREADTH] = "breadth",
    [SCORED_DOWNLOAD_AFTER_NEW] = "download-after-new",
    [SCORED_STUFFING] = "stuffing",
    [SCORED_SUCCESS_AFTER_FAILURES] = "success-after-failures",
    [SCORED_MACHINE] = "machine",
    [SCORED_UPLOAD_SECRETS] = "upload-secrets",
    [SCORED_REMOTE_CONTROL] = "remote-control",
    [SCORED_LEAVER] = "leaver",
    [SCORED_SERVICE_SIGNIN] = "service-signin",
    [SCORED_MARKED] = "marked",
};

static enum scored scored_of(const char *name)
{
    unsigned i = 0;
    while (i < SCORED_N && strcmp(scored_names[i], name) != 0)
        i++;
    return (enum scored)i;
}

const char *scored_name(enum scored which)
{
    return scored_names[which];
}

static void key_store(struct rules *r, const struct key *k, double value)
{
    char *at = (char *)r + k->at;
    switch (k->unit) {
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

static int read_key(const struct yaml_node *n, const struct key *k, struct rules *r, struct text *why)
{
    double value = 0;
    int rc = quantity_read(n, k->name, k->unit, k->min, k->max, &value, why);
    if (rc == E_OK)
        key_store(r, k, value);
    return rc;
}

/* The names of all general sections, or of all keys of one section, each once and in order; NULL-ended. */
static void list_names(const char *section, const char *names[N_KEYS + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < N_KEYS; i++) {
        const char *name = section ? keys[i].name : keys[i].section;
        bool is_wanted = section ? strcmp(keys[i].section, section) == 0 : scored_of(keys[i].section) == SCORED_N;
        if (is_wanted && (section || n == 0 || strcmp(names[n - 1], name) != 0))
            names[n++] = name;
    }
    names[n] = NULL;
}

static int read_section(const struct yaml_node *values, const char *section, struct rules *r, struct text *why)
{
    const char *names[N_KEYS + 1];
    list_names(section, names);
    int rc = yaml_check_keys(values, names, why);
    for (size_t i = 0; i < N_KEYS && rc == E_OK; i++) {
        const struct yaml_node *n = strcmp(keys[i].section, section) == 0 ? yaml_get(values, keys[i].name) : NULL;
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
    for (const struct yaml_node *n = root->child; n && rc == E_OK; n = n->next)
        if (n->key && scored_of(n->key) != SCORED_N)
            rc = yaml_fail(n, why, "%s: a detector's numbers stand in its own file of detections/, under 'parameters'", n->key);
    if (rc == E_OK)
        rc = yaml_check_keys(root, names, why);
    for (const struct yaml_node *n = rc == E_OK ? root->child : NULL; n && rc == E_OK; n = n->next)
        rc = read_section(n, n->key, r, why);
    yaml_close(yaml);
    return rc;
}

int rules_parameters(struct rules *r, const struct yaml_node *root, enum scored *which, struct text *why)
{
    const struct yaml_node *detector = yaml_get(root, "detector"), *values = yaml_get(root, "parameters");
    if (!detector || detector->kind != YAML_SCALAR)
        return yaml_fail(detector ? detector : root, why, "detector: the name of a scored detector is expected, like '%s'",
                         scored_names[0]);
    *which = scored_of(detector->scalar);
    if (*which == SCORED_N) {
        const char *nearest = yaml_nearest(detector->scalar, scored_names);
        return yaml_fail(detector, why, "no detector is called '%.60s'%s%s%s", detector->scalar,
                         nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    }
    return values ? read_section(values, detector->scalar, r, why) : E_OK;
}

bool rules_parameter(size_t i, struct rules_parameter *out)
{
    if (i >= N_KEYS)
        return false;
    const struct key *k = &keys[i];
    *out = (struct rules_parameter){.section = k->section, .name = k->name, .help = k->help ? k->help : ""};
    quantity_text(k->unit, k->usual, out->usual);
    quantity_text(k->unit, k->min, out->min);
    quantity_text(k->unit, k->max, out->max);
    return true;
}
