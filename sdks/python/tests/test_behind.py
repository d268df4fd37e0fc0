"""A node that is cut off from its database, and says so: it may be behind, and is not believed over what is newer."""

from __future__ import annotations

import pytest

from fakeserver import FakeServer
from watching import Eventually, Make, settled, table_of, with_text
from xr2 import Xr2


def greeted(client: Xr2, eventually: Eventually) -> None:
    """Wait until a stream is open whose server is cut off."""
    eventually(lambda: client._core.hub.connected and not client.connected)


def test_a_node_that_is_cut_off_undoes_nothing_and_a_restored_server_is_believed(
    bundles: FakeServer, shared: Make, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xr2._table.OLDER_BUNDLES_REFUSED_FOR", 0.0)
    bundles.put("a", "one")
    before = dict(bundles.prompts)
    bundles.put("a", "two")
    client = shared(max_age=0.0)
    settled(client, eventually)
    bundles.prompts, bundles.revision, bundles.log, bundles.stale = before, 2, [], 60
    asked = len(bundles.bundles_asked())
    bundles.drop_streams()

    def told_three_times() -> bool:
        prompt = client.get("a")
        assert prompt.text == "two"
        return prompt.stale and len(bundles.bundles_asked()) >= asked + 3

    eventually(told_three_times)
    greeted(client, eventually)
    assert (client.get("a").text, table_of(client).revision) == ("two", 3)
    bundles.stale = None
    eventually(with_text(client, "one"))
    settled(client, eventually)
    bundles.put("a", "three")
    eventually(with_text(client, "three"))


def test_a_stream_of_a_node_that_is_cut_off_is_listened_to_and_vouches_for_nothing(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.stale = 60
    bundles.put("a", "one")
    client = shared(max_age=0.0)
    assert client.get("a").text == "one"
    greeted(client, eventually)
    eventually(lambda: table_of(client).loaded)
    assert client.get("a").source == "api", "it is asked"
    bundles.put("a", "two")
    eventually(lambda: table_of(client).entries["a"][0].data["content"] == "two")
    assert (client.get("a").source, client.connected) == ("api", False)
    bundles.stale = None
    settled(client, eventually)
    assert client.connected
    assert len(bundles.streams_asked()) >= 2, "one that is in touch was opened instead"


def test_what_such_a_node_tells_late_is_no_news(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    bundles.put("b", "gone by now")
    old = bundles.item("b", "production")
    bundles.remove("b")
    eventually(lambda: table_of(client).revision == 4)
    bundles.revision, bundles.stale = 2, 60
    bundles.drop_streams()
    eventually(lambda: len(bundles.streams_asked()) == 2 and bundles.stream_count() == 1)
    bundles.emit("put", {"revision": 3, "prompt": old})
    bundles.revision = 4
    bundles.put("a", "two")
    eventually(lambda: table_of(client).entries["a"][0].data["content"] == "two")
    assert "b" not in table_of(client).entries
