/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatting of messages, and the two ways in which the hypervisor itself gives up. */
#include <hv/console.h>
#include <hv/crash.h>
#include <hv/domain.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <stdarg.h>
#include <string.h>

#define LINE 512

struct out { char *buf; size_t room, len; };

static void put(struct out *o, char c)
{
    if (o->len < o->room)
        o->buf[o->len] = c;
    o->len++;
}

struct spec {
    bool left, zero, alternate;
    unsigned width;
    int precision;              /* -1: none given */
    unsigned longs;             /* of 'l', 'z', 't', 'j' */
};

static void put_padded(struct out *o, const struct spec *s, const char *text, size_t n)
{
    size_t pad = s->width > n ? s->width - n : 0;

    for (; pad && !s->left; pad--)
        put(o, ' ');
    for (size_t i = 0; i < n; i++)
        put(o, text[i]);
    for (; pad; pad--)
        put(o, ' ');
}

static void put_number(struct out *o, const struct spec *s, uint64_t value, unsigned base, bool negative,
                       bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char tmp[72];
    unsigned at = sizeof(tmp), prefix = negative ? 1 : s->alternate && base == 16 ? 2 : 0;
    unsigned least = s->precision > 0 ? (unsigned)s->precision : 1;

    if (s->zero && !s->left && s->width > prefix)
        least = MAX(least, s->width - prefix);
    least = MIN(least, 64u);
    for (; value || least; value /= base, least -= least ? 1 : 0)
        tmp[--at] = digits[value % base];
    if (negative)
        tmp[--at] = '-';
    else if (prefix) {
        tmp[--at] = upper ? 'X' : 'x';
        tmp[--at] = '0';
    }
    put_padded(o, s, tmp + at, sizeof(tmp) - at);
}

static const char *parse_spec(const char *f, struct spec *s, va_list *ap)
{
    *s = (struct spec){ .precision = -1 };
    for (;; f++) {
        if (*f == '-')
            s->left = true;
        else if (*f == '0')
            s->zero = true;
        else if (*f == '#')
            s->alternate = true;
        else
            break;
    }
    if (*f == '*') {
        s->width = (unsigned)va_arg(*ap, int);
        f++;
    }
    for (; *f >= '0' && *f <= '9'; f++)
        s->width = s->width * 10 + (unsigned)(*f - '0');
    s->width = MIN(s->width, (unsigned)LINE);
    if (*f == '.') {
        s->precision = 0;
        if (*++f == '*') {
            s->precision = va_arg(*ap, int);
            f++;
        }
        for (; *f >= '0' && *f <= '9' && s->precision < LINE; f++)
            s->precision = s->precision * 10 + (*f - '0');
    }
    for (; *f == 'l' || *f == 'z' || *f == 't' || *f == 'j' || *f == 'h'; f++)
        s->longs += *f != 'h';
    return f;
}

static size_t text_length(const char *text, int limit)
{
    size_t n = 0;

    while ((limit < 0 || n < (size_t)limit) && text[n])
        n++;
    return n;
}

static void convert(struct out *o, char kind, struct spec *s, va_list *ap)
{
    const char *text;
    int64_t n;
    char c;

    switch (kind) {
    case 'd':
    case 'i':
        n = s->longs ? va_arg(*ap, long) : va_arg(*ap, int);
        put_number(o, s, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 10, n < 0, false);
        break;
    case 'u':
    case 'x':
    case 'X':
        put_number(o, s, s->longs ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned),
                   kind == 'u' ? 10 : 16, false, kind == 'X');
        break;
    case 'p':
        s->alternate = true;
        put_number(o, s, (uint64_t)va_arg(*ap, void *), 16, false, false);
        break;
    case 's':
        text = va_arg(*ap, const char *);
        text = text ? text : "(null)";
        put_padded(o, s, text, text_length(text, s->precision));
        break;
    case 'c':
        c = (char)va_arg(*ap, int);
        put_padded(o, s, &c, 1);
        break;
    default:
        put(o, '%');
        if (kind != '%' && kind)
            put(o, kind);
    }
}

/* The length the text would have had; what is in buf always ends with a zero byte (len > 0). */
size_t format_va(char *buf, size_t len, const char *fmt, va_list args)
{
    struct out o = { buf, len ? len - 1 : 0, 0 };
    struct spec s;
    va_list ap;

    va_copy(ap, args);
    for (const char *f = fmt; *f; f++) {
        if (*f != '%') {
            put(&o, *f);
            continue;
        }
        f = parse_spec(f + 1, &s, &ap);
        convert(&o, *f, &s, &ap);
        if (!*f)
            break;
    }
    va_end(ap);
    if (len)
        buf[MIN(o.len, o.room)] = '\0';
    return o.len;
}

size_t format(char *buf, size_t len, const char *fmt, ...)
{
    va_list ap;
    size_t n;

    va_start(ap, fmt);
    n = format_va(buf, len, fmt, ap);
    va_end(ap);
    return n;
}

/* A message that does not fit keeps its beginning and its end of line. */
static void emit(enum log_level level, char *line, size_t n)
{
    if (n >= LINE) {
        n = LINE - 1;
        line[n - 1] = '\n';
    }
    console_emit(level, line, n);
}

void printk(enum log_level level, const char *fmt, ...)
{
    char line[LINE];
    va_list ap;

    va_start(ap, fmt);
    emit(level, line, format_va(line, sizeof(line), fmt, ap));
    va_end(ap);
}

/* ---- giving up ---- */

void panic(const char *fmt, ...)
{
    char line[LINE];
    va_list ap;

    va_start(ap, fmt);
    format_va(line, sizeof(line), fmt, ap);
    va_end(ap);
    crash(line, NULL);
}

void bug(const char *file, int line, const char *what)
{
    panic("bug at %s:%d: %s", file, line, what);
}
