/* SPDX-License-Identifier: BSD-2-Clause */
/* The pretended host, hypervisor's side: see hauchd_world.h. */
#define _GNU_SOURCE
#include <abi/libxen.h>

#include "tests/host/hauchd_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/image.h"
#include "lib/xc.h"

struct world world;

void world_reset(void)
{
    int death = world.death_fd, store = world.store_fd;

    memset(&world, 0, sizeof(world));
    world.death_fd = death > 0 ? death : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    world.store_fd = store > 0 ? store : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    world.next_id = 1;
    world.domain[0].exists = true;
}

int world_call(const char *name)
{
    if (++world.calls != world.fail_at && !(world.fail_name && !strcmp(name, world.fail_name)))
        return 0;
    world.failed = name;
    return -EIO;
}

void world_guest_ends(uint16_t id, unsigned reason)
{
    world.domain[id].off = true;
    world.domain[id].reason = reason;
    eventfd_write(world.death_fd, 1);
}

bool world_empty(void)
{
    for (int i = 1; i < WORLD_DOMAINS; i++)
        if (world.domain[i].exists || world.domain[i].console || world.domain[i].introduced)
            return false;
    return !world.nodes && !world.links && !world.loops && !world.images && !world.mappings;
}

/* ---- control calls ---- */
int  xc_open(struct xc **out, struct fault *f) { return *out = (void *)&world, 0; }
void xc_close(struct xc *xc) {}

static int call(const char *name, struct fault *f)
{
    int rc = world_call(name);

    return rc ? fault_errno(f, rc, "%s", name) : 0;
}

int xc_domain_create(struct xc *xc, const struct xc_domain_spec *spec, uint16_t *domid, struct fault *f)
{
    int rc = call("createdomain", f);

    if (rc)
        return rc;
    *domid = world.next_id++;
    world.domain[*domid] = (struct world_domain){ .exists = true, .paused = true };
    memcpy(world.domain[*domid].uuid, spec->uuid, 16);
    return 0;
}

int xc_domain_destroy(struct xc *xc, uint16_t domid, struct fault *f)
{
    while (world.hold_destroy)
        usleep(1000);
    world.domain[domid].exists = false;
    return 0;
}

int xc_domain_pause(struct xc *xc, uint16_t domid, struct fault *f)
{
    world.domain[domid].paused = true;
    return 0;
}

int xc_domain_unpause(struct xc *xc, uint16_t domid, struct fault *f)
{
    int rc = call("unpausedomain", f);

    if (!rc)
        world.domain[domid].paused = false;
    return rc;
}

int xc_domain_max_vcpus(struct xc *xc, uint16_t d, unsigned n, struct fault *f)
{
    world.domain[d].vcpus = n;
    return call("max_vcpus", f);
}
int xc_domain_max_mem(struct xc *xc, uint16_t d, uint64_t kib, struct fault *f)
{
    world.domain[d].max_kib = kib;
    return call("max_mem", f);
}
int xc_domain_tsc_mode(struct xc *xc, uint16_t d, unsigned mode, struct fault *f) { return call("tsc", f); }
int xc_mem_set_map(struct xc *xc, uint16_t d, uint64_t kib, struct fault *f)
{
    while (world.hold_build)
        usleep(1000);
    return call("set_memory_map", f);
}
int xc_mem_pin_l4(struct xc *xc, uint16_t d, uint64_t mfn, struct fault *f) { return call("pin", f); }

int xc_domain_hypercall_page(struct xc *xc, uint16_t d, uint64_t mfn, struct fault *f)
{
    return call("hypercall_init", f);
}

int xc_vcpu_set_context(struct xc *xc, uint16_t d, unsigned v, const struct vcpu_guest_context *c,
                        struct fault *f)
{
    return call("setvcpucontext", f);
}

/* ---- vCPUs ---- */
int xc_vcpu_set_affinity(struct xc *xc, uint16_t d, unsigned v, const uint64_t *hard, const uint64_t *soft,
                         bool force, struct fault *f)
{
    if (hard && v < WORLD_VCPUS)
        world.domain[d].hard[v] = hard[0];
    if (soft && v < WORLD_VCPUS)
        world.domain[d].soft[v] = soft[0];
    return call("setvcpuaffinity", f);
}

int xc_vcpu_affinity(struct xc *xc, uint16_t d, unsigned v, struct xc_affinity *out, struct fault *f)
{
    memset(out, 0, sizeof(*out));
    out->hard[0] = world.domain[d].hard[v] ? world.domain[d].hard[v] : ~UINT64_C(0);
    out->soft[0] = world.domain[d].soft[v] ? world.domain[d].soft[v] : ~UINT64_C(0);
    return call("getvcpuaffinity", f);
}

