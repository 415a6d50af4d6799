/* SPDX-License-Identifier: Apache-2.0
 * One key log line: label, what names the connection, secret; the last two in hexadecimal. */
#include "wire/tls_keylog.h"

#include "base/hex.h"

#include <string.h>

#define MASTER_SIZE 48u

static const struct counter_def DEFS[] = {
    {"tls_keylog_lines", "lines", "lines of key logs"},
    {"tls_keylog_entries", "lines", "with a secret that is used"},
    {"tls_keylog_blank", "lines", "comments and empty lines"},
    {"tls_keylog_other", "lines", "well-formed, of a kind that is not used here (exporters, QUIC, ECH)"},
    {"tls_keylog_rsa", "lines", "RSA lines with a premaster secret, which is not used; log CLIENT_RANDOM lines"},
    {"tls_keylog_garbage", "lines", "no key log lines; look at what writes into the key log"},
};

_Static_assert(sizeof DEFS / sizeof *DEFS * sizeof(uint64_t) == sizeof(struct tls_keylog_counts),
               "one name for each counter");

struct counters tls_keylog_counters(const struct tls_keylog_counts *counts)
{
    return (struct counters){DEFS, &counts->lines, sizeof DEFS / sizeof *DEFS};
}

static bool is_hex(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (hex_digit(text.at[i]) < 0)
            return false;
    return text.size > 0 && text.size % 2 == 0;
}

/* The bytes that 'text' (checked by is_hex) spells; false when they are more than 'max'. */
static bool hex_read(struct span text, uint8_t *out, size_t max, uint8_t *size)
{
    if (!is_hex(text) || text.size / 2 > max)
        return false;
    for (size_t i = 0; i < text.size; i += 2)
        out[i / 2] = (uint8_t)(hex_digit(text.at[i]) << 4 | hex_digit(text.at[i + 1]));
    *size = (uint8_t)(text.size / 2);
    return true;
}

/* Takes the next word off the front. */
static struct span next_word(struct span *rest)
{
    size_t from = 0;
    while (from < rest->size && (rest->at[from] == ' ' || rest->at[from] == '\t'))
        from++;
    size_t to = from;
    while (to < rest->size && rest->at[to] != ' ' && rest->at[to] != '\t')
        to++;
    struct span word = span_sub(*rest, from, to - from);
    *rest = span_from(*rest, to);
    return word;
}

static bool take_prefix(struct span *s, struct span prefix)
{
    if (!span_starts(*s, prefix))
        return false;
    *s = span_from(*s, prefix.size);
    return true;
}

/* "RSA Session-ID:<id> Master-Key:<secret>" of OpenSSL's s_client (an entry), or "RSA <start of the encrypted premaster
 * secret> <premaster secret>". */
static bool read_rsa(struct span name, struct span secret, struct tls_keylog_counts *counts,
                     struct tls_keylog_entry *entry)
{
    uint8_t size;
    if (take_prefix(&name, SPAN("Session-ID:")) && take_prefix(&secret, SPAN("Master-Key:")) &&
        hex_read(name, entry->client_random, TLS_RANDOM_SIZE, &entry->session_id_size) &&
        hex_read(secret, entry->secret, TLS_SECRET_MAX, &size) && size == MASTER_SIZE) {
        entry->size = size;
        entry->label = TLS_SECRET_MASTER;
        counts->entries++;
        return true;
    }
    if (is_hex(name) && name.size == 16 && is_hex(secret) && secret.size == 2 * MASTER_SIZE)
        counts->rsa++;
    else
        counts->garbage++;
    return false;
}

/* A label as RFC 9850 and its successors make them: capitals, digits and underscores. */
static bool is_label(struct span word)
{
    for (size_t i = 0; i < word.size; i++) {
        uint8_t c = word.at[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return word.size > 0;
}

static enum tls_secret find_label(struct span word)
{
    static const struct span labels[TLS_SECRETS] = {
        [TLS_SECRET_MASTER] = SPAN("CLIENT_RANDOM"),
        [TLS_SECRET_CLIENT_EARLY] = SPAN("CLIENT_EARLY_TRAFFIC_SECRET"),
        [TLS_SECRET_CLIENT_HANDSHAKE] = SPAN("CLIENT_HANDSHAKE_TRAFFIC_SECRET"),
        [TLS_SECRET_SERVER_HANDSHAKE] = SPAN("SERVER_HANDSHAKE_TRAFFIC_SECRET"),
        [TLS_SECRET_CLIENT_TRAFFIC] = SPAN("CLIENT_TRAFFIC_SECRET_0"),
        [TLS_SECRET_SERVER_TRAFFIC] = SPAN("SERVER_TRAFFIC_SECRET_0"),
    };
    enum tls_secret label = 0;
    while (label < TLS_SECRETS && !span_eq(word, labels[label]))
        label++;
    return label;
}

bool tls_keylog_line(struct span line, struct tls_keylog_counts *counts, struct tls_keylog_entry *entry)
{
    memset(entry, 0, sizeof *entry);
    counts->lines++;
    struct span rest = span_trim(line);
    if (rest.size == 0 || rest.at[0] == '#') {
        counts->blank++;
        return false;
    }
    struct span word = next_word(&rest), name = next_word(&rest), secret = next_word(&rest);
    if (!is_label(word) || next_word(&rest).size > 0) {
        counts->garbage++;
        return false;
    }
    if (span_eq(word, SPAN("RSA")))
        return read_rsa(name, secret, counts, entry);
    enum tls_secret label = find_label(word);
    uint8_t size;
    if (label == TLS_SECRETS) {
        *(is_hex(name) && is_hex(secret) ? &counts->other : &counts->garbage) += 1;
        return false;
    }
    if (!hex_read(name, entry->client_random, TLS_RANDOM_SIZE, &size) || size != TLS_RANDOM_SIZE ||
        !hex_read(secret, entry->secret, TLS_SECRET_MAX, &entry->size) ||
        (entry->size != MASTER_SIZE && (label == TLS_SECRET_MASTER || entry->size != 32))) {
        counts->garbage++;
        return false;
    }
    entry->label = (uint8_t)label;
    counts->entries++;
    return true;
}
