#include "hpack.h"
#include "huffman.h"

#include <stdlib.h>
#include <string.h>

enum { FIXED = 61 };

/* RFC 7541, appendix A. */
static const char *const fixed[FIXED + 1][2] = {
    {"", ""},
    {":authority", ""}, {":method", "GET"}, {":method", "POST"}, {":path", "/"}, {":path", "/index.html"},
    {":scheme", "http"}, {":scheme", "https"}, {":status", "200"}, {":status", "204"}, {":status", "206"},
    {":status", "304"}, {":status", "400"}, {":status", "404"}, {":status", "500"}, {"accept-charset", ""},
    {"accept-encoding", "gzip, deflate"}, {"accept-language", ""}, {"accept-ranges", ""}, {"accept", ""},
    {"access-control-allow-origin", ""}, {"age", ""}, {"allow", ""}, {"authorization", ""},
    {"cache-control", ""}, {"content-disposition", ""}, {"content-encoding", ""}, {"content-language", ""},
    {"content-length", ""}, {"content-location", ""}, {"content-range", ""}, {"content-type", ""},
    {"cookie", ""}, {"date", ""}, {"etag", ""}, {"expect", ""}, {"expires", ""}, {"from", ""}, {"host", ""},
    {"if-match", ""}, {"if-modified-since", ""}, {"if-none-match", ""}, {"if-range", ""},
    {"if-unmodified-since", ""}, {"last-modified", ""}, {"link", ""}, {"location", ""}, {"max-forwards", ""},
    {"proxy-authenticate", ""}, {"proxy-authorization", ""}, {"range", ""}, {"referer", ""}, {"refresh", ""},
    {"retry-after", ""}, {"server", ""}, {"set-cookie", ""}, {"strict-transport-security", ""},
    {"transfer-encoding", ""}, {"user-agent", ""}, {"vary", ""}, {"via", ""}, {"www-authenticate", ""},
};

static size_t fixed_name_length[FIXED + 1], fixed_value_length[FIXED + 1];
void hpack_prepare(void) {
    for (int i = 1; i <= FIXED; i++) {
        fixed_name_length[i] = strlen(fixed[i][0]);
        fixed_value_length[i] = strlen(fixed[i][1]);
    }
    huffman_prepare();
}

/* The table: a ring, the newest entry at `newest`. */

void hpack_new(struct hpack *table) {
    memset(table, 0, sizeof *table);
    table->limit = table->least_limit = HPACK_TABLE;
}

static unsigned slot(const struct hpack *table, unsigned age) {
    return (table->newest + HPACK_ENTRIES - age) % HPACK_ENTRIES;
}

static void shrink(struct hpack *table, size_t limit) {
    while (table->bytes > limit) {
        unsigned oldest = slot(table, --table->count);
        table->bytes -= table->entries[oldest].name_length + table->entries[oldest].value_length + 32;
        free(table->entries[oldest].text);
    }
}

void hpack_free(struct hpack *table) { shrink(table, 0); }

static void insert(struct hpack *table, const char *name, size_t name_length, const char *value, size_t value_length) {
    size_t size = name_length + value_length + 32;
    char *text = malloc(size);
    if (text == NULL) abort();
    memcpy(text, name, name_length); /* before anything goes: the name may be an old entry's */
    memcpy(text + name_length, value, value_length);
    if (size > table->limit) {
        shrink(table, 0);
        free(text);
        return;
    }
    shrink(table, table->limit - size);
    table->newest = (table->newest + 1) % HPACK_ENTRIES;
    table->entries[table->newest].text = text;
    table->entries[table->newest].name_length = (uint32_t)name_length;
    table->entries[table->newest].value_length = (uint32_t)value_length;
    table->count++;
    table->bytes += size;
}

void hpack_limit(struct hpack *table, size_t limit) {
    if (limit > HPACK_TABLE) limit = HPACK_TABLE;
    if (limit == table->limit) return;
    if (!table->limit_changed || limit < table->least_limit) table->least_limit = limit;
    table->limit_changed = 1;
    table->limit = limit;
    shrink(table, limit);
}

/* Writing. */

static uint8_t *write_number(uint8_t *out, uint8_t first, int bits, size_t number) {
    size_t most = ((size_t)1 << bits) - 1;
    if (number < most) {
        *out++ = (uint8_t)(first | number);
        return out;
    }
    *out++ = (uint8_t)(first | most);
    for (number -= most; number >= 128; number >>= 7) *out++ = (uint8_t)(number | 128);
    *out++ = (uint8_t)number;
    return out;
}

static uint8_t *write_string(uint8_t *out, const char *text, size_t length) {
    size_t coded = huffman_length(text, length);
    if (coded < length) return huffman_write(write_number(out, 128, 7, coded), text, length);
    out = write_number(out, 0, 7, length);
    memcpy(out, text, length);
    return out + length;
}

