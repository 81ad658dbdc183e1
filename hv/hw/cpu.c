/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One processor's own tables: GDT page, task segment, interrupt gates, SYSCALL registers.
 *
 * SYSCALL changes neither the stack nor GS, so it needs a per-processor foothold: a stub of 32 bytes whose
 * RIP-relative operands reach that processor's entry block. It saves RSP there and loads the address behind
 * vcpu.regs. The hypervisor never uses GS: both GS bases are the guest's at all times.
 */
#include <hv/frame.h>
#include <hv/print.h>
#include <hv/vcpu.h>
#include <hw/hw.h>
#include <hw/layout.h>

#include "cpu.h"
#include "insn.h"

_Static_assert(offsetof(struct vcpu, regs) == 0 && offsetof(struct regs, rip) == 136, "hw/entry.S");
_Static_assert(sizeof(struct regs) == 176 && offsetof(struct vcpu, stack) == 192, "hw/entry.S");
#define ASSERT_OFFSET(type, member, at) _Static_assert(offsetof(type, member) == (at), "hw/entry.S: " #member)
ASSERT_OFFSET(struct vcpu, entry_block, 200);
ASSERT_OFFSET(struct vcpu, info, 208);
ASSERT_OFFSET(struct vcpu, pv.kernel_mode, 224);
ASSERT_OFFSET(struct vcpu, pv.nmi_masked, 225);
ASSERT_OFFSET(struct vcpu, pv.nmi_pending, 226);
ASSERT_OFFSET(struct vcpu, pv.syscall_disables_events, 227);
ASSERT_OFFSET(struct vcpu, pv.fault_disables_events, 228);
ASSERT_OFFSET(struct vcpu, pv.root_kernel, 232);
ASSERT_OFFSET(struct vcpu, pv.root_user, 240);
ASSERT_OFFSET(struct vcpu, pv.entry_top, 248);
ASSERT_OFFSET(struct vcpu, pv.syscall_callback, 256);
ASSERT_OFFSET(struct vcpu, pv.fault_entry, 264);
ASSERT_OFFSET(struct vcpu, pv.cr2, 272);
ASSERT_OFFSET(struct entry_block, loaded_root, 16);
ASSERT_OFFSET(struct entry_block, flushed_at, 24);
ASSERT_OFFSET(struct pcpu, current, 16);
ASSERT_OFFSET(struct vcpu_info, evtchn_upcall_pending, 0);
ASSERT_OFFSET(struct vcpu_info, evtchn_upcall_mask, 1);
ASSERT_OFFSET(struct vcpu_info, arch.cr2, 16);

extern uint8_t entry_stubs[256][16];
extern void entry_syscall(void), entry_syscall32(void), entry_page_fault(void);
extern void entry_nmi(void), entry_double_fault(void), entry_machine_check(void);

extern void entry_debug(void);
extern uint8_t idle_l4[];

struct gate { uint16_t offset0, selector; uint8_t ist, type; uint16_t offset1; uint32_t offset2, reserved; };

static struct gate idt[256] __attribute__((aligned(4096)));
static struct entry_block entry_blocks[MAX_CPUS];
static uint64_t cpu0_gdt[512] __attribute__((aligned(4096)));
/* Together as large and as aligned as a stack, with the processor in the lowest word: this_cpu() works on
 * them too. */
extern uint8_t cpu0_stack[STACK_SIZE], ist_stacks[STACK_SIZE];   /* start.S, for their place in the image */
static struct hw_cpu cpu0_hw __attribute__((aligned(64)));

#define IST_STACKS 4
#define STACK_ORDER 2
_Static_assert(PAGE_SIZE << STACK_ORDER == STACK_SIZE, "stacks are blocks of the allocator");
#define IST_DEBUG 3     /* index of that stack; the word above it points to the entry block */

/* In the image, as entry_blocks[], so that the stub, its operands and entry_syscall are within 2 GiB. */
static uint8_t syscall_stub[MAX_CPUS][2][32] __attribute__((section(".stubs"), aligned(32)));

mfn_t hw_reserved_gdt_frame(void)
{
    return hw_of(this_cpu())->gdt_frame;
}

static void gate_set(unsigned vector, void (*entry)(void), unsigned ist, unsigned dpl)
{
    uint64_t at = (uint64_t)entry;

    idt[vector] = (struct gate){ (uint16_t)at, SEL_HYP_CS, (uint8_t)ist, (uint8_t)(0x8e | dpl << 5),
                                 (uint16_t)(at >> 16), (uint32_t)(at >> 32), 0 };
}

static void idt_fill(void)
{
    for (unsigned v = 0; v < 256; v++)
        gate_set(v, (void (*)(void))entry_stubs[v], 0, v == 3 || v == 4 ? 3 : 0);
    gate_set(1, entry_debug, IST_DEBUG + 1, 0);
    gate_set(2, entry_nmi, 1, 0);
    gate_set(14, entry_page_fault, 0, 0);
    gate_set(8, entry_double_fault, 2, 0);
    gate_set(18, entry_machine_check, 3, 0);
}

