/* SPDX-License-Identifier: BSD-2-Clause */
/* The store's parts by themselves: hash, paths, permissions, accounts, tree, watches, ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dom0/store/hash.h"
#include "dom0/store/path.h"
#include "dom0/store/perm.h"
#include "dom0/store/ring.h"
#include "dom0/store/tree.h"
#include "dom0/store/watch.h"

struct item {
    struct hash_link link;
    unsigned int number;
};

static unsigned int count_equal(const struct hash *h, uint32_t value) {
    unsigned int n = 0;
    for (struct hash_link *l = hash_first(h, value); l; l = hash_next(l))
        n++;
    return n;
}

/* Many entries, some of one value, in and out. */
static void hash_grows_and_shrinks(void **state) {
    static struct item items[1000];
    struct hash h;
    assert_int_equal(hash_init(&h), 0);
    for (unsigned int i = 0; i < 1000; i++)
        hash_insert(&h, &items[i].link, i / 3);
    assert_true(h.mask >= 511);
    for (unsigned int i = 0; i < 333; i++)
        assert_int_equal(count_equal(&h, i), 3);
    assert_int_equal(count_equal(&h, 5000), 0);
    for (unsigned int i = 0; i < 1000; i += 3)
        hash_remove(&h, &items[i].link);
    for (unsigned int i = 0; i < 333; i++)
        assert_int_equal(count_equal(&h, i), 2);
    unsigned int left = 0;
    for (struct hash_link *l; (l = hash_any(&h)); left++)
        hash_remove(&h, l);
    assert_int_equal(left, 666);
    hash_destroy(&h);
}

static void hash_of_a_prefix(void **state) {
    uint32_t piecewise = hash_step(hash_step(hash_start(), "/local", 6), "/domain", 7);
    assert_int_equal(hash_finish(piecewise), hash_bytes("/local/domain", 13));
    assert_int_not_equal(hash_bytes("/local", 6), hash_bytes("/domain", 7));
}

static void paths(void **state) {
    struct path p;
    assert_int_equal(path_parse(&p, "device/vif", 7), 0);
    assert_string_equal(p.text, "/local/domain/7/device/vif");
    assert_int_equal(p.len, strlen(p.text));
    assert_int_equal(p.len - path_home_len(7), strlen("device/vif"));
    assert_int_equal(path_parse(&p, "@releaseDomain", 7), 0);
    assert_string_equal(p.text, "@releaseDomain");
    assert_int_equal(path_parent_len(p.text, p.len), 0);
    assert_int_equal(path_parse(&p, "@a/b", 7), -EINVAL);
    assert_int_equal(path_parse(&p, "a//b", 7), -EINVAL);
    assert_int_equal(path_parse(&p, "a/", 7), -EINVAL);
    assert_int_equal(path_parent_len("/", 1), 0);
    assert_int_equal(path_parent_len("/a", 2), 1);
    assert_int_equal(path_parent_len("/a/bc", 5), 2);
    assert_string_equal(path_name("/a/bc", 5), "bc");
}

static void permission_texts(void **state) {
    static const char text[] = "n0\0r5\0w65\0b32751";
    struct perms *p;
    char out[64];
    assert_int_equal(perms_parse(&p, text, sizeof(text)), 0);
    assert_int_equal(p->count, 4);
    assert_int_equal(perms_format(p, out, sizeof(out)), sizeof(text));
    assert_memory_equal(out, text, sizeof(text));
    assert_int_equal(perms_format(p, out, sizeof(text) - 1), -E2BIG);
    struct perms *fewer = perms_without(p, 5), *other = perms_with_owner(p, 9);
    assert_int_equal(fewer->count, 3);
    assert_int_equal(perms_owner(other), 9);
    assert_int_equal(perms_owner(p), 0);
    assert_int_equal(perms_mentions(p, 65), 1);
    assert_int_equal(perms_mentions(p, 0), 0);
    perms_put(fewer);
    perms_put(other);
    perms_put(p);
    assert_int_equal(perm_parse_domid("32751"), 32751);
    assert_int_equal(perm_parse_domid("32752"), -EINVAL);
    assert_int_equal(perm_parse_domid("99999999999999999999"), -EINVAL);
    assert_int_equal(perm_parse_domid(""), -EINVAL);
    assert_int_equal(perm_parse_domid("1x"), -EINVAL);
}

