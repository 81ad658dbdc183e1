/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line without a daemon: each case is a command, the request that it has to make, an answer, and
 * what has to appear on the screen, byte for byte. What is called as `xl` was compared with the output of the
 * xl of Xen 4.17 for the same values. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#define main hauch_main
int hauch_main(int argc, char **argv);
#include "dom0/hauch/main.c"
#undef main

enum { WORDS = 12, TEXT = 16384 };

struct one {
    const char *argv[WORDS];
    const char *request;       /* NULL: none may be made */
    const char *answer;        /* NULL: nothing is answered but "ok" */
    const char *out;           /* NULL: anything */
    const char *err;           /* part of it; NULL: none */
    int         status;
};

static const struct one *now;        /* the case at work, for ask() */
static unsigned          asked;
static char              out_path[] = "/tmp/hauch-cli-out-XXXXXX", err_path[] = "/tmp/hauch-cli-err-XXXXXX";

/* ---- in place of ask.c ---- */
bool ask_quiet;

struct json_object *request_new(const char *op, const char *domain)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "op", json_object_new_string(op));
    request_text(o, "domain", domain);
    return o;
}

void request_flag(struct json_object *rq, const char *key, bool value)
{
    if (value)
        json_object_object_add(rq, key, json_object_new_boolean(true));
}

int ask(struct json_object *rq, struct json_object **answer)
{
    const char *text = json_object_to_json_string_ext(rq, JSON_C_TO_STRING_PLAIN);

    if (!now->request || ((asked++ || strcmp(text, now->request)) && strcmp(now->request, "*"))) {
        fprintf(stderr, "unexpected request %s\n", text);
        _exit(99);
    }
    json_object_put(rq);
    if (answer)
        *answer = json_tokener_parse(now->answer ? now->answer : "{}");
    return EXIT_DONE;
}

int ask_stream(struct json_object *rq, void (*line)(struct json_object *o))
{
    struct json_object *o = NULL;
    int                 rc = ask(rq, &o);

    line(o);
    json_object_put(o);
    return rc;
}

int ask_simple(const char *op, const char *domain)
{
    return ask(request_new(op, domain), NULL);
}

/* ---- running a case in a process of its own: commands may exit ---- */
static void to_file(const char *path, int fd)
{
    int file = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);

    dup2(file, fd);
    close(file);
}

static void file_text(const char *path, char out[TEXT])
{
    int     fd = open(path, O_RDONLY);
    ssize_t n = read(fd, out, TEXT - 1);

    out[n > 0 ? n : 0] = 0;
    close(fd);
}

static void run(const struct one *c)
{
    static char out[TEXT], err[TEXT];
    int         status, argc = 0;
    pid_t       pid;

    while (argc < WORDS && c->argv[argc])
        argc++;
    fflush(NULL);
    pid = fork();
    if (!pid) {
        now = c;
        to_file(out_path, 1);
        to_file(err_path, 2);
        status = hauch_main(argc, (char **)c->argv);
        if (c->request && !asked)
            status = 98;
        fflush(NULL);
        _exit(status);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    file_text(out_path, out);
    file_text(err_path, err);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != c->status)
        fail_msg("%s %s: status %d, not %d; it said: %s", c->argv[0], c->argv[1], WEXITSTATUS(status),
                 c->status, err);
    if (c->out && strcmp(out, c->out))
        fail_msg("%s %s: printed\n%snot\n%s", c->argv[0], c->argv[1], out, c->out);
    if (c->err ? !strstr(err, c->err) : err[0])
        fail_msg("%s %s: said \"%s\", not \"%s\"", c->argv[0], c->argv[1], err, c->err ? c->err : "");
}

static void run_all(const struct one *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        run(&cases[i]);
}

#define RUN(cases) run_all(cases, sizeof(cases) / sizeof((cases)[0]))

/* ---- tables, as xl has them ---- */
#define DOMAINS \
    "{\"domains\":[{\"domid\":0,\"name\":\"Domain-0\",\"uuid\":\"00000000-0000-0000-0000-000000000000\"," \
    "\"state\":\"r-----\",\"memory_kib\":1048576,\"vcpus\":4,\"cpu_time_s\":203.5}," \
    "{\"domid\":1,\"name\":\"u1\",\"uuid\":\"f3950867-90bd-44a7-a40f-63e7f7bbd630\",\"state\":\"------\"," \
    "\"memory_kib\":98304,\"vcpus\":2,\"cpu_time_s\":20.2,\"uptime_s\":163," \
    "\"config\":{\"c_info\":{\"name\":\"u1\"}}}]}"

