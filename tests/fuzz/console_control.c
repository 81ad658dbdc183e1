/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the control socket of the console daemon: the input is what a client sends, cut into pieces at
 * bytes of value 0, each piece on a connection of its own chosen by its first byte. The server is whole but
 * for its process; domains 1 to 3 have rings.
 */
#define _GNU_SOURCE
#include "dom0/console/backend.h"
#include "dom0/console/server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR     "/console_control.XXXXXX"
#define CLIENTS 3

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64], logs[96], sock[96];

static void clean(void)
{
    char command[160];

    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char ring[128];

    signal(SIGPIPE, SIG_IGN);
    snprintf(dir, sizeof(dir), "%.30s%s", access("out", W_OK) == 0 ? "out" : ".", DIR);
    if (!mkdtemp(dir))
        abort();
    atexit(clean);
    snprintf(logs, sizeof(logs), "%s/logs", dir);
    snprintf(sock, sizeof(sock), "%s/s", dir);
    mkdir(logs, 0700);
    for (int domid = 1; domid <= 3; domid++) {
        snprintf(ring, sizeof(ring), "%s/%d.ring", dir, domid);
        int fd = open(ring, O_RDWR | O_CREAT, 0600);
        if (fd < 0 || ftruncate(fd, 4096) < 0)
            abort();
        close(fd);
    }
    return 0;
}

static void turn(struct server *server, int *fds)
{
    char buf[4096];

    for (int i = 0; i < 4; i++)
        server_step(server, 0);
    for (int i = 0; i < CLIENTS; i++) {
        if (fds[i] >= 0 && read(fds[i], buf, sizeof(buf)) == 0) {
            close(fds[i]);
            fds[i] = -1;
        }
    }
}

/* Sends one piece; a first byte with its top bit set hangs up afterwards. */
static void piece(struct server *server, int *fds, const uint8_t *data, size_t size)
{
    int client = data[0] % CLIENTS, both[2];

    if (fds[client] < 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both) == 0) {
        fds[client] = both[0];
        control_open(server, both[1]);
    }
    if (send(fds[client], data + 1, size - 1, MSG_NOSIGNAL) < 0 || (data[0] & 0x80)) {
        close(fds[client]);
        fds[client] = -1;
    }
    turn(server, fds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct server_options options = { sock, logs, 4096 };
    struct server *server = server_open(&options, backend_dir_open(dir));
    int fds[CLIENTS] = { -1, -1, -1 };

    if (!server)
        abort();
    while (size > 0) {
        const uint8_t *end = memchr(data, 0, size);
        size_t n = end ? (size_t)(end - data) : size;
        if (n > 0)
            piece(server, fds, data, n);
        size -= end ? n + 1 : n;
        data += end ? n + 1 : n;
    }
    server_close(server);
    for (int i = 0; i < CLIENTS; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    return 0;
}
