"""A mail server on loopback that keeps the mail it takes, and makes the trouble that a test wants.

    python -m tests.tools.sink [--file FILE] [--delay SECONDS]

prints its port, and takes everything until its stdin is closed: into nothing, as fast as it can, or into a file that
has reached the disk before it answers 250.
"""

import argparse
import asyncio
import json
import os
import random
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from enum import Enum
from pathlib import Path
from typing import NamedTuple

LINK = re.compile(r"https?://\S+\?token=\S+")
FLOOD = 20_000  # lines
DRIP_PAUSE = 0.02  # seconds between two bytes


class Trouble(Enum):
    HANG = "says nothing any more"
    DROP = "is gone without a word"
    DRIP = "answers byte after byte, each well before any timeout"
    FLOOD = "answers without end"


class Taken(NamedTuple):
    """The part of an accepted mail that must be the same in each of its copies."""

    message_id: str
    recipient: str
    link: str

    @classmethod
    def of(cls, recipient, content):
        mail = message_from_bytes(content, policy=policy.default)
        links = LINK.findall(mail.get_body(("plain",)).get_content())
        return cls(mail["Message-ID"], recipient, " ".join(links))


class Outcome(NamedTuple):
    """The fate of stored mails: how many never came, how many extra copies came, how many copies differ."""

    lost: int
    repeated: int
    altered: int

    @classmethod
    def of(cls, taken, recipients):
        came, mails = {mail.recipient for mail in taken}, set(taken)
        return cls(len(set(recipients) - came), len(taken) - len(came), len(mails) - len(came))


class Sink:
    """A mail server that keeps all mail in `taken`; `says` holds its unusual answers, by stage.

    Stages: connect, ehlo, starttls, auth, mail, rcpt, data, dot (after the mail's last line), taken (as dot, but
    the mail is kept), rset, quit. An answer is a text, a Trouble, or a function that is called with the conversation
    and returns one of these, or None for the usual answer.
    """

    def __init__(self, tls=None):
        self.tls, self.says, self.taken, self.connections = tls, {}, [], 0
        self.said = Counter()  # how often each stage was reached

    async def take(self, recipient, content):
        """Keeps a mail, and returns the answer to it."""
        self.taken.append(Taken.of(recipient, content))
        return f"250 2.0.0 queued as {len(self.taken)}"

    async def converse(self, reader, writer):
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await Conversation(self, reader, writer).run()
        finally:
            writer.close()


