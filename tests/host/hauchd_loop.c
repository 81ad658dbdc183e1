/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing holds hauchd's loop: what takes long is done by its threads, and clients that send much, half
 * or nothing are nobody else's affair. The hypervisor of these tests takes as long as it is told to; that
 * the loop goes on meanwhile shows in that others are answered, so no time is measured. Also built with
 * ThreadSanitizer. */
#define _GNU_SOURCE
#include "tests/host/hauchd_harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct json_object *answer_within(int ms)
{
    struct json_object *o = NULL;

    while (!o && ms-- > 0) {
        loop_once(&h, 1);
        o = answer();
    }
    return o;
}

/* The same for what one of the threads does. */
static bool request_within(const char *line)
{
    send_text(line);
    send_text("\n");
    return ok_of(answer_within(5000), NULL, 0);
}

static void worker_end(void)
{
    for (int i = 0; i < 5000 && worker_busy(&h); i++)
        loop_once(&h, 1);
    assert_false(worker_busy(&h));
    worker_stop(&h);
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
    assert_true(request_within("{\"op\":\"destroy\",\"domain\":\"early\"}"));
    worker_end();
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
    send_object(o);
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
    assert_true(request_within("{\"op\":\"destroy\",\"domain\":\"slow\"}"));

    world.hold_kernel = true;
    send_object(o);
    assert_null(answer());
    close(client_fd);
    client_fd = -1;
    assert_true(request_within("{\"op\":\"destroy\",\"domain\":\"slow\"}"));
    assert_int_equal(h.domains.count, 0);
    world.hold_kernel = false;
    worker_end();
    json_object_put(o);
    assert_clean();
}

/* Another client is answered while the request on @held waits. */
static void assert_held(int *held)
{
    assert_null(answer());
    *held = client_fd;
    client_fd = -1;
    assert_true(request("{\"op\":\"list\"}", NULL, 0));
    assert_true(request("{\"op\":\"host\"}", NULL, 0));
    close(client_fd);
    client_fd = *held;
    assert_null(answer());
}

/* Taking back a large domain's memory; its number is not free before. */
static void test_long_destroy(void **state)
{
    char         error[512];
    struct fault f = { 0 };
    int          held;

    assert_int_equal(worker_start(&h, &f), 0);
    world.domain[9].exists = true;
    send_text("{\"op\":\"create\",\"config\":\"name='a'\\nmemory=16\\nkernel='/k'\"}\n");
    assert_true(ok_of(answer_within(5000), NULL, 0));
    world.hold_destroy = true;
    send_text("{\"op\":\"destroy\",\"domain\":\"a\"}\n");
    assert_held(&held);
    assert_int_equal(h.domains.first->id, 1);
    client_fd = -1;
    assert_false(request("{\"op\":\"rename\",\"domain\":\"a\",\"name\":\"b\"}", error, sizeof(error)));
    assert_non_null(strstr(error, "is being made or removed"));
    assert_false(request("{\"op\":\"unpause\",\"domain\":\"a\"}", error, sizeof(error)));
    close(client_fd);
    client_fd = held;
    world.hold_destroy = false;
    assert_true(ok_of(answer_within(5000), NULL, 0));

    /* One of another toolstack; who asked for it goes meanwhile. */
    world.hold_destroy = true;
    send_text("{\"op\":\"destroy\",\"domain\":\"9\"}\n");
    assert_held(&held);
    close(held);
    client_fd = -1;
    turn(3);
    assert_true(request("{\"op\":\"list\"}", NULL, 0));
    world.hold_destroy = false;
    worker_end();
    assert_clean();
}

/* Making and ending do not wait for each other. */
static void test_destroy_beside_long_making(void **state)
{
    struct json_object *o = create_request("slow", "");
    struct fault        f = { 0 };
    int                 slow;

    assert_true(create("a", "", NULL, 0));
    assert_int_equal(worker_start(&h, &f), 0);
    world.hold_kernel = true;
    send_object(o);
    assert_null(answer());
    slow = client_fd;
    client_fd = -1;
    assert_true(request_within("{\"op\":\"destroy\",\"domain\":\"a\"}"));
    world.hold_kernel = false;
    close(client_fd);
    client_fd = slow;
    assert_true(ok_of(answer_within(5000), NULL, 0));
    assert_true(request_within("{\"op\":\"destroy\",\"domain\":\"slow\"}"));
    worker_end();
    json_object_put(o);
    assert_clean();
}

