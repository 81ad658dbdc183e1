/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ops: the small operations whose cost a hypervisor changes, each repeated between two marks.
 *
 *     ops NAME [COUNT]    runs one of the operations below COUNT times; mark 1 before, mark 2 after
 *     ops mark NUMBER     a mark alone (3 to 11), for scripts
 *
 * It runs the operation a few times before the first mark, so that page faults and translation of code that
 * runs once do not count. The program is static and small, so that fork and exec cost the same everywhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mark.h"

enum { WARM_UP = 8, PAGE = 4096, FAULT_PAGES = 256 };

static int there[2], back[2];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void op_getpid(void)
{
    syscall(SYS_getpid);
}

static void op_fork(void)
{
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
}

static void op_exec(void)
{
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        execl("/proc/self/exe", "ops", "nothing", (char *)NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
}

/* One anonymous page touched for the first time; the map is taken and given back in long runs. */
static void op_fault(void)
{
    static char *area;
    static size_t used = FAULT_PAGES;

    if (used == FAULT_PAGES) {
        if (area)
            munmap(area, FAULT_PAGES * PAGE);
        area = mmap(NULL, FAULT_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area == MAP_FAILED)
            die("mmap");
        madvise(area, FAULT_PAGES * PAGE, MADV_NOHUGEPAGE);
        used = 0;
    }
    area[used++ * PAGE] = 1;
}

/* One byte there and back between two processes: two switches. */
static void op_pipe(void)
{
    char byte = 0;
    if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
        die("pipe");
}

static pid_t pipe_start(void)
{
    if (pipe(there) || pipe(back))
        die("pipe");
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        char byte;
        close(there[1]);
        while (read(there[0], &byte, 1) == 1) {
            if (write(back[1], &byte, 1) != 1)
                break;
        }
        _exit(0);
    }
    return child;
}

static void run(void (*op)(void), long count)
{
    for (int i = 0; i < WARM_UP; i++)
        op();
    BENCH_MARK(1);
    for (long i = 0; i < count; i++)
        op();
    BENCH_MARK(2);
}

/* A mark's number is part of an instruction, so each needs an instruction of its own. */
static int mark(int number)
{
    switch (number) {
    case 3: BENCH_MARK(3); return 0;
    case 4: BENCH_MARK(4); return 0;
    case 5: BENCH_MARK(5); return 0;
    case 6: BENCH_MARK(6); return 0;
    case 7: BENCH_MARK(7); return 0;
    case 8: BENCH_MARK(8); return 0;
    case 9: BENCH_MARK(9); return 0;
    case 10: BENCH_MARK(10); return 0;
    case 11: BENCH_MARK(11); return 0;
    default: fprintf(stderr, "ops: marks are 3 to 11, not %d\n", number); return 2;
    }
}

static const struct {
    const char *name;
    void (*op)(void);
    long count;
} ops[] = {
    { "getpid", op_getpid, 2000 }, { "fork", op_fork, 40 },   { "exec", op_exec, 20 },
    { "fault", op_fault, 1024 },   { "pipe", op_pipe, 200 },
};

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "nothing") == 0)
        return 0;
    if (argc == 3 && strcmp(argv[1], "mark") == 0)
        return mark(atoi(argv[2]));
    for (size_t i = 0; argc > 1 && i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (strcmp(argv[1], ops[i].name) != 0)
            continue;
        long count = argc > 2 ? atol(argv[2]) : ops[i].count;
        pid_t other = ops[i].op == op_pipe ? pipe_start() : 0;
        run(ops[i].op, count);
        printf("@@ ops %s %ld\n", ops[i].name, count);
        if (other) {
            close(there[1]);
            waitpid(other, NULL, 0);
        }
        return 0;
    }
    fprintf(stderr, "usage: ops getpid|fork|exec|fault|pipe [COUNT], or ops mark 3..11\n");
    return 2;
}
