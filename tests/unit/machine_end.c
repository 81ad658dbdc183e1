/* SPDX-License-Identifier: BSD-2-Clause */
/* dom0 ends the machine: whatever way it does, no other processor goes on. */
#include "domctl_machine.h"

#include <hv/machine.h>

#include <abi/platform.h>
#include <abi/sched.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static jmp_buf back;
static enum machine_end seen[4];
static unsigned count;

static void say(enum machine_end what)
{
    assert_true(count < ARRAY_LEN(seen));
    seen[count++] = what;
    if (what != MACHINE_STOP_OTHERS)
        longjmp(back, 1);
}

static int setup(void **state)
{
    count = 0;
    machine_end_hook = say;
    machine.acpi.fadt.present = true;
    machine.acpi.fadt.pm1a_control.addr = 0x604;
    machine.options.noreboot = false;
    return 0;
}

static void call(uint64_t nr, uint64_t a1, uint64_t a2)
{
    if (!setjmp(back)) {
        machine_call(dom0->vcpu[0], nr, a1, a2, 0, 0);
        fail_msg("the machine goes on");
    }
}

static void shut_down(uint32_t reason)
{
    struct sched_shutdown how = { .reason = reason };

    call(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (uint64_t)&how);
}

static void expect(enum machine_end first, enum machine_end second)
{
    assert_int_equal(count, 2);
    assert_int_equal(seen[0], first);
    assert_int_equal(seen[1], second);
}

/* The registers that switch off are written when nobody else runs: some machines take their time. */
static void power_off(void **state)
{
    static struct xen_platform_op op = { .cmd = XENPF_enter_acpi_sleep,
                                         .interface_version = XENPF_INTERFACE_VERSION,
                                         .u.enter_acpi_sleep = { .val_a = 0x1c00, .sleep_state = 5 } };

    call(__HYPERVISOR_platform_op, (uint64_t)&op, 0);
    expect(MACHINE_STOP_OTHERS, MACHINE_OFF);
}

static void shutdown_without_acpi(void **state)
{
    shut_down(SHUTDOWN_poweroff);
    expect(MACHINE_STOP_OTHERS, MACHINE_HALT);
}

static void crash_with_noreboot(void **state)
{
    machine.options.noreboot = true;
    shut_down(SHUTDOWN_crash);
    expect(MACHINE_STOP_OTHERS, MACHINE_HALT);
}

/* hw_reboot() stops them itself. */
static void crash_and_reboot(void **state)
{
    shut_down(SHUTDOWN_crash);
    assert_int_equal(count, 1);
    assert_int_equal(seen[0], MACHINE_REBOOT);
    setup(NULL);
    shut_down(SHUTDOWN_reboot);
    assert_int_equal(seen[0], MACHINE_REBOOT);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(power_off),
        TEST(shutdown_without_acpi),
        TEST(crash_with_noreboot),
        TEST(crash_and_reboot),
    };

    machine_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
