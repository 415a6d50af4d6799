/* SPDX-License-Identifier: Apache-2.0
 * The roster's columns, each with its type; a table says which value goes where. */
#include <stdlib.h>

#include "base/csv.h"
#include "base/err.h"
#include "base/times.h"
#include "base/yaml.h"
#include "enrich/roster_parts.h"

enum column {
    COLUMN_WHO, COLUMN_ORGANISATION, COLUMN_ROLE, COLUMN_LEAVER, COLUMN_EGRESS, COLUMN_SERVICE, COLUMN_TIMEZONE,
    COLUMN_HOLIDAYS, COLUMN_MANAGER,
    COLUMN_N
};

static const char *const column_names[COLUMN_N + 1] = {"who",     "organisation", "role",     "leaver", "egress",
                                                       "service", "timezone",     "holidays", "manager", NULL};

struct reading {
    struct roster *r;
    struct csv csv;
    int at[COLUMN_N];                /* where the column stands in a record; -1 = it is not there */
    uint32_t n_columns;
    struct text *why;
};

/* A further element at the end of an array that doubles; NULL when memory runs out. */
static void *more(void *array, size_t n, size_t size)
{
    return n & (n - 1) ? array : realloc(array, (n ? 2 * n : 1) * size);
}

static int too_many(const struct reading *rd, const struct csv_value *v, const char *what, unsigned max)
{
    return csv_fail(&rd->csv, v, rd->why, "more than %u %s", max, what);
}

static int read_header(struct reading *rd)
{
    for (int i = 0; i < COLUMN_N; i++)
        rd->at[i] = -1;
    for (uint32_t i = 0; i < rd->csv.n; i++) {
        const struct csv_value *v = &rd->csv.values[i];
        struct span name = span_trim(span_text(v->text));
        int column = 0;
        while (column < COLUMN_N && !span_eq_nocase(name, span_text(column_names[column])))
            column++;
        const char *nearest = column == COLUMN_N ? yaml_nearest(v->text, column_names) : NULL;
        if (nearest)
            return csv_fail(&rd->csv, v, rd->why, "unknown column '%.40s'; did you mean '%s'?", v->text, nearest);
        if (column == COLUMN_N)
            return csv_fail(&rd->csv, v, rd->why,
                            "unknown column '%.40s'; expected who, organisation, role, leaver, egress, service, timezone, "
                            "holidays or manager",
                            v->text);
        if (rd->at[column] >= 0)
            return csv_fail(&rd->csv, v, rd->why, "the column '%s' is there twice", column_names[column]);
        rd->at[column] = (int)i;
    }
    rd->n_columns = rd->csv.n;
    if (rd->at[COLUMN_WHO] < 0)
        return csv_fail(&rd->csv, &rd->csv.values[0], rd->why,
                        "the first record names the columns, and 'who' is not among them");
    return E_OK;
}

/* The column's value, blanks around it gone; empty when there is no such column. */
static struct span value_of(const struct reading *rd, enum column column, const struct csv_value **at)
{
    static const struct csv_value none = {"", 1, 1};
    *at = rd->at[column] >= 0 ? &rd->csv.values[rd->at[column]] : &none;
    return span_trim(span_text((*at)->text));
}

static int check_size(const struct reading *rd, const struct csv_value *at, struct span value)
{
    if (value.size <= ROSTER_TEXT_MAX)
        return E_OK;
    return csv_fail(&rd->csv, at, rd->why, "longer than %u bytes", ROSTER_TEXT_MAX);
}

static char *copy_of(struct span s)
{
    return strndup((const char *)s.at, s.size);
}

