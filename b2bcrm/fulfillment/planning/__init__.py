"""Pure planning: dates from stock and dated supply. No session, no clock, no framework."""
