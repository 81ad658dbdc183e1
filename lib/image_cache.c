/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_cache.c - unpack each kernel once, not once per domain.
 *
 * Two lists. A `file` remembers what stat() said about an inode, whatever its names, and which kernel it
 * held; a `kernel` is an unpacked image found by a hash of the file's bytes, so ten copies of one kernel
 * share one entry.
 *
 * The hash is Poly1305 under a secret key that each cache draws for itself; nobody is shown a hash. Who does
 * not know the key cannot make two files that collide but by chance (at most 2^-78 for the largest file),
 * which is what sharing needs, and it costs a tenth of SHA-256.
 *
 * The danger is a file that changes without stat() noticing: a write within the clock tick in which we read
 * it. So a file is trusted by looks alone only if, when we read it, its last change lay well in the past.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <nettle/poly1305.h>

#include "lib/image_internal.h"

#define FILES_MAX      256      /* paths remembered; one costs a few hundred bytes */
#define SETTLED_SEC    2 /* a change younger than this may be followed by one with the same time stamp */

struct kernel {
    struct image image;         /* first: image_cache_put() gets its address */
    struct kernel *next;
    uint8_t hash[POLY1305_AES_DIGEST_SIZE];
    uint8_t *data;              /* what image.elf points to */
    size_t bytes;
    unsigned int users;
    uint64_t used;              /* cache clock at the last put or get: the smallest goes first */
};

struct file {
    struct file *next;
    struct kernel *kernel;
    struct stat looks;
    bool settled;
    uint64_t used;
};

struct image_cache {
    struct kernel *kernels;
    struct file *files;
    size_t memory_limit, unpack_limit;
    uint64_t clock;
    uint8_t key[POLY1305_AES_KEY_SIZE];
    struct image_cache_stats stats;
};

struct image_cache *image_cache_new(size_t memory_limit, size_t unpack_limit)
{
    struct image_cache *cache = calloc(1, sizeof(*cache));

    if (!cache) {
        return NULL;
    }
    if (getrandom(cache->key, sizeof(cache->key), 0) != sizeof(cache->key)) {
        free(cache);
        return NULL;
    }
    cache->memory_limit = memory_limit;
    cache->unpack_limit = unpack_limit;
    return cache;
}

/* ---- forgetting ---------------------------------------------------------------------------------------- */

/* Drop the files for which `kernel` is theirs; all files if it is NULL. */
static void forget_files(struct image_cache *cache, const struct kernel *kernel)
{
    struct file **link = &cache->files, *file;

    while ((file = *link) != NULL) {
        if (!kernel || file->kernel == kernel) {
            *link = file->next;
            free(file);
        } else {
            link = &file->next;
        }
    }
}

static void forget_kernel(struct image_cache *cache, struct kernel *kernel)
{
    struct kernel **link = &cache->kernels;

    while (*link != kernel) {
        link = &(*link)->next;
    }
    *link = kernel->next;
    forget_files(cache, kernel);
    cache->stats.bytes -= kernel->bytes;
    cache->stats.images--;
    free(kernel->data);
    free(kernel);
}

/* Until the limit is kept or all that is left is in use: drop the longest unused one. */
static void trim(struct image_cache *cache)
{
    while (cache->stats.bytes > cache->memory_limit) {
        struct kernel *oldest = NULL;

        for (struct kernel *k = cache->kernels; k; k = k->next) {
            if (k->users == 0 && (!oldest || k->used < oldest->used)) {
                oldest = k;
            }
        }
        if (!oldest) {
            return;
        }
        forget_kernel(cache, oldest);
    }
}

void image_cache_free(struct image_cache *cache)
{
    if (!cache) {
        return;
    }
    forget_files(cache, NULL);
    while (cache->kernels) {
        forget_kernel(cache, cache->kernels);
    }
    free(cache);
}

/* ---- files by looks ------------------------------------------------------------------------------------ */

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_looks(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           same_time(a->st_mtim, b->st_mtim) && same_time(a->st_ctim, b->st_ctim);
}

