/* SPDX-License-Identifier: Apache-2.0
 * The rule language: each type fires at its bound and not below it, each modifier and condition fits what it says, each
 * mistake is named with its place. Rules are written to a directory of one's own and run by the engine. */
#include "stage.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "detect/ruleset.h"

#define HEAD                                                                                                            \
    "title: T\nid: X1\nname: x\nstatus: test\nlevel: high\ncategory: own\ndescription: D\nfirst-step: F\n"

/* What happens: at a second of the first Monday somebody does something. */
struct deed {
    unsigned s;
    const char *who; /* NULL: nobody is known */
    enum action action;
    const char *file; /* also the object */
    unsigned status;
    unsigned bytes;
    const char *ip;
};

static void write_rule(char dir[32], const char *text)
{
    char path[64];
    snprintf(dir, 32, "/tmp/casetap-own-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/x.yaml", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void remove_rule(const char *dir)
{
    char path[64];
    snprintf(path, sizeof path, "%s/x.yaml", dir);
    remove(path);
    remove(dir);
}

static struct activity act_of(struct stage *s, const struct deed *d)
{
    const struct desk desk = {d->ip ? d->ip : "198.51.100.11", "GB", 2856, 3, 146, "Chrome"};
    struct activity a = stage_act(s, d->who ? d->who : "", &desk, d->action, 0, d->s / 3600.0);
    a.status = (uint16_t)(d->status ? d->status : 200);
    a.outcome = a.status < 400 ? OUTCOME_SUCCESS : OUTCOME_FAILURE;
    a.body_bytes = d->bytes;
    if (d->file) {
        activity_set(&a, STR_FILE, span_text(d->file));
        activity_set(&a, STR_OBJECT, span_text(d->file));
    }
    activity_seal(&a);
    return a;
}

static void play(struct stage *s, const struct deed *d)
{
    struct activity a = act_of(s, d);
    engine_activity(s->engine, &a);
}

static struct stage s; /* of the last run */

/* How many lines the rule told: it alone, without the engine around it. Packet time goes on in steps of step_s (0: with the acts
 * alone). */
static unsigned run_in_steps(const char *rule, const struct deed *deeds, unsigned n, unsigned step_s)
{
    char dir[32], shipped[64], path[96];
    struct text why = {0};
    struct detections *d = NULL;
    struct ruleset *r = NULL;
    snprintf(dir, sizeof dir, "/tmp/casetap-one-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(shipped, sizeof shipped, "%s/detections", dir);
    snprintf(path, sizeof path, "%s/x.yaml", shipped);
    assert_int_equal(mkdir(shipped, 0700), 0);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, HEAD "%s", rule);
    fclose(f);
    int rc = detections_load(dir, NULL, &d, &why);
    rc = rc ? rc : ruleset_new(d, dir, &r, &why);
    remove(path);
    rmdir(shipped);
    rmdir(dir);
    assert_string_equal(text_str(&why), "");
    assert_int_equal(rc, 0);
    memset(&s, 0, sizeof s);
    struct stories *stories = stories_new(64, stage_alert, &s);
    assert_non_null(stories);
    for (unsigned i = 0; i < n; i++) {
        struct activity a = act_of(&s, &deeds[i]);
        for (uint64_t at_ns = stage_time(0, 0); step_s && at_ns < a.done_ns; at_ns += step_s * NS_PER_S)
            ruleset_tick(r, at_ns, stories); /* time that is over is no news */
        ruleset_tick(r, a.done_ns, stories);
        ruleset_act(r, &(struct rule_view){&a, NULL, a.done_ns}, stories);
    }
    ruleset_tick(r, stage_time(40, 0), stories);
    stories_free(stories);
    ruleset_free(r);
    detections_free(d);
    text_fini(&why);
    return s.n;
}

static unsigned run(const char *rule, const struct deed *deeds, unsigned n)
{
    return run_in_steps(rule, deeds, n, 0);
}

#define DOWN ACTION_DOWNLOAD
#define VIEW ACTION_VIEW_CASE
#define SELECT "detection:\n  sel:\n    event.action: download\n"

static const struct row {
    const char *name, *rule;
    unsigned told, n;
    struct deed deeds[8];
} rows[] = {
    {"any", "type: any\n" SELECT, 1, 2, {{1, "a", VIEW, "f", 0, 0, 0}, {2, "a", DOWN, "f", 0, 0, 0}}},
    {"any, silent for its pause", "type: any\ngroup-by: user.name\n" SELECT, 2, 3,
     {{1, "a", DOWN, "f", 0, 0, 0}, {2, "a", DOWN, "g", 0, 0, 0}, {3, "b", DOWN, "f", 0, 0, 0}}},
    {"any, told again after it", "type: any\nrealert: 10s\n" SELECT, 2, 3,
     {{1, "a", DOWN, "f", 0, 0, 0}, {9, "a", DOWN, "g", 0, 0, 0}, {11, "a", DOWN, "h", 0, 0, 0}}},
    {"the pause doubles", "type: any\nrealert: 10s\nexponential-realert: 1h\n" SELECT, 3, 5,
     {{1, "a", DOWN, 0, 0, 0, 0}, {11, "a", DOWN, 0, 0, 0, 0}, {21, "a", DOWN, 0, 0, 0, 0}, {30, "a", DOWN, 0, 0, 0, 0},
      {31, "a", DOWN, 0, 0, 0, 0}}},
    {"blacklist", "type: blacklist\nfield: file.name\nlist: [bad.har, worse.har]\n" SELECT, 1, 2,
     {{1, "a", DOWN, "good.har", 0, 0, 0}, {2, "a", DOWN, "WORSE.har", 0, 0, 0}}},
    {"whitelist", "type: whitelist\nfield: file.name\nlist: [good.har]\n" SELECT, 1, 3,
     {{1, "a", DOWN, "good.har", 0, 0, 0}, {2, "a", DOWN, NULL, 0, 0, 0}, {3, "a", DOWN, "x", 0, 0, 0}}},
    {"whitelist, all of it", "type: whitelist\nfield: file.name\nlist: [good.har]\n" SELECT, 0, 1,
     {{1, "a", DOWN, "good.har", 0, 0, 0}}},
    {"change", "type: change\nfields: source.ip\ngroup-by: user.name\n" SELECT, 1, 3,
     {{1, "a", DOWN, 0, 0, 0, "192.0.2.1"}, {2, "b", DOWN, 0, 0, 0, "192.0.2.2"}, {3, "a", DOWN, 0, 0, 0, "192.0.2.2"}}},
    {"change, too late", "type: change\nfields: source.ip\ngroup-by: user.name\ntimeframe: 10s\n" SELECT, 0, 2,
     {{1, "a", DOWN, 0, 0, 0, "192.0.2.1"}, {12, "a", DOWN, 0, 0, 0, "192.0.2.2"}}},
    {"frequency", "type: frequency\ngte: 3\ntimeframe: 10s\ngroup-by: user.name\n" SELECT, 1, 4,
     {{1, "a", DOWN, 0, 0, 0, 0}, {5, "b", DOWN, 0, 0, 0, 0}, {6, "a", DOWN, 0, 0, 0, 0}, {10, "a", DOWN, 0, 0, 0, 0}}},
    {"frequency, too slow", "type: event_count\ngte: 3\ntimeframe: 10s\ngroup-by: user.name\n" SELECT, 0, 3,
     {{1, "a", DOWN, 0, 0, 0, 0}, {6, "a", DOWN, 0, 0, 0, 0}, {11, "a", DOWN, 0, 0, 0, 0}}},
    {"spike", "type: spike\nheight: 3\ntimeframe: 100s\n" SELECT, 1, 5,
     {{10, "a", DOWN, 0, 0, 0, 0}, {130, "a", DOWN, 0, 0, 0, 0}, {220, "a", DOWN, 0, 0, 0, 0}, {221, "a", DOWN, 0, 0, 0, 0},
      {222, "a", DOWN, 0, 0, 0, 0}}},
    {"spike, not high enough", "type: spike\nheight: 4\ntimeframe: 100s\n" SELECT, 0, 5,
     {{10, "a", DOWN, 0, 0, 0, 0}, {130, "a", DOWN, 0, 0, 0, 0}, {240, "a", DOWN, 0, 0, 0, 0}, {241, "a", DOWN, 0, 0, 0, 0},
      {242, "a", DOWN, 0, 0, 0, 0}}},
    {"spike of bytes", "type: spike_aggregation\nheight: 10\ntimeframe: 100s\nfield: http.response.body.bytes\n" SELECT, 1, 3,
     {{10, "a", DOWN, 0, 0, 5, 0}, {130, "a", DOWN, 0, 0, 5, 0}, {231, "a", DOWN, 0, 0, 60, 0}}},
    {"flatline", "type: flatline\nlt: 1\ntimeframe: 1h\ngroup-by: user.name\n" SELECT, 1, 1, {{1, "a", DOWN, 0, 0, 0, 0}}},
    {"flatline of nothing that was", "type: flatline\nlt: 1\ntimeframe: 1h\n" SELECT, 0, 1, {{1, "a", VIEW, 0, 0, 0, 0}}},
    {"new term", "type: new_term\nfields: file.name\ngroup-by: user.name\nlearning: 10s\n" SELECT, 1, 4,
     {{1, "a", DOWN, "f", 0, 0, 0}, {5, "a", DOWN, "g", 0, 0, 0}, {20, "a", DOWN, "f", 0, 0, 0}, {21, "a", DOWN, "h", 0, 0, 0}}},
    {"new term, after few acts", "type: new_term\nfields: file.name\ngroup-by: user.name\nlearning: 0s\nmin-events: 3\n" SELECT, 0,
     3, {{1, "a", DOWN, "f", 0, 0, 0}, {2, "a", DOWN, "g", 0, 0, 0}, {3, "a", DOWN, "h", 0, 0, 0}}},
    {"new term that peers have", "type: new_term\nfields: file.name\ngroup-by: user.name\nlearning: 5s\npeers: 1\n" SELECT, 0, 3,
     {{1, "a", DOWN, "f", 0, 0, 0}, {2, "b", DOWN, "g", 0, 0, 0}, {20, "a", DOWN, "g", 0, 0, 0}}},
    {"term new again", "type: new_term\nfields: file.name\ngroup-by: user.name\nlearning: 0s\nmin-events: 1\nwindow: 1m\n" SELECT, 1,
     2, {{1, "a", DOWN, "f", 0, 0, 0}, {62, "a", DOWN, "f", 0, 0, 0}}},
    {"cardinality", "type: cardinality\nfield: file.name\ngte: 3\ntimeframe: 10s\ngroup-by: user.name\n" SELECT, 1, 4,
     {{1, "a", DOWN, "f", 0, 0, 0}, {2, "a", DOWN, "f", 0, 0, 0}, {3, "a", DOWN, "g", 0, 0, 0}, {4, "a", DOWN, "h", 0, 0, 0}}},
    {"cardinality, one left the window", "type: value_count\nfield: file.name\ngte: 3\ntimeframe: 10s\n" SELECT, 0, 3,
     {{1, "a", DOWN, "f", 0, 0, 0}, {3, "a", DOWN, "g", 0, 0, 0}, {11, "a", DOWN, "h", 0, 0, 0}}},
    {"cardinality, each twice", "type: value_count\nfield: file.name\ngte: 2\neach: 2\ntimeframe: 10s\n" SELECT, 0, 3,
     {{1, "a", DOWN, "f", 0, 0, 0}, {2, "a", DOWN, "f", 0, 0, 0}, {3, "a", DOWN, "g", 0, 0, 0}}},
    {"cardinality, too few", "type: cardinality\nfield: file.name\nlt: 2\ntimeframe: 10s\n" SELECT, 1, 2,
     {{1, "a", DOWN, "f", 0, 0, 0}, {12, "a", DOWN, "f", 0, 0, 0}}},
    {"sum", "type: metric_aggregation\nmetric: sum\nfield: http.response.body.bytes\ngte: 100\ntimeframe: 10s\n" SELECT, 1, 2,
     {{1, "a", DOWN, 0, 0, 60, 0}, {2, "a", DOWN, 0, 0, 40, 0}}},
    {"sum, too small", "type: metric_aggregation\nmetric: sum\nfield: http.response.body.bytes\ngte: 100\ntimeframe: 10s\n" SELECT, 0,
     2, {{1, "a", DOWN, 0, 0, 60, 0}, {2, "a", DOWN, 0, 0, 39, 0}}},
    {"average", "type: metric_aggregation\nmetric: avg\nfield: http.response.body.bytes\nlt: 10\nmin-events: 2\ntimeframe: 10s\n" SELECT,
     1, 2, {{1, "a", DOWN, 0, 0, 1, 0}, {2, "a", DOWN, 0, 0, 18, 0}}},
    {"greatest", "type: metric_aggregation\nmetric: max\nfield: http.response.body.bytes\ngte: 50\ntimeframe: 10s\n" SELECT, 1, 2,
     {{1, "a", DOWN, 0, 0, 1, 0}, {2, "a", DOWN, 0, 0, 50, 0}}},
    {"least", "type: metric_aggregation\nmetric: min\nfield: http.response.body.bytes\nlt: 2\ntimeframe: 10s\n" SELECT, 1, 2,
     {{1, "a", DOWN, 0, 0, 50, 0}, {2, "a", DOWN, 0, 0, 1, 0}}},
    {"share",
     "type: percentage_match\nmatch: bad\ngte: 50\nmin-events: 4\ntimeframe: 1m\ndetection:\n  asked: {event.action: [download, "
     "view_case]}\n  bad: {http.response.status_code: 404}\n  condition: asked\n",
     1, 4, {{1, "a", VIEW, 0, 0, 0, 0}, {2, "a", VIEW, 0, 404, 0, 0}, {3, "a", VIEW, 0, 0, 0, 0}, {4, "a", DOWN, 0, 404, 0, 0}}},
    {"share, too small",
     "type: percentage_match\nmatch: bad\ngte: 50\nmin-events: 4\ntimeframe: 1m\ndetection:\n  asked: {event.action: [download, "
     "view_case]}\n  bad: {http.response.status_code: 404}\n  condition: asked\n",
     0, 4, {{1, "a", VIEW, 0, 404, 0, 0}, {2, "a", VIEW, 0, 0, 0, 0}, {3, "a", VIEW, 0, 0, 0, 0}, {4, "a", DOWN, 0, 0, 0, 0}}},
#define STAGES                                                                                                          \
    "stages: [see, take]\ngroup-by: user.name\ndetection:\n  see: {event.action: view_case}\n  take: {event.action: "      \
    "download}\n  in: {event.action: login}\nreset: in\n"
    {"temporal", "type: temporal\ntimeframe: 10s\n" STAGES, 1, 3,
     {{1, "a", DOWN, 0, 0, 0, 0}, {2, "b", VIEW, 0, 0, 0, 0}, {9, "a", VIEW, 0, 0, 0, 0}}},
    {"temporal, too late", "type: temporal\ntimeframe: 10s\n" STAGES, 0, 2, {{1, "a", DOWN, 0, 0, 0, 0}, {12, "a", VIEW, 0, 0, 0, 0}}},
    {"in order", "type: temporal_ordered\ntimeframe: 10s\n" STAGES, 1, 2, {{1, "a", VIEW, 0, 0, 0, 0}, {9, "a", DOWN, 0, 0, 0, 0}}},
    {"not in order", "type: temporal_ordered\ntimeframe: 10s\n" STAGES, 0, 2, {{1, "a", DOWN, 0, 0, 0, 0}, {9, "a", VIEW, 0, 0, 0, 0}}},
    {"in order, too early", "type: temporal_ordered\ntimeframe: 10s\nafter: 5s\n" STAGES, 0, 2,
     {{1, "a", VIEW, 0, 0, 0, 0}, {5, "a", DOWN, 0, 0, 0, 0}}},
    {"in order, forgotten", "type: temporal_ordered\ntimeframe: 10s\n" STAGES, 0, 3,
     {{1, "a", VIEW, 0, 0, 0, 0}, {2, "a", ACTION_LOGIN, 0, 0, 0, 0}, {3, "a", DOWN, 0, 0, 0, 0}}},
};

static void types(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned told = run(rows[i].rule, rows[i].deeds, rows[i].n);
        if (told != rows[i].told)
            fail_msg("%s: told %u times, not %u", rows[i].name, told, rows[i].told);
    }
}

/* Silence is told of the moment at which the time was up, however packet time goes on, in the order of these moments, and names
 * the group and nobody else. */
static void silence(void **state)
{
    (void)state;
    static const struct deed deeds[] = {
        {100, "a", DOWN, "f", 0, 0, "192.0.2.1"}, {200, "b", DOWN, "g", 0, 0, "192.0.2.2"}, {300, "a", DOWN, "f", 0, 0, "192.0.2.1"},
        {1000, "c", VIEW, 0, 0, 0, 0}, /* no act of the rule's, but time goes on */
        {1100, "b", DOWN, "g", 0, 0, "192.0.2.2"}, {1150, "a", DOWN, "f", 0, 0, "192.0.2.1"},
    };
    static const struct {
        const char *rule;
        unsigned told, at_s[4];
        const char *user;
    } cases[] = {
        {"type: flatline\nlt: 1\ntimeframe: 10m\nrealert: 0s\ngroup-by: casetap.object\n" SELECT, 4, {800, 900, 1700, 1750}, ""},
        {"type: flatline\nlt: 1\ntimeframe: 10m\nrealert: 0s\ngroup-by: user.name\n" SELECT, 4, {800, 900, 1700, 1750}, "b"},
        {"type: flatline\nlt: 2\ntimeframe: 10m\nrealert: 0s\ngroup-by: casetap.object\n" SELECT, 2, {700, 800}, ""},
        {"type: spike\ndirection: down\nheight: 2\ntimeframe: 5m\nrealert: 0s\n" SELECT, 2, {700, 1422}, ""},
    };
    static const unsigned steps[] = {0, 1, 7, 61, 3000};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
            unsigned told = run_in_steps(cases[i].rule, deeds, sizeof deeds / sizeof deeds[0], steps[k]);
            if (told != cases[i].told)
                fail_msg("%s: told %u times in steps of %u s", cases[i].rule, told, steps[k]);
            for (unsigned j = 0; j < told; j++)
                if (s.told[j].time_ns != stage_time(0, 0) + cases[i].at_s[j] * NS_PER_S)
                    fail_msg("%s: line %u at %g s in steps of %u s", cases[i].rule, j,
                             (double)(s.told[j].time_ns - stage_time(0, 0)) / 1e9, steps[k]);
            assert_string_equal(s.told[0].user, cases[i].user);
        }
}

