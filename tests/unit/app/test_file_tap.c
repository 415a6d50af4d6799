/* SPDX-License-Identifier: Apache-2.0
 * What the content of files shows, wherever in a transaction it stands: in the body, behind a first line, as base64 in
 * JSON, in a part of a form; the same in whatever slices it comes. */
#include "app/file_content.h"
#include "unit/app/fake.h"

#define SID "3f9a1c5e7b2d4860a1b2c3d4e5f60718"
#define HAR "{\"log\":{\"version\":\"1.2\",\"creator\":{},\"entries\":[{\"cookies\":[{\"name\":\"sid\",\"value\":\"" SID "\"}]}]}}"
/* the same in base64 */
#define HAR64 \
    "eyJsb2ciOnsidmVyc2lvbiI6IjEuMiIsImNyZWF0b3IiOnt9LCJlbnRyaWVzIjpbeyJjb29raWVz\\n" \
    "IjpbeyJuYW1lIjoic2lkIiwidmFsdWUiOiIzZjlhMWM1ZTdiMmQ0ODYwYTFiMmMzZDRlNWY2MDcxOCJ9XX1dfX0="

struct row {
    const char *name, *request, *response, *expected;
    size_t gap_at; /* of slices of 7 bytes */
};

#define FORM(parts)                                                                                                    \
    "POST /Ticket/Update.html\nHost: desk.example\nContent-Type: multipart/form-data; boundary=bnd\n\n" parts "--bnd--\n"
#define FIELD "--bnd\nContent-Disposition: form-data; name=\"id\"\n\n3\n"
#define PART(file, type, content)                                                                                      \
    "--bnd\nContent-Disposition: form-data; name=\"Attach\"; filename=\"" file "\"\nContent-Type: " type "\n\n" content "\n"

static const struct row rows[] = {
    {"a HAR", "GET /Ticket/Attachment/88/3/t.har\n\n", "200\nContent-Type: application/octet-stream\n\n" HAR, "har har 1/1 f6", 0},
    {"called a picture", "GET /Ticket/Attachment/88/3/t.png\n\n", "200\nContent-Type: image/png\n\n" HAR, "har har mismatch 1/1 f6", 0},
    {"a text", "GET /Ticket/Attachment/88/3/t.log\n\n", "200\nContent-Type: text/plain\n\nabc", "log text 0/0 ba", 0},
    {"no format we know", "GET /Ticket/Attachment/88/3/t.bin\n\n", "200\nContent-Type: application/octet-stream\n\n\x01\x02" "abc",
     "other binary bf", 0},
    {"nothing in it", "GET /Ticket/Attachment/88/3/t.har\n\n", "200\nContent-Type: text/plain\n\n", "har unseen", 0},
    {"its beginning", "GET /Ticket/Attachment/88/3/t.har\n\n",
     "206\nContent-Type: text/plain\nContent-Range: bytes 0-9/999\n\n" HAR, "har har 1/1 cut", 0},
    {"a later piece: by its name alone", "GET /Ticket/Attachment/88/3/t.har\n\n",
     "206\nContent-Type: text/plain\nContent-Range: bytes 100-999/1000\n\n" HAR, "har unseen", 0},
    {"bytes missing", "GET /Ticket/Attachment/88/3/t.har\n\n", "200\nContent-Type: text/plain\n\n" HAR, "har har 1/1 cut", 7},
    {"its first bytes missing", "GET /Ticket/Attachment/88/3/t.har\n\n", "200\nContent-Type: text/plain\n\n" HAR, "har unseen", 1},
    {"as base64 in JSON", "GET /REST/2.0/attachment/3\n\n",
     "200\nContent-Type: application/json\n\n{\"Filename\":\"t.bin\",\"ContentType\":\"text/plain\",\"Content\":\"" HAR64 "\"}",
     "har har 1/1 f6", 0},
    {"behind a first line", "GET /REST/1.0/ticket/7/attachments/3/content\n\n",
     "200\nContent-Type: text/plain\n\nRT/5.0.3 200 Ok\n\n" HAR "\n\n\n", "har har 1/1", 0},
    {"uploaded", FORM(FIELD PART("t.har", "application/json", HAR)), "302\nLocation: /Ticket/Display.html?id=3\n\n",
     "har har 1/1 f6", 0},
    {"two uploaded: the first one's format, the secrets of both",
     FORM(FIELD PART("a.txt", "text/plain", "abc") PART("t.har", "application/json", HAR)),
     "302\nLocation: /Ticket/Display.html?id=3\n\n", "text text 1/1 ba", 0},
    {"an upload with another type", FORM(FIELD PART("t.png", "image/png", "%PDF-1.5")),
     "302\nLocation: /Ticket/Display.html?id=3\n\n", "document pdf mismatch f6", 0},
    {"uploaded as the body itself",
     "POST /api/v2/uploads.json?filename=t.har\nHost: zd.example\nContent-Type: application/binary\n\n" HAR,
     "201\nContent-Type: application/json\n\n{\"upload\":{\"token\":\"x\"}}", "har har 1/1 f6", 0},
    {"a page is no file", "GET /Ticket/Display.html?id=3\n\n", "200\nContent-Type: text/html\n\n<html>password=hunter22", "none unseen", 0},
};

