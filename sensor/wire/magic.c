/* SPDX-License-Identifier: Apache-2.0
 * Signatures, most of them at offset 0; the containers and texts that need a second look. */
#include "wire/magic.h"

struct signature {
    uint16_t at;
    uint8_t type; /* enum file_type */
    struct span bytes;
};

#define SIGN(at, type, literal) {at, type, {(const uint8_t *)(literal), sizeof(literal) - 1}}

static const struct signature signatures[] = {
    SIGN(0, FILE_ZIP, "PK\x03\x04"),
    SIGN(0, FILE_ZIP, "PK\x05\x06"),
    SIGN(0, FILE_GZIP, "\x1f\x8b\x08"),
    SIGN(0, FILE_BZIP2, "BZh"),
    SIGN(0, FILE_XZ, "\xfd"
                     "7zXZ\0"),
    SIGN(0, FILE_ZSTD, "\x28\xb5\x2f\xfd"),
    SIGN(0, FILE_LZ4, "\x04\x22\x4d\x18"),
    SIGN(0, FILE_SEVENZIP, "7z\xbc\xaf\x27\x1c"),
    SIGN(0, FILE_RAR, "Rar!\x1a\x07"),
    SIGN(257, FILE_TAR, "ustar"),
    SIGN(0, FILE_CAB, "MSCF\0\0\0\0"),
    SIGN(0, FILE_PDF, "%PDF-"),
    SIGN(0, FILE_OLE, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    SIGN(0, FILE_PNG, "\x89PNG\r\n\x1a\n"),
    SIGN(0, FILE_JPEG, "\xff\xd8\xff"),
    SIGN(0, FILE_GIF, "GIF87a"),
    SIGN(0, FILE_GIF, "GIF89a"),
    SIGN(8, FILE_WEBP, "WEBPVP8"),
    SIGN(0, FILE_TIFF, "II*\0"),
    SIGN(0, FILE_TIFF, "MM\0*"),
    SIGN(4, FILE_MP4, "ftyp"),
    SIGN(0, FILE_WEBM, "\x1a\x45\xdf\xa3"),
    SIGN(0, FILE_ELF, "\x7f"
                      "ELF"),
    SIGN(0, FILE_MINIDUMP, "MDMP\x93\xa7"),
    SIGN(0, FILE_WINDOWS_DUMP, "PAGEDU64"),
    SIGN(0, FILE_WINDOWS_DUMP, "PAGEDUMP"),
    SIGN(0, FILE_KDUMP, "KDUMP   "),
    SIGN(0, FILE_KDUMP, "DISKDUMP"),
    SIGN(0, FILE_KDUMP, "makedumpfile"),
    SIGN(0, FILE_HPROF, "JAVA PROFILE 1.0."),
    SIGN(0, FILE_JFR, "FLR\0"),
    SIGN(0, FILE_NETTRACE, "Nettrace"),
    SIGN(0, FILE_PCAP, "\xd4\xc3\xb2\xa1"),
    SIGN(0, FILE_PCAP, "\xa1\xb2\xc3\xd4"),
    SIGN(0, FILE_PCAP, "\x4d\x3c\xb2\xa1"),
    SIGN(0, FILE_PCAP, "\xa1\xb2\x3c\x4d"),
    SIGN(0, FILE_PCAPNG, "\x0a\x0d\x0d\x0a"),
    SIGN(0, FILE_SNOOP, "snoop\0\0\0"),
    SIGN(0, FILE_SQLITE, "SQLite format 3\0"),
    SIGN(0, FILE_PG_DUMP, "PGDMP"),
    SIGN(0, FILE_JKS, "\xfe\xed\xfe\xed"),
    SIGN(0, FILE_JKS, "\xce\xce\xce\xce"),
    SIGN(0, FILE_KEEPASS, "\x03\xd9\xa2\x9a"),
    SIGN(0, FILE_EVTX, "ElfFile\0"),
    SIGN(0, FILE_JOURNAL, "LPKSHHRH"),
    SIGN(1, FILE_ORACLE_DUMP, "\0\x03"
                              "EXPORT:V"),
    SIGN(0, FILE_RTF, "{\\rtf"),
    SIGN(0, FILE_UTF16, "\xff\xfe"),
    SIGN(0, FILE_UTF16, "\xfe\xff"),
};

static bool has_at(struct span head, size_t at, struct span bytes)
{
    return head.size >= at + bytes.size && memcmp(head.at + at, bytes.at, bytes.size) == 0;
}

static bool holds(struct span head, struct span text)
{
    return span_find(head, text, 0) != SIZE_MAX;
}

static uint16_t little16(struct span s, size_t at)
{
    return (uint16_t)((unsigned)s.at[at] | (unsigned)s.at[at + 1] << 8);
}

/* By the names of the first members (ISO/IEC 29500-2 and ODF 1.3 part 2 say which come first; of jars the manifest). */
static enum file_type zip_type(struct span head)
{
    struct span name = head.size > 30 ? span_sub(head, 30, little16(head, 26)) : SPAN("");
    if (span_eq(name, SPAN("mimetype")))
        return holds(head, SPAN("application/vnd.oasis.opendocument")) ? FILE_ODF : FILE_ZIP;
    if (span_starts(name, SPAN("[Content_Types].xml")) || span_starts(name, SPAN("_rels/")) ||
        span_starts(name, SPAN("docProps/")))
        return FILE_OOXML;
    return span_starts(name, SPAN("META-INF/")) ? FILE_JAR : FILE_ZIP;
}

/* e_type, in the byte order that e_ident names. */
static enum file_type elf_type(struct span head)
{
    enum { CORE = 4, LITTLE = 1 };
    if (head.size < 18)
        return FILE_ELF;
    unsigned type = head.at[5] == LITTLE ? little16(head, 16) : (unsigned)head.at[16] << 8 | head.at[17];
    return type == CORE ? FILE_ELF_CORE : FILE_ELF;
}

/* PFX ::= SEQUENCE { version INTEGER {v3(3)}, authSafe ContentInfo (of a data or signedData), ... } (RFC 7292, 4). */
static bool is_pkcs12(struct span head)
{
    static const uint8_t pkcs7[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07};
    if (head.size < 24 || head.at[0] != 0x30)
        return false;
    size_t length = head.at[1] < 0x80 ? 0 : (size_t)(head.at[1] & 0x7f), at = 2 + length;
    return length <= 4 && has_at(head, at, SPAN("\x02\x01\x03\x30")) && holds(span_sub(head, at, 24), span_of(pkcs7, sizeof pkcs7));
}

static enum file_type binary_type(struct span head)
{
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        const struct signature *s = &signatures[i];
        if (!has_at(head, s->at, s->bytes))
            continue;
        if (s->type == FILE_BZIP2 && (head.size < 4 || head.at[3] < '1' || head.at[3] > '9'))
            continue;
        if (s->type == FILE_WEBP && !span_starts(head, SPAN("RIFF")))
            continue;
        return s->type == FILE_ZIP ? zip_type(head) : s->type == FILE_ELF ? elf_type(head) : (enum file_type)s->type;
    }
    if (span_starts(head, SPAN("MZ")) && head.size >= 64)
        return FILE_PE;
    if (span_starts(head, SPAN("BM")) && head.size >= 26 && little16(head, 6) == 0 && little16(head, 8) == 0)
        return FILE_BMP; /* its reserved fields are zero */
    if (span_starts(head, SPAN("\xca\xfe\xba\xbe")) && head.size >= 8 && head.at[7] >= 45)
        return FILE_JAVA_CLASS; /* below: Mach-O for several processors */
    return is_pkcs12(head) ? FILE_PKCS12 : FILE_BINARY;
}

