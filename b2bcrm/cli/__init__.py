"""The product's commands behind ``./crm``. Each is a thin edge: settings, one Work, one action.

``serving`` starts processes and the demo, ``keeping`` looks after an installation.
"""
