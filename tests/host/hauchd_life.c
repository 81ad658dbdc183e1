/* SPDX-License-Identifier: BSD-2-Clause */
/* hauchd whole, on a pretended host: life and death of domains, with a failure injected at every single call,
 * asked over its socket as hauch asks. After each case the host must be as it was. */
#define _GNU_SOURCE
#include "tests/host/hauchd_harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

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
    assert_int_equal(world.early_releases, 0);
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
    send_object(o);
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
    assert_non_null(strstr(error,
        "name a is taken by domain 1; choose another name=, or destroy or rename that domain"));
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
    send_object(o);
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

/* As if killed, and the next one starts. */
static void killed(void)
{
    daemon_gone();
    world.backends_silent = false;
    daemon_up();
    turn(8);
}

/* Killed while a domain goes: the next one goes on with it, and makes it anew if that was to be. */
static void test_killed_while_removing(void **state)
{
    assert_true(create("a", with_disk(), NULL, 0));
    world.backends_silent = true;
    send_text("{\"op\":\"destroy\",\"domain\":\"a\"}\n");
    assert_null(answer());
    killed();
    assert_clean();

    assert_true(create("a", with_disk(), NULL, 0));
    domain_of(h.domains.first)->started_ms -= 5000;
    world.backends_silent = true;
    world_guest_ends(2, 1);
    turn(4);
    killed();
    assert_false(world.domain[2].exists);
    assert_true(world.domain[3].exists && !world.domain[3].paused);
    assert_int_equal(state_files(), 1);

    /* What was a restart may become an end. */
    domain_of(h.domains.first)->started_ms -= 5000;
    world.backends_silent = true;
    world_guest_ends(3, 1);
    turn(4);
    send_text("{\"op\":\"destroy\",\"domain\":\"a\"}\n");
    assert_null(answer());
    killed();
    assert_clean();
}

