/* SPDX-License-Identifier: BSD-2-Clause */
/* The watchdog, on three processors whose timers the test runs: who hangs is accused, who works is not. */
#include <hv/crash.h>
#include <hv/frame.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/timer.h>
#include <hv/watchdog.h>
#include <hw/hw.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000000000ull
#define CPUS   3u

static struct pcpu cpu[CPUS];
static struct timer *timers[CPUS];
static unsigned timer_count, counters_begun, accusations, reserved;
static struct pcpu *accused;
static bool has_counter, stubborn, hung[CPUS];
static uint64_t now;
static jmp_buf crashed;
static char reason[128], said[256];

uint64_t now_ns(void) { return now; }
void *kalloc(size_t n)
{
    static uint8_t pool[1024] __attribute__((aligned(16)));

    assert_true(n <= sizeof pool);
    return memset(pool, 0, sizeof pool);
}
int timer_reserve(unsigned n) { reserved += n; return 0; }
void timer_init(struct timer *t, void (*fn)(void *, uint64_t), void *arg, unsigned c)
{
    *t = (struct timer){ .fn = fn, .arg = arg, .cpu = c };
}
void timer_set(struct timer *t, uint64_t deadline)
{
    t->deadline = deadline;
    timers[t->cpu] = t;
    timer_count++;
}
bool hw_counter_present(void) { return has_counter; }
void hw_counter_start(void) { counters_begun++; }
void crash(const char *text, const struct regs *r)
{
    strncpy(reason, text, sizeof reason - 1);
    longjmp(crashed, 1);
}
void printk(enum log_level level, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(said, sizeof said, fmt, ap);
    va_end(ap);
}
/* On the machine the NMI's handler crashes there. */
bool hw_accuse(struct pcpu *c)
{
    accusations++;
    accused = c;
    if (!stubborn)
        crash("accused", NULL);
    return false;
}

static void begin(unsigned cpus, bool counter, bool option)
{
    machine.options.watchdog = option;
    machine.options.watchdog_timeout = 5;
    pcpu_count = cpus;
    timer_count = counters_begun = accusations = reserved = 0;
    has_counter = counter;
    stubborn = false;
    said[0] = reason[0] = 0;
    memset(timers, 0, sizeof timers);
    memset(hung, 0, sizeof hung);
    for (unsigned i = 0; i < CPUS; i++) {
        cpu[i].id = i;
        pcpus[i] = &cpu[i];
    }
    host_cpu = &cpu[0];
    watchdog_start();
}

/* Runs the timers of all processors that work, a tenth of a second at a time. False: the machine crashed. */
static bool run(unsigned tenths)
{
    if (setjmp(crashed))
        return false;
    for (volatile unsigned n = tenths; n; n--) {
        now += SECOND / 10;
        for (volatile unsigned i = 0; i < pcpu_count; i++) {
            if (hung[i] || !timers[i] || timers[i]->deadline > now)
                continue;
            host_cpu = &cpu[i];
            timers[i]->fn(timers[i]->arg, now);
        }
    }
    return true;
}

static void off_nothing_runs(void **state)
{
    begin(3, true, false);
    assert_int_equal(timer_count, 0);
    assert_int_equal(reserved, 0);
    assert_string_equal(said, "");
}

static void one_processor_without_a_counter(void **state)
{
    begin(1, false, true);
    assert_int_equal(timer_count, 0);
    assert_non_null(strstr(said, "watchdog: none"));
}

static void who_works_is_left_alone(void **state)
{
    begin(3, false, true);
    assert_non_null(strstr(said, "looking at each other"));
    assert_true(run(3000));
    assert_int_equal(accusations, 0);
    assert_int_equal(counters_begun, 3);
}

static void who_hangs_is_accused(void **state)
{
    for (unsigned i = 0; i < CPUS; i++) {
        begin(3, false, true);
        assert_true(run(20));
        hung[i] = true;
        assert_true(run(45));
        assert_false(run(20));
        assert_ptr_equal(accused, &cpu[i]);
        assert_string_equal(reason, "accused");
    }
}

