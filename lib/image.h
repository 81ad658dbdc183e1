/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.h - a PV guest kernel as the domain builder wants it.
 *
 * A kernel file is peeled in at most three steps: bzImage wrapper, compression, ELF. image_unpack() does the
 * first two, image_parse() the third, image_cache_get() all of them once per file and content. Everything
 * works on (buffer, length) and trusts no byte of it: whoever owns a guest may own its kernel file.
 */
#ifndef LIB_IMAGE_H
#define LIB_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_SEGMENTS_MAX  32
#define IMAGE_L1_VALID_MAX  4
#define IMAGE_NONE          UINT64_MAX                /* "the kernel did not say" in address fields */
#define IMAGE_UNPACK_LIMIT  ((size_t)512 << 20)       /* customary limit for an unpacked kernel */
#define IMAGE_FILE_LIMIT    ((size_t)512 << 20)       /* customary limit for a kernel file */

/* A sentence that names the file, the field, its value and the remedy. Empty if nothing went wrong. */
struct image_error {
    char text[512];
};

/* One PT_LOAD. Its bytes are image.elf[file_offset .. +file_size]; the rest up to memory_size is zero. */
struct image_segment {
    uint64_t load;            /* guest virtual address where the builder puts it (see image.virt_offset) */
    uint64_t memory_size;     /* bytes, never 0 */
    uint64_t file_offset;
    uint64_t file_size;       /* <= memory_size, inside the buffer */
    uint32_t flags;           /* PF_R, PF_W, PF_X of ELF */
};

struct image {
    const uint8_t *elf;       /* borrowed: the bytes given to image_parse() */
    size_t elf_size;

    uint64_t entry;           /* guest virtual address of the first instruction */
    uint64_t virt_base;       /* guest virtual address of pseudo-physical address 0 */
    uint64_t paddr_offset;    /* what to subtract from p_paddr to get a pseudo-physical address */
    uint64_t virt_offset;     /* virt_base - paddr_offset: load address = p_paddr + virt_offset (mod 2^64) */
    uint64_t v_start, v_end;  /* page-aligned guest virtual range that the segments cover; v_end exclusive */
    uint64_t hypercall_page;  /* page-aligned address inside v_start..v_end, or IMAGE_NONE */
    uint64_t init_p2m;        /* where the kernel wants its P2M mapped, or IMAGE_NONE: after the kernel */
    uint64_t phys32_entry;    /* PVH entry, physical, or IMAGE_NONE */
    uint64_t hv_start_low;    /* or IMAGE_NONE */
    bool mod_start_pfn;       /* an unmapped initrd is fine: start_info.mod_start may be a frame number */
    bool suspend_cancel;
    bool legacy;              /* described by a __xen_guest section instead of ELF notes */

    uint32_t features_supported;   /* bit N = XENFEAT N of features.h; includes the required ones */
    uint32_t features_required;

    unsigned int l1_valid_count;   /* pairs that recognise non-present L1 entries that carry frames */
    struct {
        uint64_t mask, value;
    } l1_valid[IMAGE_L1_VALID_MAX];

    char guest_os[32], guest_version[32], xen_version[32], loader[32];

    unsigned int segment_count;    /* sorted by load, not overlapping */
    struct image_segment segments[IMAGE_SEGMENTS_MAX];
};

/* Bytes that are either borrowed from the input or owned. Release with image_bytes_free() in both cases. */
struct image_bytes {
    const uint8_t *data;
    size_t size;
    uint8_t *owned;           /* malloc'ed block behind data, or NULL */
    const char *compression;  /* "none", "gzip", "bzip2", "lzma", "xz", "lzo", "lz4", "zstd": never NULL */
};

/*
 * Take the bzImage wrapper and the compression off, if any. `name` is for messages only. `limit`: a result
 * of as many bytes or more may be refused. 0, or -ENOEXEC (not a kernel we know), -EINVAL (damaged), -E2BIG
 * (over the limit), -ENOMEM; on error `out` is empty and needs no release. If the input is a plain ELF, `out`
 * borrows it.
 */
int image_unpack(const char *name, const void *file, size_t size, size_t limit,
                 struct image_bytes *out, struct image_error *error);
void image_bytes_free(struct image_bytes *bytes);

/*
 * Read a plain ELF64 PV kernel. The result borrows `elf`, which has to outlive it. 0, or -ENOEXEC (not an
 * x86-64 ELF, or no PV kernel), -EINVAL (a field is out of bounds or contradicts another one).
 */
int image_parse(const char *name, const void *elf, size_t size, struct image *out, struct image_error *error);

/*
 * Fill dst[0..len) with what guest virtual addresses [from, from+len) hold before the kernel starts: segment
 * bytes, zeros elsewhere. The builder calls it for each run of guest pages it has mapped.
 */
void image_copy(const struct image *image, uint64_t from, void *dst, size_t len);

/*
 * The cache: unpacked kernels in memory, found by path, compared by content. A file whose device, inode, size
 * and times are unchanged costs one stat(); a touched or copied file costs one hash; only new content is
 * unpacked. Not thread-safe.
 */
struct image_cache;

/* `memory_limit`: bytes of unpacked kernels kept while nobody uses them; `unpack_limit`: as in
 * image_unpack(). NULL: no memory. */
struct image_cache *image_cache_new(size_t memory_limit, size_t unpack_limit);
void image_cache_free(struct image_cache *cache);    /* every image must have been put back */

/*
 * The kernel at `path`, unpacked and parsed. It stays valid, whatever happens to the file, until
 * image_cache_put(). Errors as above, or negative errno of open/read.
 */
int image_cache_get(struct image_cache *cache, const char *path, const struct image **out,
                    struct image_error *error);
void image_cache_put(struct image_cache *cache, const struct image *image);

/* Counters since image_cache_new(), for `info` pages and tests. */
struct image_cache_stats {
    uint64_t hits;            /* found by stat() alone */
    uint64_t rehashed;        /* file changed its looks but not its content */
    uint64_t unpacked;
    size_t bytes;             /* held now */
    unsigned int images;      /* held now */
};
void image_cache_stats(const struct image_cache *cache, struct image_cache_stats *out);

#endif
