/* SPDX-License-Identifier: BSD-2-Clause */
/* What boot found out about the machine, kept for whoever needs it later. Written by main.c only. */
#ifndef HV_MACHINE_H
#define HV_MACHINE_H

#include <hv/boot/acpi.h>
#include <hv/boot/cmdline.h>
#include <hv/boot/multiboot.h>

struct machine {
    struct boot_info       boot;
    struct acpi_info       acpi;
    struct cmdline_options options;
    uint64_t ram_frames;            /* usable memory, frames */
    uint64_t max_frame;             /* highest frame of usable memory */
    uint64_t hypervisor_frames;     /* taken before guests got any */
};

extern struct machine machine;

#endif
