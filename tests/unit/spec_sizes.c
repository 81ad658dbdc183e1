/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sizes and limits that docs/spec.md promises. What a machine of many gigabytes pays for being managed is
 * these few bytes a frame, so a field more in struct frame has to be a decision, not an accident.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hv/frame.h>
#include <hv/limits.h>

static void a_frame_costs_32_bytes(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct frame), 24);
    assert_int_equal(sizeof(*m2p), 8);
}

/* Limits that the published interface sets: beyond them a number would not fit. */
static void limits_fit_the_interface(void **state)
{
    (void)state;
    assert_in_range(MAX_DOMAINS, 1, DOMID_FIRST_RESERVED);
    assert_in_range(MAX_PORTS, 4096, 1 << 17);      /* FIFO words have 17 bits of link */
    assert_in_range(MAX_VCPUS, 1, 8192);
    assert_true(LINEAR_PT_MAX > 0 && PREEMPT_BATCH > 0 && REFUSAL_RING > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_costs_32_bytes),
        cmocka_unit_test(limits_fit_the_interface),
    };

    return cmocka_run_group_tests_name("spec_sizes", tests, NULL, NULL);
}
