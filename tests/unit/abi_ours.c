/* SPDX-License-Identifier: BSD-2-Clause */
/* The ABI as our headers have it; see abi_row.h. */
#include <abi/arch.h>
#include <abi/callback.h>
#include <abi/console.h>
#include <abi/cpufeature.h>
#include <abi/domctl.h>
#include <abi/elfnote.h>
#include <abi/errno.h>
#include <abi/event.h>
#include <abi/grant.h>
#include <abi/memory.h>
#include <abi/physdev.h>
#include <abi/platform.h>
#include <abi/sched.h>
#include <abi/sysctl.h>
#include <abi/vcpu.h>
#include <abi/version.h>
#include <abi/xen.h>
#include <abi/xs_wire.h>

#include "abi_row.h"

const struct abi_row abi_ours[] = {
#include "abi_list.h"
};
const size_t abi_ours_count = sizeof(abi_ours) / sizeof(abi_ours[0]);
