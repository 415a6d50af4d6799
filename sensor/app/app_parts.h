/* SPDX-License-Identifier: Apache-2.0
 * What an app is made of. For app.c and app_swap.c only. */
#ifndef APP_APP_PARTS_H
#define APP_APP_PARTS_H

#include "app/app.h"
#include "app/assets.h"
#include "app/bound.h"
#include "app/candidate.h"
#include "app/file_tap.h"
#include "app/hosts.h"
#include "base/pool.h"

#define SCRATCH 16384
#define APP_TRUSTED_MAX 256u
#define APP_GENERATIONS 64u

/* Every transaction ends in one of no_room, routed, routed_silent, unknown_file and unknown. */
enum {
    COUNT_TRANSACTIONS, COUNT_NO_ROOM, COUNT_ROUTED, COUNT_SILENT, COUNT_UNKNOWN_FILE, COUNT_UNKNOWN, COUNT_CANDIDATES,
    COUNT_AMENDS, COUNT_FACTS_CUT, COUNT_FORGED, COUNT_ASSETS, COUNT_SESSION_FACTS, COUNT_BOUND, COUNT_COOKIES_CUT,
    COUNT_BAD_CREDENTIALS, COUNT_BAD_TOKENS, COUNT_UNSIGNED_TOKENS, COUNT_LONG_NAMES,
    COUNTERS,
};

struct app {
    struct app_options options;
    struct forward_trust trust;      /* of the prefixes below */
    struct prefix trusted[APP_TRUSTED_MAX];
    struct generation {              /* of profiles: those that hold for what begins now, and those under which something began */
        const struct profiles *profiles;
        uint32_t open;               /* transactions */
    } generations[APP_GENERATIONS];
    uint8_t generation;              /* the one that holds now */
    struct forward_memo forwards[FORWARD_MEMOS];
    struct clean_target clean[CLEAN_TARGETS];
    struct pool *notes;
    struct extractor *extractor;
    struct file_taps *files;
    struct cred_hasher *hasher;
    struct bound *bound;
    struct hosts *hosts;
    struct assets *assets;
    struct unmapped *unmapped;
    struct text masked, why;
    struct activity candidate;
    uint64_t seed; /* of this deployment, for hashes of addresses that may hold a token */
    uint64_t counts[COUNTERS];
    uint8_t scratch[SCRATCH];
};


/* A transaction begins under the profiles that hold now; the number goes to app_leave at its end. */
uint8_t app_enter(struct app *app);
void app_leave(struct app *app, uint8_t generation);
/* No transaction is under way any more, and none will be. */
void app_leave_all(struct app *app);
/* Copies the prefixes. */
void app_set_trust(struct app *app, const struct prefix *trusted, size_t n);

#endif
