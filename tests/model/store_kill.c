/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store daemon killed at any moment (SIGKILL, many times) while dom0's kernel and two guests go on
 * talking to it through their rings. Its sources are compiled such that each basic block counts down, and the
 * daemon dies where the count ends: while it reads its journal, writes a snapshot, between any two steps of a
 * request. The guests are this process, the daemon is a child that is forked anew each time and has nothing
 * but the rings and the journal. Each request must be answered exactly once, in order, and with what its
 * effect must be if it was done exactly once: requests whose repetition fails (watch, unwatch) or whose loss
 * shows (a value written and read back, an event for each new node) tell.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dom0/store/domain.h"
#include "dom0/store/journal_file.h"
#include "dom0/store/save.h"
#include "dom0/store/store.h"

#define GUESTS 3
#define QUEUE  4096
#define NODES  40 /* that a guest has at once */

/* What outlives the daemon, other than its journal. */
struct shared {
    struct xenstore_domain_interface ring[GUESTS];
    bool dead[GUESTS];
    bool event[GUESTS]; /* sent and not seen */
};

/* ---- the daemon ---- */

static unsigned long blocks_left; /* 0: it lives on */

/* gcc calls this at each basic block (-fsanitize-coverage=trace-pc). */
void __sanitizer_cov_trace_pc(void);
__attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc(void) {
    if (blocks_left && --blocks_left == 0)
        kill(getpid(), SIGKILL);
}

static int index_of(uint16_t domid) {
    return domid == 0 ? 0 : domid - 4;
}

static struct xenstore_domain_interface *map(void *ctx, uint16_t domid) {
    struct shared *sh = ctx;
    errno = EINVAL;
    return domid < 5 || domid > 6 || sh->dead[index_of(domid)] ? NULL : &sh->ring[index_of(domid)];
}

static void unmap(void *ctx, struct xenstore_domain_interface *ring) {}
static int bind_port(void *ctx, uint16_t domid, uint32_t remote_port) {
    return remote_port == 9 ? 10 + index_of(domid) : -EINVAL;
}
static void unbind(void *ctx, uint32_t port) {}
static void notify(void *ctx, uint32_t port) {}

static const struct domain_ops ops = { map, unmap, bind_port, unbind, notify, NULL };

static void open_journal(struct store *s, struct journal_file *f, const char *folder) {
    const char *base;
    size_t size;
    bool incomplete = false;
    if (journal_file_open(f, folder, (uid_t)-1, (gid_t)-1) < 0 || journal_file_map_last(f, &base, &size) < 0)
        _exit(10);
    if (base && (save_restore(s, base, size, &incomplete) < 0 || incomplete))
        _exit(11);
    if (base)
        munmap((void *)base, size);
    store_keep(s, &f->journal, folder);
    if (f->journal.failed || store_check(s) < 0)
        _exit(12);
}

static void daemon_main(struct shared *sh, const char *folder) {
    static struct store s;
    static struct journal_file f;
    alarm(60);
    if (store_init(&s, NULL) < 0)
        _exit(13);
    s.domain_ops = &ops;
    s.domain_ctx = sh;
    open_journal(&s, &f, folder);
    if (domain_introduce_self(&s, &sh->ring[0], 9) < 0)
        _exit(14);
    domain_reconnect_all(&s);
    for (;;) {
        for (uint32_t port = 10; port < 10 + GUESTS; port++)
            if (__atomic_exchange_n(&sh->event[port - 10], false, __ATOMIC_SEQ_CST))
                domain_event(&s, port);
        store_run(&s);
        sched_yield();
    }
}

/* ---- a guest ---- */

struct expected {
    uint32_t id, type; /* of the answer */
    char text[16];     /* its payload, if not "" */
    size_t len;        /* of the payload, if text is "" */
};

