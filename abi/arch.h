/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86-64 half of the guest ABI: segment selectors, trap tables, register images, the reserved address
 * range.
 *
 * A 64-bit PV guest's kernel and user programs both run in ring 3; the hypervisor keeps them apart by two
 * page-table roots and by a flag of its own (VGCF_in_kernel). Its kernel selectors are therefore ring-3
 * selectors that lie in the last pages of the GDT, which the guest cannot replace.
 *
 * Constants are usable from assembler; structures are for 64-bit C.
 */
#ifndef HAUCH_ABI_ARCH_H
#define HAUCH_ABI_ARCH_H

/* ---- descriptors: GDT pages 0 to 13 are the guest's, from 14 on they are the hypervisor's ---- */
#define FIRST_RESERVED_GDT_PAGE  14
#define FIRST_RESERVED_GDT_BYTE  57344
#define FIRST_RESERVED_GDT_ENTRY 7168

#define FLAT_RING3_CS32  0xe023
#define FLAT_RING3_SS32  0xe02b
#define FLAT_RING3_DS32  0xe02b
#define FLAT_RING3_CS64  0xe033
#define FLAT_RING3_SS64  0xe02b
#define FLAT_RING3_DS64  0x0000
#define FLAT_KERNEL_CS32 FLAT_RING3_CS32
#define FLAT_KERNEL_SS32 FLAT_RING3_SS32
#define FLAT_KERNEL_DS32 FLAT_RING3_DS32
#define FLAT_KERNEL_CS64 FLAT_RING3_CS64
#define FLAT_KERNEL_SS64 FLAT_RING3_SS64
#define FLAT_KERNEL_DS64 FLAT_RING3_DS64
#define FLAT_KERNEL_CS   FLAT_KERNEL_CS64
#define FLAT_KERNEL_SS   FLAT_KERNEL_SS64
#define FLAT_KERNEL_DS   FLAT_KERNEL_DS64
#define FLAT_USER_CS32   FLAT_RING3_CS32
#define FLAT_USER_SS32   FLAT_RING3_SS32
#define FLAT_USER_DS32   FLAT_RING3_DS32
#define FLAT_USER_CS64   FLAT_RING3_CS64
#define FLAT_USER_SS64   FLAT_RING3_SS64
#define FLAT_USER_DS64   FLAT_RING3_DS64
#define FLAT_USER_CS     FLAT_USER_CS64
#define FLAT_USER_SS     FLAT_USER_SS64
#define FLAT_USER_DS     FLAT_USER_DS64

/* ---- reserved addresses: L4 slots 256 to 271; the first half slot's worth is the read-only M2P ---- */
#define HYPERVISOR_VIRT_START 0xFFFF800000000000
#define HYPERVISOR_VIRT_END   0xFFFF880000000000
#define MACH2PHYS_VIRT_START  0xFFFF800000000000
#define MACH2PHYS_VIRT_END    0xFFFF804000000000
#define MACH2PHYS_NR_ENTRIES  ((MACH2PHYS_VIRT_END - MACH2PHYS_VIRT_START) >> 3)

/* set_segment_base: which base the second argument is for (USER_SEL loads a selector instead). */
#define SEGBASE_FS          0
#define SEGBASE_GS_USER     1
#define SEGBASE_GS_KERNEL   2
#define SEGBASE_GS_USER_SEL 3

/* vcpu_guest_context.flags; VGCF_in_syscall is also the flag of iret_context.flags. */
#define VGCF_i387_valid               (1 << 0)
#define VGCF_I387_VALID               (1 << 0)
#define VGCF_in_kernel                (1 << 2)
#define VGCF_IN_KERNEL                (1 << 2)
#define VGCF_failsafe_disables_events (1 << 3)
#define VGCF_syscall_disables_events  (1 << 4)
#define VGCF_online                   (1 << 5)
#define VGCF_in_syscall               (1 << 8)
#define VGCF_IN_SYSCALL               (1 << 8)

/* vcpu slots inside shared_info; a vCPU with a higher number must register a vcpu_info page of its own. */
#define XEN_LEGACY_MAX_VCPUS 32

/* ---- CPUID: the leaves 0x40000000.. that name the hypervisor ("XenVMMXenVMM") ---- */
#define XEN_CPUID_FIRST_LEAF                      0x40000000
#define XEN_CPUID_LEAF(i)                         (XEN_CPUID_FIRST_LEAF + (i))
#define XEN_CPUID_SIGNATURE_EBX                   0x566e6558
#define XEN_CPUID_SIGNATURE_ECX                   0x65584d4d
#define XEN_CPUID_SIGNATURE_EDX                   0x4d4d566e
#define XEN_CPUID_MAX_NUM_LEAVES                  5
#define XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD (1 << 0)    /* leaf 2, ECX, PV only */
#define XEN_CPUID_MACHINE_ADDRESS_WIDTH_MASK      (0xff << 0) /* leaf 5, EBX, PV only */

