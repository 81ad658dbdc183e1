/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said when disks, loop devices and network interfaces are not what they should be, or the kernel
 * refuses: its calls are wrapped, and one of them fails with the errno of the case. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/dev_disk.h"
#include "lib/dev_link.h"

static const char   *fail_open;        /* a path that cannot be opened */
static unsigned long fail_ioctl;       /* a request that is refused */
static int           fail_netlink;     /* which message of those to come is refused */
static int           why;              /* the errno of all that */

static int failing(bool yes)
{
    errno = why;
    return yes;
}

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    if (fail_open && failing(!strcmp(path, fail_open)))
        return -1;
    return __real_open(strncmp(path, "/dev/", 5) ? path : "/dev/null", flags & ~O_EXCL);
}

/* /dev/sdx is a block device. */
int __wrap_stat(const char *path, struct stat *st);
int __real_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st)
{
    if (strcmp(path, "/dev/sdx"))
        return __real_stat(path, st);
    *st = (struct stat){ .st_mode = S_IFBLK | 0600, .st_rdev = makedev(8, 16) };
    return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
    return failing(request == fail_ioctl) ? -1 : 0;
}

unsigned __wrap_if_nametoindex(const char *name);
unsigned __wrap_if_nametoindex(const char *name)
{
    return strcmp(name, "gone") ? 7 : 0;
}

int __wrap_bind(int fd, const struct sockaddr *a, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *a, socklen_t size)
{
    return failing(true) ? -1 : 0;
}

ssize_t __wrap_sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
                      socklen_t n);
ssize_t __wrap_sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
                      socklen_t n)
{
    return size;
}

ssize_t __wrap_recv(int fd, void *to, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *to, size_t size, int flags)
{
    struct nlmsghdr *answer = to;

    answer->nlmsg_type = NLMSG_ERROR;
    ((struct nlmsgerr *)NLMSG_DATA(answer))->error = fail_netlink && !--fail_netlink ? -why : 0;
    return NLMSG_LENGTH(sizeof(struct nlmsgerr));
}

/* ---- disks ---- */
static char image[] = "/tmp/hauch-dev-XXXXXX", long_path[1100];

static void probe(const char *target, bool readonly, int rc, const char *words)
{
    struct config_disk c = { .vdev = "xvda", .target = (char *)target, .readonly = readonly };
    struct dev_disk d;
    struct fault f = { 0 };

    assert_int_equal(dev_disk_probe(&c, &d, &f), rc);
    assert_string_equal(f.text, words);
    dev_disk_clear(&d);
}

static void test_disks(void **state)
{
    char words[256];

    memset(long_path, 'x', 1024);
    probe(long_path, false, -ENAMETOOLONG,
          "disk xvda: target of 1024 bytes, at most 1023 are possible; give a shorter path");
    probe("/none", false, -ENOENT, "disk xvda: cannot find /none (give the path of a block device or an "
                                   "image): No "
                                   "such file or directory");
    probe("/dev/null", false, -ENOTBLK,
          "disk xvda: /dev/null is neither a block device nor a file; give one of these as target");
    snprintf(words, sizeof(words), "disk xvda: image %s has 0 bytes, less than one sector of 512; make it "
                                   "larger "
             "(truncate -s SIZE %s)", image, image);
    probe(image, true, -EINVAL, words);
    fail_open = image;
    why = EACCES;
    snprintf(words, sizeof(words), "disk xvda: cannot open image %s for reading (check the path and its "
             "permissions): Permission denied", image);
    probe(image, true, -EACCES, words);
    fail_open = "/dev/sdx";
    probe("/dev/sdx", false, -EACCES,
          "disk xvda: cannot open /dev/sdx for writing (check the path and its permissions): Permission "
          "denied");
    why = EBUSY;
    probe("/dev/sdx", false, -EBUSY, "disk xvda: /dev/sdx is in use by this system (mounted, or part of an "
                                     "array or "
                                     "volume group); unmount it first or give it read-only");
    fail_open = NULL;
    probe("/dev/sdx", false, 0, "");
}

