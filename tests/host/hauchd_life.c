/* SPDX-License-Identifier: BSD-2-Clause */
/* hauchd whole, on a pretended host: life and death of domains, with a failure injected at every single call,
 * asked over its socket as hauch asks. After each case the host must be as it was. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dom0/hauchd/registry.h"
#include "dom0/hauchd/worker.h"
#include "lib/wire_line.h"
#include "tests/host/hauchd_world.h"

static struct hauchd h;
static char          dir[] = "/tmp/hauchd-test-XXXXXX", disk[64], registry[64], lib[64];
static int           client_fd = -1;

/* ---- a daemon without its main() ---- */
static void daemon_up(void)
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
static void daemon_gone(void)
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

static int setup(void **state)
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

static int state_files(void)
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

static int teardown(void **state)
{
    daemon_gone();
    unlink(disk);
    folder_remove(registry, "autostart");
    folder_remove(registry, "");
    folder_remove(lib, "");
    rmdir(dir);
    return 0;
}

static void turn(int times)
{
    while (times-- > 0)
        loop_once(&h, 0);
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

static void send_text(const char *line)
{
    if (client_fd < 0)
        connect_pair();
    assert_int_equal(write(client_fd, line, strlen(line)), strlen(line));
}

/* The answer, or NULL if there is none yet. */
static struct json_object *answer(void)
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

static bool ok_of(struct json_object *o, char *error, size_t size)
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

static bool request(const char *line, char *error, size_t size)
{
    send_text(line);
    send_text("\n");
    return ok_of(answer(), error, size);
}

static struct json_object *create_request(const char *name, const char *more)
{
    struct json_object *o = json_object_new_object();
    char                text[1024];

    snprintf(text, sizeof(text),
             "name='%s'\nmemory=16\nkernel='/k'\nvif=['bridge=xenbr0','bridge=xenbr0']\n%s", name, more);
    json_object_object_add(o, "op", json_object_new_string("create"));
    json_object_object_add(o, "config", json_object_new_string(text));
    return o;
}

static bool create(const char *name, const char *more, char *error, size_t size)
{
    struct json_object *o = create_request(name, more);
    bool                ok = request(json_object_to_json_string(o), error, size);

    json_object_put(o);
    return ok;
}

static const char *with_disk(void)
{
    static char text[128];

    snprintf(text, sizeof(text), "disk=['%s,raw,xvda,w']\n", disk);
    return text;
}

static void assert_clean(void)
{
    assert_true(world_empty());
    assert_int_equal(h.domains.count, 0);
    assert_int_equal(state_files(), 0);
}

/* ---- the tests ---- */
static void test_create_and_destroy(void **state)
{
    assert_true(create("web", with_disk(), NULL, 0));
    assert_true(world.domain[1].exists && !world.domain[1].paused && world.domain[1].console);
    assert_int_equal(world.domain[1].claim, 0);
    assert_int_equal(world.loops, 1);
    assert_int_equal(world.links, 2);
    assert_int_equal(world.images, 0);
    assert_int_equal(state_files(), 1);
    assert_string_equal(world_node("/local/domain/1/name"), "web");
    assert_string_equal(world_node("/local/domain/0/backend/vbd/1/51712/mode"), "w");
    assert_string_equal(world_node("/local/domain/0/backend/vif/1/1/hotplug-status"), "connected");
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"web\"}", NULL, 0));
    assert_clean();
}

/* The n-th call fails, for every n that there is: the answer names it, and nothing is left. */
static void test_failure_at_every_call(void **state)
{
    char error[512];
    int  n = 1;

    for (;; n++) {
        world.calls = 0;
        world.failed = NULL;
        world.fail_at = n;
        if (create("web", with_disk(), error, sizeof(error)))
            break;
        world.fail_at = 0;
        assert_non_null(world.failed);
        if (strcmp(world.failed, "driver") && strcmp(world.failed, "store transaction") &&
            strcmp(world.failed, "introduce") && !strstr(error, world.failed))
            fail_msg("\"%s\" does not name what failed: %s", error, world.failed);
        if (!world_empty() || h.domains.count || state_files())
            fail_msg("call %d (%s) failed, and something is left", n, world.failed);
    }
    world.fail_at = 0;
    assert_in_range(n, 25, WORLD_CALLS);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"web\"}", NULL, 0));
    assert_clean();
}

