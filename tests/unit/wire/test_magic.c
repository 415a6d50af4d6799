/* SPDX-License-Identifier: Apache-2.0
 * Formats by their first bytes: each signature, each look at text, what looks alike and is not, and short beginnings. */
#include "wire/magic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define B(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}

static const struct {
    struct span head;
    enum file_type type;
} cases[] = {
    {B("PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\0trace1.har"), FILE_ZIP},
    {B("PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml"), FILE_OOXML},
    {B("PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0mimetypeapplication/vnd.oasis.opendocument.text"), FILE_ODF},
    {B("PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0mimetypeapplication/epub+zip"), FILE_ZIP},
    {B("PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0META-INF/MANIFEST.MF"), FILE_JAR},
    {B("PK\x03\x04"), FILE_ZIP},
    {B("PK\x05\x06\0\0\0\0"), FILE_ZIP},
    {B("PK\x01\x02\0\0\0\0"), FILE_BINARY},
    {B("\x1f\x8b\x08\0\0\0\0\0\0\x03"), FILE_GZIP},
    {B("BZh91AY&SY"), FILE_BZIP2},
    {B("BZhlog of a day"), FILE_TEXT},
    {B("\xfd" "7zXZ\0\0\x04"), FILE_XZ},
    {B("\x28\xb5\x2f\xfd\x04\0"), FILE_ZSTD},
    {B("\x04\x22\x4d\x18\x40"), FILE_LZ4},
    {B("7z\xbc\xaf\x27\x1c\0\x04"), FILE_SEVENZIP},
    {B("Rar!\x1a\x07\x01\0"), FILE_RAR},
    {B("MSCF\0\0\0\0\x10"), FILE_CAB},
    {B("%PDF-1.5\n1 0 obj"), FILE_PDF},
    {B("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0"), FILE_OLE},
    {B("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), FILE_PNG},
    {B("\xff\xd8\xff\xe0\0\x10JFIF"), FILE_JPEG},
    {B("GIF89a\x01\0"), FILE_GIF},
    {B("RIFF\x24\0\0\0WEBPVP8 "), FILE_WEBP},
    {B("RIFF\x24\0\0\0WAVEfmt "), FILE_BINARY},
    {B("BM\x36\0\x0c\0\0\0\0\0\x36\0\0\0\x28\0\0\0\0\x02\0\0\x80\x01\0\0"), FILE_BMP},
    {B("II*\0\x08\0\0\0"), FILE_TIFF},
    {B("\0\0\0\x20" "ftypisom"), FILE_MP4},
    {B("\x1a\x45\xdf\xa3\x01"), FILE_WEBM},
    {B("\x7f" "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0\x3e\0"), FILE_ELF_CORE},
    {B("\x7f" "ELF\x01\x02\x01\0\0\0\0\0\0\0\0\0\0\x04\0\x14"), FILE_ELF_CORE}, /* big-endian */
    {B("\x7f" "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0"), FILE_ELF},
    {B("\x7f" "ELF"), FILE_ELF},
    {B("MDMP\x93\xa7\0\0"), FILE_MINIDUMP},
    {B("PAGEDU64\x0f\0\0\0"), FILE_WINDOWS_DUMP},
    {B("PAGEDUMP\x0f\0\0\0"), FILE_WINDOWS_DUMP},
    {B("KDUMP   \x06\0\0\0"), FILE_KDUMP},
    {B("JAVA PROFILE 1.0.2\0\0\0\0\x04"), FILE_HPROF},
    {B("FLR\0\0\x02\0\0"), FILE_JFR},
    {B("Nettrace\x14\0\0\0!FastSerialization.1"), FILE_NETTRACE},
    {B("\xd4\xc3\xb2\xa1\x02\0\x04\0"), FILE_PCAP},
    {B("\x4d\x3c\xb2\xa1\x02\0\x04\0"), FILE_PCAP},
    {B("\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a"), FILE_PCAPNG},
    {B("snoop\0\0\0\0\0\0\x02"), FILE_SNOOP},
    {B("SQLite format 3\0\x10"), FILE_SQLITE},
    {B("PGDMP\x01\x0e\0"), FILE_PG_DUMP},
    {B("\x03\0\x03" "EXPORT:V11.02.00"), FILE_ORACLE_DUMP},
    {B("\xfe\xed\xfe\xed\0\0\0\x02"), FILE_JKS},
    {B("\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5"), FILE_KEEPASS},
    {B("\x30\x82\x0a\x10\x02\x01\x03\x30\x82\x09\xd6\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x82"), FILE_PKCS12},
    {B("\x30\x82\x0a\x10\x30\x82\x09\xd6\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x82\x09\xc7\x04"), FILE_BINARY},
    {B("ElfFile\0\0\0\0\0"), FILE_EVTX},
    {B("LPKSHHRH\0\0\0\0"), FILE_JOURNAL},
    {B("\xca\xfe\xba\xbe\0\0\0\x34"), FILE_JAVA_CLASS},
    {B("\xca\xfe\xba\xbe\0\0\0\x02"), FILE_BINARY},
    {B("\xff\xfe[\0s\0e\0"), FILE_UTF16},
    {B("{\\rtf1\\ansi"), FILE_RTF},
    {B("\x01\x02\x03\x04 nothing we know"), FILE_BINARY},
    {B("{\n \"log\": {\n  \"version\": \"1.2\",\n  \"creator\": {\n   \"name\": \"WebInspector\""), FILE_HAR},
    {B("\xef\xbb\xbf{\"log\":{\"pages\":[],\"entries\":["), FILE_HAR},
    {B("{\"_meta\":1,\"log\":{\"creator\":{}"), FILE_HAR},
    {B("{\"log\": {\"version\": 3, \"level\": \"info\"}}"), FILE_JSON},
    {B("{\"log\": \"version\", \"creator\": {\"entries\": 1}}"), FILE_JSON},
    {B("{\"id\": 1}"), FILE_JSON},
    {B(" [ {\"a\":1} ]"), FILE_JSON},
    {B("[1, 2, 3]"), FILE_JSON},
    {B("{not json}"), FILE_TEXT},
    {B("[2026-02-01 10:00:00] start\n[2026-02-01 10:00:01] stop\n"), FILE_LOG},
    {B("<?xml version=\"1.0\"?><config/>"), FILE_XML},
    {B("<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>"), FILE_SVG},
    {B("<!DOCTYPE HTML><title>x"), FILE_HTML},
    {B("<b>note"), FILE_TEXT},
    {B("name,age,city\nA,1,x\nB,2,y\n"), FILE_CSV},
    {B("a;b;c\n1;2;3\n4;5;6\n"), FILE_CSV},
    {B("Dear all, hello, yes\nno commas\n"), FILE_TEXT},
    {B("2026-02-03 10:11:12,345 INFO [worker-1] db.Pool - x\n2026-02-03 10:11:13,000 WARN x\n"), FILE_LOG},
    {B("<34>Oct 11 22:14:15 mymachine su: failed\n"), FILE_LOG},
    {B("Oct  1 22:14:15 mymachine su: failed\nOct  1 22:14:16 x"), FILE_LOG},
    {B("192.0.2.1 - - [10/Oct/2026:13:55:36 +0000] \"GET / HTTP/1.1\" 200\n192.0.2.1 - - [10/Oct/2026:13:55:36 +0000]\n"), FILE_LOG},
    {B("I0305 10:11:12.000001   12 main.go:3] up\nI0305 10:11:12.000001   12 main.go:3] up\n"), FILE_LOG},
    {B("We met on the 5th.\nIt was fine.\n"), FILE_TEXT},
    {B("-- MySQL dump 10.13  Distrib 8.0\n"), FILE_SQL},
    {B("--\n-- PostgreSQL database dump\n--\n"), FILE_SQL},
    {B("INSERT INTO t VALUES (1);"), FILE_SQL},
    {B("Return-Path: <a@b>\nReceived: from x\nFrom: a\nSubject: b\n"), FILE_MAIL},
    {B("From alice Mon Mar  2 10:00:00 2026\nFrom: a\nSubject: b\n"), FILE_MAIL},
    {B("From here on nothing works.\n"), FILE_TEXT},
    {B("-----BEGIN RSA PRIVATE KEY-----\nMIIE"), FILE_PRIVATE_KEY},
    {B("Bag Attributes\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE"), FILE_PRIVATE_KEY},
    {B("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl"), FILE_PRIVATE_KEY},
    {B("-----BEGIN PGP PRIVATE KEY BLOCK-----\n"), FILE_PRIVATE_KEY},
    {B("-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nMIIE"), FILE_PRIVATE_KEY},
    {B("PuTTY-User-Key-File-3: ssh-ed25519\n"), FILE_PRIVATE_KEY},
    {B("-----BEGIN CERTIFICATE-----\nMIID"), FILE_CERTIFICATE},
    {B("-----BEGIN CERTIFICATE REQUEST-----\nMIID"), FILE_CERTIFICATE},
    {B("-----BEGIN PGP MESSAGE-----\nMIID"), FILE_TEXT},
    {B("#!/bin/sh\nexit 0\n"), FILE_SCRIPT},
    {B("key = value\n"), FILE_TEXT},
    {B("na\xefve caf\xe9\n"), FILE_TEXT}, /* ISO 8859-1 */
    {B("   \n"), FILE_TEXT},
    {B(""), FILE_UNSEEN},
};

static void formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum file_type type = magic_type(cases[i].head);
        if (type != cases[i].type)
            fail_msg("case %zu (%.20s): %s, expected %s", i, (const char *)cases[i].head.at, file_type_name(type),
                     file_type_name(cases[i].type));
    }
}

