/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XENMEM_exchange: frames given up for others that are contiguous, or lower.
 *
 * The new frames must be had before the old ones go, so for a moment the domain has more than its
 * limit. That moment must end whatever happens, or the call would be a way to all memory of the
 * machine: a list that names one frame twice, one that lies where the results are written, one whose
 * second half cannot be read. So the old frames are first detached: nobody can map them any more, and
 * a frame that is detached cannot be named again. From then on only our own record counts. Either all
 * the old ones go and all the new ones stay, or the other way round.
 */
#include <hv/frame.h>
#include <hv/ops.h>

#define ORDER_MOST 9u           /* 2 MiB, as large as the kernels ask for; both records are on the stack */

/* One step exchanges 2^order frames, where order is the larger of the two. */
struct exchange {
    const struct xen_memory_reservation *in, *out;
    unsigned order;
    uint64_t step;
    uint32_t old[1u << ORDER_MOST], fresh[1u << ORDER_MOST];
};

/* The extents of "out" in a step, and where the list says what becomes of the i-th. */
static uint64_t fresh_count(const struct exchange *x) { return 1ull << (x->order - x->out->extent_order); }

static gaddr_t fresh_at(const struct exchange *x, uint64_t i)
{
    uint64_t first = x->step << (x->order - x->out->extent_order);

    return gaddr_index(x->out->extent_start, first + i, sizeof(xen_pfn_t));
}

/* Whether the results can be written, while nothing has happened yet. */
static int fresh_probe(const struct exchange *x)
{
    uint64_t pfn;

    for (uint64_t i = 0; i < fresh_count(x); i++)
        if (guest_read(&pfn, fresh_at(x, i), sizeof pfn) || guest_write(fresh_at(x, i), &pfn, sizeof pfn))
            return -XEN_EFAULT;
    return 0;
}

/* ---- the old frames ---- */
static int old_read(const struct exchange *x, uint64_t i, mfn_t *m)
{
    uint64_t per = 1ull << x->in->extent_order, extent = (x->step << x->order | i) >> x->in->extent_order;
    int rc = guest_read(&m->n, gaddr_index(x->in->extent_start, extent, sizeof(xen_pfn_t)), sizeof m->n);

    m->n += i & (per - 1);
    return rc;
}

static void old_return(const struct exchange *x, struct domain *d, uint64_t n)
{
    while (n-- > 0)
        frame_attach(MFN(x->old[n]), d);
}

static int old_detach(struct exchange *x, struct domain *d)
{
    for (uint64_t i = 0; i < 1ull << x->order; i++) {
        mfn_t m;
        int rc = old_read(x, i, &m);

        if (rc == 0 && frame_detach(m, d))
            rc = -XEN_EINVAL;
        if (rc) {
            old_return(x, d, i);
            return rc;
        }
        x->old[i] = (uint32_t)m.n;
    }
    return 0;
}

/* ---- the new ones ---- */
static void fresh_return(const struct exchange *x, struct domain *d, uint64_t n)
{
    while (n-- > 0)
        for (uint32_t m = x->fresh[n]; m < x->fresh[n] + (1u << x->out->extent_order); m++)
            (void)!frame_give_up(MFN(m), d);     /* -EINVAL: a guest that guessed its number was first */
}

static int fresh_alloc(struct exchange *x, struct domain *d)
{
    for (uint64_t i = 0; i < fresh_count(x); i++) {
        mfn_t m = frames_alloc_exchange(d, x->out->extent_order, XENMEMF_get_address_bits(x->out->mem_flags));

        if (!mfn_valid_number(m)) {
            fresh_return(x, d, i);
            return -XEN_ENOMEM;
        }
        x->fresh[i] = (uint32_t)m.n;
    }
    return 0;
}

static int fresh_tell(const struct exchange *x, const struct domain *d)
{
    for (uint64_t i = 0; i < fresh_count(x); i++) {
        uint64_t m = x->fresh[i], pfn;

        if (guest_read(&pfn, fresh_at(x, i), sizeof pfn))
            return -XEN_EFAULT;
        for (uint64_t k = 0; k < 1ull << x->out->extent_order; k++)
            (void)frame_pfn_set(MFN(m + k), d, pfn + k);
        if (guest_write(fresh_at(x, i), &m, sizeof m))
            return -XEN_EFAULT;
    }
    return 0;
}

/* ---- the call ---- */
static int step(struct exchange *x, struct domain *d)
{
    int rc = fresh_probe(x);

    if (rc == 0)
        rc = old_detach(x, d);
    if (rc)
        return rc;
    rc = fresh_alloc(x, d);
    if (rc) {
        old_return(x, d, 1ull << x->order);
        return rc;
    }
    for (uint64_t i = 0; i < 1ull << x->order; i++)
        frame_detached_free(MFN(x->old[i]));
    return fresh_tell(x, d);
}

static bool arguments_ok(const struct xen_memory_exchange *a)
{
    return a->in.extent_order <= ORDER_MOST && a->out.extent_order <= ORDER_MOST &&
           a->in.domid == a->out.domid &&
           a->in.nr_extents <= ~0u && a->out.nr_extents <= ~0u && a->nr_exchanged <= a->in.nr_extents &&
           a->in.nr_extents << a->in.extent_order == a->out.nr_extents << a->out.extent_order;
}

int memory_op_exchange(struct vcpu *v, struct domain *d, struct xen_memory_exchange *arg)
{
    struct exchange x = { .in = &arg->in, .out = &arg->out };
    unsigned frames = 0;
    int rc;

    if (!arguments_ok(arg))
        return refuse(v, -XEN_EINVAL, arg->in.extent_order, arg->out.extent_order);
    x.order = MAX(arg->in.extent_order, arg->out.extent_order);
    /* Progress is told in extents of "in", and a step is a whole number of them. */
    while (arg->nr_exchanged < arg->in.nr_extents) {
        x.step = arg->nr_exchanged >> (x.order - arg->in.extent_order);
        rc = step(&x, d);
        if (rc)
            return refuse(v, rc, arg->nr_exchanged, x.order);
        arg->nr_exchanged += 1ull << (x.order - arg->in.extent_order);
        frames += 1u << x.order;
        if (arg->nr_exchanged < arg->in.nr_extents && frames >= PREEMPT_BATCH) {
            frames = 0;
            if (preempt_due(v))
                return -XEN_ERESTART;
        }
    }
    return 0;
}
