/* SPDX-License-Identifier: Apache-2.0
 * Files and bytes of alerts and days: each object once, however many pieces it comes in; for the thief as well. */
#include "stage.h"

#define WEEKS 28
#define SIZE 8000000u
static const struct desk thief = {"203.0.113.200", "BT", 35908, 3, 120, "Chrome"};

/* A piece, told when it begins and completed at once; 'got' is what the credential has of the object after it. */
static void piece(struct stage *s, const struct desk *d, double hour, unsigned object, uint64_t bytes, uint64_t got)
{
    struct activity a = stage_act(s, "alice", d, ACTION_DOWNLOAD, WEEKS, hour), end;
    stage_names(&a, 5, object);
    a.flags = ACT_RANGE | ACT_TRANSFER | ACT_TRANSFER_BYTES;
    a.status = 206;
    a.body_bytes = 0;
    hash128(SPAN("object"), object, a.transfer_id);
    stage_play(s, &a);
    memcpy(&end, &a, activity_size(&a));
    end.action = ACTION_AMEND;
    memcpy(end.amends, a.id, sizeof end.amends);
    end.done_ns++;
    end.flags |= ACT_HAS_BODY | ACT_COMPLETE;
    end.body_bytes = bytes;
    end.transfer_bytes = got;
    stage_play(s, &end);
}

static struct told last_of(const struct stage *s, const char *rule)
{
    for (unsigned i = s->n; i; i--)
        if (strstr(s->told[i - 1].rules, rule))
            return s->told[i - 1];
    fail_msg("no line of %s", rule);
    return s->told[0];
}

/* A new line, so that the story shows what it has counted. */
static void show(struct stage *s, const struct desk *d, double hour)
{
    for (unsigned i = 0; i < 40; i++) {
        struct activity a = stage_act(s, "alice", d, ACTION_DOWNLOAD, WEEKS, hour + i * 0.001);
        stage_names(&a, 6 + i, 1);
        a.body_bytes = 1;
        stage_play(s, &a);
    }
}

static void one_object_counts_once(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct {
            const struct desk *who;
            uint64_t bytes, got; /* of the piece; of the object after it */
        } pieces[8];
        uint64_t bytes; /* in the thief's story */
    } cases[] = {
        {"whole", {{&thief, SIZE, SIZE}}, SIZE},
        {"resumed", {{&thief, 5000000, 5000000}, {&thief, 4000000, SIZE}}, SIZE},
        {"parallel, overlapping",
         {{&thief, 3000000, 3000000}, {&thief, 3000000, 5500000}, {&thief, 3000000, SIZE}, {&thief, 1000000, SIZE}}, SIZE},
        {"whole, three times", {{&thief, SIZE, SIZE}, {&thief, SIZE, SIZE}, {&thief, SIZE, SIZE}}, SIZE},
        {"broken off", {{&thief, 5000000, 5000000}}, 5000000},
        {"the owner had it already", {{ALICE, SIZE, SIZE}, {&thief, SIZE, SIZE}}, SIZE},
        {"the owner had it already, broken off", {{ALICE, SIZE, SIZE}, {&thief, 3000000, SIZE}}, 3000000},
        {"the owner had it already, in pieces",
         {{ALICE, SIZE, SIZE}, {&thief, 3000000, SIZE}, {&thief, 5000000, SIZE}, {&thief, 5000000, SIZE}}, SIZE},
        {"half and half", {{ALICE, 5000000, 5000000}, {&thief, 3000000, SIZE}}, 3000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct stage s;
        stage_open(&s, NULL);
        stage_work(&s, 0, WEEKS);
        for (size_t k = 0; k < 8 && cases[i].pieces[k].who; k++)
            piece(&s, cases[i].pieces[k].who, 9 + (double)k * 0.01, 1, cases[i].pieces[k].bytes, cases[i].pieces[k].got);
        show(&s, &thief, 9.5);
        struct told told = last_of(&s, "D15");
        uint64_t others = told.files - 1; /* a byte each */
        if (told.bytes - others != cases[i].bytes)
            fail_msg("%s: %llu bytes, not %llu", cases[i].name, (unsigned long long)(told.bytes - others),
                     (unsigned long long)cases[i].bytes);
        stage_close(&s);
    }
}

/* A day's bytes: an object read again and again is no large volume, many are. */
static void a_day_counts_once(void **state)
{
    (void)state;
    for (unsigned objects = 1; objects <= 400; objects += 399) {
        static struct stage s;
        stage_open(&s, NULL);
        stage_work(&s, 0, WEEKS);
        for (unsigned i = 0; i < 400; i++)
            piece(&s, ALICE, 9 + i * 0.01, 1 + i % objects, 1000000, 1000000);
        assert_int_equal(stage_count(&s, "D10", "alice") > 0, objects > 1);
        stage_close(&s);
    }
}

/* Two files of one name at different addresses are two; the pieces of one are one. */
static void names_are_not_objects(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    for (unsigned i = 0; i < 64; i++) {
        char target[40];
        struct activity a = stage_act(&s, "alice", &thief, ACTION_DOWNLOAD, WEEKS, 9 + i * 0.01);
        snprintf(target, sizeof target, "/files/%u/core.dmp?part=%u", i / 2, i);
        activity_set(&a, STR_HOST, SPAN("desk.example"));
        activity_set(&a, STR_TARGET, span_text(target));
        activity_set(&a, STR_FILE, SPAN("core.dmp"));
        stage_play(&s, &a);
    }
    assert_int_equal(last_of(&s, "D15").files, 32);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_object_counts_once),
        cmocka_unit_test(a_day_counts_once),
        cmocka_unit_test(names_are_not_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
