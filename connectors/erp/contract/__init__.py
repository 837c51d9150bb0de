"""What an ERP connection must keep before orders are written over it: thirty checks.

``checks.CHECKS`` is the list, ``suite.run`` walks it over one connection. Each check is a small
function with a sentence; it answers with its evidence or raises ``Failed`` or ``Skipped``. Tests
run it against the twin and every profile, ``crm erp certify`` against a customer's ERP.
"""
