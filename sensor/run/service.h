/* SPDX-License-Identifier: Apache-2.0
 * What a service manager is told: ready, reloading, stopping, and that all threads still go round. Everything here does
 * nothing when no manager listens. One thread owns it. */
#ifndef RUN_SERVICE_H
#define RUN_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

struct service {
    uint64_t every_ms; /* the watchdog is fed so often; 0: there is none */
    uint64_t fed_ms;   /* when it was last */
    uint64_t beats;    /* of the workers, at that time */
    bool has_beats;
};

/* It works; 'status' is a short sentence for people. */
void service_ready(struct service *s, const char *status);
/* Feeds the watchdog when it is time and 'beats', which every turn of every worker raises, has moved since. */
void service_turn(struct service *s, uint64_t now_ms, uint64_t beats);
/* A new configuration is being read; service_ready follows. */
void service_reloading(void);
void service_stopping(void);

#endif
