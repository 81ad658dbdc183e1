/* SPDX-License-Identifier: BSD-2-Clause */
/* Pins of IO-APICs: shapes, mapping, binding, EOI, sharing; and a random walk with a model of what must
 * hold. */
#include "irq_fake.h"

#include <hv/ops.h>

#include <abi/physdev.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LEVEL_GSI 17u           /* of PCI: level, active low */
#define EDGE_GSI  4u

static struct domain *const d0 = &fake_domain[0], *const d1 = &fake_domain[1];

static int reset(void **state)
{
    fake_reset();
    return 0;
}

static void map_and_bind(struct domain *d, unsigned gsi, bool share)
{
    assert_int_equal(irq_map_gsi(d, gsi, (int32_t)gsi), gsi);
    assert_int_equal(irq_bind(d, gsi, 7, share), 0);
}

static void shapes_come_from_the_firmware(void **state)
{
    assert_int_equal(irq_gsi_count(), FAKE_GSIS);
    assert_int_equal(irq_isa_gsi(0), 2);
    assert_int_equal(irq_isa_gsi(4), 4);
    for (unsigned g = 0; g < FAKE_GSIS; g++)
        if (g < 8 || g >= 12)
            assert_true(fake_masked(g));
    assert_int_equal(irq_map_gsi(d0, 5, 5), 5);
    assert_int_equal(fake_redirection(5, false) & 0xa000, 0xa000);      /* as the override says: level, low */
    assert_int_equal(irq_map_gsi(d0, EDGE_GSI, EDGE_GSI), EDGE_GSI);
    assert_int_equal(fake_redirection(EDGE_GSI, false) & 0xa000, 0);
    assert_int_equal(fake_redirection(EDGE_GSI, true), 3u << 24);           /* the first processor */
    assert_in_range(fake_redirection(EDGE_GSI, false) & 0xff, 0x30, 0xef);
    assert_true(fake_masked(EDGE_GSI));
}

static void an_edge_is_passed_on_each_time(void **state)
{
    map_and_bind(d0, EDGE_GSI, false);
    fake_pulse(EDGE_GSI);
    fake_pulse(EDGE_GSI);
    assert_int_equal(fake_events[0][EDGE_GSI], 2);
    assert_int_equal(fake_acks, 2);
    assert_int_equal(irq_status(d0, EDGE_GSI), 0);
    irq_unbind(d0, EDGE_GSI);
    assert_true(fake_masked(EDGE_GSI));
    fake_pulse(EDGE_GSI);
    assert_int_equal(fake_events[0][EDGE_GSI], 2);
}

static void a_level_waits_for_eoi(void **state)
{
    map_and_bind(d0, LEVEL_GSI, true);
    assert_int_equal(irq_status(d0, LEVEL_GSI), XENIRQSTAT_needs_eoi);
    fake_hold(LEVEL_GSI, true);
    assert_int_equal(fake_events[0][LEVEL_GSI], 1);
    assert_true(fake_masked(LEVEL_GSI));
    assert_int_equal(irq_eoi(d0, LEVEL_GSI), 0);
    fake_hold(LEVEL_GSI, true);                     /* still held: comes again */
    assert_int_equal(fake_events[0][LEVEL_GSI], 2);
    fake_hold(LEVEL_GSI, false);
    assert_int_equal(irq_eoi(d0, LEVEL_GSI), 0);
    assert_false(fake_masked(LEVEL_GSI));
    assert_int_equal(irq_eoi(d0, LEVEL_GSI), 0);    /* one too many is no error */
    assert_int_equal(irq_eoi(d0, 500), -XEN_EINVAL);
}

static void all_who_share_must_say_eoi(void **state)
{
    map_and_bind(d0, LEVEL_GSI, true);
    map_and_bind(d1, LEVEL_GSI, true);
    assert_int_equal(irq_status(d0, LEVEL_GSI), XENIRQSTAT_needs_eoi | XENIRQSTAT_shared);
    fake_hold(LEVEL_GSI, true);
    fake_hold(LEVEL_GSI, false);
    assert_int_equal(fake_events[0][LEVEL_GSI], 1);
    assert_int_equal(fake_events[1][LEVEL_GSI], 1);
    irq_eoi(d0, LEVEL_GSI);
    assert_true(fake_masked(LEVEL_GSI));
    irq_unbind(d1, LEVEL_GSI);                      /* who goes is not waited for */
    assert_false(fake_masked(LEVEL_GSI));
    assert_int_equal(irq_status(d0, LEVEL_GSI), XENIRQSTAT_needs_eoi);
}

