/* SPDX-License-Identifier: Apache-2.0
 * What later activities owe to earlier pages: case and customer of a file, its true name, the holder of a link. */
#include "fake.h"

#include "base/err.h"

#define COOKIE "\nCookie: RT_SID_desk.example=0123456789abcdef0123456789abcdef\n\n"
#define OTHER "\nCookie: RT_SID_desk.example=fedcba9876543210fedcba9876543210\n\n"
#define HTML "\nContent-Type: text/html\n\n"
#define JSON "\nContent-Type: application/json\n\n"
#define FILE_ANSWER "\nContent-Type: application/octet-stream\n\nx"
#define PAGE "custom-field-Customer\"> <span class=\"current-value\">\nEstrada\n</span>"

static void begin(struct fake *f)
{
    struct text why = {0};
    struct profiles *p = fake_rules();
    assert_int_equal(profiles_declare(p, "rt", "desk.example", &why), 0);
    fake_init(f, p);
    f->memory = memory_new();
    assert_non_null(f->memory);
}

static void expect(struct fake *f, const char *request, const char *response, const char *says)
{
    fake_exchange(f, request, response);
    assert_string_equal(fake_says(f), says);
    for (size_t i = 0; i < f->n; i++)
        assert_int_equal(f->got[i].size[STR_AS_ORG], 0); /* no fact leaves the memory */
}

static void learns_from_pages(void **state)
{
    struct fake f;
    (void)state;
    begin(&f);
    expect(&f, "GET /Ticket/Attachment/9/796/x.bin" COOKIE, "200" FILE_ANSWER, "download+ attachment object=796 file=x.bin; amend+  size=1");
    expect(&f, "GET /Ticket/Display.html?id=21" COOKIE,
           "200" HTML PAGE "<a href=\"/Ticket/Attachment/535/796/a%20b.har\"><a href=\"Attachment/535/797/c.log\">",
           "view_case+ case case=21 customer=Estrada; amend+  case=21 customer=Estrada"); /* of the file before */
    /* the name in the address is decoration, and the Referer is the client's own word */
    expect(&f, "GET /Ticket/Attachment/535/796/x.txt\nReferer: https://desk.example/Ticket/Display.html?id=3" OTHER, "200" FILE_ANSWER,
           "download+ attachment case=21 customer=Estrada object=796 file=a b.har; amend+  size=1");
    /* nothing is known of this file: the session's last case */
    expect(&f, "GET /Ticket/Attachment/1/5/x.txt" COOKIE, "200" FILE_ANSWER,
           "download+ attachment case=21 customer=Estrada object=5 file=x.txt; amend+  size=1");
    expect(&f, "GET /Ticket/Attachment/1/5/x.txt" OTHER, "200" FILE_ANSWER, "download+ attachment object=5 file=x.txt; amend+  size=1");
    expect(&f, "GET /Helpers/TicketHistory?id=21" OTHER, "200" HTML, "list_files+ case-history case=21 customer=Estrada");
    fake_fini(&f);
}

static void learns_from_lists(void **state)
{
    struct fake f;
    (void)state;
    begin(&f);
    f.slice = 5;
    expect(&f, "GET /REST/2.0/ticket/7/attachments" COOKIE,
           "200" JSON "{\"items\":[{\"id\":\"12\",\"Filename\":\"a.har\"},{\"Filename\":\"b.har\",\"id\":\"13\"},{\"Filename\":\"\",\"id\":14}]}",
           "list_files+ rest2-attachments case=7");
    expect(&f, "GET /REST/2.0/ticket/7" COOKIE, "200" JSON "{\"CustomFields\":[{\"name\":\"Customer\",\"values\":[\"Helix\"]}]}",
           "view_case+ rest2-case case=7 customer=Helix; amend+  case=7 customer=Helix"); /* of the list before */
    expect(&f, "GET /Ticket/Attachment/1/13/x" OTHER, "200" FILE_ANSWER,
           "download+ attachment case=7 customer=Helix object=13 file=b.har; amend+  size=1");
    expect(&f, "GET /Ticket/Attachment/1/14/x" OTHER, "200" FILE_ANSWER,
           "download+ attachment case=7 customer=Helix object=14 file=x; amend+  size=1");
    expect(&f, "GET /REST/1.0/ticket/8/attachments" COOKIE,
           "200\nContent-Type: text/plain\n\nRT/5.0.3 200 Ok\n\nid: ticket/8/attachments\n\nAttachments: 500: (Unnamed) (a / 0b),\n"
           "             502: d e.har (application/json / 1k),\n             503: f (text/plain / 2b)\n",
           "list_files+ rest1-attachments case=8");
    expect(&f, "GET /REST/1.0/ticket/8/attachments/502/content" COOKIE, "200\nContent-Type: text/plain\n\nRT/5.0.3 200 Ok\n\nabc",
           "download+ rest1-attachment case=8 object=502 file=d e.har; amend+  size=3");
    fake_fini(&f);
}

