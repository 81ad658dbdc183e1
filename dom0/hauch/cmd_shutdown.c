/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch shutdown, hauch reboot: ask the system in a domain to end by itself. */
#include "dom0/hauch/hauch.h"

static int shutdown_run(int argc, char **argv);
static int reboot_run(int argc, char **argv);

const struct command cmd_shutdown = {
    "shutdown", "ask a domain to power off",
    "hauch shutdown [-w] DOMAIN | -a\n"
    "  -a, --all    all domains but domain 0\n"
    "  -w, --wait   until they are off\n"
    "  -F           accepted as xl has it: there is no ACPI button to press\n"
    "What happens then is what on_poweroff= says.\n",
    shutdown_run,
};

const struct command cmd_reboot = {
    "reboot", "ask a domain to restart",
    "hauch reboot [-w] DOMAIN | -a\n"
    "  -a, --all    all domains but domain 0\n"
    "  -w, --wait   until they are down\n"
    "  -F           accepted as xl has it: there is no ACPI button to press\n"
    "What happens then is what on_reboot= says.\n",
    reboot_run,
};

static int run(const struct command *cmd, int argc, char **argv)
{
    static const struct option longs[] = { { "all", no_argument, NULL, 'a' },
                                           { "wait", no_argument, NULL, 'w' },
                                           { "fallback-acpi", no_argument, NULL, 'F' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object *rq;
    bool                all = false, wait = false;
    int                 o;

    while ((o = next_option(cmd, argc, argv, "hawF", longs)) != -1) {
        all |= o == 'a';
        wait |= o == 'w';
    }
    need_words(cmd, argc, all ? 0 : 1, all ? 0 : 1);
    rq = request_new(cmd->name, all ? NULL : argv[optind]);
    request_flag(rq, "all", all);
    request_flag(rq, "wait", wait);
    return ask(rq, NULL);
}

static int shutdown_run(int argc, char **argv)
{
    return run(&cmd_shutdown, argc, argv);
}

static int reboot_run(int argc, char **argv)
{
    return run(&cmd_reboot, argc, argv);
}
