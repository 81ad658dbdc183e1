/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiles only if our headers can stand beside those of the client libraries, as in dom0's programs. */
#include <abi/libxen.h>

#include <abi/domctl.h>
#include <abi/sysctl.h>
#include <abi/xs_wire.h>

_Static_assert(sizeof(xenevtchn_port_or_error_t) == 4, "from xenevtchn.h");
_Static_assert(sizeof(struct xen_domctl) == 144, "from abi/domctl.h");
