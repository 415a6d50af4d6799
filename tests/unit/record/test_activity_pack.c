/* SPDX-License-Identifier: Apache-2.0
 * Candidates packed and read back: the same one, and nothing that was bent on the way. */
#include "record/activity_pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

static void make(struct activity *a)
{
    activity_init(a);
    a->time_ns = 1774256531318220000;
    a->done_ns = 1774256531398220001;
    a->flow_hash = UINT64_MAX;
    a->number = 17;
    a->action = ACTION_DOWNLOAD;
    a->cred_kind = CRED_COOKIE;
    a->size_known = SIZE_ACKNOWLEDGED;
    a->flags = ACT_SESSION_NEW | ACT_HAS_BODY;
    a->peer.port = 65535;
    a->token_age_s = -5;
    a->token_left_s = INT32_MIN;
    a->doubt = 100;
    a->file.secrets[SECRET_PRIVATE_KEY] = 3;
    a->file.is_cut = true;
    memset(a->session, 0xab, sizeof a->session);
    memset(a->file.sha256, 0x5a, sizeof a->file.sha256);
    activity_set(a, STR_CLAIM, SPAN("chen.wei"));
    activity_set(a, STR_FILE, SPAN("K\xc3\xb6ln/core.dump"));
    activity_set(a, STR_TENANT, SPAN("t"));
    a->at[STR_AS_ORG] = a->tail_used; /* as the packet half does with what a page mentions */
    a->size[STR_AS_ORG] = 200;
    memset(a->tail + a->tail_used, 'm', 200);
    a->tail_used = (uint16_t)(a->tail_used + 200);
}

static void test_same(void **state)
{
    struct activity a, b;
    struct text packed = {0}, again = {0}, one = {0}, two = {0}, why = {0};
    (void)state;
    make(&a);
    activity_seal(&a);
    activity_pack(&a, &packed);
    assert_in_range(packed.size, 260, 450);
    assert_int_equal(activity_unpack(text_span(&packed), &b, &why), E_OK);
    assert_memory_equal(&a, &b, offsetof(struct activity, at));
    activity_pack(&b, &again);
    assert_true(span_eq(text_span(&packed), text_span(&again)));
    activity_json(&a, &one);
    activity_json(&b, &two);
    assert_string_equal(text_str(&one), text_str(&two));
    assert_true(span_eq(activity_get(&b, STR_CLAIM), SPAN("chen.wei")));
    text_fini(&packed);
    text_fini(&again);
    text_fini(&one);
    text_fini(&two);
    text_fini(&why);
}

static int refused(const uint8_t *bytes, size_t size)
{
    struct activity a;
    struct text why = {0};
    int rc = activity_unpack(span_of(bytes, size), &a, &why);
    assert_int_equal(rc == E_OK, why.size == 0);
    text_fini(&why);
    return rc;
}

/* Every cut, and every byte bent: refused, or what was read writes the same bytes. */
static void test_bent(void **state)
{
    struct activity a, b;
    struct text packed = {0}, again = {0}, why = {0};
    (void)state;
    make(&a);
    activity_pack(&a, &packed);
    for (size_t n = 0; n < packed.size; n++) {
        assert_int_equal(refused((const uint8_t *)packed.at, n), E_BAD);
        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            packed.at[n] = (char)(packed.at[n] ^ (char)bit);
            text_clear(&again);
            if (activity_unpack(text_span(&packed), &b, &why) == E_OK) {
                activity_pack(&b, &again);
                assert_true(span_eq(text_span(&packed), text_span(&again)));
            }
            packed.at[n] = (char)(packed.at[n] ^ (char)bit);
        }
    }
    text_fini(&packed);
    text_fini(&again);
    text_fini(&why);
}

static void test_refused(void **state)
{
    (void)state;
    assert_int_equal(refused((const uint8_t *)"\x02\x00\x00", 3), E_STATE);         /* another version */
    assert_int_equal(refused((const uint8_t *)"\x01\x00\x00", 3), E_OK);            /* says nothing */
    assert_int_equal(refused((const uint8_t *)"\x01\x07\x7f\x00\x00", 5), E_BAD);   /* an action there is not */
    assert_int_equal(refused((const uint8_t *)"\x01\x07\x00\x00\x00", 5), E_BAD);   /* a zero that is written */
    assert_int_equal(refused((const uint8_t *)"\x01\x07\x01\x07\x01\x00\x00", 7), E_BAD); /* twice */
    assert_int_equal(refused((const uint8_t *)"\x01\x00\x01\x01\xff\x00", 6), E_BAD); /* no UTF-8 */
    assert_int_equal(refused((const uint8_t *)"\x01\x00\x00\x00", 4), E_BAD);       /* more behind it */
    assert_int_equal(refused((const uint8_t *)"\x81\x00\x00\x00", 4), E_BAD);       /* a number longer than it need be */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same), cmocka_unit_test(test_bent), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
