/* SPDX-License-Identifier: BSD-2-Clause */
/* Privileged instructions of a guest kernel: emulated, ignored or refused, never executed. */
#include "rt.h"

TEST("cpu: privileged instructions");

static uint64_t lgdt(void *p) { uint8_t d[10] = { 0 }; __asm__ volatile("lgdt %0" : : "m"(d)); return 0; }
static uint64_t lidt(void *p) { uint8_t d[10] = { 0 }; __asm__ volatile("lidt %0" : : "m"(d)); return 0; }
static uint64_t lldt(void *p) { __asm__ volatile("lldt %w0" : : "r"(0)); return 0; }
static uint64_t ltr(void *p) { __asm__ volatile("ltr %w0" : : "r"(0x40)); return 0; }
static uint64_t invlpg(void *p) { __asm__ volatile("invlpg (%0)" : : "r"(p) : "memory"); return 0; }
static uint64_t wbinvd(void *p) { __asm__ volatile("wbinvd" ::: "memory"); return 0; }
static uint64_t cli(void *p) { __asm__ volatile("cli"); return 0; }
static uint64_t sysret(void *p) { __asm__ volatile("sysretq" : : "c"(0)); return 0; }
static uint64_t swapgs(void *p) { __asm__ volatile("swapgs"); return 0; }
static uint64_t vmmcall(void *p) { __asm__ volatile("vmmcall"); return 0; }
static uint64_t vmcall(void *p) { __asm__ volatile("vmcall"); return 0; }
static uint64_t far_jump(void *p)
{
    struct __attribute__((packed)) { uint64_t at; uint16_t cs; } to = { 0xffff82d040200000, 8 };

    __asm__ volatile("rex64 ljmp *%0" : : "m"(to));
    return 0;
}

void test_main(void)
{
    uint64_t (*const refused[])(void *) = { lgdt, lidt, lldt, ltr, sysret, swapgs, far_jump };

    for (unsigned i = 0; i < ARRAY_LEN(refused); i++) {
        CHECK(faults(refused[i], page_alloc()));
        CHECK_EQ(caught.vector, 13);
    }
    CHECK(faults(vmmcall, NULL));
    CHECK(faults(vmcall, NULL));
    /* each hypervisor has its mind about these; they must leave us and it alive */
    rt_try(invlpg, page_alloc());
    rt_try(wbinvd, NULL);
    rt_try(cli, NULL);
    CHECK(hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0) > 0);
}
