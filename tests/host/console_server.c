/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole console daemon but its process, on rings in a directory: this program is the guests, the viewers
 * and hauchd, and turns the server itself, so nothing here depends on how fast the machine is.
 */
#define _GNU_SOURCE
#include "dom0/console/backend.h"
#include "dom0/console/server.h"

#include "abi/console.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/host/log_capture.h"

#define TURNS 40            /* enough for anything that does not wait for a period to end */

struct world {
    char dir[64], socket[96], logs[96];
    struct server *server;
    int event;              /* a guest's way to signal */
};

struct guest {
    struct xencons_interface *page;
    uint16_t domid;
};

/*
 * ---- the world ------------------------------------------------------------------------------------------
 */

static void world_open(struct world *world)
{
    struct server_options options = { world->socket, world->logs, 1u << 20 };
    struct backend *backend = backend_dir_open(world->dir);

    assert_non_null(backend);
    world->server = server_open(&options, backend);
    assert_non_null(world->server);
}

static int world_new(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    signal(SIGPIPE, SIG_IGN);
    strcpy(world->dir, "out/console_server.XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    snprintf(world->socket, sizeof(world->socket), "%s/s", world->dir);
    snprintf(world->logs, sizeof(world->logs), "%s/logs", world->dir);
    assert_int_equal(mkdir(world->logs, 0700), 0);
    world->event = socket(AF_UNIX, SOCK_DGRAM, 0);
    world_open(world);
    *state = world;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    return remove(path);
}

static int world_free(void **state)
{
    struct world *world = *state;

    server_close(world->server);
    close(world->event);
    nftw(world->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(world);
    return 0;
}

static void turn(struct world *world, int turns)
{
    while (turns-- > 0)
        assert_int_equal(server_step(world->server, 0), 0);
}

/* Waits out periods, for parked guests. */
static void turn_long(struct world *world, int turns)
{
    while (turns-- > 0)
        assert_int_equal(server_step(world->server, 20), 0);
}

/*
 * ---- guests ---------------------------------------------------------------------------------------------
 */

static struct guest guest_new(struct world *world, uint16_t domid)
{
    struct guest guest = { .domid = domid };
    char path[128];

    snprintf(path, sizeof(path), "%s/%u.ring", world->dir, domid);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 4096), 0);
    guest.page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(guest.page != MAP_FAILED);
    close(fd);
    return guest;
}

static void guest_free(struct guest *guest)
{
    munmap(guest->page, 4096);
}

static void guest_signal(struct world *world, struct guest *guest)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };

    snprintf(to.sun_path, sizeof(to.sun_path), "%s/daemon", world->dir);
    sendto(world->event, &guest->domid, sizeof(guest->domid), MSG_DONTWAIT, (struct sockaddr *)&to,
           sizeof(to));
}

/* Puts what fits and signals. Returns how much that was. */
static size_t guest_put(struct world *world, struct guest *guest, const char *text, size_t n)
{
    struct xencons_interface *page = guest->page;
    size_t done = 0;

    while (done < n && page->out_prod - page->out_cons < sizeof(page->out))
        page->out[page->out_prod++ % sizeof(page->out)] = text[done++];
    guest_signal(world, guest);
    return done;
}

static void guest_say(struct world *world, struct guest *guest, const char *text)
{
    assert_int_equal(guest_put(world, guest, text, strlen(text)), strlen(text));
    turn(world, TURNS);
}

/* Takes what was typed, as a string. */
static const char *guest_hear(struct world *world, struct guest *guest)
{
    static char text[1025];
    struct xencons_interface *page = guest->page;
    size_t n = 0;

    while (page->in_cons != page->in_prod && n < 1024)
        text[n++] = page->in[page->in_cons++ % sizeof(page->in)];
    text[n] = 0;
    guest_signal(world, guest);
    turn(world, TURNS);
    return text;
}

/*
 * ---- clients --------------------------------------------------------------------------------------------
 */

static int client_new(struct world *world)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    strcpy(to.sun_path, world->socket);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void client_send(struct world *world, int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    turn(world, TURNS);
}

