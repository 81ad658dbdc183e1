/* SPDX-License-Identifier: BSD-2-Clause */
/* Verbs of xl that Hauch does not have, and why: a person who types one is told, not left guessing. */
#include "dom0/hauch/hauch.h"

#include <string.h>

#define NO_PASSTHROUGH "devices of the host stay with domain 0: it has the drivers"
#define NO_MIGRATION                                                                                         \
    "a running domain can be neither stored nor moved yet; hauch shutdown and hauch create end and begin it"
#define NO_POOLS       "all processors are one pool; hauch vcpu-pin and hauch sched-credit2 divide them"
#define NO_EMULATION   "domains are paravirtualized and have no emulated devices"
#define NO_LABELS      "there are no security labels"
#define NO_PSR         "it leaves caches and memory bandwidth to the processor"
#define NO_USB         "USB devices of the host stay with domain 0; share them over the network or as disks"
#define NO_DEVICE      "domains have disks, network cards and a console only"
#define NO_SCHEDULER   "there is one scheduler; hauch sched-credit2 sets its weights and caps"

static const struct {
    const char *verb, *reason;
} absent[] = {
    { "pci-attach", NO_PASSTHROUGH },
    { "pci-detach", NO_PASSTHROUGH },
    { "pci-list", NO_PASSTHROUGH },
    { "pci-assignable-add", NO_PASSTHROUGH },
    { "pci-assignable-remove", NO_PASSTHROUGH },
    { "pci-assignable-list", NO_PASSTHROUGH },
    { "vncviewer", "domains have no graphics; hauch console joins the text console" },
    { "save", NO_MIGRATION },
    { "restore", NO_MIGRATION },
    { "migrate", NO_MIGRATION },
    { "migrate-receive", NO_MIGRATION },
    { "remus", NO_MIGRATION },
    { "cd-insert", NO_EMULATION "; hauch block-attach adds a disk" },
    { "cd-eject", NO_EMULATION "; hauch block-detach takes a disk away" },
    { "button-press", NO_EMULATION "; hauch shutdown asks the system inside to end" },
    { "trigger", NO_EMULATION "; hauch shutdown and hauch sysrq reach the kernel inside" },
    { "qemu-monitor-command", NO_EMULATION },
    { "sharing", "domains share no pages" },
    { "sched-credit", NO_SCHEDULER },
    { "sched-rtds", NO_SCHEDULER },
    { "set-parameters", "its options are read at boot only; change the boot loader's entry" },
    { "claims",
      "memory is set aside only while a domain is being made; hauch info shows outstanding_claims" },
    { "vtpm-attach", NO_DEVICE },
    { "vtpm-list", NO_DEVICE },
    { "vtpm-detach", NO_DEVICE },
    { "vkb-attach", NO_DEVICE },
    { "vkb-list", NO_DEVICE },
    { "vkb-detach", NO_DEVICE },
    { "vdispl-attach", NO_DEVICE },
    { "vdispl-list", NO_DEVICE },
    { "vdispl-detach", NO_DEVICE },
    { "vsnd-attach", NO_DEVICE },
    { "vsnd-list", NO_DEVICE },
    { "vsnd-detach", NO_DEVICE },
    { "cpupool-create", NO_POOLS },
    { "cpupool-list", NO_POOLS },
    { "cpupool-destroy", NO_POOLS },
    { "cpupool-rename", NO_POOLS },
    { "cpupool-cpu-add", NO_POOLS },
    { "cpupool-cpu-remove", NO_POOLS },
    { "cpupool-migrate", NO_POOLS },
    { "cpupool-numa-split", NO_POOLS },
    { "getenforce", NO_LABELS },
    { "setenforce", NO_LABELS },
    { "loadpolicy", NO_LABELS },
    { "devd", "back ends run in domain 0, where hauchd looks after them" },
    { "psr-hwinfo", NO_PSR },
    { "psr-cmt-attach", NO_PSR },
    { "psr-cmt-detach", NO_PSR },
    { "psr-cmt-show", NO_PSR },
    { "psr-cat-set", NO_PSR },
    { "psr-cat-show", NO_PSR },
    { "psr-mba-set", NO_PSR },
    { "psr-mba-show", NO_PSR },
    { "usbctrl-attach", NO_USB },
    { "usbctrl-detach", NO_USB },
    { "usbdev-attach", NO_USB },
    { "usbdev-detach", NO_USB },
    { "usb-list", NO_USB },
};

const char *absent_reason(const char *verb)
{
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        if (!strcmp(absent[i].verb, verb))
            return absent[i].reason;
    return NULL;
}
