/* SPDX-License-Identifier: Apache-2.0
 * Transactions: their line in the log, and their id. */
#include "record/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants those above first */
#include <cmocka.h>

#define NS 1773976327030714000ULL

static struct ipaddr ip(const char *text)
{
    struct ipaddr a;
    assert_true(ipaddr_parse(span_text(text), &a));
    return a;
}

static struct transaction plain(void)
{
    return (struct transaction){
        .flow_hash = 0x1234567890abcdefULL,
        .number = 2,
        .client = {ip("192.0.2.10"), 50123},
        .server = {ip("192.0.2.20"), 80},
        .request_ns = NS,
        .request_end_ns = NS + 10,
        .response_ns = NS + 1000,
        .end_ns = NS + 2000,
        .method = SPAN("GET"),
        .target = SPAN("/a?b=1&token=0a1b2c3d4e5f"),
        .host = SPAN("support.example.test"),
        .version_major = 1,
        .version_minor = 1,
        .request_body = {.known = SIZE_OBSERVED, .is_complete = true},
        .status = 200,
        .response_body = {.bytes = 1000, .known = SIZE_OBSERVED, .is_complete = true},
    };
}

static void assert_in(const struct text *line, const char *part)
{
    if (!strstr(text_str(line), part))
        fail_msg("no %s in %s", part, text_str(line));
}

static void assert_not_in(const struct text *line, const char *part)
{
    if (strstr(text_str(line), part))
        fail_msg("%s in %s", part, text_str(line));
}

static void writes_what_it_says(void **state)
{
    (void)state;
    struct transaction t = plain();
    struct text out = {0};
    transaction_json(&t, NULL, &out);
    char *id = strstr(out.at, "\"id\":\"");
    assert_non_null(id);
    memset(id + 6, 'x', 32);
    assert_string_equal(
        out.at,
        "{\"@timestamp\":\"2026-03-20T03:12:07.030714000Z\",\"ecs\":{\"version\":\"9.4.0\"},"
        "\"event\":{\"kind\":\"event\",\"category\":[\"web\"],\"type\":[\"access\"],\"outcome\":\"success\","
        "\"id\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\",\"module\":\"casetap\",\"dataset\":\"casetap.transaction\","
        "\"start\":\"2026-03-20T03:12:07.030714000Z\",\"end\":\"2026-03-20T03:12:07.030716000Z\",\"duration\":2000},"
        "\"source\":{\"ip\":\"192.0.2.10\",\"port\":50123},\"destination\":{\"ip\":\"192.0.2.20\",\"port\":80},"
        "\"network\":{\"transport\":\"tcp\",\"protocol\":\"http\"},"
        "\"url\":{\"domain\":\"support.example.test\",\"original\":\"/a?b=1&token=***\"},"
        "\"http\":{\"version\":\"1.1\",\"request\":{\"method\":\"GET\",\"body\":{\"bytes\":0}},"
        "\"response\":{\"status_code\":200,\"body\":{\"bytes\":1000}}},"
        "\"observer\":{\"vendor\":\"casetap\",\"product\":\"casetap\",\"type\":\"sensor\"},"
        "\"casetap\":{\"schema\":1,\"body\":{\"known\":\"observed\",\"missing_bytes\":0,\"complete\":true},"
        "\"flow\":\"1234567890abcdef\",\"n\":2}}\n");
    text_fini(&out);
}

static void says_what_is_special(void **state)
{
    (void)state;
    struct transaction t = plain();
    struct text out = {0};
    struct ipaddr person = ip("2001:db8::7");
    t.vlan[0] = 100;
    t.vlan[1] = 7;
    t.tunnel = TUNNEL_ERSPAN;
    t.proxy_protocol_client = ip("203.0.113.9");
    t.flags = TXN_ABORTED | TXN_GAP | TXN_MIDSTREAM | TXN_PUSHED | TXN_PARTIAL;
    t.stream_id = 41;
    t.version_major = 2;
    t.version_minor = 0;
    t.request_body = (struct body_measure){.bytes = 70, .missing = 7, .known = SIZE_OBSERVED};
    t.response_body = (struct body_measure){.bytes = 500,
                                            .missing = 40,
                                            .declared = 900,
                                            .decoded = 2000,
                                            .known = SIZE_ACKNOWLEDGED,
                                            .has_declared = true,
                                            .has_decoded = true};
    t.status = 503;
    transaction_json(&t, &person, &out);
    assert_in(&out, "\"vlan\":[100,7],\"tunnel\":\"erspan\"");
    assert_in(&out, "\"flags\":[\"aborted\",\"gap\",\"midstream\",\"pushed\",\"partial\"]");
    assert_in(&out, "\"forwarded_ip\":\"2001:db8::7\"");
    assert_in(&out, "\"proxy_protocol\":{\"ip\":\"203.0.113.9\"}");
    assert_in(&out, "\"http2\":{\"stream\":41},\"flow\":");
    assert_in(&out, "\"version\":\"2\"");
    assert_in(&out, "\"outcome\":\"failure\"");
    assert_in(&out, "\"body\":{\"known\":\"acknowledged\",\"missing_bytes\":40,\"declared_bytes\":900,"
                    "\"decoded_bytes\":2000,\"complete\":false}");
    assert_in(&out, "\"request_body\":{\"known\":\"observed\",\"missing_bytes\":7,\"complete\":false}");
    text_fini(&out);
}