#define U1 "{\"domains\":[{\"domid\":1,\"name\":\"u1\",\"state\":\"------\",\"uptime_s\":164}]}"

#define VCPUS \
    "{\"vcpus\":[{\"name\":\"Domain-0\",\"domid\":0,\"vcpu\":1,\"online\":true,\"running\":true," \
    "\"blocked\":false,\"cpu\":3,\"cpu_time_s\":56.1,\"hard\":\"all\",\"soft\":\"all\"}," \
    "{\"name\":\"u1\",\"domid\":1,\"vcpu\":0,\"online\":true,\"running\":false,\"blocked\":true,\"cpu\":1," \
    "\"cpu_time_s\":11.2,\"hard\":\"1-2\",\"soft\":\"2\"}," \
    "{\"name\":\"u1\",\"domid\":1,\"vcpu\":2,\"online\":false,\"running\":false,\"blocked\":true,\"cpu\":1," \
    "\"cpu_time_s\":2.5,\"hard\":\"0-1,3\",\"soft\":\"all\"}]}"

#define SHARES \
    "{\"shares\":[{\"name\":\"Domain-0\",\"domid\":0,\"weight\":256,\"cap\":0}," \
    "{\"name\":\"u1\",\"domid\":1,\"weight\":512,\"cap\":50}],\"ratelimit_us\":1000}"

#define HOST                                                                                                 \
    "{\"host\":{\"host\":\"pc\",\"release\":\"6.1.0\",\"version\":\"#1 SMP\",\"machine\":\"x86_64\","        \
    "\"nr_cpus\":2,\"max_cpu_id\":1,\"nr_nodes\":1,\"cores_per_socket\":2,\"threads_per_core\":1,"           \
    "\"cpu_khz\":2596044,\"hw_caps\":\"1f:2\",\"virt_caps\":[\"hvm\",\"pv\",\"hap\",\"gnttab-v1\"],"         \
    "\"total_kib\":2096128,\"free_kib\":924672,\"outstanding_kib\":0,\"major\":4,\"minor\":17,"              \
    "\"extra\":\".7\",\"hypervisor\":\"4.17.7\",\"caps\":\"xen-3.0-x86_64 \",\"scheduler\":\"credit2\","     \
    "\"page_bytes\":4096,\"virt_start\":\"0xffff800000000000\",\"changeset\":\"\",\"command_line\":\"com1 "  \
    "\","                                                                                                    \
    "\"compiler\":\"gcc\",\"compile_by\":\"a\",\"compile_domain\":\"b\",\"compile_date\":\"c\","             \
    "\"build_id\":\"15\",\"cpu_topology\":[{\"cpu\":0,\"core\":0,\"socket\":0,\"node\":0},"                  \
    "{\"cpu\":1,\"core\":1,\"socket\":0,\"node\":0}],"                                                       \
    "\"numa_nodes\":[{\"node\":0,\"memory_kib\":2096128,\"free_kib\":924672,\"distances\":[10]}]}}"

#define DEVICES \
    "{\"domid\":1,\"devices\":{\"disks\":[{\"devid\":51712,\"backend_id\":0,\"state\":1," \
    "\"event_channel\":-1,\"ring_ref\":-1,\"backend\":\"/local/domain/0/backend/vbd/1/51712\"}]," \
    "\"vifs\":[{\"devid\":0,\"backend_id\":0,\"mac\":\"00:16:3e:00:00:02\",\"state\":1," \
    "\"event_channel\":-1,\"tx_ring_ref\":-1,\"rx_ring_ref\":-1," \
    "\"backend\":\"/local/domain/0/backend/vif/1/0\"}],\"channels\":[]}}"

#define LIST_REQUEST "{\"op\":\"list\"}"

