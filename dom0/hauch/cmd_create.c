/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch create: a configuration file becomes a running domain. The file is read and checked here, with places
 * of mistakes, and its text is sent: hauchd never opens it, but reads the text again itself. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dom0/hauch/config_text.h"

static int create_run(int argc, char **argv);
static int update_run(int argc, char **argv);

const struct command cmd_create = {
    "create",
    "make a domain from a configuration file",
    "hauch create [-c] [-e] [-F] [-n] [-p] [-q] FILE [KEY=VALUE ...]\n"
    "  -c, --console      join its console afterwards (leave with Ctrl-])\n"
    "  -p, --paused       leave it paused\n"
    "  -n, --dry-run      only check, and show what the configuration means, as JSON\n"
    "  -F, --foreground   return when the domain is gone\n"
    "  -q, --quiet        no warnings, no progress\n"
    "  -e                 accepted as xl has it: hauchd looks after domains in any case\n"
    "  -f, --defconfig FILE   the configuration file\n"
    "KEY=VALUE replaces or adds to what the file says (xl.cfg(5)); values of the shell's own need no "
    "quotes.\n",
    create_run,
};

const struct command cmd_config_update = {
    "config-update",
    "what a domain is made of when it restarts",
    "hauch config-update DOMAIN FILE [KEY=VALUE ...]\n"
    "The running domain stays as it is; name and UUID stay in any case.\n",
    update_run,
};

struct plan {
    struct config_text t;
    bool               console, paused, dry, quiet, foreground;
};

static struct json_object *request_of(const struct config_text *t, const char *op, const char *domain)
{
    struct json_object *rq = request_new(op, domain), *set = json_object_new_array();

    json_object_object_add(rq, "config", json_object_new_string(t->text));
    json_object_object_add(rq, "source", json_object_new_string(t->path));
    for (unsigned i = 0; i < t->set_count; i++)
        json_object_array_add(set, json_object_new_string(t->set[i]));
    json_object_object_add(rq, "set", set);
    return rq;
}

/* What is left to do with a domain that runs. */
static int afterwards(const struct plan *p, long long domid)
{
    char number[24];
    int  rc = p->console ? join_console(domid, -1) : EXIT_DONE;

    snprintf(number, sizeof(number), "%lld", domid);
    return p->foreground ? ask(request_new("wait", number), NULL) : rc;
}

static int create(struct plan *p)
{
    struct json_object *rq, *answer = NULL;
    long long           domid;
    int                 rc = config_text_load(&p->t, "create");

    if (rc)
        return rc;
    rq = request_of(&p->t, "create", NULL);
    free(p->t.text);
    request_flag(rq, "paused", p->paused);
    request_flag(rq, "dry", p->dry);
    request_flag(rq, "progress", isatty(STDERR_FILENO) && !p->quiet);
    ask_quiet = p->quiet;
    if (as_xl)
        printf("Parsing config from %s\n", p->t.path);
    rc = ask(rq, &answer);
    if (rc)
        return rc;
    domid = number_in(answer, "domid");
    if (p->dry)
        show_json(member(answer, "config"));
    json_object_put(answer);
    return p->dry ? EXIT_DONE : afterwards(p, domid);
}

static int create_run(int argc, char **argv)
{
    static const struct option longs[] = {
        { "console", no_argument, NULL, 'c' },    { "paused", no_argument, NULL, 'p' },
        { "dry-run", no_argument, NULL, 'n' },    { "dryrun", no_argument, NULL, 'n' },
        { "quiet", no_argument, NULL, 'q' },      { "foreground", no_argument, NULL, 'F' },
        { "defconfig", required_argument, NULL, 'f' },
        { "help", no_argument, NULL, 'h' },       { NULL, 0, NULL, 0 },
    };
    static struct plan plan;
    int                o;

    while ((o = next_option(&cmd_create, argc, argv, "hcpnqFef:", longs)) != -1) {
        plan.console |= o == 'c';
        plan.paused |= o == 'p';
        plan.dry |= o == 'n';
        plan.quiet |= o == 'q';
        plan.foreground |= o == 'F';
        plan.t.path = o == 'f' ? optarg : plan.t.path;
    }
    if (!plan.t.path) {
        need_words(&cmd_create, argc, 1, argc);
        plan.t.path = argv[optind++];
    }
    config_text_settings(&plan.t, &cmd_create, argc, argv);
    return create(&plan);
}

static int update_run(int argc, char **argv)
{
    static struct config_text t;
    const char               *domain;
    struct json_object       *rq;

    while (next_option(&cmd_config_update, argc, argv, "h", NULL) != -1)
        ;
    need_words(&cmd_config_update, argc, 2, argc);
    domain = argv[optind++];
    t.path = argv[optind++];
    config_text_settings(&t, &cmd_config_update, argc, argv);
    if (config_text_load(&t, "config-update"))
        return EXIT_FAILED;
    rq = request_of(&t, "config_update", domain);
    free(t.text);
    return ask(rq, NULL);
}
