/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch create: a configuration file becomes a running domain. The file is read and checked here, with places
 * of mistakes, and its text is sent: hauchd never opens it, but reads the text again itself. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/config.h"
#include "lib/wire_request.h"

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
    const char          *path, *set[WIRE_SET_MAX];
    char                 absolute[3][4096 + 16];      /* what is sent instead of relative paths */
    unsigned             set_count;
    bool                 console, paused, dry, quiet, foreground;
};

static char *file_read(const char *path, size_t *size)
{
    FILE *in = fopen(path, "re");
    char *text = malloc(CONFIG_FILE_MAX + 1);

    *size = 0;
    if (!in || !text)
        fprintf(stderr, "hauch create: %s: %s\n", path, strerror(errno));
    else
        *size = fread(text, 1, CONFIG_FILE_MAX + 1, in);
    if (in && text && ferror(in)) {
        fprintf(stderr, "hauch create: reading %s failed\n", path);
        fclose(in);
        in = NULL;
    }
    if (!in || !text) {
        free(text);
        return NULL;
    }
    fclose(in);
    if (*size <= CONFIG_FILE_MAX)
        text[*size] = 0;
    return text;
}

/* hauchd runs elsewhere: a path relative to here means nothing to it. */
static void make_absolute(struct plan *p, int slot, const char *key, const char *path)
{
    char cwd[4096];

    if (!path || path[0] == '/' || p->set_count == WIRE_SET_MAX || !getcwd(cwd, sizeof(cwd)))
        return;
    if (snprintf(p->absolute[slot], sizeof(p->absolute[slot]), "%s=%s/%s", key, cwd, path) <
        (int)sizeof(p->absolute[slot]))
        p->set[p->set_count++] = p->absolute[slot];
}

/* All mistakes are shown here, warnings only once: hauchd sends them back with its answer. */
static int check(struct plan *p, const char *text, size_t size)
{
    struct config_log    log = { 0 };
    struct config_doc   *doc = NULL;
    struct domain_config config;
    int                  rc = config_parse(p->path, text, size, &doc, &log);

    for (unsigned i = 0; !rc && i < p->set_count; i++)
        rc = config_override(doc, p->set[i], &log);
    rc = rc ? rc : domain_config_read(doc, &config, &log);
    if (rc) {
        config_log_print(&log, stderr);
    } else {
        make_absolute(p, 0, "kernel", config.kernel);
        make_absolute(p, 1, "ramdisk", config.ramdisk);
        domain_config_free(&config);
    }
    config_doc_free(doc);
    config_log_free(&log);
    return rc ? EXIT_FAILED : EXIT_DONE;
}

static struct json_object *request_of(const struct plan *p, const char *op, const char *domain,
                                      const char *text)
{
    struct json_object *rq = request_new(op, domain), *set = json_object_new_array();

    json_object_object_add(rq, "config", json_object_new_string(text));
    json_object_object_add(rq, "source", json_object_new_string(p->path));
    for (unsigned i = 0; i < p->set_count; i++)
        json_object_array_add(set, json_object_new_string(p->set[i]));
    json_object_object_add(rq, "set", set);
    return rq;
}

/* The file's text, checked; NULL after a message. */
static char *text_of_file(struct plan *p, const char *command)
{
    size_t size;
    char  *text = file_read(p->path, &size);
    int    rc = text ? check(p, text, size) : EXIT_FAILED;

    if (!rc && strlen(text) != size) {
        fprintf(stderr, "hauch %s: %s contains a NUL byte: this is no text file\n", command, p->path);
        rc = EXIT_FAILED;
    }
    if (rc) {
        free(text);
        text = NULL;
    }
    return text;
}

/* What is left to do with a domain that runs. */
static int afterwards(const struct plan *p, const char *domid)
{
    char *argv[] = { "console", (char *)domid, NULL };
    int   rc = EXIT_DONE;

    optind = 1;
    if (p->console)
        rc = cmd_console.run(2, argv);
    if (p->foreground)
        rc = ask(request_new("wait", domid), NULL);
    return rc;
}

static int create(struct plan *p)
{
    struct json_object *rq, *answer = NULL;
    char               *text = text_of_file(p, "create"), number[24];
    int                 rc;

    if (!text)
        return EXIT_FAILED;
    rq = request_of(p, "create", NULL, text);
    free(text);
    request_flag(rq, "paused", p->paused);
    request_flag(rq, "dry", p->dry);
    request_flag(rq, "progress", isatty(STDERR_FILENO) && !p->quiet);
    ask_quiet = p->quiet;
    if (as_xl)
        printf("Parsing config from %s\n", p->path);
    rc = ask(rq, &answer);
    if (rc)
        return rc;
    snprintf(number, sizeof(number), "%lld", number_in(answer, "domid"));
    if (p->dry)
        show_json(member(answer, "config"));
    json_object_put(answer);
    return p->dry ? EXIT_DONE : afterwards(p, number);
}

/* Words of the form KEY=VALUE to the end. */
static void settings(struct plan *p, const struct command *cmd, int argc, char **argv)
{
    for (; optind < argc; optind++) {
        if (!strchr(argv[optind], '='))
            usage_exit(cmd, "what follows the file has to be of the form KEY=VALUE");
        if (p->set_count == WIRE_SET_MAX - 3)
            usage_exit(cmd, "too many arguments");
        p->set[p->set_count++] = argv[optind];
    }
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
        plan.path = o == 'f' ? optarg : plan.path;
    }
    if (!plan.path) {
        need_words(&cmd_create, argc, 1, argc);
        plan.path = argv[optind++];
    }
    settings(&plan, &cmd_create, argc, argv);
    return create(&plan);
}

static int update_run(int argc, char **argv)
{
    static struct plan  plan;
    const char         *domain;
    char               *text;
    struct json_object *rq;

    while (next_option(&cmd_config_update, argc, argv, "h", NULL) != -1)
        ;
    need_words(&cmd_config_update, argc, 2, argc);
    domain = argv[optind++];
    plan.path = argv[optind++];
    settings(&plan, &cmd_config_update, argc, argv);
    text = text_of_file(&plan, "config-update");
    if (!text)
        return EXIT_FAILED;
    rq = request_of(&plan, "config_update", domain, text);
    free(text);
    return ask(rq, NULL);
}
