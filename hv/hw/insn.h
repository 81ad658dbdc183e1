/* SPDX-License-Identifier: BSD-2-Clause */
/* Privileged instructions, one function each. Only hv/hw/ includes this. Facts: AMD64 APM vol. 2 and 3. */
#ifndef HW_INSN_H
#define HW_INSN_H

#include <hv/types.h>

#define MSR_EFER            0xc0000080
#define MSR_STAR            0xc0000081
#define MSR_LSTAR           0xc0000082
#define MSR_CSTAR           0xc0000083
#define MSR_SFMASK          0xc0000084
#define MSR_FS_BASE         0xc0000100
#define MSR_GS_BASE         0xc0000101
#define MSR_KERNEL_GS_BASE  0xc0000102
#define MSR_APIC_BASE       0x1b
#define MSR_TSC_ADJUST      0x3b
#define MSR_TSC_DEADLINE    0x6e0
#define MSR_X2APIC          0x800       /* the first of 256 */
#define MSR_SYSENTER_CS     0x174
#define MSR_PAT             0x277

#define CR4_OSFXSR          (1ul << 9)
#define CR4_OSXMMEXCPT      (1ul << 10)
#define CR4_OSXSAVE         (1ul << 18)
#define CR4_SMEP            (1ul << 20)
#define CR4_PAE             (1ul << 5)
#define CR4_DE              (1ul << 3)
#define CR4_TSD             (1ul << 2)
#define CR0_TS              (1ul << 3)

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (uint64_t)hi << 32 | lo;
}
static inline void wrmsr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}
static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}
/* Not read before what stands before it: readings on two processors then compare as their causes do. */
static inline uint64_t rdtsc_ordered(void)
{
    __asm__ volatile("lfence" : : : "memory");
    return rdtsc();
}
/* All stores are visible to others before anything that follows, the WRMSR of an interrupt too (SDM vol. 3,
 * 10.12.3). */
static inline void fence_all(void) { __asm__ volatile("mfence; lfence" : : : "memory"); }
static inline uint32_t mmio_read32(const volatile uint8_t *p) { return *(const volatile uint32_t *)p; }
static inline uint64_t mmio_read64(const volatile uint8_t *p) { return *(const volatile uint64_t *)p; }
static inline void mmio_write32(volatile uint8_t *p, uint32_t v) { *(volatile uint32_t *)p = v; }
static inline void mmio_write64(volatile uint8_t *p, uint64_t v) { *(volatile uint64_t *)p = v; }
static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(sub));
}
#define PORT_READ(name, type) \
    static inline type name(uint16_t p) \
    { \
        type v; \
        __asm__ volatile(#name " %1, %0" : "=a"(v) : "Nd"(p)); \
        return v; \
    }
PORT_READ(inb, uint8_t)
PORT_READ(inw, uint16_t)
PORT_READ(inl, uint32_t)
#undef PORT_READ
static inline void outb(uint16_t p, uint8_t v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(p)); }
static inline void outw(uint16_t p, uint16_t v) { __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(p)); }
static inline void outl(uint16_t p, uint32_t v) { __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(p)); }

#define CONTROL_REGISTER(n) \
    static inline uint64_t read_cr##n(void) \
    { \
        uint64_t v; \
        __asm__ volatile("movq %%cr" #n ", %0" : "=r"(v)); \
        return v; \
    } \
    static inline void write_cr##n(uint64_t v) { __asm__ volatile("movq %0, %%cr" #n : : "r"(v) : "memory"); }
CONTROL_REGISTER(0)
CONTROL_REGISTER(2)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)

#define DEBUG_REGISTER(n) \
    static inline void write_dr##n(uint64_t v) { __asm__ volatile("movq %0, %%dr" #n : : "r"(v)); } \
    static inline uint64_t read_dr##n(void) \
    { \
        uint64_t v; \
        __asm__ volatile("movq %%dr" #n ", %0" : "=r"(v)); \
        return v; \
    }
DEBUG_REGISTER(0)
DEBUG_REGISTER(1)
DEBUG_REGISTER(2)
DEBUG_REGISTER(3)
DEBUG_REGISTER(6)
DEBUG_REGISTER(7)

static inline void invlpg(uint64_t va) { __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory"); }
static inline void swapgs(void) { __asm__ volatile("swapgs" : : : "memory"); }

struct table_pointer { uint16_t limit; uint64_t base; } __attribute__((packed));
static inline void lgdt(uint64_t base, uint16_t limit)
{
    struct table_pointer p = { limit, base };
    __asm__ volatile("lgdt %0" : : "m"(p));
}
static inline void lidt(uint64_t base, uint16_t limit)
{
    struct table_pointer p = { limit, base };
    __asm__ volatile("lidt %0" : : "m"(p));
}
static inline void ltr(uint16_t sel) { __asm__ volatile("ltr %0" : : "r"(sel)); }
static inline void lldt(uint16_t sel) { __asm__ volatile("lldt %0" : : "r"(sel)); }
#define READ_SELECTOR(s) \
    static inline uint16_t read_##s(void) \
    { \
        uint16_t v; \
        __asm__ volatile("movw %%" #s ", %0" : "=r"(v)); \
        return v; \
    }
READ_SELECTOR(ds)
READ_SELECTOR(es)
READ_SELECTOR(fs)
READ_SELECTOR(gs)

/* usercopy.S */
int copy_may_fault(void *dst, const void *src, size_t len);
int load8_may_fault(const uint64_t *src, uint64_t *value);
int rdmsr_may_fault(uint32_t msr, uint64_t *value);
int wrmsr_may_fault(uint32_t msr, uint64_t value);
int load_ds(uint32_t sel);
int load_es(uint32_t sel);
int load_fs(uint32_t sel);
int load_gs(uint32_t sel);
int xrstor_may_fault(void *area, uint64_t mask);
int xsetbv_may_fault(uint64_t value);

#endif
