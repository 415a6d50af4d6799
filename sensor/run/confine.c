/* SPDX-License-Identifier: Apache-2.0
 * From settings to paths. A setting that names a file lets its directory be read, for files are replaced by renaming; what
 * is written is named here. */
#include "run/confine.h"

#include "base/err.h"
#include "base/sanitized.h"
#include "guard/guard.h"
#include "run/out_dir.h"
#include "run/rules_dir.h"

#include <string.h>

enum use { USE_NONE, USE_DIR, USE_FILE, USE_EITHER };

/* What its argument says a setting is. */
static enum use use_of(const struct setting *item)
{
    static const struct {
        const char *word;
        enum use use;
    } words[] = {{"DIR", USE_DIR}, {"FILE", USE_FILE}, {"PLACE", USE_EITHER}};
    for (size_t i = 0; item->argument && i < sizeof words / sizeof words[0]; i++)
        if (strstr(item->argument, words[i].word))
            return words[i].use;
    return USE_NONE;
}

static bool is_written(const struct setting *item)
{
    static const char *const names[] = {"out", "log", "state", "counters", "feedback", "keylog"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(item->name, names[i]) == 0)
            return true;
    return false;
}

static int add_value(struct guard_paths *p, const struct setting *item, const char *value)
{
    const char *equals = strchr(item->argument, '=') ? strchr(value, '=') : NULL;
    enum use use = use_of(item);
    bool is_socket = strncmp(value, "unix:", 5) == 0;
    const char *path = equals ? equals + 1 : is_socket ? value + 5 : value;
    bool is_output = is_written(item) && (use != USE_EITHER || is_socket); /* of key logs a socket is made, others are read */
    if (use == USE_DIR)
        return guard_path_add(p, path, is_output);
    int rc = use == USE_EITHER && !is_socket ? guard_path_add(p, path, false) : 0; /* it may be a directory itself */
    return rc ? rc : guard_file_add(p, path, is_output);
}

static int add_item(struct guard_paths *p, const struct settings *s, const struct setting *item)
{
    const char *at = (const char *)s + item->at;
    if (use_of(item) == USE_NONE)
        return 0;
    if (item->kind == SETTING_TEXT) {
        const char *value = *(char *const *)(const void *)at;
        return value ? add_value(p, item, value) : 0;
    }
    const struct strings *list = (const void *)at;
    int rc = 0;
    for (size_t i = 0; item->kind == SETTING_TEXTS && rc == 0 && i < list->n; i++)
        rc = add_value(p, item, list->at[i]);
    return rc;
}

static int add_sinks(struct guard_paths *p, const struct sink_configs *sinks)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && sinks && i < sinks->n; i++) {
        const struct sink_config *c = &sinks->at[i];
        const char *const files[] = {c->ca, c->cert, c->key, strncmp(c->secret_at, "file:", 5) == 0 ? c->secret_at + 5 : ""};
        if (c->type == SINK_FILE)
            rc = guard_file_add(p, c->path, true);
        for (size_t k = 0; rc == 0 && k < sizeof files / sizeof files[0]; k++)
            rc = guard_file_add(p, files[k], false);
    }
    return rc;
}

static int add_all(struct guard_paths *p, const struct settings *s)
{
    struct text rules = {0}, why = {0};
    int rc = 0;
    for (const struct setting *item = settings_table(); rc == 0 && item->name; item++)
        rc = add_item(p, s, item);
    for (size_t i = 0; rc == 0 && i < s->read.n; i++)
        rc = guard_file_add(p, s->read.at[i], false);
    if (rc == 0)
        rc = add_sinks(p, s->sinks);
    if (rc == 0 && rules_dir_find(s->rules, &rules, &why) == 0) /* else the start fails by it, and says so */
        rc = guard_path_add(p, text_str(&rules), false);
    if (rc == 0)
        rc = guard_path_add(p, "node_modules", false); /* where geo databases are looked for */
    if (rc == 0 && s->role && !s->out)
        rc = guard_path_add(p, ".", true); /* where what goes between sensors and analysers is kept */
    text_fini(&rules);
    text_fini(&why);
    return rc;
}

static int make_dirs(const struct settings *s, struct text *why)
{
    int rc = s->out ? out_dir_make(s->out, why) : 0;
    return rc || !s->log ? rc : out_dir_make(s->log, why);
}

static int fence(const struct settings *s, struct text *parts, struct text *why)
{
    struct guard_paths paths = {0};
    int rc = add_all(&paths, s);
    if (rc)
        text_add_str(why, err_text(rc));
    if (rc == 0)
        rc = guard_files(&paths, parts, why);
    guard_paths_fini(&paths);
    return rc;
}

int confine(const struct settings *s, struct text *told, struct text *why)
{
    struct text parts = {0};
    int rc = s->no_sandbox ? 0 : guard_process(&parts, why);
    if (rc == 0 && !s->no_sandbox)
        rc = guard_user(s->user, &parts, why);
    rc = rc == E_NONE ? E_CONF : rc; /* no such user */
    if (rc == 0)
        rc = make_dirs(s, why); /* as who writes there; and the fence knows only what there is */
    if (rc == 0 && !s->no_sandbox)
        rc = fence(s, &parts, why);
    if (rc == 0 && !s->no_sandbox && !is_sanitized) /* the leak checker stops threads as a debugger does */
        rc = guard_calls(&parts, why);
    text_addf(told, "sandbox: %s", s->no_sandbox ? "none, as was asked for" : text_str(&parts));
    text_fini(&parts);
    return rc;
}
