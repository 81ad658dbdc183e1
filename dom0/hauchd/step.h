/* SPDX-License-Identifier: BSD-2-Clause */
/* A straight list of steps, each with its undo.
 *
 * Making a domain is such a list walked forwards; unmaking it is the same list walked backwards from wherever
 * it stands. So a failure at step n undoes n-1 ... 0, a later `destroy` undoes all, and neither needs code of
 * its own.
 *
 * A step that must wait for someone else (a back end, the kernel) returns STEP_WAIT and is called again
 * whenever something happened, until it is done, fails, or its time is over. Nothing here sleeps or knows a
 * descriptor: time comes in as a parameter. */
#ifndef HAUCHD_STEP_H
#define HAUCHD_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/xc_err.h"

enum { STEP_DONE = 0, STEP_WAIT = 1 };

/* 0 (STEP_DONE), STEP_WAIT, or a negative errno with the sentence in @f. */
typedef int (*step_fn)(void *ctx, struct fault *f);

struct step {
    const char *name;        /* as in "web: disks: ..." */
    step_fn     run;
    step_fn     undo;        /* NULL: nothing to undo. Must cope with a run that failed half way. */
    unsigned    patience_ms; /* how long run or undo may wait; 0: they never do */
};

enum job_state {
    JOB_FORWARD,             /* running steps */
    JOB_BACKWARD,            /* undoing */
    JOB_UP,                  /* all steps done */
    JOB_DOWN,                /* all undone, or nothing done yet */
};

struct job {
    const struct step *steps;
    unsigned           count;
    unsigned           at;            /* the step being run or undone; steps below it are done */
    enum job_state     state;
    uint64_t           deadline_ms;   /* of the current wait; 0: not waiting */
    bool               failed;        /* going backwards because of `fault` */
    struct fault      *fault;         /* why; NULL unless failed: few jobs fail, and each domain has one */
    void              *ctx;
    void             (*note)(void *ctx, const struct fault *f);  /* told of undos that failed; may be NULL */
    void (*enter)(void *ctx, const char *name); /* told of each step before it runs; may be NULL */
};

/* A job at its beginning: JOB_DOWN. */
void job_init(struct job *job, const struct step *steps, unsigned count, void *ctx);
/* Frees what it holds; at any time, and it may begin again. */
void job_clear(struct job *job);
/* A job at its end, JOB_UP, as if all steps had been run: by an earlier life of this program. */
void job_adopt(struct job *job);

/* Turn round and walk; both call job_poke(). */
void job_start(struct job *job, uint64_t now_ms);
void job_undo(struct job *job, uint64_t now_ms);

/* Go as far as possible. Call after any event that a step may wait for, and when the deadline has passed. */
void job_poke(struct job *job, uint64_t now_ms);

#endif
