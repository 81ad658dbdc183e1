/* SPDX-License-Identifier: BSD-2-Clause */
/* What hauchd says, whole, in answers and in its log, when something is refused, missing, late or lost. */
#define _GNU_SOURCE
#include "tests/host/hauchd_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dom0/hauchd/hotplug.h"
#include "lib/build_pv.h"
#include "tests/host/log_capture.h"

static char error[1024], long_line[1100];
static int  fail_pread;            /* errno of reading a ramdisk; -1: it ends */
static int  fail_fsync;
static int  fail_pwrite;           /* errno of writing a core file */

ssize_t __real_pwrite(int fd, const void *from, size_t size, off_t at);
ssize_t __wrap_pwrite(int fd, const void *from, size_t size, off_t at);
ssize_t __wrap_pwrite(int fd, const void *from, size_t size, off_t at)
{
    errno = fail_pwrite;
    return fail_pwrite ? -1 : __real_pwrite(fd, from, size, at);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    errno = fail_fsync;
    return fail_fsync ? -1 : __real_fsync(fd);
}

ssize_t __real_pread(int fd, void *to, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t size, off_t at)
{
    errno = fail_pread;
    return fail_pread ? -(fail_pread > 0) : __real_pread(fd, to, size, at);
}

static int finish(void **state)
{
    if (real_stderr >= 0)
        fputs(log_end(), stderr);
    return teardown(state);
}

static void destroy(const char *name)
{
    char line[128];

    snprintf(line, sizeof(line), "{\"op\":\"destroy\",\"domain\":\"%s\"}", name);
    assert_true(request(line, NULL, 0));
}

static void refuses(const char *line, const char *words)
{
    assert_false(request(line, error, sizeof(error)));
    if (strcmp(error, words))
        fail_msg("%s: \"%s\", not \"%s\"", line, error, words);
}

static void refuses_to_create(const char *name, const char *more, const char *words)
{
    assert_false(create(name, more, error, sizeof(error)));
    if (strcmp(error, words))
        fail_msg("%s: \"%s\", not \"%s\"", more, error, words);
    assert_clean();
}

/* The step that waits has waited long enough. */
static void hurry(void)
{
    for (struct index_entry *e = h.domains.first; e; e = e->next)
        if (domain_of(e)->job.deadline_ms)
            domain_of(e)->job.deadline_ms = 1;
    turn(3);
}

/* Sends a creation that waits, is hurried, and fails with @words. */
static void waits_in_vain(const char *more, const char *words)
{
    struct json_object *o = create_request("a", more);

    send_object(o);
    json_object_put(o);
    assert_null(answer());
    hurry();
    hurry();
    assert_false(ok_of(answer(), error, sizeof(error)));
    assert_string_equal(error, words);
}

/* ---- creation ---- */
static void test_files(void **state)
{
    char more[256], words[256], link[80];

    refuses_to_create("a", "ramdisk='/none'\n", "files: cannot open ramdisk /none (check the path and its "
                                                "permissions): No such file or directory");
    refuses_to_create("a", "ramdisk='/dev/null'\n",
                      "files: ramdisk /dev/null is not a file; give the path of one");
    snprintf(link, sizeof(link), "%s.link", disk);
    assert_int_equal(symlink(disk, link), 0);
    snprintf(more, sizeof(more), "disk=['%s,raw,xvda,w','%s,raw,xvdb,r']\n", disk, link);
    snprintf(words, sizeof(words), "files: disks xvda and xvdb are both %s, and not both read-only; leave "
                                   "one out", link);
    refuses_to_create("a", more, words);
    unlink(link);
    snprintf(world.link[world.links++], sizeof(world.link[0]), "web0");
    assert_false(create("a", "vif=['vifname=web0']\n", error, sizeof(error)));
    assert_string_equal(error, "files: vif 0: there is already an interface web0; choose another vifname=");
    world.links = 0;
    world.fail_name = "driver";
    refuses_to_create("a", with_disk(),
                      "files: there is no back end for vbd devices in this kernel: modprobe xen-blkback");
    world.fail_name = NULL;
}

