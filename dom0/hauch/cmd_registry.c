/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch define, undefine, edit, start, autostart: domains that are known whether they run or not; host-start
 * and host-stop, which the host's own start and end call. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dom0/hauch/config_text.h"

static int define_run(int argc, char **argv);
static int undefine_run(int argc, char **argv);
static int edit_run(int argc, char **argv);
static int start_run(int argc, char **argv);
static int autostart_run(int argc, char **argv);
static int host_start_run(int argc, char **argv);
static int host_stop_run(int argc, char **argv);

const struct command cmd_define = {
    "define",
    "remember a domain's configuration",
    "hauch define FILE [KEY=VALUE ...]\n"
    "Its name= is what it is known by from now on, in place of an older one of that name. A domain of that "
    "name "
    "that runs is not changed.\n",
    define_run,
};

const struct command cmd_undefine = {
    "undefine", "forget a domain's configuration",
    "hauch undefine NAME\n"
    "Neither disks nor a running domain of that name are touched.\n",
    undefine_run,
};

const struct command cmd_edit = {
    "edit", "change a remembered configuration",
    "hauch edit NAME\n"
    "Opens it in $VISUAL, $EDITOR or vi. Only what makes sense is kept.\n",
    edit_run,
};

const struct command cmd_start = {
    "start", "make a domain that was defined",
    "hauch start [-c] [-p] NAME\n"
    "  -c, --console   join its console afterwards (leave with Ctrl-])\n"
    "  -p, --paused    leave it paused\n",
    start_run,
};

const struct command cmd_autostart = {
    "autostart",
    "whether a defined domain starts with the host",
    "hauch autostart NAME on|off\n",
    autostart_run,
};

const struct command cmd_host_start = {
    "host-start", "make what ran before, and what starts with the host",
    "hauch host-start\n"
    "For the host's own start; what runs already stays as it is.\n",
    host_start_run,
};

const struct command cmd_host_stop = {
    "host-stop", "shut all domains down and note which they were",
    "hauch host-stop [-t SECONDS]\n"
    "For the host's own end. Until hauch host-start, no domain is made.\n"
    "  -t, --timeout SECONDS   what has not ended by then is removed (60)\n",
    host_stop_run,
};

/* A text that stands for file and settings together. */
static int define(const char *source, const char *text, const char *const *set, unsigned count)
{
    struct json_object *rq, *answer = NULL;
    char               *whole = config_text_join(text, set, count);
    int                 rc;

    if (!whole) {
        fprintf(stderr, "hauch define: no memory left to read %s; give domain 0 more (hauch mem-set 0 "
                        "SIZE)\n", source);
        return EXIT_FAILED;
    }
    rq = request_new("define", NULL);
    request_text(rq, "config", whole);
    request_text(rq, "source", source);
    free(whole);
    rc = ask(rq, &answer);
    json_object_put(answer);
    return rc;
}

static int define_run(int argc, char **argv)
{
    static struct config_text t;
    int                       rc;

    while (next_option(&cmd_define, argc, argv, "h", NULL) != -1)
        ;
    need_words(&cmd_define, argc, 1, argc);
    t.path = argv[optind++];
    config_text_settings(&t, &cmd_define, argc, argv);
    if (config_text_load(&t, "define"))
        return EXIT_FAILED;
    rc = define(t.path, t.text, t.set, t.set_count);
    free(t.text);
    return rc;
}

static int undefine_run(int argc, char **argv)
{
    return run_on_domain(&cmd_undefine, argc, argv);
}

/* ---- edit ---- */
static int editor(const char *path)
{
    const char *program = getenv("VISUAL") ? getenv("VISUAL") : getenv("EDITOR") ? getenv("EDITOR") : "vi";
    char        command[1024];
    int         status;
    pid_t       pid = fork();

    if (!pid) {
        snprintf(command, sizeof(command), "exec %s \"$1\"", program);
        execl("/bin/sh", "sh", "-c", command, "sh", path, NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status))
        return EXIT_DONE;
    fprintf(stderr, "hauch edit: the editor %s failed; $EDITOR names another\n", program);
    return EXIT_FAILED;
}

