/* SPDX-License-Identifier: Apache-2.0
 * Records of a TLS connection that are under keys: opened, counted unread, or lost and made good for. */
#include "flow/tls_state.h"

#include "base/err.h"

#define RESYNC_BOUND 64u  /* records that may be lost in one gap: a megabyte of full ones */
#define MAX_FAILURES 16u  /* records in a row that do not open: then it is something else */
#define MAX_TRIED 64u     /* the same, while the keys may be for later ones */
#define RECORD_PLAIN 16384u /* bytes, at most (RFC 8446, 5.1) */
#define COMPRESSION_DEFLATE 1u
#define FINISHED_PLAIN 16u  /* bytes of the message, and of a record of ChangeCipherSpec (RFC 5246, 7.1 and 7.4.9) */
#define CHANGE_RECORD 6u

static const enum tls_secret SECRETS[2][4] = {
    [TLS_CLIENT] = {TLS_SECRETS, TLS_SECRET_CLIENT_EARLY, TLS_SECRET_CLIENT_HANDSHAKE, TLS_SECRET_CLIENT_TRAFFIC},
    [TLS_SERVER] = {TLS_SECRETS, TLS_SECRETS, TLS_SECRET_SERVER_HANDSHAKE, TLS_SECRET_SERVER_TRAFFIC},
};

static struct tls_record record_of(const struct tls_record_head *head)
{
    return (struct tls_record){.type = head->type, .version = head->version, .length = head->length};
}

static struct span find_13(const struct tls_conn *t, int role, uint8_t epoch)
{
    enum tls_secret label = SECRETS[role][epoch];
    return label == TLS_SECRETS ? span_of(NULL, 0) : tls_keys_find(t->pool->keys, t->client_random, label);
}

static struct span find_master(const struct tls_conn *t)
{
    struct span master = tls_keys_find(t->pool->keys, t->client_random, TLS_SECRET_MASTER);
    if (!master.size && t->session_id_size)
        master = tls_keys_find_session(t->pool->keys, span_of(t->session_id, t->session_id_size));
    return master;
}

static enum tls_block blocked(struct tls_conn *t)
{
    const struct tls_conn_limits *limits = &t->pool->limits;
    if (limits->wait_ns && (limits->is_fed || tls_keys_generation(t->pool->keys) > 0))
        return TLS_BLOCKED_BY_KEYS;
    tls_conn_close(t, TLS_NO_KEYS);
    return TLS_NOT_BLOCKED;
}

static enum tls_block note_opener(struct tls_conn *t, int rc)
{
    if (rc)
        tls_conn_close(t, rc == E_NONE ? TLS_CANNOT : rc == E_LIMIT ? TLS_NO_KEYS : TLS_BAD_KEYS);
    return TLS_NOT_BLOCKED;
}

static enum tls_block unlock_13(struct tls_conn *t, int role)
{
    struct tls_side *s = &t->side[role];
    struct span secret = find_13(t, role, s->epoch);
    for (uint8_t epoch = s->epoch + 1; !secret.size && epoch <= TLS_EPOCH_TRAFFIC; epoch++)
        if ((secret = find_13(t, role, epoch)).size) {
            s->epoch = epoch; /* a log that does not hold all secrets: what the others protect is passed over */
            s->is_trying = true;
        }
    if (!secret.size)
        return blocked(t);
    int rc = tls_opener_init_13(&s->opener, t->pool->openers, t->suite, secret);
    tls_opener_set_draft(&s->opener, t->version);
    return note_opener(t, rc);
}

static enum tls_block unlock_12(struct tls_conn *t, int role)
{
    struct span master = find_master(t);
    if (!master.size)
        return blocked(t);
    const struct tls_opener_params params = {
        .suite = t->suite,
        .version = t->version,
        .is_etm = t->is_etm,
        .is_server = role == TLS_SERVER,
        .master = master,
        .client_random = span_of(t->client_random, sizeof t->client_random),
        .server_random = span_of(t->server_random, sizeof t->server_random),
    };
    return note_opener(t, tls_opener_init_12(&t->side[role].opener, t->pool->openers, &params));
}

enum tls_block tls_decrypt_unlock(struct tls_conn *t, int role)
{
    if (tls_opener_is_open(&t->side[role].opener))
        return TLS_NOT_BLOCKED;
    if (!t->has_client || !t->has_server) {
        tls_conn_close(t, TLS_MISSED);
        return TLS_NOT_BLOCKED;
    }
    if (!t->suite || t->compression > COMPRESSION_DEFLATE) {
        tls_conn_close(t, TLS_CANNOT);
        return TLS_NOT_BLOCKED;
    }
    if (!t->pool->keys) {
        tls_conn_close(t, TLS_NO_KEYS);
        return TLS_NOT_BLOCKED;
    }
    return tls_is_13(t) ? unlock_13(t, role) : unlock_12(t, role);
}

/* ---- what records held ---- */

