/* SPDX-License-Identifier: Apache-2.0
 * One byte at a time, with one byte of looking ahead. */
#include "base/csv.h"

#include <errno.h>
#include <stdarg.h>

#include "base/err.h"

void csv_init(struct csv *c, FILE *file, const char *name)
{
    *c = (struct csv){.file = file, .name = name, .line = 1, .column = 1};
}

int csv_fail(const struct csv *c, const struct csv_value *at, struct text *why, const char *format, ...)
{
    char says[512];
    va_list list;
    va_start(list, format);
    vsnprintf(says, sizeof says, format, list);
    va_end(list);
    text_addf(why, "%s:%u:%u: %s", c->name, at->line, at->column, says);
    return E_CONF;
}

static int fail_here(const struct csv *c, struct text *why, const char *says)
{
    return csv_fail(c, &(struct csv_value){NULL, c->line, c->column}, why, "%s", says);
}

static int peek(struct csv *c)
{
    int byte = getc(c->file);
    if (byte != EOF)
        ungetc(byte, c->file);
    return byte;
}

static int take(struct csv *c)
{
    int byte = getc(c->file);
    c->column += byte != EOF;
    if (byte == '\n') {
        c->line++;
        c->column = 1;
    }
    return byte;
}

/* A line end, LF or CR LF, is taken whole. */
static bool take_line_end(struct csv *c)
{
    int byte = getc(c->file);
    if (byte == '\r' && peek(c) == '\n')
        byte = getc(c->file);
    else if (byte != '\n') {
        if (byte != EOF)
            ungetc(byte, c->file);
        return false;
    }
    c->line++;
    c->column = 1;
    return true;
}

static void skip_mark(struct csv *c)
{
    static const int mark[] = {0xef, 0xbb, 0xbf};
    if (c->line != 1 || c->column != 1 || peek(c) != mark[0])
        return;
    for (size_t i = 0; i < 3 && peek(c) == mark[i]; i++)
        (void)getc(c->file); /* it has no column of its own */
}

static bool skip_line(struct csv *c)
{
    if (take_line_end(c))
        return true;
    if (peek(c) != '#')
        return false;
    while (peek(c) != EOF && !take_line_end(c))
        (void)take(c); /* a comment */
    return true;
}

static int keep(struct csv *c, int byte, struct text *why)
{
    if (c->used + 1 >= sizeof c->text)
        return fail_here(c, why, "the record is longer than 16 KiB");
    if ((byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7f)
        return fail_here(c, why, "a control character");
    c->text[c->used++] = (char)byte;
    return E_OK;
}

static int read_quoted(struct csv *c, struct text *why)
{
    struct csv_value begin = {NULL, c->line, c->column};
    int rc = E_OK;
    (void)take(c); /* the quote */
    while (rc == E_OK) {
        if (take_line_end(c)) {
            rc = keep(c, '\n', why);
            continue;
        }
        int byte = peek(c);
        if (byte == EOF)
            return csv_fail(c, &begin, why, "the quote does not end");
        (void)take(c);
        if (byte == '"' && peek(c) != '"')
            break;
        if (byte == '"')
            (void)take(c);
        rc = keep(c, byte, why);
    }
    int next = peek(c);
    if (rc == E_OK && next != ',' && next != '\r' && next != '\n' && next != EOF)
        return fail_here(c, why, "expected a comma or the line's end behind the quote");
    return rc;
}

static int read_bare(struct csv *c, struct text *why)
{
    int rc = E_OK, byte;
    while (rc == E_OK && (byte = peek(c)) != EOF && byte != ',' && byte != '\n') {
        if (byte == '"')
            return fail_here(c, why, "a quote within a value: put the whole value into quotes and double it");
        (void)take(c);
        if (byte == '\r' && peek(c) == '\n')
            break;
        rc = keep(c, byte, why);
    }
    return rc;
}

static int read_value(struct csv *c, struct text *why)
{
    if (c->n == CSV_VALUES_MAX)
        return fail_here(c, why, "more than 32 values in a record");
    struct csv_value *v = &c->values[c->n];
    *v = (struct csv_value){c->text + c->used, c->line, c->column};
    int rc = peek(c) == '"' ? read_quoted(c, why) : read_bare(c, why);
    if (rc != E_OK)
        return rc;
    c->text[c->used++] = 0; /* keep() leaves room for it */
    c->n++;
    return c->used < sizeof c->text ? E_OK : fail_here(c, why, "the record is longer than 16 KiB");
}

int csv_next(struct csv *c, struct text *why)
{
    int rc;
    c->n = 0;
    c->used = 0;
    skip_mark(c);
    while (skip_line(c))
        continue;
    if (peek(c) == EOF) {
        if (!ferror(c->file))
            return E_END;
        text_addf(why, "%s: %s", c->name, strerror(errno));
        return E_IO;
    }
    while ((rc = read_value(c, why)) == E_OK && peek(c) == ',')
        (void)take(c);
    if (rc == E_OK)
        (void)take_line_end(c); /* or the file's end */
    return rc;
}
