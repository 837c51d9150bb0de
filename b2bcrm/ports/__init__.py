"""What the house asks of the outside, as Protocols and frozen messages in our own words."""
