"""What becomes of a call whose stream is over: rules over where its talk stands."""

from collections.abc import Sequence

from telephony.call.actions import EndReason, HangUp, Transfer
from telephony.call.opening import Opening
from telephony.records.fold import Talk
from telephony.twilio.after import After, GiveUp, Over, PutThrough, TakeUp

MOST_STREAMS = 6
WITHIN_S = 120.0
"""A call that has had so many streams in so short a time is not given another: something is wrong for good."""

_DONE = frozenset({EndReason.GOODBYE, EndReason.SILENCE, EndReason.TOO_LONG, EndReason.DEFEATED, EndReason.SPEECHLESS})
_PARTED = _DONE | {EndReason.CALLER_LEFT, EndReason.TRANSFERRED}


def after_stream(talk: Talk, streams_at: Sequence[float], now: float) -> After:
    """What comes next for a call that is still up. `streams_at`: when its streams began, on the clock of `now`.

    The same answer however often it is asked.
    """
    if talk.ended in _DONE:
        return Over()
    if talk.is_transferring:
        return PutThrough(talk.transfer)
    lately = sum(at > now - WITHIN_S for at in streams_at)
    return GiveUp() if talk.ended == EndReason.FAILED or lately >= MOST_STREAMS else TakeUp()


def has_parted(talk: Talk) -> bool:
    """Whether the last stream was ended in order, so that the carrier knows what is next, or asks."""
    return talk.ended in _PARTED


def opening(talk: Talk) -> Opening | None:
    """How the next stream goes on with it; None if nothing was said in it yet, and the caller is to be greeted."""
    if not (talk.told or talk.heard or talk.keys):
        return None
    wanted = talk.keys_wanted
    is_complete = talk.reply_finished and bool(talk.heard or talk.saying)
    return Opening(
        turn=talk.turn,
        turns=talk.turns,
        is_unanswered=bool(talk.unanswered) and not is_complete,
        heard=talk.heard,
        saying=talk.saying,
        keys=talk.keys,
        keys_wanted=None if wanted is None else (wanted.length or None, wanted.terminator),
        parting=_parting(talk),
        handed_over=talk.ended == EndReason.HANDED_OVER,
    )


def _parting(talk: Talk) -> HangUp | Transfer | None:
    if talk.hanging_up:
        return HangUp(EndReason.GOODBYE)
    return Transfer(talk.transfer) if talk.transfer else None