static const struct one tables_cases[] = {
    { { "xl", "list" },
      LIST_REQUEST,
      DOMAINS,
      "Name                                        ID   Mem VCPUs\tState\tTime(s)\n"
      "Domain-0                                     0  1024     4     r-----     203.5\n"
      "u1                                           1    96     2     ------      20.2\n",
      NULL,
      0 },
    { { "xl", "list", "-v" },
      LIST_REQUEST,
      DOMAINS,
      "Name                                        ID   Mem VCPUs\tState\tTime(s)"
      "   UUID                            Reason-Code\tSecurity Label\n"
      "Domain-0                                     0  1024     4     r-----     203.5"
      " 00000000-0000-0000-0000-000000000000        -                -\n"
      "u1                                           1    96     2     ------      20.2"
      " f3950867-90bd-44a7-a40f-63e7f7bbd630        -                -\n",
      NULL,
      0 },
    { { "xl", "-v", "list", "-n" },
      LIST_REQUEST,
      DOMAINS,
      "Name                                        ID   Mem VCPUs\tState\tTime(s) NODE Affinity\n"
      "Domain-0                                     0  1024     4     r-----     203.5 all\n"
      "u1                                           1    96     2     ------      20.2 all\n",
      NULL,
      0 },
    { { "xl", "vcpu-list" },
      "{\"op\":\"vcpus\"}",
      VCPUS,
      "Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)\n"
      "Domain-0                             0     1    3   r--      56.1  all / all\n"
      "u1                                   1     0    1   -b-      11.2  1-2 / 2\n"
      "u1                                   1     2    -   --p       2.5  0-1,3 / all\n",
      NULL,
      0 },
    { { "xl", "sched-credit2" },
      "{\"op\":\"sched\"}",
      SHARES,
      "Cpupool Pool-0: ratelimit=1000us\n"
      "Name                                ID Weight  Cap\n"
      "Domain-0                             0    256    0\n"
      "u1                                   1    512   50\n",
      NULL,
      0 },
    { { "xl", "sched-credit2", "-s" },
      "{\"op\":\"sched\"}",
      SHARES,
      "Cpupool Pool-0: ratelimit=1000us\n",
      NULL,
      0 },
    { { "xl", "vm-list" },
      LIST_REQUEST,
      DOMAINS,
      "UUID                                  ID    name\n"
      "00000000-0000-0000-0000-000000000000  0    Domain-0                      \n"
      "f3950867-90bd-44a7-a40f-63e7f7bbd630  1    u1                            \n",
      NULL,
      0 },
    { { "xl", "uptime", "u1" },
      "{\"op\":\"list\",\"domain\":\"u1\"}",
      U1,
      "Name                                ID Uptime\n"
      "u1                                   1  0:02:44\n",
      NULL,
      0 },
    { { "xl", "block-list", "u1" },
      "{\"op\":\"devices\",\"domain\":\"u1\"}",
      DEVICES,
      "Vdev  BE  handle state evt-ch ring-ref BE-path                       \n"
      "51712 0   1      1     -1     -1       /local/domain/0/backend/vbd/1/51712\n",
      NULL,
      0 },
    { { "xl", "network-list", "u1" },
      "{\"op\":\"devices\",\"domain\":\"u1\"}",
      DEVICES,
      "Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path                       \n"
      "0   0  00:16:3e:00:00:02     0     1     -1    -1/-1          /local/domain/0/backend/vif/1/0\n",
      NULL,
      0 },
    { { "xl", "channel-list", "u1" },
      "{\"op\":\"devices\",\"domain\":\"u1\"}",
      DEVICES,
      "Idx BE state evt-ch ring-ref connection                               \n",
      NULL,
      0 },
    { { "xl", "domid", "u1" },
      "{\"op\":\"info\",\"domain\":\"u1\"}",
      "{\"domain\":{\"domid\":7}}",
      "7\n",
      NULL,
      0 },
};

static void test_tables(void **state)
{
    RUN(tables_cases);
}

