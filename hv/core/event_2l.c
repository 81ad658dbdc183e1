/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two-level layout: the shared page has a pending and a mask bit for each of 4096 ports, and each
 * vcpu_info a word with one bit for each word of pending bits. The guest may write all of them at any time;
 * nothing here depends on what it writes.
 */
#include "event_port.h"

#define WORD_BITS 64

static void select(struct domain *d, uint32_t port, const struct event *e)
{
    struct vcpu *v = event_target(d, e);
    struct vcpu_info *info = __atomic_load_n(&v->info, __ATOMIC_SEQ_CST);
    uint64_t bit = 1ull << port / WORD_BITS;

    if (!(__atomic_fetch_or(&info->evtchn_pending_sel, bit, __ATOMIC_SEQ_CST) & bit))
        event_notify_vcpu(v);
}

void event_2l_raise(struct domain *d, uint32_t port, const struct event *e)
{
    struct shared_info *s = d->shared_info;
    uint64_t bit = 1ull << port % WORD_BITS;
    uint32_t word = port / WORD_BITS;

    if (__atomic_fetch_or(&s->evtchn_pending[word], bit, __ATOMIC_SEQ_CST) & bit)
        return;
    if (!(__atomic_load_n(&s->evtchn_mask[word], __ATOMIC_SEQ_CST) & bit))
        select(d, port, e);
}

void event_2l_unmask(struct domain *d, uint32_t port, const struct event *e)
{
    struct shared_info *s = d->shared_info;
    uint64_t bit = 1ull << port % WORD_BITS;
    uint32_t word = port / WORD_BITS;

    if (!(__atomic_fetch_and(&s->evtchn_mask[word], ~bit, __ATOMIC_SEQ_CST) & bit))
        return;
    if (__atomic_load_n(&s->evtchn_pending[word], __ATOMIC_SEQ_CST) & bit)
        select(d, port, e);
}

void event_2l_clear(struct domain *d, uint32_t port)
{
    if (port < EVTCHN_2L_NR_CHANNELS)
        __atomic_fetch_and(&d->shared_info->evtchn_pending[port / WORD_BITS], ~(1ull << port % WORD_BITS),
                           __ATOMIC_SEQ_CST);
}

bool event_2l_pending(struct domain *d, uint32_t port)
{
    return port < EVTCHN_2L_NR_CHANNELS &&
           __atomic_load_n(&d->shared_info->evtchn_pending[port / WORD_BITS], __ATOMIC_SEQ_CST) >>
           port % WORD_BITS & 1;
}
