/* SPDX-License-Identifier: BSD-2-Clause */
/* Every request of the store's protocol, its successes and refusals, as clients see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store_harness.h"

/* A text with NULs inside and one at its end. */
#define BYTES(text) (text), sizeof(text)

struct world {
    struct store store;
    struct fake_client root, a, b; /* a socket, domains 3 and 4 */
};

static int setup(void **state) {
    struct world *w = calloc(1, sizeof(*w));
    assert_int_equal(store_init(&w->store, NULL), 0);
    fake_open(&w->root, &w->store, 0);
    fake_open(&w->a, &w->store, 3);
    fake_open(&w->b, &w->store, 4);
    *state = w;
    assert_int_equal(fake_text(&w->root, XS_MKDIR, 0, "/local/domain/3"), 0);
    assert_int_equal(fake_two(&w->root, XS_SET_PERMS, 0, "/local/domain/3", "n3"), 0);
    assert_int_equal(fake_text(&w->root, XS_MKDIR, 0, "/local/domain/4"), 0);
    assert_int_equal(fake_two(&w->root, XS_SET_PERMS, 0, "/local/domain/4", "n4"), 0);
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    assert_int_equal(store_check(&w->store), 0);
    fake_close(&w->root);
    fake_close(&w->a);
    fake_close(&w->b);
    assert_int_equal(w->store.events.count, 0);
    assert_int_equal(w->store.watches.by_path.count, 0);
    store_destroy(&w->store);
    free(w);
    return 0;
}

static void write_and_read(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_write(&w->root, 0, "/x/y/z", "hello"), 0);
    assert_string_equal(w->root.reply.payload, "OK");
    assert_int_equal(fake_expect(&w->root, 0, "/x/y/z", "hello"), 0);
    assert_int_equal(fake_expect(&w->root, 0, "/x/y", ""), 0);
    assert_int_equal(fake_write(&w->root, 0, "/x/y/z", ""), 0);
    assert_int_equal(fake_expect(&w->root, 0, "/x/y/z", ""), 0);
    assert_int_equal(fake_call(&w->root, XS_WRITE, 0, "/x/bin\0a\0b", 10), 0);
    assert_int_equal(fake_text(&w->root, XS_READ, 0, "/x/bin"), 0);
    assert_int_equal(w->root.reply.header.len, 3);
    assert_memory_equal(w->root.reply.payload, "a\0b", 3);
    assert_int_equal(fake_text(&w->root, XS_READ, 0, "/none"), -ENOENT);
}

static void malformed_paths(void **state) {
    struct world *w = *state;
    static const char *const bad[] = { "",     "x ", "//", "/x/", "/x//y", "/x y", "/x.y", "@introduceDomain",
                                       "/\x80" };
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(fake_text(&w->root, XS_READ, 0, bad[i]), -EINVAL);
        assert_int_equal(fake_write(&w->root, 0, bad[i], "v"), -EINVAL);
        assert_int_equal(fake_text(&w->root, XS_MKDIR, 0, bad[i]), -EINVAL);
        assert_int_equal(fake_text(&w->root, XS_RM, 0, bad[i]), -EINVAL);
        assert_int_equal(fake_text(&w->root, XS_DIRECTORY, 0, bad[i]), -EINVAL);
    }
    assert_int_equal(fake_call(&w->root, XS_READ, 0, "/local", 6), -EINVAL); /* not ended */
    assert_int_equal(fake_call(&w->root, XS_READ, 0, BYTES("/local\0/x")), -EINVAL);
    assert_int_equal(fake_call(&w->root, XS_WRITE, 0, "/local", 6), -EINVAL);
    assert_int_equal(fake_call(&w->root, XS_READ, 0, NULL, 0), -EINVAL);
}

static void path_lengths(void **state) {
    struct world *w = *state;
    char path[XENSTORE_ABS_PATH_MAX + 2];
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[XENSTORE_ABS_PATH_MAX] = '\0';
    assert_int_equal(fake_write(&w->root, 0, path, "v"), 0);
    path[XENSTORE_ABS_PATH_MAX] = 'a';
    path[XENSTORE_ABS_PATH_MAX + 1] = '\0';
    assert_int_equal(fake_write(&w->root, 0, path, "v"), -EINVAL);
    memset(path, 'a', XENSTORE_REL_PATH_MAX + 1);
    path[XENSTORE_REL_PATH_MAX + 1] = '\0';
    assert_int_equal(fake_write(&w->a, 0, path, "v"), -EINVAL);
    path[XENSTORE_REL_PATH_MAX] = '\0';
    assert_int_equal(fake_write(&w->a, 0, path, "v"), 0);
}

