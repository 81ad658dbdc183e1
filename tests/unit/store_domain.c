/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests' rings: introduce, release, hostile indices, reconnection, what is left of a domain that is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dom0/store/ring.h"
#include "tests/unit/store_harness.h"

#define BYTES(text) (text), sizeof(text)

struct world {
    struct store store;
    struct fake_xen xen;
    struct fake_client root;
};

static int setup(void **state) {
    struct world *w = calloc(1, sizeof(*w));
    assert_int_equal(store_init(&w->store, NULL), 0);
    w->store.domain_ops = &fake_xen_ops;
    w->store.domain_ctx = &w->xen;
    fake_open(&w->root, &w->store, 0);
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    assert_int_equal(store_check(&w->store), 0);
    fake_close(&w->root);
    store_destroy(&w->store);
    assert_int_equal(w->xen.maps, 0);
    assert_int_equal(w->xen.binds, 0);
    free(w);
    return 0;
}

static int introduce(struct world *w, const char *domid) {
    char buf[32];
    size_t n = strlen(domid) + 1;
    memcpy(buf, domid, n);
    memcpy(buf + n, BYTES("4660\0"
                          "9"));
    return fake_call(&w->root, XS_INTRODUCE, 0, buf, n + 7);
}

/* What the guest's kernel does: as much as fits into the ring. */
static void guest_put(struct xenstore_domain_interface *r, const void *bytes, size_t len) {
    for (size_t i = 0; i < len; i++)
        r->req[MASK_XENSTORE_IDX(r->req_prod + i)] = ((const char *)bytes)[i];
    r->req_prod += (uint32_t)len;
}

static size_t guest_get(struct xenstore_domain_interface *r, void *bytes, size_t len) {
    size_t n = r->rsp_prod - r->rsp_cons < len ? r->rsp_prod - r->rsp_cons : len;
    for (size_t i = 0; i < n; i++)
        ((char *)bytes)[i] = r->rsp[MASK_XENSTORE_IDX(r->rsp_cons + i)];
    r->rsp_cons += (uint32_t)n;
    return n;
}

static void guest_request(struct xenstore_domain_interface *r, uint32_t type, const void *payload,
                          size_t len) {
    struct xsd_sockmsg header = { type, 1, 0, (uint32_t)len };
    guest_put(r, &header, sizeof(header));
    guest_put(r, payload, len);
}

static void kick(struct world *w, uint16_t domid) {
    domain_event(&w->store, domain_find(&w->store, domid)->port);
    fake_run(&w->store);
}

/* The type of the next message of the ring, its payload into text. */
static uint32_t guest_reply(struct xenstore_domain_interface *r, char *text) {
    struct xsd_sockmsg header;
    assert_int_equal(guest_get(r, &header, sizeof(header)), sizeof(header));
    assert_int_equal(guest_get(r, text, header.len), header.len);
    return header.type;
}

static void introduce_and_talk(void **state) {
    struct world *w = *state;
    struct xenstore_domain_interface *r = &w->xen.ring[5];
    char text[4096];
    assert_int_equal(fake_two(&w->root, XS_WATCH, 0, "@introduceDomain", "t"), 0);
    fake_forget_events(&w->root);
    r->req_prod = r->req_cons = 0xfffffff0u; /* indices need not start at 0 and do wrap */
    r->rsp_prod = r->rsp_cons = 0xfffffffcu;
    assert_int_equal(introduce(w, "5"), 0);
    assert_true(fake_take(&w->root, "@introduceDomain", "t"));
    assert_int_equal(r->server_features,
                     XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR);
    guest_request(r, XS_GET_DOMAIN_PATH, BYTES("5"));
    uint32_t port = domain_find(&w->store, 5)->port;
    unsigned int before = w->xen.notified[port];

    assert_int_equal(before, 0); /* a guest that is not running yet gets no event */
    kick(w, 5);
    assert_int_equal(w->xen.notified[port], before + 1);
    assert_int_equal(guest_reply(r, text), XS_GET_DOMAIN_PATH);
    assert_string_equal(text, "/local/domain/5");
    assert_int_equal(fake_text(&w->root, XS_IS_DOMAIN_INTRODUCED, 0, "5"), 0);
    assert_string_equal(w->root.reply.payload, "T");
}

