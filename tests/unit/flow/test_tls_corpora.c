/* SPDX-License-Identifier: Apache-2.0
 * Hellos of other people's captures: names, versions, ciphers and fingerprints against what other tools published for
 * them. Reads $CASETAP_CORPORA (captures, oracle/ja.tsv, oracle/tls); skips without. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "support/hello_bench.h"

struct row {
    char file[200], source[24], kind[8], value[400];
    struct endpoint client, server;
};

struct score {
    unsigned rows, equal, known, other;
};

static struct score total;

/* Where another tool says something else, or sees what is not ours to see, and why. "" stands for any kind. */
static const struct {
    const char *file, *source, *kind, *why;
} known[] = {
    {"ja4/tls-non-ascii-alpn.pcapng", "foxio-", "JA4",
     "99 for such names; the definition has become their hexadecimal form"},
    {"ja4/tls-non-ascii-alpn.pcapng", "tshark", "alpn", "bytes that are no text"},
    {"ndpi/default/pcap/instagram.pcap", "suricata", "JA4", "leaves out versions it does not know (Facebook's 0xfb1a)"},
    {"ndpi/default/pcap/tunnelbear.pcap", "suricata", "JA4",
     "leaves out versions it does not know (Facebook's 0xfb1a)"},
    {"suricata-verify/tls-duplicate-hello/input.pcap", "suricata", "JA4", "two hellos in one fingerprint"},
    {"suricata-verify/tls/tls13-draft14/tls13_draft14.pcap", "", "JA3S",
     "ServerHello of that draft read as a final one"},
    {"suricata-verify/tls/tls13-draft14/tls13_draft14.pcap", "", "cipher",
     "ServerHello of that draft read as a final one"},
    {"mercury/unit_tests/pcaps/quic_init.capture2.pcap", "suricata", "JA3", "QUIC: tshark has the same as we"},
    {"suricata-verify/quic-initial-not-first/input.pcap", "suricata", "JA3", "QUIC: tshark has the same as we"},
    {"ndpi/default/pcap/tls_cipher_lens.pcap", "tshark", "JA3", "malformed: cipher list of length 0"},
    {"arkime/arkime_synthetic.pcap", "tshark", "version", "malformed: supported_versions shorter than a version"},
    {"ndpi/default/pcap/heuristic_tcp_ack_payload.pcap", "ndpi", "", "two stray bytes come first in the stream"},
    {"ndpi/default/pcap/capwap_data.pcapng", "", "", "inside CAPWAP"},
    {"ndpi/default/pcap/rdp2.pcap", "tshark", "", "TLS over UDP (RDP)"},
    {"zeek/rdp/rdpeudp2-handshake-success.pcap", "tshark", "", "TLS over UDP (RDP)"},
    {"ndpi/default/pcap/haproxy.pcap", "", "", "behind a PROXY preface, which the connection layer takes off"},
    {"mercury/unit_tests/pcaps/openvpn_tcp_multi.pcap", "tshark", "", "inside OpenVPN"},
    {"wireshark/wireguard-ping-tcp-dsb.pcapng", "tshark", "", "inside WireGuard"},
    {"", "tshark", "cert", "names of printable type only, or out of what keys opened"},
    {"", "tshark", "s_alpn", "out of what keys opened (EncryptedExtensions)"},
};

static bool is_like(const char *pattern, const char *text)
{
    return strncmp(pattern, text, strlen(pattern)) == 0;
}

/* nDPI's JA4 of that time takes other characters of the ALPN, always says 'd', and of DTLS reads the record's version;
 * Suricata's hashes an underscore more
 * where there are no signature algorithms. What is left of the fingerprint must be the same. */
static bool is_old_ja4(const struct row *row, const struct fact *got)
{
    if (strcmp(row->kind, "JA4") || !got || strlen(row->value) != strlen(got->value))
        return false;
    if (is_like("ndpi", row->source))
        return !memcmp(row->value, got->value, got->value[0] == 'd' ? 1 : 3) &&
               !memcmp(row->value + 10, got->value + 10, 13);
    return got->has_odd && !memcmp(row->value, got->value, 24);
}