/* "ud2a; .ascii xen" in front of CPUID asks for the hypervisor's view of it. */
#define XEN_EMULATE_PREFIX ".byte 0x0f,0x0b,0x78,0x65,0x6e ; "
#define XEN_CPUID          XEN_EMULATE_PREFIX "cpuid"

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/* set_trap_table: a list of these ends at the first with address 0. */
struct trap_info {
    uint8_t  vector;
    uint8_t  flags;   /* bits 0-1: least privileged caller of INT n; bit 2: mask events on entry */
    uint16_t cs;
    uint64_t address;
};
#define TI_GET_DPL(ti)      ((ti)->flags & 3)
#define TI_GET_IF(ti)       ((ti)->flags & 4)
#define TI_SET_DPL(ti, dpl) ((ti)->flags |= (dpl))
#define TI_SET_IF(ti, on)   ((ti)->flags |= (on) ? 4 : 0)

/* Registers of a guest as domctl and VCPUOP_initialise carry them. */
struct cpu_user_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint32_t error_code;
    uint32_t entry_vector;
    uint64_t rip;
    uint16_t cs, _pad0[1];
    uint8_t  saved_upcall_mask;
    uint8_t  _pad1[3];
    uint64_t rflags;
    uint64_t rsp;
    uint16_t ss, _pad2[3];
    uint16_t es, _pad3[3];
    uint16_t ds, _pad4[3];
    uint16_t fs, _pad5[3];
    uint16_t gs, _pad6[3];
};
_Static_assert(sizeof(struct cpu_user_regs) == 200, "register image");

/* What the guest pushes before the iret hypercall: RSP points at it. */
struct iret_context {
    uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

/* Everything of a vCPU: VCPUOP_initialise, get/setvcpucontext. ctrlreg[1] is the root for user mode. */
struct vcpu_guest_context {
    struct {
        uint8_t x[512];
    } fpu_ctxt; /* FXSAVE layout */
    uint64_t flags;
    struct cpu_user_regs user_regs;
    struct trap_info trap_ctxt[256];
    uint64_t ldt_base, ldt_ents;
    uint64_t gdt_frames[16], gdt_ents;
    uint64_t kernel_ss, kernel_sp;
    uint64_t ctrlreg[8];
    uint64_t debugreg[8];
    uint64_t event_callback_eip;
    uint64_t failsafe_callback_eip;
    uint64_t syscall_callback_eip;
    uint64_t vm_assist;
    uint64_t fs_base;
    uint64_t gs_base_kernel;
    uint64_t gs_base_user;
};
_Static_assert(sizeof(struct vcpu_guest_context) == 5168, "vCPU context");

/*
 * A control register image of a PV guest is the frame number in its usual place: 64-bit guests need no
 * rotation.
 */
#define xen_pfn_to_cr3(pfn) ((uint64_t)(pfn) << 12)
#define xen_cr3_to_pfn(cr3) ((uint64_t)(cr3) >> 12)

struct arch_vcpu_info {
    uint64_t cr2; /* address of the last page fault that was reported to this vCPU */
    uint64_t pad;
};

/* All but nmi_reason is written by the guest, for tools that save it. */
struct arch_shared_info {
    uint64_t max_pfn;
    uint64_t pfn_to_mfn_frame_list_list;
    uint64_t nmi_reason;
    uint64_t p2m_cr3;
    uint64_t p2m_vaddr;
    uint64_t p2m_generation; /* odd while the P2M is being rearranged */
};

/* ---- the machine-dependent part of XEN_DOMCTL_createdomain ---- */
#define XEN_X86_EMU_LAPIC     (1U << 0)
#define XEN_X86_EMU_HPET      (1U << 1)
#define XEN_X86_EMU_PM        (1U << 2)
#define XEN_X86_EMU_RTC       (1U << 3)
#define XEN_X86_EMU_IOAPIC    (1U << 4)
#define XEN_X86_EMU_PIC       (1U << 5)
#define XEN_X86_EMU_VGA       (1U << 6)
#define XEN_X86_EMU_IOMMU     (1U << 7)
#define XEN_X86_EMU_PIT       (1U << 8)
#define XEN_X86_EMU_USE_PIRQ  (1U << 9)
#define XEN_X86_EMU_VPCI      (1U << 10)
#define XEN_X86_EMU_ALL       0x7ffU
#define XEN_X86_MSR_RELAXED   (1U << 0)
#define XEN_X86_MISC_FLAGS_MAX XEN_X86_MSR_RELAXED
struct xen_arch_domainconfig {
    uint32_t emulation_flags; /* XEN_X86_EMU_*: devices to emulate; a PV guest has PIT only or none */
    uint32_t misc_flags;      /* XEN_X86_MSR_RELAXED */
};

/* One line of a CPU policy. A leaf without sub-leaves has XEN_CPUID_NO_SUBLEAF. */
#define XEN_CPUID_NO_SUBLEAF 0xffffffffu
struct xen_cpuid_leaf {
    uint32_t leaf, subleaf;
    uint32_t a, b, c, d;
};
struct xen_msr_entry {
    uint32_t idx;
    uint32_t flags; /* 0 */
    uint64_t val;
};
#endif /* __ASSEMBLER__ */
#endif
