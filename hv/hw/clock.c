/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System time. It comes from the TSC, whose rate is measured once against a counter of the chipset, as long
 * as the TSC deserves it: it must keep its rate, and that of each further processor is compared with the
 * first one's when it comes up. A constant difference is taken out in the processor itself (IA32_TSC_ADJUST)
 * or, where that register is missing, by an offset of ours. If neither can be, the counter of the chipset
 * tells the time from then on, and guests' clocks are set anew again and again. All that is settled before
 * the first domain is created.
 */
#include <hv/clock.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/time.h>
#include <hv/tsc_check.h>
#include <hw/hw.h>

#include "cpu.h"
#include "insn.h"
#include "platform_timer.h"

#define POINTS        6u
#define POINT_MS      6u                /* between two: all are done before a PIT has gone round */
#define ROUGHLY       3u
#define TRIES         3u
#define LOOKS         4u                /* for one point, of which the quickest counts */
#define ERROR_MOST    2000000u          /* parts per thousand million that are worth a warning */
#define WAIT_SECONDS  5u                /* for the other processor */

#define CPUID_HYPERVISOR (1u << 31)     /* leaf 1, ECX */
#define CPUID_TSC_ADJUST (1u << 1)      /* leaf 7, EBX */
#define CPUID_INVARIANT  (1u << 8)      /* leaf 80000007h, EDX */

enum source { BY_TSC, BY_OFFSET_TSC, BY_PLATFORM };

static uint32_t source;                 /* enum source; atomic */
static uint64_t tsc0, khz;
static struct tsc_scale scale;
static uint64_t offset[MAX_CPUS];   /* BY_OFFSET_TSC: how far a processor's TSC is ahead of the first one's */

static const struct platform_timer *platform;
static struct wide_counter wide;
static uint64_t platform_ns0;           /* BY_PLATFORM: system time when it began */
static struct tsc_scale platform_scale;

static uint64_t error_ppb;
static struct tsc_meeting meeting[MAX_CPUS];
static int64_t unsure;                  /* ticks: of processors found the same, how far apart they may be */

uint64_t tsc_now(void) { return rdtsc_ordered(); }
uint64_t tsc_khz(void) { return khz; }
bool tsc_reliable(void) { return __atomic_load_n(&source, __ATOMIC_RELAXED) == BY_TSC; }

static __attribute__((noinline)) uint64_t now_otherwise(uint32_t by)
{
    if (by == BY_OFFSET_TSC)
        return tsc_to_ns(scale, rdtsc_ordered() - tsc0 - offset[this_cpu()->id]);
    return platform_ns0 + tsc_to_ns(platform_scale, wide_counter_read(&wide, platform->read));
}

uint64_t now_ns(void)
{
    uint32_t by = __atomic_load_n(&source, __ATOMIC_ACQUIRE);

    if (unlikely(by != BY_TSC))
        return now_otherwise(by);
    return tsc_to_ns(scale, rdtsc_ordered() - tsc0);
}

/* ---- measuring ---- */

static struct clock_point look(uint64_t (*read)(void))
{
    struct clock_point best = { 0, ~0ull, 0 };

    for (unsigned i = 0; i < LOOKS; i++) {
        struct clock_point p = { .before = rdtsc_ordered() };

        p.count = read();
        p.after = rdtsc_ordered();
        if (p.after - p.before < best.after - best.before)
            best = p;
    }
    return best;
}

uint64_t clock_measure(uint64_t (*read)(void), uint64_t mask, uint64_t *ticks)
{
    struct clock_point p[POINTS];
    unsigned first = 0, last = POINTS - 1;
    uint64_t quantum, error;

    for (unsigned i = 0; i < POINTS; i++) {
        while (i && rdtsc() - p[0].before < i * POINT_MS * khz)
            __builtin_ia32_pause();
        p[i] = look(read);
    }
    quantum = clock_tsc_between(&p[0], &p[POINTS - 1]) /
              (clock_count_between(&p[0], &p[POINTS - 1], mask) | 1);
    error = clock_best_pair(p, POINTS, quantum, &first, &last);
    *ticks = clock_count_between(&p[first], &p[last], mask);
    error_ppb = MAX(error_ppb, error);
    return clock_tsc_between(&p[first], &p[last]);
}

/* TSC ticks in a millisecond: the least of some attempts, for what comes in between makes it only longer. */
static uint64_t roughly(void)
{
    uint64_t least = ~0ull;

    for (unsigned i = 0; i < ROUGHLY; i++) {
        uint64_t from = platform->read(), start = rdtsc_ordered(), gone;
        uint32_t turns = 0;

        do {
            gone = (platform->read() - from) & platform->mask;
        } while (gone < platform->hz / 1000 && ++turns < 10000000);
        if (!gone)
            panic("the %s does not count: choose another clocksource=", platform->name);
        least = MIN(least, clock_mul_div(rdtsc_ordered() - start, platform->hz / 1000, gone));
    }
    return least;
}

/* A counter of few bits that went round unnoticed makes the TSC look far too quick. */
static void measure_tsc(void)
{
    uint64_t rough = roughly(), ticks, tsc;

    for (unsigned i = 0; i < TRIES; i++) {
        khz = rough;
        error_ppb = 0;
        tsc = clock_measure(platform->read, platform->mask, &ticks);
        khz = ticks ? clock_mul_div(tsc, platform->hz, ticks * 1000) : 0;
        if (khz > rough / 2 && khz < rough * 2)
            break;
    }
    if (khz < 1000)
        panic("the TSC does not count: %lu kHz measured", khz);
}

