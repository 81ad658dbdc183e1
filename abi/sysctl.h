/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl(argument): the machine and the hypervisor as a whole. For the control domain's tools only, and
 * versioned like domctl. One structure for all: a head, and a union of 128 bytes with the operation's own
 * part.
 */
#ifndef HAUCH_ABI_SYSCTL_H
#define HAUCH_ABI_SYSCTL_H

#include <abi/domctl.h>
#include <abi/physdev.h>
#include <abi/xen.h>

#define XEN_SYSCTL_INTERFACE_VERSION 0x15

#define XEN_SYSCTL_readconsole            1
#define XEN_SYSCTL_tbuf_op                2
#define XEN_SYSCTL_physinfo               3
#define XEN_SYSCTL_sched_id               4
#define XEN_SYSCTL_perfc_op               5
#define XEN_SYSCTL_getdomaininfolist      6
#define XEN_SYSCTL_debug_keys             7
#define XEN_SYSCTL_getcpuinfo             8
#define XEN_SYSCTL_availheap              9
#define XEN_SYSCTL_get_pmstat             10
#define XEN_SYSCTL_cpu_hotplug            11
#define XEN_SYSCTL_pm_op                  12
#define XEN_SYSCTL_page_offline_op        14
#define XEN_SYSCTL_lockprof_op            15
#define XEN_SYSCTL_cputopoinfo            16
#define XEN_SYSCTL_numainfo               17
#define XEN_SYSCTL_cpupool_op             18
#define XEN_SYSCTL_scheduler_op           19
#define XEN_SYSCTL_coverage_op            20
#define XEN_SYSCTL_psr_cmt_op             21
#define XEN_SYSCTL_pcitopoinfo            22
#define XEN_SYSCTL_psr_alloc              23
#define XEN_SYSCTL_get_cpu_levelling_caps 25
#define XEN_SYSCTL_get_cpu_featureset     26
#define XEN_SYSCTL_livepatch_op           27
#define XEN_SYSCTL_get_cpu_policy         29
/*
 * Hauch's own: the console's text up to the crash of the boot before, read by index like the log (struct
 * xen_sysctl_readconsole, incremental set). count 0: nothing is kept, or all was read.
 */
#define XEN_SYSCTL_hauch_last_crash       0x4801

/* ---- the hypervisor's log and debug keys ---- */
struct xen_sysctl_readconsole {
    uint8_t clear;       /* in: empty the log afterwards */
    uint8_t incremental; /* in: begin at index, not at the oldest byte */
    uint8_t pad0, pad1;
    uint32_t index; /* in and out: position in the stream */
    guest_handle_t buffer;
    uint32_t count; /* in: room, out: bytes */
};
struct xen_sysctl_debug_keys {
    guest_handle_t keys;
    uint32_t nr_keys;
};
#define XEN_SYSCTL_TBUFOP_get_info     0
#define XEN_SYSCTL_TBUFOP_set_cpu_mask 1
#define XEN_SYSCTL_TBUFOP_set_evt_mask 2
#define XEN_SYSCTL_TBUFOP_set_size     3
#define XEN_SYSCTL_TBUFOP_enable       4
#define XEN_SYSCTL_TBUFOP_disable      5
struct xen_sysctl_tbuf_op {
    uint32_t cmd;
    struct xenctl_bitmap cpu_mask;
    uint32_t evt_mask;
    uint64_t buffer_mfn; /* out */
    uint32_t size;
};

