/* SPDX-License-Identifier: Apache-2.0
 * Whose case it is: by the desk's own word, by the domain of its requestor, by the operator's file, and afterwards. */
#include "fake.h"

#include "base/err.h"

#include <unistd.h>

static void act(struct activity *a, enum action action, const char *of_case, const char *object)
{
    static uint64_t n;
    activity_init(a);
    a->tail_used = 0;
    a->action = (uint8_t)action;
    a->outcome = OUTCOME_SUCCESS;
    a->time_ns = ++n;
    a->done_ns = n;
    a->number = (uint32_t)n;
    activity_set(a, STR_APP, SPAN("rt"));
    activity_set(a, STR_HOST, SPAN("desk.example"));
    activity_set(a, STR_USER, SPAN("ann"));
    activity_set(a, STR_CASE, span_text(of_case));
    activity_set(a, STR_OBJECT, span_text(object));
    activity_seal(a);
}

static void learn(struct customers *c, const char *of_case, const char *name, const char *domain)
{
    struct activity by;
    act(&by, ACTION_VIEW_CASE, of_case, "");
    customers_learn(c, &by, span_text(of_case), span_text(name), span_text(domain));
}

static const char *customer_of(struct customers *c, const char *of_case)
{
    static struct activity a;
    act(&a, ACTION_VIEW_CASE, of_case, "");
    customers_name(c, &a);
    return fake_str(&a, STR_CUSTOMER);
}

/* "CASE=CUSTOMER;" of what can be completed, in order. */
static const char *taken(struct customers *c)
{
    static char text[1000];
    struct activity by, amend;
    size_t at = 0;
    text[0] = 0;
    act(&by, ACTION_VIEW_CASE, "0", "");
    while (customers_take(c, &by, &amend)) {
        assert_int_equal(amend.action, ACTION_AMEND);
        assert_string_equal(fake_str(&amend, STR_USER), "ann");
        at += (size_t)snprintf(text + at, sizeof text - at, "%llu:%s=%s;", (unsigned long long)amend.time_ns,
                               fake_str(&amend, STR_CASE), fake_str(&amend, STR_CUSTOMER));
    }
    return text;
}

static uint64_t count_of(const struct customers *c, const char *name)
{
    struct counters k = customers_counters(c);
    for (size_t i = 0; i < k.n; i++)
        if (!strcmp(k.defs[i].name, name))
            return k.values[i];
    fail_msg("no counter %s", name);
    return 0;
}

