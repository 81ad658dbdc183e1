/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page of stubs, 32 bytes a hypercall. SYSCALL destroys RCX and R11, so each stub keeps them; iret is
 * entered with the frame on the stack and never comes back, so its stub completes the frame instead.
 */
#include <hv/dom0.h>

#include <abi/xen.h>

void hypercall_page_write(void *page)
{
    static const uint8_t call[] = { 0x51, 0x41, 0x53,           /* push rcx; push r11 */
                                    0xb8, 0, 0, 0, 0,           /* mov $number, eax */
                                    0x0f, 0x05,                 /* syscall */
                                    0x41, 0x5b, 0x59, 0xc3 };   /* pop r11; pop rcx; ret */
    static const uint8_t iret[] = { 0x51, 0x41, 0x53, 0x50,     /* push rcx; push r11; push rax */
                                    0xb8, __HYPERVISOR_iret, 0, 0, 0, 0x0f, 0x05 };

    __builtin_memset(page, 0xcc, PAGE_SIZE);
    for (uint32_t n = 0; n < PAGE_SIZE / 32; n++) {
        uint8_t *stub = (uint8_t *)page + n * 32;

        if (n == __HYPERVISOR_iret) {
            __builtin_memcpy(stub, iret, sizeof iret);
            continue;
        }
        __builtin_memcpy(stub, call, sizeof call);
        __builtin_memcpy(stub + 4, &n, 4);
    }
}
