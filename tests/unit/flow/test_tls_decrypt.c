/* SPDX-License-Identifier: Apache-2.0
 * Other people's captures with key logs: what comes out of each TLS connection has the size and SHA-256, each way, that
 * another tool got. Reads $CASETAP_CORPORA (captures, keylog, oracle/tls_decrypt); skips without. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/map.h"
#include "capture/source.h"
#include "flow/tcp.h"
#include "flow/tls_conn.h"
#include "wire/decap.h"

#define MAX_CONNS 4096u

/* Where the other tool has something else, and why. */
static const struct {
    const char *file, *why;
} known[] = {
    {"wireshark-notes/tls/broken/dump.pcapng", "IDEA, which the library may not have"},
    {"wireshark-notes/tls/all/dump.pcapng", "IDEA, which the library may not have"},
    {"wireshark-notes/tls/pop-ssl", "STARTTLS: the connection begins in the clear"},
    {"wireshark-notes/tls/smtp-ssl", "STARTTLS"},
    {"wireshark-notes/tls/mysql-ssl-larger", "STARTTLS"},
    {"wireshark-notes/tls/xmpp-ssl", "STARTTLS"},
    {"peafowl/pcaps/imap-ssl", "STARTTLS"},
    {"peafowl/pcaps/ssl.pcapng", "one of 73 streams has IDEA, which OpenSSL does not have here"},
    {"sslkeys/", "more than the other tool: it lost records at the end"},
    {"pcap2har-mikekap/firefox-tls13-facebook-dsb", "more than the other tool"},
    {"wireshark/challenge01_ooo_stream", "more than the other tool: segments out of order"},
    {"wireshark/http2_follow_multistream", "more than the other tool"},
};

struct stream_key {
    struct endpoint end[2];
};

struct conn {
    struct tcp_stream stream;
    struct endpoint client;
    struct tls_conn *tls;
    bool is_other, has_gap;
    EVP_MD_CTX *sum[2];
    uint64_t bytes[2];
    char hex[2][65];
};

static struct conn *conns[MAX_CONNS];
static size_t n_conns;
static struct tls_conn_pool *pool;
static struct tls_keys *keys;
static unsigned n_files, n_streams, n_equal, n_known, n_other;

static void on_plain(void *ctx, int direction, struct span bytes, uint64_t ns)
{
    struct conn *c = ctx;
    (void)ns;
    EVP_DigestUpdate(c->sum[direction], bytes.at, bytes.size);
    c->bytes[direction] += bytes.size;
}

static void on_plain_gap(void *ctx, int direction, uint64_t bytes, uint64_t ns)
{
    (void)direction, (void)bytes, (void)ns;
    ((struct conn *)ctx)->has_gap = true;
}

static void on_plain_fin(void *ctx, int direction, uint64_t ns)
{
    (void)ctx, (void)direction, (void)ns;
}

static void on_data(void *ctx, int direction, struct span bytes, uint64_t ns)
{
    struct conn *c = ctx;
    if (!c->tls && !c->is_other) {
        c->is_other = !tls_conn_may_begin(bytes);
        c->tls = c->is_other ? NULL : tls_conn_new(pool, c);
    }
    if (c->tls)
        tls_conn_data(c->tls, direction, bytes, ns);
}

static void on_gap(void *ctx, int direction, uint64_t bytes, bool is_acked, uint64_t ns)
{
    struct conn *c = ctx;
    (void)is_acked;
    if (c->tls)
        tls_conn_gap(c->tls, direction, bytes, ns);
}

static void on_fin(void *ctx, int direction, uint64_t ns)
{
    struct conn *c = ctx;
    if (c->tls)
        tls_conn_fin(c->tls, direction, ns);
}

static void add_line(struct span line)
{
    struct tls_keylog_counts counts = {0};
    struct tls_keylog_entry entry;
    if (tls_keylog_line(line, &counts, &entry))
        tls_keys_add(keys, &entry, 1);
}

static void on_secrets(void *ctx, struct span text)
{
    struct span line;
    (void)ctx;
    while (span_split(&text, '\n', &line))
        add_line(line);
}

