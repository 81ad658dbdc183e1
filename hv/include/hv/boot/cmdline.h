/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's command line: words separated by blanks, each `name`, `no-name` or `name=value`. What an
 * option is, its default and its range stand in options.def; this header adds the fields of the options with
 * a form of their own. A mistake never stops the boot: it is reported, and the default stands.
 */
#ifndef HV_BOOT_CMDLINE_H
#define HV_BOOT_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hv/log_level.h>

/* An amount of memory, possibly relative to what the machine has. */
struct mem_amount {
    bool set;
    bool negative;    /* all but that much */
    uint64_t bytes;   /* plus */
    uint32_t percent; /* of all memory, 0..100 */
};

struct serial_options {
    bool set;
    uint32_t baud; /* 0: leave the port as it is set */
    uint8_t data_bits, stop_bits;
    char parity; /* n, e, o, m, s */
    uint16_t port;
    uint8_t irq; /* 0: poll */
};

enum console_device { CONSOLE_COM1 = 1, CONSOLE_COM2 = 2, CONSOLE_VGA = 4 };

enum clock_option { CLOCK_TSC, CLOCK_HPET, CLOCK_ACPI };

/* Messages up to `always` are shown; those above, up to `limited`, at a limited rate; no others. */
struct log_options {
    uint8_t always, limited;
};

struct vcpu_range {
    bool set;
    uint32_t least, most; /* most UINT32_MAX: as many as there are processors */
};

struct cmdline_options {
#define FLAG(name, def, help) bool name;
#define UINT(name, def, least, most, help) uint32_t name;
#define SIZE(name, def, least, most, help) uint64_t name;
#define SPECIAL(name, help)
#define IGNORE(name, help)
#include <hv/boot/options.def>
#undef FLAG
#undef UINT
#undef SIZE
#undef SPECIAL
#undef IGNORE
    struct mem_amount dom0_mem, dom0_mem_min, dom0_mem_max;
    struct vcpu_range dom0_max_vcpus;
    struct serial_options com1, com2;
    uint32_t console; /* set of enum console_device */
    enum clock_option clocksource;
    struct log_options loglvl, guest_loglvl;
};

enum cmdline_problem {
    CMDLINE_UNKNOWN,   /* no option of that name */
    CMDLINE_BAD_VALUE, /* the default, or the value given before, is kept */
    CMDLINE_TOO_LONG,  /* a word that does not fit is ignored */
};

/*
 * Told each problem, with the word cut at its first '='; `value` is "" where there is none; `help` is the
 * option's line of options.def or "". The strings live until the call returns.
 */
struct cmdline_report {
    void (*problem)(void *ctx, enum cmdline_problem what, const char *name, const char *value,
                    const char *help);
    void *ctx;
};

/* Defaults, then the words of `line` from left to right; of one option given twice the last counts. */
void parse_cmdline(const char *line, const struct cmdline_report *report, struct cmdline_options *out);

/*
 * The line without the image's file name, which every multiboot loader but GRUB 2 puts before the arguments.
 * `loader` is the loader's name as told by multiboot.
 */
const char *cmdline_skip_image(const char *line, const char *loader);

/* Bytes that `a` asks for on a machine with `total` bytes; 0 for an amount that is not set. Never above
 * `total`. */
uint64_t mem_amount_bytes(const struct mem_amount *a, uint64_t total);

#endif
