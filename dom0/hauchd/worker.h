/* SPDX-License-Identifier: BSD-2-Clause */
/* What takes long and needs nothing of the rest: see worker.c. */
#ifndef HAUCHD_WORKER_H
#define HAUCHD_WORKER_H

#include "dom0/hauchd/hauchd.h"

enum task_kind { TASK_KERNEL, TASK_BUILD, TASK_PUT, TASK_DUMP, TASK_DESTROY };

typedef void (*task_fn)(struct hauchd *h, struct task *t);

/* All that the thread sees; strings are the task's own. */
struct task {
    struct task        *next;
    enum task_kind      kind;
    bool                done;         /* set by the main thread only, when it learns so */
    struct domain      *owner;        /* is poked then; NULL: nobody wants it, it is freed */
    int                 rc;
    struct fault        fault;
    char               *path;         /* kernel, dump: of the file */
    const struct image *image;        /* kernel: out; build, put: in */
    struct build_pv     build;
    uint16_t            domid;        /* dump, destroy: of it */
    task_fn             finished;     /* told in place of an owner, and frees the task */
    void               *ctx;
};

/* Without a call of this, everything is done at once by whoever asks: for tests. */
int  worker_start(struct hauchd *h, struct fault *f);
void worker_stop(struct hauchd *h);
void worker_event(struct hauchd *h);      /* its descriptor is readable */

/* Begin; NULL: no memory. The owner is poked when it is done (it may be so at once), then reads the result
 * and calls task_free(). */
struct task *worker_kernel(struct hauchd *h, struct domain *owner, const char *path);
struct task *worker_build(struct hauchd *h, struct domain *owner, const struct build_pv *b);
/* A core file; false: no memory. @finished is told at the end, maybe at once; the file is then whole and on
 * the disk, or gone. */
bool worker_dump(struct hauchd *h, uint16_t domid, const char *path, task_fn finished, void *ctx);
/* Destroy a domain: takes as long as its memory is large. NULL or false: no memory. */
struct task *worker_destroy(struct hauchd *h, struct domain *owner, uint16_t domid);
bool worker_destroy_foreign(struct hauchd *h, uint16_t domid, task_fn finished, void *ctx);
/* Give a kernel back; nobody waits for it. */
void worker_put(struct hauchd *h, const struct image *image);
void task_free(struct task *t);
/* Its owner does not want it any more: it is freed when it is done, and a kernel it brings is given back. */
void task_abandon(struct hauchd *h, struct task *t);

/* Is something still to come back? */
bool worker_busy(const struct hauchd *h);
void worker_stats(struct hauchd *h, struct image_cache_stats *out);

#endif
