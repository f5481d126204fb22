"""Small clients of the public doors, for partners to copy and for the demo and the tests."""
