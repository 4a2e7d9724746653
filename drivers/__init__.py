"""Devices: bytes in, values out. Imports no other room."""
