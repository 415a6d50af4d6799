/* SPDX-License-Identifier: Apache-2.0
 * Every number of the generated world, with where it comes from. No detector reads them. */
#ifndef EVAL_PARAMS_H
#define EVAL_PARAMS_H

#include "base/text.h"

struct params {
    /* size and time */
    double credentials, organisations, days, learn_from, test_from, attacks_per_class;
    /* who they are */
    double share_agents, share_leads, share_contractors, share_machines;
    /* how often */
    double customer_sessions_90d, customer_sessions_sigma, agent_sessions_day, machine_runs_day, leave_days_year;
    /* where from */
    double home_office, company_vpn, mobile_share, home_renumber_day, trips_year_agent, trips_year_customer, dual_stack,
        new_ipv6;
    /* with what */
    double laptop_years, release_days, second_device;
    /* what they do */
    double cases_day, cases_size, files_case, files_size, big_case, file_median, file_sigma, outside_portfolio,
        month_end;
    /* small troubles of every day */
    double forgot_password_year, typing_error, sync_starts, office_moves, vpn_outages, remote_help_day;
    /* attackers */
    double stuffing_names, slow_customers_day, slow_days, script_client;
};

struct param {
    const char *name;
    size_t offset; /* of the double in struct params */
    double value, low, high;
    const char *source; /* where the figure is published, or "assumption" and what it means */
};

/* The table, ended by a NULL name. */
const struct param *params_table(void);
void params_default(struct params *p);
double params_get(const struct params *p, const struct param *item);
/* "name=value". E_USAGE with a line in why. */
int params_set(struct params *p, const char *text, struct text *why);
/* Named sets of changes: "travel" (twice the travel), "history" (half the history), "noise" (noisier volumes), "long"
 * (sixty days of test), "quick" (a few hundred credentials). E_USAGE when there is none of that name. */
int params_variant(struct params *p, const char *name, struct text *why);

#endif
