/* SPDX-License-Identifier: Apache-2.0
 * YAML trees and their complaints. */
#include "base/err.h"
#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void tree_remembers_places(void **state)
{
    (void)state;
    struct yaml *y;
    struct text why = {0};
    assert_int_equal(yaml_parse("f.yaml", SPAN("name: rt\nroutes:\n  - path: /a\n    \"n\": '7'\n  - path: /b\n"), &y, &why), 0);
    const struct yaml_node *root = yaml_root(y), *routes = yaml_get(root, "routes");
    assert_string_equal(yaml_get(root, "name")->scalar, "rt");
    assert_int_equal(routes->kind, YAML_LIST);
    assert_string_equal(yaml_get(routes->child->next, "path")->scalar, "/b");
    assert_int_equal(yaml_get(routes->child->next, "path")->line, 5);
    assert_int_equal(yaml_get(routes->child->next, "path")->column, 11);
    assert_true(yaml_get(routes->child, "n")->is_quoted);
    assert_null(yaml_get(root, "none"));
    const char *const valid[] = {"name", "route", NULL};
    assert_int_equal(yaml_check_keys(root, valid, &why), E_CONF);
    assert_string_equal(text_str(&why), "f.yaml:2:1: unknown key 'routes'; did you mean 'route'?");
    text_fini(&why);
    yaml_close(y);
}

static void bad_files_say_where(void **state)
{
    (void)state;
    const struct {
        const char *content, *says;
    } rows[] = {{"a: [1, 2\nb: 3\n", "f.yaml:2:"}, {"a: 1\na: 2\n", "f.yaml:2:1: this key stands here twice"},
                {"a: &x 1\nb: *x\n", "f.yaml:2:4: aliases are not allowed here"}, {"", "f.yaml:1:1: the file is empty"},
                {"? [1]\n: 2\n", "f.yaml:1:3: expected a plain key"}, {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document"},
                {"a: \"\\xZZ\"\n", "f.yaml:1:"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct yaml *y;
        struct text why = {0};
        assert_int_equal(yaml_parse("f.yaml", span_text(rows[i].content), &y, &why), E_CONF);
        assert_true(span_starts(text_span(&why), span_text(rows[i].says)));
        text_fini(&why);
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    char deep[201];
    memset(deep, '[', 200);
    deep[200] = 0;
    struct yaml *y;
    struct text why = {0};
    assert_int_equal(yaml_parse("f.yaml", span_text(deep), &y, &why), E_CONF);
    assert_non_null(strstr(text_str(&why), "nested too deeply"));
    text_fini(&why);
}

static void missing_file(void **state)
{
    (void)state;
    struct yaml *y;
    struct text why = {0};
    assert_int_equal(yaml_load("/nonexistent/x.yaml", &y, &why), E_IO);
    assert_string_equal(text_str(&why), "/nonexistent/x.yaml: No such file or directory");
    text_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tree_remembers_places), cmocka_unit_test(bad_files_say_where),
                                       cmocka_unit_test(deep_nesting_is_refused), cmocka_unit_test(missing_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
