/* SPDX-License-Identifier: Apache-2.0
 * Activities: strings in the tail, ids, and the way through JSON and back. */
#include "record/activity.h"
#include "base/err.h"
#include "record/ecs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants those above first */
#include <cmocka.h>

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

/* A download with everything known. */
static void full(struct activity *a)
{
    activity_init(a);
    a->time_ns = 1773976327030714000ULL;
    a->done_ns = a->time_ns + 1234567;
    a->flow_hash = 0xfedcba9876543210ULL;
    a->number = 7;
    a->action = ACTION_DOWNLOAD;
    a->outcome = OUTCOME_SUCCESS;
    a->cred_kind = CRED_COOKIE;
    a->size_known = SIZE_RANGE;
    a->flags = ACT_HAS_BODY | ACT_HAS_FILE_SIZE | ACT_RANGE | ACT_PARTIAL | ACT_COMPLETE | ACT_MACHINE;
    a->source = ip("203.0.113.7");
    a->peer = (struct endpoint){ip("10.0.0.2"), 41234};
    a->server = (struct endpoint){ip("2001:db8::5"), 8080};
    memset(a->session, 0xab, sizeof a->session);
    a->status = 206;
    a->body_bytes = 1000;
    a->missing_bytes = 20;
    a->file_size = 5000000000ULL;
    a->range_from = 4999999000ULL;
    a->asn = 64500;
    memcpy(a->country, "BT", 3);
    a->source_class = NETWORK_VPN;
    a->client_family = 3;
    a->client_major = 147;
    a->client_os = OS_MACOS;
    a->os_major = 10;
    a->os_minor = 15;
    static const char *const values[STR_N] = {[STR_USER] = "julia",
                                              [STR_CLAIM] = "julia",
                                              [STR_APP] = "rt",
                                              [STR_ROUTE] = "attachment",
                                              [STR_METHOD] = "GET",
                                              [STR_HOST] = "support.example.test",
                                              [STR_TARGET] = "/Ticket/Attachment/12/34/core%20dump.tar.gz?a=1",
                                              [STR_CASE] = "4711",
                                              [STR_CUSTOMER] = "Gr\xc3\xbc\xc3\x9f & Co",
                                              [STR_FILE] = "core dump.tar.gz",
                                              [STR_OBJECT] = "34",
                                              [STR_MIME] = "application/gzip",
                                              [STR_AGENT] = "Mozilla/5.0 \"quoted\" \\ back\tslash",
                                              [STR_CLIENT] = "Firefox 147",
                                              [STR_AS_ORG] = "Example Hosting",
                                              [STR_NETWORK] = "office",
                                              [STR_PROTOCOL] = "",
                                              [STR_SNI] = ""};
    for (int i = 0; i < STR_N; i++)
        set(a, (enum activity_string)i, values[i]);
    activity_seal(a);
}

