"""Thousands of short calls through the wire, most of which go wrong: what the process keeps of them, and the records.

`python -m tests.bench.soak [calls]`, or `make soak`: about ten minutes for 5,000.
"""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select, text
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from telephony.records.database import connect
from telephony.records.schema import calls, events, leases
from telephony.scenarios.sounds import speech
from telephony.simulator.caller import LINE_AT_REST
from telephony.simulator.carrier import FRAME_BYTES
from telephony.simulator.identity import CallIdentity, stream_form, voice_form
from telephony.simulator.media_socket import open_socket
from telephony.simulator.phone import new_sid
from telephony.simulator.twiml import Connect, Fault
from telephony.simulator.webhooks import Document, WebhookClient
from telephony.twilio.messages import (
    Connected,
    Mark,
    Media,
    SendMark,
    SendMedia,
    Start,
    Stop,
    decode_to_twilio,
    encode_from_twilio,
)
from tests.telephony.records.postgres import Postgres
from tests.wire.fleet import TASKS, Fleet, Process, fleet_of
from tests.wire.office import ACCOUNT, CALLED, TOKEN

AT_ONCE = 25
ROUNDS = 5
"""Between them the process is left alone, and measured."""
SETTLES_S = 6.0
"""Longer than a second watches for a lost stream take, and the five seconds a stream may take to start."""
ANSWER_LIMIT_S = 10.0
WORDS = "Dogs allowed?"
console = Console(soft_wrap=True)


class Lean:
    """A caller without a clock: what the bot says is heard as soon as it is there, and speech is sent at one go."""

    def __init__(self, socket: ClientConnection, identity: CallIdentity) -> None:
        self.socket = socket
        self.identity = identity
        self.stream_sid = new_sid("MZ")
        self._sequence = 1
        self._chunk = 0

    async def start(self, parameters: dict[str, str]) -> None:
        await self.socket.send(encode_from_twilio(Connected()))
        start = Start(self.stream_sid, self.identity.call_sid, ACCOUNT, parameters=parameters)
        await self.socket.send(encode_from_twilio(start))

    async def say(self, words: str) -> None:
        """And be silent for half a second."""
        audio = speech(words) + LINE_AT_REST * 25
        for begin in range(0, len(audio), FRAME_BYTES):
            self._chunk += 1
            frame = audio[begin : begin + FRAME_BYTES]
            await self._send(Media(self.stream_sid, self._next(), self._chunk, 100 + 20 * self._chunk, frame))

    async def hear(self, marks: int) -> None:
        """Hear so many sentences out."""
        async with asyncio.timeout(ANSWER_LIMIT_S):
            while marks:
                order = decode_to_twilio(await self.socket.recv())
                if isinstance(order, SendMark):
                    await self._send(Mark(self.stream_sid, self._next(), order.name))
                    marks -= 1

    async def begin_to_hear(self) -> None:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            while not isinstance(decode_to_twilio(await self.socket.recv()), SendMedia):
                pass

    async def hang_up(self) -> None:
        await self._send(Stop(self.stream_sid, self._next(), self.identity.call_sid, ACCOUNT))
        await self.socket.close()

    async def _send(self, message: Media | Mark | Stop) -> None:
        await self.socket.send(encode_from_twilio(message))

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence


async def _talks(caller: Lean) -> None:
    await caller.hear(1)
    await caller.say(WORDS)
    await caller.hear(2)
    await caller.hang_up()


async def _hangs_up_mid_word(caller: Lean) -> None:
    await caller.hear(1)
    await caller.say(WORDS[:4])
    await caller.hang_up()


async def _hangs_up_on_the_bot(caller: Lean) -> None:
    await caller.begin_to_hear()
    await caller.hang_up()


async def _drops(caller: Lean) -> None:
    await caller.hear(1)
    await caller.say(WORDS)
    await caller.begin_to_hear()
    caller.socket.transport.abort()


async def _sends_garbage(caller: Lean) -> None:
    await caller.begin_to_hear()
    for junk in ("[" * 4000, b"\0" * 4000, '{"event": "media"}', '{"event": "dtmf", "dtmf": 7}') * 30:
        await caller.socket.send(junk)
    await caller.hear(1)
    await caller.hang_up()


async def _stalls(caller: Lean) -> None:
    await caller.hear(1)
    await caller.say(WORDS)
    await asyncio.sleep(1.0)  # the bot speaks, and nobody reads
    caller.socket.transport.abort()


async def _never_starts(caller: Lean) -> None:
    caller.socket.transport.abort()


FATES: tuple[Callable[[Lean], Awaitable[None]], ...] = (
    *(_talks, _talks, _hangs_up_mid_word, _hangs_up_on_the_bot),
    *(_drops, _drops, _sends_garbage, _stalls, _never_starts),
)


