/* SPDX-License-Identifier: BSD-2-Clause */
/* The ABI as the headers of libxen-dev have it; see abi_row.h. */
#define __XEN_TOOLS__ 1
#include <stdint.h>
#include <xen/xen.h>

#include <xen/arch-x86/cpufeatureset.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/xen-mca.h>
#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/elfnote.h>
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/io/console.h>
#include <xen/io/xenbus.h>
#include <xen/io/xs_wire.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#include "abi_row.h"

const struct abi_row abi_xen[] = {
#include "abi_list.h"
};
const size_t abi_xen_count = sizeof(abi_xen) / sizeof(abi_xen[0]);
