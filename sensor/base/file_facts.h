/* SPDX-License-Identifier: Apache-2.0
 * What was seen of a file's content on its way: its format by its first bytes, what class of file it is, how many secrets
 * of which kinds stand in it. The words and the value that the parsers (wire), the records and the applications share. */
#ifndef BASE_FILE_FACTS_H
#define BASE_FILE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* Formats, as the first bytes tell them (wire/magic.h). Everything from FILE_TEXT on is text. */
enum file_type {
    FILE_UNSEEN, /* no first bytes were seen */
    FILE_BINARY, /* no format we know */
    FILE_ZIP, FILE_JAR, FILE_OOXML, FILE_ODF, FILE_GZIP, FILE_BZIP2, FILE_XZ, FILE_ZSTD, FILE_LZ4, FILE_SEVENZIP, FILE_RAR,
    FILE_TAR, FILE_CAB, FILE_PDF, FILE_OLE, FILE_PNG, FILE_JPEG, FILE_GIF, FILE_WEBP, FILE_BMP, FILE_TIFF, FILE_MP4,
    FILE_WEBM, FILE_ELF, FILE_ELF_CORE, FILE_PE, FILE_JAVA_CLASS, FILE_MINIDUMP, FILE_WINDOWS_DUMP, FILE_KDUMP, FILE_HPROF,
    FILE_JFR, FILE_NETTRACE, FILE_PCAP, FILE_PCAPNG, FILE_SQLITE, FILE_PG_DUMP, FILE_ORACLE_DUMP, FILE_PKCS12, FILE_JKS,
    FILE_KEEPASS, FILE_EVTX, FILE_JOURNAL, FILE_SNOOP,
    FILE_TEXT, FILE_UTF16, FILE_JSON, FILE_HAR, FILE_XML, FILE_SVG, FILE_HTML, FILE_CSV, FILE_LOG, FILE_SQL, FILE_MAIL,
    FILE_PRIVATE_KEY, FILE_CERTIFICATE, FILE_SCRIPT, FILE_RTF,
    FILE_TYPES,
};

/* What a file is for a desk. The least telling first. */
enum file_class {
    FILE_CLASS_NONE, /* not known */
    FILE_CLASS_OTHER, FILE_CLASS_TEXT, FILE_CLASS_DATA, FILE_CLASS_PROGRAM, FILE_CLASS_IMAGE, FILE_CLASS_DOCUMENT,
    FILE_CLASS_MAIL, FILE_CLASS_ARCHIVE, FILE_CLASS_LOG, FILE_CLASS_CONFIG, FILE_CLASS_CAPTURE, FILE_CLASS_DATABASE,
    FILE_CLASS_HEAP_DUMP, FILE_CLASS_CORE, FILE_CLASS_HAR, FILE_CLASS_KEY,
    FILE_CLASSES,
};

/* Secrets in a text, by what shows them (wire/secret_scan.h). */
enum secret_kind {
    SECRET_COOKIE,      /* of a name like a session's */
    SECRET_BEARER,      /* Authorization: Bearer and other schemes that carry a token */
    SECRET_BASIC,       /* Authorization: Basic */
    SECRET_JWT,         /* a signed JWT anywhere else */
    SECRET_TOKEN,       /* the value of a field called access_token, session_id, ... */
    SECRET_API_KEY,     /* a key whose form tells whose it is, or a field called api_key, ... */
    SECRET_PASSWORD,
    SECRET_PRIVATE_KEY, /* PEM, not encrypted */
    SECRET_KINDS,
};

struct file_facts {
    uint8_t type;       /* enum file_type */
    uint8_t file_class; /* enum file_class */
    bool is_mismatch;   /* the declared type is of another family */
    bool is_scanned;    /* its text was looked through for secrets */
    bool is_cut;        /* ... but not to its end: over the budget, bytes missing, or not all of an archive */
    bool has_sha256;
    uint16_t expired;   /* of all secrets: those whose own expiry had passed at packet time */
    uint16_t secrets[SECRET_KINDS]; /* distinct values */
    uint8_t sha256[32]; /* of the whole file */
};

const char *file_type_name(enum file_type type);
/* IANA media type, where there is one for it; else what is in use. NULL for FILE_UNSEEN. */
const char *file_type_media(enum file_type type);
const char *file_class_name(enum file_class c); /* "none" for FILE_CLASS_NONE */
const char *secret_kind_name(enum secret_kind kind);
/* Whether there is anything to tell. */
static inline bool file_facts_any(const struct file_facts *f)
{
    return f->type || f->file_class || f->has_sha256;
}
/* All kinds together. */
uint32_t file_facts_secrets(const struct file_facts *f);
/* Those not known to have expired. */
uint32_t file_facts_live(const struct file_facts *f);

#endif
