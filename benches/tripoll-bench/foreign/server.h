//! What the servers in C have in common: how they start and end, bytes that wait to be sent, and the room of the chat.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER (64 * 1024)
#define BACKLOG 4096
/* Bytes that may wait for a member of the chat; who is further behind is closed. */
#define QUEUE_MAX (1024 * 1024)

static char buffer[BUFFER];

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void pin(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void raise_descriptor_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* The listener, whose address has been printed. */
static int start(const char *processor) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    pin(atoi(processor));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int yes = 1;
    /* What is accepted inherits it, at no call for each connection. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, BACKLOG)) die("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &size)) die("getsockname");
    printf("127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static bool is_chat(const char *role) { return strcmp(role, "chat") == 0; }

/* To be called when standard input is readable: the bench writes nothing, so it is gone. */
static void end_with_input(void) {
    char byte;
    if (read(STDIN_FILENO, &byte, 1) <= 0) exit(0);
}

static bool would_block(void) { return errno == EAGAIN || errno == EINTR; }

/* The next connection, or -1 if none waits. */
static inline int next_connection(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) return fd;
        if (errno == EAGAIN) return -1;
        /* The bench has looked whether there are descriptors enough: to go on without would only distort it. */
        if (errno != ECONNABORTED && errno != EINTR) die("accept");
    }
}

static void *need(void *memory) {
    if (!memory) die("memory");
    return memory;
}

/* Bytes that wait. */
struct queue {
    char *bytes;
    size_t sent, end, room;
};

static bool is_empty(const struct queue *queue) { return queue->sent == queue->end; }

static inline void queue_add(struct queue *queue, const char *bytes, size_t count) {
    if (queue->end + count > queue->room && queue->sent > 0) {
        memmove(queue->bytes, queue->bytes + queue->sent, queue->end - queue->sent);
        queue->end -= queue->sent;
        queue->sent = 0;
    }
    if (queue->end + count > queue->room) {
        size_t room = 2 * queue->room;
        queue->room = room > queue->end + count ? room : queue->end + count;
        queue->bytes = need(realloc(queue->bytes, queue->room));
    }
    memcpy(queue->bytes + queue->end, bytes, count);
    queue->end += count;
}

static void queue_free(struct queue *queue) {
    free(queue->bytes);
    *queue = (struct queue){0};
}

/* Whether a connection is read from, waits for room to write, or is over. */
enum outcome { FLOWS, STUCK, OVER };

/* Sends what waits, as far as there is room. */
static inline enum outcome queue_send(struct queue *queue, int fd) {
    ssize_t sent = write(fd, queue->bytes + queue->sent, queue->end - queue->sent);
    if (sent < 0) return would_block() ? STUCK : OVER;
    queue->sent += (size_t)sent;
    if (!is_empty(queue)) return STUCK;
    queue->sent = queue->end = 0;
    return FLOWS;
}

/* Sends what could not be sent before, then reads once and sends that back. No more is read while anything waits; so at
 * the end of the input all of it has been sent. */
static inline enum outcome echo_serve(int fd, struct queue *unsent) {
    if (!is_empty(unsent)) {
        enum outcome outcome = queue_send(unsent, fd);
        if (outcome != FLOWS) return outcome;
        queue_free(unsent);
    }
    ssize_t got = read(fd, buffer, BUFFER);
    if (got == 0) return OVER;
    if (got < 0) return would_block() ? FLOWS : OVER;
    ssize_t sent = write(fd, buffer, (size_t)got);
    if (sent == got) return FLOWS;
    if (sent < 0 && !would_block()) return OVER;
    if (sent < 0) sent = 0;
    queue_add(unsent, buffer + sent, (size_t)(got - sent));
    return STUCK;
}

/* Who is in the chat; a library's own struct begins with it. */
struct member {
    /* A line that has not ended yet. */
    struct queue input;
    struct queue output;
    size_t index;
    /* The socket has no room. */
    bool stuck;
};

static struct member **members;
static size_t member_count;
/* Somebody may have something to write. */
static bool dirty;

static inline void room_join(struct member *member) {
    static size_t room;
    if (member_count == room) {
        room = room ? 2 * room : 64;
        members = need(realloc(members, room * sizeof *members));
    }
    member->index = member_count;
    members[member_count++] = member;
}

static inline void room_leave(struct member *member) {
    members[member->index] = members[--member_count];
    members[member->index]->index = member->index;
    queue_free(&member->input);
    queue_free(&member->output);
}

static inline void room_say(const struct member *speaker, const char *line, size_t count) {
    for (size_t i = 0; i < member_count; i++) {
        if (members[i] != speaker) queue_add(&members[i]->output, line, count);
    }
    dirty = true;
}

/* Queues whole lines for everyone else. */
static inline void room_hear(struct member *speaker, const char *bytes, size_t count) {
    const char *end;
    while (count > 0 && (end = memchr(bytes, '\n', count))) {
        size_t length = (size_t)(end + 1 - bytes);
        struct queue *input = &speaker->input;
        if (is_empty(input)) {
            room_say(speaker, bytes, length);
        } else {
            queue_add(input, bytes, length);
            room_say(speaker, input->bytes, input->end);
            input->end = 0;
        }
        bytes += length;
        count -= length;
    }
    if (count > 0) queue_add(&speaker->input, bytes, count);
}

static inline bool is_too_slow(const struct member *member) {
    return member->output.end - member->output.sent > QUEUE_MAX;
}

/* Reads once for a member of the chat. */
static inline enum outcome room_read(struct member *member, int fd) {
    ssize_t got = read(fd, buffer, BUFFER);
    if (got < 0 && would_block()) return FLOWS;
    if (got <= 0) return OVER;
    room_hear(member, buffer, (size_t)got);
    return FLOWS;
}

/* At the end of a turn: writes what is queued, each member's lines at once. `settle` hears who is stuck now, or over. */
static inline void room_flush(int (*fd_of)(struct member *), void (*settle)(struct member *, enum outcome)) {
    if (!dirty) return;
    dirty = false;
    /* Backwards: who is over gives its place to the last one. */
    for (size_t i = member_count; i-- > 0;) {
        struct member *member = members[i];
        if (!member->stuck && !is_empty(&member->output)) {
            enum outcome outcome = queue_send(&member->output, fd_of(member));
            member->stuck = outcome == STUCK;
            if (outcome != FLOWS) settle(member, outcome);
        } else if (is_too_slow(member)) {
            settle(member, OVER);
        }
    }
}