static void test_progress(void **state)
{
    static char         buf[8192];
    struct json_object *o = create_request("a", with_disk());
    ssize_t             n;

    json_object_object_add(o, "progress", json_object_new_boolean(true));
    send_text(json_object_to_json_string(o));
    send_text("\n");
    json_object_put(o);
    turn(6);
    n = read(client_fd, buf, sizeof(buf) - 1);
    assert_in_range(n, 1, sizeof(buf) - 1);
    buf[n] = 0;
    for (unsigned i = 0; i < create_step_count; i++) {
        char want[64];

        snprintf(want, sizeof(want), "a: %s\"", create_steps[i].name);
        assert_non_null(strstr(buf, want));
    }
    assert_non_null(strstr(buf, "\"ok\":true"));
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

static void test_actions(void **state)
{
    assert_true(create("a", "on_poweroff='destroy'\n", NULL, 0));
    world_guest_ends(1, 0);
    turn(8);
    assert_clean();

    assert_true(create("b", "on_crash='preserve'\n", NULL, 0));
    world_guest_ends(2, 3);
    turn(8);
    assert_true(world.domain[2].exists);
    assert_int_equal(h.domains.count, 1);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"b\"}", NULL, 0));
    assert_clean();
}

static void test_restart(void **state)
{
    assert_true(create("a", with_disk(), NULL, 0));
    domain_of(h.domains.first)->started_ms -= 5000;
    world_guest_ends(1, 1);
    turn(10);
    assert_false(world.domain[1].exists);
    assert_true(world.domain[2].exists && !world.domain[2].paused);
    assert_int_equal(world.loops, 1);
    assert_int_equal(state_files(), 1);
    /* Too quick: not again. */
    world_guest_ends(2, 1);
    turn(10);
    assert_clean();
}

static void test_rename_restart(void **state)
{
    char more[256];

    snprintf(more, sizeof(more), "on_crash='rename-restart'\n%s", with_disk());
    assert_true(create("a", more, NULL, 0));
    world_guest_ends(1, 3);
    turn(10);
    assert_true(world.domain[1].exists && world.domain[2].exists);
    assert_string_equal(world_node("/local/domain/1/name"), "a-1");
    assert_string_equal(world_node("/local/domain/2/name"), "a");
    assert_int_equal(world.loops, 1);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a-1\"}", NULL, 0));
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

static void test_image_in_use(void **state)
{
    char error[512];

    assert_true(create("a", with_disk(), NULL, 0));
    assert_false(create("b", with_disk(), error, sizeof(error)));
    assert_non_null(strstr(error, disk));
    assert_non_null(strstr(error, "domain a (1)"));
    assert_false(create("a", "", error, sizeof(error)));
    assert_non_null(strstr(error, "name a is taken by domain 1"));
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"1\"}", NULL, 0));
    assert_clean();
}

static void test_killed_and_back(void **state)
{
    assert_true(create("a", with_disk(), NULL, 0));
    assert_true(create("b", "", NULL, 0));
    assert_true(request("{\"op\":\"rename\",\"domain\":\"b\",\"name\":\"c\"}", NULL, 0));
    daemon_gone();
    world.domain[2].exists = false;        /* died meanwhile */
    daemon_up();
    turn(8);
    assert_int_equal(h.domains.count, 1);
    assert_int_equal(world.loops, 1);
    assert_int_equal(state_files(), 1);
    assert_null(world_node("/local/domain/2/name"));
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

/* Killed while a domain is half made: the next one removes what there is of it. */
static void test_killed_while_making(void **state)
{
    struct json_object *o = create_request("a", with_disk());

    world.backends_silent = true;
    send_text(json_object_to_json_string(o));
    send_text("\n");
    json_object_put(o);
    assert_null(answer());
    assert_int_equal(world.loops, 1);
    assert_true(world.domain[1].exists);
    world.backends_silent = false;
    daemon_gone();
    daemon_up();
    turn(8);
    assert_clean();
}

static void test_waiting_clients(void **state)
{
    struct json_object *early;

    assert_true(create("a", "on_poweroff='preserve'\n", NULL, 0));
    send_text("{\"op\":\"shutdown\",\"domain\":\"a\",\"wait\":true}\n");
    early = answer();
    assert_null(early);
    assert_string_equal(world_node("/local/domain/1/control/shutdown"), "poweroff");
    world_guest_ends(1, 0);
    assert_true(ok_of(answer(), NULL, 0));
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));

    /* A client that goes while it waits. */
    assert_true(create("b", "", NULL, 0));
    send_text("{\"op\":\"shutdown\",\"domain\":\"b\",\"wait\":true}\n");
    turn(4);
    close(client_fd);
    client_fd = -1;
    turn(4);
    assert_null(h.clients);
    world_guest_ends(2, 0);
    turn(8);
    assert_clean();
}

