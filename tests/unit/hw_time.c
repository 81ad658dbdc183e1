/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC, the chipset's counters and the clock on registers of a test: each instruction that needs
 * privilege is a function here, and the machine behind it has a true time that goes on with every access. So
 * deadline timers and IA32_TSC_ADJUST are seen, which no emulator at hand has.
 */
#define HW_INSN_H           /* the instructions of this file, not those of hw/insn.h */

#include <hv/console.h>
#include <hv/crash.h>
#include <hv/types.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MSR_APIC_BASE    0x1b
#define MSR_TSC_ADJUST   0x3b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC       0x800

/* ---- the machine ---- */

static struct {
    uint64_t ns;                    /* true time */
    uint64_t access_ns;             /* what an access takes */
    uint64_t disturb_one_in;        /* so many accesses take 3 ms more; 0: none */
    uint64_t tsc_mhz, apic_mhz, hpet_period_fs;
    int64_t  tsc_ahead;
    uint64_t msr[0x900];
    uint8_t  page[4096];            /* the registers in memory of local APIC */
    uint8_t  hpet[1024];
    uint32_t cpuid1_ecx, cpuid7_ebx, invariant;
    uint64_t timer_started, pit_latched;
    unsigned pit_byte, icr_busy;
    uint64_t icr;                   /* the last command, as an x2APIC has it */
    unsigned commands, eois;
} pc;

static uint64_t seed = 3;

static void go_on(void)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    pc.ns += pc.access_ns + (pc.disturb_one_in && (seed >> 33) % pc.disturb_one_in == 0 ? 3000000 : 0);
}

static uint64_t ticks(uint64_t hz) { return (uint64_t)((unsigned __int128)pc.ns * hz / 1000000000); }
static uint64_t rdtsc(void) { go_on(); return ticks(pc.tsc_mhz * 1000000) + (uint64_t)pc.tsc_ahead; }
static uint64_t rdtsc_ordered(void) { return rdtsc(); }
static void fence_all(void) { }

static uint32_t apic_register(unsigned r)
{
    uint32_t v = *(uint32_t *)(pc.page + r);
    uint64_t gone = (uint64_t)((unsigned __int128)(pc.ns - pc.timer_started) * pc.apic_mhz / 1000);

    if (r == 0x390)
        return *(uint32_t *)(pc.page + 0x380) > gone ? *(uint32_t *)(pc.page + 0x380) - (uint32_t)gone : 0;
    if (r == 0x300 && pc.icr_busy) {
        pc.icr_busy--;
        return v | 1u << 12;
    }
    return v;
}

static void apic_register_write(unsigned r, uint32_t v)
{
    *(uint32_t *)(pc.page + r) = v;
    if (r == 0x380)
        pc.timer_started = pc.ns;
    if (r == 0xb0)
        pc.eois++;
}

static uint64_t rdmsr(uint32_t n)
{
    go_on();
    if (n < MSR_X2APIC)
        return pc.msr[n];
    assert_true(pc.msr[MSR_APIC_BASE] & 1u << 10);       /* else #GP */
    return apic_register((n - MSR_X2APIC) * 16);
}

static void wrmsr(uint32_t n, uint64_t v)
{
    go_on();
    if (n == MSR_TSC_ADJUST)
        pc.tsc_ahead += (int64_t)(v - pc.msr[n]);
    pc.msr[n & 0x7ff] = n < MSR_X2APIC ? v : pc.msr[n & 0x7ff];
    if (n < MSR_X2APIC)
        return;
    assert_true(pc.msr[MSR_APIC_BASE] & 1u << 10);
    assert_true(n != 0x802 && n != 0x80d && n != 0x80e);    /* ID and LDR are read-only, there is no DFR */
    if (n == 0x830) {
        pc.icr = v;
        pc.commands++;
    } else {
        apic_register_write((n - MSR_X2APIC) * 16, (uint32_t)v);
    }
}

static unsigned apic_offset(const volatile uint8_t *p)
{
    assert_true(p >= pc.page && p < pc.page + sizeof pc.page);
    assert_false(pc.msr[MSR_APIC_BASE] & 1u << 10);              /* the page is gone in x2APIC mode */
    return (unsigned)(p - pc.page);
}

