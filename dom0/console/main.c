/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hauch-console: the text consoles of all domUs (docs/design/console.md).
 *
 * This file is the process around the server: options, going to the background, privileges, signals. Order
 * matters: devices and socket are opened with the rights we were started with, then these are given up, then
 * we say "ready".
 */
#define _GNU_SOURCE
#include "dom0/console/backend.h"
#include "dom0/console/privilege.h"
#include "dom0/console/report.h"
#include "dom0/console/server.h"
#include "lib/privilege.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_USER "hauch-console"
#define GROUP        "hauch"

static const char usage_text[] =
    "Usage: hauch-console [OPTION]...\n"
    "Serves the consoles of all domUs: log, viewers, pseudo-terminals.\n\n"
    "  --socket PATH     control socket (default /run/hauch/console.sock)\n"
    "  --log-dir DIR     logs, NAME.log and NAME.log.1 (default /var/log/hauch/console)\n"
    "  --cap BYTES       most bytes of log kept for a domain (default 8388608; K, M, G may follow)\n"
    "  --user NAME       become this user when everything is open (default hauch-console)\n"
    "  --pid-file PATH   write the process id there, remove it at the end\n"
    "  --daemon          go to the background; returns when the socket listens\n"
    "  --ring-dir DIR    no hypervisor: rings and events in DIR (for tests)\n"
    "  --help\n";

struct options {
    struct server_options server;
    const char *user, *pid_file, *ring_dir;
    uid_t uid;              /* of user */
    gid_t gid;
    gid_t readers;          /* group of the logs, or -1: gid */
    int daemon;
};

static volatile sig_atomic_t stop;

static void on_stop(int signal)
{
    stop = 1;
}

/*
 * ---- options --------------------------------------------------------------------------------------------
 */

static int parse_cap(const char *text, uint64_t *cap)
{
    char *end;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    if (shift)
        end++;
    int out_of_range = value > LOG_CAP_MAX >> shift || value << shift < LOG_CAP_MIN;
    if (errno || *end || end == text || *text == '-' || out_of_range) {
        report("--cap %s: expected a number of bytes from %u to 1024G, such as 8M", text, LOG_CAP_MIN);
        return -EINVAL;
    }
    *cap = value << shift;
    return 0;
}

static int parse_option(int letter, struct options *options)
{
    switch (letter) {
    case 's': options->server.socket = optarg; return 0;
    case 'l': options->server.log_dir = optarg; return 0;
    case 'u': options->user = optarg; return 0;
    case 'p': options->pid_file = optarg; return 0;
    case 'r': options->ring_dir = optarg; return 0;
    case 'd': options->daemon = 1; return 0;
    case 'c': return parse_cap(optarg, &options->server.cap);
    case 'h':
        fputs(usage_text, stdout);
        exit(0);
    }
    fputs("Try: hauch-console --help\n", stderr);
    return -EINVAL;
}

static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option table[] = {
        { "socket", 1, NULL, 's' },   { "log-dir", 1, NULL, 'l' },  { "cap", 1, NULL, 'c' },
        { "user", 1, NULL, 'u' },     { "pid-file", 1, NULL, 'p' }, { "daemon", 0, NULL, 'd' },
        { "ring-dir", 1, NULL, 'r' }, { "help", 0, NULL, 'h' },     { 0 },
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "", table, NULL)) >= 0) {
        if (parse_option(letter, options) < 0)
            return -EINVAL;
    }
    if (optind == argc)
        return 0;
    report("'%s' is not expected here; see --help", argv[optind]);
    return -EINVAL;
}

/*
 * ---- the process ----------------------------------------------------------------------------------------
 */

/* Goes to the background. The parent waits for a byte in the returned pipe, and fails if it never comes. */
static int background(void)
{
    int ready[2];
    char byte;

    if (pipe2(ready, O_CLOEXEC) < 0)
        return -errno;
    pid_t child = fork();
    if (child < 0)
        return -errno;
    if (child > 0) {
        close(ready[1]);
        _exit(read(ready[0], &byte, 1) == 1 ? 0 : 1);
    }
    close(ready[0]);
    setsid();
    return ready[1];
}

/* The service manager waits: say that the socket listens, and let go of its terminal. */
static void background_ready(int ready)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        close(null);
    }
    if (write(ready, "!", 1) != 1)
        report("nobody waits for the daemon to be ready");
    close(ready);
}

/* Makes the directory and those above it. Returns 0 or a negative errno after a report. */
static int make_directory(const char *path)
{
    char *copy = strdup(path);
    int r = copy ? 0 : -ENOMEM;

    for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            r = -errno;
        *slash = '/';
    }
    if (r == 0 && mkdir(path, 0750) < 0 && errno != EEXIST)
        r = -errno;
    if (r < 0)
        report("cannot make directory %s: %s (choose another with --log-dir or --socket)", path,
               strerror(-r));
    free(copy);
    return r;
}

