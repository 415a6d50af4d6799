/* SPDX-License-Identifier: Apache-2.0
 * The chain of the log runs along while it is read. */
#include "run/evidence.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/hex.h"
#include "sink/sink.h"
#include "store/log_chain.h"

struct evidence {
    struct line_file *file;
    struct chain log;  /* of the segment at hand */
    struct chain seal; /* of the lines written */
    struct text line, path, name;
    uint64_t number, n_logs, records; /* of the record at hand; */
};

static void put(struct evidence *e)
{
    text_add_char(&e->line, '\n');
    chain_add(&e->seal, text_span(&e->line));
    (void)line_file_write(e->file, text_span(&e->line)); /* sticky: told at close */
}

int evidence_open(struct evidence **out, const char *path, const struct subject *s, struct text *why)
{
    *out = NULL;
    struct evidence *e = calloc(1, sizeof *e);
    if (!e)
        return E_NOMEM;
    int rc = line_file_open(&e->file, path, true, why);
    if (rc) {
        free(e);
        return rc;
    }
    struct json j = json_on(&e->line);
    json_open(&j, NULL, '{');
    json_str(&j, "kind", "casetap.evidence");
    json_u64(&j, "schema", 1);
    subject_json(s, &j);
    json_close(&j, '}');
    put(e);
    *out = e;
    return E_OK;
}

int evidence_segment(struct evidence *e, const char *log, struct segment s, uint64_t first, struct text *why)
{
    struct chain_file chain;
    if (!e)
        return E_OK;
    e->n_logs += !e->n_logs || strcmp(text_str(&e->name), log) != 0;
    text_clear(&e->name);
    text_add_str(&e->name, log);
    e->number = first - 1;
    e->log = (struct chain){0};
    if (s.number == 0)
        return E_OK;
    segment_path(log, &s, SEGMENT_CHAIN, &e->path);
    int rc = chain_file_read(text_str(&e->path), &chain, why);
    if (rc)
        return rc == E_NONE ? E_IO : rc;
    memcpy(e->log.head, chain.previous, DIGEST_SIZE);
    chain_file_free(&chain);
    return E_OK;
}

void evidence_line(struct evidence *e, struct span line, bool is_taken)
{
    uint8_t before[DIGEST_SIZE];
    if (!e)
        return;
    memcpy(before, e->log.head, sizeof before);
    chain_add(&e->log, line);
    e->number++;
    if (!is_taken)
        return;
    text_clear(&e->line);
    struct json j = json_on(&e->line);
    json_open(&j, NULL, '{');
    json_u64(&j, "log", e->n_logs - 1);
    json_u64(&j, "n", e->number);
    json_hex(&j, "before", span_of(before, sizeof before));
    json_hex(&j, "after", span_of(e->log.head, sizeof e->log.head));
    text_add_str(&e->line, ",\"record\":");
    text_add(&e->line, line);
    json_close(&j, '}');
    e->records++;
    put(e);
}

int evidence_close(struct evidence *e, bool keep, uint64_t *records, uint8_t seal[DIGEST_SIZE], struct text *why)
{
    if (!e)
        return E_OK;
    struct json j = json_on(&e->line);
    text_clear(&e->line);
    *records = e->records;
    memcpy(seal, e->seal.head, DIGEST_SIZE);
    json_open(&j, NULL, '{');
    json_bool(&j, "end", true);
    json_u64(&j, "records", e->records);
    json_hex(&j, "seal", span_of(seal, DIGEST_SIZE));
    json_close(&j, '}');
    put(e);
    int rc = line_file_close(e->file, keep, why);
    text_fini(&e->line);
    text_fini(&e->path);
    text_fini(&e->name);
    free(e);
    return rc;
}
