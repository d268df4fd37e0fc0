"""A server of one's own, to be killed and started again. ``XR2_TEST_BINARY`` names the program."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from .conftest import Live

PATIENCE = 60.0


class OwnServer:
    """See the module's text."""

    def __init__(self, folder: Path) -> None:
        binary = os.environ.get("XR2_TEST_BINARY")
        if not binary:
            pytest.fail("XR2_TEST_BINARY is not set: it names the server to start and to kill", pytrace=False)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        credentials = folder / "credentials.json"
        self._log = folder / "log"
        self._command = [
            binary, "serve", "--demo", "--listen", f"127.0.0.1:{port}",
            "--data-dir", str(folder / "data"), "--credentials-file", str(credentials),
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self.start()
        keys = json.loads(credentials.read_text())
        self.live = Live(self.url, keys["api_key"], keys["admin_api_key"])

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)  # noqa: S603
        ends_at = time.monotonic() + PATIENCE
        while not self._ready():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < ends_at, self._log.read_text()
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready").is_success
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """Kill it without a word."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """The end."""
        self.kill()
        self.live.http.close()
