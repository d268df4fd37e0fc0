"""The snapshot on the disk with several labels and processes, and how it comes into memory."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from fakeserver import KEY, FakeServer, failure
from watching import Eventually, Make, settled, table_of
from xr2 import AsyncXr2, AuthError, RequestTimeout, Xr2
from xr2._disk import Disk, Holding, Shelf
from xr2._filelock import Busy, locked

NOWHERE = "http://127.0.0.1:9"


def shelf(label: str, revision: int, text: str = "one", saved_at: float = 0.0) -> Shelf:
    item = {"id": "id-a", "slug": "a", "content": text, "version": 1, "label": label, "syntax": "simple",
            "variables": [], "rendered": True}  # fmt: skip
    return Shelf(label, revision, f'"r{revision}"', [item], saved_at)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "xr2.snapshot"


@pytest.fixture
def disk(path: Path) -> Disk:
    return Disk(str(path), NOWHERE, KEY)


def held(disk: Disk) -> dict[str, Shelf]:
    return {shelf.label: shelf for shelf in disk.load()}


def texts(path: Path, server: FakeServer) -> dict[str, str]:
    return {one.label: one.items[0]["content"] for one in Disk(str(path), server.url, KEY).load()}


def test_the_newest_of_every_label_is_kept(disk: Disk, path: Path) -> None:
    assert disk.save(Holding([shelf("production", 5), shelf("staging", 5)]))
    assert disk.save(Holding([shelf("production", 4, "old"), shelf("staging", 6, "two"), shelf("next", 1)]))
    expected = {"production": shelf("production", 5), "staging": shelf("staging", 6, "two"), "next": shelf("next", 1)}
    assert held(disk) == expected
    assert disk.save(Holding([], gone=frozenset({"next", "unheard-of"})))
    del expected["next"]
    assert held(disk) == expected


def test_nothing_is_written_where_nothing_changed(disk: Disk, path: Path) -> None:
    both = [shelf("production", 5), shelf("staging", 5)]
    assert disk.save(Holding(both))
    before = path.stat()
    for same in (both, both[:1], []):
        assert not disk.save(Holding(same, earlier=[shelf("next", 9)], gone=frozenset({"other"})))
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_server_restored_from_a_backup_is_believed_in_the_end(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert disk.save(Holding([shelf("production", 9, "lost")]))
    assert not disk.save(Holding([shelf("production", 3, "restored")]))
    monkeypatch.setattr("xr2._disk.YOUNG", 0.0)
    assert disk.save(Holding([shelf("production", 3, "restored")]))
    assert held(disk) == {"production": shelf("production", 3, "restored")}


def test_where_the_file_is_lost_what_it_held_is_written_again(disk: Disk, path: Path) -> None:
    assert disk.save(Holding([shelf("production", 5), shelf("staging", 5)]))
    path.write_bytes(b"rubbish")
    earlier = [shelf("production", 5), shelf("staging", 5), shelf("next", 5)]
    assert disk.save(Holding([shelf("production", 6, "two")], earlier, frozenset({"next"})))
    assert held(disk) == {"production": shelf("production", 6, "two"), "staging": shelf("staging", 5)}
    path.unlink()
    assert not disk.save(Holding([], earlier)), "nothing is known that would be worth a file"
    assert not path.exists()


def test_whoever_cannot_have_the_lock_says_so(disk: Disk, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xr2._filelock.PATIENCE", 0.05)
    with locked(path.with_name(f".{path.name}.lock")), pytest.raises(Busy):
        disk.save(Holding([shelf("production", 5)]))
    assert disk.save(Holding([shelf("production", 5)]))


def test_a_busy_file_is_written_later(
    bundles: FakeServer, shared: Make, eventually: Eventually, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xr2._filelock.PATIENCE", 0.05)
    monkeypatch.setattr("xr2._keeper.SAVE_AFTER", 0.05)
    turned_away = threading.Event()
    save = Disk.save

    def watched(self: Disk, holding: Holding) -> bool:
        try:
            return save(self, holding)
        except Busy:
            turned_away.set()
            raise

    monkeypatch.setattr(Disk, "save", watched)
    bundles.put("a", "one")
    with locked(path.with_name(f".{path.name}.lock")):
        settled(shared(snapshot=path), eventually)
        assert turned_away.wait(10)
    eventually(lambda: path.exists() and texts(path, bundles) == {"production": "one"})


def test_processes_that_write_at_once_lose_nothing(disk: Disk, path: Path) -> None:
    program = (
        "import sys\n"
        "sys.path.insert(0, sys.argv[3])\n"
        "from test_disk_shared import NOWHERE, shelf\n"
        "from fakeserver import KEY\n"
        "from xr2 import _filelock\n"
        "from xr2._disk import Disk, Holding\n"
        "_filelock.PATIENCE = 60.0\n"
        "disk = Disk(sys.argv[1], NOWHERE, KEY)\n"
        "for revision in range(1, 41): assert disk.save(Holding([shelf(sys.argv[2], revision)]))\n"
    )
    labels = ["production", "staging", "next"]
    tests = str(Path(__file__).parent)
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(path), label, tests], stderr=subprocess.PIPE)  # noqa: S603
        for label in labels
    ]
    assert [(process.communicate(timeout=120)[1], process.returncode) for process in running] == [(b"", 0)] * 3
    assert held(disk) == {label: shelf(label, 40) for label in labels}


def in_a_process(server: FakeServer, path: Path, label: str) -> None:
    program = (
        "import sys\n"
        "from xr2 import Xr2\n"
        f"with Xr2({KEY!r}, sys.argv[1], snapshot=sys.argv[2], label=sys.argv[3]) as client:\n"
        "    while client.get('a').source != 'stream': pass\n"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program, server.url, str(path), label], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_two_programs_with_different_labels_share_a_file(bundles: FakeServer, path: Path) -> None:
    bundles.put("a", "one")
    bundles.put("a", "two")
    bundles.label("a", "staging", 1)
    in_a_process(bundles, path, "production")
    in_a_process(bundles, path, "staging")
    assert texts(path, bundles) == {"production": "two", "staging": "one"}
    bundles.put("a", "three")
    in_a_process(bundles, path, "production")
    assert texts(path, bundles) == {"production": "three", "staging": "one"}
    bundles.stop()
    for label, text in (("production", "three"), ("staging", "one")):
        with Xr2(KEY, bundles.url, snapshot=path, label=label, retries=0) as client:
            assert (client.get("a").text, client.get("a").source) == (text, "disk")


def test_what_a_key_may_no_longer_read_leaves_the_file(
    bundles: FakeServer, shared: Make, eventually: Eventually, path: Path
) -> None:
    def refuse(seen: Any) -> Any:
        return failure(403, "FORBIDDEN", "not staging") if seen.query.get("label") == "staging" else None

    bundles.put("a", "one")
    bundles.label("a", "staging", 1)
    client = shared(snapshot=path)
    settled(client, eventually)
    # The stream vouches for a prompt that was fetched alone, too; the file holds bundles.
    eventually(lambda: client.get("a", label="staging").source == "stream" and table_of(client, "staging").live)
    client.close()
    assert texts(path, bundles) == {"production": "one", "staging": "one"}
    bundles.rules.append(refuse)
    client = shared(snapshot=path)
    settled(client, eventually)

    def refused() -> bool:
        try:
            client.get("a", label="staging")
        except AuthError:
            return not client._core.hub.tables["staging"].loaded
        return False

    eventually(refused)
    client.close()
    assert texts(path, bundles) == {"production": "one"}


def test_a_label_on_the_disk_is_confirmed_though_the_stream_vouches_for_it(
    bundles: FakeServer, shared: Make, eventually: Eventually, path: Path
) -> None:
    bundles.put("a", "one")
    client = shared(snapshot=path)
    settled(client, eventually)
    client.close()
    before = len(bundles.bundles_asked())
    hub = shared(snapshot=path)._core.hub
    table = hub.table("production")
    # Nothing runs yet: the stream is quicker than the first look at what is due.
    table.live = True
    assert table.from_disk
    hub.keeper.tick(time.monotonic())
    eventually(lambda: len(bundles.bundles_asked()) > before and not table.from_disk)


class SlowDisk:
    """Has every file read slowly, until it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.reads: list[str] = []
        load = Disk.load

        def slowly(disk: Disk) -> list[Shelf]:
            self.reads.append(threading.current_thread().name)
            self.begun.set()
            assert self.go_on.wait(20)
            return load(disk)

        monkeypatch.setattr(Disk, "load", slowly)