static void request_before_introduction_is_served(void **state) {
    struct world *w = *state;
    char text[4096];
    guest_request(&w->xen.ring[5], XS_GET_DOMAIN_PATH, BYTES("0"));
    assert_int_equal(introduce(w, "5"), 0);
    fake_run(&w->store);
    assert_int_equal(guest_reply(&w->xen.ring[5], text), XS_GET_DOMAIN_PATH);
}

static void bad_introductions(void **state) {
    struct world *w = *state;
    assert_int_equal(introduce(w, "0"), -EINVAL);
    assert_int_equal(introduce(w, "32752"), -EINVAL);
    assert_int_equal(introduce(w, "x"), -EINVAL);
    assert_int_equal(introduce(w, "99"), -EINVAL); /* no such guest */
    assert_int_equal(fake_call(&w->root, XS_INTRODUCE, 0,
                               BYTES("5\0"
                                     "1")),
                     -EINVAL);
    w->xen.refuse_bind = true;
    assert_int_equal(introduce(w, "5"), -EINVAL);
    assert_int_equal(w->xen.maps, 0);
}

/* A reply of 4 KiB goes through a ring of 1 KiB as the guest makes room. */
static void long_reply(void **state) {
    struct world *w = *state;
    struct xenstore_domain_interface *r = &w->xen.ring[5];
    char value[3001], got[4096];
    memset(value, 'v', 3000);
    value[3000] = '\0';
    assert_int_equal(introduce(w, "5"), 0);
    assert_int_equal(fake_write(&w->root, 0, "/long", value), 0);
    assert_int_equal(fake_two(&w->root, XS_SET_PERMS, 0, "/long", "r0"), 0);
    guest_request(r, XS_READ, BYTES("/long"));
    size_t have = 0;
    for (int i = 0; i < 10 && have < 3016; i++) {
        kick(w, 5);
        have += guest_get(r, got + have, sizeof(got) - have);
    }
    assert_int_equal(have, 3016);
    assert_memory_equal(got + 16, value, 3000);
}

/* ---- what is logged ---- */

static char last_line[1024];
static unsigned int lines;

static void keep_line(const char *line) {
    snprintf(last_line, sizeof(last_line), "%s", line);
    lines++;
}

static void impossible_index(void **state) {
    struct world *w = *state;
    struct xenstore_domain_interface *r = &w->xen.ring[5];
    assert_int_equal(introduce(w, "5"), 0);
    assert_int_equal(introduce(w, "6"), 0);
    r->req_prod = r->req_cons + XENSTORE_RING_SIZE + 1;
    w->store.log = keep_line;
    kick(w, 5);
    assert_string_equal(last_line, "domain 5 is cut off from the store: impossible ring index; it is heard "
                                   "again when "
                                   "it restarts");
    assert_int_equal(r->error, XENSTORE_ERROR_RINGIDX);
    uint32_t cons = r->req_cons;
    r->req_prod = cons;
    guest_request(r, XS_GET_DOMAIN_PATH, BYTES("5"));
    kick(w, 5);
    assert_int_equal(r->req_cons, cons); /* ignored */
    char text[4096];
    guest_request(&w->xen.ring[6], XS_GET_DOMAIN_PATH, BYTES("6"));
    kick(w, 6);
    assert_int_equal(guest_reply(&w->xen.ring[6], text), XS_GET_DOMAIN_PATH);
    assert_int_equal(fake_two(&w->root, XS_CONTROL, 0, "quota", "5"), 0);
    assert_non_null(strstr(w->root.reply.payload, "cut off"));
    assert_int_equal(introduce(w, "5"), 0); /* and is heard again once introduced anew */
    assert_int_equal(r->error, XENSTORE_ERROR_NONE);
    guest_request(r, XS_GET_DOMAIN_PATH, BYTES("5"));
    kick(w, 5);
    assert_int_equal(guest_reply(r, text), XS_GET_DOMAIN_PATH);
}

