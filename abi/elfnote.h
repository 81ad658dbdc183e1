/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notes in a guest kernel's ELF file, owner "Xen": what the builder must know. N a number of 4 or 8 bytes,
 * S a text. Usable from assembler.
 */
#ifndef HAUCH_ABI_ELFNOTE_H
#define HAUCH_ABI_ELFNOTE_H

#define XEN_ELFNOTE_INFO               0
#define XEN_ELFNOTE_ENTRY              1  /* N: virtual address */
#define XEN_ELFNOTE_HYPERCALL_PAGE     2  /* N: virtual address of the page to fill */
#define XEN_ELFNOTE_VIRT_BASE          3  /* N: where PFN 0 is to be mapped */
#define XEN_ELFNOTE_PADDR_OFFSET       4  /* N: subtract from p_paddr, add VIRT_BASE */
#define XEN_ELFNOTE_XEN_VERSION        5  /* S: "xen-3.0" */
#define XEN_ELFNOTE_GUEST_OS           6  /* S */
#define XEN_ELFNOTE_GUEST_VERSION      7  /* S */
#define XEN_ELFNOTE_LOADER             8  /* S: "generic" */
#define XEN_ELFNOTE_PAE_MODE           9  /* S */
#define XEN_ELFNOTE_FEATURES           10 /* S: names joined by |, ! in front of what is required */
#define XEN_ELFNOTE_BSD_SYMTAB         11 /* S: "yes" loads the symbol table behind the kernel */
#define XEN_ELFNOTE_HV_START_LOW       12 /* N: lowest address the hypervisor may take */
#define XEN_ELFNOTE_L1_MFN_VALID       13 /* pairs of N: mask and value of a present entry */
#define XEN_ELFNOTE_SUSPEND_CANCEL     14 /* N */
#define XEN_ELFNOTE_INIT_P2M           15 /* N: virtual address for the P2M */
#define XEN_ELFNOTE_MOD_START_PFN      16 /* N: not 0 if the initrd may stay unmapped */
#define XEN_ELFNOTE_SUPPORTED_FEATURES 17 /* N: bits XENFEAT_* */
#define XEN_ELFNOTE_PHYS32_ENTRY       18 /* N: PVH entry */
#define XEN_ELFNOTE_MAX                18

#endif