/* From here on the chipset tells the time; it goes on where the TSC's stands. */
static void clock_fall_back(const char *why)
{
    uint64_t now;

    if (source == BY_PLATFORM)
        return;
    if (!platform_timer_tells_time(platform)) {
        printk(LOG_WARNING, "the TSC is no good clock (%s), but there is neither HPET nor PM timer\n", why);
        return;
    }
    now = now_ns();
    wide.mask = platform->mask;
    wide.last = platform->read();
    platform_scale = tsc_scale_from_hz(platform->hz);
    platform_ns0 = now - tsc_to_ns(platform_scale, wide.last);
    __atomic_store_n(&source, BY_PLATFORM, __ATOMIC_RELEASE);
    printk(LOG_WARNING, "system time comes from the %s: %s\n", platform->name, why);
}

void clock_init_boot(void)
{
    platform = platform_timer_ready(machine.options.clocksource == CLOCK_ACPI);
    measure_tsc();
    scale = tsc_scale_from_khz(khz);
    tsc0 = rdtsc_ordered();
    printk(error_ppb > ERROR_MOST ? LOG_WARNING : LOG_INFO,
           "TSC: %lu kHz by the %s (%lu kHz), at most %lu ppm wrong\n", khz, platform->name,
           platform->hz / 1000, error_ppb / 1000);
    if (machine.options.clocksource != CLOCK_TSC)
        clock_fall_back("by command line");
}

/* ---- whether the TSC deserves it ---- */

/* Under a hypervisor it keeps its rate, or nothing would work there. */
static bool tsc_invariant(void)
{
    uint32_t r[4];

    cpuid(1, 0, r);
    if (r[2] & CPUID_HYPERVISOR)
        return true;
    cpuid(0x80000000, 0, r);
    if (r[0] < 0x80000007)
        return false;
    cpuid(0x80000007, 0, r);
    return r[3] & CPUID_INVARIANT;
}

static bool tsc_adjust(int64_t by)
{
    uint32_t r[4];

    cpuid(0, 0, r);
    if (r[0] < 7)
        return false;
    cpuid(7, 0, r);
    if (!(r[1] & CPUID_TSC_ADJUST))
        return false;
    wrmsr(MSR_TSC_ADJUST, rdmsr(MSR_TSC_ADJUST) + (uint64_t)by);
    return true;
}

static void settle(struct pcpu *c, enum tsc_verdict verdict, int64_t ahead)
{
    const struct tsc_meeting *m = &meeting[c->id];

    offset[c->id] = (uint64_t)ahead;
    switch (verdict) {
    case TSC_SAME:
        unsure = MAX(unsure, m->probe.most - m->probe.least);
        return;
    case TSC_CORRECTED:
        printk(LOG_INFO, "the TSC of processor %u is set right by %ld\n", c->id, m->adjust);
        return;
    case TSC_SHIFTED:
        if (source == BY_TSC)
            __atomic_store_n(&source, BY_OFFSET_TSC, __ATOMIC_RELEASE);
        printk(LOG_WARNING, "the TSC of processor %u is %ld ahead and cannot be set right\n", c->id, ahead);
        return;
    case TSC_WILD:
        clock_fall_back("the TSCs of two processors run at different rates");
        return;
    case TSC_NO_ANSWER:
        clock_fall_back("a processor did not compare its TSC in time");
    }
}

void clock_check_source(struct pcpu *c)
{
    int64_t ahead = 0;
    enum tsc_verdict verdict = tsc_check_source(&meeting[c->id], khz * 1000 * WAIT_SECONDS, &ahead);

    settle(c, verdict, ahead);
    if (!tsc_invariant())
        clock_fall_back("the TSC may change its rate");
}

void clock_check_target(struct pcpu *c)
{
    tsc_check_target(&meeting[c->id], khz * 1000 * WAIT_SECONDS, tsc_adjust);
}

size_t hw_clock_format(char *buf, size_t len)
{
    static const char *const names[] = { "TSC", "TSC with offsets", "chipset" };

    return format(buf, len,
                  "system time: by the %s, TSC %lu kHz measured by %s to %lu ppm, %ld ticks apart at most\n",
                  names[source], khz, platform->name, error_ppb / 1000, unsure);
}

/* ---- the battery clock ---- */

static uint8_t rtc(uint8_t reg) { outb(0x70, reg); return inb(0x71); }
static unsigned from_bcd(unsigned v, bool bcd) { return bcd ? (v & 15) + (v >> 4) * 10 : v; }

/* Days since 1970-01-01 of a date of the Gregorian calendar, counting years from March. */
static uint64_t days(unsigned y, unsigned m, unsigned d)
{
    unsigned shifted = (m + 9) % 12, year = y - (m <= 2);

    return 365ull * year + year / 4 - year / 100 + year / 400 + (shifted * 306 + 5) / 10 + d - 1 - 719468;
}

uint64_t hw_rtc_seconds(void)
{
    unsigned v[6], again[6];
    static const uint8_t reg[6] = { 0, 2, 4, 7, 8, 9 };
    bool bcd = !(rtc(0x0b) & 4), same;

    do {
        for (unsigned n = 0; n < 100000 && rtc(0x0a) & 0x80; n++)
            ;
        same = true;
        for (unsigned i = 0; i < 6; i++)
            v[i] = rtc(reg[i]);
        for (unsigned i = 0; i < 6; i++) {
            again[i] = rtc(reg[i]);
            same &= again[i] == v[i];
        }
    } while (!same);
    for (unsigned i = 0; i < 6; i++)
        v[i] = from_bcd(v[i], bcd);
    return days(2000 + v[5], v[4], v[3]) * 86400 + v[2] * 3600ull + v[1] * 60 + v[0];
}
