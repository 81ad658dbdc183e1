/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do the TSCs of two processors agree? Two of them meet and pass the ball: one sends its TSC, the other
 * stamps it, the first notes when it came back. The stamp must lie between; if the second clock is ahead by
 * x, it lies between the two plus x. Each round thus bounds x from both sides, and all rounds together bound
 * it to less than the time that any news takes from one to the other: whatever is left of x cannot be
 * noticed. Bounds that contradict each other tell that the clocks do not run at one rate.
 */
#ifndef HV_TSC_CHECK_H
#define HV_TSC_CHECK_H

#include <hv/types.h>

enum tsc_verdict {
    TSC_SAME,           /* no difference can be told */
    TSC_CORRECTED,      /* there was a constant one, and the processor's own register has taken it away */
    TSC_SHIFTED,        /* there is a constant one */
    TSC_WILD,           /* it changes */
    TSC_NO_ANSWER,      /* the other one has not come */
};

/* How far the second TSC is ahead of the first, in ticks: between these. */
struct tsc_probe { int64_t least, most; uint32_t rounds; };
#define TSC_PROBE_INIT { INT64_MIN, INT64_MAX, 0 }

/* One round: our TSC before and after, the stamp between. Then what all rounds say. */
void tsc_probe_add(struct tsc_probe *p, uint64_t sent, uint64_t stamp, uint64_t back);
enum tsc_verdict tsc_probe_verdict(const struct tsc_probe *p);

/* Where the two meet. Zeroed before either comes; used once. */
struct tsc_meeting {
    uint32_t turn;          /* odd: the target's */
    uint32_t order;         /* what the target is to do in its turn */
    uint64_t stamp;         /* its answer */
    int64_t  adjust;
    struct tsc_probe probe; /* of the source: the last probe */
};

/*
 * tsc_check_source() on the processor that the others are compared with, tsc_check_target() on the other, at
 * about the same time; limit: ticks that each waits for the other at most. adjust adds to the running
 * processor's TSC and returns false if it cannot. For TSC_SHIFTED, *ahead is what to subtract from the
 * target's TSC.
 */
enum tsc_verdict tsc_check_source(struct tsc_meeting *m, uint64_t limit, int64_t *ahead);
void tsc_check_target(struct tsc_meeting *m, uint64_t limit, bool (*adjust)(int64_t by));

#endif
