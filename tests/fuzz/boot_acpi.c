/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as ACPI tables at physical address 0, with an XSDT at the address that the first byte says.
 * A fuzzer does not find checksums, so each table is made to sum up before it is shown.
 */
#include <hv/boot/acpi.h>

#include "../unit/boot_phys.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const void *map_summed(void *ctx, uint64_t pa, size_t len)
{
    uint8_t *copy = (uint8_t *)(uintptr_t)fake_phys_map(ctx, pa, len);
    uint8_t sum = 0;

    if (!copy || len < 36)
        return copy;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + copy[i]);
    copy[9] = (uint8_t)(copy[9] - sum);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct acpi_info info;
    static struct fake_phys fake;
    struct boot_phys phys = { map_summed, &fake };
    struct acpi_rsdp rsdp = { .revision = 2 };

    if (len < 2)
        return 0;
    rsdp.xsdt = bytes[0];
    rsdp.rsdt = bytes[1];
    fake = (struct fake_phys){ .base = 0, .bytes = bytes, .len = len };
    parse_acpi(&rsdp, &phys, &info);
    acpi_find_rsdp(bytes, len & ~(size_t)15);
    if (info.cpus > ACPI_MAX_CPUS || info.tables > ACPI_MAX_TABLES || info.nmis > ACPI_MAX_NMIS)
        abort();
    fake_phys_free(&fake);
    return 0;
}