static void test_silent_backend(void **state)
{
    struct json_object *o = create_request("a", with_disk());
    char                error[512];

    world.backends_silent = true;
    send_text(json_object_to_json_string(o));
    send_text("\n");
    json_object_put(o);
    assert_null(answer());
    assert_int_equal(h.domains.count, 1);
    domain_of(h.domains.first)->job.deadline_ms = 1; /* long ago */
    assert_null(answer());
    assert_int_equal(domain_of(h.domains.first)->job.state, JOB_BACKWARD);
    domain_of(h.domains.first)->job.deadline_ms = 1; /* it does not let go either */
    assert_false(ok_of(answer(), error, sizeof(error)));
    assert_non_null(strstr(error, "did not answer"));
    assert_clean();
}

static void test_refusals_of_requests(void **state)
{
    static const char *const bad[][2] = {
        { "{}", "op" },
        { "no json", "JSON" },
        { "{\"op\":\"destroy\"}", "domain" },
        { "{\"op\":\"destroy\",\"domain\":\"nobody\"}", "nobody" },
        { "{\"op\":\"destroy\",\"domain\":\"0\"}", "domain 0" },
        { "{\"op\":\"pause\",\"domain\":\"Domain-0\"}", "domain 0" },
        { "{\"op\":\"shutdown\"}", "one domain or all" },
        { "{\"op\":\"refusals\"}", "not available on this hypervisor" },
        { "{\"op\":\"info\",\"domain\":\"99999999999999999999\"}", "no domain" },
        { "{\"op\":\"create\",\"config\":\"name='x'\"}", "error" },
        { "{\"op\":\"create\",\"config\":\"name='../x'\\nkernel='/k'\\nmemory=16\"}", "1 error" },
        { "{\"op\":\"create\",\"config\":\"name='12'\\nkernel='/k'\\nmemory=16\"}", "1 error" },
        { "{\"op\":\"create\",\"config\":\"name='x'\\nkernel='/k'\\nmemory=16\\nvif=['bridge=br9']\"}", "br"
                                                                                                        "9" },
        { "{\"op\":\"create\",\"config\":\"name='x'\\nkernel='/k'\\nmemory=16\\ndisk=['/none,raw,xvda,w']\"}",
          "/none" },
    };
    char error[512];

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(request(bad[i][0], error, sizeof(error)));
        if (!strstr(error, bad[i][1]))
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i][0], error, bad[i][1]);
    }
    assert_true(request("{\"op\":\"list\"}", NULL, 0));
    assert_true(request("{\"op\":\"host\"}", NULL, 0));
    assert_true(request("{\"op\":\"dmesg\"}", NULL, 0));
    assert_clean();
}

/* What @path of the answer's first element of list @list says, as JSON. */
static void assert_member(const char *line, const char *list, const char *key, const char *value)
{
    struct json_object *o, *v = NULL;

    send_text(line);
    send_text("\n");
    o = answer();
    assert_non_null(o);
    assert_true(json_object_object_get_ex(o, list, &v));
    assert_true(json_object_array_length(v) > 0);
    assert_true(json_object_object_get_ex(json_object_array_get_idx(v, 0), key, &v));
    assert_string_equal(json_object_get_string(v), value);
    json_object_put(o);
}

