import numpy as np

from telephony.audio.loudness import LoudnessEngine


def test_loud_windows_are_speech() -> None:
    engine = LoudnessEngine(threshold=1000)
    windows = np.array([[0, 0], [999, -999], [1000, -1000], [-32768, -32768]], np.int16)
    assert engine.run(range(4), windows) == [0.0, 0.0, 1.0, 1.0]
    engine.forget(0)
    assert engine.run([0], windows[2:3]) == [1.0]