/* Above 64 the counts come out of buckets and sketches. */
static void large_counts(void **state)
{
    (void)state;
    static struct deed deeds[220];
    static char names[220][8];
    for (unsigned i = 0; i < 220; i++) {
        snprintf(names[i], sizeof names[i], "f%u", i);
        deeds[i] = (struct deed){1000 + i, "a", DOWN, names[i], 0, 0, NULL};
    }
    assert_int_equal(run("type: frequency\ngte: 200\ntimeframe: 10m\n" SELECT, deeds, 199), 0);
    assert_true(run("type: frequency\ngte: 200\ntimeframe: 10m\n" SELECT, deeds, 200) > 0);
    assert_int_equal(run("type: cardinality\nfield: file.name\ngte: 150\ntimeframe: 1h\n" SELECT, deeds, 110), 0);
    assert_true(run("type: cardinality\nfield: file.name\ngte: 150\ntimeframe: 1h\n" SELECT, deeds, 200) > 0);
    assert_int_equal(run("type: cardinality\nfield: file.name\ngte: 64\ntimeframe: 1h\n" SELECT, deeds, 63), 0);
    assert_true(run("type: cardinality\nfield: file.name\ngte: 64\ntimeframe: 1h\n" SELECT, deeds, 64) > 0);
}

/* One act, and whether the selection takes it: alice downloads Trace-7.HAR of 5000 bytes from 192.0.2.7. */
static void selections(void **state)
{
    (void)state;
    static const struct {
        const char *detection;
        bool fits;
    } cases[] = {
        {"sel: {file.name: trace-7.har}", true},
        {"sel: {file.name|cased: trace-7.har}", false},
        {"sel: {file.name: [x, Trace-7.HAR]}", true},
        {"sel: {file.name|contains: ACE}", true},
        {"sel: {file.name|contains|all: [ace, har]}", true},
        {"sel: {file.name|contains|all: [ace, zip]}", false},
        {"sel: {file.name|startswith: trace}", true},
        {"sel: {file.name|startswith: race}", false},
        {"sel: {file.name|endswith: [.zip, .har]}", true},
        {"sel: {file.name|endswith|cased: .har}", false},
        {"sel: {file.name|re: '^trace-\\d+\\.har$'}", true},
        {"sel: {file.name|re|cased: '^trace-\\d'}", false},
        {"sel: {source.ip: 192.0.2.7}", true},
        {"sel: {source.ip|cidr: [198.51.100.0/24, 192.0.2.0/24]}", true},
        {"sel: {source.ip|cidr: 2001:db8::/32}", false},
        {"sel: {http.response.body.bytes|gt: 4999}", true},
        {"sel: {http.response.body.bytes|gt: 5000}", false},
        {"sel: {http.response.body.bytes|gte: 5000}", true},
        {"sel: {http.response.body.bytes|lt: 5000}", false},
        {"sel: {http.response.body.bytes|lte: 5000}", true},
        {"sel: {http.response.status_code: [200, 206]}", true},
        {"sel: {casetap.customer|exists: false}", true},
        {"sel: {casetap.customer|exists: true}", false},
        {"sel: {casetap.flags: complete}", true},
        {"sel: {casetap.flags: [partial, machine]}", false},
        {"sel: {time.weekday: mon, time.hour: 1}", true},
        {"sel: {time.weekday: [sat, sun]}", false},
        {"sel: [{user.name: bob}, {user.name: alice}]", true},
        {"sel: {user.name: alice, file.name: x}", false},
        {"a: {user.name: alice}\n  b: {file.name: x}\n  condition: a and not b", true},
        {"a: {user.name: alice}\n  b: {file.name: x}\n  condition: b or not a", false},
        {"a: {user.name: alice}\n  b: {file.name: x}\n  condition: not (b or not a)", true},
        {"a: {user.name: x}\n  b: {file.name: x}\n  c: {event.action: download}\n  condition: a and b or c", true},
        {"a: {user.name: x}\n  b: {file.name: x}\n  c: {event.action: download}\n  condition: a and (b or c)", false},
        {"a1: {user.name: x}\n  a2: {event.action: download}\n  condition: 1 of a*", true},
        {"a1: {user.name: x}\n  a2: {event.action: download}\n  condition: all of a*", false},
        {"a1: {user.name: x}\n  a2: {event.action: download}\n  condition: 1 of them and not all of them", true},
        {"a: {event.action: [view_case, login]}\n  condition: not a", true},
    };
    const struct deed deed = {3600, "alice", DOWN, "Trace-7.HAR", 0, 5000, "192.0.2.7"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char rule[512];
        snprintf(rule, sizeof rule, "type: any\ndetection:\n  %s\n", cases[i].detection);
        if (run(rule, &deed, 1) != cases[i].fits)
            fail_msg("%s: %s", cases[i].detection, cases[i].fits ? "does not fit" : "fits");
    }
}

