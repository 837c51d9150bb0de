"""Rows become the plain values that planning works on, a fixed number of statements per call."""
