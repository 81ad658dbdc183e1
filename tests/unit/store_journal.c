/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal: torn and damaged ends, no room, growing and being written anew; and the store made from it
 * again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dom0/store/journal_file.h"
#include "dom0/store/save.h"
#include "tests/unit/store_harness.h"

#define BYTES(text) (text), sizeof(text)

/* ---- a journal in memory, on a medium of limited size ---- */

struct medium {
    struct journal journal;
    size_t limit; /* bytes, of old and new place together */
    char *old;
    size_t old_size;
    uint64_t now;
    unsigned int renewals;
    bool refuse_name;
};

static int grow(struct journal *j, size_t size) {
    struct medium *m = j->ctx;
    if (m->old_size + size > m->limit)
        return -ENOSPC;
    j->base = realloc(j->base, size);
    memset(j->base + j->size, 0, size - j->size);
    j->size = size;
    return 0;
}

static int renew(struct journal *j, size_t size) {
    struct medium *m = j->ctx;
    if (j->size + size > m->limit)
        return -ENOSPC;
    m->renewals++;
    m->old = j->base;
    m->old_size = j->size;
    j->base = calloc(1, size);
    j->size = size;
    return 0;
}

static int settle(struct journal *j, bool good) {
    struct medium *m = j->ctx;
    int rc = good && m->refuse_name ? -EACCES : 0;
    if (good && rc == 0) {
        free(m->old);
    } else {
        free(j->base);
        j->base = m->old;
        j->size = m->old_size;
    }
    m->old = NULL;
    m->old_size = 0;
    return rc;
}

static uint64_t now(void *ctx) {
    return ((struct medium *)ctx)->now;
}

static const struct journal_ops medium_ops = { grow, renew, settle, now };

/* ---- a store that is kept there ---- */

struct world {
    struct store store;
    struct medium medium;
    struct fake_client root;
};

static char last_line[1024];
static unsigned int lines;

static void keep_line(const char *line) {
    snprintf(last_line, sizeof(last_line), "%s", line);
    lines++;
}

static int setup(void **state) {
    struct world *w = calloc(1, sizeof(*w));
    assert_int_equal(store_init(&w->store, keep_line), 0);
    w->medium.journal.ops = &medium_ops;
    w->medium.journal.ctx = &w->medium;
    w->medium.limit = 8 << 20;
    lines = 0;
    store_keep(&w->store, &w->medium.journal, "/place");
    fake_open(&w->root, &w->store, 0);
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    store_keep(&w->store, NULL, NULL);
    fake_close(&w->root);
    store_destroy(&w->store);
    free(w->medium.journal.base);
    free(w);
    return 0;
}

static int put(struct world *w, const char *path, const char *value) {
    return fake_write(&w->root, 0, path, value);
}

/* A store made from the first `size` bytes. */
static int again(struct store *s, const char *base, size_t size, bool *incomplete) {
    assert_int_equal(store_init(s, NULL), 0);
    int rc = save_restore(s, base, size, incomplete);
    assert_int_equal(store_check(s), 0);
    return rc;
}

static void same_node(const struct node *a, const struct node *b) {
    assert_non_null(b);
    assert_int_equal(a->value->len, b->value->len);
    assert_memory_equal(a->value->bytes, b->value->bytes, a->value->len);
    assert_int_equal(a->perms->count, b->perms->count);
    assert_memory_equal(a->perms->entry, b->perms->entry, a->perms->count * sizeof(a->perms->entry[0]));
}

static void same_tree(const struct store *a, const struct store *b) {
    assert_int_equal(a->tree.nodes.count, b->tree.nodes.count);
    const struct node *n = a->tree.root, *m = b->tree.root;
    for (; n && m; n = tree_next(a->tree.root, n), m = tree_next(b->tree.root, m)) {
        assert_string_equal(n->path, m->path); /* children in the same order as well */
        same_node(n, m);
    }
    assert_true(!n && !m);
}