/* The file stays if it could not be kept: nobody types twice. */
static int edit_file(const char *path, const char *before)
{
    static struct config_text t;
    int                       rc = editor(path);

    t.path = path;
    if (!rc && config_text_load(&t, "edit"))
        rc = EXIT_FAILED;
    if (!rc && !strcmp(t.text, before))
        puts("nothing was changed");
    else if (!rc)
        rc = define(path, t.text, t.set, t.set_count);
    free(t.text);
    if (rc)
        fprintf(stderr, "hauch edit: nothing was changed; your text is in %s\n", path);
    else
        unlink(path);
    return rc;
}

static int edit(const char *text)
{
    char path[] = "/tmp/hauch-edit-XXXXXX";
    int  fd = mkstemp(path);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        fprintf(stderr, "hauch edit: cannot write %s: %s; make room in /tmp\n", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return EXIT_FAILED;
    }
    close(fd);
    return edit_file(path, text);
}

static int edit_run(int argc, char **argv)
{
    struct json_object *answer = NULL;
    int                 rc;

    while (next_option(&cmd_edit, argc, argv, "h", NULL) != -1)
        ;
    need_words(&cmd_edit, argc, 1, 1);
    rc = ask(request_new("definition", argv[optind]), &answer);
    rc = rc ? rc : edit(text_in(answer, "config"));
    json_object_put(answer);
    return rc;
}

/* ---- start ---- */
static int start_run(int argc, char **argv)
{
    static const struct option longs[] = { { "console", no_argument, NULL, 'c' },
                                           { "paused", no_argument, NULL, 'p' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    bool                       join = false, paused = false;
    struct json_object        *rq, *answer = NULL;
    long long                  domid;
    int                        o, rc;

    while ((o = next_option(&cmd_start, argc, argv, "hcp", longs)) != -1) {
        join |= o == 'c';
        paused |= o == 'p';
    }
    need_words(&cmd_start, argc, 1, 1);
    rq = request_new("start", argv[optind]);
    request_flag(rq, "paused", paused);
    request_flag(rq, "progress", isatty(STDERR_FILENO));
    rc = ask(rq, &answer);
    domid = number_in(answer, "domid");
    json_object_put(answer);
    return rc || !join ? rc : join_console(domid, -1);
}

static int autostart_run(int argc, char **argv)
{
    struct json_object *rq;
    const char         *word;

    while (next_option(&cmd_autostart, argc, argv, "h", NULL) != -1)
        ;
    need_words(&cmd_autostart, argc, 2, 2);
    word = argv[optind + 1];
    if (strcmp(word, "on") && strcmp(word, "off"))
        usage_exit(&cmd_autostart, "\"%.80s\": on or off is wanted", word);
    rq = request_new("autostart", argv[optind]);
    json_object_object_add(rq, "on", json_object_new_boolean(!strcmp(word, "on")));
    return ask(rq, NULL);
}

/* ---- the host ---- */
static int host_start_run(int argc, char **argv)
{
    struct json_object *answer = NULL, *list;
    int                 rc;

    while (next_option(&cmd_host_start, argc, argv, "h", NULL) != -1)
        ;
    need_words(&cmd_host_start, argc, 0, 0);
    rc = ask(request_new("boot", NULL), &answer);
    list = member(answer, "started");
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        struct json_object *d = json_object_array_get_idx(list, i);
        const char         *error = text_in(d, "error");

        show_text(*error ? stderr : stdout, text_in(d, "name"));
        if (*error) {
            fputs(": ", stderr);
            show_text(stderr, error);
            rc = EXIT_FAILED;
        }
        fputc('\n', *error ? stderr : stdout);
    }
    json_object_put(answer);
    return rc;
}

static int host_stop_run(int argc, char **argv)
{
    static const struct option longs[] = { { "timeout", required_argument, NULL, 't' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object        *rq = request_new("halt", NULL);
    int                        o;

    while ((o = next_option(&cmd_host_stop, argc, argv, "ht:", longs)) != -1)
        if (o == 't')
            request_number(rq, "seconds", number_arg(&cmd_host_stop, "SECONDS", optarg, 0, 3600));
    need_words(&cmd_host_stop, argc, 0, 0);
    return ask(rq, NULL);
}