static unsigned int allowed(const char *text, size_t len, uint16_t domid, int target) {
    struct perm_subject who = { domid, domid == 0, target };
    struct perms *p;
    assert_int_equal(perms_parse(&p, text, len), 0);
    unsigned int bits = perms_allowed(p, &who);
    perms_put(p);
    return bits;
}

static void permission_rules(void **state) {
    static const char text[] = "r3\0w4\0n5";
    size_t n = sizeof(text);
    assert_int_equal(allowed(text, n, 0, PERM_NO_TARGET), PERM_READ | PERM_WRITE | PERM_OWNER);
    assert_int_equal(allowed(text, n, 3, PERM_NO_TARGET), PERM_READ | PERM_WRITE | PERM_OWNER);
    assert_int_equal(allowed(text, n, 4, PERM_NO_TARGET), PERM_WRITE);
    assert_int_equal(allowed(text, n, 5, PERM_NO_TARGET), 0);
    assert_int_equal(allowed(text, n, 6, PERM_NO_TARGET), PERM_READ);
    assert_int_equal(allowed(text, n, 5, 3), PERM_READ | PERM_WRITE | PERM_OWNER);
    assert_int_equal(allowed(text, n, 6, 4), PERM_WRITE);
}

struct forest {
    struct quota quota;
    struct tree tree;
};

static int plant(void **state) {
    struct forest *f = calloc(1, sizeof(*f));
    assert_int_equal(quota_init(&f->quota), 0);
    assert_int_equal(tree_init(&f->tree, &f->quota), 0);
    *state = f;
    return 0;
}

static int fell(void **state) {
    struct forest *f = *state;
    tree_destroy(&f->tree);
    quota_destroy(&f->quota);
    free(f);
    return 0;
}

static void make(struct forest *f, const char *path, uint16_t owner) {
    struct perms *p = perms_one(owner, 0);
    struct blob *b = blob_new("value", 5);
    assert_int_equal(tree_create(&f->tree, path, strlen(path), b, p), 0);
    perms_put(p);
    blob_put(b);
}

static void tree_accounts(void **state) {
    struct forest *f = *state;
    make(f, "/a", 0);
    make(f, "/a/b", 7);
    make(f, "/a/b/c", 0);
    make(f, "/a/d", 7);
    assert_int_equal(quota_find(&f->quota, 7)->nodes, 2);
    struct node *d = tree_find(&f->tree, "/a/d", 4);
    uint64_t before = quota_find(&f->quota, 7)->memory;
    assert_int_equal(tree_set_value(&f->tree, d, "a longer value", 14), 0);
    assert_int_equal(quota_find(&f->quota, 7)->memory, before + 9);
    assert_int_equal(tree_check(&f->tree), 0);
    tree_remove(&f->tree, tree_find(&f->tree, "/a/b", 4));
    assert_null(tree_find(&f->tree, "/a/b/c", 6));
    assert_ptr_equal(tree_find(&f->tree, "/a", 2)->first, d);
    assert_int_equal(tree_check(&f->tree), 0);
    quota_find(&f->quota, 7)->memory++; /* the check does find a wrong account */
    assert_int_equal(tree_check(&f->tree), -EIO);
    quota_find(&f->quota, 7)->memory--;
}

static void tree_forgets_a_domain(void **state) {
    struct forest *f = *state;
    make(f, "/a", 7);
    make(f, "/a/x", 8);
    make(f, "/b", 8);
    make(f, "/b/x", 7);
    make(f, "/b/x/y", 8);
    make(f, "/b/z", 8);
    tree_forget_domain(&f->tree, 7);
    assert_null(tree_find(&f->tree, "/a", 2));
    assert_null(tree_find(&f->tree, "/b/x", 4));
    assert_non_null(tree_find(&f->tree, "/b/z", 4));
    assert_null(quota_find(&f->quota, 7));
    assert_int_equal(quota_find(&f->quota, 8)->nodes, 2);
    assert_int_equal(tree_check(&f->tree), 0);
}

