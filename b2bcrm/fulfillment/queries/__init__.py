"""Every SELECT on what fulfillment keeps. Board and figures are for staff; lines for both sides."""
