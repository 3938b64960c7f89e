/* HPACK (RFC 7541) both ways, for header blocks of a few KiB: dynamic tables as real clients use them, Huffman codes
 * where they are shorter. Tables never exceed the 4,096 bytes that both ends begin with.
 */
#ifndef HPACK_H
#define HPACK_H
#include <stddef.h>
#include <stdint.h>

enum { HPACK_TABLE = 4096, HPACK_ENTRIES = HPACK_TABLE / 32 };

/* How a field is written: kept in the table, not kept, or not kept by anybody on the way (RFC 7541, 7.1.3). */
enum hpack_policy { HPACK_KEPT, HPACK_PLAIN, HPACK_NEVER };

struct hpack_field {
    const char *name, *value;
    size_t name_length, value_length;
    enum hpack_policy policy;
};

struct hpack {
    struct { char *text; uint32_t name_length, value_length; } entries[HPACK_ENTRIES];
    unsigned newest, count;
    size_t bytes, limit;
    size_t least_limit; /* of the limits not told yet */
    int limit_changed;
};

/* Once per process, before anything else here. */
void hpack_prepare(void);
void hpack_new(struct hpack *table);
void hpack_free(struct hpack *table);
/* For an encoder: the peer's SETTINGS_HEADER_TABLE_SIZE; told in the next block. */
void hpack_limit(struct hpack *table, size_t limit);
/* Bytes written to `out`, which has room for at least 64 more than all names and values together. */
size_t hpack_encode(struct hpack *table, const struct hpack_field *fields, int count, uint8_t *out);
/* Fields found, or -1 for a block that breaks the rules or has more than `most`. Names and values lie in `text`. */
int hpack_decode(struct hpack *table, const uint8_t *block, size_t length, struct hpack_field *fields, int most,
                 char *text, size_t room);
#endif
