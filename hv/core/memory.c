/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op: frames for domains and back, one list of extents at a time; what memory there is; frames of
 * other objects that a control domain may map.
 *
 * Lists are the guest's: each element is read once and written once. A preempted list goes on at v->extent,
 * and its result counts from the start of the list, so an operation that ran out of memory midway returns how
 * far it came. A PV guest knows machine frames; the pseudo-physical numbers are its own affair and go into
 * the M2P only.
 */
#include <hv/frame.h>
#include <hv/machine.h>
#include <hv/ops.h>
#include <hw/hw.h>

#include <assert.h>
#include <string.h>

#define ORDER_GUEST   9         /* 2 MiB */
#define ORDER_CONTROL 18        /* 1 GiB */

static bool order_ok(const struct vcpu *v, unsigned order)
{
    return order <= (v->domain->privileged ? ORDER_CONTROL : ORDER_GUEST);
}

/* ---- lists of extents ---- */

/* After an extent of 2^order frames: whether to stop here. */
static bool stop_after(struct vcpu *v, unsigned *frames, unsigned order)
{
    *frames += 1u << order;
    if (*frames < PREEMPT_BATCH)
        return false;
    *frames = 0;
    return preempt_due(v);
}

typedef int extent_fn(struct vcpu *v, struct domain *d, const struct xen_memory_reservation *r, gaddr_t at);

/* Does extents from v->extent on. The count done, less than asked if one failed; -ERESTART. */
static int each_extent(struct vcpu *v, struct domain *d, const struct xen_memory_reservation *r,
                       extent_fn *fn)
{
    unsigned frames = 0;

    if (r->nr_extents >= 1u << 30 || !order_ok(v, r->extent_order))
        return (int)v->extent;
    while (v->extent < r->nr_extents) {
        if (fn(v, d, r, gaddr_index(r->extent_start, v->extent, sizeof(xen_pfn_t))))
            break;
        v->extent++;
        if (v->extent < r->nr_extents && stop_after(v, &frames, r->extent_order))
            return -XEN_ERESTART;
    }
    return (int)v->extent;
}

static void m2p_set(const struct domain *d, mfn_t m, unsigned order, uint64_t pfn)
{
    for (uint64_t i = 0; i < 1ull << order; i++)
        (void)frame_pfn_set(MFN(m.n + i), d, pfn + i);
}

static void give_back(struct domain *d, mfn_t m, unsigned order)
{
    for (uint64_t i = 0; i < 1ull << order; i++)
        if (frame_give_up(MFN(m.n + i), d))
            break;
}

static int populate_one(struct vcpu *v, struct domain *d, const struct xen_memory_reservation *r, gaddr_t at)
{
    uint64_t pfn;
    mfn_t m;

    if (guest_read(&pfn, at, sizeof pfn) || (r->mem_flags & XENMEMF_populate_on_demand))
        return -XEN_EFAULT;
    m = frames_alloc_domain(d, r->extent_order, XENMEMF_get_address_bits(r->mem_flags));
    if (!mfn_valid_number(m))
        return -XEN_ENOMEM;
    m2p_set(d, m, r->extent_order, pfn);
    if (guest_write(at, &m.n, sizeof m.n)) {
        give_back(d, m, r->extent_order);
        return -XEN_EFAULT;
    }
    return 0;
}

static int increase_one(struct vcpu *v, struct domain *d, const struct xen_memory_reservation *r, gaddr_t at)
{
    mfn_t m = frames_alloc_domain(d, r->extent_order, XENMEMF_get_address_bits(r->mem_flags));

    if (!mfn_valid_number(m))
        return -XEN_ENOMEM;
    if (r->extent_start.va && guest_write(at, &m.n, sizeof m.n)) {
        give_back(d, m, r->extent_order);
        return -XEN_EFAULT;
    }
    return 0;
}

static int decrease_one(struct vcpu *v, struct domain *d, const struct xen_memory_reservation *r, gaddr_t at)
{
    uint64_t m;
    int rc = 0;

    if (guest_read(&m, at, sizeof m))
        return -XEN_EFAULT;
    for (uint64_t i = 0; rc == 0 && i < 1ull << r->extent_order; i++)
        rc = frame_give_up(MFN(m + i), d);
    return rc;
}

int memory_op_populate_physmap(struct vcpu *v, struct domain *d, struct xen_memory_reservation *r)
{
    return each_extent(v, d, r, populate_one);
}

int memory_op_increase_reservation(struct vcpu *v, struct domain *d, struct xen_memory_reservation *r)
{
    return each_extent(v, d, r, increase_one);
}

int memory_op_decrease_reservation(struct vcpu *v, struct domain *d, struct xen_memory_reservation *r)
{
    return each_extent(v, d, r, decrease_one);
}

/* ---- how much ---- */
int memory_op_maximum_ram_page(struct vcpu *v, struct domain *d, no_argument_t *none)
{
    return (int)(frame_count - 1);
}

int memory_op_current_reservation(struct vcpu *v, struct domain *d, struct xen_memory_domain *arg)
{
    return (int)__atomic_load_n(&d->frames, __ATOMIC_RELAXED);
}

int memory_op_maximum_reservation(struct vcpu *v, struct domain *d, struct xen_memory_domain *arg)
{
    return (int)MIN(d->max_frames, (uint64_t)INT32_MAX);
}

/* What the guest itself wrote; a guess at a number beyond which it has nothing. */
int memory_op_maximum_gpfn(struct vcpu *v, struct domain *d, struct xen_memory_domain *arg)
{
    uint64_t max = d->shared_info ? __atomic_load_n(&d->shared_info->arch.max_pfn, __ATOMIC_RELAXED) : 0;

    return (int)(MIN(max, (uint64_t)INT32_MAX) - (max != 0));
}

