"""The promise engine: finite capacity, many levels, the whole order book at once.

``records`` are what it is told, ``building`` makes a ``Book`` of them, ``solving`` plans it,
``improving`` betters the plan, ``asking`` answers on top of it, ``checking`` believes nothing.
"""
