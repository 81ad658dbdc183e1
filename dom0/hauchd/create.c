/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of steps that makes a domain; read backwards, the one that removes it. */
#define _GNU_SOURCE
#include "dom0/hauchd/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/dev_nodes.h"

/* Patience with a back end: on a slow machine its threads take a while to start. With the worker: it is at
 * most as slow as the disk that kernels come from, and memory. */
enum { BACKEND_MS = 60000, UNPACK_MS = 600000, BUILD_MS = 3600000, DESTROY_MS = 3600000 };

/* ---- files: all that can be known to be missing before anything is made ---- */
static int ramdisk_open(struct domain *d, struct fault *f)
{
    const char *path = d->config.ramdisk;
    struct stat st;

    if (!path)
        return 0;
    d->ramdisk_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (d->ramdisk_fd < 0 || fstat(d->ramdisk_fd, &st))
        return fault_errno(f, -errno, "cannot open ramdisk %s (check the path and its permissions)", path);
    if (!S_ISREG(st.st_mode))
        return fault_set(f, -EINVAL, "ramdisk %s is not a file; give the path of one", path);
    d->ramdisk_bytes = st.st_size;
    return 0;
}

static struct build_pv build_of(const struct domain *d)
{
    return (struct build_pv){
        .domid = d->entry.id,
        .pages = d->config.memory_kib / 4,
        .max_kib = d->config.max_memory_kib,
        .image = d->image,
        .ramdisk_fd = d->ramdisk_fd,
        .ramdisk_bytes = d->ramdisk_bytes,
        .ramdisk_name = d->config.ramdisk,
        .cmdline = d->config.cmdline,
        .store_port = d->store_port,
        .console_port = d->console_port,
    };
}

/* The kernel, unpacked: by the worker, so this waits. */
static int kernel_run(struct domain *d, struct fault *f)
{
    struct task *t = d->task;
    int          rc;

    if (d->image)
        return 0;
    if (!t)
        t = d->task = worker_kernel(d->h, d, d->config.kernel);
    if (!t)
        return fault_memory(f);
    if (!t->done) {
        fault_set(f, -ETIMEDOUT, "kernel %s is not unpacked after %d s; is the disk that it is on slow or "
                                 "broken?",
                  d->config.kernel, UNPACK_MS / 1000);
        return STEP_WAIT;
    }
    d->task = NULL;
    d->image = t->image;
    rc = t->rc;
    if (rc)
        fault_set(f, rc, "%s", t->fault.text);
    task_free(t);
    return rc;
}

static int files_run(void *ctx, struct fault *f)
{
    struct domain  *d = ctx;
    struct build_pv b;
    int             rc = kernel_run(d, f);

    if (rc)
        return rc;
    rc = ramdisk_open(d, f);
    if (rc)
        return rc;
    b = build_of(d);
    rc = build_pv_plan(&b, f);
    rc = rc ? rc : devices_probe(d, f);
    return rc ? rc : domain_disks_check(d, f);
}

static int files_undo(void *ctx, struct fault *f)
{
    struct domain *d = ctx;

    if (d->task)
        task_abandon(d->h, d->task);
    d->task = NULL;
    if (d->image)
        worker_put(d->h, d->image);
    d->image = NULL;
    if (d->ramdisk_fd >= 0)
        close(d->ramdisk_fd);
    d->ramdisk_fd = -1;
    devices_clear(d);
    return 0;
}

/* ---- domain: the hypervisor's object and its rights ---- */
static int domain_limits(struct domain *d, struct fault *f)
{
    struct xc                  *xc = d->h->xc;
    const struct domain_config *c = &d->config;
    uint16_t                    id = d->entry.id;
    int                         rc = xc_domain_max_vcpus(xc, id, c->max_vcpus, f);

    rc = rc ? rc : xc_domain_max_mem(xc, id, c->max_memory_kib, f);
    rc = rc ? rc : xc_mem_claim(xc, id, c->memory_kib / 4, f);
    rc = rc ? rc : vcpus_place(d, f);
    if (!rc && c->tsc_mode != CONFIG_TSC_DEFAULT)
        rc = xc_domain_tsc_mode(xc, id, c->tsc_mode, f);
    return rc;
}

