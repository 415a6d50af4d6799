/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/rule_field.h"

#include "detect/conduct.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/times.h"

enum rule_field {
    F_STRING, /* a string of the tail */
    F_ACTION, F_OUTCOME, F_STATUS, F_SOURCE, F_SERVER, F_COUNTRY, F_ASN, F_CLASS, F_BODY, F_FILE_SIZE, F_FILE_CLASS, F_FILE_TYPE,
    F_SECRETS, F_LIVE, F_SESSION, F_KIND, F_FLAGS, F_OS, F_MAJOR, F_CONFIDENCE, F_TOKEN_AGE, F_TOKEN_LEFT, F_HOUR, F_WEEKDAY,
    F_RULES, F_PLACE, F_CLIENT, F_BITS, F_SESSIONS, F_ACTS, F_FILES, F_AGE, F_IDLE, F_MATURE, F_WHO, F_DAY_FILES, F_DAY_CASES,
    F_DAY_CUSTOMERS, F_DAY_BYTES, F_DISTINCT, F_FLEET_AGE, F_DEED, F_ELSEWHERE,
    F_VIEWED, F_UNSEEN,
};

static const struct {
    const char *name;
    enum field_kind kind;
    enum rule_field which;
    enum activity_string string;
    const char *help;
} fields[] = {
    {"user.name", FIELD_TEXT, F_STRING, STR_USER, "the credential"},
    {"user.effective.name", FIELD_TEXT, F_STRING, STR_ACTS_FOR, "whom the request says it acts for"},
    {"event.action", FIELD_TEXT, F_ACTION, 0, "what was done: download, login, view_case ..."},
    {"event.outcome", FIELD_TEXT, F_OUTCOME, 0, "success, failure or unknown"},
    {"source.ip", FIELD_IP, F_SOURCE, 0, "the person's own address"},
    {"source.geo.country_iso_code", FIELD_TEXT, F_COUNTRY, 0, "two letters; absent when not known"},
    {"source.as.number", FIELD_NUMBER, F_ASN, 0, "absent when not known"},
    {"source.as.organization.name", FIELD_TEXT, F_STRING, STR_AS_ORG, "of the AS"},
    {"casetap.source.class", FIELD_TEXT, F_CLASS, 0, "private, own, vpn, hosting, tor or unknown, by your lists"},
    {"casetap.source.network", FIELD_TEXT, F_STRING, STR_NETWORK, "the name in your list"},
    {"server.ip", FIELD_IP, F_SERVER, 0, "the server's address"},
    {"url.domain", FIELD_TEXT, F_STRING, STR_HOST, "the host asked for"},
    {"url.original", FIELD_TEXT, F_STRING, STR_TARGET, "path and query, secrets masked"},
    {"http.request.method", FIELD_TEXT, F_STRING, STR_METHOD, ""},
    {"http.response.status_code", FIELD_NUMBER, F_STATUS, 0, ""},
    {"http.response.body.bytes", FIELD_NUMBER, F_BODY, 0, "absent when not known"},
    {"http.response.mime_type", FIELD_TEXT, F_STRING, STR_MIME, ""},
    {"user_agent.original", FIELD_TEXT, F_STRING, STR_AGENT, ""},
    {"casetap.client.name", FIELD_TEXT, F_STRING, STR_CLIENT, "family and major version: Firefox 147"},
    {"casetap.client.major", FIELD_NUMBER, F_MAJOR, 0, ""},
    {"user_agent.os.name", FIELD_TEXT, F_OS, 0, "by the User-Agent"},
    {"casetap.app", FIELD_TEXT, F_STRING, STR_APP, "application profile"},
    {"casetap.route", FIELD_TEXT, F_STRING, STR_ROUTE, "route of the profile"},
    {"casetap.case", FIELD_TEXT, F_STRING, STR_CASE, "the case's id"},
    {"casetap.customer", FIELD_TEXT, F_STRING, STR_CUSTOMER, ""},
    {"casetap.object", FIELD_TEXT, F_STRING, STR_OBJECT, "the application's own id of the file or case"},
    {"file.name", FIELD_TEXT, F_STRING, STR_FILE, ""},
    {"file.size", FIELD_NUMBER, F_FILE_SIZE, 0, ""},
    {"casetap.file.class", FIELD_TEXT, F_FILE_CLASS, 0, "har, core, heap_dump, key, log ..."},
    {"casetap.file.type", FIELD_TEXT, F_FILE_TYPE, 0, "its format by its first bytes"},
    {"casetap.file.secrets.total", FIELD_NUMBER, F_SECRETS, 0, "secrets in its text"},
    {"casetap.file.secrets.live", FIELD_NUMBER, F_LIVE, 0, "those that have not expired"},
    {"casetap.session.id", FIELD_TEXT, F_SESSION, 0, "keyed hash of the session value"},
    {"casetap.credential.kind", FIELD_TEXT, F_KIND, 0, "cookie, basic, bearer, token, link ..."},
    {"casetap.flags", FIELD_WORDS, F_FLAGS, 0, "partial, machine, refused, unknown_route ..."},
    {"casetap.confidence", FIELD_NUMBER, F_CONFIDENCE, 0, "0 to 100"},
    {"casetap.token.age_seconds", FIELD_NUMBER, F_TOKEN_AGE, 0, ""},
    {"casetap.token.expires_seconds", FIELD_NUMBER, F_TOKEN_LEFT, 0, "below 0: it has expired"},
    {"casetap.identity.issuer", FIELD_TEXT, F_STRING, STR_ISSUER, ""},
    {"casetap.identity.tenant", FIELD_TEXT, F_STRING, STR_TENANT, ""},
    {"tls.client.ja4", FIELD_TEXT, F_STRING, STR_JA4, ""},
    {"tls.client.ja3", FIELD_TEXT, F_STRING, STR_JA3, ""},
    {"tls.client.server_name", FIELD_TEXT, F_STRING, STR_SNI, ""},
    {"tls.client.subject", FIELD_TEXT, F_STRING, STR_CERT, ""},
    {"network.application", FIELD_TEXT, F_STRING, STR_PROTOCOL, "of a connection that is not HTTP"},
    {"time.hour", FIELD_NUMBER, F_HOUR, 0, "0 to 23, UTC"},
    {"time.weekday", FIELD_TEXT, F_WEEKDAY, 0, "mon to sun, UTC"},
    {"rule.id", FIELD_WORDS, F_RULES, 0, "detections that have spoken about this act"},
    {"visit.new", FIELD_TEXT, F_PLACE, 0, "the highest level of the place that is new: country, network, prefix, nothing"},
    {"visit.client", FIELD_TEXT, F_CLIENT, 0, "family (a new browser or program), system (the same on another system), usual"},
    {"visit.bits", FIELD_NUMBER, F_BITS, 0, "how unusual place, client and hour are, in bits"},
    {"visit.elsewhere", FIELD_TEXT, F_ELSEWHERE, 0, "yes: the credential began a visit to a usual place in another country (or network) in the eight hours before"},
    {"visit.fresh", FIELD_TEXT, F_DISTINCT, 0, "yes: a file, case or customer not touched before today"},
    {"credential.who", FIELD_TEXT, F_WHO, 0, "machine or person; absent while neither is known"},
    {"credential.mature", FIELD_TEXT, F_MATURE, 0, "yes once it has a baseline of its own"},
    {"credential.sessions", FIELD_NUMBER, F_SESSIONS, 0, "so far"},
    {"credential.acts", FIELD_NUMBER, F_ACTS, 0, "so far"},
    {"credential.files", FIELD_NUMBER, F_FILES, 0, "so far"},
    {"credential.age_days", FIELD_NUMBER, F_AGE, 0, "since it was first seen"},
    {"credential.idle_days", FIELD_NUMBER, F_IDLE, 0, "since its last day of use"},
    {"credential.day.files", FIELD_NUMBER, F_DAY_FILES, 0, "different ones today (UTC)"},
    {"credential.day.cases", FIELD_NUMBER, F_DAY_CASES, 0, ""},
    {"credential.day.customers", FIELD_NUMBER, F_DAY_CUSTOMERS, 0, ""},
    {"credential.day.bytes", FIELD_NUMBER, F_DAY_BYTES, 0, ""},
    {"credential.day.viewed", FIELD_TEXT, F_VIEWED, 0, "no: this file's case was not looked at today before"},
    {"credential.unseen_percent", FIELD_NUMBER, F_UNSEEN, 0, "of cases it took files from, those it had not looked at, on the days before"},
    {"credential.action", FIELD_TEXT, F_DEED, 0, "new: this credential has never done that; usual"},
    {"sensor.age_days", FIELD_NUMBER, F_FLEET_AGE, 0, "since this sensor first saw anything"},
};

