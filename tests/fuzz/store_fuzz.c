/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything a guest can do to the store: requests of any kind, raw bytes, any index, reconnection, at any
 * moment, while another guest and dom0 go on. After each input the store's accounts must agree with a
 * recount, the guest must be within its limits, the other guest must still be served.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

static uint32_t take(struct input *in, unsigned int bytes) {
    uint32_t n = 0;
    for (; bytes && in->left; bytes--, in->left--)
        n = n << 8 | *in->at++;
    return n;
}

static void put(struct xenstore_domain_interface *r, const void *bytes, size_t len) {
    for (size_t i = 0; i < len; i++)
        r->req[MASK_XENSTORE_IDX(r->req_prod + i)] = ((const char *)bytes)[i];
    r->req_prod += (uint32_t)len;
}

/* Names that mean something, so that requests reach nodes, and often the same ones. */
static size_t put_text(struct input *in, char *out) {
    static const char *const texts[] = { "/",
                                         "/local/domain/5",
                                         "a",
                                         "a/b",
                                         "a/b/c",
                                         "/open",
                                         "/open/x",
                                         "n5",
                                         "r6",
                                         "b0",
                                         "T",
                                         "F",
                                         "0",
                                         "5",
                                         "@releaseDomain",
                                         "/local/domain/6",
                                         "tok",
                                         "" };
    const char *text = texts[take(in, 1) % (sizeof(texts) / sizeof(texts[0]))];
    strcpy(out, text);
    return strlen(text) + 1;
}

static void request(struct input *in, struct xenstore_domain_interface *r) {
    char payload[1024];
    struct xsd_sockmsg header = { .type = take(in, 1) % (XS_TYPE_COUNT + 1),
                                  .req_id = 1,
                                  .tx_id = take(in, 1) % 4 };
    unsigned int texts = take(in, 1) % 4, raw = take(in, 1) % 16;
    for (unsigned int i = 0; i < texts; i++)
        header.len += (uint32_t)put_text(in, payload + header.len);
    for (unsigned int i = 0; i < raw && in->left; i++)
        payload[header.len++] = (char)take(in, 1);
    if (take(in, 1) % 16 == 0)
        header.len += 3; /* a lie */
    put(r, &header, sizeof(header));
    put(r, payload, header.len < sizeof(payload) ? header.len : sizeof(payload));
}

static void raw_bytes(struct input *in, struct xenstore_domain_interface *r) {
    size_t n = take(in, 1) * 4;
    n = n < in->left ? n : in->left;
    put(r, in->at, n);
    in->at += n;
    in->left -= n;
}

static void step(struct input *in, struct store *s, struct fake_xen *x, struct fake_client *root) {
    struct xenstore_domain_interface *r = &x->ring[5];
    switch (take(in, 1) % 16) {
    case 0: r->req_prod = r->req_cons + take(in, 2); break;
    case 1: r->rsp_cons = r->rsp_prod - take(in, 2); break;
    case 2: r->req_cons = take(in, 4); break;
    case 3: r->rsp_prod = take(in, 4); break;
    case 4: r->connection = take(in, 1) % 3; break;
    case 5: raw_bytes(in, r); break;
    case 6: fake_write(root, 0, "/open/x", "1"); break;
    case 7: fake_text(root, XS_RM, 0, "/open"); break;
    case 8: fake_two(root, XS_SET_PERMS, 0, "/open", "b0"); break;
    case 9:
        fake_call(root, XS_INTRODUCE, 0,
                  "5\0"
                  "1\0"
                  "1",
                  6);
        break;
    default: request(in, r); break;
    }
    r->rsp_cons = take(in, 1) % 8 ? r->rsp_prod : r->rsp_cons;
    domain_event(s, domain_find(s, 5)->port);
    fake_run(s);
}

static void check(struct store *s, struct fake_xen *x) {
    struct xenstore_domain_interface *r = &x->ring[6];
    struct xsd_sockmsg header = { XS_GET_DOMAIN_PATH, 9, 0, 2 };
    const struct conn *c = &domain_find(s, 5)->conn;
    const struct account *a = quota_find(&s->quota, 5);
    r->rsp_cons = r->rsp_prod;
    put(r, &header, sizeof(header));
    put(r, "6", 2);
    domain_event(s, domain_find(s, 6)->port);
    fake_run(s);
    if (store_check(s) < 0 || r->rsp_prod - r->rsp_cons < 32 || (a && a->nodes > s->quota.guest.nodes + 4) ||
        c->watch_count > s->quota.guest.watches || c->txn_count > s->quota.guest.transactions)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct fake_xen xen;
    struct store s;
    struct fake_client root;
    struct input in = { data, size };
    memset(&xen, 0, sizeof(xen));
    if (store_init(&s, NULL) < 0)
        abort();
    s.domain_ops = &fake_xen_ops;
    s.domain_ctx = &xen;
    s.quota.guest = (struct quota_limits){ .nodes = 6,
                                           .node_size = 64,
                                           .permissions = 3,
                                           .path_max = 64,
                                           .watches = 3,
                                           .transactions = 2,
                                           .transaction_nodes = 8,
                                           .outstanding = 4,
                                           .memory = 8192 };
    fake_open(&root, &s, 0);
    fake_text(&root, XS_MKDIR, 0, "/local/domain/5");
    fake_two(&root, XS_SET_PERMS, 0, "/local/domain/5", "n5");
    fake_call(&root, XS_INTRODUCE, 0,
              "5\0"
              "1\0"
              "1",
              6);
    fake_call(&root, XS_INTRODUCE, 0,
              "6\0"
              "1\0"
              "1",
              6);
    while (in.left)
        step(&in, &s, &xen, &root);
    check(&s, &xen);
    fake_text(&root, XS_RELEASE, 0, "5");
    if (quota_find(&s.quota, 5) || store_check(&s) < 0)
        abort();
    fake_close(&root);
    store_destroy(&s);
    return 0;
}