@pytest.fixture
def slow(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    assert disk.save(Holding([shelf("production", 5)]))
    return SlowDisk(monkeypatch)


def test_an_event_loop_goes_on_while_the_disk_is_read(slow: SlowDisk, path: Path) -> None:
    async def run() -> None:
        async with AsyncXr2(KEY, NOWHERE, snapshot=path, retries=0) as client:
            gets = [asyncio.create_task(client.get("a")) for _ in range(5)]
            many = asyncio.create_task(client.get_many(["a", "b"], fallbacks={"b": "none"}))
            assert await asyncio.to_thread(slow.begun.wait, 20)
            with pytest.raises(RequestTimeout):
                await client.get("a", timeout=0.01)
            assert (await client.get("a", timeout=0.01, fallback="x")).source == "fallback"
            assert not any(task.done() for task in gets)
            hub = client._core.hub
            assert hub.lock.acquire(blocking=False), "the lock is free meanwhile"
            hub.lock.release()
            gets[0].cancel()
            slow.go_on.set()
            assert [(await task).source for task in gets[1:]] == ["disk"] * 4
            assert (await many)["a"].text == "one"

    asyncio.run(run())
    assert len(slow.reads) == 1, "it is read once"
    assert slow.reads[0] != threading.main_thread().name


def test_a_call_waits_for_the_disk_as_long_as_it_has_time(slow: SlowDisk, path: Path) -> None:
    with Xr2(KEY, NOWHERE, snapshot=path, retries=0) as client:
        with pytest.raises(RequestTimeout):
            client.get("a", timeout=0.01)
        assert client.get("a", timeout=0.01, fallback="x").source == "fallback"
        began = time.monotonic()
        many = client.get_many(["a", "b"], timeout=0.1, fallbacks={"a": "x", "b": "y"})
        assert [prompt.source for prompt in many.values()] == ["fallback", "fallback"]
        assert time.monotonic() - began < 10
        slow.go_on.set()
        assert client.get("a", timeout=20).source == "disk"
    assert len(slow.reads) == 1