/* ---- the machine ---- */
#define XEN_SYSCTL_PHYSCAP_hvm                (1U << 0)
#define XEN_SYSCTL_PHYSCAP_pv                 (1U << 1)
#define XEN_SYSCTL_PHYSCAP_directio           (1U << 2)
#define XEN_SYSCTL_PHYSCAP_hap                (1U << 3)
#define XEN_SYSCTL_PHYSCAP_shadow             (1U << 4)
#define XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share (1U << 5)
#define XEN_SYSCTL_PHYSCAP_vmtrace            (1U << 6)
#define XEN_SYSCTL_PHYSCAP_vpmu               (1U << 7)
#define XEN_SYSCTL_PHYSCAP_gnttab_v1          (1U << 8)
#define XEN_SYSCTL_PHYSCAP_gnttab_v2          (1U << 9)
#define XEN_SYSCTL_PHYSCAP_MAX                XEN_SYSCTL_PHYSCAP_gnttab_v2
struct xen_sysctl_physinfo {
    uint32_t threads_per_core;
    uint32_t cores_per_socket;
    uint32_t nr_cpus;
    uint32_t max_cpu_id;
    uint32_t nr_nodes;
    uint32_t max_node_id;
    uint32_t cpu_khz;
    uint32_t capabilities; /* XEN_SYSCTL_PHYSCAP_* */
    uint32_t arch_capabilities;
    uint32_t pad;
    uint64_t total_pages;
    uint64_t free_pages;
    uint64_t scrub_pages;
    uint64_t outstanding_pages;
    uint64_t max_mfn;
    uint32_t hw_cap[8]; /* CPUID feature words of the machine */
};
struct xen_sysctl_availheap {
    uint32_t min_bitwidth; /* 0: no bound */
    uint32_t max_bitwidth;
    int32_t node; /* -1: all */
    uint64_t avail_bytes; /* out */
};
#define XEN_INVALID_CORE_ID   (~0U)
#define XEN_INVALID_SOCKET_ID (~0U)
#define XEN_INVALID_NODE_ID   (~0U)
#define XEN_INVALID_MEM_SZ    (~0U)
#define XEN_INVALID_NODE_DIST (~0U)
#define XEN_INVALID_DEV       (XEN_INVALID_NODE_ID - 1)
struct xen_sysctl_cputopo {
    uint32_t core;
    uint32_t socket;
    uint32_t node;
};
/* In these three: the count is in and out; no list asks for the count. */
struct xen_sysctl_cputopoinfo {
    uint32_t num_cpus;
    guest_handle_t cputopo; /* of xen_sysctl_cputopo */
};
struct xen_sysctl_meminfo {
    uint64_t memsize; /* bytes */
    uint64_t memfree;
};
struct xen_sysctl_numainfo {
    uint32_t num_nodes;
    guest_handle_t meminfo;  /* of xen_sysctl_meminfo */
    guest_handle_t distance; /* of uint32_t, nodes x nodes */
};
struct xen_sysctl_pcitopoinfo {
    uint32_t num_devs;
    guest_handle_t devs;  /* of physdev_pci_device */
    guest_handle_t nodes; /* of uint32_t, out */
};
struct xen_sysctl_cpuinfo {
    uint64_t idletime; /* ns */
};
struct xen_sysctl_getcpuinfo {
    uint32_t max_cpus;
    guest_handle_t info; /* of xen_sysctl_cpuinfo */
    uint32_t nr_cpus; /* out */
};
#define XEN_SYSCTL_CPU_HOTPLUG_ONLINE      0
#define XEN_SYSCTL_CPU_HOTPLUG_OFFLINE     1
#define XEN_SYSCTL_CPU_HOTPLUG_SMT_ENABLE  2
#define XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE 3
struct xen_sysctl_cpu_hotplug {
    uint32_t cpu;
    uint32_t op;
};

/* ---- domains; the list begins at first_domain ---- */
struct xen_sysctl_getdomaininfolist {
    domid_t first_domain;
    uint32_t max_domains;
    guest_handle_t buffer; /* of xen_domctl_getdomaininfo */
    uint32_t num_domains; /* out */
};