static const struct one host_cases[] = {
    { { "xl", "info", "-n" },
      "{\"op\":\"host\",\"topology\":true}",
      HOST,
      "host                   : pc\nrelease                : 6.1.0\nversion                : #1 SMP\n"
      "machine                : x86_64\nnr_cpus                : 2\nmax_cpu_id             : 1\n"
      "nr_nodes               : 1\ncores_per_socket       : 2\nthreads_per_core       : 1\n"
      "cpu_mhz                : 2596.044\nhw_caps                : 1f:2\n"
      "virt_caps              : pv hvm hap gnttab-v1\ntotal_memory           : 2047\n"
      "free_memory            : 903\nsharing_freed_memory   : 0\nsharing_used_memory    : 0\n"
      "outstanding_claims     : 0\nfree_cpus              : 0\ncpu_topology           :\n"
      "cpu:    core    socket     node\n  0:       0        0        0\n  1:       1        0        0\n"
      "device topology        :\ndevice           node\nNo device topology data available\n"
      "numa_info              :\nnode:    memsize    memfree    distances\n   0:      2047        903    "
      "  10\n"
      "xen_major              : 4\nxen_minor              : 17\nxen_extra              : .7\n"
      "xen_version            : 4.17.7\nxen_caps               : xen-3.0-x86_64 \n"
      "xen_scheduler          : credit2\nxen_pagesize           : 4096\n"
      "platform_params        : virt_start=0xffff800000000000\nxen_changeset          : \n"
      "xen_commandline        : com1 \ncc_compiler            : gcc\ncc_compile_by          : a\n"
      "cc_compile_domain      : b\ncc_compile_date        : c\nbuild_id               : 15\n"
      "xend_config_format     : 4\n",
      NULL,
      0 },
};

static void test_host(void **state)
{
    RUN(host_cases);
}