static void mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *says;
    } cases[] = {
        {"type: any\n", "type any needs 'detection'"},
        {"type: any\ndetection: 3\n", "detection: a map of selections is expected"},
        {"type: frequency\n" SELECT "timeframe: 1m\n", "type frequency needs 'gte'"},
        {"type: frequency\n" SELECT "gte: 3\n", "type frequency needs 'timeframe'"},
        {"type: any\n" SELECT "gte: 3\n", "x.yaml:13:1: type any takes no 'gte'"},
        {"type: any\n" SELECT "detector: breadth\n", "x.yaml:13:1: type any takes no 'detector'"},
        {"type: any\n" SELECT "gruop-by: user.name\n", "x.yaml:13:1: unknown key 'gruop-by'; did you mean 'group-by'?"},
        {"type: any\n" SELECT "group-by: user.nam\n", "x.yaml:13:11: the name of a field is expected; did you mean 'user.name'?"},
        {"type: any\ndetection:\n  sel: {fil.name: x}\n", "x.yaml:11:9: unknown field 'fil.name'; did you mean 'file.name'?"},
        {"type: any\ndetection:\n  sel: {file.name|contain: x}\n", "unknown modifier 'contain'; did you mean 'contains'?"},
        {"type: any\ndetection:\n  sel: {file.name|gt: 3}\n", "x.yaml:11:9: unknown use: this field has no 'gt'"},
        {"type: any\ndetection:\n  sel: {file.size|contains: 3}\n", "this field has no 'contains'"},
        {"type: any\ndetection:\n  sel: {file.name|re|contains: x}\n", "a second comparison 'contains'"},
        {"type: any\ndetection:\n  sel: {file.name|re: '('}\n", "missing closing parenthesis"},
        {"type: any\ndetection:\n  sel: {file.size: big}\n", "x.yaml:11:20: file.size is a number"},
        {"type: any\ndetection:\n  sel: {source.ip|cidr: 10.0.0.0/33}\n", "is no address or prefix"},
        {"type: any\ndetection:\n  sel: {event.action: downlod}\n", "no action is called 'downlod'; did you mean 'download'?"},
        {"type: any\ndetection:\n  sel: {event.action|all: [download, export]}\n", "it cannot have all of these"},
        {"type: any\ndetection:\n  sel: {time.weekday: monday}\n", "time.weekday is never 'monday'"},
        {"type: any\ndetection:\n  sel: {file.name: ''}\n", "an empty value fits nothing"},
        {"type: any\ndetection:\n  sel: {file.name: []}\n", "an empty list fits nothing"},
        {"type: any\ndetection:\n  sel: {file.name|list: nowhere}\n", "nowhere.txt"},
        {"type: any\ndetection:\n  sel: {file.name|list: ../x}\n", "no path"},
        {"type: any\ndetection:\n  a: {event.action: login}\n  b: {event.action: export}\n  condition: a and b\n",
         "x.yaml:13:14: condition: no action can ever make it hold"},
        {"type: any\ndetection:\n  a: {user.name: x}\n  condition: a adn a\n", "'and' or 'or' is expected before 'adn'"},
        {"type: any\ndetection:\n  a: {user.name: x}\n  condition: a and\n", "it ends too early"},
        {"type: any\ndetection:\n  a: {user.name: x}\n  condition: (a\n", "')' is missing"},
        {"type: any\ndetection:\n  a: {user.name: x}\n  condition: aa\n", "'aa' is no selection; did you mean 'a'?"},
        {"type: any\ndetection:\n  a: {user.name: x}\n  b: {user.name: y}\n  condition: a\n",
         "x.yaml:12:3: selection 'b' is used nowhere"},
        {"type: any\ndetection:\n  a: {rule.id: D99}\n", "no detection has the id 'D99'"},
        {"type: blacklist\nfield: file.name\n" SELECT, "needs either 'list' or 'list-file'"},
        {"type: blacklist\nfield: file.name\nlist: [a, A]\n" SELECT, "x.yaml:11:11: this value stands here twice"},
        {"type: metric_aggregation\nmetric: sum\nfield: file.name\ngte: 1\ntimeframe: 1m\n" SELECT, "file.name is no number"},
        {"type: metric_aggregation\nmetric: total\nfield: file.size\ngte: 1\ntimeframe: 1m\n" SELECT, "sum, avg or min is expected"},
        {"type: cardinality\nfield: file.name\ntimeframe: 1m\n" SELECT, "type cardinality needs 'gte' or 'lt'"},
        {"type: temporal\ntimeframe: 1m\nstages: [sel]\n" SELECT, "two selections or more"},
        {"type: temporal\ntimeframe: 1m\nstages: [sel, sal]\n" SELECT, "x.yaml:11:15: the name of a selection"},
        {"type: frequency\ngte: 3\ntimeframe: 1w\n" SELECT, "timeframe: expected a time like"},
        {"type: frequency\ngte: 3\ntimeframe: 100d\n" SELECT, "timeframe: 100d is out of range, expected 2s to 90d"},
        {"type: frequncy\n" SELECT, "x.yaml:9:7: type: 'frequncy' is none; did you mean 'frequency'?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char dir[32], text[1024];
        struct text why = {0};
        struct engine *e = NULL;
        snprintf(text, sizeof text, HEAD "%s", cases[i].rule);
        write_rule(dir, text);
        int rc = engine_new(&(struct engine_options){.rules_dir = "rules", .own_dir = dir}, &e, &why);
        remove_rule(dir);
        engine_free(rc ? NULL : e);
        if (rc == 0 || !strstr(text_str(&why), cases[i].says))
            fail_msg("%s: %s, which does not say '%s'", cases[i].rule, rc ? text_str(&why) : "accepted", cases[i].says);
        text_fini(&why);
    }
}

