/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables to struct acpi_info. Offsets in this file are byte offsets as the specification's tables give
 * them.
 *
 * Every table has a header of 36 bytes with its own length and a checksum over all of it, so a table is used
 * only after its whole length was mapped and sums to zero. Each field is then read only if the table is long
 * enough: tables grew with each revision, and old ones are still about.
 */
#include <hv/boot/acpi.h>

#define HEADER_LEN 36
#define TABLE_LEN_MAX (16u << 20) /* a table longer than this is taken for garbage */

static uint8_t sum_bytes(const uint8_t *p, size_t len)
{
    uint8_t sum = 0;

    while (len--)
        sum = (uint8_t)(sum + *p++);
    return sum;
}

/* ---- the root pointer ---------------------------------------------------------------------------------- */

int parse_rsdp(const uint8_t *bytes, size_t len, struct acpi_rsdp *out)
{
    uint32_t full;

    if (len < 20)
        return -XEN_EINVAL;
    if (memcmp(bytes, "RSD PTR ", 8))
        return -XEN_ENOEXEC;
    if (sum_bytes(bytes, 20))
        return -XEN_EILSEQ;
    *out = (struct acpi_rsdp){ .revision = bytes[15], .rsdt = load_le32(bytes + 16) };
    if (out->revision < 2 || len < 36)
        return 0;
    full = load_le32(bytes + 20);
    if (full < 36 || full > len || sum_bytes(bytes, full))
        return out->rsdt ? 0 : -XEN_EILSEQ; /* the first 20 bytes were sound: live with them */
    out->xsdt = load_le64(bytes + 24);
    return 0;
}

int acpi_find_rsdp(const uint8_t *area, size_t len)
{
    struct acpi_rsdp rsdp;

    for (size_t off = 0; off < len && off <= INT32_MAX; off += 16)
        if (!parse_rsdp(area + off, len - off, &rsdp))
            return (int)off;
    return -XEN_ENOENT;
}

/* ---- MADT ---------------------------------------------------------------------------------------------- */

static void add_cpu(struct acpi_info *info, uint32_t apic_id, uint32_t uid, uint32_t flags)
{
    /* Firmware lists sockets that are empty, with neither flag and often with an ID of all ones. */
    if (!(flags & 3))
        return;
    for (unsigned int i = 0; i < info->cpus; i++)
        if (info->cpu[i].apic_id == apic_id)
            return; /* the same processor as local APIC and as x2APIC */
    if (info->cpus == ACPI_MAX_CPUS) {
        info->dropped++;
        return;
    }
    info->cpu[info->cpus++] =
        (struct acpi_cpu){ .apic_id = apic_id, .uid = uid, .enabled = flags & 1, .online_able = flags & 2 };
}

static void add_ioapic(struct acpi_info *info, const uint8_t *e)
{
    if (info->ioapics == ACPI_MAX_IOAPICS) {
        info->dropped++;
        return;
    }
    info->ioapic[info->ioapics++] =
        (struct acpi_ioapic){ .id = e[2], .addr = load_le32(e + 4), .gsi_base = load_le32(e + 8) };
}

static void add_override(struct acpi_info *info, const uint8_t *e)
{
    uint16_t flags = load_le16(e + 8);

    if (info->overrides == ACPI_MAX_OVERRIDES || e[2] != 0 || e[3] >= 16) {
        info->dropped++;
        return;
    }
    info->override[info->overrides++] = (struct acpi_override){
        .source = e[3], .gsi = load_le32(e + 4), .polarity = flags & 3, .trigger = (flags >> 2) & 3
    };
}

static void add_nmi(struct acpi_info *info, struct acpi_nmi nmi, uint16_t flags)
{
    if (info->nmis == ACPI_MAX_NMIS) {
        info->dropped++;
        return;
    }
    nmi.polarity = flags & 3;
    nmi.trigger = (flags >> 2) & 3;
    info->nmi[info->nmis++] = nmi;
}

/* What each entry type is, and how long it has to be; entries of other types are passed over. */
enum madt_entry {
    MADT_LAPIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    MADT_NMI = 3,
    MADT_LINT_NMI = 4,
    MADT_LAPIC_ADDR = 5,
    MADT_X2APIC = 9,
    MADT_X2APIC_NMI = 10,
};

static const uint8_t madt_len[] = {
    [MADT_LAPIC] = 8,    [MADT_IOAPIC] = 12,     [MADT_OVERRIDE] = 10, [MADT_NMI] = 8,
    [MADT_LINT_NMI] = 6, [MADT_LAPIC_ADDR] = 12, [MADT_X2APIC] = 16,   [MADT_X2APIC_NMI] = 12,
};