static void tells_mapped_addresses(void **state)
{
    (void)state;
    struct transaction t = {.client = {ip("192.0.2.10"), 1}, .server = {ip("2001:db8::1"), 80}, .response_ns = NS, .is_ip6 = true};
    struct text out = {0};
    transaction_json(&t, NULL, &out);
    assert_in(&out, "\"source\":{\"ip\":\"::ffff:192.0.2.10\",");
    assert_in(&out, "\"destination\":{\"ip\":\"2001:db8::1\",");
    text_fini(&out);
}

/* What was not seen is absent, not zero. */
static void leaves_out_the_unknown(void **state)
{
    (void)state;
    struct transaction t = {.client = {ip("192.0.2.10"), 1},
                            .server = {ip("192.0.2.20"), 80},
                            .response_ns = NS,
                            .end_ns = NS + 5,
                            .flags = TXN_NO_REQUEST};
    struct text out = {0};
    transaction_json(&t, NULL, &out);
    assert_in(&out, "{\"@timestamp\":\"2026-03-20T03:12:07.030714000Z\"");
    assert_in(&out, "\"http\":{}");
    static const char *const absent[] = {"url",     "status_code",    "method",       "version\":\"0",
                                         "outcome", "\"bytes\"",      "forwarded_ip", "vlan",
                                         "tunnel",  "proxy_protocol", "request_body"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_not_in(&out, absent[i]);
    text_fini(&out);
}

/* A target larger than the writer's own buffer comes out whole, and still masked. */
static void long_target(void **state)
{
    (void)state;
    struct transaction t = plain();
    struct text target = {0}, masked = {0}, out = {0};
    text_add_str(&target, "/a?");
    for (int i = 0; i < 4000; i++)
        text_addf(&target, "n%d=%d&token=0a1b2c3d4e5f&", i, i);
    target_mask(text_span(&target), &masked);
    t.target = text_span(&target);
    transaction_json(&t, NULL, &out);
    assert_false(out.is_cut);
    assert_true(masked.size > 16384);
    assert_in(&out, text_str(&masked));
    text_fini(&target);
    text_fini(&masked);
    text_fini(&out);
}

static void hostile_strings(void **state)
{
    (void)state;
    struct transaction t = plain();
    struct text out = {0};
    t.method = span_of("G\"E\\T\0\x1b[2J", 10);
    t.host = SPAN("h\xff\xc3\n\xe2\x80\xae");
    t.target = SPAN("/\"},\"evil\":{\"\x7f\x80");
    transaction_json(&t, NULL, &out);
    assert_in(&out, "\"method\":\"G\\\"E\\\\T\\u0000\\u001b[2J\"");
    assert_in(&out, "\"domain\":\"h\xef\xbf\xbd\xef\xbf\xbd\\n\xe2\x80\xae\"");
    assert_in(&out, "\"original\":\"/\\\"},\\\"evil\\\":{\\\"\\u007f\xef\xbf\xbd\"");
    assert_ptr_equal(strchr(text_str(&out), '\n'), out.at + out.size - 1);
    text_fini(&out);
}

static void id_is_content(void **state)
{
    (void)state;
    struct transaction t = plain(), same = plain();
    uint8_t id[16], other[16];
    transaction_id(&t, id);
    same.note = &same; /* where it stands in memory does not matter */
    transaction_id(&same, other);
    assert_memory_equal(id, other, 16);
    struct transaction changed[8];
    for (int i = 0; i < 8; i++)
        changed[i] = plain();
    changed[0].client.port++;
    changed[1].server.port++;
    changed[2].client.ip.bytes[15]++;
    changed[3].request_ns++;
    changed[4].response_ns++;
    changed[5].end_ns++;
    changed[6].number++;
    changed[7].flow_hash++;
    for (int i = 0; i < 8; i++) {
        transaction_id(&changed[i], other);
        assert_memory_not_equal(id, other, 16);
    }
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(size_known_name(SIZE_UNKNOWN), "unknown");
    assert_string_equal(size_known_name(SIZE_ACKNOWLEDGED), "acknowledged");
    assert_string_equal(size_known_name(SIZE_REFRAMED), "reframed");
    assert_string_equal(tunnel_name(TUNNEL_GTP), "gtp");
    assert_string_equal(tunnel_name((enum tunnel_kind)99), "none");
    for (uint32_t bit = 1; bit <= TXN_PARTIAL; bit <<= 1)
        assert_non_null(transaction_flag_name(bit));
    assert_null(transaction_flag_name(TXN_PARTIAL << 1));
    assert_null(transaction_flag_name(TXN_GAP | TXN_CUT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_it_says),
        cmocka_unit_test(says_what_is_special),
        cmocka_unit_test(tells_mapped_addresses),
        cmocka_unit_test(leaves_out_the_unknown),
        cmocka_unit_test(long_target),
        cmocka_unit_test(hostile_strings),
        cmocka_unit_test(id_is_content),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