/* The others soon wait for the one that hangs, for a lock or a flush, and their timers do not run either. */
static void who_waits_accuses_too(void **state)
{
    begin(2, false, true);
    assert_true(run(20));
    hung[0] = hung[1] = true;
    host_cpu = &cpu[1];
    if (setjmp(crashed)) {
        assert_ptr_equal(accused, &cpu[0]);
        return;
    }
    for (volatile unsigned n = 0; n < 80; n++) {
        now += SECOND / 10;
        watchdog_waiting();
    }
    fail();
}

/* Between two looks the whole machine stood still: nobody is to blame. */
static void waiting_through_a_standstill(void **state)
{
    begin(2, false, true);
    assert_true(run(20));
    host_cpu = &cpu[1];
    watchdog_waiting();
    now += 3600 * SECOND;
    watchdog_waiting();
    assert_int_equal(accusations, 0);
}

static void who_does_not_answer_is_named(void **state)
{
    begin(2, false, true);
    stubborn = hung[1] = true;
    assert_false(run(100));
    assert_string_equal(reason, "watchdog: CPU 1 hangs and does not answer an NMI");
}

static void touching_counts_as_alive(void **state)
{
    begin(2, false, true);
    assert_true(run(10));
    hung[1] = true;
    for (unsigned i = 0; i < 10; i++) {
        host_cpu = &cpu[1];
        watchdog_touch();
        assert_true(run(40));
    }
    assert_false(run(30));
    assert_ptr_equal(accused, &cpu[1]);
}

/* The counter's NMI: of a processor that runs its timers nothing follows, of one that does not, the crash. */
static void the_counter_bites_a_single_processor(void **state)
{
    begin(1, true, true);
    assert_non_null(strstr(said, "performance counters"));
    assert_true(run(50));
    host_cpu = &cpu[0];
    watchdog_nmi(NULL);
    hung[0] = true;
    assert_true(run(60));
    if (!setjmp(crashed)) {
        watchdog_nmi(NULL);
        fail();
    }
    assert_string_equal(reason, "watchdog: this processor hangs");
}

static void the_limit_is_the_options(void **state)
{
    begin(2, false, true);
    machine.options.watchdog_timeout = 60;
    assert_true(run(10));
    hung[0] = true;
    assert_true(run(590));
    assert_false(run(30));
    assert_ptr_equal(accused, &cpu[0]);
}

/* All were stopped together: nobody is accused when they go on, whoever is first. */
static void a_machine_that_stood_still(void **state)
{
    begin(3, false, true);
    assert_true(run(20));
    now += 1000 * SECOND;
    assert_true(run(100));
    assert_int_equal(accusations, 0);
    hung[2] = true;
    assert_false(run(100));
}

/* A crash prints for longer than any limit. */
static void after_its_end_it_is_silent(void **state)
{
    begin(2, true, true);
    assert_true(run(20));
    watchdog_stop();
    hung[1] = true;
    now += 100 * SECOND;
    host_cpu = &cpu[1];
    watchdog_nmi(NULL);
    assert_true(run(200));
    assert_int_equal(accusations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_nothing_runs),
        cmocka_unit_test(one_processor_without_a_counter),
        cmocka_unit_test(who_works_is_left_alone),
        cmocka_unit_test(who_hangs_is_accused),
        cmocka_unit_test(who_waits_accuses_too),
        cmocka_unit_test(waiting_through_a_standstill),
        cmocka_unit_test(who_does_not_answer_is_named),
        cmocka_unit_test(touching_counts_as_alive),
        cmocka_unit_test(the_counter_bites_a_single_processor),
        cmocka_unit_test(the_limit_is_the_options),
        cmocka_unit_test(a_machine_that_stood_still),
        cmocka_unit_test(after_its_end_it_is_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