static void test_kernel_and_ramdisk(void **state)
{
    struct image    image = { 0 };
    struct build_pv b = { .image = &image, .cmdline = long_line };
    struct fault    f;
    char            more[128], words[256];

    memset(long_line, 'x', 1024);
    assert_int_equal(build_pv_plan(&b, &f), -E2BIG);
    assert_string_equal(f.text, "kernel command line of 1024 bytes: a PV kernel takes at most 1023; "
                                "shorten cmdline=, "
                                "extra= or root=");
    snprintf(more, sizeof(more), "ramdisk='%s'\n", disk);
    fail_pread = EIO;
    snprintf(words, sizeof(words), "build: cannot read ramdisk %s (copy it again): Input/output error", disk);
    refuses_to_create("a", more, words);
    fail_pread = -1;
    snprintf(words, sizeof(words), "build: ramdisk %s became shorter than 4096 bytes while it was read; "
                                   "try again when it is written", disk);
    refuses_to_create("a", more, words);
    fail_pread = 0;
}

static void test_names_and_numbers(void **state)
{
    assert_true(create("a", with_disk(), NULL, 0));
    world.next_id = 1;
    assert_false(create("b", "", error, sizeof(error)));
    assert_string_equal(error, "domain: the hypervisor gave the number 1, which hauchd knows already "
                               "(restart "
                               "hauchd): File exists");
    world.domain[1].exists = true;
    refuses("{\"op\":\"rename\",\"domain\":\"a\",\"name\":\"7\"}",
            "name \"7\" cannot be used: a name has 1 to 127 letters, digits or . _ - + and is not a number");
    assert_true(create("c", "", NULL, 0));
    refuses("{\"op\":\"rename\",\"domain\":\"c\",\"name\":\"a\"}",
            "name a is taken by domain 1; choose another, or rename that domain");
    destroy("c");
    destroy("a");
    assert_clean();
}

static void test_disk_of_another(void **state)
{
    char words[256];

    assert_true(create("a", with_disk(), NULL, 0));
    snprintf(words, sizeof(words), "files: disk xvda: %s is already disk xvda of domain a (1), which may "
                                   "write to it; detach it there or give it read-only to both", disk);
    log_begin();
    assert_false(create("b", with_disk(), error, sizeof(error)));
    log_has("hauchd: b: not created: files: disk xvda: ");
    assert_string_equal(error, words);
    destroy("a");
    assert_clean();
}

/* ---- what waits in vain ---- */
static void test_late_devices(void **state)
{
    struct json_object *o = create_request("a", with_disk());

    world.links_late = true;
    waits_in_vain("", "back ends: vif 0: interface vif1.0 did not appear; dmesg may say why");
    world.links_late = false;
    assert_clean();
    world.backends_silent = true;
    send_object(o);
    json_object_put(o);
    assert_null(answer());
    world.backends_silent = false;
    xs_client_write(h.xs, 0, "/local/domain/0/error/backend/vbd/2/51712/error", "2 no such device", 16);
    hurry();
    assert_false(ok_of(answer(), error, sizeof(error)));
    assert_string_equal(error, "back ends: vbd xvda: the back end says: 2 no such device; dmesg may say "
                               "more");
    xs_client_rm(h.xs, 0, "/local/domain/0/error");
    assert_clean();
}

static void test_devices_that_stay(void **state)
{
    assert_true(create("a", with_disk(), NULL, 0));
    world.backends_silent = true;
    log_begin();
    send_text("{\"op\":\"destroy\",\"domain\":\"a\"}\n");
    turn(2);
    hurry();
    log_has("hauchd: a (1): undoing back ends: the back end of vif 1 did not let go; hauch doctor shows "
            "what it keeps");
    world.backends_silent = false;
    assert_true(ok_of(answer(), NULL, 0));
    world.links = 0;
    assert_clean();

    assert_true(create("a", "", NULL, 0));
    world.links_late = true;
    log_begin();
    send_text("{\"op\":\"destroy\",\"domain\":\"a\"}\n");
    turn(2);
    hurry();
    log_has("hauchd: a (2): undoing back ends: interface vif2.1 of vif 1 did not go; dmesg may say why");
    world.links_late = false;
    world.links = 0;
    assert_true(ok_of(answer(), NULL, 0));
    assert_clean();
}