/* ---- scheduler and CPU pools ---- */
struct xen_sysctl_sched_id {
    uint32_t sched_id; /* out: XEN_SCHEDULER_* */
};
#define XEN_SYSCTL_CPUPOOL_OP_CREATE     1
#define XEN_SYSCTL_CPUPOOL_OP_DESTROY    2
#define XEN_SYSCTL_CPUPOOL_OP_INFO       3
#define XEN_SYSCTL_CPUPOOL_OP_ADDCPU     4
#define XEN_SYSCTL_CPUPOOL_OP_RMCPU      5
#define XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN 6
#define XEN_SYSCTL_CPUPOOL_OP_FREEINFO   7
#define XEN_SYSCTL_CPUPOOL_PAR_ANY       0xFFFFFFFF
struct xen_sysctl_cpupool_op {
    uint32_t op;
    uint32_t cpupool_id; /* INFO: the next one from this number; out: its number */
    uint32_t sched_id;
    uint32_t domid;
    uint32_t cpu;
    uint32_t n_dom;
    struct xenctl_bitmap cpumap;
};
#define XEN_SYSCTL_SCHEDOP_putinfo        0
#define XEN_SYSCTL_SCHEDOP_getinfo        1
#define XEN_SYSCTL_SCHED_RATELIMIT_MAX    500000
#define XEN_SYSCTL_SCHED_RATELIMIT_MIN    100
#define XEN_SYSCTL_CSCHED_TSLICE_MAX      1000
#define XEN_SYSCTL_CSCHED_TSLICE_MIN      1
#define XEN_SYSCTL_CSCHED_MGR_DLY_MAX_US  100000
struct xen_sysctl_credit_schedule {
    uint32_t tslice_ms;
    uint32_t ratelimit_us;
    uint32_t vcpu_migr_delay_us;
};
struct xen_sysctl_credit2_schedule {
    uint32_t ratelimit_us; /* the least time a vCPU runs before it may be replaced */
};
struct xen_sysctl_sched_arinc653 {
    guest_handle_t schedule;
};
struct xen_sysctl_scheduler_op {
    uint32_t cpupool_id;
    uint32_t sched_id;
    uint32_t cmd; /* XEN_SYSCTL_SCHEDOP_* */
    union {
        struct xen_sysctl_sched_arinc653 sched_arinc653;
        struct xen_sysctl_credit_schedule sched_credit;
        struct xen_sysctl_credit2_schedule sched_credit2;
    } u;
};

/* ---- processor features ---- */
#define XEN_SYSCTL_CPU_LEVELCAP_faulting    (1UL << 0)
#define XEN_SYSCTL_CPU_LEVELCAP_ecx         (1UL << 1)
#define XEN_SYSCTL_CPU_LEVELCAP_edx         (1UL << 2)
#define XEN_SYSCTL_CPU_LEVELCAP_extd_ecx    (1UL << 3)
#define XEN_SYSCTL_CPU_LEVELCAP_extd_edx    (1UL << 4)
#define XEN_SYSCTL_CPU_LEVELCAP_xsave_eax   (1UL << 5)
#define XEN_SYSCTL_CPU_LEVELCAP_thermal_ecx (1UL << 6)
#define XEN_SYSCTL_CPU_LEVELCAP_l7s0_eax    (1UL << 7)
#define XEN_SYSCTL_CPU_LEVELCAP_l7s0_ebx    (1UL << 8)
struct xen_sysctl_cpu_levelling_caps {
    uint32_t caps;
};
#define XEN_SYSCTL_cpu_featureset_raw     0
#define XEN_SYSCTL_cpu_featureset_host    1
#define XEN_SYSCTL_cpu_featureset_pv      2
#define XEN_SYSCTL_cpu_featureset_hvm     3
#define XEN_SYSCTL_cpu_featureset_pv_max  4
#define XEN_SYSCTL_cpu_featureset_hvm_max 5
struct xen_sysctl_cpu_featureset {
    uint32_t index;
    uint32_t nr_features; /* in: room in words, out: words */
    guest_handle_t features; /* of uint32_t; none asks for the count */
};
#define XEN_SYSCTL_cpu_policy_raw         0
#define XEN_SYSCTL_cpu_policy_host        1
#define XEN_SYSCTL_cpu_policy_pv_max      2
#define XEN_SYSCTL_cpu_policy_hvm_max     3
#define XEN_SYSCTL_cpu_policy_pv_default  4
#define XEN_SYSCTL_cpu_policy_hvm_default 5
struct xen_sysctl_cpu_policy {
    uint32_t index;
    uint32_t nr_leaves; /* in: room, out: count */
    uint32_t nr_msrs;
    uint32_t _rsvd;
    guest_handle_t leaves; /* of xen_cpuid_leaf */
    guest_handle_t msrs;   /* of xen_msr_entry; neither list asks for the counts */
};