/* A guest's kernel writes the header first, and the rest with an event only if it finds the header taken. */
static void a_beginning_is_taken(void **state) {
    struct world *w = *state;
    struct xenstore_domain_interface *r = &w->xen.ring[5];
    struct xsd_sockmsg header = { XS_GET_DOMAIN_PATH, 1, 0, 2 };
    char text[4096];
    assert_int_equal(introduce(w, "5"), 0);
    guest_put(r, &header, sizeof(header));
    kick(w, 5);
    assert_int_equal(r->req_cons, r->req_prod);
    guest_put(r, "5", 2);
    kick(w, 5);
    assert_int_equal(guest_reply(r, text), XS_GET_DOMAIN_PATH);
}

static void too_long_a_message(void **state) {
    struct world *w = *state;
    struct xenstore_domain_interface *r = &w->xen.ring[5];
    struct xsd_sockmsg header = { XS_READ, 1, 0, 0xffffffffu };
    assert_int_equal(introduce(w, "5"), 0);
    guest_put(r, &header, sizeof(header));
    w->store.log = keep_line;
    kick(w, 5);
    assert_int_equal(r->error, XENSTORE_ERROR_PROTO);
    assert_string_equal(last_line, "domain 5 is cut off from the store: message longer than 4096 bytes; it "
                                   "is heard "
                                   "again when it restarts");
}

/* A guest that asks for events and takes none, until there are more than it may have waiting. */
static void events_that_nobody_takes(void **state) {
    struct world *w = *state;
    struct xenstore_domain_interface *r = &w->xen.ring[5];
    char name[16];
    assert_int_equal(introduce(w, "5"), 0);
    assert_int_equal(fake_write(&w->root, 0, "/e", "1"), 0);
    assert_int_equal(fake_two(&w->root, XS_SET_PERMS, 0, "/e", "r0"), 0);
    guest_request(r, XS_WATCH, BYTES("/e\0tok"));
    kick(w, 5);
    w->store.quota.guest.memory = 4000;
    w->store.log = keep_line;
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "/e/%d", i);
        assert_int_equal(fake_write(&w->root, 0, name, "1"), 0);
    }
    assert_string_equal(last_line, "domain 5 is cut off from the store: does not take its messages; it is "
                                   "heard again "
                                   "when it restarts");
}

static void ring_that_is_gone_after_a_restart(void **state) {
    struct world *w = *state;
    assert_int_equal(introduce(w, "5"), 0);
    w->store.log = keep_line;
    domain_reconnect_all(&w->store); /* it is mapped still, so that mapping it fails */
    assert_string_equal(last_line, "domain 5 is no more, or does not let its ring be mapped: it is released");
    assert_null(domain_find(&w->store, 5));
}

static void response_index_broken_while_events_wait(void **state) {
    struct world *w = *state;
    struct xenstore_domain_interface *r = &w->xen.ring[5];
    assert_int_equal(introduce(w, "5"), 0);
    assert_int_equal(fake_write(&w->root, 0, "/e", "1"), 0);
    assert_int_equal(fake_two(&w->root, XS_SET_PERMS, 0, "/e", "r0"), 0);
    guest_request(r, XS_WATCH, BYTES("/e\0tok"));
    kick(w, 5);
    r->rsp_cons = r->rsp_prod + 1;
    assert_int_equal(fake_write(&w->root, 0, "/e", "2"), 0);
    assert_int_equal(r->error, XENSTORE_ERROR_RINGIDX);
    assert_int_equal(w->store.watches.by_path.count, 0);
}

static void guest_reconnects(void **state) {
    struct world *w = *state;
    struct xenstore_domain_interface *r = &w->xen.ring[5];
    char text[4096];
    assert_int_equal(introduce(w, "5"), 0);
    guest_request(r, XS_WATCH, BYTES("/\0tok"));
    kick(w, 5);
    guest_put(r, "half a header", 13);
    kick(w, 5);
    r->connection = XENSTORE_RECONNECT;
    kick(w, 5);
    assert_int_equal(r->connection, XENSTORE_CONNECTED);
    assert_int_equal(w->store.watches.by_path.count, 0);
    assert_int_equal(r->rsp_prod, r->rsp_cons);
    guest_request(r, XS_GET_DOMAIN_PATH, BYTES("5"));
    kick(w, 5);
    assert_int_equal(guest_reply(r, text), XS_GET_DOMAIN_PATH);
}