static struct conn *conn_new_of(const struct dissected *d)
{
    struct conn *c = calloc(1, sizeof *c);
    bool is_answer = (d->tcp_flags & 0x12) == 0x12 || (!(d->tcp_flags & 2) && d->src.port < d->dst.port);
    assert_true(n_conns < MAX_CONNS);
    c->client = is_answer ? d->dst : d->src;
    for (int i = 0; i < 2; i++) {
        c->sum[i] = EVP_MD_CTX_new();
        EVP_DigestInit_ex(c->sum[i], EVP_sha256(), NULL);
    }
    return conns[n_conns++] = c;
}

static void expire(struct tcp *t, struct conn *c, uint64_t now)
{
    for (int i = 0; i < 8 && c->stream.deadline_ns && c->stream.deadline_ns <= now; i++)
        if (tcp_expire(t, &c->stream, c, now) == TCP_OVER)
            return;
}

static void take_packet(struct tcp *t, struct map *map, const struct dissected *d, uint64_t now)
{
    struct stream_key key;
    bool is_new, is_back = memcmp(&d->src, &d->dst, sizeof d->src) > 0;
    memset(&key, 0, sizeof key);
    key.end[0] = is_back ? d->dst : d->src;
    key.end[1] = is_back ? d->src : d->dst;
    struct conn **slot = map_touch(map, &key, &is_new);
    if (!is_new && (d->tcp_flags & 0x12) == 2 && (*slot)->stream.has_syn &&
        tcp_begins_anew(&(*slot)->stream, memcmp(&(*slot)->client, &d->src, sizeof d->src) ? 1 : 0, d))
        is_new = true;
    if (is_new)
        *slot = conn_new_of(d);
    struct conn *c = *slot;
    expire(t, c, now);
    if (!c->stream.is_over)
        tcp_feed(t, &c->stream, c, memcmp(&c->client, &d->src, sizeof d->src) ? 1 : 0, d, now);
    if (c->stream.is_over && c->tls)
        tls_conn_finish(c->tls, now);
}

static void finish(struct tcp *t, uint64_t now)
{
    for (size_t i = 0; i < n_conns; i++) {
        struct conn *c = conns[i];
        tcp_flush(t, &c->stream, c, now);
        if (c->tls) {
            tls_conn_finish(c->tls, now);
            tls_conn_free(c->tls);
        }
        for (int d = 0; d < 2; d++) {
            unsigned char digest[32];
            EVP_DigestFinal_ex(c->sum[d], digest, NULL);
            for (int k = 0; k < 32; k++)
                snprintf(c->hex[d] + 2 * k, 3, "%02x", digest[k]);
            EVP_MD_CTX_free(c->sum[d]);
        }
    }
}

static bool read_capture(const char *capture, const char *log)
{
    static const struct tcp_ops ops = {on_data, on_gap, on_fin, NULL};
    static const struct tls_conn_ops plain = {on_plain, on_plain_gap, on_plain_fin, NULL, NULL};
    struct source *source;
    struct text why = {0};
    struct tcp tcp;
    struct tcp_counts tcp_counts = {0};
    struct decap_counts decap_counts = {0};
    struct packet packet;
    struct dissected d;
    uint64_t now = 0;
    char line[9000];
    int rc = source_open_files(&source, &capture, 1, NULL, &why);
    text_fini(&why);
    if (rc)
        return false;
    keys = tls_keys_new(NULL);
    pool = tls_conn_pool_new(&(struct tls_conn_limits){.max_conns = MAX_CONNS, .max_openers = 2048}, &plain, keys);
    FILE *f = fopen(log, "r");
    while (f && fgets(line, sizeof line, f))
        add_line(span_text(line));
    if (f)
        fclose(f);
    source_on_secrets(source, on_secrets, NULL);
    struct map *map = map_new(sizeof(struct stream_key), sizeof(struct conn *), 20000, 0);
    assert_true(tcp_init(&tcp, 64, &ops, &tcp_counts));
    n_conns = 0;
    while (source_next(source, &packet) == 1) {
        now = packet.time_ns > now ? packet.time_ns : now;
        if (decap_packet(&packet, &d, &decap_counts) == 0 && !d.is_fragment && d.protocol == 6)
            take_packet(&tcp, map, &d, now);
    }
    finish(&tcp, now);
    tcp_fini(&tcp);
    map_free(map);
    tls_conn_pool_free(pool);
    tls_keys_free(keys);
    source_close(source);
    return true;
}

