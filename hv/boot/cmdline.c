/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's command line. options.def is expanded three times: to fields (in the header), to defaults,
 * and to the comparison of a word with each name.
 */
#include <hv/boot/cmdline.h>

#include <string.h>

#define WORD_MAX 256

/* ---- small pieces -------------------------------------------------------------------------------------- */

/* True if `text` begins with `prefix`; then *rest is what follows. */
static bool begins(const char *text, const char *prefix, const char **rest)
{
    while (*prefix)
        if (*text++ != *prefix++)
            return false;
    *rest = text;
    return true;
}

static bool same(const char *a, const char *b)
{
    const char *rest;

    return begins(a, b, &rest) && !*rest;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 255;
}

/* A number with the bases of C; false, and nothing read, if there is no digit or it exceeds 64 bits. */
static bool take_number(const char **text, uint64_t *out)
{
    const char *p = *text;
    unsigned int base = 10;
    uint64_t n = 0;

    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        base = 16;
        p += 2;
    } else if (p[0] == '0') {
        base = 8;
    }
    if (digit_value(*p) >= (int)base)
        return false;
    for (; digit_value(*p) < (int)base; p++)
        if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, digit_value(*p), &n))
            return false;
    *text = p;
    *out = n;
    return true;
}

static unsigned int suffix_shift(char c)
{
    switch (c | 0x20) {
    case 'b':
        return 0;
    case 'k':
        return 10;
    case 'm':
        return 20;
    case 'g':
        return 30;
    case 't':
        return 40;
    default:
        return 64;
    }
}

static bool take_size(const char **text, uint64_t *out)
{
    unsigned int shift;

    if (!take_number(text, out))
        return false;
    shift = suffix_shift(**text);
    if (shift < 64)
        (*text)++;
    else
        shift = 10; /* no suffix means KiB */
    if (*out > UINT64_MAX >> shift)
        return false;
    *out <<= shift;
    return true;
}

/* Cuts the first of several items off a list; NULL at its end. */
static char *next_item(char **list, char separator)
{
    char *item = *list, *p = item;

    if (!item)
        return NULL;
    while (*p && *p != separator)
        p++;
    *list = *p ? p + 1 : NULL;
    *p = 0;
    return item;
}

static bool parse_bool(const char *value, bool *out)
{
    static const char *const yes[] = { "", "yes", "on", "true", "enable", "1" };
    static const char *const no[] = { "no", "off", "false", "disable", "0" };

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        if (same(value, yes[i])) {
            *out = true;
            return true;
        }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        if (same(value, no[i])) {
            *out = false;
            return true;
        }
    return false;
}

static bool parse_ranged(const char *value, bool is_size, uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t n;

    if (!(is_size ? take_size(&value, &n) : take_number(&value, &n)) || *value || n < least || n > most)
        return false;
    *out = n;
    return true;
}

static bool parse_uint(const char *value, uint64_t least, uint64_t most, uint32_t *out)
{
    uint64_t n;

    if (!parse_ranged(value, false, least, most, &n))
        return false;
    *out = (uint32_t)n;
    return true;
}

/* ---- options with a form of their own ------------------------------------------------------------------ */

/* One of: 2G, 25%, 1G+25%, each with a minus before it. */
static bool parse_amount(const char *text, struct mem_amount *out)
{
    struct mem_amount a = { .set = true };
    bool plus = false;
    const char *p;
    uint64_t n;

    if (*text == '-') {
        a.negative = true;
        text++;
    }
    p = text;
    if (!take_number(&p, &n))
        return false;
    if (*p != '%') {
        if (!take_size(&text, &a.bytes))
            return false;
        plus = *text == '+';
        if (plus)
            text++;
        p = text;
        if (plus && (!take_number(&p, &n) || *p != '%'))
            return false;
    }
    if (*p == '%') {
        if (n > 100)
            return false;
        a.percent = (uint32_t)n;
        p++;
    }
    if (*p)
        return false;
    *out = a;
    return true;
}

static bool parse_dom0_mem(char *value, struct cmdline_options *out)
{
    struct mem_amount now = out->dom0_mem, min = out->dom0_mem_min, max = out->dom0_mem_max;

    for (const char *item = next_item(&value, ','), *rest; item; item = next_item(&value, ',')) {
        struct mem_amount *to = &now;

        if (begins(item, "min:", &rest))
            to = &min;
        else if (begins(item, "max:", &rest))
            to = &max;
        else
            rest = item;
        if (!parse_amount(rest, to))
            return false;
    }
    out->dom0_mem = now;
    out->dom0_mem_min = min;
    out->dom0_mem_max = max;
    return true;
}

