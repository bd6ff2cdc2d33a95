//! libevent: one raw persistent `event` for each connection, on epoll.
//!
//! A bufferevent would copy into an evbuffer and ask for writability before it writes anything, so it is the slower of
//! the two. `event_assign` saves an allocation for each event, and the change list the calls for events that are deleted
//! and added again within a turn; both are safe here, as no descriptor is ever duplicated. What a turn has queued for the
//! chat is written by an event that is made active by hand: it comes after those of the turn that are active already.

#include "server.h"
#include <event2/event.h>
#include <event2/event_struct.h>

static struct event_base *base;

static void watch(struct event *event, short what) {
    event_callback_fn call = event_get_callback(event);
    void *argument = event_get_callback_arg(event);
    int fd = event_get_fd(event);
    event_del(event);
    event_assign(event, base, fd, what | EV_PERSIST, call, argument);
    event_add(event, NULL);
}

static void begin(struct event *event, int fd, event_callback_fn call, void *argument) {
    event_assign(event, base, fd, EV_READ | EV_PERSIST, call, argument);
    event_add(event, NULL);
}

static void end(struct event *event) {
    event_del(event);
    close(event_get_fd(event));
}

struct echo {
    struct event event;
    struct queue unsent;
};

static void on_echo(int fd, short what, void *argument) {
    (void)what;
    struct echo *echo = argument;
    bool was_stuck = !is_empty(&echo->unsent);
    enum outcome outcome = echo_serve(fd, &echo->unsent);
    if (outcome == OVER) {
        end(&echo->event);
        queue_free(&echo->unsent);
        free(echo);
    } else if (was_stuck != (outcome == STUCK)) {
        watch(&echo->event, was_stuck ? EV_READ : EV_WRITE);
    }
}

static void on_echo_listener(int listener, short what, void *argument) {
    (void)what, (void)argument;
    int fd;
    while ((fd = next_connection(listener)) >= 0) {
        struct echo *echo = need(calloc(1, sizeof *echo));
        begin(&echo->event, fd, on_echo, echo);
    }
}

struct chat {
    struct member member;
    struct event event;
};

static struct event flush;

static int fd_of(struct member *member) { return event_get_fd(&((struct chat *)member)->event); }

static void settle(struct member *member, enum outcome outcome) {
    struct chat *chat = (struct chat *)member;
    if (outcome == STUCK) {
        watch(&chat->event, EV_READ | EV_WRITE);
    } else {
        end(&chat->event);
        room_leave(member);
        free(chat);
    }
}

static void on_flush(int fd, short what, void *argument) {
    (void)fd, (void)what, (void)argument;
    room_flush(fd_of, settle);
}

static void on_chat(int fd, short what, void *argument) {
    struct chat *chat = argument;
    bool was_dirty = dirty;
    if (what & EV_WRITE) {
        chat->member.stuck = false;
        dirty = true;
        watch(&chat->event, EV_READ);
    }
    if (what & EV_READ && room_read(&chat->member, fd) == OVER) settle(&chat->member, OVER);
    if (dirty && !was_dirty) event_active(&flush, 0, 0);
}

static void on_chat_listener(int listener, short what, void *argument) {
    (void)what, (void)argument;
    int fd;
    while ((fd = next_connection(listener)) >= 0) {
        struct chat *chat = need(calloc(1, sizeof *chat));
        begin(&chat->event, fd, on_chat, chat);
        room_join(&chat->member);
    }
}

static void on_input(int fd, short what, void *argument) {
    (void)fd, (void)what, (void)argument;
    end_with_input();
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int fd = start(argv[2]);
    struct event_config *config = need(event_config_new());
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST | EVENT_BASE_FLAG_NOLOCK);
    base = event_base_new_with_config(config);
    if (!base) die("libevent");
    event_config_free(config);
    struct event listener, input;
    begin(&listener, fd, is_chat(argv[1]) ? on_chat_listener : on_echo_listener, NULL);
    begin(&input, STDIN_FILENO, on_input, NULL);
    event_assign(&flush, base, -1, 0, on_flush, NULL);
    event_base_dispatch(base);
}
