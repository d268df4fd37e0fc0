"""How long a read from memory takes: `get`, `render`, and both, of a simple template with two variables.

    python bench/reads.py            # against a small server in this process
    XR2_URL=… XR2_API_KEY=… python bench/reads.py slug

Prints the best and the median of nine rounds, in microseconds, and fails where the median of both is over the limit.
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

from xr2 import Xr2

ROUNDS, CALLS = 9, 20_000
LIMIT = 15.0
"""Microseconds for `get` and `render` together."""
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


def measure(work: Callable[[], object]) -> list[float]:
    """Microseconds of processor time for each call, in each round."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        for _ in range(CALLS):
            work()
        rounds.append((time.thread_time() - began) / CALLS * 1e6)
    return rounds


def main() -> int:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("slug", nargs="?", default="welcome")
    slug = arguments.parse_args().slug
    url = os.environ.get("XR2_URL") or serve()
    with Xr2(os.environ.get("XR2_API_KEY") or "xr2_bench_0123456789abcdef", url) as client:
        ends_at = time.monotonic() + 10
        while client.get(slug).source != "stream":
            if time.monotonic() > ends_at:
                print("the stream did not come about", file=sys.stderr)
                return 2
            time.sleep(0.01)
        prompt = client.get(slug)
        results = {
            "get": measure(lambda: client.get(slug)),
            "render": measure(lambda: prompt.render(name="Ada", product="xr2")),
            "get and render": measure(lambda: client.get(slug).render(name="Ada", product="xr2").text),
        }
    print(f"CPython {platform.python_version()}, {platform.machine()}, µs per call (best, median of {ROUNDS})")
    for name, rounds in results.items():
        print(f"{name:>15}: {min(rounds):6.2f} {statistics.median(rounds):6.2f}")
    return 0 if statistics.median(results["get and render"]) <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