/* A core file on a disk that does not answer: a pipe without a reader cannot even be opened. */
static void test_long_dump(void **state)
{
    char error[512];
    int  held;

    assert_true(create("a", "", NULL, 0));
    world.domain[1].told = true;
    dump_begin();
    assert_held(&held);
    assert_true(world.domain[1].paused);
    client_fd = -1;
    dump_ask();
    assert_false(ok_of(answer_within(5000), error, sizeof(error)));
    assert_non_null(strstr(error, "a core file of domain a is being written already"));
    close(client_fd);
    client_fd = held;
    world.hold_dump = false;
    assert_true(ok_of(answer_within(5000), NULL, 0));
    assert_false(world.domain[1].paused);
    unlink(core_file);
    worker_stop(&h);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"a\"}", NULL, 0));
    assert_clean();
}

/* Its number may be another domain's when the file is written: that one is not let run. */
static void test_dump_of_a_domain_that_goes(void **state)
{
    assert_true(create("a", "", NULL, 0));
    dump_begin();
    assert_null(answer());
    close(client_fd);
    client_fd = -1;
    assert_true(request_within("{\"op\":\"destroy\",\"domain\":\"a\"}"));
    world.domain[1].exists = world.domain[1].paused = true;
    world.hold_dump = false;
    for (int i = 0; i < 5000 && h.dumps; i++)
        loop_once(&h, 1);
    assert_null(h.dumps);
    assert_true(world.domain[1].paused);
    world.domain[1].exists = false;
    unlink(core_file);
    worker_stop(&h);
    assert_clean();
}

/* The hypervisor tells twice of each domain that we destroy: that costs one look at all domains for many
 * of them. Who ends by itself meanwhile is seen all the same. */
static void test_own_ends_are_looked_at_once(void **state)
{
    char name[64];
    int  lists;

    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "d%d", i);
        assert_true(create(name, "", NULL, 0));
    }
    lists = world.lists;
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof(name), "{\"op\":\"destroy\",\"domain\":\"d%d\"}\n", i);
        send_text(name);
        for (int told = 0; told < 3; told++) {
            loop_once(&h, 0);
            h.last_end_ms = now_ms() + 60000;          /* however slow this is */
            if (h.look_due_ms)
                h.look_due_ms = now_ms() + 60000;
            eventfd_write(world.death_fd, told < 2);
        }
    }
    assert_int_equal(world.lists, lists);
    world_guest_ends(7, 0);
    loop_once(&h, 0);
    assert_int_equal(h.domains.count, 2);
    turn(4);
    assert_int_equal(h.domains.count, 1);
    assert_true(world.lists > lists);
    h.last_end_ms = 0;                                 /* a while later there is no delay */
    world_guest_ends(8, 0);
    loop_once(&h, 0);
    assert_int_equal(h.domains.count, 0);
    assert_clean();
}

/* A store that takes connections and does not answer is tried seldom, however often it is wanted. */
static void test_hung_store(void **state)
{
    char error[512];

    epoll_ctl(h.epoll_fd, EPOLL_CTL_DEL, world.store_fd, NULL);
    xs_client_close(h.xs);
    h.xs = NULL;
    world.store_hung = true;
    world.store_tries = 0;
    for (int i = 0; i < 5; i++) {
        assert_false(create("a", "", error, sizeof(error)));
        h.next_peer_try_ms = 0;
    }
    assert_non_null(strstr(error, "no store at"));
    assert_true(request("{\"op\":\"list\"}", NULL, 0));
    assert_int_equal(world.store_tries, 1);
    world.store_hung = false;
    h.store_hung_until_ms = h.next_peer_try_ms = 0;
    turn(2);
    assert_non_null(h.xs);
    assert_clean();
}

/* ---- clients ---- */
/* How many answers come within some turns. */
static int answers(int fd, int turns)
{
    static char buf[65536];
    int         n = 0;

    while (turns-- > 0) {
        ssize_t got;

        loop_once(&h, 0);
        while ((got = read(fd, buf, sizeof(buf))) > 0)
            for (ssize_t i = 0; i < got; i++)
                n += buf[i] == '\n';
    }
    return n;
}

/* Several requests at once are all answered, one a turn, also behind one that waits. */
static void test_many_requests_at_once(void **state)
{
    assert_true(create("a", "", NULL, 0));
    send_text("{\"op\":\"list\"}\n{\"op\":\"list\"}\n{\"op\":\"list\"}\n");
    assert_int_equal(answers(client_fd, 1), 1);
    assert_int_equal(answers(client_fd, 2), 2);
    send_text("{\"op\":\"wait\",\"domain\":\"a\"}\n{\"op\":\"list\"}\n{\"op\":\"nonsense\"}\n");
    assert_int_equal(answers(client_fd, 5), 0);
    world_guest_ends(1, 0);
    assert_int_equal(answers(client_fd, 8), 3);
    assert_clean();
}