/* ---- texts ---- */

/* No control characters but those of text; what is above ASCII may be any 8-bit character set. */
static bool is_text(struct span head)
{
    for (size_t i = 0; i < head.size; i++) {
        uint8_t c = head.at[i];
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b) || c == 0x7f)
            return false;
    }
    return true;
}

static struct span without_space(struct span s)
{
    while (s.size && (s.at[0] == ' ' || s.at[0] == '\t' || s.at[0] == '\r' || s.at[0] == '\n'))
        s = span_from(s, 1);
    return s;
}

/* Behind an opening brace: a member of this name whose value is an object; *value is the object's inside. */
static bool member_object(struct span s, struct span quoted, struct span *value)
{
    for (size_t at = span_find(s, quoted, 0); at != SIZE_MAX; at = span_find(s, quoted, at + 1)) {
        struct span rest = without_space(span_from(s, at + quoted.size));
        if (!span_starts(rest, SPAN(":")))
            continue;
        rest = without_space(span_from(rest, 1));
        if (span_starts(rest, SPAN("{"))) {
            *value = without_space(span_from(rest, 1));
            return true;
        }
    }
    return false;
}

/* HAR 1.2: {"log": {"version": ..., "creator": ..., "entries": ...}}, in any order. */
static bool is_har(struct span json)
{
    static const struct span members[] = {SPAN("\"version\""), SPAN("\"creator\""), SPAN("\"browser\""),
                                          SPAN("\"pages\""), SPAN("\"entries\"")};
    struct span log;
    if (!member_object(json, SPAN("\"log\""), &log))
        return false;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (span_starts(log, members[i]))
            return holds(log, SPAN("\"creator\"")) || holds(log, SPAN("\"entries\"")) || i > 0;
    return false;
}

