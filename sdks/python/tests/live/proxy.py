"""A proxy before a real server: it counts, blocks streams as some companies' proxies do, and holds answers back."""

from __future__ import annotations

import contextlib
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

STREAM, BUNDLE, TELEMETRY = "/api/v1/stream", "/api/v1/bundle", "/api/v1/telemetry"
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Proxy:
    """See the module's text."""

    def __init__(self, upstream: str) -> None:
        address = urlsplit(upstream)
        self.upstream = (address.hostname or "127.0.0.1", address.port or 80)
        self.lock = threading.Lock()
        self.seen: list[tuple[str, int]] = []
        self.streams: list[http.client.HTTPConnection] = []
        self.blocked = False
        self.held: str | None = None
        self.caught = threading.Event()
        self.released = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answers(self, path: str) -> list[int]:
        """The statuses of all answers under a path."""
        with self.lock:
            return [status for seen, status in self.seen if seen == path]

    def asked_for_texts(self) -> int:
        """How often a client asked for prompts, be it one or all."""
        with self.lock:
            return sum(path not in (STREAM, TELEMETRY) for path, _ in self.seen)

    def block_streams(self) -> None:
        """From now on no stream gets through, and those that are open end."""
        self.blocked = True
        for stream in list(self.streams):
            with contextlib.suppress(OSError):
                if stream.sock is not None:
                    stream.sock.shutdown(2)

    def hold(self, path: str) -> None:
        """Keeps the next answer under a path until it is released."""
        self.caught.clear()
        self.released.clear()
        self.held = path

    def note(self, path: str, status: int) -> None:
        """An answer went out."""
        with self.lock:
            self.seen.append((path, status))

    def pause_if_held(self, path: str) -> None:
        """Waits where the answer was asked to wait."""
        if self.held == path:
            self.held = None
            self.caught.set()
            self.released.wait(30)

    def close(self) -> None:
        """Ends everything."""
        self.block_streams()
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.forward()

        def do_POST(self) -> None:
            self.forward()

        def forward(self) -> None:
            path = urlsplit(self.path).path
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if path == STREAM and proxy.blocked:
                return self.refuse(path)
            connection = http.client.HTTPConnection(*proxy.upstream, timeout=60)
            try:
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                connection.request(self.command, self.path, body or None, headers)
                if path == STREAM:
                    proxy.streams.append(connection)
                self.answer(path, connection.getresponse())
            except (OSError, http.client.HTTPException):
                self.close_connection = True
            finally:
                if connection in proxy.streams:
                    proxy.streams.remove(connection)
                connection.close()

        def refuse(self, path: str) -> None:
            proxy.note(path, 502)
            self.send_response(502)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def answer(self, path: str, response: http.client.HTTPResponse) -> None:
            whole = None if path == STREAM else response.read()
            proxy.pause_if_held(path)
            proxy.note(path, response.status)
            self.send_response(response.status)
            for name, value in response.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            if whole is not None:
                self.send_header("Content-Length", str(len(whole)))
                self.end_headers()
                self.wfile.write(whole)
                return
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            while piece := response.read1(65536):
                self.wfile.write(piece)
                self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Nothing: the tests say what matters."""

    return Handler
