/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op(operation, argument): getting and giving back machine frames, and questions about memory.
 *
 * An operation on a list that was interrupted continues by itself: the hypervisor puts the progress into
 * bits 6 and up of the operation number and runs the call again, so operation numbers end at 63.
 */
#ifndef HAUCH_ABI_MEMORY_H
#define HAUCH_ABI_MEMORY_H

#include <abi/physdev.h>
#include <abi/xen.h>

#define XENMEM_increase_reservation       0
#define XENMEM_decrease_reservation       1
#define XENMEM_maximum_ram_page           2
#define XENMEM_current_reservation        3
#define XENMEM_maximum_reservation        4
#define XENMEM_machphys_mfn_list          5
#define XENMEM_populate_physmap           6
#define XENMEM_add_to_physmap             7
#define XENMEM_memory_map                 9
#define XENMEM_machine_memory_map         10
#define XENMEM_exchange                   11
#define XENMEM_machphys_mapping           12
#define XENMEM_set_memory_map             13
#define XENMEM_maximum_gpfn               14
#define XENMEM_remove_from_physmap        15
#define XENMEM_set_pod_target             16
#define XENMEM_get_pod_target             17
#define XENMEM_get_sharing_freed_pages    18
#define XENMEM_get_sharing_shared_pages   19
#define XENMEM_paging_op                  20
#define XENMEM_access_op                  21
#define XENMEM_sharing_op                 22
#define XENMEM_add_to_physmap_batch       23
#define XENMEM_claim_pages                24
#define XENMEM_machphys_compat_mfn_list   25
#define XENMEM_get_vnumainfo              26
#define XENMEM_reserved_device_memory_map 27
#define XENMEM_acquire_resource           28

/* xen_memory_reservation.mem_flags: low 8 bits limit the address width, the next 8 name node + 1. */
#define XENMEMF_address_bits(x)       (x)
#define XENMEMF_get_address_bits(x)   ((x) & 0xffu)
#define XENMEMF_node(x)               (((x) + 1) << 8)
#define XENMEMF_get_node(x)           ((((x) >> 8) - 1) & 0xffu)
#define XENMEMF_populate_on_demand    (1 << 16)
#define XENMEMF_exact_node_request    (1 << 17)
#define XENMEMF_exact_node(n)         (XENMEMF_node(n) | XENMEMF_exact_node_request)
#define XENMEMF_vnode                 (1 << 18)

/* Sources for add_to_physmap; a PV guest has no physmap of this kind. */
#define XENMAPSPACE_shared_info  0
#define XENMAPSPACE_grant_table  1
#define XENMAPSPACE_gmfn         2
#define XENMAPSPACE_gmfn_range   3
#define XENMAPSPACE_gmfn_foreign 4
#define XENMAPSPACE_dev_mmio     5
#define XENMAPIDX_grant_table_status 0x80000000

#define XENMEM_resource_ioreq_server              0
#define XENMEM_resource_grant_table               1
#define XENMEM_resource_vmtrace_buf               2
#define XENMEM_resource_grant_table_id_shared     0
#define XENMEM_resource_grant_table_id_status     1

#define XENMEM_RDM_ALL 1

#ifndef __ASSEMBLER__
/* increase/decrease reservation, populate_physmap, claim_pages. The result is the count of extents done. */
struct xen_memory_reservation {
    guest_handle_t extent_start; /* of xen_pfn_t; increase: out; decrease: in; populate: PFN in, MFN out */
    xen_ulong_t nr_extents;
    uint32_t extent_order;
    uint32_t mem_flags;
    domid_t domid;
};
_Static_assert(sizeof(struct xen_memory_reservation) == 32, "reservation");

/* in: frames given up; out: frames wanted in their place, of the same total size. */
struct xen_memory_exchange {
    struct xen_memory_reservation in;
    struct xen_memory_reservation out;
    xen_ulong_t nr_exchanged; /* in extents of "in"; must be 0 at the start */
};

/* current/maximum reservation, maximum_gpfn. */
struct xen_memory_domain {
    domid_t domid;
};

/* The machine frames (2 MiB extents) that hold the M2P. */
struct xen_machphys_mfn_list {
    uint32_t max_extents;
    guest_handle_t extent_start; /* of xen_pfn_t, out */
    uint32_t nr_extents;         /* out */
};
struct xen_machphys_mapping {
    xen_ulong_t v_start, v_end;
    xen_ulong_t max_mfn; /* the greatest index that can be read */
};

struct xen_add_to_physmap {
    domid_t domid;
    uint16_t size; /* gmfn_range only */
    uint32_t space; /* XENMAPSPACE_* */
    xen_ulong_t idx;
    xen_pfn_t gpfn;
};
struct xen_add_to_physmap_batch {
    domid_t domid;
    uint16_t space;
    uint16_t size;
    union xen_add_to_physmap_batch_extra {
        domid_t foreign_domid;
        uint16_t res0;
    } u;
    guest_handle_t idxs;  /* of xen_ulong_t */
    guest_handle_t gpfns; /* of xen_pfn_t */
    guest_handle_t errs;  /* of int32_t, out */
};
struct xen_remove_from_physmap {
    domid_t domid;
    xen_pfn_t gpfn;
};

/* Entries are e820: u64 address, u64 size, u32 type, packed to 20 bytes. */
struct xen_memory_map {
    uint32_t nr_entries; /* in: room, out: used */
    guest_handle_t buffer;
};
struct xen_foreign_memory_map {
    domid_t domid;
    struct xen_memory_map map;
};

struct xen_pod_target {
    uint64_t target_pages; /* in, of set */
    uint64_t tot_pages;    /* out from here */
    uint64_t pod_cache_pages;
    uint64_t pod_entries;
    domid_t domid; /* in */
};

struct xen_reserved_device_memory {
    xen_pfn_t start_pfn;
    xen_ulong_t nr_pages;
};
struct xen_reserved_device_memory_map {
    uint32_t flags; /* XENMEM_RDM_ALL, else of dev only */
    uint32_t nr_entries;
    guest_handle_t buffer; /* of xen_reserved_device_memory, out */
    union {
        struct physdev_pci_device pci;
    } dev;
};

/* Frames of a domain that its builder or back end may map, the grant table above all. */
struct xen_mem_acquire_resource {
    domid_t domid;
    uint16_t type; /* XENMEM_resource_* */
    uint32_t id;
    uint32_t nr_frames; /* in, or 0 with no list: out, the size */
    uint32_t pad;
    uint64_t frame; /* first wanted */
    guest_handle_t frame_list; /* of xen_pfn_t, out */
};

struct xen_vmemrange {
    uint64_t start, end;
    uint32_t flags;
    uint32_t nid;
};
struct xen_vnuma_topology_info {
    domid_t domid;
    uint16_t pad;
    uint32_t nr_vnodes;
    uint32_t nr_vcpus;
    uint32_t nr_vmemranges;
    union {
        guest_handle_t h;
        uint64_t pad;
    } vdistance;
    union {
        guest_handle_t h;
        uint64_t pad;
    } vcpu_to_vnode;
    union {
        guest_handle_t h;
        uint64_t pad;
    } vmemrange;
};
#endif /* __ASSEMBLER__ */
#endif
