/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of one console: see log.h. */
#define _GNU_SOURCE
#include "dom0/console/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_open(void *ctx, const char *path, uint64_t *size)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0640);

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return -EINVAL;
    }
    *size = (uint64_t)st.st_size;
    return fd;
}

static ssize_t file_write(void *ctx, int fd, const char *buf, size_t n)
{
    ssize_t r = write(fd, buf, n);
    return r < 0 ? -errno : r;
}

static int file_rename(void *ctx, const char *from, const char *to)
{
    return rename(from, to) < 0 ? -errno : 0;
}

static void file_close(void *ctx, int fd)
{
    close(fd);
}

const struct log_ops log_ops_file = { file_open, file_write, file_rename, file_close };

/* Returns 0 with the file open, or a negative errno. */
static int log_reopen(struct log *log)
{
    if (log->fd >= 0)
        return 0;
    int fd = log->ops->open(log->ctx, log->path, &log->size);
    if (fd < 0)
        return fd;
    log->fd = fd;
    return 0;
}

int log_open(struct log *log, const char *path, uint64_t cap, const struct log_ops *ops, void *ctx)
{
    *log = (struct log){ .ops = ops, .ctx = ctx, .path = strdup(path), .fd = -1, .cap = cap };
    if (!log->path)
        return -ENOMEM;
    log->error = -log_reopen(log);
    return 0;
}

void log_close(struct log *log)
{
    if (log->fd >= 0)
        log->ops->close(log->ctx, log->fd);
    log->fd = -1;
}

void log_free(struct log *log)
{
    log_close(log);
    free(log->path);
    log->path = NULL;
}

static int log_rotate(struct log *log)
{
    char *old;

    if (asprintf(&old, "%s.1", log->path) < 0)
        return -ENOMEM;
    int r = log->ops->rename(log->ctx, log->path, old);
    free(old);
    if (r < 0 && r != -ENOENT)      /* somebody deleted it: a new one is all that is needed */
        return r;
    log->ops->close(log->ctx, log->fd);
    log->fd = -1;
    return log_reopen(log);
}

/* Writes what fits before the next rotation. Returns the bytes written (> 0) or a negative errno. */
static ssize_t log_write_piece(struct log *log, const char *buf, size_t n)
{
    int r = log_reopen(log);

    if (r == 0 && log->size >= log->cap / 2)
        r = log_rotate(log);
    if (r < 0)
        return r;
    if (log->size >= log->cap / 2)
        return -EFBIG;              /* a rename that did nothing: rather lose bytes than fill the disk */
    uint64_t room = log->cap / 2 - log->size;
    ssize_t done = log->ops->write(log->ctx, log->fd, buf, n < room ? n : room);
    if (done == 0)
        return -EIO;
    if (done > 0)
        log->size += (uint64_t)done;
    return done;
}

/* Returns how many of the n bytes were written; *error says why not all. */
static size_t log_write_all(struct log *log, const char *buf, size_t n, int *error)
{
    size_t done = 0;

    *error = 0;
    while (done < n && *error == 0) {
        ssize_t r = log_write_piece(log, buf + done, n - done);
        if (r > 0)
            done += (size_t)r;
        else if (r != -EINTR)
            *error = (int)-r;
    }
    return done;
}

/* Says in the log how much is missing before what comes next. */
static int log_write_gap(struct log *log)
{
    char text[96];
    int error;

    int n = snprintf(text, sizeof(text), "\n[hauch-console: %llu bytes missing here: %s]\n",
                     (unsigned long long)log->missing, strerror(log->error));
    log_write_all(log, text, (size_t)n, &error);
    if (error == 0)
        log->missing = 0;
    return error;
}

int log_write(struct log *log, const char *buf, size_t n)
{
    int before = log->error, error = 0;
    size_t done = 0;

    if (log->missing > 0)
        error = log_write_gap(log);
    if (error == 0)
        done = log_write_all(log, buf, n, &error);
    log->missing += n - done;
    log->lost += n - done;
    log->error = error;
    return error != before;
}

static int name_byte_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_-+.", c));
}

int log_file_name(const char *name, char *out, size_t size)
{
    size_t n = strlen(name), at = 0;

    if (n == 0 || n > LOG_NAME_MAX || size < 3 * n + sizeof(".log"))
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];
        if (name_byte_plain(c) && !(i == 0 && c == '.'))
            out[at++] = (char)c;
        else
            at += (size_t)sprintf(out + at, "%%%02X", c);
    }
    memcpy(out + at, ".log", sizeof(".log"));
    return at + strlen(".log.1") <= NAME_MAX ? 0 : -ENAMETOOLONG;
}
