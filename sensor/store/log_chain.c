/* SPDX-License-Identifier: Apache-2.0
 * Two digests a record. The sidecar is text, so that any tool can check it. */
#include "store/log_chain.h"

#include "base/err.h"
#include "base/hex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define REDACTED "{\"casetap\":{\"redacted\":\""
#define MAX_MARKS (1u << 20)

bool chain_redacted(struct span line, uint8_t digest[DIGEST_SIZE])
{
    size_t head = sizeof REDACTED - 1;
    return span_starts(line, SPAN(REDACTED)) && line.size >= head + 2 * DIGEST_SIZE + 3 &&
           hex_bytes(span_sub(line, head, 2 * DIGEST_SIZE), digest, DIGEST_SIZE) && span_starts(span_from(line, head + 2 * DIGEST_SIZE), SPAN("\"}}"));
}

void chain_add(struct chain *c, struct span line)
{
    uint8_t digest[DIGEST_SIZE];
    struct digest d;
    if (line.size && line.at[line.size - 1] == '\n')
        line.size--;
    if (!chain_redacted(line, digest)) {
        digest_init(&d);
        digest_feed(&d, line);
        digest_end(&d, digest);
    }
    digest_init(&d);
    digest_feed(&d, span_of(c->head, DIGEST_SIZE));
    digest_feed(&d, span_of(digest, DIGEST_SIZE));
    digest_end(&d, c->head);
    c->n++;
}

void chain_file_head(const struct chain_file *f, struct text *out)
{
    char hex[2 * DIGEST_SIZE + 1];
    text_addf(out, "casetap chain %d schema %u segment %llu first %llu previous %s\n", CHAIN_VERSION, f->schema,
              (unsigned long long)f->segment, (unsigned long long)f->first, hex_text(span_of(f->previous, DIGEST_SIZE), hex));
}

void chain_file_line(const char *word, const struct chain *c, struct text *out)
{
    char hex[2 * DIGEST_SIZE + 1];
    text_addf(out, "%s %llu %s\n", word, (unsigned long long)c->n, hex_text(span_of(c->head, DIGEST_SIZE), hex));
}

static int parse_head(const char *line, struct chain_file *f)
{
    unsigned version;
    unsigned long long segment, first;
    char hex[2 * DIGEST_SIZE + 1];
    if (sscanf(line, "casetap chain %u schema %u", &version, &f->schema) != 2)
        return E_BAD;
    if (version != CHAIN_VERSION || f->schema > CHAIN_SCHEMA)
        return E_STATE;
    if (sscanf(line, "casetap chain %u schema %u segment %llu first %llu previous %64s", &version, &f->schema, &segment, &first,
               hex) != 5 || !hex_bytes(span_text(hex), f->previous, DIGEST_SIZE) || !first)
        return E_BAD;
    f->segment = segment;
    f->first = first;
    return E_OK;
}

static int add_mark(struct chain_file *f, const struct chain *c)
{
    if ((f->n_marks & (f->n_marks - 1)) == 0) {
        struct chain *more = f->n_marks < MAX_MARKS ? realloc(f->marks, (f->n_marks ? 2 * f->n_marks : 1) * sizeof *more) : NULL;
        if (!more)
            return E_BAD;
        f->marks = more;
    }
    f->marks[f->n_marks++] = *c;
    return E_OK;
}

static int parse_line(const char *line, struct chain_file *f)
{
    struct chain c;
    char word[4], hex[2 * DIGEST_SIZE + 1];
    unsigned long long n;
    if (f->is_closed || sscanf(line, "%3s %llu %64s", word, &n, hex) != 3 || !hex_bytes(span_text(hex), c.head, DIGEST_SIZE))
        return E_BAD;
    c.n = n;
    if (strcmp(word, "end") == 0) {
        f->end = c;
        f->is_closed = true;
        return E_OK;
    }
    return strcmp(word, "at") == 0 ? add_mark(f, &c) : E_BAD;
}

int chain_file_read(const char *path, struct chain_file *out, struct text *why)
{
    char line[256];
    unsigned number = 0;
    int rc = E_OK;
    *out = (struct chain_file){0};
    FILE *file = fopen(path, "re");
    if (!file) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return errno == ENOENT ? E_NONE : E_IO;
    }
    while (rc == E_OK && fgets(line, sizeof line, file)) {
        bool is_torn = !strchr(line, '\n'); /* a crash: the marks before it hold */
        if (is_torn && number)
            break;
        rc = number++ ? parse_line(line, out) : parse_head(line, out);
    }
    fclose(file);
    if (rc == E_OK && number == 0)
        rc = E_BAD;
    if (rc)
        text_addf(why, "%s:%u: %s", path, number ? number : 1,
                  rc == E_STATE ? "a version of the chain, or of its activities' schema, that is not known" : "not a line of a hash chain");
    if (rc)
        chain_file_free(out);
    return rc;
}

void chain_file_free(struct chain_file *f)
{
    free(f->marks);
    f->marks = NULL;
    f->n_marks = 0;
}
