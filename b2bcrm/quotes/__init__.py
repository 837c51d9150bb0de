"""Inquiries and quotes: from the customer's wish to his sealed acceptance.

Not here: the order that follows (orders), where dates come from (ports.promise), list prices
(catalog). Events that leave: see ``events.py``.
"""