int memory_op_claim_pages(struct vcpu *v, struct domain *d, struct xen_memory_reservation *r)
{
    if (r->extent_start.va || r->extent_order || r->mem_flags)
        return -XEN_EINVAL;
    return frames_claim(d, r->nr_extents);
}

int memory_op_sharing_freed(struct vcpu *v, struct domain *d, no_argument_t *none) { return 0; }
int memory_op_sharing_shared(struct vcpu *v, struct domain *d, no_argument_t *none) { return 0; }

/* ---- the M2P ---- */
#define M2P_EXTENT (2ul << 20)

int memory_op_machphys_mapping(struct vcpu *v, struct domain *d, struct xen_machphys_mapping *arg)
{
    *arg = (struct xen_machphys_mapping){ MACH2PHYS_VIRT_START, MACH2PHYS_VIRT_END, frame_count - 1 };
    return 0;
}

int memory_op_machphys_mfn_list(struct vcpu *v, struct domain *d, struct xen_machphys_mfn_list *arg)
{
    uint64_t all = DIV_ROUND_UP(frame_count * sizeof *m2p, M2P_EXTENT);

    arg->nr_extents = (uint32_t)MIN(all, (uint64_t)arg->max_extents);
    for (uint32_t i = 0; i < arg->nr_extents; i++) {
        uint64_t m = mfn_of_page((uint8_t *)m2p + i * M2P_EXTENT).n;

        if (guest_write(gaddr_index(arg->extent_start, i, sizeof m), &m, sizeof m))
            return -XEN_EFAULT;
    }
    return 0;
}

/* For 32-bit guests, which there are not. */
int memory_op_machphys_compat_mfn_list(struct vcpu *v, struct domain *d, struct xen_machphys_mfn_list *arg)
{
    return -XEN_ENOSYS;
}

/* ---- memory maps: entries of the E820 format, packed ---- */
struct e820_entry { uint64_t base, len; uint32_t type; } __attribute__((packed));

#define E820_SIZE 20
static_assert(sizeof(struct e820_entry) == E820_SIZE, "the firmware's format");

/* The map may be replaced while it is read: entry by entry under the lock, each copied out without it. */
int memory_op_memory_map(struct vcpu *v, struct domain *d, struct xen_memory_map *arg)
{
    uint32_t n = 0;

    if (!d->pv.memory_map)
        return -XEN_ENOSYS;
    for (bool more = true; n < arg->nr_entries; n++) {
        uint8_t entry[E820_SIZE];

        spin_lock(&d->frames_lock);
        more = n < d->pv.memory_map_entries;
        if (more)
            memcpy(entry, d->pv.memory_map + n * E820_SIZE, E820_SIZE);
        spin_unlock(&d->frames_lock);
        if (!more)
            break;
        if (guest_write(gaddr_index(arg->buffer, n, E820_SIZE), entry, E820_SIZE))
            return -XEN_EFAULT;
    }
    arg->nr_entries = n;
    return 0;
}

int memory_op_set_memory_map(struct vcpu *v, struct domain *d, struct xen_foreign_memory_map *arg)
{
    uint32_t n = arg->map.nr_entries;
    uint8_t *map, *old;

    if (n == 0 || n > MEMMAP_MAX)
        return refuse(v, -XEN_EINVAL, n, MEMMAP_MAX);
    map = kalloc(n * E820_SIZE);
    if (!map)
        return -XEN_ENOMEM;
    if (guest_read(map, arg->map.buffer, n * E820_SIZE)) {
        kfree(map);
        return -XEN_EFAULT;
    }
    spin_lock(&d->frames_lock);
    old = d->pv.memory_map;
    d->pv.memory_map = map;
    d->pv.memory_map_entries = n;
    spin_unlock(&d->frames_lock);
    kfree(old);
    return 0;
}

int memory_op_machine_memory_map(struct vcpu *v, struct domain *d, struct xen_memory_map *arg)
{
    const struct memmap *map = &machine.boot.memmap;

    if (arg->nr_entries < map->count)
        return refuse(v, -XEN_ENOBUFS, arg->nr_entries, map->count);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct memmap_region *r = &map->region[i];
        struct e820_entry e = { r->base, r->len, r->type };

        if (guest_write(gaddr_index(arg->buffer, i, sizeof e), &e, sizeof e))
            return -XEN_EFAULT;
    }
    arg->nr_entries = map->count;
    return 0;
}

/* ---- frames that are not a domain's memory ---- */
int memory_op_acquire_resource(struct vcpu *v, struct domain *d, struct xen_mem_acquire_resource *arg)
{
    if (arg->pad || arg->type != XENMEM_resource_grant_table ||
        arg->id != XENMEM_resource_grant_table_id_shared)
        return refuse(v, -XEN_EOPNOTSUPP, arg->type, arg->id);
    if (!arg->frame_list.va) {
        if (arg->nr_frames)
            return -XEN_EINVAL;
        arg->nr_frames = d->grants.max_frames;
        return 0;
    }
    if (arg->frame >= d->grants.max_frames || arg->nr_frames > d->grants.max_frames - arg->frame)
        return refuse(v, -XEN_EINVAL, arg->frame, arg->nr_frames);
    for (uint32_t i = 0; i < arg->nr_frames; i++) {
        mfn_t m;
        int rc = grant_table_get_frame(d, (uint32_t)arg->frame + i, &m);

        if (rc)
            return rc;
        if (guest_write(gaddr_index(arg->frame_list, i, sizeof m.n), &m.n, sizeof m.n))
            return -XEN_EFAULT;
    }
    return 0;
}
