"""Supply seen through the ERP, promises, projections, shipments and on-time figures.

Implements ``ports.promise``. Not here: order state (orders), reading the ERP (sync,
connectors).
"""
