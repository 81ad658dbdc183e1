/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine as a whole: what it has, who uses it, its log. One node, one pool of processors, one scheduler;
 * tools that ask for more of these are told so, or refused.
 */
#include <hv/console.h>
#include <hv/crash.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hw/hw.h>

#include "control.h"

/* ---- the log ---- */
#define CHUNK 512u

int sysctl_readconsole(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen_sysctl_readconsole *a = &op->u.readconsole;
    uint32_t index = a->index, done = 0;
    bool incremental = a->incremental;
    char chunk[CHUNK];

    while (done < a->count) {
        size_t n = console_read_ring(chunk, MIN(a->count - done, CHUNK), &index, incremental);

        if (!n)
            break;
        if (guest_write(GADDR(a->buffer.va + done), chunk, n))
            return -XEN_EFAULT;
        done += (uint32_t)n;
        incremental = true;             /* the next chunk goes on where this one ended */
    }
    a->count = done;
    a->index = index;
    if (a->clear)
        console_clear_ring(index);
    return 0;
}

int sysctl_last_crash(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen_sysctl_readconsole *a = &op->u.readconsole;
    uint32_t done = 0;
    char chunk[CHUNK];
    size_t n;

    while ((n = crash_last_read(chunk, MIN(a->count - done, CHUNK), a->index + done)) != 0) {
        if (guest_write(GADDR(a->buffer.va + done), chunk, n))
            return -XEN_EFAULT;
        done += (uint32_t)n;
    }
    a->count = done;
    a->index += done;
    if (a->clear)
        crash_last_clear();
    return 0;
}

#define KEYS_MOST 64u

int sysctl_debug_keys(struct vcpu *v, struct xen_sysctl *op)
{
    const struct xen_sysctl_debug_keys *a = &op->u.debug_keys;
    char keys[KEYS_MOST];

    if (a->nr_keys > KEYS_MOST)
        return refuse(v, -XEN_E2BIG, a->nr_keys, KEYS_MOST);
    if (guest_read(keys, a->keys, a->nr_keys))
        return -XEN_EFAULT;
    for (uint32_t i = 0; i < a->nr_keys; i++)
        debug_key(keys[i]);
    return 0;
}

/* ---- the machine ---- */
/* Processors of the first core, and cores of the first socket: the others are taken to be like them. */
static unsigned threads_per_core(void) { return MAX(cpu_set_count(&pcpus[0]->core_mates), 1u); }

static unsigned cores_per_socket(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < pcpu_count; i++)
        n += !pcpus[i]->topology_known || pcpus[i]->socket_id == pcpus[0]->socket_id;
    return MAX(n / threads_per_core(), 1u);
}

int sysctl_physinfo(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen_sysctl_physinfo *a = &op->u.physinfo;

    *a = (struct xen_sysctl_physinfo){
        .threads_per_core = threads_per_core(), .cores_per_socket = cores_per_socket(), .nr_cpus = pcpu_count,
        .max_cpu_id = pcpu_count - 1, .nr_nodes = 1, .max_node_id = 0, .cpu_khz = (uint32_t)tsc_khz(),
        .capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1,
        .total_pages = machine.ram_frames, .free_pages = frames_free_count(),
        .outstanding_pages = frames_claimed(), .max_mfn = machine.max_frame,
    };
    for (unsigned i = 0; i < ARRAY_LEN(a->hw_cap); i++)
        a->hw_cap[i] = cpuid_word(cpuid_policy(POLICY_HOST), i);
    return 0;
}

int sysctl_availheap(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen_sysctl_availheap *a = &op->u.availheap;

    if (a->min_bitwidth || (a->max_bitwidth && a->max_bitwidth < 64))
        return refuse(v, -XEN_EOPNOTSUPP, a->min_bitwidth, a->max_bitwidth);
    a->avail_bytes = a->node == -1 || a->node == 0 ? frames_free_count() << PAGE_SHIFT : 0;
    return 0;
}

int sysctl_getcpuinfo(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen_sysctl_getcpuinfo *a = &op->u.getcpuinfo;
    uint32_t n = MIN(a->max_cpus, pcpu_count);

    for (uint32_t i = 0; i < n; i++) {
        struct xen_sysctl_cpuinfo info = { .idletime = pcpus[i]->idle_ns };

        if (guest_write(gaddr_index(a->info, i, sizeof info), &info, sizeof info))
            return -XEN_EFAULT;
    }
    a->nr_cpus = n;
    return 0;
}

