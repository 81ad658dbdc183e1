/* SPDX-License-Identifier: BSD-2-Clause */
/* What the second domain runs, copied to its page 0: it needs nothing but registers and the shared page. */
#include <abi/xen.h>
#include <abi/sched.h>

        .section .rodata
        .globl  child_code, child_code_end
child_code:
        movq    $0xffffffff80001000, %rbx
1:      cmpq    $1, (%rbx)
        je      2f
        cmpq    $3, (%rbx)
        je      5f
        movl    $SCHEDOP_yield, %edi
        movl    $__HYPERVISOR_sched_op, %eax
        syscall
        jmp     1b
2:      leaq    32(%rbx), %r12
        movq    8(%rbx), %r13
3:      testq   %r13, %r13
        jz      4f
        movq    (%r12), %rax
        movq    8(%r12), %rdi
        movq    16(%r12), %rsi
        movq    24(%r12), %rdx
        movq    32(%r12), %r10
        movq    40(%r12), %r8
        syscall
        movq    %rax, 48(%r12)
        addq    $56, %r12
        decq    %r13
        jmp     3b
4:      subq    $1, 16(%rbx)
        jnc     2b
        movq    $0, 16(%rbx)
        movq    $2, (%rbx)
        jmp     1b
5:      incq    24(%rbx)
        jmp     1b
child_code_end:
        .section .note.GNU-stack, "", @progbits