static int read_organisation(struct reading *rd, uint32_t *number)
{
    const struct csv_value *at;
    struct roster *r = rd->r;
    struct span value = value_of(rd, COLUMN_ORGANISATION, &at);
    *number = 0;
    if (!value.size)
        return E_OK;
    if (check_size(rd, at, value))
        return E_CONF;
    for (size_t i = 0; i < r->n_organisations; i++)
        if (span_eq(span_text(r->organisations[i].name), value)) {
            *number = (uint32_t)i + 1;
            return E_OK;
        }
    if (r->n_organisations == ROSTER_ORGANISATIONS_MAX)
        return too_many(rd, at, "organisations", ROSTER_ORGANISATIONS_MAX);
    struct organisation *array = more(r->organisations, r->n_organisations, sizeof *array);
    if (!array)
        return E_NOMEM;
    r->organisations = array;
    array[r->n_organisations++] = (struct organisation){.name = copy_of(value)};
    *number = (uint32_t)r->n_organisations;
    return array[*number - 1].name ? E_OK : E_NOMEM;
}

static int read_role(struct reading *rd, uint32_t *number)
{
    const struct csv_value *at;
    struct roster *r = rd->r;
    struct span value = value_of(rd, COLUMN_ROLE, &at);
    *number = 0;
    if (!value.size)
        return E_OK;
    if (check_size(rd, at, value))
        return E_CONF;
    for (size_t i = 0; i < r->n_roles; i++)
        if (span_eq(span_text(r->roles[i]), value)) {
            *number = (uint32_t)i + 1;
            return E_OK;
        }
    if (r->n_roles == ROSTER_ROLES_MAX)
        return too_many(rd, at, "roles", ROSTER_ROLES_MAX);
    char **array = more(r->roles, r->n_roles, sizeof *array);
    if (!array)
        return E_NOMEM;
    r->roles = array;
    array[r->n_roles++] = copy_of(value);
    *number = (uint32_t)r->n_roles;
    return array[*number - 1] ? E_OK : E_NOMEM;
}

/* "2026-03-31" as its midnight UTC. */
static bool read_day(struct span text, uint64_t *ns)
{
    char full[32], back[TIME_TEXT_MAX];
    if (text.size != 10)
        return false;
    snprintf(full, sizeof full, "%.10sT00:00:00Z", (const char *)text.at);
    return time_parse(span_text(full), ns) && memcmp(time_text(*ns, back), full, 10) == 0; /* not the 30th of February */
}

static int read_leaver(struct reading *rd, struct roster_person *p)
{
    const struct csv_value *at;
    struct span value = value_of(rd, COLUMN_LEAVER, &at);
    if (!value.size)
        return E_OK;
    p->flags |= ROSTER_LEAVES;
    p->is_local_day = read_day(value, &p->leaves_ns);
    if (p->is_local_day || time_parse(value, &p->leaves_ns))
        return E_OK;
    return csv_fail(&rd->csv, at, rd->why, "leaver: expected the first day without them like 2026-03-31, or a time like "
                                           "2026-03-31T18:00:00Z");
}

static int read_service(struct reading *rd, struct roster_person *p)
{
    static const char *const yes[] = {"yes", "true", "1"}, *const no[] = {"", "no", "false", "0"};
    const struct csv_value *at;
    struct span value = value_of(rd, COLUMN_SERVICE, &at);
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (span_eq_nocase(value, span_text(yes[i]))) {
            p->flags |= ROSTER_SERVICE;
            return E_OK;
        }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (span_eq_nocase(value, span_text(no[i])))
            return E_OK;
    return csv_fail(&rd->csv, at, rd->why, "service: expected yes or no");
}

/* "+01:00", "-0330", "UTC". */
static bool zone_of(struct span text, int16_t *minutes)
{
    uint64_t hour, minute = 0;
    *minutes = 0;
    if (span_eq_nocase(text, SPAN("utc")) || span_eq_nocase(text, SPAN("z")))
        return true;
    if (text.size < 3 || (text.at[0] != '+' && text.at[0] != '-') || !span_u64(span_sub(text, 1, 2), &hour) || hour > 14)
        return false;
    struct span rest = span_from(text, text.size > 3 && text.at[3] == ':' ? 4 : 3);
    if (text.size > 3 && (rest.size != 2 || !span_u64(rest, &minute) || minute > 59))
        return false;
    *minutes = (int16_t)((text.at[0] == '-' ? -1 : 1) * (int)(hour * 60 + minute));
    return true;
}