static bool is_json(struct span text)
{
    struct span inside = without_space(span_from(text, 1));
    if (text.at[0] == '{')
        return !inside.size || inside.at[0] == '"' || inside.at[0] == '}';
    if (text.at[0] != '[' || !inside.size)
        return false;
    uint8_t c = inside.at[0];
    if (c == '{' || c == '"' || c == ']' || c == '[')
        return true;
    size_t word = 0; /* numbers: "[2026-02-01 ..." is a log */
    while (word < inside.size && ((inside.at[word] >= '0' && inside.at[word] <= '9') || inside.at[word] == '.'))
        word++;
    struct span rest = without_space(span_from(inside, word));
    return word && rest.size && (rest.at[0] == ',' || rest.at[0] == ']') && !span_starts(rest, SPAN("] "));
}

static enum file_type markup_type(struct span text)
{
    if (span_starts_nocase(text, SPAN("<!doctype html")) || span_starts_nocase(text, SPAN("<html")) ||
        span_starts_nocase(text, SPAN("<head")) || span_starts_nocase(text, SPAN("<body")))
        return FILE_HTML;
    if (span_starts(text, SPAN("<svg")))
        return FILE_SVG;
    if (!span_starts(text, SPAN("<?xml")))
        return FILE_TEXT;
    struct span rest = span_from(text, span_find(text, SPAN("?>"), 0) == SIZE_MAX ? 5 : span_find(text, SPAN("?>"), 0));
    return holds(rest, SPAN("<svg")) ? FILE_SVG : holds(rest, SPAN("<html")) ? FILE_HTML : FILE_XML;
}

/* PEM (RFC 7468) and its relatives. Explanatory text may stand before it. */
static enum file_type pem_type(struct span text)
{
    size_t begin = span_find(text, SPAN("-----BEGIN "), 0);
    if (span_starts(text, SPAN("PuTTY-User-Key-File-")))
        return FILE_PRIVATE_KEY;
    if (begin == SIZE_MAX || (begin && text.at[begin - 1] != '\n'))
        return FILE_TEXT;
    struct span line = span_sub(text, begin, 64);
    size_t end = span_find_byte(line, '\n', 0);
    line = span_sub(line, 11, end == SIZE_MAX ? 64 : end - 11);
    if (holds(line, SPAN("PRIVATE KEY")) || holds(text, SPAN("PRIVATE KEY-----")))
        return FILE_PRIVATE_KEY;
    bool is_known = span_starts(line, SPAN("CERTIFICATE")) || span_starts(line, SPAN("TRUSTED CERTIFICATE")) ||
                    span_starts(line, SPAN("PUBLIC KEY")) || span_starts(line, SPAN("RSA PUBLIC KEY")) ||
                    span_starts(line, SPAN("X509 CRL"));
    return is_known ? FILE_CERTIFICATE : FILE_TEXT;
}

static bool is_sql(struct span text)
{
    static const struct span starts[] = {
        SPAN("-- MySQL dump"), SPAN("-- MariaDB dump"), SPAN("-- PostgreSQL database"), SPAN("-- phpMyAdmin SQL Dump"),
        SPAN("--\n-- PostgreSQL database"), SPAN("/*!"), SPAN("-- Adminer"), SPAN("PRAGMA foreign_keys="),
        SPAN("BEGIN TRANSACTION;"), SPAN("SET SQL_MODE"), SPAN("CREATE DATABASE "), SPAN("CREATE TABLE "),
        SPAN("INSERT INTO "), SPAN("DROP TABLE "),
    };
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (span_starts_nocase(text, starts[i]))
            return true;
    return false;
}

