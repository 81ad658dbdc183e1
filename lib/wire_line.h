/* SPDX-License-Identifier: BSD-2-Clause */
/* One line, one message: the framing of hauchd's socket, both ways, over a descriptor that may take or give
 * any number of bytes at a time. */
#ifndef LIB_WIRE_LINE_H
#define LIB_WIRE_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* A configuration of 1 MiB with every byte escaped still fits nearly always. */
enum { WIRE_LINE_MAX = 4 << 20 };

/* Bytes that came in and are not yet a whole line. Start with { 0 }. */
struct wire_in {
    char  *buf;
    size_t used, size, taken;         /* taken: bytes of the line handed out last */
    size_t searched;                  /* so many bytes behind it hold no end of a line */
};

/* 0, -E2BIG (a line is too long), -ENOMEM, -EBADMSG (a NUL byte). */
int wire_in_feed(struct wire_in *in, const char *data, size_t len);
/* Is there a whole line? Ends the validity of the one handed out last. */
bool wire_in_ready(struct wire_in *in);
/* The next whole line, without newline, NUL-terminated, valid until the next call; NULL: none yet. */
char *wire_in_next(struct wire_in *in);
void wire_in_free(struct wire_in *in);

/* Bytes that wait to go out. Start with { 0 }. */
struct wire_out {
    char  *buf;
    size_t used, size, sent;
};

enum { WIRE_OUT_MAX = 64 << 20 };     /* a peer that does not read is dropped at that */

/* Queue @text and a newline: 0, -ENOMEM, -E2BIG (the peer does not read). */
int  wire_out_line(struct wire_out *out, const char *text);
/* Send what fits: 0 (all sent), 1 (more to send), or negative errno. */
int  wire_out_flush(struct wire_out *out, int fd);
bool wire_out_empty(const struct wire_out *out);
void wire_out_free(struct wire_out *out);

#endif