static void writes_what_it_says(void **state)
{
    (void)state;
    struct activity a;
    struct text out = {0};
    full(&a);
    memset(a.id, 0x11, sizeof a.id);
    activity_json(&a, &out);
    assert_string_equal(
        text_str(&out),
        "{\"@timestamp\":\"2026-03-20T03:12:07.030714000Z\",\"ecs\":{\"version\":\"9.4.0\"},"
        "\"event\":{\"kind\":\"event\",\"category\":[\"web\",\"file\"],\"type\":[\"access\"],\"action\":\"download\","
        "\"outcome\":\"success\",\"id\":\"11111111111111111111111111111111\",\"module\":\"casetap\","
        "\"dataset\":\"casetap.activity\"},\"user\":{\"name\":\"julia\"},"
        "\"source\":{\"ip\":\"203.0.113.7\",\"geo\":{\"country_iso_code\":\"BT\"},"
        "\"as\":{\"number\":64500,\"organization\":{\"name\":\"Example Hosting\"}}},"
        "\"destination\":{\"ip\":\"2001:db8::5\",\"port\":8080},"
        "\"url\":{\"domain\":\"support.example.test\",\"original\":\"/Ticket/Attachment/12/34/core%20dump.tar.gz?a=1\","
        "\"path\":\"/Ticket/Attachment/12/34/core%20dump.tar.gz\"},"
        "\"http\":{\"request\":{\"method\":\"GET\"},\"response\":{\"status_code\":206,\"body\":{\"bytes\":1000}}},"
        "\"user_agent\":{\"original\":\"Mozilla/5.0 \\\"quoted\\\" \\\\ back\\tslash\","
        "\"name\":\"Firefox\",\"version\":\"147\",\"os\":{\"name\":\"macOS\",\"version\":\"10.15\"}},"
        "\"file\":{\"name\":\"core dump.tar.gz\",\"extension\":\"gz\",\"size\":5000000000},"
        "\"network\":{\"transport\":\"tcp\",\"protocol\":\"http\"},"
        "\"related\":{\"ip\":[\"203.0.113.7\",\"10.0.0.2\",\"2001:db8::5\"],\"user\":[\"julia\"]},"
        "\"observer\":{\"vendor\":\"casetap\",\"product\":\"casetap\",\"type\":\"sensor\"},"
        "\"casetap\":{\"schema\":2,\"app\":\"rt\",\"route\":\"attachment\",\"case\":{\"id\":\"4711\"},"
        "\"customer\":{\"name\":\"Gr\xc3\xbc\xc3\x9f & Co\"},\"object\":{\"id\":\"34\"},"
        "\"session\":{\"id\":\"abababababababababababababababab\"},\"credential\":{\"kind\":\"cookie\"},"
        "\"peer\":{\"ip\":\"10.0.0.2\",\"port\":41234},\"source\":{\"network\":\"office\",\"class\":\"vpn\"},"
        "\"client\":{\"name\":\"Firefox 147\",\"family\":3,\"major\":147},\"media_type\":\"application/gzip\","
        "\"body\":{\"known\":\"range\",\"missing_bytes\":20,\"complete\":true},\"range\":{\"from\":4999999000},"
        "\"flags\":[\"partial\",\"machine\",\"range\"],\"done\":\"2026-03-20T03:12:07.031948567Z\","
        "\"flow\":\"fedcba9876543210\",\"n\":7}}\n");
    text_fini(&out);
}

/* json(parse(json(a))) is json(a), and the id can be made again from what was read. */
static void assert_round_trip(struct activity *a)
{
    struct activity b;
    struct text first = {0}, second = {0}, why = {0};
    activity_seal(a);
    activity_json(a, &first);
    assert_false(first.is_cut);
    if (activity_parse(text_span(&first), &b, &why) != E_OK)
        fail_msg("%s in %s", text_str(&why), text_str(&first));
    activity_json(&b, &second);
    assert_string_equal(text_str(&first), text_str(&second));
    activity_seal(&b);
    assert_memory_equal(a->id, b.id, sizeof a->id);
    assert_int_equal(a->flow_hash, b.flow_hash);
    assert_int_equal(a->done_ns, b.done_ns);
    text_fini(&first);
    text_fini(&second);
    text_fini(&why);
}

static uint64_t next(uint64_t *seed) /* xorshift64, Marsaglia 2003 */
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void scramble_transfer(struct activity *a, uint64_t *seed)
{
    if (!(a->flags & ACT_TRANSFER))
        a->flags &= ~ACT_TRANSFER_BYTES;
    if (!(a->flags & ACT_TRANSFER_BYTES))
        a->flags &= ~(ACT_TRANSFER_COVERAGE | ACT_TRANSFER_COMPLETE | ACT_TRANSFER_UNSURE);
    for (int i = 0; i < 16; i += 8)
        memcpy(a->transfer_id + i, &(uint64_t){next(seed)}, 8);
    a->transfer_bytes = next(seed);
    a->transfer_coverage = (uint32_t)(next(seed) % 1000001);
    a->resource = next(seed);
    a->validator = next(seed);
    a->total = next(seed);
}

