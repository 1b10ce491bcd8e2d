"""A page in headless Chromium, by its DevTools protocol: what it asks for, says and shows.

``python tests/chromium.py PAGE PICTURE [SELECTOR]`` saves its first window, or an element, as PNG.
"""

import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websocket

BINARY = shutil.which("chromium") or shutil.which("chromium-browser")
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--no-first-run", "--hide-scrollbars", "--remote-debugging-port=0"),
)
_PATIENCE = 60  # seconds


class Tab:
    """A tab of the browser."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.count = 0

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol; what the browser says meanwhile is kept."""
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while True:
            said = json.loads(self.socket.recv())
            if said.get("id") == self.count:
                assert "error" not in said, said
                return said["result"]
            self.events.append(said)

    def run(self, script: str) -> Any:
        """The value of an expression on the page; a promise is waited for."""
        options = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        done = self.call("Runtime.evaluate", expression=script, **options)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until an expression on the page is true."""
        end = time.monotonic() + _PATIENCE
        while not self.run(script):
            assert time.monotonic() < end, f"never true: {script}; {self.errors()}"
            time.sleep(0.05)

    def open(self, page: Path, width: int = 1280, height: int = 800, look: str = "light") -> None:
        """Open a file of the disk and wait until its charts are drawn."""
        for domain in ("Network", "Runtime", "Log", "Page"):
            self.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": "prefers-color-scheme", "value": look}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.events.clear()
        self.call("Page.navigate", url=page.resolve().as_uri())
        self.wait("document.documentElement?.hasAttribute('data-drawn') ?? false")

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def requests(self) -> list[str]:
        """Addresses of all that was asked for, but for what the page holds itself."""
        sent = [e["params"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        urls = [each["request"]["url"] for each in sent]
        return [url for url in urls if not url.startswith(("data:", "blob:"))]

    def errors(self) -> list[str]:
        """Errors and warnings that the page, or the browser about it, wrote to the console."""
        found = []
        for event in self.events:
            params = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                found.append(str(params["exceptionDetails"]))
            elif event["method"] == "Runtime.consoleAPICalled" and params["type"] != "log":
                found.append(str(params["args"]))
            elif event["method"] == "Log.entryAdded":
                found.append(str(params["entry"]))
        return found

    def picture(self, path: Path, selector: str = "") -> None:
        """Save the window, or an element of the page with some margin, as PNG."""
        options: dict[str, Any] = {}
        if selector:
            box = f"document.querySelector('{selector}').getBoundingClientRect()"
            get = f"(({{left, top, width, height}}) => [left, top + scrollY, width, height])({box})"
            left, top, width, height = self.run(get)
            clip = {"x": left - 16, "y": top, "width": width + 32, "height": height + 16}
            options = {"clip": {**clip, "scale": 1}, "captureBeyondViewport": True}
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", **options)["data"]))


@contextmanager
def browser() -> Iterator[Tab]:
    """A tab of a browser of its own, which is ended afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [str(BINARY), *_OPTIONS, f"--user-data-dir={folder}", "about:blank"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            try:
                socket = websocket.create_connection(
                    _address(Path(folder)), timeout=_PATIENCE, suppress_origin=True
                )
                try:
                    yield Tab(socket)
                finally:
                    socket.close()
            finally:
                run.terminate()


def _address(folder: Path) -> str:
    """Where the browser listens to what is asked of its tab."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            port = (folder / "DevToolsActivePort").read_text().split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5) as answer:
                tabs = [tab for tab in json.load(answer) if tab["type"] == "page"]
            return tabs[0]["webSocketDebuggerUrl"]
        except (OSError, IndexError):
            time.sleep(0.05)
    raise AssertionError("Chromium did not start")


if __name__ == "__main__":
    page, picture, *selector = sys.argv[1:]
    with browser() as tab:
        tab.open(Path(page), height=1150)
        tab.picture(Path(picture), *selector)
