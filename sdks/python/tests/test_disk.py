"""The snapshot on the disk: cold starts without the server, and files that cannot be trusted."""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakeserver import KEY, FakeServer
from xr2 import AuthError, Xr2
from xr2._disk import Disk, Holding, Shelf

Make = Callable[..., Xr2]
Eventually = Callable[..., Any]
NOWHERE = "http://127.0.0.1:9"
ITEM = {"id": "i", "slug": "a", "content": "Hello {{ name }}", "version": 3, "label": "production", "syntax": "simple",
        "variables": [], "rendered": False}  # fmt: skip
SHELF = Shelf("production", 7, '"r7"', [ITEM])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "xr2.snapshot"


def saved(path: Path, url: str = NOWHERE, key: str = KEY) -> bytes:
    assert Disk(str(path), url, key).save(Holding([SHELF]))
    return path.read_bytes()


def settled(client: Xr2, eventually: Eventually, text: str) -> None:
    eventually(lambda: (p := client.get("a", fallback="")).source == "stream" and p.text == text)


def test_what_is_saved_is_loaded_and_private(path: Path) -> None:
    saved(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    lock = path.with_name(f".{path.name}.lock")
    assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    assert sorted(path.parent.iterdir()) == sorted([lock, path])
    assert Disk(str(path), NOWHERE, KEY).load() == [SHELF]
    assert KEY.encode() not in path.read_bytes()


def test_a_cold_start_without_the_server(path: Path, make: Make) -> None:
    saved(path)
    client = Xr2(KEY, NOWHERE, snapshot=path, retries=0)
    began = time.monotonic()
    prompt = client.get("a", fallback="not needed")
    assert time.monotonic() - began < 2
    assert (prompt.source, prompt.stale, prompt.version) == ("disk", True, 3)
    assert prompt.render(name="Ada").text == "Hello Ada"
    assert client.get("a").source == "disk"
    assert client.get("other", fallback="x").source == "fallback"
    client.close()
    assert Disk(str(path), NOWHERE, KEY).load() == [SHELF], "what was never confirmed is not saved as new"


def test_from_one_run_to_the_next(bundles: FakeServer, shared: Make, eventually: Eventually, path: Path) -> None:
    bundles.put("a", "one")
    client = shared(snapshot=path)
    settled(client, eventually, "one")
    bundles.put("a", "two")
    settled(client, eventually, "two")
    client.close()
    bundles.put("a", "three")
    client = shared(snapshot=path)
    settled(client, eventually, "three")
    client.close()
    bundles.stop()
    client = Xr2(KEY, bundles.url, snapshot=path, retries=0)
    prompt = client.get("a")
    assert (prompt.text, prompt.source) == ("three", "disk")
    client.close()


def test_what_lies_on_the_disk_is_confirmed_not_downloaded(
    bundles: FakeServer, shared: Make, eventually: Eventually, path: Path
) -> None:
    bundles.put("a", "one")
    client = shared(snapshot=path)
    settled(client, eventually, "one")
    client.close()
    client = shared(snapshot=path)
    assert client.get("a").source == "api"
    settled(client, eventually, "one")
    assert bundles.bundles_asked()[-1].headers["if-none-match"] == f'"r{bundles.revision}-production"'


def test_a_revoked_keys_snapshot_is_removed(
    bundles: FakeServer, shared: Make, eventually: Eventually, path: Path
) -> None:
    bundles.put("a", "one")
    client = shared(snapshot=path)
    settled(client, eventually, "one")
    client.close()
    bundles.valid_key = False
    client = shared(snapshot=path)
    with pytest.raises(AuthError):
        client.get("a")
    eventually(lambda: not path.exists())
    with pytest.raises(AuthError):
        client.get("a")


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def ignored(path: Path, caplog: pytest.LogCaptureFixture) -> bool:
    caplog.clear()
    with caplog.at_level(logging.WARNING, "xr2"):
        assert Disk(str(path), NOWHERE, KEY).load() == []
    return "is ignored" in caplog.text


def test_every_changed_byte_and_every_cut_is_noticed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = saved(path)
    for at in range(len(whole)):
        path.write_bytes(flipped(whole, at))
        assert ignored(path, caplog), f"byte {at}"
        path.write_bytes(whole[:at])
        assert ignored(path, caplog), f"cut at {at}"
    path.write_bytes(whole + b" ")
    assert ignored(path, caplog)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"{}\n{}", b"null\n", b"\xff" * 5000, b'{"xr2":"snapshot","format":2}\n', b"[" * 100_000,
     b'{"xr2":"snapshot","format":1,"length":2}\n{}', b'{"xr2":"snapshot","format":1,"length":2,"saved_at":1,"revision":1,"hmac":"\xc3\xa9"}\n{}'],
)  # fmt: skip
def test_files_that_are_none(path: Path, caplog: pytest.LogCaptureFixture, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert ignored(path, caplog)
    client = Xr2(KEY, NOWHERE, snapshot=path, retries=0)
    assert client.get("a", fallback="x").source == "fallback"
    client.close()


@pytest.mark.parametrize(
    "items", [[{"slug": "a"}], [7], [{"id": 1, "slug": "a", "content": "x"}], [{**ITEM, "variables": "x"}]]
)
def test_signed_nonsense(path: Path, caplog: pytest.LogCaptureFixture, items: list[Any]) -> None:
    Disk(str(path), NOWHERE, KEY).save(Holding([Shelf("production", 7, None, items)]))
    assert ignored(path, caplog)


def test_another_keys_or_servers_file_is_none_of_ours(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    saved(path, key=KEY + "x")
    assert ignored(path, caplog)
    saved(path, url="http://127.0.0.1:10")
    assert ignored(path, caplog)


def test_links_pipes_and_folders_are_not_followed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    other = path.with_name("other")
    saved(other)
    path.symlink_to(other)
    assert ignored(path, caplog)
    path.unlink()
    os.mkfifo(path)
    assert ignored(path, caplog)
    path.unlink()
    path.mkdir()
    assert ignored(path, caplog)


def test_a_place_that_cannot_be_written_disturbs_nobody(
    bundles: FakeServer, shared: Make, eventually: Eventually, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.write_text("a file where the folder should be")
    bundles.put("a", "one")
    client = shared(snapshot=path)
    settled(client, eventually, "one")
    client.close()
    assert "cannot be written" in caplog.text


def test_a_newer_file_of_another_process_stays(path: Path) -> None:
    disk = Disk(str(path), NOWHERE, KEY)
    newer = Shelf("production", 9, None, [ITEM])
    assert disk.save(Holding([newer]))
    assert not disk.save(Holding([SHELF]))
    assert disk.load() == [newer]


def test_no_file_is_no_news(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert Disk(str(path), NOWHERE, KEY).load() == []
    assert caplog.text == ""
