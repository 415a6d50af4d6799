/* SPDX-License-Identifier: Apache-2.0
 * Baselines in a capped map, and their snapshot file. The file lists credentials from the least to the most recently
 * used, so that a loaded store goes on exactly as the saved one would have. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/map.h"
#include "store/snapshot.h"
#include "store/store.h"
#include "store/store_keys.h"

#define MAP_SEED 0x63617365746170ULL
#define BASELINES "baselines"
#define CREDENTIAL "credential "
#define MAX_SECTIONS 8
#define SECTION_TEXT_MAX ((size_t)1 << 30)

struct mem_counts {
    uint64_t fetches, news, evictions, saves;
};

static const struct counter_def mem_defs[] = {
    {"store_fetches", "fetches", "Baselines asked for."},
    {"store_new", "credentials", "Seen for the first time."},
    {"store_evicted", "credentials", "Known credentials that were forgotten because the cap was hit: raise it."},
    {"store_saves", "files", "Snapshot files written."},
};
_Static_assert(sizeof(struct mem_counts) / sizeof(uint64_t) == sizeof mem_defs / sizeof mem_defs[0], "one each");

/* A section of the state file that is not ours: its owner, or its lines as long as nobody has claimed it. */
struct part {
    struct store_section owner; /* owner.name NULL while unclaimed */
    struct text name;
    struct text lines; /* of the file, each with its newline; unclaimed only */
    uint32_t first_line;
};

struct store_mem {
    struct store store;
    struct map *map; /* struct store_name to struct baseline */
    char *path;      /* NULL = no file */
    struct part parts[MAX_SECTIONS];
    unsigned n_parts;
    struct baseline *loading; /* while the file is read */
    struct mem_counts counts;
};

static struct store_mem *mem_of(struct store *s)
{
    return (struct store_mem *)s;
}

static struct baseline *mem_fetch(struct store *s, struct span credential, bool *is_new)
{
    struct store_mem *m = mem_of(s);
    struct store_name name = store_name_of(credential);
    struct baseline *b = map_touch(m->map, &name, is_new);
    m->counts.fetches++;
    if (*is_new) {
        baseline_init(b, store_name_span(&name));
        m->counts.news++;
        m->counts.evictions = map_evicted(m->map);
    }
    return b;
}

static void mem_put(struct store *s, struct baseline *b)
{
    (void)s; /* it was changed in place */
    (void)b;
}

static void mem_tick(struct store *s, uint64_t now_ns)
{
    (void)s;
    (void)now_ns;
}

static struct counters mem_counters(const struct store *s)
{
    const struct store_mem *m = (const struct store_mem *)s;
    return (struct counters){mem_defs, (const uint64_t *)&m->counts, sizeof mem_defs / sizeof mem_defs[0]};
}

static void mem_free(struct store *s)
{
    struct store_mem *m = mem_of(s);
    for (unsigned i = 0; i < m->n_parts; i++) {
        text_fini(&m->parts[i].name);
        text_fini(&m->parts[i].lines);
    }
    map_free(m->map);
    free(m->path);
    free(m);
}

static void save_line(void *ctx, const char *text)
{
    snapshot_line(ctx, text);
}

static void save_field(void *ctx, const char *field, const char *value)
{
    char line[2 + BASELINE_FIELD_MAX + BASELINE_VALUE_MAX];
    size_t field_size = strnlen(field, BASELINE_FIELD_MAX);
    size_t value_size = strnlen(value, BASELINE_VALUE_MAX);
    ASSERT(field_size < BASELINE_FIELD_MAX && value_size < BASELINE_VALUE_MAX);
    memcpy(line, field, field_size);
    line[field_size] = ' ';
    memcpy(line + field_size + 1, value, value_size + 1);
    snapshot_line(ctx, line);
}

static void save_baselines(struct store_mem *m, struct snapshot *file)
{
    struct text line = {0};
    uint32_t at = UINT32_MAX;
    const void *key;
    void *value;
    snapshot_section(file, BASELINES);
    while (map_walk(m->map, &at, &key, &value)) {
        text_clear(&line);
        text_add_str(&line, CREDENTIAL);
        store_escape(&line, store_name_span(key));
        snapshot_line(file, text_str(&line));
        baseline_write(value, save_field, file);
    }
    text_fini(&line);
}

static void save_part(const struct part *part, struct snapshot *file)
{
    struct span rest = text_span(&part->lines);
    struct span line;
    snapshot_section(file, text_str(&part->name));
    if (part->owner.save) {
        part->owner.save(part->owner.ctx, save_line, file);
        return;
    }
    while (span_split(&rest, '\n', &line) && rest.at) {
        char text[SNAPSHOT_LINE_MAX];
        memcpy(text, line.at, line.size);
        text[line.size] = 0;
        snapshot_line(file, text);
    }
}

static int mem_sync(struct store *s, struct text *why)
{
    struct store_mem *m = mem_of(s);
    struct snapshot *file;
    if (!m->path)
        return E_OK;
    int result = snapshot_new(m->path, &file, why);
    if (result != E_OK)
        return result;
    save_baselines(m, file);
    for (unsigned i = 0; i < m->n_parts; i++)
        save_part(&m->parts[i], file);
    result = snapshot_commit(file, why);
    m->counts.saves += result == E_OK;
    return result;
}

