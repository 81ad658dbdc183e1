/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch: which command? See hauch.h. */
#include "dom0/hauch/hauch.h"

#include <string.h>

static const struct command *const commands[] = {
    &cmd_create,    &cmd_list,     &cmd_console,  &cmd_shutdown,      &cmd_reboot, &cmd_destroy, &cmd_pause,
    &cmd_unpause,   &cmd_rename,   &cmd_domid,    &cmd_domname,       &cmd_info,   &cmd_dmesg,   &cmd_uptime,
    &cmd_vcpu_list, &cmd_vcpu_set, &cmd_vcpu_pin, &cmd_sched_credit2,
};

bool as_xl;

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void help(FILE *out)
{
    fputs("usage: hauch COMMAND [ARGUMENTS]\n\n", out);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-16s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nhauch COMMAND --help says more. A DOMAIN is a name or a number.\n", out);
}

static const struct command *find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const char           *self = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    const char           *name = argc > 1 ? argv[1] : "";
    const struct command *cmd = find(name);

    as_xl = !strcmp(self, "xl");
    if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h")) {
        const struct command *about = argc > 2 ? find(argv[2]) : NULL;

        if (about)
            printf("usage: %s", about->usage);
        else
            help(stdout);
        return EXIT_DONE;
    }
    if (!cmd) {
        if (*name)
            fprintf(stderr, "hauch: there is no command \"%s\"\n", name);
        help(stderr);
        return EXIT_USAGE;
    }
    return cmd->run(argc - 1, argv + 1);
}
