/* SPDX-License-Identifier: Apache-2.0
 * Names of formats, classes and kinds of secrets. */
#include "base/file_facts.h"

#include <stddef.h>

struct name {
    const char *name, *media;
};

static const struct name types[FILE_TYPES] = {
    [FILE_UNSEEN] = {"unseen", NULL},
    [FILE_BINARY] = {"binary", "application/octet-stream"},
    [FILE_ZIP] = {"zip", "application/zip"},
    [FILE_JAR] = {"jar", "application/java-archive"},
    [FILE_OOXML] = {"ooxml", "application/vnd.openxmlformats-officedocument"},
    [FILE_ODF] = {"odf", "application/vnd.oasis.opendocument"},
    [FILE_GZIP] = {"gzip", "application/gzip"},
    [FILE_BZIP2] = {"bzip2", "application/x-bzip2"},
    [FILE_XZ] = {"xz", "application/x-xz"},
    [FILE_ZSTD] = {"zstd", "application/zstd"},
    [FILE_LZ4] = {"lz4", "application/x-lz4"},
    [FILE_SEVENZIP] = {"7z", "application/x-7z-compressed"},
    [FILE_RAR] = {"rar", "application/vnd.rar"},
    [FILE_TAR] = {"tar", "application/x-tar"},
    [FILE_CAB] = {"cab", "application/vnd.ms-cab-compressed"},
    [FILE_PDF] = {"pdf", "application/pdf"},
    [FILE_OLE] = {"ole", "application/x-ole-storage"},
    [FILE_PNG] = {"png", "image/png"},
    [FILE_JPEG] = {"jpeg", "image/jpeg"},
    [FILE_GIF] = {"gif", "image/gif"},
    [FILE_WEBP] = {"webp", "image/webp"},
    [FILE_BMP] = {"bmp", "image/bmp"},
    [FILE_TIFF] = {"tiff", "image/tiff"},
    [FILE_MP4] = {"mp4", "video/mp4"},
    [FILE_WEBM] = {"webm", "video/webm"},
    [FILE_ELF] = {"elf", "application/x-elf"},
    [FILE_ELF_CORE] = {"elf-core", "application/x-coredump"},
    [FILE_PE] = {"pe", "application/vnd.microsoft.portable-executable"},
    [FILE_JAVA_CLASS] = {"java-class", "application/java-vm"},
    [FILE_MINIDUMP] = {"minidump", "application/x-dmp"},
    [FILE_WINDOWS_DUMP] = {"windows-dump", "application/x-dmp"},
    [FILE_KDUMP] = {"kdump", "application/x-kdump"},
    [FILE_HPROF] = {"hprof", "application/x-java-hprof"},
    [FILE_JFR] = {"jfr", "application/x-java-jfr"},
    [FILE_NETTRACE] = {"nettrace", "application/x-nettrace"},
    [FILE_PCAP] = {"pcap", "application/vnd.tcpdump.pcap"},
    [FILE_PCAPNG] = {"pcapng", "application/x-pcapng"},
    [FILE_SQLITE] = {"sqlite", "application/vnd.sqlite3"},
    [FILE_PG_DUMP] = {"pg-dump", "application/x-pgdump"},
    [FILE_ORACLE_DUMP] = {"oracle-dump", "application/x-oracle-export"},
    [FILE_PKCS12] = {"pkcs12", "application/pkcs12"},
    [FILE_JKS] = {"jks", "application/x-java-keystore"},
    [FILE_KEEPASS] = {"keepass", "application/x-keepass2"},
    [FILE_EVTX] = {"evtx", "application/x-ms-evtx"},
    [FILE_JOURNAL] = {"journal", "application/x-systemd-journal"},
    [FILE_SNOOP] = {"snoop", "application/x-snoop"},
    [FILE_TEXT] = {"text", "text/plain"},
    [FILE_UTF16] = {"utf16", "text/plain"},
    [FILE_JSON] = {"json", "application/json"},
    [FILE_HAR] = {"har", "application/json"},
    [FILE_XML] = {"xml", "application/xml"},
    [FILE_SVG] = {"svg", "image/svg+xml"},
    [FILE_HTML] = {"html", "text/html"},
    [FILE_CSV] = {"csv", "text/csv"},
    [FILE_LOG] = {"log", "text/plain"},
    [FILE_SQL] = {"sql", "application/sql"},
    [FILE_MAIL] = {"mail", "message/rfc822"},
    [FILE_PRIVATE_KEY] = {"private-key", "application/x-pem-file"},
    [FILE_CERTIFICATE] = {"certificate", "application/x-pem-file"},
    [FILE_SCRIPT] = {"script", "text/x-shellscript"},
    [FILE_RTF] = {"rtf", "application/rtf"},
};

const char *file_type_name(enum file_type type)
{
    return types[(unsigned)type < FILE_TYPES ? type : FILE_UNSEEN].name;
}

const char *file_type_media(enum file_type type)
{
    return types[(unsigned)type < FILE_TYPES ? type : FILE_UNSEEN].media;
}

const char *file_class_name(enum file_class c)
{
    static const char *const names[FILE_CLASSES] = {
        [FILE_CLASS_NONE] = "none",         [FILE_CLASS_OTHER] = "other",         [FILE_CLASS_TEXT] = "text",
        [FILE_CLASS_DATA] = "data",         [FILE_CLASS_PROGRAM] = "program",     [FILE_CLASS_IMAGE] = "image",
        [FILE_CLASS_DOCUMENT] = "document", [FILE_CLASS_MAIL] = "mail",           [FILE_CLASS_ARCHIVE] = "archive",
        [FILE_CLASS_LOG] = "log",           [FILE_CLASS_CONFIG] = "config",       [FILE_CLASS_CAPTURE] = "capture",
        [FILE_CLASS_DATABASE] = "database", [FILE_CLASS_HEAP_DUMP] = "heap_dump", [FILE_CLASS_CORE] = "core",
        [FILE_CLASS_HAR] = "har",           [FILE_CLASS_KEY] = "key",
    };
    return names[(unsigned)c < FILE_CLASSES ? c : FILE_CLASS_NONE];
}

const char *secret_kind_name(enum secret_kind kind)
{
    static const char *const names[SECRET_KINDS] = {
        [SECRET_COOKIE] = "cookie", [SECRET_BEARER] = "bearer",     [SECRET_BASIC] = "basic",
        [SECRET_JWT] = "jwt",       [SECRET_TOKEN] = "token",       [SECRET_API_KEY] = "api_key",
        [SECRET_PASSWORD] = "password", [SECRET_PRIVATE_KEY] = "private_key",
    };
    return (unsigned)kind < SECRET_KINDS ? names[kind] : "unknown";
}

uint32_t file_facts_secrets(const struct file_facts *f)
{
    uint32_t n = 0;
    for (int i = 0; i < SECRET_KINDS; i++)
        n += f->secrets[i];
    return n;
}

uint32_t file_facts_live(const struct file_facts *f)
{
    uint32_t n = file_facts_secrets(f);
    return n > f->expired ? n - f->expired : 0;
}
