/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line without a daemon: each case is a command, the request that it has to make, an answer, and
 * what has to appear on the screen, byte for byte. What is called as `xl` was compared with the output of the
 * xl of Xen 4.17 for the same values. */
#include "tests/host/hauch_cases.h"

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
    { { "xl", "list", "-Z", "-c" },
      LIST_REQUEST,
      DOMAINS,
      "Name                                        ID   Mem VCPUs\tState\tTime(s)   Security Label         "
      "Cpupool\n"
      "Domain-0                                     0  1024     4     r-----     203.5                -"
      "          Pool-0\n"
      "u1                                           1    96     2     ------      20.2                -"
      "          Pool-0\n",
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

/* What a mistake is answered with: object, value, limit, remedy. How the command is used follows. */
#define MISTAKE(status, said, ...) { { "hauch", __VA_ARGS__ }, NULL, NULL, "", said, status }

static char long_word[8300];

static const struct one mistakes_cases[] = {
    { { "hauch" }, NULL, NULL, "", "usage: hauch COMMAND [ARGUMENTS]\n\n  create ", 2 },
    { { "hauch" }, NULL, NULL, "", "\nhauch COMMAND --help says more. A DOMAIN is a name or a number.\n", 2 },
    MISTAKE(2, "hauch: there is no command \"frobnicate\"; hauch help lists them\n", "frobnicate"),
    MISTAKE(2, "hauch: there is no command \"a\\x1b[31m\"; hauch help lists them\n", "a\033[31m"),
    MISTAKE(2, "hauch vcpu-set: an argument is missing\nusage: hauch vcpu-set DOMAIN NUMBER\n",
            "vcpu-set", "u1"),
    MISTAKE(2, "hauch pause: too many arguments\nusage: hauch pause DOMAIN\n", "pause", "u1", "u2"),
    MISTAKE(2, "hauch vcpu-set: NUMBER is \"many\": a number from 0 to 2147483647 is wanted",
            "vcpu-set", "u1", "many"),
    MISTAKE(2, "hauch vcpu-pin: VCPU is \"\\x07\": a number from 0", "vcpu-pin", "u1", "\a", "1"),
    MISTAKE(2, "WEIGHT is \"70000\": a number from 1 to 65535", "sched-credit2", "-d", "u1", "-w", "70000"),
    MISTAKE(2, "hauch sched-credit2: weight and cap belong to a domain: name it with -d",
            "sched-credit2", "-w", "1"),
    MISTAKE(2, "hauch sched-credit2: CPU pool \"x\": Pool-0 is the only one", "sched-credit2", "-p", "x"),
    MISTAKE(2, "hauch mem-set: SIZE is \"12q\": a number of MiB, or a number with k, m, g or t, is wanted",
            "mem-set", "u1", "12q"),
    MISTAKE(2, "hauch mem-max: SIZE is \"9999999999t\": a number of MiB", "mem-max", "u1", "9999999999t"),
    MISTAKE(2, "hauch domname: NUMBER is \"u1\": a number from 0 to 32751 is wanted", "domname", "u1"),
    MISTAKE(2, "hauch logs: NAME is \"../x\": the name of a domain is wanted, without a folder",
            "logs", "../x"),
    MISTAKE(2, "hauch console: SECONDS (or pv, the only type) is \"serial\": a number of seconds from 0 to "
               "999999 is wanted",
            "console", "-t", "serial", "u1"),
    MISTAKE(2, "hauch top: SECONDS is \"0\": a number of seconds from 0.1 to 3600 is wanted",
            "top", "-d", "0"),
    MISTAKE(2, "hauch store: SECONDS is \"soon\": a number of seconds from 0",
            "store", "watch", "-t", "soon", "/a"),
    MISTAKE(2, "hauch autostart: \"maybe\": on or off is wanted", "autostart", "web", "maybe"),
    MISTAKE(2, "hauch dmesg: --clear empties the log or the record of a crash, not --refusals",
            "dmesg", "-c", "--refusals"),
    MISTAKE(2, "hauch block-attach: the device is described in more than 8191 bytes",
            "block-attach", "u1", long_word),
    MISTAKE(2, "hauch dump-core: FILE is a path of 8299 bytes, at most 4095 are possible",
            "dump-core", "u1", long_word),
    MISTAKE(2, "hauch create: \"x\" follows the file, but is not of the form KEY=VALUE",
            "create", "/none.cfg", "x"),
    MISTAKE(1, "hauch create: cannot read /none.cfg: No such file or directory; check the path and its "
               "permissions\n",
            "create", "/none.cfg"),
    MISTAKE(1, "hauch define: cannot read /tmp: Is a directory; check the path and its permissions\n",
            "define", "/tmp"),
    MISTAKE(1, "hauch logs: /nowhere/nobody.log: No such file or directory; hauch list shows the names of "
               "domains that run\n",
            "logs", "nobody"),
    MISTAKE(1, "hauch store: cannot reach the store at /nowhere/socket: No such file or directory; start "
               "hauch-store\n",
            "store", "write", "/a"),
};

/* Verbs of xl that are not there: what is there instead. One for each reason. */
#define PARAVIRTUALIZED "domains are paravirtualized and have no emulated devices"

static const struct {
    const char *verb, *reason;
} absent_cases[] = {
    { "pci-attach", "devices of the host stay with domain 0: it has the drivers" },
    { "migrate", "a running domain can be neither stored nor moved yet; hauch shutdown and hauch create end "
                 "and begin it" },
    { "vncviewer", "domains have no graphics; hauch console joins the text console" },
    { "cd-insert", PARAVIRTUALIZED "; hauch block-attach adds a disk" },
    { "cd-eject", PARAVIRTUALIZED "; hauch block-detach takes a disk away" },
    { "button-press", PARAVIRTUALIZED "; hauch shutdown asks the system inside to end" },
    { "trigger", PARAVIRTUALIZED "; hauch shutdown and hauch sysrq reach the kernel inside" },
    { "qemu-monitor-command", PARAVIRTUALIZED },
    { "sharing", "domains share no pages" },
    { "sched-rtds", "there is one scheduler; hauch sched-credit2 sets its weights and caps" },
    { "set-parameters", "its options are read at boot only; change the boot loader's entry" },
    { "claims",
      "memory is set aside only while a domain is being made; hauch info shows outstanding_claims" },
    { "vkb-list", "domains have disks, network cards and a console only" },
    { "cpupool-list", "all processors are one pool; hauch vcpu-pin and hauch sched-credit2 divide them" },
    { "getenforce", "there are no security labels" },
    { "devd", "back ends run in domain 0, where hauchd looks after them" },
    { "psr-hwinfo", "it leaves caches and memory bandwidth to the processor" },
    { "usb-list", "USB devices of the host stay with domain 0; share them over the network or as disks" },
};

static void test_absent(void **state)
{
    char words[256];

    for (size_t i = 0; i < sizeof(absent_cases) / sizeof(absent_cases[0]); i++) {
        struct one c = { { "xl", absent_cases[i].verb, "u1" }, NULL, NULL, "", words, 1 };

        snprintf(words, sizeof(words), "hauch: %s is not in Hauch, because %s\n", absent_cases[i].verb,
                 absent_cases[i].reason);
        run(&c);
    }
}

static void test_mistakes(void **state)
{
    static struct one many =
        MISTAKE(2, "hauch create: more than 253 settings KEY=VALUE: write some into the file",
                "create", "/none.cfg");

    memset(long_word, 'w', sizeof(long_word) - 1);
    long_word[0] = '/';
    setenv("XENSTORED_PATH", "/nowhere/socket", 1);
    setenv("HAUCH_LOGS", "/nowhere", 1);
    RUN(mistakes_cases);
    for (int i = 3; i < 3 + 254; i++)
        many.argv[i] = "a=1";
    run(&many);
}

/* A file that is no configuration. */
static void test_nul_byte(void **state)
{
    static const char       text[] = "# a\0b\nname = 'a'\nkernel = '/k'\n";
    static const struct one cases[] = {
        MISTAKE(1, "hauch create: /tmp/hauch-cli-nul.cfg contains a NUL byte: give a text file\n",
                "create", "/tmp/hauch-cli-nul.cfg"),
    };
    FILE *out = fopen("/tmp/hauch-cli-nul.cfg", "we");

    assert_non_null(out);
    fwrite(text, sizeof(text) - 1, 1, out);
    fclose(out);
    RUN(cases);
    unlink("/tmp/hauch-cli-nul.cfg");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),   cmocka_unit_test(test_host),    cmocka_unit_test(test_requests),
        cmocka_unit_test(test_absent), cmocka_unit_test(test_mistakes), cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_define),   cmocka_unit_test(test_nul_byte),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
