/* SPDX-License-Identifier: BSD-2-Clause */
/* What hardware knows of one processor: its task segment, descriptor page, entry block and loaded root. */
#ifndef HW_CPU_H
#define HW_CPU_H

#include <hv/cpu_set.h>
#include <hv/pcpu.h>
#include <hv/types.h>

/* Selectors of the reserved part of every GDT (ABI for the ring-3 ones; the rest is ours). */
#define SEL_HYP_CS  0xe008
#define SEL_HYP_SS  0xe010
#define SEL_TSS     0xe040
#define SEL_LDT     0xe050
#define GDT_LIMIT   0xefff

enum vector { VECTOR_FIRST_IRQ = 0x20, VECTOR_TIMER = 0xf0, VECTOR_KICK = 0xf1, VECTOR_REQUEST = 0xf2,
              VECTOR_ERROR = 0xfe, VECTOR_SPURIOUS = 0xff };

struct task_segment {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, iomap;
} __attribute__((packed));

/* What the SYSCALL stub of this processor (cpu.c) and the short paths (entry.S) use. */
struct entry_block {
    uint64_t guest_rsp, regs_end;
    uint64_t loaded_root;           /* CR3 without flags */
    uint64_t *flushed_at;           /* this processor's tlb_flushed[] */
} __attribute__((aligned(64)));

/* What other processors ask of this one; see request.c. */
struct requests {
    uint64_t word;              /* [63:48] how often asked, [47:12] a page's address, [11:0] enum request */
    uint16_t done;                  /* as many as that have been answered */
} __attribute__((aligned(64)));

struct hw_cpu {
    struct requests requests;
    struct task_segment tss __attribute__((aligned(64)));
    struct entry_block *entry;
    uint64_t *gdt_page;             /* page FIRST_RESERVED_GDT_PAGE of every GDT on this processor */
    mfn_t     gdt_frame;
    struct vcpu *loaded;            /* whose segments and FPU the processor holds */
    struct domain *space;           /* whose root and descriptor tables it has; NULL: the hypervisor's own */
    bool      ts;                   /* CR0.TS as set */
    bool      debug_loaded;         /* DR0-3, DR7 are not at rest */
    uint32_t  stage;                /* enum cpu_stage: smp.c; atomic */
    uint32_t  turns;                /* of waiting: request.c */
    bool      monitoring;           /* it sleeps on its pending word: a write there wakes it; atomic */
    uint64_t  stack_top;
};

static inline struct hw_cpu *hw_of(struct pcpu *c) { return c->hw; }

void cpu_init_boot(struct pcpu *c);         /* descriptors, MSRs, control registers of the first processor */
/* Memory for what hardware and we need of one more processor; false: there is none. */
bool cpu_prepare(struct pcpu *c);
void cpu_init(struct pcpu *c);              /* the same as at boot, on a processor that was prepared */
void fpu_init_boot(void);
void fpu_init_cpu(void);
/* Starts the processors that the firmware lists and brings them into the scheduler, idle. */
void smp_start(void);
void topology_read(struct pcpu *c);          /* of the running processor, which is c */
void idle_init_boot(void);                  /* how processors sleep */
/*
 * The local interrupt controller. lapic_init_boot() runs once, after clock_init_boot(), and measures its
 * timer; lapic_init_cpu() runs on every other processor and takes the rate from there. Both set
 * this_cpu()->apic_id.
 */
void lapic_init_boot(void);
void lapic_init_cpu(void);
uint32_t lapic_id(void);                    /* of the running processor */
void lapic_eoi(void);
/* To one other processor. startup: it begins in real mode at page << 12 (SDM vol. 3, 9.4.4). */
void lapic_send(uint32_t apic_id, uint8_t vector);
void lapic_send_init(uint32_t apic_id);
void lapic_send_startup(uint32_t apic_id, uint8_t page);
void lapic_send_nmi(uint32_t apic_id);
void lapic_counter_nmi(void);   /* overflows of performance counters interrupt by NMI; till the next one */
/*
 * The clock. The first measures the TSC. The other two are called when processor c has come up, at about the
 * same time on the first processor and on c itself, for one c after the other: they compare the two TSCs and
 * decide where system time comes from. c has no use for now_ns() before. Each waits for the other for some
 * seconds at most.
 */
void clock_init_boot(void);
void clock_check_source(struct pcpu *c);
void clock_check_target(struct pcpu *c);
/*
 * The rate of a counter against the TSC: TSC ticks of a time in which it made *ticks of its own, by the bits
 * of mask. Takes 30 ms.
 */
uint64_t clock_measure(uint64_t (*read)(void), uint64_t mask, uint64_t *ticks);
void paging_init_boot(void);
void paging_tables_from_heap(void);         /* from now on tables come from the allocator */
/* Maps device memory uncached; never unmapped. Physical, bytes. */
void *map_device(uint64_t phys, size_t len);

/* nmi.c: the end after a trap of our own; what NMIs came since the last call is told. */
struct regs;
__noreturn void trap_die(const struct regs *r, const char *what);
void nmi_tell(void);
/* counter.c: whether this NMI is the performance counter's; then it is set to count again. */
bool counter_nmi(void);
/* mce.c. machine_check_tell(): what the banks hold is told; true: the machine cannot go on. */
void machine_check_init_cpu(void);
bool machine_check_tell(void);
/* crash.c: whether an NMI is to stop this processor for good; and that. r stays where it is. */
bool crash_stops_us(void);
__noreturn void crash_stop(const struct regs *r);

/* ---- request.c: what one processor asks of another ---- */
enum request { REQUEST_PAGE = 1, REQUEST_FLUSH = 2, REQUEST_LEAVE = 4, REQUEST_CACHE = 8 };
/* Asks every processor of the set but this one and returns when all have done it. va: the page, else 0. */
void request_all(const struct cpu_set *who, enum request what, uint64_t va);
void request_answer(void);                  /* does what was asked of this processor */

/* ---- context.c ---- */
void space_leave(void);                     /* to the hypervisor's own root; no guest's registers stay here */

__noreturn void resume_on_fresh_stack(uint64_t stack_top);

/* Called from entry.S. */
/* v: straight back to the guest; NULL: by guest_resume(). */
struct vcpu *guest_hypercall(struct vcpu *v);
void guest_trap(struct vcpu *v);
struct vcpu *guest_resume(void);
void guest_iret_refused(struct vcpu *v);

#endif
