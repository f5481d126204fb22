"""How much is paid, when, by whose leave, and who must act. Pure: same input, same fen."""
