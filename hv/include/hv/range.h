/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of numbers kept as sorted, disjoint intervals: I/O ports, device frames, interrupts a domain may use.
 */
#ifndef HV_RANGE_H
#define HV_RANGE_H

#include <hv/types.h>

struct range { uint64_t first, last; };     /* both included */
struct ranges { struct range *r; uint32_t used; uint8_t lock; };

/* While somebody changes the set: as it was before, or as it is after. */
bool ranges_have(const struct ranges *s, uint64_t first, uint64_t last);
/* Changes: one at a time. 0, -EINVAL (first > last), -ENOMEM. */
int  __must_check ranges_add(struct ranges *s, uint64_t first, uint64_t last);
int  __must_check ranges_remove(struct ranges *s, uint64_t first, uint64_t last);
void ranges_free(struct ranges *s);

#endif
