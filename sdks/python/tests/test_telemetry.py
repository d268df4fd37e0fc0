"""Counting reads, reporting them, and marking the caller's span."""

from __future__ import annotations

import gc
import sys
import threading
import types
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter_ns
from typing import Any

import pytest

from fakeserver import KEY, FakeServer, failure
from xr2 import Xr2
from xr2._otel import mark_span
from xr2._snapshot import Snapshot
from xr2._telemetry import BEAT_EVERY, FLUSH_EVERY, MOST_EVENTS, MOST_TOTALS, MOST_TOUCHED, Reporter, Tally
from xr2.errors import RateLimited, ServerError, ValidationFailed

Make = Callable[..., Xr2]
Eventually = Callable[..., Any]


def copy_of(slug: str, version: int = 1, **more: Any) -> Snapshot:
    return Snapshot({"id": f"id-{slug}", "slug": slug, "version": version, "label": "production", **more}, {})


def nothing(_: Any) -> list[dict[str, Any]]:
    return []


def settled(client: Xr2, eventually: Eventually, slug: str = "a") -> None:
    eventually(lambda: client.get(slug, fallback="").source == "stream")


def counts(reports: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    for event in {event["id"]: event for report in reports for event in report["events"]}.values():
        found[event["prompt"], event["version"], event["label"], event["variant"]] += event["count"]
    return found


def test_reads_are_added_up_and_sent(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda _: [client.get("a") for _ in range(100)], range(50)))
    client.close()
    found = counts(bundles.reports)
    assert found.keys() == {("id-a", 1, "production", None)}
    asked = [seen for seen in bundles.fetches() if seen.path.endswith("/a")]
    assert found["id-a", 1, "production", None] >= 5001 - len(asked)
    last = bundles.reports[-1]
    assert last["instance"] == bundles.reports[0]["instance"]
    assert last["sdk"].startswith("python/")
    assert last["revision"] == bundles.revision
    assert last["serving"][0].items() >= {"prompt": "id-a", "label": "production", "version": 1}.items()


