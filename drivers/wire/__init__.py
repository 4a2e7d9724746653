"""Byte protocols to values and back. No I/O in here."""
