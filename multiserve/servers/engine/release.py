"""What the engine leans on in uvicorn, httptools and websockets."""

from __future__ import annotations

from multiserve.servers.releases import check_releases

FITTING = "uvicorn>=0.35, httptools>=0.6.3, websockets>=15"
_HTTP = "uvicorn.protocols.http.httptools_impl"
_WEBSOCKET = "uvicorn.protocols.websockets.websockets_sansio_impl"

# Class -> what is called, overridden, read or set, beyond what a subclass of asyncio.Protocol has anyway.
USED: dict[tuple[str, str], tuple[str, ...]] = {
    (_HTTP, "HttpToolsProtocol"): (
        *("app", "loop", "access_log", "parser", "connections", "tasks", "server_state"),
        *("transport", "flow", "scheme", "pipeline", "scope", "headers", "url", "expect_100_continue", "cycle"),
        *("connection_made", "connection_lost", "eof_received", "data_received"),
        *("on_message_begin", "on_url", "on_header", "on_headers_complete", "on_body", "on_message_complete"),
        *("on_response_complete", "send_400_response", "handle_websocket_upgrade"),
        *("_should_upgrade", "_unset_keepalive_if_required"),
    ),
    (_HTTP, "RequestResponseCycle"): (
        *("run_asgi", "receive", "on_response", "message_event", "waiting_for_100_continue"),
        *("disconnected", "keep_alive", "more_body", "response_started", "response_complete"),
    ),
    (_WEBSOCKET, "WebSocketsSansIOProtocol"): (
        *("app", "loop", "connections", "tasks", "transport", "conn", "writable", "scope"),
        *("handshake_initiated", "handshake_complete", "initial_response", "close_sent", "queue"),
        *("connection_made", "connection_lost", "data_received", "handle_ping", "shutdown", "send_500_response"),
    ),
    ("uvicorn.server", "ServerState"): ("total_requests", "connections", "tasks", "default_headers"),
    ("uvicorn.protocols.http.flow_control", "FlowControl"): ("write_paused", "drain", "resume_reading"),
    ("uvicorn.config", "Config"): ("load", "loaded_app", "ws_protocol_class"),
    ("uvicorn.protocols.utils", "ClientDisconnected"): (),
    ("httptools", "HttpRequestParser"): (
        *("feed_data", "get_method", "get_http_version", "should_upgrade", "set_dangerous_leniencies"),
    ),
    ("websockets.server", "ServerProtocol"): ("reject", "send_response", "data_to_send", "close_rcvd", "close_sent"),
}


def check_release() -> None:
    """Raise `ServeError` if the installed releases lack something that the engine leans on."""
    check_releases(USED, ("uvicorn", "httptools", "websockets"), FITTING)