static void scramble(struct activity *a, uint64_t *seed)
{
    uint8_t noise[2000];
    activity_init(a);
    a->time_ns = next(seed) % 4000000000000000000ULL;
    a->done_ns = next(seed) % 4000000000000000000ULL;
    a->flow_hash = next(seed);
    a->number = (uint32_t)next(seed);
    a->action = (uint8_t)(1 + next(seed) % (ACTION_N - 1));
    a->outcome = (uint8_t)(next(seed) % 3);
    a->cred_kind = (uint8_t)(next(seed) % CRED_N);
    a->size_known = (uint8_t)(next(seed) % (SIZE_REFRAMED + 1));
    a->flags = (uint32_t)next(seed) & 0xcffffffu;
    a->assertion = (uint8_t)(1 + next(seed) % (ASSERTION_N - 1)); /* only then do issuer and tenant stand there */
    a->asserted = (uint8_t)(next(seed) % 32);
    a->token_age_s = (int32_t)next(seed);
    a->token_left_s = (int32_t)next(seed);
    scramble_transfer(a, seed);
    memcpy(a->amends, &(uint64_t){next(seed)}, 8);
    for (int i = 0; i < 16; i += 8) {
        uint64_t r[3] = {next(seed), next(seed), next(seed)};
        memcpy(a->source.bytes + i, &r[0], 8);
        memcpy(a->peer.ip.bytes + i, &r[1], 8);
        memcpy(a->session + i, &r[2], 8);
    }
    if (next(seed) % 2)
        a->server.ip = ip(next(seed) % 2 ? "0.0.0.0" : "192.0.2.1");
    a->peer.port = (uint16_t)next(seed);
    a->server.port = (uint16_t)(next(seed) % 3);
    a->doubt = (uint8_t)(next(seed) % 100);
    a->status = (uint16_t)next(seed);
    a->body_bytes = next(seed);
    a->missing_bytes = next(seed) % 3;
    a->file_size = next(seed);
    a->range_from = next(seed);
    a->asn = (uint32_t)next(seed);
    if (next(seed) % 2)
        memcpy(a->country, "SE", 3);
    a->source_class = (uint8_t)(next(seed) % NETWORK_N);
    a->client_family = (uint16_t)next(seed);
    a->client_major = (uint16_t)(next(seed) % 3);
    for (int i = 0; i < STR_N; i++) {
        size_t size = next(seed) % (next(seed) % 4 ? 40 : sizeof noise);
        for (size_t k = 0; k < size; k++)
            noise[k] = (uint8_t)(next(seed) % 3 ? next(seed) % 96 + 32 : next(seed));
        activity_set(a, (enum activity_string)i, span_of(noise, size));
    }
    a->client_os = a->size[STR_AGENT] ? (uint8_t)(next(seed) % OS_N) : OS_UNKNOWN;
    a->os_major = a->client_os && next(seed) % 3 ? (uint16_t)next(seed) : 0;
    a->os_minor = a->os_major ? (uint16_t)(next(seed) % 3) : 0;
}

static void comes_back_the_same(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252ULL;
    struct activity a;
    full(&a);
    assert_round_trip(&a);
    activity_init(&a);
    a.action = ACTION_LIST;
    assert_round_trip(&a);
    for (int i = 0; i < 3000; i++) {
        scramble(&a, &seed);
        assert_round_trip(&a);
    }
}

/* What identity and detectors add or change shows in the id; what is not written out does not. */
static void id_is_content(void **state)
{
    (void)state;
    struct activity a, b;
    full(&a);
    full(&b);
    assert_memory_equal(a.id, b.id, sizeof a.id);

    set(&b, STR_CASE, "a longer case name than before, in another place of the tail");
    set(&b, STR_CASE, "4711");
    set(&b, STR_CLAIM, "somebody else");
    b.flags |= ACT_CANDIDATE;
    b.resource = b.validator = b.total = 1;
    memset(b.new_session, 1, sizeof b.new_session);
    activity_seal(&b);
    assert_memory_equal(a.id, b.id, sizeof a.id);

    for (int i = 0; i < STR_N; i++) {
        if (i == STR_CLAIM)
            continue;
        full(&b);
        set(&b, (enum activity_string)i, "changed");
        activity_seal(&b);
        assert_memory_not_equal(a.id, b.id, sizeof a.id);
    }
    full(&b);
    set(&b, STR_CASE, "47");
    set(&b, STR_CUSTOMER, "11Gr\xc3\xbc\xc3\x9f & Co"); /* the border between strings counts */
    activity_seal(&b);
    assert_memory_not_equal(a.id, b.id, sizeof a.id);
    full(&b);
    b.number++;
    activity_seal(&b);
    assert_memory_not_equal(a.id, b.id, sizeof a.id);
    full(&b);
    b.body_bytes = 0;
    activity_seal(&b);
    assert_memory_not_equal(a.id, b.id, sizeof a.id);
}