int xc_vcpu_info(struct xc *xc, uint16_t d, unsigned v, struct xen_domctl_getvcpuinfo *out, struct fault *f)
{
    *out = (struct xen_domctl_getvcpuinfo){
        .vcpu = v, .online = v == 0, .blocked = 1, .cpu_time = 1500000000
    };
    return call("getvcpuinfo", f);
}

int xc_domain_set_share(struct xc *xc, uint16_t d, int weight, int cap, struct fault *f)
{
    world.domain[d].weight = weight >= 0 ? (unsigned)weight : world.domain[d].weight;
    world.domain[d].cap = cap >= 0 ? (unsigned)cap : world.domain[d].cap;
    return call("scheduler", f);
}

int xc_domain_share(struct xc *xc, uint16_t d, unsigned *weight, unsigned *cap, struct fault *f)
{
    *weight = world.domain[d].weight;
    *cap = world.domain[d].cap;
    return call("scheduler", f);
}

int xc_host_scheduler(struct xc *xc, unsigned *id, struct fault *f) { return *id = XEN_SCHEDULER_CREDIT2, 0; }
int xc_host_ratelimit(struct xc *xc, unsigned *us, struct fault *f) { return *us = 1000, 0; }

int xc_host_topology(struct xc *xc, struct xen_sysctl_cputopo *out, unsigned max, struct fault *f)
{
    for (unsigned i = 0; i < WORLD_CPUS; i++)
        out[i] = (struct xen_sysctl_cputopo){ i / 2, 0, 0 };
    return WORLD_CPUS;
}

int xc_host_numa(struct xc *xc, struct xc_numa *out, struct fault *f)
{
    out->nodes = 1;
    out->memory[0] = (struct xen_sysctl_meminfo){ 1 << 30, 1 << 29 };
    out->distance[0] = 10;
    return 0;
}

static void info_fill(uint16_t id, struct xen_domctl_getdomaininfo *out)
{
    const struct world_domain *d = &world.domain[id];

    memset(out, 0, sizeof(*out));
    out->domain = id;
    out->tot_pages = out->max_pages = d->pages;
    out->shared_info_frame = 0x501;
    out->max_vcpu_id = d->vcpus ? d->vcpus - 1 : 0;
    out->flags = (d->paused ? XEN_DOMINF_paused : 0) | (d->off ? XEN_DOMINF_shutdown : 0) |
                 d->reason << XEN_DOMINF_shutdownshift;
    memcpy(out->handle, d->uuid, 16);
}

int xc_domain_info(struct xc *xc, uint16_t domid, struct xen_domctl_getdomaininfo *out, struct fault *f)
{
    int rc = call("getdomaininfo", f);

    if (rc)
        return rc;
    if (domid >= WORLD_DOMAINS || !world.domain[domid].exists)
        return fault_set(f, -ESRCH, "there is no domain %u", domid);
    info_fill(domid, out);
    return 0;
}

int xc_domain_list(struct xc *xc, uint16_t first, struct xen_domctl_getdomaininfo *out, unsigned max,
                   struct fault *f)
{
    unsigned n = 0;

    world.lists++;
    for (int i = first; i < WORLD_DOMAINS && n < max; i++)
        if (world.domain[i].exists)
            info_fill(i, &out[n++]);
    return n;
}

int xc_evtchn_alloc_unbound(struct xc *xc, uint16_t domid, uint32_t *port, struct fault *f)
{
    static uint32_t next = 1;

    *port = next++;
    return call("alloc_unbound", f);
}

int xc_mem_claim(struct xc *xc, uint16_t domid, uint64_t pages, struct fault *f)
{
    world.domain[domid].claim = pages;
    return call("claim", f);
}

int xc_mem_populate(struct xc *xc, uint16_t domid, uint64_t pages, uint64_t *mfns, struct fault *f)
{
    for (uint64_t i = 0; i < pages; i++)
        mfns[i] = 0x1000 + i;
    world.domain[domid].pages = pages;
    return call("populate", f);
}

void *xc_map(struct xc *xc, uint16_t domid, const uint64_t *mfns, size_t pages, struct fault *f)
{
    if (call("map", f))
        return NULL;
    world.mappings++;
    return calloc(pages, 4096);
}

/* Memory of a guest for core files: page 0x501 is the shared one, from which 0x502, 0x503 and 0x504 lead to a
 * P2M of three frames, one of them given back. Other pages are full of their number. */
static void page_fill(uint16_t domid, uint64_t mfn, uint64_t *p)
{
    static const uint64_t p2m[] = { 0x1000, ~UINT64_C(0), 0x1002 };
    struct shared_info   *shared = (void *)p;

    memset(p, mfn & 0xff, 4096);
    if (mfn == 0x501) {
        memset(p, 0, 4096);
        shared->arch.max_pfn = world.domain[domid].told ? 3 : 0;
        shared->arch.pfn_to_mfn_frame_list_list = 0x502;
    }
    if (mfn == 0x502 || mfn == 0x503)
        p[0] = mfn + 1;
    if (mfn == 0x504)
        memcpy(p, p2m, sizeof(p2m));
}

