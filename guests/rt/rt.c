/* SPDX-License-Identifier: BSD-2-Clause */
/* Start, verdict, printing, memory: see rt.h. */
#include "rt.h"

void rt_main(void);

#define DEBUG_EXIT_PORT 0xf4

extern char image_end[];
extern uint8_t shared_info_page[];
struct shared_info *shared = (void *)shared_info_page;
static unsigned failures;
static uint64_t pages_used;

/* ---- printing: the machine's console, a line at a time ---- */
static void put(char *buf, size_t len, size_t *at, char c)
{
    if (*at < len)
        buf[(*at)++] = c;
}

static void put_number(char *buf, size_t len, size_t *at, uint64_t n, unsigned base)
{
    char digits[20];
    unsigned used = 0;

    do
        digits[used++] = "0123456789abcdef"[n % base];
    while (n /= base);
    while (used)
        put(buf, len, at, digits[--used]);
}

static void put_argument(char *buf, size_t len, size_t *at, char form, bool wide, __builtin_va_list *ap)
{
    int64_t n;

    switch (form) {
    case 's':
        for (const char *s = __builtin_va_arg(*ap, const char *); *s; s++)
            put(buf, len, at, *s);
        return;
    case 'd':
        n = wide ? __builtin_va_arg(*ap, long) : __builtin_va_arg(*ap, int);
        if (n < 0)
            put(buf, len, at, '-');
        put_number(buf, len, at, n < 0 ? -(uint64_t)n : (uint64_t)n, 10);
        return;
    case 'u': case 'x':
        put_number(buf, len, at,
                   wide ? __builtin_va_arg(*ap, unsigned long) : __builtin_va_arg(*ap, unsigned),
                   form == 'x' ? 16 : 10);
    }
}

void say(const char *fmt, ...)
{
    char buf[256];
    size_t at = 0;
    __builtin_va_list ap;

    __builtin_va_start(ap, fmt);
    for (; *fmt; fmt++) {
        bool wide = false;

        if (*fmt != '%') {
            put(buf, sizeof buf, &at, *fmt);
            continue;
        }
        while (*++fmt == 'l')
            wide = true;
        put_argument(buf, sizeof buf, &at, *fmt, wide, &ap);
    }
    __builtin_va_end(ap);
    hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, at, buf, 0);
}

/* ---- verdict ---- */
static __attribute__((noreturn)) void finish(const char *verdict, const char *why, uint8_t code)
{
    struct sched_shutdown s = { SHUTDOWN_poweroff };

    say("VERDICT: %s %s\n", verdict, why);
    __asm__ volatile("outl %0, %1" : : "a"((uint32_t)code), "d"((uint16_t)DEBUG_EXIT_PORT));
    sched_op(SCHEDOP_shutdown, &s);
    for (;;)
        sched_op(SCHEDOP_block, NULL);
}

void check_failed(const char *file, int line, const char *what, long got, long want)
{
    if (failures++ < 20)
        say("%s:%d: %s: got %ld (0x%lx), wanted %ld (0x%lx)\n", file, line, what, got, (unsigned long)got,
            want, (unsigned long)want);
}

void give_up(const char *why) { finish("fail", why, 1); }

void skip(const char *why) { finish("skip", why, 2); }

/* ---- memory ---- */
uint64_t pfn_to_mfn(uint64_t pfn) { return ((const uint64_t *)start_info_pointer->mfn_list)[pfn]; }

uint64_t mapped_pages(void)
{
    uint64_t end = start_info_pointer->pt_base + start_info_pointer->nr_pt_frames * PAGE_SIZE;

    return ((end + PAGE_SIZE + 0x7ffff + 0x3fffff) & ~0x3ffffful) - VIRT_BASE >
                   (uint64_t)start_info_pointer->nr_pages << 12
               ? start_info_pointer->nr_pages
               : (((end + PAGE_SIZE + 0x7ffff + 0x3fffff) & ~0x3ffffful) - VIRT_BASE) >> 12;
}

/* Behind the page tables and the builder's stack. The mapping reaches half a megabyte further at least. */
void *pages_alloc(unsigned n)
{
    uint64_t first = start_info_pointer->pt_base + (start_info_pointer->nr_pt_frames + 1) * PAGE_SIZE;
    void *p = (void *)(first + __atomic_fetch_add(&pages_used, n, __ATOMIC_RELAXED) * PAGE_SIZE);

    if (va_to_pfn(p) + n > mapped_pages())
        give_up("the memory that the builder mapped is used up");
    return memset(p, 0, n * PAGE_SIZE);
}

void *page_alloc(void) { return pages_alloc(1); }

static const uint64_t *table_va(uint64_t mfn)
{
    const uint64_t *p = (const uint64_t *)start_info_pointer->pt_base;

    for (uint64_t i = 0; i < start_info_pointer->nr_pt_frames; i++)
        if (va_to_mfn(p + i * 512) == mfn)
            return p + i * 512;
    return NULL;
}

uint64_t pte_address(const void *va, unsigned level)
{
    const uint64_t *t = (const uint64_t *)start_info_pointer->pt_base;

    for (unsigned l = 4;; l--) {
        unsigned index = (unsigned)((uint64_t)va >> (3 + 9 * l)) & 511;

        if (l == level)
            return (va_to_mfn(t) << 12) + index * 8;
        t = table_va(t[index] >> 12 & 0xffffffffffull);
        if (!t)
            return 0;
    }
}

uint64_t pte_read(const void *va)
{
    uint64_t at = pte_address(va, 1);
    const uint64_t *t = at ? table_va(at >> 12) : NULL;

    return t ? t[(at & 0xfff) / 8] : 0;
}

/* ---- start ---- */
long domctl(uint32_t cmd, domid_t dom, struct xen_domctl *op)
{
    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = dom;
    return hypercall(__HYPERVISOR_domctl, op, 0, 0, 0);
}

long sysctl(uint32_t cmd, struct xen_sysctl *op)
{
    op->cmd = cmd;
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return hypercall(__HYPERVISOR_sysctl, op, 0, 0, 0);
}

void rt_traps_init(void);

void rt_main(void)
{
    struct physdev_set_iopl iopl = { 1 };

    rt_traps_init();
    physdev_op(PHYSDEVOP_set_iopl, &iopl);
    if (update_va((uint64_t)shared_info_page, start_info_pointer->shared_info | PTE_KERNEL, UVMF_INVLPG))
        finish("error", "shared info cannot be mapped", 3);
    events_mask();
    say("TEST: %s\n", test_name);
    test_main();
    if (failures)
        finish("fail", "", 1);
    finish("success", "", 0);
}

void *memset(void *p, int c, size_t n)
{
    for (uint8_t *b = p; n; n--)
        *b++ = (uint8_t)c;
    return p;
}

void *memcpy(void *d, const void *s, size_t n)
{
    uint8_t *a = d;

    for (const uint8_t *b = s; n; n--)
        *a++ = *b++;
    return d;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}
