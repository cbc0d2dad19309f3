"""The web application: the OAI endpoint and the pages, put together, and the server for it."""

from __future__ import annotations

import logging
import socket
import threading
from typing import Any

from flask import Flask, Response, g, request

import api
import dashboard
import oai_endpoint
from adapters.source import folders, load_usable
from chm_hub import logs, views
from chm_hub.errors import SourceError
from chm_hub.settings import Settings
from store import Store, open_store

log = logging.getLogger("chm_hub.web")


def create_app(settings: Settings, store: Store | None = None) -> Flask:
    """The application. Opens the store on its own (in each worker, after the fork) unless
    it is given one."""
    opened = store or open_store(settings)
    app = _Application("chm_hub", static_folder=None)
    declared = views.load(views.folders(settings))
    sources, faults = load_usable(folders(settings))
    for fault in "\n".join(faults.values()).splitlines():  # one's mistake is not the others' (P5)
        log.warning("left out: %s", fault)
    titles = {source.id: source.declared.title for source in sources.values()}
    app.register_blueprint(oai_endpoint.blueprint(opened, settings, declared, titles))
    app.register_blueprint(api.blueprint(opened, settings))
    app.register_blueprint(dashboard.blueprint(opened, settings))
    watched = dashboard.watch_blueprint(opened, settings, list(sources.values()), len(faults))
    app.register_blueprint(watched)
    app.register_error_handler(500, _fault)
    app.after_request(dashboard.headers)
    return app


class _Application(Flask):
    def log_exception(self, exc_info: Any) -> None:
        """Log a fault of ours with its trace; who asked gets the id of the line alone."""
        g.error_id = logs.report(log, "a fault of the hub itself", exc_info[1], path=request.path)


def _fault(_: Any) -> Response:
    return Response(
        "The hub made a mistake. Whoever runs it finds what happened in its log under "
        f"{g.get('error_id', 'its time')}.\n",
        500,
        mimetype="text/plain",
    )


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve under gunicorn until told to stop."""
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in {
                "bind": f"{_bracketed(host)}:{port}",
                "workers": workers,
                "threads": 4,
                "worker_class": "gthread",
                "timeout": 60,
                "graceful_timeout": 10,
                "limit_request_line": 8190,
                "accesslog": None,
                "loglevel": "warning",
                "proc_name": "chm-hub",
                "control_socket_disable": True,
            }.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Flask:
            return create_app(settings)

    check_port(host, port)
    Server().run()


class Background:
    """The application served by a thread of this process, for `demo` and tests."""

    def __init__(self, settings: Settings, host: str, port: int, store: Store) -> None:
        from werkzeug.serving import make_server

        check_port(host, port)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server: Any = make_server(host, port, create_app(settings, store), threaded=True)
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Background:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def check_port(host: str, port: int) -> None:
    """Raise :class:`SourceError` if a port is taken, before anything else is started."""
    if port == 0:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SourceError(
                f"{_bracketed(host)}:{port}: cannot listen there: {error.strerror}. Another "
                f"program has the port, or it is not ours to take; choose one: --port {port + 1}"
            ) from error


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
