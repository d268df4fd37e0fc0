"""How long a read from memory takes: `get`, `render`, and both, of a simple template with two variables.

    python bench/reads.py                                       # against a small server in this process
    XR2_URL=… XR2_API_KEY=… python bench/reads.py slug [--json]  # a running one; variables `name` and `product`

Prints the best and the median of nine rounds, in microseconds of processor time, and fails where the median of both is
over the limit. `--json` prints medians alone, of time on the clock, and leaves the verdict to the reader.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from xr2 import Prompt, Xr2

ROUNDS, CALLS = 9, 20_000
LIMIT = 15.0
"""Microseconds for `get` and `render` together."""
PATIENCE = 10.0
"""Seconds the stream may take to come about."""
PROMPT = {
    "id": "0198c9a0-0000-7000-8000-000000000001", "slug": "welcome", "title": "Welcome", "type": "text",
    "syntax": "simple", "content": "Hello {{ name }}, welcome to {{ product }}! What can we do for you today?",
    "version": 3, "label": "production", "rendered": False, "tags": ["demo"], "config": {"model": "gpt-4o"},
    "updated_at": "2026-11-21T21:00:00.000000Z",
    "variables": [{"name": "name", "type": "string", "required": True}, {"name": "product", "type": "string"}],
}  # fmt: skip


class Server(BaseHTTPRequestHandler):
    """A bundle of one prompt, a stream with nothing on it, an ear for reports."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        """Bundle, stream or prompt."""
        if "/stream" in self.path:
            frame = b'event: hello\nid: 1\ndata: {"revision":1,"heartbeat":15}\n\n'
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(frame)
            threading.Event().wait()
        prompts = {"revision": 1, "label": "production", "prompts": [PROMPT]}
        self._answer(200, {"data": prompts if "/bundle" in self.path else PROMPT})

    def do_POST(self) -> None:
        """A report."""
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(202, {"data": {"accepted": 0}})

    def _answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("X-XR2-Revision", "1")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def serve() -> str:
    """Start the server; return its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def measure(work: Callable[[], object]) -> list[tuple[float, float]]:
    """Microseconds of processor time, and on the clock, for each call, in each round."""
    rounds = []
    for _ in range(ROUNDS):
        spent, began = time.thread_time(), time.perf_counter()
        for _ in range(CALLS):
            work()
        took, spent = time.perf_counter() - began, time.thread_time() - spent
        rounds.append((spent / CALLS * 1e6, took / CALLS * 1e6))
    return rounds


def from_stream(client: Xr2, slug: str) -> Prompt:
    """The prompt, which the stream must be keeping current: else what is measured is something else."""
    prompt = client.get(slug)
    if prompt.source != "stream":
        raise SystemExit(f"the prompt is read from {prompt.source!r}, not from the stream")
    return prompt


def main() -> int:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("slug", nargs="?", default="welcome")
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    slug = chosen.slug
    url = os.environ.get("XR2_URL") or serve()
    with Xr2(os.environ.get("XR2_API_KEY") or "xr2_bench_0123456789abcdef", url) as client:
        ends_at = time.monotonic() + PATIENCE
        while client.get(slug).source != "stream" and time.monotonic() < ends_at:
            time.sleep(0.01)
        prompt = from_stream(client, slug)
        results = {
            "get": measure(lambda: client.get(slug)),
            "render": measure(lambda: prompt.render(name="Ada", product="xr2").text),
            "get and render": measure(lambda: client.get(slug).render(name="Ada", product="xr2").text),
        }
        from_stream(client, slug)
    runtime = f"{platform.python_implementation()} {platform.python_version()}"
    if chosen.json:
        rows = {name: statistics.median(took for _, took in rounds) for name, rounds in results.items()}
        print(json.dumps({"runtime": runtime, "rows": rows}))
        return 0
    medians = {name: statistics.median(spent for spent, _ in rounds) for name, rounds in results.items()}
    print(f"{runtime}, {platform.machine()}, µs per call (best, median of {ROUNDS})")
    for name, rounds in results.items():
        print(f"{name:>15}: {min(spent for spent, _ in rounds):6.2f} {medians[name]:6.2f}")
    return 0 if medians["get and render"] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
