"""What this process tells a Prometheus that knows `METRICS_TOKEN`: what it carries, what it refused, how late it is."""

import hmac
from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from telephony.audio.vad import VadHub
from telephony.lag import LoopLag
from telephony.office import CallOffice
from telephony.twilio.refusals import refused

STREAMS_ENDED = Counter("offhook_streams_ended", "Media streams that were served, by how they ended", ["reason"])


class Metrics:
    """`GET /metrics`. Each answer is of one process, and its samples say of which: a balancer picks any of them."""

    def __init__(
        self, token: SecretStr | None, process: str, office: CallOffice, detection: VadHub, lag: LoopLag
    ) -> None:
        self._token = token
        self._process = process
        self._office = office
        self._detection = detection
        self._lag = lag

    async def endpoint(self, request: Request) -> Response:
        """The route; there is none without a token."""
        if self._token is None:
            return PlainTextResponse("Not Found", 404)
        sent = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(sent, f"Bearer {self._token.get_secret_value()}".encode()):
            refused("metrics", "refused the metrics: Prometheus has to send METRICS_TOKEN as its bearer token")
            return PlainTextResponse("Unauthorized", 401, {"WWW-Authenticate": "Bearer"})
        return Response(generate_latest(self), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def collect(self) -> Iterator[Metric]:
        """What all modules count, and what is asked here and now."""
        for metric in (*REGISTRY.collect(), *self._now()):
            metric.samples = [
                sample._replace(labels={**sample.labels, "process": self._process}) for sample in metric.samples
            ]
            yield metric

    def _now(self) -> Iterator[Metric]:
        office, lag = self._office, self._lag
        yield _gauge("offhook_ready", "Whether this process takes calls", office.not_ready is None)
        yield _gauge("offhook_calls_live", "Calls that this process serves", office.live_calls)
        if office.fleet.live_calls is not None:
            yield _gauge("offhook_fleet_calls_live", "Calls that all processes serve", office.fleet.live_calls)
        yield _gauge("offhook_loop_lag_typical_seconds", "How late the event loop is: the median", lag.typical_s)
        yield _gauge("offhook_loop_lag_worst_seconds", "How late it was at worst in five seconds", lag.worst_s)
        yield CounterMetricFamily(
            "offhook_vad_windows_dropped",
            "Windows of callers' audio that no detector had time for",
            self._detection.dropped_windows,
        )


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(name, says, value)