/* One answer to one request, also when it fails after some domains have been waited for. */
static void test_wait_for_all_that_fails(void **state)
{
    assert_true(create("a", "", NULL, 0));
    assert_true(create("b", "", NULL, 0));
    world.store_refuses = "/local/domain/2/control/shutdown";
    send_text("{\"op\":\"shutdown\",\"all\":true,\"wait\":true}\n");
    assert_int_equal(answers(client_fd, 3), 1);
    world.store_refuses = NULL;
    world_guest_ends(1, 0);
    assert_int_equal(answers(client_fd, 6), 0);
    assert_true(request("{\"op\":\"destroy\",\"domain\":\"b\"}", NULL, 0));
    assert_clean();
}

/* It sends and says that it will not send more: it still gets its answers. */
static void test_sender_that_ends(void **state)
{
    send_text("{\"op\":\"list\"}\n{\"op\":\"host\"}\n{\"op\":");
    shutdown(client_fd, SHUT_WR);
    assert_int_equal(answers(client_fd, 6), 2);
    assert_null(h.clients);
}

/* A hundred and more: those beyond the limit are told. Half a request disturbs nobody. */
static void test_many_clients(void **state)
{
    enum { MANY = 256 };
    char error[512];
    int  fd[MANY];

    for (int i = 0; i < MANY; i++) {
        client_fd = -1;
        send_text(i % 2 ? "{\"op\":\"li" : "{\"op\":\"list\"}\n");
        fd[i] = client_fd;
    }
    client_fd = -1;
    send_text("");
    assert_false(ok_of(answer(), error, sizeof(error)));
    assert_non_null(strstr(error, "hauchd has as many connections as it serves (256)"));
    close(client_fd);
    for (int i = 0; i < MANY; i += 2)
        assert_int_equal(answers(fd[i], 1), 1);
    for (int i = 1; i < MANY; i += 2) {
        assert_int_equal(write(fd[i], "st\"}\n", 5), 5);
        assert_int_equal(answers(fd[i], 2), 1);
    }
    for (int i = 0; i < MANY; i++)
        close(fd[i]);
    turn(20);
    assert_null(h.clients);
    client_fd = -1;
}

/* It asks and asks and takes no answer: it is not read any further, and others are served. */
static void test_client_that_does_not_read(void **state)
{
    static const char line[] = "{\"op\":\"host\"}\n";
    int               deaf, sent = 0;

    send_text("");
    deaf = client_fd;
    for (int i = 0; i < 20000 && h.clients; i++) {
        sent += write(deaf, line, sizeof(line) - 1) > 0;
        loop_once(&h, 0);
    }
    assert_true(sent < 20000);
    client_fd = -1;
    assert_true(request("{\"op\":\"list\"}", NULL, 0));
    assert_int_equal(clients_count(&h), 2);
    close(deaf);
    turn(2);
    assert_int_equal(clients_count(&h), 1);
}

/* One who listens for events and does not read is dropped at the limit, and not before. */
static void test_listener_that_does_not_read(void **state)
{
    static char detail[1 << 20];
    int         listener;

    assert_true(request("{\"op\":\"events\"}", NULL, 0));
    listener = client_fd;
    client_fd = -1;
    memset(detail, 'x', sizeof(detail) - 1);
    for (int i = 0; i < 60; i++)
        event_emit(&h, "test", NULL, INDEX_NO_ID, detail);
    turn(2);
    assert_non_null(h.clients);
    for (int i = 0; i < 10; i++)
        event_emit(&h, "test", NULL, INDEX_NO_ID, detail);
    turn(2);
    assert_null(h.clients);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_long_work),
        TEST(test_order_of_long_work),
        TEST(test_long_destroy),
        TEST(test_destroy_beside_long_making),
        TEST(test_long_dump),
        TEST(test_dump_of_a_domain_that_goes),
        TEST(test_own_ends_are_looked_at_once),
        TEST(test_hung_store),
        TEST(test_many_requests_at_once),
        TEST(test_wait_for_all_that_fails),
        TEST(test_sender_that_ends),
        TEST(test_many_clients),
        TEST(test_client_that_does_not_read),
        TEST(test_listener_that_does_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
