"""The web application: the OAI endpoint and the pages, put together, and the server for it."""

from __future__ import annotations

import logging
import socket
import threading
from typing import Any

from flask import Flask

import dashboard
import oai_endpoint
from adapters.source import folders, load_sources
from chm_hub import views
from chm_hub.errors import SourceError
from chm_hub.settings import Settings
from store import Store, open_store


def create_app(settings: Settings, store: Store | None = None) -> Flask:
    """The application. Opens the store on its own (in each worker, after the fork) unless
    it is given one."""
    opened = store or open_store(settings)
    app = Flask("chm_hub", static_folder=None)
    declared = views.load(views.folders(settings))
    app.register_blueprint(oai_endpoint.blueprint(opened, settings, declared, _titles(settings)))
    app.register_blueprint(dashboard.blueprint(opened, settings))
    app.after_request(dashboard.headers)
    return app


def _titles(settings: Settings) -> dict[str, str]:
    """The sources' titles. What is wrong with a source's file must not stop the web."""
    try:
        sources = load_sources(folders(settings))
    except SourceError as error:
        logging.getLogger(__name__).warning("sources go by their identifiers: %s", error)
        return {}
    return {source.id: source.declared.title for source in sources.values()}


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
