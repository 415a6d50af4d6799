/* SPDX-License-Identifier: Apache-2.0
 * One line of every kind of record, as it is published: tests/golden/records.ndjson, which the schema tests check too.
 * "test_golden --write" makes the file anew; a change of it is a change of the published format. */
#include "record/feedback.h"
#include "record/alert.h"
#include "record/session_record.h"
#include "record/unmapped_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants those above first */
#include <cmocka.h>

#define GOLDEN "tests/golden/records.ndjson"
#define NS 1773976327030714000ULL

static struct ipaddr ip(const char *text)
{
    struct ipaddr a;
    assert_true(ipaddr_parse(span_text(text), &a));
    return a;
}

static void set(struct activity *a, enum activity_string which, const char *value)
{
    activity_set(a, which, span_text(value));
}

static void start(struct activity *a, enum action action)
{
    activity_init(a);
    a->action = (uint8_t)action;
    a->time_ns = NS + (uint64_t)action * 1000000007ULL;
    a->done_ns = a->time_ns + 1000;
    a->flow_hash = 0x0123456789abcdefULL * ((uint64_t)action + 1);
    a->number = (uint32_t)action;
}

static void act(struct activity *a, enum action action)
{
    start(a, action);
    a->outcome = (uint8_t)(action % 3);
    a->cred_kind = (uint8_t)(action % CRED_N);
    a->size_known = (uint8_t)(action % (SIZE_ACKNOWLEDGED + 1));
    a->flags = ACT_HAS_BODY | 1u << action % 9;
    a->source = ip("203.0.113.7");
    a->peer = (struct endpoint){ip(action % 2 ? "10.0.0.2" : "203.0.113.7"), 41234};
    a->server = (struct endpoint){ip("2001:db8::5"), 8080};
    memset(a->session, action, sizeof a->session);
    a->status = 200;
    a->body_bytes = 1000u + action;
    a->asn = 64500;
    memcpy(a->country, "SE", 3);
    a->source_class = (uint8_t)(action % NETWORK_N);
    a->client_family = 1;
    a->client_major = 147;
    a->client_os = (uint8_t)(action % OS_N);
    a->os_major = (uint16_t)(a->client_os ? action % 4 * 5 : 0);
    a->os_minor = (uint16_t)(a->os_major ? action % 3 : 0);
    static const uint32_t hints[] = {0, HINT_REFERER_OWN | HINT_PAGE, HINT_REFERER_OTHER | HINT_INTERFACE, HINT_REFERER_NONE};
    a->hints = hints[action % 4];
    a->rtt_us = action % 2 ? 0 : 23456;
    if (action % 3)
        a->so_far = (struct session_so_far){.start_ns = NS, .begin = (uint8_t)(action % SESSION_BEGIN_N), .assets = action};
    if (action % 5 == 0)
        a->so_far.values = a->so_far.start_ns ? action : 0;
    memset(a->so_far.id, action % 7 ? action : 99, sizeof a->so_far.id);
    static const char *const values[STR_N] = {
        [STR_USER] = "julia",
        [STR_APP] = "rt",
        [STR_ROUTE] = "route",
        [STR_METHOD] = "POST",
        [STR_HOST] = "support.example.test",
        [STR_TARGET] = "/Ticket/Display.html?id=4711&Token=***",
        [STR_CASE] = "4711",
        [STR_CUSTOMER] = "Globex",
        [STR_MIME] = "text/html",
        [STR_AGENT] = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0",
        [STR_CLIENT] = "Firefox 147",
        [STR_AS_ORG] = "Example Access"};
    for (int i = 0; i < STR_N; i++) {
        if (values[i])
            set(a, (enum activity_string)i, values[i]);
    }
}

static void add_activity(struct activity *a, struct text *out)
{
    activity_seal(a);
    activity_json(a, out);
}

