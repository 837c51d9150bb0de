"""zeep plugins: what is added to every envelope on its way out."""

from __future__ import annotations

from typing import Any

from zeep import Plugin

from connectors.erp.exchange import current_exchange


class CorrelationPlugin(Plugin):
    """Sends the call's correlation id along, so that both sides' logs can be laid together."""

    def egress(
        self, envelope: Any, http_headers: dict[str, str], operation: Any, binding_options: Any
    ) -> tuple[Any, dict[str, str]]:
        """Adds the header; the envelope stays as it is."""
        del operation, binding_options
        exchange = current_exchange.get()
        if exchange is not None:
            http_headers["X-Correlation-Id"] = exchange.correlation_id
        return envelope, http_headers