/* ---- power ---- */
#define PMSTAT_CATEGORY_MASK 0xf0
#define PMSTAT_PX            0x10
#define PMSTAT_CX            0x20
#define PMSTAT_get_max_px    0x11
#define PMSTAT_get_pxstat    0x12
#define PMSTAT_reset_pxstat  0x13
#define PMSTAT_get_max_cx    0x21
#define PMSTAT_get_cxstat    0x22
#define PMSTAT_reset_cxstat  0x23
struct pm_px_val {
    uint64_t freq; /* MHz */
    uint64_t residency; /* ns */
    uint64_t count;
};
struct pm_px_stat {
    uint8_t total;
    uint8_t usable;
    uint8_t last;
    uint8_t cur;
    guest_handle_t trans_pt; /* of uint64_t */
    guest_handle_t pt;       /* of pm_px_val */
};
struct pm_cx_stat {
    uint32_t nr;
    uint32_t last;
    uint64_t idle_time; /* ns */
    guest_handle_t triggers;    /* these four of uint64_t */
    guest_handle_t residencies;
    uint32_t nr_pc;
    uint32_t nr_cc;
    guest_handle_t pc;
    guest_handle_t cc;
};
struct xen_sysctl_get_pmstat {
    uint32_t type; /* PMSTAT_* */
    uint32_t cpuid;
    union {
        struct pm_px_stat getpx;
        struct pm_cx_stat getcx;
    } u;
};
#define PM_PARA_CATEGORY_MASK 0xf0
#define CPUFREQ_PARA          0x10
#define GET_CPUFREQ_PARA      0x11
#define SET_CPUFREQ_GOV       0x12
#define SET_CPUFREQ_PARA      0x13
#define GET_CPUFREQ_AVGFREQ   0x14
#define XEN_SYSCTL_pm_op_set_sched_opt_smt        0x21
#define XEN_SYSCTL_pm_op_get_max_cstate           0x22
#define XEN_SYSCTL_pm_op_set_max_cstate           0x23
#define XEN_SYSCTL_pm_op_set_vcpu_migration_delay 0x24
#define XEN_SYSCTL_pm_op_get_vcpu_migration_delay 0x25
#define XEN_SYSCTL_pm_op_enable_turbo             0x26
#define XEN_SYSCTL_pm_op_disable_turbo            0x27
#define XEN_SYSCTL_CX_UNLIMITED 0xffffffff
#define SCALING_MAX_FREQ 1
#define SCALING_MIN_FREQ 2
#define SCALING_SETSPEED 3
#define SAMPLING_RATE    4
#define UP_THRESHOLD     5
#define CPUFREQ_NAME_LEN 16
struct xen_userspace {
    uint32_t scaling_setspeed;
};
struct xen_ondemand {
    uint32_t sampling_rate_max;
    uint32_t sampling_rate_min;
    uint32_t sampling_rate;
    uint32_t up_threshold;
};
struct xen_get_cpufreq_para {
    uint32_t cpu_num; /* in: room, out: count; so the next two */
    uint32_t freq_num;
    uint32_t gov_num;
    guest_handle_t affected_cpus;
    guest_handle_t scaling_available_frequencies;
    guest_handle_t scaling_available_governors;
    char scaling_driver[CPUFREQ_NAME_LEN];
    uint32_t cpuinfo_cur_freq; /* kHz */
    uint32_t cpuinfo_max_freq;
    uint32_t cpuinfo_min_freq;
    uint32_t scaling_cur_freq;
    char scaling_governor[CPUFREQ_NAME_LEN];
    uint32_t scaling_max_freq;
    uint32_t scaling_min_freq;
    union {
        struct xen_userspace userspace;
        struct xen_ondemand ondemand;
    } u;
    int32_t turbo_enabled;
};
struct xen_set_cpufreq_gov {
    char scaling_governor[CPUFREQ_NAME_LEN];
};
struct xen_set_cpufreq_para {
    uint32_t ctrl_type; /* SCALING_*, SAMPLING_RATE, UP_THRESHOLD */
    uint32_t ctrl_value;
};
struct xen_sysctl_pm_op {
    uint32_t cmd;
    uint32_t cpuid;
    union {
        struct xen_get_cpufreq_para get_para;
        struct xen_set_cpufreq_gov set_gov;
        struct xen_set_cpufreq_para set_para;
        uint64_t get_avgfreq;
        uint32_t set_sched_opt_smt;
        uint32_t get_max_cstate;
        uint32_t set_max_cstate;
    } u;
};