static void relative_paths(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_write(&w->a, 0, "data/x", "1"), 0);
    assert_int_equal(fake_expect(&w->root, 0, "/local/domain/3/data/x", "1"), 0);
    assert_int_equal(fake_expect(&w->a, 0, "data/x", "1"), 0);
    assert_int_equal(fake_write(&w->root, 0, "domid", "0"), 0); /* sockets are at home in domain 0 */
    assert_int_equal(fake_expect(&w->root, 0, "/local/domain/0/domid", "0"), 0);
}

static void mkdir_keeps_values(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_write(&w->root, 0, "/m", "v"), 0);
    assert_int_equal(fake_text(&w->root, XS_MKDIR, 0, "/m"), 0);
    assert_int_equal(fake_text(&w->root, XS_MKDIR, 0, "/m/n/o"), 0);
    assert_int_equal(fake_expect(&w->root, 0, "/m", "v"), 0);
    assert_int_equal(fake_expect(&w->root, 0, "/m/n", ""), 0);
}

static void rm_rules(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_write(&w->root, 0, "/r/s/t", "v"), 0);
    assert_int_equal(fake_text(&w->root, XS_RM, 0, "/"), -EINVAL);
    assert_int_equal(fake_text(&w->root, XS_RM, 0, "/r/none"), 0);
    assert_int_equal(fake_text(&w->root, XS_RM, 0, "/r/none/below"), -ENOENT);
    assert_int_equal(fake_text(&w->root, XS_RM, 0, "/r"), 0);
    assert_int_equal(fake_text(&w->root, XS_READ, 0, "/r/s/t"), -ENOENT);
}

static void directory(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_write(&w->root, 0, "/d/one", ""), 0);
    assert_int_equal(fake_write(&w->root, 0, "/d/two/x", ""), 0);
    assert_int_equal(fake_text(&w->root, XS_DIRECTORY, 0, "/d"), 0);
    assert_int_equal(w->root.reply.header.len, 8);
    assert_memory_equal(w->root.reply.payload, "one\0two", sizeof("one\0two"));
    assert_int_equal(fake_text(&w->root, XS_DIRECTORY, 0, "/d/one"), 0);
    assert_int_equal(w->root.reply.header.len, 0);
    assert_int_equal(fake_text(&w->root, XS_DIRECTORY, 0, "/"), 0);
    assert_null(memchr(w->root.reply.payload, '@', w->root.reply.header.len));
}

static void long_directory(void **state) {
    struct world *w = *state;
    char path[64], number[16], all[16384] = "";
    size_t have = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof(path), "/big/node-%d", i);
        assert_int_equal(fake_write(&w->root, 0, path, ""), 0);
    }
    assert_int_equal(fake_text(&w->root, XS_DIRECTORY, 0, "/big"), -E2BIG);
    do {
        snprintf(number, sizeof(number), "%zu", have);
        assert_int_equal(fake_two(&w->root, XS_DIRECTORY_PART, 0, "/big", number), 0);
        size_t head = strlen(w->root.reply.payload) + 1;
        memcpy(all + have, w->root.reply.payload + head, w->root.reply.header.len - head);
        have += w->root.reply.header.len - head;
        assert_true(have < sizeof(all));
    } while (all[have - 1] || all[have - 2]);
    char *at = all;
    for (int i = 0; i < 1000; i++, at += strlen(at) + 1) {
        snprintf(path, sizeof(path), "node-%d", i);
        assert_string_equal(at, path);
    }
    assert_int_equal(at - all, have - 1);
}

static void directory_part_generation(void **state) {
    struct world *w = *state;
    char before[32];
    assert_int_equal(fake_write(&w->root, 0, "/g/a", ""), 0);
    assert_int_equal(fake_two(&w->root, XS_DIRECTORY_PART, 0, "/g", "0"), 0);
    strcpy(before, w->root.reply.payload);
    assert_int_equal(fake_two(&w->root, XS_DIRECTORY_PART, 0, "/g", "0"), 0);
    assert_string_equal(w->root.reply.payload, before);
    assert_int_equal(fake_write(&w->root, 0, "/g/b", ""), 0);
    assert_int_equal(fake_two(&w->root, XS_DIRECTORY_PART, 0, "/g", "0"), 0);
    assert_string_not_equal(w->root.reply.payload, before);
    assert_int_equal(fake_two(&w->root, XS_DIRECTORY_PART, 0, "/g", "x"), -EINVAL);
}