static void all_changes_come_back(void **state) {
    struct world *w = *state;
    struct store s;
    bool incomplete;
    assert_int_equal(put(w, "/a/b/c", "1"), 0);
    assert_int_equal(put(w, "/a/b/d", "2"), 0);
    assert_int_equal(put(w, "/a/b/c", ""), 0);
    assert_int_equal(fake_call(&w->root, XS_SET_PERMS, 0, BYTES("/a/b\0n3\0r4\0b5")), 0);
    assert_int_equal(fake_call(&w->root, XS_SET_PERMS, 0, BYTES("@releaseDomain\0n0\0r4")), 0);
    assert_int_equal(fake_text(&w->root, XS_RM, 0, "/a/b/d"), 0);
    assert_int_equal(fake_call(&w->root, XS_CONTROL, 0, BYTES("quota\0set\0nodes\0007")), 0);
    uint32_t tx = fake_start(&w->root);
    assert_int_equal(fake_write(&w->root, tx, "/t/u", "3"), 0);
    assert_int_equal(fake_text(&w->root, XS_RM, tx, "/a/b/c"), 0);
    assert_int_equal(fake_end(&w->root, tx, true), 0);
    tx = fake_start(&w->root);
    assert_int_equal(fake_write(&w->root, tx, "/never", "3"), 0);
    assert_int_equal(again(&s, w->medium.journal.base, w->medium.journal.size, &incomplete), 0);
    assert_false(incomplete);
    same_tree(&w->store, &s);
    same_node(tree_find(&w->store.tree, "@releaseDomain", 14), tree_find(&s.tree, "@releaseDomain", 14));
    assert_int_equal(s.quota.guest.nodes, 7);
    assert_true(s.tree.generation > w->store.tree.generation + (1ull << 30));
    store_destroy(&s);
}

/* A write that a kill cut short: each cut leaves whole groups, as many as there were. */
static void torn_anywhere(void **state) {
    struct world *w = *state;
    struct store s;
    bool incomplete;
    size_t size = w->medium.journal.tail;
    char *copy = NULL;
    uint32_t count = w->store.tree.nodes.count, before = count;
    for (int i = 0; i < 3; i++)
        assert_int_equal(put(w, (const char *[]){ "/x", "/y", "/z" }[i], "value"), 0);
    for (size_t cut = size; cut <= w->medium.journal.tail; cut++) {
        free(copy);
        copy = calloc(1, w->medium.journal.tail + 64);
        memcpy(copy, w->medium.journal.base, cut);
        for (size_t at = size; at < w->medium.journal.tail;) { /* the length of a group is written last */
            struct journal_group g;
            memcpy(&g, w->medium.journal.base + at, sizeof(g));
            if (at + sizeof(g) + g.len > cut)
                memset(copy + at, 0, sizeof(g.len));
            at += sizeof(g) + g.len;
        }
        assert_int_equal(again(&s, copy, w->medium.journal.tail + 64, &incomplete), 0);
        assert_false(incomplete);
        assert_true(s.tree.nodes.count >= before && s.tree.nodes.count <= count + 3);
        before = s.tree.nodes.count;
        store_destroy(&s);
    }
    assert_int_equal(before, count + 3);
    free(copy);
}

/* Any byte of a group changed: it and what follows is left out, and that is told. */
static void damage_is_seen(void **state) {
    struct world *w = *state;
    struct store s;
    bool incomplete;
    size_t from = w->medium.journal.tail;
    assert_int_equal(put(w, "/x", "value"), 0);
    for (size_t at = from + 4; at < w->medium.journal.tail; at++) {
        w->medium.journal.base[at] ^= 0x10;
        assert_int_equal(again(&s, w->medium.journal.base, w->medium.journal.size, &incomplete), -EBADMSG);
        assert_true(incomplete);
        assert_null(tree_find(&s.tree, "/x", 2));
        w->medium.journal.base[at] ^= 0x10;
        store_destroy(&s);
    }
    w->medium.journal.base[0] ^= 1;
    assert_int_equal(again(&s, w->medium.journal.base, w->medium.journal.size, &incomplete), -EINVAL);
    w->medium.journal.base[0] ^= 1;
    store_destroy(&s);
    assert_int_equal(again(&s, "short", 5, &incomplete), -EINVAL);
    store_destroy(&s);
}

static void fill(struct world *w, unsigned int writes) {
    char value[2000];
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (unsigned int i = 0; i < writes; i++)
        assert_int_equal(put(w, "/filler", value), 0);
}