/* What the User-Agent comes to, as ECS calls it; each fact is part of the id. */
static void says_what_client(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        uint16_t major, os_major, os_minor;
        uint8_t os;
        const char *part;
    } cases[] = {
        {"Edge 146", 146, 10, 0, OS_WINDOWS,
         "\"name\":\"Edge\",\"version\":\"146\",\"os\":{\"name\":\"Windows\",\"version\":\"10\"}}"},
        {"Internet Explorer 8", 8, 5, 1, OS_WINDOWS,
         "\"name\":\"Internet Explorer\",\"version\":\"8\",\"os\":{\"name\":\"Windows\",\"version\":\"5.1\"}}"},
        {"Safari 17", 17, 65535, 65535, OS_IOS,
         "\"name\":\"Safari\",\"version\":\"17\",\"os\":{\"name\":\"iOS\",\"version\":\"65535.65535\"}}"},
        {"Chrome 9", 9, 0, 0, OS_LINUX, "\"name\":\"Chrome\",\"version\":\"9\",\"os\":{\"name\":\"Linux\"}}"},
        {"python-httpx", 0, 0, 0, OS_UNKNOWN, "slash\",\"name\":\"python-httpx\"}"},
        {"tool7 3", 3, 0, 0, OS_UNKNOWN, "\"name\":\"tool7\",\"version\":\"3\"}"},
        {"7", 7, 0, 0, OS_UNKNOWN, "\"name\":\"7\",\"version\":\"7\"}"},
        {"", 0, 0, 0, OS_UNKNOWN, "slash\"},\"file\""},
    };
    struct activity a;
    uint8_t last[sizeof a.id] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text out = {0};
        full(&a);
        set(&a, STR_CLIENT, cases[i].label);
        a.client_major = cases[i].major;
        a.client_os = cases[i].os;
        a.os_major = cases[i].os_major;
        a.os_minor = cases[i].os_minor;
        a.flags |= ACT_CLIENT_MISMATCH;
        assert_round_trip(&a);
        activity_json(&a, &out);
        if (!strstr(text_str(&out), cases[i].part) || !strstr(text_str(&out), "\"client_mismatch\""))
            fail_msg("%s not in %s", cases[i].part, text_str(&out));
        text_fini(&out);
        memcpy(last, a.id, sizeof last);
        a.os_minor++;
        a.client_os = OS_TIZEN;
        activity_seal(&a);
        assert_memory_not_equal(last, a.id, sizeof last);
    }
}

