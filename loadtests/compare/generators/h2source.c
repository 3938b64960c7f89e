/* HTTP/2 clients that keep requests under way and check every answer.
 *
 *   h2source PORT get|unary|stream same|unique CONNECTIONS STREAMS SECONDS [tls]
 *
 * get: pages, whose body ends in the path that was asked for. unary: gRPC calls of one message, which comes back.
 * stream: calls of 500 messages, each sent when the one before it has come back.
 * same: few fields, always the same. unique: as browsers (path and request id never twice the same, the path not kept
 * in the dynamic table) and gRPC clients (timeout and traceparent never the same, an authorization never indexed).
 *
 * Prints one line of JSON. The first wrong answer, reset or lost connection ends the run with a reason and status 1.
 * Loopback only. `tls` needs -DWITH_TLS; certificates are not looked at.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/ssl.h>
#endif

#include "h2.h"

#define HOST "bench.local"
#define PAGE "ok-0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789 "
#define AGENT "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
#define TOKEN "Bearer 0123456789abcdefghijklmnopqrstuvwxyz.0123456789abcdefghijklmnopqrstuvwxyz.0123456789ABCDEFGHIJKLMNOPQRS"

enum { MESSAGE = 55, MESSAGES = 500, HEAD_SEEN = 1 };

static enum { GET, UNARY, STREAM } kind;
static int unique, streams;
static const char *scheme = "http";
static long requests, messages;
static uint32_t numbers;

static _Noreturn void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "h2source: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    exit(1);
}

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Requests. */

static struct hpack_field field(const char *name, const char *value, enum hpack_policy policy) {
    return (struct hpack_field){name, value, strlen(name), strlen(value), policy};
}

static int path_of(uint32_t number, char *path) {
    return unique ? sprintf(path, "/api/items/%u?q=%u", number % 5000, number) : sprintf(path, "/api/items");
}

