"""Real forks: as gunicorn does it, and in the middle of everything."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from fakeserver import KEY, FakeServer
from watching import Eventually, Make, downloads, settled
from xr2 import Xr2
from xr2._disk import Disk, Holding, Shelf

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def test_fork(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    asked = downloads(bundles)
    for _ in range(1000):
        client.get("a")
    children = [os.fork() for _ in range(1)]
    if children == [0]:
        status = 1
        try:
            status = in_the_child(client)
        finally:
            os._exit(status)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0]
    assert downloads(bundles) == asked, "the child's stream goes on where the parent's stood"
    bundles.put("a", "two")
    eventually(lambda: client.get("a").text == "two")
    client.close()
    instances = {report["instance"] for report in bundles.reports}
    assert len(instances) == 2
    assert sum(event["count"] for report in bundles.reports for event in report["events"]) < 2000, (
        "the child does not tell the parent's reads again"
    )


def in_the_child(client: Xr2) -> int:
    """Gets the prompt from memory, with threads and a name of its own, and reports."""
    if client.get("a").text != "one":
        return 2
    ends_at = time.monotonic() + 60
    while client.get("a").source != "stream":
        if time.monotonic() > ends_at:
            return 3
        time.sleep(0.002)
    client.close()
    return 0


def test_forks_while_everything_moves(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    """Locks are held by other threads at the moment of the fork; no child may hang on one."""
    bundles.put("a", "0")
    client = shared()
    settled(client, eventually)
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            client.get("a")

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            bundles.put("a", str(number))

    threads = [threading.Thread(target=target) for target in (read, read, write)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            child = os.fork()
            if child == 0:
                os._exit(0 if client.get("a").text.isdigit() else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_a_fork_while_the_disk_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that reads it is the parent's: a child that waited for it would wait for ever."""
    nowhere = "http://127.0.0.1:9"
    item = {"id": "i", "slug": "a", "content": "one", "rendered": True}
    path = str(tmp_path / "xr2.snapshot")
    assert Disk(path, nowhere, KEY).save(Holding([Shelf("production", 7, None, [item])]))
    begun, go_on, load = threading.Event(), threading.Event(), Disk.load

    def slowly(disk: Disk) -> list[Shelf]:
        begun.set()
        assert go_on.wait(20)
        return load(disk)

    monkeypatch.setattr(Disk, "load", slowly)
    with Xr2(KEY, nowhere, snapshot=path, retries=0) as client:
        assert client.get("a", timeout=0.01, fallback="x").source == "fallback"
        assert begun.wait(20)
        child = os.fork()
        if child == 0:
            go_on.set()
            os._exit(0 if client.get("a", timeout=20, fallback="x").source == "disk" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        go_on.set()
        assert client.get("a", timeout=20).source == "disk"
