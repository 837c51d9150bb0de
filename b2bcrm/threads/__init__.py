"""Conversations about a record. What the customer reads and what stays inside are two tables.

A query for the portal cannot reach an internal note by mistake: it has no join to it.
"""