@pytest.mark.parametrize("limit", [0, 3])
def test_reads_are_told_where_no_bundle_is_held(
    bundles: FakeServer, shared: Make, eventually: Eventually, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr("xr2._telemetry.FLUSH_EVERY", 0.1)
    for index in range(5):
        bundles.put(f"p{index}", "one")
    client = shared(bundle_limit=limit)
    settled(client, eventually, "p0")
    for _ in range(100):
        client.get("p0")
    read = ("id-p0", 1, "production", None)
    eventually(lambda: counts(bundles.reports)[read] >= 100)
    for _ in range(100):
        client.get("p0")
    client.close()
    assert counts(bundles.reports)[read] >= 200
    assert all("revision" not in report for report in bundles.reports)
    assert any(report["stream"] for report in bundles.reports)


def test_a_new_revision_is_reported_soon(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    eventually(lambda: bundles.reports)
    bundles.put("a", "two")
    eventually(lambda: bundles.reports[-1]["revision"] == bundles.revision)
    bundles.put("a", "three")
    eventually(lambda: bundles.reports[-1]["revision"] == bundles.revision)


def test_nothing_is_told_where_nothing_is_to_be(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared(telemetry=False)
    settled(client, eventually)
    client.close()
    assert bundles.reports == []


def test_failing_reports_disturb_nobody(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    refused = threading.Event()

    def refuse(seen: Any) -> Any:
        if not seen.path.endswith("/telemetry"):
            return None
        refused.set()
        return failure(503, "UNAVAILABLE", "down")

    bundles.rules.append(refuse)
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    assert refused.wait(5)
    assert client.get("a").source == "stream"
    assert client.connected


def test_a_key_that_is_refused_by_the_telemetry_is_refused(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.put("a", "one")
    bundles.rules.append(
        lambda seen: failure(401, "UNAUTHENTICATED", "no") if seen.path.endswith("/telemetry") else None
    )
    client = shared()
    client.get("a")
    hub = client._core.hub
    eventually(lambda: hub.reporter is not None and hub.reporter.failing)
    eventually(lambda: client.get("a", fallback="").text == "one")


def test_flushes_beats_and_retries() -> None:
    tally = Tally()
    reporter = Reporter(tally, 100.0)
    assert reporter.due_at((5, 0, False)) == 100.0
    assert reporter.next(5, nothing, 100.0).json["events"] == []
    reporter.sent(100.1)
    assert 100 + FLUSH_EVERY / 2 <= reporter.due_at((5, 0, False)) <= 100 + FLUSH_EVERY
    assert reporter.due_at((6, 0, False)) == 101.0
    copy = copy_of("a")
    for _ in range(3):
        tally.count(copy, perf_counter_ns())
    first = reporter.next(5, nothing, 112.0).json
    assert [event["count"] for event in first["events"]] == [3]
    assert 0 < first["events"][0]["latency_us"] < 1_000_000
    assert first["stream"] is False
    assert reporter.due_at((5, 1, True)) == 113.0, "whether it streams is told at once"
    reporter.failed(ServerError("down", status=503), 112.0)
    tally.count(copy, perf_counter_ns())
    again = reporter.next(5, nothing, 130.0).json
    assert again["events"] == first["events"], "the same ids: nothing counts twice"
    reporter.sent(130.0)
    assert reporter.unsent
    assert [event["count"] for event in reporter.next(5, nothing, 141.0).json["events"]] == [1]
    reporter.sent(141.0)
    assert not reporter.unsent
    assert reporter.due_at((5, 1, False)) <= 141 + BEAT_EVERY
    reporter.failed(RateLimited("slow", status=429, retry_after=20), 141.0)
    assert reporter.due_at((9, 1, False)) >= 161.0


def test_what_the_server_will_never_take_is_dropped() -> None:
    tally = Tally()
    reporter = Reporter(tally, 0.0)
    tally.count(copy_of("a"), perf_counter_ns())
    assert reporter.next(1, nothing, 50.0).json["events"]
    reporter.failed(ValidationFailed("no", status=422), 50.0)
    assert (reporter.unsent, reporter.dropped) == (False, 1)


def test_memory_is_bounded_while_the_server_is_away() -> None:
    tally = Tally()
    reporter = Reporter(tally, 0.0)
    for index in range(MOST_TOTALS + 50):
        tally.count(copy_of(f"p{index}"), perf_counter_ns())
    tally.count(copy_of("p0"), perf_counter_ns())
    assert reporter.unsent
    assert reporter.dropped == 50
    sent = 0
    now = 20.0
    while reporter.unsent:
        events = reporter.next(1, nothing, now).json["events"]
        assert len(events) <= MOST_EVENTS
        sent += sum(event["count"] for event in events)
        reporter.sent(now)
        now += 1
    assert sent == MOST_TOTALS + 1
    assert reporter.used == MOST_EVENTS


def test_copies_that_nobody_collects_are_let_go_of() -> None:
    tally = Tally()
    for number in range(5 * MOST_TOUCHED):
        tally.count(copy_of(f"p{number % 10}"), perf_counter_ns())
    assert sum(isinstance(thing, Snapshot) for thing in gc.get_objects()) <= 2 * MOST_TOUCHED
    assert sorted(count for _, count, _ in tally.collect()) == [MOST_TOUCHED // 2] * 10
    for number in range(2 * MOST_TOTALS):
        tally.count(copy_of(f"q{number}"), perf_counter_ns())
    assert len(tally.collect()) == MOST_TOTALS
    assert tally.dropped == MOST_TOTALS


def test_without_a_revision_nothing_is_urgent() -> None:
    tally = Tally()
    reporter = Reporter(tally, 100.0)
    due = reporter.due_at((None, 0, False))
    assert 100 + FLUSH_EVERY / 2 <= due <= 100 + FLUSH_EVERY
    tally.count(copy_of("a"), perf_counter_ns())
    body = reporter.next(None, nothing, due).json
    assert "revision" not in body
    assert [event["count"] for event in body["events"]] == [1]
    reporter.sent(due)
    assert reporter.due_at((None, 1, True)) == due + FLUSH_EVERY
    assert reporter.due_at((7, 1, True)) == due + 1, "the first bundle is told at once"
    reporter.failed(ServerError("down", status=503), due + FLUSH_EVERY)
    assert reporter.due_at((None, 1, True)) > due + FLUSH_EVERY


def test_versions_labels_and_variants_are_told_apart() -> None:
    tally = Tally()
    for copy in (copy_of("a"), copy_of("a", 2), copy_of("a", label="staging"), copy_of("a", ab_test={"variant": "b"})):
        tally.count(copy, perf_counter_ns())
        tally.count(copy, perf_counter_ns())
    collected = tally.collect()
    assert all(0 < spent < 1e9 for *_, spent in collected)
    assert sorted(str((read, count)) for read, count, _ in collected) == sorted(
        map(str, [(("id-a", 1, "production", None), 2), (("id-a", 2, "production", None), 2),
                  (("id-a", 1, "staging", None), 2), (("id-a", 1, "production", "b"), 2)])
    )  # fmt: skip
    assert tally.collect() == []


class Span:
    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}
        self.recording = True

    def is_recording(self) -> bool:
        return self.recording

    def set_attribute(self, name: str, value: Any) -> None:
        self.attributes[name] = value


def test_the_current_span_is_marked(
    bundles: FakeServer, shared: Make, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    span = Span()
    trace = types.ModuleType("opentelemetry.trace")
    trace.get_current_span = lambda: span  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", trace)
    bundles.put("a", "one")
    client = shared()
    expected = {"xr2.prompt.slug": "a", "xr2.prompt.version": 1, "xr2.prompt.label": "production"}
    client.get("a")
    assert span.attributes == expected
    settled(client, eventually)
    span.attributes.clear()
    client.get("a")
    assert span.attributes == expected
    span.attributes.clear()
    bundles.put("b", "x", ab_test={"id": "t", "variant": "blue"}, announce=False)
    client.get("b", user_id="u")
    assert span.attributes["xr2.prompt.variant"] == "blue"
    span.recording = False
    span.attributes.clear()
    client.get("a")
    assert span.attributes == {}
    monkeypatch.setattr(trace, "get_current_span", lambda: 1 / 0)
    assert client.get("a").text == "one"


def test_a_later_prompt_leaves_nothing_of_an_earlier_one_on_the_span(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

    bundles.put("plain", "x")
    bundles.put("tested", "y", ab_test={"id": "t", "variant": "blue"})
    client = shared()
    settled(client, eventually, "plain")
    with trace.use_span(TracerProvider().get_tracer("test").start_span("work"), end_on_exit=True) as span:
        assert isinstance(span, ReadableSpan)

        def marks() -> list[Any]:
            told = dict(span.attributes or {})
            return [told.get(f"xr2.prompt.{name}") for name in ("slug", "version", "label", "variant")]

        client.get("plain")
        assert marks() == ["plain", 1, "production", None]
        client.get("tested", user_id="u")
        assert marks() == ["tested", 1, "production", "blue"]
        client.get("plain")
        assert marks() == ["plain", 1, "production", ""]
        client.get("tested")
        assert client.get("nothing", fallback="plan b").is_fallback
        assert marks() == ["nothing", 0, "production", ""]
        client.get("plain", version=1)
        assert marks() == ["plain", 1, "", ""]


def test_a_span_that_does_not_say_what_it_holds_is_told_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def __init__(self) -> None:
            self.told: dict[str, Any] = {}

        def is_recording(self) -> bool:
            return True

        def set_attribute(self, name: str, value: Any) -> None:
            self.told[name] = value

    span = Silent()
    trace = types.ModuleType("opentelemetry.trace")
    trace.get_current_span = lambda: span  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", trace)
    mark_span({"slug": "a", "version": 2, "ab_test": {"variant": "b"}}, "a", "production")
    mark_span({}, "c", "production")
    assert list(span.told.values()) == ["c", 0, "production", ""]


def test_the_last_report_goes_out_when_the_program_ends(bundles: FakeServer, eventually: Eventually) -> None:
    import subprocess

    bundles.put("a", "one")
    program = (
        "import time\nfrom xr2 import Xr2\n"
        f"client = Xr2({KEY!r}, {bundles.url!r})\n"
        "while client.get('a').source != 'stream': time.sleep(0.002)\n"
        "for _ in range(500): client.get('a')\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=30)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")
    eventually(lambda: sum(counts(bundles.reports).values()) >= 500)