/* Everything that has arrived, as a string; "(end)" is appended when the connection was closed. */
static const char *client_read(struct world *world, int fd)
{
    static char text[1 << 20];
    size_t n = 0;
    ssize_t r = 0;

    for (int i = 0; i < 200 && n < sizeof(text) - 16; i++) {
        turn(world, 2);
        r = read(fd, text + n, sizeof(text) - 16 - n);
        if (r <= 0 && i > 4)
            break;
        n += r > 0 ? (size_t)r : 0;
    }
    strcpy(text + n, r == 0 ? "(end)" : "");
    return text;
}

/* The same for a terminal: what is written on one side reaches the other when the kernel gets to it. */
static const char *terminal_read(struct world *world, int fd, size_t n)
{
    static char text[256];
    size_t got = 0;

    for (int i = 0; i < 500 && got < n; i++) {
        assert_int_equal(server_step(world->server, 10), 0);
        ssize_t r = read(fd, text + got, sizeof(text) - 1 - got);
        got += r > 0 ? (size_t)r : 0;
    }
    text[got] = 0;
    return text;
}

static const char *ask(struct world *world, int fd, const char *request)
{
    client_send(world, fd, request);
    return client_read(world, fd);
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text);
}

static char *log_text(struct world *world, const char *name)
{
    static char text[1 << 16];
    char path[160];

    snprintf(path, sizeof(path), "%s/%s", world->logs, name);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    return text;
}

/*
 * ---- tests ----------------------------------------------------------------------------------------------
 */

static void test_logged_from_the_first_byte(void **state)
{
    struct world *world = *state;
    struct guest guest = guest_new(world, 7);
    int fd = client_new(world);

    guest_say(world, &guest, "before anybody came\n");
    assert_string_equal(ask(world, fd, "add 7 web 7\n"), "ok\n");
    guest_say(world, &guest, "raw \x1b[2J\a\n");
    assert_string_equal(log_text(world, "web.log"), "before anybody came\nraw \x1b[2J\a\n");
    assert_contains(ask(world, fd, "list\n"), "ok 1\n7 web live 7 viewers=0 read=30 lost=0 log=");
    assert_contains(ask(world, fd, "log 7\n"), "/logs/web.log\n");
    close(fd);
    guest_free(&guest);
}

static void test_viewers_see_and_type(void **state)
{
    struct world *world = *state;
    struct guest guest = guest_new(world, 7);
    int one = client_new(world), two = client_new(world);

    ask(world, one, "add 7 web 7\n");
    guest_say(world, &guest, "login: ");
    assert_string_equal(ask(world, one, "attach 7\nroot\n"), "ok 7 web\nlogin: ");
    assert_string_equal(guest_hear(world, &guest), "root\n");
    guest_say(world, &guest, "\x1b[6n# ");
    assert_string_equal(client_read(world, one), "\x1b[6n# ");
    assert_string_equal(ask(world, two, "attach 7\n"), "ok 7 web\nlogin: # ");    /* no question in it */
    client_send(world, two, "ls\n");
    assert_string_equal(guest_hear(world, &guest), "ls\n");
    guest_say(world, &guest, "both");
    assert_string_equal(client_read(world, one), "both");
    assert_string_equal(client_read(world, two), "both");
    close(one);
    guest_say(world, &guest, "still");
    assert_string_equal(client_read(world, two), "still");
    close(two);
    turn(world, TURNS);
    assert_int_equal(world->server->client_count, 0);
    guest_free(&guest);
}

static void test_add_again_is_harmless_and_renames(void **state)
{
    struct world *world = *state;
    struct guest guest = guest_new(world, 7), other = guest_new(world, 8);
    int fd = client_new(world);

    ask(world, fd, "add 7 web 7\n");
    guest_say(world, &guest, "one");
    assert_string_equal(ask(world, fd, "add 7 web 7 cap=65536\n"), "ok\n");
    guest_say(world, &guest, "two");
    assert_string_equal(log_text(world, "web.log"), "onetwo");
    assert_contains(ask(world, fd, "add 8 web 8\n"),
        "error 17 name web is in use by domain 7; remove that first or take another name");
    assert_string_equal(ask(world, fd, "add 8 a/b 8\n"), "ok\n");
    assert_string_equal(ask(world, fd, "add 7 web2 7\n"), "ok\n");
    guest_say(world, &guest, "three");
    guest_say(world, &other, "other");
    assert_string_equal(log_text(world, "web2.log"), "three");
    assert_string_equal(log_text(world, "a%2Fb.log"), "other");
    close(fd);
    guest_free(&guest);
    guest_free(&other);
}

