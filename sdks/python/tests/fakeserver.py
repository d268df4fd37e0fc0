"""A small xr2 server in this process, over real sockets, that can be told to fail in every way.

It speaks the part of the API the client needs; the tests in ``tests/live`` run against the real one.
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "xr2_test_key_0123456789abcdef"


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Reply:
    """An answer that a test prescribes."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Rule = Callable[[Seen], Reply | None]


class FakeServer:
    """State shared by all connections. Rules are asked first; without one the server behaves."""

    def __init__(self, port: int = 0, *, bundles: bool = False) -> None:
        self.bundles = bundles
        self.page = 1000
        self.heartbeat_seconds = 15.0
        self.log: list[tuple[int, str, dict[str, Any]]] = []
        self.window = 10_000
        self.resumes = True
        self.reports: list[dict[str, Any]] = []
        self.revision = 1
        self.prompts: dict[str, dict[str, Any]] = {}
        self.seen: list[Seen] = []
        self.rules: list[Rule] = []
        self.valid_key = True
        self.hello = True
        self.send_revision = True
        self.stale: int | None = None
        """Seconds for which this node has been cut off from its database, as it says of itself."""
        self.cut = 0
        self.stopped = threading.Event()
        self._streams: list[tuple[queue.Queue[bytes | None], str | None]] = []
        self._sockets: set[socket.socket] = set()
        self._lock = threading.RLock()
        self.changed = threading.Condition()
        self._httpd = _Server(("127.0.0.1", port), _Handler)
        self._httpd.fake = self
        self.port = self._httpd.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._httpd.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    # ---- what tests do ----

    def put(self, slug: str, content: str | None = None, *, announce: bool = True, **more: Any) -> None:
        """Publish a text to production."""
        with self._lock:
            self.revision += 1
            before = self.prompts.get(slug, {"versions": []})
            number = len(before["versions"]) + 1
            version = {"number": number, "content": content, **more}
            self.prompts[slug] = {
                "versions": [*before["versions"], version],
                "labels": {**before.get("labels", {}), "production": number},
            }
        self._log(slug, announce=announce)
        if announce and not self.bundles:
            self.announce(slug, number)

    def remove(self, slug: str, *, announce: bool = True) -> None:
        """Delete a prompt."""
        with self._lock:
            self.revision += 1
            del self.prompts[slug]
        self._log(slug, announce=announce)
        if announce and not self.bundles:
            self.announce(slug, None)

    def label(self, slug: str, label: str, version: int) -> None:
        """Move another label."""
        with self._lock:
            self.revision += 1
            self.prompts[slug]["labels"][label] = version
        self._log(slug, label=label)

    def rename(self, slug: str, new: str) -> None:
        """Give a prompt another slug; the former one goes on delivering."""
        with self._lock:
            self.revision += 1
            prompt = self.prompts.pop(slug)
            former = [*prompt.get("former", []), slug]
            self.prompts[new] = {**prompt, "former": former, "id": prompt.get("id", f"id-{slug}")}
        self._log(new)

    def _log(self, slug: str, *, announce: bool = True, label: str = "production") -> None:
        """Note a change as the stream tells it, and tell it unless it is to get lost on the way."""
        with self._lock:
            item = self.item(slug, label)
            gone = {"id": f"id-{slug}", "slug": slug, "label": label}
            body = {"prompt": item} if item is not None else gone
            entry = (self.revision, "put" if item is not None else "delete", {"revision": self.revision, **body})
            self.log.append(entry)
        if announce and self.bundles:
            self._tell(entry)

    def _tell(self, entry: tuple[int, str, dict[str, Any]]) -> None:
        revision, event, data = entry
        label = data.get("label") or data["prompt"]["label"]
        mark = _frame("mark", revision, {"revision": revision})
        with self._lock:
            for stream, wanted in self._streams:
                if wanted in (None, label):
                    stream.put(_frame(event, revision, data))
                stream.put(mark)

    def item(self, slug: str, label: str) -> dict[str, Any] | None:
        """A prompt as bundles and frames carry it."""
        prompt = self.prompts.get(slug)
        version = _pick(prompt, {"label": label}) if prompt else None
        if prompt is None or version is None:
            return None
        item = _data(slug, version, {"label": label})
        if "former" in prompt:
            item |= {"former_slugs": prompt["former"], "id": prompt["id"]}
        return item

    def announce(self, slug: str, version: int | None, label: str = "production") -> None:
        """Tell the streams."""
        data = {"slug": slug, "prompt_id": f"id-{slug}", "label": label, "version": version}
        self.emit("changed", {**data, "revision": self.revision, "at": "2026-11-21T21:00:00.000000Z"})

    def emit(self, event: str, data: Any) -> None:
        """Send an event to every stream."""
        self._send(_frame(event, self.revision, data))

    def _send(self, block: bytes) -> None:
        with self._lock:
            for stream, _ in self._streams:
                stream.put(block)

    def bundles_asked(self) -> list[Seen]:
        """The bundles asked for."""
        return [seen for seen in list(self.seen) if seen.path.endswith("/bundle")]

    def streams_asked(self) -> list[Seen]:
        """The streams asked for."""
        return [seen for seen in list(self.seen) if seen.path.endswith("/stream")]

    def heartbeat(self) -> None:
        """Send a sign of life."""
        self._send(b": ping\n\n")

    def drop_streams(self) -> None:
        """End every stream."""
        with self._lock:
            for stream, _ in self._streams:
                stream.put(None)

    def stream_count(self) -> int:
        """How many streams are open."""
        with self._lock:
            return len(self._streams)

    def fetches(self, slug: str | None = None) -> list[Seen]:
        """The deliveries asked for."""
        wanted = "/api/v1/prompts/" + (slug or "")
        return [seen for seen in list(self.seen) if seen.method == "GET" and seen.path.startswith(wanted)]

    def stop(self) -> None:
        """Stop as if killed: connections break."""
        if self.stopped.is_set():
            return
        self.stopped.set()
        self.drop_streams()
        self._httpd.shutdown()
        with self._lock:
            for connection in self._sockets:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._httpd.server_close()
        self._thread.join()

    # ---- what connections do ----

    def answer(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
        for rule in list(self.rules):
            reply = rule(seen)
            if reply is not None:
                return reply
        if not self.valid_key or seen.headers.get("authorization") != f"Bearer {KEY}":
            return failure(401, "UNAUTHENTICATED", "the API key is not valid")
        if seen.path.endswith("/render"):
            return self._render(seen)
        if seen.path in ("/api/v1/bundle", "/api/v1/telemetry"):
            if not self.bundles:
                return failure(404, "NOT_FOUND", "no such route")
            return self._bundle(seen) if seen.path.endswith("/bundle") else self._take_report(seen)
        return self._deliver(seen)

    def _deliver(self, seen: Seen) -> Reply:
        slug = unquote(seen.path.rsplit("/", 1)[1])
        with self._lock:
            prompt, revision = self.prompts.get(slug), self.revision
        version = _pick(prompt, seen.query) if prompt else None
        if version is None:
            return failure(404, "NOT_FOUND", "prompt not found")
        headers = {"ETag": f'"{slug}-{version["number"]}"', "Cache-Control": "private, no-cache", **self._standing()}
        if self.send_revision:
            headers["X-XR2-Revision"] = str(revision)
        if seen.headers.get("if-none-match") == headers["ETag"]:
            return Reply(304, None, headers)
        return Reply(200, {"success": True, "data": _data(slug, version, seen.query), "meta": {}}, headers)

    def _standing(self) -> dict[str, str]:
        return {} if self.stale is None else {"X-XR2-Stale": str(self.stale)}

    def _bundle(self, seen: Seen) -> Reply:
        label = seen.query["label"]
        with self._lock:
            revision = self.revision
            if int(seen.headers.get("x-xr2-min-revision", 0)) > revision:
                return failure(503, "UNAVAILABLE", "this server has not reached that revision yet")
            items = [item for slug in sorted(self.prompts) if (item := self.item(slug, label)) is not None]
        headers = {"ETag": f'"r{revision}-{label}"', "X-XR2-Revision": str(revision), **self._standing()}
        if seen.headers.get("if-none-match") == headers["ETag"]:
            return Reply(304, None, headers)
        of, _, start = seen.query.get("cursor", f"{revision}:0").partition(":")
        if int(of) != revision:
            return failure(409, "CONFLICT", "the workspace has changed")
        end = int(start) + self.page
        meta = {"next_cursor": f"{revision}:{end}" if end < len(items) else None, "total": len(items)}
        data = {"revision": revision, "label": label, "prompts": items[int(start) : end]}
        return Reply(200, {"success": True, "data": data, "meta": meta}, headers)

    def _take_report(self, seen: Seen) -> Reply:
        with self._lock:
            self.reports.append(seen.body)
        data = {"accepted": len(seen.body["events"]), "duplicates": 0, "rejected": []}
        return Reply(202, {"success": True, "data": data})

    def _render(self, seen: Seen) -> Reply:
        slug = unquote(seen.path.split("/")[-2]).removeprefix("id-")
        version = _pick(self.prompts[slug], {"version": str(seen.body["version"])})
        assert version is not None
        data = _data(slug, version, seen.query)
        data |= {
            "rendered": True,
            "content": f"rendered v{version['number']} with {json.dumps(seen.body['variables'])}",
        }
        return Reply(200, {"success": True, "data": data, "meta": {}})

    @contextlib.contextmanager
    def stream(self, seen: Seen) -> Iterator[queue.Queue[bytes | None]]:
        own: queue.Queue[bytes | None] = queue.Queue()
        label = seen.query.get("label") if self.bundles else None
        with self._lock:
            if self.hello:
                about: dict[str, Any] = {"revision": self.revision, "heartbeat": self.heartbeat_seconds}
                if self.stale is not None:
                    about["stale"] = True
                last = int(seen.headers.get("last-event-id", self.revision)) if self.resumes else self.revision
                own.put(_frame("hello", min(last, self.revision), about))
                if self.bundles and self.resumes and "last-event-id" in seen.headers:
                    self._replay(own, last, label)
            self._streams.append((own, label))
        try:
            yield own
        finally:
            with self._lock:
                self._streams = [entry for entry in self._streams if entry[0] is not own]

    def _replay(self, own: queue.Queue[bytes | None], last: int, label: str | None) -> None:
        if last < self.revision - self.window or last > self.revision:
            own.put(_frame("resync", self.revision, {"revision": self.revision}))
            return
        for revision, event, data in self.log:
            if revision > last and label in (None, data.get("label") or data.get("prompt", {}).get("label")):
                own.put(_frame(event, revision, data))
        own.put(_frame("mark", self.revision, {"revision": self.revision}))


def _frame(event: str, revision: int, data: Any) -> bytes:
    return f"event: {event}\nid: {revision}\ndata: {json.dumps(data)}\n\n".encode()


def hang(server: FakeServer) -> Rule:
    """A rule by which the server accepts requests and stays silent."""

    def rule(seen: Seen) -> Reply | None:
        server.stopped.wait(20)
        return None

    return rule


def failure(status: int, code: str, message: str, **headers: str) -> Reply:
    """An error in the API's envelope."""
    error = {"code": code, "message": message, "details": {}, "request_id": "req-1"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"success": False, "error": error}, named)


