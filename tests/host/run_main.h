/* SPDX-License-Identifier: BSD-2-Clause */
/* What a daemon says when it is started wrongly: its main() in a child of its own, which must end by itself,
 * and all that it printed. To be included once, by a test that has main() as @daemon_main. */
#ifndef RUN_MAIN_H
#define RUN_MAIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUN_WORDS = 12, RUN_PARTS = 5, RUN_TEXT = 16384, RUN_SECONDS = 20 };

/* In words and parts "@/" stands for the test's own folder and "/". */
struct start {
    int         status;
    const char *argv[RUN_WORDS];           /* without the program's name */
    const char *says[RUN_PARTS];           /* each has to appear: object, value, limit, remedy */
};

int daemon_main(int argc, char **argv);

static char run_folder[] = "/tmp/hauch-start-XXXXXX";

static const char *run_word(const char *word, char *out, size_t size)
{
    const char *at = strstr(word, "@/");

    snprintf(out, size, "%.*s%s%s", at ? (int)(at - word) : 0, word, at ? run_folder : "",
             at ? at + 1 : word);
    return out;
}

/* Never returns. */
static void run_child(const char *program, const struct start *s)
{
    static char words[RUN_WORDS][256];
    char *argv[RUN_WORDS + 1] = { (char *)program };
    int out = open("out", O_RDWR | O_CREAT | O_TRUNC, 0600), argc = 1;

    for (; argc < RUN_WORDS && s->argv[argc - 1]; argc++)
        argv[argc] = (char *)run_word(s->argv[argc - 1], words[argc], sizeof(words[0]));
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    alarm(RUN_SECONDS);
    optind = 1;
    argc = daemon_main(argc, argv);
    fflush(NULL);
    _exit(argc);
}

static void run_start(const char *program, const struct start *s)
{
    char text[RUN_TEXT], part[512];
    int status, fd;
    pid_t pid;
    ssize_t n;

    fflush(NULL);
    pid = fork();
    if (!pid)
        run_child(program, s);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    fd = open("out", O_RDONLY);
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != s->status)
        fail_msg("%s: status %x, not %d; it said: %s", s->argv[0], (unsigned)status, s->status, text);
    for (int i = 0; i < RUN_PARTS && s->says[i]; i++)
        if (!strstr(text, run_word(s->says[i], part, sizeof(part))))
            fail_msg("%s: said \"%s\", without \"%s\"", s->argv[0], text, part);
}

/* A socket on which somebody listens. */
static int run_listen(const char *name)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", name);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* Tests run in a folder of their own. */
static int run_setup(void **state)
{
    assert_non_null(mkdtemp(run_folder));
    assert_int_equal(chdir(run_folder), 0);
    return 0;
}

static int run_teardown(void **state)
{
    const char *remove[] = { "rm", "-rf", run_folder, NULL };
    pid_t pid = fork();

    if (!pid) {
        execvp("rm", (char **)remove);
        _exit(1);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

#endif
