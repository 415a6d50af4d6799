/* SPDX-License-Identifier: Apache-2.0
 * Two tables: formats to classes, extensions to classes. */
#include "record/file_class.h"

#include "record/ecs.h"

/* FILE_CLASS_NONE: the format leaves it open. */
static enum file_class class_of_type(enum file_type type)
{
    static const uint8_t table[FILE_TYPES] = {
        [FILE_ZIP] = FILE_CLASS_ARCHIVE,          [FILE_JAR] = FILE_CLASS_PROGRAM,
        [FILE_OOXML] = FILE_CLASS_DOCUMENT,       [FILE_ODF] = FILE_CLASS_DOCUMENT,
        [FILE_GZIP] = FILE_CLASS_ARCHIVE,         [FILE_BZIP2] = FILE_CLASS_ARCHIVE,
        [FILE_XZ] = FILE_CLASS_ARCHIVE,           [FILE_ZSTD] = FILE_CLASS_ARCHIVE,
        [FILE_LZ4] = FILE_CLASS_ARCHIVE,          [FILE_SEVENZIP] = FILE_CLASS_ARCHIVE,
        [FILE_RAR] = FILE_CLASS_ARCHIVE,          [FILE_TAR] = FILE_CLASS_ARCHIVE,
        [FILE_CAB] = FILE_CLASS_ARCHIVE,          [FILE_PDF] = FILE_CLASS_DOCUMENT,
        [FILE_OLE] = FILE_CLASS_DOCUMENT,         [FILE_PNG] = FILE_CLASS_IMAGE,
        [FILE_JPEG] = FILE_CLASS_IMAGE,           [FILE_GIF] = FILE_CLASS_IMAGE,
        [FILE_WEBP] = FILE_CLASS_IMAGE,           [FILE_BMP] = FILE_CLASS_IMAGE,
        [FILE_TIFF] = FILE_CLASS_IMAGE,           [FILE_MP4] = FILE_CLASS_IMAGE,
        [FILE_WEBM] = FILE_CLASS_IMAGE,           [FILE_SVG] = FILE_CLASS_IMAGE,
        [FILE_ELF] = FILE_CLASS_PROGRAM,          [FILE_ELF_CORE] = FILE_CLASS_CORE,
        [FILE_PE] = FILE_CLASS_PROGRAM,           [FILE_JAVA_CLASS] = FILE_CLASS_PROGRAM,
        [FILE_MINIDUMP] = FILE_CLASS_CORE,        [FILE_WINDOWS_DUMP] = FILE_CLASS_CORE,
        [FILE_KDUMP] = FILE_CLASS_CORE,           [FILE_HPROF] = FILE_CLASS_HEAP_DUMP,
        [FILE_JFR] = FILE_CLASS_LOG,              [FILE_NETTRACE] = FILE_CLASS_LOG,
        [FILE_PCAP] = FILE_CLASS_CAPTURE,         [FILE_PCAPNG] = FILE_CLASS_CAPTURE,
        [FILE_SNOOP] = FILE_CLASS_CAPTURE,        [FILE_SQLITE] = FILE_CLASS_DATABASE,
        [FILE_PG_DUMP] = FILE_CLASS_DATABASE,     [FILE_ORACLE_DUMP] = FILE_CLASS_DATABASE,
        [FILE_PKCS12] = FILE_CLASS_KEY,           [FILE_JKS] = FILE_CLASS_KEY,
        [FILE_KEEPASS] = FILE_CLASS_KEY,          [FILE_EVTX] = FILE_CLASS_LOG,
        [FILE_JOURNAL] = FILE_CLASS_LOG,          [FILE_HAR] = FILE_CLASS_HAR,
        [FILE_LOG] = FILE_CLASS_LOG,              [FILE_SQL] = FILE_CLASS_DATABASE,
        [FILE_MAIL] = FILE_CLASS_MAIL,            [FILE_PRIVATE_KEY] = FILE_CLASS_KEY,
        [FILE_CERTIFICATE] = FILE_CLASS_CONFIG,   [FILE_SCRIPT] = FILE_CLASS_PROGRAM,
        [FILE_RTF] = FILE_CLASS_DOCUMENT,         [FILE_HTML] = FILE_CLASS_DOCUMENT,
    };
    return (enum file_class)table[type];
}