/* The thread beside the loop is held; what waits for it is told of, and then it may go on. */
static void let_go(_Atomic bool *held)
{
    *held = false;
    for (int i = 0; i < 5000 && (worker_busy(&h) || h.domains.count); i++)
        loop_once(&h, 1);
    turn(6);
}

static bool request_of(struct json_object *o)
{
    struct json_object *got = NULL;

    send_object(o);
    json_object_put(o);
    for (int i = 0; i < 5000 && !got; i++) {
        loop_once(&h, 1);
        got = answer();
    }
    return ok_of(got, NULL, 0);
}

static void test_late_work(void **state)
{
    struct fault f = { 0 };
    const char  *late;

    assert_int_equal(worker_start(&h, &f), 0);
    world.hold_kernel = true;
    waits_in_vain("", "files: kernel /k is not unpacked after 600 s; is the disk that it is on slow or "
                      "broken?");
    let_go(&world.hold_kernel);
    world.hold_build = true;
    log_begin();
    send_text("{\"op\":\"create\",\"config\":\"name='a'\\nmemory=16\\nkernel='/k'\"}\n");
    for (int i = 0; i < 5000 && !world.domain[1].exists; i++)
        loop_once(&h, 1);
    turn(4);
    hurry();
    hurry();
    let_go(&world.hold_build);
    late = log_end();
    assert_non_null(strstr(late, "undoing build: its memory is still being filled; restart hauchd if that "
                                 "does not end"));
    assert_non_null(strstr(late, "hauchd: a: not created: build: its memory is not filled after 3600 s; "
                                 "hauch dmesg may "
                                 "say why"));
    assert_false(ok_of(answer(), NULL, 0));
    assert_true(request_of(create_request("a", "")));
    world.hold_destroy = true;
    log_begin();
    send_text("{\"op\":\"destroy\",\"domain\":\"a\"}\n");
    turn(4);
    hurry();
    let_go(&world.hold_destroy);
    log_has("undoing domain: its memory is still being taken back; a back end may hold it (hauch doctor)");
    assert_true(ok_of(answer(), NULL, 0));
    worker_stop(&h);
    daemon_gone();              /* the next one removes what was passed over */
    daemon_up();
    turn(8);
    assert_clean();
}

/* ---- ends ---- */
static void test_ends(void **state)
{
    assert_true(create("a", "", NULL, 0));
    log_begin();
    world_guest_ends(1, 1);
    turn(6);
    log_has("hauchd: a (1): ended within 1000 ms of its start: not restarted\n");
    assert_true(create("a", "", NULL, 0));
    log_begin();
    world_guest_ends(2, 17);
    turn(6);
    log_has("hauchd: a (2): ended for an unknown reason; destroy\n");
    assert_true(create("a", "", NULL, 0));
    log_begin();
    world.domain[3].exists = false;
    eventfd_write(world.death_fd, 1);
    turn(6);
    log_has("hauchd: a (3): destroyed by someone else\n");
    assert_clean();
}

/* A domain renamed by hand is put aside at its restart; by then another has the name of its configuration. */
static void test_restart_without_a_name(void **state)
{
    assert_true(create("a", "on_reboot='rename-restart'\n", NULL, 0));
    assert_true(request("{\"op\":\"rename\",\"domain\":\"a\",\"name\":\"b\"}", NULL, 0));
    assert_true(create("a", "", NULL, 0));
    domain_of(index_by_name(&h.domains, "b"))->started_ms -= 5000;
    log_begin();
    world_guest_ends(1, 1);
    turn(6);
    log_has("hauchd: b-1: not restarted: name a is taken by domain 2; choose another name=, or destroy or "
            "rename that "
            "domain\n");
    destroy("a");
    destroy("b-1");
    assert_clean();
}

static void test_late_end_of_all(void **state)
{
    assert_true(create("a", "", NULL, 0));
    log_begin();
    send_text("{\"op\":\"halt\",\"seconds\":0}\n");
    turn(6);
    log_has("hauchd: a (1): did not end in time: removed\n");
    assert_true(ok_of(answer(), NULL, 0));
    assert_clean();
}