/* A pattern that would take for ever is given up, and the next act is judged. */
static void hostile_pattern(void **state)
{
    (void)state;
    const struct deed deeds[] = {
        {1, "a", DOWN, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 0, 0, 0},
        {2, "a", DOWN, "aaa", 0, 0, 0},
    };
    assert_int_equal(run("type: any\ndetection:\n  sel: {file.name|re: '^(a+)+$'}\n", deeds, 2), 1);
}

/* Twenty alerts a day are told, the rest is counted; the next day it speaks again. */
static void daily_cap(void **state)
{
    (void)state;
    static struct deed deeds[30];
    static char names[30][8];
    for (unsigned i = 0; i < 30; i++) {
        snprintf(names[i], sizeof names[i], "p%u", i);
        deeds[i] = (struct deed){i < 25 ? 100 + i : 86400 + i, names[i], DOWN, "f", 0, 0, NULL};
    }
    assert_int_equal(run("type: any\ngroup-by: user.name\n" SELECT, deeds, 25), 20);
    assert_int_equal(run("type: any\ngroup-by: user.name\n" SELECT, deeds, 30), 25);
}

/* A rule that asks for another's word. */
static void correlation(void **state)
{
    (void)state;
    char dir[32];
    write_rule(dir, HEAD "type: any\ndetection:\n  sel: {rule.id: [D15, D07]}\n");
    stage_open(&s, dir);
    remove_rule(dir);
    stage_work(&s, 0, 21);
    static const struct desk away = {"203.0.113.77", "BR", 64499, 2, 140, "Firefox"};
    stage_login(&s, "alice", &away, 21, 3);
    assert_int_equal(stage_count(&s, "X1", NULL), 0);
    stage_fetch(&s, "alice", &away, 21, 3.1, 3, 1);
    assert_true(stage_count(&s, "D15", "alice") > 0);
    assert_true(stage_count(&s, "X1", "alice") > 0); /* joined to the same alert */
    assert_int_equal(stage_alerts(&s), 1);
    stage_close(&s);
}

