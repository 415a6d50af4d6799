/* SPDX-License-Identifier: Apache-2.0
 * What the records share in Elastic Common Schema 9.4: groups of fields that mean the same in each. Absent facts are
 * left out, never written as null or zero. */
#ifndef RECORD_ECS_H
#define RECORD_ECS_H

#include "record/activity.h"
#include "record/count.h"

#define ECS_VERSION "9.4.0"
/* Never a host name: the same input gives the same bytes. */
#define ECS_OBSERVER "{\"vendor\":\"casetap\",\"product\":\"casetap\",\"type\":\"sensor\"}"
/* casetap.schema: raised when a field changes its meaning, or a reader would miss what a detector needs. */
#define RECORD_SCHEMA "1"   /* of all records but */
#define ACTIVITY_SCHEMA "2" /* activities: with casetap.request and what the session was so far; 1 is read as well */

/* Text that is JSON already (our own constants): a member with its key, or several. */
void ecs_raw(struct json *j, struct span members);
/* An object whose only member is a string: 'opening' is its key, brace and the member's key ("\"user\":{\"name\":").
 * Nothing is written for an empty value. */
void ecs_only(struct json *j, struct span opening, struct span value);
/* "key":{...} of each group, when there is something to say. */
void ecs_start(struct json *j, uint64_t time_ns); /* '{', @timestamp and ecs.version */
void ecs_source(struct json *j, const struct activity *a);
void ecs_destination(struct json *j, const struct activity *a);
void ecs_url(struct json *j, const struct activity *a);
void ecs_http(struct json *j, const struct activity *a);
void ecs_user_agent(struct json *j, const struct activity *a);
void ecs_file(struct json *j, const struct activity *a);
void ecs_string(struct json *j, const char *key, const struct activity *a, enum activity_string which);
void ecs_session(struct json *j, const struct activity *a); /* casetap.session.id */
/* "tls":{...}: what ECS has fields for. 'facts' may be NULL. */
void ecs_tls(struct json *j, const struct tls_facts *facts);
/* Like json_ip and json_time, without the C library's formatter. */
void ecs_ip(struct json *j, const char *key, const struct ipaddr *ip);
/* Lower-case hexadecimal of 16 bytes, or of a number's 8. */
void ecs_hash128(struct json *j, const char *key, const uint8_t bytes[16]);
void ecs_hash64(struct json *j, const char *key, uint64_t value);
/* event.category and event.type of an action, as two JSON members. */
struct span ecs_category(enum action action);
/* The same of a connection that only begins. */
struct span ecs_category_begin(void);

/* The extension of a file name without its dot ("tar.gz" gives "gz"); empty when it has none. */
struct span file_extension(struct span name);
/* The path of a request target: without query, scheme and authority; empty when it has none. */
struct span target_path(struct span target);
#endif