static void test_death_keeps_log_and_last_screen(void **state)
{
    struct world *world = *state;
    struct guest guest = guest_new(world, 7);
    int control = client_new(world), viewer = client_new(world);

    ask(world, control, "add 7 web 7\n");
    ask(world, viewer, "attach 7\n");
    guest_put(world, &guest, "panic: last words", 17);      /* no turn in between */
    assert_string_equal(ask(world, control, "remove 7\n"), "ok\n");
    assert_string_equal(client_read(world, viewer),
                        "panic: last words\r\n[hauch-console: domain 7 is gone]\r\n(end)");
    assert_string_equal(log_text(world, "web.log"), "panic: last words");
    assert_contains(ask(world, control, "list\n"), "ok 1\n7 web dead 7 viewers=0");
    assert_contains(ask(world, control, "tty 7\n"),
        "error 3 domain 7 is dead; `attach` shows its last screen, `log` its log");
    assert_string_equal(ask(world, control, "remove 7\n"), "ok\n");
    close(viewer);
    viewer = client_new(world);
    assert_string_equal(ask(world, viewer, "attach 7\n"),
                        "ok 7 web\npanic: last words\r\n[hauch-console: domain is gone]\r\n(end)");
    close(viewer);
    memset(guest.page, 0, 4096);
    assert_string_equal(ask(world, control, "add 7 web 7\n"), "ok\n");      /* the id is used again */
    guest_say(world, &guest, "new");
    assert_string_equal(log_text(world, "web.log"), "panic: last wordsnew");
    close(control);
    guest_free(&guest);
}

static void test_only_so_many_dead(void **state)
{
    struct world *world = *state;
    int fd = client_new(world);
    char line[64];

    for (uint16_t domid = 1; domid <= DEAD_MAX + 6; domid++) {
        struct guest guest = guest_new(world, domid);
        snprintf(line, sizeof(line), "add %u vm%u %u\nremove %u\n", domid, domid, domid, domid);
        assert_string_equal(ask(world, fd, line), "ok\nok\n");
        guest_free(&guest);
    }
    assert_int_equal(world->server->dead_count, DEAD_MAX);
    assert_contains(ask(world, fd, "attach 6\n"),
        "error 2 no console for domain 6; `list` shows what there is, `add` makes one");
    assert_contains(ask(world, fd, "log 7\n"), "ok ");
    close(fd);
}

static void test_slow_viewer_holds_up_nobody(void **state)
{
    struct world *world = *state;
    struct guest guest = guest_new(world, 7);
    int control = client_new(world), slow = client_new(world), quick = client_new(world);
    char line[1001];
    size_t seen = 0, sent = 0;

    memset(line, 'x', 999);
    strcpy(line + 999, "\n");
    ask(world, control, "add 7 web 7\n");
    ask(world, slow, "attach 7\n");
    ask(world, quick, "attach 7\n");
    for (int i = 0; i < 1000; i++) {
        sent += guest_put(world, &guest, line, 1000);
        turn_long(world, world->server->parked.tqh_first ? 6 : 1);
        seen += strlen(client_read(world, quick));
    }
    assert_int_equal(seen, sent);
    assert_int_equal(sent, 1000000);
    size_t got = 0;
    int gaps = 0;
    for (const char *text = client_read(world, slow); *text; text = client_read(world, slow)) {
        got += strlen(text);
        gaps += strstr(text, "bytes left out]") != NULL;
    }
    assert_true(gaps > 0 && got < sent);
    close(control);
    close(slow);
    close(quick);
    guest_free(&guest);
}

