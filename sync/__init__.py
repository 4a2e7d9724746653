"""Carries the log to the hub and the log of the hub back."""
