/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console_io: the machine's console for domains. dom0's bytes go through as they are, for its login lives
 * there. What another domain writes is collected to lines, marked with its number, made harmless and shown
 * like any other word about a guest: with the defaults not at all.
 */
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/lock.h>
#include <hv/vcpu.h>

#include <abi/xen.h>

#define CHUNK 256u
#define LINE  160u

/* The line under way of the one domain that wrote last: another domain's text ends it. */
static struct { spinlock_t lock; domid_t id; uint32_t len; char text[LINE]; } line = {
    .lock = SPINLOCK(LOCK_DEVICE),
};

static void line_end(void)
{
    char text[LINE + 16];
    size_t n;

    if (!line.len)
        return;
    n = format(text, sizeof(text), "(d%u) %.*s\n", line.id, (int)line.len, line.text);
    line.len = 0;
    console_emit_guest(LOG_DEBUG, text, n);
}

static void line_add(char c)
{
    if (line.len == LINE)
        line_end();
    line.text[line.len++] = c;
}

/* A guest must not steer the terminal of whoever reads this. */
static void line_byte(uint8_t c)
{
    char text[8];

    if (c == '\n') {
        line_end();
    } else if (c >= ' ' && c < 0x7f) {
        line_add((char)c);
    } else if (c == '\t') {
        line_add(' ');
    } else if (c != '\r') {
        format(text, sizeof(text), "\\x%02x", c);
        for (unsigned i = 0; text[i]; i++)
            line_add(text[i]);
    }
}

static void guest_text(const struct domain *d, const char *text, size_t len)
{
    spin_lock(&line.lock);
    if (line.id != d->id)
        line_end();
    line.id = d->id;
    for (size_t i = 0; i < len; i++)
        line_byte((uint8_t)text[i]);
    spin_unlock(&line.lock);
}

static long console_write(struct vcpu *v, uint64_t count, uint64_t at)
{
    char text[CHUNK];

    while (count) {
        size_t n = MIN(count, (uint64_t)CHUNK);

        if (guest_read(text, GADDR(at), n))
            return -XEN_EFAULT;
        if (v->domain->privileged)
            console_pass(text, n);
        else
            guest_text(v->domain, text, n);
        count -= n;
        at += n;
        if (count && preempt_due(v))
            return hypercall_restart(v, CONSOLEIO_write, count, at, 0);
    }
    return 0;
}

/* Bytes taken and then not delivered, because the caller's buffer is not there, are the caller's loss. */
static long console_read(struct vcpu *v, uint64_t count, uint64_t at)
{
    char text[CHUNK];
    size_t n;

    if (!v->domain->privileged)
        return -XEN_EPERM;
    n = console_take_input(text, MIN(count, (uint64_t)CHUNK));
    return n && guest_write(GADDR(at), text, n) ? -XEN_EFAULT : (long)n;
}

/* count and command are 32 bits wide in the ABI: above them may stand anything. */
long hc_console_io(struct vcpu *v, uint64_t cmd, uint64_t count, uint64_t at, uint64_t a4, uint64_t a5)
{
    count = (uint32_t)count;
    if (count > INT32_MAX)
        return refuse(v, -XEN_E2BIG, cmd, count);
    switch ((uint32_t)cmd) {
    case CONSOLEIO_write:
        return console_write(v, count, at);
    case CONSOLEIO_read:
        return console_read(v, count, at);
    }
    return -XEN_ENOSYS;
}
