/* SPDX-License-Identifier: BSD-2-Clause */
/* The first domain, built by the hypervisor itself from the boot loader's modules. Boot only; errors are
 * panics. */
#ifndef HV_DOM0_H
#define HV_DOM0_H

#include <hv/types.h>

/*
 * Kernel is module 0, initrd module 1 (optional). Size: dom0_mem=, or without it 512 MiB and a sixteenth of
 * memory, at most 8 GiB and at most all but 64 MiB. The domain is left paused.
 */
void dom0_build(void);

/* The stubs through which older kernels make hypercalls: 32 bytes each. */
void hypercall_page_write(void *page);

#endif