/* Killed when the old life of a domain is over and the new one has no number yet, or is half made. */
static void test_killed_while_making_anew(void **state)
{
    struct fault f = { 0 };

    assert_true(create("a", "", NULL, 0));
    domain_of(h.domains.first)->started_ms -= 5000;
    assert_int_equal(worker_start(&h, &f), 0);
    world.hold_kernel = true;
    world_guest_ends(1, 1);
    for (int i = 0; i < 5000 && world.domain[1].exists; i++)
        loop_once(&h, 1);
    turn(8);
    assert_int_equal(h.domains.first->id, INDEX_NO_ID);
    assert_int_equal(state_files(), 2);
    world.hold_kernel = false;
    worker_stop(&h);
    world.images = 0;
    killed();
    assert_true(world.domain[2].exists && !world.domain[2].paused);
    assert_int_equal(state_files(), 1);

    domain_of(h.domains.first)->started_ms -= 5000;
    assert_int_equal(worker_start(&h, &f), 0);
    world.hold_destroy = true;
    world_guest_ends(2, 1);
    turn(8);
    world.backends_silent = true;
    world.hold_destroy = false;
    for (int i = 0; i < 5000 && world.links < 1 && (worker_busy(&h) || !world.domain[3].exists); i++)
        loop_once(&h, 1);
    assert_true(world.domain[3].exists);
    assert_int_equal(domain_of(h.domains.first)->job.state, JOB_FORWARD);
    worker_stop(&h);
    killed();
    assert_false(world.domain[3].exists);
    assert_true(world.domain[4].exists && !world.domain[4].paused);
    assert_int_equal(h.domains.count, 1);
    assert_int_equal(state_files(), 1);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

/* A guest that restarts while no hauchd runs is made anew, however short ago the next hauchd has found it. */
static void test_reboot_while_away(void **state)
{
    assert_true(create("a", "", NULL, 0));
    daemon_gone();
    world_guest_ends(1, 1);
    daemon_up();
    turn(8);
    assert_false(world.domain[1].exists);
    assert_true(world.domain[2].exists && !world.domain[2].paused);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

/* What a restart after a restart of hauchd is made of has the UUID that its state tells of. */
static void test_uuid_stays(void **state)
{
    uint8_t uuid[16];

    assert_true(create("a", "", NULL, 0));
    memcpy(uuid, world.domain[1].uuid, 16);
    killed();
    domain_of(h.domains.first)->started_ms -= 5000;
    world_guest_ends(1, 1);
    turn(8);
    assert_true(world.domain[2].exists);
    assert_memory_equal(world.domain[2].uuid, uuid, 16);
    killed();
    assert_int_equal(h.domains.count, 1);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

/* A restart that fails leaves nothing. */
static void test_failed_restart(void **state)
{
    assert_true(create("a", "", NULL, 0));
    domain_of(h.domains.first)->started_ms -= 5000;
    world_guest_ends(1, 1);
    world.fail_name = "createdomain";
    turn(10);
    assert_clean();
}

/* A new configuration of a domain that has no number yet is nothing that the next hauchd could find. */
static void test_update_while_making(void **state)
{
    struct json_object *o = create_request("a", "");
    struct fault        f = { 0 };

    assert_int_equal(worker_start(&h, &f), 0);
    world.hold_kernel = true;
    send_object(o);
    assert_null(answer());
    close(client_fd);
    client_fd = -1;
    assert_true(request("{\"op\":\"config_update\",\"domain\":\"a\",\"config\":\"name='a'\\nmemory=32\\n"
                        "kernel='/k'\"}", NULL, 0));
    assert_int_equal(state_files(), 0);
    world.hold_kernel = false;
    for (int i = 0; i < 5000 && (worker_busy(&h) || !world.domain[1].exists); i++)
        loop_once(&h, 1);
    worker_stop(&h);
    turn(8);
    json_object_put(o);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

static void test_state_of_no_domain(void **state)
{
    static const int numbers[] = { 0, -1, 40000, 65535, 65537 };
    char             path[128];

    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        FILE *out;

        snprintf(path, sizeof(path), "%s/%d.json", dir, numbers[i]);
        out = fopen(path, "we");
        assert_non_null(out);
        fprintf(out, "{\"domid\":%d,\"name\":\"a\",\"complete\":1,\"config\":\"name='a'\\nmemory=16\\n"
                "kernel='/k'\"}", numbers[i]);
        fclose(out);
        killed();
        assert_clean();
    }
}

/* A domain that stands still for a core file runs again. */
static void test_killed_while_dumping(void **state)
{
    assert_true(create("a", "", NULL, 0));
    world.domain[1].told = true;
    dump_begin();
    assert_null(answer());
    assert_true(world.domain[1].paused);
    world.hold_dump = false;
    worker_stop(&h);
    while (h.dumps) {
        struct dump *next = *(struct dump **)h.dumps;

        free(h.dumps);
        h.dumps = next;
    }
    killed();
    unlink(core_file);
    assert_false(world.domain[1].paused);
    assert_int_equal(state_files(), 1);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

static void store_goes(void)
{
    world.store_away = true;
    epoll_ctl(h.epoll_fd, EPOLL_CTL_DEL, world.store_fd, NULL);
    xs_client_close(h.xs);
    h.xs = NULL;
}

static bool in_store(uint16_t id)
{
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%u/name", id);
    return world_node(path) != NULL;
}

/* A store that comes back has kept the nodes of a domain that ended meanwhile; hauchd takes them away ... */
static void death_without_store(bool killed)
{
    assert_true(create("a", with_disk(), NULL, 0));
    assert_true(create("b", "", NULL, 0));
    store_goes();
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_true(in_store(1));
    assert_int_equal(state_files(), 2);             /* that of b, and the note */
    if (killed)
        daemon_gone();
    world.store_away = false;
    if (killed)
        daemon_up();
    h.next_peer_try_ms = 0;
    turn(2);
    assert_false(in_store(1));
    assert_true(in_store(2));
    assert_int_equal(state_files(), 1);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"b\"}", NULL, 0));
    assert_clean();
}

static void test_death_without_store(void **state) { death_without_store(false); }

/* ... or the next hauchd does. */
static void test_death_without_store_or_hauchd(void **state) { death_without_store(true); }

/* Its number has been given away since: what stands there now stays. */
static void test_leftover_of_a_number_in_use(void **state)
{
    assert_true(create("a", "", NULL, 0));
    store_goes();
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    world.store_away = false;
    world.next_id = 1;
    assert_int_equal(peer_store_need(&h, NULL), 0);
    assert_false(in_store(1));
    assert_true(create("b", "", NULL, 0));
    store_goes();
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"b\"}", NULL, 0));
    world.domain[1].exists = true;                     /* another toolstack's */
    world.store_away = false;
    assert_int_equal(peer_store_need(&h, NULL), 0);
    assert_true(in_store(1));
    world.domain[1].exists = world.domain[1].introduced = false;
    assert_int_equal(state_files(), 0);
    xs_client_rm(h.xs, 0, "/local");
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
    send_object(o);
    json_object_put(o);
    assert_null(answer());
    assert_int_equal(h.domains.count, 1);
    domain_of(h.domains.first)->job.deadline_ms = 1; /* long ago */
    assert_null(answer());
    assert_int_equal(domain_of(h.domains.first)->job.state, JOB_BACKWARD);
    domain_of(h.domains.first)->job.deadline_ms = 1; /* it does not let go either */
    assert_false(ok_of(answer(), error, sizeof(error)));
    assert_non_null(strstr(error,
        "back ends: vbd xvda: the back end did not answer (its state is 1); dmesg may say why"));
    assert_clean();
}

