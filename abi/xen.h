/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heart of the guest ABI: hypercall numbers, reserved domains, page-table operations, and the pages
 * that guest and hypervisor share (start_info, shared_info). 64-bit x86 PV guests only, as of Xen 4.17.
 *
 * Convention of a call: number in RAX, arguments in RDI, RSI, RDX, R10, R8; SYSCALL; result in RAX, with
 * RCX and R11 lost. The arguments beyond those that a call has may come back changed.
 *
 * Frame numbers: an MFN counts machine pages, a PFN the guest's own; for a PV guest "gfn" and "gmfn" mean
 * MFN. Constants are usable from assembler.
 */
#ifndef HAUCH_ABI_XEN_H
#define HAUCH_ABI_XEN_H

#include <abi/arch.h>

/* ---- hypercalls; *_compat are forms that no 64-bit guest of today uses ---- */
#define __HYPERVISOR_set_trap_table              0
#define __HYPERVISOR_mmu_update                  1
#define __HYPERVISOR_set_gdt                     2
#define __HYPERVISOR_stack_switch                3
#define __HYPERVISOR_set_callbacks               4
#define __HYPERVISOR_fpu_taskswitch              5
#define __HYPERVISOR_sched_op_compat             6
#define __HYPERVISOR_platform_op                 7
#define __HYPERVISOR_set_debugreg                8
#define __HYPERVISOR_get_debugreg                9
#define __HYPERVISOR_update_descriptor           10
#define __HYPERVISOR_memory_op                   12
#define __HYPERVISOR_multicall                   13
#define __HYPERVISOR_update_va_mapping           14
#define __HYPERVISOR_set_timer_op                15
#define __HYPERVISOR_event_channel_op_compat     16
#define __HYPERVISOR_xen_version                 17
#define __HYPERVISOR_console_io                  18
#define __HYPERVISOR_physdev_op_compat           19
#define __HYPERVISOR_grant_table_op              20
#define __HYPERVISOR_vm_assist                   21
#define __HYPERVISOR_update_va_mapping_otherdomain 22
#define __HYPERVISOR_iret                        23
#define __HYPERVISOR_vcpu_op                     24
#define __HYPERVISOR_set_segment_base            25
#define __HYPERVISOR_mmuext_op                   26
#define __HYPERVISOR_xsm_op                      27
#define __HYPERVISOR_nmi_op                      28
#define __HYPERVISOR_sched_op                    29
#define __HYPERVISOR_callback_op                 30
#define __HYPERVISOR_xenoprof_op                 31
#define __HYPERVISOR_event_channel_op            32
#define __HYPERVISOR_physdev_op                  33
#define __HYPERVISOR_hvm_op                      34
#define __HYPERVISOR_sysctl                      35
#define __HYPERVISOR_domctl                      36
#define __HYPERVISOR_kexec_op                    37
#define __HYPERVISOR_tmem_op                     38
#define __HYPERVISOR_argo_op                     39
#define __HYPERVISOR_xenpmu_op                   40
#define __HYPERVISOR_dm_op                       41
#define __HYPERVISOR_hypfs_op                    42
#define __HYPERVISOR_arch_0                      48
#define __HYPERVISOR_mca                         48 /* machine checks: arch_0 of x86 */
#define __HYPERVISOR_arch_1                      49
#define __HYPERVISOR_arch_2                      50
#define __HYPERVISOR_arch_3                      51
#define __HYPERVISOR_arch_4                      52
#define __HYPERVISOR_arch_5                      53
#define __HYPERVISOR_arch_6                      54
#define __HYPERVISOR_arch_7                      55

/* ---- domain numbers: ordinary ones are below DOMID_FIRST_RESERVED ---- */
#define DOMID_FIRST_RESERVED 0x7FF0
#define DOMID_SELF           0x7FF0 /* the caller */
#define DOMID_IO             0x7FF1 /* owner of device memory: foreign mapping of MMIO */
#define DOMID_XEN            0x7FF2 /* owner of pages of the hypervisor that it shares */
#define DOMID_COW            0x7FF3
#define DOMID_INVALID        0x7FF4
#define DOMID_IDLE           0x7FFF
#define DOMID_MASK           0x7FFF

/* ---- virtual interrupts: V each vCPU has its own, G one in the system, to whoever holds it (dom0) ---- */
#define VIRQ_TIMER      0  /* V */
#define VIRQ_DEBUG      1  /* V */
#define VIRQ_CONSOLE    2  /* G: input on the hypervisor's console */
#define VIRQ_DOM_EXC    3  /* G: a domain died or shut down */
#define VIRQ_TBUF       4  /* G */
#define VIRQ_DEBUGGER   6  /* G */
#define VIRQ_XENOPROF   7  /* V */
#define VIRQ_CON_RING   8  /* G: new bytes in the hypervisor's log */
#define VIRQ_PCPU_STATE 9  /* G */
#define VIRQ_MEM_EVENT  10 /* G */
#define VIRQ_ARGO       11 /* G */
#define VIRQ_ENOMEM     12 /* G */
#define VIRQ_XENPMU     13 /* V */
#define VIRQ_ARCH_0     16
#define VIRQ_MCA        16 /* G: machine check log, arch_0 of x86 */
#define VIRQ_ARCH_1     17
#define VIRQ_ARCH_2     18
#define VIRQ_ARCH_3     19
#define VIRQ_ARCH_4     20
#define VIRQ_ARCH_5     21
#define VIRQ_ARCH_6     22
#define VIRQ_ARCH_7     23
#define NR_VIRQS        24