static bool parse_dom0_max_vcpus(char *value, struct cmdline_options *out)
{
    struct vcpu_range r = { .set = true, .least = 1, .most = UINT32_MAX };
    char *high = value, *low = next_item(&high, '-');
    const uint32_t limit = 8192;

    if (!*low && (!high || !*high))
        return false;
    if (*low && !parse_uint(low, 1, limit, &r.least))
        return false;
    if (!high)
        r.most = r.least;
    else if (*high && !parse_uint(high, r.least, limit, &r.most))
        return false;
    out->dom0_max_vcpus = r;
    return true;
}

static bool parse_frame(const char *text, struct serial_options *s)
{
    if (strlen(text) != 3 || text[0] < '5' || text[0] > '8' || (text[2] != '1' && text[2] != '2'))
        return false;
    if (text[1] != 'n' && text[1] != 'e' && text[1] != 'o' && text[1] != 'm' && text[1] != 's')
        return false;
    s->data_bits = (uint8_t)(text[0] - '0');
    s->parity = text[1];
    s->stop_bits = (uint8_t)(text[2] - '0');
    return true;
}

/* baud[/clock][,frame[,port[,irq]]]; an empty item keeps its default. */
static bool parse_serial(char *value, struct serial_options *out)
{
    struct serial_options s = *out;
    char *baud = next_item(&value, ','), *frame = next_item(&value, ','), *port = next_item(&value, ','),
         *irq = next_item(&value, ',');
    char *clock = baud;
    uint32_t n;

    baud = next_item(&clock, '/');
    s.set = true;
    if (same(baud, "auto"))
        s.baud = 0;
    else if (*baud && !parse_uint(baud, 50, 115200 * 16, &s.baud))
        return false;
    if (clock && !parse_uint(clock, 1, UINT32_MAX, &n))
        return false;
    if (frame && *frame && !parse_frame(frame, &s))
        return false;
    if (port && *port) {
        if (!parse_uint(port, 1, 0xfff8, &n))
            return false;
        s.port = (uint16_t)n;
    }
    if (irq && *irq) {
        if (!parse_uint(irq, 0, 15, &n))
            return false;
        s.irq = (uint8_t)n;
    }
    *out = s;
    return !value;
}

static bool parse_com1(char *value, struct cmdline_options *out)
{
    return parse_serial(value, &out->com1);
}

static bool parse_com2(char *value, struct cmdline_options *out)
{
    return parse_serial(value, &out->com2);
}

static bool parse_console(char *value, struct cmdline_options *out)
{
    uint32_t set = 0;
    bool good = true;

    for (const char *item = next_item(&value, ','); item; item = next_item(&value, ',')) {
        if (same(item, "com1"))
            set |= CONSOLE_COM1;
        else if (same(item, "com2"))
            set |= CONSOLE_COM2;
        else if (same(item, "vga"))
            set |= CONSOLE_VGA;
        else if (same(item, "none"))
            set = 0;
        else
            good = false;
    }
    if (good)
        out->console = set;
    return good;
}

static bool parse_clocksource(const char *value, struct cmdline_options *out)
{
    static const char *const names[] = { [CLOCK_TSC] = "tsc", [CLOCK_HPET] = "hpet", [CLOCK_ACPI] = "acpi" };

    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (same(value, names[i])) {
            out->clocksource = (enum clock_option)i;
            return true;
        }
    return false;
}