/* Who vouches for a credential, since when, and whom it acts for. */
static void says_who_vouches(void **state)
{
    (void)state;
    struct activity a, b;
    struct text out = {0}, why = {0};
    full(&a);
    set(&a, STR_ACTS_FOR, "eve");
    set(&a, STR_ISSUER, "https://idp.example");
    set(&a, STR_TENANT, "t1");
    a.assertion = ASSERTION_JWT;
    a.asserted = ASSERTED_SIGNED | ASSERTED_AGE | ASSERTED_EXPIRY;
    a.token_age_s = 3700;
    a.token_left_s = -100;
    a.flags |= ACT_TOKEN_EXPIRED | ACT_SERVICE;
    assert_round_trip(&a);
    activity_json(&a, &out);
    static const char *const parts[] = {
        "\"user\":{\"name\":\"julia\",\"effective\":{\"name\":\"eve\"}}",
        "\"user\":[\"julia\",\"eve\"]",
        "\"identity\":{\"kind\":\"jwt\",\"issuer\":\"https://idp.example\",\"tenant\":\"t1\",\"signed\":true,\"encrypted\":false},"
        "\"token\":{\"age_seconds\":3700,\"expires_seconds\":-100},\"user\":{\"service\":true}",
        "\"token_expired\"",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_non_null(strstr(text_str(&out), parts[i]));
    b = a;
    b.token_left_s = -101; /* each fact is part of the id */
    activity_seal(&b);
    assert_memory_not_equal(a.id, b.id, sizeof a.id);
    full(&a);
    a.assertion = ASSERTION_SAML;
    a.asserted = ASSERTED_ENCRYPTED | ASSERTED_AMBIGUOUS;
    set(&a, STR_USER, "");
    set(&a, STR_ACTS_FOR, "eve");
    assert_round_trip(&a);
    assert_int_equal(activity_parse(SPAN("{\"casetap\":{\"identity\":{\"kind\":\"jwt\",\"signed\":1},\"token\":{\"age_seconds\":4294967296}}}"), &a, &why), E_BAD);
    text_fini(&out);
    text_fini(&why);
}

/* What a file's content showed comes back the same; each part of it makes another id. */
static void files(void **state)
{
    (void)state;
    struct activity a;
    uint8_t ids[5][16];
    full(&a);
    memcpy(ids[0], a.id, 16);
    a.file = (struct file_facts){.type = FILE_HAR, .file_class = FILE_CLASS_HAR};
    assert_round_trip(&a);
    memcpy(ids[1], a.id, 16);
    a.file.is_mismatch = a.file.is_scanned = true; /* looked through, and nothing found */
    assert_round_trip(&a);
    memcpy(ids[2], a.id, 16);
    for (int i = 0; i < SECRET_KINDS; i++)
        a.file.secrets[i] = (uint16_t)(i + 1);
    a.file.expired = 7;
    a.file.is_cut = true;
    assert_round_trip(&a);
    memcpy(ids[3], a.id, 16);
    a.file.has_sha256 = true;
    memset(a.file.sha256, 0x5a, sizeof a.file.sha256);
    assert_round_trip(&a);
    memcpy(ids[4], a.id, 16);
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(ids[i], ids[k], 16);
    struct text out = {0};
    activity_json(&a, &out);
    assert_non_null(strstr(text_str(&out), "\"mime_type\":\"application/json\",\"hash\":{\"sha256\":\"5a5a5a"));
    assert_non_null(strstr(text_str(&out),
                           "\"file\":{\"class\":\"har\",\"type\":\"har\",\"mismatch\":true,\"secrets\":{\"total\":36,"
                           "\"live\":29,\"cut\":true,\"kinds\":{\"cookie\":1,\"bearer\":2,"));
    text_fini(&out);
    activity_init(&a);
    for (int i = 1; i < FILE_TYPES; i++) {
        full(&a);
        a.file = (struct file_facts){.type = (uint8_t)i, .file_class = (uint8_t)(i % FILE_CLASSES)};
        assert_round_trip(&a);
    }
}

static void strings_have_room(void **state)
{
    (void)state;
    struct activity a;
    char big[6000];
    memset(big, 'x', sizeof big);
    activity_init(&a);
    for (int i = 0; i < STR_N; i++) { /* the longest of all, several times over: each keeps its own room */
        for (int again = 0; again < 3; again++)
            activity_set(&a, (enum activity_string)i, span_of(big, 1 + (size_t)again * 2999));
    }
    assert_true(a.flags & ACT_CUT);
    size_t sum = 0;
    for (int i = 0; i < STR_N; i++) {
        struct span s = activity_get(&a, (enum activity_string)i);
        assert_true(s.size >= 32);
        assert_true(s.at + s.size <= (uint8_t *)a.tail + a.tail_used);
        for (size_t k = 0; k < s.size; k++)
            assert_int_equal(s.at[k], 'x');
        sum += s.size;
    }
    assert_int_equal(sum, ACTIVITY_TAIL_MAX);
    assert_int_equal(a.size[STR_AGENT], 256);
    assert_true(activity_size(&a) <= sizeof a);
}

static void strings_replace_and_alias(void **state)
{
    (void)state;
    struct activity a;
    activity_init(&a);
    set(&a, STR_CLAIM, "julia");
    activity_set(&a, STR_USER, activity_get(&a, STR_CLAIM));
    assert_true(span_eq(activity_get(&a, STR_USER), SPAN("julia")));
    for (int i = 0; i < 5000; i++) { /* growing and shrinking never runs out of tail */
        char name[24];
        int n = snprintf(name, sizeof name, "%d%.*s", i, i % 13, "abcdefghijklm");
        activity_set(&a, i % 2 ? STR_USER : STR_CASE, span_of(name, (size_t)n));
        assert_true(span_eq(activity_get(&a, i % 2 ? STR_USER : STR_CASE), span_of(name, (size_t)n)));
        assert_true(span_eq(activity_get(&a, STR_CLAIM), SPAN("julia")));
    }
    char fill[768];
    memset(fill, 'y', sizeof fill);
    activity_set(&a, STR_TARGET, span_of(fill, 740));
    activity_set(&a, STR_FILE, span_of(fill, 500));
    while (a.tail_used < ACTIVITY_TAIL_MAX - 1) { /* fill up, so that the next set must move what it reads from */
        activity_set(&a, STR_CASE, span_of(fill, 1));
        activity_set(&a, STR_CASE, span_of(fill, 2));
    }
    activity_set(&a, STR_USER, activity_get(&a, STR_CLAIM));
    activity_set(&a, STR_CUSTOMER, activity_get(&a, STR_CLAIM));
    assert_true(span_eq(activity_get(&a, STR_USER), SPAN("julia")));
    assert_true(span_eq(activity_get(&a, STR_CUSTOMER), SPAN("julia")));
    assert_int_equal(a.size[STR_TARGET], 740);
}

static void strings_are_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"caf\xe9", "caf\xef\xbf\xbd"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                                 /* overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 /* surrogate */
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* beyond U+10FFFF */
        {"\xf0\x9f\x92\xbe", "\xf0\x9f\x92\xbe"},
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"}, /* cut off */
        {"0123456789abcdef\xff", "0123456789abcdef\xef\xbf\xbd"},
    };
    struct activity a;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        activity_init(&a);
        set(&a, STR_FILE, rows[i].in);
        assert_true(span_eq(activity_get(&a, STR_FILE), span_text(rows[i].out)));
        assert_false(a.flags & ACT_CUT);
    }
    char euros[3 * 100]; /* 64 bytes hold 21 of them, and never a third of one */
    for (size_t i = 0; i < sizeof euros; i += 3)
        memcpy(euros + i, "\xe2\x82\xac", 3);
    activity_init(&a);
    activity_set(&a, STR_APP, span_of(euros, sizeof euros));
    assert_int_equal(a.size[STR_APP], 63);
    assert_true(a.flags & ACT_CUT);
}