/* ---- mmu_update(list, count, *done, domain): the kind of an entry is in bits 0-1 of its ptr ---- */
#define MMU_NORMAL_PT_UPDATE       0 /* ptr: machine address of a page-table entry, val: the new entry */
#define MMU_MACHPHYS_UPDATE        1 /* ptr: machine address within a frame, val: its new PFN in the M2P */
#define MMU_PT_UPDATE_PRESERVE_AD  2 /* as NORMAL, but accessed and dirty survive if the hardware sets them */
#define MMU_PT_UPDATE_NO_TRANSLATE 3

/* ---- mmuext_op(list, count, *done, domain); arg1 and arg2 as each line says ---- */
#define MMUEXT_PIN_L1_TABLE       0  /* mfn */
#define MMUEXT_PIN_L2_TABLE       1  /* mfn */
#define MMUEXT_PIN_L3_TABLE       2  /* mfn */
#define MMUEXT_PIN_L4_TABLE       3  /* mfn */
#define MMUEXT_UNPIN_TABLE        4  /* mfn */
#define MMUEXT_NEW_BASEPTR        5  /* mfn: kernel root, and current from now on */
#define MMUEXT_TLB_FLUSH_LOCAL    6
#define MMUEXT_INVLPG_LOCAL       7  /* linear_addr */
#define MMUEXT_TLB_FLUSH_MULTI    8  /* vcpumask */
#define MMUEXT_INVLPG_MULTI       9  /* linear_addr, vcpumask */
#define MMUEXT_TLB_FLUSH_ALL      10
#define MMUEXT_INVLPG_ALL         11 /* linear_addr */
#define MMUEXT_FLUSH_CACHE        12
#define MMUEXT_SET_LDT            13 /* linear_addr, nr_ents */
#define MMUEXT_NEW_USER_BASEPTR   15 /* mfn, or 0 for none */
#define MMUEXT_CLEAR_PAGE         16 /* mfn */
#define MMUEXT_COPY_PAGE          17 /* mfn, src_mfn */
#define MMUEXT_FLUSH_CACHE_GLOBAL 18
#define MMUEXT_MARK_SUPER         19 /* mfn */
#define MMUEXT_UNMARK_SUPER       20 /* mfn */

/*
 * update_va_mapping(address, entry, flags): what to flush; MULTI takes a pointer to a vCPU mask in the high
 * bits.
 */
#define UVMF_NONE           0
#define UVMF_TLB_FLUSH      1
#define UVMF_INVLPG         2
#define UVMF_FLUSHTYPE_MASK 3
#define UVMF_MULTI          0
#define UVMF_LOCAL          0
#define UVMF_ALL            4

#define CONSOLEIO_write 0
#define CONSOLEIO_read  1

/* vm_assist(command, type) */
#define VMASST_CMD_enable                0
#define VMASST_CMD_disable               1
#define VMASST_TYPE_4gb_segments         0
#define VMASST_TYPE_4gb_segments_notify  1
#define VMASST_TYPE_writable_pagetables  2
#define VMASST_TYPE_pae_extended_cr3     3
#define VMASST_TYPE_architectural_iopl   4  /* iopl as hardware has it, in rflags */
#define VMASST_TYPE_runstate_update_flag 5  /* mark runstate updates with XEN_RUNSTATE_UPDATE */
#define VMASST_TYPE_m2p_strict           32 /* no M2P under the user root */

/* vcpu_time_info.flags */
#define XEN_PVCLOCK_TSC_STABLE_BIT (1 << 0)
#define XEN_PVCLOCK_GUEST_STOPPED  (1 << 1)

/* start_info.flags */
#define SIF_PRIVILEGED     (1 << 0)
#define SIF_INITDOMAIN     (1 << 1)
#define SIF_MULTIBOOT_MOD  (1 << 2) /* mod_start points at a list of modules, not at an initrd */
#define SIF_MOD_START_PFN  (1 << 3) /* mod_start is a PFN: the initrd is not mapped */
#define SIF_VIRT_P2M_4TOOLS (1 << 4) /* tools understand a P2M in virtual addresses only */
#define SIF_PM_MASK        (0xFF << 8) /* xen-processor options */

#define MAX_GUEST_CMDLINE 1024

#define XEN_VGATYPE_TEXT_MODE_3 0x03
#define XEN_VGATYPE_VESA_LFB    0x23
#define XEN_VGATYPE_EFI_LFB     0x70

#ifndef __ASSEMBLER__
typedef uint16_t domid_t;
typedef uint64_t xen_pfn_t;
typedef uint64_t xen_ulong_t;
typedef uint32_t evtchn_port_t;
typedef uint32_t grant_ref_t;
typedef uint32_t grant_handle_t;
typedef uint8_t xen_domain_handle_t[16]; /* the UUID that tools give a domain */

