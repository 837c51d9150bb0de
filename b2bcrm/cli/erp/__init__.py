"""``./crm erp ...``: what an integrator and the ERP administrator do, one module per command.

``group`` holds the command group and the options that name a connection. These commands and
``bootstrap`` are the only importers of ``connectors``.
"""
