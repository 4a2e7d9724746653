"""Light terminals for tests of a hub and its broker. Nothing here runs in a hub that serves villages."""
