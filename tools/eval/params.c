/* SPDX-License-Identifier: Apache-2.0
 * The table of parameters. Published figures name their source; the rest are assumptions, said so, and the report shows
 * what changing the weightiest of them does. */
#include "eval/params.h"

#include "base/err.h"

#include <stdlib.h>

#define P(field) #field, offsetof(struct params, field)

static const struct param table[] = {
    {P(credentials), 6000, 100, 100000, "chosen: the size of organisation that the product is measured with"},
    {P(organisations), 60, 8, 200, "chosen: 1 vendor, 4 outsourcers, the rest customers"},
    {P(days), 90, 20, 366, "chosen: 60 to learn what is usual, 10 to learn thresholds, 20 of test"},
    {P(learn_from), 60, 5, 300, "chosen: first day on which thresholds are learned"},
    {P(test_from), 70, 10, 330, "chosen: first day of the test; attacks happen from here on, none before"},
    {P(attacks_per_class), 20, 0, 500, "assumption: enough to count, too few to change what is usual"},
    {P(share_agents), 0.07, 0, 1, "assumption: the vendor's support engineers"},
    {P(share_leads), 0.005, 0, 1, "assumption: triage leads and escalation managers, who touch many customers"},
    {P(share_contractors), 0.04, 0, 1,
     "assumption: agents of outsourcers (Sitel, Discord, Coinbase cases were such desks)"},
    {P(share_machines), 0.02, 0, 1, "assumption: integrations, export jobs, monitoring"},
    {P(customer_sessions_90d), 3, 0.1, 100,
     "assumption; the RBA data set has a median of 2 log-ins a user in 13 months on a consumer service"},
    {P(customer_sessions_sigma), 1.15, 0, 3,
     "RBA data set: log-ins a user, median 2, 90 % 9, 99 % 28: log-normal with this sigma"},
    {P(agent_sessions_day), 1.4, 0.1, 20, "assumption: one in the morning, some again after lunch"},
    {P(machine_runs_day), 12, 1, 1000, "assumption: every two hours"},
    {P(leave_days_year), 30, 0, 200, "assumption: holidays and sickness"},
    {P(home_office), 0.35, 0, 1, "assumption: share of an agent's working days at home"},
    {P(company_vpn), 0.6, 0, 1, "assumption: share of agents whose home office goes through the company's VPN"},
    {P(mobile_share), 0.06, 0, 1, "assumption: share of sessions from a mobile network"},
    {P(home_renumber_day), 0.015, 0, 1,
     "assumption: a home connection gets an address of another /24 every two months"},
    {P(trips_year_agent), 2, 0, 50, "assumption: journeys of some days to another country a year, agents"},
    {P(trips_year_customer), 2, 0, 50, "assumption: the same, customers' people"},
    {P(dual_stack), 0.4, 0, 1,
     "share of clients that reach sites over IPv6: 40 to 48 % in public statistics of 2023 to 2025"},
    {P(new_ipv6), 0.06, 0, 1, "assumption: share of homes that get IPv6 within the test"},
    {P(laptop_years), 4, 0.5, 20, "assumption: a machine is replaced every four years"},
    {P(release_days), 28, 7, 365, "Chrome, Edge and Firefox release every four weeks"},
    {P(second_device), 0.15, 0, 1, "assumption: share of people who use a second browser or device now and then"},
    {P(cases_day), 6, 0.5, 100, "assumption: cases an agent works on in a day"},
    {P(cases_size), 3, 0.2, 100, "assumption: size of that negative binomial (variance 18 at mean 6)"},
    {P(files_case), 1.3, 0, 50, "assumption: files fetched from a case in a day"},
    {P(files_size), 0.5, 0.05, 100, "assumption: size of that negative binomial: most cases none, some many"},
    {P(big_case), 0.01, 0, 1, "assumption: share of cases with a bundle of 30 to 120 files"},
    {P(file_median), 150000, 1000, 1e9, "assumption: median size of a file in bytes"},
    {P(file_sigma), 2.2, 0, 5,
     "assumption: sigma of its logarithm: one in 100 is above 25 MB, core dumps and HAR files"},
    {P(outside_portfolio), 0.15, 0, 1,
     "assumption: share of an agent's cases of customers he does not usually work for"},
    {P(month_end), 2.5, 1, 20, "assumption: factor on the files of those who report at month end"},
    {P(forgot_password_year), 2, 0, 50, "assumption; 41 of 11,494 rows of a published RBA excerpt are such"},
    {P(typing_error), 0.04, 0, 1, "assumption: share of sign-ins with one or two mistyped passwords before"},
    {P(sync_starts), 0.004, 0, 1, "assumption: share of people who begin to use a sync client within the test"},
    {P(office_moves), 4, 0, 20, "assumption: organisations that get other addresses within the test"},
    {P(vpn_outages), 1, 0, 20, "assumption: days within the test on which the company VPN is down"},
    {P(remote_help_day), 2, 0, 100, "assumption: workstations a day that IT helps over remote desktop"},
    {P(stuffing_names), 60, 10, 1000, "Elastic's rule expects at least 25 attempts over 15 users"},
    {P(slow_customers_day), 7, 1, 100, "Okta 2023: 134 customers in 19 days"},
    {P(slow_days), 15, 2, 60, "Okta 2023: 19 days; cut to fit into the test"},
    {P(script_client), 0.4, 0, 1,
     "published RBA excerpt: 5 of 15 attackers with a real browser; Drift, Okta: both kinds"},
    {NULL, 0, 0, 0, 0, NULL},
};

