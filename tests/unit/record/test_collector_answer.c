/* SPDX-License-Identifier: Apache-2.0
 * Answers of collectors: as they are documented, and as nobody should send them. */
#include "record/collector_answer.h"
#include "record/utf8.h"

#include "support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants those above first */
#include <cmocka.h>

static void hec(void **state)
{
    (void)state;
    uint64_t id = 0;
    assert_true(answer_hec_id(SPAN("{\"text\":\"Success\",\"code\":0,\"ackId\":7}"), &id));
    assert_int_equal(id, 7);
    static const char *const none[] = {"",
                                       "{",
                                       "[]",
                                       "{\"text\":\"Success\",\"code\":0}",
                                       "{\"ackId\":\"7\"}",
                                       "{\"ackId\":-1}",
                                       "{\"ackId\":7.5}",
                                       "{\"ackId\":null}",
                                       "\xff",
                                       "{\"ackId\":99999999999999999999}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(answer_hec_id(span_text(none[i]), &id));
    assert_true(answer_hec_acked(SPAN("{\"acks\":{\"6\":false,\"7\":true}}"), 7));
    assert_false(answer_hec_acked(SPAN("{\"acks\":{\"6\":true,\"7\":false}}"), 7));
    assert_false(answer_hec_acked(SPAN("{\"acks\":{\"6\":true}}"), 7));
    assert_false(answer_hec_acked(SPAN("{\"acks\":{\"7\":\"true\"}}"), 7));
    assert_false(answer_hec_acked(SPAN("{\"acks\":[true]}"), 0));
    assert_false(answer_hec_acked(SPAN(""), 7));
}

static void bulk(void **state)
{
    (void)state;
    uint16_t statuses[4];
    struct text why = {0};
    assert_true(answer_bulk(
        SPAN("{\"errors\":true,\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":400,\"error\":"
             "{\"type\":\"t\",\"reason\":\"no\\u001b[2J "
             "such\\nfield\"}}},{\"index\":{\"status\":429,\"error\":\"busy\"}}]}"),
        statuses, 3, &why));
    assert_int_equal(statuses[0], 201);
    assert_int_equal(statuses[1], 400);
    assert_int_equal(statuses[2], 429);
    assert_string_equal(text_str(&why), "no\\x1b[2J such\\x0afield"); /* nothing of it reaches a terminal */
    static const char *const none[] = {"",
                                       "{}",
                                       "{\"items\":[]}",
                                       "{\"items\":[{}]}",
                                       "{\"items\":[{\"index\":{\"status\":\"201\"}}]}",
                                       "{\"items\":{}}",
                                       "{\"items\":[{\"index\":{\"status\":99}}]}",
                                       "{\"items\":[{\"index\":{\"status\":600}}]}",
                                       "{\"items\":[{\"create\":{\"status\":201}}]}",
                                       "{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":201}}]}",
                                       "{\"items\":[null]}",
                                       "[1]",
                                       "{\"items\":[{\"index\":1}]}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(answer_bulk(span_text(none[i]), statuses, 1, &why));
    text_fini(&why);
}

/* Any change of an answer is read, or not, and what is said of it can be shown. */
static void anything(void **state)
{
    (void)state;
    static const char good[] =
        "{\"acks\":{\"7\":true},\"ackId\":7,\"items\":[{\"index\":{\"status\":400,\"error\":{\"reason\":\"r\"}}}]}";
    uint64_t seed = 3, id;
    uint16_t status;
    for (int turn = 0; turn < 20000; turn++) {
        uint8_t bytes[sizeof good - 1];
        struct text why = {0};
        memcpy(bytes, good, sizeof bytes);
        for (int i = 0; i < 1 + turn % 4; i++)
            bytes[(size_t)(random_uniform(&seed) * sizeof bytes)] = (uint8_t)(random_uniform(&seed) * 256);
        struct span s = span_of(bytes, turn % 7 ? sizeof bytes : (size_t)(random_uniform(&seed) * sizeof bytes));
        (void)answer_hec_id(s, &id);
        (void)answer_hec_acked(s, 7);
        if (answer_bulk(s, &status, 1, &why))
            assert_in_range(status, 100, 599);
        assert_int_equal(utf8_valid(text_span(&why)), why.size);
        text_fini(&why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hec), cmocka_unit_test(bulk), cmocka_unit_test(anything)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
