"""What a tool may reach, and what it may not."""

import httpx
import pytest

from agent.outside import public_client

PRIVATE = ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "::1", "fd00::1", "fe80::1"]


class Internet(httpx.AsyncBaseTransport):
    """Answers everything, and notes down what it was asked."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answers.pop(0) if self._answers else httpx.Response(200, text="hello")


def client(internet: Internet, *addresses: str) -> httpx.AsyncClient:
    async def resolve(host: str, port: int) -> list[str]:
        if not addresses:
            raise OSError("unknown host")
        return ["127.0.0.1"] if host == "inside.example" else list(addresses)

    return public_client(resolve, internet)


async def test_a_public_host_is_reached_at_the_address_that_was_judged() -> None:
    internet = Internet()
    async with client(internet, "93.184.215.14") as http:
        assert (await http.get("https://shop.example/prices?of=pizza")).text == "hello"
    [request] = internet.requests
    assert str(request.url) == "https://93.184.215.14/prices?of=pizza"
    assert request.headers["host"] == "shop.example"
    assert request.extensions["sni_hostname"] == "shop.example"


@pytest.mark.parametrize("address", PRIVATE)
async def test_what_is_not_public_is_not_reached(address: str) -> None:
    internet = Internet()
    async with client(internet, "93.184.215.14", address) as http:
        with pytest.raises(httpx.ConnectError, match="not on the public internet"):
            await http.get("http://sly.example/")
    assert internet.requests == []


async def test_a_redirect_leads_nowhere_inside() -> None:
    internet = Internet(httpx.Response(302, headers={"location": "http://inside.example/secrets"}))
    async with client(internet, "93.184.215.14") as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("http://shop.example/")
    assert len(internet.requests) == 1


async def test_a_host_without_an_address_cannot_be_reached() -> None:
    async with client(Internet()) as http:
        with pytest.raises(httpx.ConnectError, match="has no address"):
            await http.get("http://nowhere.example/")


async def test_names_are_really_looked_up() -> None:
    async with public_client() as http:
        with pytest.raises(httpx.ConnectError, match="not on the public internet"):
            await http.get("http://localhost:1/")