static void add_activities(struct text *out)
{
    struct activity a;
    for (int i = 1; i < ACTION_IDENTIFY; i++) {
        act(&a, (enum action)i);
        add_activity(&a, out);
    }
    act(&a, ACTION_DOWNLOAD); /* everything at once */
    a.flags = (ACT_WRITTEN & 0xffffffu) & ~ACT_NOT_MODIFIED;
    memset(a.transfer_id, 7, sizeof a.transfer_id);
    a.transfer_bytes = INT64_MAX;
    a.transfer_coverage = 1000000;
    a.missing_bytes = 17;
    a.file_size = INT64_MAX;
    a.range_from = 5;
    set(&a, STR_FILE, "Gr\xc3\xbc\xc3\x9f\xe2\x82\xac \"x\".tar.gz");
    set(&a, STR_OBJECT, "34");
    set(&a, STR_NETWORK, "office");
    add_activity(&a, out);
    a.file = (struct file_facts){.type = FILE_HAR, .file_class = FILE_CLASS_HAR, .is_mismatch = true, .is_scanned = true,
                                 .is_cut = true, .has_sha256 = true, .expired = 2};
    for (int i = 0; i < SECRET_KINDS; i++)
        a.file.secrets[i] = (uint16_t)(i + 1);
    memset(a.file.sha256, 0x5a, sizeof a.file.sha256);
    a.number++;
    a.flags |= ACT_CLIENT_MISMATCH;
    add_activity(&a, out);
    start(&a, ACTION_LIST); /* hardly anything known */
    add_activity(&a, out);
    act(&a, ACTION_UPLOAD); /* hostile strings */
    for (int i = 0; i < STR_N; i++)
        activity_set(&a, (enum activity_string)i, span_of("\"\\\0\n\x1b[2J\xff\xe2\x80\xae</script>", 20));
    add_activity(&a, out);
    start(&a, ACTION_IDENTIFY);
    memset(a.session, 9, sizeof a.session);
    set(&a, STR_USER, "julia");
    add_activity(&a, out);
    start(&a, ACTION_AMEND);
    memset(a.amends, 8, sizeof a.amends);
    a.flags = ACT_HAS_BODY | ACT_HAS_FILE_SIZE | ACT_COMPLETE;
    a.size_known = SIZE_OBSERVED;
    a.body_bytes = a.file_size = 123456;
    set(&a, STR_CASE, "4712");
    add_activity(&a, out);
    a.flags |= ACT_RANGE | ACT_TRANSFER | ACT_TRANSFER_BYTES | ACT_TRANSFER_COVERAGE; /* a piece of a file */
    memset(a.transfer_id, 6, sizeof a.transfer_id);
    a.transfer_bytes = a.range_from = 700000;
    a.transfer_coverage = 280000;
    a.number++;
    add_activity(&a, out);
    a.flags &= ~(ACT_TRANSFER_BYTES | ACT_TRANSFER_COVERAGE); /* several pieces in one body */
    a.number++;
    add_activity(&a, out);
    start(&a, ACTION_CONNECTION);
    a.flags = ACT_ENCRYPTED;
    a.source = a.peer.ip = ip("203.0.113.7");
    a.server = (struct endpoint){ip("10.0.0.5"), 443};
    set(&a, STR_USER, "source:203.0.113.7");
    set(&a, STR_PROTOCOL, "TLS.Google");
    set(&a, STR_SNI, "support.example.test");
    add_activity(&a, out);
}

static void add_transactions(struct text *out)
{
    struct transaction t = {.flow_hash = 0x1234567890abcdefULL,
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
                            .response_body = {.bytes = 1000, .known = SIZE_OBSERVED, .is_complete = true}};
    transaction_json(&t, NULL, out);
    struct ipaddr person = ip("2001:db8::7");
    t.vlan[0] = 4095;
    t.vlan[1] = 7;
    t.tunnel = TUNNEL_GTP;
    t.proxy_protocol_client = ip("203.0.113.9");
    t.flags = 0x1ff;
    t.version_major = 2;
    t.version_minor = 0;
    t.request_body = (struct body_measure){.bytes = 70, .missing = 7, .known = SIZE_OBSERVED};
    t.response_body = (struct body_measure){.bytes = 500,
                                            .missing = 40,
                                            .declared = UINT64_MAX,
                                            .decoded = 2000,
                                            .known = SIZE_ACKNOWLEDGED,
                                            .has_declared = true,
                                            .has_decoded = true};
    t.status = 503;
    t.method = t.host = t.target = span_of("\"\\\0\n\x1b[2J\xff\xe2\x80\xae", 11);
    transaction_json(&t, &person, out);
    struct transaction half = {.client = {ip("192.0.2.10"), 1},
                               .server = {ip("192.0.2.20"), 80},
                               .response_ns = NS,
                               .end_ns = NS + 5,
                               .flags = TXN_NO_REQUEST};
    transaction_json(&half, NULL, out);
    struct tls_facts tls = {.version = 0x0304, .cipher = 0x1301, .cipher_name = "TLS_AES_128_GCM_SHA256",
                            .server_name = "support.example.test", .alpn = "h2", .sight = TLS_NO_KEYS,
                            .ja3 = "0123456789abcdef0123456789abcdef", .ja3s = "fedcba9876543210fedcba9876543210",
                            .ja4 = "t13d1516h2_8daaf6152771_02713d6af862", .has_ech = true, .is_resumed = true};
    struct closed_flow closed = {.bytes = {2048, 5300000}, .missing = {0, 1448}, .first_byte_ns = 18000000,
                                 .bursts = 7, .downloads = 1, .download_bytes = 5242880, .largest = 5242880};
    struct transaction shut = {.client = t.client, .server = t.server, .request_ns = NS, .end_ns = NS + 5,
                               .flow_hash = 7, .tls = &tls, .closed = &closed};
    transaction_json(&shut, NULL, out);
    tls.sight = TLS_OPEN;
    half.tls = &tls;
    transaction_json(&half, NULL, out);
}