#define N_FIELDS (sizeof fields / sizeof fields[0])

static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
static const char *const places[] = {"nothing", "prefix", "network", "country", NULL};
static const char *const clients[] = {"family", "system", "usual", NULL};
static const char *const yes_no[] = {"yes", "no", NULL};
static const char *const deeds[] = {"new", "usual", NULL};
static const char *const whos[] = {"machine", "person", NULL};

int rule_field_of(const char *name)
{
    for (unsigned i = 0; i < N_FIELDS; i++)
        if (strcmp(fields[i].name, name) == 0)
            return (int)i;
    return -1;
}

const char *rule_field_name(unsigned field)
{
    return field < N_FIELDS ? fields[field].name : NULL;
}

enum field_kind rule_field_kind(unsigned field)
{
    return fields[field].kind;
}

const char *rule_field_help(unsigned field)
{
    return fields[field].help;
}

const char *const *rule_field_words(unsigned field)
{
    switch (fields[field].which) {
    case F_WEEKDAY: return weekdays;
    case F_PLACE: return places;
    case F_CLIENT: return clients;
    case F_MATURE:
    case F_ELSEWHERE:
    case F_VIEWED:
    case F_DISTINCT: return yes_no;
    case F_WHO: return whos;
    case F_DEED: return deeds;
    default: return NULL;
    }
}

