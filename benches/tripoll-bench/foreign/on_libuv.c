//! libuv: a `uv_tcp_t` for each connection, which reads into the one buffer that all share.
//!
//! What is to be sent goes to `uv_try_write` first, which needs neither a request nor a copy; only what there is no room
//! for becomes a `uv_write`, and until that is done nothing more is read. What a turn has queued for the chat is written
//! by a `uv_check`, which runs after its events.

#include "server.h"
#include <uv.h>

/* A request and the bytes that it sends. */
struct rest {
    uv_write_t request;
    char bytes[];
};

static uv_loop_t *loop;

static void on_buffer(uv_handle_t *handle, size_t hint, uv_buf_t *buf) {
    (void)handle, (void)hint;
    *buf = uv_buf_init(buffer, BUFFER);
}

static void on_closed(uv_handle_t *handle) { free(handle->data); }

static void end(uv_stream_t *stream) { uv_close((uv_handle_t *)stream, on_closed); }

/* Sends at once what there is room for; the rest is sent later, and `done` called when it is. */
static enum outcome send_bytes(uv_stream_t *stream, const char *bytes, size_t count, uv_write_cb done) {
    uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)count);
    int sent = uv_try_write(stream, &buf, 1);
    if (sent == (int)count) return FLOWS;
    if (sent < 0 && sent != UV_EAGAIN) return OVER;
    if (sent < 0) sent = 0;
    count -= (size_t)sent;
    struct rest *rest = need(malloc(sizeof *rest + count));
    memcpy(rest->bytes, bytes + sent, count);
    buf = uv_buf_init(rest->bytes, (unsigned)count);
    if (uv_write(&rest->request, stream, &buf, 1, done) == 0) return STUCK;
    free(rest);
    return OVER;
}

static uv_tcp_t *take_connection(uv_stream_t *listener, uv_tcp_t *tcp, void *data) {
    uv_tcp_init(loop, tcp);
    tcp->data = data;
    if (uv_accept(listener, (uv_stream_t *)tcp)) die("accept");
    return tcp;
}

static void on_echo(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf);

static void on_echo_sent(uv_write_t *request, int status) {
    uv_stream_t *stream = request->handle;
    free(request);
    if (uv_is_closing((uv_handle_t *)stream)) return;
    if (status < 0) {
        end(stream);
    } else {
        uv_read_start(stream, on_buffer, on_echo);
    }
}

static void on_echo(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf) {
    enum outcome outcome = FLOWS;
    if (got > 0) outcome = send_bytes(stream, buf->base, (size_t)got, on_echo_sent);
    if (outcome == STUCK) uv_read_stop(stream);
    if (got < 0 || outcome == OVER) end(stream);
}

static void on_echo_listener(uv_stream_t *listener, int status) {
    if (status < 0) die("accept");
    uv_tcp_t *tcp = need(malloc(sizeof *tcp));
    take_connection(listener, tcp, tcp);
    uv_read_start((uv_stream_t *)tcp, on_buffer, on_echo);
}

struct chat {
    struct member member;
    uv_tcp_t tcp;
};

static void leave(struct chat *chat) {
    room_leave(&chat->member);
    end((uv_stream_t *)&chat->tcp);
}

static void on_chat_sent(uv_write_t *request, int status) {
    struct chat *chat = request->handle->data;
    free(request);
    if (uv_is_closing((uv_handle_t *)&chat->tcp)) return;
    if (status < 0) {
        leave(chat);
    } else {
        chat->member.stuck = false;
        dirty = true;
    }
}

static void on_chat(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf) {
    struct chat *chat = stream->data;
    if (got > 0) room_hear(&chat->member, buf->base, (size_t)got);
    if (got < 0) leave(chat);
}

static void on_chat_listener(uv_stream_t *listener, int status) {
    if (status < 0) die("accept");
    struct chat *chat = need(calloc(1, sizeof *chat));
    take_connection(listener, &chat->tcp, chat);
    room_join(&chat->member);
    uv_read_start((uv_stream_t *)&chat->tcp, on_buffer, on_chat);
}

static void on_check(uv_check_t *check) {
    (void)check;
    if (!dirty) return;
    dirty = false;
    /* Backwards: who leaves gives its place to the last one. */
    for (size_t i = member_count; i-- > 0;) {
        struct chat *chat = (struct chat *)members[i];
        struct queue *output = &chat->member.output;
        enum outcome outcome = FLOWS;
        if (!chat->member.stuck && !is_empty(output)) {
            outcome = send_bytes((uv_stream_t *)&chat->tcp, output->bytes, output->end, on_chat_sent);
            output->end = 0;
            chat->member.stuck = outcome == STUCK;
        }
        if (outcome == OVER || is_too_slow(&chat->member)) leave(chat);
    }
}

static void on_input(uv_poll_t *poll, int status, int events) {
    (void)poll, (void)status, (void)events;
    end_with_input();
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int fd = start(argv[2]);
    uv_tcp_t listener;
    uv_poll_t input;
    uv_check_t check;
    loop = uv_default_loop();
    uv_tcp_init(loop, &listener);
    uv_tcp_open(&listener, fd);
    if (uv_listen((uv_stream_t *)&listener, BACKLOG, is_chat(argv[1]) ? on_chat_listener : on_echo_listener)) die("uv");
    if (uv_poll_init(loop, &input, STDIN_FILENO) == 0) uv_poll_start(&input, UV_READABLE, on_input);
    if (is_chat(argv[1])) {
        uv_check_init(loop, &check);
        uv_check_start(&check, on_check);
    }
    uv_run(loop, UV_RUN_DEFAULT);
}