/* ---- state ---- */
static void test_state_that_is_lost(void **state)
{
    char moved[64], line[256];

    snprintf(moved, sizeof(moved), "%s.moved", dir);
    assert_int_equal(rename(dir, moved), 0);
    log_begin();
    assert_true(create("a", "on_reboot='rename-restart'\n", NULL, 0));
    snprintf(line, sizeof(line), "hauchd: a (1): cannot write %s/1.json; after a restart of hauchd this "
                                 "domain will not be looked after (make room there): No such file or "
                                 "directory\n", dir);
    log_has(line);
    log_begin();
    world_guest_ends(1, 1);
    turn(6);
    log_has("hauchd: a-1 (1): cannot be put aside: cannot write ");
    log_begin();
    destroy("a-1");
    turn(2);
    snprintf(line, sizeof(line), "hauchd: domain 1: cannot mark it as going in %s/1.going: No such file or "
                                 "directory; make room there\n", dir);
    log_has(line);
    assert_int_equal(rename(moved, dir), 0);
    assert_clean();
}

static void test_virq_of_another(void **state)
{
    world.virq_error = EBUSY;
    daemon_gone();
    log_begin();
    daemon_up();
    log_has("hauchd: another program holds the domain-death interrupt: listening to the store instead\n");
    world.virq_error = 0;
}

static void test_state_that_is_wrong(void **state)
{
    char path[128], line[256];
    FILE *out;

    snprintf(path, sizeof(path), "%s/7.json", dir);
    out = fopen(path, "we");
    fputs("nonsense", out);
    fclose(out);
    daemon_gone();
    log_begin();
    daemon_up();
    snprintf(line, sizeof(line), "hauchd: %s: not the state of a domain; removed\n", path);
    log_has(line);
    assert_clean();
}

static void test_disk_that_went(void **state)
{
    char line[320];

    snprintf(line, sizeof(line), "hauchd: a (1): a disk or bridge is not what it was: disk xvda: cannot "
                                 "find %s (give the path of a block device or an image): No such file or "
                                 "directory\n", disk);
    assert_true(create("a", with_disk(), NULL, 0));
    daemon_gone();
    unlink(disk);
    log_begin();
    daemon_up();
    log_has(line);
    destroy("a");
    assert_clean();
}

/* The state of a domain, with @text put in the place of @old. */
static void spoil(const char *old, const char *text)
{
    static char state[16384], fresh[17000];
    char  path[128], *at;
    FILE *file;

    snprintf(path, sizeof(path), "%s/1.json", dir);
    file = fopen(path, "r+e");
    state[fread(state, 1, sizeof(state) - 1, file)] = 0;
    at = strstr(state, old);
    assert_non_null(at);
    snprintf(fresh, sizeof(fresh), "%.*s%s%s", (int)(at - state), state, text, at + strlen(old));
    rewind(file);
    fputs(fresh, file);
    fclose(file);
}

static void restart_says(const char *line)
{
    daemon_gone();
    log_begin();
    daemon_up();
    turn(8);
    log_has(line);
}

static void test_found_again(void **state)
{
    char line[256];

    assert_true(create("a", "", NULL, 0));
    assert_true(request("{\"op\":\"config_update\",\"domain\":\"a\",\"config\":\"name='a'\\nmemory=32\\n"
                        "kernel='/k'\"}", NULL, 0));
    spoil("memory=32", "memory=??");
    restart_says("hauchd: a (1): the configuration for its restart is not understood: configuration: 1 "
                 "error; hauch "
                 "config-update gives another\n");
    spoil("\"complete\":1", "\"complete\":0");
    restart_says("hauchd: a (1): found again, half made\n");
    assert_clean();

    world.next_id = 1;
    assert_true(create("a", "", NULL, 0));
    domain_of(h.domains.first)->started_ms -= 5000;
    world.backends_silent = true;
    world_guest_ends(1, 1);
    turn(4);
    world.backends_silent = false;
    restart_says("hauchd: a (1): found again, half made: is made anew\n");
    destroy("a");
    world.next_id = 1;
    assert_true(create("a", "", NULL, 0));
    spoil("\"domid\":1", "\"domid\":0");
    world.domain[0].exists = false;
    snprintf(line, sizeof(line), "hauchd: %s/1.json: domain number 0 is none, or taken; removed\n", dir);
    restart_says(line);
}

