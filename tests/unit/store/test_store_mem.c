/* SPDX-License-Identifier: Apache-2.0
 * Baselines in memory: the cap, the snapshot file and its refusals, names in keys and files. */
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/merge.h"
#include "store/snapshot.h"
#include "store/store_keys.h"

#define T0 1772400000u

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/casetap-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static const char *path_of(const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

static struct span slurp(const char *path, struct text *out)
{
    char block[4096];
    size_t n;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    text_clear(out);
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        text_add(out, span_of(block, n));
    fclose(f);
    return text_span(out);
}

static void spill(const char *path, struct span content)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(content.at, 1, content.size, f), content.size);
    assert_int_equal(fclose(f), 0);
}

static struct store *open_mem(const char *path, uint32_t max)
{
    struct store *s;
    struct text why = {0};
    int result = store_mem_open(&s, path, max, &why);
    if (result != E_OK)
        fail_msg("%s", text_str(&why));
    text_fini(&why);
    return s;
}

static void sync_mem(struct store *s)
{
    struct text why = {0};
    if (s->ops->sync(s, &why) != E_OK)
        fail_msg("%s", text_str(&why));
    text_fini(&why);
}

static uint64_t count_of(const struct store *s, const char *name)
{
    struct counters c = s->ops->counters(s);
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    fail_msg("no counter %s", name);
    return 0;
}

/* One act of a credential; a number stands for all that differs between acts. */
static bool act(struct store *s, const char *name, uint32_t n)
{
    bool is_new;
    struct baseline *b = s->ops->fetch(s, span_text(name), &is_new);
    uint8_t bytes[4] = {203, 0, (uint8_t)(n % 5), 1};
    struct ipaddr ip = ipaddr_from4(bytes);
    struct place place = place_of(&ip, n % 2 ? "GB" : "DE", n);
    if (is_new)
        b->first_ns = (uint64_t)(T0 + n) * 1000000000;
    b->last_ns = (uint64_t)(T0 + n) * 1000000000 + 123456789;
    b->acts++;
    b->hours[n % 24]++;
    moments_add(&b->files_day, n / 3.0);
    baseline_learn_place(b, &place, T0 + n);
    s->ops->put(s, b);
    return is_new;
}

static void dump(void *ctx, const struct baseline *b)
{
    text_add(ctx, span_of(b, sizeof *b));
}

static void caps_and_counts(void **state)
{
    (void)state;
    struct store *s = open_mem(NULL, 3);
    assert_true(act(s, "a", 1));
    assert_true(act(s, "b", 2));
    assert_true(act(s, "c", 3));
    assert_false(act(s, "a", 4));
    assert_true(act(s, "d", 5)); /* b goes: a was used later */
    assert_false(act(s, "a", 6));
    assert_false(act(s, "c", 6));
    assert_true(act(s, "b", 7));
    assert_int_equal(count_of(s, "store_fetches"), 8);
    assert_int_equal(count_of(s, "store_new"), 5);
    assert_int_equal(count_of(s, "store_evicted"), 2);
    sync_mem(s); /* no file: nothing to do */
    s->ops->free(s);
}

static void a_continued_run_equals_an_uninterrupted_one(void **state)
{
    (void)state;
    char whole_path[128], parts_path[128];
    struct text left = {0}, right = {0};
    for (int cut = 0; cut < 40; cut += 13) {
        struct store *whole = open_mem(path_of("whole", whole_path), 7);
        struct store *parts = open_mem(path_of("parts", parts_path), 7);
        for (int i = 0; i < 40; i++) {
            static const char *const names[] = {"ann", "bob", "sess\xc3\xb8n {1}", "%", "", "e\tf\n", "g", "h", "i"};
            const char *name = names[(i * 5 + i / 4) % 9];
            if (i == cut) {
                sync_mem(parts);
                parts->ops->free(parts);
                parts = open_mem(parts_path, 7);
            }
            assert_int_equal(act(whole, name, (uint32_t)i), act(parts, name, (uint32_t)i));
        }
        text_clear(&left);
        text_clear(&right);
        store_mem_each(whole, dump, &left);
        store_mem_each(parts, dump, &right);
        assert_int_equal(left.size, 7 * sizeof(struct baseline));
        assert_true(span_eq(text_span(&left), text_span(&right)));
        sync_mem(whole);
        sync_mem(parts);
        assert_true(span_eq(slurp(whole_path, &left), slurp(parts_path, &right)));
        whole->ops->free(whole);
        parts->ops->free(parts);
        unlink(whole_path);
        unlink(parts_path);
    }
    text_fini(&left);
    text_fini(&right);
}

