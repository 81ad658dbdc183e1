/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of one console: every byte from the first, as the guest wrote it, in PATH and, older, in PATH.1.
 * The two together never hold more than `cap` bytes: PATH is renamed to PATH.1 when it has half of them.
 *
 * A disk that is full, or any other failure, stops nothing: bytes that cannot be written are counted and
 * left out, each write tries again, and when one succeeds the log says first how much is missing before it.
 *
 * The file system is reached only through struct log_ops, so tests can make it fail at any step.
 */
#ifndef HAUCH_CONSOLE_LOG_H
#define HAUCH_CONSOLE_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOG_CAP_DEFAULT (8u << 20)
#define LOG_CAP_MIN     4096u
#define LOG_CAP_MAX     (1ull << 40)
#define LOG_NAME_MAX    128         /* longest domain name */

struct log_ops {
    /*
     * Opens for appending, makes the file if needed, stores its size. Returns a descriptor or a negative
     * errno.
     */
    int (*open)(void *ctx, const char *path, uint64_t *size);
    /* Returns the bytes written or a negative errno. */
    ssize_t (*write)(void *ctx, int fd, const char *buf, size_t n);
    int (*rename)(void *ctx, const char *from, const char *to);         /* 0 or a negative errno */
    void (*close)(void *ctx, int fd);
};

extern const struct log_ops log_ops_file;

struct log {
    const struct log_ops *ops;
    void *ctx;
    char *path;
    int fd;                 /* -1: not open; opened by the next write */
    int error;              /* why the last write failed, 0 if it did not */
    uint64_t size, cap;
    uint64_t missing;       /* bytes lost since the last one that was written */
    uint64_t lost;          /* bytes lost in all */
};

/* Copies path. Returns 0 or -ENOMEM. A file that cannot be opened is no failure: see log->error. */
int log_open(struct log *log, const char *path, uint64_t cap, const struct log_ops *ops, void *ctx);
void log_close(struct log *log);     /* lets the file go; path and figures stay */
void log_free(struct log *log);

/*
 * Writes all n bytes or counts what is lost. Returns 1 if log->error changed (worth one line of report),
 * else 0.
 */
int log_write(struct log *log, const char *buf, size_t n);

/*
 * The file name for a domain name: bytes other than letters, digits and "_-+." become %XX, and so does a
 * leading dot. Different names give different files. size must be at least 3 * strlen(name) + sizeof(".log").
 * Returns 0, -EINVAL, or -ENAMETOOLONG if it comes to more than a file name may have.
 */
int log_file_name(const char *name, char *out, size_t size);

#endif
