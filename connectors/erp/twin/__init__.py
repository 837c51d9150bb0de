"""The ERP twin: a SOAP ERP of its own for demo, tests and training.

``company`` makes the master data of a manufacturer from a seed, ``engine`` plans and runs its
orders on the business clock, ``world`` keeps it all in a SQLite file and answers the calls that
the SOAP server passes on. Nothing here imports a feature of the CRM.
"""
