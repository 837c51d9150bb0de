"""ERP systems behind ``b2bcrm.ports.erp``. Start at ``gateway.connect``."""
