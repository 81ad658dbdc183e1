/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug keys: each says what its users look for, and none breaks on a machine with several domains. */
#include "domctl_machine.h"

#include <hv/console.h>
#include <hv/frame.h>
#include <hv/print.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char text[65536];

/* What a key printed. */
static const char *press(char key)
{
    static uint32_t index;
    struct xen_sysctl op = { .u.debug_keys = { .keys = GADDR((uint64_t)&key), .nr_keys = 1 } };
    size_t n = 0;

    while (console_read_ring(text, sizeof text - 1, &index, true))
        ;
    assert_int_equal(system_call(XEN_SYSCTL_debug_keys, &op), 0);
    n = console_read_ring(text, sizeof text - 1, &index, true);
    text[n] = 0;
    return text;
}

static void says(char key, const char *what)
{
    if (!strstr(press(key), what))
        fail_msg("key %c says:\n%s", key, text);
}

static void each_key_says_its_thing(void **state)
{
    domid_t id = machine_domain(2, 3);
    char want[64];

    says('h', "key 'm': memory");
    says('0', "d0v0:");
    says('F', "domain 0: refused calls");
    says('a', "CPU 1: ");
    says('d', "CPU 0 (APIC ");
    says('d', "did not stop");
    says('e', "event channels of");
    says('g', "domain 0: grant table ");
    says('i', "strays 0");
    says('m', "    Dom heap: ");
    says('n', "CPU 1: 1 NMIs");
    says('q', "domain 0: ");
    says('r', "domain 0: weight 256 cap 0 %");
    says('s', "TSC: 2000000 kHz");
    says('t', "CPU 1: no answer");
    says('x', "'x' is no key of ours");
    snprintf(want, sizeof want, "d%uv1 on CPU", id);
    says('r', want);
    machine_destroy(id);
}

static void ports_are_listed(void **state)
{
    domid_t id = machine_domain(1, 1);
    struct domain *d = domain_get(id);
    char want[64];

    int port = event_open(d, 0);

    assert_true(port > 0);
    snprintf(want, sizeof want, "%4d unbound to vCPU 0, other end d0", port);
    says('e', want);
    domain_put(d);
    machine_destroy(id);
}

/* Debian's tools and people look for these lines. */
static void heap_lines_add_up(void **state)
{
    uint64_t sum = 0, kib, total = 0;
    unsigned bits;

    press('m');
    assert_non_null(strstr(text, "\n    heap["));
    for (const char *p = text; (p = strstr(p, "    heap[")); p++) {
        assert_int_equal(sscanf(p, "    heap[%u]: %lukB free", &bits, &kib), 2);
        assert_int_equal(kib, frames_free_of_width(bits) << 2);
        sum += kib;
    }
    for (unsigned i = 0; i <= 64; i++)
        total += frames_free_of_width(i);
    assert_int_equal(total, frames_free_count());
    assert_int_equal(sum, total << 2);
    assert_non_null(strstr(text, "    Dom heap: "));
}

static void heap_lines_follow_allocations(void **state)
{
    uint64_t before = 0, after = 0;
    domid_t id;

    for (unsigned i = 0; i <= 64; i++)
        before += frames_free_of_width(i);
    id = machine_domain(1, 37);
    for (unsigned i = 0; i <= 64; i++)
        after += frames_free_of_width(i);
    assert_true(after + 37 <= before);
    assert_int_equal(after, frames_free_count());
    machine_destroy(id);
}

/* Whatever byte: it comes back. C, R and ! do not, by design; N has its test on a machine. */
static void any_byte_is_a_key(void **state)
{
    for (unsigned c = 0; c < 256; c++)
        if (!c || !strchr("CR!", (int)c))
            (void)press((char)c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_says_its_thing), cmocka_unit_test(ports_are_listed),
        cmocka_unit_test(heap_lines_add_up),       cmocka_unit_test(heap_lines_follow_allocations),
        cmocka_unit_test(any_byte_is_a_key),
    };

    machine_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