static void permissions(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_write(&w->a, 0, "own", "1"), 0);
    assert_int_equal(fake_text(&w->a, XS_GET_PERMS, 0, "own"), 0);
    assert_string_equal(w->a.reply.payload, "n3");
    assert_int_equal(fake_text(&w->b, XS_READ, 0, "/local/domain/3/own"), -EACCES);
    assert_int_equal(fake_text(&w->b, XS_READ, 0, "/local/domain/3/none"), -EACCES);
    assert_int_equal(fake_write(&w->b, 0, "/local/domain/3/own", "2"), -EACCES);
    assert_int_equal(fake_text(&w->b, XS_RM, 0, "/local/domain/3/own"), -EACCES);
    assert_int_equal(fake_call(&w->a, XS_SET_PERMS, 0, BYTES("own\0n3\0r4")), 0);
    assert_int_equal(fake_expect(&w->b, 0, "/local/domain/3/own", "1"), 0);
    assert_int_equal(fake_write(&w->b, 0, "/local/domain/3/own", "2"), -EACCES);
    assert_int_equal(fake_call(&w->a, XS_SET_PERMS, 0, BYTES("own\0n3\0w4")), 0);
    assert_int_equal(fake_write(&w->b, 0, "/local/domain/3/own", "2"), 0);
    assert_int_equal(fake_text(&w->b, XS_READ, 0, "/local/domain/3/own"), -EACCES);
    assert_int_equal(fake_call(&w->b, XS_SET_PERMS, 0, BYTES("/local/domain/3/own\0n3\0b4")), -EACCES);
    assert_int_equal(fake_two(&w->a, XS_SET_PERMS, 0, "own", "n4"), -EPERM);
    assert_int_equal(fake_two(&w->root, XS_SET_PERMS, 0, "/local/domain/3/own", "r4"), 0);
    assert_int_equal(fake_expect(&w->a, 0, "own", "2"), 0);
}

static void bad_permissions(void **state) {
    struct world *w = *state;
    static const char *const bad[] = { "", "x3", "r", "r-1", "r32752", "r99999999999", "3", "rr3" };
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(fake_two(&w->root, XS_SET_PERMS, 0, "/local", bad[i]), -EINVAL);
    assert_int_equal(fake_call(&w->root, XS_SET_PERMS, 0, "/local\0n3", 9), -EINVAL);
    assert_int_equal(fake_text(&w->root, XS_SET_PERMS, 0, "/local"), -EINVAL);
    assert_int_equal(fake_text(&w->root, XS_GET_PERMS, 0, "/local"), 0);
    assert_string_equal(w->root.reply.payload, "n0");
}

static void creator_owns_and_inherits(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_call(&w->root, XS_SET_PERMS, 0, BYTES("/local/domain/3\0n3\0b4")), 0);
    assert_int_equal(fake_write(&w->b, 0, "/local/domain/3/p/q", "x"), 0);
    assert_int_equal(fake_text(&w->root, XS_GET_PERMS, 0, "/local/domain/3/p"), 0);
    assert_memory_equal(w->root.reply.payload, "n4\0b4", sizeof("n4\0b4"));
    assert_int_equal(fake_write(&w->root, 0, "/local/domain/3/r", "x"), 0);
    assert_int_equal(fake_text(&w->root, XS_GET_PERMS, 0, "/local/domain/3/r"), 0);
    assert_memory_equal(w->root.reply.payload, "n3\0b4", sizeof("n3\0b4"));
}

static void set_target_gives_rights(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_write(&w->b, 0, "/local/domain/3/t", "x"), -EACCES);
    w->b.conn.who.target = 3;
    assert_int_equal(fake_write(&w->b, 0, "/local/domain/3/t", "x"), 0);
}

