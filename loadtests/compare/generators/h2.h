/* One HTTP/2 connection (RFC 9113), either role: frames, flow control both ways, header blocks. What the streams are
 * about is its owner's business.
 */
#ifndef H2_H
#define H2_H
#include "hpack.h"

enum { H2_SLOTS = 4096, H2_FIELDS = 64 };

struct h2_stream {
    uint32_t id; /* 0: the slot is free */
    int64_t window;
    uint32_t unrenewed;
    uint8_t *waiting; /* for the peer's window */
    size_t waiting_bytes;
    int end_waits;
    /* The owner's. */
    uint32_t number, got, left, state;
};

struct h2;
struct h2_owner {
    /* A whole head or trailers. */
    void (*head)(struct h2 *, struct h2_stream *, const struct hpack_field *, int count, int end);
    void (*data)(struct h2 *, struct h2_stream *, const uint8_t *, size_t length, int end);
    /* What waited for the peer's windows has gone. */
    void (*drained)(struct h2 *, struct h2_stream *);
    /* The peer gave the stream up; it is gone afterwards. */
    void (*reset)(struct h2 *, struct h2_stream *, uint32_t code);
    /* A client's turn: the peer's first SETTINGS are known. */
    void (*ready)(struct h2 *);
};

struct h2 {
    int fd, server;
    void *tls;
    const struct h2_owner *owner;
    const char *failure; /* why the connection cannot go on */
    uint32_t next_id, most_streams;
    /* Inside. */
    int begun, settings_seen;
    uint8_t *in, *out;
    size_t in_bytes, out_bytes, out_room;
    int64_t window, first_window;
    uint32_t unrenewed;
    int streams_waiting;
    uint8_t *block;
    size_t block_bytes;
    uint32_t block_stream;
    int block_end;
    struct hpack encoder, decoder;
    struct h2_stream streams[H2_SLOTS];
};

/* On a connected socket that does not block; tls: its SSL, or NULL. Says the first words. */
struct h2 *h2_new(int fd, void *tls, int server, const struct h2_owner *owner);
void h2_free(struct h2 *connection); /* closes the socket too */
/* Read once and tell the owner. -1: over, see `failure` (NULL: the peer closed). */
int h2_read(struct h2 *connection);
/* Send what was said. 1: the socket takes no more for now; -1: over. */
int h2_flush(struct h2 *connection);
/* A client's new stream. */
struct h2_stream *h2_open(struct h2 *connection);
void h2_close(struct h2 *connection, struct h2_stream *stream);
void h2_head(struct h2 *connection, struct h2_stream *stream, const struct hpack_field *fields, int count, int end);
/* Sends as far as the windows allow; the rest goes when they do. */
void h2_data(struct h2 *connection, struct h2_stream *stream, const uint8_t *bytes, size_t length, int end);
#endif
