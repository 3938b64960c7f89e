/* The code of HPACK's strings (RFC 7541, section 5.2 and appendix B). */
#ifndef HUFFMAN_H
#define HUFFMAN_H
#include <stddef.h>
#include <stdint.h>

/* Once per process, before anything else here. */
void huffman_prepare(void);
/* Bytes that the coded form takes. */
size_t huffman_length(const char *text, size_t length);
/* Writes the coded form; gives its end. */
uint8_t *huffman_write(uint8_t *out, const char *text, size_t length);
/* Writes the plain form to [out, end); gives its end, or NULL when it has no room or the code is not sound. */
char *huffman_read(const uint8_t *coded, size_t length, char *out, const char *end);
#endif