static bool parse_level(const char *text, uint8_t *out)
{
    static const char *const names[] = { "none", "error", "warning", "info", "debug", "all" };

    for (uint8_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (same(text, names[i])) {
            *out = i > LOG_DEBUG ? LOG_DEBUG : i;
            return true;
        }
    return false;
}

static bool parse_levels(char *value, struct log_options *out)
{
    char *second = value, *first = next_item(&second, '/');
    struct log_options l;

    if (!parse_level(first, &l.always))
        return false;
    l.limited = l.always;
    if (second && !parse_level(second, &l.limited))
        return false;
    if (l.limited < l.always)
        l.limited = l.always;
    *out = l;
    return true;
}

static bool parse_loglvl(char *value, struct cmdline_options *out)
{
    return parse_levels(value, &out->loglvl);
}

static bool parse_guest_loglvl(char *value, struct cmdline_options *out)
{
    return parse_levels(value, &out->guest_loglvl);
}

/* ---- the table ----------------------------------------------------------------------------------------- */

static void set_defaults(struct cmdline_options *o)
{
    *o = (struct cmdline_options){
#define FLAG(name, def, help) .name = def,
#define UINT(name, def, least, most, help) .name = def,
#define SIZE(name, def, least, most, help) .name = def,
#define SPECIAL(name, help)
#define IGNORE(name, help)
#include <hv/boot/options.def>
#undef FLAG
#undef UINT
#undef SIZE
#undef SPECIAL
#undef IGNORE
        .com1 = { .baud = 115200, .data_bits = 8, .parity = 'n', .stop_bits = 1, .port = 0x3f8, .irq = 4 },
        .com2 = { .baud = 115200, .data_bits = 8, .parity = 'n', .stop_bits = 1, .port = 0x2f8, .irq = 3 },
        .console = CONSOLE_COM1 | CONSOLE_VGA,
        .loglvl = { .always = LOG_WARNING, .limited = LOG_WARNING },
        .guest_loglvl = { .always = LOG_NONE, .limited = LOG_WARNING },
    };
}

enum outcome { UNKNOWN, BAD, DONE };

/* Offers the word to every row. `help` is set once the name is known. */
static enum outcome apply_option(const char *key, char *value, struct cmdline_options *o,
                                 const char **help_out)
{
#define ROW(name, help, act)       \
    if (same(key, #name)) {        \
        *help_out = help;          \
        return (act) ? DONE : BAD; \
    }
#define FLAG(name, def, help) ROW(name, help, parse_bool(value, &o->name))
#define UINT(name, def, least, most, help) ROW(name, help, parse_uint(value, least, most, &o->name))
#define SIZE(name, def, least, most, help) ROW(name, help, parse_ranged(value, true, least, most, &o->name))
#define SPECIAL(name, help) ROW(name, help, parse_##name(value, o))
#define IGNORE(name, help) ROW(name, help, true)
#include <hv/boot/options.def>
#undef FLAG
#undef UINT
#undef SIZE
#undef SPECIAL
#undef IGNORE
#undef ROW
    return UNKNOWN;
}

/* no-NAME is NAME=no, and only a flag can be that. */
static enum outcome apply_word(const char *key, char *value, struct cmdline_options *o, const char **help)
{
    char off[] = "no";
    enum outcome result = apply_option(key, value, o, help);

    if (result == UNKNOWN && !*value && begins(key, "no-", &key))
        result = apply_option(key, off, o, help);
    return result;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copies the next word without its double quotes; *cut tells that it did not fit. NULL at the end of the
 * line. */
static const char *next_word(const char *line, char *word, bool *cut)
{
    bool quoted = false;
    size_t n = 0;

    *cut = false;
    while (is_blank(*line))
        line++;
    if (!*line)
        return NULL;
    for (; *line && (quoted || !is_blank(*line)); line++) {
        if (*line == '"')
            quoted = !quoted;
        else if (n < WORD_MAX - 1)
            word[n++] = *line;
        else
            *cut = true;
    }
    word[n] = 0;
    return line;
}

void parse_cmdline(const char *line, const struct cmdline_report *report, struct cmdline_options *out)
{
    char word[WORD_MAX], intact[WORD_MAX];
    bool cut;

    set_defaults(out);
    while ((line = next_word(line, word, &cut)) != NULL) {
        char *value = word, *key = next_item(&value, '=');
        const char *help = "";
        enum outcome result = UNKNOWN;

        if (!value)
            value = key + strlen(key);
        memcpy(intact, value, strlen(value) + 1); /* option parsers cut theirs up */
        if (!cut)
            result = apply_word(key, value, out, &help);
        if (result == DONE)
            continue;
        report->problem(report->ctx,
                        cut             ? CMDLINE_TOO_LONG
                        : result == BAD ? CMDLINE_BAD_VALUE
                                        : CMDLINE_UNKNOWN,
                        key, intact, help);
    }
}

const char *cmdline_skip_image(const char *line, const char *loader)
{
    const char *rest;

    if (begins(loader, "GRUB 2", &rest))
        return line;
    while (is_blank(*line))
        line++;
    while (*line && !is_blank(*line))
        line++;
    while (is_blank(*line))
        line++;
    return line;
}

uint64_t mem_amount_bytes(const struct mem_amount *a, uint64_t total)
{
    uint64_t n;

    if (!a->set)
        return 0;
    n = total / 100 * a->percent;
    n = a->bytes > total - n ? total : n + a->bytes;
    return a->negative ? total - n : n;
}