static void test_vcpus(void **state)
{
    assert_true(create("a", "vcpus=2\nmaxvcpus=3\ncpus='1-2'\ncpus_soft='2'\ncpu_weight=512\ncap=50\n", NULL, 0));
    assert_int_equal(world.domain[1].hard[2], 6);
    assert_int_equal(world.domain[1].soft[0], 4);
    assert_int_equal(world.domain[1].weight, 512);
    assert_int_equal(world.domain[1].cap, 50);
    assert_member("{\"op\":\"vcpus\",\"domain\":\"a\"}", "vcpus", "hard", "1-2");
    assert_member("{\"op\":\"vcpus\"}", "vcpus", "soft", "all");
    assert_member("{\"op\":\"sched\",\"domain\":\"a\"}", "shares", "weight", "512");

    assert_true(request("{\"op\":\"vcpu_pin\",\"domain\":\"a\",\"vcpu\":0,\"hard\":\"0-3,^2\"}", NULL, 0));
    assert_int_equal(world.domain[1].hard[0], 0xb);
    assert_int_equal(world.domain[1].hard[1], 6);
    assert_int_equal(world.domain[1].soft[0], 4);
    assert_true(request("{\"op\":\"vcpu_pin\",\"domain\":\"a\",\"soft\":\"all\"}", NULL, 0));
    assert_member("{\"op\":\"vcpus\",\"domain\":\"a\"}", "vcpus", "soft", "all");
    assert_member("{\"op\":\"vcpus\",\"domain\":\"a\"}", "vcpus", "hard", "0-1,3");

    assert_true(request("{\"op\":\"vcpu_set\",\"domain\":\"a\",\"count\":3}", NULL, 0));
    assert_string_equal(world_node("/local/domain/1/cpu/2/availability"), "online");
    assert_true(request("{\"op\":\"vcpu_set\",\"domain\":\"a\",\"count\":1}", NULL, 0));
    assert_string_equal(world_node("/local/domain/1/cpu/1/availability"), "offline");
    assert_string_equal(world_node("/local/domain/1/cpu/0/availability"), "online");

    assert_true(request("{\"op\":\"sched\",\"domain\":\"a\",\"cap\":0}", NULL, 0));
    assert_int_equal(world.domain[1].weight, 512);
    assert_int_equal(world.domain[1].cap, 0);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

static void test_guest_requests(void **state)
{
    assert_true(create("a", "maxmem=32\n", NULL, 0));
    assert_true(request("{\"op\":\"sysrq\",\"domain\":\"a\",\"text\":\"h\"}", NULL, 0));
    assert_string_equal(world_node("/local/domain/1/control/sysrq"), "h");
    assert_true(request("{\"op\":\"mem_set\",\"domain\":\"a\",\"kib\":20480}", NULL, 0));
    assert_string_equal(world_node("/local/domain/1/memory/target"), "20480");
    assert_int_equal(world.domain[1].max_kib, 20480 + 1024);
    assert_true(request("{\"op\":\"mem_max\",\"domain\":\"a\",\"kib\":65536}", NULL, 0));
    assert_int_equal(world.domain[1].max_kib, 65536 + 1024);
    assert_true(request("{\"op\":\"debug_keys\",\"text\":\"q\"}", NULL, 0));
    assert_int_equal(world.key, 'q');
    assert_true(request("{\"op\":\"devices\",\"domain\":\"a\"}", NULL, 0));
    assert_true(request("{\"op\":\"devices\",\"domain\":\"0\"}", NULL, 0));
    assert_true(request("{\"op\":\"list\",\"configs\":true}", NULL, 0));
    send_text("{\"op\":\"wait\",\"domain\":\"a\"}\n");
    assert_null(answer());
    world_guest_ends(1, 0);
    assert_true(ok_of(answer(), NULL, 0));
    assert_clean();
}

static void test_guest_mistakes(void **state)
{
    static const char *const bad[][2] = {
        { "{\"op\":\"sysrq\",\"domain\":\"a\",\"text\":\"hh\"}", "sysrq \"hh\": one letter" },
        { "{\"op\":\"mem_set\",\"domain\":\"a\",\"kib\":20480}", "domain a can have 4096 to 16384 KiB; maxmem=" },
        { "{\"op\":\"mem_set\",\"domain\":\"a\",\"kib\":1}", "1 KiB: domain a can have 4096" },
        { "{\"op\":\"mem_max\",\"domain\":\"a\",\"kib\":8192}", "domain a has 16384 KiB now" },
        { "{\"op\":\"debug_keys\",\"text\":\"\"}", "name the keys" },
        { "{\"op\":\"wait\",\"domain\":\"0\"}", "domain 0 is this system" },
        { "{\"op\":\"config_update\",\"domain\":\"a\",\"config\":\"name='a'\"}", "error" },
        { "{\"op\":\"config_update\",\"domain\":\"x\",\"config\":\"name='a'\"}", "no domain x" },
    };
    char error[512];

    assert_true(create("a", "", NULL, 0));
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(request(bad[i][0], error, sizeof(error)));
        if (!strstr(error, bad[i][1]))
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i][0], error, bad[i][1]);
    }
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

