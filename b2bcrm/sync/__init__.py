"""The ERP sync engine: feeds with watermarks, runs, envelope log, breaker.

Features register one applier per entity in ``bootstrap``; the ERP is reached through
``ports.erp`` only.
"""
