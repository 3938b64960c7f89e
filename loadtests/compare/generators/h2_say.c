#include "h2_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAITING_MOST = 16 << 20 }; /* per stream: more is a peer that reads nothing */

uint8_t *h2_room(struct h2 *c, size_t bytes) {
    if (c->out_bytes + bytes > c->out_room) {
        while (c->out_bytes + bytes > c->out_room) c->out_room *= 2;
        c->out = realloc(c->out, c->out_room);
        if (c->out == NULL) abort();
    }
    uint8_t *at = c->out + c->out_bytes;
    c->out_bytes += bytes;
    return at;
}

void h2_put32(uint8_t *at, uint32_t number) {
    at[0] = (uint8_t)(number >> 24), at[1] = (uint8_t)(number >> 16), at[2] = (uint8_t)(number >> 8);
    at[3] = (uint8_t)number;
}

static void frame_head(uint8_t *at, size_t length, int kind, int flags, uint32_t stream) {
    h2_put32(at, (uint32_t)length << 8 | (uint32_t)kind);
    at[4] = (uint8_t)flags;
    h2_put32(at + 5, stream);
}

void h2_say(struct h2 *c, int kind, int flags, uint32_t stream, const void *payload, size_t length) {
    uint8_t *at = h2_room(c, 9 + length);
    frame_head(at, length, kind, flags, stream);
    if (length) memcpy(at + 9, payload, length);
}

void h2_grant(struct h2 *c, uint32_t stream, uint32_t bytes) {
    uint8_t payload[4];
    h2_put32(payload, bytes);
    h2_say(c, WINDOW_UPDATE, 0, stream, payload, 4);
}

int h2_flush(struct h2 *c) {
    size_t sent = 0;
    int result = 0;
    while (sent < c->out_bytes && result == 0) {
        ssize_t put;
#ifdef WITH_TLS
        if (c->tls != NULL) {
            put = SSL_write(c->tls, c->out + sent, (int)(c->out_bytes - sent));
            if (put <= 0) result = SSL_get_error(c->tls, (int)put) == SSL_ERROR_WANT_WRITE ? 1 : -1;
        } else
#endif
        {
            put = write(c->fd, c->out + sent, c->out_bytes - sent);
            if (put < 0) result = errno == EAGAIN ? 1 : -1;
        }
        if (put > 0) sent += (size_t)put;
    }
    memmove(c->out, c->out + sent, c->out_bytes -= sent);
    return result;
}

void h2_head(struct h2 *c, struct h2_stream *stream, const struct hpack_field *fields, int count, int end) {
    size_t most = 9 + 64;
    for (int i = 0; i < count; i++) most += fields[i].name_length + fields[i].value_length + 16;
    uint8_t *at = h2_room(c, most);
    size_t length = hpack_encode(&c->encoder, fields, count, at + 9);
    if (length > FRAME) abort(); /* our own heads are small */
    frame_head(at, length, HEADERS, END_HEADERS | (end ? END_STREAM : 0), stream->id);
    c->out_bytes -= most - 9 - length;
}

/* How much of `length` the windows and the frame size allow now. */
static size_t allowed(const struct h2 *c, const struct h2_stream *stream, size_t length) {
    int64_t window = c->window < stream->window ? c->window : stream->window;
    if (window > FRAME) window = FRAME;
    return window < 0 ? 0 : (int64_t)length < window ? length : (size_t)window;
}

static size_t send_some(struct h2 *c, struct h2_stream *stream, const uint8_t *bytes, size_t length, int end) {
    size_t sent = 0, part;
    while ((part = allowed(c, stream, length - sent)) > 0 || (end && sent == length)) {
        int last = end && sent + part == length;
        h2_say(c, DATA, last ? END_STREAM : 0, stream->id, bytes + sent, part);
        sent += part;
        c->window -= (int64_t)part, stream->window -= (int64_t)part;
        if (last || sent == length) break;
    }
    return sent;
}

void h2_send_waiting(struct h2 *c, struct h2_stream *stream) {
    size_t sent = send_some(c, stream, stream->waiting, stream->waiting_bytes, stream->end_waits);
    memmove(stream->waiting, stream->waiting + sent, stream->waiting_bytes -= sent);
    if (stream->waiting_bytes) return;
    free(stream->waiting);
    stream->waiting = NULL;
    c->streams_waiting--;
    if (c->owner->drained != NULL) c->owner->drained(c, stream);
}

void h2_data(struct h2 *c, struct h2_stream *stream, const uint8_t *bytes, size_t length, int end) {
    size_t sent = stream->waiting == NULL ? send_some(c, stream, bytes, length, end) : 0;
    if (sent == length && stream->waiting == NULL) return;
    size_t more = length - sent;
    if (stream->waiting_bytes + more > WAITING_MOST) {
        c->failure = "the peer leaves its windows closed";
        return;
    }
    if (stream->waiting == NULL) c->streams_waiting++;
    stream->waiting = realloc(stream->waiting, stream->waiting_bytes + more + 1);
    if (stream->waiting == NULL) abort();
    memcpy(stream->waiting + stream->waiting_bytes, bytes + sent, more);
    stream->waiting_bytes += more;
    stream->end_waits = end;
}

