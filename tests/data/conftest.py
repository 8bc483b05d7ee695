"""A cache of its own for each test, and a web server that serves what a test puts into a folder."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; no other source of files than the one a test names."""
    folder = tmp_path / "home"
    monkeypatch.setenv("D2L_HOME", str(folder))
    for name in ("D2L_DATA_DIR", "D2L_MIRROR", "D2L_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    return folder


@dataclass
class Site:
    """A web server on this machine: files in `folder` are served under `url`, requests are recorded."""

    folder: Path
    url: str = ""
    requests: list[str] = field(default_factory=list)

    def put(self, path: str, data: bytes) -> str:
        """Serve `data` under `path`; returns the address."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return f"{self.url}/{path}"


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: object, site: Site, **kwargs: object) -> None:
        self.site = site
        super().__init__(*args, directory=str(site.folder), **kwargs)

    def do_GET(self) -> None:
        self.site.requests.append(self.path)
        if self.path.startswith("/cut/"):  # announces a whole file and hangs up in the middle
            data = (self.site.folder / self.path[1:]).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A running web server."""
    site = Site(tmp_path / "site")
    site.folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, site=site))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield site
    server.shutdown()
    server.server_close()
    thread.join()
