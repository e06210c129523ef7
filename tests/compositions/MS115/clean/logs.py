import structlog

structlog.configure()
