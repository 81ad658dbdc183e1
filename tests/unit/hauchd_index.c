/* SPDX-License-Identifier: BSD-2-Clause */
/* The index of domains against a plain list, by random operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dom0/hauchd/index.h"

enum { ENTRIES = 200, ROUNDS = 20000 };

static struct domain_index ix;
static struct index_entry  entries[ENTRIES];
static bool                in[ENTRIES];

static void test_names(void **state)
{
    static const char *const good[] = { "a", "web", "web-1", "A.b_c+d", "1a" };
    static const char *const bad[] = { "",    "1",   "007",     "-a",       ".hidden", "a b",
                                       "a/b", "a\n", "\x1b[2J", "\xc3\xa4", "a:b" };
    char                     longest[INDEX_NAME_MAX + 2];

    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(index_name_valid(good[i]));
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(index_name_valid(bad[i]));
    memset(longest, 'x', sizeof(longest));
    longest[INDEX_NAME_MAX + 1] = 0;
    assert_false(index_name_valid(longest));
    longest[INDEX_NAME_MAX] = 0;
    assert_true(index_name_valid(longest));
}

static int holder(const char *name, int id)
{
    for (int i = 0; i < ENTRIES; i++)
        if (in[i] && (name ? !strcmp(entries[i].name, name) : entries[i].id == id))
            return i;
    return -1;
}

static void check_all(void)
{
    unsigned n = 0;

    for (struct index_entry *e = ix.first; e; e = e->next, n++) {
        assert_true(in[e - entries]);
        assert_ptr_equal(index_by_name(&ix, e->name), e);
        if (e->id != INDEX_NO_ID)
            assert_ptr_equal(index_by_id(&ix, e->id), e);
        assert_ptr_equal(e->next ? e->next->prev : ix.last, e);
    }
    assert_int_equal(n, ix.count);
}

static void step(void)
{
    int  i = rand() % ENTRIES, id = rand() % 300 * 109, rc, other;
    char name[16];

    snprintf(name, sizeof(name), "n%d", rand() % 300);
    switch (rand() % 4) {
    case 0:
        other = holder(name, 0);
        rc = in[i] ? 0 : index_insert(&ix, &entries[i], name);
        if (!in[i])
            assert_int_equal(rc, other < 0 ? 0 : -EEXIST);
        in[i] |= rc == 0;
        break;
    case 1:
        if (in[i])
            index_remove(&ix, &entries[i]);
        in[i] = false;
        break;
    case 2:
        other = holder(name, 0);
        if (in[i])
            assert_int_equal(index_rename(&ix, &entries[i], name), other < 0 ? 0 : -EEXIST);
        break;
    case 3:
        other = holder(NULL, id);
        if (in[i])
            assert_int_equal(index_set_id(&ix, &entries[i], id), other < 0 || other == i ? 0 : -EEXIST);
        break;
    }
}

static void test_random(void **state)
{
    srand(1);
    for (int i = 0; i < ROUNDS; i++) {
        step();
        if (i % 16 == 0)
            check_all();
    }
    check_all();
    index_free(&ix);
}

static void test_find(void **state)
{
    struct index_entry e;
    uint16_t           id;

    memset(&ix, 0, sizeof(ix));
    assert_int_equal(index_insert(&ix, &e, "web"), 0);
    assert_int_equal(index_set_id(&ix, &e, 5), 0);
    assert_ptr_equal(index_find(&ix, "web", &id), &e);
    assert_ptr_equal(index_find(&ix, "5", &id), &e);
    assert_ptr_equal(index_find(&ix, "005", &id), &e);
    assert_null(index_find(&ix, "6", &id));
    assert_int_equal(id, 6);
    assert_null(index_find(&ix, "65541", &id));
    assert_int_equal(id, INDEX_NO_ID);
    assert_null(index_find(&ix, "", &id));
    assert_null(index_by_id(&ix, INDEX_NO_ID));
    assert_int_equal(index_set_id(&ix, &e, INDEX_IDS), -EINVAL);
    assert_int_equal(index_set_id(&ix, &e, INDEX_NO_ID), 0);
    assert_null(index_find(&ix, "5", &id));
    index_remove(&ix, &e);
    assert_null(index_find(&ix, "web", &id));
    index_free(&ix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
