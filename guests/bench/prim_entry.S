/* SPDX-License-Identifier: BSD-2-Clause */
/* The shortest entries a guest kernel can have, and the user programs that use them. */
#include <abi/arch.h>
#include <abi/xen.h>

        .macro  iret_with
        pushq   $0
        pushq   %rcx
        pushq   %r11
        pushq   %rax
        movl    $__HYPERVISOR_iret, %eax
        syscall
        .endm

        .text
        .globl  bench_syscall, bench_fault, bench_event
bench_syscall:                  /* call 1 ends user mode; all others do nothing */
        popq    %rcx
        popq    %r11
        cmpl    $1, %eax
        je      rt_leave_user
        iret_with

bench_fault:                    /* the faulting instruction has two bytes: go on behind it */
        popq    %rcx
        popq    %r11
        addq    $8, %rsp
        addq    $2, (%rsp)
        iret_with

bench_event:
        pushq   %rax
        movb    $0, shared_info_page            /* upcall pending */
        movq    $0, shared_info_page + 8        /* selector */
        movl    bench_port, %eax
        lock btrq %rax, shared_info_page + 2048 /* pending bits: 32 vcpu_info of 64 bytes come first */
        popq    %rax
        popq    %rcx
        popq    %r11
        iret_with

/* User programs: rounds of one operation between two readings of the counter. */
        .macro  user_rounds op:vararg
        rdtsc
        movl    %eax, %ebx
        movl    %edx, %ebp
        movq    bench_rounds, %r12
1:      xorl    %eax, %eax
        \op
        decq    %r12
        jnz     1b
        rdtsc
        shlq    $32, %rdx
        orq     %rdx, %rax
        shlq    $32, %rbp
        orq     %rbp, %rbx
        subq    %rbx, %rax
        movq    %rax, bench_result
        movl    $1, %eax
        syscall
        .endm

        .globl  bench_user_syscalls, bench_user_faults
bench_user_syscalls:
        user_rounds syscall
bench_user_faults:
        movl    $0x1000, %edi
        user_rounds movb (%rdi), %al

        .data
        .balign 8
        .globl  bench_result, bench_rounds, bench_port
bench_result:
        .quad   0
bench_rounds:
        .quad   0
bench_port:
        .long   0
        .section .note.GNU-stack, "", @progbits