static void amend_and_identify(void **state)
{
    (void)state;
    struct activity a;
    struct text out = {0};
    activity_init(&a);
    a.action = ACTION_AMEND;
    a.time_ns = 1000000000;
    a.done_ns = 2000000000;
    memset(a.amends, 0x22, sizeof a.amends);
    a.flags = ACT_HAS_BODY | ACT_COMPLETE;
    a.size_known = SIZE_OBSERVED;
    a.body_bytes = 12;
    activity_json(&a, &out);
    assert_string_equal(
        text_str(&out),
        "{\"@timestamp\":\"1970-01-01T00:00:01.000000000Z\",\"ecs\":{\"version\":\"9.4.0\"},\"event\":{\"kind\":"
        "\"event\","
        "\"category\":[\"web\"],\"type\":[\"info\"],\"action\":\"amend\",\"outcome\":\"unknown\","
        "\"id\":\"00000000000000000000000000000000\",\"module\":\"casetap\",\"dataset\":\"casetap.activity\"},"
        "\"http\":{\"response\":{\"body\":{\"bytes\":12}}},"
        "\"observer\":{\"vendor\":\"casetap\",\"product\":\"casetap\",\"type\":\"sensor\"},\"casetap\":{\"schema\":2,"
        "\"amends\":\"22222222222222222222222222222222\","
        "\"body\":{\"known\":\"observed\",\"missing_bytes\":0,\"complete\":true},"
        "\"done\":\"1970-01-01T00:00:02.000000000Z\",\"flow\":\"0000000000000000\",\"n\":0}}\n");
    text_clear(&out);
    activity_init(&a);
    a.action = ACTION_IDENTIFY;
    memset(a.session, 0x33, sizeof a.session);
    set(&a, STR_USER, "julia");
    activity_json(&a, &out);
    assert_non_null(strstr(text_str(&out), "\"action\":\"identify\""));
    assert_non_null(strstr(text_str(&out), "\"user\":{\"name\":\"julia\"}"));
    assert_non_null(strstr(text_str(&out), "\"session\":{\"id\":\"33333333333333333333333333333333\"}"));
    assert_null(strstr(text_str(&out), "\"network\""));
    text_fini(&out);
}