static int same(const char *a, size_t a_length, const char *b, size_t b_length) {
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

/* The index of an entry that is the whole field (positive), has its name (negative), or 0. */
static int find(const struct hpack *table, const struct hpack_field *field) {
    int named = 0;
    for (int i = 1; i <= FIXED; i++) {
        if (!same(fixed[i][0], fixed_name_length[i], field->name, field->name_length)) {
            if (named) break; /* entries of one name stand together */
            continue;
        }
        if (same(fixed[i][1], fixed_value_length[i], field->value, field->value_length)) return i;
        if (!named) named = -i;
    }
    if (field->policy != HPACK_KEPT && named) return named;
    for (unsigned age = 0; age < table->count; age++) {
        unsigned at = slot(table, age);
        const char *text = table->entries[at].text;
        size_t length = table->entries[at].name_length;
        if (!same(text, length, field->name, field->name_length)) continue;
        if (field->policy == HPACK_KEPT &&
            same(text + length, table->entries[at].value_length, field->value, field->value_length))
            return (int)age + FIXED + 1;
        if (!named) named = -(int)age - FIXED - 1;
    }
    return named;
}

size_t hpack_encode(struct hpack *table, const struct hpack_field *fields, int count, uint8_t *out) {
    static const struct { uint8_t first; int bits; } form[] = {{0x40, 6}, {0x00, 4}, {0x10, 4}};
    uint8_t *start = out;
    if (table->limit_changed) {
        if (table->least_limit < table->limit) out = write_number(out, 0x20, 5, table->least_limit);
        out = write_number(out, 0x20, 5, table->limit);
        table->limit_changed = 0;
    }
    for (const struct hpack_field *field = fields; field < fields + count; field++) {
        int index = find(table, field);
        if (index > 0 && field->policy != HPACK_NEVER) {
            out = write_number(out, 0x80, 7, (size_t)index);
            continue;
        }
        enum hpack_policy policy = field->policy;
        if (field->name_length + field->value_length + 32 > table->limit && policy == HPACK_KEPT) policy = HPACK_PLAIN;
        out = write_number(out, form[policy].first, form[policy].bits, (size_t)abs(index));
        if (index == 0) out = write_string(out, field->name, field->name_length);
        out = write_string(out, field->value, field->value_length);
        if (policy == HPACK_KEPT) insert(table, field->name, field->name_length, field->value, field->value_length);
    }
    return (size_t)(out - start);
}

/* Reading. Every function gives where it stopped, or NULL. */

static const uint8_t *read_number(const uint8_t *at, const uint8_t *end, int bits, size_t *number) {
    size_t most = ((size_t)1 << bits) - 1, found = *at++ & most;
    if (found == most)
        for (int shift = 0;; shift += 7) {
            if (at == end || shift > 21) return NULL;
            found += (size_t)(*at & 127) << shift;
            if (*at++ < 128) break;
        }
    *number = found;
    return at;
}

struct text { char *at, *end; };

static const char *keep(struct text *text, const char *bytes, size_t length) {
    if ((size_t)(text->end - text->at) < length) return NULL;
    char *kept = text->at;
    memcpy(kept, bytes, length);
    text->at += length;
    return kept;
}

static const uint8_t *read_string(const uint8_t *at, const uint8_t *end, struct text *text, const char **found,
                                  size_t *length) {
    size_t coded;
    if (at == end) return NULL;
    int huffman = *at & 128;
    if ((at = read_number(at, end, 7, &coded)) == NULL || coded > (size_t)(end - at)) return NULL;
    if (!huffman) {
        *length = coded;
        return (*found = keep(text, (const char *)at, coded)) == NULL ? NULL : at + coded;
    }
    char *out = huffman_read(at, coded, text->at, text->end);
    if (out == NULL) return NULL;
    *found = text->at;
    *length = (size_t)(out - text->at);
    text->at = out;
    return at + coded;
}

static int look_up(const struct hpack *table, size_t index, struct text *text, struct hpack_field *field) {
    if (index == 0 || index > FIXED + table->count) return 0;
    if (index <= FIXED) {
        field->name = fixed[index][0], field->name_length = fixed_name_length[index];
        field->value = fixed[index][1], field->value_length = fixed_value_length[index];
        return 1;
    }
    unsigned at = slot(table, (unsigned)index - FIXED - 1);
    size_t length = table->entries[at].name_length, value_length = table->entries[at].value_length;
    const char *kept = keep(text, table->entries[at].text, length + value_length);
    field->name = kept, field->name_length = length;
    field->value = kept + length, field->value_length = value_length;
    return kept != NULL;
}

int hpack_decode(struct hpack *table, const uint8_t *at, size_t length, struct hpack_field *fields, int most,
                 char *room, size_t room_bytes) {
    const uint8_t *end = at + length;
    struct text text = {room, room + room_bytes};
    int count = 0;
    while (at < end) {
        size_t index;
        struct hpack_field *field = fields + count;
        uint8_t first = *at;
        if (first >> 5 == 1) {
            if (count || (at = read_number(at, end, 5, &index)) == NULL || index > HPACK_TABLE) return -1;
            shrink(table, table->limit = index);
            continue;
        }
        if (count++ == most) return -1;
        if (first & 128) {
            if ((at = read_number(at, end, 7, &index)) == NULL || !look_up(table, index, &text, field)) return -1;
            field->policy = HPACK_KEPT;
            continue;
        }
        field->policy = first & 64 ? HPACK_KEPT : first & 16 ? HPACK_NEVER : HPACK_PLAIN;
        if ((at = read_number(at, end, first & 64 ? 6 : 4, &index)) == NULL) return -1;
        if (index == 0 && (at = read_string(at, end, &text, &field->name, &field->name_length)) == NULL) return -1;
        if (index != 0 && !look_up(table, index, &text, field)) return -1;
        if ((at = read_string(at, end, &text, &field->value, &field->value_length)) == NULL) return -1;
        if (first & 64) insert(table, field->name, field->name_length, field->value, field->value_length);
    }
    return count;
}
