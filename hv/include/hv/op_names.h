/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of hypercalls and of their operations, as the rows of abi/hypercalls.def and abi/ops/ have them. */
#ifndef HV_OP_NAMES_H
#define HV_OP_NAMES_H

#include <stdint.h>

/* NULL: there is no such number. */
const char *hypercall_name(uint32_t call);
/* NULL: the call is no family of a table, or has no such operation. */
const char *operation_name(uint32_t call, uint32_t op);

#endif
