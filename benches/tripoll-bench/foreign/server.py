"""What the servers in Python have in common: how they start and end, and the room of the chat."""

import os
import resource
import signal
import socket
import sys
import threading

BUFFER = 64 * 1024
BACKLOG = 4096
# Bytes that may wait for a member of the chat; who is further behind is closed.
QUEUE_MAX = 1024 * 1024


def start(processor):
    """The listener, whose address has been printed."""
    # A traceback for Ctrl-C would be all that is left of the table.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        os.sched_setaffinity(0, {processor})
    except OSError:
        pass
    listener = socket.socket()
    # What is accepted inherits it, at no call for each connection.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    print("%s:%d" % listener.getsockname(), flush=True)
    # A thread that sits in a read holds no lock, so it costs the loop nothing.
    threading.Thread(target=end_with_input, daemon=True).start()
    return listener


def end_with_input():
    """The bench writes nothing, so what is read is the end."""
    while os.read(0, 1):
        pass
    os._exit(0)


class Room:
    """Everyone in the chat: members with `input`, a line that has not ended yet, `queue`, lines to be written at the end
    of the turn, and `flush`, which writes them."""

    def __init__(self):
        self.members = set()
        self.dirty = False

    def hear(self, speaker, data):
        """Queues whole lines for everyone else."""
        if speaker.input:
            data = speaker.input + data
        lines = data.splitlines(True)
        speaker.input = b"" if data.endswith(b"\n") else lines.pop()
        for line in lines:
            for member in self.members:
                if member is not speaker:
                    member.queue.append(line)
        self.dirty = True

    def flush(self):
        """To be called at the end of a turn."""
        if self.dirty:
            self.dirty = False
            # Who turns out to be gone leaves the room.
            for member in list(self.members):
                if member.queue:
                    member.flush()


def main(echo, chat):
    """Runs what the command line names: `echo PROCESSOR` or `chat PROCESSOR`."""
    role, processor = sys.argv[1:]
    (chat if role == "chat" else echo)(start(int(processor)))