static void store_goes(void)
{
    world.store_away = true;
    xs_client_close(h.xs);
    h.xs = NULL;
    epoll_ctl(h.epoll_fd, EPOLL_CTL_DEL, world.store_fd, NULL);
}

static void store_comes(void)
{
    world.store_away = false;
    assert_int_equal(peer_store_need(&h, NULL), 0);
}

static void test_end_without_store(void **state)
{
    char moved[64], line[320], uuid[40];

    assert_true(create("a", "", NULL, 0));
    store_goes();
    destroy("a");
    world.rm_error = ENOSPC;
    log_begin();
    store_comes();
    log_has("hauchd: domain 1: what it left in the store stays until the next try: ");
    world.rm_error = 0;
    store_goes();
    log_begin();
    store_comes();
    log_has("hauchd: domain 1 ended while no store ran: its nodes are removed now\n");
    assert_clean();

    assert_true(create("a", "", NULL, 0));
    store_goes();
    snprintf(moved, sizeof(moved), "%s.moved", dir);
    assert_int_equal(rename(dir, moved), 0);
    strcpy(uuid, domain_of(h.domains.first)->uuid_text);
    log_begin();
    destroy("a");
    snprintf(line, sizeof(line), "hauchd: a (2): cannot write %s/2-%s.left: No such file or directory; its "
                                 "nodes stay in the store, see hauch doctor\n", dir, uuid);
    log_has(line);
    assert_int_equal(rename(moved, dir), 0);
    store_comes();
    snprintf(line, sizeof(line), "%s/2.json", dir);
    unlink(line);
    snprintf(line, sizeof(line), "%s/2.going", dir);
    unlink(line);
}

/* ---- registry ---- */
static void test_registry_that_is_no_folder(void **state)
{
    char words[256];

    assert_true(request("{\"op\":\"define\",\"config\":\"name='web'\\nmemory=16\\nkernel='/k'\"}", NULL, 0));
    snprintf(words, sizeof(words), "%s/web.cfg", registry);
    assert_int_equal(unlink(words) | rmdir(registry), 0);
    close(open(registry, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    snprintf(words, sizeof(words), "cannot write %s/web.cfg.new (make room there, or make it writable): "
                                   "Not a directory", registry);
    refuses("{\"op\":\"define\",\"config\":\"name='web'\\nmemory=16\\nkernel='/k'\"}", words);
    snprintf(words, sizeof(words), "cannot change %s/autostart/web (make its folder writable): Not a "
                                   "directory",
             registry);
    refuses("{\"op\":\"autostart\",\"domain\":\"web\",\"on\":true}", words);
    snprintf(words, sizeof(words), "cannot read %s/web.cfg (its permissions?): Not a directory", registry);
    refuses("{\"op\":\"definition\",\"domain\":\"web\"}", words);
    snprintf(words, sizeof(words), "cannot remove %s/web.cfg (make its folder writable): Not a "
                                   "directory", registry);
    refuses("{\"op\":\"undefine\",\"domain\":\"web\"}", words);
    unlink(registry);
}

static void test_definitions(void **state)
{
    char path[128], line[256];

    mkdir(registry, 0700);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), i ? "%s/web.cfg" : "%s/7.cfg", registry);
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
    daemon_gone();
    log_begin();
    daemon_up();
    snprintf(line, sizeof(line), "hauchd: %s/7.cfg: not a definition: its name is none that a domain can "
                                 "have, or there are 4096 already\n", registry);
    log_has(line);
    h.definitions.count += 4095;           /* as many as there can be */
    refuses("{\"op\":\"define\",\"config\":\"name='more'\\nmemory=16\\nkernel='/k'\"}",
            "more: more than 4096 definitions; undefine some");
    h.definitions.count -= 4095;
    refuses("{\"op\":\"autostart\",\"domain\":\"none\",\"on\":true}",
            "there is no definition none; hauch list --defined shows those that are");
    assert_true(request("{\"op\":\"autostart\",\"domain\":\"web\",\"on\":true}", NULL, 0));
    log_begin();
    assert_true(request("{\"op\":\"boot\"}", NULL, 0));
    log_has("hauchd: web: not started: ");
}