static int domain_run(void *ctx, struct fault *f)
{
    struct domain        *d = ctx;
    struct xc_domain_spec spec = {
        .vcpus = d->config.max_vcpus,
        .event_ports = d->config.max_event_channels,
        .grant_frames = d->config.max_grant_frames,
        .maptrack_frames = d->config.max_maptrack_frames,
    };
    uint16_t id;
    int      rc;

    memcpy(spec.uuid, d->config.uuid, sizeof(spec.uuid));
    rc = xc_domain_create(d->h->xc, &spec, &id, f);
    if (rc)
        return rc;
    rc = index_set_id(&d->h->domains, &d->entry, id);
    if (rc) {
        xc_domain_destroy(d->h->xc, id, NULL);
        return fault_errno(f, rc, "the hypervisor gave the number %u, which hauchd knows already (restart "
                                  "hauchd)", id);
    }
    state_begin(d);
    return domain_limits(d, f);
}

/* 0 when it is gone: by the worker, since it takes as long as the memory is large. */
static int domain_destroy(struct domain *d, struct fault *f)
{
    struct task *t = d->task;
    int          rc;

    if (t && t->kind != TASK_DESTROY) {       /* one that took longer than anybody waits for */
        task_abandon(d->h, t);
        t = NULL;
    }
    if (!t) {
        death_expected(d->h, true);
        t = d->task = worker_destroy(d->h, d, d->entry.id);
    }
    if (!t) {
        death_expected(d->h, false);
        return xc_domain_destroy(d->h->xc, d->entry.id, f);
    }
    if (!t->done) {
        fault_set(f, -ETIMEDOUT, "its memory is still being taken back; a back end may hold it (hauch "
                                 "doctor)");
        return STEP_WAIT;
    }
    death_expected(d->h, false);
    d->task = NULL;
    rc = t->rc;
    if (rc)
        fault_set(f, rc, "%s", t->fault.text);
    task_free(t);
    return rc;
}

static int domain_undo(void *ctx, struct fault *f)
{
    struct domain *d = ctx;
    uint16_t       id = d->entry.id;
    int            rc = id == INDEX_NO_ID ? 0 : domain_destroy(d, f);

    if (id == INDEX_NO_ID || rc == STEP_WAIT)
        return rc;
    if (d->left_nodes)
        leftover_note(d, id);
    else if (d->fate == FATE_RESTART && !d->job.failed)
        d->old_id = id;
    else
        state_drop(d->h, id);
    index_set_id(&d->h->domains, &d->entry, INDEX_NO_ID);
    return rc == -ESRCH ? 0 : rc;
}

/* ---- build: memory and its contents ---- */
static int build_begin(struct domain *d, struct fault *f)
{
    struct build_pv b;
    uint16_t        id = d->entry.id;
    int             rc = xc_evtchn_alloc_unbound(d->h->xc, id, &d->store_port, f);

    rc = rc ? rc : xc_evtchn_alloc_unbound(d->h->xc, id, &d->console_port, f);
    if (rc)
        return rc;
    b = build_of(d);
    d->task = worker_build(d->h, d, &b);
    return d->task ? 0 : fault_memory(f);
}

static int build_run(void *ctx, struct fault *f)
{
    struct domain *d = ctx;
    struct task   *t;
    int            rc = d->task ? 0 : build_begin(d, f);

    if (rc)
        return rc;
    t = d->task;
    if (!t->done) {
        fault_set(f, -ETIMEDOUT, "its memory is not filled after %d s; hauch dmesg may say "
                                 "why", BUILD_MS / 1000);
        return STEP_WAIT;
    }
    d->task = NULL;
    rc = t->rc;
    if (rc)
        fault_set(f, rc, "%s", t->fault.text);
    d->store_mfn = t->build.store_mfn;
    d->console_mfn = t->build.console_mfn;
    task_free(t);
    if (rc)
        return rc;
    worker_put(d->h, d->image);
    d->image = NULL;
    close(d->ramdisk_fd);
    d->ramdisk_fd = -1;
    return xc_mem_claim(d->h->xc, d->entry.id, 0, f);
}

/* The worker may be at it: the domain must not go, and its number not to another one, before that is over. */
static int build_undo(void *ctx, struct fault *f)
{
    struct domain *d = ctx;

    if (d->task && !d->task->done) {
        fault_set(f, -ETIMEDOUT, "its memory is still being filled; restart hauchd if that does not end");
        return STEP_WAIT;
    }
    if (d->task)
        task_free(d->task);
    d->task = NULL;
    return 0;
}

