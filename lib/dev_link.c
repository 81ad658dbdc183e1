/* SPDX-License-Identifier: BSD-2-Clause */
/* Network links by rtnetlink: see dev_link.h. */
#define _GNU_SOURCE
#include "lib/dev_link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MS = 5000 };

struct link_request {
    struct nlmsghdr  nlh;
    struct ifinfomsg ifi;
    char             attrs[256];
};

unsigned dev_link_index(const char *name)
{
    return if_nametoindex(name);
}

unsigned dev_link_mtu(const char *name)
{
    char     path[64], text[16] = "";
    FILE    *in;

    snprintf(path, sizeof(path), "/sys/class/net/%s/mtu", name);
    in = fopen(path, "re");
    if (!in)
        return 0;
    if (!fgets(text, sizeof(text), in))
        text[0] = 0;
    fclose(in);
    return strtoul(text, NULL, 10);
}

int dev_link_bridge_check(const char *name, struct fault *f)
{
    char path[64];

    if (!dev_link_index(name))
        return fault_set(f, -ENODEV,
                         "there is no network interface %s; create the bridge first (ip link add %s type "
                         "bridge; ip link set %s up) or name another one with bridge=",
                         name, name, name);
    snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", name);
    if (access(path, F_OK))
        return fault_set(f, -ENOTSUP, "network interface %s is not a bridge; name one with bridge=", name);
    return 0;
}

static void attr_add(struct link_request *rq, unsigned type, const void *data, size_t len)
{
    struct rtattr *a = (struct rtattr *)((char *)rq + NLMSG_ALIGN(rq->nlh.nlmsg_len));

    if (NLMSG_ALIGN(rq->nlh.nlmsg_len) + RTA_SPACE(len) > sizeof(*rq))
        return;
    a->rta_type = type;
    a->rta_len = RTA_LENGTH(len);
    memcpy(RTA_DATA(a), data, len);
    rq->nlh.nlmsg_len = NLMSG_ALIGN(rq->nlh.nlmsg_len) + RTA_SPACE(len);
}

/* Send and wait for the acknowledgement: the kernel answers at once, the time limit is for a kernel that does
 * not. */
static int transact(struct link_request *rq)
{
    struct timeval     tv = { ANSWER_MS / 1000, 0 };
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    char               buf[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr   *nlh = (struct nlmsghdr *)buf;
    int                fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), rc = 0;
    ssize_t            n;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    rq->nlh.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    if (sendto(fd, rq, rq->nlh.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
        rc = -errno;
    n = rc ? 0 : recv(fd, buf, sizeof(buf), 0);
    if (n < 0)
        rc = -errno;
    else if (!rc && n >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) && nlh->nlmsg_type == NLMSG_ERROR)
        rc = ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
    close(fd);
    return rc;
}

static struct link_request request(unsigned index)
{
    struct link_request rq;

    memset(&rq, 0, sizeof(rq));
    rq.nlh.nlmsg_len = NLMSG_LENGTH(sizeof(rq.ifi));
    rq.nlh.nlmsg_type = RTM_NEWLINK;
    rq.ifi.ifi_family = AF_UNSPEC;
    rq.ifi.ifi_index = index;
    return rq;
}

static int set_up(unsigned index, int up)
{
    struct link_request rq = request(index);

    rq.ifi.ifi_change = IFF_UP;
    rq.ifi.ifi_flags = up ? IFF_UP : 0;
    return transact(&rq);
}

/* Name and MTU, and no IPv6 address of its own: the port only carries traffic. */
static int set_identity(unsigned index, const struct dev_link_plan *plan)
{
    struct link_request rq = request(index);
    struct rtattr      *spec, *inet6;
    uint8_t             mode = IN6_ADDR_GEN_MODE_NONE;

    if (plan->new_name)
        attr_add(&rq, IFLA_IFNAME, plan->new_name, strlen(plan->new_name) + 1);
    if (plan->mtu)
        attr_add(&rq, IFLA_MTU, &plan->mtu, sizeof(uint32_t));
    spec = (struct rtattr *)((char *)&rq + NLMSG_ALIGN(rq.nlh.nlmsg_len));
    attr_add(&rq, IFLA_AF_SPEC, "", 0);
    inet6 = (struct rtattr *)((char *)&rq + NLMSG_ALIGN(rq.nlh.nlmsg_len));
    attr_add(&rq, AF_INET6, "", 0);
    attr_add(&rq, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
    inet6->rta_len = (char *)&rq + rq.nlh.nlmsg_len - (char *)inet6;
    spec->rta_len = (char *)&rq + rq.nlh.nlmsg_len - (char *)spec;
    return transact(&rq);
}

/* Where the kernel has no IPv6 the request above is refused as a whole: repeat it without that part. */
static int set_identity_plain(unsigned index, const struct dev_link_plan *plan)
{
    struct link_request rq = request(index);

    if (plan->new_name)
        attr_add(&rq, IFLA_IFNAME, plan->new_name, strlen(plan->new_name) + 1);
    if (plan->mtu)
        attr_add(&rq, IFLA_MTU, &plan->mtu, sizeof(uint32_t));
    return transact(&rq);
}

static int set_bridge(unsigned index, const char *bridge)
{
    struct link_request rq = request(index);
    uint32_t            master = dev_link_index(bridge);

    if (!master)
        return -ENODEV;
    attr_add(&rq, IFLA_MASTER, &master, sizeof(master));
    return transact(&rq);
}

int dev_link_plumb(const struct dev_link_plan *plan, struct fault *f)
{
    unsigned index = dev_link_index(plan->name);
    int      rc;

    if (!index)
        return fault_set(f, -ENODEV, "interface %s went away meanwhile; try again", plan->name);
    rc = set_up(index, 0);
    rc = rc ? rc : set_identity(index, plan);
    if (rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP)
        rc = set_identity_plain(index, plan);
    if (rc == -EEXIST)
        return fault_set(f, rc, "cannot name interface %s %s: that name is taken; choose another vifname=",
                         plan->name, plan->new_name);
    if (rc)
        return fault_errno(f, rc, "cannot give interface %s the name %s and the MTU %u (choose others with "
                                  "vifname= and "
                                  "mtu=)", plan->name,
                           plan->new_name ? plan->new_name : plan->name, plan->mtu);
    rc = plan->bridge ? set_bridge(index, plan->bridge) : 0;
    if (rc)
        return fault_errno(f, rc, "cannot put interface %s on bridge %s (is that still "
                                  "there?)", plan->name, plan->bridge);
    rc = set_up(index, 1);
    return rc ? fault_errno(f, rc, "cannot bring up interface %s (dmesg may say why)", plan->name) : 0;
}
