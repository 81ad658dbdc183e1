/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring of refusals. Writing one costs a few stores and no formatting; a guest that provokes refusals in a loop
 * gets one row that counts, then at most PER_SECOND new rows a second, then only a number of those left out.
 */
#include <hv/domain.h>
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

/*
 * Not locked: rows are written by the domain's own hypercalls and a torn row spoils nothing but itself. The claim of
 * a row is atomic, so two writers never share one.
 */
void refusal_note(struct domain *d, uint16_t call, uint16_t op, int error, uint64_t a, uint64_t b)
{
    struct refusals *r = &d->refusals;
    uint32_t n = __atomic_load_n(&r->written, __ATOMIC_RELAXED);
    struct refusal *last = n ? &r->ring[(n - 1) % REFUSAL_RING] : NULL;
    uint64_t now = now_ns();

    if (last && same(last, call, op, error) && last->a == a && last->b == b) {
        last->repeated += last->repeated != 0xffff;
        return;
    }
    if (!window_open(r, now))
        return;
    n = __atomic_fetch_add(&r->written, 1, __ATOMIC_RELAXED);
    r->ring[n % REFUSAL_RING] = (struct refusal){
        .time = now, .call = call, .op = op, .error = (int16_t)error, .a = a, .b = b,
    };
}

static size_t format_row(const struct refusal *x, char *buf, size_t len)
{
    char op[8] = "-";

    if (x->op != 0xffff)
        format(op, sizeof(op), "%u", x->op);
    return format(buf, len, "[%lu.%06lu] call %u op %s: error %d, values 0x%lx 0x%lx, again %u\n", x->time / SECOND,
                  x->time % SECOND / 1000, x->call, op, x->error, x->a, x->b, x->repeated);
}

size_t refusal_format(struct domain *d, char *buf, size_t len)
{
    const struct refusals *r = &d->refusals;
    uint32_t written = __atomic_load_n(&r->written, __ATOMIC_RELAXED);
    size_t at = 0;

    for (uint32_t i = written > REFUSAL_RING ? written - REFUSAL_RING : 0; i != written; i++) {
        size_t n = format_row(&r->ring[i % REFUSAL_RING], buf + at, len - at);

        if (n >= len - at)
            return at;          /* whole lines only */
        at += n;
    }
    if (r->dropped) {
        size_t n = format(buf + at, len - at, "%u further refusals not kept\n", r->dropped);

        at += n < len - at ? n : 0;
    }
    return at;
}
