/* SPDX-License-Identifier: BSD-2-Clause */
/* A daemon without its main(): see hauchd_harness.h. */
#define _GNU_SOURCE
#include "tests/host/hauchd_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct hauchd h;
char          dir[] = "/tmp/hauchd-test-XXXXXX", disk[64], registry[64], lib[64];
char          core_file[128];
int           client_fd = -1;

/* ---- a daemon without its main() ---- */
void daemon_up(void)
{
    struct fault f = { 0 };

    memset(&h, 0, sizeof(h));
    h.console_fd = -1;
    h.state_dir = dir;
    h.registry_dir = registry;
    h.lib_dir = lib;
    registry_load(&h);
    h.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    h.images = image_cache_new(0, 0);
    h.link_fd = h.uevent_fd = -1;
    assert_int_equal(death_listen(&h, &f), 0);
    state_restore(&h);
    peers_connect(&h);
    death_look(&h);
}

/* As killed: nothing is undone. */
void daemon_gone(void)
{
    clients_close(&h);
    while (h.domains.first)
        domain_free(domain_of(h.domains.first));
    index_free(&h.domains);
    registry_free(&h);
    if (h.console_fd >= 0)
        close(h.console_fd);
    close(h.epoll_fd);
    if (client_fd >= 0)
        close(client_fd);
    client_fd = -1;
    if (h.xs)
        xs_client_close(h.xs);
}

int setup(void **state)
{
    int fd;

    world_reset();
    strcpy(strrchr(dir, '-'), "-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(disk, sizeof(disk), "%s.disk", dir);
    snprintf(registry, sizeof(registry), "%s.registry", dir);
    snprintf(lib, sizeof(lib), "%s.lib", dir);
    fd = open(disk, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, 4096), 0);
    close(fd);
    daemon_up();
    return 0;
}

int state_files(void)
{
    struct dirent *e;
    DIR           *d = opendir(dir);
    int            n = 0;

    while ((e = readdir(d)))
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void folder_remove(const char *parent, const char *name)
{
    char           path[128], file[512];
    struct dirent *e;
    DIR           *d;

    snprintf(path, sizeof(path), "%s/%s", parent, name);
    d = opendir(path);
    while (d && (e = readdir(d))) {
        snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
        unlink(file);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

int teardown(void **state)
{
    daemon_gone();
    unlink(disk);
    folder_remove(registry, "autostart");
    folder_remove(registry, "");
    folder_remove(lib, "");
    rmdir(dir);
    return 0;
}

void turn(int times)
{
    while (times-- > 0) {
        h.look_due_ms = h.look_due_ms ? 1 : 0;        /* time passes */
        loop_once(&h, 0);
    }
}

/* A connection made by hand: accepting needs a path, a pair does not. */
static void connect_pair(void)
{
    struct sockaddr_storage a;
    socklen_t               n = sizeof(a);
    int                     fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    h.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    memset(&a, 0, sizeof(a));
    a.ss_family = AF_UNIX;
    bind(h.listen_fd, (struct sockaddr *)&a, sizeof(sa_family_t)); /* the kernel picks an abstract name */
    listen(h.listen_fd, 4);
    getsockname(h.listen_fd, (struct sockaddr *)&a, &n);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, n), 0);
    client_accept(&h);
    close(h.listen_fd);
    client_fd = fd;
}

void send_text(const char *line)
{
    if (client_fd < 0)
        connect_pair();
    if (*line)
        assert_int_equal(write(client_fd, line, strlen(line)), strlen(line));
}

void send_object(struct json_object *o)
{
    send_text(json_object_to_json_string(o));
    send_text("\n");
}

/* The answer, or NULL if there is none yet. */
struct json_object *answer(void)
{
    static char buf[262144];
    ssize_t     n;

    turn(6);
    n = read(client_fd, buf, sizeof(buf) - 1);
    if (n <= 0)
        return NULL;
    buf[n] = 0;
    return json_tokener_parse(buf);
}

bool ok_of(struct json_object *o, char *error, size_t size)
{
    struct json_object *v = NULL;
    bool                ok;

    assert_non_null(o);
    json_object_object_get_ex(o, "ok", &v);
    ok = json_object_get_boolean(v);
    if (error)
        snprintf(error, size, "%s",
                 json_object_object_get_ex(o, "error", &v) ? json_object_get_string(v) : "");
    json_object_put(o);
    return ok;
}

bool request(const char *line, char *error, size_t size)
{
    send_text(line);
    send_text("\n");
    return ok_of(answer(), error, size);
}

struct json_object *create_request(const char *name, const char *more)
{
    struct json_object *o = json_object_new_object();
    char                text[1024];

    snprintf(text, sizeof(text),
             "name='%s'\nmemory=16\nkernel='/k'\nvif=['bridge=xenbr0','bridge=xenbr0']\n%s", name, more);
    json_object_object_add(o, "op", json_object_new_string("create"));
    json_object_object_add(o, "config", json_object_new_string(text));
    return o;
}

bool create(const char *name, const char *more, char *error, size_t size)
{
    struct json_object *o = create_request(name, more);
    bool                ok = request(json_object_to_json_string(o), error, size);

    json_object_put(o);
    return ok;
}

const char *with_disk(void)
{
    static char text[128];

    snprintf(text, sizeof(text), "disk=['%s,raw,xvda,w']\n", disk);
    return text;
}

void dump_ask(void)
{
    char line[256];

    snprintf(core_file, sizeof(core_file), "%s.core", dir);
    snprintf(line, sizeof(line), "{\"op\":\"dump\",\"domain\":\"a\",\"path\":\"%s\"}\n", core_file);
    send_text(line);
}

void dump_begin(void)
{
    struct fault f = { 0 };

    world.hold_dump = true;
    assert_int_equal(worker_start(&h, &f), 0);
    dump_ask();
}

void assert_clean(void)
{
    assert_true(world_empty());
    assert_int_equal(h.domains.count, 0);
    assert_int_equal(state_files(), 0);
}