@dataclass(slots=True)
class Soak:
    """The calls so far, by what became of them."""

    fleet: Fleet
    webhooks: WebhookClient
    chance: random.Random
    started: list[str]
    """Those whose stream was let in: they are on record."""
    fates: Counter[str]

    async def call(self) -> None:
        fate = self.chance.choice(FATES)
        identity = CallIdentity(new_sid("CA"), ACCOUNT, f"+1500{self.chance.randrange(10**7):07}", CALLED)
        reply = await self.webhooks.fetch(
            f"{self.fleet.base_url}/twilio/voice", "POST", voice_form(identity, "ringing")
        )
        connect = reply.verbs[0] if isinstance(reply, Document) and reply.verbs else None
        if not isinstance(connect, Connect):
            self.fates["turned away"] += 1
            return
        socket = await open_socket(connect.stream.url, TOKEN)
        if isinstance(socket, Fault):
            self.fates["no socket"] += 1
            return
        caller = Lean(socket, identity)
        outcome = fate.__name__.strip("_").replace("_", " ")
        try:
            if fate is not _never_starts:
                await caller.start(dict(connect.stream.parameters))
                self.started.append(identity.call_sid)
            await fate(caller)
        except (ConnectionClosed, TimeoutError) as error:
            outcome += f": {type(error).__name__}"
        finally:
            socket.transport.abort()
        self.fates[outcome] += 1
        form = stream_form(identity, caller.stream_sid, "", "stream-error", datetime.now(UTC), "31903: dropped")
        await self.webhooks.notify(f"{self.fleet.base_url}/twilio/stream-status", "POST", form)


async def measure(process: Process, database_url: str) -> dict[str, int]:
    """What the process holds."""
    proc = Path(f"/proc/{process.process.pid}")
    handles = [str(link.readlink()) for link in proc.joinpath("fd").iterdir()]
    database = connect(database_url)
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    connections = await database.transaction(lambda connection: connection.execute(text(query)).scalar_one())
    of_a_process = select(func.count()).where(leases.c.process.is_not(None))
    held = await database.transaction(lambda connection: connection.execute(of_a_process).scalar_one())
    await database.close()
    return {
        "memory, MB": int(proc.joinpath("statm").read_text().split()[1]) * 4096 // 1_000_000,
        "tasks": await process.tasks(),
        "threads": len([*proc.joinpath("task").iterdir()]),
        "file handles": len(handles),
        "sockets": sum(handle.startswith("socket:") for handle in handles),
        "database connections": connections,
        "leases held": held,
    }


async def lost_records(database_url: str, started: list[str]) -> int:
    """Calls that were let in and are not on record from their first event to the last, none missing between."""
    database = connect(database_url)
    count, last = func.count().label("count"), func.max(events.c.position).label("last")
    whole = select(events.c.call_sid).group_by(events.c.call_sid).having(count == last + 1)
    ended = select(calls.c.sid).where(calls.c.sid.in_(whole), calls.c.ended_at.is_not(None))
    recorded = await database.transaction(lambda connection: {*connection.execute(ended).scalars()})
    await database.close()
    return len(set(started) - recorded)


async def main(count: int = 5000) -> None:
    with Postgres() as server, TemporaryDirectory() as folder:
        url = server.new_database()
        changes = {"LLM_PROVIDER": "local", "MAX_LAG_MS": "100000", "LOG_LEVEL": "ERROR"}
        async with fleet_of(1, Path(folder), url, **changes) as fleet, WebhookClient.open(TOKEN) as webhooks:
            soak = Soak(fleet, webhooks, random.Random(11), [], Counter())
            table = Table("calls", "after, s")
            rows = [await measure(fleet.processes[0], url)]
            began_at = monotonic()
            for name in rows[0]:
                table.add_column(name)
            table.add_row("0", "0", *map(str, rows[0].values()))
            for round_ in range(1, ROUNDS + 1):
                await many(soak, count // ROUNDS)
                await asyncio.sleep(SETTLES_S)
                rows.append(await measure(fleet.processes[0], url))
                took_s = f"{monotonic() - began_at:.0f}"
                table.add_row(str(round_ * count // ROUNDS), took_s, *map(str, rows[-1].values()))
            console.print(table)
            console.print(dict(soak.fates))
            lost = await lost_records(url, soak.started)
            console.print(f"{len(soak.started)} streams let in, {lost} calls not on record in full")
            for line in fleet.processes[0].log.read_text().splitlines():
                if "Twilio reports an error" not in line and TASKS not in line:
                    console.print(line)


async def many(soak: Soak, count: int) -> None:
    """So many calls, some at once."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with room:
            await soak.call()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(count):
            tasks.create_task(one())


if __name__ == "__main__":
    asyncio.run(main(*(int(argument) for argument in sys.argv[1:])))
