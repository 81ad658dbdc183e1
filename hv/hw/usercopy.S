/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions that may fault on behalf of a guest. Each has a row in the exception table: where it
 * stands, where to go on. hypervisor_trap() looks the faulting address up and changes RIP.
 */
        .macro  fixup at, to
        .pushsection .exception_table, "a"
        .balign 8
        .quad   \at, \to
        .popsection
        .endm

        .text
/* int copy_may_fault(void *dst, const void *src, size_t len): 0, or 1 after a fault */
        .globl  copy_may_fault
        .balign 16
copy_may_fault:
        movq    %rdx, %rcx
        xorl    %eax, %eax
        shrq    $3, %rcx
        andl    $7, %edx
1:      rep movsq
        movl    %edx, %ecx
2:      rep movsb
        ret
3:      movl    $1, %eax
        ret
        fixup   1b, 3b
        fixup   2b, 3b

/* int load8_may_fault(const uint64_t *src, uint64_t *value) */
        .globl  load8_may_fault
load8_may_fault:
        xorl    %eax, %eax
1:      movq    (%rdi), %rcx
        movq    %rcx, (%rsi)
        ret
        fixup   1b, 3b

/* int rdmsr_may_fault(uint32_t msr, uint64_t *value); int wrmsr_may_fault(uint32_t msr, uint64_t value) */
        .globl  rdmsr_may_fault, wrmsr_may_fault
rdmsr_may_fault:
        movl    %edi, %ecx
1:      rdmsr
        shlq    $32, %rdx
        orq     %rdx, %rax
        movq    %rax, (%rsi)
        xorl    %eax, %eax
        ret
        fixup   1b, 3b
wrmsr_may_fault:
        movl    %edi, %ecx
        movl    %esi, %eax
        movq    %rsi, %rdx
        shrq    $32, %rdx
2:      wrmsr
        xorl    %eax, %eax
        ret
        fixup   2b, 3b

/* Segment selectors as the guest left them; one that no longer loads becomes null. int load_XX(uint32_t sel):
 * 1 if so */
        .macro  selector name
        .globl  load_\name
load_\name:
        xorl    %eax, %eax
1:      movl    %edi, %\name
        ret
2:      xorl    %edi, %edi
        movl    %edi, %\name
        movl    $1, %eax
        ret
        fixup   1b, 2b
        .endm
        selector ds
        selector es
        selector fs
        selector gs

/* int xrstor_may_fault(void *area, uint64_t mask) */
        .globl  xrstor_may_fault
xrstor_may_fault:
        movl    %esi, %eax
        movq    %rsi, %rdx
        shrq    $32, %rdx
1:      xrstorq (%rdi)
        xorl    %eax, %eax
        ret
        fixup   1b, 3b
/* int xsetbv_may_fault(uint64_t value): XCR0 */
        .globl  xsetbv_may_fault
xsetbv_may_fault:
        movl    %edi, %eax
        movq    %rdi, %rdx
        shrq    $32, %rdx
        xorl    %ecx, %ecx
1:      xsetbv
        xorl    %eax, %eax
        ret
        fixup   1b, 3b

        .section .note.GNU-stack, "", @progbits