/* What becomes of arguments. */
static const struct one requests_cases[] = {
    { { "hauch", "vcpu-set", "u1", "3" },
      "{\"op\":\"vcpu_set\",\"domain\":\"u1\",\"count\":3}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "vcpu-pin", "u1", "all", "0-3,^2" },
      "{\"op\":\"vcpu_pin\",\"domain\":\"u1\",\"hard\":\"0-3,^2\"}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "vcpu-pin", "-f", "u1", "1", "-", "2" },
      "{\"op\":\"vcpu_pin\",\"domain\":\"u1\",\"vcpu\":1,\"soft\":\"2\",\"force\":true}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "sched-credit2", "-d", "u1", "-w", "300", "-c", "0" },
      "{\"op\":\"sched\",\"domain\":\"u1\",\"weight\":300,\"cap\":0}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "mem-set", "u1", "80" },
      "{\"op\":\"mem_set\",\"domain\":\"u1\",\"kib\":81920}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "mem-max", "u1", "2g" },
      "{\"op\":\"mem_max\",\"domain\":\"u1\",\"kib\":2097152}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "mem-set", "u1", "4096k" },
      "{\"op\":\"mem_set\",\"domain\":\"u1\",\"kib\":4096}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "sysrq", "u1", "h" },
      "{\"op\":\"sysrq\",\"domain\":\"u1\",\"text\":\"h\"}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "debug-keys", "q" }, "{\"op\":\"debug_keys\",\"text\":\"q\"}", NULL, "", NULL, 0 },
    { { "hauch", "destroy", "-f", "u1" }, "{\"op\":\"destroy\",\"domain\":\"u1\"}", NULL, "", NULL, 0 },
    { { "hauch", "shutdown", "-a", "-w" },
      "{\"op\":\"shutdown\",\"all\":true,\"wait\":true}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "block-attach", "u1", "phy:/dev/sdb", "xvdb", "w" },
      "{\"op\":\"attach\",\"domain\":\"u1\",\"type\":\"disk\",\"spec\":\"phy:\\/dev\\/sdb,xvdb,w\"}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "network-attach", "u1" },
      "{\"op\":\"attach\",\"domain\":\"u1\",\"type\":\"vif\",\"spec\":\"\"}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "block-detach", "-f", "u1", "xvdb" },
      "{\"op\":\"detach\",\"domain\":\"u1\",\"type\":\"disk\",\"device\":\"xvdb\",\"force\":true}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "start", "-p", "web" },
      "{\"op\":\"start\",\"domain\":\"web\",\"paused\":true}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "autostart", "web", "on" },
      "{\"op\":\"autostart\",\"domain\":\"web\",\"on\":true}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "undefine", "web" }, "{\"op\":\"undefine\",\"domain\":\"web\"}", NULL, "", NULL, 0 },
    { { "hauch", "host-stop", "-t", "5" }, "{\"op\":\"halt\",\"seconds\":5}", NULL, "", NULL, 0 },
    { { "hauch", "host-start" },
      "{\"op\":\"boot\"}",
      "{\"started\":[{\"name\":\"a\"},{\"name\":\"b\",\"error\":\"no kernel\"}]}",
      "a\n",
      "b: no kernel\n",
      1 },
    { { "hauch", "list", "-d" },
      "{\"op\":\"definitions\"}",
      "{\"definitions\":[{\"name\":\"a\",\"domid\":3,\"autostart\":true},{\"name\":\"b\",\"autostart\":"
      "false}]}",
      "Name                                        ID Autostart\n"
      "a                                            3 on\n"
      "b                                            - off\n",
      NULL,
      0 },
    { { "hauch", "events" },
      "{\"op\":\"events\"}",
      "{\"event\":\"gone\",\"name\":\"a\"}",
      "{\"event\":\"gone\",\"name\":\"a\"}\n",
      NULL,
      0 },
    { { "hauch", "dump-core", "-c", "u1", "/tmp/x" },
      "{\"op\":\"dump\",\"domain\":\"u1\",\"path\":\"\\/tmp\\/x\",\"clear\":true}",
      NULL,
      "",
      NULL,
      0 },
    { { "hauch", "top", "-b", "-i", "1" }, LIST_REQUEST, DOMAINS, NULL, NULL, 0 },
    { { "hauch", "list", "-l" },
      "{\"op\":\"list\",\"configs\":true}",
      DOMAINS,
      "[\n  {\n    \"domid\":0,\n    \"config\":null\n  },\n  {\n    \"domid\":1,\n    \"config\":{\n"
      "      \"c_info\":{\n        \"name\":\"u1\"\n      }\n    }\n  }\n]\n",
      NULL,
      0 },
};

static void test_requests(void **state)
{
    RUN(requests_cases);
}

static const struct one mistakes_cases[] = {
    { { "hauch", "frobnicate" }, NULL, NULL, "", "no command \"frobnicate\"; hauch help lists them\n", 2 },
    { { "hauch", "a\033[31m" }, NULL, NULL, "",
      "hauch: there is no command \"a\\x1b[31m\"; hauch help lists them", 2 },
    { { "xl", "pci-attach", "u1" },
      NULL,
      NULL,
      "",
      "pci-attach is not in Hauch, because devices of the host",
      1 },
    { { "xl", "migrate" }, NULL, NULL, "", "hauch: migrate is not in Hauch, because", 1 },
    { { "hauch", "vcpu-set", "u1" }, NULL, NULL, "", "an argument is missing", 2 },
    { { "hauch", "vcpu-set", "u1", "many" }, NULL, NULL, "",
      "hauch vcpu-set: NUMBER is \"many\": a number from 0 to 2147483647 is wanted", 2 },
    { { "hauch", "vcpu-pin", "u1", "x", "1" }, NULL, NULL, "", "VCPU is \"x\"", 2 },
    { { "hauch", "sched-credit2", "-d", "u1", "-w", "70000" },
      NULL,
      NULL,
      "",
      "WEIGHT is \"70000\": a number from 1 to 65535",
      2 },
    { { "hauch", "sched-credit2", "-w", "1" }, NULL, NULL, "",
      "hauch sched-credit2: weight and cap belong to a domain: name it with -d", 2 },
    { { "hauch", "sched-credit2", "-p", "x" }, NULL, NULL, "",
      "hauch sched-credit2: there is one CPU pool only, Pool-0", 2 },
    { { "hauch", "mem-set", "u1", "12q" }, NULL, NULL, "",
      "hauch mem-set: SIZE is a number of MiB, or a number and k, m, g or t", 2 },
    { { "hauch", "mem-set", "u1", "9999999999t" }, NULL, NULL, "", "SIZE is a number of MiB", 2 },
    { { "hauch", "domname", "u1" }, NULL, NULL, "", "hauch domname: a domain's number is wanted", 2 },
    { { "hauch", "store", "write", "/a" }, NULL, NULL, "",
      "hauch store: cannot reach the store at /nowhere/socket: No such file or directory; "
      "start hauch-store\n", 1 },
    { { "hauch", "create", "/none.cfg" }, NULL, NULL, "", "/none.cfg: No such file", 1 },
    { { "hauch", "create", "/none.cfg", "x" }, NULL, NULL, "",
      "hauch create: what follows the file has to be of the form KEY=VALUE", 2 },
    { { "hauch", "logs", "../x" }, NULL, NULL, "", "hauch logs: NAME is the name of a domain", 2 },
    { { "hauch", "logs", "nobody" }, NULL, NULL, "",
      "hauch logs: /nowhere/nobody.log: No such file or directory; hauch list shows the names of domains "
      "that run", 1 },
    { { "hauch", "console", "-t", "serial", "u1" }, NULL, NULL, "",
      "hauch console: SECONDS is a number; there are consoles of type pv only", 2 },
    { { "hauch", "autostart", "web", "maybe" }, NULL, NULL, "", "on or off is wanted", 2 },
    { { "hauch", "define", "/none.cfg" }, NULL, NULL, "", "hauch define: /none.cfg: No such file", 1 },
    { { "hauch", "top", "-d", "0" }, NULL, NULL, "", "hauch top: SECONDS is from 0.1 to 3600", 2 },
};

static void test_mistakes(void **state)
{

    setenv("XENSTORED_PATH", "/nowhere/socket", 1);
    setenv("HAUCH_LOGS", "/nowhere", 1);
    RUN(mistakes_cases);
}

/* Settings of the command line become lines of the file. */
static void test_define(void **state)
{
    static const struct one cases[] = {
        { { "hauch", "define", "/tmp/hauch-cli-define.cfg", "memory=32", "extra=it's", "vif=['bridge=b']" },
          "{\"op\":\"define\",\"config\":\"name = 'a'\\nkernel = '\\/k'\\nmemory = 16\\nmemory = 32\\nextra "
          "= "
          "\\\"it's\\\"\\nvif = ['bridge=b']\\n\",\"source\":\"\\/tmp\\/hauch-cli-define.cfg\"}",
          NULL,
          "",
          NULL,
          0 },
    };
    FILE *out = fopen("/tmp/hauch-cli-define.cfg", "we");

    assert_non_null(out);
    fputs("name = 'a'\nkernel = '/k'\nmemory = 16", out);
    fclose(out);
    RUN(cases);
    unlink("/tmp/hauch-cli-define.cfg");
}

/* ---- doctor: a pretended host with all that can be wrong with it ---- */
static char root[] = "/tmp/hauch-cli-root-XXXXXX";

static void host_file(const char *path, const char *text)
{
    char  full[512], command[600];
    FILE *out;

    snprintf(full, sizeof(full), "%s%s", root, path);
    snprintf(command, sizeof(command), "mkdir -p $(dirname %s)", full);
    assert_int_equal(system(command), 0);
    out = fopen(full, "we");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

/* Both of doctor's questions get the same answer, which has what each looks for. */
#define DOCTOR_ANSWER                                                                                        \
    "{\"host\":{\"hypervisor\":\"4.17.0-hauch\",\"free_kib\":2048,\"domains_managed\":1},\"domains\":[{"     \
    "\"domid\":0},"                                                                                          \
    "{\"domid\":4,\"name\":\"theirs\",\"managed\":false,\"state\":\"-b----\"},"                              \
    "{\"domid\":5,\"name\":\"dead\",\"managed\":false,\"state\":\"-----d\"}]}"

static void assert_doctor(int status, const char *const *words, size_t count)
{
    static char      out[TEXT];
    const struct one c = { { "hauch", "doctor" }, "*", DOCTOR_ANSWER, NULL, NULL, status };

    run(&c);
    file_text(out_path, out);
    for (size_t i = 0; i < count; i++)
        if (!strstr(out, words[i]))
            fail_msg("doctor does not say \"%s\" but\n%s", words[i], out);
}

static void test_doctor(void **state)
{
    static const char *const bad[] = {
        "problem this system runs without a hypervisor that speaks Xen's interface",
          "        do: boot the entry of Hauch: hauch.elf first, this kernel as its module",
        "/dev/xen/privcmd is missing: hauchd cannot control", "do: modprobe xen-privcmd",
        "do: modprobe xen-netback", "note    there is no bridge: a domain with a network card cannot be made",
          "        do: ip link add xenbr0 type bridge && ip link set xenbr0 up",
        "the store does not answer: No such file", "do: systemctl start hauch-store",
        "problem hauch-console does not answer: No such file or directory; domains run, but their consoles "
        "are neither shown nor logged", "good    hauchd answers; hypervisor 4.17.0-hauch, 1 domains of ours",
        "note    2 MiB are free for domains", "domain 4 (theirs) was made by another toolstack",
        "problem domain 5 is dead, but does not go", "no loop device is left over",
    };
    static const char *const worse[] = {
        "problem /proc/xen is not mounted: tools cannot know that this is domain 0",
        "bridge br7 is down",
        "problem frames between domains go through a firewall that drops what is forwarded "
        "(bridge-nf-call-iptables is 1)",
        "        do: sysctl net.bridge.bridge-nf-call-iptables=0, or accept what bridges forward",
        "problem hauch-store and oxenstored run both: a domain is known to one of them only",
        "problem hauch-console and xenconsoled run both: each gets a part of what domains write",
        "loop3 holds /srv/old.img, which no domain uses",
        "        do: losetup -d /dev/loop3, if nothing else uses it",
    };
    static const char *const other[] = { "this is a domain, not domain 0",
                                         "note    the store is xenstored: hauchd works with it, "
                                         "hauch-store must not be started",
                                         "note    frames between domains go through this host's firewall "
                                         "(bridge-nf-call-iptables is 1)" };

    assert_non_null(mkdtemp(root));
    setenv("HAUCH_ROOT", root, 1);
    setenv("XENSTORED_PATH", "/nowhere/socket", 1);
    setenv("HAUCH_CONSOLE_SOCKET", "/nowhere/console", 1);
    assert_doctor(1, bad, sizeof(bad) / sizeof(bad[0]));
    host_file("/sys/hypervisor/type", "xen\n");
    host_file("/sys/class/net/br7/bridge/x", "");
    host_file("/sys/class/net/br7/flags", "0x1002\n");
    host_file("/proc/sys/net/bridge/bridge-nf-call-iptables", "1\n");
    host_file("/nft", "chain f { type filter hook forward priority 0; policy drop; }\n");
    host_file("/proc/7/comm", "hauch-store\n");
    host_file("/proc/8/comm", "oxenstored\n");
    host_file("/proc/9/comm", "hauch-console\n");
    host_file("/proc/10/comm", "xenconsoled\n");
    host_file("/sys/block/loop3/loop/backing_file", "/srv/old.img\n");
    assert_doctor(1, worse, sizeof(worse) / sizeof(worse[0]));
    host_file("/proc/xen/capabilities", "\n");
    host_file("/nft", "");
    host_file("/proc/7/comm", "sh\n");
    host_file("/proc/8/comm", "xenstored\n");
    assert_doctor(1, other, sizeof(other) / sizeof(other[0]));
    unsetenv("HAUCH_ROOT");
}

/* Text that a guest chose never reaches the terminal as it is. */
static void test_escapes(void **state)
{
    static const struct one cases[] = {
        { { "hauch", "list" },
          LIST_REQUEST,
          "{\"domains\":[{\"domid\":1,\"name\":\"a\\u001b[31m\\u009b\\u00e4\",\"state\":\"-\"}]}",
          "Name                                        ID   Mem VCPUs\tState\tTime(s)\n"
          "a\\x1b[31m\\xc2\\x9b\xc3\xa4                           1     0     0          -       0.0\n",
          NULL,
          0 },
    };

    RUN(cases);
}

static int setup(void **state)
{
    close(mkstemp(out_path));
    close(mkstemp(err_path));
    return 0;
}

static int teardown(void **state)
{
    unlink(out_path);
    unlink(err_path);
    if (!strchr(root, 'X')) {
        char command[128];

        snprintf(command, sizeof(command), "rm -rf %s", root);
        return system(command);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),   cmocka_unit_test(test_host),    cmocka_unit_test(test_requests),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_define),
        cmocka_unit_test(test_doctor),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
