/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain that breaks its own neck (no handler for its fault) dies alone, and all its memory comes back. */
#include "child.h"

TEST("dom: a domain that crashes harms nobody else");

void test_main(void)
{
    struct child c = { 0 };
    uint64_t before = 0;

    for (unsigned round = 0; round < 3; round++) {
        if (!child_create(&c))
            return;
        /* the page it runs on vanishes */
        child_add(&c, __HYPERVISOR_update_va_mapping, VIRT_BASE, 0, UVMF_INVLPG, 0);
        CHECK(child_run_crash(&c));
        child_destroy(&c);
        nap(20000000);
        if (round == 1)
            before = free_pages() + CHILD_FRAMES;   /* the next child gives as many of ours */
    }
    CHECK_EQ(free_pages(), before);
}