static void ask_page(struct h2 *c, struct h2_stream *stream) {
    char path[64], id[40];
    path_of(stream->number, path);
    sprintf(id, "8c1f-%016llx", (unsigned long long)stream->number * 0x9e3779b97f4a7c15ull);
    struct hpack_field fields[] = {
        field(":method", "GET", HPACK_KEPT), field(":scheme", scheme, HPACK_KEPT),
        field(":authority", HOST, HPACK_KEPT), field(":path", path, HPACK_PLAIN), field("user-agent", AGENT, HPACK_KEPT),
        field("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HPACK_KEPT),
        field("accept-language", "en-US,en;q=0.5", HPACK_KEPT),
        field("accept-encoding", "gzip, deflate, br", HPACK_KEPT),
        field("cookie", "session=0123456789abcdef; theme=dark", HPACK_KEPT),
        field("x-request-id", id, HPACK_KEPT), field("cache-control", "no-cache", HPACK_KEPT),
    };
    h2_head(c, stream, fields, unique ? 11 : 5, 1);
}

/* A message with its 5-byte prefix, told apart by stream and place. */
static const uint8_t *message(const struct h2_stream *stream, uint32_t place) {
    static uint8_t text[MESSAGE + 1] = {0, 0, 0, 0, MESSAGE - 5};
    sprintf((char *)text + 5, "%010u %05u the rest of a message of 50 b", stream->number, place);
    return text;
}

static void call(struct h2 *c, struct h2_stream *stream) {
    char timeout[16], parent[64];
    sprintf(timeout, "%uu", 90000000 + stream->number % 9999991);
    sprintf(parent, "00-%016llx%016llx-%016llx-01", (unsigned long long)stream->number * 0x9e3779b97f4a7c15ull,
            (unsigned long long)stream->number * 0xc2b2ae3d27d4eb4full, (unsigned long long)stream->number * 0xff51afd7ed558ccdull);
    struct hpack_field fields[] = {
        field(":method", "POST", HPACK_KEPT), field(":scheme", scheme, HPACK_KEPT),
        field(":path", kind == UNARY ? "/bench.Echo/Unary" : "/bench.Echo/Stream", HPACK_KEPT),
        field(":authority", HOST, HPACK_KEPT), field("content-type", "application/grpc", HPACK_KEPT),
        field("user-agent", "grpc-go/1.85.0", HPACK_KEPT), field("te", "trailers", HPACK_KEPT),
        field("grpc-timeout", timeout, HPACK_KEPT), field("authorization", TOKEN, HPACK_NEVER),
        field("traceparent", parent, HPACK_KEPT),
    };
    h2_head(c, stream, fields, unique ? 10 : 7, 0);
    h2_data(c, stream, message(stream, 0), MESSAGE, kind == UNARY);
}

static void ask(struct h2 *c) {
    struct h2_stream *stream = h2_open(c);
    if (stream == NULL) die("%s", c->failure);
    stream->number = ++numbers;
    if (kind == GET) ask_page(c, stream);
    else call(c, stream);
}

static void on_ready(struct h2 *c) {
    if (c->most_streams < (uint32_t)streams) die("the peer takes only %u streams", c->most_streams);
    for (int i = 0; i < streams; i++) ask(c);
}

/* Answers. */

static const char *value_of(const struct hpack_field *fields, int count, const char *name) {
    static char text[64];
    for (int i = 0; i < count; i++)
        if (fields[i].name_length == strlen(name) && !memcmp(fields[i].name, name, fields[i].name_length)) {
            snprintf(text, sizeof text, "%.*s", (int)fields[i].value_length, fields[i].value);
            return text;
        }
    return "";
}

static void over(struct h2 *c, struct h2_stream *stream) {
    requests++;
    h2_close(c, stream);
    ask(c);
}

static void on_head(struct h2 *c, struct h2_stream *stream, const struct hpack_field *fields, int count, int end) {
    if (stream->state != HEAD_SEEN) {
        const char *status = value_of(fields, count, ":status");
        if (status[0] == '1') return;
        if (strcmp(status, "200")) die("status \"%s\"", status);
        if (end) die("an answer without a body; grpc-status \"%s\"", value_of(fields, count, "grpc-status"));
        stream->state = HEAD_SEEN;
        return;
    }
    if (!end || strcmp(value_of(fields, count, "grpc-status"), "0"))
        die("trailers with grpc-status \"%s\"", value_of(fields, count, "grpc-status"));
    if (kind == GET || stream->got != MESSAGE || (kind == STREAM && stream->left != MESSAGES))
        die("an answer that ended after %u bytes and %u messages", stream->got, stream->left);
    over(c, stream);
}

static void page_data(struct h2 *c, struct h2_stream *stream, const uint8_t *bytes, size_t length, int end) {
    char expected[sizeof PAGE + 64] = PAGE;
    size_t expected_length = sizeof PAGE - 1 + (size_t)path_of(stream->number, expected + sizeof PAGE - 1);
    expected[expected_length++] = '\n';
    if (stream->got + length > expected_length || memcmp(expected + stream->got, bytes, length))
        die("a wrong body: %.*s", (int)length, bytes);
    stream->got += (uint32_t)length;
    if (!end) return;
    if (stream->got != expected_length) die("a short body: %u bytes", stream->got);
    over(c, stream);
}

/* `left` counts the messages that came back; `got` the bytes of the one that is coming. */
static void call_data(struct h2 *c, struct h2_stream *stream, const uint8_t *bytes, size_t length, int end) {
    while (length) {
        if (stream->got == MESSAGE) stream->got = 0;
        size_t part = MESSAGE - stream->got < length ? MESSAGE - stream->got : length;
        if (stream->left == (kind == STREAM ? MESSAGES : 1)) die("more messages than were sent");
        if (memcmp(message(stream, stream->left) + stream->got, bytes, part)) die("another message came back");
        stream->got += (uint32_t)part, bytes += part, length -= part;
        if (stream->got < MESSAGE) break;
        messages++;
        if (++stream->left == MESSAGES) h2_data(c, stream, NULL, 0, 1);
        else if (kind == STREAM) h2_data(c, stream, message(stream, stream->left), MESSAGE, 0);
    }
    if (end) die("a call that ended without trailers");
}

static void on_data(struct h2 *c, struct h2_stream *stream, const uint8_t *bytes, size_t length, int end) {
    if (stream->state != HEAD_SEEN) die("a body before its head");
    if (kind == GET) page_data(c, stream, bytes, length, end);
    else call_data(c, stream, bytes, length, end);
}

static void on_reset(struct h2 *c, struct h2_stream *stream, uint32_t code) {
    (void)c, (void)stream;
    die("a stream was reset with code %u", code);
}

/* Connections. */

static const struct h2_owner owner = {on_head, on_data, NULL, on_reset, on_ready};

static void *handshake(int fd) {
#ifdef WITH_TLS
    static SSL_CTX *context;
    if (context == NULL) context = SSL_CTX_new(TLS_client_method());
    SSL *tls = SSL_new(context);
    SSL_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_tlsext_host_name(tls, HOST);
    SSL_set_alpn_protos(tls, (const unsigned char *)"\2h2", 3);
    SSL_set_fd(tls, fd);
    const unsigned char *chosen;
    unsigned length;
    if (SSL_connect(tls) != 1) die("the TLS handshake failed");
    SSL_get0_alpn_selected(tls, &chosen, &length);
    if (length != 2) die("the peer does not choose h2");
    return tls;
#else
    (void)fd;
    die("compiled without TLS");
#endif
}

static struct h2 *connect_to(int port, int tls) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (void *)&address, sizeof address)) die("cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    void *session = tls ? handshake(fd) : NULL;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return h2_new(fd, session, 0, &owner);
}

static void turn(int poll_fd, struct h2 *c, uint32_t what) {
    int full = what & EPOLLOUT ? 0 : h2_read(c);
    if (full == 0) full = h2_flush(c);
    if (full < 0) die("%s", c->failure == NULL ? "the peer closed a connection" : c->failure);
    struct epoll_event event = {.events = full ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    if (full || what & EPOLLOUT) epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static int chosen(const char *word, const char *const *words, int count) {
    for (int i = 0; i < count; i++)
        if (!strcmp(word, words[i])) return i;
    die("what is %s? see the head of h2source.c", word);
}

int main(int count, char **words) {
    static const char *const kinds[] = {"get", "unary", "stream"}, *const headers[] = {"same", "unique"};
    if (count < 7) return fprintf(stderr, "see the head of h2source.c\n"), 2;
    kind = chosen(words[2], kinds, 3), unique = chosen(words[3], headers, 2), streams = atoi(words[5]);
    int tls = count > 7 && !strcmp(words[7], "tls"), poll_fd = epoll_create1(0);
    if (tls) scheme = "https";
    hpack_prepare();
    for (int i = 0; i < atoi(words[4]); i++) {
        struct h2 *c = connect_to(atoi(words[1]), tls);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event);
        if (h2_flush(c)) die("cannot send the preface");
    }
    double start = now_s(), seconds = atof(words[6]), passed;
    long before = -1;
    while ((passed = now_s() - start) < seconds) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll_fd, events, 64, 10000);
        if (ready == 0 && requests + messages == before) die("nothing comes any more");
        before = requests + messages;
        for (int i = 0; i < ready; i++) turn(poll_fd, events[i].data.ptr, events[i].events);
    }
    printf("{\"requests\": %ld, \"messages\": %ld, \"seconds\": %.6f}\n", requests, messages, passed);
    return 0;
}
