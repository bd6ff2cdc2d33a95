"""asyncio: protocols on the selector loop that comes with it, which sets TCP_NODELAY and accepts all who wait by itself.

They are buffered protocols, as a plain one gets each read in 256 KiB that are allocated for it and cut down afterwards."""

import asyncio

from server import BACKLOG, BUFFER, QUEUE_MAX, Room, main

view = memoryview(bytearray(BUFFER))


class Connection(asyncio.BufferedProtocol):
    """Reads into the one buffer that all share: what is in it is used up before anyone else reads."""

    def connection_made(self, transport):
        self.transport = transport

    def get_buffer(self, hint):
        return view


class Echo(Connection):
    """Writes back what comes; until it is sent, no more is read."""

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(high=0)

    def buffer_updated(self, count):
        # The transport may keep what it is given.
        self.transport.write(bytes(view[:count]))

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


class Member(Connection):
    """Somebody in the chat. The lines of a turn are written by one call, in what the loop runs after its events."""

    def __init__(self, room, loop):
        self.room = room
        self.loop = loop
        self.input = b""
        self.queue = []

    def connection_made(self, transport):
        super().connection_made(transport)
        self.room.members.add(self)

    def connection_lost(self, error):
        self.room.members.discard(self)

    def buffer_updated(self, count):
        if not self.room.dirty:
            self.loop.call_soon(self.room.flush)
        self.room.hear(self, bytes(view[:count]))

    def flush(self):
        transport = self.transport
        transport.write(b"".join(self.queue))
        self.queue.clear()
        if transport.get_write_buffer_size() > QUEUE_MAX:
            transport.abort()


async def serve(protocol, listener):
    server = await asyncio.get_running_loop().create_server(protocol, sock=listener, backlog=BACKLOG)
    await server.serve_forever()


def echo(listener):
    asyncio.run(serve(Echo, listener))


async def serve_room(listener):
    room, loop = Room(), asyncio.get_running_loop()
    await serve(lambda: Member(room, loop), listener)


def chat(listener):
    asyncio.run(serve_room(listener))


if __name__ == "__main__":
    main(echo, chat)
