"""A first profile from a WSDL: what looks like ours is mapped, what does not is named.

``words`` knows what ERPs call our things, ``proposing`` compares, ``writing`` makes the TOML.
Nothing here guesses silently: each gap stands in the file as ``not mapped``, and a kind of
record with a gap that an empty text cannot fill is switched off with that reason.
"""
