/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hypervisor has to say, from its log. Hauch also keeps records that it formats only when asked:
 * which hypercalls it refused to whom, and which it does not have. It writes those into the log when it gets
 * the debug key for them; the answer is what the log has gained. The keys mean other things to other
 * hypervisors, which therefore never get them. */
#include "dom0/hauchd/hauchd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_MAX = 1 << 20, PART = 16384 };

/* Text of unknown origin: bytes that are no UTF-8 would spoil the JSON, so they become question marks. */
static void ascii_only(char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((text[i] & 0x80) || !text[i])
            text[i] = '?';
}

typedef int log_reader(struct xc *xc, char *buf, size_t size, uint32_t *index, bool clear, struct fault *f);

/* A log from *index on, which moves to its end; @buf has LOG_MAX + 1 bytes. The length, or negative errno. */
static int read_all(struct hauchd *h, log_reader *part, char *buf, uint32_t *index, struct fault *f)
{
    size_t used = 0;
    int    n = 1;

    while (n > 0 && used + PART <= LOG_MAX) {
        n = part(h->xc, buf + used, PART, index, false, f);
        used += n > 0 ? n : 0;
    }
    if (n < 0)
        return n;
    ascii_only(buf, used);
    buf[used] = 0;
    return used;
}

static int read_from(struct hauchd *h, char *buf, uint32_t *index, struct fault *f)
{
    return read_all(h, xc_host_console, buf, index, f);
}

static int read_whole(struct hauchd *h, log_reader *part, bool clear, char **text, struct fault *f)
{
    uint32_t index = 0;
    char    *log = malloc(LOG_MAX + 1);
    int      n = log ? read_all(h, part, log, &index, f) : fault_memory(f);

    if (n >= 0 && clear)
        n = part(h->xc, log, 0, &index, true, f);
    if (n < 0)
        free(log);
    else
        *text = log;
    return n < 0 ? n : 0;
}

int log_read(struct hauchd *h, bool clear, char **text, struct fault *f)
{
    return read_whole(h, xc_host_console, clear, text, f);
}

/* ---- records that a key brings into the log ---- */
static int keys_known(struct hauchd *h, struct fault *f)
{
    struct xc_version v;
    int               rc = xc_host_version(h->xc, &v, f);

    if (!rc && !strstr(v.extra, "hauch"))
        rc = fault_set(f, -ENOSYS, "not available on this hypervisor: only Hauch keeps such records");
    return rc;
}

int log_last_crash(struct hauchd *h, bool clear, char **text, struct fault *f)
{
    int rc = keys_known(h, f);

    return rc ? rc : read_whole(h, xc_host_last_crash, clear, text, f);
}

static int records(struct hauchd *h, char key, char *buf, struct fault *f)
{
    uint32_t index = 0;
    int      rc = keys_known(h, f);

    rc = rc ? rc : read_from(h, buf, &index, f);
    rc = rc < 0 ? rc : xc_host_key(h->xc, key, f);
    return rc < 0 ? rc : read_from(h, buf, &index, f);
}

/* Of sections that begin with "domain N:", only that of @domid; in place. */
static void one_domain(char *text, uint16_t domid)
{
    char *to = text, *next;
    bool  wanted = false;

    for (char *line = text; *line; line = next) {
        unsigned id;
        size_t   n = strcspn(line, "\n");

        n += line[n] == '\n';
        next = line + n;
        if (sscanf(line, "domain %u:", &id) == 1)
            wanted = id == domid;
        if (wanted) {
            memmove(to, line, n);
            to += n;
        }
    }
    *to = 0;
}

int log_refusals(struct hauchd *h, int domid, char **text, struct fault *f)
{
    char *buf = malloc(LOG_MAX + 1);
    int   n = buf ? records(h, 'F', buf, f) : fault_memory(f);

    if (n < 0) {
        free(buf);
        return n;
    }
    if (domid >= 0)
        one_domain(buf, domid);
    *text = buf;
    return 0;
}

int log_missing(struct hauchd *h, char **text, struct fault *f)
{
    char *buf = malloc(LOG_MAX + 1);
    int   n = buf ? records(h, 'M', buf, f) : fault_memory(f);

    if (n < 0)
        free(buf);
    else
        *text = buf;
    return n < 0 ? n : 0;
}
