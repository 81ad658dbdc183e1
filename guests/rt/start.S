/* SPDX-License-Identifier: BSD-2-Clause */
/* Notes that tell the builder what we are, the entry point, the entries for exceptions, events, system
 * calls. */
#include <abi/arch.h>
#include <abi/elfnote.h>
#include <abi/xen.h>

        .macro  note type, value:vararg
        .balign 4
        .long   4, 2f - 1f, \type
        .asciz  "Xen"
1:      \value
2:      .balign 4
        .endm

        .section .note.xen, "a", @note
        note    XEN_ELFNOTE_GUEST_OS, .asciz "hauch-test"
        note    XEN_ELFNOTE_GUEST_VERSION, .asciz "1"
        note    XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
        note    XEN_ELFNOTE_LOADER, .asciz "generic"
        note    XEN_ELFNOTE_ENTRY, .quad _start
        note    XEN_ELFNOTE_VIRT_BASE, .quad 0xffffffff80000000
        note    XEN_ELFNOTE_PADDR_OFFSET, .quad 0
        note    XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page
        note    XEN_ELFNOTE_PAE_MODE, .asciz "yes"
        note    XEN_ELFNOTE_FEATURES, .asciz "!writable_page_tables|pae_pgdir_above_4gb|dom0"

        .section .text.start, "ax"
        .globl  _start
_start: cld
        movq    %rsi, start_info_pointer
        leaq    boot_stack_end, %rsp
        xorl    %ebp, %ebp
        call    rt_main
1:      hlt
        jmp     1b

        .text
/* Exceptions: RCX, R11, [error code], RIP, CS, RFLAGS, RSP, SS on the stack. All become struct trap_frame. */
        .macro  save
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
        .macro  restore
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

        .macro  trap vector, has_error
        .globl  trap_\vector
trap_\vector:
        popq    %rcx
        popq    %r11
        .if     \has_error == 0
        pushq   $0
        .endif
        pushq   $\vector
        jmp     trap_common
        .endm
        trap 0, 0
        trap 1, 0
        trap 2, 0
        trap 3, 0
        trap 4, 0
        trap 5, 0
        trap 6, 0
        trap 7, 0
        trap 10, 1
        trap 11, 1
        trap 12, 1
        trap 13, 1
        trap 14, 1
        trap 16, 0
        trap 17, 1
        trap 19, 0
        trap 128, 0

trap_common:
        save
        movq    %rsp, %rdi
        call    rt_trap
        restore
        addq    $16, %rsp
        /* RIP, CS, RFLAGS, RSP, SS: complete it to what the iret hypercall wants */
return_by_iret:
        pushq   $0
        pushq   %rcx
        pushq   %r11
        pushq   %rax
        movl    $__HYPERVISOR_iret, %eax
        syscall

        .globl  event_entry, failsafe_entry, syscall_entry
event_entry:
        popq    %rcx
        popq    %r11
        pushq   $0
        pushq   $0x20
        save
        movq    %rsp, %rdi
        call    rt_event
        restore
        addq    $16, %rsp
        jmp     return_by_iret

failsafe_entry:
        popq    %rcx
        popq    %r11
        addq    $32, %rsp
        pushq   $0
        pushq   $0x21
        jmp     trap_common

/* From user mode; the frame is the same. */
syscall_entry:
        popq    %rcx
        popq    %r11
        pushq   $0
        pushq   $0x22
        jmp     trap_common

/* void rt_user(uint64_t rip, uint64_t rsp): goes to user mode; comes back through rt_leave_user(). */
        .globl  rt_user, rt_leave_user
rt_user:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, user_return_stack
        pushq   $FLAT_USER_SS64
        pushq   %rsi
        pushq   $0x202
        pushq   $FLAT_USER_CS64
        pushq   %rdi
        jmp     return_by_iret
rt_leave_user:
        movq    user_return_stack, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret

/* uint64_t rt_try(uint64_t (*fn)(void *), void *arg): calls fn; an exception meanwhile ends it: see
 * caught. */
        .globl  rt_try, rt_try_end
rt_try: pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rdi, %rbx
        movq    %rsi, %rbp
        call    rt_try_slot
        pushq   (%rax)
        movq    %rsp, (%rax)
        movq    %rbp, %rdi
        call    *%rbx
        movq    %rax, %rbx
        call    rt_try_slot
        movq    (%rax), %rsp
/* An exception comes here too, with the stack as the try left it. */
rt_try_end:
        call    rt_try_slot
        popq    (%rax)
        movq    %rbx, %rax
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret

        .data
        .globl  start_info_pointer
start_info_pointer:
        .quad   0
user_return_stack:
        .quad   0

        .section .data.pages, "aw"
        .balign 4096
        .globl  hypercall_page, shared_info_page
hypercall_page:
        .skip   4096
shared_info_page:
        .skip   4096

        .bss
        .balign 4096
        .globl  boot_stack_end
boot_stack:
        .skip   32768
boot_stack_end:
        .section .note.GNU-stack, "", @progbits