/* A refused page proves nothing, and other hosts have other ids. */
#define ROW(id, who) "<tbody class=\"list-item\" data-record-id=\"" id "\"><b>x</b>" who "</tbody>"
#define WHO(mail) "<small><span class=\"user\" data-user-id=\"78\"><a href=\"/\">Ann &lt;" mail "&gt;</a></span></small>"
#define SEARCH "<script>RT.CurrentUser = {\"id\":44,\"Name\":\"ann\"};" ROW("7", WHO("a@granitetel.example")) \
    ROW("8", "<small><span class=\"user\">root</span></small>") ROW("9", WHO("b@helixpharma.example")) ROW("10", WHO("c@granitetel.example"))

/* Many cases in one answer, each with its own requestor, however the bytes come; the domain tells whose they are. */
static void learns_from_searches(void **state)
{
    (void)state;
    for (size_t slice = 0; slice < 70; slice++) {
        struct fake f;
        begin(&f);
        f.slice = slice;
        expect(&f, "GET /Helpers/TicketHistory?id=10" COOKIE, "200" HTML, "list_files+ case-history case=10");
        expect(&f, "GET /Search/Results.html?Query=x" COOKIE, "200" HTML SEARCH, "search+ search user=ann proven");
        expect(&f, "GET /Helpers/TicketHistory?id=7" COOKIE, "200" HTML, "list_files+ case-history case=7");
        expect(&f, "GET /REST/2.0/ticket/1\nAuthorization: token 1-48-0123456789abcdef\n\n",
               "200" JSON "{\"CustomFields\":[{\"name\":\"Customer\",\"values\":[\"Granite Telecom\"]}],\"Requestor\":[{\"id\":\"z@granitetel.example\"}]}",
               "view_case+ rest2-case case=1 customer=Granite Telecom user=1-48 proven; "
               "amend+  case=10 customer=Granite Telecom; amend+  case=7 customer=Granite Telecom");
        expect(&f, "GET /Helpers/TicketHistory?id=8" COOKIE, "200" HTML, "list_files+ case-history case=8");
        expect(&f, "GET /Helpers/TicketHistory?id=9" COOKIE, "200" HTML, "list_files+ case-history case=9");
        expect(&f, "GET /Helpers/TicketHistory?id=10" COOKIE, "200" HTML, "list_files+ case-history case=10 customer=Granite Telecom");
        fake_fini(&f);
    }
}

static void believes_only_answers(void **state)
{
    struct fake f;
    (void)state;
    begin(&f);
    expect(&f, "GET /Ticket/Display.html?id=21" COOKIE, "404" HTML "<a href=\"/Ticket/Attachment/535/796/a\">", "view_case- case case=21 refused");
    expect(&f, "GET /Ticket/Attachment/1/796/x" OTHER, "200" FILE_ANSWER, "download+ attachment object=796 file=x; amend+  size=1");
    expect(&f, "GET /Ticket/Display.html?id=21\nHost: other.example" COOKIE, "200" HTML "<a href=\"/Ticket/Attachment/535/796/a\">",
           "view_case+ case case=21");
    expect(&f, "GET /Ticket/Attachment/1/796/x" OTHER, "200" FILE_ANSWER, "download+ attachment object=796 file=x; amend+  size=1");
    fake_fini(&f);
}

