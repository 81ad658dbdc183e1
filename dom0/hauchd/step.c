/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of steps with undo: see step.h. */
#include "dom0/hauchd/step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct fault no_memory;

void job_init(struct job *job, const struct step *steps, unsigned count, void *ctx)
{
    memset(job, 0, sizeof(*job));
    job->steps = steps;
    job->count = count;
    job->ctx = ctx;
    job->state = JOB_DOWN;
}

void job_clear(struct job *job)
{
    if (job->fault != &no_memory)
        free(job->fault);
    job->fault = NULL;
    job->failed = false;
}

void job_adopt(struct job *job)
{
    job->at = job->count;
    job->state = JOB_UP;
}

/* One call of the current step's run or undo, with the waiting accounted for. */
static int attempt(struct job *job, step_fn fn, uint64_t now, struct fault *f)
{
    const struct step *s = &job->steps[job->at];
    int                rc;

    f->code = 0;
    f->text[0] = 0;
    rc = fn(job->ctx, f);
    if (rc != STEP_WAIT) {
        job->deadline_ms = 0;
        return rc;
    }
    if (!job->deadline_ms)
        job->deadline_ms = now + s->patience_ms;
    if (now < job->deadline_ms)
        return STEP_WAIT;
    job->deadline_ms = 0;
    if (!f->text[0])
        fault_set(f, -ETIMEDOUT, "no answer within %u ms", s->patience_ms);
    return f->code = -ETIMEDOUT;
}

/* The failed step itself is undone too: it may have done half of its work. */
static void turn_back(struct job *job, int rc, const struct fault *f)
{
    job_clear(job);
    job->failed = true;
    job->fault = malloc(sizeof(*job->fault));
    if (job->fault) {
        *job->fault = *f;
        job->fault->code = rc;
        fault_wrap(job->fault, "%s", job->steps[job->at].name);
    } else {
        fault_memory(&no_memory);
        job->fault = &no_memory;
    }
    job->state = JOB_BACKWARD;
    job->at++;
}

static bool forward(struct job *job, uint64_t now)
{
    struct fault f = { 0 };
    int          rc;

    if (job->at == job->count) {
        job->state = JOB_UP;
        return false;
    }
    if (job->enter && !job->deadline_ms)
        job->enter(job->ctx, job->steps[job->at].name);
    rc = attempt(job, job->steps[job->at].run, now, &f);
    if (rc == STEP_WAIT)
        return false;
    if (rc < 0)
        turn_back(job, rc, &f);
    else
        job->at++;
    return true;
}

/* An undo that fails or takes too long is told of and passed over: the rest must still be cleaned up. */
static bool backward(struct job *job, uint64_t now)
{
    struct fault f = { 0 };
    int          rc = 0;

    if (!job->at) {
        job->state = JOB_DOWN;
        return false;
    }
    job->at--;
    if (job->steps[job->at].undo)
        rc = attempt(job, job->steps[job->at].undo, now, &f);
    if (rc == STEP_WAIT) {
        job->at++;
        return false;
    }
    if (rc < 0 && job->note) {
        fault_wrap(&f, "undoing %s", job->steps[job->at].name);
        job->note(job->ctx, &f);
    }
    return true;
}

void job_poke(struct job *job, uint64_t now)
{
    bool more = true;

    while (more) {
        if (job->state == JOB_FORWARD)
            more = forward(job, now);
        else if (job->state == JOB_BACKWARD)
            more = backward(job, now);
        else
            more = false;
    }
}

void job_start(struct job *job, uint64_t now)
{
    job_clear(job);
    job->deadline_ms = 0;
    job->state = JOB_FORWARD;
    job_poke(job, now);
}

void job_undo(struct job *job, uint64_t now)
{
    if (job->state == JOB_BACKWARD)
        return;
    if (job->state == JOB_FORWARD && job->at < job->count)
        job->at++;                  /* the step that was waiting may have done half of its work */
    job->deadline_ms = 0;
    job->state = JOB_BACKWARD;
    job_poke(job, now);
}
