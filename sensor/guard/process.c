/* SPDX-License-Identifier: Apache-2.0
 * Who the process is, and what it could become. */
#include "guard/guard.h"

#include "base/err.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define LOCKED_BYTES (64u << 20) /* secrets of TLS connections stay out of the swap */

static void tell(struct text *told, const char *phrase)
{
    text_addf(told, "%s%s", told->size ? ", " : "", phrase);
}

int guard_process(struct text *told, struct text *why)
{
    struct rlimit none = {0, 0}, locked;
    if (getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_max != RLIM_INFINITY && locked.rlim_max < LOCKED_BYTES) {
        locked.rlim_cur = locked.rlim_max = LOCKED_BYTES;
        (void)setrlimit(RLIMIT_MEMLOCK, &locked); /* only root may; without it a warning is told later */
    }
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        text_addf(why, "core dumps and new privileges cannot be forbidden: %s", strerror(errno));
        return E_DENIED;
    }
    tell(told, "no core dumps, no new privileges");
    return 0;
}

static int drop(const struct passwd *user, struct text *why)
{
    /* What stands in the bounding set cannot be gained any more; only who has CAP_SETPCAP may clear it all the same. */
    bool has_setpcap = capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
    capng_clear(CAPNG_SELECT_BOTH);
    if (user) {
        capng_flags_t flags = CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_AMBIENT | (has_setpcap ? CAPNG_CLEAR_BOUNDING : 0);
        int rc = capng_change_id((int)user->pw_uid, (int)user->pw_gid, flags);
        if (rc == 0)
            return 0;
        text_addf(why, "cannot become user %s (%d): %s", user->pw_name, rc, strerror(errno));
        return E_DENIED;
    }
    if (capng_apply(has_setpcap ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0)
        return 0;
    text_addf(why, "cannot give up capabilities: %s", strerror(errno));
    return E_DENIED;
}

int guard_user(const char *user, struct text *told, struct text *why)
{
    errno = 0;
    const struct passwd *entry = user ? getpwnam(user) : NULL;
    if (user && !entry) {
        text_addf(why, "there is no user '%s'", user);
        return E_NONE;
    }
    bool is_same = entry && entry->pw_uid == geteuid() && entry->pw_uid == getuid();
    int rc = drop(is_same ? NULL : entry, why);
    if (rc)
        return rc;
    if (capng_get_caps_process() == 0 && capng_have_capabilities(CAPNG_SELECT_CAPS) > CAPNG_NONE) {
        text_add_str(why, "capabilities are left though they were given up");
        return E_DENIED;
    }
    tell(told, "no capability");
    if (entry)
        text_addf(told, ", user %s", entry->pw_name);
    else if (geteuid() == 0)
        tell(told, "still root's files (set 'user')");
    return 0;
}