static const char *flag_word(unsigned bit)
{
    const char *name = 1u << bit & ACT_WRITTEN ? activity_flag_name(1u << bit) : NULL;
    return name ? name : "";
}

/* Those whose words are the names of the record's own numbers. */
static const char *coded_word(enum rule_field which, unsigned bit)
{
    switch (which) {
    case F_OUTCOME: return bit <= OUTCOME_FAILURE ? outcome_name((enum outcome)bit) : NULL;
    case F_CLASS: return bit < NETWORK_N ? network_class_name((enum network_class)bit) : NULL;
    case F_KIND: return bit < CRED_N ? cred_kind_name((enum cred_kind)bit) : NULL;
    case F_FILE_CLASS: return bit < FILE_CLASSES ? bit ? file_class_name((enum file_class)bit) : "" : NULL;
    case F_FLAGS: return bit < 32 ? flag_word(bit) : NULL;
    default: return NULL;
    }
}

const char *rule_field_word(unsigned field, unsigned bit)
{
    const char *const *words = rule_field_words(field);
    for (unsigned i = 0; words && i < bit; i++)
        if (!words[i])
            return NULL;
    return words ? words[bit] : coded_word(fields[field].which, bit);
}

static uint32_t scene_bits(enum rule_field which, const struct scene *s)
{
    const struct context *c = &s->visit->context;
    switch (which) {
    case F_PLACE: return 1u << c->level;
    case F_CLIENT: return c->is_family_new ? 1 : c->is_client_new ? 2 : 4;
    case F_DISTINCT: return s->is_file || s->is_case || s->is_customer ? 1 : 2;
    case F_WHO: return s->is_machine ? 1 : s->b->flags & BASELINE_PERSON ? 2 : 0;
    case F_MATURE: return s->is_mature ? 1 : 2;
    case F_VIEWED: return conduct_has_viewed(s) ? 1 : 2;
    case F_ELSEWHERE: return s->visit->context.is_seen ? 1 : 2;
    case F_DEED: return s->b->actions >> s->a->action & 1 ? 2 : 1;
    default: return 0;
    }
}

uint32_t rule_field_bits(unsigned field, const struct rule_view *v)
{
    enum rule_field which = fields[field].which;
    const struct activity *a = v->a;
    switch (which) {
    case F_OUTCOME: return 1u << a->outcome;
    case F_CLASS: return 1u << a->source_class;
    case F_KIND: return 1u << a->cred_kind;
    case F_FILE_CLASS: return a->file.file_class ? 1u << a->file.file_class : 0;
    case F_FLAGS: return a->flags & ACT_WRITTEN;
    case F_WEEKDAY: return 1u << time_weekday(v->now_ns);
    default: return v->s ? scene_bits(which, v->s) : 0;
    }
}