static void watches_fire(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_two(&w->root, XS_WATCH, 0, "/w", "tok"), 0);
    assert_true(fake_take(&w->root, "/w", "tok")); /* once when set */
    assert_int_equal(fake_two(&w->root, XS_WATCH, 0, "/w", "tok"), -EEXIST);
    assert_int_equal(fake_write(&w->root, 0, "/w/x", "1"), 0);
    assert_true(fake_take(&w->root, "/w/x", "tok"));
    assert_int_equal(fake_write(&w->root, 0, "/wx", "1"), 0);
    assert_int_equal(fake_two(&w->root, XS_SET_PERMS, 0, "/w/x", "n0"), 0);
    assert_true(fake_take(&w->root, "/w/x", "tok"));
    assert_int_equal(fake_text(&w->root, XS_MKDIR, 0, "/w/x"), 0); /* changes nothing */
    assert_int_equal(fake_text(&w->root, XS_RM, 0, "/w/x"), 0);
    assert_true(fake_take(&w->root, "/w/x", "tok"));
    assert_int_equal(fake_events(&w->root), 0);
    assert_int_equal(fake_two(&w->root, XS_UNWATCH, 0, "/w", "other"), -ENOENT);
    assert_int_equal(fake_two(&w->root, XS_UNWATCH, 0, "/w", "tok"), 0);
    assert_int_equal(fake_write(&w->root, 0, "/w/x", "1"), 0);
    assert_int_equal(fake_events(&w->root), 0);
}

static void watch_below_removal(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_write(&w->root, 0, "/w/x/y", "1"), 0);
    assert_int_equal(fake_two(&w->root, XS_WATCH, 0, "/w/x/y", "deep"), 0);
    assert_int_equal(fake_two(&w->root, XS_WATCH, 0, "/", "all"), 0);
    fake_forget_events(&w->root);
    assert_int_equal(fake_text(&w->root, XS_RM, 0, "/w"), 0);
    assert_true(fake_take(&w->root, "/w/x/y", "deep"));
    assert_true(fake_take(&w->root, "/w", "all"));
    assert_int_equal(fake_events(&w->root), 0);
}

static void relative_watch(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_two(&w->a, XS_WATCH, 0, "control", "c"), 0);
    assert_true(fake_take(&w->a, "control", "c"));
    assert_int_equal(fake_write(&w->root, 0, "/local/domain/3/control/shutdown", "halt"), 0);
    assert_true(fake_take(&w->a, "control/shutdown", "c"));
    assert_int_equal(fake_two(&w->a, XS_UNWATCH, 0, "/local/domain/3/control", "c"), 0);
}

static void watch_hides_the_unreadable(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_two(&w->b, XS_WATCH, 0, "/local/domain/3", "spy"), 0);
    assert_int_equal(fake_two(&w->b, XS_WATCH, 0, "@releaseDomain", "spy"), 0);
    fake_forget_events(&w->b);
    assert_int_equal(fake_write(&w->a, 0, "secret", "1"), 0);
    assert_int_equal(fake_text(&w->a, XS_RM, 0, "secret"), 0);
    store_fire_special(&w->store, "@releaseDomain");
    assert_int_equal(fake_events(&w->b), 0);
    assert_int_equal(fake_write(&w->a, 0, "open", "1"), 0);
    assert_int_equal(fake_call(&w->a, XS_SET_PERMS, 0, BYTES("open\0n3\0r4")), 0);
    assert_true(fake_take(&w->b, "/local/domain/3/open", "spy"));
    assert_int_equal(fake_two(&w->a, XS_SET_PERMS, 0, "open", "n3"), 0); /* it could be read before */
    assert_true(fake_take(&w->b, "/local/domain/3/open", "spy"));
    assert_int_equal(fake_call(&w->root, XS_SET_PERMS, 0, BYTES("@releaseDomain\0n0\0r4")), 0);
    fake_forget_events(&w->b);
    store_fire_special(&w->store, "@releaseDomain");
    assert_true(fake_take(&w->b, "@releaseDomain", "spy"));
}

static void transaction_commits(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_two(&w->root, XS_WATCH, 0, "/t", "w"), 0);
    fake_forget_events(&w->root);
    uint32_t tx = fake_start(&w->root);
    assert_int_not_equal(tx, 0);
    assert_int_equal(fake_write(&w->root, tx, "/t/a", "1"), 0);
    assert_int_equal(fake_write(&w->root, tx, "/t/b", "2"), 0);
    assert_int_equal(fake_text(&w->root, XS_RM, tx, "/t/a"), 0);
    assert_int_equal(fake_expect(&w->root, tx, "/t/b", "2"), 0);
    assert_int_equal(fake_text(&w->root, XS_READ, tx, "/t/a"), -ENOENT);
    assert_int_equal(fake_text(&w->root, XS_READ, 0, "/t/b"), -ENOENT);
    assert_int_equal(fake_text(&w->root, XS_DIRECTORY, tx, "/t"), 0);
    assert_memory_equal(w->root.reply.payload, "b", 2);
    assert_int_equal(fake_events(&w->root), 0);
    assert_int_equal(fake_end(&w->root, tx, true), 0);
    assert_int_equal(fake_expect(&w->root, 0, "/t/b", "2"), 0);
    assert_int_equal(fake_text(&w->root, XS_READ, 0, "/t/a"), -ENOENT);
    assert_true(fake_take(&w->root, "/t/b", "w"));
    assert_int_equal(fake_end(&w->root, tx, true), -ENOENT);
}