static void replace_once(struct text *line, const char *from, const char *to)
{
    struct text copy = {0};
    const char *hit = strstr(text_str(line), from);
    assert_non_null(hit);
    text_add(&copy, span_of(text_str(line), (size_t)(hit - text_str(line))));
    text_add_str(&copy, to);
    text_add_str(&copy, hit + strlen(from));
    text_fini(line);
    *line = copy;
}

static void refuses_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *why;
    } rows[] = {
        {"{\"@timestamp\"", "{\"@timestamp", "column"},
        {"\"schema\":2", "\"schema\":3", "casetap.schema: not a version this program reads"},
        {"casetap.activity", "casetap.alert", "event.dataset: expected casetap.activity"},
        {"2026-03-20T", "2026-13-20T", "@timestamp: expected an RFC 3339 time"},
        {"\"n\":7", "\"n\":-7", "casetap.n: expected a whole number in range"},
        {"\"n\":7", "\"n\":7.5", "casetap.n: expected a whole number in range"},
        {"\"n\":7", "\"n\":4294967296", "casetap.n: expected a whole number in range"},
        {"\"n\":7", "\"m\":7", "casetap.n: missing"},
        {"fedcba98", "fedcbX98", "casetap.flow: expected hexadecimal digits"},
        {"\"download\"", "\"upturn\"", "event.action: not one of the known names"},
        {"\"cookie\"", "\"crumb\"", "casetap.credential.kind: not one of the known names"},
        {"\"machine\"", "\"machines\"", "casetap.flags: not one of the known names"},
        {"\"machine\"", "9", "casetap.flags: expected strings"},
        {"203.0.113.7", "203.0.113.777", "source.ip: expected an IP address"},
        {"\"BT\"", "\"BTN\"", "source.geo.country_iso_code: expected two letters"},
        {"\"julia\"", "[\"julia\"]", "user.name: expected a string"},
        {"\"complete\":true", "\"complete\":1", "casetap.body.complete: expected true or false"},
        {"\"status_code\":206", "\"status_code\":66000", "http.response.status_code: expected a whole number in range"},
        {"\"n\":7", "\"n\":7,\"n\":7", "column"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct activity a;
        struct text line = {0}, why = {0};
        full(&a);
        activity_json(&a, &line);
        replace_once(&line, rows[i].from, rows[i].to);
        bool is_other = strstr(rows[i].to, "schema") != NULL;
        assert_int_equal(activity_parse(text_span(&line), &a, &why), is_other ? E_STATE : E_BAD);
        if (!strstr(text_str(&why), rows[i].why))
            fail_msg("row %zu: %s", i, text_str(&why));
        text_fini(&line);
        text_fini(&why);
    }
    static const char *const nothing[] = {"", "[]", "null", "7", "{}", "{", "\xff\xfe", "\"x\""};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        struct activity a;
        struct text why = {0};
        assert_int_equal(activity_parse(span_text(nothing[i]), &a, &why), E_BAD);
        assert_true(why.size > 0);
        text_fini(&why);
    }
}

/* A line of the version before has neither the session nor the request: what kind of request it was is worked out. */
static void reads_the_version_before(void **state)
{
    (void)state;
    struct activity a, b;
    struct text line = {0}, why = {0};
    full(&a);
    a.action = ACTION_VIEW_CASE;
    set(&a, STR_MIME, "text/html");
    activity_json(&a, &line);
    replace_once(&line, "\"schema\":2", "\"schema\":1");
    assert_int_equal(activity_parse(text_span(&line), &b, &why), E_OK);
    assert_int_equal(b.hints, HINT_PAGE);
    assert_int_equal(b.so_far.start_ns, 0);
    a.hints = HINT_REFERER_OTHER | HINT_INTERFACE;
    a.rtt_us = 23456;
    a.so_far = (struct session_so_far){.start_ns = 5, .begin = 1, .assets = 6, .values = 5, .forks = 4, .foreign_forks = 3, .late = 2, .copied = 1};
    memset(a.so_far.id, 0x77, sizeof a.so_far.id);
    text_clear(&line);
    activity_json(&a, &line);
    assert_int_equal(activity_parse(text_span(&line), &b, &why), E_OK);
    assert_int_equal(b.hints, a.hints);
    assert_int_equal(b.rtt_us, a.rtt_us);
    assert_memory_equal(&b.so_far, &a.so_far, offsetof(struct session_so_far, begin));
    assert_int_equal(b.so_far.begin, 1);
    const uint32_t was[] = {b.so_far.assets, b.so_far.values, b.so_far.forks, b.so_far.foreign_forks, b.so_far.late, b.so_far.copied};
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(was[i], 6 - i);
    static const char *const bad[][2] = {{"\"referer\":\"other\"", "\"referer\":\"mine\""}, {"\"kind\":\"interface\"", "\"kind\":\"x\""},
                                         {"\"begin\":\"login\"", "\"begin\":\"x\""}, {"\"rtt_us\":2", "\"rtt_us\":-2"}};
    for (size_t i = 0; i < 4; i++) {
        text_clear(&line);
        activity_json(&a, &line);
        replace_once(&line, bad[i][0], bad[i][1]);
        assert_int_equal(activity_parse(text_span(&line), &b, &why), E_BAD);
    }
    text_fini(&line);
    text_fini(&why);
}

