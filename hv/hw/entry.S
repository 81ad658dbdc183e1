/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trap path. Guests run in ring 3; whatever brings the processor here finds it with interrupts off.
 *
 * A guest's registers go straight into its struct vcpu: the task segment's stack pointer (and, for SYSCALL, the
 * processor's entry block) points behind vcpu.regs, so the processor itself pushes the interrupt frame there and we
 * push the rest below. Only then do we change to the processor's stack. The way back pops from vcpu.regs of whoever
 * is to run now: a switch of vCPUs is no more than a different pointer.
 *
 * Traps from ring 0 stay on the stack they came on. There are two kinds: faults of the few instructions that touch
 * guest memory or load guest selectors (exception_table), and IRETQ refusing what a guest asked for.
 */
#include <hw/layout.h>

#define REGS_VECTOR   120
#define REGS_ERROR    128
#define REGS_RIP      136
#define REGS_END      176
#define VCPU_STACK    192

        .macro  push_registers
        pushq   %rdi
        pushq   %rsi
        pushq   %rdx
        pushq   %rcx
        pushq   %rax
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        .endm

        .macro  pop_registers
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rax
        popq    %rcx
        popq    %rdx
        popq    %rsi
        popq    %rdi
        .endm

        .text

/* ---- SYSCALL: the processor's stub (hw/cpu.c) has set RSP behind vcpu.regs and pushed SS and the guest's RSP ---- */
        .globl  entry_syscall
        .balign 16
entry_syscall:
        pushq   %r11                    /* RFLAGS */
        pushq   $0xe033                 /* FLAT_RING3_CS64 */
        pushq   %rcx                    /* RIP */
        pushq   $0
        pushq   $0x100                  /* VECTOR_SYSCALL */
        push_registers
        movq    %rsp, %rdi
        movq    VCPU_STACK(%rdi), %rsp
        call    guest_syscall
        jmp     return_to_guest

/* ---- exceptions and interrupts; the stubs below have pushed an error code and the vector ---- */
        .balign 16
entry_trap:
        testb   $3, 24(%rsp)
        jz      entry_ring0
        push_registers
        cld
        movq    %rsp, %rdi
        movq    VCPU_STACK(%rdi), %rsp
        call    guest_trap
        /* fall through */

/* ---- to a guest: C does what is pending and says who runs ---- */
        .globl  return_to_guest
return_to_guest:
        call    guest_resume            /* the vCPU in RAX */
        movq    %rax, %rsp
        pop_registers
        addq    $16, %rsp
iret_to_guest:
        iretq

/* ---- traps from the hypervisor itself ---- */
entry_ring0:
        pushq   %rax
        leaq    iret_to_guest(%rip), %rax
        cmpq    %rax, 24(%rsp)
        je      iret_refused
        popq    %rax
        push_registers
        cld
        movq    %rsp, %rdi
        call    hypervisor_trap
        pop_registers
        addq    $16, %rsp
        iretq

/*
 * IRETQ faulted: all general registers hold the guest's values and RSP lies inside vcpu.regs. The processor aligned
 * it to REGS_RIP - 8 before it pushed six words; the stub pushed the vector and we RAX: RSP is vcpu + 64.
 */
iret_refused:
        popq    %rax                    /* RSP: vcpu + 72, the vector; the error code is at + 80 */
        xchgq   %rax, 8(%rsp)           /* RAX: error code; vcpu.regs.rax (offset 80) gets the guest's RAX */
        movq    %rax, REGS_ERROR - 72(%rsp)
        movq    %rdi, 112 - 72(%rsp)
        movq    %rsi, 104 - 72(%rsp)
        movq    %rdx, 96 - 72(%rsp)
        movq    %rcx, 88 - 72(%rsp)
        movq    %r9, 64 - 72(%rsp)
        movq    %r10, 56 - 72(%rsp)
        movq    %r11, 48 - 72(%rsp)
        movq    %rbx, 40 - 72(%rsp)
        movq    %rbp, 32 - 72(%rsp)
        movq    %r12, 24 - 72(%rsp)
        movq    %r13, 16 - 72(%rsp)
        movq    %r14, 8 - 72(%rsp)
        movq    %r15, 0 - 72(%rsp)
        movq    (%rsp), %rcx
        movq    %rcx, REGS_VECTOR - 72(%rsp)
        movq    %r8, (%rsp)             /* offset 72 */
        leaq    -72(%rsp), %rdi
        movq    VCPU_STACK(%rdi), %rsp
        cld
        call    guest_iret_refused
        jmp     return_to_guest

/* ---- NMI, double fault, machine check: on stacks of their own, never through vcpu.regs ---- */
        .macro  own_stack name, vector, has_error
        .balign 16
        .globl  entry_\name
entry_\name:
        .if     \has_error == 0
        pushq   $0
        .endif
        pushq   $\vector
        push_registers
        cld
        movq    %rsp, %rdi
        call    own_stack_trap
        pop_registers
        addq    $16, %rsp
        iretq
        .endm
        own_stack nmi, 2, 0
        own_stack double_fault, 8, 1
        own_stack machine_check, 18, 0

/* ---- 256 stubs of 16 bytes: error code where the processor pushes none, vector, jump ---- */
        .balign 16
        .globl  entry_stubs
entry_stubs:
        .set    vec, 0
        .rept   256
        .balign 16
        .if     !(vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21)
        pushq   $0
        .endif
        .if     vec < 128
        pushq   $vec
        .else
        .byte   0x68
        .long   vec
        .endif
        jmp     entry_trap
        .set    vec, vec + 1
        .endr

/* ---- switching to a vCPU outside the trap path: boot and idle end here ---- */
        .globl  resume_on_fresh_stack
resume_on_fresh_stack:                  /* RDI: top of the processor's stack */
        movq    %rdi, %rsp
        jmp     return_to_guest

        .section .note.GNU-stack, "", @progbits