/* ---- counters of the hypervisor itself ---- */
#define XEN_SYSCTL_PERFCOP_reset 1
#define XEN_SYSCTL_PERFCOP_query 2
struct xen_sysctl_perfc_desc {
    char name[80];
    uint32_t nr_vals;
};
struct xen_sysctl_perfc_op {
    uint32_t cmd;
    uint32_t nr_counters; /* out */
    uint32_t nr_vals;     /* out */
    guest_handle_t desc;  /* of xen_sysctl_perfc_desc */
    guest_handle_t val;   /* of uint32_t */
};
#define XEN_SYSCTL_LOCKPROF_reset 1
#define XEN_SYSCTL_LOCKPROF_query 2
#define LOCKPROF_TYPE_GLOBAL      0
#define LOCKPROF_TYPE_PERDOM      1
#define LOCKPROF_TYPE_N           2
struct xen_sysctl_lockprof_data {
    char name[40];
    int32_t type;
    int32_t idx;
    uint64_t lock_cnt;
    uint64_t block_cnt;
    uint64_t lock_time; /* ns */
    uint64_t block_time;
};
struct xen_sysctl_lockprof_op {
    uint32_t cmd;
    uint32_t max_elem;
    uint32_t nr_elem; /* out */
    uint64_t time;    /* out: ns since the reset */
    guest_handle_t data; /* of xen_sysctl_lockprof_data */
};
struct xen_sysctl_coverage_op {
    uint32_t cmd;
    uint32_t size;
    guest_handle_t buffer;
};

/* ---- failing memory ---- */
#define sysctl_page_offline       1
#define sysctl_page_online        2
#define sysctl_query_page_offline 3
struct xen_sysctl_page_offline_op {
    uint32_t cmd;
    uint32_t start; /* MFN */
    uint32_t end;   /* inclusive */
    guest_handle_t status; /* of uint32_t, out */
};

/* ---- cache monitoring and allocation: only so much that they can be refused by rows ---- */
struct xen_sysctl_psr_cmt_op {
    uint32_t cmd;
    uint32_t flags;
    union {
        uint64_t data;
        struct {
            uint32_t cpu;
            uint32_t rsvd;
        } l3_cache;
    } u;
};
struct xen_sysctl_psr_alloc {
    uint32_t cmd;
    uint32_t target;
    union {
        struct {
            uint32_t cbm_len;
            uint32_t cos_max;
            uint32_t flags;
        } cat_info;
        struct {
            uint32_t thrtl_max;
            uint32_t cos_max;
            uint32_t flags;
        } mba_info;
    } u;
};

struct xen_sysctl {
    uint32_t cmd;
    uint32_t interface_version;
    union {
        struct xen_sysctl_readconsole readconsole;
        struct xen_sysctl_tbuf_op tbuf_op;
        struct xen_sysctl_physinfo physinfo;
        struct xen_sysctl_cputopoinfo cputopoinfo;
        struct xen_sysctl_pcitopoinfo pcitopoinfo;
        struct xen_sysctl_numainfo numainfo;
        struct xen_sysctl_sched_id sched_id;
        struct xen_sysctl_perfc_op perfc_op;
        struct xen_sysctl_getdomaininfolist getdomaininfolist;
        struct xen_sysctl_debug_keys debug_keys;
        struct xen_sysctl_getcpuinfo getcpuinfo;
        struct xen_sysctl_availheap availheap;
        struct xen_sysctl_get_pmstat get_pmstat;
        struct xen_sysctl_cpu_hotplug cpu_hotplug;
        struct xen_sysctl_pm_op pm_op;
        struct xen_sysctl_page_offline_op page_offline;
        struct xen_sysctl_lockprof_op lockprof_op;
        struct xen_sysctl_cpupool_op cpupool_op;
        struct xen_sysctl_scheduler_op scheduler_op;
        struct xen_sysctl_coverage_op coverage_op;
        struct xen_sysctl_psr_cmt_op psr_cmt_op;
        struct xen_sysctl_psr_alloc psr_alloc;
        struct xen_sysctl_cpu_levelling_caps cpu_levelling_caps;
        struct xen_sysctl_cpu_featureset cpu_featureset;
        struct xen_sysctl_cpu_policy cpu_policy;
        uint8_t pad[128];
    } u;
};
_Static_assert(sizeof(struct xen_sysctl) == 136, "head and 128 bytes");

#endif
