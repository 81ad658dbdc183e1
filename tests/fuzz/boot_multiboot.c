/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as multiboot information, of the version that the first byte says. */
#include <hv/boot/multiboot.h>

#include "../unit/boot_phys.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct boot_info info;
    static struct fake_phys fake;
    struct boot_phys phys = { fake_phys_map, &fake };

    if (!len)
        return 0;
    fake = (struct fake_phys){ .base = 0, .bytes = bytes + 1, .len = len - 1 };
    if (!parse_multiboot(bytes[0] & 1 ? MULTIBOOT1_MAGIC : MULTIBOOT2_MAGIC, 0, &phys, &info)) {
        for (unsigned int i = 1; i < info.memmap.count; i++)
            if (info.memmap.region[i - 1].base + info.memmap.region[i - 1].len > info.memmap.region[i].base)
                abort();
        if (info.modules > BOOT_MAX_MODULES || strlen(info.cmdline) >= BOOT_CMDLINE_MAX)
            abort();
    }
    fake_phys_free(&fake);
    return 0;
}
