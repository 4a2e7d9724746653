"""The other end of each wire: simulated devices for the desk, for training and for tests."""
