/* What h2.c (hearing) and h2_say.c share. */
#ifndef H2_INSIDE_H
#define H2_INSIDE_H
#include "h2.h"

#ifdef WITH_TLS
#include <openssl/ssl.h>
#endif

enum {
    DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION,
    END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, PRIORITISED = 32,
    FRAME = 16384, IN_ROOM = 1 << 18, BLOCK_ROOM = 1 << 16, TEXT_ROOM = 1 << 17,
    STREAM_WINDOW = 1 << 20, WINDOW = 1 << 30, FIRST_WINDOW = 65535,
};

uint8_t *h2_room(struct h2 *c, size_t bytes);
void h2_put32(uint8_t *at, uint32_t number);
void h2_say(struct h2 *c, int kind, int flags, uint32_t stream, const void *payload, size_t length);
void h2_grant(struct h2 *c, uint32_t stream, uint32_t bytes);
/* As far as the windows allow. */
void h2_send_waiting(struct h2 *c, struct h2_stream *stream);
#endif