static void madt_entry(struct acpi_info *info, const uint8_t *e)
{
    switch (e[0]) {
    case MADT_LAPIC:
        add_cpu(info, e[3], e[2], load_le32(e + 4));
        break;
    case MADT_X2APIC:
        add_cpu(info, load_le32(e + 4), load_le32(e + 12), load_le32(e + 8));
        break;
    case MADT_IOAPIC:
        add_ioapic(info, e);
        break;
    case MADT_OVERRIDE:
        add_override(info, e);
        break;
    case MADT_NMI:
        add_nmi(info, (struct acpi_nmi){ .gsi = load_le32(e + 4) }, load_le16(e + 2));
        break;
    case MADT_LINT_NMI:
        add_nmi(
            info,
            (struct acpi_nmi){ .is_lint = true, .lint = e[5], .uid = e[2] == 255 ? ACPI_NMI_ALL_CPUS : e[2] },
            load_le16(e + 3));
        break;
    case MADT_X2APIC_NMI:
        add_nmi(info, (struct acpi_nmi){ .is_lint = true, .lint = e[8], .uid = load_le32(e + 4) },
                load_le16(e + 2));
        break;
    case MADT_LAPIC_ADDR:
        info->lapic_addr = load_le64(e + 4);
        break;
    }
}

static bool read_madt(const uint8_t *t, uint32_t len, struct acpi_info *info)
{
    if (len < 44)
        return false;
    info->madt_present = true;
    info->lapic_addr = load_le32(t + 36);
    info->has_8259 = load_le32(t + 40) & 1;
    for (uint32_t off = 44; range_inside(off, 2, len); off += t[off + 1]) {
        const uint8_t *e = t + off;

        if (e[1] < 2 || !range_inside(off, e[1], len))
            return false; /* what was read so far stands */
        if (e[0] < sizeof(madt_len) && madt_len[e[0]] && e[1] >= madt_len[e[0]])
            madt_entry(info, e);
    }
    return true;
}

/* ---- FADT, HPET, MCFG ---------------------------------------------------------------------------------- */

static struct acpi_register read_register(const uint8_t *p)
{
    return (struct acpi_register){
        .space = p[0], .width = p[1], .offset = p[2], .access = p[3], .addr = load_le64(p + 4)
    };
}

/* A register block: in its 64-bit form if the table has one that is not zero, else as a port number. */
static struct acpi_register fadt_block(const uint8_t *t, uint32_t len, uint32_t x_off, uint32_t off,
                                       uint32_t len_off)
{
    struct acpi_register r = { 0 };

    if (range_inside(x_off, 12, len))
        r = read_register(t + x_off);
    if (!r.addr)
        r = (struct acpi_register){ .space = ACPI_SPACE_IO,
                                    .width = (uint8_t)(t[len_off] * 8),
                                    .addr = load_le32(t + off) };
    return r;
}

enum fadt_field {
    FADT_FACS = 36,
    FADT_SCI = 46,
    FADT_PM1A_EVENT = 56,
    FADT_PM1B_EVENT = 60,
    FADT_PM1A_CONTROL = 64,
    FADT_PM1B_CONTROL = 68,
    FADT_PM_TIMER = 76,
    FADT_EVENT_LEN = 88,
    FADT_CONTROL_LEN = 89,
    FADT_TIMER_LEN = 91,
    FADT_BOOT_ARCH = 109,
    FADT_FLAGS = 112,
    FADT_LEAST = 116,
    FADT_RESET = 116,
    FADT_RESET_VALUE = 128,
    FADT_X_FACS = 132,
    FADT_X_PM1A_EVENT = 148,
    FADT_X_PM1B_EVENT = 160,
    FADT_X_PM1A_CONTROL = 172,
    FADT_X_PM1B_CONTROL = 184,
    FADT_X_PM_TIMER = 208,
};

enum fadt_flag { FADT_TIMER_32BIT = 1 << 8, FADT_RESET_SUPPORTED = 1 << 10, FADT_HW_REDUCED = 1 << 20 };

static bool read_fadt(const uint8_t *t, uint32_t len, struct acpi_info *info)
{
    struct acpi_fadt *f = &info->fadt;

    if (len < FADT_LEAST)
        return false;
    f->present = true;
    f->sci = load_le16(t + FADT_SCI);
    f->iapc_boot_arch = load_le16(t + FADT_BOOT_ARCH);
    f->flags = load_le32(t + FADT_FLAGS);
    f->hw_reduced = f->flags & FADT_HW_REDUCED;
    f->pm_timer_32bit = f->flags & FADT_TIMER_32BIT;
    f->facs32 = load_le32(t + FADT_FACS);
    f->facs = range_inside(FADT_X_FACS, 8, len) ? load_le64(t + FADT_X_FACS) : 0;
    if (!f->facs)
        f->facs = f->facs32;
    f->pm1a_event = fadt_block(t, len, FADT_X_PM1A_EVENT, FADT_PM1A_EVENT, FADT_EVENT_LEN);
    f->pm1b_event = fadt_block(t, len, FADT_X_PM1B_EVENT, FADT_PM1B_EVENT, FADT_EVENT_LEN);
    f->pm1a_control = fadt_block(t, len, FADT_X_PM1A_CONTROL, FADT_PM1A_CONTROL, FADT_CONTROL_LEN);
    f->pm1b_control = fadt_block(t, len, FADT_X_PM1B_CONTROL, FADT_PM1B_CONTROL, FADT_CONTROL_LEN);
    f->pm_timer = fadt_block(t, len, FADT_X_PM_TIMER, FADT_PM_TIMER, FADT_TIMER_LEN);
    if (len <= FADT_RESET_VALUE || !(f->flags & FADT_RESET_SUPPORTED))
        return true;
    f->reset = read_register(t + FADT_RESET);
    f->reset_value = t[FADT_RESET_VALUE];
    f->reset_supported = true;
    return true;
}

