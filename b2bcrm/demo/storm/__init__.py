"""The storm: the whole ERP integration under thousands of faults, and the proof at its end.

``run`` conducts it: ``erp`` is the twin in a process of its own, ``workers`` are the processes
that deliver and pull and are killed, ``desk`` is the people who sell, ``weather`` says which
faults come how often. ``proof`` reads both sides' tables directly, by the rows of ``rows``.
"""
