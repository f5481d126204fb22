"""How a benefit is worked out. Pure: same input, same fen, for ever."""
