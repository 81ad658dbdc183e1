/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smp_load: what keeps several processors of a guest busy, and looks at its clock meanwhile.
 *
 *     smp_load clock SECONDS  a thread on each processor reads CLOCK_MONOTONIC: never less than before
 *     smp_load fork COUNT     fork, exit and wait
 *     smp_load munmap COUNT   a thread on each processor; one maps, touches and unmaps pages
 *
 * Exit status 0: all came to a good end. It is static, for images that have no libraries.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CPUS = 64, PAGE = 4096, PAGES = 64 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- a thread on each processor ---- */
static unsigned on_each_cpu(void *(*fn)(void *), void *arg, unsigned first)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t thread[MOST_CPUS];
    unsigned n = 0;

    for (long cpu = first; cpu < cpus && n < MOST_CPUS; cpu++) {
        pthread_attr_t attr;
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET((size_t)cpu, &set);
        pthread_attr_init(&attr);
        pthread_attr_setaffinity_np(&attr, sizeof set, &set);
        if (pthread_create(&thread[n], &attr, fn, arg) == 0)
            n++;
    }
    for (unsigned i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    return n;
}

/* ---- clock ---- */
static _Atomic uint64_t newest, backwards, worst, readings;

static void *read_clock(void *arg)
{
    uint64_t end = now() + *(const uint64_t *)arg, mine = 0;

    for (uint64_t t = 0; t < end; mine++) {
        uint64_t before = atomic_load(&newest);

        t = now();
        if (t < before) {
            atomic_fetch_add(&backwards, 1);
            if (before - t > atomic_load(&worst))
                atomic_store(&worst, before - t);
        }
        while (t > before && !atomic_compare_exchange_weak(&newest, &before, t))
            ;
    }
    atomic_fetch_add(&readings, mine);
    return NULL;
}

static int clock_run(unsigned seconds)
{
    uint64_t ns = seconds * 1000000000ull;
    unsigned n = on_each_cpu(read_clock, &ns, 0);

    printf("clock: %u processors, %lu readings, %lu backwards, worst %lu ns\n", n, (unsigned long)readings,
           (unsigned long)backwards, (unsigned long)worst);
    return n && readings && !backwards ? 0 : 1;
}

/* ---- fork, munmap ---- */
static int fork_run(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int status;
        pid_t child = fork();

        if (child < 0)
            die("fork");
        if (child == 0)
            _exit(0);
        if (waitpid(child, &status, 0) != child || status)
            return 1;
    }
    return 0;
}

static _Atomic int over;

static void *spin(void *arg)
{
    while (!atomic_load(&over))
        ;
    return arg;
}

static void *spin_everywhere(void *arg)
{
    on_each_cpu(spin, NULL, 1);
    return arg;
}

static int munmap_run(unsigned count)
{
    pthread_t keeper;
    int bad = 0;

    if (pthread_create(&keeper, NULL, spin_everywhere, NULL))
        die("pthread_create");
    usleep(100000);
    for (unsigned i = 0; i < count; i++) {
        char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED)
            die("mmap");
        for (int n = 0; n < PAGES; n++)
            p[n * PAGE] = 1;
        bad |= munmap(p, PAGES * PAGE);
    }
    atomic_store(&over, 1);
    pthread_join(keeper, NULL);
    return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 0;

    if (!strcmp(what, "clock") && argc == 3)
        return clock_run(n);
    if (!strcmp(what, "fork") && argc == 3)
        return fork_run(n);
    if (!strcmp(what, "munmap") && argc == 3)
        return munmap_run(n);
    fprintf(stderr, "usage: smp_load clock SECONDS | fork COUNT | munmap COUNT\n");
    return 2;
}
