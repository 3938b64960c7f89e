#include "h2_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";


static uint32_t number32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void setting(uint8_t *at, int name, uint32_t value) {
    at[0] = 0, at[1] = (uint8_t)name;
    h2_put32(at + 2, value);
}

struct h2 *h2_new(int fd, void *tls, int server, const struct h2_owner *owner) {
    struct h2 *c = calloc(1, sizeof *c);
    if (c == NULL) abort();
    c->fd = fd, c->tls = tls, c->server = server, c->owner = owner;
    c->next_id = 1, c->most_streams = UINT32_MAX;
    c->out_room = 1 << 16;
    c->in = malloc(IN_ROOM), c->out = malloc(c->out_room), c->block = malloc(BLOCK_ROOM);
    if (c->in == NULL || c->out == NULL || c->block == NULL) abort();
    c->window = c->first_window = FIRST_WINDOW;
    hpack_new(&c->encoder);
    hpack_new(&c->decoder);
    uint8_t settings[12];
    setting(settings, server ? 3 : 2, server ? 1000 : 0); /* MAX_CONCURRENT_STREAMS, or ENABLE_PUSH */
    setting(settings + 6, 4, STREAM_WINDOW);
    if (!server) memcpy(h2_room(c, 24), preface, 24);
    h2_say(c, SETTINGS, 0, 0, settings, sizeof settings);
    h2_grant(c, 0, WINDOW - FIRST_WINDOW);
    return c;
}

void h2_free(struct h2 *c) {
    for (int i = 0; i < H2_SLOTS; i++) h2_close(c, c->streams + i);
    hpack_free(&c->encoder);
    hpack_free(&c->decoder);
#ifdef WITH_TLS
    SSL_free(c->tls);
#endif
    close(c->fd);
    free(c->in), free(c->out), free(c->block), free(c);
}

/* Streams. */

static struct h2_stream *stream_of(struct h2 *c, uint32_t id) {
    struct h2_stream *stream = c->streams + (id / 2) % H2_SLOTS;
    return stream->id == id ? stream : NULL;
}

static struct h2_stream *begin(struct h2 *c, uint32_t id) {
    struct h2_stream *stream = c->streams + (id / 2) % H2_SLOTS;
    if (stream->id != 0) {
        c->failure = "a stream is open while thousands came and went";
        return NULL;
    }
    memset(stream, 0, sizeof *stream);
    stream->id = id;
    stream->window = c->first_window;
    return stream;
}

struct h2_stream *h2_open(struct h2 *c) {
    struct h2_stream *stream = begin(c, c->next_id);
    c->next_id += 2;
    if (c->next_id > 0x7ffffff0) c->failure = "out of stream ids";
    return stream;
}

void h2_close(struct h2 *c, struct h2_stream *stream) {
    if (stream->waiting != NULL) c->streams_waiting--;
    free(stream->waiting);
    stream->waiting = NULL;
    stream->id = 0;
}

/* Hearing. */

static void on_setting(struct h2 *c, int name, uint32_t value) {
    if (name == 1) hpack_limit(&c->encoder, value);
    if (name == 3) c->most_streams = value;
    if (name != 4) return;
    for (int i = 0; i < H2_SLOTS; i++) c->streams[i].window += (int64_t)value - c->first_window;
    c->first_window = value;
}

static void windows_opened(struct h2 *c) {
    for (int i = 0; i < H2_SLOTS && c->streams_waiting && c->window > 0; i++)
        if (c->streams[i].id && c->streams[i].waiting != NULL) h2_send_waiting(c, c->streams + i);
}

static void on_block(struct h2 *c) {
    static char text[TEXT_ROOM];
    struct hpack_field fields[H2_FIELDS];
    uint32_t id = c->block_stream;
    c->block_stream = 0;
    int count = hpack_decode(&c->decoder, c->block, c->block_bytes, fields, H2_FIELDS, text, sizeof text);
    struct h2_stream *stream = stream_of(c, id);
    if (count < 0) c->failure = "a header block breaks the rules of HPACK";
    else if (stream == NULL && c->server && id >= c->next_id) {
        c->next_id = id + 2;
        stream = begin(c, id);
    }
    if (c->failure == NULL && stream != NULL) c->owner->head(c, stream, fields, count, c->block_end);
    else if (c->failure == NULL) c->failure = "a head on a stream that is not open";
}

static void on_fragment(struct h2 *c, const uint8_t *fragment, size_t length, int flags) {
    if (c->block_bytes + length > BLOCK_ROOM) {
        c->failure = "a header block is too long";
        return;
    }
    memcpy(c->block + c->block_bytes, fragment, length);
    c->block_bytes += length;
    if (flags & END_HEADERS) on_block(c);
}