/* A new configuration counts from the next restart on, also over a restart of hauchd; UUID and name stay. */
static void test_config_update(void **state)
{
    uint8_t uuid[16];

    assert_true(create("a", "", NULL, 0));
    memcpy(uuid, world.domain[1].uuid, 16);
    assert_true(request("{\"op\":\"config_update\",\"domain\":\"a\",\"config\":\"name='b'\\nmemory=32\\n"
                        "kernel='/k'\"}", NULL, 0));
    assert_int_equal(world.domain[1].pages, 4096);
    daemon_gone();
    daemon_up();
    domain_of(h.domains.first)->started_ms -= 5000;
    world_guest_ends(1, 1);
    turn(10);
    assert_false(world.domain[1].exists);
    assert_true(world.domain[2].exists);
    assert_int_equal(world.domain[2].pages, 8192);
    assert_memory_equal(world.domain[2].uuid, uuid, 16);
    assert_string_equal(world_node("/local/domain/2/name"), "a");
    assert_int_equal(world.links, 0);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

/* ---- devices that come and go ---- */
static bool attach(const char *type, const char *spec, char *error, size_t size)
{
    char line[512];

    snprintf(line, sizeof(line), "{\"op\":\"attach\",\"domain\":\"a\",\"type\":\"%s\",\"spec\":\"%s\"}", type, spec);
    return request(line, error, size);
}

static bool detach(const char *type, const char *which, char *error, size_t size)
{
    char line[512];

    snprintf(line, sizeof(line), "{\"op\":\"detach\",\"domain\":\"a\",\"type\":\"%s\",\"device\":\"%s\"}", type, which);
    return request(line, error, size);
}

static void test_hotplug(void **state)
{
    struct domain *d;
    char           spec[128], error[512];

    assert_true(create("a", "", NULL, 0));
    d = domain_of(h.domains.first);
    snprintf(spec, sizeof(spec), "%s,raw,xvdb,w", disk);
    assert_true(attach("disk", spec, NULL, 0));
    assert_int_equal(world.loops, 1);
    assert_string_equal(world_node("/local/domain/0/backend/vbd/1/51728/mode"), "w");
    assert_true(attach("vif", "bridge=xenbr0", NULL, 0));
    assert_int_equal(world.links, 3);
    assert_string_equal(world_node("/local/domain/0/backend/vif/1/2/hotplug-status"), "connected");
    assert_false(attach("disk", spec, error, sizeof(error)));
    assert_non_null(strstr(error, "xvdb,w"));

    /* They survive a restart of hauchd and one of the domain. */
    daemon_gone();
    daemon_up();
    d = domain_of(h.domains.first);
    assert_int_equal(d->config.disk_count, 1);
    assert_int_equal(d->config.vif_count, 3);
    assert_true(detach("vif", "0", NULL, 0));
    d->started_ms -= 5000;
    world_guest_ends(1, 1);
    turn(10);
    assert_int_equal(world.loops, 1);
    assert_int_equal(world.links, 2);
    assert_null(world_node("/local/domain/0/backend/vif/2/0/mac"));
    assert_non_null(world_node("/local/domain/0/backend/vif/2/2/mac"));

    assert_true(detach("disk", "xvdb", NULL, 0));
    assert_int_equal(world.loops, 0);
    assert_null(world_node("/local/domain/0/backend/vbd/2/51728/mode"));
    assert_false(detach("disk", "xvdb", error, sizeof(error)));
    assert_non_null(strstr(error, "domain a has no disk xvdb"));
    assert_false(detach("vif", "00:16:3e:00:00:99", error, sizeof(error)));
    assert_non_null(strstr(error, "no network card 00:16:3e:00:00:99; hauch network-list"));
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

/* A guest that uses a device is asked; it may refuse. Force, or the end of the domain, does not ask. */
static void test_hotplug_asks(void **state)
{
    char spec[128], error[512];

    assert_true(create("a", with_disk(), NULL, 0));
    xs_client_write(h.xs, 0, "/local/domain/1/device/vbd/51712/state", "4", 1);
    world.backends_silent = true;       /* its kernel device stays */
    send_text("{\"op\":\"detach\",\"domain\":\"a\",\"type\":\"disk\",\"device\":\"xvda\"}\n");
    assert_null(answer());
    assert_string_equal(world_node("/local/domain/0/backend/vbd/1/51712/online"), "0");
    assert_string_equal(world_node("/local/domain/0/backend/vbd/1/51712/state"), "5");
    assert_int_equal(world.loops, 1);
    world.backends_silent = false;
    xs_client_write(h.xs, 0, "/local/domain/0/backend/vbd/1/51712/state", "6", 1);
    assert_true(ok_of(answer(), NULL, 0));
    assert_int_equal(world.loops, 0);

    /* It does not let go in time; the end of the domain takes the device all the same. */
    snprintf(spec, sizeof(spec), "%s,raw,xvdb,w", disk);
    assert_true(attach("disk", spec, NULL, 0));
    xs_client_write(h.xs, 0, "/local/domain/1/device/vbd/51728/state", "4", 1);
    world.backends_silent = true;
    send_text("{\"op\":\"detach\",\"domain\":\"a\",\"type\":\"disk\",\"device\":\"xvdb\"}\n");
    assert_null(answer());
    hotplug_hurry(&h);
    assert_false(ok_of(answer(), error, sizeof(error)));
    assert_non_null(strstr(error, "domain a does not let go of disk 51728 within 10 s"));
    send_text("{\"op\":\"detach\",\"domain\":\"a\",\"type\":\"disk\",\"device\":\"xvdb\"}\n");
    assert_null(answer());
    world.backends_silent = false;
    close(client_fd);
    client_fd = -1;
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

/* ---- definitions, and the host's own beginning and end ---- */
#define WEB_CFG "name='web'\\nmemory=16\\nkernel='/k'\\n"

static void test_registry(void **state)
{
    char error[512];

    assert_true(request("{\"op\":\"define\",\"config\":\"" WEB_CFG "\"}", NULL, 0));
    assert_member("{\"op\":\"definitions\"}", "definitions", "name", "web");
    assert_member("{\"op\":\"definitions\"}", "definitions", "running", "false");
    assert_int_equal(h.domains.count, 0);
    assert_false(request("{\"op\":\"start\",\"domain\":\"wob\"}", error, sizeof(error)));
    assert_non_null(strstr(error, "no definition wob; hauch list --defined"));
    assert_false(request("{\"op\":\"define\",\"config\":\"name='x'\"}", error, sizeof(error)));
    assert_non_null(strstr(error, "error"));
    assert_true(request("{\"op\":\"start\",\"domain\":\"web\"}", NULL, 0));
    assert_true(world.domain[1].exists);
    assert_false(request("{\"op\":\"start\",\"domain\":\"web\"}", error, sizeof(error)));
    assert_non_null(strstr(error, "name web is taken by domain 1"));
    assert_true(request("{\"op\":\"definition\",\"domain\":\"web\"}", NULL, 0));
    assert_true(request("{\"op\":\"autostart\",\"domain\":\"web\",\"on\":true}", NULL, 0));
    daemon_gone();
    daemon_up();
    assert_member("{\"op\":\"definitions\"}", "definitions", "autostart", "true");
    assert_member("{\"op\":\"definitions\"}", "definitions", "domid", "1");
    assert_true(request("{\"op\":\"undefine\",\"domain\":\"web\"}", NULL, 0));
    assert_true(world.domain[1].exists);
    assert_false(request("{\"op\":\"undefine\",\"domain\":\"web\"}", error, sizeof(error)));
    assert_false(request("{\"op\":\"autostart\",\"domain\":\"web\",\"on\":true}", error, sizeof(error)));
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"web\"}", NULL, 0));
    assert_clean();
}

/* What ran comes back after the host's restart, with what was plugged in meanwhile; and what starts with it. */
static void test_halt_and_boot(void **state)
{
    char spec[128], error[512];

    assert_true(create("a", "on_poweroff='restart'\n", NULL, 0));
    snprintf(spec, sizeof(spec), "%s,raw,xvdb,w", disk);
    assert_true(attach("disk", spec, NULL, 0));
    assert_true(request("{\"op\":\"define\",\"config\":\"" WEB_CFG "\"}", NULL, 0));
    assert_true(request("{\"op\":\"autostart\",\"domain\":\"web\",\"on\":true}", NULL, 0));
    send_text("{\"op\":\"halt\"}\n");
    assert_null(answer());
    assert_string_equal(world_node("/local/domain/1/control/shutdown"), "poweroff");
    world_guest_ends(1, 0);
    assert_true(ok_of(answer(), NULL, 0));
    assert_clean();
    assert_false(create("b", "", error, sizeof(error)));
    assert_non_null(strstr(error, "this host is going down"));

    daemon_gone();
    daemon_up();
    assert_true(request("{\"op\":\"boot\"}", NULL, 0));
    turn(6);
    assert_int_equal(h.domains.count, 2);
    assert_int_equal(world.loops, 1);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"web\"}", NULL, 0));
    assert_true(request("{\"op\":\"boot\"}", NULL, 0));
    turn(6);
    assert_int_equal(h.domains.count, 2);

    /* One that does not listen is removed when its time is over. */
    assert_true(request("{\"op\":\"halt\",\"seconds\":0}", NULL, 0));
    assert_clean();
    assert_false(request("{\"op\":\"halt\",\"seconds\":4000}", error, sizeof(error)));
    assert_non_null(strstr(error, "4000 seconds: 0 to 3600"));
}