class NullSink(Sink):
    """A mail server that keeps nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    async def take(self, recipient, content):
        return "250 2.0.0 gone"


class FileSink(Sink):
    """A mail server that writes each mail to disk, then answers. A kill in the pauses around that makes a duplicate."""

    def __init__(self, path, delay=0.0):
        super().__init__()
        self.path, self.delay = Path(path), delay

    def __enter__(self):
        self.file = self.path.open("a")
        return self

    def __exit__(self, *_):
        self.file.close()

    async def take(self, recipient, content):
        await self.pause()
        self.file.write(json.dumps(Taken.of(recipient, content)) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        await self.pause()
        return "250 2.0.0 on disk"

    async def pause(self):
        if self.delay:
            await asyncio.sleep(random.uniform(0, self.delay))  # noqa: S311

    def on_disk(self):
        return [Taken(*json.loads(line)) for line in self.path.read_text().splitlines()]


class Conversation:
    """One connection, as strict about the order of commands as real servers are."""

    def __init__(self, sink, reader, writer):
        self.sink, self.reader, self.writer = sink, reader, writer
        self.sender, self.recipient, self.carried = None, None, 0

    async def run(self):
        await self.say("connect", "220 sink ready")
        verbs = {b"EHLO": self.ehlo, b"AUTH": self.auth, b"MAIL": self.mail, b"RCPT": self.rcpt, b"DATA": self.data}
        verbs |= {b"STAR": self.starttls, b"RSET": self.rset}
        while line := await self.reader.readline():
            if line[:4].upper() == b"QUIT":
                await self.say("quit", "221 2.0.0 bye")
                return
            await verbs[line[:4].upper()](line.decode().strip())

    async def ehlo(self, _line):
        extensions = ["sink", "AUTH PLAIN", "8BITMIME", *(["STARTTLS"] if self.sink.tls else [])]
        await self.say("ehlo", "\r\n".join(f"250-{name}" for name in extensions) + "\r\n250 ENHANCEDSTATUSCODES")

    async def auth(self, _line):
        await self.say("auth", "235 2.7.0 welcome")

    async def starttls(self, _line):
        await self.say("starttls", "220 2.0.0 go ahead")
        await self.writer.start_tls(self.sink.tls)

    async def mail(self, line):
        if self.sender is not None:
            await self.write("503 5.5.1 nested MAIL")
        elif await self.say("mail", "250 2.1.0 OK"):
            self.sender = between_brackets(line)

    async def rcpt(self, line):
        self.recipient, before = between_brackets(line), self.recipient
        if self.sender is None:
            await self.write("503 5.5.1 MAIL first")
        elif not await self.say("rcpt", "250 2.1.5 OK"):
            self.recipient = before

    async def data(self, _line):
        if self.sender is None or self.recipient is None:
            await self.write("503 5.5.1 RCPT first")
        elif await self.say("data", "354 go ahead"):
            content = await self.reader.readuntil(b"\r\n.\r\n")
            await self.dot(content[:-3])
            self.sender = self.recipient = None

    async def dot(self, content):
        answer = self.unusual("dot")
        if answer is None:
            answer = await self.sink.take(self.recipient, content.replace(b"\r\n..", b"\r\n."))
            self.carried += 1
            answer = self.unusual("taken") or answer
        await self.answer(answer, "250 2.0.0 dripped")

    async def rset(self, _line):
        self.sender = self.recipient = None
        await self.say("rset", "250 2.0.0 OK")

    async def say(self, stage, usual):
        """Sends the answer of a stage; returns whether that lets the mail go on."""
        return await self.answer(self.unusual(stage) or usual, usual)

    def unusual(self, stage):
        self.sink.said[stage] += 1
        answer = self.sink.says.get(stage)
        return answer(self) if callable(answer) else answer

    async def answer(self, answer, usual):
        if answer is Trouble.HANG:
            await self.reader.read()  # until the other side hangs up
        if answer in {Trouble.HANG, Trouble.DROP}:
            self.writer.transport.abort()
            raise ConnectionAbortedError
        if answer is Trouble.DRIP:
            await self.drip(usual)
        elif answer is Trouble.FLOOD:
            for _ in range(FLOOD):
                await self.write(f"{usual[:3]}-{'.' * 500}")
            raise ConnectionAbortedError
        else:
            await self.write(answer)
            if answer.startswith("421"):
                raise ConnectionAbortedError
        return answer is Trouble.DRIP or answer[0] in "23"

    async def drip(self, usual):
        # With continuation lines, or the answer would soon end.
        for byte in f"{usual[:3]}-{'.' * 1000}\r\n{usual}\r\n".encode():
            self.writer.write(bytes([byte]))
            await asyncio.sleep(DRIP_PAUSE)

    async def write(self, answer):
        self.writer.write(f"{answer}\r\n".encode())
        await self.writer.drain()


def between_brackets(line):
    return line.partition("<")[2].partition(">")[0]


async def serve(sink, ready, stop, tls=None):
    """Starts the server, calls `ready` with its port, and answers until `stop` is set."""
    server = await asyncio.start_server(sink.converse, "127.0.0.1", 0, ssl=tls, limit=2**24)  # bytes of a mail
    ready(server.sockets[0].getsockname()[1])
    await stop.wait()
    server.close()


@contextmanager
def listening(sink, tls=None) -> Iterator[int]:
    """Runs the sink in a thread of this process, and gives its port."""
    ready, loops = Future(), Future()

    async def main():
        stop = asyncio.Event()
        loops.set_result((asyncio.get_running_loop(), stop))
        await serve(sink, ready.set_result, stop, tls)

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    loop, stop = loops.result()
    try:
        yield ready.result()
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--file")
    parser.add_argument("--delay", type=float, default=0.0)
    options = parser.parse_args()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    with FileSink(options.file, options.delay) if options.file else NullSink() as sink:
        await serve(sink, lambda port: print(port, flush=True), stop)


if __name__ == "__main__":
    asyncio.run(main())
