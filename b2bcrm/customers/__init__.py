"""Accounts, their contacts, ship-to sites, part numbers and touches.

Not here: logins (users), items and prices (catalog). Events that leave: see ``events.py``.
"""
