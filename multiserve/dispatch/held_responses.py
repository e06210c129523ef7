"""Responses of WSGI that hold something, such as a thread or a tenant, until the server closes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from multiserve._types import WSGIEnvironment


class Once:
    """Something to be done once, however often and by whichever thread it is asked for."""

    def __init__(self, act: Callable[[], object]) -> None:
        """Keep the callback; only the first call runs it."""
        self._acts = [act]

    def __call__(self) -> None:
        """Do it, unless it is done."""
        try:
            act = self._acts.pop()  # of two threads only one gets it
        except IndexError:
            return
        act()


def hold(response: Iterable[bytes], environ: WSGIEnvironment, end: Once) -> Iterable[bytes]:
    """Have `end` called when the server closes a response."""
    wrapper = environ.get("wsgi.file_wrapper")
    if isinstance(wrapper, type) and isinstance(response, wrapper):
        # The server knows its own wrapper, and sends the file without reading it, as long as it is not wrapped again.
        response.close = _closing(response, end)  # type: ignore[attr-defined]
        return response
    return _Held(response, end)


def _closing(response: Iterable[bytes], end: Once) -> Callable[[], None]:
    close = getattr(response, "close", None)

    def close_and_end() -> None:
        try:
            if close is not None:
                close()
        finally:
            end()

    return close_and_end


class _Held:
    """A response that counts until it is closed or garbage-collected."""

    def __init__(self, response: Iterable[bytes], end: Once) -> None:
        self._response = response
        self._end = end
        self.close = _closing(response, end)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._response)

    def __del__(self) -> None:
        self._end()  # a server that forgets to close a response must not close the mount for ever
