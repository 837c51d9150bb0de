"""The demo company: what an ERP does not know, made around the ERP twin's world, from a seed.

``build`` makes it, ``erp`` serves the twin and moves the demo's clock, ``logins`` names who may
sign in. Nothing here is imported by a feature; production never loads it.
"""
