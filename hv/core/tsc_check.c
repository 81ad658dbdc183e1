/* SPDX-License-Identifier: BSD-2-Clause */
/* Two processors compare their TSCs; the idea stands in hv/tsc_check.h. */
#include <hv/clock.h>
#include <hv/tsc_check.h>
#include <hw/hw.h>

#define ROUNDS_LEAST 8u
#define ROUNDS_MOST  200u
#define ADJUST_TRIES 8u
#define PROBE_MS     10u            /* a round may take long where processors are virtual: then fewer do */

enum order { STAMP, ADJUST, LEAVE };

void tsc_probe_add(struct tsc_probe *p, uint64_t sent, uint64_t stamp, uint64_t back)
{
    int64_t least = (int64_t)(stamp - back), most = (int64_t)(stamp - sent);

    p->least = least > p->least ? least : p->least;
    p->most = most < p->most ? most : p->most;
    p->rounds++;
}

enum tsc_verdict tsc_probe_verdict(const struct tsc_probe *p)
{
    if (!p->rounds)
        return TSC_NO_ANSWER;
    if (p->least > p->most)
        return TSC_WILD;
    return p->least <= 0 && p->most >= 0 ? TSC_SAME : TSC_SHIFTED;
}

static bool wait_turn(struct tsc_meeting *m, uint32_t turn, uint64_t limit)
{
    uint64_t start = tsc_now();

    while (__atomic_load_n(&m->turn, __ATOMIC_ACQUIRE) != turn) {
        if (tsc_now() - start > limit)
            return false;
        hw_relax();
    }
    return true;
}

/* ---- the source ---- */

/* Gives the target its turn and waits until it is over. */
static bool order(struct tsc_meeting *m, enum order what, uint64_t limit)
{
    uint32_t turn = m->turn + 1;

    m->order = what;
    __atomic_store_n(&m->turn, turn, __ATOMIC_RELEASE);
    return wait_turn(m, turn + 1, limit);
}

/* The first round only finds out that the other one is there: it may take any time. */
static bool probe(struct tsc_meeting *m, uint64_t limit)
{
    uint64_t start, enough = tsc_khz() * PROBE_MS;

    if (!order(m, STAMP, limit))
        return false;
    m->probe = (struct tsc_probe)TSC_PROBE_INIT;
    start = tsc_now();
    for (unsigned i = 0; i < ROUNDS_MOST && (i < ROUNDS_LEAST || tsc_now() - start < enough); i++) {
        uint64_t sent = tsc_now();

        if (!order(m, STAMP, limit))
            return false;
        tsc_probe_add(&m->probe, sent, m->stamp, tsc_now());
    }
    return true;
}

static int64_t middle(const struct tsc_probe *p) { return p->least + (p->most - p->least) / 2; }

enum tsc_verdict tsc_check_source(struct tsc_meeting *m, uint64_t limit, int64_t *ahead)
{
    enum tsc_verdict verdict;

    if (!probe(m, limit))
        return TSC_NO_ANSWER;
    verdict = tsc_probe_verdict(&m->probe);
    /* The next probe may be finer than the last one and find a rest. */
    for (unsigned tries = 0; verdict == TSC_SHIFTED && tries < ADJUST_TRIES; tries++) {
        m->adjust = -middle(&m->probe);
        if (!order(m, ADJUST, limit) || !probe(m, limit))
            return TSC_NO_ANSWER;
        verdict = tsc_probe_verdict(&m->probe);
        verdict = verdict == TSC_SAME ? TSC_CORRECTED : verdict;
    }
    *ahead = verdict == TSC_SHIFTED ? middle(&m->probe) : 0;
    return order(m, LEAVE, limit) ? verdict : TSC_NO_ANSWER;
}

/* ---- the target ---- */

void tsc_check_target(struct tsc_meeting *m, uint64_t limit, bool (*adjust)(int64_t by))
{
    enum order what = STAMP;

    for (uint32_t turn = 1; what != LEAVE && wait_turn(m, turn, limit); turn += 2) {
        what = m->order;
        if (what == ADJUST)
            adjust(m->adjust);
        m->stamp = tsc_now();
        __atomic_store_n(&m->turn, turn + 1, __ATOMIC_RELEASE);
    }
}