static bool read_hpet(const uint8_t *t, uint32_t len, struct acpi_info *info)
{
    if (len < 56)
        return false;
    info->hpet = (struct acpi_hpet){ .present = t[40] == ACPI_SPACE_MEMORY,
                                     .block_id = load_le32(t + 36),
                                     .addr = load_le64(t + 44),
                                     .number = t[52],
                                     .min_tick = load_le16(t + 53) };
    return true;
}

static bool read_mcfg(const uint8_t *t, uint32_t len, struct acpi_info *info)
{
    for (uint32_t off = 44; range_inside(off, 16, len); off += 16) {
        if (info->mcfgs == ACPI_MAX_MCFG) {
            info->dropped++;
            continue;
        }
        info->mcfg[info->mcfgs++] = (struct acpi_mcfg){ .base = load_le64(t + off),
                                                        .segment = load_le16(t + off + 8),
                                                        .bus_first = t[off + 10],
                                                        .bus_last = t[off + 11] };
    }
    return true;
}

/* ---- the walk ------------------------------------------------------------------------------------------ */

static const struct {
    char signature[4];
    bool (*read)(const uint8_t *t, uint32_t len, struct acpi_info *info);
} readers[] = {
    { { 'A', 'P', 'I', 'C' }, read_madt },
    { { 'F', 'A', 'C', 'P' }, read_fadt },
    { { 'H', 'P', 'E', 'T' }, read_hpet },
    { { 'M', 'C', 'F', 'G' }, read_mcfg },
};

/* The whole table at `pa`, checked, or NULL. */
static const uint8_t *map_table(const struct boot_phys *phys, uint64_t pa, uint32_t *len)
{
    const uint8_t *t = pa ? boot_phys_map(phys, pa, HEADER_LEN) : NULL;

    if (!t)
        return NULL;
    *len = load_le32(t + 4);
    if (*len < HEADER_LEN || *len > TABLE_LEN_MAX)
        return NULL;
    t = boot_phys_map(phys, pa, *len);
    return t && !sum_bytes(t, *len) ? t : NULL;
}

static bool table_seen(const struct acpi_info *info, const uint8_t *t)
{
    for (unsigned int i = 0; i < info->tables; i++)
        if (!memcmp(info->table[i].signature, t, 4))
            return true;
    return false;
}

static void read_table(struct acpi_info *info, const struct boot_phys *phys, uint64_t pa)
{
    uint32_t len;
    const uint8_t *t = map_table(phys, pa, &len);
    bool first;

    if (!t) {
        info->bad_tables++;
        return;
    }
    if (info->tables == ACPI_MAX_TABLES) {
        info->dropped++;
        return;
    }
    first = !table_seen(info, t);
    memcpy(info->table[info->tables].signature, t, 4);
    info->table[info->tables].len = len;
    info->table[info->tables++].addr = pa;
    /* Of two tables with one name the first counts, as it does for operating systems. */
    for (size_t i = 0; first && i < sizeof(readers) / sizeof(readers[0]); i++)
        if (!memcmp(readers[i].signature, t, 4) && !readers[i].read(t, len, info))
            info->bad_tables++;
}

/* Reads all tables a root table of 4- or 8-byte pointers lists; false if it is not a sound root table. */
static bool walk_root(struct acpi_info *info, const struct boot_phys *phys, uint64_t pa, const char *name,
                      uint32_t width)
{
    uint32_t len;
    const uint8_t *t = map_table(phys, pa, &len);

    if (!t || memcmp(t, name, 4))
        return false;
    for (uint32_t off = HEADER_LEN; range_inside(off, width, len); off += width)
        read_table(info, phys, width == 8 ? load_le64(t + off) : load_le32(t + off));
    return true;
}

int parse_acpi(const struct acpi_rsdp *rsdp, const struct boot_phys *phys, struct acpi_info *out)
{
    memset(out, 0, sizeof(*out));
    if (walk_root(out, phys, rsdp->xsdt, "XSDT", 8) || walk_root(out, phys, rsdp->rsdt, "RSDT", 4))
        return 0;
    return -XEN_ENOENT;
}