static void transaction_dropped(void **state) {
    struct world *w = *state;
    uint32_t tx = fake_start(&w->root);
    assert_int_equal(fake_write(&w->root, tx, "/t/a", "1"), 0);
    assert_int_equal(fake_end(&w->root, tx, false), 0);
    assert_int_equal(fake_text(&w->root, XS_READ, 0, "/t"), -ENOENT);
    assert_int_equal(fake_text(&w->root, XS_READ, 99, "/t"), -ENOENT);
    assert_int_equal(fake_text(&w->root, XS_TRANSACTION_END, 0, "T"), -ENOENT);
    tx = fake_start(&w->root);
    assert_int_equal(fake_text(&w->root, XS_TRANSACTION_START, tx, ""), -EBUSY);
    assert_int_equal(fake_text(&w->root, XS_TRANSACTION_END, tx, "X"), -EINVAL);
    assert_int_equal(fake_text(&w->a, XS_READ, tx, "x"), -ENOENT); /* ids belong to a connection */
}

static void transaction_conflicts(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_write(&w->root, 0, "/c/x", "0"), 0);
    uint32_t tx = fake_start(&w->root);
    assert_int_equal(fake_expect(&w->root, tx, "/c/x", "0"), 0);
    assert_int_equal(fake_write(&w->root, 0, "/c/x", "1"), 0);
    assert_int_equal(fake_expect(&w->root, tx, "/c/x", "0"), 0); /* what was read reads the same */
    assert_int_equal(fake_write(&w->root, tx, "/c/y", "1"), 0);
    assert_int_equal(fake_end(&w->root, tx, true), -EAGAIN);
    assert_int_equal(fake_text(&w->root, XS_READ, 0, "/c/y"), -ENOENT);

    tx = fake_start(&w->root); /* seen to be absent, then made by another */
    assert_int_equal(fake_text(&w->root, XS_READ, tx, "/c/z"), -ENOENT);
    assert_int_equal(fake_write(&w->root, 0, "/c/z", "1"), 0);
    assert_int_equal(fake_end(&w->root, tx, true), -EAGAIN);

    tx = fake_start(&w->root); /* listed, then another child added */
    assert_int_equal(fake_text(&w->root, XS_DIRECTORY, tx, "/c"), 0);
    assert_int_equal(fake_write(&w->root, 0, "/c/zz", "1"), 0);
    assert_int_equal(fake_end(&w->root, tx, true), -EAGAIN);
}

static void no_false_conflicts(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_write(&w->root, 0, "/f/v", "0"), 0);
    uint32_t one = fake_start(&w->root), two = fake_start(&w->root);
    assert_int_equal(fake_write(&w->root, one, "/f/one", "1"), 0);
    assert_int_equal(fake_write(&w->root, two, "/f/two", "2"), 0);
    assert_int_equal(fake_write(&w->root, 0, "/f/three", "3"), 0);
    assert_int_equal(fake_write(&w->root, 0, "/f", "value of the parent"), 0);
    assert_int_equal(fake_end(&w->root, one, true), 0);
    assert_int_equal(fake_end(&w->root, two, true), 0);
    assert_int_equal(fake_expect(&w->root, 0, "/f/one", "1"), 0);
    assert_int_equal(fake_expect(&w->root, 0, "/f/two", "2"), 0);
}

/* Found by the model: value and permissions are each within the limit for what the other was at the time. */
static void size_limit_holds_across_a_commit(void **state) {
    struct world *w = *state;
    w->store.quota.guest.node_size = 16;
    assert_int_equal(fake_write(&w->a, 0, "s", "v"), 0);
    uint32_t tx = fake_start(&w->a);
    assert_int_equal(fake_call(&w->a, XS_SET_PERMS, tx, BYTES("s\0n3\0r4")), 0);
    assert_int_equal(fake_write(&w->a, 0, "s", "0123456789ab"), 0);
    assert_int_equal(fake_end(&w->a, tx, true), -EAGAIN);
}