static void written_anew_when_outgrown(void **state) {
    struct world *w = *state;
    struct store s;
    bool incomplete;
    assert_int_equal(put(w, "/kept", "1"), 0);
    fill(w, 1000);
    assert_true(w->medium.renewals > 3);
    assert_true(w->medium.journal.size < 512 << 10);
    assert_int_equal(lines, 0);
    assert_int_equal(again(&s, w->medium.journal.base, w->medium.journal.size, &incomplete), 0);
    same_tree(&w->store, &s);
    store_destroy(&s);
}

/* No room: said once with place, reason, consequence and remedy; the store serves on; what is kept is whole
 * and marked; when there is room again all is kept. */
static void no_room(void **state) {
    struct world *w = *state;
    struct store s;
    bool incomplete;
    w->medium.limit = 96 << 10;
    assert_int_equal(put(w, "/before", "1"), 0);
    fill(w, 100);
    assert_int_equal(lines, 1);
    assert_non_null(strstr(last_line,
        "the store can no more be kept in /place: No space left on device. It serves on, but a restart "
        "would lose what changes from here on; make room there (it is tried again each second)"));
    assert_non_null(strstr(last_line, "No space left on device"));
    assert_non_null(strstr(last_line, "a restart would lose"));
    assert_non_null(strstr(last_line, "make room"));
    assert_int_equal(put(w, "/after", "1"), 0);
    assert_int_equal(fake_expect(&w->root, 0, "/after", "1"), 0);
    assert_int_equal(again(&s, w->medium.journal.base, w->medium.journal.size, &incomplete), 0);
    assert_true(incomplete);
    assert_true(s.distrust);
    assert_non_null(tree_find(&s.tree, "/before", 7));
    assert_null(tree_find(&s.tree, "/after", 6));
    store_destroy(&s);

    w->medium.limit = 8 << 20;
    assert_int_equal(put(w, "/soon", "1"), 0);
    assert_int_equal(lines, 1); /* not tried again before its time */
    w->medium.now += 1000;
    assert_int_equal(put(w, "/later", "1"), 0);
    assert_int_equal(lines, 2);
    assert_non_null(strstr(last_line, "the store is kept in /place again: a restart loses nothing"));
    assert_int_equal(again(&s, w->medium.journal.base, w->medium.journal.size, &incomplete), 0);
    assert_false(incomplete);
    same_tree(&w->store, &s);
    store_destroy(&s);
}

/* When only the new place cannot be had, the old one goes on growing. */
static void not_written_anew(void **state) {
    struct world *w = *state;
    struct store s;
    bool incomplete;
    w->medium.refuse_name = true;
    fill(w, 300);
    assert_int_equal(lines, 0);
    assert_true(w->medium.journal.size > 512 << 10);
    assert_int_equal(again(&s, w->medium.journal.base, w->medium.journal.size, &incomplete), 0);
    assert_false(incomplete);
    same_tree(&w->store, &s);
    store_destroy(&s);
}

static void in_a_folder(void **state) {
    struct journal_file a, b;
    char folder[] = "/tmp/store-journal-XXXXXX", place[64], name[96];
    const char *base;
    size_t size;
    assert_non_null(mkdtemp(folder));
    snprintf(place, sizeof(place), "%s/x/y", folder);
    assert_int_equal(journal_file_open(&a, place, (uid_t)-1, (gid_t)-1), 0);
    assert_int_equal(journal_file_open(&b, place, (uid_t)-1, (gid_t)-1), -EBUSY);
    journal_file_close(&b);
    assert_int_equal(journal_file_map_last(&a, &base, &size), 0);
    assert_null(base);
    assert_int_equal(journal_start(&a.journal), 0);
    assert_int_equal(journal_finish(&a.journal), 0);
    for (int i = 0; i < 5000; i++) {
        journal_put(&a.journal, 1, 2, &(struct journal_piece){ "some bytes of an entry", 22 }, 1);
        journal_commit(&a.journal);
    }
    assert_false(a.journal.failed);
    journal_file_close(&a);
    assert_int_equal(access(place, F_OK), 0);
    snprintf(name, sizeof(name), "rm -r %s", folder);
    assert_int_equal(system(name), 0);
    assert_int_equal(journal_file_open(&a, "/proc/nothing/there", (uid_t)-1, (gid_t)-1), -ENOENT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(all_changes_come_back), T(torn_anywhere),    T(damage_is_seen), T(written_anew_when_outgrown),
        T(no_room),               T(not_written_anew), cmocka_unit_test(in_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
