/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines over a socket: see wire_line.h. */
#define _GNU_SOURCE
#include "lib/wire_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Room for @want bytes in all, in powers of two. */
static int grow(char **buf, size_t *size, size_t want)
{
    size_t n = *size ? *size : 1024;
    char  *p;

    if (want <= *size)
        return 0;
    while (n < want)
        n *= 2;
    p = realloc(*buf, n);
    if (!p)
        return -ENOMEM;
    *buf = p;
    *size = n;
    return 0;
}

static void drop_taken(struct wire_in *in)
{
    memmove(in->buf, in->buf + in->taken, in->used - in->taken);
    in->used -= in->taken;
    in->taken = in->searched = 0;
}

int wire_in_feed(struct wire_in *in, const char *data, size_t len)
{
    if (memchr(data, 0, len))
        return -EBADMSG;
    if (in->taken)
        drop_taken(in);
    if (in->used + len > WIRE_LINE_MAX)
        return -E2BIG;
    if (grow(&in->buf, &in->size, in->used + len))
        return -ENOMEM;
    memcpy(in->buf + in->used, data, len);
    in->used += len;
    return 0;
}

/* The newline that ends the first line. What has been searched is not again: lines come in many pieces. */
static char *line_end(struct wire_in *in)
{
    char *end;

    if (in->taken)
        drop_taken(in);
    if (in->searched == in->used)
        return NULL;
    end = memchr(in->buf + in->searched, '\n', in->used - in->searched);
    in->searched = end ? (size_t)(end - in->buf) : in->used;
    return end;
}

bool wire_in_ready(struct wire_in *in)
{
    return line_end(in);
}

char *wire_in_next(struct wire_in *in)
{
    char *end = line_end(in);

    if (!end)
        return NULL;
    *end = 0;
    in->taken = end + 1 - in->buf;
    return in->buf;
}

void wire_in_free(struct wire_in *in)
{
    free(in->buf);
    memset(in, 0, sizeof(*in));
}

int wire_out_line(struct wire_out *out, const char *text)
{
    size_t len = strlen(text);

    if (out->sent > out->size / 2) {      /* a peer that is always a little behind never empties it */
        memmove(out->buf, out->buf + out->sent, out->used - out->sent);
        out->used -= out->sent;
        out->sent = 0;
    }
    if (out->used + len >= WIRE_OUT_MAX)
        return -E2BIG;
    if (grow(&out->buf, &out->size, out->used + len + 1))
        return -ENOMEM;
    memcpy(out->buf + out->used, text, len);
    out->buf[out->used + len] = '\n';
    out->used += len + 1;
    return 0;
}

int wire_out_flush(struct wire_out *out, int fd)
{
    while (out->sent < out->used) {
        ssize_t n = send(fd, out->buf + out->sent, out->used - out->sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 1 : -errno;
        out->sent += n;
    }
    out->sent = out->used = 0;
    return 0;
}

bool wire_out_empty(const struct wire_out *out)
{
    return out->sent == out->used;
}

void wire_out_free(struct wire_out *out)
{
    free(out->buf);
    memset(out, 0, sizeof(*out));
}