static const char *says(const struct activity *a)
{
    static char text[256];
    const struct file_facts *f = &a->file;
    int n = snprintf(text, sizeof text, "%s %s%s", file_class_name((enum file_class)f->file_class),
                     file_type_name((enum file_type)f->type), f->is_mismatch ? " mismatch" : "");
    if (f->is_scanned)
        n += snprintf(text + n, sizeof text - (size_t)n, " %u/%u%s", file_facts_secrets(f), file_facts_live(f), f->is_cut ? " cut" : "");
    if (f->has_sha256)
        snprintf(text + n, sizeof text - (size_t)n, " %02x", f->sha256[0]);
    return text;
}

static void open_desk(struct fake *f)
{
    struct profiles *profiles = fake_rules();
    struct text why = {0};
    assert_int_equal(profiles_declare(profiles, "rt", "desk.example", &why), 0);
    assert_int_equal(profiles_declare(profiles, "zendesk", "zd.example", &why), 0);
    fake_init(f, profiles);
    app_free(f->app);
    f->app = app_new(&(struct app_options){.profiles = profiles, .key = f->key, .max_transactions = 64, .emit = fake_emit,
                                           .ctx = f, .scan_budget = 1 << 20, .has_hash = true});
    assert_non_null(f->app);
}

static void each_place(void **state)
{
    static const size_t slices[] = {7, 0, 1, 64};
    static struct fake f;
    (void)state;
    open_desk(&f);
    struct conn_hooks hooks = app_hooks(f.app);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t k = 0; k < (rows[i].gap_at ? 1 : sizeof slices / sizeof slices[0]); k++) {
            f.n = 0;
            exchange_run(&hooks, ++f.number, span_text(rows[i].request), span_text(rows[i].response), slices[k], rows[i].gap_at);
            const char *said = f.n ? says(&f.got[f.n - 1]) : "nothing";
            if (strcmp(said, rows[i].expected) != 0)
                fail_msg("%s, slices of %zu: '%s', expected '%s'", rows[i].name, slices[k], said, rows[i].expected);
        }
    fake_fini(&f);
}

/* What is told when the answer begins rests on the name; the content completes it. */
static void begun_by_name(void **state)
{
    static struct fake f;
    (void)state;
    open_desk(&f);
    fake_exchange(&f, "GET /Ticket/Attachment/88/3/t.har\n\n", "200\nContent-Type: text/plain\n\nonly words");
    assert_int_equal(f.n, 2);
    assert_int_equal(f.got[0].action, ACTION_DOWNLOAD);
    assert_string_equal(says(&f.got[0]), "har unseen");
    assert_int_equal(f.got[1].action, ACTION_AMEND);
    f.got[1].file.has_sha256 = false;
    assert_string_equal(says(&f.got[1]), "text text 0/0");
    fake_fini(&f);
}

