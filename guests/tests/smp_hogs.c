/* SPDX-License-Identifier: BSD-2-Clause */
/* hv-args: dom0_max_vcpus=3 */
/* smp: 2 */
/*
 * Bad neighbours: a vCPU that spins with its events masked, a domain that sets its timer in a loop, vCPUs
 * that do nothing but send each other interrupts. Whatever they do, whoever has a share gets it and whoever
 * sleeps is woken. All are put on one processor, so that they must share it.
 */
#include "child.h"
#include "smp.h"

TEST("smp: a spinning vCPU, a timer hog and an IPI storm leave the others their share");

static struct child spinner, hog;
static volatile bool quit;
static volatile uint64_t storm[2];
static evtchn_port_t port[2], wake;

static void pin(domid_t dom, uint32_t vcpu, uint64_t map)
{
    struct xen_domctl op = { 0 };

    op.u.vcpuaffinity.vcpu = vcpu;
    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    op.u.vcpuaffinity.cpumap_hard = (struct xenctl_bitmap){ { (uint64_t)&map }, 8 };
    CHECK_EQ(domctl(XEN_DOMCTL_setvcpuaffinity, dom, &op), 0);
}

static uint64_t cpu_time(domid_t dom)
{
    struct xen_domctl op = { 0 };

    CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, dom, &op), 0);
    return op.u.getdomaininfo.cpu_time;
}

static void pause_or_go(uint32_t cmd)
{
    struct xen_domctl op = { 0 };

    CHECK_EQ(domctl(cmd, spinner.id, &op), 0);
    CHECK_EQ(domctl(cmd, hog.id, &op), 0);
}

/* Our vCPU sleeps again and again beside the others; how late it is woken at worst is printed, and
 * bounded. */
static void sleeper(const char *beside)
{
    uint64_t late = 0;

    for (unsigned i = 0; i < rounds(40); i++) {
        uint64_t until = system_time() + 1000000, now;

        do {                                /* events of the others may end a poll without ports */
            CHECK_EQ(sched_op(SCHEDOP_poll, &(struct sched_poll){ .timeout = until }), 0);
            now = system_time();
        } while (now < until);
        if (now - until > late)
            late = now - until;
    }
    say("woken at most %lu us late beside %s\n", late / 1000, beside);
    CHECK(late < 5000000000ull);
}

/* Who had the processor to himself has taken nothing from anybody, and need not stand back when others
 * come. */
static void after_alone(void)
{
    uint64_t end = 0, begun;

    pause_or_go(XEN_DOMCTL_pausedomain);
    while (lasts(&end, 100000000))
        relax();
    begun = system_time();
    pause_or_go(XEN_DOMCTL_unpausedomain);
    nap(1);
    say("it had computed alone; those who came then kept it waiting for %lu us\n",
        (system_time() - begun) / 1000);
    sleeper("the same two, which came after it had computed alone");
}

/* Two domains that never stop, one of which sets a timer in each call, have equal weights and so equal
 * shares. */
static void shares(void)
{
    uint64_t a, b;

    a = cpu_time(spinner.id);
    b = cpu_time(hog.id);
    AWAIT(cpu_time(spinner.id) - a > 300000000ull);
    a = cpu_time(spinner.id) - a;
    b = cpu_time(hog.id) - b;
    say("the spinner got %lu ms, the timer hog %lu ms\n", a / 1000000, b / 1000000);
    CHECK(b > a / 3 && a > b / 3);
}

static void on_storm(evtchn_port_t p)
{
    (void)p;
    count(&storm[self() % 2]);
    port_send(port[!(self() % 2)]);
}

static void storming(unsigned self)
{
    (void)self;
    events_unmask();
    while (!quit)
        ;
}

/* With its events masked it cannot be reached, and it need not be. */
static void masked(unsigned self)
{
    (void)self;
    while (!quit)
        count(&storm[0]);
}

static void beside_masked(void)
{
    smp_start(1, masked);
    AWAIT(storm[0] > 0);
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQ(port_send(wake), 0);
    sleeper("a vCPU of its own that spins with events masked");
    quit = true;
    smp_wait(1);
    quit = false;
}

static void on_wake(evtchn_port_t p) { (void)p; }

/* vCPUs 1 and 2 of ours send one another interrupts; the child sleeps and is woken beside them. */
static void beside_storm(void)
{
    uint64_t before;

    storm[0] = 0;
    port[0] = ipi_port(2, on_storm);
    port[1] = ipi_port(1, on_storm);
    smp_start(1, storming);
    smp_start(2, storming);
    port_send(port[0]);
    AWAIT(storm[0] > 100);
    before = storm[0];
    sleeper("an IPI storm");
    AWAIT(storm[0] > before);
    quit = true;
    smp_wait(1);
    smp_wait(2);
}

void test_main(void)
{
    smp_begin(3);
    wake = ipi_port(1, on_wake);
    if (!child_create(&spinner) || !child_create(&hog))
        return;
    for (unsigned v = 0; v < 3; v++)
        pin(0, v, 1);
    pin(spinner.id, 0, 1);
    pin(hog.id, 0, 1);
    spinner.page->state = 3;
    child_add(&hog, __HYPERVISOR_set_timer_op, system_time() + 50000, 0, 0, 0);     /* soon past: at once */
    child_add(&hog, __HYPERVISOR_set_timer_op, 1, 0, 0, 0);
    child_add(&hog, __HYPERVISOR_set_timer_op, 1ull << 62, 0, 0, 0);
    child_begin(&hog, 1ull << 60);
    sleeper("a spinning domain and one that sets its timer all the time");
    after_alone();
    shares();
    hog.page->again = 0;
    spinner.page->state = 0;
    child_destroy(&spinner);
    child_destroy(&hog);
    beside_masked();
    beside_storm();
}
