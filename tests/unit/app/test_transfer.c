/* SPDX-License-Identifier: Apache-2.0
 * Requests of one or more credentials in, transfers out; from answers on the wire, and from candidates of our own. */
#include "fake.h"

#include "app/candidate.h"
#include "app/identity.h"
#include "app/resource.h"
#include "app/transfer.h"

#define ALICE "\nAuthorization: Basic YWxpY2U6eA==" /* alice:x */
#define BOB "\nAuthorization: Basic Ym9iOng="       /* bob:x */
#define NOBODY ""
#define GZIP "\nContent-Type: application/gzip"
#define TAG "\nETag: \"5f-1\""

/* --- from the wire --- */

struct desk {
    struct fake fake;
    struct identity *identity;
    struct transfers *transfers;
    struct activity last; /* the latest that is about a transfer, or an answer's end */
    char ids[16][33];     /* in the order of their first use */
    unsigned n_ids, at;
};

static void settled(void *ctx, struct activity *a)
{
    struct desk *d = ctx;
    char hex[33];
    transfers_settle(d->transfers, a);
    assert_int_equal(a->resource | a->validator | a->total, 0);
    assert_int_equal(a->flags & ACT_CANDIDATE, 0);
    if (a->action == ACTION_IDENTIFY)
        return;
    memcpy(&d->last, a, activity_size(a));
    if (!(a->flags & ACT_TRANSFER))
        return;
    for (int i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", a->transfer_id[i]);
    for (d->at = 0; d->at < d->n_ids && strcmp(d->ids[d->at], hex) != 0; d->at++)
        ;
    if (d->at == d->n_ids)
        strcpy(d->ids[d->n_ids++], hex);
}

static void desk_open(struct desk *d)
{
    memset(d, 0, sizeof *d);
    fake_init(&d->fake, fake_rules());
    d->fake.memory = NULL;
    d->identity = identity_new(100);
    d->transfers = transfers_new(100);
    assert_non_null(d->identity);
    assert_non_null(d->transfers);
}

static void desk_close(struct desk *d)
{
    identity_free(d->identity);
    transfers_free(d->transfers);
    fake_fini(&d->fake);
}

/* "2: 70000/100000 0.700000" is: the second transfer seen, bytes so far, of how many, share; "complete" and "unsure". */
static const char *desk_says(const struct desk *d)
{
    static char text[200];
    const struct activity *a = &d->last;
    if (!(a->flags & ACT_TRANSFER))
        return "none";
    int at = snprintf(text, sizeof text, "%u:", d->at + 1);
    if (a->flags & ACT_TRANSFER_BYTES)
        at += snprintf(text + at, sizeof text - (size_t)at, " %llu", (unsigned long long)a->transfer_bytes);
    if (a->flags & ACT_TRANSFER_COVERAGE)
        at += snprintf(text + at, sizeof text - (size_t)at, " %u", a->transfer_coverage);
    snprintf(text + at, sizeof text - (size_t)at, "%s%s", a->flags & ACT_TRANSFER_COMPLETE ? " complete" : "",
             a->flags & ACT_TRANSFER_UNSURE ? " unsure" : "");
    return text;
}

/* Fetches, and says what holds after the answer's end; 'before' (or NULL) is what was told when it began. */
static void fetch(struct desk *d, const char *request, const char *head, size_t body, const char *before, const char *after)
{
    size_t size = strlen(head) + body + 3;
    char *answer = test_malloc(size), *said = answer + snprintf(answer, size, "%s\n\n", head);
    memset(said, 'x', body);
    said[body] = 0;
    fake_exchange(&d->fake, request, answer);
    for (size_t i = 0; i < d->fake.n; i++) {
        transfers_read(d->transfers, &d->fake.got[i]);
        candidate_drop_facts(&d->fake.got[i]);
        identity_settle(d->identity, &d->fake.got[i], settled, d);
        if (i == 0 && before)
            assert_string_equal(desk_says(d), before);
    }
    if (strcmp(desk_says(d), after) != 0)
        fail_msg("%s: '%s', not '%s'", request, desk_says(d), after);
    test_free(answer);
}

static void resumed_and_parallel(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    /* the body's end is its framing's: 70 of the declared 100 bytes came */
    fetch(&d, "GET /f/core.gz" ALICE, "206" GZIP TAG "\nContent-Range: bytes 0-69/100", 70, "1: 0 0", "1: 70 700000");
    fetch(&d, "GET /f/core.gz" ALICE, "206" GZIP TAG "\nContent-Range: bytes 60-99/100", 40, "1: 70 700000",
          "1: 100 1000000 complete");
    fetch(&d, "GET /f/core.gz" ALICE, "200" GZIP TAG "\nContent-Length: 100", 100, "1: 100 1000000 complete",
          "1: 100 1000000 complete");
    /* the same by another person */
    fetch(&d, "GET /f/core.gz" BOB, "206" GZIP TAG "\nContent-Range: bytes 0-9/100", 10, "2: 0 0", "2: 10 100000");
    /* another object of that name in another place, another version, another size behind the same tag, another host */
    fetch(&d, "GET /g/core.gz" ALICE, "206" GZIP TAG "\nContent-Range: bytes 0-9/100", 10, NULL, "3: 10 100000");
    fetch(&d, "GET /f/core.gz" ALICE, "206" GZIP "\nETag: \"5f-2\"\nContent-Range: bytes 0-9/100", 10, NULL, "4: 10 100000");
    fetch(&d, "GET /f/core.gz" ALICE, "206" GZIP TAG "\nContent-Range: bytes 0-9/200", 10, NULL, "5: 10 50000");
    fetch(&d, "GET /f/core.gz\nHost: files.example" ALICE, "206" GZIP TAG "\nContent-Range: bytes 0-9/100", 10, NULL,
          "6: 10 100000");
    fetch(&d, "GET /f/core.gz?v=2" ALICE, "206" GZIP TAG "\nContent-Range: bytes 0-9/100", 10, NULL, "7: 10 100000");
    /* and still the first */
    fetch(&d, "GET /f/core.gz\nHost: DESK.example" ALICE, "206" GZIP TAG "\nContent-Range: bytes 0-9/100", 10, NULL,
          "1: 100 1000000 complete");
    desk_close(&d);
}

static void without_validator(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    fetch(&d, "GET /f/a.gz" ALICE, "206" GZIP "\nContent-Range: bytes 0-49/100", 50, NULL, "1: 50 500000");
    fetch(&d, "GET /f/a.gz" ALICE, "206" GZIP "\nContent-Range: bytes 50-99/100", 50, NULL, "1: 100 1000000 complete");
    fetch(&d, "GET /f/a.gz" ALICE, "206" GZIP "\nContent-Range: bytes 50-99/120", 50, NULL, "2: 50 416666");
    fetch(&d, "GET /f/a.gz" ALICE, "206" GZIP "\nContent-Range: bytes 0-49/100", 50, NULL, "1: 100 1000000 complete");
    /* Last-Modified will do */
    fetch(&d, "GET /f/b.gz" ALICE, "200" GZIP "\nLast-Modified: x", 30, "3: 0", "3: 30 1000000 complete");
    fetch(&d, "GET /f/b.gz" ALICE, "206" GZIP "\nLast-Modified: x\nContent-Range: bytes 0-9/30", 10, NULL,
          "3: 30 1000000 complete");
    /* chunked and nothing else to know it by: each is its own */
    fetch(&d, "GET /f/c.gz" ALICE, "200" GZIP, 30, "4: 0", "4: 30 1000000 complete");
    fetch(&d, "GET /f/c.gz" ALICE, "200" GZIP, 30, "5: 0", "5: 30 1000000 complete");
    /* what a POST gives depends on what it said */
    fetch(&d, "POST /f/c.gz" ALICE, "200" GZIP "\nContent-Length: 9", 9, NULL, "6: 9 1000000 complete");
    fetch(&d, "POST /f/c.gz" ALICE, "200" GZIP "\nContent-Length: 9", 9, NULL, "7: 9 1000000 complete");
    /* the application's own id of the object */
    fetch(&d, "GET /Ticket/Attachment/9/796/x.bin\nCookie: RT_SID_desk.example=0123456789abcdef0123456789abcdef",
          "200" GZIP, 30, "8: 0", "8: 30 1000000 complete");
    fetch(&d, "GET /Ticket/Attachment/9/796/x.bin\nCookie: RT_SID_desk.example=0123456789abcdef0123456789abcdef",
          "200" GZIP, 30, "8: 30 1000000 complete", "8: 30 1000000 complete");
    desk_close(&d);
}

static void nobody_and_oddities(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    fetch(&d, "GET /f/a.gz\nUser-Agent: curl/8" NOBODY, "200" GZIP TAG "\nContent-Length: 10", 10, NULL,
          "1: 10 1000000 complete");
    fetch(&d, "GET /f/a.gz\nUser-Agent: curl/8" NOBODY, "200" GZIP TAG "\nContent-Length: 10", 10, NULL,
          "1: 10 1000000 complete");
    fetch(&d, "GET /f/a.gz\nUser-Agent: Wget/1" NOBODY, "200" GZIP TAG "\nContent-Length: 10", 10, NULL,
          "2: 10 1000000 complete");
    /* more than the head allows, from far away, from nowhere */
    fetch(&d, "GET /f/b.gz" ALICE, "206" GZIP "\nContent-Range: bytes 0-9/20", 99, NULL, "3: 20 1000000 complete");
    fetch(&d, "GET /f/c.gz" ALICE, "206" GZIP "\nContent-Range: bytes 18446744073709551600-18446744073709551614/*", 10,
          NULL, "4: 0");
    fetch(&d, "GET /f/d.gz" ALICE, "206" GZIP "\nContent-Range: bytes 9000000000000000000-9000000000000000009/*", 10, NULL,
          "5: 10");
    fetch(&d, "GET /f/e.gz" ALICE, "206" GZIP TAG "\nContent-Range: lines 1-2/3", 10, "6: 0", "6:");
    fetch(&d, "GET /f/e.gz" ALICE, "206" GZIP TAG, 10, "6: 0", "6:");
    fetch(&d, "GET /f/empty.gz" ALICE, "200" GZIP "\nContent-Length: 0", 0, NULL, "7: 0 1000000 complete");
    fetch(&d, "GET /f/a.gz" ALICE, "404" GZIP "\nContent-Length: 9", 9, NULL, "7: 0 1000000 complete"); /* nothing told */
    desk_close(&d);
}

#define PARTS "206\nContent-Disposition: attachment\nETag: \"7\"\nContent-Type: multipart/byteranges; boundary=B\n\n"
#define PART(range, body) "\r\n--B\r\nContent-Type: a/b\r\nContent-Range: bytes " range "\r\n\r\n" body

static void several_pieces_in_one_body(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *says;
    } cases[] = {
        {PARTS PART("0-4/100", "01234") PART("50-52/100", "012") PART("99-99/100", "0") "\r\n--B--\r\n", "1: 9 90000"},
        {PARTS PART("0-4/100", "01234") PART("3-6/100", "0123") "\r\n--B--\r\n", "2: 7 70000"},
        {PARTS PART("0-4/100", "01234") PART("50-52/100", "01"), "3: 7 70000"},      /* broken off */
        {PARTS PART("0-4/100", "0123") PART("50-52/100", "012") "\r\n--B--\r\n", "4:"}, /* a part is too short */
        {PARTS PART("0-4/100", "012345") "\r\n--B--\r\n", "5:"},
        {PARTS PART("a-4/100", "01234") "\r\n--B--\r\n", "6:"},
        {PARTS "no parts at all", "7:"},
    };
    for (size_t slice = 0; slice < 4; slice++) {
        struct desk d;
        desk_open(&d);
        d.fake.slice = slice;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            char request[80];
            snprintf(request, sizeof request, "GET /f/%zu.gz" ALICE, i);
            fake_exchange(&d.fake, request, cases[i].answer);
            for (size_t k = 0; k < d.fake.n; k++) {
                transfers_read(d.transfers, &d.fake.got[k]);
                candidate_drop_facts(&d.fake.got[k]);
                identity_settle(d.identity, &d.fake.got[k], settled, &d);
            }
            if (strcmp(desk_says(&d), cases[i].says) != 0)
                fail_msg("case %zu in slices of %zu: '%s', not '%s'", i, slice, desk_says(&d), cases[i].says);
        }
        desk_close(&d);
    }
}