static void value_of(const char *line, const char *key, char *out, size_t room)
{
    char head[32];
    snprintf(head, sizeof head, "\"%s\": ", key);
    const char *at = strstr(line, head);
    *out = 0;
    if (!at)
        return;
    at += strlen(head);
    at += *at == '"';
    snprintf(out, room, "%.*s", (int)strcspn(at, "\",}"), at);
}

static bool is_known(const char *file)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(known[i].file, file, strlen(known[i].file)) == 0)
            return true;
    return false;
}

/* The tool's order of directions is another: by the set of both sums. */
static bool has_conn(const char *a, const char *b)
{
    for (size_t i = 0; i < n_conns; i++) {
        struct conn *c = conns[i];
        if ((!strcmp(c->hex[0], a) && !strcmp(c->hex[1], b)) || (!strcmp(c->hex[0], b) && !strcmp(c->hex[1], a))) {
            c->hex[0][0] = 0; /* each once */
            return true;
        }
    }
    return false;
}

static void judge(const char *file, const char *line)
{
    char bytes[2][24], sha[2][80], stream[16];
    value_of(line, "tcp_stream", stream, sizeof stream);
    value_of(line, "bytes0", bytes[0], sizeof bytes[0]);
    value_of(line, "bytes1", bytes[1], sizeof bytes[1]);
    value_of(line, "sha0", sha[0], sizeof sha[0]);
    value_of(line, "sha1", sha[1], sizeof sha[1]);
    if (!strcmp(bytes[0], "0") && !strcmp(bytes[1], "0"))
        return;
    n_streams++;
    bool is_equal = has_conn(sha[0], sha[1]), is_reason = !is_equal && is_known(file);
    n_equal += is_equal;
    n_known += is_reason;
    n_other += !is_equal && !is_reason;
    if (is_equal)
        return;
    print_message("%s\t%s\t%s\t%s %s\n", is_reason ? "known" : "OTHER", file, stream, bytes[0], bytes[1]);
    for (size_t i = 0; i < n_conns && getenv("CASETAP_VERBOSE"); i++)
        if (conns[i]->bytes[0] + conns[i]->bytes[1])
            print_message("\there\t%zu\t%llu %llu\n", i, (unsigned long long)conns[i]->bytes[0],
                          (unsigned long long)conns[i]->bytes[1]);
}

static void judge_file(const char *root, const char *path)
{
    static char line[65536];
    char prefix[512], file[512], capture[1200], log[1200];
    int n = snprintf(prefix, sizeof prefix, "%s/oracle/tls_decrypt/", root);
    snprintf(file, sizeof file, "%.*s", (int)(strlen(path) - (size_t)n - strlen(".ndjson")), path + n);
    snprintf(capture, sizeof capture, "%s/%s", root, file);
    snprintf(log, sizeof log, "%s/keylog/%s.keys", root, file);
    if (!read_capture(capture, log))
        return;
    n_files++;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        judge(file, line);
    fclose(f);
    for (size_t i = 0; i < n_conns; i++)
        free(conns[i]);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)ftw;
    size_t n = strlen(path);
    if (type == FTW_F && n > 7 && !strcmp(path + n - 7, ".ndjson"))
        judge_file(getenv("CASETAP_CORPORA"), path);
    return 0;
}

static void decrypted_streams(void **state)
{
    (void)state;
    const char *root = getenv("CASETAP_CORPORA");
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "%s/oracle/tls_decrypt", root ? root : "");
    if (!root || stat(path, &st)) {
        print_message("CASETAP_CORPORA is not set: the captures of other people are left out\n");
        skip();
    }
    assert_int_equal(nftw(path, visit, 16, FTW_PHYS), 0);
    print_message("%u captures, %u streams: %u equal, %u not, for known reasons, %u otherwise\n", n_files, n_streams,
                  n_equal, n_known, n_other);
    assert_true(n_equal >= 279);
    assert_int_equal(n_other, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(decrypted_streams)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
