/* An HTTP/2 backend in clear text: a small page for a GET, its own messages and then trailers for a gRPC call.
 *
 *   h2sink PORT [any]     serves for ever on loopback
 *
 * A request that lacks what the proxy should have added (X-Added, X-Forwarded-For, -Proto, -Host) is answered 400, or
 * with gRPC status 3; with "any" it is not looked at. Head and trailers are kept in the dynamic table, as servers do.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "h2.h"

#define FIELD(name, value) ((struct hpack_field){name, value, sizeof(name) - 1, strlen(value), HPACK_KEPT})
#define BODY "ok-0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789 "

enum { PAGE, CALL, CALL_ANSWERED };
enum { SOUND = 1, ENDED = 2 }; /* of a stream's `got` */

static int look = 1;

static int is(const struct hpack_field *field, const char *name) {
    return field->name_length == strlen(name) && memcmp(field->name, name, field->name_length) == 0;
}

static const char *date(void) {
    static char text[32];
    static time_t last;
    time_t now = time(NULL);
    if (now != last) {
        struct tm parts;
        last = now;
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &parts));
    }
    return text;
}

static void page(struct h2 *c, struct h2_stream *stream, const struct hpack_field *path, int sound) {
    char body[sizeof BODY + 1024], length[16];
    int path_length = path == NULL || path->value_length > 1000 ? 0 : (int)path->value_length;
    int bytes = snprintf(body, sizeof body, BODY "%.*s\n", path_length, path == NULL ? "" : path->value);
    snprintf(length, sizeof length, "%d", bytes);
    struct hpack_field fields[] = {
        FIELD(":status", sound ? "200" : "400"), FIELD("server", "h2sink"), FIELD("date", date()),
        FIELD("content-type", "text/plain"), FIELD("content-length", length),
    };
    h2_head(c, stream, fields, 5, 0);
    h2_data(c, stream, (const uint8_t *)body, (size_t)bytes, 1);
}

static void call_head(struct h2 *c, struct h2_stream *stream) {
    struct hpack_field fields[] = {FIELD(":status", "200"), FIELD("content-type", "application/grpc")};
    h2_head(c, stream, fields, 2, 0);
    stream->state = CALL_ANSWERED;
}

static void call_end(struct h2 *c, struct h2_stream *stream) {
    struct hpack_field fields[] = {FIELD("grpc-status", stream->got & SOUND ? "0" : "3"), FIELD("grpc-message", "")};
    if (stream->state == CALL) call_head(c, stream);
    h2_head(c, stream, fields, 2, 1);
}

/* The request is over: trailers end the answer, behind what waits for the peer's window. */
static void finish(struct h2 *c, struct h2_stream *stream) {
    stream->got |= ENDED;
    if (stream->waiting != NULL) return;
    if (stream->state != PAGE) call_end(c, stream);
    h2_close(c, stream);
}

static void on_drained(struct h2 *c, struct h2_stream *stream) {
    if (stream->got & ENDED) finish(c, stream);
}

static void on_head(struct h2 *c, struct h2_stream *stream, const struct hpack_field *fields, int count, int end) {
    const struct hpack_field *path = NULL;
    int added = 0, call = 0;
    for (const struct hpack_field *field = fields; field < fields + count; field++) {
        if (is(field, ":path")) path = field;
        else if (is(field, "content-type")) call = field->value_length >= 16 && !memcmp(field->value, "application/grpc", 16);
        else if (is(field, "x-added")) added |= field->value_length == 5 && !memcmp(field->value, "added", 5);
        else if (is(field, "x-forwarded-for")) added |= 2;
        else if (is(field, "x-forwarded-proto")) added |= 4;
        else if (is(field, "x-forwarded-host")) added |= 8;
    }
    stream->got = !look || added == 15 ? SOUND : 0;
    stream->state = call ? CALL : PAGE;
    if (!call && end) page(c, stream, path, stream->got & SOUND);
    else if (!call) c->failure = "a request with a body that is no gRPC call";
    if (end && c->failure == NULL) finish(c, stream);
}

static void on_data(struct h2 *c, struct h2_stream *stream, const uint8_t *bytes, size_t length, int end) {
    if (length && stream->state == CALL) call_head(c, stream);
    if (length) h2_data(c, stream, bytes, length, 0);
    if (end) finish(c, stream);
}

static void on_reset(struct h2 *c, struct h2_stream *stream, uint32_t code) { (void)c, (void)stream, (void)code; }

static const struct h2_owner owner = {on_head, on_data, on_drained, on_reset, NULL};

static int listen_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 1024)) {
        perror("bind");
        exit(1);
    }
    return listener;
}

static void accept_all(int listener, int poll_fd) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = h2_new(fd, NULL, 1, &owner)};
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static void serve(int poll_fd, struct h2 *c, uint32_t what) {
    int full = what & (EPOLLIN | EPOLLHUP | EPOLLERR) ? h2_read(c) : 0;
    if (full == 0) full = h2_flush(c);
    if (full < 0) {
        if (c->failure != NULL) fprintf(stderr, "h2sink: %s\n", c->failure);
        h2_free(c);
        return;
    }
    struct epoll_event event = {.events = full ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    if (full || !(what & EPOLLIN)) epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

int main(int count, char **words) {
    if (count < 2) return fprintf(stderr, "see the head of h2sink.c\n"), 2;
    look = count < 3 || strcmp(words[2], "any") != 0;
    signal(SIGPIPE, SIG_IGN);
    hpack_prepare();
    int poll_fd = epoll_create1(0), listener = listen_on(atoi(words[1]));
    struct epoll_event events[64], accepting = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &accepting);
    for (;;) {
        int ready = epoll_wait(poll_fd, events, 64, -1);
        for (int i = 0; i < ready; i++)
            if (events[i].data.ptr == NULL) accept_all(listener, poll_fd);
            else serve(poll_fd, events[i].data.ptr, events[i].events);
    }
}