static void domains_are_learnt_where_sure(void **state)
{
    static const struct {
        const char *customer, *domain;
        bool is_sure; /* after one case */
    } cases[] = {
        {"Cobalt Health", "cobalthealth.example", true},  {"Granite Telecom", "granitetel.example", true},
        {"Estrada Logistics", "estrada-log.example", true}, {"Borealis Energy", "mail.borealis-energy.co.example", true},
        {"Acme Corp", "acme.example", true},              {"IBM", "ibm.example", true},
        {"International Business Machines", "ibm.example", false}, {"Comcast Business", "foo.com.example", false},
        {"Gmail Fans", "gmail.com", false},               {"Yahoo Riders", "yahoo.co.uk", false},
        {"Smith", "vendor.example", false},               {"Ex", "example", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct customers *c = customers_new(8);
        learn(c, "1", "", cases[i].domain);
        assert_string_equal(customer_of(c, "1"), "");
        learn(c, "2", cases[i].customer, cases[i].domain);
        learn(c, "3", "", cases[i].domain);
        if (strcmp(customer_of(c, "1"), cases[i].is_sure ? cases[i].customer : "") != 0)
            fail_msg("%s of %s: '%s'", cases[i].domain, cases[i].customer, customer_of(c, "1"));
        assert_string_equal(customer_of(c, "3"), cases[i].is_sure ? cases[i].customer : "");
        assert_string_equal(customer_of(c, "2"), cases[i].customer);
        customers_free(c);
    }
}

static void an_id_is_worth_less_than_a_name(void **state)
{
    struct customers *c = customers_new(16);
    (void)state;
    learn(c, "1", "37", "acme.example");
    assert_string_equal(customer_of(c, "1"), "37");
    learn(c, "1", "Acme Corp", "acme.example"); /* the id did not tell whose the domain is, so this can */
    assert_string_equal(customer_of(c, "1"), "Acme Corp");
    learn(c, "1", "37", "");
    assert_string_equal(customer_of(c, "1"), "Acme Corp");
    learn(c, "2", "", "acme.example");
    learn(c, "2", "37", "acme.example");
    assert_string_equal(customer_of(c, "2"), "Acme Corp");
    learn(c, "3", "37", "");
    learn(c, "3", "38", "");
    assert_string_equal(customer_of(c, "3"), "38");
    assert_int_equal(count_of(c, "customers_domains_shared"), 0);
    for (char of_case[3] = "a0"; of_case[1] < '9'; of_case[1]++)
        learn(c, of_case, "40", "smith.example");
    learn(c, "4", "", "smith.example");
    assert_string_equal(customer_of(c, "4"), "");
    customers_free(c);
}

static void many_cases_prove_a_domain_and_one_disproves_it(void **state)
{
    struct customers *c = customers_new(8);
    (void)state;
    learn(c, "1", "", "ibm.example");
    for (int i = 0; i < 20; i++) /* one case, however often it is looked at, is one */
        learn(c, "2", "International Business Machines", "ibm.example");
    assert_string_equal(customer_of(c, "1"), "");
    for (int i = 3; i < 9; i++)
        learn(c, (char[]){(char)('0' + i), 0}, "International Business Machines", "ibm.example");
    assert_string_equal(customer_of(c, "1"), "");
    learn(c, "x", "International Business Machines", "ibm.example");
    assert_string_equal(customer_of(c, "1"), "International Business Machines");
    learn(c, "y", "Another", "ibm.example");
    assert_string_equal(customer_of(c, "1"), "");
    assert_string_equal(customer_of(c, "x"), "International Business Machines");
    assert_int_equal(count_of(c, "customers_domains_shared"), 1);
    customers_free(c);
}

static void what_waits_is_completed_once(void **state)
{
    struct customers *c = customers_new(64);
    struct activity a[6];
    char want[200];
    (void)state;
    act(&a[0], ACTION_LIST_FILES, "1", "");
    act(&a[1], ACTION_DOWNLOAD, "1", "10");
    act(&a[2], ACTION_DOWNLOAD, "2", "20");
    act(&a[3], ACTION_DOWNLOAD, "", "30");
    for (int i = 0; i < 4; i++)
        customers_wait(c, &a[i], false);
    assert_string_equal(taken(c), "");
    learn(c, "1", "Helix Pharma", "");
    snprintf(want, sizeof want, "%llu:1=Helix Pharma;%llu:1=Helix Pharma;", (unsigned long long)a[0].time_ns,
             (unsigned long long)a[1].time_ns);
    assert_string_equal(taken(c), want);
    learn(c, "1", "Helix Pharma", "");
    assert_string_equal(taken(c), "");
    /* by the domain: known of the case before and after it waits, and learnt from another case */
    learn(c, "2", "", "helixpharma.example");
    act(&a[4], ACTION_VIEW_CASE, "2", "");
    customers_wait(c, &a[4], false);
    learn(c, "9", "Helix Pharma", "helixpharma.example");
    snprintf(want, sizeof want, "%llu:2=Helix Pharma;%llu:2=Helix Pharma;", (unsigned long long)a[2].time_ns,
             (unsigned long long)a[4].time_ns);
    assert_string_equal(taken(c), want);
    /* a file whose case is listed later, and whose customer is known later still */
    act(&a[5], ACTION_LIST_FILES, "3", "");
    customers_place(c, &a[5], SPAN("30"), SPAN("3"));
    snprintf(want, sizeof want, "%llu:3=;", (unsigned long long)a[3].time_ns);
    assert_string_equal(taken(c), want);
    learn(c, "3", "Dunmore", "");
    snprintf(want, sizeof want, "%llu:3=Dunmore;", (unsigned long long)a[3].time_ns);
    assert_string_equal(taken(c), want);
    assert_int_equal(count_of(c, "customers_waiting_dropped"), 0);
    customers_free(c);
}

/* The session's last case was not the file's: neither it nor its customer may be charged any more. */
static void a_wrong_guess_is_set_right(void **state)
{
    struct customers *c = customers_new(64);
    struct activity a, b, by;
    char want[200];
    (void)state;
    act(&a, ACTION_DOWNLOAD, "1", "10");
    act(&b, ACTION_DOWNLOAD, "2", "20");
    customers_wait(c, &a, true);
    customers_wait(c, &b, true);
    act(&by, ACTION_LIST_FILES, "2", "");
    customers_place(c, &by, SPAN("10"), SPAN("2")); /* wrong */
    customers_place(c, &by, SPAN("20"), SPAN("2")); /* right: no news */
    snprintf(want, sizeof want, "%llu:2=;", (unsigned long long)a.time_ns);
    assert_string_equal(taken(c), want);
    learn(c, "1", "Aldgate Bank", "");
    assert_string_equal(taken(c), "");
    learn(c, "2", "Borealis", "");
    snprintf(want, sizeof want, "%llu:2=Borealis;%llu:2=Borealis;", (unsigned long long)b.time_ns, (unsigned long long)a.time_ns);
    assert_string_equal(taken(c), want);
    customers_free(c);
}

static void the_oldest_makes_room(void **state)
{
    struct customers *c = customers_new(4);
    struct activity a[7];
    char want[300] = "";
    (void)state;
    for (int i = 0; i < 7; i++) {
        act(&a[i], ACTION_DOWNLOAD, i % 2 ? "1" : "2", "");
        customers_wait(c, &a[i], false);
    }
    assert_int_equal(count_of(c, "customers_waiting_dropped"), 3);
    learn(c, "1", "One", "");
    learn(c, "2", "Two", "");
    snprintf(want, sizeof want, "%llu:1=One;%llu:1=One;%llu:2=Two;%llu:2=Two;", (unsigned long long)a[3].time_ns,
             (unsigned long long)a[5].time_ns, (unsigned long long)a[4].time_ns, (unsigned long long)a[6].time_ns);
    assert_string_equal(taken(c), want);
    for (int i = 0; i < 7; i++) /* what was told is no loss */
        customers_wait(c, &a[i], false);
    assert_int_equal(count_of(c, "customers_waiting_dropped"), 6);
    customers_free(c);
}

static int read_text(struct customers *c, const char *content, struct text *why)
{
    char path[] = "/tmp/casetap-customers-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
    int rc = customers_read(c, path, why);
    unlink(path);
    return rc;
}

static void the_operator_outweighs(void **state)
{
    struct customers *c = customers_new(8);
    struct text why = {0};
    size_t cases, domains;
    (void)state;
    assert_int_equal(read_text(c, "kind,pattern,customer\n# ours\ncase,14,Fjord Retail\n\ncase,ACME-*,\"Acme, \"\"Inc.\"\"\"\r\n"
                                  "case,ACME-1,First\ndomain,Big.Example,Big\ndomain,*.big.example,Big below\n", &why), E_OK);
    customers_named(c, &cases, &domains);
    assert_int_equal(cases, 3);
    assert_int_equal(domains, 2);
    assert_string_equal(customer_of(c, "14"), "Fjord Retail");
    assert_string_equal(customer_of(c, "ACME-7"), "Acme, \"Inc.\"");
    assert_string_equal(customer_of(c, "ACME-1"), "First");
    learn(c, "14", "Page", "");
    assert_string_equal(customer_of(c, "14"), "Fjord Retail");
    learn(c, "20", "", "big.example");
    learn(c, "21", "", "a.b.big.example");
    learn(c, "22", "", "notbig.example");
    learn(c, "23", "Page", "big.example"); /* the page's own word about its case stands */
    assert_string_equal(customer_of(c, "20"), "Big");
    assert_string_equal(customer_of(c, "21"), "Big below");
    assert_string_equal(customer_of(c, "22"), "");
    assert_string_equal(customer_of(c, "23"), "Page");
    text_fini(&why);
    customers_free(c);
}

static void a_bad_file_says_where(void **state)
{
    static const struct {
        const char *content, *says;
    } cases[] = {
        {"case,1,A\nfoo,1,A\n", ":2:1: expected 'case' or 'domain'"},
        {"case,,A\n", ":1:6: expected a case or a pattern of cases"},
        {"domain,,A\n", ":1:8: expected a domain"},
        {"domain,example,A\n", ":1:8: no domain"},
        {"domain,a b.example,A\n", ":1:8: no domain"},
        {"case,1\n", ":1:7: expected the customer's name"},
        {"case,1,A,B\n", ":1:10: nothing is expected"},
        {"case,\"1,A\n", ":1:6: the quote does not end"},
        {"case,1,A\ncase,1,B\n", "'1' has two customers: 'A' and 'B'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct customers *c = customers_new(8);
        struct text why = {0};
        assert_int_equal(read_text(c, cases[i].content, &why), E_CONF);
        if (!strstr(text_str(&why), cases[i].says))
            fail_msg("%s: want %s", text_str(&why), cases[i].says);
        text_fini(&why);
        customers_free(c);
    }
    struct customers *c = customers_new(8);
    struct text why = {0};
    assert_int_equal(customers_read(c, "/nonexistent/customers.csv", &why), E_IO);
    text_fini(&why);
    customers_free(c);
}

static void load_line(void *ctx, const char *text)
{
    assert_int_equal(customers_load(ctx, text), E_OK);
}

static void it_survives_a_restart(void **state)
{
    struct customers *c = customers_new(8), *next = customers_new(8);
    (void)state;
    learn(c, "1", "Helix Pharma", "helixpharma.example");
    learn(c, "2", "", "helixpharma.example");
    learn(c, "3", "A", "shared.example");
    learn(c, "4", "B", "shared.example");
    customers_save(c, load_line, next);
    customers_free(c);
    assert_string_equal(customer_of(next, "1"), "Helix Pharma");
    assert_string_equal(customer_of(next, "2"), "Helix Pharma");
    learn(next, "5", "", "helixpharma.example");
    assert_string_equal(customer_of(next, "5"), "Helix Pharma");
    static const char *const bad[] = {"", "customer", "customer 00 x", "domain 0123456789abcdef0123456789abcdef x",
                                      "domain 0123456789abcdef0123456789abcdef x perhaps", "customer 0123456789abcdef0123456789abcdef x y",
                                      "other 0123456789abcdef0123456789abcdef x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(customers_load(next, bad[i]), E_BAD);
    customers_free(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_worth_less_than_a_name),
        cmocka_unit_test(domains_are_learnt_where_sure), cmocka_unit_test(many_cases_prove_a_domain_and_one_disproves_it),
        cmocka_unit_test(what_waits_is_completed_once),  cmocka_unit_test(a_wrong_guess_is_set_right),
        cmocka_unit_test(the_oldest_makes_room),         cmocka_unit_test(the_operator_outweighs),
        cmocka_unit_test(a_bad_file_says_where),         cmocka_unit_test(it_survives_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