static void attach(const char *open, unsigned long request, const char *words)
{
    struct dev_loop loop;
    struct fault f = { 0 };

    fail_open = open;
    fail_ioctl = request;
    why = EPERM;
    assert_int_equal(dev_loop_attach("/etc/passwd", true, &loop, &f), -EPERM);
    assert_string_equal(f.text, words);
    fail_open = NULL;
    fail_ioctl = 0;
}

static void test_loop_devices(void **state)
{
    struct fault f = { 0 };

    attach("/etc/passwd", 0, "cannot open disk image /etc/passwd for reading (check the path and its "
                               "permissions): Operation not permitted");
    attach("/dev/loop-control", 0,
           "cannot open /dev/loop-control (load the kernel module loop): Operation not permitted");
    attach(NULL, LOOP_CTL_GET_FREE, "cannot find a free loop device for /etc/passwd (losetup lists those "
                                    "in use): "
                                    "Operation not permitted");
    attach("/dev/loop0", 0, "cannot open /dev/loop0 (load the kernel module loop): Operation not permitted");
    attach(NULL, LOOP_CONFIGURE, "cannot attach image /etc/passwd to /dev/loop0 (losetup -f --show with "
                                 "it, and "
                                 "dmesg, may say why): Operation not permitted");
    fail_ioctl = LOOP_CLR_FD;
    assert_int_equal(dev_loop_detach(3, NULL, &f), -EPERM);
    assert_string_equal(f.text, "cannot detach /dev/loop3 from its file (losetup -d takes it away later): "
                                "Operation "
                                "not permitted");
}

/* ---- interfaces ---- */
static void plumb(const char *name, int message, int error, const char *words)
{
    struct dev_link_plan plan = { .name = name, .new_name = "web0", .bridge = "br0", .mtu = 9000 };
    struct fault f = { 0 };

    fail_netlink = message;
    why = error;
    assert_int_equal(dev_link_plumb(&plan, &f), -error);
    assert_int_equal(fail_netlink, 0);
    assert_string_equal(f.text, words);
}

static void test_interfaces(void **state)
{
    struct fault f;

    assert_int_equal(dev_link_bridge_check("gone", &f), -ENODEV);
    assert_string_equal(f.text, "there is no network interface gone; create the bridge first (ip link add "
                                "gone type "
                                "bridge; ip link set gone up) or name another one with bridge=");
    assert_int_equal(dev_link_bridge_check("none7", &f), -ENOTSUP);
    assert_string_equal(f.text, "network interface none7 is not a bridge; name one with bridge=");
    plumb("gone", 0, ENODEV, "interface gone went away meanwhile; try again");
    plumb("vif3.0", 2, EEXIST, "cannot name interface vif3.0 web0: that name is taken; choose another "
                               "vifname=");
    plumb("vif3.0", 2, EINVAL, "cannot give interface vif3.0 the name web0 and the MTU 9000 (choose others "
                               "with "
                               "vifname= and mtu=): Invalid argument");
    plumb("vif3.0", 3, EBUSY, "cannot put interface vif3.0 on bridge br0 (is that still there?): Device or "
                              "resource "
                              "busy");
    plumb("vif3.0", 4, EPERM, "cannot bring up interface vif3.0 (dmesg may say why): Operation not "
                              "permitted");
    plumb("vif3.0", 0, 0, "");
}

static void test_monitors(void **state)
{
    struct fault f;

    why = EPERM;
    assert_int_equal(dev_link_monitor(&f), -EPERM);
    assert_string_equal(f.text, "cannot listen to network link events (run hauchd as root): Operation not "
                                "permitted");
}

static int setup(void **state) { return close(mkstemp(image)); }
static int teardown(void **state) { return unlink(image); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disks),      cmocka_unit_test(test_loop_devices),
        cmocka_unit_test(test_interfaces), cmocka_unit_test(test_monitors),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
