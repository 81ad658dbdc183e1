/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few ACPI tables a thin hypervisor reads: processors and interrupt controllers (MADT), power-management
 * registers (FADT), HPET, PCI configuration space (MCFG). Byte code is never interpreted; that is dom0's
 * work. Facts: ACPI Specification 6.4, sections 5.2.5 to 5.2.12; IA-PC HPET Specification 1.0a; PCI
 * Firmware 3.2.
 */
#ifndef HV_BOOT_ACPI_H
#define HV_BOOT_ACPI_H

#include <hv/boot/bytes.h>

#define ACPI_MAX_CPUS 256
#define ACPI_MAX_IOAPICS 16
#define ACPI_MAX_OVERRIDES 24
#define ACPI_MAX_NMIS 32
#define ACPI_MAX_MCFG 8
#define ACPI_MAX_TABLES 64

struct acpi_rsdp {
    uint8_t revision;
    uint32_t rsdt; /* physical addresses; 0: absent */
    uint64_t xsdt;
};

/* Index of a valid root pointer in `area` (a multiple of 16 bytes in), or -ENOENT. */
int acpi_find_rsdp(const uint8_t *area, size_t len);

/* Reads and checks a root pointer. -ENOEXEC wrong signature, -EINVAL too short, -EILSEQ bad checksum. */
int parse_rsdp(const uint8_t *bytes, size_t len, struct acpi_rsdp *out);

struct acpi_cpu {
    uint32_t apic_id;
    uint32_t uid;
    bool enabled;     /* usable now */
    bool online_able; /* may be enabled later */
};

struct acpi_ioapic {
    uint32_t id;
    uint32_t gsi_base;
    uint64_t addr;
};

enum acpi_polarity { ACPI_POLARITY_BUS, ACPI_ACTIVE_HIGH, ACPI_ACTIVE_LOW = 3 };
enum acpi_trigger { ACPI_TRIGGER_BUS, ACPI_EDGE, ACPI_LEVEL = 3 };

/* ISA interrupt `source` arrives on `gsi`, shaped like that. */
struct acpi_override {
    uint8_t source;
    uint8_t polarity, trigger;
    uint32_t gsi;
};

#define ACPI_NMI_ALL_CPUS 0xffffffffu

/* A non-maskable interrupt on a local APIC input (lint 0 or 1) or on an I/O APIC input (gsi). */
struct acpi_nmi {
    bool is_lint;
    uint8_t lint;
    uint8_t polarity, trigger;
    uint32_t uid; /* of the processor, for a lint; or ACPI_NMI_ALL_CPUS */
    uint32_t gsi;
};

enum acpi_space { ACPI_SPACE_MEMORY, ACPI_SPACE_IO };

/* A register; addr 0 means there is none. Widths in bits. */
struct acpi_register {
    uint8_t space, width, offset, access;
    uint64_t addr;
};

struct acpi_fadt {
    bool present;
    bool hw_reduced;
    uint16_t sci;
    uint16_t iapc_boot_arch;
    uint32_t flags;
    uint32_t facs32;
    uint64_t facs;
    struct acpi_register pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm_timer, reset;
    uint8_t reset_value;
    bool reset_supported;
    bool pm_timer_32bit; /* else 24 */
};

struct acpi_hpet {
    bool present;
    uint8_t number;
    uint16_t min_tick;
    uint32_t block_id;
    uint64_t addr;
};

struct acpi_mcfg {
    uint64_t base;
    uint16_t segment;
    uint8_t bus_first, bus_last;
};

struct acpi_table {
    char signature[4];
    uint32_t len;
    uint64_t addr;
};

/* Entries that did not fit are counted in `dropped`; tables whose checksum is wrong in `bad_tables` (not
 * used). */
struct acpi_info {
    unsigned int cpus, ioapics, overrides, nmis, mcfgs, tables, dropped, bad_tables;
    bool madt_present;
    bool has_8259; /* the two legacy interrupt controllers exist and must be masked */
    uint64_t lapic_addr;
    struct acpi_cpu cpu[ACPI_MAX_CPUS];
    struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS];
    struct acpi_override override[ACPI_MAX_OVERRIDES];
    struct acpi_nmi nmi[ACPI_MAX_NMIS];
    struct acpi_mcfg mcfg[ACPI_MAX_MCFG];
    struct acpi_table table[ACPI_MAX_TABLES];
    struct acpi_fadt fadt;
    struct acpi_hpet hpet;
};

/*
 * Walks XSDT (or RSDT, where that is all there is or the XSDT is broken) and fills *out whole. -ENOENT:
 * neither could be read. A broken table is skipped and counted: the machine may well boot without it.
 */
int parse_acpi(const struct acpi_rsdp *rsdp, const struct boot_phys *phys, struct acpi_info *out);

#endif