/* What is remembered of an inode, even if it looks different now. */
static struct file *find_file(struct image_cache *cache, const struct stat *looks)
{
    struct file *file = cache->files;

    while (file && (file->looks.st_dev != looks->st_dev || file->looks.st_ino != looks->st_ino)) {
        file = file->next;
    }
    return file;
}

/* Make room for one more: the file not asked for for the longest time goes. */
static void drop_oldest_file(struct image_cache *cache)
{
    struct file **oldest = NULL;
    unsigned int count = 0;

    for (struct file **link = &cache->files; *link; link = &(*link)->next, count++) {
        oldest = !oldest || (*link)->used < (*oldest)->used ? link : oldest;
    }
    if (count >= FILES_MAX) {
        struct file *gone = *oldest;

        *oldest = gone->next;
        free(gone);
    }
}

/* Remember what the file looked like. No memory: then it will be hashed again, nothing worse. */
static void remember_file(struct image_cache *cache, const struct stat *looks, bool settled,
                          struct kernel *kernel)
{
    struct file *file = find_file(cache, looks);

    if (!file) {
        drop_oldest_file(cache);
        file = malloc(sizeof(*file));
        if (!file) {
            return;
        }
        file->next = cache->files;
        cache->files = file;
    }
    file->kernel = kernel;
    file->looks = *looks;
    file->settled = settled;
    file->used = ++cache->clock;
}

/* ---- kernels by content -------------------------------------------------------------------------------- */

static int read_all(const char *path, int fd, size_t size, uint8_t *to, struct image_error *error)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = read(fd, to + done, size - done);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            int code = got < 0 ? -errno : -EIO;

            return image_fail(error, code,
                              "%s: cannot read the kernel: %s after %zu of %zu bytes; copy it again", path,
                              got < 0 ? strerror(-code) : "the file ended", done, size);
        }
        done += (size_t)got;
    }
    return 0;
}

/* The bytes of a regular file, malloc'ed, and what it looked like before we read it. */
static int read_file(const char *path, uint8_t **data, struct stat *looks, bool *settled,
                     struct image_error *error)
{
    /* O_NONBLOCK: opening a FIFO must not wait for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
    struct timespec now;
    struct stat after;

    if (fd < 0 || fstat(fd, looks)) {
        rc = -errno;
        if (fd >= 0)
            close(fd);
        return image_fail(error, rc, "%s: cannot open the kernel: %s; check the path and its permissions",
                          path, strerror(-rc));
    }
    *data = NULL;
    clock_gettime(CLOCK_REALTIME, &now);
    if (!S_ISREG(looks->st_mode)) {
        rc = image_fail(error, -EINVAL,
                        "%s: the kernel is no regular file: give the path of a bzImage or an ELF "
                        "kernel",
                        path);
    } else if ((uint64_t)looks->st_size > IMAGE_FILE_LIMIT) {
        rc = image_fail(error, -E2BIG, "%s: file of %lld MiB is over the limit of %zu MiB: not a kernel",
                        path, (((long long)looks->st_size - 1) >> 20) + 1, IMAGE_FILE_LIMIT >> 20);
    } else if ((*data = malloc((size_t)looks->st_size + 1)) == NULL) {
        rc = image_fail(error, -ENOMEM,
                        "%s: no memory to read the kernel (%lld bytes): give domain 0 more", path,
                        (long long)looks->st_size);
    } else {
        rc = read_all(path, fd, (size_t)looks->st_size, *data, error);
    }
    *settled = rc == 0 && fstat(fd, &after) == 0 && same_looks(looks, &after) &&
               looks->st_mtim.tv_sec + SETTLED_SEC < now.tv_sec &&
               looks->st_ctim.tv_sec + SETTLED_SEC < now.tv_sec;
    close(fd);
    if (rc) {
        free(*data);
        *data = NULL;
    }
    return rc;
}

static void hash_bytes(const struct image_cache *cache, const uint8_t *data, size_t size,
                       uint8_t hash[POLY1305_AES_DIGEST_SIZE])
{
    static const uint8_t nonce[POLY1305_AES_NONCE_SIZE];
    struct poly1305_aes_ctx context;

    poly1305_aes_set_key(&context, cache->key);
    poly1305_aes_set_nonce(&context, nonce);
    poly1305_aes_update(&context, size, data);
    poly1305_aes_digest(&context, POLY1305_AES_DIGEST_SIZE, hash);
}

/* Unpack and parse; takes `*data` over (sets it to NULL) if the image borrows it. */
static int make_kernel(struct image_cache *cache, const char *path, uint8_t **data, size_t size,
                       struct kernel **out, struct image_error *error)
{
    struct kernel *kernel = calloc(1, sizeof(*kernel));
    struct image_bytes bytes;
    int rc;

