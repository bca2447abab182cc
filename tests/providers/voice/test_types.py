import pytest

from providers.voice.types import AudioFormat, TranscriptionResult, VADInfo, VoiceCapabilities


@pytest.mark.parametrize(("probability", "complete"), [(0.0, False), (0.5, False), (0.51, True), (1.0, True)])
def test_a_turn_is_complete_when_inactivity_is_likelier_than_not(probability: float, complete: bool) -> None:
    info = VADInfo(inactivity_prob=probability, horizon_s=2.0, step_idx=1, total_duration_s=3.0)
    assert info.is_turn_complete is complete


def test_a_result_needs_no_more_than_text_and_start() -> None:
    result = TranscriptionResult(text="hello", start_s=0.5)
    assert (result.stop_s, result.is_final, result.confidence, result.stream_id) == (None, False, None, None)


def test_an_engine_that_declares_nothing_is_a_batch_engine_in_pcm() -> None:
    bare = VoiceCapabilities()
    assert (bare.stt, bare.tts, bare.streaming_stt, bare.end_of_turn) == (True, True, False, False)
    assert bare.input_format is bare.output_format is AudioFormat.PCM


def test_formats_are_their_names() -> None:
    assert AudioFormat("ulaw_8000") is AudioFormat.ULAW_8000
    assert f"{AudioFormat.PCM_24000}" == "pcm_24000"
