"""Measurements behind ``./crm bench``: speed and memory, against a named reference, never tests."""