static void test_typing_waits_for_the_guest(void **state)
{
    struct world *world = *state;
    struct guest guest = guest_new(world, 7);
    int fd = client_new(world);
    char text[20001], heard[20100] = "";

    for (size_t i = 0; i < 20000; i++)
        text[i] = (char)('a' + i % 26);
    text[20000] = 0;
    ask(world, fd, "add 7 web 7\n");
    ask(world, fd, "attach 7\n");
    client_send(world, fd, text);
    assert_int_equal(world->server->by_domid[7]->input.len, 4096);
    assert_false(TAILQ_FIRST(&world->server->by_domid[7]->viewers)->source.events & EPOLLIN);
    for (int i = 0; i < 100 && strlen(heard) < 20000; i++)
        strcat(heard, guest_hear(world, &guest));
    assert_string_equal(heard, text);
    close(fd);
    guest_free(&guest);
}

static void test_flood_leaves_the_others_alone(void **state)
{
    struct world *world = *state;
    struct guest loud = guest_new(world, 1), quiet = guest_new(world, 2);
    int fd = client_new(world);
    char noise[2048];

    memset(noise, '!', sizeof(noise));
    ask(world, fd, "add 1 loud 1\nadd 2 quiet 2\n");
    const struct console *console = world->server->by_domid[1];
    for (int i = 0; i < 2000; i++) {
        guest_put(world, &loud, noise, sizeof(noise));
        if (i == 1000)
            guest_put(world, &quiet, "hello", 5);
        turn(world, 1);
        assert_true(console->services <= SERVICES_A_PERIOD + 1);
        if (i == 1004)
            assert_string_equal(log_text(world, "quiet.log"), "hello");
    }
    uint32_t left = loud.page->out_prod - loud.page->out_cons;
    turn_long(world, 12);                       /* a parked guest goes on by itself in the next period */
    assert_int_equal(loud.page->out_prod - loud.page->out_cons, 0);
    assert_true(left <= 2048);
    assert_int_equal(console->read_total, loud.page->out_prod);
    close(fd);
    guest_free(&loud);
    guest_free(&quiet);
}

static void test_broken_ring(void **state)
{
    struct world *world = *state;
    struct guest guest = guest_new(world, 7);
    int control = client_new(world), viewer = client_new(world);

    ask(world, control, "add 7 web 7\n");
    ask(world, viewer, "attach 7\n");
    guest.page->out_prod = 5000;
    guest_signal(world, &guest);
    log_begin();
    assert_contains(client_read(world, viewer), "the guest broke its console ring");
    log_has("hauch-console: domain 7: ring indices out of range; ignored until it is added again\n");
    assert_contains(ask(world, control, "list\n"), "7 web bad 7");
    client_send(world, viewer, "typed at nobody\n");
    assert_int_equal(guest.page->in_prod, 0);
    assert_string_equal(ask(world, control, "add 7 web 7\n"), "ok\n");
    assert_contains(ask(world, control, "list\n"), "7 web bad 7");
    guest.page->out_prod = guest.page->out_cons;
    ask(world, control, "add 7 web 7\n");
    guest_say(world, &guest, "well again");
    assert_string_equal(client_read(world, viewer), "well again");
    guest.page->in_cons = 9999;                 /* and the other half, found while typing */
    client_send(world, viewer, "x");
    assert_contains(client_read(world, viewer), "the guest broke its console ring");
    close(viewer);
    guest.page->in_cons = guest.page->in_prod;
    ask(world, control, "add 7 web 7\n");
    viewer = client_new(world);
    ask(world, viewer, "attach 7\n");
    guest.page->in_cons = 9999;                 /* found in the last words of a viewer that hung up */
    assert_int_equal(send(viewer, "x", 1, MSG_NOSIGNAL), 1);
    close(viewer);
    turn(world, TURNS);
    assert_contains(ask(world, control, "list\n"), "7 web bad 7 viewers=0");
    assert_string_equal(ask(world, control, "remove 7\n"), "ok\n");
    close(control);
    guest_free(&guest);
}