struct extension {
    struct span name;
    uint8_t file_class;
    bool is_text; /* a file of that name is a text */
};

#define EXT(name, file_class, is_text) {{(const uint8_t *)(name), sizeof(name) - 1}, file_class, is_text}

static const struct extension extensions[] = {
    EXT("har", FILE_CLASS_HAR, true),          EXT("pem", FILE_CLASS_KEY, true),          EXT("key", FILE_CLASS_KEY, true),
    EXT("ppk", FILE_CLASS_KEY, true),          EXT("pfx", FILE_CLASS_KEY, false),         EXT("p12", FILE_CLASS_KEY, false),
    EXT("jks", FILE_CLASS_KEY, false),         EXT("keystore", FILE_CLASS_KEY, false),    EXT("kdbx", FILE_CLASS_KEY, false),
    EXT("keytab", FILE_CLASS_KEY, false),      EXT("core", FILE_CLASS_CORE, false),       EXT("dmp", FILE_CLASS_CORE, false),
    EXT("mdmp", FILE_CLASS_CORE, false),       EXT("hdmp", FILE_CLASS_CORE, false),       EXT("hprof", FILE_CLASS_HEAP_DUMP, false),
    EXT("phd", FILE_CLASS_HEAP_DUMP, false),   EXT("heapdump", FILE_CLASS_HEAP_DUMP, false),
    EXT("gcdump", FILE_CLASS_HEAP_DUMP, false), EXT("heapsnapshot", FILE_CLASS_HEAP_DUMP, true),
    EXT("sql", FILE_CLASS_DATABASE, true),     EXT("dump", FILE_CLASS_DATABASE, false),   EXT("bak", FILE_CLASS_DATABASE, false),
    EXT("mdb", FILE_CLASS_DATABASE, false),    EXT("mdf", FILE_CLASS_DATABASE, false),    EXT("db", FILE_CLASS_DATABASE, false),
    EXT("sqlite", FILE_CLASS_DATABASE, false), EXT("bson", FILE_CLASS_DATABASE, false),   EXT("rdb", FILE_CLASS_DATABASE, false),
    EXT("pcap", FILE_CLASS_CAPTURE, false),    EXT("pcapng", FILE_CLASS_CAPTURE, false),  EXT("cap", FILE_CLASS_CAPTURE, false),
    EXT("etl", FILE_CLASS_LOG, false),         EXT("log", FILE_CLASS_LOG, true),          EXT("out", FILE_CLASS_LOG, true),
    EXT("err", FILE_CLASS_LOG, true),          EXT("trc", FILE_CLASS_LOG, true),          EXT("trace", FILE_CLASS_LOG, true),
    EXT("evtx", FILE_CLASS_LOG, false),        EXT("journal", FILE_CLASS_LOG, false),     EXT("jfr", FILE_CLASS_LOG, false),
    EXT("conf", FILE_CLASS_CONFIG, true),      EXT("cfg", FILE_CLASS_CONFIG, true),       EXT("cnf", FILE_CLASS_CONFIG, true),
    EXT("ini", FILE_CLASS_CONFIG, true),       EXT("yaml", FILE_CLASS_CONFIG, true),      EXT("yml", FILE_CLASS_CONFIG, true),
    EXT("toml", FILE_CLASS_CONFIG, true),      EXT("env", FILE_CLASS_CONFIG, true),       EXT("properties", FILE_CLASS_CONFIG, true),
    EXT("config", FILE_CLASS_CONFIG, true),    EXT("reg", FILE_CLASS_CONFIG, true),       EXT("plist", FILE_CLASS_CONFIG, true),
    EXT("crt", FILE_CLASS_CONFIG, true),       EXT("cer", FILE_CLASS_CONFIG, false),      EXT("zip", FILE_CLASS_ARCHIVE, false),
    EXT("gz", FILE_CLASS_ARCHIVE, false),      EXT("tgz", FILE_CLASS_ARCHIVE, false),     EXT("bz2", FILE_CLASS_ARCHIVE, false),
    EXT("xz", FILE_CLASS_ARCHIVE, false),      EXT("zst", FILE_CLASS_ARCHIVE, false),     EXT("7z", FILE_CLASS_ARCHIVE, false),
    EXT("rar", FILE_CLASS_ARCHIVE, false),     EXT("tar", FILE_CLASS_ARCHIVE, false),     EXT("lzma", FILE_CLASS_ARCHIVE, false),
    EXT("cab", FILE_CLASS_ARCHIVE, false),     EXT("png", FILE_CLASS_IMAGE, false),       EXT("jpg", FILE_CLASS_IMAGE, false),
    EXT("jpeg", FILE_CLASS_IMAGE, false),      EXT("gif", FILE_CLASS_IMAGE, false),       EXT("webp", FILE_CLASS_IMAGE, false),
    EXT("bmp", FILE_CLASS_IMAGE, false),       EXT("heic", FILE_CLASS_IMAGE, false),      EXT("mp4", FILE_CLASS_IMAGE, false),
    EXT("mov", FILE_CLASS_IMAGE, false),       EXT("webm", FILE_CLASS_IMAGE, false),      EXT("svg", FILE_CLASS_IMAGE, true),
    EXT("pdf", FILE_CLASS_DOCUMENT, false),    EXT("doc", FILE_CLASS_DOCUMENT, false),    EXT("docx", FILE_CLASS_DOCUMENT, false),
    EXT("xls", FILE_CLASS_DOCUMENT, false),    EXT("xlsx", FILE_CLASS_DOCUMENT, false),   EXT("ppt", FILE_CLASS_DOCUMENT, false),
    EXT("pptx", FILE_CLASS_DOCUMENT, false),   EXT("odt", FILE_CLASS_DOCUMENT, false),    EXT("ods", FILE_CLASS_DOCUMENT, false),
    EXT("rtf", FILE_CLASS_DOCUMENT, true),     EXT("html", FILE_CLASS_DOCUMENT, true),    EXT("htm", FILE_CLASS_DOCUMENT, true),
    EXT("md", FILE_CLASS_DOCUMENT, true),      EXT("eml", FILE_CLASS_MAIL, true),         EXT("msg", FILE_CLASS_MAIL, false),
    EXT("mbox", FILE_CLASS_MAIL, true),        EXT("pst", FILE_CLASS_MAIL, false),        EXT("exe", FILE_CLASS_PROGRAM, false),
    EXT("msi", FILE_CLASS_PROGRAM, false),     EXT("dll", FILE_CLASS_PROGRAM, false),     EXT("rpm", FILE_CLASS_PROGRAM, false),
    EXT("deb", FILE_CLASS_PROGRAM, false),     EXT("jar", FILE_CLASS_PROGRAM, false),     EXT("sh", FILE_CLASS_PROGRAM, true),
    EXT("ps1", FILE_CLASS_PROGRAM, true),      EXT("json", FILE_CLASS_DATA, true),        EXT("xml", FILE_CLASS_DATA, true),
    EXT("csv", FILE_CLASS_DATA, true),         EXT("tsv", FILE_CLASS_DATA, true),         EXT("txt", FILE_CLASS_TEXT, true),
};

