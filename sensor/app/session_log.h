/* SPDX-License-Identifier: Apache-2.0
 * The facts of the sessions that are going on, one record each, told when a session ends: by a logout, by expiry, by four
 * hours without an act, or with the input. Everything goes by packet time. */
#ifndef APP_SESSION_LOG_H
#define APP_SESSION_LOG_H

#include "app/identity.h"
#include "record/session_record.h"

struct session_log;

/* Borrowed during the call. */
typedef void session_log_emit_fn(void *ctx, const struct session_record *r);

/* 'max': sessions going on at the same time; when there are more, the one longest without an act is told early, and
 * counted. NULL: no memory. */
struct session_log *session_log_new(uint32_t max, session_log_emit_fn *emit, void *ctx);
void session_log_free(struct session_log *log);
/* What identity_watch tells. */
void session_log_event(struct session_log *log, enum session_event event, const uint8_t session[SESSION_HASH_SIZE],
                       const struct activity *by);
/* A settled activity with its enrichment; sets its so_far. The record of its session, which holds this act too; borrowed
 * until the next call, NULL when the act has no session, and for identify. */
const struct session_record *session_log_act(struct session_log *log, struct activity *a);
/* The same for an activity that was recorded with its so_far: the record is what it was then, but for when its cookie
 * expires. Of logs without, records begin and end by pauses alone. */
const struct session_record *session_log_recorded(struct session_log *log, const struct activity *a);
/* A candidate of ACTION_NONE whose session is resolved: parts of pages fetched. */
void session_log_fact(struct session_log *log, const struct activity *fact);
/* Packet time moved on: tells those that have ended. */
void session_log_tick(struct session_log *log, uint64_t now_ns);
/* The input ended: tells all others, by the time and value with which they began. */
void session_log_finish(struct session_log *log);
struct counters session_log_counters(const struct session_log *log);

#endif