/* Every cut of a line is refused without harm. */
static void survives_cuts(void **state)
{
    (void)state;
    struct activity a, b;
    struct text line = {0}, why = {0};
    full(&a);
    activity_json(&a, &line);
    for (size_t n = 0; n + 1 < line.size; n++) {
        char *cut = malloc(n + 1); /* its own block, so that a read beyond it is seen */
        assert_non_null(cut);
        memcpy(cut, line.at, n);
        assert_int_equal(activity_parse(span_of(cut, n), &b, &why), E_BAD);
        free(cut);
        text_clear(&why);
    }
    text_fini(&line);
    text_fini(&why);
}

static void names(void **state)
{
    (void)state;
    for (int i = 1; i < ACTION_N; i++)
        assert_int_equal(action_of(span_text(action_name((enum action)i))), i);
    assert_int_equal(action_of(SPAN("none")), ACTION_NONE);
    assert_int_equal(action_of(SPAN("")), ACTION_NONE);
    assert_string_equal(action_name((enum action)200), "none");
    assert_string_equal(cred_kind_name(CRED_LINK), "link");
    assert_string_equal(network_class_name(NETWORK_TOR), "tor");
    uint32_t candidate = ACT_SESSION_NEW | ACT_SESSION_END | ACT_CLAIM_PROVEN | ACT_NEEDS_PROOF;
    for (uint32_t bit = 1; bit <= ACT_NEEDS_PROOF; bit <<= 1)
        assert_int_equal(activity_flag_name(bit) == NULL, (bit & candidate) != 0);
}

static void extensions_and_paths(void **state)
{
    (void)state;
    static const struct {
        const char *name, *extension;
    } files[] = {{"a.gz", "gz"}, {"a.tar.gz", "gz"}, {".bashrc", ""}, {"a.", ""},    {"a", ""},
                 {"", ""},       {".", ""},          {"dir/.x", ""},  {"a.b c", ""}, {"a.averyveryverylongone", ""},
                 {"v1.2", "2"},  {"A.HAR", "HAR"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_true(span_eq(file_extension(span_text(files[i].name)), span_text(files[i].extension)));
    static const struct {
        const char *target, *path;
    } targets[] = {{"/a/b?c=/d", "/a/b"}, {"/", "/"}, {"http://h/x?y", "/x"},
                   {"http://h", ""},      {"*", ""},  {"h:443", ""},
                   {"/a#b", "/a"},        {"", ""},   {"/a?u=http://h/x", "/a"}};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        assert_true(span_eq(target_path(span_text(targets[i].target)), span_text(targets[i].path)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_it_says),
        cmocka_unit_test(comes_back_the_same),
        cmocka_unit_test(id_is_content),
        cmocka_unit_test(says_what_client),
        cmocka_unit_test(says_who_vouches),
        cmocka_unit_test(files), cmocka_unit_test(strings_have_room),
        cmocka_unit_test(strings_replace_and_alias),
        cmocka_unit_test(strings_are_utf8),
        cmocka_unit_test(amend_and_identify),
        cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(reads_the_version_before), cmocka_unit_test(survives_cuts),
        cmocka_unit_test(names),
        cmocka_unit_test(extensions_and_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