static uint32_t mmio_read32(const volatile uint8_t *p)
{
    go_on();
    if (p < pc.hpet || p >= pc.hpet + sizeof pc.hpet)
        return apic_register(apic_offset(p));
    if (p - pc.hpet == 0xf0)
        return (uint32_t)((unsigned __int128)pc.ns * 1000000 / pc.hpet_period_fs);
    return p - pc.hpet == 4 ? (uint32_t)pc.hpet_period_fs : *(const volatile uint32_t *)p;
}

static uint64_t mmio_read64(const volatile uint8_t *p)
{
    go_on();
    assert_int_equal(p - pc.hpet, 0xf0);
    return (uint64_t)((unsigned __int128)pc.ns * 1000000 / pc.hpet_period_fs);
}

static void mmio_write32(volatile uint8_t *p, uint32_t v)
{
    go_on();
    if (p >= pc.hpet && p < pc.hpet + sizeof pc.hpet) {
        *(volatile uint32_t *)p = v;
        return;
    }
    apic_register_write(apic_offset(p), v);
    if (apic_offset(p) != 0x300)
        return;
    assert_int_equal(pc.icr_busy, 0);
    pc.icr = (uint64_t)(*(uint32_t *)(pc.page + 0x310) >> 24) << 32 | v;
    pc.commands++;
}

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    memset(out, 0, 16);
    out[0] = leaf == 0 ? 7 : leaf == 0x80000000 ? 0x80000008 : 0;
    out[1] = leaf == 7 ? pc.cpuid7_ebx : 0;
    out[2] = leaf == 1 ? pc.cpuid1_ecx : 0;
    out[3] = leaf == 0x80000007 ? pc.invariant << 8 : 0;
}

static uint32_t inl(uint16_t port)
{
    go_on();
    assert_int_equal(port, 0x608);
    return (uint32_t)(ticks(3579545) & 0xffffff);
}

static uint8_t inb(uint16_t port)
{
    go_on();
    if (port != 0x42)
        return 0;
    pc.pit_byte ^= 1;
    return (uint8_t)(pc.pit_byte ? pc.pit_latched : pc.pit_latched >> 8);
}

static void outb(uint16_t port, uint8_t v)
{
    go_on();
    if (port == 0x43 && v == 0x80)
        pc.pit_latched = 0xffff - (ticks(1193182) & 0xffff);
}

#include "hv/hw/platform_timer.c"
#include "hv/hw/lapic.c"
#include "hv/hw/clock.c"

/* ---- what they need ---- */

static struct pcpu cpus[2];
static char console[4096];

void *map_device(uint64_t phys, size_t len) { return phys == 0xfed00000 ? pc.hpet : pc.page; }

void console_emit(enum log_level level, const char *text, size_t len)
{
    strncat(console, text, MIN(len, sizeof console - strlen(console) - 1));
}

/* ---- starting over ---- */

static void power_on(void)
{
    memset(&pc, 0, sizeof pc);
    memset(&machine, 0, sizeof machine);
    memset(offset, 0, sizeof offset);
    memset(meeting, 0, sizeof meeting);
    console[0] = '\0';
    lapic = NULL;
    timer_hz = ticks_per_ns = 0;
    deadline_mode = false;
    source = BY_TSC;
    hpet = NULL;
    pc.ns = 5000000000ull;
    pc.access_ns = 60;
    pc.tsc_mhz = 2400;
    pc.apic_mhz = 100;
    pc.hpet_period_fs = 69841279;
    pc.invariant = 1;
    pc.msr[MSR_APIC_BASE] = 1u << 11;
    machine.options.x2apic = true;
    machine.acpi.fadt = (struct acpi_fadt){ .present = true,
                                            .pm_timer = { .space = ACPI_SPACE_IO, .addr = 0x608 } };
    machine.acpi.hpet = (struct acpi_hpet){ .present = true, .addr = 0xfed00000 };
    cpus[1].id = 1;
    host_cpu = &cpus[0];
}