struct guest {
    struct xenstore_domain_interface *ring;
    char *out, *in;
    size_t out_len, out_at, in_len;
    struct expected queue[QUEUE];
    unsigned int head, tail;
    uint32_t next_id;
    unsigned int step;
    unsigned int answers, events;
    unsigned int seen_made[1 << 16], seen_gone[1 << 16]; /* events by the node's number */
    unsigned int open_txn;
    char last[32]; /* payload of the last answer */
};

struct world {
    struct shared *shared;
    struct guest guest[GUESTS];
    char folder[64];
    pid_t daemon;
    unsigned int seed;
};

/* blocks: when it dies; 0: not by itself. */
static void start_to_die(struct world *w, unsigned long blocks) {
    w->daemon = fork();
    if (w->daemon == 0) {
        blocks_left = blocks;
        daemon_main(w->shared, w->folder);
    }
    assert_true(w->daemon > 0);
}

static void start(struct world *w) {
    start_to_die(w, 0);
}

static bool is_gone(struct world *w, int options) {
    int status;
    if (waitpid(w->daemon, &status, options) != w->daemon)
        return false;
    if (WIFEXITED(status))
        fail_msg("the daemon ended by itself with status %d", WEXITSTATUS(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    return true;
}

static void stop(struct world *w) {
    kill(w->daemon, SIGKILL);
    assert_true(is_gone(w, 0));
}

static int setup(void **state) {
    struct world *w = calloc(1, sizeof(*w));
    w->shared = mmap(NULL, sizeof(*w->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    strcpy(w->folder, "/dev/shm/store-kill-XXXXXX");
    if (!mkdtemp(w->folder)) {
        strcpy(w->folder, "/tmp/store-kill-XXXXXX");
        assert_non_null(mkdtemp(w->folder));
    }
    for (int i = 0; i < GUESTS; i++) {
        w->guest[i].ring = &w->shared->ring[i];
        w->guest[i].out = malloc(1 << 20);
        w->guest[i].in = malloc(1 << 20);
    }
    w->seed = 1;
    start(w);
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    char name[96];
    stop(w);
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof(name), "%s/journal%s", w->folder, i ? ".new" : "");
        unlink(name);
    }
    rmdir(w->folder);
    for (int i = 0; i < GUESTS; i++) {
        free(w->guest[i].out);
        free(w->guest[i].in);
    }
    munmap(w->shared, sizeof(*w->shared));
    free(w);
    return 0;
}

static void ask(struct guest *g, uint32_t type, uint32_t tx, const void *payload, size_t len, uint32_t answer,
                const char *text, size_t answer_len) {
    struct xsd_sockmsg h = { type, g->next_id, tx, (uint32_t)len };
    struct expected *e = &g->queue[g->tail++ % QUEUE];
    assert_true(g->tail - g->head < QUEUE);
    *e = (struct expected){ .id = g->next_id++, .type = answer, .len = answer_len };
    strcpy(e->text, text);
    if (g->out_at == g->out_len)
        g->out_at = g->out_len = 0;
    memcpy(g->out + g->out_len, &h, sizeof(h));
    memcpy(g->out + g->out_len + sizeof(h), payload, len);
    g->out_len += sizeof(h) + len;
}

static void ask_ok(struct guest *g, uint32_t type, uint32_t tx, const void *payload, size_t len) {
    ask(g, type, tx, payload, len, type, "OK", 0);
}

static void note_event(struct guest *g, const char *path) {
    unsigned int number;
    g->events++;
    if (sscanf(path, "/local/domain/5/u%u", &number) != 1)
        return;
    if (g->seen_made[number])
        g->seen_gone[number]++;
    else
        g->seen_made[number]++;
}

static void take_answer(struct guest *g, const struct xsd_sockmsg *h, const char *payload) {
    assert_true(g->head != g->tail);
    const struct expected *e = &g->queue[g->head++ % QUEUE];
    assert_int_equal(h->req_id, e->id);
    if (h->type != e->type)
        fail_msg("request %u: type %u instead of %u: %s", e->id, h->type, e->type, payload);
    if (e->text[0]) {
        assert_int_equal(h->len, strlen(e->text) + (h->type == XS_READ ? 0 : 1));
        assert_memory_equal(payload, e->text, strlen(e->text));
    } else if (e->len)
        assert_int_equal(h->len, e->len);
    snprintf(g->last, sizeof(g->last), "%.*s", (int)(h->len < 31 ? h->len : 31), payload);
    g->answers++;
}

static void take_messages(struct guest *g) {
    struct xsd_sockmsg h;
    size_t at = 0;
    while (g->in_len - at >= sizeof(h)) {
        memcpy(&h, g->in + at, sizeof(h));
        assert_true(h.len <= XENSTORE_PAYLOAD_MAX);
        if (g->in_len - at - sizeof(h) < h.len)
            break;
        const char *payload = g->in + at + sizeof(h);
        at += sizeof(h) + h.len;
        if (h.type == XS_WATCH_EVENT)
            note_event(g, payload);
        else
            take_answer(g, &h, payload);
    }
    memmove(g->in, g->in + at, g->in_len - at);
    g->in_len -= at;
}

static uint32_t load(const uint32_t *p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void send_event(struct world *w, const struct guest *g) {
    __atomic_store_n(&w->shared->event[g - w->guest], true, __ATOMIC_SEQ_CST);
}

/* Moves what can be moved, the requests in pieces of any size. Events are sent when Linux sends them, and not
 * more: when it wrote into a ring that was empty, when it read from one that was full. */
static void pump(struct world *w, struct guest *g) {
    struct xenstore_domain_interface *r = g->ring;
    uint32_t prod = r->req_prod, room = XENSTORE_RING_SIZE - (prod - load(&r->req_cons));
    size_t n = g->out_len - g->out_at;
    assert_true(room <= XENSTORE_RING_SIZE);
    n = n < room ? n : room;
    if (n > 1 && rand_r(&w->seed) % 4 == 0)
        n = 1 + (size_t)rand_r(&w->seed) % n;
    for (size_t i = 0; i < n; i++)
        r->req[MASK_XENSTORE_IDX(prod + i)] = g->out[g->out_at + i];
    g->out_at += n;
    __atomic_store_n(&r->req_prod, prod + (uint32_t)n, __ATOMIC_SEQ_CST);
    if (n && (int32_t)(prod - load(&r->req_cons)) <= 0)
        send_event(w, g);
    uint32_t cons = r->rsp_cons, have = load(&r->rsp_prod) - cons;
    assert_true(have <= XENSTORE_RING_SIZE);
    for (uint32_t i = 0; i < have; i++)
        g->in[g->in_len++] = r->rsp[MASK_XENSTORE_IDX(cons + i)];
    __atomic_store_n(&r->rsp_cons, cons + have, __ATOMIC_SEQ_CST);
    if (have && load(&r->rsp_prod) - cons >= XENSTORE_RING_SIZE)
        send_event(w, g);
    take_messages(g);
}

static size_t text(char *buf, const char *format, unsigned int number, const char *more, size_t more_len) {
    size_t n = (size_t)sprintf(buf, format, number) + 1;
    memcpy(buf + n, more, more_len);
    return n + more_len;
}

/* The next requests of guest 5: each would show it if it, or its answer, or an event of it, were lost or came
 * twice. */
static void act(struct world *w, struct guest *g) {
    char buf[4096], number[16], long_value[1600];
    unsigned int i = g->step++;
    snprintf(number, sizeof(number), "%u", i);
    ask_ok(g, XS_WRITE, 0, buf, text(buf, "u%u", i, number, strlen(number)));
    ask(g, XS_READ, 0, buf, text(buf, "u%u", i, "", 0), XS_READ, number, 0);
    ask_ok(g, XS_WATCH, 0, buf, text(buf, "u%u", i, "t", 2));
    if (i >= NODES) {
        ask_ok(g, XS_UNWATCH, 0, buf, text(buf, "u%u", i - NODES, "t", 2));
        ask_ok(g, XS_RM, 0, buf, text(buf, "u%u", i - NODES, "", 0));
    }
    if (i % 5 == 0) {
        memset(long_value, 'v', sizeof(long_value)); /* longer than a ring, both ways */
        ask_ok(g, XS_WRITE, 0, buf, text(buf, "long", 0, long_value, sizeof(long_value)));
        ask(g, XS_READ, 0, buf, text(buf, "long", 0, "", 0), XS_READ, "", sizeof(long_value));
    }
}

static void pump_all(struct world *w) {
    for (int i = 0; i < GUESTS; i++)
        pump(w, &w->guest[i]);
    sched_yield();
}

static bool idle(const struct guest *g) {
    return g->head == g->tail;
}

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void settle(struct world *w) {
    uint64_t end = now_ms() + 30000;
    while (!(idle(&w->guest[0]) && idle(&w->guest[1]) && idle(&w->guest[2]))) {
        assert_true(now_ms() < end);
        pump_all(w);
    }
    for (int i = 0; i < 3; i++)
        pump_all(w);
}

#define BYTES(t) (t), sizeof(t)

static void introduce(struct world *w) {
    struct guest *root = &w->guest[0];
    ask_ok(root, XS_INTRODUCE, 0, BYTES("5\0001\0009"));
    ask_ok(root, XS_INTRODUCE, 0, BYTES("6\0001\0009"));
    ask_ok(root, XS_MKDIR, 0, BYTES("/local/domain/5"));
    ask_ok(root, XS_SET_PERMS, 0, BYTES("/local/domain/5\0r5"));
    ask_ok(root, XS_WATCH, 0, BYTES("/local/domain/5\0w"));
    settle(w);
    ask_ok(&w->guest[2], XS_WATCH, 0, BYTES("/local/domain/5\0w"));
    settle(w);
}

static void check_events(const struct guest *g, unsigned int steps) {
    for (unsigned int i = 0; i < steps; i++) {
        if (g->seen_made[i] != 1 || g->seen_gone[i] != (i + NODES < steps))
            fail_msg("node %u: %u events of its making, %u of its end", i, g->seen_made[i], g->seen_gone[i]);
    }
}

static unsigned int rounds(void) {
    const char *n = getenv("STORE_KILL_ROUNDS");
    return n ? (unsigned int)atoi(n) : 400;
}

/* From the first blocks, while the journal is read, to many requests later. */
static unsigned long lifetime(struct world *w) {
    unsigned long span = 1ul << (8 + rand_r(&w->seed) % 10);
    return span + (unsigned long)rand_r(&w->seed) % span;
}

static void killed_at_any_moment(void **state) {
    struct world *w = *state;
    struct guest *g = &w->guest[1];
    introduce(w);
    stop(w);
    for (unsigned int k = 0; k < rounds(); k++) {
        start_to_die(w, lifetime(w));
        while (!is_gone(w, WNOHANG)) {
            if (g->tail - g->head < 24 && g->out_len - g->out_at < 4096)
                act(w, g);
            pump_all(w);
        }
    }
    start(w);
    settle(w);
    assert_true(g->answers > rounds() && g->step < 1 << 16);
    check_events(&w->guest[0], g->step);
    check_events(&w->guest[2], g->step);
}

static unsigned int begin(struct world *w, struct guest *g) {
    ask(g, XS_TRANSACTION_START, 0, BYTES(""), XS_TRANSACTION_START, "", 0);
    settle(w);
    return (unsigned int)strtoul(g->last, NULL, 10);
}

/* A transaction that was open goes on to its end, which says EAGAIN, and changes nothing. */
static void open_transaction_is_lost(void **state) {
    struct world *w = *state;
    struct guest *g = &w->guest[1];
    introduce(w);
    unsigned int tx = begin(w, g);
    ask_ok(g, XS_WRITE, tx, BYTES("x\0001"));
    settle(w);
    stop(w);
    start(w);
    ask_ok(g, XS_WRITE, tx, BYTES("y\0001"));
    ask(g, XS_TRANSACTION_END, tx, BYTES("T"), XS_ERROR, "EAGAIN", 0);
    ask(g, XS_READ, 0, BYTES("x"), XS_ERROR, "ENOENT", 0);
    ask(g, XS_READ, 0, BYTES("y"), XS_ERROR, "ENOENT", 0);
    ask(g, XS_TRANSACTION_END, tx, BYTES("T"), XS_ERROR, "ENOENT", 0);
    settle(w);
    unsigned int again = begin(w, g);
    assert_int_not_equal(again, tx);
    ask_ok(g, XS_WRITE, again, BYTES("x\0001"));
    ask_ok(g, XS_TRANSACTION_END, again, BYTES("T"));
    settle(w);
}

/* What died while no daemon ran is released, its nodes go, and who watches for it hears of it. */
static void death_in_between(void **state) {
    struct world *w = *state;
    introduce(w);
    ask_ok(&w->guest[0], XS_WATCH, 0, BYTES("@releaseDomain\0r"));
    settle(w);
    unsigned int before = w->guest[0].events;
    stop(w);
    w->shared->dead[1] = true;
    start(w);
    ask(&w->guest[0], XS_IS_DOMAIN_INTRODUCED, 0, BYTES("5"), XS_IS_DOMAIN_INTRODUCED, "F", 0);
    ask(&w->guest[0], XS_IS_DOMAIN_INTRODUCED, 0, BYTES("6"), XS_IS_DOMAIN_INTRODUCED, "T", 0);
    ask(&w->guest[0], XS_DIRECTORY, 0, BYTES("/local/domain/5"), XS_ERROR, "ENOENT", 0);
    settle(w);
    assert_int_equal(w->guest[0].events, before + 1);
}

/* Limits set by hand, permissions and a guest that was cut off are as they were. */
static void other_state(void **state) {
    struct world *w = *state;
    struct guest *root = &w->guest[0];
    introduce(w);
    ask_ok(root, XS_CONTROL, 0, BYTES("quota\0set\0watches\0003"));
    ask_ok(root, XS_SET_PERMS, 0, BYTES("/local/domain/5\0b5\0r6"));
    ask_ok(root, XS_SET_TARGET, 0, BYTES("6\0005"));
    settle(w);
    w->guest[2].ring->req_prod += XENSTORE_RING_SIZE + 1;
    send_event(w, &w->guest[2]);
    uint64_t end = now_ms() + 30000;
    while (load(&w->guest[2].ring->error) != XENSTORE_ERROR_RINGIDX)
        assert_true(now_ms() < end && sched_yield() == 0);
    stop(w);
    w->guest[2].ring->error = 0;
    start(w);
    ask(root, XS_GET_PERMS, 0, BYTES("/local/domain/5"), XS_GET_PERMS, "", 6);
    for (int i = 0; i < 3; i++)
        ask_ok(&w->guest[1], XS_WATCH, 0, (const char *[]){ "a\0t", "b\0t", "c\0t" }[i], 4);
    ask(&w->guest[1], XS_WATCH, 0, BYTES("d\0t"), XS_ERROR, "E2BIG", 0);
    end = now_ms() + 30000;
    while (!idle(root) || !idle(&w->guest[1])) {
        assert_true(now_ms() < end);
        pump(w, root);
        pump(w, &w->guest[1]);
    }
    assert_int_equal(w->guest[2].ring->error, XENSTORE_ERROR_RINGIDX);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(killed_at_any_moment),
        T(open_transaction_is_lost),
        T(death_in_between),
        T(other_state),
    };
    alarm(120);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