static void test_events(void **state)
{
    static char buf[65536];
    int         listener;
    ssize_t     n;

    assert_true(request("{\"op\":\"events\"}", NULL, 0));
    listener = client_fd;
    client_fd = -1;
    assert_true(create("a", "", NULL, 0));
    assert_true(request("{\"op\":\"pause\",\"domain\":\"a\"}", NULL, 0));
    world_guest_ends(1, 3);
    turn(8);
    n = read(listener, buf, sizeof(buf) - 1);
    assert_true(n > 0);
    buf[n] = 0;
    assert_non_null(strstr(buf, "\"event\":\"created\""));
    assert_non_null(strstr(buf, "\"event\":\"paused\""));
    assert_non_null(strstr(buf, "\"detail\":\"crashed\""));
    assert_non_null(strstr(buf, "\"event\":\"gone\""));
    close(listener);
    turn(2);
    assert_clean();
}

/* ---- long work beside the loop ---- */
static struct json_object *answer_within(int ms)
{
    struct json_object *o = NULL;

    while (!o && ms-- > 0) {
        loop_once(&h, 1);
        o = answer();
    }
    return o;
}

/* Of two that want the same disk the one that was asked for first gets it, however long its kernel takes. */
static void test_order_of_long_work(void **state)
{
        struct fault f = { 0 };

    assert_int_equal(worker_start(&h, &f), 0);
    world.hold_kernel = true;
    for (int i = 0; i < 2; i++) {
        struct json_object *o = create_request(i ? "late" : "early", with_disk());

        send_text(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
        send_text("\n");
        turn(3);
        close(client_fd);
        client_fd = -1;
        json_object_put(o);
    }
    world.hold_kernel = false;
    usleep(100000);                     /* both are unpacked before the loop looks */
    for (int i = 0; i < 5000 && h.domains.count > 1; i++)
        loop_once(&h, 1);
    assert_int_equal(h.domains.count, 1);
    assert_string_equal(h.domains.first->name, "early");
    for (int i = 0; i < 5000 && domain_of(h.domains.first)->job.state != JOB_UP; i++)
        loop_once(&h, 1);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"early\"}", NULL, 0));
    worker_stop(&h);
    assert_clean();
}