static void is_readable_and_private(void **state)
{
    (void)state;
    char path[128];
    struct stat info;
    struct text content = {0};
    struct store *s = open_mem(path_of("readable", path), 10);
    act(s, "fatima zahra", 1);
    sync_mem(s);
    s->ops->free(s);
    slurp(path, &content);
    struct span head = SPAN("casetap-state 1\nsection baselines\n  credential fatima%20zahra\n");
    assert_true(span_starts(text_span(&content), head));
    assert_non_null(strstr(text_str(&content), "  place:0 GB AS1 203.0.1.0/24 quarantined"));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    text_fini(&content);
}

static void refuse(const char *path, int code, const char *says)
{
    struct store *s = NULL;
    struct text why = {0};
    assert_int_equal(store_mem_open(&s, path, 10, &why), code);
    assert_null(s);
    if (!strstr(text_str(&why), says))
        fail_msg("\"%s\" does not say \"%s\"", text_str(&why), says);
    assert_null(strchr(text_str(&why), '\n'));
    text_fini(&why);
}

static void refuses_every_cut_and_every_flip(void **state)
{
    (void)state;
    char path[128], bad[128];
    struct text content = {0};
    struct store *s = open_mem(path_of("good", path), 10);
    act(s, "ann", 1);
    act(s, "bob", 2);
    sync_mem(s);
    s->ops->free(s);
    struct span whole = slurp(path, &content);
    path_of("bad", bad);
    for (size_t size = 0; size < whole.size; size++) {
        spill(bad, span_sub(whole, 0, size));
        refuse(bad, E_BAD, bad);
    }
    for (size_t i = 0; i < whole.size; i++) {
        content.at[i] ^= 4;
        spill(bad, whole);
        refuse(bad, E_BAD, bad);
        content.at[i] ^= 4;
    }
    text_fini(&content);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *content, *says;
    } rows[] = {
        {"", "bad:1: the file is empty"},
        {"\n", "bad:1: not a casetap state file"},
        {"{\"a\": 1}\n", "bad:1: not a casetap state file"},
        {"casetap-state 2\n", "bad:1: state of version 2; this casetap knows version 1"},
        {"casetap-state 1\n", "bad:2: the end is missing"},
        {"casetap-state 1\nsection baselines", "bad:2: the file ends in the middle of a line"},
        {"casetap-state 1\n  credential a\n", "bad:2: expected a section"},
        {"casetap-state 1\nsection \n", "bad:2: a section has a name"},
        {"casetap-state 1\nsection baselines\ncredential a\n", "bad:3: expected a section, a line indented"},
        {"casetap-state 1\nsection baselines\n  kind person\n", "bad:3: expected a credential first"},
        {"casetap-state 1\nsection baselines\n  credential a{\n  kind person\n  nothing 1\n",
         "bad:5: unknown field \"nothing\""},
        {"casetap-state 1\nsection baselines\n  credential a\n  kind alien\n", "bad:4: bad value of field \"kind\""},
        {"casetap-state 1\nsection baselines\n  credential a\n  kind\n", "bad:4: expected a field"},
        {"casetap-state 1\nsection baselines\n  credential a%4\n", "bad:3: not a credential's name"},
        {"casetap-state 1\nsection baselines\n  credential a\n  credential a\n",
         "bad:4: the credential is there twice"},
        {"casetap-state 1\nsection baselines\nend 2 0000000000000000\n", "bad:3: the check sum does not fit"},
    };
    char path[128];
    path_of("bad", path);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        spill(path, span_text(rows[i].content));
        refuse(path, E_BAD, rows[i].says);
    }
    spill(path, SPAN("casetap-state 1\nsec\0ion\n"));
    refuse(path, E_BAD, "bad:2: the line is too long or holds a NUL");
    refuse("/dev/null", E_IO, "/dev/null: cannot be a state file");
    refuse(folder, E_IO, "no regular file");
    refuse("/nowhere/at/all", E_IO, "/nowhere/at/all: cannot be written there: No such file or directory");
}

