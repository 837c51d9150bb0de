"""Logs as one JSON object per line on standard error, for journald or a file.

Tracebacks are plain: the pretty form prints local variables, secrets among them.
"""

from __future__ import annotations

import logging
import sys

import structlog


def configure() -> None:
    """Set up logging for a process; called once at its start."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    for noisy in ("apscheduler", "weasyprint"):  # a skipped second and an unused font weight
        logging.getLogger(noisy).setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