#define LINK "http://files.example/o/r.pdf?X-Signature=0123456789abcdef0123456789abcdef"

static void follows_links(void **state)
{
    struct fake f;
    static const uint8_t none[SESSION_HASH_SIZE];
    uint8_t holder[SESSION_HASH_SIZE];
    (void)state;
    begin(&f);
    expect(&f, "GET /dl/r.pdf\nHost: any.example\nCookie: sid=0123456789abcdef\n\n", "302\nLocation: " LINK "\n\n", "api_call+ hand-off");
    memcpy(holder, f.got[0].session, sizeof holder);
    assert_memory_not_equal(holder, none, sizeof none);
    expect(&f, "GET /o/r.pdf?X-Signature=0123456789abcdef0123456789abcdef\nHost: files.example\n\n", "200\nContent-Type: application/pdf\n\nx",
           "download+  file=r.pdf unknown; amend+  size=1 unknown");
    assert_memory_equal(f.got[0].session, holder, sizeof holder);
    assert_memory_equal(f.got[1].session, holder, sizeof holder);
    assert_int_equal(f.got[0].cred_kind, CRED_COOKIE);
    /* to Basic, which has no session value */
    expect(&f, "GET /dl/s.pdf\nHost: any.example\nAuthorization: Basic Ym9iOng=\n\n",
           "302\nLocation: http://files.example/o/s.pdf?X-Signature=aaaaaaaabbbbbbbbccccccccdddddddd\n\n", "api_call+ hand-off user=bob proven");
    expect(&f, "GET /o/s.pdf?X-Signature=aaaaaaaabbbbbbbbccccccccdddddddd\nHost: files.example\n\n", "200\nContent-Type: application/pdf\n\nx",
           "download+  file=s.pdf user=bob proven unknown; amend+  user=bob size=1 proven unknown");
    /* a link nobody was seen to get stays itself */
    expect(&f, "GET /o/t.pdf?X-Signature=ffffffffffffffffffffffffffffffff\nHost: files.example\n\n", "200\nContent-Type: application/pdf\n\nx",
           "download+  file=t.pdf unknown; amend+  size=1 unknown");
    assert_int_equal(f.got[0].cred_kind, CRED_LINK);
    assert_memory_not_equal(f.got[0].session, none, sizeof none);
    fake_fini(&f);
}

static void load_line(void *ctx, const char *text)
{
    assert_int_equal(memory_load(ctx, text), E_OK);
}

static void survives_a_restart(void **state)
{
    struct fake f;
    (void)state;
    begin(&f);
    expect(&f, "GET /Ticket/Display.html?id=21" COOKIE, "200" HTML PAGE "<a href=\"/Ticket/Attachment/535/796/a%20%25b.har\">",
           "view_case+ case case=21 customer=Estrada");
    struct memory *next = memory_new();
    memory_save(f.memory, load_line, next);
    memory_free(f.memory);
    f.memory = next;
    expect(&f, "GET /Ticket/Attachment/535/796/x" OTHER, "200" FILE_ANSWER,
           "download+ attachment case=21 customer=Estrada object=796 file=a %b.har; amend+  size=1");
    static const char *const bad[] = {"", "file", "file 00 1 2", "file 0123456789abcdef0123456789abcdef 1",
                                      "file 0123456789abcdef0123456789abcdef 1 2 3", "customer 0123456789abcdef0123456789abcdeg x",
                                      "session 0123456789abcdef0123456789abcdef x",
                                      "file 0123456789abcdef0123456789abcdef 0123456789012345678901234567890123456789012345678901234567890 -"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(memory_load(f.memory, bad[i]), E_BAD);
    fake_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_from_pages), cmocka_unit_test(learns_from_lists), cmocka_unit_test(learns_from_searches), cmocka_unit_test(believes_only_answers),
        cmocka_unit_test(follows_links),     cmocka_unit_test(survives_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