static void test_terminal(void **state)
{
    struct world *world = *state;
    struct guest guest = guest_new(world, 7);
    int control = client_new(world);
    char path[64];

    ask(world, control, "add 7 web 7\n");
    assert_int_equal(sscanf(ask(world, control, "tty 7\n"), "ok %60s", path), 1);
    guest_say(world, &guest, "screen\n");
    for (int round = 0; round < 3; round++) {
        int tty = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
        assert_true(tty >= 0);
        assert_string_equal(terminal_read(world, tty, 7), "screen\n");
        assert_int_equal(write(tty, "ls\r", 3), 3);
        for (int i = 0; i < 500 && guest.page->in_prod - guest.page->in_cons < 3; i++)
            assert_int_equal(server_step(world->server, 10), 0);
        assert_string_equal(guest_hear(world, &guest), "ls\r");
        close(tty);
        turn(world, TURNS);
    }
    char again[64];
    assert_int_equal(sscanf(ask(world, control, "tty 7\n"), "ok %60s", again), 1);
    assert_string_equal(path, again);
    assert_string_equal(ask(world, control, "remove 7\n"), "ok\n");
    close(control);
    guest_free(&guest);
}

static void test_restart_loses_nothing(void **state)
{
    struct world *world = *state;
    struct guest guest = guest_new(world, 7);
    int fd = client_new(world);

    ask(world, fd, "add 7 web 7\n");
    guest_say(world, &guest, "one ");
    server_close(world->server);
    assert_string_equal(guest.page->out, "one ");
    guest_put(world, &guest, "two ", 4);
    close(fd);
    world_open(world);
    fd = client_new(world);
    assert_string_equal(ask(world, fd, "add 7 web 7\n"), "ok\n");
    guest_say(world, &guest, "three");
    assert_string_equal(log_text(world, "web.log"), "one two three");
    close(fd);
    guest_free(&guest);
}

#define TEN       "!!!!!!!!!!"
#define LONG_NAME "error 36 cannot open a log for the name " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN \
                  ": File name too long (take another name)\n"

static void test_bad_requests(void **state)
{
    struct world *world = *state;
    struct guest guest = guest_new(world, 7);
    int fd = client_new(world);
    char line[700];

    assert_contains(ask(world, fd, "add 9 none 9\n"),
                    "error 2 domain 9: cannot map its console ring (grant 0): No such file or directory; "
                    "is the domain there?");
    assert_contains(ask(world, fd, "add 7 web 8\n"),
        "error 22 domain 7: cannot bind to its event channel 8: Invalid argument; is it unbound and for us?");
    memset(line, '!', 100);
    strcpy(line + 100, " 7\n");
    memmove(line + 6, line, 104);
    memcpy(line, "add 7 ", 6);
    assert_contains(ask(world, fd, line), LONG_NAME);
    assert_string_equal(ask(world, fd, "list\n"), "ok 0\n");
    assert_contains(ask(world, fd, "remove 3\n"), "error 2 no console for domain 3");
    assert_contains(ask(world, fd, "nonsense\n"), "error 22 request 'nonsense'");
    memset(line, 'a', sizeof(line));
    line[sizeof(line) - 1] = 0;
    assert_contains(ask(world, fd, line), "error 90 request longer than 512 bytes\n");
    close(fd);
    guest_free(&guest);
}

static void test_limits(void **state)
{
    struct world *world = *state;
    struct guest guest = guest_new(world, 7);
    int control = client_new(world), fds[CLIENTS_MAX + 2];

    ask(world, control, "add 7 web 7\n");
    for (int i = 0; i < VIEWERS_MAX + 1; i++) {
        fds[i] = client_new(world);
        assert_contains(ask(world, fds[i], "attach 7\n"),
                        i < VIEWERS_MAX ? "ok 7 web" :
                          "error 28 domain 7 has 16 viewers, the limit; close one first");
    }
    for (int i = VIEWERS_MAX + 1; i < CLIENTS_MAX - 1; i++) {
        fds[i] = client_new(world);
        turn(world, 1);
    }
    fds[CLIENTS_MAX] = client_new(world);
    assert_contains(client_read(world, fds[CLIENTS_MAX]), "error 28 too many connections");
    close(fds[CLIENTS_MAX]);
    for (int i = 0; i < CLIENTS_MAX - 1; i++)
        close(fds[i]);
    turn(world, TURNS);
    assert_int_equal(world->server->client_count, 1);
    assert_contains(ask(world, control, "list\n"), "viewers=0");
    close(control);
    guest_free(&guest);
}

