"""User operations that join rules and devices: async generators of steps (`edge.steps`). No SQL, no screens here."""