static void tar_has_its_magic_inside(void **state)
{
    (void)state;
    uint8_t block[512] = "etc/passwd";
    memcpy(block + 257, "ustar\0" "00", 8);
    assert_int_equal(magic_type(span_of(block, sizeof block)), FILE_TAR);
    assert_int_equal(magic_type(span_of(block, 200)), FILE_BINARY);
}

/* Every beginning of every case is read without reading past it, and never as another signature's format. */
static void short_heads(void **state)
{
    (void)state;
    uint8_t copy[256];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t n = 1; n < cases[i].head.size && n < sizeof copy; n++) {
            memcpy(copy + sizeof copy - n, cases[i].head.at, n); /* ends where the array ends: the sanitizer sees more */
            enum file_type type = magic_type(span_of(copy + sizeof copy - n, n));
            assert_true(type > FILE_UNSEEN && type < FILE_TYPES);
        }
}

static void declared(void **state)
{
    static const struct {
        enum file_type type;
        const char *media;
        bool disagrees;
    } table[] = {
        {FILE_ZIP, "application/octet-stream", false}, {FILE_ZIP, "", false},
        {FILE_ZIP, "image/png", true},                 {FILE_ZIP, "text/plain", true},
        {FILE_OOXML, "application/zip", false},        {FILE_HAR, "text/plain", false},
        {FILE_HAR, "application/json", false},         {FILE_HAR, "image/png", true},
        {FILE_JPEG, "image/png", false},               {FILE_PE, "application/pdf", true},
        {FILE_PE, "text/plain", true},                 {FILE_PE, "application/x-msdownload", false},
        {FILE_GZIP, "application/x-tar", false},       {FILE_SVG, "image/svg+xml", false},
        {FILE_SVG, "text/plain", false},               {FILE_BINARY, "text/plain", true},
        {FILE_BINARY, "image/heic", false},            {FILE_BINARY, "application/pdf", true},
        {FILE_UNSEEN, "text/plain", false},            {FILE_PDF, "application/pdf", false},
        {FILE_HTML, "application/pdf", true},          {FILE_MP4, "video/quicktime", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (magic_disagrees(table[i].type, span_text(table[i].media)) != table[i].disagrees)
            fail_msg("%s declared as '%s'", file_type_name(table[i].type), table[i].media);
}

static void every_name(void **state)
{
    (void)state;
    for (int i = 1; i < FILE_TYPES; i++) {
        assert_non_null(file_type_name((enum file_type)i));
        assert_non_null(file_type_media((enum file_type)i));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(file_type_name((enum file_type)i), file_type_name((enum file_type)k));
    }
    for (int i = 0; i < FILE_CLASSES; i++)
        assert_non_null(file_class_name((enum file_class)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),  cmocka_unit_test(tar_has_its_magic_inside), cmocka_unit_test(short_heads),
        cmocka_unit_test(declared), cmocka_unit_test(every_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
