"""As much of a W&B server as a run needs, and addresses at which there is none."""

import gzip
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "k" * 40


class Server(ThreadingHTTPServer):
    """Remembers what was sent.

    Attributes:
        history: rows of the run, as a server keeps them: by their line number.
        artifacts: names of artifacts that were announced.
        sweep: the sweep that was sent last, as YAML.
        commands: what agents are told to do, one at each heartbeat.
        status: what every request is answered with, unless it is 200.
        mute: whether it answers no question but who we are.
    """

    def __init__(self, status: int = 200, mute: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.mute = threading.Event() if mute else None
        self.status, self.history, self.artifacts = status, list[dict[str, Any]](), list[str]()
        self.sweep, self.commands = "", list[dict[str, Any]]()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may hang up when they please."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self._body()
        self._answer({})

    def do_POST(self) -> None:
        sent = json.loads(self._body() or b"{}")
        if self.server.status != 200:
            self._answer({}, self.server.status)
        elif self.path == "/graphql":
            named = re.search(r"(?:query|mutation)\s+(\w+)", sent.get("query") or "")
            self._query(named[1] if named else sent.get("operationName"), sent.get("variables") or {})
        else:
            rows = sent.get("files", {}).get("wandb-history.jsonl", {"offset": 0, "content": []})
            end = rows["offset"] + len(rows["content"])
            self.server.history[rows["offset"] : end] = map(json.loads, rows["content"])
            self._answer({})

    def _query(self, name: str | None, given: dict[str, Any]) -> None:
        if self.server.mute and name in ("RunResumeStatus", "UpsertBucket"):
            self.server.mute.wait()
        host, port = self.server.server_address[:2]
        project = {"id": "p", "name": "raincheck", "entity": {"id": "e", "name": "me"}}
        bucket = {"id": "b", "name": given.get("name"), "displayName": "", "config": "{}", "project": project}
        files = [{"name": file, "uploadUrl": f"http://{host!s}:{port}/file"} for file in given.get("files", [])]
        known = {"id": "p", "name": "raincheck", "entity": project["entity"], "bucket": self._kept(bucket)}
        answers: dict[str | None, Any] = {
            "RunResumeStatus": {"model": known},
            "UpsertBucket": {"upsertBucket": {"bucket": {**bucket, "historyLineCount": 0}, "inserted": True}},
            "CreateRunFiles": {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}},
            "ServerFeaturesQuery": {"serverInfo": {"features": []}},
            "ArtifactType": {"project": None},
            **self._sweeping(name, given, project),
        }
        if name == "CreateArtifact":  # storing files is more than this server can do
            self.server.artifacts.append(given["input"]["artifactCollectionName"])
            self._answer({"errors": [{"message": "no artifacts"}]}, 400)
        else:
            viewer = {"id": "u", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}
            self._answer({"data": answers.get(name, {"viewer": viewer})})

    def _sweeping(self, name: str | None, given: dict[str, Any], project: dict[str, Any]) -> dict[str | None, Any]:
        """What `wandb sweep` and `wandb agent` are answered."""
        server, agent = self.server, {"id": "a"}
        if name == "UpsertSweep":
            server.sweep = given["config"]
        told = [server.commands.pop(0)] if name == "Heartbeat" and server.commands else []
        sweep = {"id": "s", "name": "sweep1", "config": server.sweep, "project": project}
        return {
            "UpsertSweep": {"upsertSweep": {"sweep": sweep, "configValidationWarnings": []}},
            "SweepWithRuns": {"project": {"sweep": {**sweep, "runs": {"edges": []}}}},
            "CreateAgent": {"createAgent": {"agent": agent}},
            "Heartbeat": {"agentHeartbeat": {"agent": agent, "commands": json.dumps(told)}},
        }

    def _kept(self, bucket: dict[str, Any]) -> dict[str, Any] | None:
        """What a run needs to know to go on; None if there is no run yet."""
        rows = self.server.history
        last = json.dumps({key: value for row in rows for key, value in row.items()})
        counts = {"historyLineCount": len(rows), "logLineCount": 0, "eventsLineCount": 0}
        tails = {"historyTail": json.dumps([json.dumps(row) for row in rows[-1:]]), "eventsTail": "[]"}
        more = {"summaryMetrics": last, "tags": [], "wandbConfig": json.dumps({"t": 1})}
        return {**bucket, **counts, **tails, **more} if rows else None

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _answer(self, content: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Silent."""


@contextmanager
def serving(status: int = 200, mute: bool = False) -> Iterator[tuple[str, Server]]:
    """A server on a port of its own, and its address."""
    with Server(status, mute) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", server
        server.shutdown()
        if server.mute:
            server.mute.set()


@contextmanager
def black_hole() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def nobody() -> Iterator[str]:
    """An address that refuses connections."""
    with black_hole() as address:
        pass
    yield address
