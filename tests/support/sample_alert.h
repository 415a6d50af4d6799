/* SPDX-License-Identifier: Apache-2.0
 * A stolen session's download, as an alert tells it. Behind cmocka.h. */
#ifndef TESTS_SUPPORT_SAMPLE_ALERT_H
#define TESTS_SUPPORT_SAMPLE_ALERT_H

#include <string.h>

#include "record/alert.h"

static inline struct ipaddr sample_ip(const char *text)
{
    struct ipaddr a;
    assert_true(ipaddr_parse(span_text(text), &a));
    return a;
}

static inline void sample_set(struct activity *a, enum activity_string which, const char *value)
{
    activity_set(a, which, span_text(value));
}

/* Into a zeroed alert; its last act has no strings yet. */
static inline void sample_alert_fill(struct alert *a, const struct rule *rule)
{
    a->rule = rule;
    memset(a->id, 0x5a, sizeof a->id);
    a->start_ns = 1773976320000000000ULL;
    a->time_ns = 1773976334000000000ULL;
    a->bits = 20.4;
    a->risk = 91;
    a->n_acts = 50;
    a->n_files = 41;
    a->n_bytes = 2345678901ULL;
    activity_init(&a->last);
    a->last.action = ACTION_DOWNLOAD;
    a->last.outcome = OUTCOME_SUCCESS;
    a->last.source = sample_ip("203.0.113.7");
    a->last.peer.ip = sample_ip("10.0.0.2");
    a->last.server = (struct endpoint){sample_ip("10.0.0.5"), 8080};
    a->last.asn = 64500;
    a->last.source_class = NETWORK_HOSTING;
    memcpy(a->last.country, "BT", 3);
    a->last.flags = ACT_HAS_FILE_SIZE;
    a->last.file_size = 73400320;
}

#endif