static void refuses_more_than_the_limit(void **state)
{
    (void)state;
    char path[128], name[16];
    struct store *s = open_mem(path_of("many", path), 20);
    for (uint32_t i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "user%u", i);
        act(s, name, i);
    }
    sync_mem(s);
    s->ops->free(s);
    refuse(path, E_BAD, "holds more credentials than the limit of 10");
}

static void a_failed_save_leaves_the_old_file(void **state)
{
    (void)state;
    char path[128], beside[128];
    struct text why = {0}, before = {0}, after = {0};
    struct store *s = open_mem(path_of("kept", path), 10);
    act(s, "ann", 1);
    sync_mem(s);
    slurp(path, &before);
    act(s, "ann", 2);
    assert_int_equal(mkdir(path_of("kept.new", beside), 0700), 0);
    assert_int_equal(s->ops->sync(s, &why), E_IO);
    assert_non_null(strstr(text_str(&why), "kept: cannot write: Is a directory"));
    assert_true(span_eq(text_span(&before), slurp(path, &after)));
    rmdir(beside);
    sync_mem(s);
    assert_false(span_eq(text_span(&before), slurp(path, &after)));
    assert_int_equal(access(beside, F_OK), -1);
    assert_int_equal(count_of(s, "store_saves"), 2);
    s->ops->free(s);
    text_fini(&why);
    text_fini(&before);
    text_fini(&after);
}

struct notes {
    char lines[4][64];
    int n, refuse_at;
};

static void notes_save(void *ctx, void (*line)(void *line_ctx, const char *text), void *line_ctx)
{
    struct notes *notes = ctx;
    for (int i = 0; i < notes->n; i++)
        line(line_ctx, notes->lines[i]);
}

static int notes_load(void *ctx, const char *line)
{
    struct notes *notes = ctx;
    if (notes->n == notes->refuse_at)
        return E_BAD;
    snprintf(notes->lines[notes->n++], sizeof notes->lines[0], "%s", line);
    return E_OK;
}

static void keeps_sections_of_others(void **state)
{
    (void)state;
    char path[128];
    struct text why = {0}, content = {0};
    struct notes saved = {.lines = {"cookie 1 -> ann", "  indented\tline", ""}, .n = 3, .refuse_at = -1};
    struct notes loaded = {.refuse_at = -1}, picky = {.refuse_at = 1};
    struct store_section section = {"sessions", notes_save, notes_load, &saved};
    struct store *s = open_mem(path_of("sections", path), 10);
    assert_int_equal(store_mem_section(s, &section, &why), E_OK);
    act(s, "ann", 1);
    sync_mem(s);
    s->ops->free(s);
    s = open_mem(path, 10); /* nobody asks for it: kept */
    sync_mem(s);
    s->ops->free(s);
    s = open_mem(path, 10);
    section.ctx = &picky;
    assert_int_equal(store_mem_section(s, &section, &why), E_BAD);
    assert_non_null(strstr(text_str(&why), "bad line in section \"sessions\""));
    slurp(path, &content);
    unsigned line = 0;
    const char *colon = strrchr(path, '/');
    assert_int_equal(sscanf(strstr(text_str(&why), colon) + strlen(colon), ":%u:", &line), 1);
    const char *at = text_str(&content);
    while (--line)
        at = strchr(at, '\n') + 1;
    assert_true(strncmp(at, "    indented", 12) == 0); /* the second line, as it was refused */
    section.ctx = &loaded;
    assert_int_equal(store_mem_section(s, &section, &why), E_OK);
    assert_int_equal(loaded.n, 3);
    for (int i = 0; i < 3; i++)
        assert_string_equal(loaded.lines[i], saved.lines[i]);
    s->ops->free(s);
    text_fini(&why);
    text_fini(&content);
}

