"""asyncore: dispatchers in its own loop, on poll, as select would end at 1,024 descriptors. It asks each dispatcher before
each wait what it wants, so a loop over many is slow by design."""

import asyncore

from server import BACKLOG, BUFFER, QUEUE_MAX, Room, main


class Listener(asyncore.dispatcher):
    """Spawns a dispatcher for each connection."""

    def __init__(self, sock, connection):
        super().__init__(sock)
        self.connection = connection
        self.listen(BACKLOG)

    def handle_accept(self):
        pair = self.accept()
        while pair is not None:
            self.connection(pair[0])
            pair = self.accept()


class Connection(asyncore.dispatcher):
    """A dispatcher with bytes that there was no room for."""

    def __init__(self, sock):
        super().__init__(sock)
        self.rest = None

    def writable(self):
        return self.rest

    def handle_close(self):
        self.close()


class Echo(Connection):
    """Writes back what comes; until it is sent, no more is read."""

    def readable(self):
        return not self.rest

    def handle_read(self):
        data = self.recv(BUFFER)
        if data:
            self.keep(data)

    def handle_write(self):
        self.keep(self.rest)

    def keep(self, data):
        sent = self.send(data)
        self.rest = memoryview(data)[sent:] if sent < len(data) else None


class Member(Connection):
    """Somebody in the chat."""

    def __init__(self, sock, room):
        super().__init__(sock)
        self.room = room
        self.input = b""
        self.queue = []
        room.members.add(self)

    def handle_close(self):
        self.room.members.discard(self)
        self.close()

    def handle_read(self):
        data = self.recv(BUFFER)
        if data:
            self.room.hear(self, data)

    def handle_write(self):
        data = (self.rest or b"") + b"".join(self.queue)
        self.queue.clear()
        self.rest = data[self.send(data) :]

    def flush(self):
        """Unless the socket has had no room for what came before."""
        if not self.rest:
            self.handle_write()
        elif len(self.rest) + sum(map(len, self.queue)) > QUEUE_MAX:
            self.handle_close()


def echo(listener):
    # Kept by asyncore's own table.
    Listener(listener, Echo)
    asyncore.loop(use_poll=True)


def chat(listener):
    room = Room()
    Listener(listener, lambda sock: Member(sock, room))
    while True:
        asyncore.loop(use_poll=True, count=1)
        room.flush()


if __name__ == "__main__":
    main(echo, chat)