static int read_zone(struct reading *rd, int16_t *minutes, bool *is_there)
{
    const struct csv_value *at;
    struct span value = value_of(rd, COLUMN_TIMEZONE, &at);
    *is_there = value.size > 0;
    if (!value.size || zone_of(value, minutes))
        return E_OK;
    return csv_fail(&rd->csv, at, rd->why, "timezone: expected hours and minutes from UTC like +01:00 or -03:30");
}

/* The next of several values, apart by ';', ',' or blanks. */
static bool next_part(struct span *rest, struct span *part)
{
    size_t from = 0, to;
    while (from < rest->size && strchr("; ,\t\n", rest->at[from]))
        from++;
    for (to = from; to < rest->size && !strchr("; ,\t\n", rest->at[to]);)
        to++;
    *part = span_sub(*rest, from, to - from);
    *rest = span_from(*rest, to);
    return part->size > 0;
}

static int read_egress(struct reading *rd, uint32_t organisation)
{
    const struct csv_value *at;
    struct roster *r = rd->r;
    struct span rest = value_of(rd, COLUMN_EGRESS, &at), part;
    while (next_part(&rest, &part)) {
        struct prefix prefix;
        if (!organisation)
            return csv_fail(&rd->csv, at, rd->why, "egress: prefixes are an organisation's, and none is named here");
        if (!prefix_parse(part, &prefix))
            return csv_fail(&rd->csv, at, rd->why,
                            "egress: '%.*s' is no address or prefix (203.0.113.0/24, 2001:db8::/32)",
                            (int)(part.size < 60 ? part.size : 60), (const char *)part.at);
        if (r->n_prefixes == ROSTER_PREFIXES_MAX)
            return too_many(rd, at, "prefixes", ROSTER_PREFIXES_MAX);
        struct roster_prefix *array = more(r->prefixes, r->n_prefixes, sizeof *array);
        if (!array)
            return E_NOMEM;
        r->prefixes = array;
        array[r->n_prefixes++] = (struct roster_prefix){prefix, organisation};
    }
    return E_OK;
}

static bool read_days(struct span text, struct roster_holiday *h)
{
    uint64_t first, last;
    size_t slash = span_find_byte(text, '/', 0);
    if (!read_day(span_sub(text, 0, slash), &first))
        return false;
    last = first;
    if (slash != SIZE_MAX && !read_day(span_from(text, slash + 1), &last))
        return false;
    h->first = time_day(first);
    h->last = time_day(last);
    return h->first <= h->last;
}

static int read_holidays(struct reading *rd, uint64_t whose)
{
    const struct csv_value *at;
    struct roster *r = rd->r;
    struct span rest = value_of(rd, COLUMN_HOLIDAYS, &at), part;
    while (next_part(&rest, &part)) {
        struct roster_holiday h = {.whose = whose};
        if (!read_days(part, &h))
            return csv_fail(&rd->csv, at, rd->why, "holidays: '%.*s' is no day (2026-12-25) or first and last day "
                                                   "(2026-08-03/2026-08-14)",
                            (int)(part.size < 60 ? part.size : 60), (const char *)part.at);
        if (r->n_holidays == ROSTER_HOLIDAYS_MAX)
            return too_many(rd, at, "holidays", ROSTER_HOLIDAYS_MAX);
        struct roster_holiday *array = more(r->holidays, r->n_holidays, sizeof *array);
        if (!array)
            return E_NOMEM;
        r->holidays = array;
        array[r->n_holidays++] = h;
    }
    return E_OK;
}