static bool close_to(uint64_t value, uint64_t right, uint64_t ppm)
{
    return (uint64_t)llabs((int64_t)(value - right)) <= right * ppm / 1000000 + 1;
}

/* ---- the clock ---- */

static void every_counter_measures_the_tsc(void **state)
{
    for (unsigned which = 0; which < 4; which++)
        for (unsigned disturbed = 0; disturbed < 2; disturbed++) {
            power_on();
            machine.acpi.hpet.present = which < 2;
            *(uint32_t *)pc.hpet = which == 1 ? 1u << 13 : 0;    /* 64 bits */
            machine.acpi.fadt.present = which < 3;
            pc.disturb_one_in = disturbed ? 100 : 0;
            if (which == 3)
                pc.access_ns = 400;
            clock_init_boot();
            assert_string_equal(platform->name, which < 2 ? "HPET" : which == 2 ? "PM timer" : "PIT");
            assert_true(close_to(khz, 2400000, 200));
            assert_true(close_to(khz * 1000000, 2400000 * 1000000ull, error_ppb / 1000 + 1));
        }
}

static void system_time_is_true_time(void **state)
{
    uint64_t start, last = 0;

    power_on();
    clock_init_boot();
    start = pc.ns - now_ns();
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t t;

        pc.ns += 100000000;
        t = now_ns();
        assert_true(t > last);
        last = t;
        assert_true(close_to(t, pc.ns - start, 20));
    }
}

/* The PM timer goes round 21 times a minute and more; time goes on. */
static void the_chipset_tells_the_time(void **state)
{
    static const enum clock_option options[] = { CLOCK_HPET, CLOCK_ACPI };

    for (unsigned which = 0; which < 2; which++) {
        uint64_t start, last = 0;

        power_on();
        machine.options.clocksource = options[which];
        clock_init_boot();
        assert_false(tsc_reliable());
        start = pc.ns - now_ns();
        for (unsigned i = 0; i < 20000; i++) {
            uint64_t t;

            pc.ns += 500000000;
            if (i == 50)
                pc.tsc_ahead = -1000000000;          /* whatever the TSC does */
            t = now_ns();
            assert_true(t > last);
            last = t;
            assert_true(close_to(t, pc.ns - start, 1));
        }
    }
}

/* One after the other in the time of one thread: the target answers whenever the source waits. */
static int64_t second_ahead;
static bool second_there;

static void be_the_second(void)
{
    struct tsc_meeting *t = &meeting[1];
    uint32_t turn = __atomic_load_n(&t->turn, __ATOMIC_ACQUIRE);

    go_on();
    if (!second_there || turn % 2 == 0)
        return;
    host_cpu = &cpus[1];
    if (t->order == 1) {
        int64_t before = pc.tsc_ahead;

        tsc_adjust(t->adjust);
        second_ahead += pc.tsc_ahead - before;
        pc.tsc_ahead = before;
    }
    pc.tsc_ahead += second_ahead;
    t->stamp = rdtsc();
    pc.tsc_ahead -= second_ahead;
    go_on();
    host_cpu = &cpus[0];
    __atomic_store_n(&t->turn, turn + 1, __ATOMIC_RELEASE);
}

void hw_relax(void) { be_the_second(); }

static void meet_second(int64_t ahead, bool has_register)
{
    power_on();
    pc.cpuid7_ebx = has_register ? CPUID_TSC_ADJUST : 0;
    clock_init_boot();
    second_there = true;
    second_ahead = ahead;
    clock_check_source(&cpus[1]);
}

static uint64_t now_on(unsigned cpu)
{
    uint64_t t;

    host_cpu = &cpus[cpu];
    pc.tsc_ahead += cpu ? second_ahead : 0;
    t = now_ns();
    pc.tsc_ahead -= cpu ? second_ahead : 0;
    host_cpu = &cpus[0];
    return t;
}

static void time_is_the_same_on_both(void)
{
    for (unsigned i = 0; i < 100; i++) {
        uint64_t a = now_on(0), b, c;

        b = now_on(1);
        c = now_on(0);
        assert_true(a <= b && b <= c);
        pc.ns += 100000000;
    }
}

