/* SPDX-License-Identifier: Apache-2.0
 * What every command needs before the first packet: rules found, profiles compiled and declared, the key loaded. */
#ifndef RUN_SETUP_H
#define RUN_SETUP_H

#include "app/profile.h"
#include "base/keyed.h"
#include "run/settings.h"

struct setup {
    struct text rules_dir;
    struct profiles *profiles;
    struct keyed *key;
    bool is_default_key;
};

/* E_NONE, E_IO, E_CONF, E_USAGE with a line in why; then nothing is left to free. */
int setup_init(struct setup *u, const struct settings *s, struct text *why);
void setup_fini(struct setup *u);

#endif