static bool is_known(const struct row *row, const struct fact *got)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is_like(known[i].file, row->file) && is_like(known[i].source, row->source) &&
            is_like(known[i].kind, row->kind))
            return true;
    return is_old_ja4(row, got);
}

/* Whether a connection, 'client' its client, has a fact of the row's kind and value; *got is the first of another
 * value. */
static bool has_fact(const struct row *row, const struct endpoint *client, const struct endpoint *server,
                     const struct fact **got)
{
    for (size_t i = 0; i < n_facts; i++) {
        const struct fact *f = &facts[i];
        if (strcmp(f->kind, row->kind) || !is_end(&f->client, client) || !is_end(&f->server, server))
            continue;
        if (!strcmp(f->value, row->value))
            return true;
        *got = *got ? *got : f;
    }
    return false;
}

/* Tools differ in whom they name as the source. */
static bool look_up(const struct row *row, const struct fact **got)
{
    return has_fact(row, &row->client, &row->server, got) || has_fact(row, &row->server, &row->client, got);
}

static void judge(const struct row *row)
{
    const struct fact *got = NULL;
    bool is_equal = look_up(row, &got), is_reason = !is_equal && is_known(row, got);
    total.rows++;
    total.equal += is_equal;
    total.known += is_reason;
    total.other += !is_equal && !is_reason;
    char ip[IPADDR_TEXT_MAX];
    if (!is_equal && (!is_reason || getenv("CASETAP_VERBOSE")))
        print_message("%s\t%s\t%s\t%s\t%u\t%s\t%s\t%s\n", is_reason ? "known" : "OTHER", row->file, row->source,
                      ipaddr_text(&row->client.ip, ip), row->client.port, row->kind, row->value,
                      got ? got->value : "-");
}

static bool read_end(const char *ip, const char *port, struct endpoint *end)
{
    end->port = (uint16_t)strtoul(port, NULL, 10);
    return ipaddr_parse(span_text(ip), &end->ip);
}

static const char *corpora(void)
{
    const char *root = getenv("CASETAP_CORPORA");
    struct stat st;
    char path[512];
    if (root)
        snprintf(path, sizeof path, "%s/oracle/ja.tsv", root);
    if (root && stat(path, &st) == 0)
        return root;
    print_message("CASETAP_CORPORA is not set: the captures of other people are left out\n");
    return NULL;
}

static void load(const char *root, const char *file)
{
    static char loaded[512];
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, file);
    if (strcmp(path, loaded) == 0)
        return;
    snprintf(loaded, sizeof loaded, "%s", path);
    read_capture(path);
}

static void tell_total(void)
{
    print_message("%u rows: %u equal, %u not, for known reasons, %u otherwise\n", total.rows, total.equal, total.known,
                  total.other);
    assert_true(total.equal > 3000);
    assert_int_equal(total.other, 0);
}

static void published_fingerprints(void **state)
{
    (void)state;
    const char *root = corpora();
    if (!root)
        skip();
    total = (struct score){0};
    char path[512], line[2048];
    snprintf(path, sizeof path, "%s/oracle/ja.tsv", root);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char *column[9], *rest = line;
        for (int i = 0; i < 9; i++)
            column[i] = rest ? strsep(&rest, "\t\n") : line + strlen(line);
        struct row row = {0};
        snprintf(row.file, sizeof row.file, "%s", column[0]);
        snprintf(row.source, sizeof row.source, "%s", column[1]);
        snprintf(row.kind, sizeof row.kind, "%s", column[6]);
        snprintf(row.value, sizeof row.value, "%s", column[7]);
        if (!strcmp(row.kind, "JA4S") || !read_end(column[2], column[3], &row.client) ||
            !read_end(column[4], column[5], &row.server))
            continue;
        load(root, row.file);
        judge(&row);
    }
    fclose(f);
    tell_total();
}

