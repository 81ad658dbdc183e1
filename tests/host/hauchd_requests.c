/* SPDX-License-Identifier: BSD-2-Clause */
/* What is asked of hauchd about domains that run: vCPUs, memory, devices, definitions, core files. After each
 * case the host must be as it was. */
#define _GNU_SOURCE
#include "tests/host/hauchd_harness.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

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
    assert_true(
        create("a", "vcpus=2\nmaxvcpus=3\ncpus='1-2'\ncpus_soft='2'\ncpu_weight=512\ncap=50\n", NULL, 0));
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

/* hauch list -l: as xl has it, for a domain of ours and for one that is not. */
static void test_long_list(void **state)
{
    static const char *const expected[] = {
        "{\"c_info\":{\"type\":\"pv\",\"name\":\"theirs\",\"uuid\":\"00000000-0000-0000-0000-000000000000\"},"
        "\"b_info\":{\"max_memkb\":0,\"target_memkb\":0,\"type.pv\":{}}}",
        "\"c_info\":{\"type\":\"pv\",\"name\":\"b\"",
        "\"uuid\":\"11111111-2222-3333-4444-555555555555\"",
        "\"avail_vcpus\":[0,1],\"sched_params\":{\"sched\":\"credit2\",\"weight\":256,\"cap\":0},"
        "\"type.pv\":{}}",
    };
    struct json_object *o, *list = NULL;
    const char         *text;

    world.domain[9].exists = true;
    xs_client_write(h.xs, 0, "/local/domain/9/name", "theirs", 6);
    assert_true(create("a", "vcpus=2\nmaxvcpus=3\nuuid='11111111-2222-3333-4444-555555555555'\n", NULL, 0));
    assert_true(request("{\"op\":\"rename\",\"domain\":\"a\",\"name\":\"b\"}", NULL, 0));
    send_text("{\"op\":\"list\",\"configs\":true}\n");
    o = answer();
    assert_true(json_object_object_get_ex(o, "domains", &list));
    text = json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN);
    for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        if (!strstr(text, expected[i]))
            fail_msg("%s is not in %s", expected[i], text);
    json_object_put(o);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"b\"}", NULL, 0));
    world.domain[9].exists = false;
    xs_client_rm(h.xs, 0, "/local/domain/9");
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

/* Domains that another toolstack made: shown under their names, and as not ours. */
static void test_foreign_domains(void **state)
{
    char error[512];

    world.domain[9].exists = true;
    xs_client_write(h.xs, 0, "/local/domain/9/name", "theirs", 6);
    assert_member("{\"op\":\"list\",\"domain\":\"theirs\"}", "domains", "managed", "false");
    assert_member("{\"op\":\"list\",\"domain\":\"9\"}", "domains", "name", "theirs");
    assert_true(request("{\"op\":\"pause\",\"domain\":\"theirs\"}", NULL, 0));
    assert_true(world.domain[9].paused);
    assert_true(request("{\"op\":\"shutdown\",\"domain\":\"theirs\"}", NULL, 0));
    assert_string_equal(world_node("/local/domain/9/control/shutdown"), "poweroff");
    assert_false(request("{\"op\":\"rename\",\"domain\":\"theirs\",\"name\":\"x\"}", error, sizeof(error)));
    assert_non_null(strstr(error, "domain 9 was not made by hauchd: it cannot be renamed here"));
    assert_false(request("{\"op\":\"devices\",\"domain\":\"theirs\"}", error, sizeof(error)));
    assert_non_null(strstr(error, "domain 9 was not made by hauchd: its devices are not known here"));
    assert_false(request("{\"op\":\"wait\",\"domain\":\"theirs\"}", error, sizeof(error)));
    assert_non_null(strstr(error, "domain 9 was not made by hauchd: it cannot be waited for"));
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"theirs\"}", NULL, 0));
    assert_false(world.domain[9].exists);
    xs_client_rm(h.xs, 0, "/local/domain/9");
    assert_clean();
}

