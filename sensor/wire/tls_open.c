/* SPDX-License-Identifier: Apache-2.0
 * Making, opening, skipping and finding again. How a record of each kind is laid out stands in tls_open_form.c. */
#include "wire/tls_open.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/tls_open_form.h"

#define MAX_OPENERS 8192u
#define TLS10 0x0301
#define TLS12 0x0303
#define TLS13 0x0304
#define SSL3 0x0300
#define DRAFT 0x7f /* first byte of the version of a draft, the second is its number */
#define DRAFT_WITH_AAD 25
#define FRAGMENT_MAX 65535u

struct counts {
    uint64_t made, refused, opened, skipped, denied, malformed, resynced, lost;
};

struct tls_open_pool {
    struct tls_cipher_pool *ciphers;
    uint32_t max, at_work;
    struct counts counts;
};

static const struct counter_def DEFS[] = {
    {"tls_open_made", "openers", "sets of keys put to work: one for each direction and generation"},
    {"tls_open_refused", "openers", "for which there was no memory; raise the limit"},
    {"tls_open_opened", "records", "decrypted and authenticated"},
    {"tls_open_skipped", "records", "measured without being decrypted"},
    {"tls_open_denied", "records", "whose authentication failed: wrong keys, or a record before was lost"},
    {"tls_open_malformed", "records", "that cannot be of their cipher"},
    {"tls_open_resynced", "records", "found again after a loss, by sequence number"},
    {"tls_open_lost", "records", "passed over by that"},
};

struct tls_open_pool *tls_open_pool_new(uint32_t max_openers)
{
    struct tls_open_pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->max = max_openers ? max_openers : MAX_OPENERS;
    p->ciphers = tls_cipher_pool_new(p->max);
    if (p->ciphers)
        return p;
    free(p);
    return NULL;
}

void tls_open_pool_free(struct tls_open_pool *p)
{
    if (!p)
        return;
    tls_cipher_pool_free(p->ciphers);
    free(p);
}

bool tls_open_can(const struct tls_open_pool *p, const struct tls_suite *suite)
{
    return tls_cipher_can(p->ciphers, (enum tls_cipher_id)suite->cipher);
}

bool tls_open_has_room(const struct tls_open_pool *p)
{
    return p->at_work <= p->max / 2;
}

bool tls_open_is_locked(const struct tls_open_pool *p)
{
    return tls_cipher_pool_is_locked(p->ciphers);
}

struct counters tls_open_counters(const struct tls_open_pool *p)
{
    return (struct counters){DEFS, &p->counts.made, sizeof DEFS / sizeof *DEFS};
}

static int take(struct tls_opener *o, struct tls_open_pool *p, const struct tls_suite *suite, uint16_t version)
{
    tls_opener_close(o);
    if (!tls_open_can(p, suite))
        return E_NONE;
    struct tls_open_slot *slot = tls_cipher_take(p->ciphers, (enum tls_cipher_id)suite->cipher);
    if (!slot) {
        p->counts.refused++;
        return E_LIMIT;
    }
    *o = (struct tls_opener){.pool = p, .slot = slot, .suite = suite, .version = version};
    p->counts.made++;
    p->at_work++;
    return E_OK;
}

/* Keys of TLS 1.3 out of the slot's traffic secret. */
static void set_keys_13(struct tls_opener *o)
{
    struct tls_record_keys keys;
    tls_schedule_13(o->suite, span_of(o->slot->secret->traffic, o->secret_size), &keys);
    tls_cipher_key(o->slot, keys.key);
    memcpy(o->slot->secret->iv, keys.iv, sizeof keys.iv);
    explicit_bzero(&keys, sizeof keys);
}

int tls_opener_init_13(struct tls_opener *o, struct tls_open_pool *p, const struct tls_suite *suite, struct span secret)
{
    if (!suite->is_tls13 || secret.size != tls_hash_size((enum tls_hash)suite->prf)) {
        tls_opener_close(o);
        return E_BAD;
    }
    int rc = take(o, p, suite, TLS13);
    if (rc != E_OK)
        return rc;
    o->secret_size = (uint8_t)secret.size;
    memcpy(o->slot->secret->traffic, secret.at, secret.size);
    set_keys_13(o);
    return E_OK;
}

void tls_opener_set_draft(struct tls_opener *o, uint16_t version)
{
    o->has_no_aad = version >> 8 == DRAFT && (version & 0xff) < DRAFT_WITH_AAD;
}

int tls_opener_init_12(struct tls_opener *o, struct tls_open_pool *p, const struct tls_opener_params *params)
{
    const struct tls_suite *suite = params->suite;
    const struct tls_cipher_shape *shape = tls_suite_shape(suite);
    enum tls_hash mac = (enum tls_hash)suite->mac;
    bool is_ssl3 = params->version == SSL3;
    if (suite->is_tls13 || params->version < SSL3 || params->version > TLS12 || params->master.size != 48 ||
        params->client_random.size != 32 || params->server_random.size != 32 ||
        (shape->tag_size && params->version != TLS12) || (is_ssl3 && mac > TLS_HASH_SHA1)) {
        tls_opener_close(o);
        return E_BAD;
    }
    int rc = take(o, p, suite, params->version);
    if (rc != E_OK)
        return rc;
    struct tls_record_keys keys;
    o->is_etm = params->is_etm && shape->mode == TLS_MODE_CBC && !is_ssl3;
    tls_schedule_12(suite, params->version, params->master, params->client_random, params->server_random,
                    params->is_server, &keys);
    tls_cipher_key(o->slot, keys.key);
    memcpy(o->slot->secret->iv, keys.iv, sizeof keys.iv);
    if (mac != TLS_HASH_NONE)
        (is_ssl3 ? tls_hmac_init_ssl3 : tls_hmac_init)(&o->slot->secret->mac, mac,
                                                       span_of(keys.mac, tls_hash_size(mac)));
    explicit_bzero(&keys, sizeof keys);
    return E_OK;
}

