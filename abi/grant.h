/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grant_table_op(operation, list, count): a domain lets another one map or copy single pages of its memory.
 *
 * The table is an array in pages that the granting domain sees. It writes an entry and names it by its
 * index (the grant reference); the hypervisor sets the reading and writing flags while the page is in use.
 * Status fields are GNTST_*, one an element; the call itself fails only if the list cannot be read.
 */
#ifndef HAUCH_ABI_GRANT_H
#define HAUCH_ABI_GRANT_H

#include <abi/xen.h>

#define GNTTABOP_map_grant_ref     0
#define GNTTABOP_unmap_grant_ref   1
#define GNTTABOP_setup_table       2
#define GNTTABOP_dump_table        3
#define GNTTABOP_transfer          4
#define GNTTABOP_copy              5
#define GNTTABOP_query_size        6
#define GNTTABOP_unmap_and_replace 7
#define GNTTABOP_set_version       8
#define GNTTABOP_get_status_frames 9
#define GNTTABOP_get_version       10
#define GNTTABOP_swap_grant_ref    11
#define GNTTABOP_cache_flush       12

/*
 * The first entries are filled by the domain builder, so that the back ends of console and store need no
 * privcmd.
 */
#define GNTTAB_NR_RESERVED_ENTRIES 8
#define GNTTAB_RESERVED_CONSOLE    0
#define GNTTAB_RESERVED_XENSTORE   1

/* Entry flags. */
#define GTF_invalid            0
#define GTF_permit_access      1
#define GTF_accept_transfer    2
#define GTF_transitive         3 /* version 2 */
#define GTF_type_mask          3
#define GTF_readonly           (1U << 2)
#define GTF_reading            (1U << 3)
#define GTF_writing            (1U << 4)
#define GTF_PWT                (1U << 5)
#define GTF_PCD                (1U << 6)
#define GTF_PAT                (1U << 7)
#define GTF_sub_page           (1U << 8) /* version 2 */
#define GTF_transfer_committed (1U << 2) /* these two: entries of type accept_transfer */
#define GTF_transfer_completed (1U << 3)

/* Flags of a mapping. */
#define GNTMAP_device_map       (1 << 0) /* answer dev_bus_addr */
#define GNTMAP_host_map         (1 << 1)
#define GNTMAP_readonly         (1 << 2)
#define GNTMAP_application_map  (1 << 3) /* user mode may use it */
#define GNTMAP_contains_pte     (1 << 4) /* host_addr is the machine address of an L1 entry */
#define GNTMAP_guest_avail_mask 0xffff0000 /* bits for the guest to see in the entry's available bits */

#define GNTCOPY_source_gref (1 << 0)
#define GNTCOPY_dest_gref   (1 << 1)

#define GNTTAB_CACHE_CLEAN       (1U << 0)
#define GNTTAB_CACHE_INVAL       (1U << 1)
#define GNTTAB_CACHE_SOURCE_GREF (1U << 31)

#define GNTST_okay              (0)
#define GNTST_general_error     (-1)
#define GNTST_bad_domain        (-2)
#define GNTST_bad_gntref        (-3)
#define GNTST_bad_handle        (-4)
#define GNTST_bad_virt_addr     (-5)
#define GNTST_bad_dev_addr      (-6)
#define GNTST_no_device_space   (-7)
#define GNTST_permission_denied (-8)
#define GNTST_bad_page          (-9)
#define GNTST_bad_copy_arg      (-10)
#define GNTST_address_too_big   (-11)
#define GNTST_eagain            (-12)
#define GNTST_no_space          (-13)

#ifndef __ASSEMBLER__
struct grant_entry_v1 {
    uint16_t flags;
    domid_t domid;
    uint32_t frame;
};
_Static_assert(sizeof(struct grant_entry_v1) == 8, "512 entries a page");

struct gnttab_map_grant_ref {
    uint64_t host_addr;
    uint32_t flags; /* GNTMAP_* */
    grant_ref_t ref;
    domid_t dom;
    int16_t status; /* out from here */
    grant_handle_t handle;
    uint64_t dev_bus_addr;
};
struct gnttab_unmap_grant_ref {
    uint64_t host_addr;
    uint64_t dev_bus_addr; /* 0: leave the device mapping */
    grant_handle_t handle;
    int16_t status; /* out */
};
struct gnttab_setup_table {
    domid_t dom;
    uint32_t nr_frames;
    int16_t status; /* out */
    guest_handle_t frame_list; /* of xen_pfn_t, out */
};
struct gnttab_dump_table {
    domid_t dom;
    int16_t status; /* out */
};
struct gnttab_transfer {
    xen_pfn_t mfn;
    domid_t domid;
    grant_ref_t ref;
    int16_t status; /* out */
};
/* Within one page at either end; a page is named by a grant or, of the caller's own, by its frame. */
struct gnttab_copy {
    struct gnttab_copy_ptr {
        union {
            grant_ref_t ref;
            xen_pfn_t gmfn;
        } u;
        domid_t domid;
        uint16_t offset;
    } source, dest;
    uint16_t len;
    uint16_t flags; /* GNTCOPY_* */
    int16_t status; /* out */
};
_Static_assert(sizeof(struct gnttab_copy) == 40, "copy list element");
struct gnttab_query_size {
    domid_t dom;
    uint32_t nr_frames; /* out from here */
    uint32_t max_nr_frames;
    int16_t status;
};
/* Unmaps host_addr and puts the mapping found at new_addr in its place. */
struct gnttab_unmap_and_replace {
    uint64_t host_addr;
    uint64_t new_addr;
    grant_handle_t handle;
    int16_t status; /* out */
};
struct gnttab_set_version {
    uint32_t version; /* in: wanted, out: what holds */
};
struct gnttab_get_status_frames {
    uint32_t nr_frames;
    domid_t dom;
    int16_t status; /* out */
    guest_handle_t frame_list; /* of uint64_t, out */
};
struct gnttab_get_version {
    domid_t dom;
    uint16_t pad;
    uint32_t version; /* out */
};
struct gnttab_swap_grant_ref {
    grant_ref_t ref_a;
    grant_ref_t ref_b;
    int16_t status; /* out */
};
struct gnttab_cache_flush {
    union {
        uint64_t dev_bus_addr;
        grant_ref_t ref;
    } a;
    uint16_t offset;
    uint16_t length;
    uint32_t op; /* GNTTAB_CACHE_* */
};
#endif /* __ASSEMBLER__ */
#endif
