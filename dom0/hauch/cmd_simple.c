/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that hand one domain, and at most one word or number, to hauchd. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int destroy_run(int argc, char **argv);
static int pause_run(int argc, char **argv);
static int unpause_run(int argc, char **argv);
static int sysrq_run(int argc, char **argv);
static int debug_keys_run(int argc, char **argv);
static int mem_set_run(int argc, char **argv);
static int mem_max_run(int argc, char **argv);
static int dump_core_run(int argc, char **argv);

const struct command cmd_destroy = {
    "destroy", "end a domain at once and remove it",
    "hauch destroy [-f] DOMAIN\n"
    "Like pulling the plug: nothing is written back by the system inside. Disks stay as they are.\n"
    "  -f, --force   accepted as xl has it: domain 0 is never destroyed\n",
    destroy_run,
};

const struct command cmd_pause = {
    "pause", "stop a domain from running",
    "hauch pause DOMAIN\n"
    "It keeps its memory and devices and goes on with hauch unpause.\n",
    pause_run,
};

const struct command cmd_unpause = {
    "unpause", "let a paused domain run",
    "hauch unpause DOMAIN\n"
    "Also starts a domain that was created with -p.\n",
    unpause_run,
};

const struct command cmd_sysrq = {
    "sysrq", "send a kernel's magic key to a domain",
    "hauch sysrq DOMAIN LETTER\n"
    "A Linux kernel that allows it does what Alt-SysRq-LETTER does on a PC; h lists them on its console.\n",
    sysrq_run,
};

const struct command cmd_debug_keys = {
    "debug-keys", "as if keys were typed at the hypervisor's console",
    "hauch debug-keys KEYS\n"
    "What they print is in hauch dmesg; the key h lists them.\n",
    debug_keys_run,
};

const struct command cmd_mem_set = {
    "mem-set", "change how much memory a domain uses",
    "hauch mem-set DOMAIN SIZE\n"
    "SIZE is in MiB, or with a letter k, m, g or t; maxmem= of its configuration is the limit.\n"
    "The domain's kernel is asked to; it may take a while.\n",
    mem_set_run,
};

const struct command cmd_mem_max = {
    "mem-max", "change how much memory a domain may have",
    "hauch mem-max DOMAIN SIZE\n"
    "SIZE as with mem-set. Not less than what the domain has.\n",
    mem_max_run,
};

const struct command cmd_dump_core = {
    "dump-core", "write a domain's memory and registers into a file",
    "hauch dump-core [-l] [-c] DOMAIN FILE\n"
    "The domain stands still meanwhile. The file is as large as its memory, in Xen's form of ELF.\n"
    "  -l, --live    let it run: the file shows different moments\n"
    "  -c, --crash   remove the domain afterwards\n",
    dump_core_run,
};

static int dump_core_run(int argc, char **argv)
{
    static const struct option longs[] = { { "live", no_argument, NULL, 'l' },
                                           { "crash", no_argument, NULL, 'c' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object        *rq;
    bool                       live = false, crash = false;
    char                       path[4096];
    int                        o;

    while ((o = next_option(&cmd_dump_core, argc, argv, "hlc", longs)) != -1) {
        live |= o == 'l';
        crash |= o == 'c';
    }
    need_words(&cmd_dump_core, argc, 2, 2);
    rq = request_new("dump", argv[optind]);
    if (argv[optind + 1][0] == '/' || !getcwd(path, sizeof(path) / 2))
        path[0] = 0;
    else
        strcat(path, "/");
    if (strlen(path) + strlen(argv[optind + 1]) >= sizeof(path))
        usage_exit(&cmd_dump_core, "FILE is a path of %zu bytes, at most %zu are possible",
                   strlen(path) + strlen(argv[optind + 1]), sizeof(path) - 1);
    request_text(rq, "path", strcat(path, argv[optind + 1]));
    request_flag(rq, "live", live);
    request_flag(rq, "clear", crash);
    return ask(rq, NULL);
}

static int pause_run(int argc, char **argv)
{
    return run_on_domain(&cmd_pause, argc, argv);
}

static int unpause_run(int argc, char **argv)
{
    return run_on_domain(&cmd_unpause, argc, argv);
}

static int destroy_run(int argc, char **argv)
{
    static const struct option longs[] = { { "force", no_argument, NULL, 'f' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };

    while (next_option(&cmd_destroy, argc, argv, "hf", longs) != -1)
        ;
    need_words(&cmd_destroy, argc, 1, 1);
    return ask_simple("destroy", argv[optind]);
}

static int sysrq_run(int argc, char **argv)
{
    struct json_object *rq;

    while (next_option(&cmd_sysrq, argc, argv, "h", NULL) != -1)
        ;
    need_words(&cmd_sysrq, argc, 2, 2);
    rq = request_new("sysrq", argv[optind]);
    request_text(rq, "text", argv[optind + 1]);
    return ask(rq, NULL);
}

static int debug_keys_run(int argc, char **argv)
{
    struct json_object *rq;

    while (next_option(&cmd_debug_keys, argc, argv, "h", NULL) != -1)
        ;
    need_words(&cmd_debug_keys, argc, 1, 1);
    rq = request_new("debug_keys", NULL);
    request_text(rq, "text", argv[optind]);
    return ask(rq, NULL);
}

/* "512", "512m", "2g", "524288k": KiB. */
static long long size_arg(const struct command *cmd, const char *text)
{
    char      *end;
    long long  n = strtoll(text, &end, 10), unit = 1024;
    const char letters[] = "kmgt", *letter = *end ? strchr(letters, *end | 0x20) : NULL;

    for (const char *p = letters; letter && (p == letters ? (unit = 1) : 0, p < letter); p++)
        unit *= 1024;
    if (end == text || (*end && (!letter || (end[1] && strcasecmp(end + 1, "b")))) || n < 0 ||
        n > LLONG_MAX / unit)
        usage_exit(cmd, "SIZE is \"%.80s\": a number of MiB, or a number with k, m, g or t, is wanted", text);
    return n * unit;
}

static int memory(const struct command *cmd, const char *op, int argc, char **argv)
{
    struct json_object *rq;

    while (next_option(cmd, argc, argv, "h", NULL) != -1)
        ;
    need_words(cmd, argc, 2, 2);
    rq = request_new(op, argv[optind]);
    request_number(rq, "kib", size_arg(cmd, argv[optind + 1]));
    return ask(rq, NULL);
}

static int mem_set_run(int argc, char **argv)
{
    return memory(&cmd_mem_set, "mem_set", argc, argv);
}

static int mem_max_run(int argc, char **argv)
{
    return memory(&cmd_mem_max, "mem_max", argc, argv);
}
