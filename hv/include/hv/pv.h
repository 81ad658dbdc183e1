/* SPDX-License-Identifier: BSD-2-Clause */
/* What a paravirtual domain and vCPU have besides the common: page-table roots, traps, descriptors, I/O
 * rights. */
#ifndef HV_PV_H
#define HV_PV_H

#include <hv/range.h>
#include <hv/types.h>

#include <abi/arch.h>

#define PV_GDT_FRAMES   14      /* the guest's; the reserved entries follow */
#define PV_LDT_ENTRIES  8192

/* The options of vm_assist that a 64-bit guest may switch. */
#define VM_ASSIST_BIT(type) (1ull << (type))
#define VM_ASSIST_KNOWN \
    (VM_ASSIST_BIT(VMASST_TYPE_4gb_segments) | VM_ASSIST_BIT(VMASST_TYPE_4gb_segments_notify) | \
     VM_ASSIST_BIT(VMASST_TYPE_writable_pagetables) | VM_ASSIST_BIT(VMASST_TYPE_pae_extended_cr3) | \
     VM_ASSIST_BIT(VMASST_TYPE_architectural_iopl) | VM_ASSIST_BIT(VMASST_TYPE_runstate_update_flag) | \
     VM_ASSIST_BIT(VMASST_TYPE_m2p_strict))

struct pv_domain {
    mfn_t       perdomain_l3;           /* descriptor windows of its vCPUs, see pv/descriptor.c */
    struct ranges io_ports;             /* ports it may use */
    struct ranges io_frames;            /* device frames it may map */
    struct ranges irqs;                 /* machine interrupts it may bind */
    uint32_t    pci_address;            /* what it wrote to port 0xcf8 last; atomic */
    uint64_t    vm_assist;              /* bits VMASST_TYPE_*; atomic */
    uint8_t     relinquish_step;
    uint32_t    relinquish_cursor;
    uint64_t    relinquish_left;        /* frames to look at yet, see mm/owner.c */
    uint8_t    *memory_map;             /* set_memory_map: entries of 20 bytes */
    uint32_t    memory_map_entries;
    struct cpu_policy *cpuid;           /* NULL: the machine's default policy for domUs */
};

/*
 * The words up to cr2 are at fixed places, known to the short paths of hw/entry.S. entry_top is the place
 * (aligned, checked) below which it may put a frame of up to ENTRY_FRAME_BYTES bytes; 0 sends it to C:
 * pv/bounce.c.
 */
#define ENTRY_FRAME_BYTES 64
struct pv_vcpu {
    bool        kernel_mode;            /* guest kernel, not guest user; both run in ring 3 */
    bool        nmi_masked;             /* behind kernel_mode: an iret to user mode clears both */
    bool        nmi_pending;
    bool        syscall_disables_events, fault_disables_events, failsafe_disables_events;
    uint8_t     iopl;
    mfn_t       root_kernel, root_user; /* referenced as L4; user may be MFN_INVALID */
    uint64_t    entry_top;
    uint64_t    syscall_callback;
    uint64_t    fault_entry;            /* traps[14].address */
    uint64_t    cr2;
    bool        entry_short;            /* all that entry_top depends on, but the stack */

    uint64_t    kernel_sp, kernel_ss;   /* stack_switch */
    uint64_t    fs_base, gs_base_kernel, gs_base_user;
    uint16_t    ds, es, fs, gs;
    uint64_t    ctrlreg_cr0_ts;         /* guest's CR0.TS as it set it (fpu_taskswitch) */
    uint64_t    cr4;                    /* guest's view */
    uint64_t    debugreg[8];
    struct trap_info traps[256];
    uint64_t    event_callback, failsafe_callback, nmi_callback;
    uint64_t    syscall32_callback;
    bool        syscall32_disables_events;
    gaddr_t     iobmp;                  /* virtual address of the bitmap, limit in ports */
    uint32_t    iobmp_ports;
    mfn_t       gdt_frame[PV_GDT_FRAMES + 2];
    uint32_t    gdt_entries;
    uint64_t    ldt_base;
    uint32_t    ldt_entries;
    uint64_t    ldt_mapped;             /* bit n: page n of the LDT window holds a reference */
    void       *fpu;                    /* XSAVE area, allocated with the vCPU */
    uint64_t    xcr0;
    uint64_t    undo[2];            /* tables to be taken apart before the next operation, see pv/pt_undo.c */
    uint8_t     undo_count;
    uint64_t   *gdt_window;             /* L1 entries of its window in the per-domain area */
};

/* ---- for other parts ---- */
int  pv_domain_init(struct domain *d);
void pv_domain_free(struct domain *d);
int  pv_vcpu_init(struct vcpu *v);
void pv_vcpu_free(struct vcpu *v);
/* setvcpucontext/initialise: checks and loads; 0 or -errno; -ERESTART possible. */
int  pv_vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *c);
void pv_vcpu_get_context(struct vcpu *v, struct vcpu_guest_context *c);
/* Drops roots, descriptors, info pages of all vCPUs and then all frames; -ERESTART until done.
 * pv/teardown.c */
int  pv_domain_relinquish(struct domain *d);
/* Gives v an exception as the processor would: through its trap table. */
void pv_inject(struct vcpu *v, unsigned vector, uint32_t error);
void pv_inject_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error);
/* Event upcall if one is due; called last on the way to the guest. */
void pv_deliver_events(struct vcpu *v);
/* To be called after a change of entry points, iopl, vm_assist; and after one of the kernel stack alone. */
void pv_entry_changed(struct vcpu *v);
void pv_entry_stack_changed(struct pv_vcpu *p);
/* hw/entry.S could not write a frame to the guest kernel's stack. */
void pv_entry_stack_bad(struct vcpu *v);
/* Kernel <-> user mode of the guest: segment bases and root. */
void pv_toggle_mode(struct vcpu *v);
/* The frame of the root that v uses now. */
static inline mfn_t pv_current_root(const struct pv_vcpu *p)
{
    return p->kernel_mode ? p->root_kernel : p->root_user;
}

/* Handlers called by the trap path (core sees none of the hardware). Return true if dealt with. */
bool pv_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error);
bool pv_emulate_privileged(struct vcpu *v);     /* #GP: privileged instruction of a guest kernel, I/O */
int  pv_set_debugreg(struct vcpu *v, unsigned n, uint64_t value);  /* checks and stores; 0, -EPERM, -EINVAL */
bool pv_emulate_invalid(struct vcpu *v);        /* #UD: forced-emulation CPUID */
void pv_trap(struct vcpu *v);           /* every exception from a guest but #PF: v->regs.vector says which */
void pv_trap_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error);
void pv_syscall(struct vcpu *v);                /* SYSCALL from guest user mode */
void pv_syscall32(struct vcpu *v);              /* the same from a 32-bit code segment */
/* IRETQ or a selector was refused: the guest's failsafe callback, or the end of the domain. */
void pv_failsafe(struct vcpu *v, uint32_t error);
void pv_failsafe_due(struct vcpu *v);
/* Before v is loaded: page 14 of its GDT window is this processor's. */
void pv_window_bind(struct vcpu *v);

#endif