/* One line of the section "baselines": "credential NAME", or "field value" of the one before. */
static int load_baseline_line(struct store_mem *m, const char *line, struct text *why)
{
    struct store_name name;
    bool is_new;
    if (strncmp(line, CREDENTIAL, sizeof CREDENTIAL - 1) == 0) {
        if (!store_unescape(span_text(line + sizeof CREDENTIAL - 1), &name)) {
            text_add_str(why, "not a credential's name");
            return E_BAD;
        }
        m->loading = map_touch(m->map, &name, &is_new);
        if (!is_new) {
            text_add_str(why, "the credential is there twice");
            return E_BAD;
        }
        baseline_init(m->loading, store_name_span(&name));
        return E_OK;
    }
    const char *blank = strchr(line, ' ');
    char field[BASELINE_FIELD_MAX];
    if (!m->loading || !blank || (size_t)(blank - line) >= sizeof field) {
        text_add_str(why, m->loading ? "expected a field, a blank and its value" : "expected a credential first");
        return E_BAD;
    }
    memcpy(field, line, (size_t)(blank - line));
    field[blank - line] = 0;
    int result = baseline_read(m->loading, field, blank + 1);
    if (result == E_NONE)
        text_addf(why, "unknown field \"%s\"", field);
    else if (result != E_OK)
        text_addf(why, "bad value of field \"%s\"", field);
    return result == E_OK ? E_OK : E_BAD;
}

static struct part *part_find(struct store_mem *m, const char *name)
{
    for (unsigned i = 0; i < m->n_parts; i++)
        if (span_eq(text_span(&m->parts[i].name), span_text(name)))
            return &m->parts[i];
    return NULL;
}

/* NULL when there are too many. */
static struct part *part_add(struct store_mem *m, const char *name)
{
    if (m->n_parts == MAX_SECTIONS)
        return NULL;
    struct part *part = &m->parts[m->n_parts++];
    text_add_str(&part->name, name);
    part->lines.max = SECTION_TEXT_MAX;
    return part;
}

static int load_line(void *ctx, const char *section, const char *line, uint32_t number, struct text *why)
{
    struct store_mem *m = ctx;
    if (strcmp(section, BASELINES) == 0)
        return load_baseline_line(m, line, why);
    struct part *part = part_find(m, section);
    if (!part) {
        part = part_add(m, section);
        if (!part) {
            text_addf(why, "more than %d sections", MAX_SECTIONS);
            return E_BAD;
        }
        part->first_line = number;
    }
    text_add_str(&part->lines, line);
    text_add_char(&part->lines, '\n');
    if (part->lines.is_cut) {
        text_add_str(why, "the section is too large");
        return E_BAD;
    }
    return E_OK;
}

int store_mem_section(struct store *s, const struct store_section *section, struct text *why)
{
    struct store_mem *m = mem_of(s);
    struct part *part = part_find(m, section->name);
    if (!part)
        part = part_add(m, section->name);
    if (!part) {
        text_addf(why, "more than %d sections in a state file", MAX_SECTIONS);
        return E_LIMIT;
    }
    struct span rest = text_span(&part->lines);
    struct span line;
    uint32_t number = part->first_line;
    int result = E_OK;
    while (result == E_OK && span_split(&rest, '\n', &line) && rest.at) {
        char text[SNAPSHOT_LINE_MAX];
        memcpy(text, line.at, line.size);
        text[line.size] = 0;
        if (section->load(section->ctx, text) != E_OK) {
            text_addf(why, "%s:%u: bad line in section \"%s\"", m->path, number, section->name);
            result = E_BAD;
        }
        number++;
    }
    if (result == E_OK) {
        part->owner = *section;
        text_fini(&part->lines);
    }
    return result;
}

static int by_name(const void *left, const void *right)
{
    const struct baseline *const *a = left;
    const struct baseline *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

void store_mem_each(struct store *s, store_each_fn *fn, void *ctx)
{
    struct store_mem *m = mem_of(s);
    uint32_t n = 0;
    uint32_t at = UINT32_MAX;
    const void *key;
    void *value;
    const struct baseline **list = calloc((size_t)map_size(m->map) + 1, sizeof *list);
    if (!list)
        return;
    while (map_walk(m->map, &at, &key, &value))
        list[n++] = value;
    qsort(list, n, sizeof *list, by_name);
    for (uint32_t i = 0; i < n; i++)
        fn(ctx, list[i]);
    free(list);
}

static const struct store_ops mem_ops = {mem_fetch, mem_put, mem_tick, mem_sync, mem_counters, mem_free};

static int mem_load(struct store_mem *m, struct text *why)
{
    int result = snapshot_check_path(m->path, why);
    if (result != E_OK)
        return result;
    result = snapshot_load(m->path, load_line, m, why);
    m->loading = NULL;
    if (result == E_OK && map_evicted(m->map)) {
        text_addf(why, "%s: holds more credentials than the limit of %u", m->path, map_size(m->map));
        return E_BAD;
    }
    return result == E_NONE ? E_OK : result;
}

int store_mem_open(struct store **out, const char *path, uint32_t max_credentials, struct text *why)
{
    *out = NULL;
    struct store_mem *m = calloc(1, sizeof *m);
    if (m) {
        m->store.ops = &mem_ops;
        m->map = map_new(sizeof(struct store_name), sizeof(struct baseline), max_credentials, MAP_SEED);
        m->path = path ? strdup(path) : NULL;
    }
    if (!m || !m->map || (path && !m->path)) {
        text_add_str(why, "out of memory for baselines");
        if (m)
            mem_free(&m->store);
        return E_NOMEM;
    }
    int result = path ? mem_load(m, why) : E_OK;
    if (result != E_OK) {
        mem_free(&m->store);
        return result;
    }
    *out = &m->store;
    return E_OK;
}
