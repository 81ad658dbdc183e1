/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest PV guest: it waits for ever, with events masked as it was started: one that a daemon
 * sends wakes it and does no harm, although it has no handler. What its creation costs is the toolstack's and
 * the hypervisor's own work, without a kernel to load. The notes are those of the public elfnote.h.
 */
	.macro NOTE type, kind:req, value:vararg
	.align 4
	.long 4, 2f - 1f, \type
	.asciz "Xen"
1:	\kind \value
2:	.align 4
	.endm

	.section .note.Xen, "a", @note
	NOTE 1, .quad, start			/* ENTRY */
	NOTE 2, .quad, hypercall_page		/* HYPERCALL_PAGE */
	NOTE 3, .quad, 0xffffffff80000000	/* VIRT_BASE */
	NOTE 4, .quad, 0xffffffff80000000	/* PADDR_OFFSET */
	NOTE 5, .asciz, "xen-3.0"		/* XEN_VERSION */
	NOTE 6, .asciz, "noop"			/* GUEST_OS */
	NOTE 8, .asciz, "generic"		/* LOADER */
	NOTE 9, .asciz, "yes"			/* PAE_MODE */

	.text
	.globl start
start:
	movl $29, %eax				/* sched_op(SCHEDOP_poll): on no port, without a timeout */
	movl $3, %edi
	leaq nothing(%rip), %rsi
	call hypercall_page + 29 * 32
	jmp start

	.balign 8
nothing:
	.quad 0, 0, 0				/* ports, how many, until when */

	.balign 4096
hypercall_page:
	.skip 4096
