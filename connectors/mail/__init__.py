"""Mail adapters behind ``b2bcrm.ports.mail``: SMTP for real, a folder for the demo and tests."""
