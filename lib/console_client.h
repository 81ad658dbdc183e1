/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client side of hauch-console's socket (protocol: docs/design/console.md).
 * Two users: hauchd, which tells the daemon which consoles there are, and `hauch console`,
 * which joins a person's terminal (or a script's pipe) to one of them.
 *
 * All functions block, each for at most the time its contract names. No global state except while
 * console_join() has a terminal in raw mode: then it holds handlers for SIGINT, SIGTERM, SIGHUP and SIGQUIT.
 */
#ifndef HAUCH_LIB_CONSOLE_CLIENT_H
#define HAUCH_LIB_CONSOLE_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#define CONSOLE_SOCKET        "/run/hauch/console.sock"
#define CONSOLE_LINE_MAX      512       /* longest request, newline included */
#define CONSOLE_TIMEOUT_MS    5000      /* how long the calls below wait for an answer */
#define CONSOLE_ESCAPE        0x1d      /* Ctrl-] */

/*
 * Connects to the daemon at path (NULL: CONSOLE_SOCKET). Returns a blocking descriptor or a negative errno.
 */
int console_connect(const char *path);

/*
 * Sends one request line (without newline) and waits for its one-line answer. The text of the answer,
 * without "ok " or "error N ", is stored in answer (cut to size). Returns 0, or the daemon's error as a
 * negative errno with its explanation in answer, or -ETIMEDOUT, -EPIPE (daemon gone), -EPROTO (answer not
 * understood). After any of the last three the connection is of no more use: close it and connect again.
 */
int console_request(int fd, const char *line, char *answer, size_t size);

/* Reads one further line of an answer: `list` answers a number and then that many lines. Errors as above. */
int console_more(int fd, char *line, size_t size);

/*
 * Tells the daemon of a console: grant reference 0 of domid holds the ring, port is the domain's event
 * channel (its own number, as in its start info). cap is the most bytes of log kept on disk, 0 for the
 * daemon's default. Doing it again with the same domid and port is harmless; so do it for every domain after
 * either side restarts. name: no white space or control characters, at most 128 bytes. Errors as of
 * console_request.
 */
int console_add(int fd, uint16_t domid, const char *name, uint32_t port, uint64_t cap, char *answer,
                size_t size);

/*
 * The domain is gone (or going): what its ring still holds is logged, viewers are told, the ring is let go.
 */
int console_remove(int fd, uint16_t domid, char *answer, size_t size);

/*
 * Turns the connection into a byte stream to and from the console; the last screen comes first. answer gets
 * "DOMID NAME". On failure the connection stays usable for requests.
 */
int console_attach(int fd, uint16_t domid, char *answer, size_t size);

enum console_end {
    CONSOLE_END_LEFT,       /* the person typed the escape character */
    CONSOLE_END_GONE,       /* the daemon closed the stream: domain or daemon gone */
    CONSOLE_END_TIMEOUT,    /* timeout_ms passed */
    CONSOLE_END_SIGNAL,     /* SIGINT, SIGTERM, SIGHUP or SIGQUIT arrived */
};

struct console_join {
    int fd;                 /* an attached connection */
    int in;                 /* typed from here; a terminal is in raw mode meanwhile; -1: nothing is typed */
    int out;                /* shown here */
    int escape;             /* character that leaves, when `in` is a terminal; -1 for none */
    int timeout_ms;         /* end after that long in all; -1: never */
};

/*
 * Copies both ways until one of enum console_end, which it returns, or a negative errno. When `in` is no
 * terminal, its end closes only that direction; the console is shown until it ends or the time is over. The
 * terminal is restored on every return.
 */
int console_join(const struct console_join *join);

#endif
