#include "huffman.h"

enum { NODES = 256, END_OF_STRING = 256, FAILED = 1 << 15 };

/* RFC 7541, appendix B: the code is canonical, so that its lengths say it all. */
static const uint8_t code_bits[257] = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
    28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
    8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
    13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
    28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
    22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
    22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
    25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
};

static uint32_t codes[257];
/* A walk through the code four bits at a time: where a node goes on, what it yields (-1: nothing), and whether the
 * string may end there (all bits since the last symbol are ones, and fewer than eight). */
static struct { uint16_t next; int16_t symbol; } walk[NODES][16];
static uint8_t may_end[NODES];

static void prepare_codes(void) {
    uint32_t code = 0;
    int bits_before = 5;
    for (int bits = 5; bits <= 30; bits++)
        for (int symbol = 0; symbol <= END_OF_STRING; symbol++) {
            if (code_bits[symbol] != bits) continue;
            code <<= bits - bits_before;
            bits_before = bits;
            codes[symbol] = code++;
        }
}

static void prepare_walk(void) {
    static int16_t tree[NODES][2]; /* a node, or -1 - symbol */
    int nodes = 1;
    for (int symbol = 0; symbol <= END_OF_STRING; symbol++) {
        int node = 0;
        for (int bit = code_bits[symbol] - 1; bit > 0; bit--) {
            int16_t *next = &tree[node][codes[symbol] >> bit & 1];
            if (*next == 0) *next = (int16_t)nodes++;
            node = *next;
        }
        tree[node][codes[symbol] & 1] = (int16_t)(-1 - symbol);
    }
    for (int node = 0, ones = 0; ones < 8 && node >= 0; ones++, node = tree[node][1]) may_end[node] = 1;
    for (int from = 0; from < NODES; from++)
        for (int nibble = 0; nibble < 16; nibble++) {
            int node = from, symbol = -1;
            for (int bit = 3; bit >= 0 && node < FAILED; bit--) {
                int next = tree[node][nibble >> bit & 1];
                if (next >= 0) { node = next; continue; }
                if (next == -1 - END_OF_STRING) { node = FAILED; break; }
                symbol = -1 - next;
                node = 0;
            }
            walk[from][nibble].next = (uint16_t)node;
            walk[from][nibble].symbol = (int16_t)symbol;
        }
}

void huffman_prepare(void) {
    prepare_codes();
    prepare_walk();
}

size_t huffman_length(const char *text, size_t length) {
    size_t bits = 0;
    for (size_t i = 0; i < length; i++) bits += code_bits[(uint8_t)text[i]];
    return (bits + 7) / 8;
}

uint8_t *huffman_write(uint8_t *out, const char *text, size_t length) {
    uint64_t waiting = 0;
    int waiting_bits = 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t symbol = (uint8_t)text[i];
        waiting = waiting << code_bits[symbol] | codes[symbol];
        waiting_bits += code_bits[symbol];
        while (waiting_bits >= 8) *out++ = (uint8_t)(waiting >> (waiting_bits -= 8));
    }
    if (waiting_bits) *out++ = (uint8_t)(waiting << (8 - waiting_bits) | 255 >> waiting_bits);
    return out;
}

char *huffman_read(const uint8_t *at, size_t length, char *out, const char *out_end) {
    int node = 0;
    for (const uint8_t *end = at + length; at < end; at++)
        for (int shift = 4; shift >= 0; shift -= 4) {
            int nibble = *at >> shift & 15, symbol = walk[node][nibble].symbol;
            if (symbol >= 0) {
                if (out == out_end) return NULL;
                *out++ = (char)symbol;
            }
            if ((node = walk[node][nibble].next) == FAILED) return NULL;
        }
    return may_end[node] ? out : NULL;
}