/* ---- topology ---- */
int sysctl_cputopoinfo(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen_sysctl_cputopoinfo *a = &op->u.cputopoinfo;
    uint32_t room = a->num_cpus;

    a->num_cpus = pcpu_count;
    if (!a->cputopo.va)
        return 0;
    if (room < pcpu_count)
        return -XEN_ENOBUFS;
    for (uint32_t i = 0; i < pcpu_count; i++) {
        const struct pcpu *c = pcpus[i];
        struct xen_sysctl_cputopo t = { .core = c->topology_known ? c->core_id : i,
                                        .socket = c->topology_known ? c->socket_id : 0, .node = 0 };

        if (guest_write(gaddr_index(a->cputopo, i, sizeof t), &t, sizeof t))
            return -XEN_EFAULT;
    }
    return 0;
}

#define DISTANCE_SELF 10u

int sysctl_numainfo(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen_sysctl_numainfo *a = &op->u.numainfo;
    struct xen_sysctl_meminfo m = {
        .memsize = machine.ram_frames << PAGE_SHIFT, .memfree = frames_free_count() << PAGE_SHIFT,
    };
    uint32_t room = a->num_nodes, distance = DISTANCE_SELF;

    a->num_nodes = 1;
    if (!a->meminfo.va && !a->distance.va)
        return 0;
    if (!room)
        return -XEN_ENOBUFS;
    if (a->meminfo.va && guest_write(a->meminfo, &m, sizeof m))
        return -XEN_EFAULT;
    if (a->distance.va && guest_write(a->distance, &distance, sizeof distance))
        return -XEN_EFAULT;
    return 0;
}

#define DEVICES_MOST 4096u

/* Which node a device is near to: unknown. */
int sysctl_pcitopoinfo(struct vcpu *v, struct xen_sysctl *op)
{
    const struct xen_sysctl_pcitopoinfo *a = &op->u.pcitopoinfo;
    uint32_t node = XEN_INVALID_NODE_ID;

    if (a->num_devs > DEVICES_MOST)
        return refuse(v, -XEN_E2BIG, a->num_devs, DEVICES_MOST);
    for (uint32_t i = 0; i < a->num_devs; i++)
        if (guest_write(gaddr_index(a->nodes, i, sizeof node), &node, sizeof node))
            return -XEN_EFAULT;
    return 0;
}

/* ---- domains ---- */
int sysctl_getdomaininfolist(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen_sysctl_getdomaininfolist *a = &op->u.getdomaininfolist;
    struct xen_domctl_getdomaininfo info;
    struct domain *d;
    uint32_t n = 0, id = a->first_domain;

    while (n < a->max_domains && id < MAX_DOMAINS && (d = domain_get_from((domid_t)id))) {
        domain_info(d, &info);
        id = d->id + 1u;
        domain_put(d);
        if (guest_write(gaddr_index(a->buffer, n, sizeof info), &info, sizeof info))
            return -XEN_EFAULT;
        n++;
    }
    a->num_domains = n;
    return 0;
}

/* ---- scheduling ---- */
int sysctl_sched_id(struct vcpu *v, struct xen_sysctl *op)
{
    op->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2;
    return 0;
}

int sysctl_scheduler_op(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen_sysctl_scheduler_op *a = &op->u.scheduler_op;

    if (a->cpupool_id || a->sched_id != XEN_SCHEDULER_CREDIT2)
        return refuse(v, -XEN_EINVAL, a->cpupool_id, a->sched_id);
    switch (a->cmd) {
    case XEN_SYSCTL_SCHEDOP_getinfo:
        a->u.sched_credit2.ratelimit_us = 0;
        return 0;
    case XEN_SYSCTL_SCHEDOP_putinfo:
        if (a->u.sched_credit2.ratelimit_us)
            return refuse(v, -XEN_EOPNOTSUPP, a->u.sched_credit2.ratelimit_us, 0);
        return 0;
    }
    return refuse(v, -XEN_EINVAL, a->cmd, 0);
}

static uint32_t domains_count(void)
{
    struct domain *d;
    uint32_t n = 0;

    for (uint32_t id = 0; id < MAX_DOMAINS && (d = domain_get_from((domid_t)id)); n++) {
        id = d->id + 1u;
        domain_put(d);
    }
    return n;
}

/* The pool with the number asked for or the next: only 0 is there. */
static int cpupool_info(struct vcpu *v, struct xen_sysctl_cpupool_op *a)
{
    struct control_bits cpus;

    if (a->cpupool_id && a->cpupool_id != XEN_SYSCTL_CPUPOOL_PAR_ANY)
        return -XEN_ENOENT;             /* how tools find the end of the list */
    a->cpupool_id = 0;
    a->sched_id = XEN_SCHEDULER_CREDIT2;
    a->n_dom = domains_count();
    bits_fill(&cpus, pcpu_count);
    return bits_write(&a->cpumap, pcpu_count, &cpus);
}