/* What a record without 'who' says is the organisation's. */
static int read_of_organisation(struct reading *rd, uint32_t number)
{
    static const enum column personal[] = {COLUMN_ROLE, COLUMN_LEAVER, COLUMN_SERVICE, COLUMN_MANAGER};
    const struct csv_value *at;
    (void)value_of(rd, COLUMN_WHO, &at);
    if (!number)
        return csv_fail(&rd->csv, at, rd->why, "neither who nor organisation is named");
    for (size_t i = 0; i < sizeof personal / sizeof *personal; i++)
        if (value_of(rd, personal[i], &at).size)
            return csv_fail(&rd->csv, at, rd->why, "%s: is about a person, and 'who' is empty", column_names[personal[i]]);
    struct organisation *o = &rd->r->organisations[number - 1];
    bool is_there;
    int rc = read_zone(rd, &o->zone_min, &is_there);
    o->has_zone = o->has_zone || is_there;
    if (rc == E_OK)
        rc = read_holidays(rd, whose_organisation(number));
    return rc ? rc : read_egress(rd, number);
}

/* The strings come last: until then nothing of the person is allocated. */
static int read_names(struct reading *rd, struct roster_person *p)
{
    const struct csv_value *at;
    struct span name = value_of(rd, COLUMN_WHO, &at);
    if (check_size(rd, at, name))
        return E_CONF;
    struct span manager = value_of(rd, COLUMN_MANAGER, &at);
    if (check_size(rd, at, manager))
        return E_CONF;
    struct roster *r = rd->r;
    if (r->n_people == ROSTER_PEOPLE_MAX)
        return too_many(rd, at, "people", ROSTER_PEOPLE_MAX);
    struct roster_person *array = more(r->people, r->n_people, sizeof *array);
    if (!array)
        return E_NOMEM;
    r->people = array;
    p->name = copy_of(name);
    p->manager = manager.size ? copy_of(manager) : NULL;
    array[r->n_people++] = *p; /* roster_free has it from here on */
    return p->name && (p->manager || !manager.size) ? E_OK : E_NOMEM;
}

static int read_person(struct reading *rd, uint32_t organisation)
{
    bool has_zone = false;
    struct roster_person p = {.organisation = organisation, .line = rd->csv.values[0].line};
    int rc = read_role(rd, &p.role);
    if (rc == E_OK)
        rc = read_leaver(rd, &p);
    if (rc == E_OK)
        rc = read_service(rd, &p);
    if (rc == E_OK)
        rc = read_zone(rd, &p.zone_min, &has_zone);
    p.flags |= has_zone ? ROSTER_ZONE : 0;
    if (rc == E_OK)
        rc = read_egress(rd, organisation);
    if (rc == E_OK)
        rc = read_holidays(rd, whose_person(p.line));
    return rc ? rc : read_names(rd, &p);
}

static int read_record(struct reading *rd)
{
    const struct csv_value *at;
    uint32_t organisation;
    if (rd->csv.n != rd->n_columns)
        return csv_fail(&rd->csv, &rd->csv.values[rd->csv.n - 1], rd->why,
                        "%u values where the first record names %u columns", rd->csv.n, rd->n_columns);
    int rc = read_organisation(rd, &organisation);
    if (rc)
        return rc;
    return value_of(rd, COLUMN_WHO, &at).size ? read_person(rd, organisation) : read_of_organisation(rd, organisation);
}

int roster_read_records(struct roster *r, FILE *file, const char *name, struct text *why)
{
    struct reading *rd = calloc(1, sizeof *rd);
    if (!rd)
        return E_NOMEM;
    rd->r = r;
    rd->why = why;
    csv_init(&rd->csv, file, name);
    int rc = csv_next(&rd->csv, why);
    if (rc == E_END) {
        text_addf(why, "%s:1:1: the file is empty: its first record names the columns", name);
        rc = E_CONF;
    } else if (rc == E_OK) {
        rc = read_header(rd);
        while (rc == E_OK && (rc = csv_next(&rd->csv, why)) == E_OK)
            rc = read_record(rd);
        rc = rc == E_END ? E_OK : rc;
    }
    free(rd);
    return rc;
}