static void escapes_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *escaped;
    } rows[] = {
        {"ann", "ann"},
        {"ann@example.org", "ann@example.org"},
        {"session:0af3", "session:0af3"},
        {"a b", "a%20b"},
        {"50%", "50%25"},
        {"{x}", "%7Bx%7D"},
        {"*?[a]\\\"'", "%2A%3F%5Ba%5D%5C%22%27"},
        {"J\xc3\xb8rn", "J%C3%B8rn"},
        {"\x7f\x01", "%7F%01"},
        {"", ""},
    };
    struct text out = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct store_name name;
        text_clear(&out);
        store_escape(&out, span_text(rows[i].name));
        assert_string_equal(text_str(&out), rows[i].escaped);
        assert_true(store_unescape(text_span(&out), &name));
        assert_string_equal(name.at, rows[i].name);
    }
    static const char *const bad[] = {"%", "%4", "%4g", "%g4", "%00", "a%2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(store_unescape(span_text(bad[i]), &(struct store_name){{0}}));
    char longest[BASELINE_NAME_MAX + 1];
    memset(longest, 'x', sizeof longest);
    assert_true(store_unescape(span_of(longest, BASELINE_NAME_MAX - 1), &(struct store_name){{0}}));
    assert_false(store_unescape(span_of(longest, BASELINE_NAME_MAX), &(struct store_name){{0}}));
    struct store_name cut = store_name_of(span_of(longest, sizeof longest));
    assert_int_equal(store_name_span(&cut).size, BASELINE_NAME_MAX - 1);
    store_key_baseline(&out, "casetap", SPAN("a{b}"));
    assert_string_equal(text_str(&out), "casetap:{a%7Bb%7D}:baseline");
    store_key_corrupt(&out, "x", SPAN("a"));
    assert_string_equal(text_str(&out), "x:{a}:baseline.corrupt");
    store_key_schema(&out, "x");
    assert_string_equal(text_str(&out), "x:schema");
    assert_true(store_prefix_is_good("desk-1.casetap:x_Y"));
    assert_false(store_prefix_is_good(""));
    assert_false(store_prefix_is_good("a{b"));
    assert_false(store_prefix_is_good("a b"));
    text_fini(&out);
}

static void put_text(void *ctx, const char *field, const char *value)
{
    text_addf(ctx, "%s %s\n", field, value);
}

/* Every field set; fails when there is one that is not. */
static struct baseline full_baseline(void)
{
    struct baseline b;
    struct moments m = {3, 4, 5};
    baseline_init(&b, SPAN("full"));
    b.first_ns = T0 * 1000000000ull + 1, b.last_ns = b.first_ns + 77000000001ull;
    b.sessions = 1, b.acts = 2, b.files = 3, b.active_days = 4, b.alert_s = T0 + 5, b.flags = 5, b.actions = 6;
    b.day = T0 / 86400;
    memset(b.routes, 0x11, sizeof b.routes);
    memset(b.customers, 0x22, sizeof b.customers);
    memset(b.hours, 9, sizeof b.hours);
    memset(b.weekdays, 8, sizeof b.weekdays);
    memset(b.first_customers, 7, sizeof b.first_customers);
    b.files_day = b.cases_day = b.customers_day = b.bytes_day = b.files_window = b.cases_window = m;
    b.org = 7, b.unseen = b.strange = (struct ratio){40, 3};
    b.slow_cases = 2.5f;
    b.today_bytes = UINT64_MAX - 1, b.today_files = 1, b.today_cases = 2, b.today_customers = 3, b.today_alerted = 1;
    b.window = T0 / 600, b.window_files = 4, b.window_cases = 2;
    for (size_t at = offsetof(struct baseline, first_ns); at + 4 <= sizeof b; at += 4) {
        uint32_t word;
        memcpy(&word, (const char *)&b + at, sizeof word);
        bool is_list = at >= offsetof(struct baseline, places) && at < offsetof(struct baseline, hours);
        bool is_padding = at > offsetof(struct baseline, slow_cases) && at < offsetof(struct baseline, today_bytes);
        is_padding = is_padding || at == offsetof(struct baseline, first_customers) + sizeof b.first_customers;
        if (word == 0 && !is_list && !is_padding)
            fail_msg("nothing at offset %zu of a baseline: a new field? set it here, and merge it in merge.c", at);
    }
    for (uint8_t i = 0; i < BASELINE_PLACES; i++) {
        struct ipaddr ip = ipaddr_from4((uint8_t[]){10, 0, i, 1});
        struct place place = place_of(&ip, "GB", i);
        *baseline_learn_place(&b, &place, T0 + i) = (struct place){
            .prefix = {10, 0, i}, .asn = i, .country = "GB", .weight = i + 1.5f, .first_s = T0, .last_s = T0 + i,
            .days = i + 1u,
            .trust = (uint8_t)(i % 3 + 1)};
    }
    for (uint8_t i = 0; i < BASELINE_CLIENTS; i++)
        *baseline_learn_client(&b, &(struct client){.family = i, .agent = i}, T0) = (struct client){
            .name = "Firefox", .family = i, .major = i, .agent = i, .weight = i + 1.5f, .first_s = T0, .last_s = T0 + i,
            .days = i + 1u, .trust = (uint8_t)(i % 3 + 1)};
    return b;
}