/* ---- peers ---- */
static void test_peers(void **state)
{
    assert_true(create("a", "", NULL, 0));
    world.store_lost = world.store_away = true;
    log_begin();
    eventfd_write(world.store_fd, 1);
    turn(2);
    log_has("hauchd: the store went away: injected\n");
    world.store_lost = false;
    refuses("{\"op\":\"shutdown\",\"domain\":\"a\"}",
            "no store at /run/xenstored/socket; start hauch-store: No such file or directory");
    world.store_away = false;
    epoll_ctl(h.epoll_fd, EPOLL_CTL_DEL, world.store_fd, NULL);        /* here it is not closed */
    world.console_away = true;
    log_begin();
    eventfd_write(h.console_fd, 1);
    turn(2);
    log_has("hauchd: hauch-console went away\n");
    log_begin();
    assert_true(create("b", "", NULL, 0));
    log_has("hauchd: b (2): no console daemon at /run/hauch/console.sock; the console is added when "
            "hauch-console is "
            "there: No such file or directory\n");
    world.console_away = false;
    h.next_peer_try_ms = 0;
    log_begin();
    peers_connect(&h);
    log_has("hauchd: connected to hauch-console\n");
    destroy("a");
    destroy("b");
    assert_clean();
}

/* ---- requests ---- */
static void test_domains_of_others(void **state)
{
    world.domain[9].exists = true;
    refuses("{\"op\":\"shutdown\",\"domain\":\"9\",\"wait\":true}",
            "domain 9 was not made by hauchd: leave out -w");
    refuses("{\"op\":\"attach\",\"domain\":\"9\",\"type\":\"vif\",\"spec\":\"\"}",
            "domain 9 was not made by hauchd: use the tools that made it");
    refuses("{\"op\":\"attach\",\"domain\":\"9\",\"type\":\"usb\",\"spec\":\"\"}",
            "device type \"usb\": disk or vif is wanted");
    refuses("{\"op\":\"config_update\",\"domain\":\"9\",\"config\":\"name='a'\\nmemory=16\\nkernel='/k'\"}",
            "domain 9 was not made by hauchd: it has no configuration here");
    world.domain[9].exists = false;
    xs_client_rm(h.xs, 0, "/local/domain/9");
    assert_clean();
}

static void test_devices_of_a_domain_that_ended(void **state)
{
    assert_true(create("a", "on_poweroff='preserve'\n", NULL, 0));
    world_guest_ends(1, 0);
    turn(6);
    refuses("{\"op\":\"attach\",\"domain\":\"a\",\"type\":\"vif\",\"spec\":\"bridge=xenbr0\"}",
            "domain a has ended and is only kept: hauch destroy removes it");
    destroy("a");
    assert_clean();
}

static void another_client(void)
{
    close(client_fd);
    client_fd = -1;
}

static void test_domain_in_the_making(void **state)
{
    struct json_object *o = create_request("a", with_disk());

    world.backends_silent = true;
    send_object(o);
    json_object_put(o);
    assert_null(answer());
    another_client();
    refuses("{\"op\":\"unpause\",\"domain\":\"a\"}", "domain a is being made or removed; try again");
    world.backends_silent = false;
    destroy("a");
    assert_clean();
}

/* ---- devices later on ---- */
#define DETACH "{\"op\":\"detach\",\"domain\":\"a\",\"type\":\"disk\",\"device\":\"xvda\"}"

static void test_device_twice(void **state)
{
    assert_true(create("a", with_disk(), NULL, 0));
    xs_client_write(h.xs, 0, "/local/domain/1/device/vbd/51712/state", "4", 1);
    world.backends_silent = true;
    send_text(DETACH "\n");
    assert_null(answer());
    another_client();
    refuses(DETACH, "xvda of domain a is coming or going already");
    world.backends_silent = false;
    destroy("a");
    assert_clean();
}

