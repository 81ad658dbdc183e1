/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the boot loader to C: multiboot 1 or 2 enters in 32-bit protected mode without paging, EAX magic, EBX
 * the information's physical address. We check for 64-bit mode, build page tables that map the first 4 GiB
 * three times (where they are, at the direct map, and at the image's address), and go on high.
 */
#include <hw/layout.h>

#define PHYS(sym)       ((sym) - IMAGE_BASE_ADDRESS)
#define IMAGE_BASE_ADDRESS 0xffff82d080000000

#define MB1_MAGIC       0x1badb002
#define MB1_FLAGS       0x00010007  /* modules on page limits, memory map, video mode; with addresses */
#define MB2_MAGIC       0xe85250d6

        .section .multiboot, "a"
        .balign 4
multiboot1_header:
        .long   MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)
        .long   PHYS(multiboot1_header), PHYS(image_start), PHYS(data_end), PHYS(image_end), PHYS(start32)
        .long   1, 80, 25, 0            /* text mode wanted */

        .balign 8
multiboot2_header:
        .long   MB2_MAGIC, 0, multiboot2_end - multiboot2_header
        .long   -(MB2_MAGIC + (multiboot2_end - multiboot2_header))
        .word   1, 0                    /* information we want: modules, memory map, ACPI, framebuffer, EFI */
        .long   9 * 4 + 8
        .long   1, 2, 3, 6, 8, 14, 15, 12, 17
        .balign 8
        .word   6, 0                    /* modules on page limits */
        .long   8
        .word   0, 0
        .long   8
multiboot2_end:

        .section .text.start, "ax"
        .code32
        .globl  start32
start32:
        cli
        cld
        movl    %eax, PHYS(boot_magic)
        movl    %ebx, PHYS(boot_info_address)
        movl    $PHYS(boot_stack_end), %esp

        movl    $0x80000000, %eax       /* 64-bit mode and no-execute are what we need */
        cpuid
        cmpl    $0x80000001, %eax
        jb      no_long_mode
        movl    $0x80000001, %eax
        cpuid
        btl     $29, %edx
        jnc     no_long_mode
        btl     $20, %edx
        jnc     no_long_mode

        /* L2 tables: 4 GiB of 2 MiB pages; the loop's constants are present, writable, large. */
        movl    $PHYS(boot_l2), %edi
        xorl    %ecx, %ecx
1:      movl    %ecx, %eax
        shll    $21, %eax
        orl     $0x83, %eax
        movl    %eax, (%edi, %ecx, 8)
        incl    %ecx
        cmpl    $2048, %ecx
        jne     1b
        /* the image has an L2 of its own: its rights will differ from the direct map's */
        movl    $PHYS(boot_l2), %esi
        movl    $PHYS(boot_l2_image), %edi
        movl    $1024, %ecx
        rep movsl
        /* one L3 for all three places: the image's slot looks at entries 322.., so fill those in a second
         * L3 */
        movl    $PHYS(boot_l2) + 3, %eax
        movl    $PHYS(boot_l3), %edi
        movl    $PHYS(boot_l3_image), %esi
        xorl    %ecx, %ecx
1:      movl    %eax, (%edi, %ecx, 8)
        addl    $4096, %eax
        incl    %ecx
        cmpl    $4, %ecx
        jne     1b
        movl    $PHYS(boot_l2_image) + 3, ((IMAGE_BASE_ADDRESS >> 30) & 511) * 8(%esi)
        movl    $PHYS(idle_l4), %edi
        movl    $PHYS(boot_l3) + 3, (%edi)
        movl    $PHYS(boot_l3) + 3, ((DIRECT_MAP >> 39) & 511) * 8(%edi)
        movl    $PHYS(boot_l3_image) + 3, ((IMAGE_BASE_ADDRESS >> 39) & 511) * 8(%edi)

        movl    $0x20, %eax             /* CR4.PAE */
        movl    %eax, %cr4
        movl    $PHYS(idle_l4), %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx       /* EFER: LME, NXE, SCE */
        rdmsr
        orl     $0x901, %eax
        wrmsr
        movl    $0x80010033, %eax       /* CR0: PG WP NE ET MP PE */
        movl    %eax, %cr0
        lgdt    PHYS(boot_gdt_pointer)
        ljmp    $8, $PHYS(start64)

no_long_mode:
        movl    $PHYS(no_long_mode_text), %esi
        movl    $0xb8000, %edi
2:      lodsb
        testb   %al, %al
        jz      3f
        movb    $0x0f, %ah
        stosw
        movb    %al, %bl
        movw    $0x3f8, %dx
        outb    %al, %dx
        jmp     2b
3:      hlt
        jmp     3b

        .code64
start64:
        movabsq $start_high, %rax
        jmp     *%rax
start_high:
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %eax, %fs
        movl    %eax, %gs
        leaq    cpu0_stack(%rip), %rsp
        addq    $STACK_SIZE - 16, %rsp
        movl    boot_magic(%rip), %edi
        movl    boot_info_address(%rip), %esi
        call    hv_main
4:      hlt
        jmp     4b

        .section .rodata
no_long_mode_text:
        .asciz  "Hauch needs a 64-bit processor with no-execute (CPUID 80000001h EDX bits 29 and 20).\r\n"
        .balign 8
boot_gdt:
        .quad   0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_pointer:
        .word   23
        .long   PHYS(boot_gdt)

        .data
boot_magic:
        .long   0
boot_info_address:
        .long   0

        .section .bss.pages, "aw", @nobits
        .balign 4096                    /* the linker script puts it on a STACK_SIZE limit */
        .globl  cpu0_stack, ist_stacks, idle_l4
cpu0_stack:
        .skip   STACK_SIZE
ist_stacks:
        .skip   STACK_SIZE
idle_l4:
        .skip   4096
boot_l3:
        .skip   4096
boot_l3_image:
        .skip   4096
boot_l2:
        .skip   4 * 4096
boot_l2_image:
        .skip   4096
boot_stack:
        .skip   256
boot_stack_end:

        .section .note.GNU-stack, "", @progbits