/* The next string or number of "key": in a line of JSON without escapes that matter; *from moves behind it. */
static bool next_value(const char *line, const char *key, const char **from, char *out, size_t room)
{
    char head[32];
    if (!*from) {
        snprintf(head, sizeof head, "\"%s\":", key);
        *from = strstr(line, head);
        if (!*from)
            return false;
        *from += strlen(head);
        *from += **from == '[';
    } else {
        if (**from != ',')
            return false;
        ++*from;
    }
    bool is_text = **from == '"';
    *from += is_text;
    size_t n = strcspn(*from, is_text ? "\"" : ",]}");
    snprintf(out, room, "%.*s", (int)n, *from);
    *from += n + is_text;
    return true;
}

static void judge_field(const char *line, const char *key, const char *kind, struct row *row)
{
    const char *from = NULL;
    snprintf(row->kind, sizeof row->kind, "%s", kind);
    if (next_value(line, key, &from, row->value, sizeof row->value))
        judge(row);
}

/* A certificate's name is one of those in its text. */
static void judge_cert(const char *line, struct row *row)
{
    const char *from = NULL;
    const struct fact *got = NULL;
    bool is_any = false, has_any = false;
    snprintf(row->kind, sizeof row->kind, "cert");
    while (!has_any && next_value(line, "names", &from, row->value, sizeof row->value)) {
        is_any = true;
        has_any = look_up(row, &got);
    }
    if (is_any)
        judge(row);
}

static void judge_line(const char *root, const char *line, struct row *row)
{
    char ip[2][64], port[2][8], msg[24] = "", version[16];
    const char *from[5] = {NULL};
    if (!next_value(line, "src_ip", &from[0], ip[0], sizeof ip[0]) ||
        !next_value(line, "dst_ip", &from[1], ip[1], sizeof ip[1]) ||
        !next_value(line, "src_port", &from[2], port[0], sizeof port[0]) ||
        !next_value(line, "dst_port", &from[3], port[1], sizeof port[1]) ||
        !next_value(line, "msg", &from[4], msg, sizeof msg))
        return;
    bool is_server = strcmp(msg, "server_hello") == 0;
    if (!read_end(ip[is_server], port[is_server], &row->client) ||
        !read_end(ip[!is_server], port[!is_server], &row->server))
        return;
    load(root, row->file);
    if (strcmp(msg, "certificate") == 0) {
        judge_cert(line, row);
    } else if (is_server) {
        from[0] = NULL;
        judge_field(line, "ja3s", "JA3S", row);
        judge_field(line, "cipher", "cipher", row);
        judge_field(line, "alpn", "s_alpn", row);
        bool is_13 = next_value(line, "selected_version", &from[0], version, sizeof version);
        judge_field(line, is_13 ? "selected_version" : "legacy_version", "version", row);
    } else {
        judge_field(line, "ja3", "JA3", row);
        judge_field(line, "sni", "sni", row);
        judge_field(line, "alpn", "alpn", row);
        judge_field(line, "legacy_version", "legacy", row);
    }
}

static void judge_file(const char *root, const char *path)
{
    static char line[65536];
    struct row row = {.source = "tshark"};
    char prefix[512];
    int n = snprintf(prefix, sizeof prefix, "%s/oracle/tls/", root);
    snprintf(row.file, sizeof row.file, "%.*s", (int)(strlen(path) - (size_t)n - strlen(".ndjson")), path + n);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        judge_line(root, line, &row);
    fclose(f);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)ftw;
    size_t n = strlen(path);
    if (type == FTW_F && n > 7 && !strcmp(path + n - 7, ".ndjson"))
        judge_file(getenv("CASETAP_CORPORA"), path);
    return 0;
}

static void published_hellos(void **state)
{
    (void)state;
    const char *root = corpora();
    if (!root)
        skip();
    total = (struct score){0};
    char path[512];
    snprintf(path, sizeof path, "%s/oracle/tls", root);
    assert_int_equal(nftw(path, visit, 16, FTW_PHYS), 0);
    tell_total();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_fingerprints),
        cmocka_unit_test(published_hellos),
    };
    open_bench();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    close_bench();
    return failed;
}
