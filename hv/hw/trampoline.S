/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a processor begins after its start-up interrupt: in real mode, CS:IP = TRAMPOLINE >> 4 : 0. smp.c
 * copies this to TRAMPOLINE and puts page tables behind it. From here to 64-bit mode there is one step:
 * paging on. Then the processor looks whether it is the one that is waited for: one that comes too late must
 * not take the place of the next.
 */
#include <hw/layout.h>

#define IMAGE_BASE_ADDRESS 0xffff82d080000000
#define AT(sym) (TRAMPOLINE + (sym) - trampoline_start)

        .section .rodata
        .globl  trampoline_start, trampoline_stack, trampoline_apic_id, trampoline_end
        .balign 16
        .code16
trampoline_start:
        cli
        cld
        movw    %cs, %ax
        movw    %ax, %ds
        lgdtl   trampoline_gdt_pointer - trampoline_start
        movl    $0x20, %eax             /* CR4: PAE */
        movl    %eax, %cr4
        movl    $TRAMPOLINE + 0x1000, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx       /* EFER: LME, NXE, SCE */
        rdmsr
        orl     $0x901, %eax
        wrmsr
        movl    $0x80010033, %eax       /* CR0: PG WP NE ET MP PE */
        movl    %eax, %cr0
        ljmpl   $8, $AT(trampoline_64)
        .code64
trampoline_64:
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %eax, %fs
        movl    %eax, %gs
        cpuid                           /* EAX 0: the highest leaf */
        cmpl    $0xb, %eax
        jb      2f
        movl    $0xb, %eax
        xorl    %ecx, %ecx
        cpuid
        testl   %ebx, %ebx
        jnz     3f                      /* EDX: the whole id */
2:      movl    $1, %eax
        cpuid
        shrl    $24, %ebx
        movl    %ebx, %edx
3:      cmpl    %edx, trampoline_apic_id(%rip)
        jne     4f
        movq    trampoline_stack(%rip), %rsp
        movabsq $idle_l4 - IMAGE_BASE_ADDRESS, %rax
        movabsq $smp_high, %rcx
        jmp     *%rcx
4:      hlt                             /* interrupts are off */
        jmp     4b
        .balign 8
trampoline_gdt:
        .quad   0, 0x00af9b000000ffff, 0x00cf93000000ffff
trampoline_gdt_pointer:
        .word   23
        .long   AT(trampoline_gdt)
        .balign 8
trampoline_stack:
        .quad   0
trampoline_apic_id:
        .long   0
trampoline_end:

        .text
smp_high:
        movq    %rax, %cr3
        call    smp_main
1:      hlt
        jmp     1b

        .section .note.GNU-stack, "", @progbits