/* While a kernel is unpacked others are answered, and the domain may be given up. */
static void test_long_work(void **state)
{
    struct json_object *o = create_request("slow", with_disk());
    struct fault        f = { 0 };
    int                 first;

    assert_int_equal(worker_start(&h, &f), 0);
    world.hold_kernel = true;
    send_text(json_object_to_json_string(o));
    send_text("\n");
    assert_null(answer());
    first = client_fd;
    client_fd = -1;
    assert_true(request("{\"op\":\"list\"}", NULL, 0));
    assert_true(request("{\"op\":\"host\"}", NULL, 0));
    assert_int_equal(h.domains.count, 1);
    world.hold_kernel = false;
    close(client_fd);
    client_fd = first;
    assert_true(ok_of(answer_within(5000), NULL, 0));
    assert_true(world.domain[1].exists && !world.domain[1].paused);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"slow\"}", NULL, 0));

    world.hold_kernel = true;
    send_text(json_object_to_json_string(o));
    send_text("\n");
    assert_null(answer());
    close(client_fd);
    client_fd = -1;
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"slow\"}", NULL, 0));
    assert_int_equal(h.domains.count, 0);
    world.hold_kernel = false;
    for (int i = 0; i < 5000 && world.images >= 0 && world.calls < 1000; i++) {
        loop_once(&h, 1);
        if (i > 20 && !world.images)
            break;
    }
    worker_stop(&h);
    json_object_put(o);
    assert_clean();
}