static void add_alerts(struct text *out)
{
    static const struct rule theft = {.id = "D15",
                                      .name = "Download after new location or client",
                                      .action = "download-after-new-location",
                                      .category = "context",
                                      .description = "A file was fetched soon after a session began from a new place.",
                                      .first_step = "End the session and ask the person.",
                                      .tactics = {"TA0009", "TA0001"},
                                      .techniques = {"T1213.004", "T1213", "T1078"}};
    static const struct rule blind = {
        .id = "D25", .name = "Sensor blind", .action = "blind", .category = "own", .description = "", .first_step = ""};
    struct alert *a = test_calloc(1, sizeof *a);
    a->rule = &theft;
    memset(a->id, 0x5a, sizeof a->id);
    a->start_ns = NS;
    a->time_ns = NS + 14000000000ULL;
    a->bits = 20.4;
    a->risk = 91;
    a->n_acts = 50;
    a->n_files = 41;
    a->n_bytes = 2345678901ULL;
    a->update = 1;
    act(&a->last, ACTION_DOWNLOAD);
    set(&a->last, STR_FILE, "core.gz");
    activity_seal(&a->last);
    alert_why(a, "source.geo.country_iso_code", "BT", "SE (41 of 41 sessions)", 12.4);
    alert_why(a, "casetap.client.name", "\x1b[2J\xff", "", -1.25);
    alert_relate_customer(a, SPAN("Globex"));
    alert_relate_user(a, SPAN("tomas"));
    alert_relate_user(a, SPAN("julia"));
    alert_relate_ip(a, &(struct ipaddr){.bytes = {0x20, 1}});
    snprintf(a->blind, sizeof a->blind, "the sessions before 03:00 were not on the tap");
    alert_json(a, out);
    memset(a, 0, sizeof *a);
    a->rule = &blind;
    a->time_ns = NS;
    alert_json(a, out);
    test_free(a);
}

static void add_sessions(struct text *out)
{
    struct session_record r = {.start_ns = NS, .last_ns = NS + 9000000000ULL, .end_ns = NS + 9000000000ULL,
                               .until_s = 1773977400, .begin = SESSION_BEGIN_LOGIN, .end = SESSION_END_LOGOUT,
                               .cred_kind = CRED_COOKIE, .n_order = 3, .n_contexts = 2, .n_more_contexts = 1, .acts = 7,
                               .failures = 1, .pages = 4, .api = 2, .assets = 31, .referer_own = 5, .referer_other = 1,
                               .referer_none = 1, .values = 40, .forks = 3, .foreign_forks = 1, .late = 1, .copied = 1,
                               .order = {ACTION_LOGIN, ACTION_VIEW_CASE, ACTION_LOGOUT}, .intervals = 6,
                               .interval_mean_s = 1.5, .interval_m2 = 3.25, .user_size = 5, .app_size = 2,
                               .user = "julia", .app = "rt"};
    memset(r.id, 9, sizeof r.id);
    r.actions[ACTION_LOGIN] = r.actions[ACTION_LOGOUT] = 1;
    r.actions[ACTION_VIEW_CASE] = 5;
    r.contexts[0] = (struct session_context){.first_ns = NS, .last_ns = NS + 1, .ip = ip("203.0.113.7"), .asn = 64500, .count = 6,
                                             .country = "SE", .client = "Firefox 147",
                                             .ja4 = "t13d1516h2_8daaf6152771_02713d6af862"};
    r.contexts[1] = (struct session_context){.first_ns = NS, .last_ns = NS, .ip = ip("2001:db8::7"), .count = 1};
    session_record_json(&r, out);
    for (uint8_t i = 0; i < SESSION_BEGIN_N; i++)
        for (uint8_t k = 0; k < SESSION_END_N; k++) { /* hardly anything known */
            struct session_record bare = {.start_ns = NS, .end_ns = NS, .begin = i, .end = k, .acts = 1};
            session_record_json(&bare, out);
        }
}

