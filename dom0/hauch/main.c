/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch: which command? See hauch.h. */
#include "dom0/hauch/hauch.h"

#include <string.h>

static const struct command *const commands[] = {
    &cmd_create,    &cmd_list,     &cmd_console,  &cmd_shutdown,      &cmd_reboot, &cmd_destroy, &cmd_pause,
    &cmd_unpause,   &cmd_rename,   &cmd_domid,    &cmd_domname,       &cmd_info,   &cmd_dmesg,   &cmd_uptime,
    &cmd_vcpu_list, &cmd_vcpu_set, &cmd_vcpu_pin, &cmd_sched_credit2, &cmd_mem_set, &cmd_mem_max,
    &cmd_block_list, &cmd_network_list, &cmd_channel_list, &cmd_config_update, &cmd_vm_list, &cmd_sysrq,
    &cmd_debug_keys, &cmd_store, &cmd_logs, &cmd_top, &cmd_block_attach, &cmd_block_detach,
    &cmd_network_attach, &cmd_network_detach, &cmd_define, &cmd_undefine, &cmd_edit, &cmd_start,
    &cmd_autostart, &cmd_host_start, &cmd_host_stop, &cmd_events, &cmd_doctor, &cmd_dump_core,
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

static int help_run(const char *name)
{
    const struct command *about = name ? find(name) : NULL;

    if (about)
        printf("usage: %s", about->usage);
    else
        help(stdout);
    return EXIT_DONE;
}

static int not_there(const char *name)
{
    const char *reason = absent_reason(name);

    if (reason) {
        fprintf(stderr, "hauch: %s is not in Hauch, because %s\n", name, reason);
        return EXIT_FAILED;
    }
    if (*name) {
        fputs("hauch: there is no command \"", stderr);
        show_text(stderr, name);
        fputs("\"; hauch help lists them\n", stderr);
    } else {
        help(stderr);
    }
    return EXIT_USAGE;
}

/* xl takes these before the verb; none of them changes anything here. */
static int skip_global_options(int argc, char **argv)
{
    int at = 1;

    while (at < argc && argv[at][0] == '-' && argv[at][1] && !argv[at][1 + strspn(argv[at] + 1, "vfNtT")])
        at++;
    return at;
}

int main(int argc, char **argv)
{
    const char           *self = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    int                   at = 1;
    const char           *name;
    const struct command *cmd;

    as_xl = !strcmp(self, "xl");
    if (as_xl)
        at = skip_global_options(argc, argv);
    name = at < argc ? argv[at] : "";
    cmd = find(name);
    if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h"))
        return help_run(at + 1 < argc ? argv[at + 1] : NULL);
    return cmd ? cmd->run(argc - at, argv + at) : not_there(name);
}