void tls_opener_close(struct tls_opener *o)
{
    if (o->slot) {
        tls_cipher_give(o->pool->ciphers, o->slot);
        o->pool->at_work--;
    }
    *o = (struct tls_opener){0};
}

void tls_opener_update(struct tls_opener *o)
{
    if (!o->slot || !o->secret_size)
        return;
    uint8_t *secret = o->slot->secret->traffic;
    tls_schedule_update(o->suite, span_of(secret, o->secret_size), secret);
    set_keys_13(o);
    o->seq = 0;
}

int tls_opener_open(struct tls_opener *o, const struct tls_record *record, struct span fragment, uint8_t *out,
                    struct tls_opened *opened)
{
    struct counts *counts = &o->pool->counts;
    int rc = record->length != fragment.size || fragment.size > FRAGMENT_MAX
                 ? E_BAD
                 : tls_form_open(o, o->seq, record, fragment, out, opened);
    if (rc == E_OK) {
        o->seq++;
        tls_form_pass(o, fragment);
        opened->lost = 0;
        counts->opened++;
    } else {
        *(rc == E_DENIED ? &counts->denied : &counts->malformed) += 1;
    }
    return rc;
}

/* Tries o->seq to o->seq + bound. */
static int search(struct tls_opener *o, const struct tls_record *record, struct span fragment, uint32_t bound,
                  uint8_t *out, struct tls_opened *opened)
{
    for (uint64_t n = 0; n <= bound; n++) {
        if (!tls_form_is_plausible(o, o->seq + n, fragment) ||
            tls_form_open(o, o->seq + n, record, fragment, out, opened) != E_OK)
            continue;
        opened->lost = (uint32_t)n;
        o->seq += n + 1;
        /* the MAC alone fits: the first block hangs on a record that was lost */
        return n > 0 && o->is_etm && o->version == TLS10 ? E_DENIED : E_OK;
    }
    return E_DENIED;
}

/* The same with the keys after a KeyUpdate that was lost; the keys stay when they do not fit. */
static int search_updated(struct tls_opener *o, const struct tls_record *record, struct span fragment, uint32_t bound,
                          uint8_t *out, struct tls_opened *opened)
{
    uint8_t before[TLS_HASH_MAX];
    uint64_t seq = o->seq;
    memcpy(before, o->slot->secret->traffic, sizeof before);
    tls_opener_update(o);
    int rc = search(o, record, fragment, bound, out, opened);
    if (rc == E_OK) {
        opened->lost++; /* the KeyUpdate itself */
    } else {
        memcpy(o->slot->secret->traffic, before, sizeof before);
        set_keys_13(o);
        o->seq = seq;
    }
    explicit_bzero(before, sizeof before);
    return rc;
}

int tls_opener_resync(struct tls_opener *o, const struct tls_record *record, struct span fragment, uint32_t bound,
                      uint8_t *out, struct tls_opened *opened)
{
    struct counts *counts = &o->pool->counts;
    if (record->length != fragment.size || fragment.size > FRAGMENT_MAX) {
        counts->malformed++;
        return E_BAD;
    }
    if (tls_suite_shape(o->suite)->mode == TLS_MODE_STREAM) {
        o->slot->is_broken = true;
        counts->denied++;
        return E_DENIED;
    }
    int rc = search(o, record, fragment, bound, out, opened);
    if (rc != E_OK && o->secret_size)
        rc = search_updated(o, record, fragment, bound, out, opened);
    tls_form_pass(o, fragment);
    if (rc != E_OK) {
        counts->denied++;
        return rc;
    }
    counts->opened++;
    counts->resynced += opened->lost > 0;
    counts->lost += opened->lost;
    return E_OK;
}

int tls_opener_measure(struct tls_opener *o, const struct tls_record *record, struct span tail,
                       struct tls_skipped *skipped)
{
    *skipped = (struct tls_skipped){.type = record->type};
    if (tls_suite_shape(o->suite)->mode == TLS_MODE_STREAM)
        return E_STATE;
    return record->length > FRAGMENT_MAX || tail.size > record->length ? E_BAD
                                                                       : tls_form_measure(o, record, tail, skipped);
}

void tls_opener_pass(struct tls_opener *o, struct span fragment)
{
    o->seq++;
    tls_form_pass(o, fragment);
    o->pool->counts.skipped++;
}

int tls_opener_skip(struct tls_opener *o, const struct tls_record *record, struct span tail,
                    struct tls_skipped *skipped)
{
    struct counts *counts = &o->pool->counts;
    *skipped = (struct tls_skipped){.type = record->type};
    int rc = record->length > FRAGMENT_MAX || tail.size > record->length ? E_BAD
                                                                         : tls_form_measure(o, record, tail, skipped);
    if (rc == E_OK)
        tls_opener_pass(o, tail);
    else
        *(rc == E_DENIED ? &counts->denied : &counts->malformed) += 1;
    return rc;
}