/* A domain that never says EOI cannot keep another's device silent. */
static void a_late_eoi_is_not_waited_for(void **state)
{
    map_and_bind(d0, LEVEL_GSI, true);
    fake_hold(LEVEL_GSI, true);
    assert_null(host_timer);                        /* alone it hurts only itself */
    irq_eoi(d0, LEVEL_GSI);
    map_and_bind(d1, LEVEL_GSI, true);
    fake_hold(LEVEL_GSI, true);
    assert_int_equal(fake_events[1][LEVEL_GSI], 1);
    irq_eoi(d0, LEVEL_GSI);
    assert_true(fake_masked(LEVEL_GSI));
    assert_non_null(host_timer);
    host_timer->fn(host_timer->arg, host_timer->deadline);
    assert_false(fake_masked(LEVEL_GSI));
    fake_hold(LEVEL_GSI, true);
    assert_int_equal(fake_events[0][LEVEL_GSI], 3);
    irq_eoi(d0, LEVEL_GSI);
    irq_eoi(d1, LEVEL_GSI);
    assert_null(host_timer);
}

static void sharing_needs_both(void **state)
{
    map_and_bind(d0, LEVEL_GSI, false);
    assert_int_equal(irq_map_gsi(d1, LEVEL_GSI, -1), LEVEL_GSI);
    assert_int_equal(irq_bind(d1, LEVEL_GSI, 7, true), -XEN_EBUSY);
    assert_int_equal(irq_bind(d0, LEVEL_GSI, 8, true), -XEN_EBUSY);
    irq_unbind(d0, LEVEL_GSI);
    assert_int_equal(irq_bind(d1, LEVEL_GSI, 7, true), 0);
    assert_int_equal(irq_bind(d0, LEVEL_GSI, 7, false), -XEN_EBUSY);
}

static void numbers_are_checked(void **state)
{
    assert_int_equal(irq_bind(d0, 3, 7, false), -XEN_EINVAL);
    assert_int_equal(irq_map_gsi(d0, FAKE_GSIS, -1), -XEN_EINVAL);
    assert_int_equal(irq_map_gsi(d0, 9, 9), -XEN_EINVAL);               /* between the IO-APICs */
    assert_int_equal(irq_map_gsi(d0, 3, MAX_PIRQS), -XEN_EINVAL);
    assert_int_equal(irq_map_gsi(d0, 3, 6), 6);
    assert_int_equal(irq_map_gsi(d0, 3, -1), 6);
    assert_int_equal(irq_map_gsi(d0, 3, 3), -XEN_EEXIST);
    assert_int_equal(irq_map_gsi(d0, 4, 6), -XEN_EEXIST);
    assert_int_equal(irq_unmap(d0, 6), 0);
    assert_int_equal(irq_unmap(d0, 6), -XEN_EINVAL);
    assert_int_equal(irq_map_gsi(d0, 3, 3), 3);
    assert_int_equal(irq_eoi(d0, ~0u), -XEN_EINVAL);
    assert_int_equal(irq_bind(d0, ~0u, 7, false), -XEN_EINVAL);
}

static void shape_cannot_change_under_a_user(void **state)
{
    map_and_bind(d0, EDGE_GSI, false);
    assert_int_equal(irq_shape(EDGE_GSI, false, false), 0);
    assert_int_equal(irq_shape(EDGE_GSI, true, true), -XEN_EEXIST);
    irq_unbind(d0, EDGE_GSI);
    assert_int_equal(irq_shape(EDGE_GSI, true, true), 0);
    assert_int_equal(irq_bind(d0, EDGE_GSI, 7, true), 0);
    fake_hold(EDGE_GSI, true);
    assert_true(fake_masked(EDGE_GSI));
    assert_int_equal(irq_shape(FAKE_GSIS, true, true), -XEN_EINVAL);
    assert_int_equal(irq_shape(~0u, true, true), -XEN_EINVAL);
}

static void the_consoles_line_is_its_own(void **state)
{
    assert_int_equal(irq_own(EDGE_GSI), 0);
    fake_pulse(EDGE_GSI);
    assert_int_equal(fake_console_inputs, 1);
    assert_int_equal(irq_map_gsi(d0, EDGE_GSI, EDGE_GSI), EDGE_GSI);
    assert_int_equal(irq_bind(d0, EDGE_GSI, 7, true), -XEN_EBUSY);
    assert_int_equal(irq_unmap(d0, EDGE_GSI), 0);
    fake_pulse(EDGE_GSI);
    assert_int_equal(fake_console_inputs, 2);
    map_and_bind(d0, 3, false);
    assert_int_equal(irq_own(3), -XEN_EBUSY);
}

