/* SPDX-License-Identifier: Apache-2.0
 * Start-up shared by replay, run and check. */
#include "run/setup.h"

#include "base/err.h"
#include "run/rules_dir.h"
#include "run/sinks.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_MAX 4096

static int load_key(struct setup *u, const char *path, struct text *why)
{
    u->is_default_key = !path;
    if (!path) {
        u->key = keyed_new_default();
        return u->key ? 0 : E_NOMEM;
    }
    uint8_t key[KEY_MAX];
    FILE *f = fopen(path, "re");
    if (!f) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    size_t size = fread(key, 1, sizeof key, f);
    fclose(f);
    u->key = keyed_new(span_of(key, size));
    explicit_bzero(key, sizeof key);
    if (u->key)
        return 0;
    text_addf(why, "%s: a key of at least 16 bytes is expected", path);
    return E_CONF;
}

static int declare_apps(struct setup *u, const struct settings *s, struct text *why)
{
    for (size_t i = 0; i < s->apps.n; i++) {
        const char *text = s->apps.at[i], *equals = strchr(text, '=');
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
        int rc = profiles_declare(u->profiles, name, equals + 1, why);
        if (rc)
            return rc == E_NONE ? E_CONF : rc;
    }
    return 0;
}

/* Whether 'path' may be written: a word forgotten on the command line must not cost a capture. */
static int check_replaced(const char *path, const char *begin, struct text *why)
{
    char found[32] = "";
    struct stat st;
    if (!path || stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return 0;
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(found, 1, strlen(begin), f) : 0;
    if (f)
        fclose(f);
    if (n == strlen(begin) && memcmp(found, begin, n) == 0)
        return 0;
    text_addf(why, "%s: is something else than what would replace it; remove it first", path);
    return E_IO;
}

/* What cannot be meant, whatever the order of command line and file. */
static int check_settings(const struct settings *s, struct text *why)
{
    if (s->redis && s->state) {
        text_add_str(why, "--redis and --state: baselines are kept in the one or in the other, not in both");
        return E_USAGE;
    }
    if (s->picked.n) {
        text_addf(why, "--sink: '%s' is no URL; a name picks a sink for 'casetap selftest'", s->picked.at[0]);
        return E_USAGE;
    }
    int rc = check_replaced(s->transactions, "{\"@timestamp\":", why);
    return rc ? rc : check_replaced(s->counters, "source_packets ", why);
}

int setup_init(struct setup *u, const struct settings *s, struct text *why)
{
    *u = (struct setup){0};
    struct text apps = {0};
    int rc = check_settings(s, why);
    if (rc == 0)
        rc = sinks_prepare(s, why);
    if (rc == 0)
        rc = rules_dir_find(s->rules, &u->rules_dir, why);
    if (rc == 0) {
        text_addf(&apps, "%s/apps", text_str(&u->rules_dir));
        rc = profiles_load(text_str(&apps), &u->profiles, why);
    }
    if (rc == 0)
        rc = declare_apps(u, s, why);
    if (rc == 0)
        rc = load_key(u, s->key_file, why);
    if (rc)
        setup_fini(u);
    text_fini(&apps);
    return rc;
}

void setup_fini(struct setup *u)
{
    text_fini(&u->rules_dir);
    if (u->profiles)
        profiles_free(u->profiles);
    keyed_free(u->key);
    *u = (struct setup){0};
}
