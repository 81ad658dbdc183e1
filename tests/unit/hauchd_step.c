/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of steps: a failure, a wait or a time-out injected at every place, and the account of runs and undos
 * after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "dom0/hauchd/step.h"

enum { STEPS = 5 };

static struct {
    int      held[STEPS];         /* what each step has taken and not given back */
    int      order[64], count;    /* +1+n: run n done; -1-n: undo n done */
    int      fail_run, fail_undo, wait_run, wait_undo, waits_left;
    int      notes;
    char     noted[FAULT_TEXT];
} world;

static int run_n(int n, struct fault *f)
{
    world.held[n] = 1;            /* even a step that fails may have taken something */
    if (n == world.wait_run && world.waits_left-- > 0)
        return STEP_WAIT;
    if (n == world.fail_run)
        return fault_set(f, -EIO, "object %d is broken", n);
    world.order[world.count++] = 1 + n;
    return STEP_DONE;
}

static int undo_n(int n, struct fault *f)
{
    if (n == world.wait_undo && world.waits_left-- > 0)
        return STEP_WAIT;
    world.held[n] = 0;
    world.order[world.count++] = -1 - n;
    if (n == world.fail_undo)
        return fault_set(f, -EBUSY, "cannot undo %d", n);
    return STEP_DONE;
}

#define STEP(n)                                                                      \
    static int run##n(void *ctx, struct fault *f) { return run_n(n, f); }            \
    static int undo##n(void *ctx, struct fault *f) { return undo_n(n, f); }
STEP(0) STEP(1) STEP(2) STEP(3) STEP(4)

static const struct step steps[STEPS] = {
    { "zero", run0, undo0, 100 }, { "one", run1, undo1, 100 }, { "two", run2, undo2, 100 },
    { "three", run3, undo3, 100 }, { "four", run4, undo4, 100 },
};

static void note(void *ctx, const struct fault *f)
{
    world.notes++;
    assert_false(strncmp(f->text, "undoing ", 8));
    snprintf(world.noted, sizeof(world.noted), "%s", f->text);
}

static struct job fresh(void)
{
    struct job job;

    memset(&world, 0, sizeof(world));
    world.fail_run = world.fail_undo = world.wait_run = world.wait_undo = -1;
    job_init(&job, steps, STEPS, NULL);
    job.note = note;
    return job;
}

static void assert_nothing_held(void)
{
    for (int i = 0; i < STEPS; i++)
        assert_int_equal(world.held[i], 0);
}

static void test_up_and_down(void **state)
{
    struct job job = fresh();

    job_start(&job, 5);
    assert_int_equal(job.state, JOB_UP);
    job_undo(&job, 6);
    assert_int_equal(job.state, JOB_DOWN);
    assert_false(job.failed);
    for (int i = 0; i < STEPS; i++) {
        assert_int_equal(world.order[i], 1 + i);
        assert_int_equal(world.order[STEPS + i], -STEPS + i);
    }
    job_start(&job, 7);
    assert_int_equal(job.state, JOB_UP);
}

static void test_failure_everywhere(void **state)
{
    static const char *const names[] = { "zero", "one", "two", "three", "four" };

    for (int at = 0; at < STEPS; at++) {
        struct job job = fresh();

        world.fail_run = at;
        job_start(&job, 0);
        assert_int_equal(job.state, JOB_DOWN);
        assert_true(job.failed);
        assert_int_equal(job.fault->code, -EIO);
        assert_non_null(strstr(job.fault->text, "is broken"));
        assert_int_equal(strncmp(job.fault->text, names[at], strlen(names[at])), 0);
        job_clear(&job);
        assert_nothing_held();
        assert_int_equal(world.count, 2 * at + 1);
    }
}

static void test_failing_undo_does_not_stop_the_rest(void **state)
{
    for (int fail = 0; fail < STEPS; fail++)
        for (int undo = 0; undo <= fail; undo++) {
            struct job job = fresh();

            world.fail_run = fail;
            world.fail_undo = undo;
            job_start(&job, 0);
            assert_int_equal(job.state, JOB_DOWN);
            assert_int_equal(world.notes, 1);
            assert_int_equal(job.fault->code, -EIO);
            job_clear(&job);
            assert_nothing_held();
        }
}

static void test_waiting(void **state)
{
    for (int at = 0; at < STEPS; at++) {
        struct job job = fresh();

        world.wait_run = at;
        world.waits_left = 3;
        job_start(&job, 1000);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(job.state, JOB_FORWARD);
            assert_int_equal(job.deadline_ms, 1100);
            job_poke(&job, 1050 + i);
        }
        job_poke(&job, 1090);
        assert_int_equal(job.state, JOB_UP);
        world.wait_undo = at;
        world.waits_left = 1;
        job_undo(&job, 2000);
        assert_int_equal(job.state, JOB_BACKWARD);
        job_undo(&job, 2001);
        assert_int_equal(job.state, JOB_BACKWARD);
        job_poke(&job, 2002);
        assert_int_equal(job.state, JOB_DOWN);
        assert_nothing_held();
    }
}

static void test_timeouts(void **state)
{
    char words[64];

    for (int at = 0; at < STEPS; at++) {
        struct job job = fresh();

        world.wait_run = at;
        world.waits_left = 1000;
        job_start(&job, 1000);
        job_poke(&job, 1099);
        assert_int_equal(job.state, JOB_FORWARD);
        job_poke(&job, 1100);
        assert_int_equal(job.state, JOB_DOWN);
        assert_int_equal(job.fault->code, -ETIMEDOUT);
        job_clear(&job);
        assert_nothing_held();

        job = fresh();
        job_start(&job, 0);
        world.wait_undo = at;
        world.waits_left = 1000;
        job_undo(&job, 10);
        assert_int_equal(job.state, JOB_BACKWARD);
        job_poke(&job, 110);
        assert_int_equal(job.state, JOB_DOWN);
        assert_int_equal(world.notes, 1);
        snprintf(words, sizeof(words), "undoing %s: no answer within 100 ms", steps[at].name);
        assert_string_equal(world.noted, words);
    }
}

static void test_undo_while_waiting(void **state)
{
    for (int at = 0; at < STEPS; at++) {
        struct job job = fresh();

        world.wait_run = at;
        world.waits_left = 1;
        job_start(&job, 0);
        job_undo(&job, 1);
        assert_int_equal(job.state, JOB_DOWN);
        assert_false(job.failed);
        assert_nothing_held();
    }
}

static void test_no_memory(void **state)
{
    struct fault f;

    assert_int_equal(fault_memory(&f), -ENOMEM);
    assert_int_equal(f.code, -ENOMEM);
    assert_string_equal(f.text, "domain 0 has no memory left for this; give it more (hauch mem-set 0 SIZE)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up_and_down), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_failure_everywhere),
        cmocka_unit_test(test_failing_undo_does_not_stop_the_rest),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_undo_while_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