/* --- which resource --- */

static void same_resource(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool is_same;
    } cases[] = {
        {"/o/x?X-Amz-Date=1&X-Amz-Expires=60&X-Amz-Signature=ab", "/o/x?X-Amz-Date=2&X-Amz-Expires=60&X-Amz-Signature=cd", true},
        {"/o/x?versionId=1&X-Amz-Signature=ab", "/o/x?versionId=2&X-Amz-Signature=ab", false},
        {"/o/x?file=1&sig=ab&se=2026", "/o/x?file=1&sig=cd&se=2027", true},
        {"/o/x?file=1&sig=ab", "/o/x?file=2&sig=ab", false},
        {"/o/x?se=1", "/o/x?se=2", false}, /* nothing is signed: it may mean anything */
        {"/o/x?Expires=1&Signature=a&Key-Pair-Id=k", "/o/x?Expires=2&Signature=b&Key-Pair-Id=k", true},
        {"/o/x", "/o/y", false},
        {"/o/x", "/o/x?", true},
        {"http://desk.example/o/x", "/o/x", true},
        {"/o/x?u=http://desk.example/o/x", "/o/x", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t a = resource_hash(SPAN("Desk.example"), span_text(cases[i].a), 1);
        uint64_t b = resource_hash(SPAN("desk.EXAMPLE"), span_text(cases[i].b), 1);
        if ((a == b) != cases[i].is_same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
        assert_true(a != resource_hash(SPAN("desk.example"), span_text(cases[i].a), 2)); /* the deployment's own */
    }
}

/* --- from candidates of our own --- */

static struct activity piece(const char *user, uint64_t from, uint64_t size, uint64_t total)
{
    static uint32_t number;
    struct activity a;
    activity_init(&a);
    a.action = ACTION_DOWNLOAD;
    a.number = ++number;
    a.flags = ACT_RANGE | ACT_HAS_TOTAL | ACT_HAS_BODY;
    a.resource = 77;
    a.total = total;
    a.range_from = from;
    a.body_bytes = size;
    activity_set(&a, STR_METHOD, SPAN("GET"));
    activity_set(&a, STR_USER, span_text(user));
    activity_seal(&a);
    return a;
}

static struct activity amend_of(const struct activity *begun, uint64_t size)
{
    struct activity a;
    memcpy(&a, begun, activity_size(begun));
    a.action = ACTION_AMEND;
    memcpy(a.amends, begun->id, sizeof a.amends);
    a.flags |= ACT_HAS_BODY;
    a.body_bytes = size;
    activity_set(&a, STR_METHOD, SPAN(""));
    activity_seal(&a);
    return a;
}

static uint64_t count_of(const struct transfers *t, const char *name)
{
    struct counters c = transfers_counters(t);
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    fail_msg("no counter %s", name);
    return 0;
}

/* Four at a time, overlapping, ending in another order than they began in. */
static void pieces_at_once(void **state)
{
    (void)state;
    struct transfers *t = transfers_new(10);
    struct activity begun[4], end;
    for (uint64_t i = 0; i < 4; i++) {
        begun[i] = piece("alice", i * 200000, 0, 800000);
        begun[i].flags &= ~ACT_HAS_BODY;
        struct activity a = begun[i];
        transfers_settle(t, &a);
        assert_int_equal(a.transfer_bytes, 0);
        memcpy(begun[i].transfer_id, a.transfer_id, sizeof a.transfer_id);
        assert_memory_equal(a.transfer_id, begun[0].transfer_id, sizeof a.transfer_id);
    }
    static const struct {
        unsigned which;
        uint64_t size, bytes;
    } ends[] = {{2, 230000, 230000}, {0, 210000, 440000}, {3, 200000, 610000}, {1, 200000, 800000}};
    for (size_t i = 0; i < 4; i++) {
        end = amend_of(&begun[ends[i].which], ends[i].size);
        transfers_settle(t, &end);
        assert_int_equal(end.transfer_bytes, ends[i].bytes);
        assert_memory_equal(end.transfer_id, begun[0].transfer_id, sizeof end.transfer_id);
        assert_int_equal((end.flags & ACT_TRANSFER_COMPLETE) != 0, i == 3);
    }
    transfers_settle(t, &end); /* the same end twice is nobody's */
    end.resource = 77;
    transfers_settle(t, &end);
    assert_int_equal(count_of(t, "transfer_lost"), 1);
    assert_int_equal(count_of(t, "transfer_requests"), 4);
    transfers_free(t);
}

/* What a session got before its name was known goes on under the name, with the id it had. */
static void a_name_comes_later(void **state)
{
    (void)state;
    struct transfers *t = transfers_new(10);
    uint8_t session[SESSION_HASH_SIZE], id[16];
    memset(session, 0xab, sizeof session);
    struct activity first = piece("session:abababababababab", 0, 50, 100), running, second, other, end;
    memcpy(first.session, session, sizeof session);
    running = piece("session:abababababababab", 90, 0, 100);
    running.flags &= ~ACT_HAS_BODY;
    memcpy(running.session, session, sizeof session);
    struct activity begun = running;
    transfers_settle(t, &first);
    transfers_settle(t, &running);
    memcpy(id, first.transfer_id, sizeof id);
    assert_memory_equal(running.transfer_id, id, sizeof id);

    second = piece("alice", 50, 40, 100);
    memcpy(second.session, session, sizeof session);
    transfers_settle(t, &second);
    assert_memory_equal(second.transfer_id, id, sizeof id);
    assert_int_equal(second.transfer_bytes, 90);
    end = amend_of(&begun, 10); /* it began without a name */
    transfers_settle(t, &end);
    assert_memory_equal(end.transfer_id, id, sizeof id);
    assert_int_equal(end.transfer_bytes, 100);
    assert_true(end.flags & ACT_TRANSFER_COMPLETE);

    other = piece("session:abababababababab", 0, 5, 100); /* the value is nobody's again: not alice's any more */
    other.time_ns = 5;
    memcpy(other.session, session, sizeof session);
    transfers_settle(t, &other);
    assert_memory_not_equal(other.transfer_id, id, sizeof id);
    assert_int_equal(other.transfer_bytes, 5);
    other = piece("bob", 10, 5, 100);
    memcpy(other.session, session, sizeof session);
    transfers_settle(t, &other);
    assert_memory_not_equal(other.transfer_id, id, sizeof id);
    assert_int_equal(other.transfer_bytes, 10);
    assert_int_equal(count_of(t, "transfer_named"), 2);
    transfers_free(t);
}

/* Alice has begun under her name as well: both parts are one. */
static void joins_what_is_named(void **state)
{
    (void)state;
    struct transfers *t = transfers_new(10);
    struct activity named = piece("alice", 0, 10, 100), unnamed = piece("session:abababababababab", 10, 50, 100);
    memset(unnamed.session, 0xab, sizeof unnamed.session);
    transfers_settle(t, &named);
    transfers_settle(t, &unnamed);
    assert_memory_not_equal(named.transfer_id, unnamed.transfer_id, sizeof named.transfer_id);
    struct activity last = piece("alice", 55, 45, 100);
    memset(last.session, 0xab, sizeof last.session);
    transfers_settle(t, &last);
    assert_memory_equal(last.transfer_id, named.transfer_id, sizeof named.transfer_id);
    assert_int_equal(last.transfer_bytes, 100);
    transfers_free(t);
}

static void never_false(void **state)
{
    (void)state;
    struct transfers *t = transfers_new(10);
    struct activity a = piece("alice", 0, 0, 0);
    for (uint64_t i = 0; i < 100; i++) { /* every second of 200 pieces of 1000 bytes */
        a = piece("alice", i * 2000, 1000, 200000);
        transfers_settle(t, &a);
        assert_true(a.transfer_bytes <= (i + 1) * 1000);
        assert_false(a.flags & ACT_TRANSFER_COMPLETE);
    }
    assert_true(a.flags & ACT_TRANSFER_UNSURE);
    assert_true(count_of(t, "transfer_scattered") > 0);
    a = piece("alice", 1000, 199000, 200000);
    transfers_settle(t, &a);
    a = piece("alice", 0, 200000, 200000);
    transfers_settle(t, &a);
    assert_int_equal(a.transfer_coverage, 1000000);
    assert_int_equal(a.flags & ACT_TRANSFER_UNSURE, 0);

    a = piece("alice", 0, INT64_MAX - 1, INT64_MAX); /* all but one byte is not all */
    transfers_settle(t, &a);
    assert_int_equal(a.transfer_coverage, 999999);
    assert_int_equal(a.flags & ACT_TRANSFER_COMPLETE, 0);
    a = piece("alice", UINT64_MAX, UINT64_MAX, UINT64_MAX);
    transfers_settle(t, &a);
    assert_int_equal(a.flags & ACT_TRANSFER_COMPLETE, 0);
    transfers_free(t);
}

/* Forgotten for room: begun anew, counted; an end whose beginning is forgotten says nothing. */
static void forgets(void **state)
{
    (void)state;
    struct transfers *t = transfers_new(2);
    struct activity begun = piece("a", 0, 0, 100), first = begun, a;
    transfers_settle(t, &first);
    for (int i = 0; i < 3; i++) {
        char name[] = {(char)('b' + i), 0};
        a = piece(name, 0, 10, 100);
        transfers_settle(t, &a);
        assert_int_equal(a.transfer_bytes, 10);
    }
    a = amend_of(&begun, 50);
    transfers_settle(t, &a);
    assert_int_equal(a.flags & ACT_TRANSFER, 0);
    assert_int_equal(count_of(t, "transfer_lost"), 1);
    assert_int_equal(count_of(t, "transfer_evicted"), 2);
    transfers_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumed_and_parallel), cmocka_unit_test(without_validator),
        cmocka_unit_test(nobody_and_oddities),  cmocka_unit_test(several_pieces_in_one_body),
        cmocka_unit_test(same_resource),        cmocka_unit_test(pieces_at_once),
        cmocka_unit_test(a_name_comes_later),   cmocka_unit_test(joins_what_is_named),
        cmocka_unit_test(never_false),          cmocka_unit_test(forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
