/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's sixteen slots of the top-level page table (256..271, ABI: guests keep off):
 *
 *   256  ffff800000000000  machine-to-physical table, guests read it here (user, read-only)
 *   260  ffff820000000000  per-domain: descriptor windows of the running domain's vCPUs
 *   261  ffff82d080000000  the hypervisor's image
 *   262  ffff830000000000  all memory, up to 5 TiB, in slots 262..271; devices, uncached, in the same place
 */
#ifndef HW_LAYOUT_H
#define HW_LAYOUT_H

#define M2P_GUEST       0xffff800000000000
#define PERDOMAIN       0xffff820000000000
#define IMAGE_BASE      0xffff82d080000000
#define DIRECT_MAP      0xffff830000000000

#define L4_SLOT_PERDOMAIN  260
#define L4_SLOT_FIRST      256
#define L4_SLOT_LAST       271

#define STACK_SIZE      0x4000

/* Physical: four pages below 64 KiB where processors start; what was there is put back. */
#define TRAMPOLINE      0x8000

#endif