static bool is_digits(struct span s)
{
    uint64_t number;
    return span_u64(s, &number);
}

/* "core.1234", "core", "vmcore", "id_rsa", ".env"; "app.log.3" is a log. NULL when the name says nothing. */
static const struct extension *by_name(struct span name)
{
    static const struct extension whole[] = {
        EXT("core", FILE_CLASS_CORE, false),   EXT("vmcore", FILE_CLASS_CORE, false), EXT("id_rsa", FILE_CLASS_KEY, true),
        EXT("id_ed25519", FILE_CLASS_KEY, true), EXT("id_ecdsa", FILE_CLASS_KEY, true), EXT("id_dsa", FILE_CLASS_KEY, true),
        EXT(".env", FILE_CLASS_CONFIG, true),  EXT("syslog", FILE_CLASS_LOG, true),   EXT("messages", FILE_CLASS_LOG, true),
    };
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        if (span_eq_nocase(name, whole[i].name))
            return &whole[i];
    struct span extension = file_extension(name);
    if (extension.size && is_digits(extension)) /* rotated, or a process id */
        return by_name(span_sub(name, 0, name.size - extension.size - 1));
    for (size_t i = 0; extension.size && i < sizeof extensions / sizeof extensions[0]; i++)
        if (span_eq_nocase(extension, extensions[i].name))
            return &extensions[i];
    return NULL;
}