static int make_parent(const char *path)
{
    char *copy = strdup(path);
    char *slash = copy ? strrchr(copy, '/') : NULL;
    int r = 0;

    if (slash && slash != copy) {
        *slash = 0;
        r = access(copy, F_OK) == 0 ? 0 : make_directory(copy);
        if (r == 0 && access(copy, X_OK) < 0) {
            r = -errno;
            report("cannot use directory %s: %s (choose another path with --socket)", copy, strerror(-r));
        }
    }
    free(copy);
    return r;
}

static int write_pid(const char *path)
{
    FILE *file = path ? fopen(path, "we") : NULL;

    if (!path)
        return 0;
    if (file && fprintf(file, "%d\n", (int)getpid()) > 0 && fclose(file) == 0)
        return 0;
    report("cannot write the pid file %s: %m (choose another path with --pid-file)", path);
    return -EIO;
}

/* A descriptor for each log and each viewer: take what we may have. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Without --user: the user made for it, if we are root and it exists. */
static void default_user(struct options *options)
{
    uid_t uid;
    gid_t gid;

    if (options->user || geteuid() != 0)
        return;
    if (privilege_find(DEFAULT_USER, &uid, &gid) == 0)
        options->user = DEFAULT_USER;
    else
        report("there is no user '" DEFAULT_USER "'; make it (adduser --system --group " DEFAULT_USER
               ", or systemd-sysusers); staying root until then");
}

static gid_t readers(const struct options *options)
{
    return options->readers == (gid_t)-1 ? options->gid : options->readers;
}

/* Logs that a daemon with other rights left. What is no plain file is not a log. */
static int give_file(int directory, const char *name, const struct options *options)
{
    struct stat st;

    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return 0;
    return fchownat(directory, name, options->uid, readers(options), AT_SYMLINK_NOFOLLOW);
}

/* The log directory and what is in it must belong to whoever will write there. Files made later get the
 * directory's group, whose members may read them. */
static int give_logs(const struct options *options)
{
    DIR *directory = opendir(options->server.log_dir);
    struct dirent *entry;
    int r = directory ? fchown(dirfd(directory), options->uid, readers(options)) : -1;

    if (r == 0)
        r = fchmod(dirfd(directory), 02750);
    while (r == 0 && (entry = readdir(directory)))
        r = give_file(dirfd(directory), entry->d_name, options);
    r = r < 0 ? -errno : 0;
    if (directory)
        closedir(directory);
    return r;
}

static int become_prepare(struct options *options)
{
    int r = privilege_user(options->user, &options->uid, &options->gid);

    if (r < 0)
        return r;
    r = give_logs(options);
    if (r < 0)
        report("cannot give %s to user %s: %s (choose another with "
               "--log-dir)", options->server.log_dir, options->user, strerror(-r));
    return r;
}

static void handle_signals(void)
{
    struct sigaction action = { .sa_handler = on_stop };

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

/* Members of the group, if there is one, may join consoles and read logs: they may make domains after all. */
static int members_admit(struct options *options)
{
    const struct group *group = geteuid() == 0 ? getgrnam(GROUP) : NULL;
    const char *socket = options->server.socket;

    options->readers = group ? group->gr_gid : (gid_t)-1;
    if (!group || (chown(socket, (uid_t)-1, group->gr_gid) == 0 && chmod(socket, 0660) == 0))
        return 0;
    int r = -errno;
    report("%s: group " GROUP " is not admitted: %s", socket, strerror(-r));
    return r;
}

static int prepare(struct options *options)
{
    int r = make_directory(options->server.log_dir);

    if (r == 0)
        r = make_parent(options->server.socket);
    if (r == 0)
        r = members_admit(options);
    default_user(options);
    if (r == 0 && options->user)
        r = become_prepare(options);
    if (r == 0)
        r = write_pid(options->pid_file);
    if (r == 0 && options->user)
        r = privilege_drop(options->uid, options->gid);
    return r;
}

static int run(struct server *server)
{
    sigset_t none;
    int r = 0;

    sigemptyset(&none);
    while (!stop && r == 0)
        r = server_step(server, 1000);      /* bounded, for a signal that comes just before the wait */
    if (r < 0)
        report("waiting for events: %s; ending", strerror(-r));
    return r;
}

int main(int argc, char **argv)
{
    struct options options = {
        .server = { "/run/hauch/console.sock", "/var/log/hauch/console", LOG_CAP_DEFAULT },
    };
    int ready = -1;

    if (parse_options(argc, argv, &options) < 0)
        return 2;
    if (options.daemon && (ready = background()) < 0) {
        report("cannot go to the background: %s (leave out --daemon)", strerror(-ready));
        return 1;
    }
    handle_signals();
    raise_limit();
    if (make_parent(options.server.socket) < 0)
        return 1;
    struct backend *backend = options.ring_dir ? backend_dir_open(options.ring_dir) : backend_xen_open();
    struct server *server = backend ? server_open(&options.server, backend) : NULL;
    int r = server ? prepare(&options) : -ENODEV;
    if (r == 0 && ready >= 0)
        background_ready(ready);
    if (r == 0)
        r = privilege_seal();
    if (r == 0)
        r = run(server);
    if (server)
        server_close(server);
    if (options.pid_file && r == 0)
        unlink(options.pid_file);
    return r < 0;
}
