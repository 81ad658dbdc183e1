/* SPDX-License-Identifier: BSD-2-Clause */
/* The two threads beside the loop. Unpacking a kernel, filling a domain's memory, writing a core file and
 * taking a large domain's memory back take seconds; meanwhile hauchd answers. One thread makes and one ends,
 * so that nobody who destroys a domain waits for the making of another. Each has control calls of its own;
 * the maker alone touches the cache of kernels. They know nothing of domains, clients or the store. Tasks go
 * to each through a queue, in order, and come back through one that they share; a descriptor tells the loop.
 * So nothing else in hauchd needs a lock. */
#define _GNU_SOURCE
#include "dom0/hauchd/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/core_dump.h"

enum { MAKER, ENDER, THREADS };

struct lane {
    struct worker *w;
    pthread_t      thread;
    pthread_cond_t more;
    struct task   *todo, **todo_end;        /* under the worker's lock */
    struct xc     *xc;                      /* the thread's own */
};

struct worker {
    pthread_mutex_t          lock;          /* of what follows */
    struct task             *finished, **finished_end;
    bool                     stop;
    struct image_cache_stats stats;
    struct image_cache      *images;        /* the maker's alone */
    struct lane              lane[THREADS];
    unsigned                 started;       /* threads that run */
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

/* A file that was there is overwritten, but nothing else is: it would be removed if the writing fails. A FIFO
 * must not be waited for. */
static int core_open(struct task *t)
{
    int         fd = open(t->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct stat st;

    if (fd < 0 || fstat(fd, &st)) {
        fault_errno(&t->fault, -errno, "cannot make core file %s (choose another path, in a folder that is "
                                       "there)",
                    t->path);
    } else if (S_ISREG(st.st_mode)) {
        return fd;
    } else {
        fault_set(&t->fault, -EINVAL, "core file %s: there is something that is no file; choose another path",
                  t->path);
    }
    if (fd >= 0)
        close(fd);
    return t->fault.code;
}

/* The file is whole and on the disk, or gone. */
static void work_dump(struct xc *xc, struct task *t)
{
    int fd = core_open(t);

    if (fd < 0) {
        t->rc = fd;
        return;
    }
    t->rc = core_dump(xc, t->domid, fd, &t->fault);
    if (!t->rc && fsync(fd))
        t->rc = fault_errno(&t->fault, -errno, "cannot write core file %s (make room there)", t->path);
    close(fd);
    if (t->rc)
        unlink(t->path);
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
        work_dump(xc, t);
        return;
    case TASK_DESTROY:
        t->rc = xc_domain_destroy(xc, t->domid, &t->fault);
        return;
    case TASK_PUT:
        image_cache_put(images, t->image);
        return;
    }
}

static struct task *task_next(struct lane *l)
{
    struct worker *w = l->w;
    struct task   *t;

    pthread_mutex_lock(&w->lock);
    while (!l->todo && !w->stop)
        pthread_cond_wait(&l->more, &w->lock);
    t = w->stop ? NULL : l->todo;
    if (t) {
        l->todo = t->next;
        if (!l->todo)
            l->todo_end = &l->todo;
    }
    pthread_mutex_unlock(&w->lock);
    return t;
}

static void *thread(void *arg)
{
    struct lane             *l = arg;
    struct worker           *w = l->w;
    bool                     maker = l == &w->lane[MAKER];
    struct image_cache_stats stats = { 0 };
    struct task             *t;

    while ((t = task_next(l))) {
        work(l->xc, w->images, t);
        if (maker)
            image_cache_stats(w->images, &stats);
        pthread_mutex_lock(&w->lock);
        if (maker)
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
static int lane_start(struct worker *w, struct lane *l, struct fault *f)
{
    int rc = xc_open(&l->xc, f);

    if (rc)
        return rc;
    l->w = w;
    l->todo_end = &l->todo;
    pthread_cond_init(&l->more, NULL);
    rc = -pthread_create(&l->thread, NULL, thread, l);
    if (!rc)
        return 0;
    xc_close(l->xc);
    return fault_errno(f, rc, "cannot start a thread (are there too many?)");
}

int worker_start(struct hauchd *h, struct fault *f)
{
    struct worker *w = calloc(1, sizeof(*w));
    int            rc;

    if (!w)
        return fault_memory(f);
    h->worker = w;
    w->images = h->images;
    w->finished_end = &w->finished;
    pthread_mutex_init(&w->lock, NULL);
    w->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    rc = w->event_fd < 0 ? -errno : loop_add(h, w->event_fd, FROM_WORKER, NULL);
    if (rc)
        fault_errno(f, rc, "cannot start threads (are too many files open?)");
    while (!rc && w->started < THREADS) {
        rc = lane_start(w, &w->lane[w->started], f);
        w->started += !rc;
    }
    if (rc)
        worker_stop(h);
    return rc;
}

static void tasks_drop(struct task *t)
{
    struct task *next;

    for (; t; t = next) {
        next = t->next;
        task_free(t);
    }
}

/* A task that is being worked at is waited for; those that are not begun are dropped. */
void worker_stop(struct hauchd *h)
{
    struct worker *w = h->worker;

    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    for (unsigned i = 0; i < w->started; i++)
        pthread_cond_signal(&w->lane[i].more);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->started; i++) {
        pthread_join(w->lane[i].thread, NULL);
        tasks_drop(w->lane[i].todo);
        xc_close(w->lane[i].xc);
    }
    tasks_drop(w->finished);
    if (w->event_fd >= 0)
        close(w->event_fd);
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
    struct lane   *l = w ? &w->lane[t->kind == TASK_DESTROY ? ENDER : MAKER] : NULL;

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
    *l->todo_end = t;
    l->todo_end = &t->next;
    pthread_cond_signal(&l->more);
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

bool worker_dump(struct hauchd *h, uint16_t domid, const char *path, task_fn finished, void *ctx)
{
    struct task *t = calloc(1, sizeof(*t));

    if (!t)
        return false;
    t->kind = TASK_DUMP;
    t->domid = domid;
    t->path = strdup(path);
    t->finished = finished;
    t->ctx = ctx;
    if (!t->path) {
        free(t);
        return false;
    }
    submit(h, t);
    return true;
}

static struct task *destroy_task(uint16_t domid)
{
    struct task *t = calloc(1, sizeof(*t));

    if (t) {
        t->kind = TASK_DESTROY;
        t->domid = domid;
    }
    return t;
}

struct task *worker_destroy(struct hauchd *h, struct domain *owner, uint16_t domid)
{
    struct task *t = destroy_task(domid);

    if (t) {
        t->owner = owner;
        submit(h, t);
    }
    return t;
}

bool worker_destroy_foreign(struct hauchd *h, uint16_t domid, task_fn finished, void *ctx)
{
    struct task *t = destroy_task(domid);

    if (t) {
        t->finished = finished;
        t->ctx = ctx;
        submit(h, t);
    }
    return t;
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
