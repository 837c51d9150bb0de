"""Stored files: content-addressed, type sniffed, size capped, owner checked.

Not here: who may see a page; callers ask ``owner`` and ``internal`` through ``open_for``.
"""
