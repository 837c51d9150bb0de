"""An order-centric B2B CRM for manufacturers: inquiry, quote, order, delivery, service."""