/* Found by the model: absent, made by another, seen, gone again, and none the wiser at the commit. */
static void what_came_and_went_is_not_seen(void **state) {
    struct world *w = *state;
    uint32_t tx = fake_start(&w->root);
    assert_int_equal(fake_write(&w->root, tx, "/z/b", "1"), 0);
    assert_int_equal(fake_write(&w->root, 0, "/z/a", "1"), 0);
    assert_int_equal(fake_text(&w->root, XS_DIRECTORY, tx, "/z"), 0);
    assert_int_equal(w->root.reply.header.len, 2);
    assert_string_equal(w->root.reply.payload, "b");
    assert_int_equal(fake_text(&w->root, XS_RM, 0, "/z"), 0);
    assert_int_equal(fake_end(&w->root, tx, true), 0);
}

static void removal_in_transaction(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_write(&w->root, 0, "/r/a/b", "1"), 0);
    assert_int_equal(fake_two(&w->root, XS_WATCH, 0, "/r/a/b", "w"), 0);
    fake_forget_events(&w->root);
    uint32_t tx = fake_start(&w->root);
    assert_int_equal(fake_text(&w->root, XS_RM, tx, "/r/a"), 0);
    assert_int_equal(fake_write(&w->root, tx, "/r/a/c", "2"), 0);
    assert_int_equal(fake_text(&w->root, XS_DIRECTORY, tx, "/r/a"), 0);
    assert_memory_equal(w->root.reply.payload, "c", 2);
    assert_int_equal(fake_end(&w->root, tx, true), 0);
    assert_int_equal(fake_text(&w->root, XS_READ, 0, "/r/a/b"), -ENOENT);
    assert_int_equal(fake_expect(&w->root, 0, "/r/a/c", "2"), 0);
    assert_true(fake_take(&w->root, "/r/a/b", "w"));
}

static void reset_watches(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_two(&w->a, XS_WATCH, 0, "x", "t"), 0);
    uint32_t tx = fake_start(&w->a);
    fake_forget_events(&w->a);
    assert_int_equal(fake_text(&w->a, XS_RESET_WATCHES, 0, ""), 0);
    assert_int_equal(fake_end(&w->a, tx, true), -ENOENT);
    assert_int_equal(fake_write(&w->a, 0, "x", "1"), 0);
    assert_int_equal(fake_events(&w->a), 0);
}

static void quotas_bind_guests(void **state) {
    struct world *w = *state;
    char path[32], value[64];
    w->store.quota.guest = (struct quota_limits){ .nodes = 5,
                                                  .node_size = 32,
                                                  .permissions = 2,
                                                  .path_max = 100,
                                                  .watches = 2,
                                                  .transactions = 1,
                                                  .transaction_nodes = 4,
                                                  .outstanding = 20,
                                                  .memory = 1 << 20 };
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "n%d", i);
        assert_int_equal(fake_write(&w->a, 0, path, "v"), 0);
    }
    assert_int_equal(fake_write(&w->a, 0, "n4", "v"), -ENOSPC); /* its home is the fifth */
    assert_int_equal(fake_text(&w->a, XS_RM, 0, "n0"), 0);
    assert_int_equal(fake_write(&w->a, 0, "p/q", "v"), -ENOSPC); /* all or nothing */
    assert_int_equal(fake_text(&w->a, XS_READ, 0, "p"), -ENOENT);
    assert_int_equal(fake_write(&w->a, 0, "n4", "v"), 0);
    memset(value, 'v', 40);
    value[40] = '\0';
    assert_int_equal(fake_write(&w->a, 0, "n1", value), -ENOSPC);
    assert_int_equal(fake_call(&w->a, XS_SET_PERMS, 0, BYTES("n1\0n3\0r1\0r2")), -ENOSPC);
    assert_int_equal(fake_two(&w->a, XS_WATCH, 0, "n1", "1"), 0);
    assert_int_equal(fake_two(&w->a, XS_WATCH, 0, "n1", "2"), 0);
    assert_int_equal(fake_two(&w->a, XS_WATCH, 0, "n1", "3"), -E2BIG);
    uint32_t tx = fake_start(&w->a);
    assert_int_equal(fake_text(&w->a, XS_TRANSACTION_START, 0, ""), -ENOSPC);
    assert_int_equal(fake_text(&w->a, XS_RM, tx, "n1"), 0);
    assert_int_equal(fake_write(&w->a, tx, "n9", "v"), 0);
    assert_int_equal(fake_text(&w->a, XS_READ, tx, "n2"), 0);
    assert_int_equal(fake_text(&w->a, XS_READ, tx, "n3"), -ENOSPC);
    assert_int_equal(fake_end(&w->a, tx, true), 0);
    assert_int_equal(fake_write(&w->root, 0, "/local/domain/3/by-root", value), 0); /* dom0 is not bound */
}