/*
 * An address in the guest that a structure carries. Never a pointer here: only a checked copy may follow
 * it.
 */
typedef struct {
    uint64_t va;
} guest_handle_t;
_Static_assert(sizeof(guest_handle_t) == 8, "handles are 64 bits wide");

struct mmuext_op {
    uint32_t cmd;
    union {
        xen_pfn_t mfn;
        uint64_t linear_addr;
    } arg1;
    union {
        uint32_t nr_ents;
        guest_handle_t vcpumask;
        xen_pfn_t src_mfn;
    } arg2;
};
_Static_assert(sizeof(struct mmuext_op) == 24, "mmuext_op list element");

struct mmu_update {
    uint64_t ptr;
    uint64_t val;
};

struct multicall_entry {
    xen_ulong_t op, result;
    xen_ulong_t args[6];
};
_Static_assert(sizeof(struct multicall_entry) == 64, "multicall list element");

/*
 * The guest's clock: now = system_time + (((tsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul >> 32),
 * in ns. version is odd during an update; readers retry.
 */
struct vcpu_time_info {
    uint32_t version;
    uint32_t pad0;
    uint64_t tsc_timestamp;
    uint64_t system_time;
    uint32_t tsc_to_system_mul;
    int8_t   tsc_shift; /* negative: shift right */
    uint8_t  flags;
    uint8_t  pad1[2];
};
_Static_assert(sizeof(struct vcpu_time_info) == 32, "clock page");

/* Exactly one cache line. The upcall mask plays the part of the interrupt flag. */
struct vcpu_info {
    uint8_t evtchn_upcall_pending;
    uint8_t evtchn_upcall_mask;
    xen_ulong_t evtchn_pending_sel; /* one bit a word of evtchn_pending */
    struct arch_vcpu_info arch;
    struct vcpu_time_info time;
};
_Static_assert(sizeof(struct vcpu_info) == 64, "a cache line");

/* One page a domain. Wall clock at boot, guarded by wc_version as above: add the system time. */
struct shared_info {
    struct vcpu_info vcpu_info[XEN_LEGACY_MAX_VCPUS];
    xen_ulong_t evtchn_pending[64];
    xen_ulong_t evtchn_mask[64];
    uint32_t wc_version;
    uint32_t wc_sec;
    uint32_t wc_nsec;
    uint32_t wc_sec_hi;
    struct arch_shared_info arch;
};
_Static_assert(sizeof(struct shared_info) == 3136, "fits a page");

/* What RSI points at when a PV kernel starts. */
struct start_info {
    char magic[32]; /* "xen-3.0-x86_64" */
    uint64_t nr_pages;
    uint64_t shared_info; /* machine address */
    uint32_t flags;       /* SIF_* */
    xen_pfn_t store_mfn;
    uint32_t store_evtchn;
    union {
        struct {
            xen_pfn_t mfn;
            uint32_t evtchn;
        } domU;
        struct {
            uint32_t info_off; /* of struct dom0_vga_console_info, from the start of this page */
            uint32_t info_size;
        } dom0;
    } console;
    uint64_t pt_base; /* address of the initial L4 */
    uint64_t nr_pt_frames;
    uint64_t mfn_list; /* address of the P2M */
    uint64_t mod_start;
    uint64_t mod_len;
    char cmd_line[MAX_GUEST_CMDLINE];
    uint64_t first_p2m_pfn; /* where the P2M's frames lie if it is outside the initial mapping */
    uint64_t nr_p2m_frames;
};
_Static_assert(sizeof(struct start_info) == 1168, "start_info");

struct xen_multiboot_mod_list {
    uint32_t mod_start;
    uint32_t mod_end;
    uint32_t cmdline;
    uint32_t pad;
};

/* The screen as the boot loader left it, for dom0's console driver. lfb_size counts 64 KiB. */
struct dom0_vga_console_info {
    uint8_t video_type; /* XEN_VGATYPE_* */
    union {
        struct {
            uint16_t font_height;
            uint16_t cursor_x, cursor_y;
            uint16_t rows, columns;
        } text_mode_3;
        struct {
            uint16_t width, height;
            uint16_t bytes_per_line;
            uint16_t bits_per_pixel;
            uint32_t lfb_base;
            uint32_t lfb_size;
            uint8_t red_pos, red_size;
            uint8_t green_pos, green_size;
            uint8_t blue_pos, blue_size;
            uint8_t rsvd_pos, rsvd_size;
            uint32_t gbl_caps;
            uint16_t mode_attrs;
            uint16_t pad;
            uint32_t ext_lfb_base; /* high half of lfb_base */
        } vesa_lfb;
    } u;
};

/* A bit map of a control call; bit i of byte i/8. Bits beyond the owner's buffer count as zero. */
struct xenctl_bitmap {
    guest_handle_t bitmap;
    uint32_t nr_bits;
};
#endif /* __ASSEMBLER__ */
#endif