const void *xc_map_read(struct xc *xc, uint16_t domid, const uint64_t *mfns, size_t pages, int *errors,
                        struct fault *f)
{
    uint64_t *p;

    while (world.hold_dump)
        usleep(1000);
    if (call("map", f))
        return NULL;
    p = calloc(pages, 4096);
    for (size_t i = 0; i < pages; i++) {
        page_fill(domid, mfns[i], p + i * 512);
        if (errors)
            errors[i] = 0;
    }
    world.mappings++;
    return p;
}

int xc_vcpu_context(struct xc *xc, uint16_t d, unsigned v, struct vcpu_guest_context *out, struct fault *f)
{
    out->user_regs.rip = 0xffffffff81000000 + v;
    return 0;
}

void xc_unmap(struct xc *xc, void *addr, size_t pages)
{
    world.mappings -= addr != NULL;
    free(addr);
}

int xc_grant_seed(struct xc *xc, uint16_t domid, const struct xc_grant *g, unsigned n, struct fault *f)
{
    return call("grant", f);
}

int xc_host_physinfo(struct xc *xc, struct xen_sysctl_physinfo *out, struct fault *f)
{
    memset(out, 0, sizeof(*out));
    out->nr_cpus = WORLD_CPUS;
    out->max_cpu_id = WORLD_CPUS - 1;
    return call("physinfo", f);
}

/* The log has one part, and after a key a second one; *index counts the parts that were read. */
int xc_host_console(struct xc *xc, char *buf, size_t size, uint32_t *index, bool clear, struct fault *f)
{
    static const char refusals[] = "domain 0: refused calls\nzero\ndomain 7: refused calls\nseven\n";
    int               n = 0;

    if (clear)
        return 0;
    if (*index == 0)
        n = snprintf(buf, size, "boot\nline with \x81\x01\n");
    else if (*index == 1 && world.key)
        n = snprintf(buf, size, "%s", world.key == 'F' ? refusals : "xenoprof_op 0 -: 2 times\n");
    if (*index == 1)
        world.key = 0;
    *index += n > 0;
    return n;
}

int xc_host_last_crash(struct xc *xc, char *buf, size_t size, uint32_t *index, bool clear, struct fault *f)
{
    int n = *index || world.crash_cleared ? 0 : snprintf(buf, size, "PANIC on CPU 0: cause\n");

    world.crash_cleared |= clear;
    *index += n;
    return n;
}

int xc_host_key(struct xc *xc, char key, struct fault *f)
{
    world.key = key;
    return call("debug_keys", f);
}

int xc_host_version(struct xc *xc, struct xc_version *out, struct fault *f)
{
    memset(out, 0, sizeof(*out));
    snprintf(out->extra, sizeof(out->extra), "%s", world.is_hauch ? ".0-hauch" : ".5");
    return 0;
}

/* ---- the death interrupt ---- */
xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
    errno = world.evtchn_error;
    return world.evtchn_error ? NULL : (void *)&world;
}

int xenevtchn_fd(xenevtchn_handle *xce) { return world.death_fd; }

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
    errno = world.virq_error;
    return world.virq_error ? -1 : 7;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port) { return 0; }

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
    eventfd_t n;

    return eventfd_read(world.death_fd, &n) ? -1 : 7;
}

/* ---- kernels ---- */
static struct image kernel = { .entry = 0xffffffff80001000,
                               .virt_base = 0xffffffff80000000,
                               .init_p2m = IMAGE_NONE,
                               .v_start = 0xffffffff80000000,
                               .v_end = 0xffffffff80003000,
                               .hypercall_page = 0xffffffff80002000 };

struct image_cache *image_cache_new(size_t memory_limit, size_t unpack_limit) { return (void *)&world; }
void image_cache_free(struct image_cache *cache) {}
void image_copy(const struct image *image, uint64_t from, void *dst, size_t len) { memset(dst, 0x90, len); }
void image_cache_put(struct image_cache *cache, const struct image *image) { world.images--; }

void image_cache_stats(const struct image_cache *cache, struct image_cache_stats *out)
{
    memset(out, 0, sizeof(*out));
}

int image_cache_get(struct image_cache *cache, const char *path, const struct image **out,
                    struct image_error *error)
{
    int rc;

    while (world.hold_kernel)
        usleep(1000);
    rc = world_call("kernel");
    if (rc) {
        snprintf(error->text, sizeof(error->text), "kernel");
        return rc;
    }
    world.images++;
    *out = &kernel;
    return 0;
}