static void release_leaves_nothing(void **state) {
    struct world *w = *state;
    assert_int_equal(introduce(w, "5"), 0);
    assert_int_equal(fake_write(&w->root, 0, "/own/below", "1"), 0);
    assert_int_equal(fake_two(&w->root, XS_SET_PERMS, 0, "/own", "n5"), 0);
    assert_int_equal(fake_write(&w->root, 0, "/shared", "1"), 0);
    assert_int_equal(fake_call(&w->root, XS_SET_PERMS, 0, BYTES("/shared\0n0\0r5\0r6")), 0);
    assert_int_equal(fake_call(&w->root, XS_SET_PERMS, 0, BYTES("@releaseDomain\0n0\0r5")), 0);
    assert_int_equal(fake_two(&w->root, XS_WATCH, 0, "@releaseDomain", "t"), 0);
    fake_forget_events(&w->root);
    assert_int_equal(fake_text(&w->root, XS_RELEASE, 0, "5"), 0);
    assert_true(fake_take(&w->root, "@releaseDomain", "t"));
    assert_int_equal(fake_text(&w->root, XS_READ, 0, "/own/below"), -ENOENT);
    assert_int_equal(fake_text(&w->root, XS_READ, 0, "/own"), -ENOENT);
    assert_int_equal(fake_text(&w->root, XS_GET_PERMS, 0, "/shared"), 0);
    assert_memory_equal(w->root.reply.payload, "n0\0r6", 6);
    assert_null(quota_find(&w->store.quota, 5));
    assert_int_equal(fake_text(&w->root, XS_RELEASE, 0, "5"), -ENOENT);
    assert_int_equal(fake_text(&w->root, XS_RELEASE, 0, "0"), -EINVAL);
    assert_int_equal(w->xen.maps, 0);
}

static void release_of_one_never_introduced(void **state) {
    struct world *w = *state;
    assert_int_equal(fake_write(&w->root, 0, "/own", "1"), 0);
    assert_int_equal(fake_two(&w->root, XS_SET_PERMS, 0, "/own", "n7"), 0);
    assert_int_equal(fake_text(&w->root, XS_RELEASE, 0, "7"), 0);
    assert_int_equal(fake_text(&w->root, XS_READ, 0, "/own"), -ENOENT);
}

static void targets(void **state) {
    struct world *w = *state;
    assert_int_equal(introduce(w, "5"), 0);
    assert_int_equal(fake_two(&w->root, XS_SET_TARGET, 0, "5", "6"), -ENOENT);
    assert_int_equal(introduce(w, "6"), 0);
    assert_int_equal(fake_two(&w->root, XS_SET_TARGET, 0, "5", "6"), 0);
    assert_int_equal(domain_find(&w->store, 5)->conn.who.target, 6);
    assert_int_equal(fake_text(&w->root, XS_RESUME, 0, "6"), 0);
    assert_int_equal(fake_text(&w->root, XS_RELEASE, 0, "6"), 0);
    assert_int_equal(domain_find(&w->store, 5)->conn.who.target, PERM_NO_TARGET);
    assert_int_equal(fake_text(&w->root, XS_RESUME, 0, "6"), -ENOENT);
}

/* Released while it has requests waiting, by a client that is served before it. */
static void released_while_awake(void **state) {
    struct world *w = *state;
    assert_int_equal(introduce(w, "5"), 0);
    fake_run(&w->store);
    fake_send(&w->root, XS_RELEASE, 0, "5", 2);
    guest_request(&w->xen.ring[5], XS_GET_DOMAIN_PATH, BYTES("5"));
    domain_event(&w->store, domain_find(&w->store, 5)->port);
    fake_run(&w->store);
    assert_null(domain_find(&w->store, 5));
}