static void test_vcpu_mistakes(void **state)
{
    static const char *const bad[][2] = {
        { "{\"op\":\"vcpu_set\",\"domain\":\"a\",\"count\":4}", "4 vCPUs: domain a can have 1 to 3; maxvcpus=" },
        { "{\"op\":\"vcpu_set\",\"domain\":\"a\",\"count\":0}", "0 vCPUs" },
        { "{\"op\":\"vcpu_set\",\"domain\":\"b\",\"count\":1}", "no domain b" },
        { "{\"op\":\"vcpu_pin\",\"domain\":\"a\",\"hard\":\"2-9\"}", "no CPU 4: this host has 4, numbered 0 to 3" },
        { "{\"op\":\"vcpu_pin\",\"domain\":\"a\",\"soft\":\"9\"}", "soft affinity: there is no CPU 9" },
        { "{\"op\":\"vcpu_pin\",\"domain\":\"a\",\"hard\":\"x\"}", "\"x\" is no CPU" },
        { "{\"op\":\"vcpu_pin\",\"domain\":\"a\",\"hard\":\"1,^1\"}", "leaves no CPU" },
        { "{\"op\":\"vcpu_pin\",\"domain\":\"a\",\"vcpu\":3,\"hard\":\"1\"}", "no vCPU 3: it has 3" },
        { "{\"op\":\"vcpu_pin\",\"domain\":\"a\"}", "name the CPUs" },
        { "{\"op\":\"sched\",\"domain\":\"a\",\"weight\":65536}", "weight 65536: 1 to 65535" },
        { "{\"op\":\"sched\",\"domain\":\"a\",\"cap\":-1}", "cap -1: percent" },
        { "{\"op\":\"sched\",\"weight\":1}", "name it" },
    };
    char error[512];

    assert_true(create("a", "maxvcpus=3\n", NULL, 0));
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(request(bad[i][0], error, sizeof(error)));
        if (!strstr(error, bad[i][1]))
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i][0], error, bad[i][1]);
    }
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_false(create("b", "cpus='7'\n", error, sizeof(error)));
    assert_non_null(strstr(error, "cpus=: there is no CPU 7"));
    assert_clean();
}

static void assert_log(const char *line, const char *expected)
{
    struct json_object *o, *v = NULL;

    send_text(line);
    send_text("\n");
    o = answer();
    assert_non_null(o);
    assert_true(json_object_object_get_ex(o, "log", &v));
    assert_string_equal(json_object_get_string(v), expected);
    json_object_put(o);
}

static void test_records_of_the_hypervisor(void **state)
{
    char error[512];

    assert_false(request("{\"op\":\"missing\"}", error, sizeof(error)));
    assert_non_null(strstr(error, "not available on this hypervisor"));
    assert_int_equal(world.key, 0);                 /* another hypervisor gets no key */
    world.is_hauch = true;
    assert_log("{\"op\":\"dmesg\"}", "boot\nline with ?\x01\n");
    assert_log("{\"op\":\"missing\"}", "xenoprof_op 0 -: 2 times\n");
    assert_log("{\"op\":\"last-crash\",\"clear\":true}", "PANIC on CPU 0: cause\n");
    assert_log("{\"op\":\"last-crash\"}", "");
    assert_log("{\"op\":\"refusals\"}", "domain 0: refused calls\nzero\ndomain 7: refused calls\nseven\n");
    assert_log("{\"op\":\"refusals\",\"domain\":\"0\"}", "domain 0: refused calls\nzero\n");
    assert_clean();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create_and_destroy),
        TEST(test_failure_at_every_call),
        TEST(test_actions),
        TEST(test_restart),
        TEST(test_rename_restart),
        TEST(test_image_in_use),
        TEST(test_killed_and_back),
        TEST(test_killed_while_making),
        TEST(test_waiting_clients),
        TEST(test_silent_backend),
        TEST(test_refusals_of_requests),
        TEST(test_records_of_the_hypervisor),
        TEST(test_progress),
        TEST(test_vcpus),
        TEST(test_long_work),
        TEST(test_order_of_long_work),
        TEST(test_registry),
        TEST(test_halt_and_boot),
        TEST(test_events),
        TEST(test_hotplug),
        TEST(test_hotplug_asks),
        TEST(test_guest_requests),
        TEST(test_guest_mistakes),
        TEST(test_config_update),
        TEST(test_vcpu_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
