/* SPDX-License-Identifier: Apache-2.0
 * Records of a TLS connection that are under keys: opened, counted unread, or lost and made good for. */
#include "flow/tls_state.h"

#include "base/err.h"

#define RESYNC_BOUND 64u  /* records that may be lost in one gap: a megabyte of full ones */
#define MAX_FAILURES 16u  /* records in a row that do not open: then it is something else */
#define MAX_TRIED 64u     /* the same, while the keys may be for later ones */

static const enum tls_secret SECRETS[2][4] = {
    [TLS_CLIENT] = {TLS_SECRETS, TLS_SECRET_CLIENT_EARLY, TLS_SECRET_CLIENT_HANDSHAKE, TLS_SECRET_CLIENT_TRAFFIC},
    [TLS_SERVER] = {TLS_SECRETS, TLS_SECRETS, TLS_SECRET_SERVER_HANDSHAKE, TLS_SECRET_SERVER_TRAFFIC},
};

static struct tls_record record_of(const struct tls_record_head *head)
{
    return (struct tls_record){.type = head->type, .version = head->version, .length = head->length};
}

static bool is_13(const struct tls_conn *t)
{
    return t->version >= 0x0304;
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
    if (!secret.size && s->epoch == TLS_EPOCH_HANDSHAKE && (secret = find_13(t, role, TLS_EPOCH_TRAFFIC)).size) {
        s->epoch = TLS_EPOCH_TRAFFIC; /* a log that holds no handshake secrets: what they protect is passed over */
        s->is_trying = true;
    }
    if (!secret.size)
        return blocked(t);
    return note_opener(t, tls_opener_init_13(&s->opener, t->pool->openers, t->suite, secret));
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
    if (!t->suite) {
        tls_conn_close(t, TLS_CANNOT);
        return TLS_NOT_BLOCKED;
    }
    if (!t->pool->keys) {
        tls_conn_close(t, TLS_NO_KEYS);
        return TLS_NOT_BLOCKED;
    }
    return is_13(t) ? unlock_13(t, role) : unlock_12(t, role);
}

/* ---- what records held ---- */

static void tell_gap(struct tls_conn *t, int role, uint64_t bytes, uint64_t ns)
{
    if (bytes && t->side[role].epoch == TLS_EPOCH_TRAFFIC)
        t->pool->ops.gap(t->ctx, tls_direction(t, role), bytes, ns);
}

/* What went by between the last record and this one, in plaintext: without the headers and tags of the records it
 * held. */
static void tell_lost(struct tls_conn *t, int role, uint32_t records, uint64_t overhead, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    uint64_t wrapping = records * (TLS_RECORD_HEADER + overhead);
    t->pool->counts.records_lost += records;
    if (s->lost > wrapping)
        tell_gap(t, role, s->lost - wrapping, ns);
    s->lost = 0;
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

static void note_opened(struct tls_conn *t, int role)
{
    struct tls_side *s = &t->side[role];
    t->pool->counts.records++;
    s->has_opened = true;
    s->is_trying = false;
    s->failures = 0;
    if (t->facts.sight != TLS_OPEN) {
        t->facts.sight = TLS_OPEN;
        t->pool->counts.opened++;
    }
}

/* The record that would have brought the next keys is missing, or the client's early data was refused. */
static int open_next_epoch(struct tls_conn *t, int role, const struct tls_record *record, struct span fragment,
                           struct tls_opened *opened)
{
    struct tls_side *s = &t->side[role];
    for (uint8_t epoch = s->epoch + 1; is_13(t) && epoch <= TLS_EPOCH_TRAFFIC; epoch++) {
        struct tls_opener next = {0};
        struct span secret = find_13(t, role, epoch);
        if (!secret.size || tls_opener_init_13(&next, t->pool->openers, t->suite, secret))
            continue;
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
    if (rc == E_DENIED && (s->is_lossy || !s->has_opened || s->epoch == TLS_EPOCH_EARLY))
        rc = open_next_epoch(t, role, record, fragment, opened);
    return rc;
}

/* It does not open. What is under other keys is passed over; the first record of all shows whether the secrets are of
 * this connection; any other is taken for lost. */
static void fail(struct tls_conn *t, int role, const struct tls_record_head *head, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    t->pool->counts.records_failed++;
    s->failures++;
    if (s->is_trying || (s->epoch == TLS_EPOCH_HANDSHAKE && t->early == TLS_EARLY_REJECTED && !s->has_opened)) {
        if (s->failures > MAX_TRIED)
            tls_conn_close(t, TLS_BAD_KEYS);
        return;
    }
    if (!s->has_opened && !s->is_lossy)
        tls_conn_close(t, TLS_BAD_KEYS);
    else if (s->failures > MAX_FAILURES)
        tls_conn_close(t, TLS_MISSED);
    else
        tls_decrypt_lose(t, role, head, ns);
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
    note_opened(t, role);
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

void tls_decrypt_lose(struct tls_conn *t, int role, const struct tls_record_head *head, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    struct tls_record record = record_of(head);
    struct tls_skipped skipped = {0};
    t->pool->counts.records_lost++;
    tls_handshake_gap(&s->handshake, &t->pool->messages);
    s->is_lossy = true;
    if (tls_opener_is_open(&s->opener) && tls_opener_skip(&s->opener, &record, span_of(NULL, 0), &skipped) == 0)
        tell_gap(t, role, skipped.max > s->n_passed ? skipped.max - s->n_passed : 0, ns);
    s->n_passed = 0;
}