static void add_unmapped(struct text *out)
{
    struct unmapped_row row = {.profile = SPAN("rt"), .host = "support.example.test", .method = "GET",
                               .template = "/Plugin/Export/{n}/{file}.har?view=all", .requests = 12, .refused = 1, .files = 9,
                               .bytes = 123456, .first_ns = NS, .last_ns = NS + 3600000000000ULL, .credentials = 2};
    unmapped_json(&row, out);
    row = (struct unmapped_row){.profile = SPAN("generic"), .host = "10.0.0.7", .template = "/**", .first_ns = NS, .last_ns = NS};
    unmapped_json(&row, out);
}

static void add_feedback(struct text *out)
{
    struct feedback f = {.time_ns = NS, .alerted_ns = NS - 60000000000ULL, .verdict = VERDICT_BENIGN, .source = ip("203.0.113.7"),
                         .asn = 64500, .country = "SE", .files = 8, .cases = 5, .customers = 4, .bytes = 388922,
                         .user = "julia", .rule = "D15", .agent = "Mozilla/5.0 (X11)", .client = "Firefox 147", .by = "ann",
                         .why = "travels"};
    memset(f.alert, 3, sizeof f.alert);
    memset(f.session, 4, sizeof f.session);
    feedback_seal(&f);
    feedback_json(&f, out);
    f.verdict = VERDICT_MALICIOUS;
    f.since_ns = NS - 3600000000000ULL;
    f.until_ns = NS + 3600000000000ULL;
    feedback_seal(&f);
    feedback_json(&f, out);
    struct feedback suppress = {.time_ns = NS, .until_ns = NS + 1, .verdict = VERDICT_SUPPRESS, .rule = "D10", .has_place = true};
    assert_true(prefix_parse(SPAN("2001:db8::/32"), &suppress.place));
    feedback_seal(&suppress);
    feedback_json(&suppress, out);
    struct feedback undo = {.time_ns = NS, .verdict = VERDICT_UNDO};
    memcpy(undo.undoes, f.id, sizeof undo.undoes);
    feedback_seal(&undo);
    feedback_json(&undo, out);
}

static void all_records(struct text *out)
{
    add_activities(out);
    add_transactions(out);
    add_alerts(out);
    add_sessions(out);
    add_unmapped(out);
    add_feedback(out);
}

static void as_published(void **state)
{
    (void)state;
    struct text made = {0}, golden = {0};
    FILE *f = fopen(GOLDEN, "rb");
    assert_non_null(f);
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;)
        text_add(&golden, span_of(part, n));
    fclose(f);
    all_records(&made);
    struct span left = text_span(&made), right = text_span(&golden), one, two;
    while (span_split(&left, '\n', &one)) {
        assert_true(span_split(&right, '\n', &two));
        if (!span_eq(one, two))
            fail_msg("made   %.*s\ngolden %.*s", (int)one.size, (const char *)one.at, (int)two.size,
                     (const char *)two.at);
    }
    assert_false(span_split(&right, '\n', &two));
    text_fini(&made);
    text_fini(&golden);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--write") == 0) {
        struct text made = {0};
        all_records(&made);
        FILE *f = fopen(GOLDEN, "wb");
        bool ok = f && fwrite(made.at, 1, made.size, f) == made.size;
        ok = f && fclose(f) == 0 && ok;
        text_fini(&made);
        return ok ? 0 : 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_published)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
