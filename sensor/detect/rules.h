/* SPDX-License-Identifier: Apache-2.0
 * The numbers of learning and context (rules/detect.yaml) and of each scored detector (parameters in the files of
 * rules/detections): the built-in defaults, and what the files say on top. docs/rules.md says why each number is what it
 * is. */
#ifndef DETECT_RULES_H
#define DETECT_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "base/yaml.h"
#include "detect/quantity.h"
#include "record/alert.h"

/* The detectors written in C, each with a file of its own in rules/detections. */
enum scored {
    SCORED_NEW_LOCATION,
    SCORED_SESSION_THEFT,
    SCORED_DOWNLOAD_BURST,
    SCORED_DAILY_VOLUME,
    SCORED_BREADTH,
    SCORED_DOWNLOAD_AFTER_NEW,
    SCORED_STUFFING,
    SCORED_SUCCESS_AFTER_FAILURES,
    SCORED_MACHINE,
    SCORED_UPLOAD_SECRETS,
    SCORED_REMOTE_CONTROL,
    SCORED_LEAVER,
    SCORED_SERVICE_SIGNIN,
    SCORED_MARKED,
    SCORED_N
};

/* Seconds are uint32_t, bytes uint64_t, all else double. */
struct rules {
    const struct rule *head[SCORED_N]; /* borrowed from the detections; NULL: switched off, or there is no file of it */
    struct {
        uint32_t fleet_s;      /* until the sensor has watched that long, every place is new for everybody */
        double sessions;       /* a credential with fewer, and younger than fleet_s, has no baseline yet */
        uint32_t quarantine_s; /* how long a new value must stay without an alert before it is usual */
        uint32_t forgive_s;    /* how long after its alert a value in steady use becomes usual */
        uint32_t visit_gap_s;  /* silence that ends a visit */
        uint32_t story_s;      /* silence that ends a story: what comes later is a new alert */
        uint32_t volume_story_s;
    } learning;
    struct {
        double a_day; /* alerts of the scored channels together */
    } budget;
    struct {
        double prior_sessions; /* what the rates below weigh against the credential's own sessions */
        double country_rate, network_rate, prefix_rate, client_rate,
            platform_rate; /* how often a session brings a new one */
        double repeat;     /* each new one before makes the next likelier by that much */
        double max_bits;   /* of one place or client */
        double peers;      /* a place that so many others use ... */
        double peer_bits;  /* ... gives at most that */
        double list_bits;  /* VPN, hosting or Tor network, new for the credential */
        double hour_bits, hour_weight;
    } context;
    struct {
        double bits, prefix_bits, network_bits, client_bits, downgrade_bits, platform_bits, update_bits, overlap_bits;
        uint32_t overlap_s;
    } session_theft; /* D07 */
    struct {
        double files;
    } download_burst; /* D09 */
    struct {
        double files;
        uint64_t bytes;
    } daily_volume; /* D10 */
    struct {
        double customers, cases, slow_spare, slow_limit;
    } breadth; /* D12 */
    struct {
        double change_bits;
    } download_after_new; /* D15 */
    struct {
        double names, attempts, share;
        uint32_t window_s;
    } stuffing; /* D16 */
    struct {
        double failures, names;
        uint32_t window_s, within_s;
    } success_after_failures; /* D17 */
    struct {
        double bits, thin_bits, acts, place_bits, client_bits, route_bits;
    } machine; /* D20 */
    struct {
        double live, other_files;
    } upload_secrets; /* D26 */
    struct {
        double bits, new_bits;
        uint32_t active_s; /* how long after its last act a session counts as going on */
        uint32_t lasts_s;  /* how long a connection counts whose end was not seen */
    } remote_control; /* D27 */
};

/* The defaults, the same as the shipped files say; no detector is on. */
void rules_default(struct rules *r);
/* Defaults, then what the file (detect.yaml) says. E_IO, or E_CONF with "file:line:column: what is wrong, what would be
 * right". */
int rules_load(const char *path, struct rules *r, struct text *why);
/* The name of a scored detector, as 'detector:' has it: "new-location". */
const char *scored_name(enum scored which);
/* Takes the detector ('detector:' and 'parameters:') of a detection's file; *which says whose it was. E_CONF. */
int rules_parameters(struct rules *r, const struct yaml_node *root, enum scored *which, struct text *why);

/* One number that a file may set, for the reference. */
struct rules_parameter {
    const char *section, *name, *help;
    char usual[QUANTITY_TEXT], min[QUANTITY_TEXT], max[QUANTITY_TEXT]; /* with their units */
};
/* The i-th of all, in the order of the table; false at its end. */
bool rules_parameter(size_t i, struct rules_parameter *out);

#endif
