/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring of refusals. Writing one costs a few stores and no formatting; a guest that provokes refusals in
 * a loop gets one row that counts, then at most PER_SECOND new rows a second, then only a number of those
 * left out.
 */
#include <hv/domain.h>
#include <hv/op_names.h>
#include <hv/print.h>
#include <hv/refusal.h>
#include <hw/hw.h>

#define SECOND      1000000000ul
#define PER_SECOND  16

static bool window_open(struct refusals *r, uint64_t now)
{
    if (now - r->window_start >= SECOND) {
        r->window_start = now;
        r->in_window = 0;
    }
    if (r->in_window++ < PER_SECOND)
        return true;
    r->dropped++;
    return false;
}

static bool same(const struct refusal *x, uint16_t call, uint16_t op, int error)
{
    return x->call == call && x->op == op && x->error == error;
}

static void note(struct refusals *r, const struct refusal *x)
{
    struct refusal *last = r->written ? &r->ring[(r->written - 1) % REFUSAL_RING] : NULL;

    if (last && same(last, x->call, x->op, x->error) && last->a == x->a && last->b == x->b)
        last->repeated += last->repeated != 0xffff;
    else if (window_open(r, x->time))
        r->ring[r->written++ % REFUSAL_RING] = *x;
}

static bool claim(struct refusals *r) { return !__atomic_exchange_n(&r->busy, 1, __ATOMIC_ACQUIRE); }
static void release(struct refusals *r) { __atomic_store_n(&r->busy, 0, __ATOMIC_RELEASE); }

/*
 * Any locks may be held. Two vCPUs that are refused something at the same moment: one of the reasons is
 * enough.
 */
void refusal_note(struct domain *d, uint16_t call, uint16_t op, int error, uint64_t a, uint64_t b)
{
    struct refusal x = { .time = now_ns(), .call = call, .op = op, .error = (int16_t)error, .a = a, .b = b };

    if (!claim(&d->refusals))
        return;
    note(&d->refusals, &x);
    release(&d->refusals);
}

/* "name", or the number where there is no name. */
static void name_or_number(char *buf, size_t len, const char *name, unsigned number)
{
    if (name)
        format(buf, len, "%s", name);
    else
        format(buf, len, "%u", number);
}

static size_t format_row(const struct refusal *x, char *buf, size_t len)
{
    char call[32], op[32] = "";

    name_or_number(call, sizeof(call), hypercall_name(x->call), x->call);
    if (x->op != 0xffff)
        name_or_number(op, sizeof(op), operation_name(x->call, x->op), x->op);
    return format(buf, len, "[%lu.%06lu] %s %s: error %d, values 0x%lx 0x%lx, again %u\n", x->time / SECOND,
                  x->time % SECOND / 1000, call, op, x->error, x->a, x->b, x->repeated);
}

static size_t format_all(const struct refusals *r, char *buf, size_t len)
{
    size_t at = 0, n;

    for (uint32_t i = r->written > REFUSAL_RING ? r->written - REFUSAL_RING : 0; i != r->written; i++) {
        n = format_row(&r->ring[i % REFUSAL_RING], buf + at, len - at);
        if (n >= len - at)
            return at;          /* whole lines only */
        at += n;
    }
    if (r->dropped) {
        n = format(buf + at, len - at, "%u further refusals not kept\n", r->dropped);
        at += n < len - at ? n : 0;
    }
    return at;
}

size_t refusal_format(struct domain *d, char *buf, size_t len)
{
    size_t n;

    while (!claim(&d->refusals))
        hw_relax();
    n = format_all(&d->refusals, buf, len);
    release(&d->refusals);
    return n;
}