static void flood_does_not_starve(void **state) {
    struct world *w = *state;
    struct fake_client other;
    fake_open(&other, &w->store, 0);
    for (int i = 0; i < 1000; i++)
        fake_send(&w->root, XS_GET_DOMAIN_PATH, 0, "3", 2);
    fake_send(&other, XS_GET_DOMAIN_PATH, 0, "3", 2);
    assert_true(store_run(&w->store)); /* one round: a burst of the one, all of the other */
    assert_true(fake_receive(&other));
    fake_close(&other);
}

/* ---- limits are told, counted, shown ---- */

static uint64_t now;

static uint64_t fake_clock(void) {
    return now;
}

static void guest_watch(struct world *w, unsigned int n) {
    char text[32], answer[4096];
    struct xenstore_domain_interface *r = &w->xen.ring[5];
    size_t len = (size_t)sprintf(text, "w%u", n) + 1;
    guest_request(r, XS_WATCH, text, len + (size_t)sprintf(text + len, "t") + 1);
    kick(w, 5);
    while (r->rsp_prod != r->rsp_cons)
        guest_reply(r, answer);
}

static void line_has(const char *const *words) {
    for (; *words; words++)
        if (!strstr(last_line, *words))
            fail_msg("'%s' does not say '%s'", last_line, *words);
}

static void limits_are_told_and_counted(void **state) {
    struct world *w = *state;
    w->store.log = keep_line;
    w->store.clock = fake_clock;
    now = 1;
    lines = 0;
    assert_int_equal(introduce(w, "5"), 0);
    assert_int_equal(fake_call(&w->root, XS_CONTROL, 0, BYTES("quota\0set\0watches\00010")), 0);
    for (unsigned int i = 0; i < 7; i++)
        guest_watch(w, i);
    assert_int_equal(lines, 0);
    guest_watch(w, 7);
    assert_int_equal(lines, 1);
    line_has((const char *const[]){
        "domain 5 is near its limit of 10 watches (8, 0 times so far); `xenstore-control "
        "quota set watches N` raises it for all guests",
        NULL });
    guest_watch(w, 8);
    guest_watch(w, 9);
    guest_watch(w, 10);
    assert_int_equal(lines, 1); /* not again within a minute */
    now += USAGE_QUIET_MS;
    guest_watch(w, 11);
    assert_int_equal(lines, 2);
    line_has((const char *const[]){ "domain 5 hit its limit of 10 watches (11, 2 times so far)", NULL });
    assert_int_equal(fake_text(&w->root, XS_CONTROL, 0, "usage"), 0);
    assert_non_null(strstr(w->root.reply.payload, "5 watches 10 10 2\n"));
    assert_non_null(strstr(w->root.reply.payload, "5 node-size - 2048 0\n"));
    assert_int_equal(fake_two(&w->root, XS_CONTROL, 0, "usage", "6"), 0);
    assert_string_equal(w->root.reply.payload, "");
    assert_int_equal(fake_two(&w->root, XS_CONTROL, 0, "usage", "x"), -EINVAL);
}

static void usage_goes_on_where_it_ended(void **state) {
    struct world *w = *state;
    char number[8];
    unsigned int seen = 0;
    for (unsigned int i = 1; i < 15; i++) {
        snprintf(number, sizeof(number), "%u", i);
        assert_int_equal(introduce(w, number), 0);
    }
    strcpy(number, "1");
    for (int page = 0; page < 9; page++) {
        assert_int_equal(fake_two(&w->root, XS_CONTROL, 0, "usage", number), 0);
        for (const char *at = w->root.reply.payload; (at = strstr(at, " watches ")); at++)
            seen++;
        const char *more = strstr(w->root.reply.payload, "more ");
        if (!more)
            break;
        snprintf(number, sizeof(number), "%lu", strtoul(more + 5, NULL, 10));
    }
    assert_int_equal(seen, 14);
}