static void test_refusals_of_requests(void **state)
{
    static const char *const bad[][2] = {
        { "{}", "the request has no \"op\"" },
        { "no json", "request is not JSON: null expected" },
        { "{\"op\":\"destroy\"}", "request \"destroy\" needs field \"domain\"" },
        { "{\"op\":\"destroy\",\"domain\":\"nobody\"}",
          "there is no domain nobody; hauch list shows those that are" },
        { "{\"op\":\"destroy\",\"domain\":\"0\"}",
          "domain 0 is this system itself: it cannot be paused, stopped or renamed from here" },
        { "{\"op\":\"pause\",\"domain\":\"Domain-0\"}", "domain 0" },
        { "{\"op\":\"shutdown\"}", "name either one domain or all" },
        { "{\"op\":\"refusals\"}", "not available on this hypervisor: only Hauch keeps such records" },
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

/* What a creation asks of hypervisor, store and kernel does not depend on how many domains there are, and
 * none lists them. */
static void test_creation_costs_the_same(void **state)
{
    int  first = 0, lists = world.lists;
    char name[16];

    for (int i = 0; i < 10; i++) {
        world.calls = 0;
        snprintf(name, sizeof(name), "d%d", i);
        assert_true(create(name, "", NULL, 0));
        first = first ? first : world.calls;
        assert_int_equal(world.calls, first);
    }
    assert_int_equal(world.lists, lists);
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "d%d", i);
        domain_unmake(domain_of(index_by_name(&h.domains, name)), FATE_GONE);
    }
    turn(4);
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
        TEST(test_killed_while_removing),
        TEST(test_killed_while_making_anew),
        TEST(test_killed_while_dumping),
        TEST(test_reboot_while_away),
        TEST(test_uuid_stays),
        TEST(test_failed_restart),
        TEST(test_update_while_making),
        TEST(test_state_of_no_domain),
        TEST(test_death_without_store),
        TEST(test_death_without_store_or_hauchd),
        TEST(test_leftover_of_a_number_in_use),
        TEST(test_waiting_clients),
        TEST(test_silent_backend),
        TEST(test_refusals_of_requests),
        TEST(test_records_of_the_hypervisor),
        TEST(test_progress),
        TEST(test_creation_costs_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
