/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest kernel in ELF64 form: where its segments go, and what its Xen notes ask for.
 * Facts: System V ABI (ELF-64), AMD64 supplement; Xen's public elfnote.h.
 */
#ifndef HV_BOOT_ELF_H
#define HV_BOOT_ELF_H

#include <hv/boot/bytes.h>

#define KERNEL_MAX_SEGMENTS 16

struct kernel_segment {
    uint64_t paddr;    /* as the program header says; see kernel_image.paddr_offset */
    uint64_t vaddr;    /* virt_base + (paddr - paddr_offset): where the guest sees it */
    uint64_t file_off; /* file_len bytes of the image from here, the rest up to mem_len zero */
    uint64_t file_len;
    uint64_t mem_len;
    uint32_t flags; /* PF_X 1, PF_W 2, PF_R 4 */
};

/* Bits of the feature words (numbers of XENFEAT_*). */
enum kernel_feature {
    KERNEL_WRITABLE_PAGE_TABLES = 0,
    KERNEL_WRITABLE_DESCRIPTOR_TABLES = 1,
    KERNEL_AUTO_TRANSLATED_PHYSMAP = 2,
    KERNEL_SUPERVISOR_MODE_KERNEL = 3,
    KERNEL_PAE_PGDIR_ABOVE_4GB = 4,
    KERNEL_HVM_CALLBACK_VECTOR = 8,
    KERNEL_DOM0 = 11,
    KERNEL_MEMORY_OP_VNODE_SUPPORTED = 13,
    KERNEL_LINUX_RSDP_UNRESTRICTED = 15,
};

struct kernel_image {
    unsigned int segments;
    struct kernel_segment segment[KERNEL_MAX_SEGMENTS];
    uint64_t virt_base; /* the guest's virtual address of its pseudo-physical page paddr_offset */
    uint64_t paddr_offset;
    uint64_t virt_start, virt_end; /* what the segments cover, virtually */
    uint64_t entry;
    bool has_xen_notes;
    bool has_hypercall_page, has_init_p2m, has_hv_start_low, has_phys32_entry;
    bool bsd_symtab;    /* wants its symbol table loaded behind it */
    bool mod_start_pfn; /* takes the initrd unmapped, by frame number */
    bool pae_extended_cr3;
    bool suspend_cancel;
    uint64_t hypercall_page; /* virtual */
    uint64_t init_p2m;       /* virtual address at which the P2M list is to be */
    uint64_t hv_start_low;
    uint64_t l1_mfn_mask,
        l1_mfn_value; /* an L1 entry with (e & mask) == value holds a frame; 0, 0: not told */
    uint32_t phys32_entry;
    uint32_t features_supported, features_required; /* bits: 1 << enum kernel_feature */
    bool feature_unknown;                           /* requires a feature whose name we do not know */
    char guest_os[16], guest_version[16], loader[16];
    char xen_version[16];
};

/*
 * Reads the headers of the `len` bytes at `image`. On success every segment lies inside the image and no
 * address wraps, segments do not overlap, and the entry point lies in a segment. -ENOEXEC: not an x86-64
 * executable; -EINVAL: broken; -E2BIG: too many segments. A kernel without Xen notes is no error
 * (has_xen_notes).
 */
int parse_elf(const void *image, size_t len, struct kernel_image *out);

#endif