static void bits_tell_who_needs_eoi(void **state)
{
    assert_int_equal(irq_map_gsi(d0, LEVEL_GSI, LEVEL_GSI), LEVEL_GSI);
    assert_int_equal(irq_bind(d0, LEVEL_GSI, 7, true), 0);
    assert_int_equal(irq_eoi_page_set(d0, MFN(1), false), -XEN_EINVAL);
    assert_int_equal(irq_eoi_page_set(d0, MFN(0), false), 0);
    assert_int_equal(irq_eoi_page_set(d0, MFN(0), false), -XEN_EBUSY);
    assert_int_equal(fake_eoi_page_refs, 1);
    assert_int_equal(fake_eoi_page[LEVEL_GSI / 8], 1u << LEVEL_GSI % 8);
    map_and_bind(d0, EDGE_GSI, false);
    assert_int_equal(fake_eoi_page[EDGE_GSI / 8], 0);
    irq_unbind(d0, LEVEL_GSI);
    assert_int_equal(fake_eoi_page[LEVEL_GSI / 8], 0);
    irq_domain_release(d0);
    assert_int_equal(fake_eoi_page_refs, 0);
    assert_true(fake_masked(EDGE_GSI));
}

static void the_older_page_unmasks_too(void **state)
{
    uint32_t ports[MAX_PIRQS] = { [LEVEL_GSI] = 33 };
    struct physdev_eoi eoi = { .irq = LEVEL_GSI };
    struct physdev_pirq_eoi_gmfn page = { .gmfn = 0 };

    map_and_bind(d0, LEVEL_GSI, true);
    d0->events.pirq_port = ports;
    assert_int_equal(physdev_op_pirq_eoi_page_v1(&fake_vcpu, d0, &page), 0);
    assert_int_equal(physdev_op_eoi(&fake_vcpu, d0, &eoi), 0);
    assert_int_equal(fake_unmasked_port, 33);
    d0->events.pirq_port = NULL;
}

static void strays_are_acknowledged(void **state)
{
    irq_arrived(0x99);
    assert_int_equal(fake_acks, 1);
}

static void dom0_sees_the_controllers(void **state)
{
    struct physdev_apic a = { .apic_physbase = 0xfec10000, .reg = 1 };

    assert_int_equal(physdev_op_apic_read(&fake_vcpu, d0, &a), 0);
    assert_int_equal(a.value, 0x70020);
    a.reg = 0x10 + 2 * 3;                           /* pin 3: GSI 15 */
    a.value = 0x1a050;
    assert_int_equal(physdev_op_apic_write(&fake_vcpu, d0, &a), 0);
    assert_int_equal(irq_map_gsi(d0, 15, 15), 15);
    assert_int_equal(fake_redirection(15, false) & 0xa000, 0xa000);
    a.apic_physbase = 0xfec20000;
    assert_int_equal(physdev_op_apic_read(&fake_vcpu, d0, &a), -XEN_EINVAL);
}

/* ---- a random walk ---- */

struct model { bool mapped, bound, share, owes; };
static struct model model[FAKE_DOMAINS][FAKE_GSIS];
static bool held[FAKE_GSIS];

static bool is_level(unsigned g) { return g == 5 || g >= 16; }

static unsigned model_bound(unsigned g)
{
    unsigned n = 0;

    for (unsigned d = 0; d < FAKE_DOMAINS; d++)
        n += model[d][g].bound;
    return n;
}

static bool model_owes(unsigned g)
{
    for (unsigned d = 0; d < FAKE_DOMAINS; d++)
        if (model[d][g].owes)
            return true;
    return false;
}

/* The line is held and heard: everybody who is bound hears it, and owes an EOI. */
static void model_level(unsigned g, uint32_t expected[FAKE_DOMAINS])
{
    if (!is_level(g) || !held[g] || model_owes(g))
        return;
    for (unsigned d = 0; d < FAKE_DOMAINS; d++)
        if (model[d][g].bound) {
            model[d][g].owes = true;
            expected[d]++;
        }
}

static bool model_may_bind(unsigned d, unsigned g, bool share)
{
    if (!model[d][g].mapped || model[d][g].bound)
        return false;
    for (unsigned i = 0; i < FAKE_DOMAINS; i++)
        if (model[i][g].bound && !(share && model[i][g].share))
            return false;
    return true;
}

static void step_bind(unsigned d, unsigned g)
{
    bool share = fake_random(4) != 0, may = model_may_bind(d, g, share);

    assert_int_equal(irq_bind(&fake_domain[d], g, 9, share) == 0, may);
    if (may) {
        model[d][g].bound = true;
        model[d][g].share = share;
    }
}

static void step_map(unsigned d, unsigned g)
{
    if (model[d][g].mapped) {
        assert_int_equal(irq_unmap(&fake_domain[d], g), 0);
        model[d][g] = (struct model){ .mapped = false };
    } else {
        assert_int_equal(irq_map_gsi(&fake_domain[d], g, (int32_t)g), g);
        model[d][g].mapped = true;
    }
}