/* The words of a field that has few. */
static void set_words(struct field_value *out, unsigned field, uint32_t bits)
{
    unsigned n = 0;
    for (; bits && n < FIELD_WORDS_MAX; bits &= bits - 1) {
        const char *word = rule_field_word(field, (unsigned)__builtin_ctz(bits));
        if (word && word[0])
            out->words[n++] = word;
    }
    if (n < FIELD_WORDS_MAX)
        out->words[n] = NULL;
    out->is_there = n > 0;
    out->text = n ? span_text(out->words[0]) : SPAN("");
}

static void set_text(struct field_value *out, const char *text)
{
    out->text = span_text(text);
    out->is_there = out->text.size > 0;
}

static void set_number(struct field_value *out, double number, bool is_there)
{
    out->number = number;
    out->is_there = is_there;
}

static void set_session(struct field_value *out, const uint8_t hash[SESSION_HASH_SIZE])
{
    static const uint8_t none[SESSION_HASH_SIZE];
    out->is_there = memcmp(hash, none, sizeof none) != 0;
    hex_text(span_of(hash, SESSION_HASH_SIZE), out->room);
    out->text = span_of(out->room, 2 * SESSION_HASH_SIZE);
}

/* What is known only of acts that a credential is charged with. */
static void get_scene(enum rule_field which, const struct scene *s, uint64_t now_ns, struct field_value *out)
{
    const struct baseline *b = s->b;
    switch (which) {
    case F_BITS: set_number(out, context_bits(&s->visit->context), true); break;
    case F_SESSIONS: set_number(out, b->sessions, true); break;
    case F_ACTS: set_number(out, b->acts, true); break;
    case F_FILES: set_number(out, b->files, true); break;
    case F_AGE: set_number(out, (double)(now_ns - b->first_ns) / (S_PER_DAY * 1e9), b->first_ns && b->first_ns <= now_ns); break;
    case F_IDLE: set_number(out, (double)(now_ns - b->last_ns) / (S_PER_DAY * 1e9), b->last_ns && b->last_ns <= now_ns); break;
    case F_DAY_FILES: set_number(out, b->today_files, true); break;
    case F_DAY_CASES: set_number(out, b->today_cases, true); break;
    case F_DAY_CUSTOMERS: set_number(out, b->today_customers, true); break;
    case F_DAY_BYTES: set_number(out, (double)b->today_bytes, true); break;
    case F_UNSEEN: set_number(out, 100 * conduct_unseen_share(s), true); break;
    case F_FLEET_AGE:
        set_number(out, (double)(now_ns - s->fleet->first_ns) / (S_PER_DAY * 1e9), s->fleet->first_ns <= now_ns);
        break;
    case F_RULES:
        for (unsigned i = 0; i < s->n_spoken && i < FIELD_WORDS_MAX; i++)
            out->words[i] = s->spoken[i]->id;
        out->words[s->n_spoken] = NULL; /* SCENE_SPOKEN_MAX is less than FIELD_WORDS_MAX */
        out->is_there = s->n_spoken > 0;
        break;
    default: break;
    }
}

static void get_file(enum rule_field which, const struct activity *a, struct field_value *out)
{
    switch (which) {
    case F_FILE_SIZE: set_number(out, (double)a->file_size, a->flags & ACT_HAS_FILE_SIZE); break;
    case F_FILE_TYPE: set_text(out, a->file.type ? file_type_name((enum file_type)a->file.type) : ""); break;
    case F_SECRETS: set_number(out, file_facts_secrets(&a->file), a->file.is_scanned); break;
    case F_LIVE: set_number(out, file_facts_live(&a->file), a->file.is_scanned); break;
    default: break;
    }
}

