"""Adapters: what joins the ports of ``b2bcrm.ports`` to systems outside.

Only ``b2bcrm.bootstrap`` and the command line import it.
"""
