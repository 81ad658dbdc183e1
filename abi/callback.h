/* SPDX-License-Identifier: BSD-2-Clause */
/* callback_op and nmi_op: where the hypervisor enters a guest kernel, apart from its trap table. */
#ifndef HAUCH_ABI_CALLBACK_H
#define HAUCH_ABI_CALLBACK_H

#include <abi/xen.h>

#define CALLBACKOP_register   0
#define CALLBACKOP_unregister 1

#define CALLBACKTYPE_event               0
#define CALLBACKTYPE_failsafe            1 /* a segment of the guest could not be loaded */
#define CALLBACKTYPE_syscall             2
#define CALLBACKTYPE_sysenter_deprecated 3
#define CALLBACKTYPE_nmi                 4
#define CALLBACKTYPE_sysenter            5
#define CALLBACKTYPE_syscall32           7

#define CALLBACKF_mask_events (1U << 0) /* events are masked on entry; for type event they always are */

#define XENNMI_register_callback   0
#define XENNMI_unregister_callback 1

/* arch_shared_info.nmi_reason */
#define XEN_NMIREASON_io_error (1UL << 0)
#define XEN_NMIREASON_pci_serr (1UL << 1)
#define XEN_NMIREASON_unknown  (1UL << 2)

#ifndef __ASSEMBLER__
typedef uint64_t xen_callback_t;

struct callback_register {
    uint16_t type;
    uint16_t flags;
    xen_callback_t address;
};
struct callback_unregister {
    uint16_t type;
    uint16_t _unused;
};
struct xennmi_callback {
    uint64_t handler_address;
    uint64_t pad;
};
#endif /* __ASSEMBLER__ */
#endif
