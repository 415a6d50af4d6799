/* SPDX-License-Identifier: Apache-2.0
 * The configuration file: the settings by their names, sinks, other files, and values from elsewhere. */
#include "run/settings.h"

#include "base/err.h"
#include "base/yaml.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define INCLUDES_MAX 8u     /* one in the other */
#define NAMES_MAX 96u
#define SECRET_MAX 1024u

static int read_file(const struct yaml_node *at, const char *path, struct text *out, struct text *why)
{
    struct stat st;
    char line[SECRET_MAX] = "";
    FILE *f = fopen(path, "re");
    if (!f || fstat(fileno(f), &st) != 0) {
        int rc = yaml_fail(at, why, "%s: %s", path, strerror(errno));
        if (f)
            fclose(f);
        return rc;
    }
    size_t size = fread(line, 1, sizeof line - 1, f);
    fclose(f);
    line[size] = 0;
    int rc = st.st_mode & 077 ? yaml_fail(at, why, "%s: others may read the secret; chmod 600", path) : 0;
    line[strcspn(line, "\r\n")] = 0;
    if (rc == 0 && !line[0])
        rc = yaml_fail(at, why, "%s: the first line is empty", path);
    if (rc == 0)
        text_add_str(out, line);
    explicit_bzero(line, sizeof line);
    return rc;
}

/* "$${" stands for "${". */
static int expand(const struct yaml_node *at, struct text *out, struct text *why)
{
    const char *from = at->scalar, *mark, *end;
    int rc = 0;
    while (rc == 0 && (mark = strstr(from, "${"))) {
        bool is_literal = mark > from && mark[-1] == '$';
        text_add(out, span_of(from, (size_t)(mark - from - is_literal)));
        if (is_literal) {
            text_add_str(out, "${");
            from = mark + 2;
            continue;
        }
        char name[512];
        if (!(end = strchr(mark, '}')) || end - mark - 2 >= (int)sizeof name)
            return yaml_fail(at, why, "'${' without its '}'; a plain one is written '$${'");
        snprintf(name, sizeof name, "%.*s", (int)(end - mark - 2), mark + 2);
        const char *value = getenv(name);
        if (strncmp(name, "file:", 5) == 0)
            rc = read_file(at, name + 5, out, why);
        else if (value)
            text_add_str(out, value);
        else
            rc = yaml_fail(at, why, "the environment has no %s; expected ${NAME} or ${file:PATH}", name);
        from = end + 1;
    }
    text_add_str(out, from);
    return rc;
}

static int load_sinks(struct settings *s, const struct yaml_node *n, struct text *why)
{
    int rc = n->kind == YAML_LIST ? settings_make_sinks(s) : yaml_fail(n, why, "expected a list of sinks");
    for (const struct yaml_node *v = n->child; v && rc == 0; v = v->next)
        rc = sink_config_yaml(s->sinks, v, why);
    return rc;
}

static int load_value(struct settings *s, const struct yaml_node *n, const char *key, struct text *why)
{
    struct text value = {0}, detail = {0};
    int rc = n->kind == YAML_SCALAR ? expand(n, &value, why) : yaml_fail(n, why, "expected one value");
    if (rc == 0 && (rc = settings_set(s, key, text_str(&value), &detail)))
        rc = yaml_fail(n, why, "%s", detail.size ? text_str(&detail) : err_text(rc));
    if (value.at)
        explicit_bzero(value.at, value.size);
    text_fini(&value);
    text_fini(&detail);
    return rc;
}

static int load_item(struct settings *s, const struct yaml_node *n, struct text *why)
{
    if (strcmp(n->key, "sinks") == 0)
        return load_sinks(s, n, why);
    const struct setting *item = settings_table();
    while (item->name && strcmp(item->name, n->key) != 0)
        item++;
    bool is_list = item->name && setting_is_list(item);
    if (n->kind == YAML_MAP || (n->kind == YAML_LIST && !is_list))
        return yaml_fail(n, why, "expected %s", is_list ? "a list of values" : "one value");
    int rc = n->kind == YAML_SCALAR ? load_value(s, n, n->key, why) : 0;
    for (const struct yaml_node *v = n->kind == YAML_LIST ? n->child : NULL; v && rc == 0; v = v->next)
        rc = load_value(s, v, n->key, why);
    return rc;
}

static int load_file(struct settings *s, const char *path, unsigned depth, struct text *why);

/* One file, or those a pattern fits, relative to the file that asks for them. */
static int include_one(struct settings *s, const struct yaml_node *n, unsigned depth, struct text *why)
{
    struct text path = {0};
    glob_t found;
    if (n->kind != YAML_SCALAR)
        return yaml_fail(n, why, "expected the name of a file");
    const char *slash = strrchr(n->file, '/');
    if (n->scalar[0] != '/' && slash)
        text_addf(&path, "%.*s/", (int)(slash - n->file), n->file);
    text_add_str(&path, n->scalar);
    int rc = 0;
    bool is_pattern = strpbrk(n->scalar, "*?[") != NULL;
    int globbed = glob(text_str(&path), 0, NULL, &found);
    if (globbed == GLOB_NOMATCH && !is_pattern)
        rc = yaml_fail(n, why, "%s: %s", text_str(&path), strerror(ENOENT));
    for (size_t i = 0; globbed == 0 && i < found.gl_pathc && rc == 0; i++)
        rc = load_file(s, found.gl_pathv[i], depth + 1, why);
    if (globbed == 0)
        globfree(&found);
    text_fini(&path);
    return rc;
}

static int include(struct settings *s, const struct yaml_node *n, unsigned depth, struct text *why)
{
    if (depth == INCLUDES_MAX)
        return yaml_fail(n, why, "more than %u files that include each other", INCLUDES_MAX);
    int rc = n->kind == YAML_LIST ? 0 : include_one(s, n, depth, why);
    for (const struct yaml_node *v = n->kind == YAML_LIST ? n->child : NULL; v && rc == 0; v = v->next)
        rc = include_one(s, v, depth, why);
    return rc;
}

static int load_file(struct settings *s, const char *path, unsigned depth, struct text *why)
{
    struct yaml *y;
    int rc = yaml_load(path, &y, why);
    if (rc == 0)
        rc = strings_add(&s->read, path);
    if (rc)
        return rc;
    const char *names[NAMES_MAX + 1] = {"sinks", "include"};
    const struct setting *item = settings_table();
    for (size_t i = 2; item->name && i < NAMES_MAX; i++, item++)
        names[i] = item->name;
    const struct yaml_node *root = yaml_root(y);
    bool is_empty = root->kind == YAML_SCALAR && !root->scalar_size; /* a file of comments alone */
    rc = is_empty ? 0 : yaml_check_keys(root, names, why);
    for (const struct yaml_node *n = rc || is_empty ? NULL : root->child; n && rc == 0; n = n->next)
        rc = strcmp(n->key, "include") == 0 ? include(s, n, depth, why) : load_item(s, n, why);
    yaml_close(y);
    return rc;
}

int settings_load(struct settings *s, const char *path, struct text *why)
{
    return load_file(s, path, 0, why);
}