static void test_too_many_settings(void **state)
{
    struct json_object *o = create_request("a", with_disk()), *set = json_object_new_array();
    char line[8192] = "{\"op\":\"attach\",\"domain\":\"a\",\"type\":\"vif\",\"spec\":\"script=";

    for (int i = 0; i < WIRE_SET_MAX; i++)
        json_object_array_add(set, json_object_new_string("memory=16"));
    json_object_object_add(o, "set", set);
    assert_true(request(json_object_to_json_string(o), NULL, 0));
    refuses("{\"op\":\"attach\",\"domain\":\"a\",\"type\":\"vif\",\"spec\":\"bridge=xenbr0\"}",
            "vif \"bridge=xenbr0,devid=2\": domain a: 256 settings beside its file are the limit; hauch "
            "config-update writes them into it");
    log_begin();
    assert_true(request(DETACH, NULL, 0));
    log_has("hauchd: a (1): after a restart it has the devices of before\n");
    json_object_object_add(o, "op", json_object_new_string("config_update"));
    json_object_object_add(o, "domain", json_object_new_string("a"));
    refuses(json_object_to_json_string(o),
            "256 settings beside the file, at most 255 are possible here: write some into it");
    memset(line + strlen(line), 'x', 5000);
    strcat(line, "\"}");
    refuses(line, "a device of 5007 bytes, at most 4064 are possible; give shorter paths");
    json_object_put(o);
    destroy("a");
    assert_clean();
}

/* ---- core files ---- */
static void test_core_files(void **state)
{
    char line[256], path[80], words[256];

    assert_true(create("a", "", NULL, 0));
    world.domain[1].told = true;
    log_begin();
    refuses("{\"op\":\"dump\",\"domain\":\"a\",\"path\":\"/none/core\"}",
            "cannot make core file /none/core (choose another path, in a folder that is there): No such "
            "file or "
            "directory");
    log_has("hauchd: domain 1: no core file: cannot make core file /none/core");
    refuses("{\"op\":\"dump\",\"domain\":\"a\",\"path\":\"/dev/null\"}",
            "core file /dev/null: there is something that is no file; choose another path");
    assert_int_equal(access("/dev/null", F_OK), 0);
    snprintf(path, sizeof(path), "%s.core", disk);
    snprintf(line, sizeof(line), "{\"op\":\"dump\",\"domain\":\"a\",\"path\":\"%s\"}", path);
    snprintf(words, sizeof(words), "hauchd: domain 1: core file in %s\n", path);
    fail_pwrite = ENOSPC;
    refuses(line, "cannot write the core of domain 1 (make room there): No space left on device");
    fail_pwrite = 0;
    assert_int_equal(access(path, F_OK), -1);
    log_begin();
    assert_true(request(line, NULL, 0));
    log_has(words);
    unlink(path);
    fail_fsync = EIO;
    snprintf(words, sizeof(words), "cannot write core file %s (make room there): Input/output error", path);
    refuses(line, words);
    fail_fsync = 0;
    destroy("a");
    assert_clean();
}

#define MESSAGES(f) cmocka_unit_test_setup_teardown(f, setup, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MESSAGES(test_files),
        MESSAGES(test_kernel_and_ramdisk),
        MESSAGES(test_names_and_numbers),
        MESSAGES(test_disk_of_another),
        MESSAGES(test_late_devices),
        MESSAGES(test_devices_that_stay),
        MESSAGES(test_late_work),
        MESSAGES(test_ends),
        MESSAGES(test_restart_without_a_name),
        MESSAGES(test_late_end_of_all),
        MESSAGES(test_state_that_is_lost),
        MESSAGES(test_state_that_is_wrong),
        MESSAGES(test_disk_that_went),
        MESSAGES(test_definitions),
        MESSAGES(test_registry_that_is_no_folder),
        MESSAGES(test_found_again),
        MESSAGES(test_end_without_store),
        MESSAGES(test_virq_of_another),
        MESSAGES(test_peers),
        MESSAGES(test_domains_of_others),
        MESSAGES(test_devices_of_a_domain_that_ended),
        MESSAGES(test_domain_in_the_making),
        MESSAGES(test_device_twice),
        MESSAGES(test_too_many_settings),
        MESSAGES(test_core_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
