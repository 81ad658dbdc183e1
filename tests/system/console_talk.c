/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hand on hauch-console's socket for tests in a running system, where hauchd may not be.
 *
 *   console_talk SOCKET REQUEST...        each REQUEST is one line; the answer is printed; stops at an error
 *   console_talk SOCKET attach DOMID MS   joins stdin and stdout to the console for at most MS milliseconds
 */
#include "lib/console_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int talk_attach(int fd, const char *domid, const char *ms)
{
    static const char *const ends[] = { "left", "gone", "timeout", "signal" };
    char answer[CONSOLE_LINE_MAX];
    struct console_join join = { fd, 0, 1, CONSOLE_ESCAPE, atoi(ms) };
    int r = console_attach(fd, (uint16_t)atoi(domid), answer, sizeof(answer));

    fprintf(stderr, "[attach: %d %s]\n", r, answer);
    if (r < 0)
        return 1;
    r = console_join(&join);
    fprintf(stderr, "\n[end: %s]\n", r >= 0 ? ends[r] : strerror(-r));
    return r < 0;
}

static int talk_requests(int fd, char **requests)
{
    char answer[CONSOLE_LINE_MAX], line[4096];

    for (; *requests; requests++) {
        int r = console_request(fd, *requests, answer, sizeof(answer));
        printf("%s: %s %s\n", *requests, r < 0 ? strerror(-r) : "ok", answer);
        if (r < 0)
            return 1;
        for (int more = strcmp(*requests, "list") == 0 ? atoi(answer) : 0; more > 0; more--) {
            if (console_more(fd, line, sizeof(line)) < 0)
                return 1;
            puts(line);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    int fd = argc > 2 ? console_connect(argv[1]) : -1;

    if (fd < 0) {
        fprintf(stderr, "console_talk SOCKET REQUEST... | SOCKET attach DOMID MS: %s\n", strerror(-fd));
        return 1;
    }
    if (argc == 5 && strcmp(argv[2], "attach") == 0)
        return talk_attach(fd, argv[3], argv[4]);
    return talk_requests(fd, argv + 2);
}
