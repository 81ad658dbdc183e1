/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/* Each vCPU creates domains, runs them and destroys them, all at once; nothing is lost, no id is given
 * twice. */
#include "child.h"
#include "smp.h"

TEST("smp: domains created and destroyed by several vCPUs at once");

#define ROUNDS rounds(4)

static unsigned n;
static struct child child[RT_VCPUS];
static volatile domid_t alive[RT_VCPUS];

static void create(unsigned self)
{
    static struct ticket_lock lock;
    struct child *c = &child[self];

    for (unsigned r = 0; r < ROUNDS; r++) {
        if (!child_create(c))
            return;
        ticket_lock(&lock);
        alive[self] = c->id;
        for (unsigned v = 0; v < n; v++)
            CHECK(v == self || alive[v] != c->id);
        ticket_unlock(&lock);
        CHECK_EQ(child_call(c, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0), 4 << 16 | 17);
        alive[self] = 0;                    /* destroyed, its number may be another's at once */
        child_destroy(c);
    }
}

/* The same domain destroyed by all: all are told the same, and it goes once. */
static void destroy_one(unsigned self)
{
    static struct barrier b;
    struct xen_domctl op = { 0 };

    for (unsigned r = 0; r < ROUNDS; r++) {
        long result;

        if (self == 0 && !child_create(&child[0]))
            give_up("no child");
        barrier_wait(&b, n);
        result = domctl(XEN_DOMCTL_destroydomain, child[0].id, &op);
        CHECK(result == 0 || result == -XEN_ESRCH || result == -XEN_EINVAL);
        barrier_wait(&b, n);
        if (self == 0)
            child_destroy(&child[0]);
        barrier_wait(&b, n);
    }
}

void test_main(void)
{
    uint64_t before;

    n = smp_begin_all(2);
    if (!child_create(&child[0]))
        return;
    child_destroy(&child[0]);               /* what the first one needs stays with the hypervisor */
    before = free_pages();
    smp_run(n, create);
    smp_run(n, destroy_one);
    /* the frames that we gave for each */
    AWAIT(free_pages() >= before + (n + 1) * ROUNDS * CHILD_FRAMES - 16);
}