/* ---- what the system refuses ---- */
static const char *fail_path;          /* the end of a path that cannot be opened */
static int         fail_file, fail_pty;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    size_t n = fail_path ? strlen(fail_path) : 0;

    errno = ENOSPC;
    return n && strlen(path) > n && !strcmp(path + strlen(path) - n, fail_path) ? -1 :
           __real_open(path, flags, 0600);
}

ssize_t __real_write(int fd, const void *data, size_t n);
ssize_t __wrap_write(int fd, const void *data, size_t n);
ssize_t __wrap_write(int fd, const void *data, size_t n)
{
    struct stat st;

    if (!fail_file || fstat(fd, &st) || !S_ISREG(st.st_mode))
        return __real_write(fd, data, n);
    errno = ENOSPC;
    return -1;
}

int __real_posix_openpt(int flags);
int __wrap_posix_openpt(int flags);
int __wrap_posix_openpt(int flags)
{
    errno = ENOSPC;
    return fail_pty ? -1 : __real_posix_openpt(flags);
}

static void test_refusals_of_the_system(void **state)
{
    struct world *world = *state;
    struct guest guest = guest_new(world, 7), other = guest_new(world, 8);
    int control = client_new(world), viewer = client_new(world);
    char line[256];

    ask(world, control, "add 7 web 7\n");
    ask(world, viewer, "attach 7\n");
    log_begin();
    fail_file = 1;
    guest_say(world, &guest, "lost");
    fail_file = 0;
    snprintf(line, sizeof(line), "hauch-console: log %s/web.log of domain 7: No space left on device; "
                                 "leaving bytes out until it works again\n", world->logs);
    log_has(line);
    log_begin();
    guest_say(world, &guest, "kept");
    snprintf(line, sizeof(line), "hauch-console: log %s/web.log of domain 7 works again; 4 bytes were lost "
                                 "so far\n",
             world->logs);
    log_has(line);
    assert_string_equal(client_read(world, viewer), "lostkept");
    fail_pty = 1;
    assert_string_equal(ask(world, control, "tty 7\n"),
                        "error 28 cannot make a pseudo-terminal for domain 7: No space left on device (raise "
                        "kernel.pty.max)\n");
    fail_pty = 0;
    log_begin();
    fail_path = "db.log";
    assert_string_equal(ask(world, control, "add 8 db 8\n"), "ok\n");
    fail_path = NULL;
    snprintf(line, sizeof(line), "hauch-console: log %s/db.log: No space left on device; trying again with "
                                 "each write\n", world->logs);
    log_has(line);
    ask(world, control, "remove 8\n");
    world->server->live_count += CONSOLES_MAX;
    assert_string_equal(ask(world, control, "add 8 db 8\n"),
                        "error 28 4096 consoles is the limit; remove one first\n");
    world->server->live_count -= CONSOLES_MAX;
    server_close(world->server);
    memset(line, 0, sizeof(line));
    assert_true(read(viewer, line, sizeof(line) - 1) > 0);
    assert_string_equal(line, "\r\n[hauch-console: ending]\r\n");
    world_open(world);
    close(viewer);
    close(control);
    guest_free(&guest);
    guest_free(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, world_new, world_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(logged_from_the_first_byte),
        TEST(viewers_see_and_type),
        TEST(add_again_is_harmless_and_renames),
        TEST(death_keeps_log_and_last_screen),
        TEST(only_so_many_dead),
        TEST(slow_viewer_holds_up_nobody),
        TEST(typing_waits_for_the_guest),
        TEST(flood_leaves_the_others_alone),
        TEST(broken_ring),
        TEST(terminal),
        TEST(restart_loses_nothing),
        TEST(bad_requests),
        TEST(limits),
        TEST(refusals_of_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