static int cpupool_move(struct vcpu *v, const struct xen_sysctl_cpupool_op *a)
{
    struct domain *d = a->domid < DOMID_FIRST_RESERVED ? domain_get((domid_t)a->domid) : NULL;

    if (!d)
        return refuse(v, -XEN_ESRCH, a->domid, a->cpupool_id);
    domain_put(d);
    return a->cpupool_id ? refuse(v, -XEN_ENOENT, a->domid, a->cpupool_id) : 0;
}

int sysctl_cpupool_op(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen_sysctl_cpupool_op *a = &op->u.cpupool_op;
    struct control_bits none;

    switch (a->op) {
    case XEN_SYSCTL_CPUPOOL_OP_INFO:
        return cpupool_info(v, a);
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
        bits_fill(&none, 0);
        return bits_write(&a->cpumap, pcpu_count, &none);
    case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
        return cpupool_move(v, a);
    }
    return refuse(v, -XEN_EOPNOTSUPP, a->op, a->cpupool_id);
}

/* ---- processor features ---- */
int sysctl_get_cpu_levelling_caps(struct vcpu *v, struct xen_sysctl *op)
{
    op->u.cpu_levelling_caps.caps = 0;  /* user programs see the machine's own CPUID */
    return 0;
}

/* Which policy a number stands for; NULL and *error. */
static const struct cpu_policy *featureset_policy(uint32_t index, int *error)
{
    switch (index) {
    case XEN_SYSCTL_cpu_featureset_raw: case XEN_SYSCTL_cpu_featureset_host:
        return cpuid_policy(POLICY_HOST);
    case XEN_SYSCTL_cpu_featureset_pv:
        return cpuid_policy(POLICY_PV_DEFAULT);
    case XEN_SYSCTL_cpu_featureset_pv_max:
        return cpuid_policy(POLICY_PV_MAX);
    }
    *error = index <= XEN_SYSCTL_cpu_featureset_hvm_max ? -XEN_EOPNOTSUPP : -XEN_EINVAL;
    return NULL;
}

int sysctl_get_cpu_featureset(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen_sysctl_cpu_featureset *a = &op->u.cpu_featureset;
    uint32_t word[CPUID_WORDS], room = a->nr_features;
    int error = 0;
    const struct cpu_policy *p = featureset_policy(a->index, &error);

    if (!p)
        return refuse(v, error, a->index, 0);
    if (!a->features.va) {
        a->nr_features = CPUID_WORDS;
        return 0;
    }
    for (unsigned i = 0; i < CPUID_WORDS; i++)
        word[i] = cpuid_word(p, i);
    a->nr_features = MIN(room, CPUID_WORDS);
    if (guest_write(a->features, word, a->nr_features * sizeof word[0]))
        return -XEN_EFAULT;
    return room < CPUID_WORDS ? -XEN_ENOBUFS : 0;
}

static const struct cpu_policy *policy_numbered(uint32_t index, int *error)
{
    switch (index) {
    case XEN_SYSCTL_cpu_policy_raw: case XEN_SYSCTL_cpu_policy_host:
        return cpuid_policy(POLICY_HOST);
    case XEN_SYSCTL_cpu_policy_pv_max:
        return cpuid_policy(POLICY_PV_MAX);
    case XEN_SYSCTL_cpu_policy_pv_default:
        return cpuid_policy(POLICY_PV_DEFAULT);
    }
    *error = index <= XEN_SYSCTL_cpu_policy_hvm_default ? -XEN_EOPNOTSUPP : -XEN_EINVAL;
    return NULL;
}

int sysctl_get_cpu_policy(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen_sysctl_cpu_policy *a = &op->u.cpu_policy;
    int error = 0;
    const struct cpu_policy *p = policy_numbered(a->index, &error);

    if (!p)
        return refuse(v, error, a->index, 0);
    return policy_write(p, a->leaves, &a->nr_leaves, a->msrs, &a->nr_msrs);
}

/* ---- not in Hauch: power states and trace buffers ---- */
int sysctl_get_pmstat(struct vcpu *v, struct xen_sysctl *op) { return -XEN_EOPNOTSUPP; }
int sysctl_pm_op(struct vcpu *v, struct xen_sysctl *op) { return -XEN_EOPNOTSUPP; }
int sysctl_tbuf_op(struct vcpu *v, struct xen_sysctl *op) { return -XEN_EOPNOTSUPP; }
