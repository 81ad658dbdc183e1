/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that Hauch does not implement, counted by kind so that dom0 can see what guests would have wanted. */
#ifndef HV_MISSING_H
#define HV_MISSING_H

#include <hv/types.h>

/* v has made it; op: the number of the operation, 0 where the call has none. */
void missing_note(struct vcpu *v, uint32_t call, uint64_t op);
/* One line of text a kind, "call op count first-domain"; returns the length written, at most len. */
size_t missing_format(char *buf, size_t len);

#endif