/* A message (RFC 5322) or a box of them (RFC 4155). */
static bool is_mail(struct span text)
{
    static const struct span first[] = {SPAN("Return-Path:"), SPAN("Received:"), SPAN("Delivered-To:"), SPAN("From:"),
                                        SPAN("MIME-Version:"), SPAN("Message-ID:"), SPAN("Date:"), SPAN("Subject:"),
                                        SPAN("To:"), SPAN("From "), SPAN("X-")};
    static const struct span more[] = {SPAN("\nFrom:"), SPAN("\nSubject:"), SPAN("\nReceived:"), SPAN("\nDate:"),
                                       SPAN("\nMIME-Version:"), SPAN("\nMessage-ID:"), SPAN("\nTo:")};
    size_t n = 0;
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        if (span_starts_nocase(text, first[i])) {
            for (size_t k = 0; k < sizeof more / sizeof more[0]; k++)
                n += span_find_nocase(text, more[k], 0) != SIZE_MAX;
            return n >= 2;
        }
    return false;
}

static bool fits(struct span s, const char *form)
{
    size_t i = 0;
    for (; form[i]; i++) {
        if (i >= s.size)
            return false;
        uint8_t c = s.at[i];
        bool is_digit = c >= '0' && c <= '9', is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool is_fit = form[i] == '0'   ? is_digit
                      : form[i] == '_' ? is_digit || c == ' '
                      : form[i] == 'A' ? is_letter
                      : form[i] == '?' ? c == ' ' || c == 'T' || c == '_'
                                       : c == (uint8_t)form[i];
        if (!is_fit)
            return false;
    }
    return true;
}

/* A line of a log has a time within its first words: ISO 8601, syslog (RFC 3164), the common log format of web servers,
 * and what else programs print. '0' is a digit, '_' a digit or space, 'A' a letter. */
static bool is_log_line(struct span line)
{
    static const char *const forms[] = {
        "0000-00-00?00:00", "0000/00/00?00:00", "00/00/0000 00:00", "00.00.0000 00:00", "AAA _0 00:00:00", "00/AAA/0000:00:00:00",
        "00-AAA-0000 00:00:00", "AAA AAA _0 00:00:00", "A0000 00:00:00", "00:00:00.000", "00:00:00,000", "0000000000.000",
        "00000000 00:00:00", "00-00 00:00:00.000",
    };
    struct span part = span_sub(line, 0, 120);
    for (size_t at = 0; at < part.size; at++) {
        uint8_t before = at ? part.at[at - 1] : ' ';
        bool is_start = before == ' ' || before == '[' || before == '(' || before == '>' || before == '|' || before == '\t' || before == '"' || before == '=';
        for (size_t i = 0; is_start && i < sizeof forms / sizeof forms[0]; i++)
            if (fits(span_from(part, at), forms[i]))
                return true;
    }
    return false;
}

/* Two of the first lines (or the only one) have a time. */
static bool is_log(struct span text)
{
    struct span rest = text, line;
    unsigned lines = 0, timed = 0;
    while (lines < 6 && span_split(&rest, '\n', &line)) {
        if (span_trim(line).size == 0 || (!rest.at && lines)) /* the last one may be cut */
            continue;
        lines++;
        timed += is_log_line(line);
    }
    return timed >= 2 || (timed == 1 && lines <= 2);
}

/* The first three lines have equally many separators, two at least. */
static bool is_csv(struct span text, uint8_t separator)
{
    struct span rest = text, line;
    size_t first = 0, lines = 0;
    while (lines < 3 && span_split(&rest, '\n', &line) && rest.at) {
        size_t n = 0;
        for (size_t at = span_find_byte(line, separator, 0); at != SIZE_MAX; at = span_find_byte(line, separator, at + 1))
            n++;
        if (n < 2 || (lines && n != first))
            return false;
        first = n;
        lines++;
    }
    return lines >= 2;
}

