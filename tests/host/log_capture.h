/* SPDX-License-Identifier: BSD-2-Clause */
/* What a daemon logs while a test goes on: standard error is a file meanwhile. To be included once. */
#ifndef LOG_CAPTURE_H
#define LOG_CAPTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

static char log_path[] = "/tmp/hauch-log-XXXXXX";
static int  real_stderr = -1;

static void log_begin(void)
{
    int fd;

    strcpy(strrchr(log_path, '-'), "-XXXXXX");
    fd = mkstemp(log_path);
    fflush(stderr);
    real_stderr = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

/* Standard error is itself again. */
static const char *log_end(void)
{
    static char text[65536];
    int     fd = open(log_path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof(text) - 1);

    close(fd);
    unlink(log_path);
    fflush(stderr);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    real_stderr = -1;
    text[n > 0 ? n : 0] = 0;
    return text;
}

static void log_has(const char *line)
{
    const char *text = log_end();

    if (!strstr(text, line))
        fail_msg("the log is \"%s\", without \"%s\"", text, line);
}

#endif
