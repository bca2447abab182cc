"""What Prometheus is told, and who may ask."""

import re
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Route

from providers.errors import ConfigurationError
from telephony.metrics import STREAMS_ENDED
from telephony.service import Service
from telephony.settings import settings
from telephony.twilio.documents import Party
from tests.telephony.twilio.frames import ACCOUNT, CALL

TOKEN = "a-long-random-word"


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/offhook.db")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("VOICE_PROVIDER", "scripted")
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    return monkeypatch


async def ask(service: Service, **headers: str) -> httpx.Response:
    app = Starlette(routes=[Route("/metrics", service.metrics.endpoint)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
        return await client.get("/metrics", headers=headers)


async def test_without_a_token_there_are_none(put: pytest.MonkeyPatch) -> None:
    put.delenv("METRICS_TOKEN")
    settings.reload()
    service = Service()
    assert (await ask(service, Authorization=f"Bearer {TOKEN}")).status_code == 404
    await service.stop()


@pytest.mark.parametrize("sent", ["", TOKEN, "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}"])
async def test_whoever_has_another_is_told_nothing(
    put: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, sent: str
) -> None:
    settings.reload()
    service = Service()
    response = await ask(service, **({"Authorization": sent} if sent else {}))
    assert (response.status_code, response.text) == (401, "Unauthorized")
    assert caplog.messages == ["refused the metrics: Prometheus has to send METRICS_TOKEN as its bearer token"]
    await service.stop()


def test_a_token_that_can_be_guessed_is_refused(put: pytest.MonkeyPatch) -> None:
    put.setenv("METRICS_TOKEN", "short")
    settings.reload()
    with pytest.raises(ConfigurationError, match=r"METRICS_TOKEN: .*at least 16"):
        _ = settings.telephony


async def test_what_they_tell(put: pytest.MonkeyPatch) -> None:
    settings.reload()
    service = Service()
    assert service.office.arrives(Party(CALL, ACCOUNT, "+14155550100", "+18005550101")) is not None
    service.office.fleet.live_calls = 7
    STREAMS_ENDED.labels("caller hung up").inc()
    async with service.office.arrival(CALL):
        response = await ask(service, Authorization=f"Bearer {TOKEN}")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    samples = [sample for family in text_string_to_metric_families(response.text) for sample in family.samples]
    assert {sample.labels["process"] for sample in samples} == {service._records.process}
    values = {(sample.name, sample.labels.get("reason")): sample.value for sample in samples}
    assert values["offhook_ready", None] == 0
    assert values["offhook_calls_live", None] == 1
    assert values["offhook_fleet_calls_live", None] == 7
    assert values["offhook_calls_turned_away_total", "the engines are not ready"] >= 1
    assert values["offhook_streams_ended_total", "caller hung up"] >= 1
    for name in ("loop_lag_typical_seconds", "loop_lag_worst_seconds", "vad_windows_dropped_total", "records_waiting"):
        assert f"offhook_{name}", None in values
    assert not re.search(r"\d{10,}\b(?!\.)", re.sub(r" [\d.e+]+$", "", response.text, flags=re.MULTILINE))
    assert CALL not in response.text
    await service.stop()
