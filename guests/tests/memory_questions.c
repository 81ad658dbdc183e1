/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions about memory: its end, the M2P, the maps. */
#include "rt.h"

TEST("memory: maps of memory, the M2P's place");

struct __attribute__((packed)) e820 { uint64_t start, size; uint32_t type; };

void test_main(void)
{
    static struct e820 map[64];
    struct xen_memory_map m = { ARRAY_LEN(map), { (uint64_t)map } };
    struct xen_machphys_mapping where;
    uint64_t frames[4] = { 0 };
    struct xen_machphys_mfn_list list = { 4, { (uint64_t)frames }, 0 };
    long top = memory_op(XENMEM_maximum_ram_page, NULL), r;
    uint64_t ram = 0;

    CHECK(top > (long)start_info_pointer->nr_pages);
    CHECK_EQ(memory_op(XENMEM_machphys_mapping, &where), 0);
    CHECK_EQ(where.v_start, MACH2PHYS_VIRT_START);
    CHECK(where.v_end > where.v_start && where.v_end <= HYPERVISOR_VIRT_END);
    CHECK(where.max_mfn >= (uint64_t)top - 1);              /* top is one beyond, in spite of its name */
    CHECK(where.max_mfn <= (where.v_end - where.v_start) / 8 - 1);
    CHECK_EQ(memory_op(XENMEM_machphys_mfn_list, &list), 0);
    CHECK(list.nr_extents >= 1 && list.nr_extents <= 4 && frames[0]);

    CHECK_EQ(memory_op(XENMEM_machine_memory_map, &m), 0);
    CHECK(m.nr_entries >= 2 && m.nr_entries <= 64);
    for (unsigned i = 0; i < m.nr_entries; i++) {
        CHECK(i == 0 || map[i].start >= map[i - 1].start + map[i - 1].size);
        if (map[i].type == 1)
            ram += map[i].size;
    }
    CHECK(ram >> 12 >= start_info_pointer->nr_pages);
    m.nr_entries = 1;
    CHECK(memory_op(XENMEM_machine_memory_map, &m) == -XEN_EINVAL || m.nr_entries == 1);
    m = (struct xen_memory_map){ ARRAY_LEN(map), { 0x1000 } };
    CHECK_EQ(memory_op(XENMEM_machine_memory_map, &m), -XEN_EFAULT);
    m = (struct xen_memory_map){ ARRAY_LEN(map), { (uint64_t)map } };
    r = memory_op(XENMEM_memory_map, &m);                   /* the domain's own: dom0 has none unless set */
    CHECK(r == 0 || r == -XEN_ENOSYS);
    CHECK(memory_op(XENMEM_get_sharing_freed_pages, NULL) == 0 ||
          memory_op(XENMEM_get_sharing_freed_pages, NULL) == -XEN_ENOSYS);
}