static enum file_type text_type(struct span text)
{
    if (span_starts(text, SPAN("\xef\xbb\xbf")))
        text = span_from(text, 3);
    text = without_space(text);
    if (!text.size)
        return FILE_TEXT;
    if ((text.at[0] == '{' || text.at[0] == '[') && is_json(text))
        return is_har(text) ? FILE_HAR : FILE_JSON;
    if (text.at[0] == '<' && markup_type(text) != FILE_TEXT)
        return markup_type(text);
    if (span_starts(text, SPAN("#!")))
        return FILE_SCRIPT;
    enum file_type pem = pem_type(text);
    if (pem != FILE_TEXT)
        return pem;
    if (is_sql(text))
        return FILE_SQL;
    if (is_mail(text))
        return FILE_MAIL;
    if (is_log(text))
        return FILE_LOG;
    return is_csv(text, ',') || is_csv(text, ';') || is_csv(text, '\t') ? FILE_CSV : FILE_TEXT;
}

enum file_type magic_type(struct span head)
{
    head = span_sub(head, 0, MAGIC_PREFIX);
    if (!head.size)
        return FILE_UNSEEN;
    enum file_type type = binary_type(head);
    if (type != FILE_BINARY)
        return type;
    return is_text(head) ? text_type(head) : FILE_BINARY;
}

/* ---- declared types ---- */

enum family { FAMILY_NONE, FAMILY_TEXT, FAMILY_PACKED, FAMILY_IMAGE, FAMILY_VIDEO, FAMILY_PDF, FAMILY_OTHER };

static enum family family_of(enum file_type type)
{
    switch (type) {
    case FILE_ZIP: case FILE_JAR: case FILE_OOXML: case FILE_ODF: case FILE_GZIP: case FILE_BZIP2: case FILE_XZ:
    case FILE_ZSTD: case FILE_LZ4: case FILE_SEVENZIP: case FILE_RAR: case FILE_TAR: case FILE_CAB:
        return FAMILY_PACKED;
    case FILE_PNG: case FILE_JPEG: case FILE_GIF: case FILE_WEBP: case FILE_BMP: case FILE_TIFF:
        return FAMILY_IMAGE;
    case FILE_MP4: case FILE_WEBM:
        return FAMILY_VIDEO;
    case FILE_PDF:
        return FAMILY_PDF;
    case FILE_UNSEEN: case FILE_BINARY: case FILE_SVG:
        return FAMILY_NONE;
    default:
        return type >= FILE_TEXT ? FAMILY_TEXT : FAMILY_OTHER;
    }
}

static bool ends_in(struct span s, struct span tail)
{
    return s.size >= tail.size && span_eq(span_from(s, s.size - tail.size), tail);
}

static enum family family_declared(struct span media)
{
    static const struct span packed[] = {
        SPAN("application/zip"), SPAN("application/x-zip"), SPAN("application/gzip"), SPAN("application/x-gzip"),
        SPAN("application/x-tar"), SPAN("application/x-bzip"), SPAN("application/x-xz"), SPAN("application/zstd"),
        SPAN("application/x-7z"), SPAN("application/vnd.rar"), SPAN("application/x-rar"), SPAN("application/java-archive"),
        SPAN("application/vnd.openxmlformats"), SPAN("application/vnd.oasis.opendocument"),
    };
    static const struct span texts[] = {SPAN("application/json"), SPAN("application/xml"), SPAN("application/sql"),
                                        SPAN("application/x-ndjson"), SPAN("application/yaml"), SPAN("message/rfc822")};
    if (span_starts(media, SPAN("text/")) || ends_in(media, SPAN("+json")))
        return FAMILY_TEXT;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (span_eq(media, texts[i]))
            return FAMILY_TEXT;
    if (span_starts(media, SPAN("image/")))
        return ends_in(media, SPAN("xml")) ? FAMILY_NONE : FAMILY_IMAGE;
    if (span_starts(media, SPAN("video/")))
        return FAMILY_VIDEO;
    if (span_eq(media, SPAN("application/pdf")))
        return FAMILY_PDF;
    for (size_t i = 0; i < sizeof packed / sizeof packed[0]; i++)
        if (span_starts(media, packed[i]))
            return FAMILY_PACKED;
    return FAMILY_NONE;
}

bool magic_disagrees(enum file_type type, struct span media)
{
    enum family said = family_declared(media), is = family_of(type);
    if (type == FILE_BINARY)
        return said == FAMILY_TEXT || said == FAMILY_PDF;
    return said != FAMILY_NONE && is != FAMILY_NONE && said != is;
}