static void memory_quota(void **state) {
    struct world *w = *state;
    w->store.quota.guest.memory = 4096;
    char value[1001], path[16];
    memset(value, 'v', 1000);
    value[1000] = '\0';
    int rc = 0, i;
    for (i = 0; i < 8 && rc == 0; i++) {
        snprintf(path, sizeof(path), "m%d", i);
        rc = fake_write(&w->a, 0, path, value);
    }
    assert_int_equal(rc, -ENOSPC);
    assert_in_range(i, 3, 5);
    assert_true(quota_find(&w->store.quota, 3)->memory <= 4096);
}

static void memory_of_transactions(void **state) {
    struct world *w = *state;
    uint32_t tx[3];
    char path[24];
    int rc = 0;
    w->store.quota.guest.memory = 8192;
    for (int i = 0; i < 3; i++)
        tx[i] = fake_start(&w->a);
    for (int i = 0; i < 1000 && rc != -ENOSPC; i++) {
        snprintf(path, sizeof(path), "none-%d", i);
        rc = fake_text(&w->a, XS_READ, tx[i % 3], path);
    }
    assert_int_equal(rc, -ENOSPC);
    assert_in_range(conn_memory(&w->a.conn), 8192, 8192 + 1024);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fake_end(&w->a, tx[i], false), 0);
    assert_int_equal(conn_memory(&w->a.conn), 0);
}

static void privileged_requests(void **state) {
    struct world *w = *state;
    static const uint32_t types[] = { XS_CONTROL, XS_INTRODUCE, XS_RELEASE, XS_RESUME, XS_SET_TARGET };
    for (unsigned int i = 0; i < 5; i++)
        assert_int_equal(fake_text(&w->a, types[i], 0, "4"), -EACCES);
    assert_int_equal(fake_text(&w->a, 20, 0, ""), -ENOSYS);
    assert_int_equal(fake_text(&w->a, XS_WATCH_EVENT, 0, ""), -ENOSYS);
    assert_int_equal(fake_text(&w->a, 0xffff, 0, ""), -ENOSYS);
}

static void domain_queries(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_text(&w->a, XS_GET_DOMAIN_PATH, 0, "12"), 0);
    assert_string_equal(w->a.reply.payload, "/local/domain/12");
    assert_int_equal(fake_text(&w->a, XS_GET_DOMAIN_PATH, 0, "x"), -EINVAL);
    assert_int_equal(fake_text(&w->a, XS_IS_DOMAIN_INTRODUCED, 0, "0"), -EACCES);
    assert_int_equal(fake_text(&w->root, XS_IS_DOMAIN_INTRODUCED, 0, "0"), 0);
    assert_string_equal(w->root.reply.payload, "T");
    assert_int_equal(fake_text(&w->root, XS_IS_DOMAIN_INTRODUCED, 0, "9"), 0);
    assert_string_equal(w->root.reply.payload, "F");
    assert_int_equal(fake_call(&w->root, XS_INTRODUCE, 0,
                               BYTES("5\0"
                                     "1\0"
                                     "1")),
                     -ENOSYS); /* no hypervisor here */
}

static void control(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_text(&w->root, XS_CONTROL, 0, "check"), 0);
    assert_string_equal(w->root.reply.payload, "OK");
    assert_int_equal(fake_text(&w->root, XS_CONTROL, 0, "help"), 0);
    assert_non_null(strstr(w->root.reply.payload, "quota"));
    assert_int_equal(fake_call(&w->root, XS_CONTROL, 0,
                               BYTES("quota\0set\0nodes\0"
                                     "7")),
                     0);
    assert_int_equal(w->store.quota.guest.nodes, 7);
    assert_int_equal(fake_call(&w->root, XS_CONTROL, 0,
                               BYTES("quota\0set\0none\0"
                                     "7")),
                     -EINVAL);
    assert_int_equal(fake_two(&w->root, XS_CONTROL, 0, "quota", "3"), 0);
    assert_non_null(strstr(w->root.reply.payload, "nodes            :        1"));
    assert_int_equal(fake_text(&w->root, XS_CONTROL, 0, "nonsense"), -EINVAL);
    assert_int_equal(fake_text(&w->root, XS_CONTROL, 0, "memreport"), 0);
}