static void test_guest_mistakes(void **state)
{
    static const char *const bad[][2] = {
        { "{\"op\":\"sysrq\",\"domain\":\"a\",\"text\":\"hh\"}",
          "sysrq \"hh\": one letter or digit is wanted, such as h for help" },
        { "{\"op\":\"mem_set\",\"domain\":\"a\",\"kib\":20480}",
          "20480 KiB: domain a can have 4096 to 16384 KiB; maxmem= in its configuration sets the limit" },
        { "{\"op\":\"mem_set\",\"domain\":\"a\",\"kib\":1}", "1 KiB: domain a can have 4096" },
        { "{\"op\":\"mem_max\",\"domain\":\"a\",\"kib\":8192}",
          "8192 KiB: domain a has 16384 KiB now; take memory away with mem-set first" },
        { "{\"op\":\"debug_keys\",\"text\":\"\"}", "name the keys; hauch dmesg shows what they print" },
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

    snprintf(line, sizeof(line), "{\"op\":\"attach\",\"domain\":\"a\",\"type\":\"%s\",\"spec\":\"%s\"}", type,
             spec);
    return request(line, error, size);
}

static bool detach(const char *type, const char *which, char *error, size_t size)
{
    char line[512];

    snprintf(line, sizeof(line), "{\"op\":\"detach\",\"domain\":\"a\",\"type\":\"%s\",\"device\":\"%s\"}",
             type, which);
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
    assert_non_null(strstr(error, "domain a has no disk xvdb; hauch block-list shows those it has"));
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
    assert_non_null(strstr(error,
        "domain a does not let go of disk 51728 within 10 s: end its use there, or say --force"));
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
    assert_non_null(strstr(error, "there is no definition wob; hauch list --defined shows those that are"));
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

/* What ran comes back after the host's restart, with what was plugged in meanwhile; and what starts with it.
 */
static void unlink_running(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/running.json", lib);
    assert_int_equal(unlink(path), 0);
}

static void test_halt_and_boot(void **state)
{
    struct json_object *o;
    char                spec[128], error[512];

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
    assert_non_null(strstr(error,
        "this host is going down: no domain is made; hauch host-start ends that state"));

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
    unlink_running();

    /* One that is only being made comes back, too. */
    assert_true(request("{\"op\":\"boot\"}", NULL, 0));
    turn(4);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"web\"}", NULL, 0));
    world.backends_silent = true;
    o = create_request("half", "");
    send_text(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    send_text("\n");
    json_object_put(o);
    assert_null(answer());
    close(client_fd);
    client_fd = -1;
    send_text("{\"op\":\"halt\",\"seconds\":0}\n");
    assert_null(answer());
    world.backends_silent = false;
    assert_true(ok_of(answer(), NULL, 0));
    assert_clean();
    assert_true(request("{\"op\":\"undefine\",\"domain\":\"web\"}", NULL, 0));
    assert_member("{\"op\":\"boot\"}", "started", "name", "half");
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"half\"}", NULL, 0));
    assert_clean();

    assert_false(request("{\"op\":\"halt\",\"seconds\":4000}", error, sizeof(error)));
    assert_non_null(strstr(error, "4000 seconds: 0 to 3600 are possible"));
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

/* ---- core files ---- */
/* The section of that name, which must be there. */
static Elf64_Shdr section(int fd, const char *name)
{
    Elf64_Ehdr e;
    Elf64_Shdr s, names;
    char       text[64];

    assert_int_equal(pread(fd, &e, sizeof(e), 0), sizeof(e));
    assert_memory_equal(e.e_ident, ELFMAG, SELFMAG);
    assert_int_equal(e.e_type, ET_CORE);
    assert_int_equal(pread(fd, &names, sizeof(names), e.e_shoff + e.e_shstrndx * sizeof(names)),
                     sizeof(names));
    for (unsigned i = 1; i < e.e_shnum; i++) {
        assert_int_equal(pread(fd, &s, sizeof(s), e.e_shoff + i * sizeof(s)), sizeof(s));
        assert_true(pread(fd, text, sizeof(text), names.sh_offset + s.sh_name) > 0);
        if (!strcmp(text, name))
            return s;
    }
    fail_msg("there is no section %s", name);
    return s;
}

static void assert_core(const char *path)
{
    struct vcpu_guest_context ctx;
    uint64_t                  p2m[4];
    uint8_t                   page[2][4096];
    int                       fd = open(path, O_RDONLY | O_CLOEXEC);
    Elf64_Shdr                s;

    assert_true(fd >= 0);
    s = section(fd, ".xen_p2m");
    assert_int_equal(s.sh_size, sizeof(p2m));
    assert_int_equal(pread(fd, p2m, sizeof(p2m), s.sh_offset), sizeof(p2m));
    assert_true(p2m[0] == 0 && p2m[1] == 0x1000 && p2m[2] == 2 && p2m[3] == 0x1002);
    s = section(fd, ".xen_pages");
    assert_int_equal(pread(fd, page, sizeof(page), s.sh_offset), sizeof(page));
    assert_true(page[0][0] == 0 && page[1][4095] == 2);
    s = section(fd, ".xen_prstatus");
    assert_int_equal(s.sh_size, 2 * sizeof(ctx));
    assert_int_equal(pread(fd, &ctx, sizeof(ctx), s.sh_offset + sizeof(ctx)), sizeof(ctx));
    assert_int_equal(ctx.user_regs.rip, 0xffffffff81000001);
    assert_true(section(fd, ".note.Xen").sh_size > 1000);
    close(fd);
}

