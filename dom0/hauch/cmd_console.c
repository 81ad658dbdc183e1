/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch console: join the text console of a domain. hauchd says which number a name has; the rest is between
 * this terminal and hauch-console. */
#include "dom0/hauch/hauch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/console_client.h"

static int console_run(int argc, char **argv);

const struct command cmd_console = {
    "console",
    "join a domain's console (leave with Ctrl-])",
    "hauch console [-t SECONDS] DOMAIN\n"
    "The last screen is shown first. Leave with Ctrl-]. If standard input is not a terminal it is typed,\n"
    "and the console is shown until the domain goes.\n"
    "  -t, --timeout SECONDS   leave after that time\n",
    console_run,
};

int join_console(uint16_t domid, int timeout_ms)
{
    char                answer[512] = "";
    int                 fd = console_connect(getenv("HAUCH_CONSOLE_SOCKET")), rc;
    struct console_join j = { fd, STDIN_FILENO, STDOUT_FILENO, CONSOLE_ESCAPE, timeout_ms };

    if (fd < 0) {
        const char *path = getenv("HAUCH_CONSOLE_SOCKET");

        fprintf(stderr, "hauch console: cannot reach hauch-console at %s: %s; %s\n",
                path ? path : CONSOLE_SOCKET, strerror(-fd),
                fd == -EACCES ? RIGHTS_REMEDY : "start hauch-console");
        return EXIT_FAILED;
    }
    rc = console_attach(fd, domid, answer, sizeof(answer));
    if (rc) {
        fprintf(stderr, "hauch console: domain %u: ", domid);
        show_text(stderr, answer[0] ? answer : strerror(-rc));
        fputc('\n', stderr);
        close(fd);
        return EXIT_FAILED;
    }
    rc = console_join(&j);
    close(fd);
    return rc < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int console_run(int argc, char **argv)
{
    static const struct option longs[] = { { "timeout", required_argument, NULL, 't' },
                                           { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    struct json_object *answer = NULL;
    int                 o, rc, timeout_ms = -1;
    uint16_t            domid;

    while ((o = next_option(&cmd_console, argc, argv, "ht:", longs)) != -1)
        if (o == 't' && strcmp(optarg, "pv"))       /* xl's -t pv: the only kind of console there is */
            timeout_ms = seconds_arg(&cmd_console, "SECONDS (or pv, the only "
                                                   "type)", optarg, 0, 999999) * 1000;
    need_words(&cmd_console, argc, 1, 1);
    rc = ask(request_new("info", argv[optind]), &answer);
    if (rc)
        return rc;
    domid = number_in(member(answer, "domain"), "domid");
    json_object_put(answer);
    return join_console(domid, timeout_ms);
}