static enum file_class by_media(struct span media)
{
    static const struct {
        struct span head;
        uint8_t file_class;
    } table[] = {
        {SPAN("image/"), FILE_CLASS_IMAGE}, {SPAN("video/"), FILE_CLASS_IMAGE}, {SPAN("application/pdf"), FILE_CLASS_DOCUMENT},
        {SPAN("application/vnd.openxml"), FILE_CLASS_DOCUMENT}, {SPAN("application/msword"), FILE_CLASS_DOCUMENT},
        {SPAN("application/vnd.oasis"), FILE_CLASS_DOCUMENT}, {SPAN("application/vnd.ms-excel"), FILE_CLASS_DOCUMENT},
        {SPAN("application/zip"), FILE_CLASS_ARCHIVE}, {SPAN("application/x-zip"), FILE_CLASS_ARCHIVE},
        {SPAN("application/gzip"), FILE_CLASS_ARCHIVE}, {SPAN("application/x-gzip"), FILE_CLASS_ARCHIVE},
        {SPAN("application/x-tar"), FILE_CLASS_ARCHIVE}, {SPAN("application/x-7z"), FILE_CLASS_ARCHIVE},
        {SPAN("application/vnd.rar"), FILE_CLASS_ARCHIVE}, {SPAN("message/rfc822"), FILE_CLASS_MAIL},
        {SPAN("application/sql"), FILE_CLASS_DATABASE}, {SPAN("application/json"), FILE_CLASS_DATA},
        {SPAN("application/xml"), FILE_CLASS_DATA}, {SPAN("text/csv"), FILE_CLASS_DATA}, {SPAN("text/html"), FILE_CLASS_DOCUMENT},
        {SPAN("text/"), FILE_CLASS_TEXT},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (span_starts(media, table[i].head))
            return (enum file_class)table[i].file_class;
    return FILE_CLASS_NONE;
}

/* A text the format leaves open; JSON and tables are data, whatever they are called, but for configurations. */
static enum file_class class_of_text(enum file_type type, const struct extension *named)
{
    bool is_data = type == FILE_JSON || type == FILE_XML || type == FILE_CSV;
    if (!named || !named->is_text || named->file_class == FILE_CLASS_HAR || named->file_class == FILE_CLASS_KEY)
        return is_data ? FILE_CLASS_DATA : FILE_CLASS_TEXT;
    if (is_data && named->file_class != FILE_CLASS_CONFIG && named->file_class != FILE_CLASS_LOG &&
        named->file_class != FILE_CLASS_HEAP_DUMP)
        return FILE_CLASS_DATA;
    return named->file_class == FILE_CLASS_DATA ? FILE_CLASS_TEXT : (enum file_class)named->file_class;
}

enum file_class file_class_of(enum file_type type, struct span name, struct span media)
{
    enum file_class c = class_of_type(type);
    if (c != FILE_CLASS_NONE && type != FILE_LOG)
        return c;
    const struct extension *named = by_name(name);
    if (type == FILE_LOG) /* a configuration or a table may begin with a time, too */
        return named && named->is_text && named->file_class == FILE_CLASS_CONFIG ? FILE_CLASS_CONFIG : FILE_CLASS_LOG;
    if (type >= FILE_TEXT)
        return class_of_text(type, named);
    if (type == FILE_BINARY) /* no format we know: what would have shown itself is not meant */
        return named && !named->is_text && named->file_class != FILE_CLASS_IMAGE && named->file_class != FILE_CLASS_DOCUMENT
                   ? (enum file_class)named->file_class
                   : FILE_CLASS_OTHER;
    return named ? (enum file_class)named->file_class : by_media(media);
}

bool file_class_is_scanned(enum file_type type, enum file_class c)
{
    if (type < FILE_TEXT || type == FILE_UTF16 || type == FILE_RTF || type == FILE_CERTIFICATE)
        return false;
    return c != FILE_CLASS_IMAGE && c != FILE_CLASS_DATABASE;
}
