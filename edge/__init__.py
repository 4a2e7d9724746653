"""The trade: parcels, shelves, cells, bills, and the log that must travel."""