static void tell_gap(struct tls_conn *t, int role, uint64_t bytes, uint64_t ns)
{
    if (!bytes || t->side[role].epoch != TLS_EPOCH_TRAFFIC)
        return;
    if (t->facts.sight != TLS_OPEN)
        t->side[role].untold += bytes;
    else
        t->pool->ops.gap(t->ctx, tls_direction(t, role), bytes, ns);
}

/* What went by between the last record and this one, in plaintext: without the headers and tags of the records it
 * held. */
static void tell_lost(struct tls_conn *t, int role, uint32_t records, uint64_t overhead, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    uint64_t wrapping = records * (TLS_RECORD_HEADER + overhead);
    t->pool->counts.records_lost += records;
    if (records && !tls_is_13(t) && s->opener.seq == records + 1u) { /* Finished is among them */
        records--;
        wrapping += FINISHED_PLAIN + (s->has_missed_change ? CHANGE_RECORD : 0);
    }
    if (records && s->lost > wrapping) /* by the sequence number; else it was of the handshake, or no record */
        tell_gap(t, role, s->lost - wrapping, ns);
    s->lost = 0;
}

/* What a record is longer than its plaintext, at least. */
static size_t overhead_of(const struct tls_side *s)
{
    const struct tls_cipher_shape *shape = tls_suite_shape(s->opener.suite);
    if (s->opener.version >= 0x0304)
        return shape->tag_size + 1u;
    size_t iv = shape->mode == TLS_MODE_CBC && s->opener.version > 0x0301 ? shape->block_size : shape->nonce_size;
    return iv + shape->tag_size + tls_hash_size((enum tls_hash)s->opener.suite->mac);
}

static void deliver(struct tls_conn *t, int role, const struct tls_opened *opened, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    switch (opened->type) {
    case TLS_APPLICATION_DATA:
        if (opened->data.size > s->n_passed)
            t->pool->ops.data(t->ctx, tls_direction(t, role), span_from(opened->data, s->n_passed), ns);
        break;
    case TLS_HANDSHAKE:
        if (s->lost || s->is_lossy)
            tls_handshake_gap(&s->handshake, &t->pool->messages);
        tls_negotiate_feed(t, role, opened->data);
        break;
    case TLS_CHANGE_CIPHER_SPEC: tls_negotiate_change(t, role); break;
    default: break; /* alerts and heartbeats say nothing of what is read here */
    }
}

static void note_opened(struct tls_conn *t, int role, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    t->pool->counts.records++;
    s->has_opened = true;
    s->is_trying = false;
    s->failures = s->unread = 0;
    if (t->facts.sight != TLS_OPEN && s->epoch != TLS_EPOCH_HANDSHAKE) {
        t->facts.sight = TLS_OPEN;
        t->pool->counts.opened++;
        for (int i = 0; i < 2; i++)
            if (!t->side[i].is_finished) /* nothing is told behind an end */
                tell_gap(t, i, t->side[i].untold, ns);
    }
}

/* The record that would have brought the next keys is missing, or the client's early data was refused. */
static int open_next_epoch(struct tls_conn *t, int role, const struct tls_record *record, struct span fragment,
                           struct tls_opened *opened)
{
    struct tls_side *s = &t->side[role];
    for (uint8_t epoch = s->epoch + 1; tls_is_13(t) && epoch <= TLS_EPOCH_TRAFFIC; epoch++) {
        struct tls_opener next = {0};
        struct span secret = find_13(t, role, epoch);
        if (!secret.size || tls_opener_init_13(&next, t->pool->openers, t->suite, secret))
            continue;
        tls_opener_set_draft(&next, t->version);
        int rc = tls_opener_resync(&next, record, fragment, RESYNC_BOUND, t->pool->plain, opened);
        if (rc == 0) {
            tls_opener_close(&s->opener);
            s->opener = next;
            s->epoch = epoch;
            return 0;
        }
        tls_opener_close(&next);
    }
    return E_DENIED;
}

/* Early data that the server has refused comes under keys of its own. */
static bool is_refused_early(const struct tls_conn *t, int role)
{
    const struct tls_side *s = &t->side[role];
    return role == TLS_CLIENT && s->epoch == TLS_EPOCH_HANDSHAKE && t->early == TLS_EARLY_REJECTED && !s->has_opened;
}

static int open_record(struct tls_conn *t, int role, const struct tls_record *record, struct span fragment,
                       struct tls_opened *opened)
{
    struct tls_side *s = &t->side[role];
    opened->lost = 0;
    int rc = tls_opener_open(&s->opener, record, fragment, t->pool->plain, opened);
    if (rc == E_DENIED && s->is_lossy) {
        rc = tls_opener_resync(&s->opener, record, fragment, RESYNC_BOUND, t->pool->plain, opened);
        t->pool->counts.resyncs += rc == 0;
    }
    bool is_refused = is_refused_early(t, role);
    if (rc == E_DENIED && (s->is_lossy || !is_refused))
        rc = open_next_epoch(t, role, record, fragment, opened);
    return rc;
}

