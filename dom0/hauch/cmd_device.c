/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch block-list, network-list, channel-list: a domain's devices and the states of their ends;
 * block-attach, network-attach and their opposites, which let devices come and go while it runs. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <string.h>

static int block_list_run(int argc, char **argv);
static int network_list_run(int argc, char **argv);
static int channel_list_run(int argc, char **argv);

const struct command cmd_block_list = {
    "block-list", "show the disks of domains", "hauch block-list [--json] DOMAIN ...\n", block_list_run,
};

const struct command cmd_network_list = {
    "network-list", "show the network cards of domains", "hauch network-list [--json] DOMAIN ...\n",
    network_list_run,
};

const struct command cmd_channel_list = {
    "channel-list", "show the channels of domains (Hauch makes none)", "hauch channel-list DOMAIN ...\n",
    channel_list_run,
};

static int block_attach_run(int argc, char **argv);
static int block_detach_run(int argc, char **argv);
static int network_attach_run(int argc, char **argv);
static int network_detach_run(int argc, char **argv);

const struct command cmd_block_attach = {
    "block-attach", "give a running domain another disk",
    "hauch block-attach DOMAIN DISK ...\n"
    "DISK is written as in a configuration; its parts may be words of their own, as in\n"
    "hauch block-attach web /srv/data.img xvdb w\n",
    block_attach_run,
};

const struct command cmd_block_detach = {
    "block-detach", "take a disk away from a running domain",
    "hauch block-detach [-f] DOMAIN DISK\n"
    "DISK is the name that it has in the domain, or its number in hauch block-list. What it holds stays.\n"
    "  -f, --force   also if the domain uses it\n",
    block_detach_run,
};

const struct command cmd_network_attach = {
    "network-attach", "give a running domain another network card",
    "hauch network-attach DOMAIN [KEY=VALUE ...]\n"
    "Keys as in vif=: mac, bridge, rate, vifname ...\n",
    network_attach_run,
};

const struct command cmd_network_detach = {
    "network-detach", "take a network card away from a running domain",
    "hauch network-detach [-f] DOMAIN NUMBER|MAC\n"
    "  -f, --force   also if the domain uses it\n",
    network_detach_run,
};

static void show_disk(struct json_object *k, long long domid)
{
    printf("%-5lld %-3lld %-6lld %-5lld %-6lld %-8lld %-30s\n", number_in(k, "devid"),
           number_in(k, "backend_id"), domid, number_in(k, "state"), number_in(k, "event_channel"),
           number_in(k, "ring_ref"), text_in(k, "backend"));
}

static void show_vif(struct json_object *v)
{
    printf("%-3lld %-2lld %s %5lld %5lld %6lld %5lld/%-11lld %-30s\n", number_in(v, "devid"),
           number_in(v, "backend_id"), text_in(v, "mac"), number_in(v, "devid"), number_in(v, "state"),
           number_in(v, "event_channel"), number_in(v, "tx_ring_ref"), number_in(v, "rx_ring_ref"),
           text_in(v, "backend"));
}

static int show(const char *domain, const char *list_name, bool json)
{
    struct json_object *answer = NULL, *list;
    int                 rc = ask(request_new("devices", domain), &answer);

    if (rc)
        return rc;
    list = member(member(answer, "devices"), list_name);
    if (json)
        show_json(list);
    for (size_t i = 0; list && !json && i < json_object_array_length(list); i++)
        if (list_name[0] == 'd')
            show_disk(json_object_array_get_idx(list, i), number_in(answer, "domid"));
        else
            show_vif(json_object_array_get_idx(list, i));
    json_object_put(answer);
    return EXIT_DONE;
}

static int run(const struct command *cmd, const char *head, const char *list_name, int argc, char **argv)
{
    static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    bool                       json = false;
    int                        o, rc = EXIT_DONE, one;

    while ((o = next_option(cmd, argc, argv, "hj", longs)) != -1)
        json |= o == 'j';
    need_words(cmd, argc, 1, 1000);
    if (!json)
        printf("%s\n", head);
    for (; optind < argc; optind++) {
        one = show(argv[optind], list_name, json);
        rc = rc ? rc : one;
    }
    return rc;
}

static int block_list_run(int argc, char **argv)
{
    return run(&cmd_block_list, "Vdev  BE  handle state evt-ch ring-ref BE-path                       ",
               "disks", argc, argv);
}

static int network_list_run(int argc, char **argv)
{
    return run(
        &cmd_network_list,
        "Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path                       ",
        "vifs", argc, argv);
}

static int channel_list_run(int argc, char **argv)
{
    return run(&cmd_channel_list, "Idx BE state evt-ch ring-ref connection                               ",
               "channels", argc, argv);
}

static int attach(const struct command *cmd, const char *type, int least, int argc, char **argv)
{
    struct json_object *rq;
    char                spec[8192] = "";
    size_t              n = 0;

    while (next_option(cmd, argc, argv, "h", NULL) != -1)
        ;
    need_words(cmd, argc, 1 + least, argc);
    rq = request_new("attach", argv[optind++]);
    for (; optind < argc; optind++) {
        n += snprintf(spec + n, sizeof(spec) - n, "%s%s", n ? "," : "", argv[optind]);
        if (n >= sizeof(spec))
            usage_exit(cmd, "the device is described in more than 8191 bytes");
    }
    request_text(rq, "type", type);
    request_text(rq, "spec", spec);
    return ask(rq, NULL);
}

static int detach(const struct command *cmd, const char *type, int argc, char **argv)
{
    static const struct option longs[] = { { "force", no_argument, NULL, 'f' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object        *rq;
    bool                       force = false;
    int                        o;

    while ((o = next_option(cmd, argc, argv, "hf", longs)) != -1)
        force |= o == 'f';
    need_words(cmd, argc, 2, 2);
    rq = request_new("detach", argv[optind]);
    request_text(rq, "type", type);
    request_text(rq, "device", argv[optind + 1]);
    request_flag(rq, "force", force);
    return ask(rq, NULL);
}

static int block_attach_run(int argc, char **argv)
{
    return attach(&cmd_block_attach, "disk", 1, argc, argv);
}

static int block_detach_run(int argc, char **argv)
{
    return detach(&cmd_block_detach, "disk", argc, argv);
}

static int network_attach_run(int argc, char **argv)
{
    return attach(&cmd_network_attach, "vif", 0, argc, argv);
}

static int network_detach_run(int argc, char **argv)
{
    return detach(&cmd_network_detach, "vif", argc, argv);
}