static unsigned int flood(struct world *w, unsigned int times) {
    struct xenstore_domain_interface *r = &w->xen.ring[5];
    unsigned int answers = 0;
    char text[4096];
    for (unsigned int i = 0; i < times; i++) {
        while (r->req_prod - r->req_cons <= XENSTORE_RING_SIZE - 18)
            guest_request(r, XS_GET_DOMAIN_PATH, "5", 2);
        domain_event(&w->store, domain_find(&w->store, 5)->port);
        store_run(&w->store);
        for (; r->rsp_prod != r->rsp_cons; answers++)
            guest_reply(r, text);
    }
    return answers;
}

/* A guest that floods gets its rate and not more, its events are masked meanwhile; another is answered in the
 * next turn all the time. */
static void flood_slows_only_itself(void **state) {
    struct world *w = *state;
    char text[4096];
    w->store.log = keep_line;
    w->store.clock = fake_clock;
    now = 5;
    lines = 0;
    assert_int_equal(fake_call(&w->root, XS_CONTROL, 0, BYTES("quota\0set\0rate\000500")), 0);
    assert_int_equal(introduce(w, "5"), 0);
    assert_int_equal(introduce(w, "6"), 0);
    assert_in_range(flood(w, 200), 400, 500);
    assert_int_equal(flood(w, 50), 0);
    assert_true(domain_find(&w->store, 5)->masked);
    assert_int_equal(lines, 1);
    line_has((const char *const[]){ "domain 5", "500 rate", "quota set rate", NULL });
    for (int i = 0; i < 20; i++) {
        guest_request(&w->xen.ring[6], XS_GET_DOMAIN_PATH, "6", 2);
        domain_event(&w->store, domain_find(&w->store, 6)->port);
        flood(w, 1);
        assert_int_equal(guest_reply(&w->xen.ring[6], text), XS_GET_DOMAIN_PATH);
    }
    for (int i = 0; i < 10; i++) {
        now += 100;
        assert_in_range(flood(w, 30), 30, 50);
    }
    now += 100000;
    assert_in_range(flood(w, 200), 400, 500); /* a second's worth is all that is saved up */
    assert_int_equal(fake_text(&w->root, XS_RELEASE, 0, "5"), 0); /* while it waits */
}

/* Without being told: the port of one that is gone cannot be bound. */
static void deaths_are_found(void **state) {
    struct world *w = *state;
    char text[4096];
    assert_int_equal(introduce(w, "5"), 0);
    assert_int_equal(introduce(w, "6"), 0);
    assert_int_equal(fake_write(&w->root, 0, "/own", "1"), 0);
    assert_int_equal(fake_two(&w->root, XS_SET_PERMS, 0, "/own", "n5"), 0);
    assert_int_equal(fake_two(&w->root, XS_WATCH, 0, "@releaseDomain", "t"), 0);
    fake_forget_events(&w->root);
    domain_look_for_deaths(&w->store); /* one that only shut down */
    fake_run(&w->store);
    assert_true(fake_take(&w->root, "@releaseDomain", "t"));
    assert_non_null(domain_find(&w->store, 5));
    w->xen.gone[5] = true;
    guest_request(&w->xen.ring[6], XS_GET_DOMAIN_PATH, BYTES("6")); /* and nobody hears its event */
    domain_look_for_deaths(&w->store);
    fake_run(&w->store);
    assert_true(fake_take(&w->root, "@releaseDomain", "t"));
    assert_null(domain_find(&w->store, 5));
    assert_int_equal(fake_text(&w->root, XS_READ, 0, "/own"), -ENOENT);
    assert_int_equal(guest_reply(&w->xen.ring[6], text), XS_GET_DOMAIN_PATH);
    assert_int_equal(w->xen.maps, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(introduce_and_talk),
        T(request_before_introduction_is_served),
        T(bad_introductions),
        T(long_reply),
        T(impossible_index),
        T(a_beginning_is_taken),
        T(too_long_a_message),
        T(response_index_broken_while_events_wait),
        T(guest_reconnects),
        T(events_that_nobody_takes),
        T(ring_that_is_gone_after_a_restart),
        T(release_leaves_nothing),
        T(release_of_one_never_introduced),
        T(targets),
        T(released_while_awake),
        T(flood_does_not_starve),
        T(limits_are_told_and_counted),
        T(usage_goes_on_where_it_ended),
        T(flood_slows_only_itself),
        T(deaths_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