static void a_second_processor_has_the_same_time(void **state)
{
    meet_second(0, true);
    assert_true(tsc_reliable());
    time_is_the_same_on_both();
    meet_second(123456789, true);
    assert_true(tsc_reliable());
    assert_true(llabs(second_ahead) < 1000);
    time_is_the_same_on_both();
    meet_second(-987654321, false);
    assert_false(tsc_reliable());
    assert_int_equal(source, BY_OFFSET_TSC);
    assert_int_equal(second_ahead, -987654321);
    time_is_the_same_on_both();
}

static void a_bad_tsc_is_given_up(void **state)
{
    power_on();
    pc.invariant = 0;
    clock_init_boot();
    assert_true(tsc_reliable());                /* alone, it will do */
    second_there = true;
    second_ahead = 0;
    clock_check_source(&cpus[1]);
    assert_int_equal(source, BY_PLATFORM);
    time_is_the_same_on_both();

    power_on();
    pc.invariant = 0;
    pc.cpuid1_ecx = CPUID_HYPERVISOR;            /* who runs us keeps it steady */
    clock_init_boot();
    clock_check_source(&cpus[1]);
    assert_true(tsc_reliable());

    power_on();
    clock_init_boot();
    pc.access_ns = 1000000;
    second_there = false;
    clock_check_source(&cpus[1]);
    assert_int_equal(source, BY_PLATFORM);
    assert_non_null(strstr(console, "did not compare its TSC in time"));
}

/* ---- the local APIC ---- */

static void boot_apic(void)
{
    clock_init_boot();
    lapic_init_boot();
}

static void a_command_goes_to_one_processor(void **state)
{
    for (unsigned x2 = 0; x2 < 2; x2++) {
        uint64_t to = x2 ? 0x12345 : 0x45;

        power_on();
        pc.cpuid1_ecx = x2 ? CPUID_X2APIC | CPUID_HYPERVISOR : 0;
        *(uint32_t *)(pc.page + 0x20) = x2 ? 0x1ff : 7u << 24;
        boot_apic();
        assert_int_equal(host_cpu->apic_id, x2 ? 0x1ff : 7);
        assert_int_equal(!!(pc.msr[MSR_APIC_BASE] & 1u << 10), x2);
        pc.icr_busy = x2 ? 0 : 3;
        lapic_send((uint32_t)to, 0xf1);
        assert_int_equal(pc.icr, to << 32 | 0x40f1);
        lapic_send_init((uint32_t)to);
        assert_int_equal(pc.icr, to << 32 | 0x4500);
        lapic_send_startup((uint32_t)to, 8);
        assert_int_equal(pc.icr, to << 32 | 0x4608);
        lapic_send_nmi((uint32_t)to);
        assert_int_equal(pc.icr, to << 32 | 0x4400);
        assert_int_equal(pc.commands, 4);
        lapic_eoi();
        assert_int_equal(pc.eois, 1);
    }
}

static bool uses_x2apic(uint32_t ecx, bool left_on, bool option, uint32_t apic_id)
{
    power_on();
    pc.cpuid1_ecx = ecx;
    pc.msr[MSR_APIC_BASE] |= left_on ? 1u << 10 : 0;
    machine.options.x2apic = option;
    machine.acpi.cpus = 1;
    machine.acpi.cpu[0] = (struct acpi_cpu){ .apic_id = apic_id, .enabled = true };
    boot_apic();
    return !lapic;
}

static void x2apic_is_used_where_it_has_to_be(void **state)
{
    assert_false(uses_x2apic(0, false, true, 3));
    assert_false(uses_x2apic(CPUID_X2APIC, false, true, 3));
    assert_true(uses_x2apic(CPUID_X2APIC, true, true, 3));
    assert_true(uses_x2apic(CPUID_X2APIC, true, false, 3));
    assert_true(uses_x2apic(CPUID_X2APIC, false, true, 255));
    assert_false(uses_x2apic(CPUID_X2APIC, false, false, 255));
    assert_true(uses_x2apic(CPUID_X2APIC | CPUID_HYPERVISOR, false, true, 3));
    assert_false(uses_x2apic(CPUID_X2APIC | CPUID_HYPERVISOR, false, false, 3));
}