def _pick(prompt: dict[str, Any], query: dict[str, str]) -> dict[str, Any] | None:
    number = int(query["version"]) if "version" in query else prompt["labels"].get(query.get("label", "production"))
    versions: list[dict[str, Any]] = prompt["versions"]
    return versions[number - 1] if number is not None and number <= len(versions) else None


def _data(slug: str, version: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
    data = {
        "id": f"id-{slug}", "slug": slug, "title": slug.title(), "type": "text", "syntax": "simple", "tags": ["t"],
        "config": {"model": "m", "nested": {"a": 1}}, "variables": [], "rendered": False,
        "label": None if "version" in query else query.get("label", "production"),
        "updated_at": "2026-11-21T21:00:00.000000Z",
    }  # fmt: skip
    return {**data, **version, "version": version["number"]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    fake: FakeServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.server.fake._lock:
            self.server.fake._sockets.add(self.connection)

    def finish(self) -> None:
        with self.server.fake._lock:
            self.server.fake._sockets.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/api/v1/stream":
            self._stream()
        else:
            self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _request(self, body: Any) -> Seen:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return Seen(self.command, parts.path, query, {k.lower(): v for k, v in self.headers.items()}, body)

    def _answer(self, body: Any) -> None:
        reply = self.server.fake.answer(self._request(body))
        with contextlib.suppress(OSError):
            self._reply(reply)

    def _reply(self, reply: Reply) -> None:
        text = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        if reply.status == 0:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        if reply.status == 304:
            text = b""
        else:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _stream(self) -> None:
        fake = self.server.fake
        seen = self._request(None)
        with fake._lock:
            fake.seen.append(seen)
        self.close_connection = True
        for rule in list(fake.rules):
            reply = rule(seen)
            if reply is not None:
                return self._reply(reply)
        if not fake.valid_key:
            return self._reply(failure(401, "UNAUTHENTICATED", "the API key is not valid"))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with fake.stream(seen) as events, contextlib.suppress(OSError):
            while (block := events.get()) is not None:
                self._write(block)
        return None

    def _write(self, block: bytes) -> None:
        size = self.server.fake.cut or len(block)
        for start in range(0, len(block), size):
            piece = block[start : start + size]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
            if self.server.fake.cut:
                time.sleep(0)  # let the reader run between two pieces