/* ---- store and console ---- */
static int store_run(void *ctx, struct fault *f)
{
    struct domain    *d = ctx;
    struct dev_domain nodes = {
        .domid = d->entry.id,
        .name = d->entry.name,
        .uuid = d->uuid_text,
        .memory_kib = d->config.memory_kib,
        .max_memory_kib = d->config.max_memory_kib,
        .vcpus = d->config.vcpus,
        .max_vcpus = d->config.max_vcpus,
        .console_mfn = d->console_mfn,
        .store_mfn = d->store_mfn,
        .console_port = d->console_port,
        .store_port = d->store_port,
    };
    int rc = peer_store_need(d->h, f);

    return rc ? rc : dev_domain_write(d->h->xs, &nodes, f);
}

static int release(struct domain *d, struct fault *f)
{
    int rc = xs_client_release(d->h->xs, d->entry.id);

    if (rc == 0 || rc == -ENOENT || rc == -EINVAL)
        return 0;
    return fault_set(f, rc, "store: %s", xs_client_error(d->h->xs));
}

/* The nodes first: when a domain is released the store looks at all nodes there are for those that name it,
 * unless it knows that there are none. */
static int store_undo(void *ctx, struct fault *f)
{
    struct domain *d = ctx;
    int            rc = peer_store_need(d->h, f);

    rc = rc ? rc : dev_domain_remove(d->h->xs, d->entry.id, d->uuid_text, f);
    rc = rc ? rc : release(d, f);
    d->left_nodes = rc != 0;
    if (!rc && d->h->domains.count == 1)
        rc = dev_shared_prune(d->h->xs, f);
    return rc;
}

static int introduce_run(void *ctx, struct fault *f)
{
    return peer_store_introduce(ctx, f);
}

/* A console that cannot be had is no reason not to run: it is added when its daemon comes back. */
static int console_run(void *ctx, struct fault *f)
{
    struct domain *d = ctx;

    if (peer_console_add(d->h, d, f))
        say("%s (%u): %s", d->entry.name, d->entry.id, f->text);
    return 0;
}

static int console_undo(void *ctx, struct fault *f)
{
    struct domain *d = ctx;

    peer_console_remove(d->h, d->entry.id);
    return 0;
}

/* ---- devices: see devices.c ---- */
/* Remembered at once, for a hauchd that has to clean up after one that was killed here. */
static int attach_run(void *ctx, struct fault *f)
{
    struct domain *d = ctx;
    int            rc = devices_attach(d, f);

    if (!rc && d->config.disk_count)
        state_remember(d);
    return rc;
}

static int attach_undo(void *ctx, struct fault *f) { return devices_detach(ctx, f); }
static int nodes_run(void *ctx, struct fault *f) { return devices_write(ctx, f); }
static int nodes_undo(void *ctx, struct fault *f) { return devices_erase(ctx, f); }
static int backends_run(void *ctx, struct fault *f) { return devices_connect(ctx, f); }
static int backends_undo(void *ctx, struct fault *f) { return devices_disconnect(ctx, f); }

/* ---- start ---- */
static int start_run(void *ctx, struct fault *f)
{
    struct domain *d = ctx;

    d->started_ms = now_ms();
    d->started_at = time(NULL);
    return d->start_paused ? 0 : xc_domain_unpause(d->h->xc, d->entry.id, f);
}

/* A domain that is going must not watch its devices vanish. Gone already is as good as paused. */
static int start_undo(void *ctx, struct fault *f)
{
    struct domain *d = ctx;
    int            rc = xc_domain_pause(d->h->xc, d->entry.id, f);

    return rc == -ESRCH ? 0 : rc;
}

const struct step create_steps[] = {
    { "files",     files_run,     files_undo,     UNPACK_MS },
    { "domain",    domain_run,    domain_undo,    DESTROY_MS },
    { "build",     build_run,     build_undo,     BUILD_MS },
    { "store",     store_run,     store_undo,     0 },
    { "introduce", introduce_run, NULL,           0 },
    { "console",   console_run,   console_undo,   0 },
    { "disks",     attach_run,    attach_undo,    0 },
    { "devices",   nodes_run,     nodes_undo,     0 },
    { "back ends", backends_run,  backends_undo,  BACKEND_MS },
    { "start",     start_run,     start_undo,     0 },
};
const unsigned create_step_count = sizeof(create_steps) / sizeof(create_steps[0]);
