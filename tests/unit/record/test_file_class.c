/* SPDX-License-Identifier: Apache-2.0
 * Classes of files: by content whatever the name, by name where the content leaves it open or was not seen. */
#include "record/file_class.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka wants those above first */
#include <cmocka.h>

static void classes(void **state)
{
    static const struct {
        enum file_type type;
        const char *name, *media;
        enum file_class expected;
    } table[] = {
        {FILE_HAR, "trace.har", "application/json", FILE_CLASS_HAR},
        {FILE_HAR, "holiday.png", "image/png", FILE_CLASS_HAR}, /* renamed */
        {FILE_HAR, "", "", FILE_CLASS_HAR},
        {FILE_JSON, "trace.har", "", FILE_CLASS_DATA}, /* called so, and none */
        {FILE_JSON, "settings.conf", "", FILE_CLASS_CONFIG},
        {FILE_JSON, "heap.heapsnapshot", "", FILE_CLASS_HEAP_DUMP},
        {FILE_PNG, "core.123", "", FILE_CLASS_IMAGE},
        {FILE_ELF_CORE, "notes.txt", "text/plain", FILE_CLASS_CORE},
        {FILE_MINIDUMP, "a", "", FILE_CLASS_CORE},
        {FILE_HPROF, "x.bin", "", FILE_CLASS_HEAP_DUMP},
        {FILE_PRIVATE_KEY, "readme", "", FILE_CLASS_KEY},
        {FILE_CERTIFICATE, "server.pem", "", FILE_CLASS_CONFIG},
        {FILE_TEXT, "server.key", "", FILE_CLASS_TEXT}, /* it would have shown itself */
        {FILE_TEXT, "my.cnf", "", FILE_CLASS_CONFIG},
        {FILE_TEXT, "app.log.7", "", FILE_CLASS_LOG},
        {FILE_TEXT, "notes", "", FILE_CLASS_TEXT},
        {FILE_TEXT, "x.zip", "", FILE_CLASS_TEXT},
        {FILE_TEXT, "data.json", "", FILE_CLASS_TEXT},
        {FILE_LOG, "agent-01.txt", "text/plain", FILE_CLASS_LOG},
        {FILE_LOG, "app.yaml", "", FILE_CLASS_CONFIG},
        {FILE_CSV, "export.csv", "", FILE_CLASS_DATA},
        {FILE_SQL, "dump.txt", "", FILE_CLASS_DATABASE},
        {FILE_ZIP, "bundle.zip", "", FILE_CLASS_ARCHIVE},
        {FILE_OOXML, "a.zip", "", FILE_CLASS_DOCUMENT},
        {FILE_KEEPASS, "x", "", FILE_CLASS_KEY},
        {FILE_PCAPNG, "x", "", FILE_CLASS_CAPTURE},
        {FILE_BINARY, "vmcore", "", FILE_CLASS_CORE},
        {FILE_BINARY, "db.bak", "", FILE_CLASS_DATABASE},
        {FILE_BINARY, "x.pdf", "", FILE_CLASS_OTHER},
        {FILE_BINARY, "x.log", "", FILE_CLASS_OTHER},
        {FILE_BINARY, "firmware.bin", "", FILE_CLASS_OTHER},
        {FILE_UNSEEN, "trace.har", "application/octet-stream", FILE_CLASS_HAR},
        {FILE_UNSEEN, "core.4711", "", FILE_CLASS_CORE},
        {FILE_UNSEEN, "id_rsa", "", FILE_CLASS_KEY},
        {FILE_UNSEEN, "TRACE.HAR", "", FILE_CLASS_HAR},
        {FILE_UNSEEN, "34", "image/png", FILE_CLASS_IMAGE},
        {FILE_UNSEEN, "", "application/pdf", FILE_CLASS_DOCUMENT},
        {FILE_UNSEEN, "", "text/x-unknown", FILE_CLASS_TEXT},
        {FILE_UNSEEN, "", "application/octet-stream", FILE_CLASS_NONE},
        {FILE_UNSEEN, "1.2.3.4.5", "", FILE_CLASS_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        enum file_class c = file_class_of(table[i].type, span_text(table[i].name), span_text(table[i].media));
        if (c != table[i].expected)
            fail_msg("%s '%s' '%s': %s, expected %s", file_type_name(table[i].type), table[i].name, table[i].media,
                     file_class_name(c), file_class_name(table[i].expected));
    }
}

/* Every format has a class, but for the texts whose names tell; only texts are looked through. */
static void every_format(void **state)
{
    (void)state;
    for (int i = FILE_BINARY; i < FILE_TYPES; i++) {
        enum file_class c = file_class_of((enum file_type)i, SPAN(""), SPAN(""));
        assert_int_not_equal(c, FILE_CLASS_NONE);
        if (file_class_is_scanned((enum file_type)i, c))
            assert_true(i >= FILE_TEXT);
    }
    assert_true(file_class_is_scanned(FILE_HAR, FILE_CLASS_HAR));
    assert_true(file_class_is_scanned(FILE_PRIVATE_KEY, FILE_CLASS_KEY));
    assert_false(file_class_is_scanned(FILE_SQL, FILE_CLASS_DATABASE));
    assert_false(file_class_is_scanned(FILE_ZIP, FILE_CLASS_ARCHIVE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(classes), cmocka_unit_test(every_format)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
