//! libev: one `ev_io` for each connection, on epoll.
//!
//! A change of interest is `ev_io_modify`, which may assume that the descriptor is still the same; the changes of a turn
//! reach epoll together. What a turn has queued for the chat is written by an `ev_prepare`, which runs before the wait.

#include "server.h"
#include <ev.h>

static struct ev_loop *loop;

static void watch(ev_io *io, int events) {
    ev_io_stop(loop, io);
    ev_io_modify(io, events);
    ev_io_start(loop, io);
}

static void end(ev_io *io) {
    ev_io_stop(loop, io);
    close(io->fd);
}

struct echo {
    ev_io io;
    struct queue unsent;
};

static void on_echo(struct ev_loop *l, ev_io *io, int revents) {
    (void)l, (void)revents;
    struct echo *echo = (struct echo *)io;
    bool was_stuck = !is_empty(&echo->unsent);
    enum outcome outcome = echo_serve(io->fd, &echo->unsent);
    if (outcome == OVER) {
        end(io);
        queue_free(&echo->unsent);
        free(echo);
    } else if (was_stuck != (outcome == STUCK)) {
        watch(io, was_stuck ? EV_READ : EV_WRITE);
    }
}

static void on_echo_listener(struct ev_loop *l, ev_io *io, int revents) {
    (void)l, (void)revents;
    int fd;
    while ((fd = next_connection(io->fd)) >= 0) {
        struct echo *echo = need(calloc(1, sizeof *echo));
        ev_io_init(&echo->io, on_echo, fd, EV_READ);
        ev_io_start(loop, &echo->io);
    }
}

struct chat {
    struct member member;
    ev_io io;
};

static int fd_of(struct member *member) { return ((struct chat *)member)->io.fd; }

static void settle(struct member *member, enum outcome outcome) {
    struct chat *chat = (struct chat *)member;
    if (outcome == STUCK) {
        watch(&chat->io, EV_READ | EV_WRITE);
    } else {
        end(&chat->io);
        room_leave(member);
        free(chat);
    }
}

static void on_chat(struct ev_loop *l, ev_io *io, int revents) {
    (void)l;
    struct chat *chat = io->data;
    if (revents & EV_WRITE) {
        chat->member.stuck = false;
        dirty = true;
        watch(io, EV_READ);
    }
    if (revents & EV_READ && room_read(&chat->member, io->fd) == OVER) settle(&chat->member, OVER);
}

static void on_chat_listener(struct ev_loop *l, ev_io *io, int revents) {
    (void)l, (void)revents;
    int fd;
    while ((fd = next_connection(io->fd)) >= 0) {
        struct chat *chat = need(calloc(1, sizeof *chat));
        ev_io_init(&chat->io, on_chat, fd, EV_READ);
        chat->io.data = chat;
        ev_io_start(loop, &chat->io);
        room_join(&chat->member);
    }
}

static void on_prepare(struct ev_loop *l, ev_prepare *prepare, int revents) {
    (void)l, (void)prepare, (void)revents;
    room_flush(fd_of, settle);
}

static void on_input(struct ev_loop *l, ev_io *io, int revents) {
    (void)l, (void)io, (void)revents;
    end_with_input();
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int fd = start(argv[2]);
    ev_io listener, input;
    ev_prepare prepare;
    loop = ev_default_loop(EVBACKEND_EPOLL | EVFLAG_NOENV);
    if (!loop) die("libev");
    ev_io_init(&listener, is_chat(argv[1]) ? on_chat_listener : on_echo_listener, fd, EV_READ);
    ev_io_start(loop, &listener);
    ev_io_init(&input, on_input, STDIN_FILENO, EV_READ);
    ev_io_start(loop, &input);
    if (is_chat(argv[1])) {
        ev_prepare_init(&prepare, on_prepare);
        ev_prepare_start(loop, &prepare);
    }
    ev_run(loop, 0);
}
