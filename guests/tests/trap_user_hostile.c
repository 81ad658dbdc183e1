/* SPDX-License-Identifier: BSD-2-Clause */
/* User programs that try every door: each ends in an exception of their kernel's, with the machine as it was.
 */
#include "rt.h"

TEST("trap: hostile instructions in user mode (XSA-259, XSA-260)");

#define TRY(name, text) static void name(void) { __asm__ volatile(text); user_exit(1); }
TRY(int_2, "int $2")
TRY(int_8, "int $8")
TRY(int_18, "int $18")
TRY(int_32, "int $0x20")
TRY(int_130, "int $0x82")
TRY(int_255, "int $0xff")
TRY(sysenter, "sysenter")
TRY(sysret, "sysretq")
TRY(iret_bad, "movq $0, (%rsp); movq $8, 8(%rsp); iretq")
TRY(vmmcall, "vmmcall")
TRY(vmcall, "vmcall")
TRY(vmrun, "vmrun")
TRY(load_cr3, "movq %rax, %cr3")
TRY(load_cr4, "movq %rax, %cr4")
TRY(load_dr7, "movq %rax, %dr7")
TRY(wrmsr, "movl $0xc0000082, %ecx; wrmsr")
TRY(load_tr, "movw $0xe040, %ax; ltr %ax")
TRY(load_gdt, "lgdt (%rsp)")
TRY(load_idt, "lidt (%rsp)")
TRY(halt, "hlt")
TRY(invlpg, "invlpg (%rsp)")
TRY(swapgs, "swapgs")
TRY(far_call, "pushq $0xe008; pushq $0x1000; lretq")
TRY(prefix, ".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; nop")

static uint64_t run(void *fn) { return run_user(fn); }

static uint16_t watched_ss;
static volatile unsigned debug_hits;
static void count(struct trap_frame *f) { debug_hits += f->vector == 1; }

/* A watched word loaded into SS holds the debug exception back until behind the next instruction: a system
 * call. */
static void mov_ss(void)
{
    __asm__ volatile("movw %0, %%ss; syscall" : : "m"(watched_ss), "a"(0), "D"(5) : "memory");
    __builtin_unreachable();
}
static void mov_ss_int(void)
{
    __asm__ volatile("movw %0, %%ss; int3" : : "m"(watched_ss) : "memory");
    user_exit(6);
}

void test_main(void)
{
    void (*const all[])(
        void) = { int_2,    int_8,    int_18,   int_32, int_130,  int_255,  sysenter, sysret,
                  iret_bad, vmmcall,  vmcall,   vmrun,  load_cr3, load_cr4, load_dr7, wrmsr,
                  load_tr,  load_gdt, load_idt, halt,   invlpg,   swapgs,   far_call, prefix };

    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        CHECK(faults(run, all[i]));
        /* 4: QEMU 7.2 names twice the gate of INT n in the error code, and that one is open to user mode */
        CHECK(caught.vector == 13 || caught.vector == 6 || (caught.vector == 4 && i < 6));
        CHECK_EQ(caught.cs & 3, 3);
    }
    on_interrupt = count;
    watched_ss = FLAT_USER_SS64;
    CHECK_EQ(hypercall(__HYPERVISOR_set_debugreg, 0, (uint64_t)&watched_ss & ~1ul, 0, 0), 0);
    CHECK_EQ(hypercall(__HYPERVISOR_set_debugreg, 7, 1 | 1 << 16 | 1 << 17 | 1 << 18, 0, 0), 0);
    CHECK_EQ(run_user(mov_ss), 5);
    CHECK(faults(run, mov_ss_int));
    CHECK_EQ(caught.vector, 3);
    CHECK_EQ(hypercall(__HYPERVISOR_set_debugreg, 7, 0, 0, 0), 0);
    CHECK(debug_hits <= 2);
}
