/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch doctor on pretended hosts, each with something missing or in the way: what is wrong, and what to
 * do. */
#include "tests/host/hauch_cases.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <xen/io/xs_wire.h>

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

/* A store that knows one folder only. */
static void store_serve(int fd)
{
    struct xsd_sockmsg m;
    char               path[256];
    const char        *answer;

    while (read(fd, &m, sizeof(m)) == sizeof(m) && m.len < sizeof(path) && read(fd, path, m.len) == m.len) {
        bool known = !strcmp(path, "/local/domain");

        answer = known ? "0\0" "44" : "ENOENT";
        m.type = known ? m.type : XS_ERROR;
        m.len = known ? 5 : 7;
        if (write(fd, &m, sizeof(m)) < 0 || write(fd, answer, m.len) < 0)
            break;
    }
    close(fd);
}

/* Listens at @name below the root; the pid of who serves there. */
static pid_t serve(const char *name, void (*one)(int fd))
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int                fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t              pid;

    snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", root, name);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 8), 0);
    pid = fork();
    if (!pid) {
        alarm(60);
        for (int in; (in = accept(fd, NULL, NULL)) >= 0;)
            one(in);
        _exit(1);
    }
    close(fd);
    return pid;
}

static void close_it(int fd) { close(fd); }

static void at_root(const char *variable, const char *name)
{
    char path[300];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    setenv(variable, path, 1);
}

/* A line as the kernel has it, of a socket that is listened at or a connection of one. */
#define SOCKET(flags) "0000000000000000: 00000002 00000000 " flags " 0001 01 41 /run/xenstored/socket\n"

#define DOCTOR(status, ...) \
    assert_doctor(status, (const char *const[]){ __VA_ARGS__ },                                              \
                  sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void doctor_without_anything(void)
{
    DOCTOR(1,
           "problem this system runs without a hypervisor that speaks Xen's interface\n"
           "        do: boot the entry of Hauch: hauch.elf first, this kernel as its module\n",
           "problem /dev/xen/privcmd is missing: hauchd cannot control the hypervisor\n"
           "        do: modprobe xen-privcmd\n",
           "do: modprobe xen-netback",
           "note    there is no bridge: a domain with a network card cannot be made\n"
           "        do: ip link add xenbr0 type bridge && ip link set xenbr0 up\n",
           "good    no firewall of this host looks at frames on "
           "bridges\n", "good    there is room for logs and state\n",
           "good    no other toolstack's daemons run\n",
           "problem the store does not answer: No such file or directory\n        do: systemctl start "
           "hauch-store\n",
           "problem hauch-console does not answer: No such file or directory; domains run, but their "
           "consoles are "
           "neither shown nor logged\n        do: systemctl start hauch-console\n",
           "good    hauchd answers; hypervisor 4.17.0-hauch, 1 domains of ours\n",
           "note    2 MiB are free for domains\n        do: boot with a smaller dom0_mem=, or hauch "
           "mem-set 0 SIZE\n",
           "note    domain 4 (theirs) was made by another toolstack: hauch can pause and destroy it, no "
           "more\n",
           "problem domain 5 is dead, but does not go\n"
           "        do: hauch dmesg; a back end that still maps its memory keeps it\n",
           "good    no loop device is left over\n");
}

static void doctor_with_all_in_the_way(void)
{
    char path[300];

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
    host_file("/proc/net/unix", "Num       RefCount Protocol Flags    Type St Inode Path\n" SOCKET("00010000")
              SOCKET("00010000") SOCKET("00000000"));
    host_file("/var/x", "");
    snprintf(path, sizeof(path), "%s/var/log", root);
    assert_int_equal(symlink("/proc", path), 0);          /* a file system without any room */
    DOCTOR(1,
           "problem /proc/xen is not mounted: tools cannot know that this is domain 0\n"
           "        do: mount -t xenfs xenfs /proc/xen\n",
           "problem bridge br7 is down: its domains have no network\n        do: ip link set br7 up\n",
           "problem frames between domains go through a firewall that drops what is forwarded "
           "(bridge-nf-call-iptables is 1)\n"
           "        do: sysctl net.bridge.bridge-nf-call-iptables=0, or accept what bridges forward\n",
           "problem /var/log has 0 MiB left: logs and state need 64\n        do: make room there\n",
           "problem hauch-store and oxenstored run both: a domain is known to one of them only\n"
           "        do: stop one of them: the store has one owner at a time\n",
           "problem two stores listen at /run/xenstored/socket: programs that connect now reach another one "
           "than all domains use\n        do: stop the store that was started last, then systemctl restart "
           "hauch-store: it takes up all nodes and domains\n",
           "problem the store runs, but /run/xenstored/socket is not its socket any more: another program "
           "replaced or removed it\n"
           "        do: systemctl restart hauch-store: it takes up all nodes and domains\n",
           "problem hauch-console and xenconsoled run both: each gets a part of what domains write\n"
           "        do: stop xenconsoled, or hauch-console\n",
           "note    loop3 holds /srv/old.img, which no domain uses\n"
           "        do: losetup -d /dev/loop3, if nothing else uses it\n",
           "good    the hypervisor is not Hauch, but speaks the same interface\n");
}

static void doctor_in_a_guest(void)
{
    host_file("/proc/xen/capabilities", "\n");
    host_file("/nft", "");
    host_file("/proc/net/unix", SOCKET("00000000"));
    host_file("/proc/7/comm", "sh\n");
    host_file("/proc/8/comm", "xenstored\n");
    DOCTOR(1, "problem this is a domain, not domain 0\n        do: run this in domain 0\n",
           "note    the store is xenstored: hauchd works with it, hauch-store must not be started\n",
           "note    frames between domains go through this host's firewall (bridge-nf-call-iptables is 1)\n"
           "        do: sysctl net.bridge.bridge-nf-call-iptables=0 if that is not wanted\n");
}

/* Modules and daemons are there, and a domain has left nodes in the store. */
static void doctor_with_peers(void)
{
    static const char *const there[] = {
        "/dev/xen/privcmd",     "/dev/xen/evtchn",                    "/dev/xen/gntdev",
        "/dev/loop-control",    "/sys/bus/xen-backend/drivers/vbd/x", "/sys/bus/xen-backend/drivers/vif/x",
        "/sys/module/bridge/x",
    };
    pid_t store = serve("store", store_serve), console = serve("console", close_it);

    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
        host_file(there[i], "");
    at_root("XENSTORED_PATH", "store");
    at_root("HAUCH_CONSOLE_SOCKET", "console");
    DOCTOR(1, "good    all modules are there\n", "good    store and hauch-console answer\n",
           "problem /local/domain/44 is in the store, and there is no such domain\n"
           "        do: hauch store rm /local/domain/44\n");
    kill(store, SIGKILL);
    kill(console, SIGKILL);
    assert_int_equal(waitpid(store, NULL, 0), store);
    assert_int_equal(waitpid(console, NULL, 0), console);
}

static void test_doctor(void **state)
{
    assert_non_null(mkdtemp(root));
    setenv("HAUCH_ROOT", root, 1);
    setenv("XENSTORED_PATH", "/nowhere/socket", 1);
    setenv("HAUCH_CONSOLE_SOCKET", "/nowhere/console", 1);
    doctor_without_anything();
    doctor_with_all_in_the_way();
    doctor_in_a_guest();
    doctor_with_peers();
    unsetenv("HAUCH_ROOT");
}

static int remove_root(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", root);
    return teardown(state) || system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_doctor) };

    return cmocka_run_group_tests(tests, setup, remove_root);
}
