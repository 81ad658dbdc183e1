/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask: what a request costs the daemons and all below them, without the command line's own start.
 *
 *     ask REQUEST...    connects to hauchd, then for each request (JSON, one line): mark 12, the request, its
 *                       answer, mark 13
 *
 * A request that hauchd refuses is shown and ends the program with 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mark.h"

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int hauchd(void)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "/run/hauch/hauchd.sock" };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
        die("hauchd");
    return fd;
}

/* Up to the newline that ends an answer. */
static void answer(int fd, char *text, size_t size)
{
    size_t have = 0;
    ssize_t n;

    do {
        n = read(fd, text + have, size - have - 1);
        if (n <= 0)
            die("no answer");
        have += (size_t)n;
    } while (text[have - 1] != '\n' && have < size - 1);
    text[have] = '\0';
}

static void request(int fd, const char *text)
{
    static char line[65536], reply[1 << 20];
    int n = snprintf(line, sizeof(line), "%s\n", text);

    memset(reply, 0, sizeof(reply));        /* its pages are there before the first mark */
    BENCH_MARK(12);
    if (write(fd, line, (size_t)n) != n)
        die("write");
    answer(fd, reply, sizeof(reply));
    BENCH_MARK(13);
    if (!strstr(reply, "\"ok\":true") && !strstr(reply, "\"ok\": true")) {
        printf("bench: %s -> %s", text, reply);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    int fd = hauchd();

    for (int i = 1; i < argc; i++)
        request(fd, argv[i]);
    return 0;
}
