/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console ring: order of bytes over the wrap, and a guest that writes what it likes into the shared
 * page.
 */
#include "dom0/console/ring.h"

#include "abi/console.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t random_state;

static uint32_t rnd(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

/* The page in memory of its own, so that the sanitizer sees any byte touched beside it. */
static struct xencons_interface *page_new(uint32_t start)
{
    struct xencons_interface *page = calloc(1, sizeof(*page));

    assert_non_null(page);
    page->in_cons = page->in_prod = start;
    page->out_cons = page->out_prod = start;
    return page;
}

static void guest_put(struct xencons_interface *page, char byte)
{
    page->out[page->out_prod++ % sizeof(page->out)] = byte;
}

static void test_bytes_in_order(void **state)
{
    static const uint32_t starts[] = { 0, 2047, UINT32_MAX - 5 };

    for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
        struct xencons_interface *page = page_new(starts[s]);
        struct ring ring;
        char buf[64];
        assert_int_equal(ring_open(&ring, page), 0);
        for (int i = 0; i < 40; i++)
            guest_put(page, (char)i);
        assert_int_equal(ring_read(&ring, buf, 30), 30);
        assert_int_equal(ring_read(&ring, buf + 30, 34), 10);
        for (int i = 0; i < 40; i++)
            assert_int_equal(buf[i], i);
        assert_int_equal(page->out_cons, starts[s]);
        ring_publish(&ring);
        assert_int_equal(page->out_cons, starts[s] + 40);
        assert_int_equal(ring_read(&ring, buf, sizeof(buf)), 0);
        free(page);
    }
}

static void test_input_stops_when_full(void **state)
{
    struct xencons_interface *page = page_new(UINT32_MAX - 100);
    char text[1500];
    struct ring ring;

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * 7);
    assert_int_equal(ring_open(&ring, page), 0);
    assert_int_equal(ring_write(&ring, text, sizeof(text)), 1024);
    assert_int_equal(ring_write(&ring, text, 1), 0);
    page->in_cons += 500;
    assert_int_equal(ring_write(&ring, text + 1024, 476), 476);
    assert_int_equal(ring_write(&ring, text, sizeof(text)), 24);
    for (uint32_t i = 0; i < 976; i++)
        assert_int_equal(page->in[(page->in_cons + i) % 1024], text[500 + i]);
    free(page);
}

static void test_goes_on_where_the_last_user_stopped(void **state)
{
    struct xencons_interface *page = page_new(7);
    struct ring ring;
    char buf[8];

    guest_put(page, 'a');
    guest_put(page, 'b');
    assert_int_equal(ring_open(&ring, page), 0);
    assert_int_equal(ring_read(&ring, buf, 1), 1);
    ring_publish(&ring);
    assert_int_equal(ring_open(&ring, page), 0);
    assert_int_equal(ring_read(&ring, buf, 8), 1);
    assert_int_equal(buf[0], 'b');
    assert_int_equal(ring_open(&ring, page), 0);        /* killed before it was safe: there it is again */
    assert_int_equal(ring_read(&ring, buf, 8), 1);
    assert_int_equal(buf[0], 'b');
    free(page);
}

static void test_impossible_indices_are_refused(void **state)
{
    struct xencons_interface *page = page_new(0);
    struct ring ring;
    char buf[8];

    page->out_prod = 2049;
    assert_int_equal(ring_open(&ring, page), -EPROTO);
    page->out_prod = 2048;
    assert_int_equal(ring_open(&ring, page), 0);
    page->out_prod = UINT32_MAX;
    assert_int_equal(ring_read(&ring, buf, 8), -EPROTO);
    page->out_prod = 0;
    page->in_cons = 1;                  /* took what nobody gave */
    assert_int_equal(ring_write(&ring, "x", 1), -EPROTO);
    assert_int_equal(ring_open(&ring, page), -EPROTO);
    free(page);
}

/* Our own indices in the page are the guest's to overwrite; it must gain nothing. */
static void test_our_indices_are_not_believed(void **state)
{
    struct xencons_interface *page = page_new(0);
    struct ring ring;
    char buf[8];

    assert_int_equal(ring_open(&ring, page), 0);
    guest_put(page, 'a');
    page->out_cons = 0x80000000;
    assert_int_equal(ring_read(&ring, buf, 8), 1);
    ring_publish(&ring);
    assert_int_equal(page->out_cons, 1);
    page->in_prod = 77777;
    assert_int_equal(ring_write(&ring, "xy", 2), 2);
    assert_int_equal(page->in_prod, 2);
    free(page);
}

static void guest_misbehave(struct xencons_interface *page)
{
    uint32_t *const fields[] = { &page->in_cons, &page->in_prod, &page->out_cons, &page->out_prod };
    uint32_t value = rnd(3) == 0 ? rnd(1u << 24) * 257 : *fields[rnd(4)] + rnd(4097) - 2048;

    *fields[rnd(4)] = value;
}

/*
 * Whatever the guest does: never more bytes than a ring holds, an error exactly when the difference is
 * impossible.
 */
static void test_hostile_guest(void **state)
{
    struct xencons_interface *page = page_new(0);
    struct ring ring;
    char buf[4096] = { 0 };

    random_state = 20;
    assert_int_equal(ring_open(&ring, page), 0);
    for (int i = 0; i < 200000; i++) {
        if (rnd(2))
            guest_misbehave(page);
        size_t size = rnd(3000);
        uint32_t filled = page->out_prod - ring.out_cons;
        uint32_t used = ring.in_prod - page->in_cons;
        int r = ring_read(&ring, buf, size);
        assert_int_equal(r, filled > 2048 ? -EPROTO : (int)(filled < size ? filled : size));
        r = ring_write(&ring, buf, size);
        assert_int_equal(r, used > 1024 ? -EPROTO : (int)(1024 - used < size ? 1024 - used : size));
        if (r == -EPROTO || rnd(50) == 0) {
            page->in_cons = page->in_prod = rnd(1u << 24) * 256;
            ring_publish(&ring);
            page->out_prod = page->out_cons;
            assert_int_equal(ring_open(&ring, page), 0);
        }
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_in_order),
        cmocka_unit_test(test_input_stops_when_full),
        cmocka_unit_test(test_goes_on_where_the_last_user_stopped),
        cmocka_unit_test(test_impossible_indices_are_refused),
        cmocka_unit_test(test_our_indices_are_not_believed),
        cmocka_unit_test(test_hostile_guest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