/* Reads a content by itself. */
static struct file_facts read_all(struct file_reader *r, struct span bytes, size_t step, bool *is_done)
{
    static struct file_content c;
    struct file_facts facts;
    file_content_begin(&c, r, 1773000000);
    *is_done = false;
    for (size_t at = 0; at < bytes.size; at += step) {
        file_content_feed(&c, span_sub(bytes, at, step));
        *is_done |= file_content_is_done(&c);
    }
    file_content_end(&c, true, &facts);
    return facts;
}

static void budget(void **state)
{
    static char text[100000];
    bool is_done;
    (void)state;
    struct file_reader *r = file_reader_new(20000, false, 4);
    memset(text, ' ', sizeof text);
    memcpy(text, "some text\n", 10);
    memcpy(text + 19000, "Cookie: sid=" SID "\n", 45);
    memcpy(text + 30000, "Cookie: sid=1" SID "\n", 46);
    struct file_facts f = read_all(r, span_of(text, sizeof text), 1000, &is_done);
    assert_true(is_done && f.is_cut && f.is_scanned);
    assert_int_equal(f.secrets[SECRET_COOKIE], 1);
    file_reader_free(r);
    r = file_reader_new(0, false, 4); /* nothing is looked through: the first bytes are enough */
    f = read_all(r, span_of(text, sizeof text), 1000, &is_done);
    assert_true(is_done && !f.is_scanned && f.type == FILE_TEXT);
    file_reader_free(r);
    r = file_reader_new(20000, true, 4); /* a hash needs them all */
    f = read_all(r, span_of(text, sizeof text), 1000, &is_done);
    assert_true(!is_done && f.has_sha256);
    file_reader_free(r);
}

/* A stored member, as in tests/unit/wire/test_zip_walk.c; gzip of one stored block (RFC 1951, 3.2.4; its CRC is right). */
static void archives(void **state)
{
    static const char member[] = "PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\x73\0\0\0\x73\0\0\0\5\0\0\0a.har";
    char zip[1024];
    size_t n = 0;
    bool is_done;
    (void)state;
    struct file_reader *r = file_reader_new(1 << 20, false, 4);
    memcpy(zip, member, sizeof member - 1);
    n = sizeof member - 1;
    zip[18] = zip[22] = (char)(sizeof HAR - 1);
    memcpy(zip + n, HAR, sizeof HAR - 1);
    n += sizeof HAR - 1;
    memcpy(zip + n, "PK\1\2 the directory", 18);
    n += 18;
    for (size_t step = 1; step < 300; step += 50) {
        struct file_facts f = read_all(r, span_of(zip, n), step, &is_done);
        assert_true(f.type == FILE_ZIP && f.is_scanned && !f.is_cut);
        assert_int_equal(f.secrets[SECRET_COOKIE], 1);
    }
    struct file_facts f = read_all(r, span_of(zip, n - 30), 50, &is_done);
    assert_true(f.is_scanned && f.is_cut);
    uint8_t gzip[512] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, sizeof HAR - 1, 0, (uint8_t)~(sizeof HAR - 1), 0xff};
    memcpy(gzip + 15, HAR, sizeof HAR - 1);
    f = read_all(r, span_of(gzip, 15 + sizeof HAR - 1), 9, &is_done); /* its trailer is missing */
    assert_true(f.type == FILE_GZIP && f.is_scanned && f.is_cut);
    assert_int_equal(f.secrets[SECRET_COOKIE], 1);
    file_reader_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_place),
        cmocka_unit_test(begun_by_name),
        cmocka_unit_test(budget),
        cmocka_unit_test(archives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
