"""selectors: a loop by hand on `DefaultSelector`, which is epoll here; a key's data is what to call."""

import selectors

from server import BUFFER, QUEUE_MAX, Room, main

selector = selectors.DefaultSelector()
buffer = bytearray(BUFFER)
view = memoryview(buffer)


def send(sock, data):
    """How much there was room for."""
    try:
        return sock.send(data)
    except BlockingIOError:
        return 0


def receive(sock):
    """How many bytes there are in the buffer now; None if nothing has come."""
    try:
        return sock.recv_into(buffer)
    except BlockingIOError:
        return None


class Connection:
    """What is registered, and taken off when it is over."""

    __slots__ = ("sock",)

    def __init__(self, sock):
        self.sock = sock
        selector.register(sock, selectors.EVENT_READ, self.ready)

    def watch(self, events):
        selector.modify(self.sock, events, self.ready)

    def ready(self, events):
        try:
            self.serve(events)
        except OSError:
            self.end()

    def end(self):
        selector.unregister(self.sock)
        self.sock.close()


class Echo(Connection):
    """Writes back what comes; until it is sent, no more is read."""

    __slots__ = ("rest",)

    def __init__(self, sock):
        self.rest = None
        super().__init__(sock)

    def serve(self, events):
        sock = self.sock
        if self.rest:
            self.rest = self.rest[send(sock, self.rest) :]
            if self.rest:
                return
            self.watch(selectors.EVENT_READ)
        count = receive(sock)
        if count is None:
            return
        if count == 0:
            self.end()
            return
        sent = send(sock, view[:count])
        if sent < count:
            self.rest = memoryview(bytes(view[sent:count]))
            self.watch(selectors.EVENT_WRITE)


class Member(Connection):
    """Somebody in the chat."""

    __slots__ = ("room", "input", "queue", "rest")

    def __init__(self, sock, room):
        self.room = room
        self.input = b""
        self.queue = []
        self.rest = None
        room.members.add(self)
        super().__init__(sock)

    def end(self):
        self.room.members.discard(self)
        super().end()

    def serve(self, events):
        if events & selectors.EVENT_WRITE:
            self.write()
        if events & selectors.EVENT_READ:
            count = receive(self.sock)
            if count:
                self.room.hear(self, bytes(view[:count]))
            elif count == 0:
                self.end()

    def flush(self):
        """Unless the socket has had no room for what came before."""
        if not self.rest:
            try:
                self.write()
            except OSError:
                self.end()
        elif len(self.rest) + sum(map(len, self.queue)) > QUEUE_MAX:
            self.end()

    def write(self):
        was_stuck = bool(self.rest)
        data = (self.rest or b"") + b"".join(self.queue)
        self.queue.clear()
        self.rest = data[send(self.sock, data) :]
        if was_stuck != bool(self.rest):
            self.watch(selectors.EVENT_READ | (selectors.EVENT_WRITE if self.rest else 0))


def accept(listener, connection):
    """Registers what to call when somebody connects."""

    def ready(_):
        try:
            while True:
                sock = listener.accept()[0]
                sock.setblocking(False)
                connection(sock)
        except BlockingIOError:
            pass

    selector.register(listener, selectors.EVENT_READ, ready)


def echo(listener):
    accept(listener, Echo)
    while True:
        for key, events in selector.select():
            key.data(events)


def chat(listener):
    room = Room()
    accept(listener, lambda sock: Member(sock, room))
    while True:
        for key, events in selector.select():
            key.data(events)
        room.flush()


if __name__ == "__main__":
    main(echo, chat)