static void on_data(struct h2 *c, uint32_t id, const uint8_t *payload, size_t length, size_t charged, int end) {
    struct h2_stream *stream = stream_of(c, id);
    c->unrenewed += (uint32_t)charged;
    if (c->unrenewed > WINDOW / 2) h2_grant(c, 0, c->unrenewed), c->unrenewed = 0;
    if (stream == NULL) {
        c->failure = "data on a stream that is not open";
        return;
    }
    stream->unrenewed += (uint32_t)charged;
    if (stream->unrenewed > STREAM_WINDOW / 2 && !end) h2_grant(c, id, stream->unrenewed), stream->unrenewed = 0;
    c->owner->data(c, stream, payload, length, end);
}

static void on_window(struct h2 *c, uint32_t id, uint32_t bytes) {
    struct h2_stream *stream = id ? stream_of(c, id) : NULL;
    if (id == 0) {
        c->window += bytes;
        windows_opened(c);
    } else if (stream != NULL) {
        stream->window += bytes;
        if (stream->waiting != NULL) h2_send_waiting(c, stream);
    }
}

/* Takes padding and priority off; 0 for a frame that is shorter than it says. */
static int strip(int *flags, int kind, const uint8_t **payload, size_t *length) {
    size_t padding = 0;
    if (*flags & PADDED) {
        if (*length < 1) return 0;
        padding = *(*payload)++;
        --*length;
    }
    if (kind == HEADERS && *flags & PRIORITISED) {
        if (*length < 5) return 0;
        *payload += 5, *length -= 5;
    }
    if (padding > *length) return 0;
    *length -= padding;
    return 1;
}

static void on_frame(struct h2 *c, int kind, int flags, uint32_t id, const uint8_t *payload, size_t length) {
    size_t charged = length;
    if (c->block_stream && (kind != CONTINUATION || id != c->block_stream)) {
        c->failure = "a header block is interrupted";
        return;
    }
    if ((kind == DATA || kind == HEADERS) && !strip(&flags, kind, &payload, &length)) {
        c->failure = "padding is longer than its frame";
        return;
    }
    switch (kind) {
    case DATA: on_data(c, id, payload, length, charged, flags & END_STREAM); break;
    case HEADERS:
        c->block_bytes = 0, c->block_stream = id, c->block_end = flags & END_STREAM;
        on_fragment(c, payload, length, flags);
        break;
    case CONTINUATION:
        if (c->block_stream) on_fragment(c, payload, length, flags);
        else c->failure = "a continuation of nothing";
        break;
    case SETTINGS:
        if (flags & ACK) break;
        for (size_t at = 0; at + 6 <= length; at += 6) on_setting(c, payload[at + 1], number32(payload + at + 2));
        h2_say(c, SETTINGS, ACK, 0, NULL, 0);
        windows_opened(c);
        if (!c->settings_seen && c->owner->ready != NULL) c->owner->ready(c);
        c->settings_seen = 1;
        break;
    case PING: if (!(flags & ACK)) h2_say(c, PING, ACK, 0, payload, length); break;
    case GOAWAY: /* a client that goes in peace just closes */
        if (!c->server || length < 8 || number32(payload + 4) != 0) c->failure = "the peer says that it goes away";
        break;
    case WINDOW_UPDATE: if (length == 4) on_window(c, id, number32(payload)); break;
    case RST_STREAM:
        if (length == 4 && stream_of(c, id) != NULL) {
            c->owner->reset(c, stream_of(c, id), number32(payload));
            if (stream_of(c, id) != NULL) h2_close(c, stream_of(c, id));
        }
        break;
    }
}

static ssize_t receive(struct h2 *c) {
#ifdef WITH_TLS
    if (c->tls != NULL) {
        int got = SSL_read(c->tls, c->in + c->in_bytes, (int)(IN_ROOM - c->in_bytes));
        if (got <= 0 && SSL_get_error(c->tls, got) == SSL_ERROR_WANT_READ) errno = EAGAIN, got = -1;
        return got;
    }
#endif
    return read(c->fd, c->in + c->in_bytes, IN_ROOM - c->in_bytes);
}

static int hear(struct h2 *c) {
    ssize_t got = receive(c);
    if (got <= 0) return got < 0 && errno == EAGAIN ? 0 : -1;
    const uint8_t *at = c->in, *end = c->in + (c->in_bytes += (size_t)got);
    if (c->server && !c->begun) {
        if (end - at < 24) return 0;
        if (memcmp(at, preface, 24) != 0) c->failure = "no preface";
        at += 24;
        c->begun = 1;
    }
    while (c->failure == NULL && end - at >= 9) {
        size_t length = number32(at) >> 8;
        if (length > FRAME) c->failure = "a frame is larger than it may be";
        if (c->failure != NULL || (size_t)(end - at) < 9 + length) break;
        on_frame(c, at[3], at[4], number32(at + 5) & 0x7fffffff, at + 9, length);
        at += 9 + length;
    }
    memmove(c->in, at, c->in_bytes = (size_t)(end - at));
    return c->failure == NULL ? 0 : -1;
}

int h2_read(struct h2 *c) {
    int result = hear(c);
#ifdef WITH_TLS
    while (result == 0 && c->tls != NULL && SSL_pending(c->tls) > 0) result = hear(c);
#endif
    return result;
}