    if (!kernel) {
        return image_fail(error, -ENOMEM, "%s: no memory to keep the kernel (%zu bytes): give domain 0 more",
                          path, size);
    }
    rc = image_unpack(path, *data, size, cache->unpack_limit, &bytes, error);
    if (rc == 0) {
        rc = image_parse(path, bytes.data, bytes.size, &kernel->image, error);
    }
    if (rc) {
        image_bytes_free(&bytes);
        free(kernel);
        return rc;
    }
    kernel->data = bytes.owned ? bytes.owned : *data;
    kernel->bytes = bytes.owned ? bytes.size : size;
    *data = bytes.owned ? *data : NULL;
    kernel->next = cache->kernels;
    cache->kernels = kernel;
    cache->stats.bytes += kernel->bytes;
    cache->stats.images++;
    cache->stats.unpacked++;
    *out = kernel;
    return 0;
}

/* The kernel with this content: the one we have, or a new one. */
static int find_kernel(struct image_cache *cache, const char *path, uint8_t **data, size_t size,
                       struct kernel **out, struct image_error *error)
{
    uint8_t hash[POLY1305_AES_DIGEST_SIZE];
    int rc;

    hash_bytes(cache, *data, size, hash);
    for (struct kernel *k = cache->kernels; k; k = k->next) {
        if (memcmp(k->hash, hash, sizeof(hash)) == 0) {
            cache->stats.rehashed++;
            *out = k;
            return 0;
        }
    }
    rc = make_kernel(cache, path, data, size, out, error);
    if (rc == 0) {
        memcpy((*out)->hash, hash, sizeof(hash));
    }
    return rc;
}

static const struct image *lend(struct image_cache *cache, struct kernel *kernel)
{
    kernel->users++;
    kernel->used = ++cache->clock;
    trim(cache);
    return &kernel->image;
}

int image_cache_get(struct image_cache *cache, const char *path, const struct image **out,
                    struct image_error *error)
{
    struct file *file = NULL;
    struct kernel *kernel = NULL;
    struct stat looks = { 0 };
    uint8_t *data = NULL;
    bool settled = false;
    int rc;

    error->text[0] = '\0';
    if (stat(path, &looks) == 0) {
        file = find_file(cache, &looks);
    }
    if (file && file->settled && same_looks(&looks, &file->looks)) {
        cache->stats.hits++;
        file->used = ++cache->clock;
        *out = lend(cache, file->kernel);
        return 0;
    }
    rc = read_file(path, &data, &looks, &settled, error);
    if (rc) {
        return rc;
    }
    rc = find_kernel(cache, path, &data, (size_t)looks.st_size, &kernel, error);
    free(data);
    if (rc == 0) {
        remember_file(cache, &looks, settled, kernel);
        *out = lend(cache, kernel);
    }
    return rc;
}

void image_cache_put(struct image_cache *cache, const struct image *image)
{
    /* The cache handed out the address of its own object: taking const back is right. */
    struct kernel *kernel = (struct kernel *)(uintptr_t)image;

    if (kernel) {
        kernel->users--;
        kernel->used = ++cache->clock;
        trim(cache);
    }
}

void image_cache_stats(const struct image_cache *cache, struct image_cache_stats *out)
{
    *out = cache->stats;
}
