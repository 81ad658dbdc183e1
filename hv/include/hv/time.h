/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System time: nanoseconds since the hypervisor started, the same on every processor; and what guests see of
 * it.
 */
#ifndef HV_TIME_H
#define HV_TIME_H

#include <hv/types.h>

/*
 * now_ns() itself is hardware's (hw.h). Here: the scale of the TSC as pvclock wants it, and the wall clock.
 * Ticks are those since some moment: mul has a fixed point of 32 bits after the shift.
 */
struct tsc_scale { uint32_t mul; int8_t shift; };
struct tsc_scale tsc_scale_from_khz(uint64_t khz);
struct tsc_scale tsc_scale_from_hz(uint64_t hz);
static inline uint64_t tsc_to_ns(struct tsc_scale s, uint64_t ticks)
{
    ticks = s.shift < 0 ? ticks >> -s.shift : ticks << s.shift;
    return (uint64_t)(((unsigned __int128)ticks * s.mul) >> 32);
}
/* Wall clock: seconds and ns of 1970 at system time 0. Set by dom0; written to every domain's shared info. */
void wallclock_set(uint64_t sec, uint32_t nsec, uint64_t system_time);
void wallclock_write(struct domain *d);
uint64_t wallclock_seconds_now(void);

#endif