static void forgets_no_field_in_merging(void **state)
{
    (void)state;
    struct text before = {0}, after = {0};
    struct baseline full = full_baseline(), empty;
    baseline_init(&empty, SPAN("full"));
    baseline_write(&full, put_text, &before);
    baseline_merge(&empty, &full);
    baseline_write(&empty, put_text, &after);
    assert_string_equal(text_str(&after), text_str(&before));
    baseline_init(&empty, SPAN("full"));
    baseline_merge(&full, &empty);
    text_clear(&after);
    baseline_write(&full, put_text, &after);
    assert_string_equal(text_str(&after), text_str(&before));
    text_fini(&before);
    text_fini(&after);
}

/* Learning in two places and merging gives what learning in one gives, as far as it is exact. */
static void merges(void **state)
{
    (void)state;
    struct store *s = open_mem(NULL, 10);
    bool is_new;
    for (uint32_t i = 0; i < 20; i++) {
        act(s, "all", i);
        act(s, i < 12 ? "early" : "late", i);
    }
    struct baseline all = *s->ops->fetch(s, SPAN("all"), &is_new);
    struct baseline both = *s->ops->fetch(s, SPAN("early"), &is_new);
    struct baseline late = *s->ops->fetch(s, SPAN("late"), &is_new);
    both.places[0].trust = TRUST_USUAL;
    baseline_merge(&both, &late);
    assert_int_equal(both.acts, 20);
    assert_int_equal(both.first_ns, all.first_ns);
    assert_int_equal(both.last_ns, all.last_ns);
    assert_memory_equal(both.hours, all.hours, sizeof all.hours);
    assert_int_equal(both.places[0].trust, TRUST_USUAL);
    for (int i = 0; i < BASELINE_PLACES; i++) {
        struct place *place = &all.places[i];
        if (place->trust == TRUST_NONE)
            continue;
        struct place *merged = baseline_place(&both, place);
        assert_non_null(merged);
        assert_true(merged->weight > place->weight - 0.01f && merged->weight < place->weight + 0.01f);
        assert_int_equal(merged->last_s, place->last_s);
        assert_int_equal(merged->first_s, place->first_s);
    }
    both.hours[13] = 255;
    both.hours[4] = 100;
    baseline_merge(&both, &late);
    assert_in_range(both.hours[13], 120, 255);
    assert_in_range(both.hours[4], 48, 51); /* halved with it */
    struct baseline empty;
    baseline_init(&empty, SPAN("late"));
    baseline_merge(&empty, &late);
    assert_int_equal(empty.acts, late.acts);
    assert_int_equal(empty.first_ns, late.first_ns);
    s->ops->free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caps_and_counts),
        cmocka_unit_test(a_continued_run_equals_an_uninterrupted_one),
        cmocka_unit_test(is_readable_and_private),
        cmocka_unit_test(refuses_every_cut_and_every_flip),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(refuses_more_than_the_limit),
        cmocka_unit_test(a_failed_save_leaves_the_old_file),
        cmocka_unit_test(keeps_sections_of_others),
        cmocka_unit_test(escapes_names),
        cmocka_unit_test(forgets_no_field_in_merging),
        cmocka_unit_test(merges),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