static void the_nmi_comes_where_firmware_says(void **state)
{
    power_on();
    *(uint32_t *)(pc.page + 0x20) = 2u << 24;
    machine.acpi.cpus = 2;
    machine.acpi.cpu[0] = (struct acpi_cpu){ .apic_id = 2, .uid = 40, .enabled = true };
    machine.acpi.nmis = 2;
    machine.acpi.nmi[0] = (struct acpi_nmi){
        .is_lint = true, .lint = 0, .uid = 40, .polarity = ACPI_ACTIVE_LOW
    };
    machine.acpi.nmi[1] = (struct acpi_nmi){ .is_lint = true, .lint = 1, .uid = 41 };
    boot_apic();
    assert_int_equal(*(uint32_t *)(pc.page + 0x350), 0x400 | 1u << 13);
    power_on();
    boot_apic();
    assert_int_equal(*(uint32_t *)(pc.page + 0x350), LVT_MASKED);
    assert_int_equal(*(uint32_t *)(pc.page + 0x360), 0x400);
}

/* ---- its timer ---- */

/* When the hardware would interrupt, in true time; 0: never. */
static uint64_t interrupt_at(void)
{
    uint32_t lvt = *(uint32_t *)(pc.page + 0x320), count = *(uint32_t *)(pc.page + 0x380);

    if (lvt & LVT_MASKED)
        return 0;
    if (lvt & LVT_TSC_DEADLINE) {
        uint64_t at = pc.msr[MSR_TSC_DEADLINE];

        return at ? (uint64_t)((unsigned __int128)(at - (uint64_t)pc.tsc_ahead) * 1000 / pc.tsc_mhz) + 1 : 0;
    }
    return count ? pc.timer_started + (uint64_t)count * 1000 / pc.apic_mhz + 1 : 0;
}

/* In steps, as far as the hardware reaches: the timer code looks at the clock and programs it again. */
static void it_wakes_in_time(uint64_t wait)
{
    uint64_t deadline = now_ns() + wait, at = 0;
    unsigned interrupts = 0;

    do {
        hw_timer_program(deadline);
        at = interrupt_at();
        assert_true(at != 0);
        pc.ns = MAX(pc.ns, at);
        assert_true(++interrupts < 3 + wait / 1000000000);
    } while (now_ns() < deadline);
    assert_true(now_ns() - deadline < 2000 + wait / 10000);
}

static void a_deadline_is_met(void **state)
{
    for (unsigned mode = 0; mode < 4; mode++) {
        power_on();
        pc.cpuid1_ecx = (mode & 1 ? CPUID_DEADLINE : 0) | (mode & 2 ? CPUID_X2APIC | CPUID_HYPERVISOR : 0);
        pc.disturb_one_in = mode == 2 ? 300 : 0;     /* measuring is disturbed */
        boot_apic();
        pc.disturb_one_in = 0;
        assert_int_equal(deadline_mode, mode & 1);
        assert_int_equal(interrupt_at(), 0);
        for (uint64_t wait = 1; wait < 100000000000ull; wait = wait * 3 + 1)
            it_wakes_in_time(wait);
        hw_timer_program(1);                        /* past: at once */
        assert_true(interrupt_at() != 0 && interrupt_at() < pc.ns + 1000);
        hw_timer_program(~0ull - 1);                /* so far away that it must not come round to soon */
        assert_true(interrupt_at() > pc.ns + 1000000000);
        hw_timer_program(~0ull);
        assert_int_equal(interrupt_at(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_counter_measures_the_tsc),
        cmocka_unit_test(system_time_is_true_time),
        cmocka_unit_test(the_chipset_tells_the_time),
        cmocka_unit_test(a_second_processor_has_the_same_time),
        cmocka_unit_test(a_bad_tsc_is_given_up),
        cmocka_unit_test(a_command_goes_to_one_processor),
        cmocka_unit_test(x2apic_is_used_where_it_has_to_be),
        cmocka_unit_test(the_nmi_comes_where_firmware_says),
        cmocka_unit_test(a_deadline_is_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