static void blobs_are_shared(void **state) {
    struct blob *b = blob_new("one", 3), *held = blob_get(b);
    struct blob *next = blob_replace(b, "two", 3);
    assert_ptr_not_equal(next, held);
    assert_memory_equal(held->bytes, "one", 3);
    struct blob *same = blob_replace(next, "2", 1);
    assert_ptr_equal(same, next); /* nobody else holds it: in place */
    assert_int_equal(same->len, 1);
    blob_put(held);
    blob_put(same);
}

static void count_watch(void *arg, struct watch *w) {
    (*(unsigned int *)arg)++;
}

static unsigned int hits(struct watch_table *t, const char *path, bool exact) {
    unsigned int n = 0;
    watch_for_each(t, path, strlen(path), exact, count_watch, &n);
    return n;
}

static void watches_match_prefixes(void **state) {
    static const char *const on[] = { "/", "/a", "/a/b", "/ab", "@releaseDomain" };
    struct watch *w[5];
    struct watch_table t;
    struct path p;
    assert_int_equal(watch_table_init(&t), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(path_parse(&p, on[i], 0), 0);
        w[i] = watch_add(&t, NULL, &p, 0, "token");
        assert_ptr_equal(watch_find(&t, NULL, &p, "token"), w[i]);
        assert_null(watch_find(&t, NULL, &p, "other"));
    }
    assert_int_equal(hits(&t, "/", false), 1);
    assert_int_equal(hits(&t, "/a", false), 2);
    assert_int_equal(hits(&t, "/a/b", false), 3);
    assert_int_equal(hits(&t, "/a/b/c/d", false), 3);
    assert_int_equal(hits(&t, "/ab/c", false), 2);
    assert_int_equal(hits(&t, "/a/b", true), 1);
    assert_int_equal(hits(&t, "@releaseDomain", true), 1);
    assert_int_equal(hits(&t, "@introduceDomain", true), 0);
    for (int i = 0; i < 5; i++)
        watch_remove(&t, w[i]);
    watch_table_destroy(&t);
}

/* Every start index around the wrap of the ring and of the counter, every length. */
static void ring_wraps(void **state) {
    static struct xenstore_domain_interface r;
    char in[XENSTORE_RING_SIZE + 8], out[XENSTORE_RING_SIZE + 8];
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (char)(i * 7 + 1);
    for (uint32_t start = 0xfffffff0u; start != 16; start++) {
        r.rsp_prod = r.rsp_cons = r.req_prod = r.req_cons = start;
        assert_int_equal(ring_write(&r, start, in, sizeof(in)), XENSTORE_RING_SIZE);
        assert_int_equal(ring_write(&r, start + XENSTORE_RING_SIZE, in, 1), 0);
        assert_int_equal(r.rsp_prod, start); /* not published yet */
        memcpy(r.req, r.rsp, sizeof(r.req));
        ring_publish(&r, start, start + XENSTORE_RING_SIZE);
        r.req_prod = r.rsp_prod;
        assert_true(ring_fits(&r, start, r.rsp_prod));
        assert_false(ring_fits(&r, start - 1, r.rsp_prod));
        assert_false(ring_fits(&r, start, r.rsp_prod + 1));
        assert_int_equal(ring_read(&r, start, out, 5), 5);
        assert_int_equal(ring_read(&r, start + 5, out + 5, sizeof(out) - 5), XENSTORE_RING_SIZE - 5);
        assert_int_equal(ring_read(&r, r.req_prod, out, 1), 0);
        assert_memory_equal(in, out, XENSTORE_RING_SIZE);
    }
    r.req_prod = r.req_cons + XENSTORE_RING_SIZE + 1;
    assert_int_equal(ring_read(&r, r.req_cons, out, 1), -EIO);
    r.rsp_prod = r.rsp_cons - 1;
    assert_int_equal(ring_write(&r, r.rsp_prod, in, 1), -EIO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_grows_and_shrinks),
        cmocka_unit_test(hash_of_a_prefix),
        cmocka_unit_test(paths),
        cmocka_unit_test(permission_texts),
        cmocka_unit_test(permission_rules),
        cmocka_unit_test_setup_teardown(tree_accounts, plant, fell),
        cmocka_unit_test_setup_teardown(tree_forgets_a_domain, plant, fell),
        cmocka_unit_test(blobs_are_shared),
        cmocka_unit_test(watches_match_prefixes),
        cmocka_unit_test(ring_wraps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
