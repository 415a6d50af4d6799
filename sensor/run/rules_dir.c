/* SPDX-License-Identifier: Apache-2.0
 * Finds the rules of an installed program, or of one in a build directory. */
#include "run/rules_dir.h"

#include "base/err.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_rules(const char *dir)
{
    struct text apps = {0};
    text_addf(&apps, "%s/apps", dir);
    bool is = access(text_str(&apps), R_OK | X_OK) == 0;
    text_fini(&apps);
    return is;
}

static int given(const char *dir, struct text *path, struct text *why)
{
    if (!is_rules(dir)) {
        text_addf(why, "%s: no rules there (expected apps/*.yaml)", dir);
        return E_NONE;
    }
    text_add_str(path, dir);
    return 0;
}

int rules_dir_find(const char *asked, struct text *path, struct text *why)
{
    const char *environment = getenv("CASETAP_RULES");
    if (asked || environment)
        return given(asked ? asked : environment, path, why);
    char program[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    program[size > 0 ? size : 0] = 0;
    static const char *const below[] = {"rules", "share/casetap/rules", "etc/casetap/rules"};
    for (int up = 0; up < 4; up++) {
        char *slash = strrchr(program, '/');
        if (!slash)
            break;
        *slash = 0;
        for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
            text_clear(path);
            text_addf(path, "%s/%s", program, below[i]);
            if (is_rules(text_str(path)))
                return 0;
        }
    }
    text_clear(path);
    text_add_str(why, "no rules found beside the program; name their directory with --rules DIR");
    return E_NONE;
}