static void step(unsigned d, unsigned g, uint32_t expected[FAKE_DOMAINS])
{
    switch (fake_random(6)) {
    case 0:
        step_map(d, g);
        break;
    case 1:
        step_bind(d, g);
        break;
    case 2:
        irq_unbind(&fake_domain[d], g);
        model[d][g].bound = model[d][g].owes = false;
        break;
    case 3:
        assert_int_equal(irq_eoi(&fake_domain[d], g), model[d][g].mapped ? 0 : -XEN_EINVAL);
        model[d][g].owes = false;
        break;
    default:
        held[g] = is_level(g) && fake_random(2);
        if (!is_level(g))
            for (unsigned i = 0; i < FAKE_DOMAINS; i++)
                expected[i] += model[i][g].bound;
        if (!is_level(g))
            fake_pulse(g);
    }
    model_level(g, expected);
    fake_hold(g, held[g]);
}

static void nothing_is_lost_and_nothing_storms(void **state)
{
    static const unsigned gsis[] = { 3, 4, 5, 16, 17, 19 };

    memset(model, 0, sizeof(model));
    memset(held, 0, sizeof(held));
    for (unsigned n = 0; n < 20000; n++) {
        unsigned d = fake_random(FAKE_DOMAINS), g = gsis[fake_random(6)];
        uint32_t expected[FAKE_DOMAINS];

        for (unsigned i = 0; i < FAKE_DOMAINS; i++)
            expected[i] = fake_events[i][g];
        step(d, g, expected);
        for (unsigned i = 0; i < FAKE_DOMAINS; i++)
            assert_int_equal(fake_events[i][g], expected[i]);
        assert_int_equal(fake_masked(g), !model_bound(g) || model_owes(g));
    }
}

/* The vCPU moves; the line goes after it at its next occurrence, or at once if the port is what moves. */
static void a_line_follows_its_vcpu(void **state)
{
    map_and_bind(d0, EDGE_GSI, false);
    map_and_bind(d0, LEVEL_GSI, false);
    fake_vcpu.cpu = &fake_cpu[1];
    fake_pulse(EDGE_GSI);
    assert_int_equal(fake_redirection(EDGE_GSI, true), 7u << 24);
    assert_false(fake_masked(EDGE_GSI));
    assert_int_equal(fake_redirection(LEVEL_GSI, true), 3u << 24);
    fake_hold(LEVEL_GSI, true);
    assert_int_equal(fake_redirection(LEVEL_GSI, true), 7u << 24);
    assert_true(fake_masked(LEVEL_GSI));                /* going elsewhere is no end of interrupt */
    fake_hold(LEVEL_GSI, false);
    assert_int_equal(irq_eoi(d0, LEVEL_GSI), 0);
    assert_false(fake_masked(LEVEL_GSI));
    fake_vcpu.cpu = &fake_cpu[0];
    irq_follow(d1, EDGE_GSI);                           /* not its line */
    assert_int_equal(fake_redirection(EDGE_GSI, true), 7u << 24);
    irq_follow(d0, EDGE_GSI);
    assert_int_equal(fake_redirection(EDGE_GSI, true), 3u << 24);
    fake_vcpu.cpu = &fake_cpu[2];                       /* out of a pin's reach: it stays */
    fake_pulse(EDGE_GSI);
    assert_int_equal(fake_redirection(EDGE_GSI, true), 3u << 24);
    assert_int_equal(fake_events[0][EDGE_GSI], 2);
    assert_int_equal(fake_events[0][LEVEL_GSI], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(shapes_come_from_the_firmware, reset),
        cmocka_unit_test_setup(an_edge_is_passed_on_each_time, reset),
        cmocka_unit_test_setup(a_level_waits_for_eoi, reset),
        cmocka_unit_test_setup(all_who_share_must_say_eoi, reset),
        cmocka_unit_test_setup(a_late_eoi_is_not_waited_for, reset),
        cmocka_unit_test_setup(sharing_needs_both, reset),
        cmocka_unit_test_setup(numbers_are_checked, reset),
        cmocka_unit_test_setup(shape_cannot_change_under_a_user, reset),
        cmocka_unit_test_setup(bits_tell_who_needs_eoi, reset),
        cmocka_unit_test_setup(the_older_page_unmasks_too, reset),
        cmocka_unit_test_setup(strays_are_acknowledged, reset),
        cmocka_unit_test_setup(a_line_follows_its_vcpu, reset),
        cmocka_unit_test_setup(dom0_sees_the_controllers, reset),
        cmocka_unit_test_setup(nothing_is_lost_and_nothing_storms, reset),
        cmocka_unit_test_setup(the_consoles_line_is_its_own, reset),    /* last: what is ours stays ours */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
