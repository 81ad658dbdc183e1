/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trap path. Guests run in ring 3; whatever brings the processor here finds it with interrupts off.
 *
 * A guest's registers go straight into its struct vcpu: the task segment's stack pointer (and, for SYSCALL,
 * the processor's entry block) points behind vcpu.regs, so the processor itself pushes the interrupt frame
 * there and we push the rest below. Only then do we change to the processor's stack. The way back pops from
 * vcpu.regs of whoever is to run now: a switch of vCPUs is no more than a different pointer.
 *
 * Four things happen so often that they have short ways of their own: hypercalls save only what C does not,
 * and system calls, page faults of user mode and the iret hypercall change between the guest's user and
 * kernel mode without any C. Each of them looks first whether everything is ordinary, and else goes the long
 * way with nothing changed. They may leave out the look at pending work: it is raised by C, which looks
 * before it leaves, or comes with an interrupt, which is taken as soon as the guest runs.
 *
 * SYSRET loads RCX as it is; an address that is not canonical would fault in ring 0 with the guest's stack.
 * So each SYSRET below says why its address is canonical.
 *
 * Traps from ring 0 stay on the stack they came on. There are two kinds: faults of the few instructions that
 * touch guest memory or load guest selectors (exception_table), and IRETQ refusing what a guest asked for.
 */
#include <abi/arch.h>
#include <abi/xen.h>
#include <hw/layout.h>

/* struct regs */
#define REGS_R15      0
#define REGS_R14      8
#define REGS_R13      16
#define REGS_R12      24
#define REGS_RBP      32
#define REGS_RBX      40
#define REGS_R11      48
#define REGS_R10      56
#define REGS_R9       64
#define REGS_R8       72
#define REGS_RAX      80
#define REGS_RCX      88
#define REGS_RDX      96
#define REGS_RSI      104
#define REGS_RDI      112
#define REGS_VECTOR   120
#define REGS_ERROR    128
#define REGS_RIP      136
#define REGS_CS       144
#define REGS_RFLAGS   152
#define REGS_RSP      160
#define REGS_SS       168
/* struct vcpu; cpu.c compares all of these with the C side */
#define VCPU_STACK    192
#define VCPU_BLOCK    200
#define VCPU_INFO     208
#define PV_KERNEL_MODE 224      /* and nmi_masked behind it */
#define PV_NMI_PENDING 226
#define PV_SYSCALL_MASKS 227
#define PV_FAULT_MASKS 228
#define PV_ROOT_KERNEL 232
#define PV_ROOT_USER  240
#define PV_ENTRY_TOP  248
#define PV_SYSCALL    256
#define PV_FAULT      264
#define PV_CR2        272
#define BLOCK_ROOT    16
#define BLOCK_FLUSHED 24
#define PCPU_CURRENT  16
#define INFO_PENDING  0
#define INFO_MASK     1
#define INFO_CR2      16
/* struct iret_context */
#define FRAME_RAX     0
#define FRAME_R11     8
#define FRAME_RCX     16
#define FRAME_FLAGS   24
#define FRAME_RIP     32
#define FRAME_CS      40
#define FRAME_RFLAGS  48
#define FRAME_RSP     56
#define FRAME_SS      64

#define USER_CS       0xe033
#define USER_CS32     0xe023
#define GUEST_SS      0xe02b
#define FLAG_IF       0x200
#define FLAG_IOPL     0x3000
#define FLAG_VM       0x20000
#define FLAGS_ENTRY   0x202
#define FAULT_BITS    0x17              /* present, write, user, instruction: an ordinary error code */

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

/* An access to guest memory: goes on at \to if it faults. RSP must be the processor's stack. */
        .macro  may_fault to, insn:vararg
88:     \insn
        .pushsection .exception_table, "a"
        .balign 8
        .quad   88b, \to
        .popsection
        .endm

/* RDI: the vCPU; RSP: the processor's stack. Changes RAX and RSI. See mm/tlb.c for the clock. */
        .macro  change_root from, to
        movq    \to(%rdi), %rax
        cmpq    \from(%rdi), %rax
        je      77f
        shlq    $12, %rax
        movq    VCPU_BLOCK(%rdi), %rsi
        movq    %rax, BLOCK_ROOT(%rsi)
        lock incq tlb_clock(%rip)
        pushq   tlb_clock(%rip)
        movq    %rax, %cr3
        movq    BLOCK_FLUSHED(%rsi), %rsi
        popq    (%rsi)
77:
        .endm

/* ---- SYSCALL: the processor's stub (hw/cpu.c) has set RSP behind vcpu.regs and pushed SS and the guest's
 * RSP ---- */
        .globl  entry_syscall
        .balign 16
entry_syscall:
        cmpb    $0, PV_KERNEL_MODE - REGS_RSP(%rsp)
        je      system_call
        cmpl    $__HYPERVISOR_iret, %eax
        je      iret_call

hypercall_long:
        pushq   %r11                    /* RFLAGS */
        pushq   $USER_CS
        pushq   %rcx                    /* RIP */
        pushq   $0
        pushq   $0x100                  /* VECTOR_SYSCALL */
        pushq   %rdi
        pushq   %rsi
        pushq   %rdx
        pushq   %rcx
        pushq   %rax
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        leaq    -REGS_R11(%rsp), %rdi
        movq    VCPU_STACK(%rdi), %rsp
        call    guest_hypercall
        testq   %rax, %rax
        jz      1f
        movq    REGS_RIP(%rax), %rcx
        testq   %rcx, %rcx
        jns     1f              /* SYSCALL left it canonical, and C took off 2 at most: not in this half */
        movq    REGS_RDI(%rax), %rdi
        movq    REGS_RSI(%rax), %rsi
        movq    REGS_RDX(%rax), %rdx
        movq    REGS_R8(%rax), %r8
        movq    REGS_R9(%rax), %r9
        movq    REGS_R10(%rax), %r10
        movq    REGS_RFLAGS(%rax), %r11
        movq    REGS_RSP(%rax), %rsp
        movq    REGS_RAX(%rax), %rax
        sysretq
1:      movq    %rsp, %rdi              /* the long way back: C has kept these six as they were */
        andq    $-STACK_SIZE, %rdi
        movq    (%rdi), %rdi
        movq    PCPU_CURRENT(%rdi), %rdi
        movq    %rbx, REGS_RBX(%rdi)
        movq    %rbp, REGS_RBP(%rdi)
        movq    %r12, REGS_R12(%rdi)
        movq    %r13, REGS_R13(%rdi)
        movq    %r14, REGS_R14(%rdi)
        movq    %r15, REGS_R15(%rdi)
        jmp     return_to_guest

/* ---- a system call of guest user mode: enter the guest kernel. Ordinary: its events are not masked ---- */
        .balign 16
system_call:
        movq    %rdi, REGS_RDI - REGS_RSP(%rsp)
        leaq    -REGS_RSP(%rsp), %rdi
        movq    %rsi, REGS_RSI(%rdi)
        movq    %rdx, REGS_RDX(%rdi)
        movq    %rax, REGS_RAX(%rdi)
        movq    VCPU_STACK(%rdi), %rsp
        movq    VCPU_INFO(%rdi), %rdx
        cmpq    $0, PV_ENTRY_TOP(%rdi)
        je      system_call_long
        cmpb    $0, INFO_MASK(%rdx)
        jne     system_call_long
        change_root PV_ROOT_USER, PV_ROOT_KERNEL
        movb    $1, PV_KERNEL_MODE(%rdi)
        swapgs
        movq    PV_ENTRY_TOP(%rdi), %rsi
        may_fault system_call_bad, movq %rcx, -56(%rsi)
        may_fault system_call_bad, movq %r11, -48(%rsi)
        may_fault system_call_bad, movq %rcx, -40(%rsi)         /* RIP */
        may_fault system_call_bad, movq $USER_CS, -32(%rsi)
        may_fault system_call_bad, movq %r11, -24(%rsi)         /* RFLAGS */
        movq    REGS_RSP(%rdi), %rax
        may_fault system_call_bad, movq %rax, -16(%rsi)
        may_fault system_call_bad, movq $GUEST_SS, -8(%rsi)
        movb    PV_SYSCALL_MASKS(%rdi), %al
        movb    %al, INFO_MASK(%rdx)
        movq    PV_SYSCALL(%rdi), %rcx  /* canonical: checked when it was registered */
        movl    $FLAGS_ENTRY, %r11d
        leaq    -56(%rsi), %rsp
to_kernel:
        movq    REGS_RAX(%rdi), %rax
        movq    REGS_RDX(%rdi), %rdx
        movq    REGS_RSI(%rdi), %rsi
        movq    REGS_RDI(%rdi), %rdi
        sysretq

system_call_long:
        movq    REGS_RSI(%rdi), %rsi
        leaq    REGS_RSP(%rdi), %rsp
        movq    REGS_RDI(%rdi), %rdi
        pushq   %r11
        pushq   $USER_CS
        pushq   %rcx
        pushq   $0
        pushq   $0x100
        push_registers
        movq    %rsp, %rdi
        movq    REGS_RDX(%rdi), %rdx
        movq    VCPU_STACK(%rdi), %rsp
        call    pv_syscall
        jmp     return_to_guest

/* SYSCALL in compatibility mode: 32-bit programs on AMD's processors. RCX is EIP, zero-extended. */
        .globl  entry_syscall32
        .balign 16
entry_syscall32:
        pushq   %r11
        pushq   $USER_CS32
        pushq   %rcx
        pushq   $0
        pushq   $0x100
        push_registers
        movq    %rsp, %rdi
        movq    VCPU_STACK(%rdi), %rsp
        call    pv_syscall32
        jmp     return_to_guest

/* The kernel stack took no frame. RDI: the vCPU, in kernel mode by now. */
system_call_bad:
        movq    %rcx, REGS_RIP(%rdi)
        movq    $USER_CS, REGS_CS(%rdi)
        movq    %r11, REGS_RFLAGS(%rdi)
fault_bad:
        cld                             /* user mode may have set it */
        call    pv_entry_stack_bad      /* the domain is at its end: registers not saved yet do not matter */
        jmp     return_to_guest

/* ---- page faults. Ordinary: of user mode, below 2^47, plain error code, events not masked ---- */
        .globl  entry_page_fault
        .balign 16
entry_page_fault:
        testb   $3, REGS_CS - REGS_ERROR(%rsp)
        jz      fault_of_ring0
        cmpb    $0, PV_KERNEL_MODE - REGS_ERROR(%rsp)
        jne     fault_long
        testl   $~FAULT_BITS, (%rsp)
        jnz     fault_long
        movq    %rdi, REGS_RDI - REGS_ERROR(%rsp)
        leaq    -REGS_ERROR(%rsp), %rdi
        movq    %rdx, REGS_RDX(%rdi)
        movq    %rax, REGS_RAX(%rdi)
        movq    VCPU_INFO(%rdi), %rdx
        movq    %cr2, %rax
        movq    %rax, PV_CR2(%rdi)
        movq    %rax, INFO_CR2(%rdx)
        shrq    $47, %rax
        jnz     fault_restore
        cmpb    $0, INFO_MASK(%rdx)
        jne     fault_restore
        cmpq    $0, PV_ENTRY_TOP(%rdi)
        je      fault_restore
        movq    %rsi, REGS_RSI(%rdi)
        movq    VCPU_STACK(%rdi), %rsp
        change_root PV_ROOT_USER, PV_ROOT_KERNEL
        movb    $1, PV_KERNEL_MODE(%rdi)
        swapgs
        movq    PV_ENTRY_TOP(%rdi), %rsi
        may_fault fault_bad, movq %rcx, -64(%rsi)
        may_fault fault_bad, movq %r11, -56(%rsi)
        .macro  pass from, to
        movq    \from(%rdi), %rax
        may_fault fault_bad, movq %rax, \to(%rsi)
        .endm
        pass    REGS_ERROR, -48
        pass    REGS_RIP, -40
        pass    REGS_CS, -32
        pass    REGS_RFLAGS, -24
        pass    REGS_RSP, -16
        pass    REGS_SS, -8
        movb    PV_FAULT_MASKS(%rdi), %al
        movb    %al, INFO_MASK(%rdx)
        movq    PV_FAULT(%rdi), %rcx    /* canonical: checked when it was registered */
        movl    $FLAGS_ENTRY, %r11d
        leaq    -64(%rsi), %rsp
        jmp     to_kernel

fault_restore:
        movq    REGS_RAX(%rdi), %rax
        movq    REGS_RDX(%rdi), %rdx
        movq    REGS_RDI(%rdi), %rdi
fault_long:
        pushq   $14
        jmp     trap_of_guest
fault_of_ring0:
        pushq   $14
        jmp     entry_ring0

/*
 * ---- the iret hypercall. Ordinary: the frame lies in the upper half, and nothing is pending that it would
 * let in ---- A frame that cannot be read goes the long way too, which ends the domain. Until all is read,
 * RSP and the mode stay; of what else is written by then the long way writes all again. IRETQ checks
 * selectors and RIP, see iret_refused.
 */
        .macro  read from, to
        may_fault iret_long, movq \from(%rsi), %rax
        movq    %rax, \to(%rdi)
        .endm

/* What is left of the frame: RAX, RCX and R11, which do not matter if VGCF_in_syscall is set, and RSP. */
        .macro  read_rest
        read    FRAME_RAX, REGS_RAX
        movq    REGS_RIP(%rdi), %rcx
        movq    REGS_RFLAGS(%rdi), %r11
        may_fault iret_long, testl $VGCF_in_syscall, FRAME_FLAGS(%rsi)
        jnz     66f
        may_fault iret_long, movq FRAME_RCX(%rsi), %rcx
        may_fault iret_long, movq FRAME_R11(%rsi), %r11
66:     read    FRAME_RSP, REGS_RSP
        .endm

        .balign 16
iret_call:
        movq    %rdi, REGS_RDI - REGS_RSP(%rsp)
        leaq    -REGS_RSP(%rsp), %rdi
        movq    %rsi, REGS_RSI(%rdi)
        movq    %rdx, REGS_RDX(%rdi)
        movq    %rcx, REGS_RCX(%rdi)
        movq    %r11, REGS_R11(%rdi)
        movq    VCPU_STACK(%rdi), %rsp
        movq    REGS_RSP(%rdi), %rsi
        movq    %rsi, %rax
        shrq    $43, %rax
        cmpl    $0x1ffff1, %eax         /* HYPERVISOR_VIRT_END >> 43 */
        jb      iret_long
        may_fault iret_long, movl FRAME_RFLAGS(%rsi), %edx
        movq    VCPU_INFO(%rdi), %r11
        movl    %edx, %eax
        andl    $~(FLAG_VM | FLAG_IOPL), %eax
        orl     $FLAG_IF, %eax
        movq    %rax, REGS_RFLAGS(%rdi)
        shrl    $9, %edx
        notl    %edx
        andl    $1, %edx                /* events masked? */
        jnz     1f
        cmpb    $0, INFO_PENDING(%r11)
        jne     iret_long
1:      cmpb    $0, PV_NMI_PENDING(%rdi)
        jne     iret_long
        read    FRAME_RIP, REGS_RIP
        may_fault iret_long, movzwl FRAME_SS(%rsi), %eax
        orl     $3, %eax
        movq    %rax, REGS_SS(%rdi)
        may_fault iret_long, movzwl FRAME_CS(%rsi), %eax
        movl    %eax, %ecx
        orl     $3, %eax
        movq    %rax, REGS_CS(%rdi)
        movb    %dl, INFO_MASK(%r11)
        cmpl    %eax, %ecx
        jne     iret_to_kernel
        cmpq    $-1, PV_ROOT_USER(%rdi)
        je      iret_long
        read_rest
        movw    $0, PV_KERNEL_MODE(%rdi)                /* and nmi_masked */
        swapgs
        change_root PV_ROOT_KERNEL, PV_ROOT_USER
iret_finish:
        movq    REGS_RAX(%rdi), %rax
        movq    REGS_RDX(%rdi), %rdx
        movq    REGS_RSI(%rdi), %rsi
        leaq    REGS_RIP(%rdi), %rsp
        movq    REGS_RDI(%rdi), %rdi
        jmp     iret_to_guest

iret_to_kernel:
        read_rest
        movb    $0, PV_KERNEL_MODE + 1(%rdi)            /* nmi_masked */
        jmp     iret_finish

iret_long:
        movq    REGS_RCX(%rdi), %rcx
        movq    REGS_R11(%rdi), %r11
        movq    REGS_RDX(%rdi), %rdx
        movq    REGS_RSI(%rdi), %rsi
        leaq    REGS_RSP(%rdi), %rsp
        movq    REGS_RDI(%rdi), %rdi
        movl    $__HYPERVISOR_iret, %eax
        jmp     hypercall_long

/* ---- exceptions and interrupts; the stubs below have pushed an error code and the vector ---- */
        .balign 16
entry_trap:
        testb   $3, 24(%rsp)
        jz      entry_ring0
trap_of_guest:
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
 * IRETQ faulted: all general registers hold the guest's values and RSP lies inside vcpu.regs. The processor
 * aligned it to REGS_RIP - 8 before it pushed six words; the stub pushed the vector and we RAX: RSP is vcpu +
 * 64.
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

/*
 * ---- debug exceptions, on a stack of their own: one that a guest caused by MOV SS is held back by the
 * processor until after the next instruction, and if that was SYSCALL it comes in ring 0 with the guest's
 * RSP. Those from a guest move to its vcpu.regs, which the word above this stack leads to; those from ring 0
 * are forgotten: breakpoints of a guest on memory that we read or write for it ----
 */
#define REGS_SIZE     176
        .balign 16
        .globl  entry_debug
entry_debug:
        pushq   $0
        pushq   $1
        push_registers
        cld
        movq    %rsp, %rsi
        testb   $3, REGS_RIP + 8(%rsi)
        jz      1f
        movq    REGS_SIZE(%rsi), %rax    /* the entry block */
        movq    8(%rax), %rbx           /* regs_end */
        subq    $REGS_SIZE, %rbx
        movq    %rbx, %rdi
        movl    $REGS_SIZE / 8, %ecx
        rep movsq
        movq    %rbx, %rdi
        movq    VCPU_STACK(%rdi), %rsp
        call    guest_trap
        jmp     return_to_guest
1:      movq    %rsp, %rdi
        call    hypervisor_debug
        pop_registers
        addq    $16, %rsp
        iretq

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