const struct param *params_table(void)
{
    return table;
}

static double *value_of(struct params *p, const struct param *item)
{
    return (double *)(void *)((char *)p + item->offset);
}

void params_default(struct params *p)
{
    for (const struct param *item = table; item->name; item++)
        *value_of(p, item) = item->value;
}

double params_get(const struct params *p, const struct param *item)
{
    double value;
    memcpy(&value, (const char *)p + item->offset, sizeof value);
    return value;
}

int params_set(struct params *p, const char *text, struct text *why)
{
    size_t size = strcspn(text, "=");
    for (const struct param *item = table; item->name; item++) {
        if (strlen(item->name) != size || memcmp(item->name, text, size) != 0 || text[size] != '=')
            continue;
        char *end;
        double value = strtod(text + size + 1, &end);
        if (*end || end == text + size + 1 || !(value >= item->low && value <= item->high)) {
            text_addf(why, "%s: a number from %g to %g is expected", text, item->low, item->high);
            return E_USAGE;
        }
        *value_of(p, item) = value;
        return 0;
    }
    text_addf(why, "%s: there is no such parameter", text);
    return E_USAGE;
}

int params_variant(struct params *p, const char *name, struct text *why)
{
    if (strcmp(name, "travel") == 0) {
        p->trips_year_agent *= 2;
        p->trips_year_customer *= 2;
    } else if (strcmp(name, "history") == 0) {
        p->days -= 30;
        p->learn_from -= 30;
        p->test_from -= 30;
    } else if (strcmp(name, "noise") == 0) {
        p->cases_size /= 2;
        p->files_size /= 2;
        p->big_case *= 2;
    } else if (strcmp(name, "long") == 0) {
        p->days += 40;
        p->office_moves *= 2;
    } else if (strcmp(name, "calm") == 0) {
        p->days += 40;
        p->office_moves *= 2;
        p->attacks_per_class = 0;
    } else if (strcmp(name, "quick") == 0) {
        p->credentials = 400;
        p->organisations = 20;
        p->attacks_per_class = 3;
    } else {
        text_addf(why, "there is no variant '%s': travel, history, noise, long, calm, quick", name);
        return E_USAGE;
    }
    return 0;
}
