/* SPDX-License-Identifier: BSD-2-Clause */
/* The vCPU's part of the shared page moves into a page of the guest, once. */
#include "rt.h"

TEST("vcpu: registration of vcpu_info");

static long reg(uint64_t mfn, uint32_t offset)
{
    struct vcpu_register_vcpu_info r = { .mfn = mfn, .offset = offset };

    return vcpu_op(VCPUOP_register_vcpu_info, 0, &r);
}

void test_main(void)
{
    uint8_t *page = page_alloc();
    struct vcpu_info *v = (struct vcpu_info *)(page + 128);
    struct evtchn_bind_ipi b = { .vcpu = 0 };
    struct evtchn_send send;
    struct tree t;

    tree_make(&t);
    CHECK_EQ(table_pin(1, t.l1), 0);
    CHECK(reg(va_to_mfn(page), PAGE_SIZE - 8) < 0);                 /* across the end */
    CHECK(reg(va_to_mfn(page), 0xffffffff) < 0);
    CHECK(reg(0xffffffffff, 0) < 0);
    CHECK(reg(va_to_mfn(t.l1), 0) < 0);                             /* a page table */
    CHECK_EQ(reg(va_to_mfn(page), 128), 0);
    CHECK_EQ(v->evtchn_upcall_mask, 1);                             /* what was, is there */
    CHECK(v->time.tsc_to_system_mul != 0);
    CHECK_EQ(event_op(EVTCHNOP_bind_ipi, &b), 0);
    v->evtchn_upcall_pending = 0;
    v->evtchn_pending_sel = 0;
    send.port = b.port;
    CHECK_EQ(event_op(EVTCHNOP_send, &send), 0);
    CHECK_EQ(v->evtchn_upcall_pending, 1);
    CHECK_EQ(v->evtchn_pending_sel >> b.port / 64 & 1, 1);
    CHECK(faults(read_word, (void *)0x9008));
    CHECK_EQ(v->arch.cr2, 0x9008);
    CHECK_EQ(reg(va_to_mfn(page), 256), -XEN_EINVAL);               /* a second time */
}