static void get_act(enum rule_field which, const struct activity *a, uint64_t now_ns, struct field_value *out)
{
    switch (which) {
    case F_ACTION: set_text(out, action_name((enum action)a->action)); break;
    case F_STATUS: set_number(out, a->status, a->status != 0); break;
    case F_SOURCE:
    case F_SERVER:
        out->ip = which == F_SOURCE ? a->source : a->server.ip;
        out->is_there = !ipaddr_is_zero(&out->ip);
        break;
    case F_COUNTRY: set_text(out, a->country); break;
    case F_ASN: set_number(out, a->asn, a->asn != 0); break;
    case F_BODY: set_number(out, (double)a->body_bytes, a->flags & ACT_HAS_BODY); break;
    case F_SESSION: set_session(out, a->session); break;
    case F_OS: set_text(out, a->client_os ? client_os_name((enum client_os)a->client_os) : ""); break;
    case F_MAJOR: set_number(out, a->client_major, a->client_major != 0); break;
    case F_CONFIDENCE: set_number(out, 100 - a->doubt, true); break;
    case F_TOKEN_AGE: set_number(out, a->token_age_s, a->asserted & ASSERTED_AGE); break;
    case F_TOKEN_LEFT: set_number(out, a->token_left_s, a->asserted & ASSERTED_EXPIRY); break;
    case F_HOUR: set_number(out, time_hour(now_ns), true); break;
    default: get_file(which, a, out); break;
    }
}

void rule_field_get(unsigned field, const struct rule_view *v, struct field_value *out)
{
    enum rule_field which = fields[field].which;
    out->is_there = false;
    out->words[0] = NULL;
    if (which == F_STRING) {
        out->text = activity_get(v->a, fields[field].string);
        out->is_there = out->text.size > 0;
    } else if (rule_field_word(field, 0)) {
        set_words(out, field, rule_field_bits(field, v));
    } else if (which < F_RULES) {
        get_act(which, v->a, v->now_ns, out);
    } else if (v->s) {
        get_scene(which, v->s, v->now_ns, out);
    }
}

uint64_t rule_field_hash(unsigned field, const struct rule_view *v, uint64_t seed)
{
    struct field_value value;
    rule_field_get(field, v, &value);
    if (!value.is_there)
        return 0;
    switch (fields[field].kind) {
    case FIELD_TEXT: return hash64(value.text, seed) | 1;
    case FIELD_NUMBER: return hash64(span_of(&value.number, sizeof value.number), seed) | 1;
    case FIELD_IP: return hash64(span_of(value.ip.bytes, sizeof value.ip.bytes), seed) | 1;
    case FIELD_WORDS: return hash64(span_text(value.words[0]), seed) | 1;
    }
    return 0;
}

void rule_field_text(unsigned field, const struct rule_view *v, char *out, size_t size)
{
    struct field_value value;
    char ip[IPADDR_TEXT_MAX];
    rule_field_get(field, v, &value);
    out[0] = 0;
    if (!value.is_there)
        return;
    switch (fields[field].kind) {
    case FIELD_TEXT:
        snprintf(out, size, "%.*s", (int)(value.text.size < size ? value.text.size : size - 1), (const char *)value.text.at);
        break;
    case FIELD_NUMBER:
        snprintf(out, size, value.number == trunc(value.number) ? "%.15g" : fabs(value.number) < 100 ? "%.3g" : "%.0f", value.number);
        break;
    case FIELD_IP: snprintf(out, size, "%s", ipaddr_text(&value.ip, ip)); break;
    case FIELD_WORDS: snprintf(out, size, "%s", value.words[0]); break;
    }
}

bool rule_field_usual(unsigned field, const struct rule_view *v, char *out, size_t size)
{
    enum rule_field which = fields[field].which;
    enum activity_string string = fields[field].string;
    if (!v->s || !v->s->b->sessions)
        return false;
    if (which == F_CLIENT || which == F_MAJOR || (which == F_STRING && (string == STR_CLIENT || string == STR_AGENT)))
        context_usual_client(v->s->b, out, size);
    else if (which == F_SOURCE || which == F_COUNTRY || which == F_ASN || which == F_PLACE || which == F_CLASS)
        context_usual_place(v->s->b,
                            which == F_COUNTRY ? LEVEL_COUNTRY
                            : which == F_SOURCE ? LEVEL_PREFIX
                            : which == F_PLACE  ? v->s->visit->context.level
                                                : LEVEL_NETWORK,
                            out, size);
    else
        return false;
    return true;
}

void rule_field_put(unsigned field, const char *value, struct activity *a)
{
    if (fields[field].which == F_STRING)
        activity_set(a, fields[field].string, span_text(value));
    else if (fields[field].which == F_SOURCE)
        (void)ipaddr_parse(span_text(value), &a->source);
}
