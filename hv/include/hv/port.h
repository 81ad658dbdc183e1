/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O ports on behalf of a guest: who may, and what an access does. */
#ifndef HV_PORT_H
#define HV_PORT_H

#include <hv/types.h>

/* May v's code, in its present mode, use these ports at all (I/O privilege level, then its bitmap)? Else
 * #GP. */
bool port_access_ok(struct vcpu *v, uint16_t port, unsigned bytes);
/* Ports that the domain does not own read as all ones and swallow writes. bytes: 1, 2 or 4. */
uint32_t port_read(struct vcpu *v, uint16_t port, unsigned bytes);
void     port_write(struct vcpu *v, uint16_t port, unsigned bytes, uint32_t value);

#endif
