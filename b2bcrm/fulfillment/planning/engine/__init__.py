"""The promise engine: finite capacity, many levels, the whole order book at once.

``records`` are what it is told, ``building`` makes a ``Book`` of them, ``solving`` plans it,
``improving`` betters the plan, ``resolving`` brings it up to date, ``asking`` answers on top of
it, ``explaining`` tells what lines rest on, ``relaxing`` what would let one leave earlier,
``whatif`` what would move, ``checking`` believes nothing.
"""
