/* SPDX-License-Identifier: BSD-2-Clause */
/* The one thread beside the loop. Unpacking a kernel and filling a domain's memory take seconds; meanwhile
 * hauchd answers. The thread alone touches the cache of kernels, and has control calls of its own; it knows
 * nothing of domains, clients or the store. Tasks go to it through one queue, in order, and come back through
 * another; a descriptor tells the loop. So nothing else in hauchd needs a lock. */
#define _GNU_SOURCE
#include "dom0/hauchd/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/core_dump.h"

struct worker {
    pthread_t                thread;
    pthread_mutex_t          lock;          /* of what follows */
    pthread_cond_t           more;
    struct task             *todo, **todo_end, *finished, **finished_end;
    bool                     stop;
    struct image_cache_stats stats;
    struct xc               *xc;            /* the thread's own */
    struct image_cache      *images;        /* the thread's alone */
    int                      event_fd;
    unsigned                 pending;       /* tasks that have not come back; the loop's side only */
};

/* ---- the work itself: in the thread, or at once where there is none ---- */
static void work_kernel(struct image_cache *images, struct task *t)
{
    struct image_error e = { "" };

    t->rc = image_cache_get(images, t->path, &t->image, &e);
    if (t->rc)
        fault_set(&t->fault, t->rc, "%s", e.text);
}

static void work(struct xc *xc, struct image_cache *images, struct task *t)
{
    switch (t->kind) {
    case TASK_KERNEL:
        work_kernel(images, t);
        return;
    case TASK_BUILD:
        t->rc = build_pv(xc, &t->build, &t->fault);
        return;
    case TASK_DUMP:
        t->rc = core_dump(xc, t->domid, t->fd, &t->fault);
        return;
    case TASK_PUT:
        image_cache_put(images, t->image);
        return;
    }
}

static struct task *task_next(struct worker *w)
{
    struct task *t;

    pthread_mutex_lock(&w->lock);
    while (!w->todo && !w->stop)
        pthread_cond_wait(&w->more, &w->lock);
    t = w->stop ? NULL : w->todo;
    if (t) {
        w->todo = t->next;
        if (!w->todo)
            w->todo_end = &w->todo;
    }
    pthread_mutex_unlock(&w->lock);
    return t;
}

static void *thread(void *arg)
{
    struct worker *w = arg;
    struct task   *t;

    while ((t = task_next(w))) {
        struct image_cache_stats stats;

        work(w->xc, w->images, t);
        image_cache_stats(w->images, &stats);
        pthread_mutex_lock(&w->lock);
        w->stats = stats;
        t->next = NULL;
        *w->finished_end = t;
        w->finished_end = &t->next;
        pthread_mutex_unlock(&w->lock);
        eventfd_write(w->event_fd, 1);
    }
    return NULL;
}

/* ---- the loop's side ---- */
int worker_start(struct hauchd *h, struct fault *f)
{
    struct worker *w = calloc(1, sizeof(*w));
    int            rc = w ? xc_open(&w->xc, f) : fault_set(f, -ENOMEM, "out of memory");

    if (rc) {
        free(w);
        return rc;
    }
    w->images = h->images;
    w->todo_end = &w->todo;
    w->finished_end = &w->finished;
    w->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    rc = w->event_fd < 0 ? -errno : loop_add(h, w->event_fd, FROM_WORKER, NULL);
    rc = rc ? rc : -pthread_create(&w->thread, NULL, thread, w);
    if (rc) {
        free(w);
        return fault_errno(f, rc, "starting a thread");
    }
    h->worker = w;
    return 0;
}

static void tasks_drop(struct task *t)
{
    struct task *next;

    for (; t; t = next) {
        next = t->next;
        task_free(t);
    }
}

void worker_stop(struct hauchd *h)
{
    struct worker *w = h->worker;

    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    tasks_drop(w->todo);
    tasks_drop(w->finished);
    close(w->event_fd);
    xc_close(w->xc);
    free(w);
    h->worker = NULL;
}

static void finish(struct hauchd *h, struct task *t)
{
    if (h->worker && !t->done)
        h->worker->pending--;
    t->done = true;
    if (t->finished) {
        t->finished(h, t);
        return;
    }
    if (t->owner) {
        domain_poke(t->owner);
        return;
    }
    if (t->kind == TASK_KERNEL && !t->rc)
        worker_put(h, t->image);
    task_free(t);
}

void worker_event(struct hauchd *h)
{
    struct worker *w = h->worker;
    struct task   *list, *next;
    eventfd_t      n;

    eventfd_read(w->event_fd, &n);
    pthread_mutex_lock(&w->lock);
    list = w->finished;
    w->finished = NULL;
    w->finished_end = &w->finished;
    pthread_mutex_unlock(&w->lock);
    for (; list; list = next) {
        next = list->next;
        finish(h, list);
    }
}

static void submit(struct hauchd *h, struct task *t)
{
    struct worker *w = h->worker;

    if (!w) {
        work(h->xc, h->images, t);
        t->done = true;
        if (t->finished)
            t->finished(h, t);
        else if (!t->owner)
            task_free(t);
        return;
    }
    w->pending++;
    pthread_mutex_lock(&w->lock);
    t->next = NULL;
    *w->todo_end = t;
    w->todo_end = &t->next;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
}

struct task *worker_kernel(struct hauchd *h, struct domain *owner, const char *path)
{
    struct task *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->kind = TASK_KERNEL;
    t->owner = owner;
    t->path = strdup(path);
    if (!t->path) {
        free(t);
        return NULL;
    }
    submit(h, t);
    return t;
}

struct task *worker_build(struct hauchd *h, struct domain *owner, const struct build_pv *b)
{
    struct task *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->kind = TASK_BUILD;
    t->owner = owner;
    t->build = *b;
    t->build.cmdline = strdup(b->cmdline ? b->cmdline : "");
    t->build.ramdisk_name = b->ramdisk_name ? strdup(b->ramdisk_name) : NULL;
    if (!t->build.cmdline || (b->ramdisk_name && !t->build.ramdisk_name)) {
        task_free(t);
        return NULL;
    }
    submit(h, t);
    return t;
}

bool worker_dump(struct hauchd *h, uint16_t domid, int fd, void (*finished)(struct hauchd *h, struct task *t),
                 void *ctx)
{
    struct task *t = calloc(1, sizeof(*t));

    if (!t)
        return false;
    t->kind = TASK_DUMP;
    t->domid = domid;
    t->fd = fd;
    t->finished = finished;
    t->ctx = ctx;
    submit(h, t);
    return true;
}

void worker_put(struct hauchd *h, const struct image *image)
{
    struct task *t = calloc(1, sizeof(*t));

    if (!t)
        return;               /* it stays in memory: better than to end here */
    t->kind = TASK_PUT;
    t->image = image;
    submit(h, t);
}

void task_free(struct task *t)
{
    free(t->path);
    free((char *)t->build.cmdline);
    free((char *)t->build.ramdisk_name);
    free(t);
}

void task_abandon(struct hauchd *h, struct task *t)
{
    t->owner = NULL;
    if (t->done)
        finish(h, t);
}

bool worker_busy(const struct hauchd *h)
{
    return h->worker && h->worker->pending;
}

void worker_stats(struct hauchd *h, struct image_cache_stats *out)
{
    struct worker *w = h->worker;

    if (!w) {
        image_cache_stats(h->images, out);
        return;
    }
    pthread_mutex_lock(&w->lock);
    *out = w->stats;
    pthread_mutex_unlock(&w->lock);
}