static void keep_line(void *ctx, const char *text)
{
    struct text *all = ctx;
    text_addf(all, "%s\n", text);
}

/* What new_term rules remember outlives the engine. */
static void terms_survive(void **state)
{
    (void)state;
    char dir[32];
    struct text lines = {0};
    write_rule(dir, HEAD "type: new_term\nfields: file.name\ngroup-by: user.name\nlearning: 1m\n" SELECT);
    stage_open(&s, dir);
    play(&s, &(struct deed){1, "a", DOWN, "f", 0, 0, NULL});
    rule_terms_save(engine_terms(s.engine), keep_line, &lines);
    stage_close(&s);
    for (int with = 0; with < 2; with++) {
        stage_open(&s, dir);
        struct span rest = text_span(&lines), line;
        while (with && span_split(&rest, '\n', &line) && line.size) {
            char text[128];
            snprintf(text, sizeof text, "%.*s", (int)line.size, (const char *)line.at);
            assert_int_equal(rule_terms_load(engine_terms(s.engine), text), 0);
        }
        play(&s, &(struct deed){100, "a", DOWN, "g", 0, 0, NULL});
        assert_int_equal(stage_count(&s, "X1", "a"), (unsigned)with);
        assert_int_equal(rule_terms_load(engine_terms(s.engine), "00 1 2"), E_BAD);
        assert_int_equal(rule_terms_load(engine_terms(s.engine), "00 1 2 3 4"), E_BAD);
        stage_close(&s);
    }
    remove_rule(dir);
    text_fini(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),        cmocka_unit_test(silence), cmocka_unit_test(large_counts), cmocka_unit_test(selections),
        cmocka_unit_test(mistakes),     cmocka_unit_test(hostile_pattern), cmocka_unit_test(daily_cap),
        cmocka_unit_test(correlation),  cmocka_unit_test(terms_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
