"""What the pure parts of a turn cost: the machine's step, the playout ledger, the sentence splitter."""

from itertools import count

from agent.sentences import SentenceSplitter
from telephony.call import actions, events
from telephony.call.machine import CallMachine
from telephony.call.playout import Playout, SendMark
from telephony.call.rules import CallRules
from telephony.twilio.messages import Connected, Media, Start, encode_from_twilio, encode_media
from telephony.twilio.stream import MediaStream
from tests.bench.audio import cost_us
from tests.bench.results import Row

_PARAGRAPH = (
    "We are open from Tuesday to Sunday, from noon until half past nine. On Mondays we are closed. "
    "A table for two is no problem at seven. Shall I put it down under your name, Dr. Miller?"
)
_SECOND = bytes(8000)


def costs() -> list[Row]:
    machine_us, events_a_turn = _machine()
    return [
        {"work": "machine, one event", "µs": machine_us / events_a_turn},
        {"work": f"machine, a whole turn of {events_a_turn} events", "µs": machine_us},
        {"work": "playout, 4 s of speech out and its marks back", "µs": cost_us(_playout)},
        {"work": f"sentence splitter, {len(_PARAGRAPH.split())} words", "µs": cost_us(_split)},
        {"work": "stream, one frame of the caller read", "µs": _frame()},
        {
            "work": "stream, 200 ms of the bot written",
            "µs": cost_us(_write),
        },
    ]


def _machine() -> tuple[float, int]:
    """One turn after the other: voice, pause, words, reply, heard."""
    clock = count(100)
    machine = CallMachine(CallRules(speculate=False, longest_call_s=1e9, most_turns=10**9, reprompts=10**9), 0.0)
    handled = 0

    def happen(event: events.Event, now: float) -> list[actions.Action]:
        nonlocal handled
        handled += 1
        return machine.handle(event, now)

    def turn() -> None:
        now = float(next(clock) * 10)
        happen(events.SpeechStarted(now), now)
        asked = happen(events.SpeechStopped(now + 1.0), now + 1.2)
        request = next(order for order in asked if isinstance(order, actions.Transcribe))
        happen(events.TranscriptReady(request.turn, request.attempt, "Are you open on Sunday?"), now + 1.3)
        machine.handle_timer(now + 2.5)
        said = happen(events.SentenceGenerated(machine.turn, "We are."), now + 2.6)
        happen(events.ReplyFinished(machine.turn), now + 2.7)
        say = next(order for order in said if isinstance(order, actions.Say))
        happen(events.SentenceHeard(say.turn, say.sentence), now + 3.5)

    greeting = machine.handle(events.CallStarted(), 0.0)
    machine.handle(events.SentenceHeard(0, next(o.sentence for o in greeting if isinstance(o, actions.Say))), 1.0)
    turn()
    each = handled
    return cost_us(turn), each


def _playout() -> None:
    playout = Playout()
    now = 0.0
    for _ in range(4):
        playout.add(1, 1, _SECOND)
    playout.finish(1, 1)
    while (at := playout.wakes_at()) is not None:
        now = max(now, at)
        for outgoing in playout.take(now):
            if isinstance(outgoing, SendMark):
                playout.echoed(outgoing.name, now)
        playout.overdue(now)


def _write() -> None:
    encode_media("MZ" + "0" * 32, bytes(1600))


def _split() -> None:
    splitter = SentenceSplitter()
    for word in _PARAGRAPH.split():
        splitter.feed(word + " ")
    splitter.finish()


def _frame() -> float:
    """Reading one media message, the stream's bookkeeping included."""
    sid = "MZ" + "0" * 32
    stream = MediaStream()
    stream.receive(encode_from_twilio(Connected()))
    stream.receive(encode_from_twilio(Start(sid, "CA" + "0" * 32, "AC" + "0" * 32)))
    numbers = count(2)
    template = encode_from_twilio(Media(sid, 987654, 1234567, 0, bytes(range(160))))

    def read() -> None:
        number = next(numbers)
        text = template.replace("987654", str(number), 1).replace('timestamp":"0', f'timestamp":"{number * 20}', 1)
        stream.receive(text)

    def write() -> None:
        number = next(numbers)
        template.replace("987654", str(number), 1).replace('timestamp":"0', f'timestamp":"{number * 20}', 1)

    return cost_us(read) - cost_us(write)