/* The secret of early data may be missing in the log; the last of its records is EndOfEarlyData. */
static void pass_over(struct tls_conn *t, int role, const struct tls_record_head *head, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    if (role != TLS_CLIENT || s->epoch != TLS_EPOCH_HANDSHAKE || t->early != TLS_EARLY_ACCEPTED || s->has_opened)
        return;
    if (s->unread && t->facts.sight == TLS_OPEN)
        t->pool->ops.gap(t->ctx, tls_direction(t, role), s->unread, ns);
    s->unread = head->length > overhead_of(s) ? head->length - (uint32_t)overhead_of(s) : 0;
}

/* It does not open. What is under other keys is passed over; the first record of all shows whether the secrets are of
 * this connection; any other is taken for lost. */
static void fail(struct tls_conn *t, int role, const struct tls_record_head *head, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    t->pool->counts.records_failed++;
    s->failures++;
    if (s->is_trying || is_refused_early(t, role)) {
        pass_over(t, role, head, ns);
        if (s->failures > MAX_TRIED)
            tls_conn_close(t, TLS_BAD_KEYS);
        return;
    }
    if (!s->has_opened && !s->is_lossy) {
        tls_conn_close(t, TLS_BAD_KEYS);
        return;
    }
    tls_decrypt_lose(t, role, head, head->length, ns);
    if (s->failures > MAX_FAILURES)
        tls_conn_close(t, s->has_opened ? TLS_MISSED : TLS_BAD_KEYS);
}

static void keep_expanded(void *ctx, struct span bytes)
{
    struct tls_conn_pool *p = ctx;
    size_t room = p->n_expanded < sizeof p->expanded ? sizeof p->expanded - p->n_expanded : 0;
    memcpy(p->expanded + sizeof p->expanded - room, bytes.at, bytes.size < room ? bytes.size : room);
    p->n_expanded += bytes.size;
}

/* Compressed by TLS (RFC 3749): all records of a set of keys are one stream, which cannot be read on without one of
 * them. No record holds more than 2^14 bytes (RFC 5246, 6.2.2). */
static bool expand(struct tls_conn *t, struct tls_side *s, struct tls_opened *opened)
{
    struct tls_conn_pool *p = t->pool;
    if (!s->coding)
        s->coding = coding_new(p->codings, CODING_DEFLATE);
    p->n_expanded = 0;
    if (!s->coding || opened->lost || coding_feed(s->coding, opened->data, keep_expanded, p) ||
        p->n_expanded > RECORD_PLAIN) {
        s->lost += opened->data.size;
        tls_conn_close(t, s->coding ? TLS_MISSED : TLS_CANNOT);
        return false;
    }
    opened->data = span_of(p->expanded, p->n_expanded);
    return true;
}

void tls_decrypt_record(struct tls_conn *t, int role, const struct tls_record_head *head, struct span fragment,
                        uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    struct tls_record record = record_of(head);
    struct tls_opened opened;
    if (tls_lazy_record(t, role, head, fragment, ns))
        return;
    if (open_record(t, role, &record, fragment, &opened)) {
        fail(t, role, head, ns);
        return;
    }
    note_opened(t, role, ns);
    if (t->compression && !expand(t, s, &opened))
        return;
    tls_lazy_note(t, role, head, &opened);
    if (s->lost || opened.lost)
        tell_lost(t, role, opened.lost, head->length - opened.data.size, ns);
    deliver(t, role, &opened, ns);
    s->is_lossy = false;
    s->n_passed = 0;
}

void tls_decrypt_skip(struct tls_conn *t, int role, const struct tls_record_head *head, struct span tail,
                      uint64_t missing, uint64_t ns)
{
    if (tls_lazy_skip(t, role, head, tail, missing, ns))
        fail(t, role, head, ns);
}

void tls_decrypt_lose(struct tls_conn *t, int role, const struct tls_record_head *head, size_t seen, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    struct tls_record record = record_of(head);
    struct tls_skipped skipped = {0};
    t->pool->counts.records_lost++;
    tls_handshake_gap(&s->handshake, &t->pool->messages);
    s->is_lossy = true;
    size_t most = 0;
    if (tls_opener_is_open(&s->opener)) {
        most = head->length > overhead_of(s) ? head->length - overhead_of(s) : 0;
        if (tls_opener_skip(&s->opener, &record, span_of(NULL, 0), &skipped) == 0)
            most = skipped.max;
        most = most < seen ? most : seen;
    }
    if (head->type == TLS_APPLICATION_DATA)
        tell_gap(t, role, most > s->n_passed ? most - s->n_passed : 0, ns);
    if (t->compression) /* what follows hangs on what is lost */
        tls_conn_close(t, TLS_MISSED);
    s->n_passed = 0;
}

void tls_decrypt_lose_rest(struct tls_conn *t, int role, uint64_t bytes, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    bytes += s->lost;
    s->lost = 0;
    if (!tls_opener_is_open(&s->opener))
        return;
    uint64_t wrapping = TLS_RECORD_HEADER + overhead_of(s), whole = RECORD_PLAIN + wrapping;
    uint64_t records = (bytes + whole - 1) / whole; /* at least; how they were cut is not known */
    tell_gap(t, role, bytes > records * wrapping ? bytes - records * wrapping : 0, ns);
}
