"""The reference hub of a district."""
