/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch doctor, the machine and domain 0's kernel: see doctor.h. */
#define _GNU_SOURCE
#include "dom0/hauch/doctor.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

void doctor_hypervisor(void)
{
    char type[64], caps[256], extra[64];

    doctor_line("/sys/hypervisor/type", type, sizeof(type));
    if (strcmp(type, "xen")) {
        doctor_tell(FIND_PROBLEM, "hypervisor",
                    "boot the entry of Hauch: hauch.elf first, this kernel as its module",
                    "this system runs without a hypervisor that speaks Xen's interface");
        return;
    }
    doctor_line("/proc/xen/capabilities", caps, sizeof(caps));
    if (!doctor_exists("/proc/xen/capabilities"))
        doctor_tell(FIND_PROBLEM, "hypervisor", "mount -t xenfs xenfs /proc/xen",
                    "/proc/xen is not mounted: tools cannot know that this is domain 0");
    else if (!strstr(caps, "control_d"))
        doctor_tell(FIND_PROBLEM, "hypervisor", "run this in domain 0", "this is a domain, not domain 0");
    doctor_line("/sys/hypervisor/version/extra", extra, sizeof(extra));
    doctor_tell(FIND_GOOD, "hypervisor", NULL, "the hypervisor is %s",
                strstr(extra, "hauch") ? "Hauch" : "not Hauch, but speaks the same interface");
}

/* ---- domain 0's kernel ---- */
void doctor_kernel(void)
{
    static const struct {
        const char *path, *module, *without;
    } needs[] = {
        { "/dev/xen/privcmd", "xen-privcmd", "hauchd cannot control the hypervisor" },
        { "/dev/xen/evtchn", "xen-evtchn", "no daemon hears of events" },
        { "/dev/xen/gntdev", "xen-gntdev", "store and consoles cannot reach domains" },
        { "/sys/bus/xen-backend/drivers/vbd", "xen-blkback", "domains have no disks" },
        { "/sys/bus/xen-backend/drivers/vif", "xen-netback", "domains have no network" },
        { "/dev/loop-control", "loop", "image files cannot be disks" },
        { "/sys/module/bridge", "bridge", "there are no bridges for network cards" },
    };
    bool good = true;

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        char remedy[64];

        if (doctor_exists(needs[i].path))
            continue;
        good = false;
        snprintf(remedy, sizeof(remedy), "modprobe %s", needs[i].module);
        doctor_tell(FIND_PROBLEM, "kernel", remedy, "%s is missing: %s", needs[i].path, needs[i].without);
    }
    if (good)
        doctor_tell(FIND_GOOD, "kernel", NULL, "all modules are there");
}

/* ---- network ---- */
static void down(const char *bridge)
{
    char remedy[64];

    snprintf(remedy, sizeof(remedy), "ip link set %.40s up", bridge);
    doctor_tell(FIND_PROBLEM, "network", remedy, "bridge %.40s is down: its domains have no network", bridge);
}

static unsigned bridges(void)
{
    DIR           *dir = opendir(doctor_path("/sys/class/net"));
    struct dirent *e;
    unsigned       count = 0;
    char           path[512];

    while (dir && (e = readdir(dir))) {
        snprintf(path, sizeof(path), "/sys/class/net/%.200s/bridge", e->d_name);
        if (e->d_name[0] == '.' || !doctor_exists(path))
            continue;
        count++;
        snprintf(path, sizeof(path), "/sys/class/net/%.200s/flags", e->d_name);
        doctor_line(path, path, sizeof(path));
        if (!(strtoul(path, NULL, 16) & 1))
            down(e->d_name);
    }
    if (dir)
        closedir(dir);
    return count;
}

/* Does some chain drop what is forwarded? Only the program that made the rules can tell. */
static bool forward_dropped(void)
{
    FILE *in = getenv("HAUCH_ROOT") ? fopen(doctor_path("/nft"), "re")
                                    : popen("nft list ruleset 2>/dev/null", "re");
    char  line[1024];
    bool  dropped = false;

    while (in && fgets(line, sizeof(line), in))
        dropped |= strstr(line, "hook forward") && strstr(line, "policy drop");
    if (in && getenv("HAUCH_ROOT"))
        fclose(in);
    else if (in)
        pclose(in);
    return dropped;
}

void doctor_network(void)
{
    static const char *const calls[] = { "iptables", "ip6tables", "arptables" };
    bool                     filtered = false;
    char                     path[128], value[16];

    if (!bridges())
        doctor_tell(FIND_NOTE, "network", "ip link add xenbr0 type bridge && ip link set xenbr0 up",
                    "there is no bridge: a domain with a network card cannot be made");
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "/proc/sys/net/bridge/bridge-nf-call-%s", calls[i]);
        doctor_line(path, value, sizeof(value));
        filtered |= value[0] == '1';
    }
    if (filtered && forward_dropped())
        doctor_tell(FIND_PROBLEM, "network",
                    "sysctl net.bridge.bridge-nf-call-iptables=0, or accept what bridges forward",
                    "frames between domains go through a firewall that drops what is forwarded "
                    "(bridge-nf-call-iptables is 1)");
    else if (filtered)
        doctor_tell(FIND_NOTE, "network", "sysctl net.bridge.bridge-nf-call-iptables=0 if that is not wanted",
                    "frames between domains go through this host's firewall (bridge-nf-call-iptables is 1)");
    else
        doctor_tell(FIND_GOOD, "network", NULL, "no firewall of this host looks at frames on bridges");
}

/* ---- space ---- */
/* /run is a tenth of dom0's memory on Debian: what the daemons keep there is small, and it has to be. */
void doctor_space(void)
{
    static const struct {
        const char        *folder;
        unsigned long long least_mib;
    } needs[] = { { "/var/log", 64 }, { "/var/lib", 64 }, { "/run", 16 }, { "/tmp", 16 } };
    bool good = true;

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        struct statvfs     s;
        unsigned long long mib;

        if (statvfs(doctor_path(needs[i].folder), &s))
            continue;
        mib = (unsigned long long)s.f_bavail * s.f_frsize >> 20;
        if (mib >= needs[i].least_mib)
            continue;
        good = false;
        doctor_tell(FIND_PROBLEM, "space", "make room there",
                    "%s has %llu MiB left: logs and state need %llu", needs[i].folder, mib,
                    needs[i].least_mib);
    }
    if (good)
        doctor_tell(FIND_GOOD, "space", NULL, "there is room for logs and state");
}