static void too_long_a_message(void **state) {
    struct world *w = *state;
    struct xsd_sockmsg header = { XS_READ, 1, 0, XENSTORE_PAYLOAD_MAX + 1 };
    assert_int_equal(fake_two(&w->a, XS_WATCH, 0, "x", "t"), 0);
    fake_feed(&w->a, &header, sizeof(header));
    fake_run(&w->store);
    assert_true(w->a.failed);
    assert_int_equal(w->a.conn.fault, XENSTORE_ERROR_PROTO);
    assert_int_equal(w->a.conn.watch_count, 0);
    assert_int_equal(fake_write(&w->b, 0, "x", "1"), 0); /* others are served */
}

static void bytes_come_one_by_one(void **state) {
    struct world *w = *state;
    char bytes[64];
    struct xsd_sockmsg header = { XS_WRITE, 77, 0, 7 };
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header), BYTES("drip\0ok"));
    for (size_t i = 0; i < sizeof(header) + 7; i++) {
        assert_false(fake_receive(&w->a));
        fake_feed(&w->a, bytes + i, 1);
        fake_run(&w->store);
    }
    assert_true(fake_receive(&w->a));
    assert_int_equal(fake_expect(&w->a, 0, "drip", "ok"), 0);
}

static void slow_reader_waits(void **state) {
    struct world *w = *state;
    w->store.quota.guest.outstanding = 3;
    w->a.room = 0;
    for (int i = 0; i < 10; i++)
        fake_send(&w->a, XS_GET_DOMAIN_PATH, 0, "3", 2);
    fake_run(&w->store);
    assert_int_equal(w->a.conn.replies, 3);
    w->a.room = SIZE_MAX;
    conn_wake(&w->a.conn);
    fake_run(&w->store);
    for (int i = 0; i < 10; i++)
        assert_true(fake_receive(&w->a));
    assert_int_equal(w->a.conn.memory, 0);
}

static void waiting_events_are_not_doubled(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_two(&w->a, XS_WATCH, 0, "x", "t"), 0);
    fake_forget_events(&w->a);
    w->a.room = 0;
    for (int i = 0; i < 100; i++)
        assert_int_equal(fake_write(&w->root, 0, "/local/domain/3/x", "1"), 0);
    w->a.room = SIZE_MAX;
    conn_wake(&w->a.conn);
    fake_run(&w->store);
    assert_int_equal(fake_events(&w->a), 1);
}

static void deaf_guest_is_cut_off(void **state) {
    struct world *w = *state;
    char path[40];
    w->store.quota.guest.memory = 65536;
    assert_int_equal(fake_two(&w->a, XS_WATCH, 0, "x", "t"), 0);
    fake_forget_events(&w->a);
    w->a.room = 0;
    for (int i = 0; i < 2000 && !w->a.failed; i++) {
        snprintf(path, sizeof(path), "/local/domain/3/x/%d", i);
        assert_int_equal(fake_write(&w->root, 0, path, "1"), 0);
        assert_true(conn_memory(&w->a.conn) <= 65536);
        assert_int_equal(fake_text(&w->root, XS_RM, 0, path), 0);
    }
    assert_true(w->a.failed);
    assert_int_equal(w->a.conn.memory, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(write_and_read),
        T(malformed_paths),
        T(path_lengths),
        T(relative_paths),
        T(mkdir_keeps_values),
        T(rm_rules),
        T(directory),
        T(long_directory),
        T(directory_part_generation),
        T(permissions),
        T(bad_permissions),
        T(creator_owns_and_inherits),
        T(set_target_gives_rights),
        T(watches_fire),
        T(watch_below_removal),
        T(relative_watch),
        T(watch_hides_the_unreadable),
        T(transaction_commits),
        T(transaction_dropped),
        T(transaction_conflicts),
        T(no_false_conflicts),
        T(size_limit_holds_across_a_commit),
        T(what_came_and_went_is_not_seen),
        T(removal_in_transaction),
        T(reset_watches),
        T(quotas_bind_guests),
        T(memory_quota),
        T(memory_of_transactions),
        T(privileged_requests),
        T(domain_queries),
        T(control),
        T(too_long_a_message),
        T(bytes_come_one_by_one),
        T(slow_reader_waits),
        T(waiting_events_are_not_doubled),
        T(deaf_guest_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