static void gdt_fill(uint64_t *page, const struct task_segment *tss)
{
    uint64_t base = (uint64_t)tss;

    page[1] = 0x00af9b000000ffff;       /* e008: ring 0 code, 64 bit */
    page[2] = 0x00cf93000000ffff;       /* e010: ring 0 data */
    page[4] = 0x00cffb000000ffff;       /* e023: ring 3 code, 32 bit */
    page[5] = 0x00cff3000000ffff;       /* e02b: ring 3 data */
    page[6] = 0x00affb000000ffff;       /* e033: ring 3 code, 64 bit */
    page[8] = (sizeof *tss - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    page[9] = base >> 32;               /* e040: available 64-bit task segment */
}

static void rel32(uint8_t *at, const void *target)
{
    int64_t d = (int64_t)target - (int64_t)(at + 4);
    int32_t d32 = (int32_t)d;

    BUG_ON(d != d32);
    __builtin_memcpy(at, &d32, 4);
}

/* mov %rsp, guest_rsp(%rip); mov regs_end(%rip), %rsp; push $FLAT_RING3_SS64; push guest_rsp(%rip); jmp
 * entry */
static void syscall_stub_write(uint8_t *s, struct entry_block *e, void (*entry)(void))
{
    static const uint8_t code[] = { 0x48, 0x89, 0x25, 0, 0, 0, 0, 0x48, 0x8b, 0x25, 0, 0, 0, 0,
                                    0x68, 0x2b, 0xe0, 0, 0, 0xff, 0x35, 0, 0, 0, 0, 0xe9, 0, 0, 0, 0 };

    __builtin_memcpy(s, code, sizeof code);
    rel32(s + 3, &e->guest_rsp);
    rel32(s + 10, &e->regs_end);
    rel32(s + 21, &e->guest_rsp);
    rel32(s + 26, (const void *)entry);
}

/* For all processors there can be, while text may still be written. */
static void stubs_fill(void)
{
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        syscall_stub_write(syscall_stub[i][0], &entry_blocks[i], entry_syscall);
        syscall_stub_write(syscall_stub[i][1], &entry_blocks[i], entry_syscall32);
    }
}

static void control_registers(void)
{
    uint32_t f1[4], f7[4];
    uint64_t cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_DE;

    cpuid(1, 0, f1);
    cpuid(7, 0, f7);
    if (f1[2] & 1u << 26)
        cr4 |= CR4_OSXSAVE;
    if (f7[1] & 1u << 7)
        cr4 |= CR4_SMEP;
    write_cr4(cr4);
    wrmsr(MSR_PAT, 0x050100070406ull);      /* ABI: WB WT UC- UC WC WP */
}

/* ---- before a processor runs: its memory ---- */

/* stack and exceptions: STACK_SIZE bytes each, aligned to that. */
static void cpu_describe(struct pcpu *c, struct hw_cpu *h, uint8_t *stack, uint8_t *exceptions)
{
    c->hw = h;
    h->entry = &entry_blocks[c->id];
    h->entry->flushed_at = &tlb_flushed[c->id].at;
    h->entry->loaded_root = (uint64_t)idle_l4 - IMAGE_BASE;
    h->stack_top = (uint64_t)stack + STACK_SIZE - 16;
    *(struct pcpu **)stack = c;
    *(struct pcpu **)exceptions = c;
    h->tss.iomap = sizeof h->tss;
    for (unsigned i = 0; i < IST_STACKS; i++)
        h->tss.ist[i] = (uint64_t)exceptions + (i + 1) * (STACK_SIZE / IST_STACKS) - 16;
    *(struct entry_block **)h->tss.ist[IST_DEBUG] = h->entry;
    gdt_fill(h->gdt_page, &h->tss);
}

bool cpu_prepare(struct pcpu *c)
{
    struct hw_cpu *h = page_alloc(0);
    uint8_t *stack = page_alloc(STACK_ORDER), *exceptions = page_alloc(STACK_ORDER);
    uint64_t *gdt = page_alloc(0);

    if (!h || !stack || !exceptions || !gdt)
        return false;                   /* as good as over: what is missing will be missed elsewhere */
    h->gdt_page = gdt;
    h->gdt_frame = mfn_of_page(gdt);
    tlb_flushed[c->id].at = TLB_NONE_HELD;
    cpu_describe(c, h, stack, exceptions);
    return true;
}

/* ---- on the processor ---- */

void cpu_init(struct pcpu *c)
{
    struct hw_cpu *h = hw_of(c);

    lgdt((uint64_t)h->gdt_page - 0xe000, GDT_LIMIT);
    __asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1: movl %1, %%ss"
                     : : "i"(SEL_HYP_CS), "r"(SEL_HYP_SS) : "rax", "memory");
    lidt((uint64_t)idt, sizeof idt - 1);
    ltr(SEL_TSS);
    control_registers();
    topology_read(c);
    machine_check_init_cpu();
    wrmsr(MSR_STAR, (uint64_t)SEL_HYP_CS << 32 | 0xe023ull << 48);
    wrmsr(MSR_LSTAR, (uint64_t)syscall_stub[c->id][0]);
    wrmsr(MSR_CSTAR, (uint64_t)syscall_stub[c->id][1]);     /* AMD's: from compatibility mode */
    wrmsr(MSR_SYSENTER_CS, 0);              /* SYSENTER: refused, whatever the firmware left there */
    wrmsr(MSR_SFMASK, 0x47700);             /* NT IOPL OF DF IF TF AC off */
}

void cpu_init_boot(struct pcpu *c)
{
    struct hw_cpu *h = &cpu0_hw;

    h->gdt_page = cpu0_gdt;
    h->gdt_frame = MFN(((uint64_t)cpu0_gdt - IMAGE_BASE) >> PAGE_SHIFT);
    cpu_describe(c, h, (uint8_t *)cpu0_stack, ist_stacks);
    idt_fill();
    stubs_fill();
    cpu_init(c);
}