static void test_dump(void **state)
{
    char path[128], line[256], error[512], command[256];

    snprintf(path, sizeof(path), "%s.core", dir);
    snprintf(line, sizeof(line), "{\"op\":\"dump\",\"domain\":\"a\",\"path\":\"%s\"}", path);
    assert_true(create("a", "vcpus=2\non_crash='coredump-destroy'\n", NULL, 0));
    assert_false(request(line, error, sizeof(error)));
    assert_non_null(strstr(error,
        "the kernel of domain 1 has not told where its memory is: it did not come that far"));
    assert_int_equal(access(path, F_OK), -1);
    assert_false(world.domain[1].paused);
    world.domain[1].told = true;
    assert_true(request(line, error, sizeof(error)));
    assert_core(path);
    assert_false(world.domain[1].paused);
    unlink(path);
    assert_false(request("{\"op\":\"dump\",\"domain\":\"a\",\"path\":\"x\"}", error, sizeof(error)));
    assert_non_null(strstr(error, "core file \"x\": a path from / on of at most 511 bytes is wanted"));
    assert_false(request("{\"op\":\"dump\",\"domain\":\"a\",\"path\":\"/nowhere/x\"}", error, sizeof(error)));
    assert_non_null(strstr(error, "cannot make core file /nowhere/x ("));

    /* on_crash= */
    world_guest_ends(1, 3);
    turn(10);
    assert_clean();
    snprintf(command, sizeof(command), "ls %s/dump/a-*.core >/dev/null && rm -r %s/dump", lib, lib);
    assert_int_equal(system(command), 0);
}

static void test_vcpu_mistakes(void **state)
{
    static const char *const bad[][2] = {
        { "{\"op\":\"vcpu_set\",\"domain\":\"a\",\"count\":4}",
          "4 vCPUs: domain a can have 1 to 3; maxvcpus= in its configuration sets the limit" },
        { "{\"op\":\"vcpu_set\",\"domain\":\"a\",\"count\":0}", "0 vCPUs" },
        { "{\"op\":\"vcpu_set\",\"domain\":\"b\",\"count\":1}", "no domain b" },
        { "{\"op\":\"vcpu_pin\",\"domain\":\"a\",\"hard\":\"2-9\"}",
          "hard affinity: there is no CPU 4: this host has 4, numbered 0 to 3; name some of these, or "
          "\"all\"" },
        { "{\"op\":\"vcpu_pin\",\"domain\":\"a\",\"soft\":\"9\"}", "soft affinity: there is no CPU 9" },
        { "{\"op\":\"vcpu_pin\",\"domain\":\"a\",\"hard\":\"x\"}", "\"x\" is no CPU" },
        { "{\"op\":\"vcpu_pin\",\"domain\":\"a\",\"hard\":\"1,^1\"}", "leaves no CPU" },
        { "{\"op\":\"vcpu_pin\",\"domain\":\"a\",\"vcpu\":3,\"hard\":\"1\"}",
          "domain a has no vCPU 3: it has 3, numbered from 0" },
        { "{\"op\":\"vcpu_pin\",\"domain\":\"a\"}",
          "name the CPUs of the hard affinity, the soft affinity, or both" },
        { "{\"op\":\"sched\",\"domain\":\"a\",\"weight\":65536}",
          "weight 65536: 1 to 65535 are possible, 256 is usual" },
        { "{\"op\":\"sched\",\"domain\":\"a\",\"cap\":-1}",
          "cap -1: percent of one CPU, 0 to 65535, 0 means no cap" },
        { "{\"op\":\"sched\",\"weight\":1}", "weight and cap belong to a domain: name it" },
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_vcpus),
        TEST(test_dump),
        TEST(test_registry),
        TEST(test_halt_and_boot),
        TEST(test_events),
        TEST(test_hotplug),
        TEST(test_hotplug_asks),
        TEST(test_long_list),
        TEST(test_guest_requests),
        TEST(test_guest_mistakes),
        TEST(test_foreign_domains),
        TEST(test_config_update),
        TEST(test_vcpu_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
