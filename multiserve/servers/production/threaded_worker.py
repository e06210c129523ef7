"""gunicorn's threaded worker, made to read the heads of requests without a thread, and to wait for nobody for ever."""

from __future__ import annotations

import errno
import selectors
import ssl
import time
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

from gunicorn import util
from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.sock import ssl_context
from gunicorn.workers.gthread import DEFAULT_WORKER_DATA_TIMEOUT, STOP_KEEPALIVE_LINGER, ThreadWorker

from multiserve.dispatch.threads import ThreadPool
from multiserve.servers.production.client_sockets import TLSClientSocket
from multiserve.servers.production.threaded_connection import Connection

_READ_AT_ONCE = 65536  # bytes
_LINGER = 2.0  # seconds for a client to take in the last response; gunicorn waits as long, but lets all others wait
_LONGEST_LINGER = 65536  # bytes that such a client may still send
_NO_MORE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_PAUSE = 1.0  # seconds until connections are accepted again after one of these
_OWN_FAULTS = {errno.EBADF, errno.EINVAL, errno.ENOTSOCK}  # all other errors are of one connection, see accept(2)


class _Threads(ThreadPool):
    """The pool, with what gunicorn's worker asks of one."""

    def shutdown(self, *, wait: bool) -> None:
        """Do nothing: the threads end with the process."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """Serves the composed application in a few threads, which hold no connection that waits for its client."""

    def init_process(self) -> None:
        """Prepare to serve in the process that has been forked."""
        self.patience: float = self.app.config.server.client_timeout
        # In the order of their deadlines, as each of the two has one timeout for all.
        self._reading: dict[Connection, None] = {}
        self._lingering: dict[Connection, int] = {}  # with the bytes that came meanwhile
        self._accepts_from = 0.0  # time.monotonic()
        cfg = self.cfg
        self._longest_head = cfg.limit_request_line + (cfg.limit_request_fields * (cfg.limit_request_field_size + 2))
        super().init_process()

    def get_thread_pool(self) -> _Threads:
        """Make the pool of threads."""
        return _Threads(self.cfg.threads, "request")

    @cached_property
    def tls(self) -> ssl.SSLContext | None:
        """The TLS settings; gunicorn would read the certificate for each connection anew."""
        if not self.cfg.is_ssl:
            return None
        context: ssl.SSLContext = ssl_context(self.cfg)
        context.sslsocket_class = TLSClientSocket
        return context

    # Connections come, and wait for their heads.

    def accept(self, listener: Any) -> None:
        """Accept a connection."""
        self._accept_one(listener)

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 (gunicorn calls it)
        """Accept connections, or leave them to others; at the end, take those that the system has accepted already."""
        if enabled and time.monotonic() < self._accepts_from:
            return  # gunicorn asks at each turn of its loop
        was_accepting = self._accepting
        super().set_accept_enabled(enabled)
        if enabled or self.alive or not was_accepting:
            return
        for listener in self.sockets:
            while listener.sock is not None and self.nr_conns < self.worker_connections and self._accept_one(listener):
                pass
            listener.close()  # what comes from now on is refused at once, and not when the process ends

    def _accept_one(self, listener: Any) -> bool:
        """Accept a connection; tell whether there was one."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in _NO_MORE:
                self.log.error("Cannot accept more connections: %s", error)  # noqa: TRY400 (it says all)
                self._accepts_from = time.monotonic() + _PAUSE
                self.set_accept_enabled(False)
            elif error.errno in _OWN_FAULTS:
                raise
            elif error.errno not in {errno.EAGAIN, errno.ECONNABORTED}:
                self.log.warning("Cannot accept a connection: %s", error)
            return False
        try:
            conn = Connection(self.cfg, sock, client, listener.getsockname(), self.patience, self.tls)
        except OSError:  # it has left again
            sock.close()
            return True
        self.nr_conns += 1
        self._wait_for_head(conn)
        return True

    def on_client_socket_readable(self, conn: Connection, client: Any) -> None:
        """Read the next request of a connection that was kept alive."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        conn.deadline = 0.0
        self._read_head(conn)

    def _wait_for_head(self, conn: Connection) -> None:
        conn.deadline = conn.deadline or time.monotonic() + self.patience
        self._reading[conn] = None
        self.poller.register(conn.sock, conn.event, partial(self._go_on_with_head, conn))

    def _go_on_with_head(self, conn: Connection, client: Any) -> None:
        self.poller.unregister(client)
        self._read_head(conn)

    def _read_head(self, conn: Connection) -> None:
        """Read what there is, and have the request answered once its head is complete."""
        try:
            is_complete = conn.read(self._longest_head)
        except OSError as error:
            self.log.debug("The client has left before its request was complete: %r", error)
            self._drop(conn)
            return
        except LimitRequestHeaders as error:
            self._reading.pop(conn, None)
            self.handle_error(None, conn.sock, conn.client, error)
            self._linger(conn)
            return
        if not is_complete:
            self._wait_for_head(conn)
            return
        self._reading.pop(conn, None)
        conn.deadline = 0.0
        self.enqueue_req(conn)

    def _make_room(self) -> None:
        """Close the connection that has waited longest without a request: many idle ones must not keep others out."""
        silent = next((conn for conn in self._reading if not conn.head), None)
        if self.keepalived_conns:
            conn = self.keepalived_conns.popleft()
            self.poller.unregister(conn.sock)
            self._drop(conn)
        elif silent:
            self.poller.unregister(silent.sock)
            self._drop(silent)

    # Threads answer, and the connection waits for the next request, or ends.

    def enqueue_req(self, conn: Connection) -> None:
        """Have a request answered in a thread."""
        self.tpool.submit(partial(self._answer, conn))

    def _answer(self, conn: Connection) -> None:
        is_kept = False
        try:
            is_kept = self.handle(conn)
        finally:
            self.method_queue.defer(self._finish, conn, is_kept)

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Answer one request; whatever the application raises concerns this request alone."""
        conn.sock.has_sent = conn.sock.is_lost = False
        req.headers = _join_cookies(req.headers)
        try:
            is_kept: bool = super().handle_request(req, conn)
        except Exception as error:
            if isinstance(error, OSError) and conn.sock.is_lost:
                self._give_up(error, conn)
                return False
            if not isinstance(error, (OSError, StopIteration)):
                raise  # gunicorn answers 500, or 400 if the body was wrong
            failure: BaseException = error  # gunicorn would take it for the client's, and answer nothing
        except BaseException as error:  # noqa: BLE001 (such as SystemExit, which would end the worker)
            failure = error
        else:
            return is_kept
        if conn.sock.has_sent:
            self.log.error("Error handling request %s", req.uri, exc_info=failure)
            return False
        raise RuntimeError(f"the application raised {failure!r}") from failure

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:  # noqa: FBT001 (gunicorn calls it)
        """Whether the connection can be reused: gunicorn waits 5 seconds for the rest of a body."""
        deadline = time.monotonic() + min(self.patience, DEFAULT_WORKER_DATA_TIMEOUT)
        return keepalive and bool(conn.parser.finish_body(deadline=deadline))

    def _give_up(self, error: OSError, conn: Connection) -> None:
        if isinstance(error, TimeoutError):
            self.log.info("A client kept the server waiting for more than %d s.", self.patience)
            if not conn.sock.has_sent:
                _refuse(conn)
        else:
            self.log.debug("The client has left: %r", error)

    def _finish(self, conn: Connection, is_kept: bool) -> None:  # noqa: FBT001 (called through a queue)
        """Keep a connection for the next request, or close it; in the main thread."""
        try:
            conn.sock.settimeout(0)
            if not is_kept:
                self._linger(conn)
                return
            conn.take_back()
            if conn.head or getattr(conn.sock, "pending", int)():  # TLS may hold what the poller does not see
                self._read_head(conn)
                return
            conn.set_timeout()
            if not self.alive:
                conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
            self.keepalived_conns.append(conn)
            callback = partial(self.on_client_socket_readable, conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, callback)
        except (OSError, ValueError):  # an application has closed it
            self._drop(conn)

    def _linger(self, conn: Connection) -> None:
        """Close a connection once its client has taken in the response (RFC 9112, section 9.6)."""
        try:
            conn.sock.finish_sending()
        except OSError:  # it has left
            self._drop(conn)
            return
        conn.deadline = time.monotonic() + _LINGER
        self._lingering[conn] = 0
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))

    def _drain(self, conn: Connection, client: Any) -> None:
        try:
            received = len(conn.sock.recv(_READ_AT_ONCE))
        except BlockingIOError:
            return
        except OSError:
            received = 0
        self._lingering[conn] += received
        if not received or self._lingering[conn] > _LONGEST_LINGER:
            self.poller.unregister(client)
            self._drop(conn)

    def _drop(self, conn: Connection) -> None:
        self._reading.pop(conn, None)
        self._lingering.pop(conn, None)
        self.nr_conns -= 1
        conn.close()

    # Deadlines pass.

    def murder_pending(self) -> None:
        """Give up the clients whose time is over; gunicorn calls this at least once a second."""
        self._expire(self._lingering, self._drop)
        self._expire(self._reading, self._refuse_slow, early=0.0 if self.alive else self.patience - _LINGER)
        if self.nr_conns >= self.worker_connections:
            self._make_room()  # not where a connection is accepted: the idle one may be among those to be read next

    def _expire(self, waiting: dict[Connection, Any], act: Callable[[Connection], None], early: float = 0.0) -> None:
        now = time.monotonic() + max(early, 0.0)
        while (conn := next(iter(waiting), None)) and conn.deadline <= now:
            self.poller.unregister(conn.sock)
            act(conn)

    def _refuse_slow(self, conn: Connection) -> None:
        """Refuse a client that has sent a part of a head; one that has sent nothing is not answered."""
        if not conn.head:
            self._drop(conn)
            return
        del self._reading[conn]
        _refuse(conn)
        self._linger(conn)


def _join_cookies(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join several Cookie headers as RFC 9113 does (section 8.2.3), not by a comma, which a value may contain."""
    cookies = [value for name, value in headers if name == "COOKIE"]
    if len(cookies) < 2:  # noqa: PLR2004 (there is nothing to join)
        return headers
    return [*(each for each in headers if each[0] != "COOKIE"), ("COOKIE", "; ".join(cookies))]


def _refuse(conn: Connection) -> None:
    try:
        util.write_error(conn.sock, 408, "Request Timeout", "")
    except OSError:
        conn.sock.is_lost = True
